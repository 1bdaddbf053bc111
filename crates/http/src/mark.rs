//! `POST /api/attendance/mark`

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpResponse, web};
use rollcall_domain::attendance::PunchKind;
use rollcall_domain::id::DeviceId;
use rollcall_usecases::attendance::DayView;
use rollcall_usecases::overrides::OverrideRequest;
use rollcall_usecases::punches::MarkRequest;
use rollcall_usecases::timesheet::PunchResult;
use serde::Serialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::actor::{Authenticated, parse_user};
use crate::attendance_view::{EventView, LocationForm, RecordView, decision, local, next_allowed};
use crate::input::{Decidable, MaybeJson, Passage, form};
use crate::options::Api;
use crate::problem::{FieldError, Problem};

form! {
    #[derive(Default)]
    body struct MarkForm as Mark {
        /// For whom, an id or `me`; yourself unless said otherwise.
        user_id: Option<String>,
        /// `auto`, `check_in` or `check_out`; `auto` unless said otherwise.
        r#type: Optional<PunchKind>,
        /// When, if not now; not for employees, and with a reason.
        at: Optional<Timestamp>,
        /// Why you enter it for somebody else or for another time; at least 5 characters.
        reason: Nullable<Passage<500>>,
        note: Nullable<Passage<500>>,
        #[validate(nested)]
        location: Option<LocationForm>,
        /// The device that saw it; not for employees, and with a reason.
        device_id: Nullable<DeviceId>,
        /// Leaving counts although there is no session to end; for administrators, with a reason and `check_out`.
        force: Option<bool>,
        /// Instead of a punch: how the day is to be read, with a reason. Not for employees. `PUT` of a record says more.
        status: Optional<Decidable>,
        /// Which day, with `status`; today unless said otherwise.
        date: Optional<Date>,
    }
    const ALSO_NULLABLE: &'static [&'static str] = &["location", "location/accuracy_m"];
}

impl MarkForm {
    /// Members that say something of a punch, next to a status that needs none; or of a day, without one.
    fn misplaced(&self) -> Result<(), Problem> {
        let force_fits = self.r#type.text() == Some(PunchKind::CheckOut.name());
        if self.status.is_none() {
            let misplaced = [
                ("/date", self.date.is_some(), "is told together with status"),
                ("/force", self.force == Some(true) && !force_fits, "goes with check_out only"),
            ];
            return refuse(&misplaced);
        }
        let detail = "is not told together with status";
        refuse(&[
            ("/type", self.r#type.is_some(), detail),
            ("/at", self.at.is_some(), detail),
            ("/location", self.location.is_some(), detail),
            ("/device_id", self.device_id.is_some(), detail),
            ("/force", self.force.is_some(), detail),
        ])
    }
}

fn refuse(misplaced: &[(&str, bool, &str)]) -> Result<(), Problem> {
    let wrong = misplaced.iter().filter(|(_, wrong, _)| *wrong);
    let errors: Vec<_> =
        wrong.map(|(pointer, _, detail)| FieldError::at(*pointer, "misplaced", *detail)).collect();
    if errors.is_empty() { Ok(()) } else { Err(Problem::invalid(errors)) }
}

/// What came of a punch.
#[derive(Serialize, ToSchema)]
#[schema(as = Marked)]
pub(crate) struct MarkedView {
    /// `checked_in`, `checked_out`, `cooldown` or `min_session`; `overridden` if a status was set.
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
    pub(crate) fn new(marked: &PunchResult) -> Self {
        Self {
            decision: decision(marked.outcome),
            event: marked.punch.as_ref().map(|event| EventView::new(event, &marked.day)),
            record: RecordView::new(&marked.day, true),
            next_allowed_at: next_allowed(marked.outcome).map(|at| local(&marked.day.zone, at)),
        }
    }

    /// A day of which somebody said how it is to be read.
    fn overridden(day: &DayView) -> Self {
        Self {
            decision: "overridden",
            event: None,
            record: RecordView::new(day, false),
            next_allowed_at: None,
        }
    }
}

/// Enters a punch for yourself, or with a reason for somebody else; or, with `status`, says how a day is to be read.
#[utoipa::path(post, path = "", tag = "attendance", request_body = Option<MarkForm>,
    responses((status = 201, description = "Recorded; `Location` names the record.", body = MarkedView),
              (status = 200, description = "Too soon, nothing was recorded; or a status was set.", body = MarkedView)))]
pub(crate) async fn mark(
    api: web::Data<Api>,
    caller: Authenticated,
    MaybeJson(form): MaybeJson<MarkForm>,
) -> Result<HttpResponse, Problem> {
    form.misplaced()?;
    let user = form.user_id.as_deref().map(|id| parse_user(id, caller.actor())).transpose()?;
    if let Some(status) = form.status.value() {
        let request = OverrideRequest {
            status: Some(status),
            note: form.note.value(),
            reason: form.reason.value().unwrap_or_default(),
            ..OverrideRequest::default()
        };
        let date = form.date.value();
        let day = api.usecases.overrides.override_day(caller.actor(), user, date, request).await?;
        return Ok(HttpResponse::Ok().json(MarkedView::overridden(&day)));
    }
    let request = MarkRequest {
        user,
        kind: form.r#type.value().unwrap_or(PunchKind::Auto),
        at: form.at.value(),
        reason: form.reason.value(),
        note: form.note.value(),
        location: form.location.and_then(LocationForm::place),
        device: form.device_id.value(),
        force: form.force.unwrap_or(false),
    };
    let marked = api.usecases.punches.mark(caller.actor(), request).await?;
    let mut answer = HttpResponse::Ok();
    if marked.punch.is_some() {
        let record = format!("/api/attendance/records/{}", marked.day.id);
        answer.status(StatusCode::CREATED).insert_header((header::LOCATION, record));
    }
    Ok(answer.json(MarkedView::new(&marked)))
}
