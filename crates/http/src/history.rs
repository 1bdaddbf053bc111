//! `GET /api/attendance/user/{user_id}`

use actix_web::{HttpRequest, HttpResponse, web};
use rollcall_domain::attendance::{DayField, DayFilter, DayStatus, Source};
use rollcall_domain::id::ShiftId;
use rollcall_domain::statistics::Summary;
use rollcall_usecases::records::HistoryQuery;
use serde::Serialize;
use utoipa::ToSchema;

use crate::actor::{Authenticated, PathUser};
use crate::attendance_view::RecordView;
use crate::filters::Filters;
use crate::input::{Query, form, only_word};
use crate::options::Api;
use crate::paging::{Pagination, page, range, sort};
use crate::problem::Problem;

pub(crate) const KEYS: [(&str, DayField); 4] = [
    ("date", DayField::Date),
    ("first_in", DayField::FirstIn),
    ("worked_seconds", DayField::Worked),
    ("late_seconds", DayField::Late),
];

form! {
    query struct HistoryForm {
        /// First date; the first of this month unless a date is given.
        from: Optional<Date>,
        /// Last date, at most 365 days later.
        to: Optional<Date>,
        /// Only days of this status.
        status: Optional<DayStatus>,
        /// Only days whose first punch came about like this.
        source: Optional<Source>,
        /// Only days of this shift.
        shift_id: Optional<ShiftId>,
        /// `events` to see the punches of each day.
        include: Optional<Events>,
        ..paging,
        /// `date`, `first_in`, `worked_seconds`, `late_seconds`; `-date` unless asked otherwise.
        sort: Option<String>,
    }
}

only_word! {
    /// What a list of days can include.
    Events = "events";
}

impl HistoryForm {
    fn into_query(self) -> Result<HistoryQuery, Problem> {
        let filter = DayFilter {
            status: self.status.value(),
            source: self.source.value(),
            shift: self.shift_id.value(),
        };
        Ok(HistoryQuery {
            range: range(self.from.value(), self.to.value())?,
            filter,
            sort: sort(&self.sort, &KEYS)?,
            with_punches: self.include.is_some(),
            page: page(self.page, self.per_page)?,
        })
    }
}

/// A page of a person's days, and what all that match come to.
#[derive(Serialize, ToSchema)]
#[schema(as = History)]
pub(crate) struct HistoryView {
    data: Vec<RecordView>,
    pagination: Pagination,
    summary: SummaryView,
}

/// What days come to together.
#[derive(Serialize, ToSchema)]
#[schema(as = Summary)]
pub(crate) struct SummaryView {
    scheduled_days: u32,
    present: u32,
    late: u32,
    half_day: u32,
    absent: u32,
    on_leave: u32,
    holiday: u32,
    worked_seconds: i64,
    overtime_seconds: i64,
    /// How much of the overtime is approved.
    overtime_approved_seconds: i64,
    /// How much of the overtime nobody has approved yet.
    overtime_pending_seconds: i64,
    late_seconds: i64,
}

impl SummaryView {
    const fn new(summary: Summary) -> Self {
        let Summary { scheduled_days, present, late, half_day, absent, on_leave, holiday, .. } = summary;
        let Summary { worked_seconds, overtime_seconds, approved_seconds, late_seconds, .. } = summary;
        Self {
            scheduled_days,
            present,
            late,
            half_day,
            absent,
            on_leave,
            holiday,
            worked_seconds,
            overtime_seconds,
            overtime_approved_seconds: approved_seconds,
            overtime_pending_seconds: overtime_seconds - approved_seconds,
            late_seconds,
        }
    }
}

/// A person's days, working days on which they did not come included.
#[utoipa::path(get, path = "", tag = "attendance",
    params(PathUser, HistoryForm),
    responses((status = 200, description = "A page of days; the summary covers all of them.", body = HistoryView)))]
pub(crate) async fn of_user(
    req: HttpRequest,
    api: web::Data<Api>,
    caller: Authenticated,
    PathUser(user): PathUser,
    Query(form): Query<HistoryForm>,
) -> Result<HttpResponse, Problem> {
    let with_punches = form.include.is_some();
    let query = form.into_query()?;
    let filters = Filters { shift: query.filter.shift, ..Filters::default() };
    filters.check(&api.usecases.directory, caller.actor()).await?;
    let history = api.usecases.records.history(caller.actor(), user, query).await?;
    let pagination = Pagination::of(&history.days);
    let data = history.days.items.iter().map(|day| RecordView::new(day, with_punches)).collect();
    let summary = SummaryView::new(history.summary);
    Ok(pagination.answer(&req).json(HistoryView { data, pagination, summary }))
}
