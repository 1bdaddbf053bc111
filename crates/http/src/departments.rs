//! `/api/admin/departments`

use actix_web::{HttpRequest, HttpResponse, web};
use rollcall_domain::access::Actor;
use rollcall_domain::calendar::Zone;
use rollcall_domain::department::{DepartmentName, DepartmentSummary};
use rollcall_domain::id::{DepartmentId, ShiftId};
use rollcall_usecases::departments::{DepartmentKey, DepartmentPatch, DepartmentQuery, NewDepartment};
use serde::Serialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::actor::{Authenticated, whom};
use crate::geofences::{GeofenceForm, fences};
use crate::input::{AnyWord, Change, Json, Line, Passage, PathId, Query, Seen, form, present};
use crate::naming::named;
use crate::options::Api;
use crate::paging::{List, list as list_of, page, sort};
use crate::preconditions::{self, IfMatch, created};
use crate::problem::Problem;
use crate::profile::utc;

pub(crate) const KEYS: [(&str, DepartmentKey); 2] =
    [("name", DepartmentKey::Name), ("headcount", DepartmentKey::Headcount)];

form! {
    query struct DepartmentsForm {
        /// Part of the name or code, whatever its case.
        q: Optional<AnyWord>,
        /// Also departments without active members; true unless said otherwise.
        include_empty: Optional<bool> as bool,
        ..paging,
        /// `name`, `headcount`.
        sort: Option<String>,
    }
}

form! {
    body struct NewDepartmentForm as NewDepartment {
        name: Required<DepartmentName>,
        code: Nullable<Line<64>>,
        description: Nullable<Passage<1000>>,
        /// Who answers for it: an id, or `me`.
        manager_id: Nullable<String>,
        parent_id: Nullable<DepartmentId>,
        /// IANA name.
        timezone: Nullable<Zone>,
        default_shift_id: Nullable<ShiftId>,
        /// Circles in which its members mark their own attendance, at most 20; none means anywhere. They are for its own
        /// members, not for those of departments that are part of it.
        #[validate(nested)]
        #[schema(max_items = 20)]
        geofences: Option<Vec<GeofenceForm>>,
    }
    const ALSO_NULLABLE: &'static [&'static str] = &["geofences/*/name"];
    const NOT_ALLOWED: &'static [&'static str] = SERVER_SIDE;
}

const SERVER_SIDE: &[&str] = &["id", "created_at", "headcount", "enrolled", "manager", "version"];

form! {
    /// A change of a department: absent members keep, `null` clears.
    change struct DepartmentUpdateForm as DepartmentUpdate {
        name: Optional<DepartmentName>,
        code: Clearable<Line<64>>,
        description: Clearable<Passage<1000>>,
        /// Who answers for it: an id, or `me`.
        #[serde(deserialize_with = "present")]
        #[schema(value_type = Option<String>)]
        manager_id: Option<Option<String>>,
        parent_id: Clearable<DepartmentId>,
        /// IANA name. Another one holds for its members from their today on.
        timezone: Clearable<Zone>,
        /// The shift of its members unless they have their own. Another one holds from their today on.
        default_shift_id: Clearable<ShiftId>,
        /// All of its geofences, at most 20; `[]` or `null` for none.
        #[serde(deserialize_with = "present")]
        #[validate(nested)]
        #[schema(value_type = Option<Vec<GeofenceForm>>, max_items = 20)]
        geofences: Option<Option<Vec<GeofenceForm>>>,
    }
    const ALSO_NULLABLE: &'static [&'static str] = &["geofences/*/name"];
    const NOT_ALLOWED: &'static [&'static str] = SERVER_SIDE;
    const COMPUTED: &'static [&'static str] = &["headcount", "enrolled"];
}

impl DepartmentUpdateForm {
    fn patch(self, actor: &Actor) -> Result<DepartmentPatch, Problem> {
        Ok(DepartmentPatch {
            name: self.name.value(),
            code: self.code.value(),
            description: self.description.value(),
            manager: self
                .manager_id
                .as_ref()
                .map(|id| whom("/manager_id", id.as_deref(), actor))
                .transpose()?,
            parent: self.parent_id.value(),
            timezone: self.timezone.value(),
            default_shift: self.default_shift_id.value(),
            geofences: self.geofences.map(|all| fences(&all.unwrap_or_default())).transpose()?,
        })
    }
}

/// A department.
#[derive(Serialize, ToSchema)]
#[schema(as = Department)]
pub(crate) struct DepartmentView {
    id: String,
    name: String,
    code: Option<String>,
    description: Option<String>,
    manager: Option<ManagerView>,
    parent_id: Option<String>,
    timezone: Option<String>,
    default_shift_id: Option<String>,
    /// Circles in which its members mark their own attendance; none means anywhere.
    geofences: Vec<GeofenceForm>,
    /// Active members.
    headcount: u32,
    /// Active members who can be recognized.
    enrolled: u32,
    #[schema(format = DateTime)]
    created_at: String,
    version: u32,
}

