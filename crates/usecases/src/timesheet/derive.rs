//! What follows from a timesheet, what the audit trail tells of it, and storing both.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use rollcall_domain::attendance::{Day, DayKey, DayRecord};
use rollcall_domain::audit::{Act, Line, State, Target};
use rollcall_domain::calendar::DateRange;
use rollcall_domain::id::EventId;
use rollcall_domain::policy::Policy;
use rollcall_domain::replay::{Facts, Reading, derive};
use rollcall_domain::user::User;
use rollcall_ports::attendance::Change;
use rollcall_ports::store::StoreError;

use super::Timesheets;
use super::audit::{AuditContext, AuditedAction, Of, RecordDiff};
use super::sheet::Timesheet;
use crate::attendance::{AttendanceError, Known};
use crate::audit::line;
use crate::retry::retry_stale;
use crate::time::rounded;

/// What is to be stored, and what the person's days then come to.
pub(crate) struct TimesheetChange {
    pub(crate) change: Change,
    /// Records of the dates of the timesheet, with their punches.
    pub(crate) records: Vec<DayRecord>,
    pub(crate) readings: Vec<Reading>,
    /// Records that come to something else.
    pub(crate) turned: Vec<RecordDiff>,
    /// What was done on purpose.
    pub(crate) deeds: Vec<AuditedAction>,
}

impl TimesheetChange {
    /// What a punch came to.
    pub(crate) fn reading(&self, event: EventId) -> Option<Reading> {
        self.readings.iter().find(|reading| reading.event == event).copied()
    }

    /// The last punch before another one that counts.
    pub(crate) fn before(&self, id: EventId, at: Timestamp) -> Option<Known> {
        let counting = |day: &Day| {
            let known = day.events.iter().filter(|event| event.counts() && event.id != id && event.at <= at);
            known.filter_map(|event| Some((event.at, event.id, event.direction?))).max_by_key(|known| known.0)
        };
        let last_of = |record: &DayRecord| Some((counting(&record.day)?, record.day.zone.clone()));
        let last = self.records.iter().filter_map(last_of).max_by_key(|((at, ..), _)| *at);
        last.map(|((at, event, direction), zone)| Known { event, direction, at, zone })
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
    pub(crate) fn entry(self, policy: &Policy) -> TimesheetChange {
        let schedule = self.schedule();
        let facts = Facts {
            user: self.change.user,
            schedule: &schedule,
            asked_from: self.asked_from,
            placements: &self.placements,
            events: &self.events,
            overrides: &self.overrides,
            approved: &self.approved,
        };
        let (mut records, readings) = derive(&facts, self.dates, policy);
        let mut change = self.change;
        let locked = |date: Date| self.ledger.locked_through.is_some_and(|through| date <= through);
        let mut stored: BTreeMap<_, _> = self
            .ledger
            .records
            .into_iter()
            .map(|record| ((record.day.key.date, record.day.key.shift), record))
            .collect();
        let mut turned = Vec::new();
        for record in &mut records {
            let before = stored.remove(&(record.day.key.date, record.day.key.shift));
            if let Some(before) = &before {
                (record.day.id, record.day.revision) = (before.day.id, before.day.revision);
            }
            let same = before.as_ref().is_some_and(|before| before.says_the_same(record));
            if !same && !locked(record.day.key.date) {
                turned.push(RecordDiff { key: record.day.key, before, after: Some(record.clone()) });
                change.records.push(DayRecord {
                    day: Day { events: Vec::new(), ..record.day.clone() },
                    ..record.clone()
                });
            }
        }
        for record in stored.into_values().filter(|record| !locked(record.day.key.date)) {
            change.gone.push(record.day.id);
            turned.push(RecordDiff { key: record.day.key, before: Some(record), after: None });
        }
        let read_again = readings
            .iter()
            .filter(|reading| self.dates.contains(reading.key.date) && !locked(reading.key.date));
        for reading in read_again {
            let record =
                records.iter().find(|record| record.day.key == reading.key).map(|record| record.day.id);
            let direction = reading.decision.direction();
            if let Some((event, of)) = change.events.iter_mut().find(|(event, _)| event.id == reading.event) {
                (event.direction, *of) = (direction, record);
            } else if let Some((event, of)) =
                self.ledger.events.iter().find(|(event, _)| event.id == reading.event)
                && (event.direction, *of) != (direction, record)
            {
                change.readings.push((reading.event, record, direction));
            }
        }
        TimesheetChange { change, records, readings, turned, deeds: self.deeds }
    }
}

impl Timesheets {
    /// Adds facts to the person's timesheet of those dates and commits what then follows. Whoever was slower adds them to
    /// what the other one left.
    pub(crate) async fn write<T: Send>(
        &self,
        user: &User,
        dates: DateRange,
        cause: &AuditContext,
        add: impl Fn(&mut Timesheet) -> Result<T, AttendanceError> + Send,
    ) -> Result<(T, TimesheetChange), AttendanceError> {
        retry_stale!({
            let mut timesheet = self.open(user, dates).await?;
            if !timesheet.is_placed() {
                self.refresh(user.id).await?;
                return Err(StoreError::Stale.into());
            }
            let added = add(&mut timesheet)?;
            let entry = self.conclude(timesheet, cause);
            self.days.commit(&entry.change).await?;
            Ok((added, entry))
        })
    }

