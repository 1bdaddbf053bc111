//! `/api/shifts`

use actix_web::{HttpRequest, HttpResponse, web};
use jiff::SignedDuration;
use jiff::civil::{Date, Time};
use rollcall_domain::calendar::weekday_name;
use rollcall_domain::id::ShiftId;
use rollcall_domain::lint::Finding;
use rollcall_domain::shift::{OvertimeMode, Pairing, Shift};
use rollcall_usecases::shifts::{ShiftKey, ShiftPatch, ShiftQuery, StoredShift};
use serde::Serialize;
use utoipa::ToSchema;

use crate::actor::Authenticated;
use crate::input::{
    AnyWord, AutoOut, Change, Json, Line, Optional, PathId, Query, Seen, are_weekdays, form, present,
    weekdays,
};
use crate::naming::named;
use crate::options::Api;
use crate::paging::{List, list as list_of, page, range, sort};
use crate::preconditions::{self, IfMatch, created};
use crate::problem::Problem;
use crate::profile::utc;

pub(crate) const KEYS: [(&str, ShiftKey); 2] = [("name", ShiftKey::Name), ("starts", ShiftKey::Starts)];

form! {
    query struct ShiftsForm {
        /// Part of the name, whatever its case.
        q: Optional<AnyWord>,
        /// Also shifts that are retired; false unless said otherwise.
        include_retired: Optional<bool> as bool,
        ..paging,
        /// `name`, `starts`.
        sort: Option<String>,
    }
}

