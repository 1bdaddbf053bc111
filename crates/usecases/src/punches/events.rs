//! Single punches: finding them, and judging those that need it.

use jiff::Timestamp;
use rollcall_domain::access::{Action, Actor, Denied, permit};
use rollcall_domain::attendance::{Direction, Punch, SignOff, Source};
use rollcall_domain::calendar::DateRange;
use rollcall_domain::id::{BatchId, DepartmentId, DeviceId, PunchId, UserId};
use rollcall_domain::page::{Page, Paged};
use rollcall_domain::user::{User, UserScope};
use rollcall_ports::attendance::PunchFilter;
use rollcall_ports::store::StoreError;

use super::Punches;
use crate::attendance::{AttendanceError, DayView, SeenPunch};
use crate::authorize::{load_permitted, load_permitted_to_judge, restrict_to_department, visible_scope};
use crate::timesheet::sheet::Timesheet;

/// Which punches are wanted.
#[derive(Debug, Clone, Default)]
pub struct PunchQuery {
    /// From this instant on.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub until: Option<Timestamp>,
    /// Only this person's.
    pub user: Option<UserId>,
    /// Only those of people in this department.
    pub department: Option<DepartmentId>,
    /// That count as this by now.
    pub direction: Option<Direction>,
    /// That came about like this.
    pub source: Option<Source>,
    /// Of this kiosk or camera.
    pub device: Option<DeviceId>,
    /// Made with these entries.
    pub batch: Option<BatchId>,
    /// Only those somebody should look at, or only the others.
    pub needs_review: Option<bool>,
    /// Only those that were taken back, or only the others.
    pub voided: Option<bool>,
    /// This page.
    pub page: Page,
}

/// A punch that somebody judged.
#[derive(Debug, Clone)]
pub struct JudgedPunch {
    /// The punch.
    pub seen: SeenPunch,
    /// Its day as it is now; `None` if it belongs to none.
    pub day: Option<DayView>,
}

impl Punches {
    /// A page of the punches the actor may see, latest first.
    ///
    /// # Errors
    /// [`AttendanceError::Denied`] for devices, and if a person or department is asked for that the actor may not see;
    /// or the store's.
    pub async fn list(&self, actor: &Actor, query: PunchQuery) -> Result<Paged<SeenPunch>, AttendanceError> {
        let own = self.rules.self_service;
        permit(actor, Action::ReadAttendance, own)?;
        let mut people = restrict_to_department(
            visible_scope(actor, Action::ReadAttendance, own)?,
            actor,
            query.department,
        )?;
        if let Some(id) = query.user {
            let user = load_permitted(&*self.users, actor, Action::ReadAttendance, own, id).await?;
            let there = |wanted| user.department.as_ref().is_some_and(|found| found.id == wanted);
            if !query.department.is_none_or(there) {
                return Ok(query.page.of(Vec::new()));
            }
            people = UserScope::One(id);
        }
        let filter = PunchFilter {
            from: query.from,
            until: query.until,
            direction: query.direction,
            kind: None,
            source: query.source,
            device: query.device,
            batch: query.batch,
            needs_review: query.needs_review,
            voided: query.voided,
        };
        let found = self.days.punches(&people, &filter, query.page).await?;
        let Paged { items, total, page } = found;
        Ok(Paged { items: self.timesheets.seen(items).await?, total, page })
    }

    /// Takes a punch back. It is kept and counts as nothing.
    ///
    /// # Errors
    /// [`AttendanceError::Denied`] if there is no such punch, or it is not the actor's to judge;
    /// [`AttendanceError::ReasonRequired`]; [`AttendanceError::PeriodClosed`]; [`AttendanceError::NothingToRevert`] if
    /// it was taken back before; or the store's.
    #[tracing::instrument(name = "attendance.void", skip_all, fields(punch.id = %id))]
    pub async fn void(
        &self,
        actor: &Actor,
        id: PunchId,
        reason: &str,
    ) -> Result<JudgedPunch, AttendanceError> {
        self.judge_punch(actor, id, reason, |timesheet, punch, back| {
            if punch.voided.is_some() {
                return Err(AttendanceError::NothingToRevert);
            }
            timesheet.void(id, back);
            Ok(())
        })
        .await
    }

    /// Lets a punch count that somebody should have looked at.
    ///
    /// # Errors
    /// [`AttendanceError::NothingToReview`] if it does not wait for that; [`AttendanceError::Denied`],
    /// [`AttendanceError::ReasonRequired`] and [`AttendanceError::PeriodClosed`] as for [`Self::void`]; or the store's.
    #[tracing::instrument(name = "attendance.accept", skip_all, fields(punch.id = %id))]
    pub async fn accept(
        &self,
        actor: &Actor,
        id: PunchId,
        reason: &str,
    ) -> Result<JudgedPunch, AttendanceError> {
        self.judge_punch(actor, id, reason, |timesheet, punch, by| {
            if !punch.needs_review || punch.voided.is_some() {
                return Err(AttendanceError::NothingToReview);
            }
            timesheet.accept(id, by);
            Ok(())
        })
        .await
    }

    async fn judge_punch(
        &self,
        actor: &Actor,
        id: PunchId,
        reason: &str,
        judge: impl Fn(&mut Timesheet, &Punch, SignOff) -> Result<(), AttendanceError> + Send + Sync,
    ) -> Result<JudgedPunch, AttendanceError> {
        permit(actor, Action::DecideRecord, self.rules.self_service)?;
        let punch = self.days.punch(id).await?.ok_or(Denied::Hidden)?;
        let user: User = load_permitted_to_judge(
            &*self.users,
            actor,
            Action::DecideRecord,
            self.rules.self_service,
            punch.user,
        )
        .await?;
        let by = self.timesheets.sign_off(actor, reason)?;
        let zone = self.timesheets.zone_of(&user);
        let policy = &self.rules.policy;
        let locked = |timesheet: &Timesheet| {
            timesheet.day_of(id, policy).is_some_and(|key| timesheet.is_closed(key.date))
        };
        let context = self.timesheets.audit_context(actor, reason);
        self.timesheets
            .write(&user, DateRange::around(zone.local(punch.at).date()), &context, |timesheet| {
                let punch = timesheet.punch(id).cloned().ok_or(Denied::Hidden)?;
                if locked(timesheet) {
                    return Err(AttendanceError::PeriodClosed);
                }
                judge(timesheet, &punch, by.clone())?;
                // Judged, it may belong to another day.
                if locked(timesheet) { Err(AttendanceError::PeriodClosed) } else { Ok(()) }
            })
            .await?;
        let filed = self.days.punches_by_id(&[id]).await?.pop();
        let (punch, record) = filed.ok_or_else(|| StoreError::Failed("a punch is gone".into()))?;
        let day = match record {
            Some(record) => self.days.record(record).await?,
            None => None,
        };
        let day = day.map(|kept| DayView::of(kept, self.clock.now()));
        let seen = self.timesheets.seen(vec![(punch, record)]).await?.pop();
        let seen = seen.ok_or_else(|| StoreError::Failed("a punch is gone".into()))?;
        Ok(JudgedPunch { seen, day })
    }
}
