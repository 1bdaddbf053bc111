//! `GET /api/attendance/report`: records of many people as JSON, CSV or a workbook.

mod columns;
mod csv;
mod workbook;

use actix_web::http::header::{self, HeaderMap};
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::civil::Date;
use rollcall_domain::attendance::DayStatus;
use rollcall_domain::calendar::{DateRange, Zone};
use rollcall_domain::id::{DepartmentId, UserId};
use rollcall_domain::statistics::{Interval, Tally};
use rollcall_usecases::report::{ReportGroup, ReportGrouping, ReportQuery, ReportRow};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::actor::{Asker, prefers};
use crate::attendance::{RecordView, local};
use crate::input::{Form, PageNumber, PageSize, Query, Word, are, is, one_of, word};
use crate::options::Api;
use crate::paging::{Pagination, page, range};
use crate::problem::Problem;
use crate::profile::{DepartmentRefView, day};
use crate::today::PersonView;

use columns::{Chosen, Tongue};

/// Most people that one request can name.
const MAX_USERS: usize = 100;

#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReportForm {
    /// First date; the first of this month unless a date is given.
    #[validate(custom(function = "is::<Date>"))]
    #[param(format = Date)]
    from: Option<String>,
    /// Last date, at most 365 days later.
    #[validate(custom(function = "is::<Date>"))]
    #[param(format = Date)]
    to: Option<String>,
    /// `record` (unless asked otherwise) for the records themselves; `user`, `department`, `day`, `week`, `month` or
    /// `shift` to add them up.
    #[validate(custom(function = "is::<By>"))]
    group_by: Option<String>,
    /// Only records of people who were in this department then.
    #[validate(custom(function = "is::<DepartmentId>"))]
    department_id: Option<String>,
    /// Only this person's; can be repeated, up to 100 times.
    #[serde(default)]
    #[validate(length(max = 100, code = "out-of-range", message = "must be at most 100"))]
    #[validate(custom(function = "are::<UserId>"))]
    #[param(style = Form, explode)]
    user_id: Vec<String>,
    /// Only records of this status.
    #[validate(custom(function = "is::<DayStatus>"))]
    status: Option<String>,
    /// `json`, `csv` or `xlsx`; without it the header `Accept` decides, and JSON is preferred.
    #[validate(custom(function = "is::<Format>"))]
    format: Option<String>,
    /// The time zone of the times in a file, named in its header row; the organization's unless asked otherwise. Dates are
    /// those of each person's own calendar.
    #[validate(custom(function = "is::<Zone>"))]
    timezone: Option<String>,
    /// Columns of a file, separated by commas, in this order; all unless asked otherwise.
    columns: Option<String>,
    /// Language of the header row of a file, `en` or `de`; without it columns have the names that `columns` takes.
    #[validate(custom(function = "is::<Tongue>"))]
    locale: Option<String>,
    /// Page of records as JSON, from 1.
    #[validate(custom(function = "is::<PageNumber>"))]
    #[param(value_type = Option<u32>, minimum = 1)]
    page: Option<String>,
    /// Records of a page; 20 unless asked otherwise.
    #[validate(custom(function = "is::<PageSize>"))]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    per_page: Option<String>,
}

impl Form for ReportForm {
    const REPEATED: &'static [&'static str] = &["user_id"];
}

/// What records are added up by, if they are.
#[derive(Clone, Copy)]
struct By(Option<ReportGrouping>);

impl By {
    const ALL: [(&'static str, Option<ReportGrouping>); 7] = [
        ("record", None),
        ("user", Some(ReportGrouping::User)),
        ("department", Some(ReportGrouping::Department)),
        ("day", Some(ReportGrouping::Time(Interval::Day))),
        ("week", Some(ReportGrouping::Time(Interval::Week))),
        ("month", Some(ReportGrouping::Time(Interval::Month))),
        ("shift", Some(ReportGrouping::Shift)),
    ];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, by)| *by == self.0).map_or("record", |(name, _)| name)
    }
}

impl Word for By {
    const CODE: &'static str = "unknown-value";

    fn read(text: &str) -> Result<Self, String> {
        one_of(text, &Self::ALL, |(name, _)| name).map(|(_, by)| Self(by))
    }
}

/// What a report comes as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Csv,
    Xlsx,
}

impl Format {
    const ALL: [Self; 3] = [Self::Json, Self::Csv, Self::Xlsx];

