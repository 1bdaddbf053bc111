//! From a person's punches to their records: the rule engine, whole.
//!
//! Punches are read in the order in which they happened, whatever the order in which they became known, so that a
//! punch that arrives late changes everything that it would have changed had it arrived in time. A record is a pure
//! function of punches, schedule, policy and decisions: replaying them on an empty database makes the same records.

use jiff::civil::Date;
use jiff::{SignedDuration, Span, Timestamp};

use crate::Revision;
use crate::attendance::{
    Day, DayKey, DayRecord, DayStatus, Direction, Flag, Punch, PunchKind, Record, Source,
};
use crate::calendar::{DateRange, Zone, monday_of};
use crate::classify::{blank, classify_unpunched, on_leave, settle, worked_on_leave};
use crate::id::{PunchId, UserId};
use crate::overrides::Override;
use crate::plan::{Placement, department_on};
use crate::policy::{DAY_CUTOFF, Policy, PunchOutcome, after, next};
use crate::schedule::{Expectation, Schedule, slot};
use crate::shift::ShiftInstance;

/// Dates before and after those wanted whose punches must be known: a night shift reaches into the next date, and two
/// time zones can be two dates apart.
pub const MARGIN: i32 = 5;

/// How many dates before the one on which a plan changes records can follow from it: windows meet whose shifts begin two
/// days apart, and so does what a punch belongs to; a change of clocks moves both by a date.
pub const REACHES_BACK: i32 = 4;

/// The first date whose records can follow from a change of what is planned for `date` and later ones.
#[must_use]
pub fn reached_from(date: Date) -> Date {
    date.saturating_sub(Span::new().days(REACHES_BACK))
}

/// How long after coming a departure may still end the stay, beyond every window.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);

/// Everything a person's records follow from.
#[derive(Debug, Clone, Copy)]
pub struct AttendanceFacts<'a> {
    /// Whose.
    pub user: UserId,
    /// When they are expected.
    pub schedule: &'a Schedule,
    /// From which date on not to come is to be absent; before it only dates with punches or decisions have records.
    pub asked_from: Option<Date>,
    /// Where they belong, by date.
    pub placements: &'a [Placement],
    /// Their punches, in any order; those of [`MARGIN`] dates around the dates wanted are needed, and if overtime is
    /// counted by the week, around the days before them in their week.
    pub punches: &'a [Punch],
    /// What was decided of single days.
    pub overrides: &'a [(DayKey, Override)],
    /// How many seconds of overtime were approved of which days.
    pub approved: &'a [(DayKey, i64)],
}

impl AttendanceFacts<'_> {
    /// Whether a day has a record even if nobody came.
    fn asks(&self, key: DayKey) -> bool {
        self.asked_from.is_none_or(|from| from <= key.date) || self.decided(key)
    }

    /// Whether somebody decided about a day.
    fn decided(&self, key: DayKey) -> bool {
        self.overrides.iter().any(|(known, _)| *known == key)
    }
}

/// What a punch came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InterpretedPunch {
    /// Which punch.
    pub punch: PunchId,
    /// The day to which it belongs.
    pub key: DayKey,
    /// What it means.
    pub outcome: PunchOutcome,
}

/// What a person's punches came to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Replay {
    /// Days with punches, by time.
    pub days: Vec<Day>,
    /// Every punch, by time.
    pub readings: Vec<InterpretedPunch>,
}

/// Reads a person's punches in order of time. `from` and `to` are the dates around which they lie.
#[must_use]
pub fn replay(facts: &AttendanceFacts<'_>, from: Date, to: Date, policy: &Policy) -> Replay {
    let margin = Span::new().days(MARGIN + 1);
    let windows = facts.schedule.windows(from.saturating_sub(margin), to.saturating_add(margin));
    let mut punches: Vec<&Punch> = facts.punches.iter().collect();
    punches.sort_by_key(|punch| (punch.at, punch.id));
    let mut reader = Reader { facts, policy, windows, replay: Replay::default(), inside: None, last: None };
    for moment in punches.chunk_by_mut(|one, other| one.at == other.at) {
        // Who is in leaves before they come again, who is not comes before they leave, and the system ends whatever is open
        // then. Of equal punches the one that
        // counts already goes on counting, so that of many at once only one does.
        let inside = reader.inside.is_some();
        moment.sort_by_key(|punch| {
            let place = match punch.kind {
                PunchKind::Auto => 0,
                PunchKind::CheckIn if !inside => 1,
                PunchKind::CheckOut => 2,
                PunchKind::CheckIn => 3,
                PunchKind::Close => 4,
            };
            (place, punch.direction.is_none())
        });
        for punch in moment {
            reader.pass(punch.at);
            reader.read(punch);
        }
    }
    reader.pass(Timestamp::MAX);
    let mut replay = reader.replay;
    replay.days.retain(|day| !day.punches.is_empty());
    replay
}

