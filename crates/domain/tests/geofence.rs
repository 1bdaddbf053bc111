//! What must hold of distances wherever the places are.

use proptest::prelude::*;
use rollcall_domain::attendance::Location;
use rollcall_domain::geofence::{EARTH_RADIUS_M, Fenced, Geofence, MOST_DOUBT_M, admit, distance_m};

fn a_place() -> impl Strategy<Value = Location> {
    let lat = prop_oneof![8 => -90.0..=90.0, 1 => Just(90.0), 1 => Just(-90.0)];
    let lng = prop_oneof![8 => -180.0..=180.0, 1 => Just(180.0), 1 => Just(-180.0)];
    (lat, lng).prop_map(|(lat, lng)| Location::new(lat, lng, None).expect("a place"))
}

const HALF_WAY_AROUND: f64 = std::f64::consts::PI * EARTH_RADIUS_M;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn distance_from_a_place_to_itself_is_zero(place in a_place()) {
        prop_assert_eq!(distance_m(place, place), 0.0);
    }

    #[test]
    fn distance_is_symmetric_and_at_most_half_the_way_around(one in a_place(), other in a_place()) {
        let apart = distance_m(one, other);
        prop_assert!((apart - distance_m(other, one)).abs() < 0.5, "{apart}");
        prop_assert!((0.0..=HALF_WAY_AROUND).contains(&apart), "{apart}");
    }

    #[test]
    fn distance_obeys_the_triangle_inequality(one in a_place(), other in a_place(), third in a_place()) {
        prop_assert!(distance_m(one, third) <= distance_m(one, other) + distance_m(other, third) + 0.5);
    }

    #[test]
    fn the_other_side_of_the_earth_is_half_the_way_around(place in a_place()) {
        let lng = if place.lng > 0.0 { place.lng - 180.0 } else { place.lng + 180.0 };
        let antipode = Location { lat: -place.lat, lng, ..place };
        // Near the far end a distance changes its sine by less than a number can hold.
        prop_assert!((distance_m(place, antipode) - HALF_WAY_AROUND).abs() < 0.5);
    }

    #[test]
    fn a_pole_has_every_longitude(place in a_place(), lng in -180.0..=180.0) {
        for lat in [90.0, -90.0] {
            let pole = |lng| Location::new(lat, lng, None).expect("a pole");
            let apart = distance_m(pole(lng), place) - distance_m(pole(place.lng), place);
            prop_assert!(apart.abs() < 0.5, "{apart}");
            let expected = (lat - place.lat).abs().to_radians() * EARTH_RADIUS_M;
            prop_assert!((distance_m(pole(lng), place) - expected).abs() < 0.5);
        }
    }

    #[test]
    fn both_sides_of_the_date_line_are_one_place(lat in -90.0..=90.0, other in a_place()) {
        let at = |lng| Location::new(lat, lng, None).expect("a place");
        prop_assert!(distance_m(at(180.0), at(-180.0)) < 0.001);
        prop_assert!((distance_m(at(180.0), other) - distance_m(at(-180.0), other)).abs() < 0.5);
    }

    #[test]
    fn refused_location_is_as_far_outside_the_geofences_as_told(
        places in prop::collection::vec(a_place(), 1..5),
        radius in 5.0..100_000.0,
        at in a_place(),
        accuracy in prop::option::of(0.0..1000.0),
    ) {
        let fences: Vec<_> = places
            .iter()
            .map(|place| Geofence::new(None, place.lat, place.lng, radius).expect("a fence"))
            .collect();
        let at = Location { accuracy_m: accuracy, ..at };
        let beyond = places.iter().map(|place| distance_m(*place, at) - radius).fold(f64::INFINITY, f64::min);
        match admit(&fences, Some(at)) {
            Ok(()) => prop_assert!(beyond <= MOST_DOUBT_M.min(accuracy.unwrap_or(0.0))),
            Err(Fenced::Outside { distance_m }) => {
                prop_assert!(distance_m >= 1 && (f64::from(distance_m) - beyond - 0.5).abs() <= 0.5);
            }
            Err(Fenced::Nowhere) => prop_assert!(false, "a place was told"),
        }
    }
}
