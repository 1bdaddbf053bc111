//! `/api/statistics/attendance/rate`, `/api/statistics/attendance/trends`, `/api/statistics/departments`

use actix_web::{HttpResponse, web};
use rollcall_domain::attendance::DayStatus;
use rollcall_domain::calendar::DateRange;
use rollcall_domain::id::DepartmentId;
use rollcall_domain::statistics::{Interval, Period, RATES, Rate, Tally};
use rollcall_usecases::statistics::{Asked, DepartmentOrder, DepartmentRow, Group, Grouping};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::actor::Authenticated;
use crate::attendance_view::local;
use crate::filters::Filters;
use crate::input::{Parse, Query, choices, form, one_of, only_word};
use crate::options::Api;
use crate::paging::{range, sort};
use crate::problem::Problem;
use crate::profile::{DepartmentRefView, day};

pub(crate) const KEYS: [(&str, DepartmentOrder); 8] = [
    ("name", DepartmentOrder::Name),
    ("headcount", DepartmentOrder::Headcount),
    ("enrolled", DepartmentOrder::Enrolled),
    ("present_today", DepartmentOrder::PresentToday),
    ("rate", DepartmentOrder::Rate),
    ("late_rate", DepartmentOrder::LateRate),
    ("worked_seconds", DepartmentOrder::Worked),
    ("overtime_seconds", DepartmentOrder::Overtime),
];

form! {
    query struct RatesForm {
        /// First date; the first of this month unless a date is given.
        from: Optional<Date>,
        /// Last date, at most 365 days later.
        to: Optional<Date>,
        /// `overall` (unless asked otherwise), `department`, `user`, `shift` or `weekday`.
        group_by: Optional<Grouping>,
        /// Only days of people who were in this department then.
        department_id: Optional<DepartmentId>,
    }
}

form! {
    query struct TrendsForm {
        /// First date; the first of this month unless a date is given.
        from: Optional<Date>,
        /// Last date, at most 365 days later.
        to: Optional<Date>,
        /// `day` (unless asked otherwise), `week` (Monday to Sunday) or `month`.
        interval: Optional<Interval>,
        /// Which numbers are wanted, separated by commas; all unless asked otherwise.
        metrics: Optional<Metrics>,
        /// Only days of people who were in this department then.
        department_id: Optional<DepartmentId>,
        /// `previous` to see as many dates right before these, too.
        compare: Optional<Previous>,
    }
}

form! {
    query struct ComparedForm {
        /// First date; the first of this month unless a date is given.
        from: Optional<Date>,
        /// Last date, at most 365 days later.
        to: Optional<Date>,
        /// `name`, `headcount`, `enrolled`, `present_today`, `rate`, `late_rate`, `worked_seconds`, `overtime_seconds`; by
        /// name unless asked otherwise, people without department last.
        sort: Option<String>,
    }
}

choices!(Grouping, Interval);

only_word! {
    /// What a trend can be compared with.
    Previous = "previous";
}

/// Numbers of a period.
struct Metrics(Vec<String>);

impl Metrics {
    const ALL: [&'static str; 12] = [
        "present",
        "late",
        "half_day",
        "absent",
        "on_leave",
        "scheduled_days",
        "rate",
        "late_rate",
        "punctuality",
        "avg_check_in",
        "worked_seconds",
        "overtime_seconds",
    ];
}

impl Parse for Metrics {
    type Value = Self;
    const CODE: &'static str = "unknown-value";

    fn read(text: &str) -> Result<Self, String> {
        let named = text.split(',').map(|name| one_of(name, &Self::ALL, |name| name).map(str::to_owned));
        named.collect::<Result<_, _>>().map(Self)
    }
}

/// Rates of attendance.
#[derive(Serialize, ToSchema)]
#[schema(as = Rates)]
pub(crate) struct RatesView {
    #[schema(format = Date)]
    from: String,
    #[schema(format = Date)]
    to: String,
    /// The organization's.
    timezone: String,
    /// Only days that were over at this instant are counted.
    #[schema(format = DateTime)]
    as_of: String,
    /// How the rates follow from the days.
    formula: &'static str,
    data: Vec<RateView>,
}

/// The rates of days counted together. A rate without a day to divide by is `null`.
#[derive(Serialize, ToSchema)]
#[schema(as = GroupRates)]
pub(crate) struct RateView {
    /// An id or a word; `null` for people without department.
    key: Option<String>,
    label: Option<String>,
    /// Days that count, half days as half.
    numerator: f64,
    /// Days on which somebody was expected.
    denominator: u64,
    rate: Option<f64>,
    late_rate: Option<f64>,
    punctuality: Option<f64>,
    /// Days with a shift, like those that the rates count; so are the next three.
    present: u64,
    late: u64,
    half_day: u64,
    absent: u64,
}

