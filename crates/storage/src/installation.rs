//! What is true of the installation as a whole: by which key its secrets are kept.

use rollcall_ports::store::StoreError;
use sea_orm::{ActiveValue::Set, EntityTrait, TryInsertResult};

use crate::database::Database;
use crate::entity::installation;
use crate::error::Failure;
use crate::transaction::{Read, transact};

/// Under which name the check value of `DATA_KEY` is kept.
const DATA_KEY: &str = "data_key";

impl Database {
    /// Whether `check` is that of the key with which the database was written; `None` if that was never noted.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer, or has no such table yet.
    pub async fn has_key(&self, check: &[u8; 32]) -> Result<Option<bool>, StoreError> {
        let noted =
            installation::Entity::find_by_id(DATA_KEY.to_owned()).one(self.connection()).await.read()?;
        Ok(noted.map(|noted| noted.value == check))
    }

    /// Notes the check value of the key, unless another process did: what was noted first stays.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn note_key(&self, check: &[u8; 32]) -> Result<(), StoreError> {
        let note =
            || installation::ActiveModel { name: Set(DATA_KEY.to_owned()), value: Set(check.to_vec()) };
        transact!(self, |connection| async {
            match installation::Entity::insert(note()).on_conflict_do_nothing().exec(connection).await? {
                TryInsertResult::Empty | TryInsertResult::Conflicted | TryInsertResult::Inserted(_) => {
                    Ok::<(), Failure>(())
                }
            }
        })
    }
}
