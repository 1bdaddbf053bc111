//! Reports as clients see them in JSON.

use rollcall_domain::attendance::DayStatus;
use rollcall_domain::statistics::Tally;
use rollcall_usecases::report::{ReportGroup, ReportRow};
use serde::Serialize;
use utoipa::ToSchema;

use crate::attendance_view::RecordView;
use crate::paging::Pagination;
use crate::profile::{DepartmentRefView, day};
use crate::today::PersonView;

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
    pub(super) group_by: &'static str,
    #[schema(format = Date)]
    pub(super) from: String,
    #[schema(format = Date)]
    pub(super) to: String,
    pub(super) timezone: String,
    /// The instant for which this is true.
    #[schema(format = DateTime)]
    pub(super) as_of: String,
    pub(super) data: Vec<ReportRecordView>,
    pub(super) pagination: Pagination,
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
    pub(super) group_by: &'static str,
    #[schema(format = Date)]
    pub(super) from: String,
    #[schema(format = Date)]
    pub(super) to: String,
    pub(super) timezone: String,
    /// The instant for which this is true.
    #[schema(format = DateTime)]
    pub(super) as_of: String,
    pub(super) data: Vec<GroupView>,
    /// The sum of all records.
    pub(super) totals: TallyView,
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
    pub(super) fn new(tally: &Tally) -> Self {
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
    pub(super) fn new(group: &ReportGroup) -> Self {
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
    pub(super) fn new(row: &ReportRow) -> Self {
        let user = PersonView {
            id: row.person.user.to_string(),
            name: row.person.name.as_str().to_owned(),
            employee_code: row.person.employee_code.as_ref().map(|code| code.as_str().to_owned()),
            department: row.department.as_ref().map(DepartmentRefView::new),
        };
        Self { user, record: RecordView::new(&row.day, false) }
    }
}
