//! Changing a profile, all of the change or nothing of it.

use jiff::civil::Date;
use rollcall_domain::Revision;
use rollcall_domain::access::{Action, Actor, Role};
use rollcall_domain::calendar::Zone;
use rollcall_domain::department::DepartmentRef;
use rollcall_domain::id::{DepartmentId, ShiftId, UserId};
use rollcall_domain::preferences::{Preferences, Theme};
use rollcall_domain::user::{EmailAddress, EmployeeCode, Password, PasswordHash, PersonName, Status, User};
use rollcall_ports::passwords::Verified;
use rollcall_ports::store::StoreError;
use rollcall_ports::users::{Logins, UserChange};

use super::standing::changed_by;
use super::{Profile, UserError, Users};
use crate::authorize::load_permitted;
use crate::passwords::hash_new;
use crate::planning::Wrong;
use crate::retry::retry_stale;

/// A change of a profile: absent fields stay, `Some(None)` clears. It says what is to be different, not what the
/// result is, so that two changes of different fields at the same time both hold.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "each field is the one of that name of `User`")]
pub struct UserPatch {
    pub name: Option<PersonName>,
    pub phone: Option<Option<String>>,
    pub address: Option<Option<String>>,
    pub avatar_url: Option<Option<String>>,
    pub locale: Option<Option<String>>,
    pub preferences: PreferencesPatch,
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

/// A change of preferences: absent ones stay.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "each field is the one of that name of `Preferences`")]
pub struct PreferencesPatch {
    pub theme: Option<Theme>,
    pub notifications: Option<bool>,
    pub language: Option<String>,
}

impl PreferencesPatch {
    fn applied_to(self, before: &Preferences) -> Preferences {
        Preferences {
            theme: self.theme.unwrap_or(before.theme),
            notifications: self.notifications.unwrap_or(before.notifications),
            language: self.language.unwrap_or_else(|| before.language.clone()),
        }
    }
}

impl Users {
    /// Changes a profile; all of the change or nothing. With `if_match`, only if that is still the revision.
    ///
    /// # Errors
    /// [`UserError::Denied`], [`UserError::FieldForbidden`] or [`UserError::Oneself`] for who asks;
    /// [`UserError::CurrentPassword`], [`UserError::Locked`], [`UserError::Weak`] or [`UserError::Password`] for passwords;
    /// [`UserError::Unknown`], [`UserError::Invalid`], [`UserError::EmailTaken`] or [`UserError::EmployeeCodeTaken`];
    /// [`UserError::Outdated`]; [`UserError::LastAdmin`]; or the store's, [`StoreError::PeriodClosed`] for dates of employment.
    #[tracing::instrument(name = "users.update", skip_all, fields(user.id = %id))]
    pub async fn update(
        &self,
        actor: &Actor,
        id: UserId,
        patch: UserPatch,
        if_match: Option<Revision>,
    ) -> Result<Profile, UserError> {
        let load = || load_permitted(&*self.users, actor, Action::UpdateUser, self.rules.self_service, id);
        let user = load().await?;
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
        self.check_shift(patch.default_shift.flatten()).await?;
        let (joined, left) = (patch.join_date.flatten(), patch.leave_date.flatten());
        self.check_career([("join_date", joined), ("leave_date", left)])?;
        let mut read = Some(user);
        let (before, changed) = retry_stale!({
            let user = match read.take() {
                Some(user) => user,
                None => load().await?,
            };
            if if_match.is_some_and(|revision| revision != user.revision) {
                return Err(UserError::Outdated);
            }
            let changed = self.patched(actor, &user, &patch, department.clone());
            // Saying once more what holds already is no change, and nobody's version grows by it.
            if hash.is_none() && (User { updated_at: user.updated_at, ..changed.clone() }) == user {
                return Ok::<_, UserError>((user, None));
            }
            self.check_employment(&user, &changed).await?;
            let ends = changed.status != Status::Active && user.status == Status::Active;
            let logins = if ends { Logins::End } else { logins };
            let change = UserChange { user: &changed, password: hash.as_ref(), logins, destroy_faces: false };
            self.users.save(change).await?;
            Ok((user, Some(changed)))
        })?;
        match changed {
            None => self.profile(before).await,
            Some(changed) => self.saved(&before, changed).await,
        }
    }

