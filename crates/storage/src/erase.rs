//! Erasing a person: one transaction after which nothing stored tells who they were.

use rollcall_ports::users::{Erased, Erasure, Logins, UserChange};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter,
    QuerySelect, QueryTrait, Set,
};
use uuid::Uuid;

use crate::database::Database;
use crate::entity::{
    attendance_heads, attendance_records, audit_entries, corrections, face_encodings, invitations,
    job_chunks, jobs, leaves, login_attempts, overrides, overtime_approvals, placements, punches,
    recognition_log, refresh_tokens, sessions, shift_assignments, users,
};
use crate::error::Failure;
use crate::user_change::save;

pub(crate) async fn erase(
    connection: &DatabaseTransaction,
    erasure: &Erasure<'_>,
) -> Result<Erased, Failure> {
    let id = erasure.user.id.uuid();
    let encodings = encodings(id).count(connection).await?;
    let change = UserChange { user: erasure.user, password: None, logins: Logins::End, destroy_faces: true };
    save(connection, &change).await?;
    let nothing =
        users::ActiveModel { password_hash: Set(None), last_login_at: Set(None), ..Default::default() };
    users::Entity::update_many().set(nothing).filter(users::Column::Id.eq(id)).exec(connection).await?;

    let query = sessions::Entity::find()
        .select_only()
        .column(sessions::Column::Id)
        .filter(sessions::Column::UserId.eq(id))
        .into_query();
    refresh_tokens::Entity::delete_many()
        .filter(refresh_tokens::Column::SessionId.in_subquery(query))
        .exec(connection)
        .await?;
    let logins =
        sessions::Entity::delete_many().filter(sessions::Column::UserId.eq(id)).exec(connection).await?;
    login_attempts::Entity::delete_by_id(erasure.address.to_vec()).exec(connection).await?;

    // What they asked for and were shown; their jobs are not worked on any more, since they do not take part.
    let own = jobs::Entity::find()
        .select_only()
        .column(jobs::Column::Id)
        .filter(jobs::Column::OwnerId.eq(id))
        .into_tuple::<Uuid>()
        .all(connection)
        .await?;
    let bytes = job_chunks::Column::JobId.is_in(own);
    job_chunks::Entity::delete_many().filter(bytes).exec(connection).await?;
    jobs::Entity::delete_many().filter(jobs::Column::OwnerId.eq(id)).exec(connection).await?;

    let searches = recognition_log::Entity::delete_many()
        .filter(recognition_log::Column::UserId.eq(id))
        .exec(connection)
        .await?;
    recognition_log::Entity::update_many()
        .col_expr(recognition_log::Column::AskedBy, Expr::val(None::<Uuid>))
        .filter(recognition_log::Column::AskedBy.eq(id))
        .exec(connection)
        .await?;
    let punches = if erasure.attendance {
        destroy_attendance(connection, id).await?
    } else {
        silence_attendance(connection, id).await?;
        0
    };
    Ok(Erased {
        encodings,
        logins: logins.rows_affected,
        searches: searches.rows_affected,
        punches,
        remaining: remaining(connection, erasure).await?,
    })
}

fn encodings(user: Uuid) -> sea_orm::Select<face_encodings::Entity> {
    face_encodings::Entity::find().filter(face_encodings::Column::UserId.eq(user))
}

async fn destroy_attendance(connection: &DatabaseTransaction, user: Uuid) -> Result<u64, Failure> {
    let punches =
        punches::Entity::delete_many().filter(punches::Column::UserId.eq(user)).exec(connection).await?;
    let records = attendance_records::Column::UserId.eq(user);
    attendance_records::Entity::delete_many().filter(records).exec(connection).await?;
    let decided = overrides::Column::UserId.eq(user);
    overrides::Entity::delete_many().filter(decided).exec(connection).await?;
    let asked = corrections::Column::UserId.eq(user);
    corrections::Entity::delete_many().filter(asked).exec(connection).await?;
    let agreed = overtime_approvals::Column::UserId.eq(user);
    overtime_approvals::Entity::delete_many().filter(agreed).exec(connection).await?;
    let about = audit_entries::Column::SubjectId.eq(user);
    audit_entries::Entity::delete_many().filter(about).exec(connection).await?;
    leaves::Entity::delete_many().filter(leaves::Column::UserId.eq(user)).exec(connection).await?;
    let given = shift_assignments::Column::UserId.eq(user);
    shift_assignments::Entity::delete_many().filter(given).exec(connection).await?;
    let placed = placements::Column::UserId.eq(user);
    placements::Entity::delete_many().filter(placed).exec(connection).await?;
    let head = attendance_heads::Column::UserId.eq(user);
    attendance_heads::Entity::delete_many().filter(head).exec(connection).await?;
    Ok(punches.rows_affected)
}

