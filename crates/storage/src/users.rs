//! People and their credentials.

use std::collections::HashMap;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use rollcall_domain::id::UserId;
use rollcall_domain::page::{Page, Paged};
use rollcall_domain::user::{PasswordHash, Status, User, UserFilter, UserKey, UserScope, UserSort};
use rollcall_ports::store::StoreError;
use rollcall_ports::users::{Credentials, Erased, Erasure, Invitation, UserChange, UserStore};
use sea_orm::sea_query::{Expr, ExprTrait, SimpleExpr};
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, JoinType, Order, QueryFilter, QueryOrder,
    QuerySelect, Select, Set,
};
use uuid::Uuid;

use crate::convert::{count, cut, date_or_none, micros, named};
use crate::database::Database;
use crate::entity::{user_settings, users};
use crate::erase::{erase, forget_log};
use crate::error::Failure;
use crate::invitations::{accept, invite, invited};
use crate::people::{contains, users_in_scope, with_templates};
use crate::transaction::{Read, transact};
use crate::user_change::{insert, insert_first, save};
use crate::user_row::{UserRow, their_department, with_department};

/// People who are asked for at once: databases limit the length of a list.
const CHUNK: usize = 500;

/// [`UserStore`] in SQL.
#[derive(Debug, Clone)]
pub struct SqlUserStore {
    database: Database,
}

impl SqlUserStore {
    /// The people of a migrated database.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    /// The people, except removed ones, who have these canonical forms in a column, in their order.
    async fn of_keys(
        &self,
        column: users::Column,
        keys: &[String],
    ) -> Result<Vec<Option<UserId>>, StoreError> {
        let mut found: HashMap<String, UserId> = HashMap::new();
        for some in keys.chunks(CHUNK) {
            let living: Vec<(Uuid, String)> = users::Entity::find()
                .select_only()
                .columns([users::Column::Id, column])
                .filter(column.is_in(some.iter().map(|key| cut(key))))
                .filter(users::Column::Tombstone.eq(Uuid::nil()))
                .into_tuple()
                .all(self.database.connection())
                .await
                .read()?;
            found.extend(living.into_iter().map(|(id, key)| (key, UserId::new(id))));
        }
        Ok(keys.iter().map(|key| found.get(cut(key)).copied()).collect())
    }
}

#[async_trait]
impl UserStore for SqlUserStore {
    #[tracing::instrument(level = "debug", name = "db.users.insert", skip_all)]
    async fn insert(&self, user: &User, password: Option<&PasswordHash>) -> Result<(), StoreError> {
        transact!(self.database, |connection| insert(connection, user, password))
    }

    #[tracing::instrument(level = "debug", name = "db.users.insert_first", skip_all)]
    async fn insert_first(&self, user: &User, password: &PasswordHash) -> Result<bool, StoreError> {
        transact!(self.database, |connection| insert_first(connection, user, password))
    }

    #[tracing::instrument(level = "debug", name = "db.users.insert_invited", skip_all)]
    async fn insert_invited(&self, user: &User, invitation: &Invitation) -> Result<(), StoreError> {
        transact!(self.database, |connection| async {
            insert(connection, user, None).await?;
            invite(connection, user.id, invitation).await
        })
    }

    #[tracing::instrument(level = "debug", name = "db.users.invited", skip_all)]
    async fn invited(&self, invitation: &[u8; 32], now: Timestamp) -> Result<Option<User>, StoreError> {
        let found = invited(self.database.connection(), invitation, now).await.read()?;
        match found {
            None => Ok(None),
            Some(id) => Ok(self.get(UserId::new(id)).await?.filter(|user| user.status != Status::Deleted)),
        }
    }

    #[tracing::instrument(level = "debug", name = "db.users.accept", skip_all)]
    async fn accept(
        &self,
        invitation: &[u8; 32],
        now: Timestamp,
        password: &PasswordHash,
    ) -> Result<bool, StoreError> {
        let accepted = transact!(self.database, |connection| accept(connection, invitation, now, password));
        match accepted {
            Err(StoreError::Missing("invitation")) => Ok(false),
            accepted => accepted,
        }
    }

