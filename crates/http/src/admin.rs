//! `/api/admin/users`

use actix_web::{HttpRequest, HttpResponse, web};
use rollcall_domain::calendar::Zone;
use rollcall_domain::text::MIN_REASON;
use rollcall_domain::user::Status;
use rollcall_usecases::users::{Account, UserQuery};
use serde::Serialize;
use utoipa::ToSchema;

use crate::actor::{Authenticated, PathUser};
use crate::filters::Filters;
use crate::input::{Json, Passage, Query, Required, form};
use crate::options::Api;
use crate::paging::{List, list};
use crate::people::people_form;
use crate::preconditions::{self, IfMatch};
use crate::problem::Problem;
use crate::profile::{UserView, utc};

people_form! {
    /// Which people are wanted, by administrators.
    AdminUsersForm {
        /// Only people who never logged in, or only those who did.
        never_logged_in: Optional<bool> as bool,
        /// Also people who were removed.
        include_deleted: Optional<bool> as bool,
    }
}

impl AdminUsersForm {
    fn into_admin_query(mut self, zone: &Zone) -> Result<UserQuery, Problem> {
        let include_deleted = std::mem::take(&mut self.include_deleted).value().unwrap_or(false);
        let never_logged_in = std::mem::take(&mut self.never_logged_in).value();
        let mut query = self.into_query(zone)?;
        (query.filter.include_deleted, query.filter.never_logged_in) = (include_deleted, never_logged_in);
        Ok(query)
    }
}

form! {
    body struct StatusForm as StatusChange {
        /// `active`, `inactive`, `suspended` or `pending`.
        status: Required<Status>,
        /// Why, at least 5 characters; administrators see it in their list of people.
        #[validate(custom(function = "reasoned"))]
        reason: Required<Passage<500>>,
    }
}

fn reasoned(reason: &Required<Passage<500>>) -> Result<(), validator::ValidationError> {
    if reason.text().is_none_or(|text| text.trim().chars().count() >= MIN_REASON) {
        return Ok(());
    }
    let detail = format!("must have at least {MIN_REASON} characters");
    Err(validator::ValidationError::new("too-short").with_message(detail.into()))
}

/// A person, as administrators see them.
#[derive(Serialize, ToSchema)]
#[schema(as = AdminUser)]
pub(crate) struct AdminUserView {
    #[serde(flatten)]
    user: UserView,
    /// Failed logins with their address since the last success.
    failed_logins: u32,
    /// Until when no password with their address is looked at.
    #[schema(format = DateTime)]
    locked_until: Option<String>,
    /// Logins that have not ended.
    sessions: u32,
    /// Why their status was last changed, if that was told.
    status_reason: Option<String>,
    /// Who changed it; nobody, if it was done on the machine itself.
    status_changed_by: Option<String>,
    #[schema(format = DateTime)]
    status_changed_at: Option<String>,
    #[schema(format = DateTime)]
    deleted_at: Option<String>,
}

impl AdminUserView {
    fn new(api: &Api, account: Account) -> Self {
        let Account { mut profile, failed_logins, locked_until, sessions } = account;
        let standing = profile.user.standing.take();
        Self {
            failed_logins,
            locked_until: locked_until.map(utc),
            sessions,
            status_changed_by: standing.as_ref().and_then(|change| change.by).map(|id| id.to_string()),
            status_changed_at: standing.as_ref().map(|change| utc(change.at)),
            status_reason: standing.and_then(|change| change.reason),
            deleted_at: profile.user.deleted_at.map(utc),
            user: UserView::new(api, profile),
        }
    }
}

/// Everybody, as administrators see them.
#[utoipa::path(get, path = "", tag = "admin", params(AdminUsersForm),
    responses((status = 200, description = "A page of people.", body = List<AdminUserView>)))]
pub(crate) async fn users(
    req: HttpRequest,
    api: web::Data<Api>,
    caller: Authenticated,
    Query(form): Query<AdminUsersForm>,
) -> Result<HttpResponse, Problem> {
    let query = form.into_admin_query(&api.options.zone)?;
    let filters = Filters { department: query.filter.department, ..Filters::default() };
    filters.check(&api.usecases.directory, caller.actor()).await?;
    let found = api.usecases.users.list_for_admin(caller.actor(), query).await?;
    Ok(list(&req, found, |account| AdminUserView::new(&api, account)))
}

/// Sets a person's status. Anything but `active` ends their logins and the recognition of their face before this call returns.
#[utoipa::path(put, path = "", tag = "admin", request_body = StatusForm,
    params(PathUser, IfMatch),
    responses((status = 200, description = "The profile as it is now.", body = UserView)))]
pub(crate) async fn set_status(
    api: web::Data<Api>,
    caller: Authenticated,
    PathUser(user): PathUser,
    IfMatch(revision): IfMatch,
    Json(form): Json<StatusForm>,
) -> Result<HttpResponse, Problem> {
    let status: Status = form.status.value()?;
    let reason = form.reason.value()?;
    let profile = api.usecases.users.set_status(caller.actor(), user, status, Some(reason), revision).await?;
    let by = caller.actor().user().map(|id| id.to_string());
    tracing::info!(user.id = %user, by, status = status.name(), "a person's status was set");
    Ok(preconditions::shown(profile.user.revision, UserView::new(&api, profile)))
}
