//! Where people mark their own attendance.

use rollcall_domain::attendance::Location;
use rollcall_domain::geofence::{self, Fenced};
use rollcall_domain::user::User;
use rollcall_ports::departments::DepartmentStore;
use rollcall_ports::store::StoreError;

/// Whether a person may mark their own attendance at a place: by the geofences of the department in which they are
/// today.
pub(crate) async fn check_geofence(
    departments: &dyn DepartmentStore,
    user: &User,
    at: Option<Location>,
) -> Result<Result<(), Fenced>, StoreError> {
    let Some(department) = &user.department else { return Ok(Ok(())) };
    let department = departments.get(department.id).await?;
    Ok(department.map_or(Ok(()), |department| geofence::admit(&department.geofences, at)))
}
