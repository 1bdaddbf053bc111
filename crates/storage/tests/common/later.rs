//! A schema that is yet to come: that of the program and one step more.

use rollcall_migration::columns::{
    add_column, create_indexes, create_tables, drop_column, id, index, number, reference, table,
};
use rollcall_migration::{SCHEMA, Schema};
use sea_orm_migration::migrator::MigratorTraitSelf;
use sea_orm_migration::prelude::*;

pub(crate) const LATER: Schema = Schema::new(|| {
    let mut steps = SCHEMA.migrations();
    steps.push(Box::new(Grades));
    steps
});

pub(crate) const STEP: &str = "m0002_grades";

/// Makes a table, an index on one that was there, and a column that depends on what is stored.
struct Grades;

impl MigrationName for Grades {
    fn name(&self) -> &str {
        STEP
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Grades {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        add_column(manager, "departments", number("grade").not_null().default(0).take()).await?;
        let grades = table("grades")
            .col(number("grade").primary_key())
            .col(id("set_by").null())
            .foreign_key(&mut reference("grades", "set_by", "users"))
            .take();
        create_tables(manager, [grades]).await?;
        create_indexes(manager, [index("departments", "grade", &["grade"])]).await?;
        manager.get_connection().execute_unprepared("UPDATE departments SET grade = LENGTH(name)").await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut index = Index::drop();
        manager.drop_index(index.name("ix_departments_grade").table("departments").to_owned()).await?;
        manager.drop_table(Table::drop().table("grades").take()).await?;
        drop_column(manager, "departments", "grade").await
    }
}
