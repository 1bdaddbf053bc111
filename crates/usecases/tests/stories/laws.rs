//! What must hold whatever is planned, punched and changed: records always follow from the facts.

use jiff::civil::{Date, Time, time};
use jiff::{SignedDuration, Span, Timestamp};
use proptest::prelude::*;
use proptest::sample::select;
use rollcall_domain::access::Actor;
use rollcall_domain::attendance::{DayRecord, Direction, Punch, PunchKind};
use rollcall_domain::calendar::{DateRange, Half, Workdays, Zone};
use rollcall_domain::department::Department;
use rollcall_domain::holiday::HolidayName;
use rollcall_domain::id::{AssignmentId, ClosedPeriodId, HolidayId, LeaveId, ShiftId};
use rollcall_domain::leave::LeaveKind;
use rollcall_domain::page::Page;
use rollcall_domain::plan::AssignmentTarget;
use rollcall_domain::shift::{OvertimeMode, Pairing};
use rollcall_domain::user::{Status, User, UserScope};
use rollcall_ports::attendance::{PunchFilter, RecordedPunch};
use rollcall_testkit::builders::{a_department, a_member, date};
use rollcall_usecases::assignments::{AssignmentPatch, NewAssignment};
use rollcall_usecases::attendance::AttendanceError;
use rollcall_usecases::departments::DepartmentPatch;
use rollcall_usecases::errors::StoreError;
use rollcall_usecases::holidays::{HolidayPatch, NewFreeDays, NewHoliday};
use rollcall_usecases::leaves::NewLeave;
use rollcall_usecases::overrides::OverrideRequest;
use rollcall_usecases::planning::PlanError;
use rollcall_usecases::punches::MarkRequest;
use rollcall_usecases::recompute::Difference;
use rollcall_usecases::shifts::ShiftPatch;
use rollcall_usecases::users::{UserError, UserPatch};

use crate::support::{World, world};

/// The first of the days in which everything happens.
const FIRST: Date = Date::constant(2026, 3, 2);

const ZONES: [&str; 5] = ["UTC", "America/New_York", "Asia/Tokyo", "Pacific/Kiritimati", "Pacific/Pago_Pago"];

/// Something that somebody does. Dates are counted from the first one, numbers choose among what there is by then.
#[derive(Debug, Clone)]
enum Deed {
    /// So many minutes later the person is there.
    Punch(i64, PunchKind),
    /// Somebody enters that they were, so many minutes ago.
    Enter(i64, PunchKind),
    Void(usize),
    Give {
        shift: usize,
        target: usize,
        from: i64,
        to: Option<i64>,
    },
    GiveOtherwise {
        which: usize,
        shift: usize,
        from: i64,
    },
    TakeBack(usize),
    Holiday(i64, Option<Half>),
    DayOff(i64),
    MoveHoliday(usize, i64),
    RemoveHoliday(usize),
    Leave(i64, i64, Option<Half>),
    Withdraw(usize),
    Zone(Option<usize>),
    ZoneOfDepartment(Option<usize>),
    Department(Option<usize>),
    Usual(Option<usize>),
    UsualOfDepartment(Option<usize>),
    Join(Option<i64>),
    Retire(Option<i64>),
    Reword {
        shift: usize,
        from: i64,
        later: i64,
    },
    Suspend,
    Return,
    Decide(i64),
    /// Everything up to a date is closed …
    Close(i64),
    /// … and opened again.
    Lift(usize),
    /// Somebody is added who joined some days ago, or will.
    Hire(i64),
    /// So many hours pass.
    Pass(i64),
}

