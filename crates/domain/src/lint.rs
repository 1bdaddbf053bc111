//! What is odd about a plan: what cannot be meant, or will surprise somebody. Nothing here changes what a day comes to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime};

use crate::calendar::{DateRange, Zone};
use crate::id::{ShiftId, UserId};
use crate::plan::{Personal, Plan};
use crate::schedule::{Expectation, Schedule};
use crate::shift::{Shift, ShiftInstance};

/// Something odd, told once however many people and dates it concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What it is.
    pub code: Code,
    /// The shift, if it is about one.
    pub shift: Option<ShiftId>,
    /// Somebody whom it concerns, if it concerns people.
    pub person: Option<UserId>,
    /// How many people it concerns.
    pub people: u32,
    /// The first date on which it shows, if it shows on dates.
    pub date: Option<Date>,
    /// On how many dates it shows.
    pub dates: u32,
    /// The same for people.
    pub message: String,
}

crate::words! {
    /// How bad a finding is.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Severity {
        /// Records will be wrong.
        Error = "error",
        /// Records will probably surprise.
        Warning = "warning",
        /// Good to know.
        Info = "info",
    }
}

crate::words! {
    /// What a finding is about.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Code {
        /// A shift is given that does not exist.
        UnknownShift = "unknown_shift",
        /// Somebody has two shifts at the same time.
        ShiftsOverlap = "shifts_overlap",
        /// A grace is longer than half the shift.
        GraceTooLong = "grace_too_long",
        /// Nobody can work as much as a full day asks for.
        HalfDayAlways = "half_day_always",
        /// What is too little to count is more than what is half a day.
        ThresholdsReversed = "thresholds_reversed",
        /// The unpaid break takes all of the shift.
        BreakTooLong = "break_too_long",
        /// The window is longer than a day.
        WindowTooLong = "window_too_long",
        /// Somebody works a shift that was retired.
        RetiredShift = "retired_shift",
        /// Somebody has no shift.
        NoShift = "no_shift",
        /// Somebody has a shift, and no day on which to work it.
        NoWorkingDay = "no_working_day",
        /// The windows of two shifts in a row overlap; they are cut halfway.
        WindowsOverlap = "windows_overlap",
        /// Clocks change during the shift.
        LengthChanges = "length_changes",
        /// Clocks skip the start of the shift.
        StartSkipped = "start_skipped",
        /// Clocks show the start of the shift twice.
        StartRepeated = "start_repeated",
        /// Nobody works the shift.
        Unused = "unused",
    }
}

impl Code {
    /// How bad it is.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::UnknownShift
            | Self::ShiftsOverlap
            | Self::HalfDayAlways
            | Self::ThresholdsReversed
            | Self::BreakTooLong => Severity::Error,
            Self::GraceTooLong
            | Self::WindowTooLong
            | Self::RetiredShift
            | Self::NoShift
            | Self::NoWorkingDay => Severity::Warning,
            Self::WindowsOverlap
            | Self::LengthChanges
            | Self::StartSkipped
            | Self::StartRepeated
            | Self::Unused => Severity::Info,
        }
    }
}

impl fmt::Display for Finding {
    /// One line: how bad, what, whom and when.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.severity.name(), self.message)?;
        let of =
            |count: u32, one: &str, more: &str| format!("{count} {}", if count == 1 { one } else { more });
        if self.people > 0 {
            write!(f, "; {}", of(self.people, "person", "people"))?;
        }
        match self.date {
            Some(first) if self.dates > 1 => write!(f, "; {} dates from {first} on", self.dates),
            Some(only) => write!(f, "; {only}"),
            None => Ok(()),
        }
    }
}

