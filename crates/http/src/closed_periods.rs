//! `/api/closed_periods`

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use rollcall_domain::closed_period::ClosedPeriod;
use rollcall_domain::id::ClosedPeriodId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::actor::Authenticated;
use crate::input::{Json, Passage, PathId, Query, form};
use crate::options::Api;
use crate::paging::{List, list as list_of, page};
use crate::problem::Problem;
use crate::profile::utc;

form! {
    query struct LocksForm {
        /// Only locks that were not lifted; false unless said otherwise.
        holding: Optional<bool> as bool,
        ..paging,
    }
}

form! {
    /// A period to be closed.
    body struct NewClosedPeriodForm as NewLock {
        /// The last date that is closed; before today.
        through: Required<Date>,
        /// Why; at least five characters.
        #[schema(min_length = 5)]
        reason: Required<Passage<500>>,
    }
    const NOT_ALLOWED: &'static [&'static str] =
        &["id", "locked_by", "locked_at", "lifted_by", "lifted_at", "lift_reason"];
}

form! {
    /// Why a period is opened again.
    body struct LiftForm as LockLift {
        /// Why; at least five characters.
        #[schema(min_length = 5)]
        reason: Required<Passage<500>>,
    }
}

/// A closed period.
#[derive(Serialize, ToSchema)]
#[schema(as = Lock)]
pub(crate) struct ClosedPeriodView {
    id: String,
    /// The last date that is closed.
    #[schema(format = Date)]
    through: String,
    reason: String,
    locked_by: Option<String>,
    #[schema(format = DateTime)]
    locked_at: String,
    lifted_by: Option<String>,
    #[schema(format = DateTime)]
    lifted_at: Option<String>,
    lift_reason: Option<String>,
}

impl ClosedPeriodView {
    fn new(period: ClosedPeriod) -> Self {
        let lifted = period.lifted;
        Self {
            id: period.id.to_string(),
            through: period.through.to_string(),
            reason: period.reason,
            locked_by: period.by.map(|id| id.to_string()),
            locked_at: utc(period.at),
            lifted_by: lifted.as_ref().and_then(|lifted| lifted.by).map(|id| id.to_string()),
            lifted_at: lifted.as_ref().map(|lifted| utc(lifted.at)),
            lift_reason: lifted.map(|lifted| lifted.reason),
        }
    }
}

/// Closed periods, latest first.
#[utoipa::path(get, path = "", tag = "planning", params(LocksForm),
    responses((status = 200, description = "A page of closed periods.", body = List<ClosedPeriodView>)))]
pub(crate) async fn list(
    req: HttpRequest,
    api: web::Data<Api>,
    caller: Authenticated,
    Query(form): Query<LocksForm>,
) -> Result<HttpResponse, Problem> {
    let (holding, page) = (form.holding.value().unwrap_or(false), page(form.page, form.per_page)?);
    let found = api.usecases.closed_periods.list(caller.actor(), holding, page).await?;
    Ok(list_of(&req, found, ClosedPeriodView::new))
}

/// One closed period.
#[utoipa::path(get, path = "", tag = "planning",
    params(("lock_id" = String, Path, description = "A closed period.")),
    responses((status = 200, description = "The closed period.", body = ClosedPeriodView)))]
pub(crate) async fn get(
    api: web::Data<Api>,
    caller: Authenticated,
    PathId(id): PathId<ClosedPeriodId>,
) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok()
        .json(ClosedPeriodView::new(api.usecases.closed_periods.get(caller.actor(), id).await?)))
}

/// Closes everything up to a date: no punch, decision or plan of those dates is changed any more.
#[utoipa::path(post, path = "", tag = "planning", request_body = NewClosedPeriodForm,
    responses((status = 201, description = "Closed; `Location` names it.", body = ClosedPeriodView)))]
pub(crate) async fn close(
    api: web::Data<Api>,
    caller: Authenticated,
    Json(form): Json<NewClosedPeriodForm>,
) -> Result<HttpResponse, Problem> {
    let reason = form.reason.value()?;
    let period = api.usecases.closed_periods.close(caller.actor(), form.through.value()?, reason).await?;
    let by = caller.actor().user().map(|id| id.to_string());
    tracing::info!(period.id = %period.id, by, through = %period.through, "a period was closed");
    let location = (header::LOCATION, format!("/api/locks/{}", period.id));
    Ok(HttpResponse::Created().insert_header(location).json(ClosedPeriodView::new(period)))
}

/// Lifts a lock; what earlier locks close stays closed.
#[utoipa::path(post, path = "", tag = "planning", request_body = LiftForm,
    params(("lock_id" = String, Path, description = "A closed period.")),
    responses((status = 200, description = "The closed period as it is now.", body = ClosedPeriodView)))]
pub(crate) async fn lift(
    api: web::Data<Api>,
    caller: Authenticated,
    PathId(id): PathId<ClosedPeriodId>,
    Json(form): Json<LiftForm>,
) -> Result<HttpResponse, Problem> {
    let reason = form.reason.value()?;
    let period = api.usecases.closed_periods.lift(caller.actor(), id, reason).await?;
    let by = caller.actor().user().map(|id| id.to_string());
    tracing::info!(period.id = %period.id, by, through = %period.through, "a closed period was reopened");
    Ok(HttpResponse::Ok().json(ClosedPeriodView::new(period)))
}