fn a_deed() -> impl Strategy<Value = Deed> {
    let day = || 0_i64..14;
    let half = || select(vec![None, None, Some(Half::First), Some(Half::Second)]);
    let number = || 0_usize..8;
    let kind = || select(vec![PunchKind::Auto, PunchKind::Auto, PunchKind::CheckIn, PunchKind::CheckOut]);
    let minutes = || prop_oneof![0_i64..60, (0_i64..80).prop_map(|n| n * 30)];
    let zone = || prop::option::of(0..ZONES.len());
    let plans = prop_oneof![
        (number(), 0_usize..3, day(), prop::option::of(0_i64..3)).prop_map(|(shift, target, from, to)| {
            Deed::Give { shift, target, from, to: to.map(|days| from + days) }
        }),
        (number(), number(), day()).prop_map(|(which, shift, from)| Deed::GiveOtherwise {
            which,
            shift,
            from
        }),
        number().prop_map(Deed::TakeBack),
        (day(), half()).prop_map(|(on, half)| Deed::Holiday(on, half)),
        day().prop_map(Deed::DayOff),
        (number(), day()).prop_map(|(which, on)| Deed::MoveHoliday(which, on)),
        number().prop_map(Deed::RemoveHoliday),
        (day(), 0_i64..3, half()).prop_map(|(from, days, half)| Deed::Leave(from, from + days, half)),
        number().prop_map(Deed::Withdraw),
        (number(), day(), 0_i64..12).prop_map(|(shift, from, later)| Deed::Reword { shift, from, later }),
    ];
    let people = prop_oneof![
        3 => zone().prop_map(Deed::Zone),
        2 => zone().prop_map(Deed::ZoneOfDepartment),
        2 => prop::option::of(0_usize..2).prop_map(Deed::Department),
        1 => prop::option::of(number()).prop_map(Deed::Usual),
        1 => prop::option::of(number()).prop_map(Deed::UsualOfDepartment),
        1 => prop::option::of(day()).prop_map(Deed::Join),
        1 => prop::option::of(day()).prop_map(Deed::Retire),
        1 => Just(Deed::Suspend),
        1 => Just(Deed::Return),
    ];
    prop_oneof![
        6 => (minutes(), kind()).prop_map(|(after, kind)| Deed::Punch(after, kind)),
        2 => (minutes(), kind()).prop_map(|(before, kind)| Deed::Enter(before, kind)),
        1 => number().prop_map(Deed::Void),
        5 => plans,
        4 => people,
        1 => day().prop_map(Deed::Decide),
        1 => day().prop_map(Deed::Close),
        2 => number().prop_map(Deed::Lift),
        1 => day().prop_map(Deed::Hire),
        1 => (1_i64..40).prop_map(Deed::Pass),
    ]
}

/// Ada, her departments, and what was planned for them so far.
struct Life {
    world: World,
    ada: User,
    departments: Vec<Department>,
    shifts: Vec<ShiftId>,
    assignments: Vec<AssignmentId>,
    holidays: Vec<HolidayId>,
    leaves: Vec<LeaveId>,
    closed_periods: Vec<ClosedPeriodId>,
}

impl Life {
    async fn new() -> Self {
        let world = world();
        world.fakes.clock.set_to(Zone::UTC.instant(FIRST.at(5, 0, 0, 0)));
        let mut departments = Vec::new();
        for name in ["Sales", "Support"] {
            let department = a_department(name);
            world.ports.departments.insert(&department).await.unwrap();
            departments.push(world.ports.departments.get(department.id).await.unwrap().unwrap());
        }
        let joined = FIRST.saturating_sub(Span::new().days(3));
        let ada = User { join_date: Some(joined), ..a_member("Ada", &departments[0]) };
        let ada = world.add_as(ada).await;
        let mut shifts = Vec::new();
        for patch in shifts_of_all_kinds() {
            shifts.push(world.usecases.shifts.create(&Actor::Operator, patch).await.unwrap().id);
        }
        world.usecases.timesheets.catch_up().await.unwrap();
        let (assignments, holidays, leaves, closed_periods) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { world, ada, departments, shifts, assignments, holidays, leaves, closed_periods }
    }

    fn now(&self) -> Timestamp {
        self.world.ports.clock.now()
    }

