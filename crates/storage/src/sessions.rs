//! Logins: opened, renewed, ended.

use std::collections::HashMap;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use rollcall_domain::access::Role;
use rollcall_domain::id::{DepartmentId, SessionId, UserId};
use rollcall_domain::session::Session;
use rollcall_domain::user::Status;
use rollcall_ports::sessions::{Principal, Renewal, SessionStore};
use rollcall_ports::store::StoreError;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, FromQueryResult, JoinType, QueryFilter,
    QueryOrder, QuerySelect, Set,
};
use uuid::Uuid;

use crate::convert::{corrupt, count, instant, micros, named, stored};
use crate::database::Database;
use crate::entity::{departments, refresh_tokens, sessions, users};
use crate::error::Failure;
use crate::transaction::{Read, transact};

/// [`SessionStore`] in SQL.
#[derive(Debug, Clone)]
pub struct SqlSessionStore {
    database: Database,
}

impl SqlSessionStore {
    /// The logins of a migrated database.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }
}

/// A login's person, once for each department they manage.
#[derive(FromQueryResult)]
struct PrincipalRow {
    user_id: Uuid,
    name: String,
    email: String,
    role: String,
    status: String,
    token_version: i32,
    ended_at: Option<i64>,
    managed: Option<Uuid>,
}

#[async_trait]
impl SessionStore for SqlSessionStore {
    #[tracing::instrument(level = "debug", name = "db.sessions.open", skip_all)]
    async fn open(&self, session: &Session) -> Result<(), StoreError> {
        transact!(self.database, |connection| open(connection, session))
    }

    #[tracing::instrument(level = "debug", name = "db.sessions.principal", skip_all)]
    async fn principal(&self, session: SessionId) -> Result<Option<Principal>, StoreError> {
        let person =
            sessions::Entity::belongs_to(users::Entity).from(sessions::Column::UserId).to(users::Column::Id);
        let managed = users::Entity::belongs_to(departments::Entity)
            .from(users::Column::Id)
            .to(departments::Column::ManagerId);
        let query = sessions::Entity::find_by_id(session.uuid())
            .select_only()
            .columns([sessions::Column::UserId, sessions::Column::EndedAt, sessions::Column::TokenVersion])
            .columns([users::Column::Name, users::Column::Email, users::Column::Role, users::Column::Status])
            .column_as(departments::Column::Id, "managed")
            .join(JoinType::InnerJoin, person.into())
            .join(JoinType::LeftJoin, managed.into())
            .order_by_asc(departments::Column::Id);
        let rows = query.into_model::<PrincipalRow>().all(self.database.connection()).await.read()?;
        let manages = rows.iter().filter_map(|row| row.managed.map(DepartmentId::new)).collect();
        let Some(row) = rows.into_iter().next() else { return Ok(None) };
        Ok(Some(Principal {
            user: UserId::new(row.user_id),
            role: named("users.role", Role::named(&row.role))?,
            status: named("users.status", Status::named(&row.status))?,
            token_version: count("sessions.token_version", row.token_version)?,
            name: row.name,
            email: row.email,
            manages,
            ended: row.ended_at.is_some(),
        }))
    }

    #[tracing::instrument(level = "debug", name = "db.sessions.renew", skip_all)]
    async fn renew(
        &self,
        old: &[u8; 32],
        new: &[u8; 32],
        now: Timestamp,
        grace: SignedDuration,
    ) -> Result<Renewal, StoreError> {
        transact!(self.database, |connection| renew(connection, old, new, now, grace))
    }

    #[tracing::instrument(level = "debug", name = "db.sessions.alive", skip_all)]
    async fn alive(&self, users: &[UserId], now: Timestamp) -> Result<Vec<u32>, StoreError> {
        let asked = users.iter().map(|user| user.uuid());
        let rows: Vec<(Uuid, i64)> = sessions::Entity::find()
            .select_only()
            .column(sessions::Column::UserId)
            .column_as(sessions::Column::Id.count(), "alive")
            .filter(sessions::Column::UserId.is_in(asked))
            .filter(sessions::Column::EndedAt.is_null())
            .filter(sessions::Column::ExpiresAt.gt(micros(now)))
            .group_by(sessions::Column::UserId)
            .into_tuple()
            .all(self.database.connection())
            .await
            .read()?;
        let alive: HashMap<Uuid, i64> = rows.into_iter().collect();
        let of = |user: &UserId| count("sessions", alive.get(&user.uuid()).copied().unwrap_or(0));
        users.iter().map(of).collect()
    }

    #[tracing::instrument(level = "debug", name = "db.sessions.end", skip_all)]
    async fn end(&self, session: SessionId, at: Timestamp) -> Result<(), StoreError> {
        let which = Condition::all().add(sessions::Column::Id.eq(session.uuid()));
        let which = &which;
        transact!(self.database, |connection| end(connection, which.clone(), at))
    }

