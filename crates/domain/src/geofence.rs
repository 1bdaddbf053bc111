//! Geofences: circles on the ground in which people mark their own attendance.
//!
//! The distance of two places is that along a great circle, by the haversine formula (R. W. Sinnott, "Virtues of the
//! Haversine", Sky & Telescope 68, 1984, p. 159), on a sphere of the earth's mean radius. The earth is flattened, so it is
//! wrong by at most 0.6 %: half a meter where a circle of a hundred meters ends, much less than any receiver is wrong.

use crate::attendance::Location;
use crate::text::{TextError, line};

/// Mean radius of the earth in meters: (2a + b) / 3 of the ellipsoid GRS 80 (H. Moritz, "Geodetic Reference System 1980",
/// Journal of Geodesy 74, 2000, p. 128), to the meter.
pub const EARTH_RADIUS_M: f64 = 6_371_009.0;

/// What a device says of its own doubt counts at most so far, in meters.
///
/// Nobody who may be standing inside is sent away because a receiver is unsure, which it is by some 5 m below the open sky
/// and up to 50 m between houses. Without a limit, whoever says that they are unsure by a thousand kilometers would be
/// inside everywhere.
pub const MOST_DOUBT_M: f64 = 50.0;

/// A circle on the ground.
///
/// Invariant: its center is a place on earth, its radius between [`Geofence::MIN_RADIUS_M`] and
/// [`Geofence::MAX_RADIUS_M`].
#[derive(Debug, Clone, PartialEq)]
pub struct Geofence {
    name: Option<String>,
    center: Location,
    radius_m: f64,
}

/// Why there is no such circle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidGeofence {
    /// The name cannot be one.
    #[error(transparent)]
    Name(TextError),
    /// No such latitude.
    #[error("must be -90 to 90")]
    Lat,
    /// No such longitude.
    #[error("must be -180 to 180")]
    Lng,
    /// Too small to be met, or too large to mean anything.
    #[error("must be {} to {}", Geofence::MIN_RADIUS_M, Geofence::MAX_RADIUS_M)]
    Radius,
}

impl InvalidGeofence {
    /// The member that is wrong, by the name clients know.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Name(_) => "name",
            Self::Lat => "lat",
            Self::Lng => "lng",
            Self::Radius => "radius_m",
        }
    }
}

/// Why somebody cannot mark their own attendance where they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fenced {
    /// Nobody knows where they are.
    #[error("location is required, because the department has geofences")]
    Nowhere,
    /// They are outside of every circle.
    #[error("the place lies {distance_m} m outside of the nearest geofence")]
    Outside {
        /// How far it is to the edge of the nearest one, in whole meters, at least 1.
        distance_m: u32,
    },
}

impl Geofence {
    /// Most of one department.
    pub const MAX: usize = 20;
    /// Longest name, in characters.
    pub const MAX_NAME: usize = 100;
    /// Smallest radius, in meters: less is more exact than any receiver.
    pub const MIN_RADIUS_M: f64 = 5.0;
    /// Largest radius, in meters: enough for a city.
    pub const MAX_RADIUS_M: f64 = 100_000.0;

    /// A circle around degrees north and east.
    ///
    /// # Errors
    /// [`InvalidGeofence`] naming the first rule that is broken.
    pub fn new(name: Option<&str>, lat: f64, lng: f64, radius_m: f64) -> Result<Self, InvalidGeofence> {
        let name = name.map(|name| line(name, Self::MAX_NAME)).transpose().map_err(InvalidGeofence::Name)?;
        if !(-90.0..=90.0).contains(&lat) {
            return Err(InvalidGeofence::Lat);
        }
        if !(Self::MIN_RADIUS_M..=Self::MAX_RADIUS_M).contains(&radius_m) {
            return Err(InvalidGeofence::Radius);
        }
        let center = Location::new(lat, lng, None).map_err(|_| InvalidGeofence::Lng)?;
        Ok(Self { name, center, radius_m })
    }

    /// Its name, if it has one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Its center.
    #[must_use]
    pub const fn center(&self) -> Location {
        self.center
    }

    /// Its radius in meters.
    #[must_use]
    pub const fn radius_m(&self) -> f64 {
        self.radius_m
    }

    /// How far outside of it a place lies, in meters; negative inside.
    fn beyond(&self, at: Location) -> f64 {
        distance_m(self.center, at) - self.radius_m
    }
}

/// Whether somebody may mark their own attendance where they say they are: inside of one of the circles, or so near that they
/// may be inside by what their device says of its doubt, at most [`MOST_DOUBT_M`]. Without circles they may anywhere.
///
/// # Errors
/// [`Fenced`] otherwise. The distance is told as if the device had no doubt.
pub fn admit(fences: &[Geofence], at: Option<Location>) -> Result<(), Fenced> {
    if fences.is_empty() {
        return Ok(());
    }
    let at = at.ok_or(Fenced::Nowhere)?;
    let nearest = fences.iter().map(|fence| fence.beyond(at)).fold(f64::INFINITY, f64::min);
    let doubt = at.accuracy_m.unwrap_or(0.0).min(MOST_DOUBT_M);
    if nearest <= doubt {
        return Ok(());
    }
    // No more than half the way around the earth.
    Err(Fenced::Outside { distance_m: nearest.ceil() as u32 })
}

