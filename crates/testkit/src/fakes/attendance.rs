//! Punches and the records they come to.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use jiff::civil::{Date, Time};
use jiff::{Span, Timestamp};
use rollcall_domain::Revision;
use rollcall_domain::attendance::{DayKey, DayRecord, Punch, SignOff};
use rollcall_domain::audit::AuditEntry;
use rollcall_domain::calendar::{DateRange, Zone};
use rollcall_domain::department::Department;
use rollcall_domain::department::DepartmentRef;
use rollcall_domain::id::{BatchId, DeviceId, OverrideId, PunchId, RecordId, UserId};
use rollcall_domain::overrides::Override;
use rollcall_domain::page::{Page, Paged};
use rollcall_domain::plan::Placement;
use rollcall_domain::replay::MARGIN;
use rollcall_domain::statistics::RecordScope;
use rollcall_domain::text::canonical;
use rollcall_domain::user::{RosterEntry, Status, User, UserScope};
use rollcall_ports::attendance::{
    AttendanceStore, Change, Changed, Ledger, OverrideHistoryEntry, OvertimeApproval, PunchFilter,
    RecordedPunch,
};
use rollcall_ports::store::StoreError;

use super::world::{FakeStores, World, includes};

/// What is kept of one person.
#[derive(Clone, Default)]
pub(super) struct Attended {
    pub(super) revision: Revision,
    pub(super) planned_through: Option<Date>,
    pub(super) stale_from: Option<Date>,
    /// When the last commit began.
    pub(super) changed_at: Timestamp,
    pub(super) placements: Vec<Placement>,
    pub(super) punches: Vec<(Punch, Option<RecordId>)>,
    /// Decisions that hold.
    pub(super) overrides: Vec<(DayKey, Override)>,
    /// Decisions that do not hold any more.
    pub(super) ended: Vec<(DayKey, OverrideHistoryEntry)>,
    /// By which of them a decision was replaced.
    pub(super) replaced_by: BTreeMap<OverrideId, OverrideId>,
    /// With which batch a punch was taken back.
    pub(super) voided_with: BTreeMap<PunchId, BatchId>,
    pub(super) approvals: Vec<OvertimeApproval>,
    pub(super) records: Vec<DayRecord>,
}

impl Attended {
    /// Keeps the decisions that no longer hold.
    fn end(&mut self, which: impl Fn(&DayKey, &Override) -> bool, back: &SignOff) {
        let (gone, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.overrides)
            .into_iter()
            .partition(|(key, override_)| which(key, override_));
        self.overrides = kept;
        let ended = |(key, override_)| (key, OverrideHistoryEntry { override_, ended: Some(back.clone()) });
        self.ended.extend(gone.into_iter().map(ended));
    }
}

#[async_trait]
impl AttendanceStore for FakeStores {
    async fn ledgers(&self, people: &[UserId], dates: DateRange) -> Result<Vec<Ledger>, StoreError> {
        let world = self.world()?;
        Ok(people.iter().map(|user| world.ledger(*user, dates)).collect())
    }

    async fn commit(&self, change: &Change) -> Result<(), StoreError> {
        self.world()?.commit(change)
    }

    async fn commit_all(&self, changes: &[Change]) -> Result<(), StoreError> {
        self.world()?.commit_all(changes)
    }

    async fn unplanned(&self, through: Date, limit: u32) -> Result<Vec<UserId>, StoreError> {
        Ok(self.world()?.unplanned(through).take(limit as usize).collect())
    }

    async fn users_needing_upkeep(&self, through: Date, limit: u32) -> Result<Vec<UserId>, StoreError> {
        let world = self.world()?;
        let mut behind: Vec<UserId> = world.unplanned(through).collect();
        let is_stale = |user: &UserId| world.attended.get(user).is_some_and(|own| own.stale_from.is_some());
        let stale: Vec<UserId> =
            world.living_people().filter(is_stale).filter(|user| !behind.contains(user)).collect();
        behind.extend(stale);
        behind.truncate(limit as usize);
        Ok(behind)
    }

    async fn first_dates(&self, people: &[UserId]) -> Result<Vec<Option<Date>>, StoreError> {
        let world = self.world()?;
        let first = |user: &UserId| {
            let own = world.attended.get(user)?;
            let records = own.records.iter().map(|record| record.day.key.date);
            records.chain(own.punches.iter().map(|(punch, _)| Zone::UTC.local(punch.at).date())).min()
        };
        Ok(people.iter().map(first).collect())
    }

    async fn records(&self, people: &UserScope, dates: DateRange) -> Result<Vec<DayRecord>, StoreError> {
        let world = self.world()?;
        let among =
            |user: UserId| world.users.get(&user).is_some_and(|person| includes(people, &person.user));
        Ok(world.records(among, dates))
    }