/// Forms that hold the rules of a shift, after fields of their own.
macro_rules! rules_form {
    ($(#[$attribute:meta])* $form:ident as $schema:ident { $($own:tt)* } $($consts:tt)*) => {
        form! {
            $(#[$attribute])*
            change struct $form as $schema {
                $($own)*
                /// Days on which it begins: `monday` to `sunday`. In a new shift: Monday to Friday.
                #[validate(custom(function = "are_weekdays"))]
                workdays: Option<Vec<String>>,
                /// An arrival up to this many seconds after the start is on time. In a new shift: 600.
                grace_seconds: Option<u32>,
                /// A departure up to this many seconds before the end is not early. In a new shift: 600.
                early_grace_seconds: Option<u32>,
                /// Punches count for this shift from this many seconds before its start on. In a new shift: 3600.
                before_seconds: Option<u32>,
                /// Punches count for this shift until this many seconds after its end. In a new shift: 3600.
                after_seconds: Option<u32>,
                /// Less work than this many seconds is half a day. In a new shift: half the length, at most
                /// 16200.
                half_day_below_seconds: Option<u32>,
                /// Less work than this many seconds is an absence; at most `half_day_below_seconds`. In a new
                /// shift: half of that, at most 7200.
                absent_below_seconds: Option<u32>,
                /// Which punches belong together: `first_last` or `every_pair`. In a new shift: first_last.
                pairing: Optional<Pairing>,
                /// With `first_last`, so many seconds are taken off the time worked once it reaches
                /// `break_after_seconds`. In a new shift: 0.
                unpaid_break_seconds: Option<u32>,
                /// From this many seconds of work on, the unpaid break is taken off. In a new shift: 0.
                break_after_seconds: Option<u32>,
                /// Whether time before the start is work, too. In a new shift: false.
                count_early_arrival: Option<bool>,
                /// What a forgotten check-out is read as: `none` leaves the time worked unknown, `shift_end` is
                /// the end of the shift. In a new shift: none.
                auto_out: Optional<AutoOut>,
                /// If given, hours are free to choose, and so many seconds are expected of a day. In a new shift:
                /// null.
                #[serde(deserialize_with = "present")]
                #[schema(value_type = Option<u32>)]
                flexible_seconds: Option<Option<u32>>,
                /// Whether work before the start can be overtime, not only work after the end. In a new shift:
                /// false.
                overtime_before: Option<bool>,
                /// Either part of the overtime counts from this many seconds on; of weekly overtime, that of the
                /// week. In a new shift: 900.
                overtime_min_seconds: Option<u32>,
                /// Overtime is cut down to whole multiples of this many seconds; 0 leaves it as it is. In a new
                /// shift: 0.
                overtime_step_seconds: Option<u32>,
                /// No more seconds of overtime than this a day. In a new shift: null.
                #[serde(deserialize_with = "present")]
                #[schema(value_type = Option<u32>)]
                overtime_cap_seconds: Option<Option<u32>>,
                /// `daily`: overtime is what lies outside of the shift; `weekly`: instead of that, what is worked
                /// from Monday to Sunday beyond `weekly_target_seconds`, each day with the part by which it
                /// raises that. In a new shift: daily.
                overtime_mode: Optional<OvertimeMode>,
                /// Seconds of work in a week beyond which there is overtime; with `weekly` only, and needed
                /// there. Holidays and leave do not make it less. In a new shift: null.
                #[serde(deserialize_with = "present")]
                #[schema(value_type = Option<u32>)]
                weekly_target_seconds: Option<Option<u32>>,
            }
            $($consts)*
        }

        impl $form {
            fn patch(self) -> Result<ShiftPatch, Problem> {
                Ok(ShiftPatch {
                    name: Optional::from(self.name).value(),
                    starts: Optional::from(self.starts).value(),
                    ends: Optional::from(self.ends).value(),
                    workdays: self.workdays.as_deref().map(weekdays),
                    grace: self.grace_seconds.map(seconds),
                    early_grace: self.early_grace_seconds.map(seconds),
                    before: self.before_seconds.map(seconds),
                    after: self.after_seconds.map(seconds),
                    half_day_below: self.half_day_below_seconds.map(seconds),
                    absent_below: self.absent_below_seconds.map(seconds),
                    pairing: self.pairing.value(),
                    unpaid_break: self.unpaid_break_seconds.map(seconds),
                    break_after: self.break_after_seconds.map(seconds),
                    early_arrival: self.count_early_arrival,
                    auto_out: self.auto_out.value(),
                    flexible: self.flexible_seconds.map(|expected| expected.map(seconds)),
                    overtime_before: self.overtime_before,
                    overtime_min: self.overtime_min_seconds.map(seconds),
                    overtime_step: self.overtime_step_seconds.map(seconds),
                    overtime_cap: self.overtime_cap_seconds.map(|cap| cap.map(seconds)),
                    overtime_mode: self.overtime_mode.value(),
                    weekly_target: self.weekly_target_seconds.map(|target| target.map(seconds)),
                })
            }
        }
    };
}

rules_form! {
    /// A shift to be added. Each rule that is left out has the value that its description tells.
    NewShiftForm as NewShift {
        name: Required<Line<{ Shift::MAX_NAME }>>,
        /// Local time of its start, such as `09:00`.
        starts: Required<Time>,
        /// Local time of its end; at or before the start means on the next day.
        ends: Required<Time>,
    }
    const NOT_ALLOWED: &'static [&'static str] = SERVER_SIDE;
}

rules_form! {
    /// A change of a shift from a date on: absent members keep.
    ShiftUpdateForm as ShiftUpdate {
        /// First date for which it holds: tomorrow unless said otherwise, or the first date of the newest wording if
        /// that is still to come.
        from: Optional<Date>,
        name: Optional<Line<{ Shift::MAX_NAME }>>,
        /// Local time of its start, such as `09:00`.
        starts: Optional<Time>,
        /// Local time of its end; at or before the start means on the next day.
        ends: Optional<Time>,
    }
    /// The date from which on the other members are to hold.
    const MEANT: &'static [&'static str] = &["from"];
    const NOT_ALLOWED: &'static [&'static str] = SERVER_SIDE;
}

const SERVER_SIDE: &[&str] = &["id", "default", "editions", "retired_at", "version"];

const fn seconds(seconds: u32) -> SignedDuration {
    SignedDuration::from_secs(seconds as i64)
}

/// A shift: the newest wording of its rules, and all of them.
#[derive(Serialize, ToSchema)]
#[schema(as = Shift)]
pub(crate) struct ShiftView {
    id: String,
    #[serde(flatten)]
    newest: EditionView,
    /// Everybody works it unless told otherwise.
    default: bool,
    /// Every wording, by the date from which on it holds.
    editions: Vec<EditionView>,
    /// Since when it is given to nobody any more.
    #[schema(format = DateTime)]
    retired_at: Option<String>,
    version: u32,
}

