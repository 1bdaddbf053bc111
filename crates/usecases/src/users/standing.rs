//! Whether people take part: letting them in, shutting them out, removing them.

use jiff::Timestamp;
use rollcall_domain::Revision;
use rollcall_domain::access::{Action, Actor, permit};
use rollcall_domain::id::UserId;
use rollcall_domain::user::{Status, StatusChange, User};
use rollcall_ports::users::{Logins, UserChange};

use super::{Profile, UserError, Users};
use crate::authorize::load_permitted;
use crate::retry::retry_stale;

impl Users {
    /// Lets a person take part, or not, and keeps why. Their logins are over and nobody matches them before this
    /// returns. A status that holds already is no change, and its reason stays.
    /// With `if_match`, only if that is still the revision.
    ///
    /// # Errors
    /// [`UserError::Denied`] unless the actor is an administrator, and for somebody unknown or removed;
    /// [`UserError::Outdated`] if `if_match` is not their revision; [`UserError::Oneself`]; [`UserError::LastAdmin`];
    /// or the store's.
    #[tracing::instrument(name = "users.set_status", skip_all, fields(user.id = %id, status = status.name()))]
    pub async fn set_status(
        &self,
        actor: &Actor,
        id: UserId,
        status: Status,
        reason: Option<String>,
        if_match: Option<Revision>,
    ) -> Result<Profile, UserError> {
        permit(actor, Action::SetUserStatus, self.rules.self_service)?;
        retry_stale!({
            let user =
                load_permitted(&*self.users, actor, Action::SetUserStatus, self.rules.self_service, id)
                    .await?;
            if if_match.is_some_and(|revision| revision != user.revision) {
                return Err(UserError::Outdated);
            }
            if user.status == status {
                return self.profile(user).await;
            }
            if actor.is(id) {
                return Err(UserError::Oneself);
            }
            let now = self.clock.now();
            let standing = changed_by(actor, reason.clone(), now);
            let changed = User { status, standing, updated_at: now, ..user.clone() };
            let logins = if status == Status::Active { Logins::Keep } else { Logins::End };
            let change = UserChange { user: &changed, password: None, logins, destroy_faces: false };
            self.users.save(change).await?;
            self.saved(&user, changed).await
        })
    }

    /// Removes a person: their logins are over, their templates destroyed and out of the gallery before this
    /// returns. Their attendance stays.
    ///
    /// # Errors
    /// [`UserError::Denied`] unless the actor is an administrator, and for somebody unknown or removed before;
    /// [`UserError::Oneself`]; [`UserError::Outdated`] if `if_match` is not their revision; [`UserError::LastAdmin`];
    /// or the store's.
    #[tracing::instrument(name = "users.deactivate", skip_all, fields(user.id = %id))]
    pub async fn deactivate(
        &self,
        actor: &Actor,
        id: UserId,
        if_match: Option<Revision>,
    ) -> Result<(), UserError> {
        permit(actor, Action::DeleteUser, self.rules.self_service)?;
        retry_stale!({
            let user =
                load_permitted(&*self.users, actor, Action::DeleteUser, self.rules.self_service, id).await?;
            if actor.is(id) {
                return Err(UserError::Oneself);
            }
            if if_match.is_some_and(|revision| revision != user.revision) {
                return Err(UserError::Outdated);
            }
            let now = self.clock.now();
            let standing = changed_by(actor, None, now);
            let gone =
                User { status: Status::Deleted, standing, deleted_at: Some(now), updated_at: now, ..user };
            let change = UserChange { user: &gone, password: None, logins: Logins::End, destroy_faces: true };
            self.users.save(change).await?;
            Ok(self.gallery.refresh(id).await?)
        })
    }
}

/// What is kept of a change of status.
pub(super) fn changed_by(actor: &Actor, reason: Option<String>, at: Timestamp) -> Option<StatusChange> {
    Some(StatusChange { reason, by: actor.user(), at })
}