/// Times stay; words and places, which could tell who it was, go.
async fn silence_attendance(connection: &DatabaseTransaction, user: Uuid) -> Result<(), Failure> {
    let silent = punches::ActiveModel {
        lat: Set(None),
        lng: Set(None),
        accuracy_m: Set(None),
        similarity: Set(None),
        note: Set(None),
        reason: Set(None),
        accept_reason: Set(None),
        void_reason: Set(None),
        ..Default::default()
    };
    punches::Entity::update_many()
        .set(silent)
        .filter(punches::Column::UserId.eq(user))
        .exec(connection)
        .await?;
    let silent = attendance_records::ActiveModel { similarity: Set(None), ..Default::default() };
    let records = attendance_records::Column::UserId.eq(user);
    attendance_records::Entity::update_many().set(silent).filter(records).exec(connection).await?;
    let silent = overrides::ActiveModel {
        note: Set(None),
        reason: Set(String::new()),
        revert_reason: Set(None),
        ..Default::default()
    };
    let decided = overrides::Column::UserId.eq(user);
    overrides::Entity::update_many().set(silent).filter(decided).exec(connection).await?;
    let silent = overtime_approvals::ActiveModel { reason: Set(String::new()), ..Default::default() };
    let agreed = overtime_approvals::Column::UserId.eq(user);
    overtime_approvals::Entity::update_many().set(silent).filter(agreed).exec(connection).await?;
    let silent =
        corrections::ActiveModel { reason: Set(String::new()), comment: Set(None), ..Default::default() };
    let asked = corrections::Column::UserId.eq(user);
    corrections::Entity::update_many().set(silent).filter(asked).exec(connection).await?;
    let silent = audit_entries::ActiveModel { reason: Set(None), ..Default::default() };
    let about = audit_entries::Column::SubjectId.eq(user);
    audit_entries::Entity::update_many().set(silent).filter(about).exec(connection).await?;
    let silent = leaves::ActiveModel { reason: Set(None), comment: Set(None), ..Default::default() };
    leaves::Entity::update_many()
        .set(silent)
        .filter(leaves::Column::UserId.eq(user))
        .exec(connection)
        .await?;
    Ok(())
}

/// Rows that would still tell of the person; none, or something is wrong with the above.
async fn remaining(connection: &impl ConnectionTrait, erasure: &Erasure<'_>) -> Result<u64, Failure> {
    let id = erasure.user.id.uuid();
    let searches = Condition::any()
        .add(recognition_log::Column::UserId.eq(id))
        .add(recognition_log::Column::AskedBy.eq(id));
    Ok(encodings(id).count(connection).await?
        + sessions::Entity::find().filter(sessions::Column::UserId.eq(id)).count(connection).await?
        + invitations::Entity::find().filter(invitations::Column::UserId.eq(id)).count(connection).await?
        + recognition_log::Entity::find().filter(searches).count(connection).await?
        + login_attempts::Entity::find_by_id(erasure.address.to_vec()).count(connection).await?)
}

/// What was erased is overwritten in SQLite's file, but its log of changes has older pages until it is emptied.
pub(crate) async fn forget_log(database: &Database) {
    if database.driver() == "sqlite"
        && let Err(error) = database.connection().execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await
    {
        tracing::warn!(%error, "the log of changes could not be emptied; it will be with the next checkpoint");
    }
}