    const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }

    /// What a client that names none likes best.
    fn wished(headers: &HeaderMap) -> Self {
        let liked = prefers(headers, &Self::ALL.map(Self::media_type));
        Self::ALL.into_iter().find(|format| Some(format.media_type()) == liked).unwrap_or(Self::Json)
    }
}

impl Word for Format {
    const CODE: &'static str = "unknown-value";

    fn read(text: &str) -> Result<Self, String> {
        one_of(text, &Self::ALL, Self::name)
    }
}

/// Types of files that a report can come as, besides JSON.
pub(crate) const FILES: [&str; 2] = [Format::Csv.media_type(), Format::Xlsx.media_type()];

/// Records, or what they come to.
#[derive(Serialize, ToSchema)]
#[schema(as = Report)]
#[serde(untagged)]
pub(crate) enum ReportView {
    /// With `group_by=record`.
    Records(RecordsView),
    /// With any other.
    Groups(GroupsView),
}

/// A page of records, by name of the person, date and shift.
#[derive(Serialize, ToSchema)]
#[schema(as = ReportRecords)]
pub(crate) struct RecordsView {
    group_by: &'static str,
    #[schema(format = Date)]
    from: String,
    #[schema(format = Date)]
    to: String,
    timezone: String,
    /// The instant for which this is true.
    #[schema(format = DateTime)]
    as_of: String,
    data: Vec<ReportRecordView>,
    pagination: Pagination,
}

/// A record and whose it is.
#[derive(Serialize, ToSchema)]
#[schema(as = ReportRecord)]
pub(crate) struct ReportRecordView {
    /// With the department of that day.
    user: PersonView,
    #[serde(flatten)]
    record: RecordView,
}

/// Records added up.
#[derive(Serialize, ToSchema)]
#[schema(as = ReportGroups)]
pub(crate) struct GroupsView {
    group_by: &'static str,
    #[schema(format = Date)]
    from: String,
    #[schema(format = Date)]
    to: String,
    timezone: String,
    /// The instant for which this is true.
    #[schema(format = DateTime)]
    as_of: String,
    data: Vec<GroupView>,
    /// The sum of all records.
    totals: TallyView,
}

/// Records of one person, department, shift or period.
#[derive(Serialize, ToSchema)]
#[schema(as = ReportGroup)]
pub(crate) struct GroupView {
    /// An id or a period; `null` for people without department and for what was outside of shifts.
    key: Option<String>,
    label: Option<String>,
    /// First date of a period.
    #[schema(format = Date, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<String>,
    /// Last date of a period.
    #[schema(format = Date, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<String>,
    #[serde(flatten)]
    sums: TallyView,
}

/// What records come to together. `records` is the sum of the nine after `scheduled_days`.
#[derive(Serialize, ToSchema)]
#[schema(as = Tally)]
pub(crate) struct TallyView {
    records: u64,
    /// Records with a shift.
    scheduled_days: u64,
    pending: u64,
    present: u64,
    late: u64,
    half_day: u64,
    absent: u64,
    on_leave: u64,
    holiday: u64,
    day_off: u64,
    off_day_worked: u64,
    worked_seconds: i64,
    overtime_seconds: i64,
    late_seconds: i64,
}

impl TallyView {
    fn new(tally: &Tally) -> Self {
        use DayStatus as S;
        Self {
            records: tally.days(),
            scheduled_days: tally.scheduled_days(),
            pending: tally.of(S::Pending),
            present: tally.of(S::Present),
            late: tally.of(S::Late),
            half_day: tally.of(S::HalfDay),
            absent: tally.of(S::Absent),
            on_leave: tally.of(S::OnLeave),
            holiday: tally.of(S::Holiday),
            day_off: tally.of(S::DayOff),
            off_day_worked: tally.of(S::OffDayWorked),
            worked_seconds: tally.worked_seconds,
            overtime_seconds: tally.overtime_seconds,
            late_seconds: tally.late_seconds,
        }
    }
}

impl GroupView {
    fn new(group: &ReportGroup) -> Self {
        Self {
            key: group.key.clone(),
            label: group.label.clone(),
            start: group.period.map(|period| day(period.start)),
            end: group.period.map(|period| day(period.end)),
            sums: TallyView::new(&group.tally),
        }
    }
}

impl ReportRecordView {
    fn new(row: &ReportRow) -> Self {
        let user = PersonView {
            id: row.person.user.to_string(),
            name: row.person.name.as_str().to_owned(),
            employee_code: row.person.employee_code.as_ref().map(|code| code.as_str().to_owned()),
            department: row.department.as_ref().map(DepartmentRefView::new),
        };
        Self { user, record: RecordView::new(&row.day, false) }
    }
}

