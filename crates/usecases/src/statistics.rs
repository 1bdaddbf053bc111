//! Rates, trends, departments compared, and how things are at a glance.
//!
//! Whose records are counted follows from where people were on the day itself, not from where they are now: what a
//! department came to last month does not change because somebody moved.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::{Date, Weekday};
use jiff::{Span, Timestamp};
use rollcall_domain::access::{Action, Actor, Denied, Role, Scope, permit};
use rollcall_domain::calendar::{DateRange, Zone};
use rollcall_domain::department::DepartmentRef;
use rollcall_domain::id::{DepartmentId, ShiftId};
use rollcall_domain::page::Sort;
use rollcall_domain::statistics::{Days, Interval, Period, RecordScope, Tally, series};
use rollcall_ports::Ports;
use rollcall_ports::attendance::AttendanceStore;
use rollcall_ports::clock::Clock;
use rollcall_ports::departments::DepartmentStore;
use rollcall_ports::engine::FaceEngine;
use rollcall_ports::shifts::ShiftStore;
use rollcall_ports::statistics::{GroupBy, Heads, Key, MinTemplates, StatisticsStore};
use rollcall_ports::store::StoreError;
use rollcall_ports::users::UserStore;

use crate::attendance::AttendanceError;
use crate::rules::Rules;
use crate::timesheet::Timesheets;
use crate::today::Today;

/// Counts what is recorded.
#[derive(Clone)]
pub struct Statistics {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) engine: Arc<dyn FaceEngine>,
    pub(crate) departments: Arc<dyn DepartmentStore>,
    pub(crate) shifts: Arc<dyn ShiftStore>,
    pub(crate) statistics: Arc<dyn StatisticsStore>,
    pub(crate) users: Arc<dyn UserStore>,
    pub(crate) days: Arc<dyn AttendanceStore>,
    pub(crate) today: Today,
    timesheets: Timesheets,
    pub(crate) rules: Arc<Rules>,
}

/// Why nothing was counted.
#[derive(Debug, thiserror::Error)]
pub enum StatisticsError {
    /// Not allowed, or not to be seen.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Who is in today could not be told.
    #[error(transparent)]
    Attendance(#[from] AttendanceError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Which records are counted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked {
    /// Of these dates; `None` is the current month.
    pub range: Option<DateRange>,
    /// Of this department; `None` is all that may be seen.
    pub department: Option<DepartmentId>,
}

rollcall_domain::words! {
    /// What rates are told apart by.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Grouping {
        /// Nothing: one rate.
        Overall = "overall",
        /// The department in which the person was.
        Department = "department",
        /// The person.
        User = "user",
        /// The shift.
        Shift = "shift",
        /// The day of the week.
        Weekday = "weekday",
    }
}

/// Days counted together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// A stable word or identifier; `None` for what has none, as the people without department.
    pub key: Option<String>,
    /// For people.
    pub label: Option<String>,
    /// The days.
    pub tally: Tally,
}

/// Days counted in groups.
#[derive(Debug, Clone)]
pub struct Counted {
    /// The dates.
    pub range: DateRange,
    /// The organization's time zone.
    pub zone: Zone,
    /// Only days that were final at this instant are counted.
    pub as_of: Timestamp,
    /// The groups.
    pub groups: Vec<Group>,
}

/// Days counted over time.
#[derive(Debug, Clone)]
pub struct Trends {
    /// The dates.
    pub range: DateRange,
    /// The organization's time zone.
    pub zone: Zone,
    /// Only days that were final at this instant are counted.
    pub as_of: Timestamp,
    /// Every period of the range.
    pub series: Vec<(Period, Tally)>,
    /// As many dates before the range, and every period of these; if they were asked for.
    pub previous: Option<(DateRange, Vec<(Period, Tally)>)>,
}

/// A department, or those without one, and what is counted about them.
#[derive(Debug, Clone)]
pub struct DepartmentRow {
    /// Which; `None` for people without one.
    pub department: Option<DepartmentRef>,
    /// People on the last of the dates that is not in the future, those who can be recognized among them, and those who
    /// came today.
    pub heads: Heads,
    /// Their days.
    pub tally: Tally,
}

/// Departments side by side.
#[derive(Debug, Clone)]
pub struct Compared {
    /// The dates.
    pub range: DateRange,
    /// The organization's time zone.
    pub zone: Zone,
    /// Only days that were final at this instant are counted.
    pub as_of: Timestamp,
    /// The departments.
    pub rows: Vec<DepartmentRow>,
}

