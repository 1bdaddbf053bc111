//! Who is in today.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use rollcall_domain::access::{Action, Actor, permit};
use rollcall_domain::attendance::{DayRecord, DayStatus};
use rollcall_domain::calendar::{DateRange, Zone};
use rollcall_domain::department::DepartmentRef;
use rollcall_domain::id::DepartmentId;
use rollcall_domain::page::{Page, Paged};
use rollcall_domain::statistics::Totals;
use rollcall_domain::user::{RosterEntry, UserScope};
use rollcall_ports::Ports;
use rollcall_ports::attendance::AttendanceStore;
use rollcall_ports::clock::Clock;
use rollcall_ports::store::StoreError;

use crate::attendance::{AttendanceError, DayView};
use crate::authorize::{restrict_to_department, visible_scope};
use crate::rules::Rules;
use crate::timesheet::Timesheets;

/// Whose day is wanted.
#[derive(Debug, Clone, Default)]
pub struct TodayQuery {
    /// This date instead of each person's today.
    pub date: Option<Date>,
    /// The time zone in which the answer names its date; each person is judged in their own.
    pub zone: Option<Zone>,
    /// Only this department.
    pub department: Option<DepartmentId>,
    /// Only people of this status, in the list; the totals count everybody.
    pub status: Option<DayStatus>,
    /// This page of the list.
    pub page: Page,
}

/// Who is in.
#[derive(Debug, Clone)]
pub struct TodayList {
    /// The date asked for, or today in `zone`.
    pub date: Date,
    /// The time zone of `date`.
    pub zone: Zone,
    /// The instant for which this is true.
    pub as_of: Timestamp,
    /// Everybody the actor may see.
    pub totals: Totals,
    /// The same by department, by name; people without one come last.
    pub by_department: Vec<(Option<DepartmentRef>, Totals)>,
    /// People one by one, by name.
    pub people: Paged<TodayStatus>,
    /// Whether this is about the actor alone.
    pub only_self: bool,
}

/// Where one person stands.
#[derive(Debug, Clone)]
pub struct TodayStatus {
    /// Who.
    pub person: RosterEntry,
    /// How their day is to be read.
    pub status: DayStatus,
    /// The day itself.
    pub day: DayView,
}

/// Tells who is in today.
#[derive(Clone)]
pub struct Today {
    clock: Arc<dyn Clock>,
    days: Arc<dyn AttendanceStore>,
    rules: Arc<Rules>,
    timesheets: Timesheets,
}

impl Today {
    pub(crate) fn new(ports: &Ports, rules: Arc<Rules>, timesheets: Timesheets) -> Self {
        Self { clock: ports.clock.clone(), days: ports.attendance.clone(), rules, timesheets }
    }

    /// Tells who is in, as far as the actor may see. One query, however many people there are.
    ///
    /// # Errors
    /// [`AttendanceError::Denied`] for devices, and for a department whose people the actor may not see; or the
    /// store's.
    pub async fn list(&self, actor: &Actor, query: TodayQuery) -> Result<TodayList, AttendanceError> {
        permit(actor, Action::ReadToday, self.rules.self_service)?;
        let people = restrict_to_department(
            visible_scope(actor, Action::ReadToday, self.rules.self_service)?,
            actor,
            query.department,
        )?;
        let now = self.clock.now();
        let zone = query.zone.unwrap_or_else(|| self.rules.zone.clone());
        let date = query.date.unwrap_or_else(|| zone.local(now).date());

        let roster = self.standing(&people, query.date, now).await?;
        let (mut totals, mut departments) = (Totals::default(), BTreeMap::new());
        let mut standings = Vec::with_capacity(roster.len());
        for (person, day, stands) in roster {
            let status = stands.status;
            stands.count(&mut totals);
            let name = person.department.as_ref().map(|department| department.name.as_str().to_owned());
            let key = (name.is_none(), name, person.department.as_ref().map(|department| department.id));
            let of_department: &mut (Option<DepartmentRef>, Totals) =
                departments.entry(key).or_insert_with(|| (person.department.clone(), Totals::default()));
            stands.count(&mut of_department.1);
            if query.status.is_none_or(|wanted| wanted == status) {
                standings.push(TodayStatus { person, status, day });
            }
        }
        Ok(TodayList {
            date,
            zone,
            as_of: now,
            totals,
            by_department: departments.into_values().collect(),
            people: query.page.of(standings),
            only_self: matches!(people, UserScope::One(_)),
        })
    }

    /// How many of these people stand where.
    pub(crate) async fn totals(
        &self,
        people: &UserScope,
        date: Option<Date>,
        now: Timestamp,
    ) -> Result<Totals, StoreError> {
        let mut totals = Totals::default();
        self.standing(people, date, now).await?.iter().for_each(|(_, _, stands)| stands.count(&mut totals));
        Ok(totals)
    }

    /// Where each of these people stands on a date, or on what is today where they are. Nothing is asked of who has not
    /// begun, or has gone.
    async fn standing(
        &self,
        people: &UserScope,
        date: Option<Date>,
        now: Timestamp,
    ) -> Result<Vec<(RosterEntry, DayView, Stands)>, StoreError> {
        let only = if let UserScope::One(user) = people { Some(*user) } else { None };
        self.timesheets.plan_ahead(only, now).await?;
        let dates = date.map_or_else(|| DateRange::today_anywhere(now), DateRange::only);
        let mut standing = Vec::new();
        let mut rest = self.days.roster(people, dates).await?.into_iter().peekable();
        while let Some((person, first)) = rest.next() {
            let mut own = vec![first];
            while let Some((_, next)) = rest.next_if(|(other, _)| other.user == person.user) {
                own.push(next);
            }
            let own: Vec<DayView> = own
                .into_iter()
                .filter(|record| date.is_some() || is_of_today(record, now))
                .map(|record| DayView::of(record, now))
                .collect();
            let came_in = own.iter().any(|day| day.record.open);
            let left = own.iter().any(|day| day.record.last_out.is_some());
            if let Some(day) = day_that_counts(own) {
                let stands = Stands { status: day.record.status, came_in, left };
                standing.push((person, day, stands));
            }
        }
        Ok(standing)
    }
}

/// Where one person stands, as it is counted.
struct Stands {
    status: DayStatus,
    came_in: bool,
    left: bool,
}

impl Stands {
    fn count(&self, totals: &mut Totals) {
        totals.count(self.status, self.came_in, self.left);
    }
}

/// The day that counts among a person's records of some dates, if it is today's where they were.
pub(crate) fn today_of(records: impl IntoIterator<Item = DayRecord>, now: Timestamp) -> Option<DayView> {
    let own = records.into_iter().filter(|record| is_of_today(record, now));
    day_that_counts(own.map(|record| DayView::of(record, now)).collect())
}

fn is_of_today(record: &DayRecord, now: Timestamp) -> bool {
    record.day.key.date == record.day.zone.local(now).date()
}

/// The shift if there is one that day, punched or not; else what was worked outside of one. Of several shifts the first,
/// unless only a later one was worked.
fn day_that_counts(own: Vec<DayView>) -> Option<DayView> {
    let came = |day: &DayView| day.record.first_in.is_some();
    let rank = |day: &DayView| (day.shift.is_none(), !came(day), day.shift.as_ref().map(|shift| shift.start));
    own.into_iter().min_by_key(rank)
}
