//! What a job is to do.

use rollcall_usecases::jobs::JobContext;
use serde_json::Value;

use crate::input::{Form, of_query};
use crate::problem::Problem;

/// What was asked for, through the door by which it came.
pub(super) fn parameters<T: Form>(context: &JobContext<'_>) -> Result<T, Problem> {
    let kept: Value = serde_json::from_str(&context.job().parameters)
        .map_err(|_| Problem::broken("the parameters of a job cannot be read"))?;
    let members = kept.as_object().into_iter().flatten();
    of_query(
        members
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
    )
}