    /// Time passes, and the job does its work.
    async fn pass(&self, by: SignedDuration) {
        self.world.fakes.clock.advance(by);
        self.world.usecases.timesheets.catch_up().await.unwrap();
    }

    async fn punches(&self) -> Vec<RecordedPunch> {
        let page = Page::new(1, Page::MAX_SIZE).unwrap();
        let (ada, filter) = (UserScope::One(self.ada.id), PunchFilter::default());
        self.world.ports.attendance.punches(&ada, &filter, page).await.unwrap().items
    }

    /// Does something; what is refused is not done. Nothing is refused because of a failure.
    async fn happen(&mut self, deed: &Deed) -> Result<(), StoreError> {
        let admin = Actor::Operator;
        let usecases = self.world.usecases.clone();
        let ada = self.ada.id;
        let on = |days: i64| FIRST.saturating_add(Span::new().days(days));
        match deed.clone() {
            Deed::Punch(after, kind) => {
                self.pass(SignedDuration::from_mins(after)).await;
                sound(
                    usecases.punches.mark(&crate::support::person(&self.ada), mark(kind, None, None)).await,
                )?;
            }
            Deed::Enter(before, kind) => {
                let at = self.now() - SignedDuration::from_mins(before);
                let request = mark(kind, Some(at), Some("from the paper list"));
                let request = MarkRequest { user: Some(ada), ..request };
                sound(usecases.punches.mark(&Actor::Operator, request).await)?;
            }
            Deed::Void(which) => {
                if let Some((punch, _)) = self.punches().await.get(which) {
                    sound(usecases.punches.void(&admin, punch.id, "was not there").await)?;
                }
            }
            Deed::Give { shift, target, from, to } => {
                let target = match target {
                    0 => AssignmentTarget::Everybody,
                    1 => AssignmentTarget::Department(self.departments[0].id),
                    _ => AssignmentTarget::Person(ada),
                };
                let shift = self.shifts[shift % self.shifts.len()];
                let new = NewAssignment { shift, target, from: on(from), to: to.map(on) };
                let given = planned(usecases.assignments.create(&admin, new).await)?;
                self.assignments.extend(given.map(|given| given.id));
            }
            Deed::GiveOtherwise { which, shift, from } => {
                let shift = self.shifts[shift % self.shifts.len()];
                let patch = AssignmentPatch { shift: Some(shift), from: Some(on(from)), to: Some(None) };
                if let Some(id) = self.assignments.get(which) {
                    planned(usecases.assignments.update(&admin, *id, patch, None).await)?;
                }
            }
            Deed::TakeBack(which) if which < self.assignments.len() => {
                let id = self.assignments.remove(which);
                planned(usecases.assignments.remove(&admin, id, None).await)?;
            }
            Deed::Holiday(day, half) => self.free(NewFreeDays::Date(on(day), half)).await?,
            Deed::DayOff(from) => {
                let weekday = on(from).weekday();
                let days = NewFreeDays::Weekly { weekday, nth: None, from: Some(on(from)), to: None };
                self.free(days).await?;
            }
            Deed::MoveHoliday(which, day) => {
                if let Some(id) = self.holidays.get(which) {
                    let patch = HolidayPatch { date: Some(on(day)), ..HolidayPatch::default() };
                    planned(usecases.holidays.update(&admin, *id, patch, None).await)?;
                }
            }
            Deed::RemoveHoliday(which) if which < self.holidays.len() => {
                let id = self.holidays.remove(which);
                planned(usecases.holidays.remove(&admin, id, None).await)?;
            }
            Deed::Leave(from, to, half) => {
                let (user, from, to) = (Some(ada), on(from), on(to));
                let new = NewLeave { user, from, to, half, kind: LeaveKind::Annual, reason: None };
                if let Some(asked) = planned(usecases.leaves.request(&admin, new).await)? {
                    planned(usecases.leaves.approve(&admin, asked.id, None, None).await)?;
                    self.leaves.push(asked.id);
                }
            }
            Deed::Withdraw(which) if which < self.leaves.len() => {
                let id = self.leaves.remove(which);
                planned(usecases.leaves.withdraw(&admin, id, None, None).await)?;
            }
            Deed::Zone(zone) => {
                self.change(UserPatch { timezone: Some(zone.map(named)), ..UserPatch::default() }).await?;
            }
            Deed::ZoneOfDepartment(zone) => {
                let patch = DepartmentPatch { timezone: Some(zone.map(named)), ..DepartmentPatch::default() };
                usecases.departments.update(&admin, self.departments[0].id, patch, None).await.unwrap();
            }
            Deed::Department(which) => {
                let department = Some(which.map(|which| self.departments[which].id));
                self.change(UserPatch { department, ..UserPatch::default() }).await?;
            }
            Deed::Usual(shift) => {
                let default_shift = Some(shift.map(|shift| self.shifts[shift % self.shifts.len()]));
                self.change(UserPatch { default_shift, ..UserPatch::default() }).await?;
            }
            Deed::UsualOfDepartment(shift) => {
                let default_shift = Some(shift.map(|shift| self.shifts[shift % self.shifts.len()]));
                let patch = DepartmentPatch { default_shift, ..DepartmentPatch::default() };
                usecases.departments.update(&admin, self.departments[0].id, patch, None).await.unwrap();
            }
            Deed::Join(day) => {
                self.change(UserPatch { join_date: Some(day.map(on)), ..UserPatch::default() }).await?;
            }
            Deed::Retire(day) => {
                self.change(UserPatch { leave_date: Some(day.map(on)), ..UserPatch::default() }).await?;
            }
            Deed::Reword { shift, from, later } => {
                let shift = self.shifts[shift % self.shifts.len()];
                let known = usecases.shifts.get(&admin, shift).await.unwrap();
                let starts = known.versions.latest().starts.wrapping_add(SignedDuration::from_hours(later));
                let patch = ShiftPatch { starts: Some(starts), ..ShiftPatch::default() };
                planned(usecases.shifts.update(&admin, shift, patch, Some(on(from)), None).await)?;
            }
            Deed::Suspend => {
                let status = Some(Status::Suspended);
                self.change(UserPatch { status, ..UserPatch::default() }).await?;
            }
            Deed::Return => {
                let status = Some(Status::Active);
                self.change(UserPatch { status, ..UserPatch::default() }).await?;
            }
            Deed::Decide(day) => {
                let request = OverrideRequest {
                    status: Some(rollcall_domain::attendance::DayStatus::Present),
                    reason: "was at the customer's".into(),
                    ..OverrideRequest::default()
                };
                sound(usecases.overrides.override_day(&admin, Some(ada), Some(on(day)), request).await)?;
            }
            Deed::Close(day) => {
                let reason = "payroll is done".to_owned();
                let closed = planned(usecases.closed_periods.close(&admin, on(day), reason).await)?;
                self.closed_periods.extend(closed.map(|lock| lock.id));
            }
            Deed::Lift(which) if which < self.closed_periods.len() => {
                let reason = "one was forgotten".to_owned();
                planned(
                    usecases.closed_periods.lift(&admin, self.closed_periods.remove(which), reason).await,
                )?;
            }
            Deed::Hire(day) => {
                let (join_date, created_at) = (Some(on(day)), self.now());
                let bob = User { join_date, created_at, ..a_member("Bob", &self.departments[0]) };
                self.world.add_as(bob).await;
                self.world.usecases.timesheets.catch_up().await.unwrap();
            }
            Deed::Pass(hours) => self.pass(SignedDuration::from_hours(hours)).await,
            Deed::TakeBack(_) | Deed::RemoveHoliday(_) | Deed::Withdraw(_) | Deed::Lift(_) => {}
        }
        Ok(())
    }

