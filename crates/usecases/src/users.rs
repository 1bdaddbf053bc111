//! People: adding, changing, removing, and whether they take part.

use std::sync::Arc;

use jiff::civil::Date;
use rollcall_domain::Revision;
use rollcall_domain::access::{Action, Actor, Denied, Role, permit};
use rollcall_domain::calendar::Zone;
use rollcall_domain::id::{DepartmentId, ShiftId, UserId};
use rollcall_domain::page::{Page, Paged};
use rollcall_domain::preferences::Preferences;
use rollcall_domain::user::{
    DepartmentRef, EmailAddress, EmployeeCode, Enrolled, FaceSummary, Password, PasswordHash, PasswordRule,
    People, PersonName, Status, User, UserFilter, UserSort,
};
use rollcall_ports::Ports;
use rollcall_ports::clock::Clock;
use rollcall_ports::departments::DepartmentStore;
use rollcall_ports::ids::IdSource;
use rollcall_ports::passwords::{PasswordError, Passwords, Verified};
use rollcall_ports::store::StoreError;
use rollcall_ports::users::{Logins, UserChange, UserStore};

use crate::auth::{NewPasswordError, blank_user, hash_new, secret_text};
use crate::faces::GalleryFeed;
use crate::people::{Unreachable, reach, reachable};
use crate::rules::Rules;

/// A write that met another one is read and tried again this often.
const RETRIES: usize = 5;

/// Adds, changes and removes people.
#[derive(Clone)]
pub struct Users {
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    passwords: Arc<dyn Passwords>,
    users: Arc<dyn UserStore>,
    departments: Arc<dyn DepartmentStore>,
    gallery: GalleryFeed,
    rules: Arc<Rules>,
}

/// A person and what is stored of their face.
#[derive(Debug, Clone)]
pub struct Profile {
    /// The person.
    pub user: User,
    /// Their templates, counted.
    pub face: FaceSummary,
}

/// A person to be added.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Their name.
    pub name: PersonName,
    /// Their address.
    pub email: EmailAddress,
    /// What they are in the system.
    pub role: Role,
    /// Whether they take part.
    pub status: Status,
    /// A password; without one they cannot log in.
    pub password: Option<Password>,
    /// The organization's own number for them.
    pub employee_code: Option<EmployeeCode>,
    /// Where they belong.
    pub department: Option<DepartmentId>,
    /// Their time zone.
    pub timezone: Option<Zone>,
    /// First day of employment.
    pub join_date: Option<Date>,
    /// Their own shift.
    pub default_shift: Option<ShiftId>,
}

/// A change of a profile: absent fields stay, `Some(None)` clears.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "each field is the one of that name of `User`")]
pub struct UserPatch {
    pub name: Option<PersonName>,
    pub phone: Option<Option<String>>,
    pub address: Option<Option<String>>,
    pub avatar_url: Option<Option<String>>,
    pub locale: Option<Option<String>>,
    pub preferences: Option<Preferences>,
    pub password: Option<Password>,
    pub current_password: Option<Password>,
    pub email: Option<EmailAddress>,
    pub role: Option<Role>,
    pub status: Option<Status>,
    pub employee_code: Option<Option<EmployeeCode>>,
    pub department: Option<Option<DepartmentId>>,
    pub timezone: Option<Option<Zone>>,
    pub join_date: Option<Option<Date>>,
    pub leave_date: Option<Option<Date>>,
    pub default_shift: Option<Option<ShiftId>>,
}

impl UserPatch {
    /// The fields that only administrators may change, by the names clients know.
    fn administrative(&self) -> Vec<&'static str> {
        [
            (self.email.is_some(), "email"),
            (self.role.is_some(), "role"),
            (self.status.is_some(), "status"),
            (self.employee_code.is_some(), "employee_code"),
            (self.department.is_some(), "department_id"),
            (self.timezone.is_some(), "timezone"),
            (self.join_date.is_some(), "join_date"),
            (self.leave_date.is_some(), "leave_date"),
            (self.default_shift.is_some(), "default_shift_id"),
        ]
        .into_iter()
        .filter_map(|(present, name)| present.then_some(name))
        .collect()
    }
}

/// Which people are wanted, in which order.
#[derive(Debug, Clone, Default)]
pub struct UserQuery {
    /// Only people who match.
    pub filter: UserFilter,
    /// Only people who can be recognized, or only the others.
    pub enrolled: Option<bool>,
    /// In this order.
    pub sort: Vec<UserSort>,
    /// This page.
    pub page: Page,
}

