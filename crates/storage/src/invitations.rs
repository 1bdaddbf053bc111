//! Invitations to choose a password, each inside of one transaction.

use jiff::Timestamp;
use rollcall_domain::id::UserId;
use rollcall_domain::user::PasswordHash;
use rollcall_ports::users::Invitation;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect, Set,
};
use uuid::Uuid;

use crate::convert::micros;
use crate::entity::{invitations, users};
use crate::error::Failure;

pub(crate) async fn invite(
    connection: &DatabaseTransaction,
    user: UserId,
    invitation: &Invitation,
) -> Result<(), Failure> {
    let row = invitations::ActiveModel {
        fingerprint: Set(invitation.fingerprint.to_vec()),
        user_id: Set(user.uuid()),
        expires_at: Set(micros(invitation.expires_at)),
    };
    invitations::Entity::insert(row).exec_without_returning(connection).await?;
    Ok(())
}

pub(crate) async fn accept(
    connection: &DatabaseTransaction,
    fingerprint: &[u8; 32],
    now: Timestamp,
    password: &PasswordHash,
) -> Result<bool, Failure> {
    let Some(user) = invited(connection, fingerprint, now).await? else { return Ok(false) };
    // The person first, as in every change of them, so that two transactions cannot wait for each other.
    let hash =
        users::ActiveModel { password_hash: Set(Some(password.as_str().into())), ..Default::default() };
    let updated = users::Entity::update_many()
        .set(hash)
        .col_expr(users::Column::TokenVersion, Expr::col(users::Column::TokenVersion).add(1))
        .filter(users::Column::Id.eq(user))
        .filter(users::Column::Tombstone.eq(Uuid::nil()))
        .exec(connection)
        .await?;
    // Whoever else accepted it, or ended it, did so before the person's row was theirs to change.
    let deleted = invitations::Entity::delete_by_id(fingerprint.to_vec()).exec(connection).await?;
    match (updated.rows_affected, deleted.rows_affected) {
        (1, 1) => Ok(true),
        // Rolled back with everything that was done above.
        _ => Err(rollcall_ports::store::StoreError::Missing("invitation").into()),
    }
}

/// Whom an invitation is for, while it holds.
pub(crate) async fn invited(
    connection: &impl ConnectionTrait,
    fingerprint: &[u8; 32],
    now: Timestamp,
) -> Result<Option<Uuid>, sea_orm::DbErr> {
    invitations::Entity::find_by_id(fingerprint.to_vec())
        .select_only()
        .column(invitations::Column::UserId)
        .filter(invitations::Column::ExpiresAt.gt(micros(now)))
        .into_tuple()
        .one(connection)
        .await
}

/// Ends what could still be accepted: the person has a password by other means, or is no more.
pub(crate) async fn end(connection: &DatabaseTransaction, user: Uuid) -> Result<(), Failure> {
    invitations::Entity::delete_many().filter(invitations::Column::UserId.eq(user)).exec(connection).await?;
    Ok(())
}
