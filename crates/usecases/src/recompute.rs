//! Rebuilding records from the facts, and telling what differs.

use std::sync::Arc;

use rollcall_domain::access::{Action, Actor, permit};
use rollcall_domain::attendance::DayRecord;
use rollcall_domain::calendar::DateRange;
use rollcall_domain::id::UserId;
use rollcall_domain::page::Page;
use rollcall_domain::user::{User, UserFilter, UserScope};
use rollcall_ports::Ports;
use rollcall_ports::attendance::AttendanceStore;
use rollcall_ports::clock::Clock;
use rollcall_ports::store::StoreError;
use rollcall_ports::users::UserStore;

use crate::attendance::AttendanceError;
use crate::retry::retry_stale;
use crate::rules::Rules;
use crate::timesheet::Timesheets;
use crate::timesheet::audit::AuditContext;
use crate::timesheet::derive::TimesheetChange;

/// One record that recomputing changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Whose.
    pub user: UserId,
    /// As it was stored; `None` for one that was missing.
    pub before: Option<DayRecord>,
    /// As it follows from the facts; `None` for one that follows from nothing.
    pub after: Option<DayRecord>,
}

/// Works out stored records anew.
#[derive(Clone)]
pub struct Recompute {
    clock: Arc<dyn Clock>,
    days: Arc<dyn AttendanceStore>,
    users: Arc<dyn UserStore>,
    rules: Arc<Rules>,
    timesheets: Timesheets,
}

impl Recompute {
    pub(crate) fn new(ports: &Ports, rules: Arc<Rules>, timesheets: Timesheets) -> Self {
        Self {
            clock: ports.clock.clone(),
            days: ports.attendance.clone(),
            users: ports.users.clone(),
            rules,
            timesheets,
        }
    }

    /// Works out the records of some dates anew, of one person or of everybody, and tells what differs, person by person;
    /// stores it unless it is only to be told. Doing it again differs in nothing. Closed periods stay as they are.
    ///
    /// # Errors
    /// [`AttendanceError::Denied`] unless the actor is an administrator; or the store's, after which what was stored of
    /// people before stays.
    #[tracing::instrument(name = "attendance.recompute", skip_all, fields(dry_run))]
    pub async fn all(
        &self,
        actor: &Actor,
        only: Option<UserId>,
        dates: DateRange,
        dry_run: bool,
        tell: &mut (dyn FnMut(&User, &[Difference]) + Send),
    ) -> Result<u64, AttendanceError> {
        permit(actor, Action::RecomputeAttendance, self.rules.self_service)?;
        let people = only.map_or(UserScope::Everybody, UserScope::One);
        let filter = UserFilter { include_deleted: true, ..UserFilter::default() };
        let mut people_done = 0;
        let mut page = Page::new(1, Page::MAX_SIZE).unwrap_or_default();
        loop {
            let found = self.users.list(&people, &filter, &[], page).await?;
            if found.items.is_empty() {
                return Ok(people_done);
            }
            for user in &found.items {
                let differences = self.recompute(actor, user, dates, dry_run).await?;
                tell(user, &differences);
                people_done += 1;
            }
            let Ok(next) = Page::new(page.number() + 1, Page::MAX_SIZE) else { return Ok(people_done) };
            page = next;
        }
    }

    /// The same for one person.
    pub(crate) async fn recompute(
        &self,
        actor: &Actor,
        user: &User,
        dates: DateRange,
        dry_run: bool,
    ) -> Result<Vec<Difference>, StoreError> {
        retry_stale!({
            let timesheet = self.timesheets.open(user, dates).await?;
            if !timesheet.is_placed() {
                self.timesheets.refresh(user.id).await?;
                return Err(StoreError::Stale);
            }
            let stored = timesheet.ledger.records.clone();
            let context = AuditContext { missing: true, ..AuditContext::of(actor, self.clock.now()) };
            let derived = self.timesheets.conclude(timesheet, &context);
            let differences = differences(user.id, &stored, &derived);
            let nothing = derived.change.records.is_empty()
                && derived.change.gone.is_empty()
                && derived.change.readings.is_empty();
            if !dry_run && !nothing {
                self.days.commit(&derived.change).await?;
            }
            Ok(differences)
        })
    }
}

fn differences(user: UserId, stored: &[DayRecord], derived: &TimesheetChange) -> Vec<Difference> {
    let before = |key| stored.iter().find(|record| record.day.key == key).cloned();
    let changed = derived.change.records.iter().map(|record| Difference {
        user,
        before: before(record.day.key),
        after: Some(record.clone()),
    });
    let gone = stored.iter().filter(|record| derived.change.gone.contains(&record.day.id));
    changed.chain(gone.map(|record| Difference { user, before: Some(record.clone()), after: None })).collect()
}
