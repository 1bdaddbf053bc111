//! Records of many people: one by one, or added up.
//!
//! A report is read in steps of some people, so that it takes the same memory whatever its length.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::civil::Date;
use jiff::{Span, Timestamp};
use rollcall_domain::access::{Action, Actor, Role, permit};
use rollcall_domain::attendance::{DayRecord, DayStatus};
use rollcall_domain::calendar::{DateRange, Zone};
use rollcall_domain::id::{DepartmentId, ShiftId, UserId};
use rollcall_domain::page::{Page, Paged};
use rollcall_domain::statistics::{Days, Interval, Period, Tally, Whose, series};
use rollcall_domain::user::DepartmentRef;
use rollcall_ports::attendance::AttendanceStore;
pub use rollcall_ports::statistics::Participant;
use rollcall_ports::store::StoreError;

use crate::attendance::DayView;
use crate::people::{Unreachable, reach};
use crate::statistics::{Statistics, StatisticsError};

/// Records that are read at once, about: a few megabytes, however long the range.
const STEP: usize = 1_500;

/// Which records are wanted.
#[derive(Debug, Clone, Default)]
pub struct ReportQuery {
    /// Of these dates; `None` is the current month.
    pub range: Option<DateRange>,
    /// Of people who were in this department then.
    pub department: Option<DepartmentId>,
    /// Of these people; none is everybody who may be seen.
    pub users: Vec<UserId>,
    /// Of this status.
    pub status: Option<DayStatus>,
}

/// What records are added up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportGrouping {
    /// The person.
    User,
    /// The department in which the person was.
    Department,
    /// The shift.
    Shift,
    /// The date.
    Time(Interval),
}

/// A report about to be read. People come by name, their records by date and shift.
pub struct Report {
    /// The dates.
    pub range: DateRange,
    /// The organization's time zone.
    pub zone: Zone,
    /// The instant for which this is true.
    pub as_of: Timestamp,
    whose: Whose,
    status: Option<DayStatus>,
    people: std::vec::IntoIter<Participant>,
    departments: BTreeMap<DepartmentId, DepartmentRef>,
    days: Arc<dyn AttendanceStore>,
}

/// A record and whose it is.
#[derive(Debug, Clone)]
pub struct ReportRow {
    /// Whose.
    pub person: Arc<Participant>,
    /// Where the person was then.
    pub department: Option<DepartmentRef>,
    /// The record.
    pub day: DayView,
    /// The record, counted.
    pub counted: Days,
}

/// Records added up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportGroup {
    /// A stable word or identifier; `None` for what has none, as the people without department.
    pub key: Option<String>,
    /// For people.
    pub label: Option<String>,
    /// The dates, if they are what is told apart.
    pub period: Option<Period>,
    /// The records.
    pub tally: Tally,
}

impl Statistics {
    /// The dates of a report that the actor may ask for: what would be refused is refused here.
    ///
    /// # Errors
    /// Those of [`Self::report`].
    pub async fn may_report(&self, actor: &Actor, query: &ReportQuery) -> Result<DateRange, StatisticsError> {
        permit(actor, Action::ReadReport, self.rules.self_service)?;
        self.reported(actor, query).await?;
        Ok(query.range.unwrap_or_else(|| DateRange::month_of(self.rules.zone.local(self.clock.now()).date())))
    }

    /// A report of what the actor may see: three queries by now, and one for each step that is read.
    pub async fn report(&self, actor: &Actor, query: ReportQuery) -> Result<Report, StatisticsError> {
        permit(actor, Action::ReadReport, self.rules.self_service)?;
        let whose = self.reported(actor, &query).await?;
        let now = self.clock.now();
        self.attendance.plan_ahead(now).await?;
        let zone = self.rules.zone.clone();
        let range = query.range.unwrap_or_else(|| DateRange::month_of(zone.local(now).date()));
        let departments = self.statistics.departments().await?;
        Ok(Report {
            range,
            zone,
            as_of: now,
            people: self.statistics.people(&whose, range).await?.into_iter(),
            whose,
            status: query.status,
            departments: departments.into_iter().map(|department| (department.id, department)).collect(),
            days: self.attendance.days.clone(),
        })
    }