/// Records of those you may see, one by one or added up, to be read or to be kept as a file. Longer periods than a year
/// are refused.
#[utoipa::path(get, path = "/api/attendance/report", tag = "attendance", params(ReportForm),
    responses(
        (status = 200, description = "Records, or what they come to. Files have a header row; texts that a spreadsheet \
            would take for a formula begin with an apostrophe.",
            content((ReportView = "application/json"), (String = "text/csv"),
                (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
        (status = 404, description = "The department or person is absent, or not for you to see.")))]
pub(crate) async fn report(
    req: HttpRequest,
    api: web::Data<Api>,
    asker: Asker,
    Query(form): Query<ReportForm>,
) -> Result<HttpResponse, Problem> {
    let By(by) = word(&form.group_by)?.unwrap_or(By(None));
    let format = word(&form.format)?.unwrap_or_else(|| Format::wished(req.headers()));
    let zone: Option<Zone> = word(&form.timezone)?;
    let page = page(&form.page, &form.per_page)?;
    let chosen = Chosen { names: form.columns.as_deref(), tongue: word(&form.locale)? };
    if format == Format::Json {
        chosen.nothing()?;
    } else if form.page.is_some() || form.per_page.is_some() {
        return Err(Problem::invalid_parameter("page", "not-applicable", "files are not paged"));
    }
    // Whatever is wrong with the question is told before anything is looked for.
    match by {
        None => chosen.records().map(drop)?,
        Some(_) => chosen.sums().map(drop)?,
    }
    let mut users = Vec::with_capacity(form.user_id.len().min(MAX_USERS));
    for user in &form.user_id {
        users.push(user.parse::<UserId>().map_err(|_| Problem::not_found())?);
    }
    let query = ReportQuery {
        range: range(&form.from, &form.to)?,
        department: word(&form.department_id)?,
        users,
        status: word(&form.status)?,
    };
    let statistics = &api.usecases.statistics;
    let Some(by) = by else {
        let report = statistics.report(asker.actor(), query).await?;
        let (range, as_of) = (report.range, report.as_of);
        let zone = zone.unwrap_or_else(|| report.zone.clone());
        return match format {
            Format::Json => {
                let rows = report.page(page).await?;
                let pagination = Pagination::of(&rows);
                let data = rows.items.iter().map(ReportRecordView::new).collect();
                let view = RecordsView {
                    group_by: By(None).name(),
                    from: day(range.from()),
                    to: day(range.to()),
                    timezone: zone.name().to_owned(),
                    as_of: local(&zone, as_of),
                    data,
                    pagination,
                };
                Ok(pagination.answer(&req).json(ReportView::Records(view)))
            }
            Format::Csv => csv::records(attachment(format, range), report, chosen.records()?, zone).await,
            Format::Xlsx => {
                workbook::records(attachment(format, range), report, chosen.records()?, zone).await
            }
        };
    };
    let summed = statistics.summed(asker.actor(), query, by).await?;
    let zone = zone.unwrap_or_else(|| summed.zone.clone());
    match format {
        Format::Json => {
            let view = GroupsView {
                group_by: By(Some(by)).name(),
                from: day(summed.range.from()),
                to: day(summed.range.to()),
                timezone: zone.name().to_owned(),
                as_of: local(&zone, summed.as_of),
                data: summed.groups.iter().map(GroupView::new).collect(),
                totals: TallyView::new(&summed.total),
            };
            Ok(HttpResponse::Ok().json(ReportView::Groups(view)))
        }
        Format::Csv => csv::groups(attachment(format, summed.range), &summed.groups, chosen.sums()?),
        Format::Xlsx => {
            workbook::groups(attachment(format, summed.range), summed.groups, chosen.sums()?).await
        }
    }
}

/// An answer that browsers keep as a file.
fn attachment(format: Format, range: DateRange) -> actix_web::HttpResponseBuilder {
    let name = format!("attendance_{}_{}.{}", range.from(), range.to(), format.name());
    let kind = match format {
        Format::Csv => "text/csv; charset=utf-8; header=present",
        Format::Json | Format::Xlsx => format.media_type(),
    };
    let mut answer = HttpResponse::Ok();
    answer.insert_header((header::CONTENT_TYPE, kind));
    answer.insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")));
    answer
}