    async fn records_of(
        &self,
        people: &[UserId],
        dates: DateRange,
    ) -> Result<Vec<(DayRecord, Option<DepartmentRef>)>, StoreError> {
        let world = self.world()?;
        let records = world.records(|user| people.contains(&user), dates);
        let placed = |record: DayRecord| {
            let department = record.department.and_then(|id| world.departments.get(&id));
            (record, department.map(Department::reference))
        };
        Ok(records.into_iter().map(placed).collect())
    }

    async fn roster(
        &self,
        people: &UserScope,
        dates: DateRange,
    ) -> Result<Vec<(RosterEntry, DayRecord)>, StoreError> {
        let world = self.world()?;
        let there = |user: &User| user.status == Status::Active && includes(people, user);
        let shown = |record: DayRecord| {
            let user = world.read(world.users.get(&record.day.key.user)?);
            there(&user).then(|| {
                let User { id, name, employee_code, department, .. } = user;
                (RosterEntry { user: id, name, employee_code, department }, record)
            })
        };
        let mut roster: Vec<_> = world.records(|_| true, dates).into_iter().filter_map(shown).collect();
        roster.sort_by_key(|(person, record)| {
            (canonical(person.name.as_str()), person.user, record.day.key.date, record.day.key.shift)
        });
        Ok(roster)
    }

    async fn open_records(
        &self,
        whose: &RecordScope,
        dates: DateRange,
        now: Timestamp,
    ) -> Result<Vec<DayRecord>, StoreError> {
        let mut records = self.world()?.records(|_| true, dates);
        records.retain(|record| record.due > now && whose.includes(record.day.key.user, record.department));
        Ok(records)
    }

    async fn record(&self, id: RecordId) -> Result<Option<DayRecord>, StoreError> {
        let world = self.world()?;
        let mut all = world.attended.values().flat_map(|own| &own.records);
        Ok(all.find(|record| record.day.id == id).map(|record| world.with_punches(record.clone())))
    }

    async fn punches_of(&self, records: &[RecordId]) -> Result<HashMap<RecordId, Vec<Punch>>, StoreError> {
        let world = self.world()?;
        let all = world.attended.values().flat_map(|own| &own.records);
        let wanted = all.filter(|record| records.contains(&record.day.id));
        let punches = wanted.map(|record| (record.day.id, world.with_punches(record.clone()).day.punches));
        Ok(punches.filter(|(_, punches)| !punches.is_empty()).collect())
    }

    async fn punch(&self, id: PunchId) -> Result<Option<Punch>, StoreError> {
        let world = self.world()?;
        let mut all = world.attended.values().flat_map(|own| &own.punches);
        Ok(all.find(|(punch, _)| punch.id == id).map(|(punch, _)| punch.clone()))
    }

    async fn punches_by_id(&self, ids: &[PunchId]) -> Result<Vec<RecordedPunch>, StoreError> {
        let world = self.world()?;
        let all = world.attended.values().flat_map(|own| &own.punches);
        Ok(all.filter(|(punch, _)| ids.contains(&punch.id)).cloned().collect())
    }

    async fn records_by_id(&self, ids: &[RecordId]) -> Result<Vec<DayRecord>, StoreError> {
        let world = self.world()?;
        let all = world.attended.values().flat_map(|own| &own.records);
        Ok(all.filter(|record| ids.contains(&record.day.id)).cloned().collect())
    }

    async fn override_history(&self, key: DayKey) -> Result<Vec<OverrideHistoryEntry>, StoreError> {
        let world = self.world()?;
        let Some(own) = world.attended.get(&key.user) else { return Ok(Vec::new()) };
        let ended = own.ended.iter().filter(|(known, _)| *known == key).map(|(_, decided)| decided.clone());
        let holding = own.overrides.iter().filter(|(known, _)| *known == key);
        let holding =
            holding.map(|(_, override_)| OverrideHistoryEntry { override_: override_.clone(), ended: None });
        let mut decided: Vec<OverrideHistoryEntry> = ended.chain(holding).collect();
        decided.sort_by_key(|decided| (decided.override_.at, decided.override_.id));
        Ok(decided)
    }

    async fn last_counter(&self, device: DeviceId) -> Result<Option<u64>, StoreError> {
        let world = self.world()?;
        let all = world.attended.values().flat_map(|own| &own.punches);
        let own = all.filter(|(punch, _)| punch.device == Some(device));
        Ok(own.filter_map(|(punch, _)| punch.counter).max())
    }

