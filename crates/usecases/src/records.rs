//! A person's days.

use std::sync::Arc;

use rollcall_domain::access::{Action, Actor, Denied, permit};
use rollcall_domain::attendance::DayRecord;
use rollcall_domain::attendance::{DayField, DayFilter, DaySort};
use rollcall_domain::calendar::DateRange;
use rollcall_domain::id::{RecordId, UserId};
use rollcall_domain::page::{Page, Paged};
use rollcall_domain::statistics::Summary;
use rollcall_domain::user::{User, UserScope};
use rollcall_ports::Ports;
use rollcall_ports::attendance::AttendanceStore;
use rollcall_ports::attendance::OverrideHistoryEntry;
use rollcall_ports::clock::Clock;
use rollcall_ports::users::UserStore;

use crate::attendance::{AttendanceError, DayView};
use crate::authorize::load_permitted;
use crate::rules::Rules;
use crate::timesheet::Timesheets;

/// A day with its punches, and what was ever decided of it.
#[derive(Debug, Clone)]
pub struct RecordHistory {
    /// The day as it stands.
    pub day: DayView,
    /// Decisions, earliest first.
    pub decided: Vec<OverrideHistoryEntry>,
}

/// Which of a person's days are wanted, in which order.
#[derive(Debug, Clone, Default)]
pub struct HistoryQuery {
    /// Between these dates; `None` is the current month of the person.
    pub range: Option<DateRange>,
    /// Only days that match.
    pub filter: DayFilter,
    /// In this order; none is latest first.
    pub sort: Vec<DaySort>,
    /// With the punches of each day.
    pub with_punches: bool,
    /// This page.
    pub page: Page,
}

/// A person's days and what they come to together.
#[derive(Debug, Clone)]
pub struct History {
    /// One page of them.
    pub days: Paged<DayView>,
    /// Of all days that match, not of the page.
    pub summary: Summary,
}

/// Reads what people's days came to.
#[derive(Clone)]
pub struct Records {
    clock: Arc<dyn Clock>,
    days: Arc<dyn AttendanceStore>,
    users: Arc<dyn UserStore>,
    rules: Arc<Rules>,
    timesheets: Timesheets,
}

impl Records {
    pub(crate) fn new(ports: &Ports, rules: Arc<Rules>, timesheets: Timesheets) -> Self {
        Self {
            clock: ports.clock.clone(),
            days: ports.attendance.clone(),
            users: ports.users.clone(),
            rules,
            timesheets,
        }
    }

    /// Reads a day with its punches, and what was ever decided of it.
    ///
    /// # Errors
    /// [`AttendanceError::Denied`] if there is no such record or the actor may not see it; or the store's.
    pub async fn record(&self, actor: &Actor, id: RecordId) -> Result<RecordHistory, AttendanceError> {
        permit(actor, Action::ReadAttendance, self.rules.self_service)?;
        let kept = self.days.record(id).await?.ok_or(Denied::Hidden)?;
        load_permitted(
            &*self.users,
            actor,
            Action::ReadAttendance,
            self.rules.self_service,
            kept.day.key.user,
        )
        .await?;
        self.history_of(kept).await
    }

    /// A person's days: what was expected of them, what they worked, and what that comes to. Days that are still to come
    /// are not among them.
    ///
    /// # Errors
    /// [`AttendanceError::Denied`] if there is no such person or the actor may not see them; or the store's.
    pub async fn history(
        &self,
        actor: &Actor,
        user: UserId,
        query: HistoryQuery,
    ) -> Result<History, AttendanceError> {
        let user: User =
            load_permitted(&*self.users, actor, Action::ReadAttendance, self.rules.self_service, user)
                .await?;
        let now = self.clock.now();
        self.timesheets.plan_ahead(Some(user.id), now).await?;
        let today = self.timesheets.zone_of(&user).local(now).date();
        let range = query.range.unwrap_or_else(|| DateRange::month_of(today));

        let stored = self.days.records(&UserScope::One(user.id), range).await?;
        let mut days: Vec<DayView> = stored
            .into_iter()
            .filter(|kept| kept.day.key.date <= today || kept.record.first_in.is_some())
            .map(|kept| DayView::of(kept, now))
            .collect();
        days.retain(|day| matches_filter(day, &query.filter));
        sort_days(&mut days, &query.sort);
        let of_shift = |day: &DayView| day.key.shift.is_some();
        let summed = days.iter().map(|day| (of_shift(day), &day.record, day.approved_seconds));
        let summary = Summary::of(summed);
        let mut days = query.page.of(days);
        if query.with_punches {
            let shown: Vec<RecordId> = days.items.iter().map(|day| day.id).collect();
            let mut punches = self.days.punches_of(&shown).await?;
            days.items.iter_mut().for_each(|day| day.punches = punches.remove(&day.id).unwrap_or_default());
        }
        Ok(History { days, summary })
    }

    pub(crate) async fn read_again(&self, id: RecordId) -> Result<RecordHistory, AttendanceError> {
        let kept = self.days.record(id).await?.ok_or(AttendanceError::NoRecord)?;
        self.history_of(kept).await
    }

    async fn history_of(&self, kept: DayRecord) -> Result<RecordHistory, AttendanceError> {
        let decided = self.days.override_history(kept.day.key).await?;
        Ok(RecordHistory { day: DayView::of(kept, self.clock.now()), decided })
    }
}

fn matches_filter(day: &DayView, filter: &DayFilter) -> bool {
    filter.status.is_none_or(|status| day.record.status == status)
        && filter.source.is_none_or(|source| day.source == Some(source))
        && filter.shift.is_none_or(|shift| day.key.shift == Some(shift))
}

fn sort_days(days: &mut [DayView], sort: &[DaySort]) {
    let latest_first = [DaySort { key: DayField::Date, descending: true }];
    let sort = if sort.is_empty() { &latest_first } else { sort };
    days.sort_by(|a, b| {
        let by_key = sort.iter().map(|by| {
            let order = match by.key {
                DayField::Date => a.key.date.cmp(&b.key.date),
                DayField::FirstIn => a.record.first_in.cmp(&b.record.first_in),
                DayField::Worked => a.record.worked_seconds.cmp(&b.record.worked_seconds),
                DayField::Late => a.record.late_seconds.cmp(&b.record.late_seconds),
            };
            if by.descending { order.reverse() } else { order }
        });
        // Two records of one date, in and out of a shift, keep one order in every answer.
        by_key.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then).then(a.key.shift.cmp(&b.key.shift))
    });
}