/// Why something about a person could not be done.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// Not allowed, or not to be seen.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// These fields are an administrator's to change; nothing was changed.
    #[error("only an administrator may change {}", .0.join(", "))]
    FieldForbidden(Vec<&'static str>),
    /// Filters are for those who may see more than themselves.
    #[error("filters are not allowed for your role")]
    FilterForbidden,
    /// The address has an account.
    #[error("this e-mail address has an account already")]
    EmailTaken,
    /// The code is in use.
    #[error("this employee code is in use already")]
    EmployeeCodeTaken,
    /// No such department or shift; the field is named.
    #[error("{0} does not exist")]
    Unknown(&'static str),
    /// The new password will not do.
    #[error(transparent)]
    Weak(#[from] PasswordRule),
    /// A new password of one's own needs the old one.
    #[error("the current password is missing or wrong")]
    CurrentPassword,
    /// Somebody must be able to run the installation.
    #[error("at least one active administrator must remain")]
    LastAdmin,
    /// Nobody removes or shuts out themself.
    #[error("this cannot be done to oneself")]
    Oneself,
    /// The person changed since they were read.
    #[error("somebody else changed this in the meantime")]
    Outdated,
    /// Hashing failed.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for UserError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken("email") => Self::EmailTaken,
            StoreError::Taken("employee_code") => Self::EmployeeCodeTaken,
            StoreError::Missing(field) => Self::Unknown(field),
            StoreError::LastAdmin => Self::LastAdmin,
            StoreError::Stale => Self::Outdated,
            other => Self::Store(other),
        }
    }
}

impl From<Unreachable> for UserError {
    fn from(error: Unreachable) -> Self {
        match error {
            Unreachable::Denied(denied) => Self::Denied(denied),
            Unreachable::Store(error) => error.into(),
        }
    }
}

impl From<NewPasswordError> for UserError {
    fn from(error: NewPasswordError) -> Self {
        match error {
            NewPasswordError::Weak(rule) => Self::Weak(rule),
            NewPasswordError::Failed(error) => Self::Password(error),
        }
    }
}

impl Users {
    pub(crate) fn new(ports: &Ports, gallery: GalleryFeed, rules: Arc<Rules>) -> Self {
        Self {
            clock: ports.clock.clone(),
            ids: ports.ids.clone(),
            passwords: ports.passwords.clone(),
            users: ports.users.clone(),
            departments: ports.departments.clone(),
            gallery,
            rules,
        }
    }

    /// The people the actor may see. Who may only see themself may not filter.
    pub async fn list(&self, actor: &Actor, query: UserQuery) -> Result<Paged<Profile>, UserError> {
        let people = reachable(actor, Action::ListUsers, self.rules.self_service)?;
        let filters =
            query.enrolled.is_some() || query.filter != UserFilter::default() || !query.sort.is_empty();
        if matches!(people, People::One(_)) && filters {
            return Err(UserError::FilterForbidden);
        }
        self.page_of(&people, query).await
    }

    /// Everybody, as administrators see them; removed people too if the filter includes them.
    pub async fn list_for_admin(&self, actor: &Actor, query: UserQuery) -> Result<Paged<Profile>, UserError> {
        permit(actor, Action::AdminListUsers, self.rules.self_service)?;
        self.page_of(&People::Everybody, query).await
    }

    async fn page_of(&self, people: &People, query: UserQuery) -> Result<Paged<Profile>, UserError> {
        let model = self.gallery.model();
        let mut filter = query.filter;
        filter.enrolled = query.enrolled.zip(model).map(|(wanted, model)| Enrolled {
            wanted,
            model,
            min_required: self.rules.min_faces,
        });
        let found = self.users.list(people, &filter, &query.sort, query.page).await?;
        let ids: Vec<UserId> = found.items.iter().map(|user| user.id).collect();
        let mut faces = self.gallery.summaries(&ids).await?.into_iter();
        Ok(found.map(|user| Profile { user, face: faces.next().unwrap_or_default() }))
    }

    /// One person's profile.
    pub async fn get(&self, actor: &Actor, id: UserId) -> Result<Profile, UserError> {
        let user = reach(&*self.users, actor, Action::ReadUser, self.rules.self_service, id).await?;
        self.profile(user).await
    }

    async fn profile(&self, user: User) -> Result<Profile, UserError> {
        let face = self.gallery.summaries(&[user.id]).await?.into_iter().next().unwrap_or_default();
        Ok(Profile { user, face })
    }

