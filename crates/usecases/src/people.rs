//! Finding the person an action is about, and whether the actor may act on them: the first lines of most
//! use-cases.

use rollcall_domain::access::{Action, Actor, Denied, Role, Scope, SelfService, permit_on, scope};
use rollcall_domain::id::UserId;
use rollcall_domain::user::{People, Status, User};
use rollcall_ports::store::StoreError;
use rollcall_ports::users::UserStore;

/// Why a person could not be acted on.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    /// Not allowed, or not to be seen.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The person `id`, if the actor may carry out `action` on them. Somebody who does not exist, was removed, or
/// may not be seen is [`Denied::Hidden`] all the same.
pub(crate) async fn reach(
    users: &dyn UserStore,
    actor: &Actor,
    action: Action,
    own: SelfService,
    id: UserId,
) -> Result<User, Unreachable> {
    rollcall_domain::access::permit(actor, action, own)?;
    let user = users.get(id).await?.filter(|user| user.status != Status::Deleted).ok_or(Denied::Hidden)?;
    permit_on(actor, action, own, user.subject())?;
    Ok(user)
}

/// The people on whom the actor may carry out `action`.
pub(crate) fn reachable(actor: &Actor, action: Action, own: SelfService) -> Result<People, Denied> {
    match (scope(actor, action, own), actor) {
        (Scope::Everybody, _) => Ok(People::Everybody),
        (Scope::Departments, Actor::Person { id, role: Role::Manager, manages, .. }) => {
            Ok(People::Departments(manages.clone(), *id))
        }
        (Scope::Own | Scope::Departments, Actor::Person { id, .. }) => Ok(People::One(*id)),
        _ => Err(Denied::Forbidden),
    }
}