    #[tracing::instrument(level = "debug", name = "db.sessions.end_all", skip_all)]
    async fn end_all(&self, user: UserId, at: Timestamp) -> Result<(), StoreError> {
        transact!(self.database, |connection| end_all(connection, user, at))
    }
}

async fn open(connection: &DatabaseTransaction, session: &Session) -> Result<(), Failure> {
    // The person's row stays locked until the commit (on SQLite: the database). Whoever changes password or status
    // was there before, and is seen here, or comes after, and ends this login.
    let person: Option<(i32, String)> = users::Entity::find_by_id(session.user.uuid())
        .select_only()
        .columns([users::Column::TokenVersion, users::Column::Status])
        .lock_exclusive()
        .into_tuple()
        .one(connection)
        .await?;
    let (version, status) = person.ok_or(StoreError::Missing("user_id"))?;
    if version != stored(session.version) || status != Status::Active.name() {
        return Err(StoreError::Stale.into());
    }
    let row = sessions::ActiveModel {
        id: Set(session.id.uuid()),
        user_id: Set(session.user.uuid()),
        created_at: Set(micros(session.created_at)),
        expires_at: Set(micros(session.expires_at)),
        ended_at: Set(None),
        token_version: Set(version),
    };
    sessions::Entity::insert(row).exec_without_returning(connection).await?;
    match &session.refresh {
        Some(fingerprint) => add_token(connection, fingerprint, session.id.uuid()).await,
        None => Ok(()),
    }
}

async fn renew(
    connection: &DatabaseTransaction,
    old: &[u8; 32],
    new: &[u8; 32],
    now: Timestamp,
    grace: SignedDuration,
) -> Result<Renewal, Failure> {
    let Some(token) = refresh_tokens::Entity::find_by_id(old.to_vec()).one(connection).await? else {
        return Ok(Renewal::Refused);
    };
    let session = sessions::Entity::find_by_id(token.session_id).one(connection).await?;
    let alive = session.filter(|login| login.ended_at.is_none() && micros(now) < login.expires_at);
    let Some(login) = alive else { return Ok(Renewal::Refused) };

    // Of several calls with one token the first to update its row wins; the others wait for it, then find none.
    let used = refresh_tokens::Entity::update_many()
        .col_expr(refresh_tokens::Column::UsedAt, Expr::val(micros(now)))
        .filter(refresh_tokens::Column::Fingerprint.eq(old.to_vec()))
        .filter(refresh_tokens::Column::UsedAt.is_null())
        .exec(connection)
        .await?;
    if used.rows_affected == 1 {
        add_token(connection, new, login.id).await?;
        return Ok(Renewal::Renewed(SessionId::new(login.id)));
    }
    let token = refresh_tokens::Entity::find_by_id(old.to_vec()).one(connection).await?;
    let used_at = token.and_then(|token| token.used_at).ok_or_else(|| corrupt("refresh_tokens.used_at"))?;
    let used_at = instant("refresh_tokens.used_at", used_at)?;
    if now.duration_since(used_at) <= grace {
        return Ok(Renewal::Repeated);
    }
    end(connection, Condition::all().add(sessions::Column::Id.eq(login.id)), now).await?;
    Ok(Renewal::Reused)
}

async fn end_all(connection: &DatabaseTransaction, user: UserId, at: Timestamp) -> Result<(), Failure> {
    end(connection, Condition::all().add(sessions::Column::UserId.eq(user.uuid())), at).await?;
    users::Entity::update_many()
        .col_expr(users::Column::TokenVersion, Expr::col(users::Column::TokenVersion).add(1))
        .filter(users::Column::Id.eq(user.uuid()))
        .exec(connection)
        .await?;
    Ok(())
}

/// Ends the logins that have not ended; those that have keep their time.
async fn end(connection: &DatabaseTransaction, which: Condition, at: Timestamp) -> Result<(), Failure> {
    sessions::Entity::update_many()
        .col_expr(sessions::Column::EndedAt, Expr::val(micros(at)))
        .filter(which)
        .filter(sessions::Column::EndedAt.is_null())
        .exec(connection)
        .await?;
    Ok(())
}

async fn add_token(
    connection: &DatabaseTransaction,
    fingerprint: &[u8; 32],
    session: Uuid,
) -> Result<(), Failure> {
    let row = refresh_tokens::ActiveModel {
        fingerprint: Set(fingerprint.to_vec()),
        session_id: Set(session),
        used_at: Set(None),
    };
    refresh_tokens::Entity::insert(row).exec_without_returning(connection).await?;
    Ok(())
}
