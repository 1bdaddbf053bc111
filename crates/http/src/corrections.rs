//! `/api/attendance/corrections`

use actix_web::{HttpRequest, HttpResponse, web};
use rollcall_domain::attendance::DayStatus;
use rollcall_domain::correction::CorrectionStatus;
use rollcall_domain::id::{CorrectionId, DepartmentId, ShiftId};
use rollcall_usecases::corrections::{CorrectionQuery, CorrectionRequest, SeenCorrection};
use serde::Serialize;
use utoipa::ToSchema;

use crate::actor::Authenticated;
use crate::attendance_view::local;
use crate::filters::{Filters, person};
use crate::input::{Decidable, Json, MaybeJson, Passage, PathId, Query, Reason, form};
use crate::options::Api;
use crate::paging::{List, list as list_of, page, range};
use crate::preconditions::{self, IfMatch, created};
use crate::problem::Problem;
use crate::profile::day;

form! {
    /// What your day came to. At least one of `status`, `first_in` and `last_out` is given.
    body struct NewCorrectionForm as CorrectionRequest {
        /// Today or before.
        date: Required<Date>,
        /// The first shift of the date unless said otherwise.
        shift_id: Nullable<ShiftId>,
        /// Any status of a record but `pending`.
        status: Nullable<Decidable>,
        first_in: Nullable<Timestamp>,
        last_out: Nullable<Timestamp>,
        /// Why; at least 5 characters.
        reason: Required<Reason>,
    }
    const NOT_ALLOWED: &'static [&'static str] = &["id", "user_id", "requested_at"];
}

form! {
    query struct CorrectionsForm {
        /// `pending`, `approved`, `rejected` or `withdrawn`.
        status: Optional<CorrectionStatus>,
        /// Only this person's; an id or `me`.
        user_id: Option<String>,
        /// Only those of people in this department.
        department_id: Optional<DepartmentId>,
        /// For this date or a later one.
        from: Optional<Date>,
        /// For this date or an earlier one, at most 365 days later.
        to: Optional<Date>,
        ..paging,
    }
}

form! {
    /// For the person who asked.
    change struct ApprovalForm as Approval {
        comment: Nullable<Passage<500>>,
    }
}

form! {
    /// For the person who asked.
    body struct RejectionForm as Rejection {
        /// Why not; at least 5 characters.
        comment: Required<Reason>,
    }
}

/// A request to correct a day.
#[derive(Serialize, ToSchema)]
#[schema(as = Correction)]
pub(crate) struct CorrectionView {
    id: String,
    user_id: String,
    #[schema(format = Date)]
    date: String,
    timezone: String,
    shift_id: Option<String>,
    record_id: String,
    /// What the day is said to have come to; `null` is left to the punches.
    requested: RequestedView,
    reason: String,
    /// `pending`, `approved`, `rejected` or `withdrawn`.
    status: &'static str,
    #[schema(format = DateTime)]
    requested_at: String,
    decided_by: Option<String>,
    #[schema(format = DateTime)]
    decided_at: Option<String>,
    comment: Option<String>,
    version: u32,
}

/// What a day is said to have come to.
#[derive(Serialize, ToSchema)]
#[schema(as = RequestedCorrection)]
struct RequestedView {
    status: Option<&'static str>,
    #[schema(format = DateTime)]
    first_in: Option<String>,
    #[schema(format = DateTime)]
    last_out: Option<String>,
}

impl CorrectionView {
    fn new(SeenCorrection { correction, zone }: SeenCorrection) -> Self {
        let decided = correction.decided.as_ref();
        Self {
            id: correction.id.to_string(),
            user_id: correction.user().to_string(),
            date: day(correction.key.date),
            timezone: zone.name().to_owned(),
            shift_id: correction.key.shift.map(|id| id.to_string()),
            record_id: correction.key.record().to_string(),
            requested: RequestedView {
                status: correction.day_status.map(DayStatus::name),
                first_in: correction.first_in.map(|at| local(&zone, at)),
                last_out: correction.last_out.map(|at| local(&zone, at)),
            },
            status: correction.status.name(),
            requested_at: local(&zone, correction.requested_at),
            decided_by: decided.and_then(|decided| decided.by).map(|id| id.to_string()),
            decided_at: decided.map(|decided| local(&zone, decided.at)),
            comment: decided.and_then(|decided| decided.comment.clone()),
            version: correction.revision.0,
            reason: correction.reason,
        }
    }
}

fn shown(of: SeenCorrection) -> HttpResponse {
    preconditions::shown(of.correction.revision, CorrectionView::new(of))
}

