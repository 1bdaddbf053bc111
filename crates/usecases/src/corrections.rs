//! What people say their own day came to, and what somebody else thinks of it.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use rollcall_domain::Revision;
use rollcall_domain::access::{Action, Actor, Denied, permit};
use rollcall_domain::attendance::{DayKey, DayStatus};
use rollcall_domain::audit::{AuditAction, AuditEntry, State, Target};
use rollcall_domain::calendar::{DateRange, Zone};
use rollcall_domain::correction::{Correction, CorrectionStatus};
use rollcall_domain::id::{CorrectionId, DepartmentId, RecordId, ShiftId, UserId};
use rollcall_domain::leave::Decision;
use rollcall_domain::page::{Page, Paged};
use rollcall_domain::text::MIN_REASON;
use rollcall_domain::user::{User, UserScope};
use rollcall_ports::Ports;
use rollcall_ports::attendance::AttendanceStore;
use rollcall_ports::clock::Clock;
use rollcall_ports::corrections::CorrectionFilter;
use rollcall_ports::corrections::CorrectionStore;
use rollcall_ports::ids::IdSource;
use rollcall_ports::store::StoreError;
use rollcall_ports::users::UserStore;

use crate::attendance::AttendanceError;
use crate::audit::entry;
use crate::authorize::{load_permitted, restrict_to_department, visible_scope};
use crate::overrides::{OverrideRequest, Overrides};
use crate::retry::retry_stale;
use crate::rules::Rules;
use crate::time::rounded;
use crate::timesheet::Timesheets;
use crate::timesheet::audit::AuditContext;

/// What somebody says their own day came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorrectionRequest {
    /// Which date, not in the future.
    pub date: Date,
    /// Which shift of that date, if not the first.
    pub shift: Option<ShiftId>,
    /// How it is to be read.
    pub status: Option<DayStatus>,
    /// When the person came.
    pub first_in: Option<Timestamp>,
    /// When the person left.
    pub last_out: Option<Timestamp>,
    /// Why; at least [`MIN_REASON`] characters.
    pub reason: String,
}

/// Which requests are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct CorrectionQuery {
    /// Of this status.
    pub status: Option<CorrectionStatus>,
    /// Of this person.
    pub user: Option<UserId>,
    /// Of people in this department.
    pub department: Option<DepartmentId>,
    /// For one of these dates.
    pub within: Option<DateRange>,
    /// This page.
    pub page: Page,
}

/// A request and the time zone of its day.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenCorrection {
    /// The request.
    pub correction: Correction,
    /// The time zone that held on the day.
    pub zone: Zone,
}

/// Asks for one's own day to be corrected, and decides on such requests.
#[derive(Clone)]
pub struct Corrections {
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    days: Arc<dyn AttendanceStore>,
    users: Arc<dyn UserStore>,
    corrections: Arc<dyn CorrectionStore>,
    rules: Arc<Rules>,
    overrides: Overrides,
    timesheets: Timesheets,
}

impl Corrections {
    pub(crate) fn new(
        ports: &Ports,
        rules: Arc<Rules>,
        overrides: Overrides,
        timesheets: Timesheets,
    ) -> Self {
        Self {
            clock: ports.clock.clone(),
            ids: ports.ids.clone(),
            days: ports.attendance.clone(),
            users: ports.users.clone(),
            corrections: ports.corrections.clone(),
            rules,
            overrides,
            timesheets,
        }
    }

