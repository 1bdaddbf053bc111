//! Changes of people and what they imply, each inside of one transaction.

use rollcall_domain::access::Role;
use rollcall_domain::calendar::DateRange;
use rollcall_domain::id::{DepartmentId, ShiftId};
use rollcall_domain::schedule::Employment;
use rollcall_domain::user::{PasswordHash, Status, Terms, User};
use rollcall_ports::store::StoreError;
use rollcall_ports::users::{Logins, UserChange};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    QuerySelect, Set,
};
use uuid::Uuid;

use crate::convert::{date_or_none, micros};
use crate::entity::{departments, face_encodings, sessions, shifts, user_settings, users};
use crate::error::{Failure, name_missing};
use crate::invitations;
use crate::plan_change::{mark_stale, owned_by};
use crate::sequences::{lock_admins, next_face_change};
use crate::user_row::{columns, consent, new_row, settings_row};

pub(crate) async fn insert(
    connection: &DatabaseTransaction,
    user: &User,
    password: Option<&PasswordHash>,
) -> Result<(), Failure> {
    let inserted = users::Entity::insert(new_row(user, password)).exec_without_returning(connection).await;
    if let Err(error) = inserted {
        return Err(name_dangling(connection, user, error).await?);
    }
    user_settings::Entity::insert(settings_row(user)).exec_without_returning(connection).await?;
    Ok(())
}

pub(crate) async fn insert_first(
    connection: &DatabaseTransaction,
    user: &User,
    password: &PasswordHash,
) -> Result<bool, Failure> {
    lock_admins(connection).await?;
    let anybody: Option<Uuid> =
        users::Entity::find().select_only().column(users::Column::Id).into_tuple().one(connection).await?;
    if anybody.is_some() {
        return Ok(false);
    }
    insert(connection, user, Some(password)).await?;
    Ok(true)
}

pub(crate) async fn save(connection: &DatabaseTransaction, change: &UserChange<'_>) -> Result<(), Failure> {
    let user = change.user;
    let stored = users::Entity::find_by_id(user.id.uuid()).one(connection).await?;
    let stored = stored.filter(|row| i64::from(row.revision) == i64::from(user.revision.0));
    let stored = stored.ok_or(StoreError::Stale)?;

    // Counters are locked before the row, always in this order, so that two changes cannot wait for each other.
    let demotes = is_active_admin(&stored.role, &stored.status)
        && !is_active_admin(user.role.name(), user.status.name());
    if demotes {
        lock_admins(connection).await?;
    }
    let today = DateRange::today_anywhere(user.updated_at).from();
    // Before the row as well: whoever adds a fact locks the head of its person first, then the person it refers to.
    if let Some(from) = terms(&stored)?.first_difference(&user.terms(), today) {
        mark_stale(connection, owned_by(user.id), from).await?;
    }
    let mut row = users::ActiveModel { revision: Set(stored.revision + 1), ..columns(user) };
    if change.destroy_faces || stored.status != user.status.name() || consent(&stored)? != user.consent {
        row.face_change = Set(next_face_change(connection).await?);
    }
    if let Some(hash) = change.password {
        row.password_hash = Set(Some(hash.as_str().into()));
    }
    let renewed =
        change.password.is_some() || change.logins != Logins::Keep || stored.status != user.status.name();
    // What was read above is what is replaced: the revision says that nothing happened in between.
    // The token version is not part of that: logging out everywhere raises it, too.
    let version = Expr::col(users::Column::TokenVersion).add(i32::from(renewed));
    let updated = users::Entity::update_many()
        .set(row)
        .col_expr(users::Column::TokenVersion, version)
        .filter(users::Column::Id.eq(user.id.uuid()))
        .filter(users::Column::Revision.eq(stored.revision))
        .exec(connection)
        .await;
    match updated {
        Ok(done) if done.rows_affected == 0 => return Err(StoreError::Stale.into()),
        Ok(_) => {}
        Err(error) => return Err(name_dangling(connection, user, error).await?),
    }
    settings_row(user).update(connection).await?;

    end_logins(connection, user, change.logins).await?;
    if change.password.is_some() || user.status == Status::Deleted {
        invitations::end(connection, user.id.uuid()).await?;
    }
    if change.destroy_faces {
        let filter = face_encodings::Column::UserId.eq(user.id.uuid());
        face_encodings::Entity::delete_many().filter(filter).exec(connection).await?;
    }
    if user.status == Status::Deleted {
        departments::Entity::update_many()
            .col_expr(departments::Column::ManagerId, Expr::val(None::<Uuid>))
            .filter(departments::Column::ManagerId.eq(user.id.uuid()))
            .exec(connection)
            .await?;
    }
    if demotes && !has_admin(connection).await? {
        return Err(StoreError::LastAdmin.into());
    }
    Ok(())
}

/// What of a stored profile decides about the person's records.
fn terms(row: &users::Model) -> Result<Terms, StoreError> {
    Ok(Terms {
        department: row.department_id.map(DepartmentId::new),
        timezone: row.timezone.clone(),
        shift: row.default_shift_id.map(ShiftId::new),
        active: row.status == Status::Active.name(),
        employment: Employment {
            from: date_or_none("users.join_date", row.join_date.as_deref())?,
            to: date_or_none("users.leave_date", row.leave_date.as_deref())?,
        },
    })
}

async fn end_logins(connection: &DatabaseTransaction, user: &User, logins: Logins) -> Result<(), Failure> {
    let kept = match logins {
        Logins::Keep => return Ok(()),
        Logins::End => None,
        Logins::EndOthers(session) => Some(session),
    };
    let mut filter = Condition::all()
        .add(sessions::Column::UserId.eq(user.id.uuid()))
        .add(sessions::Column::EndedAt.is_null());
    if let Some(session) = kept {
        filter = filter.add(sessions::Column::Id.ne(session.uuid()));
    }
    sessions::Entity::update_many()
        .col_expr(sessions::Column::EndedAt, Expr::val(micros(user.updated_at)))
        .filter(filter)
        .exec(connection)
        .await?;
    Ok(())
}

async fn has_admin(connection: &impl ConnectionTrait) -> Result<bool, Failure> {
    let admins = users::Entity::find()
        .select_only()
        .column(users::Column::Id)
        .filter(users::Column::Role.eq(Role::Admin.name()))
        .filter(users::Column::Status.eq(Status::Active.name()));
    let one: Option<Uuid> = admins.into_tuple().one(connection).await?;
    Ok(one.is_some())
}

fn is_active_admin(role: &str, status: &str) -> bool {
    role == Role::Admin.name() && status == Status::Active.name()
}

async fn name_dangling(
    connection: &DatabaseTransaction,
    user: &User,
    error: sea_orm::DbErr,
) -> Result<Failure, Failure> {
    Ok(Failure::Database(name_missing!(connection, error, [
        "department_id": departments::Entity = user.department.as_ref().map(|department| department.id.uuid()),
        "default_shift_id": shifts::Entity = user.default_shift.map(ShiftId::uuid),
    ])))
}
