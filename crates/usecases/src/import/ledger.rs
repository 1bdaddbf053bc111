//! On which day a punch of an old system falls, by our rules. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::{Span, Timestamp};
use rollcall_domain::Revision;
use rollcall_domain::attendance::{Day, DayKey, DayStatus, Direction, Event, Source};
use rollcall_domain::calendar::{DateRange, Zone};
use rollcall_domain::classify::classify;
use rollcall_domain::id::{EventId, RecordId, ShiftId, UserId};
use rollcall_domain::policy::{Policy, Punch, decide, same_glance};
use rollcall_domain::schedule::{Schedule, slot};
use rollcall_domain::shift::Shift;
use rollcall_ports::attendance::Addition;

use super::ids::Namespace;
use super::punches::OldPunch;

/// More punches on one day come from a camera that counted glances.
const MOST_A_DAY: usize = 200;

/// A person's days as they stand, and with what has been placed on them since.
pub(super) struct Ledger {
    pub(super) user: UserId,
    pub(super) zone: Zone,
    schedule: Schedule,
    policy: Policy,
    days: BTreeMap<(Date, Option<ShiftId>), Day>,
    years: BTreeSet<i16>,
}

/// What became of a punch.
#[derive(Debug)]
pub(super) enum Placed {
    /// It is new.
    New(Box<Addition>),
    /// It is here already.
    Known(DayKey),
    /// Nothing is lost without it.
    Needless(&'static str),
    /// It has no place.
    Rejected(&'static str),
}

impl Ledger {
    pub(super) fn new(user: UserId, zone: Zone, shift: Shift, policy: Policy) -> Self {
        let schedule = Schedule::simple(shift, zone.clone());
        Self { user, zone, schedule, policy, days: BTreeMap::new(), years: BTreeSet::new() }
    }

    /// Forgets everything, to be read again.
    pub(super) fn clear(&mut self) {
        self.days.clear();
        self.years.clear();
    }

    /// The dates that must be known before a punch at `at` can be placed, year by year.
    pub(super) fn unknown(&mut self, at: Timestamp) -> Vec<DateRange> {
        let date = self.zone.local(at).date();
        let days = |n: i32| date.saturating_add(Span::new().days(n));
        let mut years: Vec<i16> = vec![days(-3).year(), days(3).year()];
        years.dedup();
        years.retain(|year| self.years.insert(*year));
        let range = |year: i16| {
            let ends = (Date::new(year, 1, 1).ok()?, Date::new(year, 12, 31).ok()?);
            DateRange::new(ends.0, ends.1).ok()
        };
        years.into_iter().filter_map(range).collect()
    }

    pub(super) fn load(&mut self, days: Vec<Day>) {
        self.days.extend(days.into_iter().map(|day| ((day.key.date, day.key.shift), day)));
    }

    /// What a day comes to as it stands.
    pub(super) fn status(&self, key: DayKey, now: Timestamp) -> Option<DayStatus> {
        self.days.get(&(key.date, key.shift)).map(|day| classify(day, now).status)
    }

    /// Finds the day of a punch and adds it there.
    pub(super) fn place(&mut self, old: &OldPunch, now: Timestamp, namespace: &Namespace) -> Placed {
        let date = self.zone.local(old.at).date();
        let days = |n: i32| date.saturating_add(Span::new().days(n));
        let near: Vec<Day> = self
            .days
            .range((days(-2), None)..)
            .take_while(|(key, _)| key.0 <= days(2))
            .map(|(_, day)| day.clone())
            .collect();
        let holds = |day: &&Day, id: EventId| day.events.iter().any(|event| event.id == id);
        if let Some(day) = near.iter().find(|day| holds(day, old.id)) {
            return Placed::Known(day.key);
        }
        let of_pair = old.pair.and_then(|pair| near.iter().find(|day| holds(day, pair)));
        let around = DateRange::around(date);
        let day = match of_pair {
            // The old system knew that both belong together, also when the check-out came after our window.
            Some(day) => day.clone(),
            None => {
                let asked: Vec<Day> =
                    near.iter().filter(|day| around.contains(day.key.date)).cloned().collect();
                if old.punch == Punch::Auto && same_glance(&asked, old.at, &self.policy).is_some() {
                    return Placed::Needless("is the same glance as an earlier punch");
                }
                let (key, shift) = slot(self.user, &self.schedule, &asked, old.at);
                asked.into_iter().find(|day| day.key == key).unwrap_or_else(|| Day {
                    id: RecordId::new(namespace.day(old.id)),
                    key,
                    zone: self.zone.clone(),
                    shift,
                    events: Vec::new(),
                    revision: Revision::NEW,
                })
            }
        };
        let direction = match old.punch {
            Punch::CheckIn => Direction::CheckIn,
            Punch::CheckOut if day.last_before(old.at).is_none() => {
                return Placed::Rejected("has a check-out without a check-in");
            }
            Punch::CheckOut => Direction::CheckOut,
            Punch::Auto => match decide(&day, Punch::Auto, old.at, &self.policy).direction() {
                Some(direction) => direction,
                None => return Placed::Needless("is the same glance as an earlier punch"),
            },
        };
        if day.events.iter().any(|event| event.at == old.at && event.direction == direction) {
            return Placed::Needless("says the same as another row");
        }
        if day.events.len() >= MOST_A_DAY {
            return Placed::Rejected("is one of more than 200 punches on one day");
        }
        let event = Event {
            id: old.id,
            user: self.user,
            direction,
            at: old.at,
            received_at: now,
            source: Source::Import,
            device: None,
            entered_by: None,
            similarity: None,
            location: old.location,
            note: old.note.clone(),
            reason: None,
        };
        let after = day.with(event.clone());
        let record = classify(&after, now);
        let key = (day.key.date, day.key.shift);
        self.days.insert(key, Day { revision: day.revision.next(), ..after });
        Placed::New(Box::new(Addition { day, event, record }))
    }
}

#[cfg(test)]
mod tests;