    /// Asks for one's own day to be corrected. It stays as it is until somebody else agrees.
    ///
    /// # Errors
    /// [`AttendanceError::Denied`] for devices and the operator; [`AttendanceError::FutureTime`], [`AttendanceError::TooOld`],
    /// [`AttendanceError::OutsideDay`] or [`AttendanceError::Unfit`] for what cannot be decided; [`AttendanceError::NoRecord`];
    /// [`AttendanceError::PeriodClosed`]; [`AttendanceError::PendingAlready`]; or the store's.
    #[tracing::instrument(name = "attendance.request", skip_all)]
    pub async fn request(
        &self,
        actor: &Actor,
        request: &CorrectionRequest,
    ) -> Result<SeenCorrection, AttendanceError> {
        let own = self.rules.self_service;
        permit(actor, Action::RequestCorrection, own)?;
        let id = actor.user().ok_or(Denied::Hidden)?;
        let user = load_permitted(&*self.users, actor, Action::RequestCorrection, own, id).await?;
        let now = self.clock.now();
        if request.date > self.timesheets.zone_of(&user).local(now).date() {
            return Err(AttendanceError::FutureTime);
        }
        self.overrides.check_date(request.date, now)?;
        let timesheet = self.timesheets.placed(&user, DateRange::around(request.date)).await?;
        let first = timesheet.day_on(request.date).ok_or(AttendanceError::NoRecord)?;
        let key = DayKey { shift: request.shift.or(first.shift), ..first };
        if key != first && timesheet.version(key).is_none() {
            return Err(AttendanceError::NoRecord);
        }
        let correction = Correction {
            id: CorrectionId::new(self.ids.next()),
            key,
            day_status: request.status,
            first_in: request.first_in.map(rounded),
            last_out: request.last_out.map(rounded),
            reason: request.reason.trim().to_owned(),
            status: CorrectionStatus::Pending,
            requested_at: rounded(now),
            decided: None,
            overriding: None,
            revision: Revision::NEW,
        };
        // What could not be decided cannot be asked for.
        self.overrides.decide(&mut timesheet.clone(), key, &wanted(&correction), actor, None)?;
        let audit_entry = AuditEntry {
            reason: Some(correction.reason.clone()),
            after: Some(State::correction(&correction)),
            ..self.entry_of(&correction, actor, AuditAction::RequestCorrection)
        };
        match self.corrections.insert(&correction, &audit_entry).await {
            Ok(()) => {}
            Err(StoreError::Overlaps(_)) => return Err(AttendanceError::PendingAlready),
            Err(error) => return Err(error.into()),
        }
        self.correction_again(correction.id).await
    }

    /// A page of the requests the actor may see, latest first.
    ///
    /// # Errors
    /// [`AttendanceError::Denied`] for devices, and if a person or department is asked for that the actor may not see;
    /// or the store's.
    pub async fn list(
        &self,
        actor: &Actor,
        query: CorrectionQuery,
    ) -> Result<Paged<SeenCorrection>, AttendanceError> {
        let own = self.rules.self_service;
        permit(actor, Action::ReadCorrections, own)?;
        let people = visible_scope(actor, Action::ReadCorrections, own)?;
        let people: UserScope = restrict_to_department(people, actor, query.department)?;
        if let Some(user) = query.user {
            load_permitted(&*self.users, actor, Action::ReadCorrections, own, user).await?;
        }
        let CorrectionQuery { status, user, within, page, .. } = query;
        let filter = CorrectionFilter { user, status, within };
        let Paged { items, total, page } = self.corrections.list(&people, &filter, page).await?;
        Ok(Paged { items: self.zoned(items).await?, total, page })
    }

    /// Reads a request and the time zone of its day.
    ///
    /// # Errors
    /// [`AttendanceError::Denied`] if there is no such request or the actor may not see it; or the store's.
    pub async fn get(&self, actor: &Actor, id: CorrectionId) -> Result<SeenCorrection, AttendanceError> {
        let (correction, _) = self.asked(actor, Action::ReadCorrections, id).await?;
        let zoned = self.zoned(vec![correction]).await?.pop();
        Ok(zoned.ok_or(Denied::Hidden)?)
    }

