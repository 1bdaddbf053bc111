//! Who is let in: logins, their refresh tokens, and devices.

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
        manager.create_table(sessions(manager)).await?;
        manager.create_table(refresh_tokens(manager)).await?;
        manager.create_table(devices(manager)).await?;
        let indexes = [
            index("sessions", "user_id", ["user_id", "ended_at"]),
            index("refresh_tokens", "session_id", ["session_id"]),
        ];
        create_indexes(manager, indexes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["devices", "refresh_tokens", "sessions"]).await
    }
}

fn sessions(manager: &SchemaManager<'_>) -> TableCreateStatement {
    table(manager, "sessions")
        .col(id("id").primary_key())
        .col(id("user_id").not_null())
        .col(instant("created_at").not_null())
        .col(instant("expires_at").not_null())
        .col(instant("ended_at").null())
        .foreign_key(&mut reference("sessions", "user_id", "users", "id"))
        .take()
}

fn refresh_tokens(manager: &SchemaManager<'_>) -> TableCreateStatement {
    table(manager, "refresh_tokens")
        .col(fingerprint("fingerprint").primary_key())
        .col(id("session_id").not_null())
        .col(instant("used_at").null())
        .foreign_key(&mut reference("refresh_tokens", "session_id", "sessions", "id"))
        .take()
}

fn devices(manager: &SchemaManager<'_>) -> TableCreateStatement {
    table(manager, "devices")
        .col(id("id").primary_key())
        .col(word("name", 255).not_null())
        .col(flag("may_enroll").not_null())
        .col(fingerprint("key_fingerprint").not_null())
        .col(instant("created_at").not_null())
        .col(instant("revoked_at").null())
        .take()
}
