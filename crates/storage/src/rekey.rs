//! The key under which templates are sealed: whether it is the right one, and how it is exchanged.

use rollcall_ports::sealer::Sealer;
use rollcall_ports::store::StoreError;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::convert::count;
use crate::database::Database;
use crate::entity::face_encodings;
use crate::error::Failure;
use crate::template_row::{open, reseal};
use crate::transaction::{Read, transact};

/// Templates exchanged in one transaction.
const BATCH: u64 = 100;

/// Templates of which one must open.
const SAMPLE: u64 = 20;

/// Whether the sealer opens any of what was stored last. `true` when nothing is.
pub(crate) async fn opens(database: &Database, sealer: &dyn Sealer) -> Result<bool, StoreError> {
    // The newest: an interrupted exchange of keys works from the lowest id up.
    let newest = face_encodings::Entity::find().order_by_desc(face_encodings::Column::Id).limit(SAMPLE);
    let rows = newest.all(database.connection()).await.read()?;
    Ok(rows.is_empty() || rows.iter().any(|row| open(sealer, row).is_ok()))
}

/// Seals every template anew. Others may read and write meanwhile; what they add is found when it is called again.
/// What the new key opens already is left alone, so an interrupted exchange can be taken up.
pub(crate) async fn exchange(
    database: &Database,
    old: &dyn Sealer,
    new: &dyn Sealer,
) -> Result<u32, StoreError> {
    let (mut after, mut exchanged) = (Uuid::nil(), 0);
    loop {
        let next = face_encodings::Entity::find()
            .filter(face_encodings::Column::Id.gt(after))
            .order_by_asc(face_encodings::Column::Id)
            .limit(BATCH);
        let rows = next.all(database.connection()).await.read()?;
        let Some(last) = rows.last() else { return Ok(exchanged) };
        after = last.id;
        let rows = &rows;
        exchanged += transact!(database, |connection| exchange_rows(connection, rows, old, new))?;
    }
}

async fn exchange_rows(
    connection: &DatabaseTransaction,
    rows: &[face_encodings::Model],
    old: &dyn Sealer,
    new: &dyn Sealer,
) -> Result<u32, Failure> {
    let mut exchanged = 0;
    for row in rows {
        if open(new, row).is_ok() {
            continue;
        }
        let sealed = reseal(row, old, new)?;
        // Erased meanwhile is erased.
        let done = face_encodings::Entity::update_many()
            .col_expr(face_encodings::Column::Sealed, Expr::val(sealed))
            .filter(face_encodings::Column::Id.eq(row.id))
            .exec(connection)
            .await?;
        exchanged += done.rows_affected;
    }
    Ok(count("exchanged", exchanged)?)
}
