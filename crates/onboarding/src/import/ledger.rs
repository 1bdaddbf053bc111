//! What punches of an old system come to by our rules, next to what is here already. Pure.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use jiff::civil::Date;
use rollcall_domain::attendance::{DayKey, DayStatus, Punch, PunchKind, Source};
use rollcall_domain::id::{PunchId, UserId};
use rollcall_domain::policy::{Policy, PunchOutcome};

use super::punches::OldPunch;
use rollcall_usecases::timesheet::Timesheet;
use rollcall_usecases::timesheet::TimesheetChange;

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
    pub(super) placed: HashMap<PunchId, Placed>,
    /// How the days are to be read then.
    pub(super) statuses: BTreeMap<(Date, DayKeyOfShift), DayStatus>,
    /// The new ones.
    pub(super) new: Vec<Punch>,
    pub(super) derived: TimesheetChange,
}

/// The shift of a key.
pub(super) type DayKeyOfShift = Option<rollcall_domain::id::ShiftId>;

/// Finds out what punches come to. `timesheet` covers their dates.
pub(super) fn place(
    user: UserId,
    timesheet: &Timesheet,
    supposed: &[Punch],
    punches: &[&OldPunch],
    policy: &Policy,
    now: Timestamp,
) -> Placing {
    let known: HashSet<PunchId> = timesheet.ledger.punches.iter().map(|(punch, _)| punch.id).collect();
    let mut placed = HashMap::new();
    let mut here: HashSet<(Timestamp, PunchKind)> =
        timesheet.ledger.punches.iter().map(|(punch, _)| (punch.at, punch.kind)).collect();
    here.extend(supposed.iter().map(|punch| (punch.at, punch.kind)));
    let mut crowded: BTreeMap<Date, usize> = BTreeMap::new();
    for (punch, _) in &timesheet.ledger.punches {
        *crowded.entry(timesheet.zone().local(punch.at).date()).or_default() += 1;
    }
    let mut candidates: Vec<Punch> = Vec::new();
    for old in punches.iter().filter(|old| !known.contains(&old.id)) {
        let on_that_day = crowded.entry(timesheet.zone().local(old.at).date()).or_default();
        if here.contains(&(old.at, old.kind)) {
            placed.insert(old.id, Placed::Needless("says the same as another row"));
        } else if *on_that_day >= MOST_A_DAY {
            placed.insert(old.id, Placed::Rejected("is one of more than 200 punches on one day"));
        } else {
            *on_that_day += 1;
            here.insert((old.at, old.kind));
            candidates.push(Punch {
                received_at: now,
                location: old.location,
                note: old.note.clone(),
                ..Punch::new(old.id, user, old.kind, old.at, Source::Import)
            });
        }
    }

    // What counts as nothing changes nothing, so that leaving it out makes the same records.
    let trial = entered(timesheet, supposed, &candidates, policy);
    let decisions: HashMap<PunchId, (DayKey, PunchOutcome)> =
        trial.readings.iter().map(|reading| (reading.punch, (reading.key, reading.outcome))).collect();
    let mut new = Vec::new();
    for punch in candidates {
        let outcome = match decisions.get(&punch.id) {
            Some((key, PunchOutcome::CheckedIn | PunchOutcome::CheckedOut)) => Placed::New(*key),
            // Whoever comes twice without leaving has come; that the old system wrote it down is kept.
            Some((key, PunchOutcome::AlreadyCheckedIn)) => Placed::New(*key),
            Some((_, PunchOutcome::NoOpenSession)) => Placed::Rejected("has a check-out without a check-in"),
            Some(_) => Placed::Needless("is the same glance as an earlier punch"),
            None => Placed::Rejected("belongs to no day"),
        };
        if matches!(outcome, Placed::New(_)) {
            new.push(punch.clone());
        }
        placed.insert(punch.id, outcome);
    }
    let derived = if new.len() == trial.change.punches.len() {
        trial
    } else {
        entered(timesheet, supposed, &new, policy)
    };
    let found = derived.readings.iter().filter(|reading| known.contains(&reading.punch));
    for reading in found {
        placed.insert(reading.punch, Placed::Known(reading.key));
    }
    let statuses = derived
        .records
        .iter()
        .map(|kept| ((kept.day.key.date, kept.day.key.shift), kept.read(now).status))
        .collect();
    Placing { placed, statuses, new, derived }
}

fn entered(timesheet: &Timesheet, supposed: &[Punch], punches: &[Punch], policy: &Policy) -> TimesheetChange {
    let mut timesheet = timesheet.clone();
    timesheet.suppose(supposed);
    punches.iter().for_each(|punch| timesheet.add(punch.clone()));
    timesheet.derive(policy)
}

#[cfg(test)]
mod tests;