/// The rules of a shift from a date on.
#[derive(Serialize, ToSchema)]
#[schema(as = ShiftEdition)]
pub(crate) struct EditionView {
    /// First date for which it holds; the first wording has none.
    #[schema(format = Date)]
    from: Option<String>,
    name: String,
    starts: String,
    ends: String,
    workdays: Vec<&'static str>,
    grace_seconds: i64,
    early_grace_seconds: i64,
    before_seconds: i64,
    after_seconds: i64,
    half_day_below_seconds: i64,
    absent_below_seconds: i64,
    pairing: &'static str,
    unpaid_break_seconds: i64,
    break_after_seconds: i64,
    count_early_arrival: bool,
    auto_out: &'static str,
    flexible_seconds: Option<i64>,
    overtime_before: bool,
    overtime_min_seconds: i64,
    overtime_step_seconds: i64,
    overtime_cap_seconds: Option<i64>,
    overtime_mode: &'static str,
    weekly_target_seconds: Option<i64>,
}

impl EditionView {
    fn new((from, shift): (Option<Date>, &Shift)) -> Self {
        let (counting, overtime) = (&shift.counting, &shift.counting.overtime);
        let time =
            |time: Time| time.strftime(if time.second() == 0 { "%H:%M" } else { "%H:%M:%S" }).to_string();
        Self {
            from: from.map(|date| date.to_string()),
            name: shift.name.clone(),
            starts: time(shift.starts),
            ends: time(shift.ends),
            workdays: shift.workdays.days().map(weekday_name).collect(),
            grace_seconds: shift.grace.as_secs(),
            early_grace_seconds: shift.early_grace.as_secs(),
            before_seconds: shift.before.as_secs(),
            after_seconds: shift.after.as_secs(),
            half_day_below_seconds: shift.half_day_below.as_secs(),
            absent_below_seconds: shift.absent_below.as_secs(),
            pairing: counting.pairing.name(),
            unpaid_break_seconds: counting.unpaid_break.as_secs(),
            break_after_seconds: counting.break_after.as_secs(),
            count_early_arrival: counting.early_arrival,
            auto_out: AutoOut::name(counting.auto_out),
            flexible_seconds: counting.flexible.map(|expected| expected.as_secs()),
            overtime_before: overtime.before,
            overtime_min_seconds: overtime.min.as_secs(),
            overtime_step_seconds: overtime.step.as_secs(),
            overtime_cap_seconds: overtime.daily_cap.map(|cap| cap.as_secs()),
            overtime_mode: overtime.mode().name(),
            weekly_target_seconds: overtime.weekly_target.map(|target| target.as_secs()),
        }
    }
}

impl ShiftView {
    fn new(shift: StoredShift) -> Self {
        let newest = shift.versions.versions().last().unwrap_or((None, shift.versions.latest()));
        Self {
            id: shift.id.to_string(),
            newest: EditionView::new(newest),
            default: shift.is_default,
            editions: shift.versions.versions().map(EditionView::new).collect(),
            retired_at: shift.retired_at.map(utc),
            version: shift.revision.0,
        }
    }
}

/// The shifts there are.
#[utoipa::path(get, path = "", tag = "planning", params(ShiftsForm),
    responses((status = 200, description = "A page of shifts.", body = List<ShiftView>)))]
pub(crate) async fn list(
    req: HttpRequest,
    api: web::Data<Api>,
    caller: Authenticated,
    Query(form): Query<ShiftsForm>,
) -> Result<HttpResponse, Problem> {
    let query = ShiftQuery {
        include_retired: form.include_retired.value().unwrap_or(false),
        sort: sort(&form.sort, &KEYS)?,
        page: page(form.page, form.per_page)?,
        q: form.q.value().filter(|q| !q.is_empty()),
    };
    let found = api.usecases.shifts.list(caller.actor(), query).await?;
    Ok(list_of(&req, found, ShiftView::new))
}

form! {
    query struct LintForm {
        /// First date; today unless a date is given.
        from: Optional<Date>,
        /// Last date, at most 365 days later; 27 days after today unless a date is given.
        to: Optional<Date>,
    }
}

/// What is odd about the plan, the worst first.
#[derive(Serialize, ToSchema)]
#[schema(as = PlanFindings)]
pub(crate) struct LintedView {
    #[schema(format = Date)]
    from: String,
    #[schema(format = Date)]
    to: String,
    /// How many people were looked at.
    people: usize,
    findings: Vec<FindingView>,
}

