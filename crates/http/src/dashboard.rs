//! `GET /api/statistics/dashboard`

use actix_web::{HttpResponse, web};
use rollcall_domain::access::Role;
use rollcall_domain::id::DepartmentId;
use rollcall_usecases::dashboard::{Dashboard, DashboardQuery, Devices, Searches, UserCounts};
use serde::Serialize;
use utoipa::ToSchema;

use crate::actor::Authenticated;
use crate::attendance_view::local;
use crate::filters::Filters;
use crate::input::{Parse, Query, form, one_of};
use crate::options::Api;
use crate::problem::Problem;
use crate::profile::day;
use crate::statistics::share;
use crate::today::TotalsView;

form! {
    query struct DashboardForm {
        /// This date instead of today.
        date: Optional<Date>,
        /// How many dates up to it are looked at: 7 (unless asked otherwise), 30 or 90.
        days: Optional<Length> as u32,
        /// Only this department.
        department_id: Optional<DepartmentId>,
    }
}

/// A number of dates.
struct Length;

impl Parse for Length {
    type Value = i32;
    const CODE: &'static str = "unknown-value";

    fn read(text: &str) -> Result<i32, String> {
        one_of(text, &["7", "30", "90"], |name| name)?.parse().map_err(|_| String::new())
    }
}

/// How things are.
#[derive(Serialize, ToSchema)]
#[schema(as = Dashboard)]
pub(crate) struct DashboardView {
    /// About whom: `self`, `departments` or `all`.
    scope: &'static str,
    /// The instant for which this is true.
    #[schema(format = DateTime)]
    as_of: String,
    /// The organization's.
    timezone: String,
    #[schema(format = Date)]
    date: String,
    users: CensusView,
    today: TotalsView,
    week: WeekView,
    /// Searches of the dates, of the whole organization; `null` for everybody but administrators.
    recognition: Option<SearchesView>,
    /// Of the whole organization; `null` for everybody but administrators.
    devices: Option<DevicesView>,
    /// Requests for corrections that wait for an answer.
    open_corrections: u64,
    /// Nothing yet.
    #[schema(value_type = Vec<Object>)]
    alerts: [(); 0],
}

/// People, except removed ones. `active` is the sum of the three after it.
#[derive(Serialize, ToSchema)]
#[schema(as = Census)]
pub(crate) struct CensusView {
    total: u32,
    active: u32,
    /// Can be recognized.
    enrolled: u32,
    /// Agreed to be recognized but have too few templates.
    incomplete: u32,
    /// Did not agree to be recognized, or no longer do.
    no_consent: u32,
}

/// The attendance rate of the last dates, compared with as many before them. Days that are not over do not count.
#[derive(Serialize, ToSchema)]
#[schema(as = Week)]
pub(crate) struct WeekView {
    rate: Option<f64>,
    prev_rate: Option<f64>,
    delta: Option<f64>,
}

/// Searches, by what came of them.
#[derive(Serialize, ToSchema)]
#[schema(as = Searches)]
pub(crate) struct SearchesView {
    attempts: u64,
    matched: u64,
    unknown: u64,
    ambiguous: u64,
    rejected: u64,
    /// `null`: how long a search took is not kept.
    p50_ms: Option<u64>,
    /// `null`: how long a search took is not kept.
    p95_ms: Option<u64>,
}

/// Kiosks and cameras that were not turned away.
#[derive(Serialize, ToSchema)]
#[schema(as = DeviceCounts)]
pub(crate) struct DevicesView {
    /// Have searched within the last quarter of an hour.
    online: u32,
    offline: u32,
}

impl DashboardView {
    fn new(dashboard: &Dashboard, role: Role) -> Self {
        let UserCounts { total, active, enrolled, incomplete, no_consent } = dashboard.census;
        let (rate, prev_rate) = (share(dashboard.rate), share(dashboard.previous));
        let delta = rate.zip(prev_rate).map(|(rate, before)| ((rate - before) * 1e4).round() / 1e4);
        let searches = |searches: Searches| {
            let Searches { attempts, matched, unknown, ambiguous, rejected } = searches;
            SearchesView { attempts, matched, unknown, ambiguous, rejected, p50_ms: None, p95_ms: None }
        };
        let devices = |Devices { online, offline }| DevicesView { online, offline };
        Self {
            scope: match role {
                _ if dashboard.only_self => "self",
                Role::Admin => "all",
                Role::Manager | Role::Employee | Role::Device => "departments",
            },
            as_of: local(&dashboard.zone, dashboard.as_of),
            timezone: dashboard.zone.name().to_owned(),
            date: day(dashboard.date),
            users: CensusView { total, active, enrolled, incomplete, no_consent },
            today: TotalsView::new(&dashboard.today),
            week: WeekView { rate, prev_rate, delta },
            recognition: dashboard.searches.map(searches),
            devices: dashboard.devices.map(devices),
            open_corrections: dashboard.open_corrections,
            alerts: [],
        }
    }
}

/// How things are, as far as you may see.
#[utoipa::path(get, path = "", tag = "statistics", params(DashboardForm),
    responses((status = 200, description = "What matters, at a glance.", body = DashboardView)))]
pub(crate) async fn dashboard(
    api: web::Data<Api>,
    caller: Authenticated,
    Query(form): Query<DashboardForm>,
) -> Result<HttpResponse, Problem> {
    let query = DashboardQuery {
        date: form.date.value(),
        days: form.days.value().unwrap_or(7),
        department: form.department_id.value(),
    };
    let filters = Filters { department: query.department, ..Filters::default() };
    filters.check(&api.usecases.directory, caller.actor()).await?;
    let dashboard = api
        .usecases
        .statistics
        .dashboard(caller.actor(), query)
        .await
        .map_err(|error| filters.explain(error))?;
    Ok(HttpResponse::Ok().json(DashboardView::new(&dashboard, caller.actor().role())))
}
