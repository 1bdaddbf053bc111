//! `GET /api/attendance/today`

use actix_web::{HttpRequest, HttpResponse, web};
use rollcall_domain::access::Role;
use rollcall_domain::attendance::DayStatus;
use rollcall_domain::calendar::Zone;
use rollcall_domain::id::DepartmentId;
use rollcall_domain::statistics::Totals;
use rollcall_domain::user::RosterEntry;
use rollcall_usecases::today::{TodayQuery, TodayStatus};
use serde::Serialize;
use utoipa::ToSchema;

use crate::actor::Authenticated;
use crate::attendance_view::{RecordView, local};
use crate::filters::Filters;
use crate::input::{PageNumber, PageSize, Query, form, only_word};
use crate::options::Api;
use crate::paging::{Pagination, page};
use crate::problem::Problem;
use crate::profile::{DepartmentRefView, day};

form! {
    query struct TodayForm {
        /// This date instead of each person's today.
        date: Optional<Date>,
        /// The time zone in which the answer names its date; people are judged in their own.
        timezone: Optional<Zone>,
        /// Only this department.
        department_id: Optional<DepartmentId>,
        /// Only people of this status in the list; the totals count everybody.
        status: Optional<DayStatus>,
        /// `records` to see people one by one.
        include: Optional<Records>,
        /// Page of the list, from 1.
        #[param(minimum = 1)]
        page: Optional<PageNumber> as u32,
        /// Entries of a page; 20 unless asked otherwise.
        #[param(minimum = 1, maximum = 100)]
        per_page: Optional<PageSize> as u32,
    }
}

only_word! {
    /// What the answer can include.
    Records = "records";
}

/// Who is in.
#[derive(Serialize, ToSchema)]
#[schema(as = Today)]
pub(crate) struct TodayView {
    #[schema(format = Date)]
    date: String,
    timezone: String,
    /// The instant for which this is true.
    #[schema(format = DateTime)]
    as_of: String,
    /// About whom: `self`, `departments` or `all`.
    scope: &'static str,
    totals: TotalsView,
    /// People without a department come last, under `null`.
    by_department: Vec<DepartmentTotalsView>,
    /// People one by one, by name; where they are included, and always about oneself.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Vec<StandingView>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pagination: Option<Pagination>,
}

/// How many people stand where. `expected` is the sum of the six after it.
#[derive(Serialize, ToSchema)]
#[schema(as = Totals)]
pub(crate) struct TotalsView {
    expected: u32,
    pending: u32,
    present: u32,
    late: u32,
    half_day: u32,
    absent: u32,
    on_leave: u32,
    holiday: u32,
    day_off: u32,
    off_day_worked: u32,
    checked_in_now: u32,
    checked_out: u32,
}

/// The same of one department.
#[derive(Serialize, ToSchema)]
#[schema(as = DepartmentTotals)]
pub(crate) struct DepartmentTotalsView {
    department: Option<DepartmentRefView>,
    #[serde(flatten)]
    totals: TotalsView,
}

/// Where one person stands.
#[derive(Serialize, ToSchema)]
#[schema(as = Standing)]
pub(crate) struct StandingView {
    user: PersonView,
    status: &'static str,
    /// The day itself.
    record: RecordView,
}

/// A person, as far as a list of attendance shows them.
#[derive(Serialize, ToSchema)]
#[schema(as = Person)]
pub(crate) struct PersonView {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) employee_code: Option<String>,
    pub(crate) department: Option<DepartmentRefView>,
}

impl TotalsView {
    pub(crate) const fn new(totals: &Totals) -> Self {
        let Totals { expected, pending, present, late, half_day, absent, on_leave, .. } = *totals;
        let Totals { holiday, day_off, off_day_worked, checked_in_now, checked_out, .. } = *totals;
        Self {
            expected,
            pending,
            present,
            late,
            half_day,
            absent,
            on_leave,
            holiday,
            day_off,
            off_day_worked,
            checked_in_now,
            checked_out,
        }
    }
}

impl StandingView {
    fn new(standing: &TodayStatus) -> Self {
        let record = RecordView::new(&standing.day, false);
        Self { user: PersonView::new(&standing.person), status: standing.status.name(), record }
    }
}

impl PersonView {
    pub(crate) fn new(person: &RosterEntry) -> Self {
        Self {
            id: person.user.to_string(),
            name: person.name.as_str().to_owned(),
            employee_code: person.employee_code.as_ref().map(|code| code.as_str().to_owned()),
            department: person.department.as_ref().map(DepartmentRefView::new),
        }
    }
}

/// Who is in today, as far as you may see.
#[utoipa::path(get, path = "", tag = "attendance", params(TodayForm),
    responses((status = 200, description = "Totals, and people if they are included.", body = TodayView)))]
pub(crate) async fn today(
    req: HttpRequest,
    api: web::Data<Api>,
    caller: Authenticated,
    Query(form): Query<TodayForm>,
) -> Result<HttpResponse, Problem> {
    let query = TodayQuery {
        date: form.date.value(),
        zone: form.timezone.value(),
        department: form.department_id.value(),
        status: form.status.value(),
        page: page(form.page, form.per_page)?,
    };
    let filters = Filters { department: query.department, ..Filters::default() };
    filters.check(&api.usecases.directory, caller.actor()).await?;
    let today =
        api.usecases.today.list(caller.actor(), query).await.map_err(|error| filters.explain(error))?;
    let scope = match caller.actor().role() {
        _ if today.only_self => "self",
        Role::Admin => "all",
        Role::Manager | Role::Employee | Role::Device => "departments",
    };
    let departments = today.by_department.iter().map(|(department, totals)| DepartmentTotalsView {
        department: department.as_ref().map(DepartmentRefView::new),
        totals: TotalsView::new(totals),
    });
    let listed = form.include.is_some() || today.only_self;
    let pagination = Pagination::of(&today.people);
    let mut answer = if listed { pagination.answer(&req) } else { HttpResponse::Ok() };
    Ok(answer.json(TodayView {
        date: day(today.date),
        as_of: local(&today.zone, today.as_of),
        timezone: today.zone.name().to_owned(),
        scope,
        totals: TotalsView::new(&today.totals),
        by_department: departments.collect(),
        data: listed.then(|| today.people.items.iter().map(StandingView::new).collect()),
        pagination: listed.then_some(pagination),
    }))
}
