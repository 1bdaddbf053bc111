//! Reading records: with what was decided of them, and with the shift they are of, in one query.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rollcall_domain::attendance::DayRecord;
use rollcall_domain::shift::Shift;
use rollcall_ports::store::StoreError;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ConnectionTrait, DbErr, EntityTrait, FromQueryResult, IdenStatic, Iterable, JoinType, QueryResult,
    QuerySelect, Select,
};
use uuid::Uuid;

use crate::day_row::{overriding, record};
use crate::entity::{attendance_records, overrides, shifts};
use crate::plan_row::shift;
use crate::sequences::version_of_the_plan;
use crate::transaction::Read;

/// The shifts that records refer to, by wording. There are few and they seldom change, so they are kept as they were at
/// a version of the plan, which each row tells: lists of records need not ask for them.
#[derive(Debug, Default)]
pub(crate) struct ShiftCache(Mutex<Option<Known>>);

type Known = (i64, Arc<HashMap<Uuid, Shift>>);

impl ShiftCache {
    /// The shifts as they were at `version` or later.
    async fn at(
        &self,
        connection: &impl ConnectionTrait,
        version: i64,
        needed: impl Fn(&HashMap<Uuid, Shift>) -> bool,
    ) -> Result<Arc<HashMap<Uuid, Shift>>, StoreError> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, shifts)) = known.filter(|(of, shifts)| *of >= version && needed(shifts)) {
            return Ok(shifts);
        }
        let mut wordings = HashMap::new();
        for row in shifts::Entity::find().all(connection).await.read()? {
            wordings.insert(row.id, shift(row)?);
        }
        let wordings = Arc::new(wordings);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((version, wordings.clone()));
        Ok(wordings)
    }

    /// The records of `rows`, in their order, without punches.
    pub(crate) async fn read(
        &self,
        connection: &impl ConnectionTrait,
        rows: Vec<RecordRow>,
    ) -> Result<Vec<DayRecord>, StoreError> {
        let Some(version) = rows.iter().map(|row| row.plan).max() else { return Ok(Vec::new()) };
        let of = |row: &RecordRow| row.record.shift_id;
        let needed =
            |known: &HashMap<Uuid, Shift>| rows.iter().filter_map(of).all(|id| known.contains_key(&id));
        let shifts = self.at(connection, version, needed).await?;
        let whole = |row: RecordRow| {
            let override_ = row.override_.map(overriding).transpose()?.map(|(_, override_)| override_);
            record(row.record, &shifts, override_)
        };
        rows.into_iter().map(whole).collect()
    }
}

/// A record, what was decided of it, and the version of the plan by now.
pub(crate) struct RecordRow {
    pub(crate) record: attendance_records::Model,
    override_: Option<overrides::Model>,
    plan: i64,
}

const DECISION: &str = "decision_";
const PLAN: &str = "plan_version";

impl FromQueryResult for RecordRow {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        let record = attendance_records::Model::from_query_result(row, prefix)?;
        let decided = record.override_id.is_some();
        Ok(Self {
            record,
            override_: decided.then(|| overrides::Model::from_query_result(row, DECISION)).transpose()?,
            plan: row.try_get(prefix, PLAN)?,
        })
    }
}

/// What [`RecordRow`] holds of some records.
pub(crate) fn with_override(
    records: Select<attendance_records::Entity>,
) -> Select<attendance_records::Entity> {
    let its_decision = attendance_records::Entity::belongs_to(overrides::Entity)
        .from(attendance_records::Column::OverrideId)
        .to(overrides::Column::Id);
    let query = records
        .join(JoinType::LeftJoin, its_decision.into())
        .expr_as(Expr::from(version_of_the_plan()), PLAN);
    overrides::Column::iter()
        .fold(query, |query, column| query.column_as(column, format!("{DECISION}{}", column.as_str())))
}