/// What departments can be ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DepartmentOrder {
    /// Name; people without department come last.
    Name,
    /// People.
    Headcount,
    /// People who can be recognized.
    Enrolled,
    /// People who came today.
    PresentToday,
    /// Attendance rate.
    Rate,
    /// Late rate.
    LateRate,
    /// Time worked.
    Worked,
    /// Overtime.
    Overtime,
}

impl Statistics {
    pub(crate) fn new(ports: &Ports, today: Today, timesheets: Timesheets, rules: Arc<Rules>) -> Self {
        Self {
            clock: ports.clock.clone(),
            engine: ports.engine.clone(),
            departments: ports.departments.clone(),
            shifts: ports.shifts.clone(),
            statistics: ports.statistics.clone(),
            users: ports.users.clone(),
            days: ports.attendance.clone(),
            today,
            timesheets,
            rules,
        }
    }

    /// Attendance rates, as far as the actor may see. At most three queries, however many days there are.
    ///
    /// # Errors
    /// [`StatisticsError::Denied`] unless the actor is an administrator or a manager, and for a department that is
    /// absent or out of sight; or the store's.
    pub async fn rates(
        &self,
        actor: &Actor,
        asked: Asked,
        grouping: Grouping,
    ) -> Result<Counted, StatisticsError> {
        let whose = self.whose(actor, Action::ReadStatistics, asked.department).await?;
        let (range, as_of) = self.range(asked.range).await?;
        let by = match grouping {
            Grouping::Overall => GroupBy::Nothing,
            Grouping::Department => GroupBy::Department,
            Grouping::User => GroupBy::User,
            Grouping::Shift => GroupBy::Shift,
            Grouping::Weekday => GroupBy::Date,
        };
        let tallies = tallied(self.statistics.days(&whose, range, by, as_of).await?);
        let groups = match grouping {
            Grouping::Overall => overall(tallies),
            Grouping::Department => self.by_department(&whose, tallies).await?,
            Grouping::User => self.by_user(&whose, range, as_of, tallies).await?,
            Grouping::Shift => self.by_shift(tallies).await?,
            Grouping::Weekday => by_weekday(tallies),
        };
        Ok(Counted { range, zone: self.rules.zone.clone(), as_of, groups })
    }

    /// Attendance over time, as far as the actor may see: one query, two to compare more than half a year.
    ///
    /// # Errors
    /// [`StatisticsError::Denied`] unless the actor is an administrator or a manager, and for a department that is
    /// absent or out of sight; or the store's.
    pub async fn trends(
        &self,
        actor: &Actor,
        asked: Asked,
        interval: Interval,
        compare: bool,
    ) -> Result<Trends, StatisticsError> {
        let whose = self.whose(actor, Action::ReadStatistics, asked.department).await?;
        let (range, as_of) = self.range(asked.range).await?;
        let before = range.before().filter(|_| compare);
        let both = before.and_then(|before| DateRange::new(before.from(), range.to()).ok());
        let parts = both.map_or_else(|| before.into_iter().chain([range]).collect(), |both| vec![both]);
        let mut dated = Vec::new();
        for part in parts {
            dated.extend(self.dated(&whose, part, as_of).await?);
        }
        let of = |part: DateRange| series(interval, part, dated.iter().copied());
        let (current, previous) = (of(range), before.map(|before| (before, of(before))));
        Ok(Trends { range, zone: self.rules.zone.clone(), as_of, series: current, previous })
    }

    /// Departments side by side, as far as the actor may see: three queries.
    ///
    /// # Errors
    /// [`StatisticsError::Denied`] unless the actor is an administrator or a manager; or the store's.
    pub async fn departments(
        &self,
        actor: &Actor,
        range: Option<DateRange>,
        sort: &[Sort<DepartmentOrder>],
    ) -> Result<Compared, StatisticsError> {
        let whose = self.whose(actor, Action::ReadStatistics, None).await?;
        let (range, as_of) = self.range(range).await?;
        let today = self.rules.zone.local(as_of).date();
        let mut tallies = tallied(self.statistics.days(&whose, range, GroupBy::Department, as_of).await?);
        let enough = self.enough();
        let heads = self.statistics.heads(&whose, range.to().min(today), today, enough.as_ref()).await?;
        let mut heads: BTreeMap<Option<DepartmentId>, Heads> =
            heads.into_iter().map(|heads| (heads.department, heads)).collect();
        let named = self.visible(&whose).await?.into_iter().map(Some);
        let mut rows = Vec::new();
        for department in named.chain([None]) {
            let id = department.as_ref().map(|department| department.id);
            let tally = tallies.remove(&Key::Department(id));
            let heads = heads.remove(&id);
            // Everybody may have a department.
            if id.is_some() || tally.is_some() || heads.is_some() {
                let heads = heads.unwrap_or(Heads { department: id, ..Heads::default() });
                rows.push(DepartmentRow { department, heads, tally: tally.unwrap_or_default() });
            }
        }
        rows.sort_by(|a, b| order(sort, a, b));
        Ok(Compared { range, zone: self.rules.zone.clone(), as_of, rows })
    }

