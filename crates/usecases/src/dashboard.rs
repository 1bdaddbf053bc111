//! How things are, at a glance.

use jiff::civil::Date;
use jiff::{SignedDuration, Span, Timestamp};
use rollcall_domain::access::{Action, Actor, Role};
use rollcall_domain::calendar::Zone;
use rollcall_domain::id::{DepartmentId, UserId};
use rollcall_domain::statistics::{Rate, Tally, Totals};
use rollcall_domain::user::People;
use rollcall_ports::statistics::By;
pub use rollcall_ports::statistics::{Census, Devices, Searches};

use crate::attendance::AttendanceError;
use crate::people::reachable;
use crate::roster::TodayQuery;
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
    pub census: Census,
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
    /// How things are, as far as the actor may see.
    pub async fn dashboard(
        &self,
        actor: &Actor,
        query: DashboardQuery,
    ) -> Result<Dashboard, StatisticsError> {
        let whose = self.whose(actor, Action::ReadDashboard, query.department).await?;
        let people =
            match (query.department, reachable(actor, Action::ReadDashboard, self.rules.self_service)?) {
                // Nobody besides its members.
                (Some(department), _) => {
                    People::Departments(vec![department], UserId::new(uuid::Uuid::nil()))
                }
                (None, people) => people,
            };
        let zone = self.rules.zone.clone();
        let now = self.clock.now();
        let date = query.date.unwrap_or_else(|| zone.local(now).date());

        let today = TodayQuery { date: query.date, department: query.department, ..TodayQuery::default() };
        let today = self.attendance.today(actor, today).await.map_err(|error| match error {
            AttendanceError::Denied(denied) => StatisticsError::Denied(denied),
            AttendanceError::Store(error) => StatisticsError::Store(error),
            other => StatisticsError::Attendance(other),
        })?;
        let (mut current, mut before) = (Tally::default(), Tally::default());
        if let Some(range) = last(query.days, date) {
            for (range, tally) in [(Some(range), &mut current), (range.before(), &mut before)] {
                let Some(range) = range else { continue };
                let days = self.statistics.days(&whose, range, By::Nothing, now).await?;
                days.iter().for_each(|(_, days)| tally.add(days));
            }
        }
        let (searches, devices) = match actor.role() {
            Role::Admin => {
                let midnight = |date: Date| zone.instant(date.to_datetime(jiff::civil::Time::midnight()));
                let from = midnight(date.saturating_sub(Span::new().days(query.days - 1)));
                let until = midnight(date.saturating_add(Span::new().days(1)));
                let since = now.checked_sub(ONLINE).unwrap_or(Timestamp::MIN);
                let searches = self.statistics.searches(from, until).await?;
                (Some(searches), Some(self.statistics.devices(since).await?))
            }
            Role::Manager | Role::Employee | Role::Device => (None, None),
        };
        Ok(Dashboard {
            only_self: matches!(people, People::One(_)),
            as_of: now,
            date,
            census: self.statistics.census(&people, self.enough().as_ref()).await?,
            today: today.totals,
            rate: current.attendance(),
            previous: before.attendance(),
            searches,
            devices,
            open_corrections: self.statistics.open_corrections(&people).await?,
            zone,
        })
    }
}
