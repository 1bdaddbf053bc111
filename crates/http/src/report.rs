//! `GET /api/attendance/report`: records of many people as JSON, CSV or a workbook.

mod columns;
mod csv;
mod question;
mod workbook;

use actix_web::http::Method;
use actix_web::http::header::HeaderMap;
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::civil::Date;
use rollcall_domain::access::Actor;
use rollcall_domain::attendance::DayStatus;
use rollcall_domain::calendar::{DateRange, Zone};
use rollcall_domain::id::DepartmentId;
use rollcall_domain::job::JobKind;
use rollcall_domain::statistics::{Interval, Tally};
use rollcall_usecases::jobs::NewJob;
use rollcall_usecases::report::{ReportGroup, ReportGrouping, ReportRow};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::actor::{Asker, prefers};
use crate::attendance::RecordView;
use crate::filters::{Filters, person};
use crate::input::{Form, PageNumber, PageSize, Query, Word, is, one_of};
use crate::jobs::{JobView, accepted, prefers_async};
use crate::options::Api;
use crate::paging::Pagination;
use crate::problem::Problem;
use crate::profile::{DepartmentRefView, day};
use crate::today::PersonView;

use columns::Tongue;
pub(crate) use columns::as_meant;
pub(crate) use question::{Question, attachment};

#[derive(Clone, Deserialize, Serialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReportForm {
    /// First date; the first of this month unless a date is given.
    #[validate(custom(function = "is::<Date>"))]
    #[param(format = Date)]
    from: Option<String>,
    /// Last date, at most 365 days later for an answer at once, at most 3,659 for a job.
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
    /// Only this person's, an id or `me`; can be repeated, up to 100 times.
    #[serde(default)]
    #[validate(length(max = 100, code = "out-of-range", message = "must be at most 100"))]
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
    /// What separates the cells of a CSV file: `comma`, `semicolon` or `tab`; `comma` unless asked otherwise. Excel opens by
    /// double click what is separated as its country does, with `semicolon` where decimals have a comma.
    #[validate(custom(function = "is::<Separator>"))]
    separator: Option<String>,
    /// Whether a CSV file begins with a byte order mark, without which Excel takes its letters for others; `true` unless
    /// asked otherwise. Programs that read the first title strictly ask for `false`.
    #[validate(custom(function = "is::<bool>"))]
    #[param(value_type = Option<bool>)]
    bom: Option<String>,
    /// Page of records as JSON, from 1.
    #[validate(custom(function = "is::<PageNumber>"))]
    #[param(value_type = Option<u32>, minimum = 1)]
    page: Option<String>,
    /// Records of a page; 20 unless asked otherwise.
    #[validate(custom(function = "is::<PageSize>"))]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    per_page: Option<String>,
}

impl ReportForm {
    /// The same with the id of whoever asks where it says `me`.
    fn of(mut self, actor: &Actor) -> Result<Self, Problem> {
        for user in &mut self.user_id {
            if let Some(id) = person("user_id", Some(user.as_str()), actor)? {
                *user = id.to_string();
            }
        }
        Ok(self)
    }
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

/// How the lines of a CSV file are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Dialect {
    separator: Separator,
    bom: bool,
}

/// What separates cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Separator {
    Comma,
    Semicolon,
    Tab,
}

impl Separator {
    const ALL: [Self; 3] = [Self::Comma, Self::Semicolon, Self::Tab];

    const fn name(self) -> &'static str {
        match self {
            Self::Comma => "comma",
            Self::Semicolon => "semicolon",
            Self::Tab => "tab",
        }
    }

    const fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
        }
    }
}

impl Word for Separator {
    const CODE: &'static str = "unknown-value";

    fn read(text: &str) -> Result<Self, String> {
        one_of(text, &Self::ALL, Self::name)
    }
}

/// What a report comes as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
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
    /// How much of the overtime is approved.
    overtime_approved_seconds: i64,
    /// How much of the overtime nobody has approved yet.
    overtime_pending_seconds: i64,
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
            overtime_approved_seconds: tally.approved_seconds,
            overtime_pending_seconds: tally.overtime_seconds - tally.approved_seconds,
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

/// Records of those you may see, one by one or added up, to be read or to be kept as a file. What covers more than 366
/// days, and whatever is asked for with `Prefer: respond-async`, is worked on as a job.
#[utoipa::path(get, path = "/api/attendance/report", tag = "attendance",
    params(ReportForm, ("Prefer" = Option<String>, Header, description = "`respond-async` for a job in any case.")),
    responses(
        (status = 200, description = "Records, or what they come to. Files have a header row; texts that a spreadsheet \
            would take for a formula begin with an apostrophe.",
            content((ReportView = "application/json"), (String = "text/csv"),
                (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
        (status = 202, description = "Taken as a job; `Location` names it, `Retry-After` says when to look.",
            body = JobView),
        (status = 429, description = "`too-many-jobs`: wait for those that are unfinished.",
            body = crate::problem::ProblemView<'static>, content_type = "application/problem+json")))]
pub(crate) async fn report(
    req: HttpRequest,
    api: web::Data<Api>,
    asker: Asker,
    Query(form): Query<ReportForm>,
) -> Result<HttpResponse, Problem> {
    let form = form.of(asker.actor())?;
    let question = Question::read(form, Format::wished(req.headers()))?;
    let statistics = &api.usecases.statistics;
    let asked = prefers_async(req.headers());
    let filters = Filters {
        user: question.query.users.first().copied(),
        department: question.query.department,
        ..Filters::default()
    };
    filters.check(&api.usecases.directory, asker.actor()).await?;
    if asked || question.query.range.is_some_and(DateRange::is_long) {
        let range = statistics.may_report(asker.actor(), &question.query).await;
        let range = range.map_err(|error| filters.told(error))?;
        if req.method() == Method::HEAD {
            // Asking what would come starts nothing; there is no job to be named.
            return Ok(HttpResponse::Accepted().finish());
        }
        let parameters = question.parameters(range);
        let new = NewJob { kind: JobKind::Report, parameters, input: Vec::new(), total: 0 };
        return Ok(accepted(&api.usecases.jobs.submit(asker.actor(), new).await?, asked));
    }
    let made = question.made(&api.usecases, asker.actor()).await;
    Ok(made.map_err(|problem| filters.told(problem))?.answer(&req))
}