/// Attendance over time.
#[derive(Serialize, ToSchema)]
#[schema(as = Trends)]
pub(crate) struct TrendsView {
    interval: &'static str,
    #[schema(format = Date)]
    from: String,
    #[schema(format = Date)]
    to: String,
    /// The organization's; check-in times are as clocks showed them where people were.
    timezone: String,
    /// Only days that were over at this instant are counted.
    #[schema(format = DateTime)]
    as_of: String,
    /// How the rates follow from the days.
    formula: &'static str,
    /// Every period, also those without any days.
    #[schema(value_type = Vec<PeriodView>)]
    data: Vec<Value>,
    /// As many dates right before these, if they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<PreviousView>,
}

/// The dates before.
#[derive(Serialize, ToSchema)]
#[schema(as = PreviousTrends)]
pub(crate) struct PreviousView {
    #[schema(format = Date)]
    from: String,
    #[schema(format = Date)]
    to: String,
    #[schema(value_type = Vec<PeriodView>)]
    data: Vec<Value>,
}

/// A day, week or month, as far as it lies between the dates; of the numbers those that were asked for.
#[derive(Serialize, ToSchema)]
#[schema(as = PeriodRates)]
pub(crate) struct PeriodView {
    /// `2026-11-22`, `2026-W47` or `2026-11`.
    period: String,
    #[schema(format = Date)]
    start: String,
    #[schema(format = Date)]
    end: String,
    /// Days with a shift, like those that the rates count; so are the next four.
    present: u64,
    late: u64,
    half_day: u64,
    absent: u64,
    on_leave: u64,
    /// Days with a shift.
    scheduled_days: u64,
    rate: Option<f64>,
    late_rate: Option<f64>,
    punctuality: Option<f64>,
    /// Time of the day at which people came on average, as clocks showed it; a night shift's may lie after midnight.
    #[schema(example = "09:04:10")]
    avg_check_in: Option<String>,
    worked_seconds: i64,
    overtime_seconds: i64,
}

/// Departments side by side.
#[derive(Serialize, ToSchema)]
#[schema(as = ComparedDepartments)]
pub(crate) struct ComparedView {
    #[schema(format = Date)]
    from: String,
    #[schema(format = Date)]
    to: String,
    /// The organization's.
    timezone: String,
    /// Only days that were over at this instant are part of rates and sums.
    #[schema(format = DateTime)]
    as_of: String,
    /// How the rates follow from the days.
    formula: &'static str,
    data: Vec<ComparedDepartmentView>,
}

/// A department's people and days. Days belong to the department in which the person was then.
#[derive(Serialize, ToSchema)]
#[schema(as = ComparedDepartment)]
pub(crate) struct ComparedDepartmentView {
    /// `null` for people without one.
    department: Option<DepartmentRefView>,
    /// People who belonged to it on the last of the dates, or today if that is earlier.
    headcount: u32,
    /// Of these, those who can be recognized by now.
    enrolled: u32,
    /// People of the department who came today.
    present_today: u32,
    rate: Option<f64>,
    late_rate: Option<f64>,
    worked_seconds: i64,
    overtime_seconds: i64,
    /// Time of the day at which people came on average, as clocks showed it.
    #[schema(example = "09:04:10")]
    avg_check_in: Option<String>,
}

/// Four digits: more is noise.
pub(crate) fn share(rate: Rate) -> Option<f64> {
    rate.value().map(|value| (value * 1e4).round() / 1e4)
}

fn average(tally: &Tally) -> Option<String> {
    tally.average_arrival().map(|time| time.strftime("%H:%M:%S").to_string())
}

impl RateView {
    fn new(group: Group) -> Self {
        let Group { key, label, tally } = group;
        Self {
            key,
            label,
            numerator: tally.attendance().numerator(),
            denominator: tally.attendance().denominator(),
            rate: share(tally.attendance()),
            late_rate: share(tally.lateness()),
            punctuality: share(tally.punctuality()),
            present: tally.of_shifts(DayStatus::Present),
            late: tally.of_shifts(DayStatus::Late),
            half_day: tally.of_shifts(DayStatus::HalfDay),
            absent: tally.of_shifts(DayStatus::Absent),
        }
    }
}

impl PeriodView {
    fn new(interval: Interval, period: Period, tally: &Tally) -> Self {
        Self {
            period: interval.label(period.start),
            start: day(period.start),
            end: day(period.end),
            present: tally.of_shifts(DayStatus::Present),
            late: tally.of_shifts(DayStatus::Late),
            half_day: tally.of_shifts(DayStatus::HalfDay),
            absent: tally.of_shifts(DayStatus::Absent),
            on_leave: tally.of_shifts(DayStatus::OnLeave),
            scheduled_days: tally.scheduled_days(),
            rate: share(tally.attendance()),
            late_rate: share(tally.lateness()),
            punctuality: share(tally.punctuality()),
            avg_check_in: average(tally),
            worked_seconds: tally.worked_seconds,
            overtime_seconds: tally.overtime_seconds,
        }
    }

