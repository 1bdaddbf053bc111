//! People and their credentials.

use std::cmp::Ordering;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use rollcall_domain::access::Role;
use rollcall_domain::calendar::DateRange;
use rollcall_domain::id::UserId;
use rollcall_domain::page::{Page, Paged};
use rollcall_domain::text::canonical;
use rollcall_domain::user::{
    EmployeeCode, PasswordHash, Status, User, UserFilter, UserKey, UserScope, UserSort,
};
use rollcall_ports::store::StoreError;
use rollcall_ports::users::{Credentials, Erased, Erasure, Invitation, Logins, UserChange, UserStore};

use super::world::{FakeStores, Person, World, includes};

#[async_trait]
impl UserStore for FakeStores {
    async fn insert(&self, user: &User, password: Option<&PasswordHash>) -> Result<(), StoreError> {
        let mut world = self.world()?;
        world.accepts(user)?;
        world.add(user, password);
        Ok(())
    }

    async fn insert_first(&self, user: &User, password: &PasswordHash) -> Result<bool, StoreError> {
        let mut world = self.world()?;
        if !world.users.is_empty() {
            return Ok(false);
        }
        world.accepts(user)?;
        world.add(user, Some(password));
        Ok(true)
    }

    async fn insert_invited(&self, user: &User, invitation: &Invitation) -> Result<(), StoreError> {
        let mut world = self.world()?;
        world.accepts(user)?;
        world.add(user, None);
        world.invitations.insert(invitation.fingerprint, (user.id, invitation.expires_at));
        Ok(())
    }

    async fn invited(&self, invitation: &[u8; 32], now: Timestamp) -> Result<Option<User>, StoreError> {
        let world = self.world()?;
        let holds = world.invitations.get(invitation).filter(|(_, expires_at)| now < *expires_at);
        Ok(holds.and_then(|(user, _)| world.users.get(user)).map(|person| world.read(person)))
    }

    async fn accept(
        &self,
        invitation: &[u8; 32],
        now: Timestamp,
        password: &PasswordHash,
    ) -> Result<bool, StoreError> {
        let mut world = self.world()?;
        let holds = world.invitations.get(invitation).filter(|(_, expires_at)| now < *expires_at);
        let Some((user, _)) = holds.copied() else { return Ok(false) };
        world.invitations.remove(invitation);
        if let Some(person) = world.users.get_mut(&user) {
            person.password = Some(password.clone());
            person.token_version += 1;
        }
        Ok(true)
    }

    async fn first_joined(&self, since: Date) -> Result<Option<Date>, StoreError> {
        let world = self.world()?;
        let there = world.users.values().map(|person| &person.user);
        let there = there.filter(|user| user.status != Status::Deleted);
        Ok(there.filter_map(|user| user.join_date).filter(|joined| since <= *joined).min())
    }

    async fn get(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let world = self.world()?;
        Ok(world.users.get(&id).map(|person| world.read(person)))
    }

    async fn list(
        &self,
        people: &UserScope,
        filter: &UserFilter,
        sort: &[UserSort],
        page: Page,
    ) -> Result<Paged<User>, StoreError> {
        let world = self.world()?;
        let all = world.users.values().map(|person| world.read(person));
        let mut wanted: Vec<User> =
            all.filter(|user| includes(people, user) && world.matches(filter, user)).collect();
        wanted.sort_by(|a, b| order(sort, a, b));
        Ok(page.of(wanted))
    }

    async fn save(&self, change: UserChange<'_>) -> Result<(), StoreError> {
        let mut world = self.world()?;
        let user = change.user;
        let before = match world.users.get(&user.id) {
            Some(person) if person.user.revision == user.revision => person.user.clone(),
            _ => return Err(StoreError::Stale),
        };
        world.accepts(user)?;
        if is_active_admin(&before) && !is_active_admin(user) && world.other_admins(user.id) == 0 {
            return Err(StoreError::LastAdmin);
        }

        if let Some(person) = world.users.get_mut(&user.id) {
            // A login noted since the person was read is not undone.
            let last_login_at = before.last_login_at.max(user.last_login_at);
            person.user = User { revision: before.revision.next(), last_login_at, ..user.clone() };
            if let Some(password) = change.password {
                person.password = Some(password.clone());
            }
            if change.password.is_some() || change.logins != Logins::Keep || before.status != user.status {
                person.token_version += 1;
            }
        }
        if change.password.is_some() || user.status == Status::Deleted {
            world.invitations.retain(|_, (invited, _)| *invited != user.id);
        }
        if user.status == Status::Deleted {
            let managed = world.departments.values_mut().filter(|d| d.manager == Some(user.id));
            managed.for_each(|department| department.manager = None);
        }
        let kept = match change.logins {
            Logins::Keep => None,
            Logins::End => Some(None),
            Logins::EndOthers(session) => Some(Some(session)),
        };
        let today = first_today(user.updated_at);
        if let Some(from) = before.terms().first_difference(&user.terms(), today) {
            world.mark_stale(|_, other| other == user.id, from);
        }
        if let Some(kept) = kept {
            world.end_logins(user.id, kept, user.updated_at);
        }
        if change.destroy_faces {
            world.faces.retain(|face| face.user != user.id);
        }
        if change.destroy_faces || before.status != user.status || before.consent != user.consent {
            world.changed(user.id);
        }
        Ok(())
    }