    #[tracing::instrument(level = "debug", name = "db.users.first_joined", skip_all)]
    async fn first_joined(&self, since: Date) -> Result<Option<Date>, StoreError> {
        let first: Option<Option<String>> = users::Entity::find()
            .select_only()
            .column_as(users::Column::JoinDate.min(), "first")
            .filter(users::Column::Status.ne(Status::Deleted.name()))
            .filter(users::Column::JoinDate.gte(since.to_string()))
            .into_tuple()
            .one(self.database.connection())
            .await
            .read()?;
        date_or_none("users.join_date", first.flatten().as_deref())
    }

    #[tracing::instrument(level = "debug", name = "db.users.get", skip_all)]
    async fn get(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let query = whole(users::Entity::find_by_id(id.uuid()));
        let row = query.into_model::<UserRow>().one(self.database.connection()).await.read()?;
        row.map(UserRow::into_user).transpose()
    }

    #[tracing::instrument(level = "debug", name = "db.users.list", skip_all)]
    async fn list(
        &self,
        people: &UserScope,
        filter: &UserFilter,
        sort: &[UserSort],
        page: Page,
    ) -> Result<Paged<User>, StoreError> {
        let wanted = users::Entity::find().filter(users_in_scope(people)).filter(conditions(filter));
        let total = wanted.clone().select_only().column_as(users::Column::Id.count(), "total");
        let mut query = whole(wanted).limit(u64::from(page.size())).offset(page.offset());
        for sort in sort {
            // NULL is the least value in both databases: people without one come first, as promised.
            query = query.order_by(column(sort.key), if sort.descending { Order::Desc } else { Order::Asc });
        }
        query = query.order_by_asc(users::Column::Id);

        let connection = self.database.connection();
        let total: Option<i64> = total.into_tuple().one(connection).await.read()?;
        let rows = query.into_model::<UserRow>().all(connection).await.read()?;
        let items = rows.into_iter().map(UserRow::into_user).collect::<Result<_, _>>()?;
        Ok(Paged { items, total: total.unwrap_or(0).unsigned_abs(), page })
    }

    #[tracing::instrument(level = "debug", name = "db.users.save", skip_all)]
    async fn save(&self, change: UserChange<'_>) -> Result<(), StoreError> {
        let change = &change;
        transact!(self.database, |connection| save(connection, change))
    }

    #[tracing::instrument(level = "debug", name = "db.users.erase", skip_all)]
    async fn erase(&self, erasure: Erasure<'_>) -> Result<Erased, StoreError> {
        let erasure = &erasure;
        let erased = transact!(self.database, |connection| erase(connection, erasure))?;
        forget_log(&self.database).await;
        Ok(erased)
    }

    #[tracing::instrument(level = "debug", name = "db.users.credentials", skip_all)]
    async fn credentials(&self, email: &str) -> Result<Option<Credentials>, StoreError> {
        let living = users::Entity::find()
            .filter(users::Column::EmailKey.eq(cut(email)))
            .filter(users::Column::Tombstone.eq(Uuid::nil()));
        let row = living.one(self.database.connection()).await.read()?;
        let credentials = |row: users::Model| {
            Ok(Credentials {
                user: UserId::new(row.id),
                hash: row.password_hash.map(PasswordHash::from_stored),
                token_version: count("users.token_version", row.token_version)?,
                status: named("users.status", Status::named(&row.status))?,
            })
        };
        row.map(credentials).transpose()
    }

    #[tracing::instrument(level = "debug", name = "db.users.ids_by_code", skip_all)]
    async fn ids_by_code(&self, codes: &[String]) -> Result<Vec<Option<UserId>>, StoreError> {
        self.of_keys(users::Column::EmployeeCodeKey, codes).await
    }

    #[tracing::instrument(level = "debug", name = "db.users.ids_by_email", skip_all)]
    async fn ids_by_email(&self, addresses: &[String]) -> Result<Vec<Option<UserId>>, StoreError> {
        self.of_keys(users::Column::EmailKey, addresses).await
    }

    #[tracing::instrument(level = "debug", name = "db.users.password", skip_all)]
    async fn password(&self, id: UserId) -> Result<Option<PasswordHash>, StoreError> {
        let hash = users::Entity::find_by_id(id.uuid()).select_only().column(users::Column::PasswordHash);
        let row: Option<Option<String>> = hash.into_tuple().one(self.database.connection()).await.read()?;
        Ok(row.flatten().map(PasswordHash::from_stored))
    }