/// Looks for what is odd about a plan within some dates, for these people. `retired` are the shifts that should not be
/// worked any more. The worst first, then by code and shift.
#[must_use]
pub fn lint(
    plan: &Plan,
    retired: &BTreeSet<ShiftId>,
    people: &[(UserId, Personal)],
    dates: DateRange,
) -> Vec<Finding> {
    let mut oddities = Oddities::default();
    let mut worked = BTreeSet::new();
    given(plan, people, &mut oddities);
    for (user, personal) in people {
        for instance in person(*user, &plan.schedule(personal), dates, &mut oddities) {
            let (id, name) = (instance.shift.id, &instance.shift.name);
            if retired.contains(&id) {
                let message = format!("{name} was retired, and is still worked");
                oddities.note(Code::RetiredShift, Some(id), Some(*user), Some(instance.date), message);
            }
            worked.insert(id);
        }
    }
    for (id, versions) in plan.shifts.iter().filter(|(id, _)| worked.contains(id) || !retired.contains(id)) {
        for date in dates.days() {
            rules(versions.on(date), date, &mut oddities);
        }
        if !worked.contains(id) {
            let name = &versions.on(dates.to()).name;
            oddities.note(Code::Unused, Some(*id), None, None, format!("nobody works {name}"));
        }
    }
    oddities.findings()
}

/// Shifts that are given to somebody although they do not exist.
fn given(plan: &Plan, people: &[(UserId, Personal)], oddities: &mut Oddities) {
    let mut ask = |shift: ShiftId, user: Option<UserId>, whose: &str| {
        if !plan.shifts.contains_key(&shift) {
            oddities.note(Code::UnknownShift, Some(shift), user, None, format!("{whose} does not exist"));
        }
    };
    ask(plan.default, None, "the shift that everybody works");
    for given in &plan.assignments {
        ask(given.shift, None, "a shift that is given to everybody or to a department");
    }
    for (user, personal) in people {
        for given in &personal.assignments {
            ask(given.shift, Some(*user), "a shift that is given to people");
        }
        for shift in personal.placements.iter().filter_map(|placement| placement.shift) {
            ask(shift, Some(*user), "the usual shift of people");
        }
    }
}

/// What is odd about the rules of a shift that hold on a date.
fn rules(shift: &Shift, date: Date, oddities: &mut Oddities) {
    let length = shift.length();
    let full = shift.counting.flexible.unwrap_or(length);
    let name = &shift.name;
    let mut note = |code, message| oddities.note(code, Some(shift.id), None, Some(date), message);
    for (grace, what) in [(shift.grace, "arriving"), (shift.early_grace, "leaving")] {
        if shift.counting.flexible.is_none() && grace > length / 2 {
            note(
                Code::GraceTooLong,
                format!(
                    "the grace for {what} of {name} is {}, more than half of its {}",
                    hm(grace),
                    hm(length)
                ),
            );
        }
    }
    if shift.half_day_below > full {
        note(
            Code::HalfDayAlways,
            format!("{name} lasts {}, and less than {} is half a day", hm(full), hm(shift.half_day_below)),
        );
    }
    if shift.absent_below >= shift.half_day_below && !shift.absent_below.is_zero() {
        note(
            Code::ThresholdsReversed,
            format!(
                "of {name}, less than {} is an absence, so that less than {} is never half a day",
                hm(shift.absent_below),
                hm(shift.half_day_below)
            ),
        );
    }
    let pause = shift.counting.unpaid_break;
    if pause >= length {
        note(
            Code::BreakTooLong,
            format!("the unpaid break of {name} is {}, all of its {}", hm(pause), hm(length)),
        );
    }
    let window = shift.before + length + shift.after;
    if window > DAY {
        note(Code::WindowTooLong, format!("punches count for {name} during {}, more than a day", hm(window)));
    }
}

/// What is odd about what one person is expected to do, and when they work.
fn person(
    user: UserId,
    schedule: &Schedule,
    dates: DateRange,
    oddities: &mut Oddities,
) -> Vec<ShiftInstance> {
    let takes_part: Vec<Date> = dates.days().filter(|date| schedule.takes_part(*date)).collect();
    let Some(first) = takes_part.first() else { return Vec::new() };
    let mut planned: Vec<ShiftInstance> = Vec::new();
    for date in dates.days() {
        planned.extend(schedule.on(date).shifts().iter().cloned());
    }
    let works = |date: &Date| matches!(schedule.on(*date), Expectation::Work(_) | Expectation::Leave(_));
    if !takes_part.iter().any(works) {
        let has_one = takes_part.iter().any(|date| schedule.has_shift(*date));
        let (code, message) = if has_one {
            (Code::NoWorkingDay, "people have a shift, and no day on which to work it")
        } else {
            (Code::NoShift, "people have no shift")
        };
        oddities.note(code, None, Some(user), Some(*first), message.into());
    }
    planned.sort_by_key(|instance| (instance.start, instance.end));
    for two in planned.windows(2) {
        together(user, &two[0], &two[1], oddities);
    }
    for instance in &planned {
        clocks(user, instance, schedule.zones.on(instance.date), oddities);
    }
    planned
}

