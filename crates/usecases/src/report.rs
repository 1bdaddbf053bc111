//! Records of many people: one by one, or added up.
//!
//! A report is read in steps of some people, so that it takes the same memory whatever its length.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use rollcall_domain::access::{Action, Actor, Role, permit};
use rollcall_domain::attendance::{DayRecord, DayStatus};
use rollcall_domain::calendar::{DateRange, Zone};
use rollcall_domain::department::DepartmentRef;
use rollcall_domain::id::{DepartmentId, UserId};
use rollcall_domain::page::{Page, Paged};
use rollcall_domain::replay::MARGIN;
use rollcall_domain::statistics::{Days, Interval, Period, RecordScope, Tally, series};
use rollcall_ports::attendance::AttendanceStore;

pub use rollcall_ports::statistics::Participant;
use rollcall_ports::statistics::{GroupBy, Key};
use rollcall_ports::store::StoreError;

use crate::attendance::DayView;
use crate::authorize::load_permitted_many;
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
    whose: RecordScope,
    status: Option<DayStatus>,
    people: std::vec::IntoIter<Participant>,
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
#[derive(Debug, Clone)]
pub struct Summed {
    /// The dates.
    pub range: DateRange,
    /// The organization's time zone.
    pub zone: Zone,
    /// The instant for which this is true.
    pub as_of: Timestamp,
    /// The groups.
    pub groups: Vec<ReportGroup>,
    /// All of them together.
    pub total: Tally,
}

/// Records that have something in common, added up.
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
        self.reported(actor, query).await?;
        Ok(self.range_at(query.range, self.clock.now()))
    }

    /// Begins a report of what the actor may see: one query by now, and one for each step that is read.
    ///
    /// # Errors
    /// [`StatisticsError::Denied`] for devices, and if a person or department is asked for that the actor may not see;
    /// or the store's.
    pub async fn report(&self, actor: &Actor, query: ReportQuery) -> Result<Report, StatisticsError> {
        let whose = self.reported(actor, &query).await?;
        let (range, as_of) = self.range(query.range).await?;
        Ok(Report {
            range,
            zone: self.rules.zone.clone(),
            as_of,
            people: self.statistics.people(&whose, range, query.status, as_of).await?.into_iter(),
            whose,
            status: query.status,
            days: self.days.clone(),
        })
    }

    /// Whose records the actor may see in a report.
    async fn reported(&self, actor: &Actor, query: &ReportQuery) -> Result<RecordScope, StatisticsError> {
        permit(actor, Action::ReadReport, self.rules.self_service)?;
        if !query.users.is_empty() {
            let (users, own) = (&*self.users, self.rules.self_service);
            let found = load_permitted_many(users, actor, Action::ReadReport, own, &query.users).await?;
            found.into_values().try_for_each(|user| user.map(drop))?;
        }
        // Somebody whom the actor may see is shown wherever they were, as in their own list.
        if !query.users.is_empty() && query.department.is_none() {
            return Ok(RecordScope { people: Some(query.users.clone()), ..RecordScope::everybody() });
        }
        let mut whose = self.whose(actor, Action::ReadReport, query.department).await?;
        if !query.users.is_empty() {
            whose.people = Some(query.users.clone());
        } else if actor.role() == Role::Manager && query.department.is_none() {
            whose.besides = actor.user();
        }
        Ok(whose)
    }

    /// Adds records up, as far as the actor may see: those that are final where they are stored, the others one by one.
    /// Three queries, whatever their number.
    ///
    /// # Errors
    /// As for [`Self::report`].
    pub async fn summed(
        &self,
        actor: &Actor,
        query: ReportQuery,
        by: ReportGrouping,
    ) -> Result<Summed, StatisticsError> {
        let whose = self.reported(actor, &query).await?;
        let (range, now) = self.range(query.range).await?;
        let mut sums: BTreeMap<Key, Tally> = BTreeMap::new();
        let mut total = Tally::default();
        let wanted = |days: &Days| query.status.is_none_or(|status| days.status == status);
        let mut add = |key: Key, days: &Days| {
            total.add(days);
            sums.entry(key).or_default().add(days);
        };
        for (key, days) in self.statistics.days(&whose, range, by.key(), now).await? {
            if wanted(&days) {
                add(key, &days);
            }
        }
        for record in open_records(&*self.days, &whose, range, now).await? {
            let days = Days::of(&record, &record.read(now));
            if has_begun(&record, now) && wanted(&days) {
                add(by.key_of(&record), &days);
            }
        }
        let groups = match by {
            ReportGrouping::Time(interval) => {
                let dated = sums.iter().filter_map(|(key, tally)| match key {
                    Key::Date(date) => Some((*date, *tally)),
                    Key::Nothing | Key::Department(_) | Key::User(_) | Key::Shift(_) => None,
                });
                let group = |(period, tally): (Period, Tally)| {
                    let label = interval.label(period.start);
                    ReportGroup { key: Some(label.clone()), label: Some(label), period: Some(period), tally }
                };
                series(interval, range, dated).into_iter().map(group).collect()
            }
            ReportGrouping::User => {
                let people = self.statistics.people(&whose, range, query.status, now).await?;
                let of = |person: Participant| {
                    let tally = sums.remove(&Key::User(person.user))?;
                    let (key, label) = (person.user.to_string(), person.name.as_str().to_owned());
                    Some(ReportGroup { key: Some(key), label: Some(label), period: None, tally })
                };
                people.into_iter().filter_map(of).collect()
            }
            ReportGrouping::Department | ReportGrouping::Shift => {
                let labels = self.labels(by).await?;
                let group = |(key, tally): (Key, Tally)| {
                    let label = labels.get(&key).cloned();
                    ReportGroup { key: key.id(), label, period: None, tally }
                };
                let mut groups: Vec<ReportGroup> = sums.into_iter().map(group).collect();
                groups.sort_by_key(by_label);
                groups
            }
        };
        Ok(Summed { range, zone: self.rules.zone.clone(), as_of: now, groups, total })
    }

    /// What departments or shifts are called.
    async fn labels(&self, by: ReportGrouping) -> Result<BTreeMap<Key, String>, StoreError> {
        if by == ReportGrouping::Shift {
            let names = self.shift_names().await?;
            return Ok(names.into_iter().map(|(id, name)| (Key::Shift(Some(id)), name)).collect());
        }
        let departments = self.statistics.departments().await?;
        let label = |of: DepartmentRef| (Key::Department(Some(of.id)), of.name.as_str().to_owned());
        Ok(departments.into_iter().map(label).collect())
    }
}