    /// Agrees to a request: the day is decided to be as it says, in the same commit.
    ///
    /// # Errors
    /// [`AttendanceError::Denied`] if there is no such request, it is the actor's own, or not theirs to decide;
    /// [`AttendanceError::Outdated`] if `if_match` is not its revision; [`AttendanceError::DecidedAlready`];
    /// [`AttendanceError::PeriodClosed`], [`AttendanceError::NoRecord`], [`AttendanceError::OutsideDay`] or
    /// [`AttendanceError::Unfit`] if the day cannot be so any more; or the store's.
    #[tracing::instrument(name = "attendance.approve", skip_all, fields(correction.id = %id))]
    pub async fn approve(
        &self,
        actor: &Actor,
        id: CorrectionId,
        comment: Option<String>,
        if_match: Option<Revision>,
    ) -> Result<SeenCorrection, AttendanceError> {
        retry_stale!({
            let (correction, user) = self.judged_request(actor, id, if_match).await?;
            let key = correction.key;
            let mut timesheet = self.timesheets.placed(&user, DateRange::around(key.date)).await?;
            let override_ = self.overrides.decide(&mut timesheet, key, &wanted(&correction), actor, None)?;
            // The request and the day have one line together, which tells of the day.
            let act = (AuditAction::DecideCorrection, Some(Target::Correction(id)));
            let why = comment.as_deref().unwrap_or(&correction.reason);
            let context = AuditContext { whole: Some(act), ..self.timesheets.audit_context(actor, why) };
            let mut change = self.timesheets.conclude(timesheet, &context).change;
            let audit_entry = match change
                .audit_entries
                .iter()
                .position(|audit_entry| audit_entry.act == AuditAction::DecideCorrection)
            {
                Some(place) => change.audit_entries.remove(place),
                None => self.entry_of(&correction, actor, AuditAction::DecideCorrection),
            };
            let settled = Correction {
                overriding: Some(override_.id),
                ..self.settled(correction, actor, CorrectionStatus::Approved, comment.clone())
            };
            self.corrections.settle(&settled, Some(&change), &audit_entry).await?;
            self.correction_again(id).await
        })
    }

    /// Leaves the day as it is, and tells whoever asked why.
    ///
    /// # Errors
    /// [`AttendanceError::CommentRequired`] for a short comment; [`AttendanceError::Denied`],
    /// [`AttendanceError::Outdated`] and [`AttendanceError::DecidedAlready`] as for [`Self::approve`]; or the store's.
    #[tracing::instrument(name = "attendance.reject", skip_all, fields(correction.id = %id))]
    pub async fn reject(
        &self,
        actor: &Actor,
        id: CorrectionId,
        comment: &str,
        if_match: Option<Revision>,
    ) -> Result<SeenCorrection, AttendanceError> {
        let comment = comment.trim();
        if comment.chars().count() < MIN_REASON {
            return Err(AttendanceError::CommentRequired);
        }
        retry_stale!({
            let (correction, _) = self.judged_request(actor, id, if_match).await?;
            let comment = Some(comment.to_owned());
            let settled = self.settled(correction.clone(), actor, CorrectionStatus::Rejected, comment);
            self.settle(actor, &correction, &settled).await?;
            self.correction_again(id).await
        })
    }

    /// Takes one's own request back.
    ///
    /// # Errors
    /// [`AttendanceError::Denied`] unless it is the actor's own; [`AttendanceError::Outdated`] if `if_match` is not its
    /// revision; [`AttendanceError::DecidedAlready`]; or the store's.
    #[tracing::instrument(name = "attendance.withdraw", skip_all, fields(correction.id = %id))]
    pub async fn withdraw(
        &self,
        actor: &Actor,
        id: CorrectionId,
        if_match: Option<Revision>,
    ) -> Result<SeenCorrection, AttendanceError> {
        retry_stale!({
            let (correction, _) = self.asked(actor, Action::RequestCorrection, id).await?;
            unchanged(&correction, if_match)?;
            pending(&correction)?;
            let settled = self.settled(correction.clone(), actor, CorrectionStatus::Withdrawn, None);
            self.settle(actor, &correction, &settled).await?;
            self.correction_again(id).await
        })
    }

