//! The forms by which stored texts are compared, worked out anew when the rule for them has changed: a stored form by an
//! older rule would be found by nobody.

use std::collections::BTreeSet;

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
const RULE: i64 = 3;

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
        taken.append(&mut self.spell_departments().await?);
        let row = counters::ActiveModel { name: Set(NAME.into()), value: Set(RULE) };
        let again =
            OnConflict::column(counters::Column::Name).update_column(counters::Column::Value).to_owned();
        counters::Entity::insert(row)
            .on_conflict(again)
            .exec_without_returning(connection)
            .await
            .map_err(failed)?;
        Ok(taken.into_iter().collect())
    }

    async fn spell_people(&self) -> Result<BTreeSet<Uuid>, StoreError> {
        let connection = self.connection();
        loop {
            let (mut after, mut pass) = (Uuid::nil(), Pass::default());
            loop {
                let next = users::Entity::find().filter(users::Column::Id.gt(after));
                let rows = next.order_by_asc(users::Column::Id).limit(BATCH).all(connection).await.read()?;
                let Some(last) = rows.last() else { break };
                after = last.id;
                for row in &rows {
                    for anew in spelled_user(row) {
                        let change =
                            users::Entity::update_many().set(anew).filter(users::Column::Id.eq(row.id));
                        pass.note(row.id, change.exec(connection).await.map(drop).map_err(failed))?;
                    }
                }
            }
            if pass.is_last() {
                return Ok(pass.taken);
            }
        }
    }

    async fn spell_departments(&self) -> Result<BTreeSet<Uuid>, StoreError> {
        let connection = self.connection();
        loop {
            let mut pass = Pass::default();
            for row in departments::Entity::find().all(connection).await.read()? {
                for anew in spelled_department(&row) {
                    let change = departments::Entity::update_many()
                        .set(anew)
                        .filter(departments::Column::Id.eq(row.id));
                    pass.note(row.id, change.exec(connection).await.map(drop).map_err(failed))?;
                }
            }
            if pass.is_last() {
                return Ok(pass.taken);
            }
        }
    }
}

/// Once through all rows of a table.
#[derive(Default)]
struct Pass {
    changed: bool,
    /// Whose new key is another one's: of somebody who keeps it, or who only comes later in this pass.
    taken: BTreeSet<Uuid>,
}

impl Pass {
    fn note(&mut self, id: Uuid, done: Result<(), StoreError>) -> Result<(), StoreError> {
        match done {
            Err(StoreError::Taken(_)) => drop(self.taken.insert(id)),
            done => {
                done?;
                self.changed = true;
            }
        }
        Ok(())
    }

    /// Whether another one would come to the same: nobody waits for a key, or none was given up.
    fn is_last(&self) -> bool {
        self.taken.is_empty() || !self.changed
    }
}
