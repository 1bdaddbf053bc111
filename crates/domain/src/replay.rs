//! From a person's punches to their records: the rule engine, whole.
//!
//! Punches are read in the order in which they happened, whatever the order in which they became known, so that a
//! punch that arrives late changes everything that it would have changed had it arrived in time. A record is a pure
//! function of punches, schedule, policy and decisions: replaying them on an empty database makes the same records.

use jiff::civil::Date;
use jiff::{SignedDuration, Span, Timestamp};

use crate::Revision;
use crate::attendance::{Day, DayKey, DayRecord, Direction, Event, Flag, Punch, Record, Source};
use crate::calendar::{DateRange, Zone};
use crate::classify::{blank, classify_unpunched, on_leave, settle};
use crate::id::{EventId, ShiftId, UserId};
use crate::overrides::Override;
use crate::plan::{Placement, department_on};
use crate::policy::{DAY_CUTOFF, Decision, Policy, after, next};
use crate::schedule::{Expectation, Schedule, slot_among};
use crate::shift::ShiftInstance;

/// Dates before and after those wanted whose punches must be known: a night shift reaches into the next date, and two
/// time zones can be two dates apart.
pub const MARGIN: i32 = 3;

/// How long after coming somebody else may still say that the person left, beyond every window.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);

/// Everything a person's records follow from.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Whose.
    pub user: UserId,
    /// When they are expected.
    pub schedule: &'a Schedule,
    /// From which date on not to come is to be absent; before it only dates with punches or decisions have records.
    pub asked_from: Option<Date>,
    /// Where they belong, by date.
    pub placements: &'a [Placement],
    /// Their punches, in any order; those of [`MARGIN`] dates around the dates wanted are needed.
    pub events: &'a [Event],
    /// What was decided of single days.
    pub overrides: &'a [(DayKey, Override)],
    /// Days whose overtime is agreed to.
    pub approved: &'a [DayKey],
}

impl Facts<'_> {
    /// Whether a day has a record even if nobody came.
    fn asks(&self, key: DayKey) -> bool {
        self.asked_from.is_none_or(|from| from <= key.date)
            || self.overrides.iter().any(|(known, _)| *known == key)
    }
}

/// What a punch came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Which punch.
    pub event: EventId,
    /// The day to which it belongs.
    pub key: DayKey,
    /// What it means.
    pub decision: Decision,
}

/// What a person's punches came to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Replay {
    /// Days with punches, by time.
    pub days: Vec<Day>,
    /// Every punch, by time.
    pub readings: Vec<Reading>,
}

/// Reads a person's punches in order of time. `from` and `to` are the dates around which they lie.
#[must_use]
pub fn replay(facts: &Facts<'_>, from: Date, to: Date, policy: &Policy) -> Replay {
    let margin = Span::new().days(MARGIN + 1);
    let windows = facts.schedule.windows(from.saturating_sub(margin), to.saturating_add(margin));
    let mut events: Vec<&Event> = facts.events.iter().collect();
    events.sort_by_key(|event| (event.at, event.id));
    let mut reader = Reader { facts, policy, windows, replay: Replay::default(), inside: None, last: None };
    for event in events {
        reader.read(event);
    }
    let mut replay = reader.replay;
    replay.days.retain(|day| !day.events.is_empty());
    replay
}

struct Reader<'a> {
    facts: &'a Facts<'a>,
    policy: &'a Policy,
    windows: Vec<ShiftInstance>,
    replay: Replay,
    /// The day in which the person still is, and since when.
    inside: Option<(usize, Timestamp)>,
    /// The last punch that counted.
    last: Option<Timestamp>,
}