    /// Adds a person.
    #[tracing::instrument(name = "users.create", skip_all, fields(user.id))]
    pub async fn create(&self, actor: &Actor, new: NewUser) -> Result<Profile, UserError> {
        permit(actor, Action::CreateUser, self.rules.self_service)?;
        let department = self.department(new.department).await?;
        let about = [new.email.as_str(), new.name.as_str()];
        let hash = match new.password {
            None => None,
            Some(password) => Some(hash_new(&*self.passwords, &self.rules, password, &about).await?),
        };
        let id = UserId::new(self.ids.next());
        tracing::Span::current().record("user.id", tracing::field::display(id));
        let user = User {
            employee_code: new.employee_code,
            role: new.role,
            status: new.status,
            department,
            timezone: new.timezone.map(|zone| zone.name().to_owned()),
            join_date: new.join_date,
            default_shift: new.default_shift,
            ..blank_user(id, new.name, new.email, self.clock.now())
        };
        self.users.insert(&user, hash.as_ref()).await?;
        let user = User { revision: Revision::NEW.next(), ..user };
        Ok(Profile { user, face: FaceSummary::default() })
    }

    /// Adds the first administrator if there is nobody yet, with a password that is returned here and kept
    /// nowhere.
    pub async fn found(&self, email: EmailAddress, name: PersonName) -> Result<Option<Password>, UserError> {
        // Asked first because hashing a password takes longer than starting everything else.
        let anybody = UserFilter { include_deleted: true, ..UserFilter::default() };
        if self.users.list(&People::Everybody, &anybody, &[], Page::default()).await?.total > 0 {
            return Ok(None);
        }
        let secret = secret_text("admin", &self.ids.secret()[..12]);
        let password = Password::new(secret)?;
        let hash = self.passwords.hash(password.clone()).await?;
        let id = UserId::new(self.ids.next());
        let user = User { role: Role::Admin, ..blank_user(id, name, email, self.clock.now()) };
        Ok(self.users.insert_first(&user, &hash).await?.then_some(password))
    }

