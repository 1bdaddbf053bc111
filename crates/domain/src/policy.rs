//! The rule engine: which shift a punch belongs to, what it means, and what a day comes to. Pure functions; the
//! same inputs always give the same answer. Intervals are half-open, durations are elapsed seconds.

use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Span, Timestamp};

use crate::attendance::{Day, DayKey, DayStatus, Direction, Flag, Record};
use crate::calendar::{Workdays, Zone};
use crate::id::{ShiftId, UserId};

/// A daily pattern of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// Its identifier.
    pub id: ShiftId,
    /// Its name.
    pub name: String,
    /// Local time at which it begins.
    pub starts: Time,
    /// Local time at which it ends; at or before `starts` means on the next day.
    pub ends: Time,
    /// The days on which it begins.
    pub workdays: Workdays,
    /// Arrivals up to this long after the start are on time.
    pub grace: SignedDuration,
    /// Departures up to this long before the end are not early.
    pub early_grace: SignedDuration,
    /// Punches count from this long before the start …
    pub before: SignedDuration,
    /// … until this long after the end.
    pub after: SignedDuration,
    /// Less work than this is half a day.
    pub half_day_below: SignedDuration,
    /// Less work than this is an absence.
    pub absent_below: SignedDuration,
    /// Work after the end counts from this length on.
    pub overtime_min: SignedDuration,
}

impl Shift {
    /// Identifier of the shift every installation begins with.
    pub const STANDARD_ID: ShiftId = ShiftId::new(uuid::uuid!("00000000-0000-7000-8000-000000000001"));

    /// The shift of a new installation: 09:00 to 18:00, Monday to Friday, ten minutes of grace.
    #[must_use]
    pub fn standard() -> Self {
        let minutes = |n: i64| SignedDuration::from_mins(n);
        Self {
            id: Self::STANDARD_ID,
            name: "Standard".into(),
            starts: Time::constant(9, 0, 0, 0),
            ends: Time::constant(18, 0, 0, 0),
            workdays: Workdays::MONDAY_TO_FRIDAY,
            grace: minutes(10),
            early_grace: minutes(10),
            before: minutes(60),
            after: minutes(60),
            half_day_below: minutes(4 * 60 + 30),
            absent_below: minutes(2 * 60),
            overtime_min: minutes(15),
        }
    }

    /// The shift as planned for the date on which it begins, whether or not that is a working day.
    #[must_use]
    pub fn on(&self, date: Date, zone: &Zone) -> ShiftInstance {
        let end_date = if self.ends <= self.starts { date.saturating_add(Span::new().days(1)) } else { date };
        let start = zone.instant(date.to_datetime(self.starts));
        let end = zone.instant(end_date.to_datetime(self.ends));
        ShiftInstance {
            shift: self.clone(),
            date,
            start,
            end,
            opens: start.saturating_sub(self.before).unwrap_or(Timestamp::MIN),
            closes: end.saturating_add(self.after).unwrap_or(Timestamp::MAX),
        }
    }

    /// Whether it is worked on that date.
    #[must_use]
    pub fn is_worked_on(&self, date: Date) -> bool {
        self.workdays.contains(date.weekday())
    }
}

/// A shift on a date, as instants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShiftInstance {
    /// The pattern it follows.
    pub shift: Shift,
    /// The local date on which it begins.
    pub date: Date,
    /// When it begins.
    pub start: Timestamp,
    /// When it ends.
    pub end: Timestamp,
    /// From when on punches belong to it.
    pub opens: Timestamp,
    /// Until when punches belong to it, exclusive.
    pub closes: Timestamp,
}

impl ShiftInstance {
    /// Its length in elapsed seconds; daylight saving makes a night an hour longer or shorter.
    #[must_use]
    pub fn scheduled_seconds(&self) -> i64 {
        seconds(self.start, self.end)
    }

    fn takes(&self, at: Timestamp) -> bool {
        self.opens <= at && at < self.closes
    }
}

/// Outside of shifts, the local time at which a day begins.
pub const DAY_CUTOFF: Time = Time::constant(4, 0, 0, 0);

/// Rules that hold whatever the shift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// A punch within this of an accepted one is the same glance.
    pub cooldown: SignedDuration,
    /// Nobody leaves sooner than this after coming, unless they say so.
    pub min_session: SignedDuration,
    /// After its window a missed shift is an absence once this has passed.
    pub settle: SignedDuration,
}