/// Something odd, told once however many people and dates it concerns.
#[derive(Serialize, ToSchema)]
#[schema(as = PlanFinding)]
pub(crate) struct FindingView {
    /// `error`, `warning` or `info`.
    severity: &'static str,
    code: &'static str,
    /// The same for people.
    message: String,
    shift_id: Option<String>,
    /// Somebody whom it concerns …
    user_id: Option<String>,
    /// … and how many people it concerns.
    people: u32,
    /// The first date on which it shows …
    #[schema(format = Date)]
    date: Option<String>,
    /// … and on how many dates it shows.
    dates: u32,
}

impl FindingView {
    pub(crate) fn new(finding: Finding) -> Self {
        Self {
            severity: finding.severity.name(),
            code: finding.code.name(),
            shift_id: finding.shift.map(|id| id.to_string()),
            user_id: finding.person.map(|id| id.to_string()),
            people: finding.people,
            date: finding.date.map(|date| date.to_string()),
            dates: finding.dates,
            message: finding.message,
        }
    }
}

/// What is odd about what is planned for the people you answer for.
#[utoipa::path(get, path = "", tag = "planning", params(LintForm),
    responses((status = 200, description = "What was found.", body = LintedView)))]
pub(crate) async fn lint(
    api: web::Data<Api>,
    caller: Authenticated,
    Query(form): Query<LintForm>,
) -> Result<HttpResponse, Problem> {
    let linted = api.usecases.shifts.lint(caller.actor(), range(form.from.value(), form.to.value())?).await?;
    Ok(HttpResponse::Ok().json(LintedView {
        from: linted.dates.from().to_string(),
        to: linted.dates.to().to_string(),
        people: linted.people,
        findings: linted.findings.into_iter().map(FindingView::new).collect(),
    }))
}

/// Adds a shift. Nobody works it until it is given to somebody.
#[utoipa::path(post, path = "", tag = "planning", request_body = NewShiftForm,
    responses((status = 201, description = "Added; `Location` names it.", body = ShiftView)))]
pub(crate) async fn create(
    api: web::Data<Api>,
    caller: Authenticated,
    Json(form): Json<NewShiftForm>,
) -> Result<HttpResponse, Problem> {
    let added = api.usecases.shifts.create(caller.actor(), form.patch()?).await?;
    Ok(created(format!("/api/shifts/{}", added.id), added.revision, ShiftView::new(added)))
}

/// One shift.
#[utoipa::path(get, path = "", tag = "planning",
    params(("shift_id" = String, Path, description = "A shift.")),
    responses((status = 200, description = "The shift, with an `ETag`.", body = ShiftView)))]
pub(crate) async fn get(
    api: web::Data<Api>,
    caller: Authenticated,
    PathId(id): PathId<ShiftId>,
) -> Result<HttpResponse, Problem> {
    Ok(shown(api.usecases.shifts.get(caller.actor(), id).await?))
}

/// Words a shift anew from a date on; records of earlier dates keep its rules as they were. A member that is sent as it
/// is shown changes nothing, `from` included.
#[utoipa::path(put, path = "", tag = "planning", request_body = ShiftUpdateForm,
    params(("shift_id" = String, Path, description = "A shift."), IfMatch),
    responses((status = 200, description = "The shift as it is now.", body = ShiftView)))]
pub(crate) async fn update(
    api: web::Data<Api>,
    caller: Authenticated,
    PathId(id): PathId<ShiftId>,
    IfMatch(revision): IfMatch,
    change: Change<ShiftUpdateForm>,
) -> Result<HttpResponse, Problem> {
    let known = api.usecases.shifts.get(caller.actor(), id).await?;
    let seen = Seen { revision, known: known.revision };
    let view = named(&api.usecases.directory, &ShiftView::new(known)).await?;
    let mut form = change.of(&view, seen)?;
    let from = std::mem::take(&mut form.from).value();
    Ok(shown(api.usecases.shifts.update(caller.actor(), id, form.patch()?, from, revision).await?))
}

/// Retires a shift: nobody can be given it any more, and records keep it.
#[utoipa::path(delete, path = "", tag = "planning",
    params(("shift_id" = String, Path, description = "A shift."), IfMatch),
    responses((status = 204, description = "Retired.")))]
pub(crate) async fn retire(
    api: web::Data<Api>,
    caller: Authenticated,
    PathId(id): PathId<ShiftId>,
    IfMatch(revision): IfMatch,
) -> Result<HttpResponse, Problem> {
    api.usecases.shifts.retire(caller.actor(), id, revision).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn shown(shift: StoredShift) -> HttpResponse {
    preconditions::shown(shift.revision, ShiftView::new(shift))
}