    async fn reported(&self, actor: &Actor, query: &ReportQuery) -> Result<Whose, StatisticsError> {
        for user in &query.users {
            let users = &*self.attendance.users;
            reach(users, actor, Action::ReadReport, self.rules.self_service, *user).await.map_err(
                |error| match error {
                    Unreachable::Denied(denied) => StatisticsError::Denied(denied),
                    Unreachable::Store(error) => StatisticsError::Store(error),
                },
            )?;
        }
        // Somebody whom the actor may see is shown wherever they were, as in their own list.
        if !query.users.is_empty() && query.department.is_none() {
            return Ok(Whose { people: Some(query.users.clone()), ..Whose::everybody() });
        }
        let mut whose = self.whose(actor, Action::ReadReport, query.department).await?;
        if !query.users.is_empty() {
            whose.people = Some(query.users.clone());
        } else if actor.role() == Role::Manager && query.department.is_none() {
            whose.besides = actor.user();
        }
        Ok(whose)
    }

    /// Adds a report up.
    pub async fn summed(
        &self,
        report: Report,
        by: ReportGrouping,
    ) -> Result<(Vec<ReportGroup>, Tally), StatisticsError> {
        let shifts = match by {
            ReportGrouping::Shift => self.shift_names().await?,
            ReportGrouping::User | ReportGrouping::Department | ReportGrouping::Time(_) => BTreeMap::new(),
        };
        Ok(report.groups(by, &shifts).await?)
    }
}

impl Report {
    /// How many people are still to be read.
    #[must_use]
    pub fn people_left(&self) -> usize {
        self.people.len()
    }

    /// The records of the next people; `None` once everybody's were told. Somebody may have none.
    pub async fn next(&mut self) -> Result<Option<Vec<ReportRow>>, StoreError> {
        let dates = self.range.days().count().max(1);
        let people: Vec<Arc<Participant>> =
            self.people.by_ref().take((STEP / dates).max(1)).map(Arc::new).collect();
        if people.is_empty() {
            return Ok(None);
        }
        let ids: Vec<UserId> = people.iter().map(|person| person.user).collect();
        let mut records: HashMap<UserId, Vec<DayRecord>> = HashMap::new();
        for record in self.days.records_of(&ids, self.range).await? {
            if self.whose.includes(record.day.key.user, record.department) {
                records.entry(record.day.key.user).or_default().push(record);
            }
        }
        let mut rows = Vec::new();
        for person in people {
            for record in records.remove(&person.user).unwrap_or_default() {
                rows.extend(self.row(&person, record));
            }
        }
        Ok(Some(rows))
    }

    /// A record as it is shown. What is still to come is not, as in a person's own list.
    fn row(&self, person: &Arc<Participant>, record: DayRecord) -> Option<ReportRow> {
        let today = record.day.zone.local(self.as_of).date();
        if record.day.key.date > today && record.record.first_in.is_none() {
            return None;
        }
        let department = record.department.and_then(|id| self.departments.get(&id).cloned());
        let counted = Days::of(&record, &record.read(self.as_of));
        let wanted = self.status.is_none_or(|status| counted.status == status);
        wanted.then(|| {
            let day = DayView::of(record, self.as_of);
            ReportRow { person: person.clone(), department, day, counted }
        })
    }

    /// A page of the records. If none is left out or still to come, only the people on it are read.
    pub async fn page(mut self, page: Page) -> Result<Paged<ReportRow>, StoreError> {
        let wanted = page.offset()..page.offset() + u64::from(page.size());
        let everywhere_past =
            self.as_of.to_zoned(jiff::tz::TimeZone::UTC).date().saturating_sub(Span::new().days(1));
        if self.status.is_some() || self.range.to() >= everywhere_past {
            return self.scanned(page, wanted).await;
        }
        let (mut start, mut skipped) = (0, None);
        let mut there = Vec::new();
        let mut total = 0;
        for person in self.people.by_ref() {
            let end = start + person.records;
            if start < wanted.end && wanted.start < end {
                skipped.get_or_insert(start);
                there.push(person.clone());
            }
            (start, total) = (end, end);
        }
        self.people = there.into_iter();
        let offset = skipped.map_or(0, |before| wanted.start - before);
        let window = offset..offset + u64::from(page.size());
        let found = self.scanned(page, window).await?;
        Ok(Paged { total, ..found })
    }