impl Policy {
    /// One minute between glances, five minutes between coming and leaving, a quarter of an hour to settle.
    pub const STANDARD: Self = Self {
        cooldown: SignedDuration::from_secs(60),
        min_session: SignedDuration::from_secs(300),
        settle: SignedDuration::from_mins(15),
    };
}

/// The day to which a punch at `at` belongs.
///
/// In this order: the shift in which the person still is, as long as its window is open; the shift whose
/// window is open and whose start is nearest; no shift, on the date that [`DAY_CUTOFF`] tells.
/// `days` are the person's days around that time, as last committed.
#[must_use]
pub fn slot(
    user: UserId,
    shift: &Shift,
    zone: &Zone,
    days: &[Day],
    at: Timestamp,
) -> (DayKey, Option<ShiftInstance>) {
    let still_in = days.iter().find(|day| {
        let inside = day.last_before(at).is_some_and(|last| last.direction == Direction::CheckIn);
        inside && day.shift.as_ref().is_some_and(|instance| instance.takes(at))
    });
    if let Some(day) = still_in {
        return (day.key, day.shift.clone());
    }

    let local = zone.local(at);
    let days_from = |n: i32| local.date().saturating_add(Span::new().days(n));
    // Two days either way, so that every shift that can take the punch has both its neighbors to part from.
    let mut planned: Vec<_> = (-2..=2)
        .map(days_from)
        .filter(|date| shift.is_worked_on(*date))
        .map(|date| shift.on(date, zone))
        .collect();
    part_windows(&mut planned);
    let nearest = planned
        .into_iter()
        .filter(|instance| instance.takes(at))
        .min_by_key(|instance| at.duration_since(instance.start).abs());
    if let Some(instance) = nearest {
        return (DayKey { user, date: instance.date, shift: Some(shift.id) }, Some(instance));
    }

    let date = days_from(if local.time() < DAY_CUTOFF { -1 } else { 0 });
    (DayKey { user, date, shift: None }, None)
}

/// Cuts overlapping windows of consecutive shifts halfway between the earlier end and the later start.
fn part_windows(planned: &mut [ShiftInstance]) {
    for next in 1..planned.len() {
        let (earlier, later) = (&planned[next - 1], &planned[next]);
        if earlier.closes > later.opens {
            let half = later.start.duration_since(earlier.end) / 2;
            let cut = earlier.end.saturating_add(half).unwrap_or(earlier.end);
            planned[next - 1].closes = cut;
            planned[next].opens = cut;
        }
    }
}

/// What a person or a camera asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Punch {
    /// Whatever fits.
    Auto,
    /// Coming.
    CheckIn,
    /// Leaving.
    CheckOut,
}

/// What a punch means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The person came.
    CheckedIn,
    /// The person left, or left again.
    CheckedOut,
    /// The same glance as an accepted punch; nothing is recorded before that instant.
    Cooldown(Timestamp),
    /// Too soon after coming to be leaving; nothing is recorded before that instant.
    MinSession(Timestamp),
    /// Cannot leave without having come.
    NoOpenSession,
    /// Cannot come twice.
    AlreadyCheckedIn,
}

impl Decision {
    /// The direction of the event it creates, if it creates one.
    #[must_use]
    pub const fn direction(self) -> Option<Direction> {
        match self {
            Self::CheckedIn => Some(Direction::CheckIn),
            Self::CheckedOut => Some(Direction::CheckOut),
            Self::Cooldown(_) | Self::MinSession(_) | Self::NoOpenSession | Self::AlreadyCheckedIn => None,
        }
    }
}

/// The day whose accepted punch is the same glance as one at `at`, and when the next one counts. Two days can
/// meet within a glance, so all that are near are asked.
#[must_use]
pub fn same_glance<'a>(
    days: impl IntoIterator<Item = &'a Day>,
    at: Timestamp,
    policy: &Policy,
) -> Option<(&'a Day, Timestamp)> {
    // Whichever direction the other punch lies in: one entered later for the past is the same glance too.
    let near =
        |day: &'a Day| day.events.iter().find(|event| at.duration_since(event.at).abs() < policy.cooldown);
    days.into_iter().find_map(|day| Some((day, after(near(day)?.at, policy.cooldown))))
}