    /// Whose records the actor may see counted. A department out of sight is like one that does not exist.
    pub(crate) async fn whose(
        &self,
        actor: &Actor,
        action: Action,
        department: Option<DepartmentId>,
    ) -> Result<RecordScope, StatisticsError> {
        let whose = self.visible_to(actor, action, department)?;
        if let (Role::Admin, Some(id)) = (actor.role(), department) {
            self.departments.get(id).await?.ok_or(Denied::Hidden)?;
        }
        Ok(whose)
    }

    /// The same, but whether the department is there is for whoever asks to see.
    pub(crate) fn visible_to(
        &self,
        actor: &Actor,
        action: Action,
        department: Option<DepartmentId>,
    ) -> Result<RecordScope, Denied> {
        let scope = permit(actor, action, self.rules.self_service)?;
        match (scope, department) {
            (Scope::Everybody, None) => Ok(RecordScope::everybody()),
            (Scope::Everybody, Some(id)) => Ok(RecordScope::of_departments(vec![id])),
            (Scope::Departments, None) => Ok(RecordScope::of_departments(actor.manages().to_vec())),
            (Scope::Departments, Some(id)) if actor.manages().contains(&id) => {
                Ok(RecordScope::of_departments(vec![id]))
            }
            (Scope::Own, None) => Ok(RecordScope::one(actor.user().ok_or(Denied::Hidden)?)),
            (Scope::Departments | Scope::Own, Some(_)) => Err(Denied::Hidden),
            (Scope::Nobody, _) => Err(Denied::Forbidden),
        }
    }

    /// The dates asked for, or the current month; and now, through which everybody has records.
    pub(crate) async fn range(&self, range: Option<DateRange>) -> Result<(DateRange, Timestamp), StoreError> {
        let now = self.clock.now();
        self.timesheets.plan_ahead(None, now).await?;
        Ok((self.range_at(range, now), now))
    }

    pub(crate) fn range_at(&self, range: Option<DateRange>, now: Timestamp) -> DateRange {
        range.unwrap_or_else(|| DateRange::month_of(self.rules.zone.local(now).date()))
    }

    /// What makes somebody recognizable, if anybody can be.
    pub(crate) fn enough(&self) -> Option<MinTemplates> {
        let model = self.engine.recognizer().ok().map(|recognizer| recognizer.model.clone())?;
        Some(MinTemplates { model, least: self.rules.min_faces })
    }

    /// Days counted by date.
    async fn dated(
        &self,
        whose: &RecordScope,
        range: DateRange,
        now: Timestamp,
    ) -> Result<Vec<(Date, Days)>, StoreError> {
        let days = self.statistics.days(whose, range, GroupBy::Date, now).await?;
        let dated = days.into_iter().filter_map(|(key, days)| match key {
            Key::Date(date) => Some((date, days)),
            Key::Nothing | Key::Department(_) | Key::User(_) | Key::Shift(_) => None,
        });
        Ok(dated.collect())
    }

    /// The departments whose records are counted, by name.
    async fn visible(&self, whose: &RecordScope) -> Result<Vec<DepartmentRef>, StoreError> {
        let mut all = self.statistics.departments().await?;
        all.retain(|department| whose.departments.as_ref().is_none_or(|own| own.contains(&department.id)));
        Ok(all)
    }

    async fn by_department(
        &self,
        whose: &RecordScope,
        mut tallies: BTreeMap<Key, Tally>,
    ) -> Result<Vec<Group>, StoreError> {
        let mut groups = Vec::new();
        for department in self.visible(whose).await? {
            let tally = tallies.remove(&Key::Department(Some(department.id))).unwrap_or_default();
            let label = Some(department.name.as_str().to_owned());
            groups.push(Group { key: Some(department.id.to_string()), label, tally });
        }
        let stray = tallies.remove(&Key::Department(None));
        groups.extend(stray.map(|tally| Group { key: None, label: None, tally }));
        Ok(groups)
    }