/// What is odd about two shifts in a row of one person.
fn together(user: UserId, earlier: &ShiftInstance, later: &ShiftInstance, oddities: &mut Oddities) {
    let (one, other) = (&earlier.shift.name, &later.shift.name);
    let mut note =
        |code, message| oddities.note(code, Some(later.shift.id), Some(user), Some(later.date), message);
    if later.start < earlier.end {
        note(Code::ShiftsOverlap, format!("{other} begins before {one} has ended"));
    } else if later.opens < earlier.closes {
        let message = if later.start == earlier.end {
            format!(
                "{other} begins as {one} ends: whoever is in leaves {one}, whoever is out comes for {other}"
            )
        } else {
            format!("punches between {one} and {other} count for either; the time between them is halved")
        };
        note(Code::WindowsOverlap, message);
    }
}

/// What daylight saving does to a shift of one person.
fn clocks(user: UserId, instance: &ShiftInstance, zone: &Zone, oddities: &mut Oddities) {
    let shift = &instance.shift;
    let (name, zone_name) = (&shift.name, zone.name());
    let whole = shift.on(instance.date, zone);
    let mut note =
        |code, message| oddities.note(code, Some(shift.id), Some(user), Some(instance.date), message);
    let differs = whole.end.duration_since(whole.start) - shift.length();
    if !differs.is_zero() {
        let how = if differs.is_negative() { "shorter" } else { "longer" };
        let by = hm(differs.abs());
        note(Code::LengthChanges, format!("clocks change during {name} in {zone_name}: it is {by} {how}"));
    }
    let starts: DateTime = instance.date.to_datetime(shift.starts);
    match zone.times_shown(starts) {
        0 => note(
            Code::StartSkipped,
            format!(
                "clocks in {zone_name} never show {}: {name} begins later",
                shift.starts.strftime("%H:%M")
            ),
        ),
        1 => {}
        _ => note(
            Code::StartRepeated,
            format!(
                "clocks in {zone_name} show {} twice: {name} begins at the first",
                shift.starts.strftime("%H:%M")
            ),
        ),
    }
}

/// A day as clocks show it.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A length in hours and minutes.
fn hm(length: SignedDuration) -> String {
    format!("{}:{:02} h", length.as_hours(), length.as_mins() % 60)
}

/// What was found so far: what it is, and whom and when it concerns.
#[derive(Default)]
struct Oddities(BTreeMap<What, Whom>);

/// What makes two findings the same one. In this order they are told.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct What {
    severity: Severity,
    code: Code,
    shift: Option<ShiftId>,
    message: String,
}

#[derive(Default)]
struct Whom {
    people: BTreeSet<UserId>,
    dates: BTreeSet<Date>,
}

impl Oddities {
    fn note(
        &mut self,
        code: Code,
        shift: Option<ShiftId>,
        user: Option<UserId>,
        date: Option<Date>,
        message: String,
    ) {
        let target = self.0.entry(What { severity: code.severity(), code, shift, message }).or_default();
        target.people.extend(user);
        target.dates.extend(date);
    }

    fn findings(self) -> Vec<Finding> {
        let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let finding = |(what, Whom { people, dates }): (What, Whom)| Finding {
            severity: what.severity,
            code: what.code,
            shift: what.shift,
            person: people.first().copied(),
            people: count(people.len()),
            date: dates.first().copied(),
            dates: count(dates.len()),
            message: what.message,
        };
        self.0.into_iter().map(finding).collect()
    }
}
