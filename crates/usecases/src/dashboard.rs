//! How things are, at a glance.

use jiff::civil::Date;
use jiff::{SignedDuration, Span, Timestamp};
use rollcall_domain::access::{Action, Actor, Denied, Role};
use rollcall_domain::calendar::Zone;
use rollcall_domain::id::DepartmentId;
use rollcall_domain::statistics::{Rate, RecordScope, Tally, Totals};
use rollcall_domain::user::UserScope;
use rollcall_ports::statistics::{ActivityWindow, DashboardFilter, GroupBy, Key};

pub use rollcall_ports::statistics::{Devices, Searches, UserCounts};

use crate::authorize::{restrict_to_department, visible_scope};
use crate::statistics::{Statistics, StatisticsError, last};

/// A kiosk or camera that has searched within this is online.
const ONLINE: SignedDuration = SignedDuration::from_mins(15);

/// What is to be seen at a glance.
#[derive(Debug, Clone, Copy)]
pub struct DashboardQuery {
    /// On this date instead of today.
    pub date: Option<Date>,
    /// The dates up to it that are compared with as many before them.
    pub days: i32,
    /// Only this department.
    pub department: Option<DepartmentId>,
}

/// How things are.
#[derive(Debug, Clone)]
pub struct Dashboard {
    /// Whether this is about the actor alone.
    pub only_self: bool,
    /// The instant for which this is true.
    pub as_of: Timestamp,
    /// The organization's time zone.
    pub zone: Zone,
    /// The date.
    pub date: Date,
    /// People.
    pub census: UserCounts,
    /// Where they stand.
    pub today: Totals,
    /// Attendance of the last dates that are final.
    pub rate: Rate,
    /// The same of as many dates before.
    pub previous: Rate,
    /// Searches of the last dates, of the whole organization; for administrators.
    pub searches: Option<Searches>,
    /// Kiosks and cameras, of the whole organization; for administrators.
    pub devices: Option<Devices>,
    /// Requests for corrections that wait for an answer.
    pub open_corrections: u64,
}

impl Statistics {
    /// Counts people, where they stand today, attendance and searches, as far as the actor may see.
    ///
    /// # Errors
    /// [`StatisticsError::Denied`] for devices, and for a department that is absent or out of sight; or the store's.
    pub async fn dashboard(
        &self,
        actor: &Actor,
        query: DashboardQuery,
    ) -> Result<Dashboard, StatisticsError> {
        let whose = self.visible_to(actor, Action::ReadDashboard, query.department)?;
        let people = visible_scope(actor, Action::ReadDashboard, self.rules.self_service)?;
        let people = restrict_to_department(people, actor, query.department)?;
        let zone = self.rules.zone.clone();
        let now = self.clock.now();
        let date = query.date.unwrap_or_else(|| zone.local(now).date());

        let midnight = |date: Date| zone.instant(date.to_datetime(jiff::civil::Time::midnight()));
        let organization = (actor.role() == Role::Admin).then(|| ActivityWindow {
            from: midnight(date.saturating_sub(Span::new().days(query.days - 1))),
            until: midnight(date.saturating_add(Span::new().days(1))),
            online_since: now.checked_sub(ONLINE).unwrap_or(Timestamp::MIN),
        });
        let enough = self.enough();
        let wanted = DashboardFilter {
            people: &people,
            department: query.department,
            enrolled: enough.as_ref(),
            organization,
        };
        let glance = self.statistics.glance(&wanted).await?.ok_or(Denied::Hidden)?;
        let (searches, devices) = glance.organization.unzip();
        let today = self.today.totals(&people, query.date, now).await?;
        let (current, before) = self.compared(&whose, query.days, date, now).await?;
        Ok(Dashboard {
            only_self: matches!(people, UserScope::One(_)),
            as_of: now,
            date,
            census: glance.census,
            today,
            rate: current.attendance(),
            previous: before.attendance(),
            searches,
            devices,
            open_corrections: glance.open_corrections,
            zone,
        })
    }

    /// The last `days` dates, and as many before them; one query.
    async fn compared(
        &self,
        whose: &RecordScope,
        days: i32,
        date: Date,
        now: Timestamp,
    ) -> Result<(Tally, Tally), StatisticsError> {
        let (mut current, mut before) = (Tally::default(), Tally::default());
        let (Some(range), Some(both)) = (last(days, date), last(2 * days, date)) else {
            return Ok((current, before));
        };
        for (key, days) in self.statistics.days(whose, both, GroupBy::Date, now).await? {
            match key {
                Key::Date(date) if range.contains(date) => current.add(&days),
                _ => before.add(&days),
            }
        }
        Ok((current, before))
    }
}
