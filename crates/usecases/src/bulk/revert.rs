//! Taking back together what was entered together.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rollcall_domain::access::{Action, Actor, Denied, permit};
use rollcall_domain::attendance::SignOff;
use rollcall_domain::audit::{AuditAction, AuditEntry, State, Target};
use rollcall_domain::batch::Batch;
use rollcall_domain::id::{BatchId, UserId};
use rollcall_ports::attendance::Change;
use rollcall_ports::batches::Entries;
use rollcall_ports::store::StoreError;

use super::RevertedBatch;
use crate::attendance::AttendanceError;
use crate::audit::entry;
use crate::authorize::load_permitted_to_judge;
use crate::bulk::{BulkEntry, range};
use crate::retry::retry_stale;
use crate::timesheet::audit::AuditContext;

impl BulkEntry {
    /// Takes back what a batch did, as far as it still holds, and lets hold again what it replaced; all of it or
    /// nothing.
    ///
    /// # Errors
    /// [`AttendanceError::Denied`] unless the actor is an administrator, for an unknown batch, and if somebody in it
    /// was removed since; [`AttendanceError::ReasonRequired`]; [`AttendanceError::NothingToRevert`] if it was taken
    /// back before; [`AttendanceError::PeriodClosed`]; or the store's.
    #[tracing::instrument(name = "attendance.revert_batch", skip_all, fields(batch.id = %id))]
    pub async fn revert(
        &self,
        actor: &Actor,
        id: BatchId,
        reason: &str,
    ) -> Result<RevertedBatch, AttendanceError> {
        permit(actor, Action::EnterInBulk, self.rules.self_service)?;
        let back = self.timesheets.sign_off(actor, reason)?;
        retry_stale!({
            let batch = self.batches.get(id).await?.ok_or(Denied::Hidden)?;
            if batch.reverted.is_some() {
                return Err(AttendanceError::NothingToRevert);
            }
            let entries = self.batches.entries(id).await?;
            let changes = self.taken_back(actor, id, &entries, &back).await?;
            let (punches, overrides, approvals) =
                (entries.punches.len(), entries.overrides.len(), entries.approved.len());
            let audit_entry = AuditEntry {
                batch: Some(id),
                reason: Some(back.reason.clone()),
                before: Some(State::batch(&batch)),
                after: Some(State::taken_back(&batch, punches, overrides, approvals)),
                ..entry(&*self.ids, back.at, actor.into(), AuditAction::RevertBatch, Target::Batch(id))
            };
            self.batches.revert(id, &back, &changes, &audit_entry).await?;
            Ok(RevertedBatch {
                batch: Batch { reverted: Some(back.clone()), ..batch },
                punches,
                overrides,
                approvals,
                restored: entries.voided.len() + entries.replaced.len(),
            })
        })
    }

    /// What takes entries back, person by person.
    async fn taken_back(
        &self,
        actor: &Actor,
        batch: BatchId,
        entries: &Entries,
        back: &SignOff,
    ) -> Result<Vec<Change>, AttendanceError> {
        let utc = rollcall_domain::calendar::Zone::UTC;
        let mut dates: BTreeMap<UserId, Vec<Date>> = BTreeMap::new();
        for punch in entries.punches.iter().chain(&entries.voided) {
            dates.entry(punch.user).or_default().push(utc.local(punch.at).date());
        }
        for key in entries.overrides.iter().map(|(_, key)| key).chain(&entries.approved) {
            dates.entry(key.user).or_default().push(key.date);
        }
        let context = AuditContext {
            batch: Some(batch),
            whole: Some((AuditAction::RevertItem, None)),
            ..self.timesheets.audit_context(actor, &back.reason)
        };
        let mut changes = Vec::new();
        for (id, dates) in dates {
            let user = load_permitted_to_judge(
                &*self.users,
                actor,
                Action::EnterInBulk,
                self.rules.self_service,
                id,
            )
            .await?;
            let ends = dates.iter().min().zip(dates.iter().max());
            let dates = ends.and_then(|(from, to)| range(*from, *to));
            let dates = dates.ok_or_else(|| StoreError::Failed("a batch is too long".into()))?;
            let mut timesheet = self.timesheets.placed(&user, dates).await?;
            for punch in entries.punches.iter().filter(|punch| punch.user == id) {
                let day = timesheet.day_of(punch.id, &self.rules.policy);
                if day.is_some_and(|key| timesheet.is_closed(key.date)) {
                    return Err(AttendanceError::PeriodClosed);
                }
                timesheet.void(punch.id, back.clone());
            }
            for punch in entries.voided.iter().filter(|punch| punch.user == id) {
                timesheet.unvoid(punch.id);
                let day = timesheet.day_of(punch.id, &self.rules.policy);
                if day.is_some_and(|key| timesheet.is_closed(key.date)) {
                    return Err(AttendanceError::PeriodClosed);
                }
            }
            for (_, key) in entries.overrides.iter().filter(|(_, key)| key.user == id) {
                if timesheet.is_closed(key.date) {
                    return Err(AttendanceError::PeriodClosed);
                }
                timesheet.revert(*key, back.clone());
            }
            for (key, override_) in entries.replaced.iter().filter(|(key, _)| key.user == id) {
                timesheet.restore(*key, override_.clone());
            }
            for key in entries.approved.iter().filter(|key| key.user == id) {
                if timesheet.is_closed(key.date) {
                    return Err(AttendanceError::PeriodClosed);
                }
                timesheet.withdraw(*key);
            }
            changes.push(self.timesheets.conclude(timesheet, &context).change);
        }
        Ok(changes)
    }
}
