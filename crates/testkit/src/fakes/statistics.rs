//! What is stored, counted one by one.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use rollcall_domain::attendance::{DayRecord, DayStatus};
use rollcall_domain::calendar::DateRange;
use rollcall_domain::correction::{Correction, CorrectionStatus};
use rollcall_domain::department::DepartmentRef;
use rollcall_domain::id::UserId;
use rollcall_domain::statistics::{Days, RecordScope};
use rollcall_domain::text::canonical;
use rollcall_domain::user::{Status, User, UserScope};
use rollcall_ports::statistics::{
    ActivityWindow, DashboardCounts, DashboardFilter, Devices, GroupBy, Heads, Key, MinTemplates,
    Participant, Searches, StatisticsStore, UserCounts,
};
use rollcall_ports::store::StoreError;

use super::world::{FakeStores, World, includes};

#[async_trait]
impl StatisticsStore for FakeStores {
    async fn days(
        &self,
        whose: &RecordScope,
        dates: DateRange,
        by: GroupBy,
        now: Timestamp,
    ) -> Result<Vec<(Key, Days)>, StoreError> {
        let world = self.world()?;
        let mut counted: BTreeMap<(Key, DayStatus, bool), Days> = BTreeMap::new();
        for day in world.counted(whose, dates).filter(|day| day.due <= now) {
            let one = Days::of(day, &day.record);
            let key = match by {
                GroupBy::Nothing => Key::Nothing,
                GroupBy::Department => Key::Department(day.department),
                GroupBy::User => Key::User(day.day.key.user),
                GroupBy::Shift => Key::Shift(day.day.key.shift),
                GroupBy::Date => Key::Date(day.day.key.date),
            };
            counted
                .entry((key, one.status, one.scheduled))
                .and_modify(|days| {
                    days.days += one.days;
                    days.worked_seconds += one.worked_seconds;
                    days.overtime_seconds += one.overtime_seconds;
                    days.late_seconds += one.late_seconds;
                    days.arrivals += one.arrivals;
                    days.arrival_seconds += one.arrival_seconds;
                })
                .or_insert(one);
        }
        Ok(counted.into_iter().map(|((key, ..), days)| (key, days)).collect())
    }

    async fn people(
        &self,
        whose: &RecordScope,
        dates: DateRange,
        status: Option<DayStatus>,
        now: Timestamp,
    ) -> Result<Vec<Participant>, StoreError> {
        let world = self.world()?;
        let mut records: BTreeMap<UserId, u64> = BTreeMap::new();
        for day in world.counted(whose, dates) {
            let wanted = day.due <= now && status.is_none_or(|status| day.record.status == status);
            *records.entry(day.day.key.user).or_default() += u64::from(wanted);
        }
        let mut people: Vec<Participant> = records
            .into_iter()
            .filter_map(|(user, settled)| {
                let User { name, employee_code, .. } = world.users.get(&user)?.user.clone();
                Some(Participant { user, name, employee_code, settled })
            })
            .collect();
        people.sort_by_key(|person| (canonical(person.name.as_str()), person.user));
        Ok(people)
    }

    async fn heads(
        &self,
        whose: &RecordScope,
        date: Date,
        today: Date,
        enrolled: Option<&MinTemplates>,
    ) -> Result<Vec<Heads>, StoreError> {
        let world = self.world()?;
        let mut people: BTreeMap<_, [BTreeSet<UserId>; 3]> = BTreeMap::new();
        for (on, place) in [(date, 0), (today, 2)] {
            let Ok(range) = DateRange::new(on, on) else { continue };
            for day in world.counted(whose, range) {
                let user = day.day.key.user;
                let sets = people.entry(day.department).or_default();
                if place == 0 {
                    sets[0].insert(user);
                    if world.is_recognizable(user, enrolled) {
                        sets[1].insert(user);
                    }
                } else if day.record.first_in.is_some() {
                    sets[2].insert(user);
                }
            }
        }
        let heads = people.into_iter().map(|(department, [people, enrolled, came])| Heads {
            department,
            people: people.len() as u32,
            enrolled: enrolled.len() as u32,
            came: came.len() as u32,
        });
        Ok(heads.filter(|heads| heads.people > 0 || heads.came > 0).collect())
    }

