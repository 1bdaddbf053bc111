//! People: seeing, adding, changing and removing them.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use rollcall_domain::Revision;
use rollcall_domain::access::{Action, Actor, Role, permit};
use rollcall_domain::calendar::{Bounds, Zone};
use rollcall_domain::department::DepartmentRef;
use rollcall_domain::id::{DepartmentId, ShiftId, UserId};
use rollcall_domain::page::{Page, Paged};
use rollcall_domain::policy::after;
use rollcall_domain::user::{
    EmailAddress, EmployeeCode, Enrolled, FaceSummary, Password, PersonName, Status, User, UserFilter,
    UserScope, UserSort,
};
use rollcall_ports::Ports;
use rollcall_ports::clock::Clock;
use rollcall_ports::departments::DepartmentStore;
use rollcall_ports::ids::IdSource;
use rollcall_ports::passwords::Passwords;
use rollcall_ports::recognition_log::RecognitionLog;
use rollcall_ports::sessions::SessionStore;
use rollcall_ports::shifts::ShiftStore;
use rollcall_ports::tokens::AccessTokens;
use rollcall_ports::users::{Invitation, UserStore};

use crate::attempts::Attempts;
use crate::authorize::{load_permitted, visible_scope};
use crate::faces::GalleryFeed;
use crate::passwords::{hash_new, made_up, secret_text};
use crate::planning::out_of;
use crate::rules::Rules;
use crate::shifts::can_be_given;
use crate::timesheet::Timesheets;

mod change;
mod erasure;
mod error;
mod standing;

pub use change::{PreferencesPatch, UserPatch};
pub use erasure::Receipt;
pub use error::UserError;

/// Adds, changes and removes people.
#[derive(Clone)]
pub struct Users {
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    passwords: Arc<dyn Passwords>,
    tokens: Arc<dyn AccessTokens>,
    users: Arc<dyn UserStore>,
    departments: Arc<dyn DepartmentStore>,
    shifts: Arc<dyn ShiftStore>,
    sessions: Arc<dyn SessionStore>,
    recognition_log: Arc<dyn RecognitionLog>,
    attempts: Attempts,
    timesheets: Timesheets,
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

/// A person as administrators see them.
#[derive(Debug, Clone)]
pub struct Account {
    /// The person and their face.
    pub profile: Profile,
    /// Failed logins with their address since the last success, as far as they are still held against it.
    pub failed_logins: u32,
    /// Until when no password of theirs is looked at, if that is still to come.
    pub locked_until: Option<Timestamp>,
    /// Logins that have not ended.
    pub sessions: u32,
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
    /// A password; without one they cannot log in, see [`Users::invite`].
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

/// The first administrator of an installation, perhaps.
#[derive(Debug, Clone)]
pub struct FirstAdmin {
    user: User,
    /// What they log in with; kept nowhere.
    pub password: Password,
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

impl Users {
    pub(crate) fn new(
        ports: &Ports,
        timesheets: Timesheets,
        gallery: GalleryFeed,
        rules: Arc<Rules>,
    ) -> Self {
        Self {
            clock: ports.clock.clone(),
            ids: ports.ids.clone(),
            passwords: ports.passwords.clone(),
            tokens: ports.tokens.clone(),
            users: ports.users.clone(),
            departments: ports.departments.clone(),
            shifts: ports.shifts.clone(),
            sessions: ports.sessions.clone(),
            recognition_log: ports.recognition_log.clone(),
            attempts: Attempts::new(ports, rules.clone()),
            timesheets,
            gallery,
            rules,
        }
    }

    /// The people the actor may see. Who may only see themself may not filter.
    ///
    /// # Errors
    /// [`UserError::Denied`] for devices; [`UserError::FilterForbidden`]; [`UserError::Engine`] if the query tells
    /// enrolled people from others and no model is in use; or the store's.
    pub async fn list(&self, actor: &Actor, query: UserQuery) -> Result<Paged<Profile>, UserError> {
        let people = visible_scope(actor, Action::ListUsers, self.rules.self_service)?;
        let filters =
            query.enrolled.is_some() || query.filter != UserFilter::default() || !query.sort.is_empty();
        if matches!(people, UserScope::One(_)) && filters {
            return Err(UserError::FilterForbidden);
        }
        self.page_of(&people, query).await
    }

