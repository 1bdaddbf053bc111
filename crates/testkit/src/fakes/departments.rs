//! Departments.

use std::cmp::Ordering;

use async_trait::async_trait;
use jiff::civil::Date;
use rollcall_domain::Revision;
use rollcall_domain::department::{Department, DepartmentSummary};
use rollcall_domain::id::{DepartmentId, UserId};
use rollcall_domain::page::{Page, Paged, Sort};
use rollcall_domain::plan::AssignmentTarget;
use rollcall_domain::text::canonical;
use rollcall_domain::user::{Status, User};
use rollcall_ports::departments::{DepartmentFilter, DepartmentKey, DepartmentStore};
use rollcall_ports::store::StoreError;

use super::world::{FakeStores, World};

#[async_trait]
impl DepartmentStore for FakeStores {
    async fn insert(&self, department: &Department) -> Result<(), StoreError> {
        let mut world = self.world()?;
        world.check_department(department)?;
        world
            .departments
            .insert(department.id, Department { revision: Revision::NEW.next(), ..department.clone() });
        Ok(())
    }

    async fn save(&self, changed: &Department, today: Date) -> Result<(), StoreError> {
        let mut world = self.world()?;
        let before = world.departments.get(&changed.id).filter(|known| known.revision == changed.revision);
        let before = before.cloned().ok_or(StoreError::Stale)?;
        let mut above = changed.parent;
        while let Some(id) = above {
            if id == changed.id {
                return Err(StoreError::Overlaps(id.uuid()));
            }
            above = world.departments.get(&id).ok_or(StoreError::Missing("parent_id"))?.parent;
        }
        let is_retired = |shift| world.shifts.get(&shift).is_some_and(|shift| shift.retired_at.is_some());
        if before.default_shift != changed.default_shift && changed.default_shift.is_some_and(is_retired) {
            return Err(StoreError::Missing("default_shift_id"));
        }
        world.check_department(changed)?;
        world
            .departments
            .insert(changed.id, Department { revision: changed.revision.next(), ..changed.clone() });
        world.plan_changed();
        if (&before.timezone, before.default_shift) != (&changed.timezone, changed.default_shift) {
            let target = AssignmentTarget::Department(changed.id);
            world.mark_stale(|world, user| world.is_among(target, user), today);
        }
        Ok(())
    }

    async fn appoint(&self, id: DepartmentId, manager: UserId) -> Result<bool, StoreError> {
        let mut world = self.world()?;
        let is_somebody = world.users.contains_key(&manager);
        match world.departments.get_mut(&id) {
            Some(department) if department.manager.is_none() && is_somebody => {
                department.manager = Some(manager);
                department.revision = department.revision.next();
                Ok(true)
            }
            Some(department) if department.manager.is_none() => Err(StoreError::Missing("manager_id")),
            _ => Ok(false),
        }
    }

    async fn get(&self, id: DepartmentId) -> Result<Option<Department>, StoreError> {
        Ok(self.world()?.departments.get(&id).cloned())
    }

    async fn list(
        &self,
        filter: &DepartmentFilter,
        sort: &[Sort<DepartmentKey>],
        page: Page,
    ) -> Result<Paged<DepartmentSummary>, StoreError> {
        let world = self.world()?;
        let all = world.departments.values().map(|department| world.summary(department, filter));
        let mut wanted: Vec<_> = all.filter(|summary| matches(filter, summary)).collect();
        wanted.sort_by(|a, b| order(sort, a, b));
        Ok(page.of(wanted))
    }
}

impl World {
    /// Refuses names and codes that another one has, and references to nothing.
    fn check_department(&self, department: &Department) -> Result<(), StoreError> {
        let name = |department: &Department| canonical(department.name.as_str());
        let code = |department: &Department| department.code.as_deref().map(canonical);
        let mut others = self.departments.values().filter(|other| other.id != department.id);
        if others.clone().any(|other| name(other) == name(department)) {
            return Err(StoreError::Taken("name"));
        }
        if department.code.is_some() && others.any(|other| code(other) == code(department)) {
            return Err(StoreError::Taken("code"));
        }
        if department.manager.is_some_and(|manager| !self.users.contains_key(&manager)) {
            return Err(StoreError::Missing("manager_id"));
        }
        if department.parent.is_some_and(|parent| !self.departments.contains_key(&parent)) {
            return Err(StoreError::Missing("parent_id"));
        }
        if department.default_shift.is_some_and(|shift| !self.shifts.contains_key(&shift)) {
            return Err(StoreError::Missing("default_shift_id"));
        }
        Ok(())
    }

    fn summary(&self, department: &Department, filter: &DepartmentFilter) -> DepartmentSummary {
        let users = || self.users.values().map(|person| &person.user);
        let is_member = |user: &&User| {
            user.status == Status::Active && user.department.as_ref().is_some_and(|d| d.id == department.id)
        };
        let is_enrolled = |user: &&User| {
            let Some((model, least)) = &filter.enrolled else { return false };
            let own = self.faces.iter().filter(|face| face.user == user.id && face.template.model == *model);
            user.is_matchable() && own.count() >= *least as usize
        };
        let manager = users().find(|user| Some(user.id) == department.manager);
        DepartmentSummary {
            department: department.clone(),
            manager_name: manager.map(|user| user.name.as_str().into()),
            headcount: users().filter(is_member).count() as u32,
            enrolled: users().filter(is_member).filter(is_enrolled).count() as u32,
        }
    }
}

fn matches(filter: &DepartmentFilter, summary: &DepartmentSummary) -> bool {
    let department = &summary.department;
    let holds = |text: &str| filter.q.as_ref().is_none_or(|q| canonical(text).contains(&canonical(q)));
    filter.among.as_ref().is_none_or(|among| among.contains(&department.id))
        && (holds(department.name.as_str()) || department.code.as_deref().is_some_and(holds))
        && (!filter.only_staffed || summary.headcount > 0)
}

fn order(sort: &[Sort<DepartmentKey>], a: &DepartmentSummary, b: &DepartmentSummary) -> Ordering {
    let name = |summary: &DepartmentSummary| canonical(summary.department.name.as_str());
    let by = |sort: &Sort<DepartmentKey>| {
        let order = match sort.key {
            DepartmentKey::Name => name(a).cmp(&name(b)),
            DepartmentKey::Headcount => a.headcount.cmp(&b.headcount),
        };
        if sort.descending { order.reverse() } else { order }
    };
    let by_id = a.department.id.cmp(&b.department.id);
    sort.iter().map(by).find(|order| order.is_ne()).unwrap_or(Ordering::Equal).then(by_id)
}
