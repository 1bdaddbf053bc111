//! `/api/attendance/records/{record_id}`

use actix_web::{HttpResponse, web};
use rollcall_domain::attendance::DayStatus;
use rollcall_domain::calendar::Zone;
use rollcall_domain::id::RecordId;
use rollcall_usecases::overrides::{OverrideHistoryEntry, OverrideRequest};
use rollcall_usecases::records::RecordHistory;
use serde::Serialize;
use utoipa::ToSchema;
use validator::ValidationError;

use crate::actor::Authenticated;
use crate::attendance_view::{OverrideView, RecordView, local};
use crate::input::{Change, Decidable, Json, Passage, PathId, Reason, Seen, form};
use crate::naming::named;
use crate::options::Api;
use crate::preconditions::{self, IfMatch};
use crate::problem::Problem;

/// Most overtime of a day.
const DAY: i64 = 86_400;

form! {
    /// What a day came to. At least one of `status`, `first_in`, `last_out` and `overtime_seconds` is given; what is absent
    /// or `null` is left to the punches.
    body struct OverrideForm as OverrideRequest {
        /// Any status of a record; `pending` only as it is shown, which decides nothing.
        status: Nullable<Decidable>,
        /// When the person came.
        first_in: Nullable<Timestamp>,
        /// When the person left.
        last_out: Nullable<Timestamp>,
        /// 0 to 86400.
        #[validate(custom(function = "of_a_day"))]
        #[schema(minimum = 0, maximum = 86400)]
        overtime_seconds: Option<i64>,
        note: Nullable<Passage<500>>,
        /// Why; at least 5 characters.
        reason: Required<Reason>,
    }
    const ALSO_NULLABLE: &'static [&'static str] = &["overtime_seconds"];
    const COMPUTED: &'static [&'static str] = &[
        "flags",
        "worked_seconds",
        "break_seconds",
        "scheduled_seconds",
        "late_seconds",
        "early_exit_seconds",
        "overtime_pending_seconds",
        "source",
        "confidence",
        "open",
        "events",
    ];
}

fn of_a_day(seconds: i64) -> Result<(), ValidationError> {
    if (0..=DAY).contains(&seconds) {
        return Ok(());
    }
    Err(ValidationError::new("out-of-range").with_message(format!("must be 0..{DAY}").into()))
}

/// Members that mean something although they are as they are shown.
const SAID: &[&str] = &["status", "first_in", "last_out", "overtime_seconds", "note", "reason"];

impl OverrideForm {
    fn into_request(self) -> Result<OverrideRequest, Problem> {
        Ok(OverrideRequest {
            status: self.status.value(),
            first_in: self.first_in.value(),
            last_out: self.last_out.value(),
            overtime_seconds: self.overtime_seconds,
            note: self.note.value(),
            reason: self.reason.value()?,
        })
    }
}

form! {
    /// Why something is done.
    body struct ReasonForm as Reasoned {
        /// At least 5 characters.
        reason: Required<Reason>,
    }
}

impl ReasonForm {
    /// The reason, which was validated.
    pub(crate) fn reason(self) -> Result<String, Problem> {
        self.reason.value()
    }
}

/// A day with its punches, and what was ever decided of it.
#[derive(Serialize, ToSchema)]
#[schema(as = RecordHistory)]
pub(crate) struct RecordHistoryView {
    #[serde(flatten)]
    record: RecordView,
    /// Decisions, earliest first; the last one holds unless it has ended.
    overrides: Vec<DecidedView>,
}

/// A decision and how it ended, if it did.
#[derive(Serialize, ToSchema)]
#[schema(as = DecidedOverride)]
struct DecidedView {
    #[serde(flatten)]
    decision: OverrideView,
    /// When it was taken back or replaced.
    #[schema(format = DateTime)]
    ended_at: Option<String>,
    ended_by: Option<String>,
    ended_reason: Option<String>,
}

impl DecidedView {
    fn new(of: &OverrideHistoryEntry, zone: &Zone) -> Self {
        let ended = of.ended.as_ref();
        Self {
            decision: OverrideView::new(&of.override_, zone),
            ended_at: ended.map(|ended| local(zone, ended.at)),
            ended_by: ended.and_then(|ended| ended.by).map(|id| id.to_string()),
            ended_reason: ended.map(|ended| ended.reason.clone()),
        }
    }
}

impl RecordHistoryView {
    fn new(of: &RecordHistory) -> Self {
        let overrides = of.decided.iter().map(|decided| DecidedView::new(decided, &of.day.zone)).collect();
        Self { record: RecordView::new(&of.day, true), overrides }
    }
}

fn shown(of: &RecordHistory) -> HttpResponse {
    preconditions::shown(of.day.revision, RecordHistoryView::new(of))
}

/// One day with its punches, and what was ever decided of it.
#[utoipa::path(get, path = "", tag = "attendance",
    params(("record_id" = String, Path, description = "A record.")),
    responses((status = 200, description = "The record, with an `ETag`.", body = RecordHistoryView)))]
pub(crate) async fn get(
    api: web::Data<Api>,
    caller: Authenticated,
    PathId(id): PathId<RecordId>,
) -> Result<HttpResponse, Problem> {
    Ok(shown(&api.usecases.records.record(caller.actor(), id).await?))
}

/// Says what a day came to, in place of what was said before. Nobody decides of their own, unless they are an
/// administrator. The record can be sent back as it was read, with a `reason`: members that are not decided here count
/// as long as they are as shown. What was said already, for the same reason, is no change.
#[utoipa::path(put, path = "", tag = "attendance", operation_id = "override",
    request_body = OverrideForm,
    params(("record_id" = String, Path, description = "A record."), IfMatch),
    responses((status = 200, description = "The record as it is now.", body = RecordHistoryView)))]
pub(crate) async fn put(
    api: web::Data<Api>,
    caller: Authenticated,
    PathId(id): PathId<RecordId>,
    IfMatch(revision): IfMatch,
    change: Change<OverrideForm>,
) -> Result<HttpResponse, Problem> {
    let known = api.usecases.records.record(caller.actor(), id).await?;
    let view = named(&api.usecases.directory, &RecordHistoryView::new(&known)).await?;
    let seen = Seen { revision, known: known.day.revision };
    let Some(form) = change.decision(&view, seen, SAID, &[("status", DayStatus::Pending.name())])? else {
        return Ok(shown(&known));
    };
    let request = form.into_request()?;
    Ok(shown(&api.usecases.overrides.override_record(caller.actor(), id, request, revision).await?))
}

/// Takes back what was said of a day; it comes to what its punches say.
#[utoipa::path(post, path = "", tag = "attendance",
    request_body = ReasonForm,
    params(("record_id" = String, Path, description = "A record."), IfMatch),
    responses((status = 200, description = "The record as it is now.", body = RecordHistoryView)))]
pub(crate) async fn revert(
    api: web::Data<Api>,
    caller: Authenticated,
    PathId(id): PathId<RecordId>,
    IfMatch(revision): IfMatch,
    Json(form): Json<ReasonForm>,
) -> Result<HttpResponse, Problem> {
    let reason = form.reason()?;
    Ok(shown(&api.usecases.overrides.revert_record(caller.actor(), id, &reason, revision).await?))
}
