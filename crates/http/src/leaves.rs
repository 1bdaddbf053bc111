//! `/api/leaves`

use actix_web::{HttpRequest, HttpResponse, web};
use rollcall_domain::calendar::Half;
use rollcall_domain::id::LeaveId;
use rollcall_domain::leave::{LeaveKind, LeaveRequest, LeaveStatus};
use rollcall_usecases::leaves::{LeaveKey, LeaveQuery, NewLeave};
use serde::Serialize;
use utoipa::ToSchema;

use crate::actor::{Authenticated, whom};
use crate::filters::{Filters, person};
use crate::input::{AnyWord, Json, MaybeJson, Passage, PathId, Query, form};
use crate::options::Api;
use crate::paging::{List, list as list_of, page, range, sort};
use crate::preconditions::{self, IfMatch, created};
use crate::problem::Problem;
use crate::profile::utc;

pub(crate) const KEYS: [(&str, LeaveKey); 2] =
    [("from", LeaveKey::From), ("requested_at", LeaveKey::RequestedAt)];

form! {
    query struct LeavesForm {
        /// Of this person: an id, or `me`.
        user_id: Optional<AnyWord>,
        /// `pending`, `approved`, `rejected`, `withdrawn`.
        status: Optional<LeaveStatus>,
        /// `annual`, `sick`, `parental`, `unpaid`, `other`.
        kind: Optional<LeaveKind>,
        /// Only leave on this date or later.
        from: Optional<Date>,
        /// Last date, at most 365 days later.
        to: Optional<Date>,
        ..paging,
        /// `from`, `requested_at`.
        sort: Option<String>,
    }
}

form! {
    /// Leave that is asked for.
    body struct NewLeaveForm as NewLeave {
        /// For whom, an id or `me`; yourself unless said otherwise.
        user_id: Option<String>,
        /// First date.
        from: Required<Date>,
        /// Last date; the first one unless said otherwise.
        to: Optional<Date>,
        /// `first` or `second`: of the last date only this half; of a longer leave the dates before it are whole.
        half: Nullable<Half>,
        /// `annual`, `sick`, `parental`, `unpaid`, `other`; `annual` unless said otherwise.
        kind: Optional<LeaveKind>,
        reason: Nullable<Passage<1000>>,
    }
    const NOT_ALLOWED: &'static [&'static str] =
        &["id", "status", "requested_by", "requested_at", "decided_by", "decided_at", "comment", "version"];
}

form! {
    /// Words for the person who asked.
    change struct CommentForm as LeaveDecision {
        comment: Nullable<Passage<1000>>,
    }
}

form! {
    /// Why the person may not be away.
    body struct RejectionForm as LeaveRejection {
        comment: Required<Passage<1000>>,
    }
}

/// A request for leave and what came of it.
#[derive(Serialize, ToSchema)]
#[schema(as = Leave)]
pub(crate) struct LeaveView {
    id: String,
    user_id: String,
    #[schema(format = Date)]
    from: String,
    #[schema(format = Date)]
    to: String,
    half: Option<&'static str>,
    kind: &'static str,
    reason: Option<String>,
    /// `pending`, `approved`, `rejected`, `withdrawn`.
    status: &'static str,
    requested_by: Option<String>,
    #[schema(format = DateTime)]
    requested_at: String,
    /// Who approved, rejected or withdrew it.
    decided_by: Option<String>,
    #[schema(format = DateTime)]
    decided_at: Option<String>,
    comment: Option<String>,
    version: u32,
}

impl LeaveView {
    fn new(request: LeaveRequest) -> Self {
        let decided = request.decided;
        Self {
            id: request.id.to_string(),
            user_id: request.user.to_string(),
            from: request.leave.from.to_string(),
            to: request.leave.to.to_string(),
            half: request.leave.half.map(Half::name),
            kind: request.kind.name(),
            reason: request.reason,
            status: request.status.name(),
            requested_by: request.requested_by.map(|id| id.to_string()),
            requested_at: utc(request.requested_at),
            decided_by: decided.as_ref().and_then(|decided| decided.by).map(|id| id.to_string()),
            decided_at: decided.as_ref().map(|decided| utc(decided.at)),
            comment: decided.and_then(|decided| decided.comment),
            version: request.revision.0,
        }
    }
}

/// Your requests for leave and those of the people you answer for.
#[utoipa::path(get, path = "", tag = "planning", params(LeavesForm),
    responses((status = 200, description = "A page of requests.", body = List<LeaveView>)))]
