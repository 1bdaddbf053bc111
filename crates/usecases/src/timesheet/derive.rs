//! What follows from a timesheet, what the audit trail tells of it, and storing both.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use rollcall_domain::attendance::{Day, DayKey, DayRecord};
use rollcall_domain::audit::{AuditAction, AuditEntry, State, Target};
use rollcall_domain::calendar::DateRange;
use rollcall_domain::id::PunchId;
use rollcall_domain::policy::Policy;
use rollcall_domain::replay::{AttendanceFacts, InterpretedPunch, derive};
use rollcall_domain::user::User;
use rollcall_ports::attendance::Change;
use rollcall_ports::store::StoreError;

use super::Timesheets;
use super::audit::{AuditContext, AuditedAction, Of, RecordDiff};
use super::sheet::Timesheet;
use crate::attendance::{AttendanceError, Known};
use crate::audit::entry;
use crate::retry::retry_stale;
use crate::time::rounded;

/// What is to be stored, and what the person's days then come to.
pub struct TimesheetChange {
    /// What the store is to commit.
    pub change: Change,
    /// Records of the dates of the timesheet, with their punches.
    pub records: Vec<DayRecord>,
    /// What each punch of these dates comes to.
    pub readings: Vec<InterpretedPunch>,
    /// Records that come to something else.
    pub(crate) diffs: Vec<RecordDiff>,
    /// What was done on purpose.
    pub(crate) actions: Vec<AuditedAction>,
}

impl TimesheetChange {
    /// What a punch came to.
    pub(crate) fn reading(&self, punch: PunchId) -> Option<InterpretedPunch> {
        self.readings.iter().find(|reading| reading.punch == punch).copied()
    }

    /// The last punch before another one that counts.
    pub(crate) fn before(&self, id: PunchId, at: Timestamp) -> Option<Known> {
        let counting = |day: &Day| {
            let known = day.punches.iter().filter(|punch| punch.counts() && punch.id != id && punch.at <= at);
            known.filter_map(|punch| Some((punch.at, punch.id, punch.direction?))).max_by_key(|known| known.0)
        };
        let last_of = |record: &DayRecord| Some((counting(&record.day)?, record.day.zone.clone()));
        let last = self.records.iter().filter_map(last_of).max_by_key(|((at, ..), _)| *at);
        last.map(|((at, punch, direction), zone)| Known { punch, direction, at, zone })
    }

    /// A day as it is once the change is stored.
    pub(crate) fn record(&self, key: DayKey) -> Option<DayRecord> {
        let mut record = self.records.iter().find(|record| record.day.key == key)?.clone();
        if self.change.records.iter().any(|changed| changed.day.key == key) {
            record.day.revision = record.day.revision.next();
        }
        Some(record)
    }
}

impl Timesheet {
    /// What follows from the facts with what was added to them. Closed periods stay as they are.
    #[must_use]
    pub fn derive(self, policy: &Policy) -> TimesheetChange {
        let schedule = self.schedule();
        let facts = AttendanceFacts {
            user: self.change.user,
            schedule: &schedule,
            asked_from: self.asked_from,
            placements: &self.placements,
            punches: &self.punches,
            overrides: &self.overrides,
            approved: &self.approved,
        };
        let (mut records, readings) = derive(&facts, self.dates, policy);
        let mut change = self.change;
        let locked = |date: Date| self.ledger.closed_through.is_some_and(|through| date <= through);
        let mut stored: BTreeMap<_, _> = self
            .ledger
            .records
            .into_iter()
            .map(|record| ((record.day.key.date, record.day.key.shift), record))
            .collect();
        let mut diffs = Vec::new();
        for record in &mut records {
            let before = stored.remove(&(record.day.key.date, record.day.key.shift));
            if let Some(before) = &before {
                (record.day.id, record.day.revision) = (before.day.id, before.day.revision);
            }
            let same = before.as_ref().is_some_and(|before| before.says_the_same(record));
            if !same && !locked(record.day.key.date) {
                diffs.push(RecordDiff { key: record.day.key, before, after: Some(record.clone()) });
                change.records.push(DayRecord {
                    day: Day { punches: Vec::new(), ..record.day.clone() },
                    ..record.clone()
                });
            }
        }
        for record in stored.into_values().filter(|record| !locked(record.day.key.date)) {
            change.gone.push(record.day.id);
            diffs.push(RecordDiff { key: record.day.key, before: Some(record), after: None });
        }
        let read_again = readings
            .iter()
            .filter(|reading| self.dates.contains(reading.key.date) && !locked(reading.key.date));
        for reading in read_again {
            let record =
                records.iter().find(|record| record.day.key == reading.key).map(|record| record.day.id);
            let direction = reading.outcome.direction();
            if let Some((punch, of)) = change.punches.iter_mut().find(|(punch, _)| punch.id == reading.punch)
            {
                (punch.direction, *of) = (direction, record);
            } else if let Some((punch, of)) =
                self.ledger.punches.iter().find(|(punch, _)| punch.id == reading.punch)
                && (punch.direction, *of) != (direction, record)
            {
                change.readings.push((reading.punch, record, direction));
            }
        }
        TimesheetChange { change, records, readings, diffs, actions: self.actions }
    }
}