impl ReportGrouping {
    const fn key(self) -> GroupBy {
        match self {
            Self::User => GroupBy::User,
            Self::Department => GroupBy::Department,
            Self::Shift => GroupBy::Shift,
            Self::Time(_) => GroupBy::Date,
        }
    }

    const fn key_of(self, record: &DayRecord) -> Key {
        match self {
            Self::User => Key::User(record.day.key.user),
            Self::Department => Key::Department(record.department),
            Self::Shift => Key::Shift(record.day.key.shift),
            Self::Time(_) => Key::Date(record.day.key.date),
        }
    }
}

/// The records of the range that are not final yet, which are of its last days.
async fn open_records(
    days: &dyn AttendanceStore,
    whose: &RecordScope,
    range: DateRange,
    now: Timestamp,
) -> Result<Vec<DayRecord>, StoreError> {
    let earliest = now.to_zoned(TimeZone::UTC).date().saturating_sub(Span::new().days(MARGIN));
    match DateRange::new(range.from().max(earliest), range.to()) {
        Ok(last) => days.open_records(whose, last, now).await,
        Err(_) => Ok(Vec::new()),
    }
}

/// Whether its date has come where the person is. What is still to come is not shown, as in a person's own list.
fn has_begun(record: &DayRecord, now: Timestamp) -> bool {
    record.day.key.date <= record.day.zone.local(now).date() || record.record.first_in.is_some()
}

impl Report {
    /// How many people are still to be read.
    #[must_use]
    pub fn people_left(&self) -> usize {
        self.people.len()
    }

    /// The records of the next people; `None` once everybody's were told. Somebody may have none.
    ///
    /// # Errors
    /// When the store fails; the people whose records were to be read are passed over then.
    pub async fn next(&mut self) -> Result<Option<Vec<ReportRow>>, StoreError> {
        let dates = self.range.days().count().max(1);
        let people: Vec<Arc<Participant>> =
            self.people.by_ref().take((STEP / dates).max(1)).map(Arc::new).collect();
        if people.is_empty() {
            return Ok(None);
        }
        let ids: Vec<UserId> = people.iter().map(|person| person.user).collect();
        let mut records: HashMap<UserId, Vec<(DayRecord, Option<DepartmentRef>)>> = HashMap::new();
        for (record, department) in self.days.records_of(&ids, self.range).await? {
            if self.whose.includes(record.day.key.user, record.department) {
                records.entry(record.day.key.user).or_default().push((record, department));
            }
        }
        let mut rows = Vec::new();
        for person in people {
            for (record, department) in records.remove(&person.user).unwrap_or_default() {
                rows.extend(self.row(&person, record, department));
            }
        }
        Ok(Some(rows))
    }

    /// A record as it is shown, if it is.
    fn row(
        &self,
        person: &Arc<Participant>,
        record: DayRecord,
        department: Option<DepartmentRef>,
    ) -> Option<ReportRow> {
        let counted = self.counted(&record)?;
        let day = DayView::of(record, self.as_of);
        Some(ReportRow { person: person.clone(), department, day, counted })
    }

    fn counted(&self, record: &DayRecord) -> Option<Days> {
        let counted = Days::of(record, &record.read(self.as_of));
        let wanted = self.status.is_none_or(|status| counted.status == status);
        (wanted && has_begun(record, self.as_of)).then_some(counted)
    }

    /// A page of the records: only those of the people on it are read.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn page(mut self, page: Page) -> Result<Paged<ReportRow>, StoreError> {
        let wanted = page.offset()..page.offset() + u64::from(page.size());
        let mut shown: HashMap<UserId, u64> = HashMap::new();
        for record in open_records(&*self.days, &self.whose, self.range, self.as_of).await? {
            *shown.entry(record.day.key.user).or_default() += u64::from(self.counted(&record).is_some());
        }
        let (mut end, mut skipped, mut there) = (0, None, Vec::new());
        for person in self.people.by_ref() {
            let start = end;
            end += person.settled + shown.get(&person.user).copied().unwrap_or(0);
            if start < wanted.end && wanted.start < end {
                skipped.get_or_insert(start);
                there.push(person);
            }
        }
        let total = end;
        self.people = there.into_iter();
        let mut before = skipped.map_or(0, |before| wanted.start - before) as usize;
        let size = page.size() as usize;
        let mut items = Vec::new();
        while items.len() < size
            && let Some(rows) = self.next().await?
        {
            let passed = before.min(rows.len());
            before -= passed;
            items.extend(rows.into_iter().skip(passed).take(size - items.len()));
        }
        Ok(Paged { items, total, page })
    }
}

/// By name; what has none comes last.
fn by_label(group: &ReportGroup) -> (bool, Option<String>, Option<String>) {
    let label = group.label.as_deref().map(rollcall_domain::text::canonical);
    (group.key.is_none(), label, group.key.clone())
}
