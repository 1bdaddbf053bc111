//! Every table of the first version.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::STEP_IS_ATOMIC;
use crate::columns::{create_indexes, create_tables};

mod attendance;
mod audit;
mod faces;
mod jobs;
mod logins;
mod organization;
mod plan;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        STEP_IS_ATOMIC
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        create_tables(manager, tables(backend)).await?;
        if backend == DbBackend::MySql {
            manager.create_foreign_key(organization::managed_by()).await?;
        }
        create_indexes(manager, indexes()).await?;
        for name in organization::COUNTERS {
            let row = Query::insert()
                .into_table("counters")
                .columns(["name", "value"])
                .values_panic([name.into(), 0.into()])
                .take();
            manager.execute(row).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Undoes the circle first. SQLite would otherwise refuse to drop people who manage a department.
        let nobody = Query::update().table("departments").value("manager_id", Keyword::Null).take();
        manager.execute(nobody).await?;
        let backend = manager.get_database_backend();
        if backend == DbBackend::MySql {
            let mut circle = ForeignKey::drop();
            circle.table("departments").name("fk_departments_manager_id");
            manager.drop_foreign_key(circle).await?;
        }
        for table in tables(backend).iter().rev() {
            if let Some(name) = table.get_table_name() {
                manager.drop_table(Table::drop().table(name.clone()).take()).await?;
            }
        }
        Ok(())
    }
}

/// Those that are referred to come first.
fn tables(backend: DbBackend) -> Vec<TableCreateStatement> {
    [
        organization::tables(backend),
        logins::tables(),
        faces::tables(),
        plan::tables(),
        attendance::tables(),
        audit::tables(),
        jobs::tables(),
    ]
    .concat()
}

fn indexes() -> Vec<IndexCreateStatement> {
    [
        organization::indexes(),
        logins::indexes(),
        faces::indexes(),
        plan::indexes(),
        attendance::indexes(),
        audit::indexes(),
        jobs::indexes(),
    ]
    .concat()
}
