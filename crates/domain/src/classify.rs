//! What a day comes to, the last question of the rule engine. A record is a pure function of the day's punches, its shift and
//! the time of reading. Durations are elapsed whole seconds and never negative; comparisons are strict, so that the
//! edge of a grace is on time.

use jiff::{Span, Timestamp};

use crate::attendance::{Day, DayStatus, Direction, Event, Flag, Record};
use crate::policy::{DAY_CUTOFF, Policy, after, seconds};
use crate::schedule::Expectation;
use crate::shift::{Pairing, ShiftInstance};

/// What a day comes to, read at `now`.
#[must_use]
pub fn classify(day: &Day, now: Timestamp) -> Record {
    read(day, &Stay::of(&day.events, day.pairing()), now)
}

/// What a day comes to once nothing more can happen, `open` telling whether the person had not left. With `first_in`
/// or `last_out`, as if they had come or left then, see [`classify_as_if`].
#[must_use]
pub fn settle(day: &Day, first_in: Option<Timestamp>, last_out: Option<Timestamp>) -> Record {
    let mut stay = Stay::of(&day.events, day.pairing());
    stay.retime(first_in, last_out);
    let record = read(day, &stay, Timestamp::MAX);
    Record { open: stay.still_in.is_some(), ..record }
}

/// What a day would come to if the person had come or left at other times than their punches tell: those that are
/// given replace the first arrival and the last departure.
#[must_use]
pub fn classify_as_if(
    day: &Day,
    first_in: Option<Timestamp>,
    last_out: Option<Timestamp>,
    now: Timestamp,
) -> Record {
    let mut stay = Stay::of(&day.events, day.pairing());
    stay.retime(first_in, last_out);
    read(day, &stay, now)
}

fn read(day: &Day, stay: &Stay, now: Timestamp) -> Record {
    match &day.shift {
        Some(instance) => in_shift(instance, stay, now),
        None => outside(day, stay, now),
    }
}

/// The record of a day on which the person was on leave: leave holds, and work in spite of it is for somebody to
/// look at.
#[must_use]
pub fn on_leave(record: Record) -> Record {
    let mut record = Record { status: DayStatus::OnLeave, late_seconds: 0, early_exit_seconds: 0, ..record };
    record.flags.retain(|flag| !matches!(flag, Flag::Late | Flag::EarlyExit | Flag::InsufficientHours));
    if record.first_in.is_some() {
        record.flags.extend([Flag::WorkedOnLeave, Flag::NeedsReview]);
    }
    record
}

/// What a date without a single punch comes to, read at `now`: one record for each shift, or one for a date that
/// asks nothing; none for a date before or after employment.
#[must_use]
pub fn classify_unpunched(expected: &Expectation, policy: &Policy, now: Timestamp) -> Vec<Record> {
    match expected {
        Expectation::Work(shifts) => {
            shifts.iter().map(|shift| classify_unmarked(shift, policy, now)).collect()
        }
        Expectation::Leave(shifts) => {
            shifts.iter().map(|shift| on_leave(classify_unmarked(shift, policy, now))).collect()
        }
        Expectation::Holiday => vec![blank(DayStatus::Holiday)],
        Expectation::Off => vec![blank(DayStatus::DayOff)],
        Expectation::NotEmployed => Vec::new(),
    }
}

/// What a planned shift without a single punch comes to, read at `now`.
#[must_use]
pub fn classify_unmarked(instance: &ShiftInstance, policy: &Policy, now: Timestamp) -> Record {
    let over = now >= after(instance.closes, policy.settle);
    let status = if over { DayStatus::Absent } else { DayStatus::Pending };
    Record { scheduled_seconds: instance.scheduled_seconds(), ..blank(status) }
}

/// When a person was there.
struct Stay {
    /// Arrivals with the departures that end them, in order.
    pairs: Vec<(Timestamp, Timestamp)>,
    /// An arrival without a departure after it.
    still_in: Option<Timestamp>,
    /// An arrival whose session the system ended.
    cut_off: Option<Timestamp>,
}

impl Stay {
    /// Reads punches in the order of time. A departure before any arrival ends nothing; one after another moves the
    /// end of what it ended.
    fn of(events: &[Event], pairing: Pairing) -> Self {
        let mut stay = Self { pairs: Vec::new(), still_in: None, cut_off: None };
        for event in events.iter().filter(|event| event.counts()) {
            match event.direction {
                Some(Direction::CheckIn) if stay.still_in.is_none() => stay.come(event.at, pairing),
                Some(Direction::CheckIn) => {}
                Some(Direction::CheckOut) => stay.leave(event.at),
                None => stay.cut_off = stay.still_in.take().or(stay.cut_off),
            }
        }
        stay
    }

    fn come(&mut self, at: Timestamp, pairing: Pairing) {
        // Whoever comes back was never away, if only the first arrival counts.
        self.still_in = match pairing {
            Pairing::FirstLast => Some(self.pairs.pop().map_or(at, |(first, _)| first)),
            Pairing::EveryPair => Some(at),
        };
    }

    fn leave(&mut self, at: Timestamp) {
        match (self.still_in.take(), self.pairs.last_mut()) {
            (Some(came), _) => self.pairs.push((came, at)),
            (None, Some((_, left))) => *left = at,
            (None, None) => {}
        }
    }

