//! Storing what many items come to: person by person, or everybody at once.

use rollcall_domain::calendar::DateRange;
use rollcall_ports::attendance::Change;

use super::{BulkItem, ItemProblem, ItemResult, Job, Outcome, Share, Worked};
use crate::attendance::AttendanceError;
use crate::bulk::BulkEntry;
use crate::retry::retry_stale;

impl BulkEntry {
    /// Person by person, each as far as it goes; tells whether anything was entered.
    pub(super) async fn one_by_one(
        &self,
        job: &Job<'_>,
        shares: &[(Share<'_>, DateRange)],
        results: &mut [Option<ItemResult>],
    ) -> Result<bool, AttendanceError> {
        let mut entered = false;
        for (share, dates) in shares {
            let (worked, stored) = retry_stale!({
                let worked = self.work(job, share, *dates).await?;
                if !says_something(&worked.derived.change) || job.request.dry_run {
                    return Ok::<_, AttendanceError>((worked, false));
                }
                let change = std::slice::from_ref(&worked.derived.change);
                self.batches.commit(&job.batch, change, &job.audit_entry).await?;
                Ok((worked, true))
            })?;
            entered |= stored;
            tell(results, worked);
        }
        Ok(entered)
    }

    /// Everybody at once, if nothing fails; tells whether anything was entered.
    pub(super) async fn all_or_none(
        &self,
        job: &Job<'_>,
        shares: &[(Share<'_>, DateRange)],
        results: &mut [Option<ItemResult>],
    ) -> Result<bool, AttendanceError> {
        let failed_before = results.iter().any(Option::is_some) || job.request.items.contains_unread();
        retry_stale!({
            let mut all = Vec::new();
            for (share, dates) in shares {
                all.push(self.work(job, share, *dates).await?);
            }
            let fails = |(_, result): &(usize, ItemResult)| result.outcome == Outcome::Failed;
            if failed_before || all.iter().any(|worked| worked.results.iter().any(fails)) {
                for worked in all {
                    tell(results, Worked { results: not_applied(worked.results), ..worked });
                }
                return Ok(false);
            }
            let changes: Vec<Change> =
                all.iter().map(|worked| worked.derived.change.clone()).filter(says_something).collect();
            let committed = if job.request.dry_run || changes.is_empty() {
                Ok(())
            } else {
                self.batches.commit(&job.batch, &changes, &job.audit_entry).await
            };
            committed?;
            all.into_iter().for_each(|worked| tell(results, worked));
            Ok(!job.request.dry_run && !changes.is_empty())
        })
    }
}

/// Whether some items could not be read.
trait Unread {
    fn contains_unread(&self) -> bool;
}

impl Unread for Vec<Option<BulkItem>> {
    fn contains_unread(&self) -> bool {
        self.iter().any(Option::is_none)
    }
}

fn says_something(change: &Change) -> bool {
    !(change.punches.is_empty()
        && change.voided.is_empty()
        && change.decided.is_empty()
        && change.reverted.is_empty()
        && change.approvals.is_empty()
        && change.records.is_empty()
        && change.gone.is_empty()
        && change.readings.is_empty())
}

fn tell(results: &mut [Option<ItemResult>], worked: Worked) {
    for (place, result) in worked.results {
        results[place] = Some(result);
    }
}

/// What would have been entered was not.
fn not_applied(results: Vec<(usize, ItemResult)>) -> Vec<(usize, ItemResult)> {
    let left_out = |result: ItemResult| match result.outcome {
        Outcome::Created | Outcome::Updated => ItemResult {
            outcome: Outcome::Skipped,
            after: result.before.clone(),
            problem: Some(ItemProblem::NotApplied),
            ..result
        },
        Outcome::Unchanged | Outcome::Skipped | Outcome::Failed => result,
    };
    results.into_iter().map(|(place, result)| (place, left_out(result))).collect()
}
