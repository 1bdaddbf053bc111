//! What one person's items come to.

use rollcall_domain::attendance::DayRecord;
use rollcall_domain::audit::AuditAction;
use rollcall_domain::batch::Operation;
use rollcall_domain::calendar::DateRange;

use super::{ItemProblem, ItemResult, Job, Outcome, Share, Worked};
use crate::attendance::{AttendanceError, DayView};
use crate::bulk::BulkEntry;
use crate::timesheet::audit::AuditContext;
use crate::timesheet::steps::place;

impl BulkEntry {
    /// Works out one person's items, one after the other. One that fails leaves no trace.
    pub(super) async fn work(
        &self,
        job: &Job<'_>,
        share: &Share<'_>,
        dates: DateRange,
    ) -> Result<Worked, AttendanceError> {
        let mut timesheet = if job.request.dry_run {
            let mut timesheet = self.timesheets.open(&share.user, dates).await?;
            if !timesheet.is_placed() {
                place(&share.user, &mut timesheet, job.now);
            }
            timesheet
        } else {
            self.timesheets.placed(&share.user, dates).await?
        };
        let keys: Vec<_> =
            share.items.iter().map(|(_, item)| self.day_meant(&timesheet, job, item)).collect();
        let mut done = Vec::new();
        for ((place, item), key) in share.items.iter().zip(&keys) {
            let outcome = match key {
                Some(key) if keys.iter().filter(|other| **other == Some(*key)).count() > 1 => {
                    Err(ItemProblem::Duplicate)
                }
                Some(key) => self.enter_item(job, &timesheet, *key, item).map(|(after, outcome)| {
                    timesheet = after;
                    outcome
                }),
                None => Err(AttendanceError::NoRecord.into()),
            };
            done.push((*place, *key, outcome));
        }
        let stored = timesheet.ledger.records.clone();
        let context = AuditContext {
            reason: Some(job.batch.reason.clone()),
            batch: Some(job.batch.id),
            whole: Some((AuditAction::BulkItem, None)),
            ..AuditContext::of(job.actor, job.now)
        };
        let derived = self.timesheets.conclude(timesheet, &context);
        let results = done.into_iter().map(|(place, key, outcome)| {
            let view = |record: DayRecord| DayView::of(record, job.now);
            let before = key.and_then(|key| stored.iter().find(|record| record.day.key == key).cloned());
            let after = key.and_then(|key| derived.record(key));
            let changed = key.is_some_and(|key| derived.change.records.iter().any(|new| new.day.key == key));
            let result = match outcome {
                Ok(Outcome::Unchanged) if changed && job.request.operation == Operation::Recompute => {
                    ItemResult {
                        outcome: Outcome::Updated,
                        before: before.map(view),
                        after: after.map(view),
                        problem: None,
                    }
                }
                Ok(outcome) => {
                    let problem = (outcome == Outcome::Skipped).then_some(ItemProblem::Conflict);
                    ItemResult { outcome, before: before.map(view), after: after.map(view), problem }
                }
                Err(problem) => ItemResult { before: before.map(view), ..ItemResult::failed(problem) },
            };
            (place, result)
        });
        let results = results.collect();
        Ok(Worked { results, derived })
    }
}