/// How far two places are apart along a great circle, in meters.
#[must_use]
pub fn distance_m(one: Location, other: Location) -> f64 {
    let (lat, lng) = ((other.lat - one.lat).to_radians(), (other.lng - one.lng).to_radians());
    let (north, east) = ((lat / 2.0).sin(), (lng / 2.0).sin());
    let haversine = north * north + one.lat.to_radians().cos() * other.lat.to_radians().cos() * east * east;
    // Rounding may exceed what a sine can be.
    2.0 * EARTH_RADIUS_M * haversine.clamp(0.0, 1.0).sqrt().asin()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(lat: f64, lng: f64) -> Location {
        Location::new(lat, lng, None).expect("a place")
    }

    #[test]
    fn circles_are_on_earth_and_of_a_size_that_means_something() {
        let wrong = |lat, lng, radius| Geofence::new(None, lat, lng, radius).err().map(|e| e.field());
        for (lat, lng, radius) in [(90.0, 180.0, 5.0), (-90.0, -180.0, 1e5), (52.5, 13.4, 80.5)] {
            assert_eq!(wrong(lat, lng, radius), None);
        }
        for (lat, lng, radius, field) in [
            (90.1, 0.0, 100.0, "lat"),
            (f64::NAN, 0.0, 100.0, "lat"),
            (0.0, -180.1, 100.0, "lng"),
            (0.0, f64::INFINITY, 100.0, "lng"),
            (0.0, 0.0, 4.9, "radius_m"),
            (0.0, 0.0, 100_000.1, "radius_m"),
            (0.0, 0.0, f64::NAN, "radius_m"),
        ] {
            assert_eq!(wrong(lat, lng, radius), Some(field), "{lat} {lng} {radius}");
        }
        assert_eq!(Geofence::new(Some("  Gate "), 0.0, 0.0, 9.0).expect("a fence").name(), Some("Gate"));
        let nameless = Geofence::new(Some(" "), 0.0, 0.0, 9.0).expect_err("no name");
        assert_eq!(nameless.field(), "name");
    }

    #[test]
    fn known_distances_come_out() {
        let (berlin, paris) = (place(52.516_27, 13.377_70), place(48.858_37, 2.294_48));
        let apart = distance_m(berlin, paris);
        // 879.7 km on the ellipsoid.
        assert!((875_000.0..885_000.0).contains(&apart), "{apart}");
        let degree = EARTH_RADIUS_M.to_radians();
        for (one, other, degrees) in [
            (place(0.0, 0.0), place(1.0, 0.0), 1.0),
            (place(0.0, 179.5), place(0.0, -179.5), 1.0), // Across the date line.
            (place(0.0, 180.0), place(0.0, -180.0), 0.0),
            (place(90.0, 0.0), place(90.0, 123.0), 0.0), // One pole, however it is told.
            (place(90.0, 0.0), place(-90.0, 77.0), 180.0),
            (place(0.0, 0.0), place(0.0, 180.0), 180.0),
            (place(89.0, 0.0), place(89.0, 180.0), 2.0), // Over the pole.
        ] {
            let apart = distance_m(one, other);
            assert!((apart - degrees * degree).abs() < 0.01, "{one:?} {other:?} {apart}");
        }
    }

    #[test]
    fn the_edge_is_inside_and_doubt_counts_up_to_a_limit() {
        let fences = [
            Geofence::new(Some("Gate"), 0.0, 0.0, 100.0).expect("a fence"),
            Geofence::new(None, 1.0, 0.0, 100.0).expect("a fence"),
        ];
        let meters = |north: f64| (north / EARTH_RADIUS_M).to_degrees();
        let at = |north: f64, accuracy_m| {
            admit(&fences, Some(Location { accuracy_m, ..place(meters(north), 0.0) }))
        };
        let outside = |distance_m| Err(Fenced::Outside { distance_m });
        assert_eq!(at(0.0, None), Ok(()));
        assert_eq!(at(99.999, None), Ok(()));
        assert_eq!(at(100.5, None), outside(1));
        assert_eq!(at(130.0, Some(29.9)), outside(30));
        assert_eq!(at(130.0, Some(30.1)), Ok(()));
        assert_eq!(at(149.9, Some(1e6)), Ok(()));
        assert_eq!(at(150.5, Some(1e6)), outside(51));
        // The nearer one is told.
        let degree = EARTH_RADIUS_M.to_radians();
        assert_eq!(at(degree - 300.5, None), outside(201));
        assert_eq!(admit(&fences, None), Err(Fenced::Nowhere));
        assert_eq!(admit(&[], None), Ok(()));
    }
}