    #[tracing::instrument(level = "debug", name = "db.users.rehash", skip_all)]
    async fn rehash(
        &self,
        id: UserId,
        verified: &PasswordHash,
        better: &PasswordHash,
    ) -> Result<(), StoreError> {
        let row =
            users::ActiveModel { password_hash: Set(Some(better.as_str().into())), ..Default::default() };
        let unchanged = users::Column::PasswordHash.eq(verified.as_str());
        let (row, unchanged) = (&row, &unchanged);
        transact!(self.database, |connection| update(connection, id, row, Some(unchanged.clone())))
    }

    #[tracing::instrument(level = "debug", name = "db.users.logged_in", skip_all)]
    async fn logged_in(&self, id: UserId, at: Timestamp) -> Result<(), StoreError> {
        let row = users::ActiveModel { last_login_at: Set(Some(micros(at))), ..Default::default() };
        let row = &row;
        transact!(self.database, |connection| update(connection, id, row, None))
    }

    #[tracing::instrument(level = "debug", name = "db.users.get_many", skip_all)]
    async fn get_many(&self, ids: &[UserId]) -> Result<Vec<User>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        for some in ids.chunks(CHUNK) {
            let filter = users::Column::Id.is_in(some.iter().map(|id| id.uuid()));
            let query = whole(users::Entity::find().filter(filter));
            for row in query.into_model::<UserRow>().all(self.database.connection()).await.read()? {
                found.push(row.into_user()?);
            }
        }
        found.sort_by_key(|user: &User| user.id);
        Ok(found)
    }
}

async fn update(
    connection: &DatabaseTransaction,
    id: UserId,
    row: &users::ActiveModel,
    only_if: Option<SimpleExpr>,
) -> Result<(), Failure> {
    let which = Condition::all().add(users::Column::Id.eq(id.uuid())).add_option(only_if);
    users::Entity::update_many().set(row.clone()).filter(which).exec(connection).await?;
    Ok(())
}

/// A person with department and settings, in one query.
fn whole(people: Select<users::Entity>) -> Select<users::Entity> {
    let their_settings = users::Entity::belongs_to(user_settings::Entity)
        .from(users::Column::Id)
        .to(user_settings::Column::UserId);
    with_department(people.join(JoinType::LeftJoin, their_department()))
        .join(JoinType::LeftJoin, their_settings.into())
        .column_as(user_settings::Column::Theme, "theme")
        .column_as(user_settings::Column::Notifications, "notifications")
        .column_as(user_settings::Column::Language, "language")
}

fn conditions(filter: &UserFilter) -> Condition {
    let deleted = Status::Deleted.name();
    Condition::all()
        .add_option(filter.q.as_deref().map(|part| contains((users::Entity, users::Column::SearchKey), part)))
        .add_option(filter.role.map(|role| users::Column::Role.eq(role.name())))
        .add_option(filter.status.map(|status| users::Column::Status.eq(status.name())))
        .add_option(filter.department.map(|id| users::Column::DepartmentId.eq(id.uuid())))
        .add_option(filter.created_from.map(|from| users::Column::CreatedAt.gte(micros(from))))
        .add_option(filter.created_before.map(|before| users::Column::CreatedAt.lt(micros(before))))
        .add_option((!filter.include_deleted).then(|| users::Column::Status.ne(deleted)))
        .add_option(filter.never_logged_in.map(|never| match never {
            true => users::Column::LastLoginAt.is_null(),
            false => users::Column::LastLoginAt.is_not_null(),
        }))
        .add_option(filter.enrolled.as_ref().map(|enrolled| {
            let enough = with_templates(&enrolled.model, enrolled.min_required);
            let id = Expr::col((users::Entity, users::Column::Id));
            if enrolled.wanted { id.in_subquery(enough) } else { id.not_in_subquery(enough) }
        }))
}

const fn column(key: UserKey) -> users::Column {
    match key {
        UserKey::Name => users::Column::NameKey,
        UserKey::Email => users::Column::EmailKey,
        UserKey::EmployeeCode => users::Column::EmployeeCodeKey,
        UserKey::CreatedAt => users::Column::CreatedAt,
        UserKey::LastLoginAt => users::Column::LastLoginAt,
    }
}
