//! What is true of the installation as a whole: so far by which key its secrets are kept.

use sea_orm_migration::prelude::*;

use crate::STEP_IS_ATOMIC;
use crate::columns::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        STEP_IS_ATOMIC
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let installation = table(manager, "installation")
            .col(word("name", 32).primary_key())
            .col(fingerprint("value").not_null())
            .take();
        manager.create_table(installation).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["installation"]).await
    }
}