    /// Refuses other dates of joining and leaving if these say something else of a date that is closed.
    async fn check_employment(&self, before: &User, after: &User) -> Result<(), UserError> {
        let (joined, left) = ((before.join_date, after.join_date), (before.leave_date, after.leave_date));
        let reversed = after.join_date.zip(after.leave_date).is_some_and(|(joined, left)| left < joined);
        if reversed && (joined.0 != joined.1 || left.0 != left.1) {
            return Err(UserError::Invalid(vec![Wrong::new("leave_date", "must not lie before join_date")]));
        }
        let added = Zone::UTC.local(before.created_at).date();
        let first = |(one, other): (Option<Date>, Option<Date>), unset: Date| {
            (one != other).then(|| one.unwrap_or(unset).min(other.unwrap_or(unset)))
        };
        let gone = first(left, Date::MAX).map(|last| last.tomorrow().unwrap_or(last));
        let Some(from) = first(joined, added).into_iter().chain(gone).min() else { return Ok(()) };
        match self.timesheets.closed_through(before.id).await? {
            Some(through) if from <= through => Err(StoreError::PeriodClosed(through).into()),
            _ => Ok(()),
        }
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
            // A stolen token must not be a way to try passwords faster than at the login.
            let attempt = self.attempts.begin(user.email.as_str()).await?;
            let stored = self.users.password(user.id).await?;
            match self.passwords.verify(current, stored).await {
                Ok(Verified::Yes | Verified::Outdated) => attempt.forgive().await?,
                Ok(Verified::No) => return Err(UserError::CurrentPassword),
                Err(error) => {
                    attempt.take_back().await;
                    return Err(error.into());
                }
            }
        }
        let about = [user.email.as_str(), user.name.as_str()];
        Ok(Some(hash_new(&*self.passwords, &self.rules, new.clone(), &about).await?))
    }

    fn patched(
        &self,
        actor: &Actor,
        user: &User,
        patch: &UserPatch,
        department: Option<Option<DepartmentRef>>,
    ) -> User {
        let patch = patch.clone();
        let now = self.clock.now();
        let status = patch.status.unwrap_or(user.status);
        let zone_name = |zone: Option<Zone>| zone.map(|zone| zone.name().to_owned());
        User {
            name: patch.name.unwrap_or_else(|| user.name.clone()),
            phone: patch.phone.unwrap_or_else(|| user.phone.clone()),
            address: patch.address.unwrap_or_else(|| user.address.clone()),
            avatar_url: patch.avatar_url.unwrap_or_else(|| user.avatar_url.clone()),
            locale: patch.locale.unwrap_or_else(|| user.locale.clone()),
            preferences: patch.preferences.applied_to(&user.preferences),
            email: patch.email.unwrap_or_else(|| user.email.clone()),
            role: patch.role.unwrap_or(user.role),
            status,
            standing: if status == user.status {
                user.standing.clone()
            } else {
                changed_by(actor, None, now)
            },
            employee_code: patch.employee_code.unwrap_or_else(|| user.employee_code.clone()),
            department: department.unwrap_or_else(|| user.department.clone()),
            timezone: patch.timezone.map_or_else(|| user.timezone.clone(), zone_name),
            join_date: patch.join_date.unwrap_or(user.join_date),
            leave_date: patch.leave_date.unwrap_or(user.leave_date),
            default_shift: patch.default_shift.unwrap_or(user.default_shift),
            updated_at: now,
            ..user.clone()
        }
    }
}
