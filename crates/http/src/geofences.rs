//! Circles on the ground, as a department has them.

use rollcall_domain::geofence::{Geofence, InvalidGeofence};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::problem::Problem;

/// A circle on the ground.
#[derive(Debug, Clone, Deserialize, Serialize, Validate, ToSchema)]
#[schema(as = Geofence)]
pub(crate) struct GeofenceForm {
    /// At most 100 characters.
    #[serde(default)]
    #[validate(custom(function = "is_name"))]
    name: Option<String>,
    /// Degrees north of its center, -90 to 90.
    #[validate(custom(function = "is_lat"))]
    lat: f64,
    /// Degrees east of its center, -180 to 180.
    #[validate(custom(function = "is_lng"))]
    lng: f64,
    /// Meters, 5 to 100000.
    #[validate(custom(function = "is_radius"))]
    radius_m: f64,
}

/// A circle of which only one member can be wrong.
fn checked(name: Option<&str>, lat: f64, lng: f64, radius_m: f64) -> Result<(), ValidationError> {
    let detail = |error: InvalidGeofence| {
        let code = if matches!(error, InvalidGeofence::Name(_)) { "invalid-name" } else { "out-of-range" };
        ValidationError::new(code).with_message(error.to_string().into())
    };
    Geofence::new(name, lat, lng, radius_m).map(drop).map_err(detail)
}

fn is_name(name: &str) -> Result<(), ValidationError> {
    checked(Some(name), 0.0, 0.0, Geofence::MIN_RADIUS_M)
}

fn is_lat(lat: f64) -> Result<(), ValidationError> {
    checked(None, lat, 0.0, Geofence::MIN_RADIUS_M)
}

fn is_lng(lng: f64) -> Result<(), ValidationError> {
    checked(None, 0.0, lng, Geofence::MIN_RADIUS_M)
}

fn is_radius(radius_m: f64) -> Result<(), ValidationError> {
    checked(None, 0.0, 0.0, radius_m)
}

impl GeofenceForm {
    /// As it is shown.
    pub(crate) fn of(fence: &Geofence) -> Self {
        let center = fence.center();
        Self {
            name: fence.name().map(str::to_owned),
            lat: center.lat,
            lng: center.lng,
            radius_m: fence.radius_m(),
        }
    }
}

/// Circles that were validated, unless there are too many.
pub(crate) fn fences(forms: &[GeofenceForm]) -> Result<Vec<Geofence>, Problem> {
    if forms.len() > Geofence::MAX {
        let detail = format!("must be at most {}", Geofence::MAX);
        return Err(Problem::invalid_field("/geofences", "too-many", detail));
    }
    let one = |form: &GeofenceForm| Geofence::new(form.name.as_deref(), form.lat, form.lng, form.radius_m);
    let invalid = |error: InvalidGeofence| {
        let pointer = format!("/geofences/{}", error.field());
        Problem::invalid_field(&pointer, "out-of-range", error.to_string())
    };
    forms.iter().map(one).collect::<Result<_, _>>().map_err(invalid)
}
