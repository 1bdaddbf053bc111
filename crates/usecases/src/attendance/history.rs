//! A person's days.

use rollcall_domain::access::{Action, Actor};
use rollcall_domain::attendance::{DayField, DayFilter, DaySort};
use rollcall_domain::calendar::DateRange;
use rollcall_domain::id::{RecordId, UserId};
use rollcall_domain::statistics::Summary;
use rollcall_domain::user::{People, User};

use super::{Attendance, AttendanceError, DayView, History, HistoryQuery};
use crate::people::reach;

impl Attendance {
    /// A person's days: what was expected of them, what they worked, and what that comes to. Days that are still to come
    /// are not among them.
    pub async fn history(
        &self,
        actor: &Actor,
        user: UserId,
        query: HistoryQuery,
    ) -> Result<History, AttendanceError> {
        let user: User =
            reach(&*self.users, actor, Action::ReadAttendance, self.rules.self_service, user).await?;
        let now = self.clock.now();
        self.plan_ahead(Some(user.id), now).await?;
        let today = self.zone_of(&user).local(now).date();
        let range = query.range.unwrap_or_else(|| DateRange::month_of(today));

        let stored = self.days.records(&People::One(user.id), range).await?;
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
        if query.with_events {
            let shown: Vec<RecordId> = days.items.iter().map(|day| day.id).collect();
            let mut events = self.days.events_of(&shown).await?;
            days.items.iter_mut().for_each(|day| day.events = events.remove(&day.id).unwrap_or_default());
        }
        Ok(History { days, summary })
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
