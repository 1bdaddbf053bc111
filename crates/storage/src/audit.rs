//! The audit trail.

use async_trait::async_trait;
use rollcall_domain::audit::{AuditAction, AuditActor, AuditEntry, State, Target, Value};
use rollcall_domain::id::{AuditEntryId, BatchId, DeviceId, UserId};
use rollcall_domain::page::{Page, Paged};
use rollcall_ports::audit::{AuditFilter, AuditStore};
use rollcall_ports::store::StoreError;
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, JsonValue, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Set,
};

use crate::convert::{corrupt, date_or_none, instant, micros, named, valid};
use crate::database::Database;
use crate::entity::audit_entries;
use crate::error::Failure;
use crate::transaction::Read;

/// Rows of one statement: SQLite takes 32,766 values, and a line has thirteen.
const CHUNK: usize = 500;

/// [`AuditStore`] in SQL.
#[derive(Debug, Clone)]
pub struct SqlAuditStore {
    database: Database,
}

impl SqlAuditStore {
    /// The audit trail of a migrated database.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl AuditStore for SqlAuditStore {
    #[tracing::instrument(level = "debug", name = "db.audit.page", skip_all)]
    async fn page(&self, filter: &AuditFilter, page: Page) -> Result<Paged<AuditEntry>, StoreError> {
        let connection = self.database.connection();
        let wanted = audit_entries::Entity::find().filter(conditions(filter));
        let total = wanted.clone().count(connection).await.read()?;
        let rows = wanted
            .limit(u64::from(page.size()))
            .offset(page.offset())
            .order_by_desc(audit_entries::Column::At)
            .order_by_desc(audit_entries::Column::Id)
            .all(connection)
            .await
            .read()?;
        let items = rows.into_iter().map(audit_entry).collect::<Result<_, _>>()?;
        Ok(Paged { items, total, page })
    }
}

/// Adds lines in the transaction of what they tell of.
pub(crate) async fn write(
    connection: &DatabaseTransaction,
    audit_entries: &[AuditEntry],
) -> Result<(), Failure> {
    for some in audit_entries.chunks(CHUNK) {
        let rows = some.iter().map(row);
        audit_entries::Entity::insert_many(rows).exec_without_returning(connection).await?;
    }
    Ok(())
}

/// Adds one.
pub(crate) async fn note(connection: &DatabaseTransaction, audit_entry: &AuditEntry) -> Result<(), Failure> {
    write(connection, std::slice::from_ref(audit_entry)).await
}

fn conditions(filter: &AuditFilter) -> Condition {
    use audit_entries::Column as C;
    let AuditFilter { subject, by, act, batch, from, until } = *filter;
    Condition::all()
        .add_option(subject.map(|user| C::SubjectId.eq(user.uuid())))
        .add_option(by.map(|user| C::ActorId.eq(user.uuid())))
        .add_option(act.map(|act| C::Action.eq(act.name())))
        .add_option(batch.map(|batch| C::BatchId.eq(batch.uuid())))
        .add_option(from.map(|at| C::At.gte(micros(at))))
        .add_option(until.map(|at| C::At.lt(micros(at))))
}

fn row(of: &AuditEntry) -> audit_entries::ActiveModel {
    audit_entries::ActiveModel {
        id: Set(of.id.uuid()),
        at: Set(micros(of.at)),
        actor_id: Set(of.by.user().map(UserId::uuid)),
        device_id: Set(of.by.device().map(DeviceId::uuid)),
        action: Set(of.act.name().into()),
        subject_id: Set(of.subject.map(UserId::uuid)),
        target_kind: Set(of.target.kind().into()),
        target_id: Set(of.target.uuid()),
        work_date: Set(of.date.map(|date| date.to_string())),
        batch_id: Set(of.batch.map(BatchId::uuid)),
        reason: Set(of.reason.clone()),
        state_before: Set(of.before.as_ref().map(written)),
        state_after: Set(of.after.as_ref().map(written)),
    }
}

fn audit_entry(row: audit_entries::Model) -> Result<AuditEntry, StoreError> {
    let by = match (row.actor_id, row.device_id) {
        (Some(user), None) => AuditActor::Person(UserId::new(user)),
        (None, Some(device)) => AuditActor::Device(DeviceId::new(device)),
        (None, None) => AuditActor::System,
        (Some(_), Some(_)) => return Err(corrupt("audit_entries.actor_id")),
    };
    let state = |what: &str, text: Option<String>| text.map(|text| read(what, &text)).transpose();
    Ok(AuditEntry {
        id: AuditEntryId::new(row.id),
        at: instant("audit_entries.at", row.at)?,
        by,
        act: named("audit_entries.action", AuditAction::named(&row.action))?,
        subject: row.subject_id.map(UserId::new),
        target: named("audit_entries.target_kind", Target::of(&row.target_kind, row.target_id))?,
        date: date_or_none("audit_entries.work_date", row.work_date.as_deref())?,
        batch: row.batch_id.map(BatchId::new),
        reason: row.reason,
        before: state("audit_entries.state_before", row.state_before)?,
        after: state("audit_entries.state_after", row.state_after)?,
    })
}

/// A state as an object of JSON, its members in the order of their names.
fn written(state: &State) -> String {
    let value = |value: &Value| match value {
        Value::Nothing => JsonValue::Null,
        Value::Flag(flag) => (*flag).into(),
        Value::Number(number) => (*number).into(),
        Value::Word(word) => word.as_str().into(),
        Value::Words(words) => words.clone().into(),
    };
    let members = state.members().map(|(name, of)| (name.to_owned(), value(of)));
    JsonValue::Object(members.collect()).to_string()
}

fn read(what: &str, text: &str) -> Result<State, StoreError> {
    let JsonValue::Object(members) = valid(what, text.parse())? else { return Err(corrupt(what)) };
    let word = |value: JsonValue| match value {
        JsonValue::String(word) => Some(word),
        _ => None,
    };
    let value = |value: JsonValue| {
        Some(match value {
            JsonValue::Null => Value::Nothing,
            JsonValue::Bool(flag) => Value::Flag(flag),
            JsonValue::Number(number) => Value::Number(number.as_i64()?),
            JsonValue::String(word) => Value::Word(word),
            JsonValue::Array(words) => Value::Words(words.into_iter().map(word).collect::<Option<_>>()?),
            JsonValue::Object(_) => return None,
        })
    };
    let members: Option<Vec<_>> =
        members.into_iter().map(|(name, member)| Some((name, value(member)?))).collect();
    named(what, members.and_then(State::restored))
}