    async fn punches(
        &self,
        people: &UserScope,
        filter: &PunchFilter,
        page: Page,
    ) -> Result<Paged<RecordedPunch>, StoreError> {
        let world = self.world()?;
        let among =
            |user: &UserId| world.users.get(user).is_some_and(|person| includes(people, &person.user));
        let theirs = world.attended.iter().filter(|(user, _)| among(user)).flat_map(|(_, own)| &own.punches);
        let mut punches: Vec<RecordedPunch> =
            theirs.filter(|(punch, _)| wanted(filter, punch)).cloned().collect();
        punches.sort_by_key(|(punch, _)| std::cmp::Reverse((punch.at, punch.id)));
        Ok(page.of(punches))
    }

    async fn changed_since(&self, people: &UserScope, since: Timestamp) -> Result<Vec<Changed>, StoreError> {
        let world = self.world()?;
        let among =
            |user: &UserId| world.users.get(user).is_some_and(|person| includes(people, &person.user));
        let theirs = world.attended.iter().filter(|(user, own)| among(user) && own.changed_at >= since);
        Ok(theirs
            .map(|(user, own)| Changed { user: *user, revision: own.revision, at: own.changed_at })
            .collect())
    }

    async fn punches_received_since(
        &self,
        people: &[UserId],
        since: Timestamp,
    ) -> Result<Vec<RecordedPunch>, StoreError> {
        let world = self.world()?;
        let theirs = world.attended.iter().filter(|(user, _)| people.contains(user));
        let punches = theirs.flat_map(|(_, own)| &own.punches);
        let mut received: Vec<RecordedPunch> =
            punches.filter(|(punch, _)| punch.received_at >= since).cloned().collect();
        received.sort_by_key(|(punch, _)| (punch.received_at, punch.id));
        Ok(received)
    }
}

fn wanted(filter: &PunchFilter, punch: &Punch) -> bool {
    let PunchFilter { from, until, direction, kind, source, device, batch, needs_review, voided } = *filter;
    from.is_none_or(|at| punch.at >= at)
        && until.is_none_or(|at| punch.at < at)
        && direction.is_none_or(|direction| punch.direction == Some(direction))
        && kind.is_none_or(|kind| punch.kind == kind)
        && source.is_none_or(|source| punch.source == source)
        && device.is_none_or(|device| punch.device == Some(device))
        && batch.is_none_or(|batch| punch.batch == Some(batch))
        && needs_review.is_none_or(|needed| punch.needs_review == needed)
        && voided.is_none_or(|voided| punch.voided.is_some() == voided)
}

impl World {
    pub(super) fn living_people(&self) -> impl Iterator<Item = UserId> {
        let there = self.users.values().filter(|person| person.user.status != Status::Deleted);
        there.map(|person| person.user.id)
    }

    pub(super) fn unplanned(&self, through: Date) -> impl Iterator<Item = UserId> {
        let planned = move |user: &UserId| self.attended.get(user).and_then(|own| own.planned_through);
        self.living_people().filter(move |user| planned(user).is_none_or(|planned| planned < through))
    }

    fn ledger(&self, user: UserId, dates: DateRange) -> Ledger {
        let own = self.attended.get(&user).cloned().unwrap_or_default();
        let at = |date: Date, days: i32| {
            Zone::UTC.instant(date.saturating_add(Span::new().days(days)).to_datetime(Time::midnight()))
        };
        let (from, until) = (at(dates.from(), -MARGIN), at(dates.to(), MARGIN + 1));
        let mut punches = own.punches;
        punches.retain(|(punch, _)| from <= punch.at && punch.at < until);
        punches.sort_by_key(|(punch, _)| (punch.at, punch.id));
        let approved = own.approvals.iter().map(|approval| (approval.key, approval.seconds));
        Ledger {
            revision: own.revision,
            planned_through: own.planned_through,
            stale_from: own.stale_from,
            closed_through: self.closed_through(),
            plan: self.plan_version,
            placements: own.placements,
            assignments: self.given_to(user),
            leaves: self.approved_leaves(user),
            punches,
            overrides: own.overrides.into_iter().filter(|(key, _)| dates.contains(key.date)).collect(),
            approved: approved.filter(|(key, _)| dates.contains(key.date)).collect(),
            records: self.records(|other| other == user, dates),
        }
    }

    /// All of them, or none.
    pub(super) fn commit_all(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        let (before, audit_entries) = (self.attended.clone(), self.audit_entries.len());
        for change in changes {
            if let Err(error) = self.commit(change) {
                self.attended = before;
                self.audit_entries.truncate(audit_entries);
                return Err(error);
            }
        }
        Ok(())
    }