    async fn free(&mut self, days: NewFreeDays) -> Result<(), StoreError> {
        let name = HolidayName::parse("Founders' Day").unwrap();
        let new = NewHoliday { department: None, name, days };
        let made = planned(self.world.usecases.holidays.create(&Actor::Operator, new).await)?;
        self.holidays.extend(made.map(|made| made.id));
        Ok(())
    }

    async fn change(&mut self, patch: UserPatch) -> Result<(), StoreError> {
        match self.world.usecases.users.update(&Actor::Operator, self.ada.id, patch, None).await {
            Ok(profile) => self.ada = profile.user,
            // Leaving before joining, or in a period that is closed.
            Err(UserError::Invalid(_) | UserError::Store(StoreError::PeriodClosed(_))) => {}
            Err(UserError::Store(error)) => return Err(error),
            Err(error) => panic!("{error}"),
        }
        Ok(())
    }

    /// What working everything out anew would change, and what was punched but is in no record.
    async fn odd(&self) -> (Vec<String>, Vec<Punch>) {
        let dates = DateRange::new(date("2026-02-20"), date("2026-04-15")).unwrap();
        let mut differences = Vec::new();
        let mut tell = |_: &User, found: &[Difference]| {
            differences.extend(found.iter().map(short));
        };
        let usecases = &self.world.usecases;
        usecases.recompute.all(&Actor::Operator, None, dates, true, &mut tell).await.unwrap();
        let records = self.world.ports.attendance.records(&UserScope::One(self.ada.id), dates).await.unwrap();
        let nowhere = |(punch, record): &RecordedPunch| {
            let counts = punch.counts() && punch.direction.is_some();
            counts && !records.iter().any(|known| Some(known.day.id) == *record)
        };
        let lost = self.punches().await.into_iter().filter(nowhere).map(|(punch, _)| punch);
        (differences, lost.collect())
    }
}