/// Who answers for a department.
#[derive(Serialize, ToSchema)]
#[schema(as = Manager)]
pub(crate) struct ManagerView {
    id: String,
    name: Option<String>,
}

impl DepartmentView {
    fn new(summary: DepartmentSummary) -> Self {
        let DepartmentSummary { department, manager_name, headcount, enrolled } = summary;
        Self {
            id: department.id.to_string(),
            name: department.name.as_str().to_owned(),
            code: department.code,
            description: department.description,
            manager: department.manager.map(|id| ManagerView { id: id.to_string(), name: manager_name }),
            parent_id: department.parent.map(|id| id.to_string()),
            timezone: department.timezone,
            default_shift_id: department.default_shift.map(|id| id.to_string()),
            geofences: department.geofences.iter().map(GeofenceForm::of).collect(),
            headcount,
            enrolled,
            created_at: utc(department.created_at),
            version: department.revision.0,
        }
    }
}

/// The departments you may see.
#[utoipa::path(get, path = "", tag = "admin", params(DepartmentsForm),
    responses((status = 200, description = "A page of departments.", body = List<DepartmentView>)))]
pub(crate) async fn list(
    req: HttpRequest,
    api: web::Data<Api>,
    caller: Authenticated,
    Query(form): Query<DepartmentsForm>,
) -> Result<HttpResponse, Problem> {
    let query = DepartmentQuery {
        include_empty: form.include_empty.value().unwrap_or(true),
        sort: sort(&form.sort, &KEYS)?,
        page: page(form.page, form.per_page)?,
        q: form.q.value().filter(|q| !q.is_empty()),
    };
    let found = api.usecases.departments.list(caller.actor(), query).await?;
    Ok(list_of(&req, found, DepartmentView::new))
}

/// Adds a department.
#[utoipa::path(post, path = "", tag = "admin", request_body = NewDepartmentForm,
    responses((status = 201, description = "Added; `Location` names it.", body = DepartmentView)))]
pub(crate) async fn create(
    api: web::Data<Api>,
    caller: Authenticated,
    Json(form): Json<NewDepartmentForm>,
) -> Result<HttpResponse, Problem> {
    let new = NewDepartment {
        name: form.name.value()?,
        code: form.code.value(),
        description: form.description.value(),
        manager: whom("/manager_id", form.manager_id.text(), caller.actor())?,
        parent: form.parent_id.value(),
        timezone: form.timezone.value(),
        default_shift: form.default_shift_id.value(),
        geofences: fences(&form.geofences.unwrap_or_default())?,
    };
    let added = api.usecases.departments.create(caller.actor(), new).await?;
    Ok(created(
        format!("/api/admin/departments/{}", added.department.id),
        added.department.revision,
        DepartmentView::new(added),
    ))
}

/// One department.
#[utoipa::path(get, path = "", tag = "admin",
    operation_id = "get_department",
    params(("department_id" = String, Path, description = "A department.")),
    responses((status = 200, description = "The department, with an `ETag`.", body = DepartmentView)))]
pub(crate) async fn get(
    api: web::Data<Api>,
    caller: Authenticated,
    PathId(id): PathId<DepartmentId>,
) -> Result<HttpResponse, Problem> {
    Ok(shown(api.usecases.departments.get(caller.actor(), id).await?))
}

/// Changes a department. A member that is sent as it is shown changes nothing.
#[utoipa::path(put, path = "", tag = "admin",
    operation_id = "update_department", request_body = DepartmentUpdateForm,
    params(("department_id" = String, Path, description = "A department."), IfMatch),
    responses((status = 200, description = "The department as it is now.", body = DepartmentView)))]
pub(crate) async fn update(
    api: web::Data<Api>,
    caller: Authenticated,
    PathId(id): PathId<DepartmentId>,
    IfMatch(revision): IfMatch,
    change: Change<DepartmentUpdateForm>,
) -> Result<HttpResponse, Problem> {
    let known = api.usecases.departments.get(caller.actor(), id).await?;
    let seen = Seen { revision, known: known.department.revision };
    let view = named(&api.usecases.directory, &DepartmentView::new(known)).await?;
    let form = change.of(&view, seen)?;
    Ok(shown(
        api.usecases.departments.update(caller.actor(), id, form.patch(caller.actor())?, revision).await?,
    ))
}

fn shown(summary: DepartmentSummary) -> HttpResponse {
    preconditions::shown(summary.department.revision, DepartmentView::new(summary))
}