    async fn erase(&self, erasure: Erasure<'_>) -> Result<Erased, StoreError> {
        let user = erasure.user;
        let change = UserChange { user, password: None, logins: Logins::End, destroy_faces: true };
        let encodings = {
            let world = self.world()?;
            world.faces.iter().filter(|face| face.user == user.id).count() as u64
        };
        self.save(change).await?;
        let mut world = self.world()?;
        if let Some(person) = world.users.get_mut(&user.id) {
            person.password = None;
            person.user.last_login_at = None;
        }
        let (logins, searches) = (world.sessions.len(), world.searches.len());
        world.sessions.retain(|_, login| login.session.user != user.id);
        world.searches.retain(|search| search.user != Some(user.id));
        let asked = world.searches.iter_mut().filter(|search| search.asked_by == Some(user.id));
        asked.for_each(|search| search.asked_by = None);
        world.jobs.retain(|_, known| known.job.owner != user.id);
        world.attempts.remove(&erasure.address);
        let (logins, searches) = (logins - world.sessions.len(), searches - world.searches.len());
        let mut punches = 0;
        if erasure.attendance {
            punches = world.attended.remove(&user.id).map_or(0, |own| own.punches.len());
        } else if let Some(own) = world.attended.get_mut(&user.id) {
            for (punch, _) in &mut own.punches {
                (punch.note, punch.reason, punch.location, punch.similarity) = (None, None, None, None);
            }
            own.records.iter_mut().for_each(|record| record.similarity = None);
            own.approvals.iter_mut().for_each(|approval| approval.reason.clear());
            let ended = own.ended.iter_mut().filter_map(|(_, decided)| decided.ended.as_mut());
            ended.for_each(|ended| ended.reason.clear());
            let decisions = own.overrides.iter_mut().map(|(_, override_)| override_);
            let ended = own.ended.iter_mut().map(|(_, decided)| &mut decided.override_);
            for override_ in decisions.chain(ended) {
                (override_.note, override_.reason) = (None, String::new());
            }
        }
        if erasure.attendance {
            world.corrections.retain(|_, correction| correction.user() != user.id);
        }
        if erasure.attendance {
            world.audit_entries.retain(|audit_entry| audit_entry.subject != Some(user.id));
        }
        for audit_entry in
            world.audit_entries.iter_mut().filter(|audit_entry| audit_entry.subject == Some(user.id))
        {
            audit_entry.reason = None;
        }
        for correction in world.corrections.values_mut().filter(|other| other.user() == user.id) {
            correction.reason.clear();
            correction.decided.iter_mut().for_each(|decided| decided.comment = None);
        }
        let count = |number: usize| number as u64;
        Ok(Erased {
            encodings,
            logins: count(logins),
            searches: count(searches),
            punches: count(punches),
            remaining: 0,
        })
    }

    async fn credentials(&self, email: &str) -> Result<Option<Credentials>, StoreError> {
        let world = self.world()?;
        let mut present = world.users.values().filter(|person| person.user.status != Status::Deleted);
        let found = present.find(|person| person.user.email.canonical() == email);
        Ok(found.map(|person| Credentials {
            user: person.user.id,
            hash: person.password.clone(),
            status: person.user.status,
            token_version: person.token_version,
        }))
    }

    async fn ids_by_code(&self, codes: &[String]) -> Result<Vec<Option<UserId>>, StoreError> {
        let code = |user: &User| user.employee_code.as_ref().map(|code| canonical(code.as_str()));
        let world = self.world()?;
        Ok(codes.iter().map(|wanted| world.living(|user| code(user).as_ref() == Some(wanted))).collect())
    }

    async fn ids_by_email(&self, addresses: &[String]) -> Result<Vec<Option<UserId>>, StoreError> {
        let world = self.world()?;
        Ok(addresses.iter().map(|wanted| world.living(|user| user.email.canonical() == *wanted)).collect())
    }

    async fn password(&self, id: UserId) -> Result<Option<PasswordHash>, StoreError> {
        Ok(self.world()?.users.get(&id).and_then(|person| person.password.clone()))
    }

    async fn rehash(
        &self,
        id: UserId,
        verified: &PasswordHash,
        better: &PasswordHash,
    ) -> Result<(), StoreError> {
        let mut world = self.world()?;
        let person = world.users.get_mut(&id).filter(|person| person.password.as_ref() == Some(verified));
        if let Some(person) = person {
            person.password = Some(better.clone());
        }
        Ok(())
    }