    /// Who has exactly this employee code, whatever its case; nobody who was removed. For administrators.
    ///
    /// # Errors
    /// [`UserError::Denied`] unless the actor is an administrator; or the store's.
    pub async fn of_code(&self, actor: &Actor, code: &EmployeeCode) -> Result<Option<UserId>, UserError> {
        permit(actor, Action::AdminListUsers, self.rules.self_service)?;
        Ok(self.users.ids_by_code(&[code.canonical()]).await?.pop().flatten())
    }

    /// Everybody, as administrators see them; removed people too if the filter includes them.
    ///
    /// # Errors
    /// [`UserError::Denied`] unless the actor is an administrator; [`UserError::Engine`] as for [`Self::list`]; or the
    /// store's.
    pub async fn list_for_admin(&self, actor: &Actor, query: UserQuery) -> Result<Paged<Account>, UserError> {
        permit(actor, Action::AdminListUsers, self.rules.self_service)?;
        let found = self.page_of(&UserScope::Everybody, query).await?;
        let now = self.clock.now();
        let people = || found.items.iter().map(|profile| &profile.user);
        let ids: Vec<_> = people().map(|user| user.id).collect();
        let addresses: Vec<_> = people().map(|user| self.attempts.fingerprint(user.email.as_str())).collect();
        let mut sessions = self.sessions.alive(&ids, now).await?.into_iter();
        let mut held = self.attempts.held(&addresses, now).await?.into_iter();
        Ok(found.map(|profile| {
            let held = held.next().flatten();
            Account {
                profile,
                failed_logins: held.map_or(0, |held| held.count),
                locked_until: held.and_then(|held| held.locked(now)),
                sessions: sessions.next().unwrap_or_default(),
            }
        }))
    }

    async fn page_of(&self, people: &UserScope, query: UserQuery) -> Result<Paged<Profile>, UserError> {
        let mut filter = query.filter;
        if let Some(wanted) = query.enrolled {
            // Without an engine nobody can say under which model; an answer that ignored the filter would be wrong.
            let model = self.gallery.model_in_use()?;
            filter.enrolled = Some(Enrolled { wanted, model, min_required: self.rules.min_faces });
        }
        let found = self.users.list(people, &filter, &query.sort, query.page).await?;
        let ids: Vec<UserId> = found.items.iter().map(|user| user.id).collect();
        let mut faces = self.gallery.summaries(&ids).await?.into_iter();
        Ok(found.map(|user| Profile { user, face: faces.next().unwrap_or_default() }))
    }

    /// Reads a person's profile, and counts what is stored of their face.
    ///
    /// # Errors
    /// [`UserError::Denied`] if there is no such person or the actor may not see them; or the store's.
    pub async fn get(&self, actor: &Actor, id: UserId) -> Result<Profile, UserError> {
        let user = load_permitted(&*self.users, actor, Action::ReadUser, self.rules.self_service, id).await?;
        self.profile(user).await
    }

    async fn profile(&self, user: User) -> Result<Profile, UserError> {
        let face = self.gallery.summaries(&[user.id]).await?.into_iter().next().unwrap_or_default();
        Ok(Profile { user, face })
    }

    /// Adds a person, who can log in if a password is given.
    ///
    /// # Errors
    /// [`UserError::Denied`] unless the actor is an administrator; [`UserError::Weak`] or [`UserError::Password`] for
    /// the password; [`UserError::Unknown`] for a department or shift that is absent or retired; [`UserError::Invalid`]
    /// for a date that cannot be; [`UserError::EmailTaken`]; [`UserError::EmployeeCodeTaken`]; or the store's.
    #[tracing::instrument(name = "users.create", skip_all, fields(user.id))]
    pub async fn create(&self, actor: &Actor, new: NewUser) -> Result<Profile, UserError> {
        permit(actor, Action::CreateUser, self.rules.self_service)?;
        let about = [new.email.as_str(), new.name.as_str()];
        let hash = match new.password.clone() {
            None => None,
            Some(password) => Some(hash_new(&*self.passwords, &self.rules, password, &about).await?),
        };
        let user = self.person(new).await?;
        self.users.insert(&user, hash.as_ref()).await?;
        self.timesheets.catch_up_on(user.id).await;
        Ok(added(user))
    }

