//! Erasing people: nothing that is left tells who they were.

use jiff::Timestamp;
use rollcall_domain::Revision;
use rollcall_domain::access::{Action, Actor, Denied, permit, permit_on};
use rollcall_domain::id::UserId;
use rollcall_domain::user::{FaceStatus, StatusChange};
use rollcall_ports::users::{Erased, Erasure};

use super::{UserError, Users};
use crate::retry::retry_stale;

/// Confirms that somebody was erased, and counts what was destroyed.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// The pseudonym under which attendance may have been kept.
    pub user: UserId,
    /// When.
    pub at: Timestamp,
    /// What was destroyed, and what is left, which is nothing.
    pub erased: Erased,
    /// Templates that were matched until then, and are no more.
    pub index_entries: u32,
}

impl Users {
    /// Erases a person for good: name, address and everything else that tells who they were, their templates, logins
    /// and searches; nobody matches them before this returns. Their attendance is kept under a pseudonym unless it is
    /// to go, too. Somebody who was removed can still be erased; somebody who was erased is nobody.
    ///
    /// # Errors
    /// [`UserError::Denied`] unless the actor is an administrator, and for somebody unknown or erased before;
    /// [`UserError::Oneself`]; [`UserError::Outdated`] if `if_match` is not their revision; [`UserError::LastAdmin`];
    /// or the store's.
    #[tracing::instrument(name = "users.erase", skip_all, fields(user.id = %id))]
    pub async fn erase(
        &self,
        actor: &Actor,
        id: UserId,
        reason: String,
        attendance: bool,
        if_match: Option<Revision>,
    ) -> Result<Receipt, UserError> {
        permit(actor, Action::DeleteUser, self.rules.self_service)?;
        retry_stale!({
            let user = self.users.get(id).await?.filter(|user| !user.is_erased()).ok_or(Denied::Hidden)?;
            permit_on(actor, Action::DeleteUser, self.rules.self_service, user.subject())?;
            if actor.is(id) {
                return Err(UserError::Oneself);
            }
            if if_match.is_some_and(|revision| revision != user.revision) {
                return Err(UserError::Outdated);
            }
            let now = self.clock.now();
            let face = self.gallery.summaries(&[id]).await?.into_iter().next().unwrap_or_default();
            let matched = user.face_status(&face, self.rules.min_faces) == FaceStatus::Enrolled;
            // Searches that wait to be stored would come after the others are gone.
            self.recognition_log.flush().await;
            let why = StatusChange { reason: Some(reason.clone()), by: actor.user(), at: now };
            let nobody = user.erased(why);
            let address = self.attempts.fingerprint(user.email.as_str());
            let erased = self.users.erase(Erasure { user: &nobody, address, attendance }).await?;
            self.gallery.refresh(id).await?;
            let index_entries = if matched { face.current } else { 0 };
            Ok(Receipt { user: id, at: now, erased, index_entries })
        })
    }
}