    async fn logged_in(&self, id: UserId, at: Timestamp) -> Result<(), StoreError> {
        if let Some(person) = self.world()?.users.get_mut(&id) {
            person.user.last_login_at = Some(at);
        }
        Ok(())
    }

    async fn get_many(&self, ids: &[UserId]) -> Result<Vec<User>, StoreError> {
        let world = self.world()?;
        let mut people: Vec<User> =
            ids.iter().filter_map(|id| world.users.get(id)).map(|person| world.read(person)).collect();
        people.sort_by_key(|user| user.id);
        Ok(people)
    }
}

impl World {
    /// The first person, except removed ones, of whom this is true.
    fn living(&self, is_wanted: impl Fn(&User) -> bool) -> Option<UserId> {
        let mut living = self.users.values().map(|person| &person.user);
        living.find(|user| user.status != Status::Deleted && is_wanted(user)).map(|user| user.id)
    }

    /// Whether a person may be stored like this.
    fn accepts(&self, user: &User) -> Result<(), StoreError> {
        let others = || {
            self.users.values().map(|person| &person.user).filter(|other| {
                other.id != user.id && other.status != Status::Deleted && user.status != Status::Deleted
            })
        };
        if others().any(|other| other.email.canonical() == user.email.canonical()) {
            return Err(StoreError::Taken("email"));
        }
        let code = user.employee_code.as_ref().map(EmployeeCode::canonical);
        if code.is_some()
            && others().any(|other| other.employee_code.as_ref().map(EmployeeCode::canonical) == code)
        {
            return Err(StoreError::Taken("employee_code"));
        }
        match &user.department {
            Some(reference) if !self.departments.contains_key(&reference.id) => {
                Err(StoreError::Missing("department_id"))
            }
            _ => Ok(()),
        }
    }

    fn add(&mut self, user: &User, password: Option<&PasswordHash>) {
        let user = User { revision: rollcall_domain::Revision(1), ..user.clone() };
        let person = Person { user, password: password.cloned(), token_version: 0, change: 0 };
        self.users.insert(person.user.id, person);
    }

    fn other_admins(&self, than: UserId) -> usize {
        let others = self.users.values().filter(|person| person.user.id != than);
        others.filter(|person| is_active_admin(&person.user)).count()
    }

    fn matches(&self, filter: &UserFilter, user: &User) -> bool {
        let holds = |text: &str| filter.q.as_ref().is_none_or(|q| canonical(text).contains(&canonical(q)));
        let code = user.employee_code.as_ref().map(EmployeeCode::as_str);
        let enrolled = filter.enrolled.as_ref().is_none_or(|enrolled| {
            let own = |face: &&rollcall_domain::face::StoredTemplate| {
                face.user == user.id && face.template.model == enrolled.model
            };
            (self.faces.iter().filter(own).count() >= enrolled.min_required as usize) == enrolled.wanted
        });
        (holds(user.name.as_str())
            || user.email.searchable().iter().any(|form| holds(form))
            || code.is_some_and(holds))
            && filter.role.is_none_or(|role| user.role == role)
            && filter.status.is_none_or(|status| user.status == status)
            && filter.department.is_none_or(|id| user.department.as_ref().is_some_and(|d| d.id == id))
            && enrolled
            && filter.created_from.is_none_or(|from| user.created_at >= from)
            && filter.created_before.is_none_or(|before| user.created_at < before)
            && (filter.include_deleted || user.status != Status::Deleted)
            && filter.never_logged_in.is_none_or(|never| user.last_login_at.is_none() == never)
    }
}

/// The first date that is today anywhere.
fn first_today(now: Timestamp) -> Date {
    DateRange::today_anywhere(now).from()
}

fn is_active_admin(user: &User) -> bool {
    user.role == Role::Admin && user.status == Status::Active
}

fn order(sort: &[UserSort], a: &User, b: &User) -> Ordering {
    let code = |user: &User| user.employee_code.as_ref().map(EmployeeCode::canonical);
    let by = |sort: &UserSort| {
        let order = match sort.key {
            UserKey::Name => canonical(a.name.as_str()).cmp(&canonical(b.name.as_str())),
            UserKey::Email => a.email.canonical().cmp(b.email.canonical()),
            UserKey::EmployeeCode => code(a).cmp(&code(b)),
            UserKey::CreatedAt => a.created_at.cmp(&b.created_at),
            UserKey::LastLoginAt => a.last_login_at.cmp(&b.last_login_at),
        };
        if sort.descending { order.reverse() } else { order }
    };
    sort.iter().map(by).find(|order| order.is_ne()).unwrap_or(Ordering::Equal).then(a.id.cmp(&b.id))
}