/// Decides what a punch at `at` means on a day as it stands.
#[must_use]
pub fn decide(day: &Day, punch: Punch, at: Timestamp, policy: &Policy) -> Decision {
    if let Some((_, until)) = same_glance([day], at, policy) {
        return Decision::Cooldown(until);
    }
    let Some(last) = day.last_before(at) else {
        return match punch {
            Punch::Auto | Punch::CheckIn => Decision::CheckedIn,
            Punch::CheckOut => Decision::NoOpenSession,
        };
    };
    match (last.direction, punch) {
        (Direction::CheckIn, Punch::Auto) if at.duration_since(last.at) < policy.min_session => {
            Decision::MinSession(after(last.at, policy.min_session))
        }
        (_, Punch::Auto | Punch::CheckOut) => Decision::CheckedOut,
        (_, Punch::CheckIn) => Decision::AlreadyCheckedIn,
    }
}

/// What a day comes to, read at `now`.
#[must_use]
pub fn classify(day: &Day, now: Timestamp) -> Record {
    let (first_in, last_out) = (day.first_in(), day.last_out());
    match &day.shift {
        Some(instance) => classify_shift(instance, first_in, last_out, now),
        None => classify_off_day(day, now),
    }
}

/// What a planned shift without a single punch comes to, read at `now`.
#[must_use]
pub fn classify_unmarked(instance: &ShiftInstance, policy: &Policy, now: Timestamp) -> Record {
    let over = now >= after(instance.closes, policy.settle);
    let status = if over { DayStatus::Absent } else { DayStatus::Pending };
    Record { scheduled_seconds: instance.scheduled_seconds(), ..blank(status) }
}

fn classify_shift(
    instance: &ShiftInstance,
    first_in: Option<Timestamp>,
    last_out: Option<Timestamp>,
    now: Timestamp,
) -> Record {
    let shift = &instance.shift;
    let mut record = Record { first_in, last_out, ..blank(DayStatus::Pending) };
    record.scheduled_seconds = instance.scheduled_seconds();
    let Some(came) = first_in else { return record };

    let late = seconds(instance.start, came);
    if late > shift.grace.as_secs() {
        record.late_seconds = late;
        record.flags.push(Flag::Late);
    }
    let arrived = if record.late_seconds > 0 { DayStatus::Late } else { DayStatus::Present };
    let Some(left) = last_out else {
        record.open = now < instance.closes;
        if !record.open {
            record.flags.push(Flag::MissingCheckOut);
        }
        return Record { status: arrived, ..record };
    };

    let early = seconds(left, instance.end);
    if early > shift.early_grace.as_secs() {
        record.early_exit_seconds = early;
        record.flags.push(Flag::EarlyExit);
    }
    let worked = seconds(came.max(instance.start), left);
    let overtime = seconds(instance.end.max(came), left);
    record.worked_seconds = Some(worked);
    record.overtime_seconds = if overtime >= shift.overtime_min.as_secs() { overtime } else { 0 };
    record.status = if worked < shift.absent_below.as_secs() {
        record.flags.push(Flag::InsufficientHours);
        DayStatus::Absent
    } else if worked < shift.half_day_below.as_secs() {
        DayStatus::HalfDay
    } else {
        arrived
    };
    record
}

/// Work outside of any shift: all of it is overtime.
fn classify_off_day(day: &Day, now: Timestamp) -> Record {
    let (first_in, last_out) = (day.first_in(), day.last_out());
    let worked = first_in.zip(last_out).map(|(came, left)| seconds(came, left));
    let closes = day.zone.instant(day.key.date.saturating_add(Span::new().days(1)).to_datetime(DAY_CUTOFF));
    let still_in = first_in.is_some() && last_out.is_none();
    let forgotten = still_in && now >= closes;
    Record {
        first_in,
        last_out,
        flags: if forgotten { vec![Flag::MissingCheckOut] } else { Vec::new() },
        worked_seconds: worked,
        overtime_seconds: worked.unwrap_or(0),
        open: still_in && !forgotten,
        ..blank(DayStatus::OffDayWorked)
    }
}

const fn blank(status: DayStatus) -> Record {
    Record {
        status,
        flags: Vec::new(),
        first_in: None,
        last_out: None,
        worked_seconds: None,
        break_seconds: 0,
        scheduled_seconds: 0,
        late_seconds: 0,
        early_exit_seconds: 0,
        overtime_seconds: 0,
        open: false,
    }
}

/// Elapsed whole seconds, 0 if `to` is earlier.
fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_secs().max(0)
}

/// So long after an instant, or the last instant there is.
#[must_use]
pub fn after(at: Timestamp, wait: SignedDuration) -> Timestamp {
    at.saturating_add(wait).unwrap_or(Timestamp::MAX)
}
