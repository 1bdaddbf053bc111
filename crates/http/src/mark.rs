//! `POST /api/attendance/mark`

use actix_web::{HttpResponse, web};
use jiff::Timestamp;
use rollcall_domain::policy::Punch;
use rollcall_usecases::attendance::{MarkRequest, Marked};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::actor::{Asker, who};
use crate::attendance::{EventView, LocationForm, RecordView, decision, local, next_allowed};
use crate::input::{Form, Json, Line, is, word};
use crate::options::Api;
use crate::problem::Problem;

#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = Mark)]
pub(crate) struct MarkForm {
    /// For whom, an id or `me`; yourself unless said otherwise.
    user_id: Option<String>,
    /// `auto`, `check_in` or `check_out`; `auto` unless said otherwise.
    #[validate(custom(function = "is::<Punch>"))]
    r#type: Option<String>,
    /// When, if not now; not for employees, and with a reason.
    #[validate(custom(function = "is::<Timestamp>"))]
    #[schema(format = DateTime)]
    at: Option<String>,
    /// Why you enter it for somebody else or for another time; at least 5 characters.
    #[validate(custom(function = "is::<Line<500>>"))]
    reason: Option<String>,
    #[validate(custom(function = "is::<Line<500>>"))]
    note: Option<String>,
    #[validate(nested)]
    location: Option<LocationForm>,
}

impl Form for MarkForm {}

/// What came of a punch.
#[derive(Serialize, ToSchema)]
#[schema(as = Marked)]
pub(crate) struct MarkedView {
    /// `checked_in`, `checked_out`, `cooldown` or `min_session`.
    decision: &'static str,
    /// The punch, if one was recorded.
    event: Option<EventView>,
    /// The day as it stands now.
    record: RecordView,
    /// From when on a punch would be recorded, if none was.
    #[schema(format = DateTime)]
    next_allowed_at: Option<String>,
}

impl MarkedView {
    /// What came of a punch.
    pub(crate) fn new(marked: &Marked) -> Self {
        Self {
            decision: decision(marked.decision),
            event: marked.event.as_ref().map(|event| EventView::new(event, &marked.day)),
            record: RecordView::new(&marked.day, true),
            next_allowed_at: next_allowed(marked.decision).map(|at| local(&marked.day.zone, at)),
        }
    }
}

/// Enters a punch for yourself, or with a reason for somebody else.
#[utoipa::path(post, path = "/api/attendance/mark", tag = "attendance", request_body = MarkForm,
    responses((status = 201, description = "Recorded.", body = MarkedView),
              (status = 200, description = "Too soon: nothing was recorded.", body = MarkedView)))]
pub(crate) async fn mark(
    api: web::Data<Api>,
    asker: Asker,
    Json(form): Json<MarkForm>,
) -> Result<HttpResponse, Problem> {
    let request = MarkRequest {
        user: form.user_id.as_deref().map(|id| who(id, asker.actor())).transpose()?,
        punch: word(&form.r#type)?.unwrap_or(Punch::Auto),
        at: word(&form.at)?,
        reason: word::<Line<500>>(&form.reason)?.map(|line| line.0),
        note: word::<Line<500>>(&form.note)?.map(|line| line.0),
        location: form.location.and_then(LocationForm::place),
    };
    let marked = api.usecases.attendance.mark(asker.actor(), request).await?;
    let mut answer = if marked.event.is_some() { HttpResponse::Created() } else { HttpResponse::Ok() };
    Ok(answer.json(MarkedView::new(&marked)))
}