/// The requests you may see, latest first.
#[utoipa::path(get, path = "", tag = "attendance", operation_id = "corrections",
    params(CorrectionsForm),
    responses((status = 200, description = "A page of requests.", body = List<CorrectionView>)))]
pub(crate) async fn list(
    req: HttpRequest,
    api: web::Data<Api>,
    caller: Authenticated,
    Query(form): Query<CorrectionsForm>,
) -> Result<HttpResponse, Problem> {
    let query = CorrectionQuery {
        status: form.status.value(),
        user: person("user_id", form.user_id.as_deref(), caller.actor())?,
        department: form.department_id.value(),
        within: range(form.from.value(), form.to.value())?,
        page: page(form.page, form.per_page)?,
    };
    let filters = Filters { user: query.user, department: query.department, ..Filters::default() };
    filters.check(&api.usecases.directory, caller.actor()).await?;
    let found =
        api.usecases.corrections.list(caller.actor(), query).await.map_err(|error| filters.explain(error))?;
    Ok(list_of(&req, found, CorrectionView::new))
}

/// Asks for your own day to be corrected. It stays as it is until somebody else agrees.
#[utoipa::path(post, path = "", tag = "attendance",
    operation_id = "request_correction", request_body = NewCorrectionForm,
    responses((status = 201, description = "Asked for; `Location` names it.", body = CorrectionView)))]
pub(crate) async fn create(
    api: web::Data<Api>,
    caller: Authenticated,
    Json(form): Json<NewCorrectionForm>,
) -> Result<HttpResponse, Problem> {
    let request = CorrectionRequest {
        date: form.date.value()?,
        shift: form.shift_id.value(),
        status: form.status.value(),
        first_in: form.first_in.value(),
        last_out: form.last_out.value(),
        reason: form.reason.value()?,
    };
    let asked = api.usecases.corrections.request(caller.actor(), &request).await?;
    let path = format!("/api/attendance/corrections/{}", asked.correction.id);
    Ok(created(path, asked.correction.revision, CorrectionView::new(asked)))
}

/// One request.
#[utoipa::path(get, path = "", tag = "attendance",
    operation_id = "correction", params(("correction_id" = String, Path, description = "A request.")),
    responses((status = 200, description = "The request, with an `ETag`.", body = CorrectionView)))]
pub(crate) async fn get(
    api: web::Data<Api>,
    caller: Authenticated,
    PathId(id): PathId<CorrectionId>,
) -> Result<HttpResponse, Problem> {
    Ok(shown(api.usecases.corrections.get(caller.actor(), id).await?))
}

/// Agrees to a request; the day is overridden as it says. Nobody decides on their own.
#[utoipa::path(post, path = "", tag = "attendance",
    operation_id = "approve_correction", request_body = ApprovalForm,
    params(("correction_id" = String, Path, description = "A request."), IfMatch),
    responses((status = 200, description = "The request as it is now.", body = CorrectionView)))]
pub(crate) async fn approve(
    api: web::Data<Api>,
    caller: Authenticated,
    PathId(id): PathId<CorrectionId>,
    IfMatch(revision): IfMatch,
    MaybeJson(form): MaybeJson<ApprovalForm>,
) -> Result<HttpResponse, Problem> {
    let comment = form.comment.value();
    Ok(shown(api.usecases.corrections.approve(caller.actor(), id, comment, revision).await?))
}

/// Rejects a request, and says why. Nobody decides on their own.
#[utoipa::path(post, path = "", tag = "attendance",
    operation_id = "reject_correction", request_body = RejectionForm,
    params(("correction_id" = String, Path, description = "A request."), IfMatch),
    responses((status = 200, description = "The request as it is now.", body = CorrectionView)))]
pub(crate) async fn reject(
    api: web::Data<Api>,
    caller: Authenticated,
    PathId(id): PathId<CorrectionId>,
    IfMatch(revision): IfMatch,
    Json(form): Json<RejectionForm>,
) -> Result<HttpResponse, Problem> {
    let comment = form.comment.value()?;
    Ok(shown(api.usecases.corrections.reject(caller.actor(), id, &comment, revision).await?))
}

/// Takes your own request back.
#[utoipa::path(post, path = "", tag = "attendance",
    operation_id = "withdraw_correction",
    params(("correction_id" = String, Path, description = "A request."), IfMatch),
    responses((status = 200, description = "The request as it is now.", body = CorrectionView)))]
pub(crate) async fn withdraw(
    api: web::Data<Api>,
    caller: Authenticated,
    PathId(id): PathId<CorrectionId>,
    IfMatch(revision): IfMatch,
) -> Result<HttpResponse, Problem> {
    Ok(shown(api.usecases.corrections.withdraw(caller.actor(), id, revision).await?))
}