struct Reader<'a> {
    facts: &'a AttendanceFacts<'a>,
    policy: &'a Policy,
    windows: Vec<ShiftInstance>,
    replay: Replay,
    inside: Option<Inside>,
    /// The last punch that counted.
    last: Option<Last>,
}

/// A punch that counted.
#[derive(Clone, Copy)]
struct Last {
    /// To which of the days it belongs.
    place: usize,
    at: Timestamp,
}

/// Where somebody is who has not left.
#[derive(Clone, Copy)]
struct Inside {
    /// Which of the days.
    place: usize,
    since: Timestamp,
}

impl Reader<'_> {
    fn read(&mut self, punch: &Punch) {
        let place = self.place(punch);
        let counts = punch.voided.is_none() && !punch.needs_review;
        let outcome = if counts { self.decide(punch, place) } else { PunchOutcome::Ignored };
        let direction = outcome.direction();
        match (direction, outcome) {
            (Some(Direction::CheckIn), _) => self.inside = Some(Inside { place, since: punch.at }),
            (Some(Direction::CheckOut), _) | (None, PunchOutcome::Closed) => self.inside = None,
            (None, _) => {}
        }
        if direction.is_some() {
            self.last = Some(Last { place, at: punch.at });
        }
        let day = &mut self.replay.days[place];
        day.punches.push(Punch { direction, ..punch.clone() });
        self.replay.readings.push(InterpretedPunch { punch: punch.id, key: day.key, outcome });
    }

    fn decide(&self, punch: &Punch, place: usize) -> PunchOutcome {
        // What somebody wrote down as two punches was two.
        let written_down = punch.forced || (is_from_elsewhere(punch) && punch.kind != PunchKind::Auto);
        let glance = |last: &Last| punch.at.duration_since(last.at) < self.policy.cooldown;
        if let Some(last) = self.last.filter(glance)
            && !written_down
            && punch.kind != PunchKind::Close
        {
            return PunchOutcome::Cooldown(after(last.at, self.policy.cooldown));
        }
        let day = &self.replay.days[place];
        let last = day.last_before(punch.at).map(|last| (last.direction, last.at));
        let outcome = next(last, day.pairing(), punch.kind, punch.at, self.policy);
        match outcome {
            PunchOutcome::NoOpenSession if punch.forced => PunchOutcome::CheckedOut,
            outcome => outcome,
        }
    }

    /// The day of a punch: where the person still is, if the punch belongs there or ends that; where they
    /// were, if they leave again; else the window that is open; else none.
    fn place(&mut self, punch: &Punch) -> usize {
        let stays = match (self.inside, self.last) {
            (Some(inside), _) => self.is_there(inside, punch).then_some(inside.place),
            (None, Some(last)) => self.was_there(last, punch).then_some(last.place),
            (None, None) => None,
        };
        if let Some(place) = stays {
            return place;
        }
        let (key, shift) = slot(self.facts.user, self.facts.schedule, &self.windows, punch.at);
        self.day(key, shift)
    }

    /// Whether a punch of somebody who is in belongs to where they are: its window is open, somebody wrote
    /// down that they left, or they leave late.
    fn is_there(&self, inside: Inside, punch: &Punch) -> bool {
        let day = &self.replay.days[inside.place];
        if day.shift.as_ref().is_some_and(|instance| instance.takes(punch.at)) {
            return true;
        }
        if punch.at.duration_since(inside.since) > LONGEST {
            return false;
        }
        let written_down = punch.forced || is_from_elsewhere(punch);
        match punch.kind {
            PunchKind::CheckOut => written_down || self.is_same_date(day, punch.at),
            PunchKind::Auto => {
                day.shift.is_some() && self.is_same_date(day, punch.at) && !self.is_awaited(punch.at)
            }
            // The system ends what is open, also while the window of a shift is.
            PunchKind::Close => day.shift.is_none() && self.is_same_date(day, punch.at),
            PunchKind::CheckIn => false,
        }
    }

    /// Whether an instant lies on the date on which a day ends, as it is told outside of shifts: later,
    /// nobody leaves late.
    fn is_same_date(&self, day: &Day, at: Timestamp) -> bool {
        let ends = |instance: &ShiftInstance| self.facts.schedule.zones.day_of(instance.closes);
        day.shift.as_ref().map_or(day.key.date, ends) == self.facts.schedule.zones.day_of(at)
    }

    /// Whether somebody who comes at that instant comes for a shift: its window is open, or opens so soon
    /// that this is early.
    fn is_awaited(&self, at: Timestamp) -> bool {
        self.windows.iter().any(|instance| instance.takes(at) || instance.is_awaited(at))
    }

    /// Whether a punch of somebody who is out belongs to where they were, although the next shift that begins
    /// where that one ends takes it, too: until then they leave again, and whoever says that they leave was
    /// nowhere else.
    fn was_there(&self, last: Last, punch: &Punch) -> bool {
        let takes = |instance: &ShiftInstance| {
            let leaves_again = match punch.kind {
                PunchKind::Auto => punch.at < instance.end,
                PunchKind::CheckOut => true,
                PunchKind::CheckIn | PunchKind::Close => false,
            };
            instance.takes(punch.at) && leaves_again
        };
        self.replay.days[last.place].shift.as_ref().is_some_and(takes)
    }

    /// Lets time pass up to an instant: whoever is in, outside of any shift, when the window of a shift opens
    /// came for that shift, if not longer before than the window opens before the start.
    fn pass(&mut self, until: Timestamp) {
        let Some(inside) = self.inside else { return };
        let day = &self.replay.days[inside.place];
        if day.shift.is_some() {
            return;
        }
        let opens = |instance: &&ShiftInstance| {
            instance.is_awaited(inside.since) && instance.opens <= until && instance.opens < instance.closes
        };
        let opening = self.windows.iter().filter(opens).min_by_key(|instance| instance.opens);
        let Some(instance) = opening.cloned() else { return };
        let came = self.replay.days[inside.place].punches.iter().rposition(|punch| punch.direction.is_some());
        let Some(came) = came.map(|came| self.replay.days[inside.place].punches.remove(came)) else { return };
        let key = DayKey { user: self.facts.user, date: instance.date, shift: Some(instance.shift.id) };
        for reading in self.replay.readings.iter_mut().filter(|reading| reading.punch == came.id) {
            reading.key = key;
        }
        let place = self.day(key, Some(instance));
        self.replay.days[place].punches.insert(0, came);
        self.inside = Some(Inside { place, ..inside });
        self.last = self.last.map(|last| Last { place, ..last });
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
fn is_from_elsewhere(punch: &Punch) -> bool {
    punch.source == Source::Import || punch.batch.is_some()
}

fn a_day(facts: &AttendanceFacts<'_>, key: DayKey, shift: Option<ShiftInstance>) -> Day {
    let zone: Zone = facts.schedule.zones.on(key.date).clone();
    Day { id: key.record(), key, zone, shift, punches: Vec::new(), revision: Revision::NEW }
}

/// A person's records of some dates, and what each punch came to: one record for each shift that was expected or
/// punched, one for what was worked outside of shifts, one for a date that asks nothing, one for each day about which
/// somebody decided. By date and shift.
///
/// A punch outside of shifts that counts as nothing makes no record, so its [`InterpretedPunch::key`] may be one that has none.
/// Readings of dates that are not among `dates` are there for their context only: what came before them may be missing.
#[must_use]
pub fn derive(
    facts: &AttendanceFacts<'_>,
    dates: DateRange,
    policy: &Policy,
) -> (Vec<DayRecord>, Vec<InterpretedPunch>) {
    let by_the_week = facts.schedule.counts_weeks();
    let known = if by_the_week { dates.since_monday() } else { dates };
    let (mut records, readings) = one_by_one(facts, known, policy);
    if by_the_week {
        count_weeks(facts, &mut records);
        records.retain(|record| dates.contains(record.day.key.date));
    }
    records.iter_mut().for_each(|record| approve(facts, record));
    (records, readings)
}

/// Tells how much of a day's overtime is approved. What came later than the approval is for somebody to look
/// at.
fn approve(facts: &AttendanceFacts<'_>, day: &mut DayRecord) {
    let Some((_, seconds)) = facts.approved.iter().find(|(key, _)| *key == day.day.key) else { return };
    let record = &mut day.record;
    day.approved_seconds = record.overtime_seconds.min(*seconds);
    if record.overtime_seconds > *seconds && !record.flags.contains(&Flag::NeedsReview) {
        record.flags.push(Flag::NeedsReview);
        record.flags.sort();
    }
}

/// Gives records their share of the overtime of their weeks, where it is counted by the week. A week's total is what was
/// worked in such shifts; where it asks for different hours on different days, each day is measured by its own.
fn count_weeks(facts: &AttendanceFacts<'_>, records: &mut [DayRecord]) {
    let mut order: Vec<usize> = (0..records.len()).collect();
    // Of two shifts of one date the earlier one is worked first.
    order.sort_by_key(|n| {
        let day = &records[*n].day;
        (day.key.date, day.shift.as_ref().map(|instance| instance.start))
    });
    let (mut monday, mut total) = (None, 0_i64);
    for n in order {
        let DayRecord { day, record, .. } = &mut records[n];
        let Some(instance) = &day.shift else { continue };
        let overtime = &instance.shift.counting.overtime;
        let Some(target) = overtime.weekly_target else { continue };
        let week = Some(monday_of(day.key.date));
        if monday != week {
            (monday, total) = (week, 0);
        }
        let worked = record.worked_seconds.unwrap_or(0);
        let said = facts.overrides.iter().find(|(key, _)| *key == day.key);
        if said.is_none_or(|(_, override_)| override_.overtime_seconds.is_none()) {
            record.overtime_seconds = overtime.of_week(target, total, worked);
        }
        total += worked;
    }
}

/// The same, each day as if it were the only one of its week.
fn one_by_one(
    facts: &AttendanceFacts<'_>,
    dates: DateRange,
    policy: &Policy,
) -> (Vec<DayRecord>, Vec<InterpretedPunch>) {
    let Replay { days: mut punched, readings } = replay(facts, dates.from(), dates.to(), policy);
    let margin = Span::new().days(2);
    let windows =
        facts.schedule.windows(dates.from().saturating_sub(margin), dates.to().saturating_add(margin));
    let window = |key: DayKey| {
        windows.iter().find(|instance| instance.date == key.date && Some(instance.shift.id) == key.shift)
    };
    let mut records = Vec::new();
    for date in dates.days() {
        let expected = facts.schedule.on(date);
        let key = |shift| DayKey { user: facts.user, date, shift };
        let outside = key(None);
        let worked = |key: DayKey| punched.iter().any(|day| day.key == key && is_worked(day));
        let mut keys: Vec<DayKey> =
            expected.shifts().iter().map(|instance| key(Some(instance.shift.id))).collect();
        keys.retain(|key| facts.asks(*key) || worked(*key));
        let of_shifts = |key: &DayKey| key.user == facts.user && key.date == date && key.shift.is_some();
        let decided: Vec<DayKey> = facts.overrides.iter().map(|(key, _)| *key).filter(of_shifts).collect();
        keys.extend(decided.iter().filter(|key| !keys.contains(key)).copied().collect::<Vec<_>>());
        // What was decided about a shift holds on a date that became free afterward.
        let free = matches!(expected, Expectation::Holiday | Expectation::Off) && decided.is_empty();
        if worked(outside) || facts.decided(outside) || (free && facts.asks(outside)) {
            keys.push(outside);
        }
        for key in keys {
            let known = punched.iter().position(|day| day.key == key).map(|place| punched.swap_remove(place));
            let planned = || window(key).cloned().or_else(|| facts.schedule.shift(key.shift?, date));
            let day = known.unwrap_or_else(|| a_day(facts, key, planned()));
            records.push(record(facts, day, &expected, &readings, policy));
        }
    }
    records.sort_by_key(|record| (record.day.key.date, record.day.key.shift));
    (records, readings)
}

/// Whether anything that was punched counts.
fn is_worked(day: &Day) -> bool {
    day.punches.iter().any(|punch| punch.counts() && punch.direction.is_some())
}

/// What one day comes to once nothing more can happen.
fn record(
    facts: &AttendanceFacts<'_>,
    day: Day,
    expected: &Expectation,
    readings: &[InterpretedPunch],
    policy: &Policy,
) -> DayRecord {
    let punched = is_worked(&day);
    let override_ = facts.overrides.iter().find(|(key, _)| *key == day.key).map(|(_, override_)| override_);
    let own = own(&day, expected);
    let read = |first_in: Option<Timestamp>, last_out: Option<Timestamp>| {
        let there = punched || first_in.is_some() || last_out.is_some();
        let record = if there { settle(&day, first_in, last_out) } else { unpunched(&own, policy) };
        match (&own, expected) {
            (Expectation::Leave(_), _) => on_leave(record),
            (_, Expectation::Leave(_)) if day.shift.is_none() => worked_on_leave(record),
            _ => record,
        }
    };
    let computed = read(None, None);
    let mut record = match override_ {
        Some(override_) => {
            let retimed = match (override_.first_in, override_.last_out) {
                (None, None) => computed.clone(),
                (first_in, last_out) => read(first_in, last_out),
            };
            override_.apply(&computed, retimed)
        }
        None => computed,
    };
    // A departure that is kept although nobody had come: a punch is missing, or this one is wrong.
    let never_came = |punch: &Punch| {
        let came_to_nothing = punch.kind == PunchKind::CheckOut && punch.direction.is_none();
        let of = |reading: &&InterpretedPunch| came_to_nothing && reading.punch == punch.id;
        readings.iter().find(of).is_some_and(|reading| reading.outcome == PunchOutcome::NoOpenSession)
    };
    // Left after the window had closed, and nobody wrote that down.
    let left_late = |punch: &Punch| {
        let late = day.shift.as_ref().is_some_and(|instance| instance.closes <= punch.at);
        let written_down = is_from_elsewhere(punch) && punch.kind != PunchKind::Auto;
        late && punch.direction == Some(Direction::CheckOut) && !written_down
    };
    let doubtful = |punch: &Punch| punch.counts() && (punch.forced || left_late(punch));
    let unclear = |punch: &Punch| {
        punch.voided.is_none() && (punch.needs_review || doubtful(punch) || never_came(punch))
    };
    if day.punches.iter().any(unclear) {
        record.flags.push(Flag::NeedsReview);
    }
    record.flags.sort();
    record.flags.dedup();
    let first = day.punches.iter().find(|punch| punch.counts() && punch.direction.is_some());
    DayRecord {
        department: department_on(facts.placements, day.key.date),
        due: due(&day, punched, policy).min(moved_on(facts, &day, readings).unwrap_or(Timestamp::MAX)),
        source: first.map(|punch| punch.source),
        similarity: first.and_then(|punch| punch.similarity),
        overridden: override_.cloned(),
        approved_seconds: 0,
        record,
        day,
    }
}

/// What a date asks as far as one day of it is concerned.
fn own(day: &Day, expected: &Expectation) -> Expectation {
    let is_asked =
        |shift: &ShiftInstance| expected.shifts().iter().any(|asked| asked.shift.id == shift.shift.id);
    match (expected, &day.shift) {
        (Expectation::Leave(_), Some(shift)) if is_asked(shift) => Expectation::Leave(vec![shift.clone()]),
        (Expectation::Work(_), Some(shift)) if is_asked(shift) => Expectation::Work(vec![shift.clone()]),
        (Expectation::Holiday, _) => Expectation::Holiday,
        _ => Expectation::Off,
    }
}

/// The record of a day without a punch that counts.
fn unpunched(own: &Expectation, policy: &Policy) -> Record {
    let record = classify_unpunched(own, policy, Timestamp::MAX).into_iter().next();
    record.unwrap_or_else(|| blank(DayStatus::DayOff))
}

/// When somebody came for a shift who had not left where they were outside of any: nothing more happens
/// there.
fn moved_on(facts: &AttendanceFacts<'_>, day: &Day, readings: &[InterpretedPunch]) -> Option<Timestamp> {
    let last = day.punches.iter().rfind(|punch| punch.counts() && punch.direction.is_some())?;
    if day.shift.is_some() || last.direction != Some(Direction::CheckIn) {
        return None;
    }
    let came =
        |reading: &&InterpretedPunch| reading.outcome == PunchOutcome::CheckedIn && reading.key != day.key;
    let next = readings.iter().skip_while(|reading| reading.punch != last.id).find(came)?;
    facts.punches.iter().find(|punch| punch.id == next.punch).map(|punch| punch.at)
}

/// From when on a day is final.
fn due(day: &Day, punched: bool, policy: &Policy) -> Timestamp {
    match &day.shift {
        Some(instance) if punched => instance.closes,
        Some(instance) => after(instance.closes, policy.settle),
        None => day.zone.instant(day.key.date.saturating_add(Span::new().days(1)).to_datetime(DAY_CUTOFF)),
    }
}