    /// Moves the first arrival and the last departure; pairs that are then empty are gone.
    fn retime(&mut self, first_in: Option<Timestamp>, last_out: Option<Timestamp>) {
        if last_out.is_some() {
            self.still_in = self.still_in.take().or(self.cut_off.take());
        }
        if let Some(came) = first_in {
            match (self.pairs.first_mut(), &mut self.still_in) {
                (Some((first, _)), _) => *first = came,
                (None, still_in) => *still_in = Some(came),
            }
        }
        if let Some(left) = last_out {
            self.pairs.extend(self.still_in.take().map(|came| (came, left)));
            if let Some((_, last)) = self.pairs.last_mut() {
                *last = left;
            }
        }
        self.pairs.retain(|(came, left)| came <= left);
    }

    fn first_in(&self) -> Option<Timestamp> {
        self.pairs.first().map(|(came, _)| *came).or(self.still_in).or(self.cut_off)
    }

    fn last_out(&self) -> Option<Timestamp> {
        self.pairs.last().map(|(_, left)| *left)
    }

    /// Seconds of the pairs between two instants.
    fn within(&self, from: Timestamp, to: Timestamp) -> i64 {
        self.pairs.iter().map(|(came, left)| seconds((*came).max(from), (*left).min(to))).sum()
    }

    /// Seconds between the pairs.
    fn breaks(&self) -> i64 {
        self.pairs.windows(2).map(|two| seconds(two[0].1, two[1].0)).sum()
    }
}

fn in_shift(instance: &ShiftInstance, stay: &Stay, now: Timestamp) -> Record {
    let (shift, counting) = (&instance.shift, &instance.shift.counting);
    let mut record = Record {
        first_in: stay.first_in(),
        scheduled_seconds: instance.scheduled_seconds(),
        ..blank(DayStatus::Pending)
    };
    let Some(came) = record.first_in else { return record };

    let late = seconds(instance.start, came);
    if counting.flexible.is_none() && late > shift.grace.as_secs() {
        record.late_seconds = late;
        record.flags.push(Flag::Late);
    }
    let arrived = if record.late_seconds > 0 { DayStatus::Late } else { DayStatus::Present };

    let closed;
    let stay = match stay.still_in {
        None if stay.cut_off.is_some() => {
            record.flags.extend([Flag::MissingCheckOut, Flag::AutoClosed]);
            return Record { status: arrived, ..record };
        }
        None => stay,
        Some(_) if now < instance.closes => return Record { status: arrived, open: true, ..record },
        Some(since) if counting.auto_out => {
            let left = instance.end.max(since);
            let pairs = stay.pairs.iter().copied().chain([(since, left)]).collect();
            closed = Stay { pairs, still_in: None, cut_off: None };
            record.flags.push(Flag::AutoClosed);
            &closed
        }
        Some(_) => {
            record.flags.push(Flag::MissingCheckOut);
            return Record { status: arrived, ..record };
        }
    };

    let left = stay.last_out().unwrap_or(came);
    record.last_out = Some(left);
    let early = seconds(left, instance.end);
    if counting.flexible.is_none() && early > shift.early_grace.as_secs() {
        record.early_exit_seconds = early;
        record.flags.push(Flag::EarlyExit);
    }
    record.break_seconds = stay.breaks();
    let worked = worked(instance, stay);
    record.worked_seconds = Some(worked);
    record.overtime_seconds = overtime(instance, stay, worked);
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

fn worked(instance: &ShiftInstance, stay: &Stay) -> i64 {
    let counting = &instance.shift.counting;
    let from = if counting.early_arrival { Timestamp::MIN } else { instance.start };
    let there = stay.within(from, Timestamp::MAX);
    let pause = counting.unpaid_break.as_secs();
    if counting.pairing == Pairing::FirstLast && there >= counting.break_after.as_secs() {
        (there - pause).max(0)
    } else {
        there
    }
}

fn overtime(instance: &ShiftInstance, stay: &Stay, worked: i64) -> i64 {
    let counting = &instance.shift.counting;
    match counting.flexible {
        Some(expected) => counting.overtime.of(0, (worked - expected.as_secs()).max(0)),
        None => {
            let before = stay.within(Timestamp::MIN, instance.start);
            // A break that was taken off is no overtime either.
            counting.overtime.of(before, stay.within(instance.end, Timestamp::MAX).min(worked))
        }
    }
}

/// Work outside of any shift: all of it is overtime.
fn outside(day: &Day, stay: &Stay, now: Timestamp) -> Record {
    let closes = day.zone.instant(day.key.date.saturating_add(Span::new().days(1)).to_datetime(DAY_CUTOFF));
    let cut_off = stay.cut_off.is_some();
    let forgotten = (stay.still_in.is_some() && now >= closes) || cut_off;
    let mut flags = Vec::new();
    flags.extend(forgotten.then_some(Flag::MissingCheckOut));
    flags.extend(cut_off.then_some(Flag::AutoClosed));
    let worked = (stay.still_in.is_none() && !cut_off)
        .then(|| stay.within(Timestamp::MIN, Timestamp::MAX))
        .filter(|_| !stay.pairs.is_empty());
    Record {
        first_in: stay.first_in(),
        last_out: worked.and(stay.last_out()),
        flags,
        worked_seconds: worked,
        overtime_seconds: worked.unwrap_or(0),
        open: stay.still_in.is_some() && !forgotten,
        ..blank(DayStatus::OffDayWorked)
    }
}

pub(crate) const fn blank(status: DayStatus) -> Record {
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