    async fn by_user(
        &self,
        whose: &RecordScope,
        range: DateRange,
        now: Timestamp,
        mut tallies: BTreeMap<Key, Tally>,
    ) -> Result<Vec<Group>, StoreError> {
        let people = self.statistics.people(whose, range, None, now).await?;
        let groups = people.into_iter().map(|person| Group {
            key: Some(person.user.to_string()),
            label: Some(person.name.as_str().to_owned()),
            tally: tallies.remove(&Key::User(person.user)).unwrap_or_default(),
        });
        Ok(groups.collect())
    }

    /// What is outside of shifts is part of no rate, and left out.
    async fn by_shift(&self, tallies: BTreeMap<Key, Tally>) -> Result<Vec<Group>, StoreError> {
        let names = self.shift_names().await?;
        let mut groups = Vec::new();
        for (key, tally) in tallies {
            if let Key::Shift(Some(shift)) = key {
                groups.push(Group { key: Some(shift.to_string()), label: names.get(&shift).cloned(), tally });
            }
        }
        groups.sort_by(|a, b| a.label.cmp(&b.label).then_with(|| a.key.cmp(&b.key)));
        Ok(groups)
    }

    /// What shifts are called now.
    pub(crate) async fn shift_names(&self) -> Result<BTreeMap<ShiftId, String>, StoreError> {
        let stored = self.shifts.list().await?;
        // It stands in as long as no shift is stored that everybody works.
        let standard = (self.rules.shift.id, self.rules.shift.name.clone());
        let stored = stored.into_iter().map(|shift| (shift.id, shift.versions.latest().name.clone()));
        Ok([standard].into_iter().chain(stored).collect())
    }
}

fn tallied(days: Vec<(Key, Days)>) -> BTreeMap<Key, Tally> {
    let mut tallies: BTreeMap<Key, Tally> = BTreeMap::new();
    for (key, days) in days {
        tallies.entry(key).or_default().add(&days);
    }
    tallies
}

fn overall(tallies: BTreeMap<Key, Tally>) -> Vec<Group> {
    let tally = tallies.into_values().next().unwrap_or_default();
    vec![Group { key: Some("overall".to_owned()), label: Some("Overall".to_owned()), tally }]
}

/// All seven, Monday first.
fn by_weekday(tallies: BTreeMap<Key, Tally>) -> Vec<Group> {
    const NAMES: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    let place = |date: Date| usize::try_from(date.weekday().since(Weekday::Monday)).unwrap_or(0);
    let mut groups = NAMES.map(|name| Group {
        key: Some(name.to_lowercase()),
        label: Some(name.to_owned()),
        tally: Tally::default(),
    });
    for (key, tally) in tallies {
        if let Key::Date(date) = key {
            groups[place(date)].tally.merge(&tally);
        }
    }
    groups.into()
}

/// Without a wish by name, people without department last.
fn order(sort: &[Sort<DepartmentOrder>], a: &DepartmentRow, b: &DepartmentRow) -> Ordering {
    use DepartmentOrder as O;
    // They come by name already, and sorting keeps what is equal in its order.
    let name = |row: &DepartmentRow| {
        let name = row.department.as_ref().map(|department| department.name.as_str());
        (name.is_none(), name.map(rollcall_domain::text::canonical))
    };
    let rate = |a: Option<f64>, b: Option<f64>| a.partial_cmp(&b).unwrap_or(Ordering::Equal);
    let by = |sort: &Sort<DepartmentOrder>| {
        let order = match sort.key {
            O::Name => name(a).cmp(&name(b)),
            O::Headcount => a.heads.people.cmp(&b.heads.people),
            O::Enrolled => a.heads.enrolled.cmp(&b.heads.enrolled),
            O::PresentToday => a.heads.came.cmp(&b.heads.came),
            O::Rate => rate(a.tally.attendance().value(), b.tally.attendance().value()),
            O::LateRate => rate(a.tally.lateness().value(), b.tally.lateness().value()),
            O::Worked => a.tally.worked_seconds.cmp(&b.tally.worked_seconds),
            O::Overtime => a.tally.overtime_seconds.cmp(&b.tally.overtime_seconds),
        };
        if sort.descending { order.reverse() } else { order }
    };
    sort.iter().map(by).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// The last `days` dates up to and including `date`.
pub(crate) fn last(days: i32, date: Date) -> Option<DateRange> {
    DateRange::new(date.saturating_sub(Span::new().days(days - 1)), date).ok()
}