    fn commit(&mut self, change: &Change) -> Result<(), StoreError> {
        if !self.users.contains_key(&change.user) {
            return Err(StoreError::Missing("user_id"));
        }
        let mut own = self.attended.get(&change.user).cloned().unwrap_or_default();
        let unmarked = change.seen == Revision::NEW || !change.placements.is_empty();
        let replanned = change.plan.filter(|_| unmarked).is_some_and(|version| version != self.plan_version);
        if own.revision != change.seen || replanned {
            return Err(StoreError::Stale);
        }
        for (punch, _) in &change.punches {
            if self.attended.values().flat_map(|own| &own.punches).any(|(known, _)| known.id == punch.id) {
                return Err(StoreError::Taken("event_id"));
            }
            if punch.device.is_some_and(|device| !self.devices.contains_key(&device)) {
                return Err(StoreError::Missing("device_id"));
            }
            if punch.entered_by.is_some_and(|user| !self.users.contains_key(&user)) {
                return Err(StoreError::Missing("entered_by"));
            }
        }
        let known =
            |audit_entry: &AuditEntry| self.audit_entries.iter().any(|known| known.id == audit_entry.id);
        if change.audit_entries.iter().any(known) {
            return Err(StoreError::Failed("the line is there already".into()));
        }
        own.revision = own.revision.next();
        own.planned_through = change.planned_through;
        own.stale_from = change.stale_from;
        own.changed_at = own.changed_at.max(change.at);
        for placement in &change.placements {
            own.placements.retain(|known| known.from != placement.from);
            own.placements.push(placement.clone());
        }
        own.placements.sort_by_key(|placement| placement.from);
        for (id, back) in &change.reverted {
            own.end(|_, override_| override_.id == *id, back);
        }
        for (key, override_) in &change.decided {
            let reason = OverrideHistoryEntry::REPLACED.to_owned();
            let replaced = own.overrides.iter().filter(|(known, _)| known == key);
            own.replaced_by.extend(replaced.map(|(_, old)| (old.id, override_.id)));
            own.end(|known, _| known == key, &SignOff { by: override_.by, at: override_.at, reason });
            own.overrides.push((*key, override_.clone()));
        }
        for (_, id) in &change.restored {
            let ended = std::mem::take(&mut own.ended);
            let (holds, kept): (Vec<_>, Vec<_>) =
                ended.into_iter().partition(|(_, decided)| decided.override_.id == *id);
            own.ended = kept;
            own.replaced_by.remove(id);
            own.overrides.extend(holds.into_iter().map(|(key, decided)| (key, decided.override_)));
        }
        own.approvals.retain(|known| {
            !change.withdrawn.contains(&known.key)
                && !change.approvals.iter().any(|approval| approval.key == known.key)
        });
        own.approvals.extend(change.approvals.iter().cloned());
        for record in &change.records {
            let known = own.records.iter().position(|known| known.day.key == record.day.key);
            if known.is_some() == (record.day.revision == Revision::NEW) {
                return Err(StoreError::Stale);
            }
            let mut stored = record.clone();
            stored.day.revision = record.day.revision.next();
            stored.day.punches.clear();
            match known {
                Some(place) => own.records[place] = stored,
                None => own.records.push(stored),
            }
        }
        own.punches.extend(change.punches.iter().cloned());
        for (punch, record) in &mut own.punches {
            if let Some((_, voided)) = change.voided.iter().find(|(id, _)| *id == punch.id) {
                punch.voided = Some(voided.clone());
                own.voided_with.extend(change.voided_with.map(|batch| (punch.id, batch)));
            }
            if change.unvoided.contains(&punch.id) {
                punch.voided = None;
                own.voided_with.remove(&punch.id);
            }
            if let Some((_, accepted)) = change.accepted.iter().find(|(id, _)| *id == punch.id) {
                (punch.needs_review, punch.accepted) = (false, Some(accepted.clone()));
            }
            if let Some((_, place, direction)) = change.readings.iter().find(|(id, ..)| *id == punch.id) {
                (*record, punch.direction) = (*place, *direction);
            }
            if record.is_some_and(|id| change.gone.contains(&id)) {
                *record = None;
            }
        }
        own.records.retain(|record| !change.gone.contains(&record.day.id));
        self.attended.insert(change.user, own);
        self.audit_entries.extend(change.audit_entries.iter().cloned());
        Ok(())
    }

    fn records(&self, among: impl Fn(UserId) -> bool, dates: DateRange) -> Vec<DayRecord> {
        let theirs = self.attended.iter().filter(|(user, _)| among(**user));
        let mut records: Vec<DayRecord> = theirs
            .flat_map(|(_, own)| &own.records)
            .filter(|record| dates.contains(record.day.key.date))
            .cloned()
            .collect();
        records.sort_by_key(|record| (record.day.key.user, record.day.key.date, record.day.key.shift));
        records
    }

    fn with_punches(&self, mut record: DayRecord) -> DayRecord {
        let id = Some(record.day.id);
        let all = self.attended.values().flat_map(|own| &own.punches);
        let mut punches: Vec<Punch> =
            all.filter(|(_, of)| *of == id).map(|(punch, _)| punch.clone()).collect();
        punches.sort_by_key(|punch| (punch.at, punch.id));
        record.day.punches = punches;
        record
    }
}
