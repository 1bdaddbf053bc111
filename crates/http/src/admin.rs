//! `/api/admin/users`

use actix_web::{HttpRequest, HttpResponse, web};
use jiff::civil::Date;
use rollcall_domain::access::Role;
use rollcall_domain::calendar::Zone;
use rollcall_domain::id::DepartmentId;
use rollcall_domain::user::{Status, UserFilter};
use rollcall_usecases::attendance::MIN_REASON;
use rollcall_usecases::users::{Profile, UserQuery};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::actor::{Asker, Who};
use crate::input::{AnyStatus, AnyWord, Form, Json, Line, PageNumber, PageSize, Query, is, needed, word};
use crate::options::Api;
use crate::paging::{List, list, page, sort};
use crate::preconditions::etag;
use crate::problem::Problem;
use crate::profile::{UserView, utc};
use crate::users::{KEYS, between};

#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AdminUsersForm {
    /// Part of the name, address or employee code, whatever its case.
    #[validate(custom(function = "is::<AnyWord>"))]
    q: Option<String>,
    /// `admin`, `manager` or `employee`.
    #[validate(custom(function = "is::<Role>"))]
    role: Option<String>,
    /// `active`, `inactive`, `suspended`, `pending`, or `deleted` together with `include_deleted`.
    #[validate(custom(function = "is::<AnyStatus>"))]
    status: Option<String>,
    /// Only this department.
    #[validate(custom(function = "is::<DepartmentId>"))]
    department_id: Option<String>,
    /// Only people who can be recognized, or only the others.
    #[validate(custom(function = "is::<bool>"))]
    #[param(value_type = Option<bool>)]
    enrolled: Option<String>,
    /// Added on this date or later.
    #[validate(custom(function = "is::<Date>"))]
    #[param(format = Date)]
    created_from: Option<String>,
    /// Added on this date or before.
    #[validate(custom(function = "is::<Date>"))]
    #[param(format = Date)]
    created_to: Option<String>,
    /// Only people who never logged in, or only those who did.
    #[validate(custom(function = "is::<bool>"))]
    #[param(value_type = Option<bool>)]
    never_logged_in: Option<String>,
    /// Also people who were removed.
    #[validate(custom(function = "is::<bool>"))]
    #[param(value_type = Option<bool>)]
    include_deleted: Option<String>,
    /// Page, from 1.
    #[validate(custom(function = "is::<PageNumber>"))]
    #[param(value_type = Option<u32>, minimum = 1)]
    page: Option<String>,
    /// Entries of a page; 20 unless asked otherwise.
    #[validate(custom(function = "is::<PageSize>"))]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    per_page: Option<String>,
    /// Keys separated by commas, `-` before those that descend: `name`, `email`, `employee_code`, `created_at`,
    /// `last_login_at`.
    sort: Option<String>,
}

impl Form for AdminUsersForm {}

impl AdminUsersForm {
    fn into_query(self, zone: &Zone) -> Result<UserQuery, Problem> {
        let (created_from, created_before) = between(zone, &self.created_from, &self.created_to)?;
        let filter = UserFilter {
            q: self.q.filter(|q| !q.is_empty()),
            role: word(&self.role)?,
            status: word::<AnyStatus>(&self.status)?.map(|status| status.0),
            department: word(&self.department_id)?,
            enrolled: None,
            created_from,
            created_before,
            include_deleted: word(&self.include_deleted)?.unwrap_or(false),
            never_logged_in: word(&self.never_logged_in)?,
        };
        let (enrolled, sort) = (word(&self.enrolled)?, sort(&self.sort, &KEYS)?);
        Ok(UserQuery { filter, enrolled, sort, page: page(&self.page, &self.per_page)? })
    }
}

#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = StatusChange)]
pub(crate) struct StatusForm {
    /// `active`, `inactive`, `suspended` or `pending`.
    #[validate(required, custom(function = "is::<Status>"))]
    #[schema(value_type = String, required = true)]
    status: Option<String>,
    /// Why, at least 5 characters.
    #[validate(required, custom(function = "is::<Line<500>>"), custom(function = "reasoned"))]
    #[schema(value_type = String, required = true)]
    reason: Option<String>,
}

fn reasoned(reason: &str) -> Result<(), validator::ValidationError> {
    if reason.trim().chars().count() >= MIN_REASON {
        return Ok(());
    }
    let told = format!("must have at least {MIN_REASON} characters");
    Err(validator::ValidationError::new("too-short").with_message(told.into()))
}

impl Form for StatusForm {}

/// A person, as administrators see them.
#[derive(Serialize, ToSchema)]
#[schema(as = AdminUser)]
pub(crate) struct AdminUserView {
    #[serde(flatten)]
    user: UserView,
    /// Not counted yet.
    failed_logins: Option<u32>,
    /// Not known yet.
    #[schema(format = DateTime)]
    locked_until: Option<String>,
    /// Not counted yet.
    sessions: Option<u32>,
    #[schema(format = DateTime)]
    deleted_at: Option<String>,
}

impl AdminUserView {
    fn new(api: &Api, profile: Profile) -> Self {
        let deleted_at = profile.user.deleted_at.map(utc);
        let user = UserView::new(api, profile);
        Self { user, failed_logins: None, locked_until: None, sessions: None, deleted_at }
    }
}

/// Everybody, as administrators see them.
#[utoipa::path(get, path = "/api/admin/users", tag = "admin", params(AdminUsersForm),
    responses((status = 200, description = "A page of people.", body = List<AdminUserView>)))]
pub(crate) async fn users(
    req: HttpRequest,
    api: web::Data<Api>,
    asker: Asker,
    Query(form): Query<AdminUsersForm>,
) -> Result<HttpResponse, Problem> {
    let query = form.into_query(&api.options.zone)?;
    let found = api.usecases.users.list_for_admin(asker.actor(), query).await?;
    Ok(list(&req, found, |profile| AdminUserView::new(&api, profile)))
}

/// Lets a person take part, or not. Who does not has no login and matches nobody before the answer.
#[utoipa::path(put, path = "/api/admin/users/{user_id}/status", tag = "admin", request_body = StatusForm,
    params(("user_id" = String, Path, description = "An id, or `me`.")),
    responses((status = 200, description = "The profile as it is now.", body = UserView)))]
pub(crate) async fn set_status(
    api: web::Data<Api>,
    asker: Asker,
    Who(user): Who,
    Json(form): Json<StatusForm>,
) -> Result<HttpResponse, Problem> {
    let status: Status = needed(&form.status)?;
    let profile = api.usecases.users.set_status(asker.actor(), user, status).await?;
    let by = asker.actor().user().map(|id| id.to_string());
    tracing::info!(user.id = %user, by, status = status.name(), "a person's status was set");
    Ok(HttpResponse::Ok().insert_header(etag(profile.user.revision)).json(UserView::new(&api, profile)))
}
