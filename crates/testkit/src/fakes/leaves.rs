//! Requests for leave.

use std::cmp::Ordering;

use async_trait::async_trait;
use rollcall_domain::Revision;
use rollcall_domain::audit::AuditEntry;
use rollcall_domain::id::{LeaveId, UserId};
use rollcall_domain::leave::{Leave, LeaveRequest, LeaveStatus};
use rollcall_domain::page::{Page, Paged, Sort};
use rollcall_domain::user::UserScope;
use rollcall_ports::leaves::{LeaveFilter, LeaveKey, LeaveStore};
use rollcall_ports::store::StoreError;

use super::world::{FakeStores, World, includes};

#[async_trait]
impl LeaveStore for FakeStores {
    async fn list(
        &self,
        people: &UserScope,
        filter: &LeaveFilter,
        sort: &[Sort<LeaveKey>],
        page: Page,
    ) -> Result<Paged<LeaveRequest>, StoreError> {
        let world = self.world()?;
        let theirs = |request: &&LeaveRequest| {
            world.users.get(&request.user).is_some_and(|person| includes(people, &person.user))
        };
        let own = world.leaves.values().filter(theirs);
        let mut wanted: Vec<_> = own.filter(|request| matches(filter, request)).cloned().collect();
        wanted.sort_by(|a, b| order(sort, a, b));
        Ok(page.of(wanted))
    }

    async fn get(&self, id: LeaveId) -> Result<Option<LeaveRequest>, StoreError> {
        Ok(self.world()?.leaves.get(&id).cloned())
    }

    async fn insert(&self, request: &LeaveRequest, audit_entry: &AuditEntry) -> Result<(), StoreError> {
        let mut world = self.world()?;
        let mut standing = world.leaves.values().filter(|other| other.status.stands());
        let meets =
            |other: &&LeaveRequest| other.user == request.user && other.leave.overlaps(&request.leave);
        if let Some(other) = standing.find(meets) {
            return Err(StoreError::Overlaps(other.id.uuid()));
        }
        world.check_open(request.leave.from)?;
        if !world.users.contains_key(&request.user) {
            return Err(StoreError::Missing("user_id"));
        }
        let stored = LeaveRequest { revision: Revision::NEW.next(), ..request.clone() };
        world.leaves.insert(request.id, stored);
        world.audit_entries.push(audit_entry.clone());
        if request.status == LeaveStatus::Approved {
            world.mark_stale(|_, user| user == request.user, request.leave.from);
        }
        Ok(())
    }

    async fn decide(&self, request: &LeaveRequest, audit_entry: &AuditEntry) -> Result<(), StoreError> {
        let mut world = self.world()?;
        let before = world.leaves.get(&request.id).filter(|known| known.revision == request.revision);
        let before = before.cloned().ok_or(StoreError::Stale)?;
        let counts = [before.status, request.status].contains(&LeaveStatus::Approved);
        if counts {
            world.check_open(before.leave.from)?;
        }
        let stored = LeaveRequest {
            status: request.status,
            decided: request.decided.clone(),
            revision: before.revision.next(),
            ..before.clone()
        };
        world.leaves.insert(request.id, stored);
        world.audit_entries.push(audit_entry.clone());
        if counts {
            world.mark_stale(|_, user| user == before.user, before.leave.from);
        }
        Ok(())
    }
}

impl World {
    /// A person's approved leave, by date.
    pub(super) fn approved_leaves(&self, user: UserId) -> Vec<Leave> {
        let own = self.leaves.values().filter(|request| request.user == user);
        let approved = own.filter(|request| request.status == LeaveStatus::Approved);
        let mut leaves: Vec<_> = approved.map(|request| request.leave).collect();
        leaves.sort_by_key(|leave| leave.from);
        leaves
    }
}

fn matches(filter: &LeaveFilter, request: &LeaveRequest) -> bool {
    let meets = |leave: Leave| leave.overlaps(&request.leave);
    filter.user.is_none_or(|user| request.user == user)
        && filter.status.is_none_or(|status| request.status == status)
        && filter.kind.is_none_or(|kind| request.kind == kind)
        && filter.within.is_none_or(|dates| meets(Leave { from: dates.from(), to: dates.to(), half: None }))
}

fn order(sort: &[Sort<LeaveKey>], a: &LeaveRequest, b: &LeaveRequest) -> Ordering {
    let by = |sort: &Sort<LeaveKey>| {
        let order = match sort.key {
            LeaveKey::From => a.leave.from.cmp(&b.leave.from),
            LeaveKey::RequestedAt => a.requested_at.cmp(&b.requested_at),
        };
        if sort.descending { order.reverse() } else { order }
    };
    sort.iter().map(by).find(|order| order.is_ne()).unwrap_or(Ordering::Equal).then(a.id.cmp(&b.id))
}