fn short(difference: &Difference) -> String {
    let describe = |record: &Option<DayRecord>| {
        let Some(DayRecord { day, record, due, department, .. }) = record else {
            return "nothing".to_owned();
        };
        let shift = day.shift.as_ref().map(|shift| (&shift.shift.name, shift.opens, shift.closes));
        format!("{} {shift:?} {:?} {due} {department:?} {record:?}", day.key.date, day.zone)
    };
    format!("{}\n  instead of {}", describe(&difference.after), describe(&difference.before))
}

fn named(zone: usize) -> Zone {
    Zone::named(ZONES[zone]).unwrap()
}

fn mark(kind: PunchKind, at: Option<Timestamp>, reason: Option<&str>) -> MarkRequest {
    let (user, note, location, device) = (None, None, None, None);
    let reason = reason.map(str::to_owned);
    MarkRequest { user, kind, at, reason, note, location, device, force: false }
}

fn sound<T>(done: Result<T, AttendanceError>) -> Result<(), StoreError> {
    match done {
        Err(AttendanceError::Store(error)) => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn planned<T>(done: Result<T, PlanError>) -> Result<Option<T>, StoreError> {
    match done {
        Err(PlanError::Store(error)) => Err(error),
        done => Ok(done.ok()),
    }
}

fn shifts_of_all_kinds() -> Vec<ShiftPatch> {
    let shift = |name: &str, starts: Time, ends: Time| ShiftPatch {
        name: Some(name.into()),
        starts: Some(starts),
        ends: Some(ends),
        workdays: Some(Workdays::ALL),
        ..ShiftPatch::default()
    };
    let at = |hour: i8, minute: i8| time(hour, minute, 0, 0);
    let half_a_day = Some(SignedDuration::from_hours(12));
    vec![
        shift("Day", at(9, 0), at(18, 0)),
        shift("Early", at(6, 30), at(14, 30)),
        shift("Night", at(22, 0), at(6, 30)),
        shift("Guard", at(8, 0), at(8, 0)),
        ShiftPatch { before: half_a_day, after: half_a_day, ..shift("Wide", at(20, 0), at(20, 0)) },
        ShiftPatch { pairing: Some(Pairing::EveryPair), ..shift("Morning", at(8, 0), at(12, 0)) },
        ShiftPatch {
            overtime_mode: Some(OvertimeMode::Weekly),
            weekly_target: Some(Some(SignedDuration::from_hours(10))),
            ..shift("By the week", at(10, 0), at(16, 0))
        },
        shift("Late", at(14, 0), at(23, 59)),
    ]
}

/// As many cases as `PROPTEST_CASES` says, or some that take no time.
fn config() -> ProptestConfig {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    #[expect(clippy::disallowed_methods, reason = "how many cases are tried is no setting of the program")]
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    if asked { config } else { ProptestConfig { cases: 64, ..config } }
}

fn at_once<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
}

#[tokio::test]
async fn a_suspension_leaves_a_session_in_a_closed_period_alone() {
    let mut life = Life::new().await;
    for deed in [
        Deed::Give { shift: 4, target: 2, from: 0, to: None },
        Deed::Punch(16 * 60, PunchKind::CheckIn),
        Deed::Pass(11),
        Deed::Close(0),
        Deed::Suspend,
    ] {
        life.happen(&deed).await.unwrap();
    }
    let punches: Vec<_> = life.punches().await.into_iter().map(|(punch, _)| punch.kind).collect();
    assert_eq!((life.closed_periods.len(), punches), (1, vec![PunchKind::CheckIn]));
}

#[tokio::test]
async fn a_suspension_ends_a_session_that_began_in_the_same_second() {
    let mut life = Life::new().await;
    for deed in [
        Deed::Punch(4 * 60, PunchKind::CheckIn),
        Deed::Punch(17 * 60, PunchKind::CheckIn),
        Deed::Join(Some(10)),
        Deed::Suspend,
        Deed::Join(None),
    ] {
        life.happen(&deed).await.unwrap();
    }
    let ends = life.punches().await.into_iter().filter(|(punch, _)| punch.kind == PunchKind::Close).count();
    assert_eq!(ends, 1);
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn after_any_change_records_follow_from_the_facts(deeds in prop::collection::vec(a_deed(), 1..16)) {
        at_once(async {
            let mut life = Life::new().await;
            for (number, deed) in deeds.iter().enumerate() {
                let done = life.happen(deed).await;
                prop_assert!(done.is_ok(), "deed {number} failed: {done:?}");
                let (differences, lost) = life.odd().await;
                prop_assert!(differences.is_empty(), "after deed {number}:\n{}", differences.join("\n"));
                prop_assert!(lost.is_empty(), "after deed {number} these are in no record: {lost:#?}");
            }
            Ok(())
        })?;
    }

    #[test]
    fn open_session_ends_the_same_after_a_change_of_time_zone(
        before in 0..ZONES.len(), after in 0..ZONES.len(), of_department in any::<bool>(),
        came in 0_i64..48, worked in 1_i64..9,
    ) {
        let zone = |zone| if of_department { Deed::ZoneOfDepartment(Some(zone)) } else { Deed::Zone(Some(zone)) };
        let punches = |moves: bool, leaves: PunchKind| async move {
            let mut life = Life::new().await;
            life.happen(&zone(before)).await.unwrap();
            life.happen(&Deed::Punch(came * 30, PunchKind::CheckIn)).await.unwrap();
            if moves {
                life.happen(&zone(after)).await.unwrap();
            }
            life.happen(&Deed::Punch(worked * 30, leaves)).await.unwrap();
            if moves {
                life.happen(&zone(before)).await.unwrap();
                life.happen(&zone(after)).await.unwrap();
            }
            life.punches().await.into_iter().map(|(punch, _)| (punch.at, punch.direction)).collect::<Vec<_>>()
        };
        for leaves in [PunchKind::Auto, PunchKind::CheckOut] {
            let stayed = at_once(punches(false, leaves));
            if stayed.first().is_some_and(|(_, last)| *last == Some(Direction::CheckOut)) {
                prop_assert_eq!(at_once(punches(true, leaves)), stayed);
            }
        }
    }
}
