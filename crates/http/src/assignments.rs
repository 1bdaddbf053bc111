//! `/api/shift-assignments`

use actix_web::{HttpRequest, HttpResponse, web};
use rollcall_domain::assignment::StoredAssignment;
use rollcall_domain::id::{AssignmentId, DepartmentId, ShiftId};
use rollcall_domain::lint::Finding;
use rollcall_domain::plan::AssignmentTarget;
use rollcall_usecases::assignments::{AssignmentKey, AssignmentPatch, AssignmentQuery, NewAssignment};
use serde::Serialize;
use utoipa::ToSchema;

use crate::actor::{Authenticated, whom};
use crate::filters::{Filters, person};
use crate::input::{AnyWord, Change, Json, PathId, Query, Seen, form};
use crate::naming::named;
use crate::options::Api;
use crate::paging::{List, list as list_of, page, sort};
use crate::preconditions::{self, IfMatch, created};
use crate::problem::Problem;
use crate::profile::utc;
use crate::shifts::FindingView;

pub(crate) const KEYS: [(&str, AssignmentKey); 2] =
    [("from", AssignmentKey::From), ("created_at", AssignmentKey::CreatedAt)];

form! {
    query struct AssignmentsForm {
        /// Given to this person: an id, or `me`.
        user_id: Optional<AnyWord>,
        /// Given to this department.
        department_id: Optional<DepartmentId>,
        /// Of this shift.
        shift_id: Optional<ShiftId>,
        /// That hold on this date.
        on: Optional<Date>,
        ..paging,
        /// `from`, `created_at`.
        sort: Option<String>,
    }
}

const SERVER_SIDE: &[&str] = &["id", "created_by", "created_at", "version"];

form! {
    /// A shift to be given to a person, to a department, or, without either, to everybody.
    body struct NewAssignmentForm as NewShiftAssignment {
        shift_id: Required<ShiftId>,
        /// An id, or `me`.
        user_id: Nullable<String>,
        department_id: Nullable<DepartmentId>,
        /// First date on which it can begin.
        from: Required<Date>,
        /// Last date on which it can begin; for good without one.
        to: Nullable<Date>,
    }
    const NOT_ALLOWED: &'static [&'static str] = SERVER_SIDE;
}

form! {
    /// A change of which shift is given and when: absent members keep, `null` clears.
    change struct AssignmentUpdateForm as ShiftAssignmentUpdate {
        shift_id: Optional<ShiftId>,
        from: Optional<Date>,
        to: Clearable<Date>,
    }
    const NOT_ALLOWED: &'static [&'static str] =
        &["id", "user_id", "department_id", "created_by", "created_at", "version"];
    const COMPUTED: &'static [&'static str] = &["warnings"];
}

/// A shift that was given to a person, to a department, or to everybody.
#[derive(Serialize, ToSchema)]
#[schema(as = ShiftAssignment)]
pub(crate) struct AssignmentView {
    id: String,
    shift_id: String,
    user_id: Option<String>,
    department_id: Option<String>,
    #[schema(format = Date)]
    from: Option<String>,
    #[schema(format = Date)]
    to: Option<String>,
    created_by: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    version: u32,
    /// Where it was just given or changed: the shifts, or windows of shifts, that it makes overlap in
    /// its first four weeks, as the linter tells them. Empty elsewhere.
    warnings: Vec<FindingView>,
}

impl AssignmentView {
    fn new(assignment: StoredAssignment) -> Self {
        Self::warned(assignment, Vec::new())
    }

    fn warned(assignment: StoredAssignment, warnings: Vec<Finding>) -> Self {
        let given = assignment.given;
        let (user, department) = match given.target {
            AssignmentTarget::Everybody => (None, None),
            AssignmentTarget::Department(department) => (None, Some(department)),
            AssignmentTarget::Person(user) => (Some(user), None),
        };
        Self {
            id: assignment.id.to_string(),
            shift_id: given.shift.to_string(),
            user_id: user.map(|id| id.to_string()),
            department_id: department.map(|id| id.to_string()),
            from: given.from.map(|date| date.to_string()),
            to: given.to.map(|date| date.to_string()),
            created_by: assignment.by.map(|id| id.to_string()),
            created_at: utc(assignment.created_at),
            version: assignment.revision.0,
            warnings: warnings.into_iter().map(FindingView::new).collect(),
        }
    }
}

/// The shifts that were given to you and those you answer for.
#[utoipa::path(get, path = "", tag = "planning", params(AssignmentsForm),
    responses((status = 200, description = "A page of assignments.", body = List<AssignmentView>)))]