    /// With these numbers only.
    fn cut(self, metrics: Option<&Metrics>) -> Value {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        if let (Value::Object(members), Some(Metrics(wanted))) = (&mut value, metrics) {
            members.retain(|name, _| {
                ["period", "start", "end"].contains(&name.as_str()) || wanted.contains(name)
            });
        }
        value
    }
}

impl ComparedDepartmentView {
    fn new(row: DepartmentRow) -> Self {
        let DepartmentRow { department, heads, tally } = row;
        Self {
            department: department.as_ref().map(DepartmentRefView::new),
            headcount: heads.people,
            enrolled: heads.enrolled,
            present_today: heads.came,
            rate: share(tally.attendance()),
            late_rate: share(tally.lateness()),
            worked_seconds: tally.worked_seconds,
            overtime_seconds: tally.overtime_seconds,
            avg_check_in: average(&tally),
        }
    }
}

/// Rates of attendance, of days that are over.
#[utoipa::path(get, path = "", tag = "statistics", params(RatesForm),
    responses((status = 200, description = "Rates, and how they follow from the days.", body = RatesView)))]
pub(crate) async fn rate(
    api: web::Data<Api>,
    caller: Authenticated,
    Query(form): Query<RatesForm>,
) -> Result<HttpResponse, Problem> {
    let asked =
        Asked { range: range(form.from.value(), form.to.value())?, department: form.department_id.value() };
    let grouping = form.group_by.value().unwrap_or(Grouping::Overall);
    let filters = Filters { department: asked.department, ..Filters::default() };
    filters.check(&api.usecases.directory, caller.actor()).await?;
    let counted = api.usecases.statistics.rates(caller.actor(), asked, grouping).await;
    let counted = counted.map_err(|error| filters.explain(error))?;
    Ok(HttpResponse::Ok().json(RatesView {
        from: day(counted.range.from()),
        to: day(counted.range.to()),
        as_of: local(&counted.zone, counted.as_of),
        timezone: counted.zone.name().to_owned(),
        formula: RATES,
        data: counted.groups.into_iter().map(RateView::new).collect(),
    }))
}

/// Attendance over time, of days that are over.
#[utoipa::path(get, path = "", tag = "statistics", params(TrendsForm),
    responses((status = 200, description = "Every period between the dates.", body = TrendsView)))]
pub(crate) async fn trends(
    api: web::Data<Api>,
    caller: Authenticated,
    Query(form): Query<TrendsForm>,
) -> Result<HttpResponse, Problem> {
    let asked =
        Asked { range: range(form.from.value(), form.to.value())?, department: form.department_id.value() };
    let interval = form.interval.value().unwrap_or(Interval::Day);
    let metrics: Option<Metrics> = form.metrics.value();
    let compare = form.compare.is_some();
    let filters = Filters { department: asked.department, ..Filters::default() };
    filters.check(&api.usecases.directory, caller.actor()).await?;
    let trends = api.usecases.statistics.trends(caller.actor(), asked, interval, compare).await;
    let trends = trends.map_err(|error| filters.explain(error))?;
    let cut = |series: Vec<(Period, Tally)>| -> Vec<Value> {
        let views = series.into_iter().map(|(period, tally)| PeriodView::new(interval, period, &tally));
        views.map(|view| view.cut(metrics.as_ref())).collect()
    };
    let previous = |(range, series): (DateRange, Vec<(Period, Tally)>)| PreviousView {
        from: day(range.from()),
        to: day(range.to()),
        data: cut(series),
    };
    Ok(HttpResponse::Ok().json(TrendsView {
        interval: interval.name(),
        from: day(trends.range.from()),
        to: day(trends.range.to()),
        as_of: local(&trends.zone, trends.as_of),
        timezone: trends.zone.name().to_owned(),
        formula: RATES,
        data: cut(trends.series),
        previous: trends.previous.map(previous),
    }))
}

/// The departments you may see, side by side.
#[utoipa::path(get, path = "", tag = "statistics", params(ComparedForm),
    responses((status = 200, description = "Departments, and people without one.", body = ComparedView)))]
pub(crate) async fn departments(
    api: web::Data<Api>,
    caller: Authenticated,
    Query(form): Query<ComparedForm>,
) -> Result<HttpResponse, Problem> {
    let (range, order) = (range(form.from.value(), form.to.value())?, sort(&form.sort, &KEYS)?);
    let compared = api.usecases.statistics.departments(caller.actor(), range, &order).await?;
    Ok(HttpResponse::Ok().json(ComparedView {
        from: day(compared.range.from()),
        to: day(compared.range.to()),
        as_of: local(&compared.zone, compared.as_of),
        timezone: compared.zone.name().to_owned(),
        formula: RATES,
        data: compared.rows.into_iter().map(ComparedDepartmentView::new).collect(),
    }))
}