    async fn departments(&self) -> Result<Vec<DepartmentRef>, StoreError> {
        let world = self.world()?;
        let all = world.departments.values();
        let mut named: Vec<DepartmentRef> =
            all.map(rollcall_domain::department::Department::reference).collect();
        named.sort_by_key(|department| (canonical(department.name.as_str()), department.id));
        Ok(named)
    }

    async fn glance(&self, wanted: &DashboardFilter<'_>) -> Result<Option<DashboardCounts>, StoreError> {
        let world = self.world()?;
        if wanted.department.is_some_and(|id| !world.departments.contains_key(&id)) {
            return Ok(None);
        }
        Ok(Some(DashboardCounts {
            census: world.census(wanted.people, wanted.enrolled),
            open_corrections: world.open_corrections(wanted.people),
            organization: wanted
                .organization
                .map(|lately| (world.counted_searches(lately), world.online(lately))),
        }))
    }
}

impl World {
    fn census(&self, people: &UserScope, enrolled: Option<&MinTemplates>) -> UserCounts {
        let mut census = UserCounts::default();
        let there = self.users.values().map(|person| &person.user);
        for user in there.filter(|user| user.status != Status::Deleted && includes(people, user)) {
            census.total += 1;
            census.active += u32::from(user.status == Status::Active);
            census.enrolled += u32::from(self.is_recognizable(user.id, enrolled));
            census.incomplete += u32::from(user.is_matchable() && !self.is_recognizable(user.id, enrolled));
            census.no_consent += u32::from(user.status == Status::Active && !user.is_matchable());
        }
        census
    }

    fn counted_searches(&self, lately: ActivityWindow) -> Searches {
        let mut searches = Searches::default();
        for search in self.searches.iter().filter(|search| (lately.from..lately.until).contains(&search.at)) {
            searches.attempts += 1;
            match search.result {
                "matched" => searches.matched += 1,
                "unknown" => searches.unknown += 1,
                "ambiguous" => searches.ambiguous += 1,
                "rejected" => searches.rejected += 1,
                _ => {}
            }
        }
        searches
    }

    fn online(&self, lately: ActivityWindow) -> Devices {
        let mut devices = Devices::default();
        for device in self.devices.values().filter(|device| device.revoked_at.is_none()) {
            let mut own = self.searches.iter().filter(|search| search.device == Some(device.id));
            match own.any(|search| search.at >= lately.online_since) {
                true => devices.online += 1,
                false => devices.offline += 1,
            }
        }
        devices
    }

    fn open_corrections(&self, people: &UserScope) -> u64 {
        let theirs = |correction: &&Correction| {
            let person = self.users.get(&correction.user());
            person.is_some_and(|person| includes(people, &person.user))
        };
        let waiting = |correction: &&Correction| correction.status == CorrectionStatus::Pending;
        self.corrections.values().filter(waiting).filter(theirs).count() as u64
    }

    fn counted(&self, whose: &RecordScope, dates: DateRange) -> impl Iterator<Item = &DayRecord> {
        let all = self.attended.values().flat_map(|own| &own.records);
        all.filter(move |day| {
            dates.contains(day.day.key.date) && whose.includes(day.day.key.user, day.department)
        })
    }

    fn is_recognizable(&self, user: UserId, enrolled: Option<&MinTemplates>) -> bool {
        let Some(enough) = enrolled else { return false };
        let own = self.faces.iter().filter(|face| face.user == user && face.template.model == enough.model);
        self.users.get(&user).is_some_and(|person| person.user.is_matchable())
            && own.count() >= enough.least as usize
    }
}
