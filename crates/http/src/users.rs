//! `/api/users`

use actix_web::{HttpRequest, HttpResponse, web};
use rollcall_domain::access::Role;
use rollcall_domain::calendar::Zone;
use rollcall_domain::id::{DepartmentId, ShiftId};
use rollcall_domain::page::Paged;
use rollcall_domain::user::{EmailAddress, EmployeeCode, Password, PersonName, Status};
use rollcall_usecases::users::{NewUser, Profile};
use serde::Serialize;
use utoipa::ToSchema;

use crate::actor::{Authenticated, PathUser};
use crate::filters::Filters;
use crate::input::{Change, Json, Query, Seen, form};
use crate::naming::named;
use crate::options::Api;
use crate::paging::Pagination;
use crate::people::people_form;
use crate::preconditions::{self, IfMatch, created};
use crate::problem::Problem;
use crate::profile::UserView;
use crate::update::{SERVER_SIDE, UpdateForm};

people_form! {
    /// Which people are wanted.
    ListForm {}
}

form! {
    body struct NewUserForm as NewUser {
        name: Required<PersonName>,
        #[schema(format = "email")]
        email: Required<EmailAddress>,
        /// `employee` unless said otherwise.
        role: Optional<Role>,
        /// Without one the answer has an `invite_url`, with which the person chooses one.
        password: Optional<Password>,
        employee_code: Nullable<EmployeeCode>,
        department_id: Nullable<DepartmentId>,
        timezone: Nullable<Zone>,
        join_date: Nullable<Date>,
        default_shift_id: Nullable<ShiftId>,
        /// `active` unless said otherwise.
        status: Optional<Status>,
    }
    const NOT_ALLOWED: &'static [&'static str] = SERVER_SIDE;
}

impl NewUserForm {
    fn into_user(self) -> Result<NewUser, Problem> {
        Ok(NewUser {
            name: self.name.value()?,
            email: self.email.value()?,
            role: self.role.value().unwrap_or(Role::Employee),
            status: self.status.value().unwrap_or(Status::Active),
            password: self.password.value(),
            employee_code: self.employee_code.value(),
            department: self.department_id.value(),
            timezone: self.timezone.value(),
            join_date: self.join_date.value(),
            default_shift: self.default_shift_id.value(),
        })
    }
}

/// A person who was just added.
#[derive(Serialize, ToSchema)]
#[schema(as = AddedUser)]
pub(crate) struct AddedView {
    #[serde(flatten)]
    user: UserView,
    /// Where the person chooses a password, once; shown here and never again. What follows the `#` is the token for
    /// `POST /api/auth/invitation`.
    #[serde(skip_serializing_if = "Option::is_none")]
    invite_url: Option<String>,
}

/// The people you may see; who sees only themself also finds their profile in `profile`.
#[derive(Serialize, ToSchema)]
#[schema(as = UserList)]
pub(crate) struct ListView {
    data: Vec<UserView>,
    pagination: Pagination,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<UserView>,
}

/// The people you may see.
#[utoipa::path(get, path = "", tag = "users", params(ListForm),
    responses((status = 200, description = "A page of people.", body = ListView)))]
pub(crate) async fn list(
    req: HttpRequest,
    api: web::Data<Api>,
    caller: Authenticated,
    Query(form): Query<ListForm>,
) -> Result<HttpResponse, Problem> {
    let query = form.into_query(&api.options.zone)?;
    let filters = Filters { department: query.filter.department, ..Filters::default() };
    filters.check(&api.usecases.directory, caller.actor()).await?;
    let found: Paged<Profile> =
        api.usecases.users.list(caller.actor(), query).await.map_err(|error| filters.explain(error))?;
    let pagination = Pagination::of(&found);
    let mut people = found.items.into_iter();
    let only_self = caller.actor().role() == Role::Employee;
    let own = people.as_slice().first().filter(|_| only_self).cloned().map(|own| UserView::new(&api, own));
    let data = people.by_ref().map(|person| UserView::new(&api, person)).collect();
    Ok(pagination.answer(&req).json(ListView { data, pagination, profile: own }))
}

/// Adds a person.
#[utoipa::path(post, path = "", tag = "users", request_body = NewUserForm,
    responses((status = 201, description = "Added; `Location` names them.", body = AddedView)))]
pub(crate) async fn create(
    api: web::Data<Api>,
    caller: Authenticated,
    Json(form): Json<NewUserForm>,
) -> Result<HttpResponse, Problem> {
    let (new, users) = (form.into_user()?, &api.usecases.users);
    let (profile, token) = match new.password {
        Some(_) => (users.create(caller.actor(), new).await?, None),
        None => users.invite(caller.actor(), new).await.map(|(profile, token)| (profile, Some(token)))?,
    };
    // Behind a `#` it reaches no server's log.
    let invite_url = token.map(|token| format!("{}/invite#{token}", api.options.public_url));
    let (path, revision) = (format!("/api/users/{}", profile.user.id), profile.user.revision);
    Ok(created(path, revision, AddedView { user: UserView::new(&api, profile), invite_url }))
}

/// One person's profile.
#[utoipa::path(get, path = "", tag = "users",
    params(PathUser),
    responses((status = 200, description = "The profile, with an `ETag`.", body = UserView)))]
pub(crate) async fn get(
    api: web::Data<Api>,
    caller: Authenticated,
    PathUser(user): PathUser,
) -> Result<HttpResponse, Problem> {
    let profile = api.usecases.users.get(caller.actor(), user).await?;
    Ok(shown(&api, profile))
}

/// Changes a profile: absent members keep, `null` clears; all of the change or nothing. A member that is sent as it is
/// shown changes nothing, whoever may change it, so that a profile can be sent back as it was read.
#[utoipa::path(put, path = "", tag = "users", request_body = UpdateForm,
    params(PathUser, IfMatch),
    responses((status = 200, description = "The profile as it is now.", body = UserView)))]
pub(crate) async fn update(
    api: web::Data<Api>,
    caller: Authenticated,
    PathUser(user): PathUser,
    IfMatch(revision): IfMatch,
    change: Change<UpdateForm>,
) -> Result<HttpResponse, Problem> {
    let known = api.usecases.users.get(caller.actor(), user).await?;
    let seen = Seen { revision, known: known.user.revision };
    let view = named(&api.usecases.directory, &UserView::new(&api, known)).await?;
    let form = change.of(&view, seen)?;
    let profile = api.usecases.users.update(caller.actor(), user, form.into_patch()?, revision).await?;
    Ok(shown(&api, profile))
}

/// The same as `PUT`.
#[utoipa::path(patch, path = "", tag = "users", request_body = UpdateForm,
    params(PathUser, IfMatch),
    responses((status = 200, description = "The profile as it is now.", body = UserView)))]
pub(crate) async fn patch(
    api: web::Data<Api>,
    caller: Authenticated,
    who: PathUser,
    revision: IfMatch,
    form: Change<UpdateForm>,
) -> Result<HttpResponse, Problem> {
    update(api, caller, who, revision, form).await
}

fn shown(api: &Api, profile: Profile) -> HttpResponse {
    preconditions::shown(profile.user.revision, UserView::new(api, profile))
}