    /// Changes a profile; all of the change or nothing. With `if_match`, only if that is still the revision.
    #[tracing::instrument(name = "users.update", skip_all, fields(user.id = %id))]
    pub async fn update(
        &self,
        actor: &Actor,
        id: UserId,
        patch: UserPatch,
        if_match: Option<Revision>,
    ) -> Result<Profile, UserError> {
        let mut user = reach(&*self.users, actor, Action::UpdateUser, self.rules.self_service, id).await?;
        if actor.role() != Role::Admin {
            let forbidden = patch.administrative();
            if !forbidden.is_empty() {
                return Err(UserError::FieldForbidden(forbidden));
            }
        }
        if actor.is(id) && patch.status.is_some_and(|status| status != user.status) {
            return Err(UserError::Oneself);
        }
        let hash = self.new_password(actor, &user, &patch).await?;
        let logins = match (&hash, actor) {
            (Some(_), Actor::Person { session, .. }) if actor.is(id) => Logins::EndOthers(*session),
            (Some(_), _) => Logins::End,
            (None, _) => Logins::Keep,
        };
        let department = match patch.department {
            None => None,
            Some(id) => Some(self.department(id).await?),
        };
        for _ in 0..RETRIES {
            if if_match.is_some_and(|revision| revision != user.revision) {
                return Err(UserError::Outdated);
            }
            let changed = self.patched(&user, &patch, department.clone());
            let ends = changed.status != Status::Active && user.status == Status::Active;
            let logins = if ends { Logins::End } else { logins };
            let change = UserChange { user: &changed, password: hash.as_ref(), logins, destroy_faces: false };
            match self.users.save(change).await {
                Ok(()) => return self.saved(&user, changed).await,
                Err(StoreError::Stale) => {
                    user =
                        reach(&*self.users, actor, Action::UpdateUser, self.rules.self_service, id).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(UserError::Outdated)
    }

    /// Lets a person take part, or not. Their logins are over and nobody matches them before this returns.
    #[tracing::instrument(name = "users.set_status", skip_all, fields(user.id = %id, status = status.name()))]
    pub async fn set_status(&self, actor: &Actor, id: UserId, status: Status) -> Result<Profile, UserError> {
        permit(actor, Action::SetUserStatus, self.rules.self_service)?;
        for _ in 0..RETRIES {
            let user = reach(&*self.users, actor, Action::SetUserStatus, self.rules.self_service, id).await?;
            if user.status == status {
                return self.profile(user).await;
            }
            if actor.is(id) {
                return Err(UserError::Oneself);
            }
            let changed = User { status, updated_at: self.clock.now(), ..user.clone() };
            let logins = if status == Status::Active { Logins::Keep } else { Logins::End };
            let change = UserChange { user: &changed, password: None, logins, destroy_faces: false };
            match self.users.save(change).await {
                Ok(()) => return self.saved(&user, changed).await,
                Err(StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(UserError::Outdated)
    }

    /// Removes a person: their logins are over, their templates destroyed and out of the gallery before this
    /// returns. Their attendance stays.
    #[tracing::instrument(name = "users.deactivate", skip_all, fields(user.id = %id))]
    pub async fn deactivate(
        &self,
        actor: &Actor,
        id: UserId,
        if_match: Option<Revision>,
    ) -> Result<(), UserError> {
        permit(actor, Action::DeleteUser, self.rules.self_service)?;
        for _ in 0..RETRIES {
            let user = reach(&*self.users, actor, Action::DeleteUser, self.rules.self_service, id).await?;
            if actor.is(id) {
                return Err(UserError::Oneself);
            }
            if if_match.is_some_and(|revision| revision != user.revision) {
                return Err(UserError::Outdated);
            }
            let now = self.clock.now();
            let gone = User { status: Status::Deleted, deleted_at: Some(now), updated_at: now, ..user };
            let change = UserChange { user: &gone, password: None, logins: Logins::End, destroy_faces: true };
            match self.users.save(change).await {
                Ok(()) => return Ok(self.gallery.refresh(id).await?),
                Err(StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(UserError::Outdated)
    }

    async fn saved(&self, before: &User, after: User) -> Result<Profile, UserError> {
        if before.is_matchable() != after.is_matchable() {
            self.gallery.refresh(after.id).await?;
        }
        self.profile(User { revision: after.revision.next(), ..after }).await
    }

    async fn department(&self, id: Option<DepartmentId>) -> Result<Option<DepartmentRef>, UserError> {
        let Some(id) = id else { return Ok(None) };
        let found = self.departments.get(id).await?.ok_or(UserError::Unknown("department_id"))?;
        Ok(Some(DepartmentRef { id: found.id, name: found.name }))
    }

    async fn new_password(
        &self,
        actor: &Actor,
        user: &User,
        patch: &UserPatch,
    ) -> Result<Option<PasswordHash>, UserError> {
        let Some(new) = &patch.password else { return Ok(None) };
        if actor.is(user.id) {
            let current = patch.current_password.clone().ok_or(UserError::CurrentPassword)?;
            let stored = self.users.password(user.id).await?;
            if self.passwords.verify(current, stored).await? == Verified::No {
                return Err(UserError::CurrentPassword);
            }
        }
        let about = [user.email.as_str(), user.name.as_str()];
        Ok(Some(hash_new(&*self.passwords, &self.rules, new.clone(), &about).await?))
    }

    fn patched(&self, user: &User, patch: &UserPatch, department: Option<Option<DepartmentRef>>) -> User {
        let patch = patch.clone();
        let zone_name = |zone: Option<Zone>| zone.map(|zone| zone.name().to_owned());
        User {
            name: patch.name.unwrap_or_else(|| user.name.clone()),
            phone: patch.phone.unwrap_or_else(|| user.phone.clone()),
            address: patch.address.unwrap_or_else(|| user.address.clone()),
            avatar_url: patch.avatar_url.unwrap_or_else(|| user.avatar_url.clone()),
            locale: patch.locale.unwrap_or_else(|| user.locale.clone()),
            preferences: patch.preferences.unwrap_or_else(|| user.preferences.clone()),
            email: patch.email.unwrap_or_else(|| user.email.clone()),
            role: patch.role.unwrap_or(user.role),
            status: patch.status.unwrap_or(user.status),
            employee_code: patch.employee_code.unwrap_or_else(|| user.employee_code.clone()),
            department: department.unwrap_or_else(|| user.department.clone()),
            timezone: patch.timezone.map_or_else(|| user.timezone.clone(), zone_name),
            join_date: patch.join_date.unwrap_or(user.join_date),
            leave_date: patch.leave_date.unwrap_or(user.leave_date),
            default_shift: patch.default_shift.unwrap_or(user.default_shift),
            updated_at: self.clock.now(),
            ..user.clone()
        }
    }
}
