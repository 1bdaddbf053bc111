//! Filters that name something: what is not there, or not to be seen, is told as a wrong parameter.

use rollcall_domain::access::Actor;
use rollcall_domain::id::{BatchId, DepartmentId, DeviceId, ShiftId, UserId};
use rollcall_usecases::directory::Directory;

use crate::actor::parse_user;
use crate::problem::{Code, FieldError, Problem};

/// What the filters of a list name.
#[derive(Default)]
pub(crate) struct Filters {
    pub(crate) user: Option<UserId>,
    pub(crate) department: Option<DepartmentId>,
    pub(crate) shift: Option<ShiftId>,
    pub(crate) device: Option<DeviceId>,
    pub(crate) batch: Option<BatchId>,
}

/// The person that a key of the query names: an id, or `me`.
pub(crate) fn person(key: &str, text: Option<&str>, actor: &Actor) -> Result<Option<UserId>, Problem> {
    text.map(|text| parse_user(text, actor)).transpose().map_err(|_| absent(&[key]))
}

impl Filters {
    /// Refuses to look for what belongs to something that is not there. Whoever answers then decides what may be seen.
    pub(crate) async fn check(&self, directory: &Directory, actor: &Actor) -> Result<(), Problem> {
        let mut wrong = Vec::new();
        if let Some(id) = self.department
            && !directory.knows_department(actor, id).await?
        {
            wrong.push("department_id");
        }
        if let Some(id) = self.shift
            && !directory.knows_shift(id).await?
        {
            wrong.push("shift_id");
        }
        if let Some(id) = self.device
            && !directory.knows_device(id).await?
        {
            wrong.push("device_id");
        }
        if let Some(id) = self.batch
            && !directory.knows_batch(id).await?
        {
            wrong.push("batch_id");
        }
        if wrong.is_empty() { Ok(()) } else { Err(absent(&wrong)) }
    }

    /// What is told when whoever answers finds that something is hidden: of a list, that can only be what a filter names.
    pub(crate) fn explain(&self, error: impl Into<Problem>) -> Problem {
        let problem = error.into();
        match (problem.code(), self.user, self.department) {
            (Code::NotFound, Some(_), _) => absent(&["user_id"]),
            (Code::NotFound, None, Some(_)) => absent(&["department_id"]),
            _ => problem,
        }
    }
}

/// These keys of the query name nothing that is there.
pub(crate) fn absent(keys: &[&str]) -> Problem {
    let each = keys.iter().map(|key| FieldError::of(*key, "does-not-exist", "does not exist"));
    Problem::invalid(each.collect())
}
