//! What punches of an old system come to by our rules, next to what is here already. Pure.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use jiff::civil::Date;
use rollcall_domain::attendance::{DayKey, DayStatus, Event, Punch, Source};
use rollcall_domain::id::{EventId, UserId};
use rollcall_domain::policy::{Decision, Policy};

use super::punches::OldPunch;
use crate::timesheet::derive::TimesheetChange;
use crate::timesheet::sheet::Timesheet;

/// More punches on one day come from a camera that counted glances.
const MOST_A_DAY: usize = 200;

/// What became of a punch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placed {
    /// It is new.
    New(DayKey),
    /// It is here already.
    Known(DayKey),
    /// Nothing is lost without it.
    Needless(&'static str),
    /// It has no place.
    Rejected(&'static str),
}

/// What became of some punches.
pub(super) struct Placing {
    pub(super) placed: HashMap<EventId, Placed>,
    /// How the days are to be read then.
    pub(super) statuses: BTreeMap<(Date, DayKeyOfShift), DayStatus>,
    /// The new ones.
    pub(super) new: Vec<Event>,
    pub(super) entry: TimesheetChange,
}

/// The shift of a key.
pub(super) type DayKeyOfShift = Option<rollcall_domain::id::ShiftId>;

/// Finds out what punches come to. `timesheet` covers their dates.
pub(super) fn place(
    user: UserId,
    timesheet: &Timesheet,
    supposed: &[Event],
    punches: &[&OldPunch],
    policy: &Policy,
    now: Timestamp,
) -> Placing {
    let known: HashSet<EventId> = timesheet.ledger.events.iter().map(|(event, _)| event.id).collect();
    let mut placed = HashMap::new();
    let mut here: HashSet<(Timestamp, Punch)> =
        timesheet.ledger.events.iter().map(|(event, _)| (event.at, event.punch)).collect();
    here.extend(supposed.iter().map(|event| (event.at, event.punch)));
    let mut crowded: BTreeMap<Date, usize> = BTreeMap::new();
    for (event, _) in &timesheet.ledger.events {
        *crowded.entry(timesheet.zone().local(event.at).date()).or_default() += 1;
    }
    let mut candidates: Vec<Event> = Vec::new();
    for old in punches.iter().filter(|old| !known.contains(&old.id)) {
        let on_that_day = crowded.entry(timesheet.zone().local(old.at).date()).or_default();
        if here.contains(&(old.at, old.punch)) {
            placed.insert(old.id, Placed::Needless("says the same as another row"));
        } else if *on_that_day >= MOST_A_DAY {
            placed.insert(old.id, Placed::Rejected("is one of more than 200 punches on one day"));
        } else {
            *on_that_day += 1;
            here.insert((old.at, old.punch));
            candidates.push(Event {
                received_at: now,
                location: old.location,
                note: old.note.clone(),
                ..Event::new(old.id, user, old.punch, old.at, Source::Import)
            });
        }
    }

    // What counts as nothing changes nothing, so that leaving it out makes the same records.
    let trial = entered(timesheet, supposed, &candidates, policy);
    let decisions: HashMap<EventId, (DayKey, Decision)> =
        trial.readings.iter().map(|reading| (reading.event, (reading.key, reading.decision))).collect();
    let mut new = Vec::new();
    for event in candidates {
        let outcome = match decisions.get(&event.id) {
            Some((key, Decision::CheckedIn | Decision::CheckedOut)) => Placed::New(*key),
            // Whoever comes twice without leaving has come; that the old system wrote it down is kept.
            Some((key, Decision::AlreadyCheckedIn)) => Placed::New(*key),
            Some((_, Decision::NoOpenSession)) => Placed::Rejected("has a check-out without a check-in"),
            Some(_) => Placed::Needless("is the same glance as an earlier punch"),
            None => Placed::Rejected("belongs to no day"),
        };
        if matches!(outcome, Placed::New(_)) {
            new.push(event.clone());
        }
        placed.insert(event.id, outcome);
    }
    let entry = if new.len() == trial.change.events.len() {
        trial
    } else {
        entered(timesheet, supposed, &new, policy)
    };
    let found = entry.readings.iter().filter(|reading| known.contains(&reading.event));
    for reading in found {
        placed.insert(reading.event, Placed::Known(reading.key));
    }
    let statuses = entry
        .records
        .iter()
        .map(|kept| ((kept.day.key.date, kept.day.key.shift), kept.read(now).status))
        .collect();
    Placing { placed, statuses, new, entry }
}

fn entered(timesheet: &Timesheet, supposed: &[Event], events: &[Event], policy: &Policy) -> TimesheetChange {
    let mut timesheet = timesheet.clone();
    timesheet.suppose(supposed);
    events.iter().for_each(|event| timesheet.add(event.clone()));
    timesheet.entry(policy)
}

#[cfg(test)]
mod tests;