    /// Adds a person who chooses their password themself. The token of the invitation is returned here and kept
    /// nowhere.
    ///
    /// # Errors
    /// As for [`Self::create`], but for the password, of which there is none.
    #[tracing::instrument(name = "users.invite", skip_all, fields(user.id))]
    pub async fn invite(&self, actor: &Actor, new: NewUser) -> Result<(Profile, String), UserError> {
        permit(actor, Action::CreateUser, self.rules.self_service)?;
        let user = self.person(new).await?;
        let token = secret_text("rci", &self.ids.secret());
        let expires_at = after(self.clock.now(), self.rules.invitation_ttl);
        let invitation = Invitation { fingerprint: self.tokens.fingerprint(&token), expires_at };
        self.users.insert_invited(&user, &invitation).await?;
        self.timesheets.catch_up_on(user.id).await;
        Ok((added(user), token))
    }

    async fn person(&self, new: NewUser) -> Result<User, UserError> {
        let department = self.department(new.department).await?;
        self.check_shift(new.default_shift).await?;
        self.check_career([("join_date", new.join_date)])?;
        let id = UserId::new(self.ids.next());
        tracing::Span::current().record("user.id", tracing::field::display(id));
        Ok(User {
            employee_code: new.employee_code,
            role: new.role,
            status: new.status,
            department,
            timezone: new.timezone.map(|zone| zone.name().to_owned()),
            join_date: new.join_date,
            default_shift: new.default_shift,
            ..User::new(id, new.name, new.email, self.clock.now())
        })
    }

    /// Somebody who could be the first administrator, with a password that nobody knows yet.
    ///
    /// # Errors
    /// [`UserError::Weak`] if the password made up is none, which does not happen.
    pub fn first_admin(&self, email: EmailAddress, name: PersonName) -> Result<FirstAdmin, UserError> {
        let user = User::new(UserId::new(self.ids.next()), name, email, self.clock.now());
        Ok(FirstAdmin { user: User { role: Role::Admin, ..user }, password: self.made_up_password()? })
    }

    /// Adds the first administrator if there is nobody yet; tells whether it is them, also when an earlier call added
    /// them and its answer was lost.
    ///
    /// # Errors
    /// [`UserError::Password`] if the password cannot be hashed; or the store's.
    pub async fn found(&self, first_admin: &FirstAdmin) -> Result<bool, UserError> {
        // Asked first because hashing a password takes longer than starting everything else.
        let anybody = UserFilter { include_deleted: true, ..UserFilter::default() };
        if self.users.list(&UserScope::Everybody, &anybody, &[], Page::default()).await?.total > 0 {
            return Ok(self.users.get(first_admin.user.id).await?.is_some());
        }
        let hash = self.passwords.hash(first_admin.password.clone()).await?;
        Ok(self.users.insert_first(&first_admin.user, &hash).await?)
    }

    /// A password that nobody knows yet, for whoever shows it to somebody once.
    ///
    /// # Errors
    /// As for [`Self::first_admin`].
    pub fn made_up_password(&self) -> Result<Password, UserError> {
        Ok(made_up(&*self.ids)?)
    }

    async fn saved(&self, before: &User, after: User) -> Result<Profile, UserError> {
        if before.is_matchable() != after.is_matchable() {
            self.gallery.refresh(after.id).await?;
        }
        if before.terms() != after.terms() {
            self.timesheets.catch_up_on(after.id).await;
        }
        self.profile(User { revision: after.revision.next(), ..after }).await
    }

    /// Refuses dates on which nobody who works now can have joined or will leave; what is not said is not asked.
    fn check_career<const N: usize>(
        &self,
        dates: [(&'static str, Option<Date>); N],
    ) -> Result<(), UserError> {
        let today = self.rules.zone.local(self.clock.now()).date();
        let wrong = out_of(Bounds::of_careers(today), &dates);
        if wrong.is_empty() { Ok(()) } else { Err(UserError::Invalid(wrong)) }
    }

    async fn check_shift(&self, id: Option<ShiftId>) -> Result<(), UserError> {
        let known = can_be_given(&*self.shifts, id).await?;
        if known { Ok(()) } else { Err(UserError::Unknown("default_shift_id")) }
    }

    async fn department(&self, id: Option<DepartmentId>) -> Result<Option<DepartmentRef>, UserError> {
        let Some(id) = id else { return Ok(None) };
        let found = self.departments.get(id).await?.ok_or(UserError::Unknown("department_id"))?;
        Ok(Some(found.reference()))
    }
}

/// A person as they were just stored.
fn added(user: User) -> Profile {
    Profile { user: User { revision: Revision::NEW.next(), ..user }, face: FaceSummary::default() }
}
