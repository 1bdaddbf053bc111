//! Finding the person an action is about, and whether the actor may act on them: the first lines of most
//! use-cases.

use std::collections::HashMap;

use rollcall_domain::access::{
    Action, Actor, Denied, Role, Scope, SelfService, permit, permit_on, permit_to_judge, scope,
};
use rollcall_domain::id::DepartmentId;
use rollcall_domain::id::UserId;
use rollcall_domain::user::{Status, User, UserScope};
use rollcall_ports::store::StoreError;
use rollcall_ports::users::UserStore;

/// Why a person could not be acted on.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// Not allowed, or not to be seen.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The person `id`, if the actor may carry out `action` on them. Somebody who does not exist, was removed, or
/// may not be seen is [`Denied::Hidden`] all the same.
pub(crate) async fn load_permitted(
    users: &dyn UserStore,
    actor: &Actor,
    action: Action,
    own: SelfService,
    id: UserId,
) -> Result<User, AccessError> {
    permit(actor, action, own)?;
    let user = users.get(id).await?.filter(|user| user.status != Status::Deleted).ok_or(Denied::Hidden)?;
    permit_on(actor, action, own, user.subject())?;
    Ok(user)
}

/// The same of each of several people, a query for some hundred. Nobody may do anything about nobody; whether the action
/// is for the role at all is for the caller to ask.
pub(crate) async fn load_permitted_many(
    users: &dyn UserStore,
    actor: &Actor,
    action: Action,
    own: SelfService,
    ids: &[UserId],
) -> Result<HashMap<UserId, Result<User, Denied>>, StoreError> {
    let mut each: HashMap<_, _> = ids.iter().map(|id| (*id, Err(Denied::Hidden))).collect();
    for user in users.get_many(ids).await?.into_iter().filter(|user| user.status != Status::Deleted) {
        each.insert(user.id, permit_on(actor, action, own, user.subject()).map(|()| user));
    }
    Ok(each)
}

/// The person, if the actor may judge what they did: nobody judges themself but an administrator.
pub(crate) async fn load_permitted_to_judge(
    users: &dyn UserStore,
    actor: &Actor,
    action: Action,
    own: SelfService,
    id: UserId,
) -> Result<User, AccessError> {
    let user = load_permitted(users, actor, action, own, id).await?;
    permit_to_judge(actor, action, own, user.subject())?;
    Ok(user)
}

/// The people on whom the actor may carry out `action`.
pub(crate) fn visible_scope(actor: &Actor, action: Action, own: SelfService) -> Result<UserScope, Denied> {
    match (scope(actor, action, own), actor) {
        (Scope::Everybody, _) => Ok(UserScope::Everybody),
        (Scope::Departments, Actor::Person { id, role: Role::Manager, manages, .. }) => {
            Ok(UserScope::Departments(manages.clone(), *id))
        }
        (Scope::Own | Scope::Departments, Actor::Person { id, .. }) => Ok(UserScope::One(*id)),
        _ => Err(Denied::Forbidden),
    }
}

/// The people asked for among those the actor may see. A department out of sight is like one that does not
/// exist.
pub(crate) fn restrict_to_department(
    people: UserScope,
    actor: &Actor,
    department: Option<DepartmentId>,
) -> Result<UserScope, Denied> {
    let Some(department) = department else { return Ok(people) };
    // The organization's administrators are in nobody's department: the second entry then names no member.
    let besides = |id: UserId| UserScope::Departments(vec![department], id);
    match people {
        UserScope::Everybody => Ok(besides(UserId::new(uuid::Uuid::nil()))),
        UserScope::Departments(own, _) if own.contains(&department) => {
            Ok(besides(UserId::new(uuid::Uuid::nil())))
        }
        UserScope::Departments(..) => Err(Denied::Hidden),
        UserScope::One(_) if actor.user().is_some() => Err(Denied::Forbidden),
        UserScope::One(_) => Err(Denied::Hidden),
    }
}
