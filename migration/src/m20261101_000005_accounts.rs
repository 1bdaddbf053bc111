//! What guards accounts: attempts to log in, the generation of credentials a login was opened with, invitations,
//! and why a person's standing was changed.

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
        manager.create_table(login_attempts(manager)).await?;
        manager.create_table(invitations(manager)).await?;
        let indexes = [
            index("login_attempts", "failed_at", ["failed_at"]),
            unique("invitations", "user_id", ["user_id"]),
        ];
        create_indexes(manager, indexes).await?;
        for column in reasons() {
            add_column(manager, "users", column).await?;
        }
        add_column(manager, "sessions", small("token_version").not_null().default(0).take()).await?;
        // Logins that are open go on: their tokens carry the version of today.
        let theirs = Query::select()
            .column("token_version")
            .from("users")
            .and_where(Expr::col(("users", "id")).equals(("sessions", "user_id")))
            .take();
        let carry_on = Query::update()
            .table("sessions")
            .value("token_version", Expr::SubQuery(None, Box::new(theirs.into())))
            .take();
        manager.execute(carry_on).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_column(manager, "sessions", "token_version").await?;
        // Last in, first out: SQLite then finds the table's text as it was before.
        for name in ["status_changed_at", "status_changed_by", "status_reason"] {
            drop_column(manager, "users", name).await?;
        }
        drop_tables(manager, &["invitations", "login_attempts"]).await
    }
}

/// Failures by the fingerprint of the address that was tried, whether or not it has an account: whoever is told to
/// wait must not learn that there is one, and what strangers type in is not kept.
fn login_attempts(manager: &SchemaManager<'_>) -> TableCreateStatement {
    table(manager, "login_attempts")
        .col(fingerprint("address").primary_key())
        .col(small("failed_logins").not_null())
        .col(instant("failed_at").not_null())
        .col(instant("locked_until").null())
        .take()
}

/// Fingerprints of invitations that were not accepted yet, one a person.
fn invitations(manager: &SchemaManager<'_>) -> TableCreateStatement {
    table(manager, "invitations")
        .col(fingerprint("fingerprint").primary_key())
        .col(id("user_id").not_null())
        .col(instant("expires_at").not_null())
        .foreign_key(&mut reference("invitations", "user_id", "users", "id"))
        .take()
}

/// Who changed a person's status has no foreign key: SQLite could not drop the column again.
fn reasons() -> [ColumnDef; 3] {
    [
        text("status_reason").null().take(),
        id("status_changed_by").null().take(),
        instant("status_changed_at").null().take(),
    ]
}