impl Reader<'_> {
    fn read(&mut self, event: &Event) {
        let place = self.place(event);
        let counts = event.voided.is_none() && !event.needs_review;
        let decision = if counts { self.decide(event, place) } else { Decision::Ignored };
        let direction = decision.direction();
        match (direction, decision) {
            (Some(Direction::CheckIn), _) => self.inside = Some((place, event.at)),
            (Some(Direction::CheckOut), _) | (None, Decision::Closed) => self.inside = None,
            (None, _) => {}
        }
        if direction.is_some() {
            self.last = Some(event.at);
        }
        let day = &mut self.replay.days[place];
        day.events.push(Event { direction, ..event.clone() });
        self.replay.readings.push(Reading { event: event.id, key: day.key, decision });
    }

    fn decide(&self, event: &Event, place: usize) -> Decision {
        // What somebody wrote down as two punches was two.
        let written_down = event.forced || (is_from_elsewhere(event) && event.punch != Punch::Auto);
        let glance = |last: &Timestamp| event.at.duration_since(*last) < self.policy.cooldown;
        if let Some(last) = self.last.filter(glance)
            && !written_down
            && event.punch != Punch::Close
        {
            return Decision::Cooldown(after(last, self.policy.cooldown));
        }
        let day = &self.replay.days[place];
        let last = day.events.iter().rev().find(|event| event.counts());
        let decision = next(
            last.map(|last| (last.direction, last.at)),
            day.pairing(),
            event.punch,
            event.at,
            self.policy,
        );
        match decision {
            Decision::NoOpenSession if event.forced => Decision::CheckedOut,
            decision => decision,
        }
    }

    /// The day of a punch: where the person still is, if it can end that; else the window that is open; else none.
    fn place(&mut self, event: &Event) -> usize {
        if let Some((place, came)) = self.inside {
            let takes = |instance: &ShiftInstance| instance.takes(event.at);
            let in_window = self.replay.days[place].shift.as_ref().is_some_and(takes);
            let ends = event.punch == Punch::Close
                || (event.punch == Punch::CheckOut && (event.forced || is_from_elsewhere(event)));
            if in_window || (ends && event.at.duration_since(came) <= LONGEST) {
                return place;
            }
        }
        let (key, shift) = slot_among(self.facts.user, self.facts.schedule, &self.windows, event.at);
        let early = self.came_early(key);
        let place = self.day(key, shift);
        if let Some(from) = early {
            self.move_last(from, place);
        }
        place
    }

    /// A day outside of shifts in which the person still is, when the punch is the first one of a shift of that date:
    /// whoever came before the window opened came for that shift.
    fn came_early(&self, key: DayKey) -> Option<usize> {
        let (place, _) = self.inside?;
        let day = &self.replay.days[place];
        let new = !self.replay.days.iter().any(|day| day.key == key && day.events.iter().any(Event::counts));
        (key.shift.is_some() && day.key.shift.is_none() && day.key.date == key.date && new).then_some(place)
    }

    /// Moves the last punch that counted from one day to another.
    fn move_last(&mut self, from: usize, to: usize) {
        let day = &mut self.replay.days[from];
        let Some(last) = day.events.iter().rposition(Event::counts) else { return };
        let event = day.events.remove(last);
        let key = self.replay.days[to].key;
        for reading in self.replay.readings.iter_mut().filter(|reading| reading.event == event.id) {
            reading.key = key;
        }
        self.inside = Some((to, event.at));
        self.replay.days[to].events.insert(0, event);
    }

    fn day(&mut self, key: DayKey, shift: Option<ShiftInstance>) -> usize {
        if let Some(known) = self.replay.days.iter().rposition(|day| day.key == key) {
            return known;
        }
        self.replay.days.push(a_day(self.facts, key, shift));
        self.replay.days.len() - 1
    }
}

/// Whether it was copied from other books, which said what it was.
fn is_from_elsewhere(event: &Event) -> bool {
    event.source == Source::Import || event.batch.is_some()
}

fn a_day(facts: &Facts<'_>, key: DayKey, shift: Option<ShiftInstance>) -> Day {
    let zone: Zone = facts.schedule.zones.on(key.date).clone();
    Day { id: key.record(), key, zone, shift, events: Vec::new(), revision: Revision::NEW }
}

