//! What a database's errors mean in the words of the ports.

use rollcall_ports::store::StoreError;
use sea_orm::sqlx::error::DatabaseError;
use sea_orm::sqlx::mysql::MySqlDatabaseError;
use sea_orm::{ColumnTrait, Iterable, PrimaryKeyToColumn};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect, RuntimeErr, SqlErr, sqlx};
use uuid::Uuid;

/// Why a transaction was not committed: in the port's words already, or still in the database's, so that a
/// collision can be told from a refusal.
pub(crate) enum Failure {
    Known(StoreError),
    Database(DbErr),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Known(error)
    }
}

impl From<DbErr> for Failure {
    fn from(error: DbErr) -> Self {
        Self::Database(error)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Known(error) => error,
            Failure::Database(error) => failed(error),
        }
    }
}

/// The unique indexes whose violation means something to a caller, by their MySQL name and by the column that
/// SQLite names instead, and the field that is taken.
const TAKEN: [(&str, &str, &str); 4] = [
    ("uq_users_email_key", "users.email_key", "email"),
    ("uq_users_employee_code_key", "users.employee_code_key", "employee_code"),
    ("uq_departments_name_key", "departments.name_key", "name"),
    ("uq_departments_code_key", "departments.code_key", "code"),
];

/// What an error means to the caller of a port.
pub(crate) fn failed(error: DbErr) -> StoreError {
    if let Some(key) = violated_key(&error) {
        let taken = TAKEN.iter().find(|(index, column, _)| key.contains(index) || key.contains(column));
        // The database's own message quotes the value, which must not reach a log.
        return taken.map_or_else(
            || StoreError::Failed(format!("unique key {key} is violated").into()),
            |(_, _, field)| StoreError::Taken(field),
        );
    }
    let what = match &error {
        // A server that answers but turns us away (wrong password, no such database) is not away.
        DbErr::Exec(RuntimeErr::SqlxError(inner))
        | DbErr::Query(RuntimeErr::SqlxError(inner))
        | DbErr::Conn(RuntimeErr::SqlxError(inner)) => kind(inner),
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => Kind::Away,
        DbErr::Type(_) | DbErr::TryIntoErr { .. } | DbErr::Json(_) => Kind::Unreadable,
        _ => Kind::Refused,
    };
    match what {
        Kind::Away => StoreError::Unavailable(error.into()),
        Kind::Unreadable => StoreError::Corrupt("a column holds another type than expected".into()),
        Kind::Refused => StoreError::Failed(error.into()),
    }
}

enum Kind {
    Away,
    Unreadable,
    Refused,
}

fn kind(error: &sqlx::Error) -> Kind {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => Kind::Away,
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Kind::Unreadable,
        sqlx::Error::Database(database) if will_pass(&**database) => Kind::Away,
        _ => Kind::Refused,
    }
}

/// Whether trying the whole transaction again is the remedy.
pub(crate) fn is_collision(error: &DbErr) -> bool {
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(inner))
        | DbErr::Query(RuntimeErr::SqlxError(inner))
        | DbErr::Conn(RuntimeErr::SqlxError(inner)) => match &**inner {
            sqlx::Error::Database(database) => collides(&**database),
            _ => false,
        },
        _ => false,
    }
}

fn collides(error: &dyn DatabaseError) -> bool {
    match number(error) {
        // A deadlock was broken; a lock was waited for too long; a row changed since (MariaDB's snapshots).
        Number::MySql(number) => matches!(number, 1213 | 1205 | 1020),
        // SQLITE_BUSY and SQLITE_LOCKED, whatever the extension.
        Number::Sqlite(code) => matches!(code & 0xff, 5 | 6),
        Number::Other => false,
    }
}

fn will_pass(error: &dyn DatabaseError) -> bool {
    collides(error)
        || match number(error) {
            // Too many connections, shutting down, killed, disk full (1021, 1114), read-only for now (1290, 1836).
            Number::MySql(number) => {
                matches!(number, 1040 | 1053 | 1079 | 1203 | 1317 | 1927 | 1021 | 1114 | 1290 | 1836)
            }
            // READONLY, IOERR, FULL, CANTOPEN: the disk is the trouble, not the statement.
            Number::Sqlite(code) => matches!(code & 0xff, 8 | 10 | 13 | 14),
            Number::Other => false,
        }
}

enum Number {
    MySql(u16),
    Sqlite(u32),
    Other,
}

fn number(error: &dyn DatabaseError) -> Number {
    if let Some(mysql) = error.try_downcast_ref::<MySqlDatabaseError>() {
        return Number::MySql(mysql.number());
    }
    error.code().and_then(|code| code.parse().ok()).map_or(Number::Other, Number::Sqlite)
}

/// The unique index (MySQL) or columns (SQLite) that a row would have violated.
pub(crate) fn violated_key(error: &DbErr) -> Option<String> {
    match error.sql_err()? {
        // MySQL: "Duplicate entry '<value>' for key '<index>'"; the value may hold anything, so the last one.
        SqlErr::UniqueConstraintViolation(message) => Some(match message.rsplit_once("for key ") {
            Some((_, key)) => key.trim_matches('\'').to_owned(),
            None => message.rsplit(": ").next().unwrap_or_default().to_owned(),
        }),
        _ => None,
    }
}

/// Whether a row referred to something that does not exist.
pub(crate) fn is_dangling(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::ForeignKeyConstraintViolation(_)))
}

/// Whether there is a row with this id. SQLite does not say which reference of a row is dangling, so after a
/// violation each is looked up.
pub(crate) async fn exists<E: EntityTrait>(
    connection: &impl ConnectionTrait,
    id: Uuid,
) -> Result<bool, DbErr> {
    let key = E::PrimaryKey::iter().next().map(PrimaryKeyToColumn::into_column);
    let Some(key) = key else { return Ok(false) };
    let found: Option<Uuid> =
        E::find().select_only().column(key).filter(key.eq(id)).into_tuple().one(connection).await?;
    Ok(found.is_some())
}

/// Turns the dangling reference of a row into [`StoreError::Missing`], naming the field.
macro_rules! name_missing {
    ($connection:expr, $error:expr, [$($field:literal: $entity:ty = $id:expr),* $(,)?]) => {{
        let error: sea_orm::DbErr = $error;
        if $crate::error::is_dangling(&error) {
            $(if let Some(id) = $id && !$crate::error::exists::<$entity>($connection, id).await? {
                return Err(rollcall_ports::store::StoreError::Missing($field).into());
            })*
        }
        error
    }};
}
pub(crate) use name_missing;