pub(crate) async fn list(
    req: HttpRequest,
    api: web::Data<Api>,
    caller: Authenticated,
    Query(form): Query<LeavesForm>,
) -> Result<HttpResponse, Problem> {
    let query = LeaveQuery {
        user: person("user_id", form.user_id.text(), caller.actor())?,
        status: form.status.value(),
        kind: form.kind.value(),
        within: range(form.from.value(), form.to.value())?,
        sort: sort(&form.sort, &KEYS)?,
        page: page(form.page, form.per_page)?,
    };
    let filters = Filters { user: query.user, ..Filters::default() };
    let found =
        api.usecases.leaves.list(caller.actor(), query).await.map_err(|error| filters.explain(error))?;
    Ok(list_of(&req, found, LeaveView::new))
}

/// Asks for leave.
#[utoipa::path(post, path = "", tag = "planning", request_body = NewLeaveForm,
    responses((status = 201, description = "Asked for; `Location` names the request.", body = LeaveView)))]
pub(crate) async fn request(
    api: web::Data<Api>,
    caller: Authenticated,
    Json(form): Json<NewLeaveForm>,
) -> Result<HttpResponse, Problem> {
    let from = form.from.value()?;
    let new = NewLeave {
        user: whom("/user_id", form.user_id.as_deref(), caller.actor())?,
        from,
        to: form.to.value().unwrap_or(from),
        half: form.half.value(),
        kind: form.kind.value().unwrap_or(LeaveKind::Annual),
        reason: form.reason.value(),
    };
    let asked = api.usecases.leaves.request(caller.actor(), new).await?;
    Ok(created(format!("/api/leaves/{}", asked.id), asked.revision, LeaveView::new(asked)))
}

/// One request.
#[utoipa::path(get, path = "", tag = "planning",
    params(("leave_id" = String, Path, description = "A request.")),
    responses((status = 200, description = "The request, with an `ETag`.", body = LeaveView)))]
pub(crate) async fn get(
    api: web::Data<Api>,
    caller: Authenticated,
    PathId(id): PathId<LeaveId>,
) -> Result<HttpResponse, Problem> {
    Ok(shown(api.usecases.leaves.get(caller.actor(), id).await?))
}

/// Approves a request. Nobody but an administrator decides about their own.
#[utoipa::path(post, path = "", tag = "planning", request_body = CommentForm,
    params(("leave_id" = String, Path, description = "A request."), IfMatch),
    responses((status = 200, description = "The request as it is now.", body = LeaveView)))]
pub(crate) async fn approve(
    api: web::Data<Api>,
    caller: Authenticated,
    PathId(id): PathId<LeaveId>,
    IfMatch(revision): IfMatch,
    MaybeJson(form): MaybeJson<CommentForm>,
) -> Result<HttpResponse, Problem> {
    let comment = form.comment.value();
    Ok(shown(api.usecases.leaves.approve(caller.actor(), id, comment, revision).await?))
}

/// Rejects a request and says why. Nobody but an administrator decides about their own.
#[utoipa::path(post, path = "", tag = "planning", request_body = RejectionForm,
    params(("leave_id" = String, Path, description = "A request."), IfMatch),
    responses((status = 200, description = "The request as it is now.", body = LeaveView)))]
pub(crate) async fn reject(
    api: web::Data<Api>,
    caller: Authenticated,
    PathId(id): PathId<LeaveId>,
    IfMatch(revision): IfMatch,
    Json(form): Json<RejectionForm>,
) -> Result<HttpResponse, Problem> {
    let comment = form.comment.value()?;
    Ok(shown(api.usecases.leaves.reject(caller.actor(), id, comment, revision).await?))
}

/// Takes a request back: your own, or one that you made for somebody. What was approved and has begun is an
/// administrator's to take back.
#[utoipa::path(post, path = "", tag = "planning", request_body = CommentForm,
    params(("leave_id" = String, Path, description = "A request."), IfMatch),
    responses((status = 200, description = "The request as it is now.", body = LeaveView)))]
pub(crate) async fn withdraw(
    api: web::Data<Api>,
    caller: Authenticated,
    PathId(id): PathId<LeaveId>,
    IfMatch(revision): IfMatch,
    MaybeJson(form): MaybeJson<CommentForm>,
) -> Result<HttpResponse, Problem> {
    let comment = form.comment.value();
    Ok(shown(api.usecases.leaves.withdraw(caller.actor(), id, comment, revision).await?))
}

fn shown(request: LeaveRequest) -> HttpResponse {
    preconditions::shown(request.revision, LeaveView::new(request))
}