/// A person's records of some dates, and what each punch came to: one record for each shift that was expected or
/// punched, one for what was punched outside of shifts, one for a date that asks nothing. By date and shift.
#[must_use]
pub fn derive(facts: &Facts<'_>, dates: DateRange, policy: &Policy) -> (Vec<DayRecord>, Vec<Reading>) {
    let Replay { days: mut punched, readings } = replay(facts, dates.from(), dates.to(), policy);
    punched.retain(|day| dates.contains(day.key.date));
    let margin = Span::new().days(2);
    let windows =
        facts.schedule.windows(dates.from().saturating_sub(margin), dates.to().saturating_add(margin));
    let window = |date: Date, shift: ShiftId| {
        windows.iter().find(|instance| instance.date == date && instance.shift.id == shift)
    };
    let mut records = Vec::new();
    for date in dates.days() {
        let expected = facts.schedule.on(date);
        let (shifts, on_leave) = match &expected {
            Expectation::Work(shifts) => (&shifts[..], false),
            Expectation::Leave(shifts) => (&shifts[..], true),
            Expectation::Holiday | Expectation::Off | Expectation::NotEmployed => (&[][..], false),
        };
        for planned in shifts {
            let planned = window(date, planned.shift.id).unwrap_or(planned);
            let key = DayKey { user: facts.user, date, shift: Some(planned.shift.id) };
            match take(&mut punched, key) {
                Some(day) => records.push(record(facts, day, &expected, on_leave, policy)),
                None if facts.asks(key) => {
                    let day = a_day(facts, key, Some(planned.clone()));
                    records.push(record(facts, day, &expected, on_leave, policy));
                }
                None => {}
            }
        }
        let key = DayKey { user: facts.user, date, shift: None };
        match take(&mut punched, key) {
            Some(day) => records.push(record(facts, day, &expected, false, policy)),
            None if matches!(expected, Expectation::Holiday | Expectation::Off) && facts.asks(key) => {
                records.push(record(facts, a_day(facts, key, None), &expected, false, policy));
            }
            None => {}
        }
    }
    records.sort_by_key(|record| (record.day.key.date, record.day.key.shift));
    (records, readings)
}

fn take(days: &mut Vec<Day>, key: DayKey) -> Option<Day> {
    let place = days.iter().position(|day| day.key == key)?;
    Some(days.swap_remove(place))
}

/// What one day comes to once nothing more can happen.
fn record(facts: &Facts<'_>, day: Day, expected: &Expectation, leave: bool, policy: &Policy) -> DayRecord {
    let punched = day.events.iter().any(|event| event.counts() && event.direction.is_some());
    let decision = facts.overrides.iter().find(|(key, _)| *key == day.key).map(|(_, decision)| decision);
    let read = |first_in: Option<Timestamp>, last_out: Option<Timestamp>| {
        let there = punched || first_in.is_some() || last_out.is_some();
        let record = if there { settle(&day, first_in, last_out) } else { unpunched(&day, expected, policy) };
        if leave { on_leave(record) } else { record }
    };
    let computed = read(None, None);
    let mut record = match decision {
        Some(decision) => {
            let retimed = match (decision.first_in, decision.last_out) {
                (None, None) => computed.clone(),
                (first_in, last_out) => read(first_in, last_out),
            };
            decision.apply(&computed, retimed)
        }
        None => computed,
    };
    let unclear = |event: &Event| {
        let odd = event.needs_review || (event.direction.is_none() && event.punch == Punch::CheckOut);
        odd && event.voided.is_none()
    };
    let review =
        day.events.iter().any(unclear) || day.events.iter().any(|event| event.forced && event.counts());
    if review && !record.flags.contains(&Flag::NeedsReview) {
        record.flags.push(Flag::NeedsReview);
    }
    record.flags.sort();
    let first = day.events.iter().find(|event| event.counts());
    DayRecord {
        department: department_on(facts.placements, day.key.date),
        due: due(&day, punched, policy),
        source: first.map(|event| event.source),
        similarity: first.and_then(|event| event.similarity),
        overridden: decision.cloned(),
        overtime_approved: facts.approved.contains(&day.key),
        record,
        day,
    }
}

/// The record of a day without a punch that counts.
fn unpunched(day: &Day, expected: &Expectation, policy: &Policy) -> Record {
    let own = match (&day.shift, expected) {
        (Some(shift), Expectation::Leave(_)) => Expectation::Leave(vec![shift.clone()]),
        (Some(shift), _) => Expectation::Work(vec![shift.clone()]),
        (None, Expectation::Holiday) => Expectation::Holiday,
        (None, _) => Expectation::Off,
    };
    let record = classify_unpunched(&own, policy, Timestamp::MAX).into_iter().next();
    record.unwrap_or_else(|| blank(crate::attendance::DayStatus::DayOff))
}

/// From when on a day is final.
fn due(day: &Day, punched: bool, policy: &Policy) -> Timestamp {
    match &day.shift {
        Some(instance) if punched => instance.closes,
        Some(instance) => after(instance.closes, policy.settle),
        None => day.zone.instant(day.key.date.saturating_add(Span::new().days(1)).to_datetime(DAY_CUTOFF)),
    }
}
