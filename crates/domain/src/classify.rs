//! What a day comes to, the last question of the rule engine. A record is a pure function of the day's punches, its shift and
//! the time of reading. Durations are elapsed whole seconds and never negative; comparisons are strict, so that the
//! edge of a grace is on time.

use jiff::{Span, Timestamp};

use crate::attendance::{Day, DayStatus, Direction, Flag, Punch, Record};
use crate::calendar::seconds;
use crate::policy::{DAY_CUTOFF, Policy, after};
use crate::schedule::Expectation;
use crate::shift::{Pairing, ShiftInstance};

/// What a day comes to, read at `now`. Overtime that is counted by the week is not told by one day alone, see
/// [`crate::replay::derive`].
#[must_use]
pub fn classify(day: &Day, now: Timestamp) -> Record {
    read(day, &Stay::of(&day.punches, day.pairing()), now)
}

/// What a day comes to once nothing more can happen, `open` telling whether the person had not left. With `first_in`
/// or `last_out`, as if they had come or left then: those that are given replace the first arrival and the last departure
/// that the punches tell.
#[must_use]
pub fn settle(day: &Day, first_in: Option<Timestamp>, last_out: Option<Timestamp>) -> Record {
    let mut stay = Stay::of(&day.punches, day.pairing());
    stay.retime(first_in, last_out);
    let record = read(day, &stay, Timestamp::MAX);
    Record { open: stay.still_in.is_some(), ..record }
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
    worked_on_leave(record)
}