impl Timesheets {
    /// Adds facts to the person's timesheet of those dates and commits what then follows. Whoever was slower adds them to
    /// what the other one left.
    pub(crate) async fn write<T: Send>(
        &self,
        user: &User,
        dates: DateRange,
        context: &AuditContext,
        add: impl Fn(&mut Timesheet) -> Result<T, AttendanceError> + Send,
    ) -> Result<(T, TimesheetChange), AttendanceError> {
        retry_stale!({
            let mut timesheet = self.open(user, dates).await?;
            if !timesheet.is_placed() {
                self.refresh(user.id).await?;
                return Err(StoreError::Stale.into());
            }
            let added = add(&mut timesheet)?;
            let derived = self.conclude(timesheet, context);
            self.days.commit(&derived.change).await?;
            Ok((added, derived))
        })
    }

    /// What follows from a timesheet, when, and what the audit trail tells of it.
    pub(crate) fn conclude(&self, timesheet: Timesheet, context: &AuditContext) -> TimesheetChange {
        let mut derived = timesheet.derive(&self.rules.policy);
        derived.change.at = rounded(self.clock.now());
        derived.change.audit_entries = self.audit_entries(&derived, context);
        derived
    }

    /// One line for each action, and one for each other record that was final and reads differently now. What was not
    /// final may come to anything: nothing is told of that.
    fn audit_entries(&self, change: &TimesheetChange, context: &AuditContext) -> Vec<AuditEntry> {
        let mut audit_entries = Vec::new();
        let mut audited: Vec<DayKey> = Vec::new();
        let entry_of = |act: AuditAction, target: Target| AuditEntry {
            subject: Some(change.change.user),
            batch: context.batch,
            reason: context.reason.clone(),
            ..entry(&*self.ids, context.at, context.by, act, target)
        };
        let state = |record: Option<&DayRecord>| record.map(|record| State::record(record, context.at));
        for action in &change.actions {
            let key = match action.day {
                Of::Day(key) => Some(key),
                Of::Punch(id) => change.reading(id).map(|reading| reading.key),
            };
            let diff = change.diffs.iter().find(|diff| Some(diff.key) == key);
            let again = context.whole.is_some() && key.is_some_and(|key| audited.contains(&key));
            if again || (action.if_changed && diff.is_none()) {
                continue;
            }
            audited.extend(key);
            let as_it_was = key.and_then(|key| change.record(key));
            let (before, after) = match diff {
                Some(diff) => (state(diff.before.as_ref()), state(diff.after.as_ref())),
                None => (state(as_it_was.as_ref()), state(as_it_was.as_ref())),
            };
            let day = key.map_or(action.target, |key| Target::Record(key.record()));
            let (act, target) = context
                .whole
                .map_or((action.act, action.target), |(act, target)| (act, target.unwrap_or(day)));
            audit_entries.push(AuditEntry {
                date: key.map(|key| key.date),
                before,
                after,
                ..entry_of(act, target)
            });
        }
        for RecordDiff { key, before, after } in
            change.diffs.iter().filter(|diff| !audited.contains(&diff.key))
        {
            let known = if context.missing { before.as_ref().or(after.as_ref()) } else { before.as_ref() };
            let (was, is) = (state(before.as_ref()), state(after.as_ref()));
            if known.is_some_and(|record| record.due <= context.at) && was != is {
                let (date, target) = (Some(key.date), Target::Record(key.record()));
                audit_entries.push(AuditEntry {
                    date,
                    before: was,
                    after: is,
                    ..entry_of(AuditAction::Recompute, target)
                });
            }
        }
        audit_entries
    }
}
