//! The forms by which stored texts are compared, worked out anew when the rule for them has changed: a stored form by an
//! older rule would be found by nobody.

use rollcall_ports::store::StoreError;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};
use uuid::Uuid;

use crate::database::Database;
use crate::departments::spelled as spelled_department;
use crate::entity::{counters, departments, users};
use crate::error::failed;
use crate::transaction::Read;
use crate::user_row::spelled as spelled_user;

/// The rule. It grows whenever [`rollcall_domain::text::canonical`] or the canonical form of an address gives another
/// result for some text.
const RULE: i64 = 2;

/// The row of the rule that was followed last.
const NAME: &str = "spelling";

/// Rows read at once.
const BATCH: u64 = 500;

impl Database {
    /// Works out anew by what every person and department is found, once for each change of the rule. Tells which of them
    /// keep what they had, because by the new rule another one has their name, code or address already.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails; what was done until then stays, and is not done again.
    pub async fn spell_anew(&self) -> Result<Vec<Uuid>, StoreError> {
        let connection = self.connection();
        let followed = counters::Entity::find_by_id(NAME).one(connection).await.read()?;
        if followed.is_some_and(|row| row.value >= RULE) {
            return Ok(Vec::new());
        }
        let mut taken = self.spell_people().await?;
        taken.extend(self.spell_departments().await?);
        let row = counters::ActiveModel { name: Set(NAME.into()), value: Set(RULE) };
        let again =
            OnConflict::column(counters::Column::Name).update_column(counters::Column::Value).to_owned();
        counters::Entity::insert(row)
            .on_conflict(again)
            .exec_without_returning(connection)
            .await
            .map_err(failed)?;
        Ok(taken)
    }

    async fn spell_people(&self) -> Result<Vec<Uuid>, StoreError> {
        let (connection, mut after, mut taken) = (self.connection(), Uuid::nil(), Vec::new());
        loop {
            let next = users::Entity::find().filter(users::Column::Id.gt(after));
            let rows = next.order_by_asc(users::Column::Id).limit(BATCH).all(connection).await.read()?;
            let Some(last) = rows.last() else { return Ok(taken) };
            after = last.id;
            for row in &rows {
                let Some(anew) = spelled_user(row) else { continue };
                let change = users::Entity::update_many().set(anew).filter(users::Column::Id.eq(row.id));
                keep_or_note(change.exec(connection).await.map(drop).map_err(failed), row.id, &mut taken)?;
            }
        }
    }

    async fn spell_departments(&self) -> Result<Vec<Uuid>, StoreError> {
        let (connection, mut taken) = (self.connection(), Vec::new());
        for row in departments::Entity::find().all(connection).await.read()? {
            let Some(anew) = spelled_department(&row) else { continue };
            let change =
                departments::Entity::update_many().set(anew).filter(departments::Column::Id.eq(row.id));
            keep_or_note(change.exec(connection).await.map(drop).map_err(failed), row.id, &mut taken)?;
        }
        Ok(taken)
    }
}

fn keep_or_note(done: Result<(), StoreError>, id: Uuid, taken: &mut Vec<Uuid>) -> Result<(), StoreError> {
    match done {
        Err(StoreError::Taken(_)) => taken.push(id),
        done => done?,
    }
    Ok(())
}