    async fn scanned(
        &mut self,
        page: Page,
        wanted: std::ops::Range<u64>,
    ) -> Result<Paged<ReportRow>, StoreError> {
        let (mut items, mut total) = (Vec::new(), 0);
        while let Some(rows) = self.next().await? {
            for row in rows {
                if wanted.contains(&total) {
                    items.push(row);
                }
                total += 1;
            }
        }
        Ok(Paged { items, total, page })
    }

    async fn groups(
        mut self,
        by: ReportGrouping,
        shifts: &BTreeMap<ShiftId, String>,
    ) -> Result<(Vec<ReportGroup>, Tally), StoreError> {
        let mut sums = Sums::default();
        while let Some(rows) = self.next().await? {
            rows.into_iter().for_each(|row| sums.add(by, row));
        }
        let group = |key: Option<String>, label: Option<String>, tally| ReportGroup {
            key,
            label,
            period: None,
            tally,
        };
        let groups = match by {
            ReportGrouping::User => sums
                .people
                .into_iter()
                .map(|(person, tally)| {
                    group(Some(person.user.to_string()), Some(person.name.as_str().to_owned()), tally)
                })
                .collect(),
            ReportGrouping::Department => {
                let mut groups: Vec<ReportGroup> = sums
                    .departments
                    .into_iter()
                    .map(|(id, tally)| {
                        let name = id.and_then(|id| self.departments.get(&id)).map(|found| &found.name);
                        group(id.map(|id| id.to_string()), name.map(|name| name.as_str().to_owned()), tally)
                    })
                    .collect();
                groups.sort_by_key(by_label);
                groups
            }
            ReportGrouping::Shift => {
                let mut groups: Vec<ReportGroup> = sums
                    .shifts
                    .into_iter()
                    .map(|(id, tally)| {
                        let name = id.and_then(|id| shifts.get(&id).cloned());
                        group(id.map(|id| id.to_string()), name, tally)
                    })
                    .collect();
                groups.sort_by_key(by_label);
                groups
            }
            ReportGrouping::Time(interval) => series(interval, self.range, sums.dates)
                .into_iter()
                .map(|(period, tally)| {
                    let label = interval.label(period.start);
                    ReportGroup { period: Some(period), ..group(Some(label.clone()), Some(label), tally) }
                })
                .collect(),
        };
        Ok((groups, sums.total))
    }
}

/// By name; what has none comes last.
fn by_label(group: &ReportGroup) -> (bool, Option<String>, Option<String>) {
    let label = group.label.as_deref().map(rollcall_domain::text::canonical);
    (group.key.is_none(), label, group.key.clone())
}

/// Records added up so far.
#[derive(Default)]
struct Sums {
    /// In the order of the report.
    people: Vec<(Arc<Participant>, Tally)>,
    departments: BTreeMap<Option<DepartmentId>, Tally>,
    shifts: BTreeMap<Option<ShiftId>, Tally>,
    dates: BTreeMap<Date, Tally>,
    total: Tally,
}

impl Sums {
    fn add(&mut self, by: ReportGrouping, row: ReportRow) {
        let days = row.counted;
        self.total.add(&days);
        match by {
            ReportGrouping::User => match self.people.last_mut() {
                Some((person, tally)) if person.user == row.person.user => tally.add(&days),
                _ => {
                    let mut tally = Tally::default();
                    tally.add(&days);
                    self.people.push((row.person, tally));
                }
            },
            ReportGrouping::Department => self.departments.entry(row.day.department).or_default().add(&days),
            ReportGrouping::Shift => self.shifts.entry(row.day.key.shift).or_default().add(&days),
            ReportGrouping::Time(_) => self.dates.entry(row.day.key.date).or_default().add(&days),
        }
    }
}
