//! Geofences as text: a JSON array of objects, read and written whole with their department.

use rollcall_domain::geofence::Geofence;
use rollcall_ports::store::StoreError;
use serde_json::{Value, json};

use crate::convert::{named, valid};

const COLUMN: &str = "departments.geofences";

/// As they are stored; none is null.
pub(crate) fn written(fences: &[Geofence]) -> Option<String> {
    let one = |fence: &Geofence| {
        let center = fence.center();
        json!({ "name": fence.name(), "lat": center.lat, "lng": center.lng, "radius_m": fence.radius_m() })
    };
    (!fences.is_empty()).then(|| fences.iter().map(one).collect::<Value>().to_string())
}

/// Stored geofences.
pub(crate) fn read(text: Option<&str>) -> Result<Vec<Geofence>, StoreError> {
    let Some(text) = text else { return Ok(Vec::new()) };
    let all: Vec<Value> = valid(COLUMN, serde_json::from_str(text))?;
    let one = |stored: &Value| {
        let number = |member: &str| named(COLUMN, stored[member].as_f64());
        let (lat, lng, radius_m) = (number("lat")?, number("lng")?, number("radius_m")?);
        valid(COLUMN, Geofence::new(stored["name"].as_str(), lat, lng, radius_m))
    };
    all.iter().map(one).collect()
}