/// A record of a date of leave that tells, if there is work in it, that there should not be any.
pub(crate) fn worked_on_leave(mut record: Record) -> Record {
    if record.first_in.or(record.last_out).is_some() {
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
    pairing: Pairing,
    /// Arrivals with the departures that end them, in order.
    pairs: Vec<(Timestamp, Timestamp)>,
    /// An arrival without a departure after it.
    still_in: Option<Timestamp>,
    /// An arrival whose session the system ended, nobody knows when the person left.
    cut_off: Option<Timestamp>,
    /// A departure without any arrival before it.
    left: Option<Timestamp>,
}

impl Stay {
    /// Reads punches in the order of time. A departure before any arrival ends nothing; one after another moves the
    /// end of what it ended.
    fn of(punches: &[Punch], pairing: Pairing) -> Self {
        let mut stay = Self { pairing, pairs: Vec::new(), still_in: None, cut_off: None, left: None };
        for punch in punches.iter().filter(|punch| punch.counts()) {
            match punch.direction {
                Some(Direction::CheckIn) if stay.still_in.is_none() => stay.come(punch.at),
                Some(Direction::CheckIn) => {}
                Some(Direction::CheckOut) => stay.leave(punch.at),
                None => stay.cut_off = stay.still_in.take().or(stay.cut_off),
            }
        }
        stay
    }

    fn come(&mut self, at: Timestamp) {
        self.still_in = match self.pairing {
            // Whoever comes back after the system ended their session was never away, if only the first
            // arrival counts.
            Pairing::FirstLast => self.cut_off.take().or(Some(at)),
            Pairing::EveryPair => Some(at),
        };
    }

    fn leave(&mut self, at: Timestamp) {
        match (self.last_open(), self.pairs.last_mut()) {
            (Some(came), _) => self.end(came, at),
            (None, Some((_, left))) => *left = at,
            (None, None) => self.left = Some(at),
        }
    }

    /// Adds a pair. If only the first arrival and the last departure count, whoever came back was never away.
    fn end(&mut self, came: Timestamp, left: Timestamp) {
        match (self.pairing, self.pairs.last_mut()) {
            (Pairing::FirstLast, Some((first, last))) => (*first, *last) = ((*first).min(came), left),
            _ => self.pairs.push((came, left)),
        }
    }

    /// Takes the last arrival if no departure follows it.
    fn last_open(&mut self) -> Option<Timestamp> {
        let last = self.pairs.last().map(|(came, _)| *came);
        self.still_in.take().or_else(|| self.cut_off.take_if(|cut| last.is_none_or(|came| came < *cut)))
    }

    /// Moves the first arrival and the last departure. What lies before the one or after the other did not happen.
    fn retime(&mut self, first_in: Option<Timestamp>, last_out: Option<Timestamp>) {
        if let Some(came) = first_in {
            self.pairs.retain(|(_, left)| came <= *left);
            let cut_off_first =
                self.cut_off.is_some_and(|cut| self.pairs.first().is_none_or(|(first, _)| cut < *first));
            match (self.pairs.first_mut(), self.left.take_if(|left| came <= *left)) {
                _ if cut_off_first => self.cut_off = Some(came),
                (Some((first, _)), _) => *first = came,
                (None, Some(left)) => self.pairs.push((came, left)),
                (None, None) => self.still_in = Some(came),
            }
        }
        if let Some(left) = last_out {
            if let Some(came) = self.last_open() {
                self.end(came, left);
            }
            self.pairs.retain(|(came, _)| *came <= left);
            match self.pairs.last_mut() {
                Some((_, last)) => *last = left,
                None => self.left = Some(left),
            }
        }
    }

    fn first_in(&self) -> Option<Timestamp> {
        let first = self.pairs.first().map(|(came, _)| *came);
        first.into_iter().chain(self.still_in).chain(self.cut_off).min()
    }

    /// When the person left for good, as far as is known.
    fn last_out(&self) -> Option<Timestamp> {
        match self.pairs.last() {
            Some((came, left)) => self.cut_off.is_none_or(|cut| cut < *came).then_some(*left),
            None => self.left.filter(|_| self.cut_off.is_none()),
        }
    }

    /// Whether it is known how long the person was there, at least: only the last arrival may have no
    /// departure.
    fn is_known(&self) -> bool {
        let last = self.pairs.last();
        last.is_some_and(|(came, _)| self.cut_off.is_none_or(|cut| came < &cut))
    }

    /// Whether nothing else can come to light: every arrival has its departure.
    fn is_whole(&self) -> bool {
        self.still_in.is_none() && self.cut_off.is_none() && self.is_known()
    }

    /// Seconds of the pairs between two instants.
    fn within(&self, from: Timestamp, to: Timestamp) -> i64 {
        self.pairs.iter().map(|(came, left)| seconds((*came).max(from), (*left).min(to))).sum()
    }

    /// Seconds between the pairs. What lies before an arrival without a departure is not told: with it the
    /// time worked would not fit between coming and leaving.
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
    if record.first_in.or(stay.left).is_none() {
        return record;
    }

    let late = record.first_in.map_or(0, |came| seconds(instance.start, came));
    if counting.flexible.is_none() && late > shift.grace.as_secs() {
        record.late_seconds = late;
        record.flags.push(Flag::Late);
    }
    record.status = if record.late_seconds > 0 { DayStatus::Late } else { DayStatus::Present };

    let closed;
    let stay = match stay.still_in {
        None => stay,
        Some(_) if now < instance.closes => return Record { open: true, ..record },
        Some(since) if counting.auto_out && stay.cut_off.is_none() => {
            let mut ended = Stay { pairs: stay.pairs.clone(), still_in: None, left: None, ..*stay };
            ended.end(since, instance.end.max(since));
            closed = ended;
            record.flags.push(Flag::AutoClosed);
            &closed
        }
        Some(_) => {
            record.flags.push(Flag::MissingCheckOut);
            count(instance, stay, &mut record);
            return record;
        }
    };

    record.last_out = stay.last_out();
    let early = record.last_out.map_or(0, |left| seconds(left, instance.end));
    if counting.flexible.is_none() && early > shift.early_grace.as_secs() {
        record.early_exit_seconds = early;
        record.flags.push(Flag::EarlyExit);
    }
    if stay.cut_off.is_some() {
        record.flags.extend([Flag::MissingCheckOut, Flag::AutoClosed]);
    }
    count(instance, stay, &mut record);
    let Some(worked) = record.worked_seconds.filter(|_| stay.is_whole()) else {
        // It may have been more: nothing follows from how much is known.
        return record;
    };
    if worked < instance.share(shift.absent_below) {
        record.flags.push(Flag::InsufficientHours);
        record.status = DayStatus::Absent;
    } else if worked < instance.share(shift.half_day_below) {
        record.status = DayStatus::HalfDay;
    }
    record
}

/// Counts what is known, also if the last arrival has no departure.
fn count(instance: &ShiftInstance, stay: &Stay, record: &mut Record) {
    if stay.is_known() {
        let worked = worked(instance, stay);
        record.break_seconds = stay.breaks();
        record.worked_seconds = Some(worked);
        record.overtime_seconds = overtime(instance, stay, worked);
    }
}

fn worked(instance: &ShiftInstance, stay: &Stay) -> i64 {
    let counting = &instance.shift.counting;
    // Whoever chooses their hours comes as early as they like.
    let early = counting.early_arrival || counting.flexible.is_some();
    let from = if early { Timestamp::MIN } else { instance.start };
    counting.paid(stay.within(from, Timestamp::MAX))
}

fn overtime(instance: &ShiftInstance, stay: &Stay, worked: i64) -> i64 {
    let counting = &instance.shift.counting;
    match counting.flexible {
        Some(expected) => counting.overtime.of(0, (worked - instance.share(expected)).max(0)),
        None => {
            let before = stay.within(Timestamp::MIN, instance.start);
            // A break that was taken off is no overtime either.
            let before = if counting.early_arrival { before.min(worked) } else { before };
            let both = counting.early_arrival && counting.overtime.before;
            let left = if both { worked - before } else { worked };
            counting.overtime.of(before, stay.within(instance.end, Timestamp::MAX).min(left))
        }
    }
}

/// Work outside of any shift: all of it is overtime.
fn outside(day: &Day, stay: &Stay, now: Timestamp) -> Record {
    let closes = day.zone.instant(day.key.date.saturating_add(Span::new().days(1)).to_datetime(DAY_CUTOFF));
    let open = stay.still_in.is_some() && now < closes;
    let cut_off = stay.cut_off.is_some();
    let mut flags = Vec::new();
    flags.extend((!open && (stay.still_in.is_some() || cut_off)).then_some(Flag::MissingCheckOut));
    flags.extend((!open && cut_off).then_some(Flag::AutoClosed));
    let known = !open && stay.is_known();
    let worked = known.then(|| stay.within(Timestamp::MIN, Timestamp::MAX));
    Record {
        first_in: stay.first_in(),
        last_out: stay.last_out().filter(|_| stay.still_in.is_none()),
        flags,
        worked_seconds: worked,
        overtime_seconds: worked.unwrap_or(0),
        open,
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