    /// Stores what came of a request that leaves the day as it is.
    async fn settle(
        &self,
        actor: &Actor,
        before: &Correction,
        settled: &Correction,
    ) -> Result<(), StoreError> {
        let audit_entry = AuditEntry {
            reason: settled.decided.as_ref().and_then(|decided| decided.comment.clone()),
            before: Some(State::correction(before)),
            after: Some(State::correction(settled)),
            ..self.entry_of(settled, actor, AuditAction::DecideCorrection)
        };
        self.corrections.settle(settled, None, &audit_entry).await
    }

    fn entry_of(&self, correction: &Correction, actor: &Actor, act: AuditAction) -> AuditEntry {
        AuditEntry {
            subject: Some(correction.user()),
            date: Some(correction.key.date),
            ..entry(&*self.ids, self.clock.now(), actor.into(), act, Target::Correction(correction.id))
        }
    }

    fn settled(
        &self,
        correction: Correction,
        actor: &Actor,
        status: CorrectionStatus,
        comment: Option<String>,
    ) -> Correction {
        let decided = Decision { by: actor.user(), at: rounded(self.clock.now()), comment };
        Correction { status, decided: Some(decided), ..correction }
    }

    /// A request and whose it is, if the actor may do that with it.
    async fn asked(
        &self,
        actor: &Actor,
        action: Action,
        id: CorrectionId,
    ) -> Result<(Correction, User), AttendanceError> {
        permit(actor, action, self.rules.self_service)?;
        let correction = self.corrections.get(id).await?.ok_or(Denied::Hidden)?;
        let user =
            load_permitted(&*self.users, actor, action, self.rules.self_service, correction.user()).await?;
        Ok((correction, user))
    }

    /// A pending request that the actor may decide on. Nobody decides on their own.
    async fn judged_request(
        &self,
        actor: &Actor,
        id: CorrectionId,
        if_match: Option<Revision>,
    ) -> Result<(Correction, User), AttendanceError> {
        let (correction, user) = self.asked(actor, Action::DecideCorrection, id).await?;
        if actor.is(user.id) {
            return Err(Denied::Forbidden.into());
        }
        unchanged(&correction, if_match)?;
        pending(&correction)?;
        Ok((correction, user))
    }

    async fn correction_again(&self, id: CorrectionId) -> Result<SeenCorrection, AttendanceError> {
        let correction = self.corrections.get(id).await?.ok_or(Denied::Hidden)?;
        let zoned = self.zoned(vec![correction]).await?.pop();
        Ok(zoned.ok_or(Denied::Hidden)?)
    }

    /// Gives requests the time zones of their days.
    async fn zoned(&self, corrections: Vec<Correction>) -> Result<Vec<SeenCorrection>, StoreError> {
        let ids: Vec<RecordId> = corrections.iter().map(|correction| correction.key.record()).collect();
        let records = self.days.records_by_id(&ids).await?;
        let zones: HashMap<RecordId, Zone> =
            records.into_iter().map(|record| (record.day.id, record.day.zone)).collect();
        let seen = |correction: Correction| {
            let zone = zones.get(&correction.key.record()).cloned();
            SeenCorrection { correction, zone: zone.unwrap_or_else(|| self.timesheets.zone_named(None)) }
        };
        Ok(corrections.into_iter().map(seen).collect())
    }
}

/// What is to be decided of the day.
fn wanted(correction: &Correction) -> OverrideRequest {
    OverrideRequest {
        status: correction.day_status,
        first_in: correction.first_in,
        last_out: correction.last_out,
        overtime_seconds: None,
        note: None,
        reason: correction.reason.clone(),
    }
}

/// Whether it is still as whoever asks has read it.
fn unchanged(correction: &Correction, if_match: Option<Revision>) -> Result<(), AttendanceError> {
    if if_match.is_some_and(|revision| revision != correction.revision) {
        return Err(AttendanceError::Outdated);
    }
    Ok(())
}

const fn pending(correction: &Correction) -> Result<(), AttendanceError> {
    match correction.status {
        CorrectionStatus::Pending => Ok(()),
        CorrectionStatus::Approved | CorrectionStatus::Rejected | CorrectionStatus::Withdrawn => {
            Err(AttendanceError::DecidedAlready)
        }
    }
}
