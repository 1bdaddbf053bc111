//! `/api/locks`

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::civil::Date;
use rollcall_domain::id::LockId;
use rollcall_domain::lock::Lock;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::actor::Asker;
use crate::input::{Form, Json, Named, PageNumber, PageSize, Passage, Query, is, needed, word};
use crate::options::Api;
use crate::paging::{List, list as list_of, page};
use crate::problem::Problem;
use crate::profile::utc;

#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LocksForm {
    /// Only locks that were not lifted; false unless said otherwise.
    #[validate(custom(function = "is::<bool>"))]
    #[param(value_type = Option<bool>)]
    holding: Option<String>,
    /// Page, from 1.
    #[validate(custom(function = "is::<PageNumber>"))]
    #[param(value_type = Option<u32>, minimum = 1)]
    page: Option<String>,
    /// Entries of a page; 20 unless asked otherwise.
    #[validate(custom(function = "is::<PageSize>"))]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    per_page: Option<String>,
}

impl Form for LocksForm {}

/// A period to be closed.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = NewLock)]
pub(crate) struct NewLockForm {
    /// The last date that is closed; before today.
    #[validate(required, custom(function = "is::<Date>"))]
    #[schema(value_type = String, format = Date, required = true)]
    through: Option<String>,
    /// Why; at least five characters.
    #[validate(required, custom(function = "is::<Passage<500>>"))]
    #[schema(value_type = String, required = true, min_length = 5)]
    reason: Option<String>,
}

impl Form for NewLockForm {
    const NOT_ALLOWED: &'static [&'static str] =
        &["id", "locked_by", "locked_at", "lifted_by", "lifted_at", "lift_reason"];
}

/// Why a period is opened again.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = LockLift)]
pub(crate) struct LiftForm {
    /// Why; at least five characters.
    #[validate(required, custom(function = "is::<Passage<500>>"))]
    #[schema(value_type = String, required = true, min_length = 5)]
    reason: Option<String>,
}

impl Form for LiftForm {}

/// A closed period.
#[derive(Serialize, ToSchema)]
#[schema(as = Lock)]
pub(crate) struct LockView {
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

impl LockView {
    fn new(lock: Lock) -> Self {
        let lifted = lock.lifted;
        Self {
            id: lock.id.to_string(),
            through: lock.through.to_string(),
            reason: lock.reason,
            locked_by: lock.by.map(|id| id.to_string()),
            locked_at: utc(lock.at),
            lifted_by: lifted.as_ref().and_then(|lifted| lifted.by).map(|id| id.to_string()),
            lifted_at: lifted.as_ref().map(|lifted| utc(lifted.at)),
            lift_reason: lifted.map(|lifted| lifted.reason),
        }
    }
}

/// Closed periods, latest first.
#[utoipa::path(get, path = "", tag = "planning", params(LocksForm),
    responses((status = 200, description = "A page of locks.", body = List<LockView>)))]
pub(crate) async fn list(
    req: HttpRequest,
    api: web::Data<Api>,
    asker: Asker,
    Query(form): Query<LocksForm>,
) -> Result<HttpResponse, Problem> {
    let (holding, page) = (word(&form.holding)?.unwrap_or(false), page(&form.page, &form.per_page)?);
    let found = api.usecases.locks.list(asker.actor(), holding, page).await?;
    Ok(list_of(&req, found, LockView::new))
}

/// One closed period.
#[utoipa::path(get, path = "", tag = "planning",
    params(("lock_id" = String, Path, description = "A lock.")),
    responses((status = 200, description = "The lock.", body = LockView)))]
pub(crate) async fn get(
    api: web::Data<Api>,
    asker: Asker,
    Named(id): Named<LockId>,
) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(LockView::new(api.usecases.locks.get(asker.actor(), id).await?)))
}

/// Closes everything up to a date: no punch, decision or plan of those dates is changed any more.
#[utoipa::path(post, path = "", tag = "planning", request_body = NewLockForm,
    responses((status = 201, description = "Closed; `Location` names the lock.", body = LockView)))]
pub(crate) async fn close(
    api: web::Data<Api>,
    asker: Asker,
    Json(form): Json<NewLockForm>,
) -> Result<HttpResponse, Problem> {
    let Passage(reason) = needed::<Passage<500>>(&form.reason)?;
    let lock = api.usecases.locks.close(asker.actor(), needed(&form.through)?, reason).await?;
    let by = asker.actor().user().map(|id| id.to_string());
    tracing::info!(lock.id = %lock.id, by, through = %lock.through, "a period was closed");
    let location = (header::LOCATION, format!("/api/locks/{}", lock.id));
    Ok(HttpResponse::Created().insert_header(location).json(LockView::new(lock)))
}

/// Lifts a lock; what earlier locks close stays closed.
#[utoipa::path(post, path = "", tag = "planning", request_body = LiftForm,
    params(("lock_id" = String, Path, description = "A lock.")),
    responses((status = 200, description = "The lock as it is now.", body = LockView)))]
pub(crate) async fn lift(
    api: web::Data<Api>,
    asker: Asker,
    Named(id): Named<LockId>,
    Json(form): Json<LiftForm>,
) -> Result<HttpResponse, Problem> {
    let Passage(reason) = needed::<Passage<500>>(&form.reason)?;
    let lock = api.usecases.locks.lift(asker.actor(), id, reason).await?;
    let by = asker.actor().user().map(|id| id.to_string());
    tracing::info!(lock.id = %lock.id, by, through = %lock.through, "a lock was lifted");
    Ok(HttpResponse::Ok().json(LockView::new(lock)))
}