pub(crate) async fn list(
    req: HttpRequest,
    api: web::Data<Api>,
    caller: Authenticated,
    Query(form): Query<AssignmentsForm>,
) -> Result<HttpResponse, Problem> {
    let query = AssignmentQuery {
        user: person("user_id", form.user_id.text(), caller.actor())?,
        department: form.department_id.value(),
        shift: form.shift_id.value(),
        on: form.on.value(),
        sort: sort(&form.sort, &KEYS)?,
        page: page(form.page, form.per_page)?,
    };
    let filters =
        Filters { user: query.user, department: query.department, shift: query.shift, ..Filters::default() };
    filters.check(&api.usecases.directory, caller.actor()).await?;
    let found =
        api.usecases.assignments.list(caller.actor(), query).await.map_err(|error| filters.explain(error))?;
    Ok(list_of(&req, found, AssignmentView::new))
}

/// Gives a shift. What is nearer to a person wins: their own before their department's before everybody's.
#[utoipa::path(post, path = "", tag = "planning", request_body = NewAssignmentForm,
    responses((status = 201, description = "Given; `Location` names it.", body = AssignmentView)))]
pub(crate) async fn create(
    api: web::Data<Api>,
    caller: Authenticated,
    Json(form): Json<NewAssignmentForm>,
) -> Result<HttpResponse, Problem> {
    let to_whom = match (whom("/user_id", form.user_id.text(), caller.actor())?, form.department_id.value()) {
        (None, None) => AssignmentTarget::Everybody,
        (None, Some(department)) => AssignmentTarget::Department(department),
        (Some(user), None) => AssignmentTarget::Person(user),
        (Some(_), Some(_)) => {
            let detail = "is either for a person or for a department";
            return Err(Problem::invalid_field("/department_id", "not-both", detail));
        }
    };
    let new = NewAssignment {
        shift: form.shift_id.value()?,
        target: to_whom,
        from: form.from.value()?,
        to: form.to.value(),
    };
    let given = api.usecases.assignments.create(caller.actor(), new).await?;
    let warnings = warnings(&api, &given).await;
    Ok(created(
        format!("/api/shift-assignments/{}", given.id),
        given.revision,
        AssignmentView::warned(given, warnings),
    ))
}

/// One assignment.
#[utoipa::path(get, path = "", tag = "planning",
    params(("assignment_id" = String, Path, description = "An assignment.")),
    responses((status = 200, description = "The assignment, with an `ETag`.", body = AssignmentView)))]
pub(crate) async fn get(
    api: web::Data<Api>,
    caller: Authenticated,
    PathId(id): PathId<AssignmentId>,
) -> Result<HttpResponse, Problem> {
    Ok(shown(api.usecases.assignments.get(caller.actor(), id).await?))
}

/// Changes which shift is given and when. Only administrators change what has been. A member that is sent as it is shown
/// changes nothing.
#[utoipa::path(put, path = "", tag = "planning",
    request_body = AssignmentUpdateForm,
    params(("assignment_id" = String, Path, description = "An assignment."), IfMatch),
    responses((status = 200, description = "The assignment as it is now.", body = AssignmentView)))]
pub(crate) async fn update(
    api: web::Data<Api>,
    caller: Authenticated,
    PathId(id): PathId<AssignmentId>,
    IfMatch(revision): IfMatch,
    change: Change<AssignmentUpdateForm>,
) -> Result<HttpResponse, Problem> {
    let known = api.usecases.assignments.get(caller.actor(), id).await?;
    let seen = Seen { revision, known: known.revision };
    let view = named(&api.usecases.directory, &AssignmentView::new(known)).await?;
    let form = change.of(&view, seen)?;
    let patch =
        AssignmentPatch { shift: form.shift_id.value(), from: form.from.value(), to: form.to.value() };
    let changed = api.usecases.assignments.update(caller.actor(), id, patch, revision).await?;
    let warnings = warnings(&api, &changed).await;
    Ok(preconditions::shown(changed.revision, AssignmentView::warned(changed, warnings)))
}

/// Takes a shift back for all its dates; to let it end, give it a last date instead.
#[utoipa::path(delete, path = "", tag = "planning",
    params(("assignment_id" = String, Path, description = "An assignment."), IfMatch),
    responses((status = 204, description = "Taken back.")))]
pub(crate) async fn remove(
    api: web::Data<Api>,
    caller: Authenticated,
    PathId(id): PathId<AssignmentId>,
    IfMatch(revision): IfMatch,
) -> Result<HttpResponse, Problem> {
    api.usecases.assignments.remove(caller.actor(), id, revision).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// What is to be said of an assignment that is stored: it is answered even if that cannot be found out.
async fn warnings(api: &Api, stored: &StoredAssignment) -> Vec<Finding> {
    api.usecases.assignments.warnings(&stored.given).await.unwrap_or_else(|error| {
        Problem::from(error).log("an assignment was answered without its warnings");
        Vec::new()
    })
}

fn shown(assignment: StoredAssignment) -> HttpResponse {
    preconditions::shown(assignment.revision, AssignmentView::new(assignment))
}