    /// What follows from a timesheet, when, and what the audit trail tells of it.
    pub(crate) fn conclude(&self, timesheet: Timesheet, cause: &AuditContext) -> TimesheetChange {
        let mut entry = timesheet.entry(&self.rules.policy);
        entry.change.at = rounded(self.clock.now());
        entry.change.lines = self.lines(&entry, cause);
        entry
    }

    /// One line for each deed, and one for each other record that was final and reads differently now. What was not
    /// final may come to anything: nothing is told of that.
    fn lines(&self, entry: &TimesheetChange, cause: &AuditContext) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut told: Vec<DayKey> = Vec::new();
        let line_of = |act: Act, target: Target| Line {
            subject: Some(entry.change.user),
            batch: cause.batch,
            reason: cause.reason.clone(),
            ..line(&*self.ids, cause.at, cause.by, act, target)
        };
        let state = |record: Option<&DayRecord>| record.map(|record| State::record(record, cause.at));
        for deed in &entry.deeds {
            let key = match deed.day {
                Of::Day(key) => Some(key),
                Of::Event(id) => entry.reading(id).map(|reading| reading.key),
            };
            let turned = entry.turned.iter().find(|turned| Some(turned.key) == key);
            let again = cause.whole.is_some() && key.is_some_and(|key| told.contains(&key));
            if again || (deed.if_turned && turned.is_none()) {
                continue;
            }
            told.extend(key);
            let as_it_was = key.and_then(|key| entry.record(key));
            let (before, after) = match turned {
                Some(turned) => (state(turned.before.as_ref()), state(turned.after.as_ref())),
                None => (state(as_it_was.as_ref()), state(as_it_was.as_ref())),
            };
            let day = key.map_or(deed.target, |key| Target::Record(key.record()));
            let (act, target) =
                cause.whole.map_or((deed.act, deed.target), |(act, target)| (act, target.unwrap_or(day)));
            lines.push(Line { date: key.map(|key| key.date), before, after, ..line_of(act, target) });
        }
        for RecordDiff { key, before, after } in
            entry.turned.iter().filter(|turned| !told.contains(&turned.key))
        {
            let known = if cause.missing { before.as_ref().or(after.as_ref()) } else { before.as_ref() };
            let (was, is) = (state(before.as_ref()), state(after.as_ref()));
            if known.is_some_and(|record| record.due <= cause.at) && was != is {
                let (date, target) = (Some(key.date), Target::Record(key.record()));
                lines.push(Line { date, before: was, after: is, ..line_of(Act::Recompute, target) });
            }
        }
        lines
    }
}
