//! Who belongs to the organization and when they work: shifts, departments, people, and the counters whose
//! rows put writers in a queue.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

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
        manager.create_table(counters(manager)).await?;
        manager.create_table(shifts(manager)).await?;
        manager.create_table(departments(manager)).await?;
        manager.create_table(users(manager)).await?;
        manager.create_table(user_settings(manager)).await?;
        // Departments and people refer to each other. MySQL wants both tables to exist first; SQLite accepts a
        // reference to a table that is yet to come, see `departments`, but cannot add one later.
        if manager.get_database_backend() == DbBackend::MySql {
            manager.create_foreign_key(managed_by()).await?;
        }
        create_indexes(manager, indexes()).await?;
        for name in ["faces", "admins"] {
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
        if manager.get_database_backend() == DbBackend::MySql {
            let mut circle = ForeignKey::drop();
            circle.table("departments").name("fk_departments_manager_id");
            manager.drop_foreign_key(circle).await?;
        }
        drop_tables(manager, &["user_settings", "users", "departments", "shifts", "counters"]).await
    }
}

/// One row per thing that must be done one after the other. Whoever updates the row waits for the one before
/// to commit, so numbers taken from it are in the order of commits, on every database.
fn counters(manager: &SchemaManager<'_>) -> TableCreateStatement {
    table(manager, "counters").col(word("name", 32).primary_key()).col(number("value").not_null()).take()
}

fn shifts(manager: &SchemaManager<'_>) -> TableCreateStatement {
    table(manager, "shifts")
        .col(id("id").primary_key())
        .col(word("name", 200).not_null())
        .col(small("starts").not_null()) // Seconds after local midnight.
        .col(small("ends").not_null())
        .col(small("workdays").not_null()) // Bit 0 is Monday.
        .col(number("grace").not_null()) // Durations are seconds.
        .col(number("early_grace").not_null())
        .col(number("opens_before").not_null())
        .col(number("closes_after").not_null())
        .col(number("half_day_below").not_null())
        .col(number("absent_below").not_null())
        .col(number("overtime_min").not_null())
        .col(flag("is_default").null()) // True or NULL, so that a unique index allows one default only.
        .take()
}

fn departments(manager: &SchemaManager<'_>) -> TableCreateStatement {
    let mut table = table(manager, "departments");
    table
        .col(id("id").primary_key())
        .col(word("name", 100).not_null())
        .col(key("name_key").not_null())
        .col(word("code", 255).null())
        .col(key("code_key").null())
        .col(text("search_key").not_null()) // Canonical name and code, for finding parts of them.
        .col(text("description").null())
        .col(id("manager_id").null())
        .col(id("parent_id").null())
        .col(word("timezone", 64).null())
        .col(id("default_shift_id").null())
        .col(instant("created_at").not_null())
        .foreign_key(&mut reference("departments", "parent_id", "departments", "id"))
        .foreign_key(&mut reference("departments", "default_shift_id", "shifts", "id"));
    if manager.get_database_backend() == DbBackend::Sqlite {
        table.foreign_key(&mut managed_by());
    }
    table
}

fn managed_by() -> ForeignKeyCreateStatement {
    reference("departments", "manager_id", "users", "id")
}

fn users(manager: &SchemaManager<'_>) -> TableCreateStatement {
    table(manager, "users")
        .col(id("id").primary_key())
        .col(word("name", 200).not_null())
        .col(key("name_key").not_null())
        .col(word("email", 254).not_null())
        .col(key("email_key").not_null())
        .col(word("employee_code", 64).null())
        .col(key("employee_code_key").null())
        // The nil UUID, or the person's own id once they are deleted: part of the unique indexes, so that a
        // deleted person's address and code are free again and yet remain on record.
        .col(id("tombstone").not_null())
        .col(text("search_key").not_null()) // Canonical name, address and code, for finding parts of them.
        .col(word("role", 16).not_null())
        .col(word("status", 16).not_null())
        .col(id("department_id").null())
        .col(text("phone").null())
        .col(text("address").null())
        .col(text("avatar_url").null())
        .col(word("timezone", 64).null())
        .col(word("locale", 64).null())
        .col(date("join_date").null())
        .col(date("leave_date").null())
        .col(id("default_shift_id").null())
        .col(text("password_hash").null())
        .col(instant("last_login_at").null())
        .col(instant("created_at").not_null())
        .col(instant("updated_at").not_null())
        .col(instant("deleted_at").null())
        .col(small("revision").not_null())
        .col(small("token_version").not_null())
        .col(number("face_change").not_null()) // 0 until the first change of what may be matched.
        .col(word("consent_version", 64).null())
        .col(instant("consent_at").null())
        .col(instant("consent_withdrawn_at").null())
        .foreign_key(&mut reference("users", "department_id", "departments", "id"))
        .foreign_key(&mut reference("users", "default_shift_id", "shifts", "id"))
        .take()
}

fn user_settings(manager: &SchemaManager<'_>) -> TableCreateStatement {
    table(manager, "user_settings")
        .col(id("user_id").primary_key())
        .col(word("theme", 16).not_null())
        .col(flag("notifications").not_null())
        .col(word("language", 35).not_null())
        .foreign_key(&mut reference("user_settings", "user_id", "users", "id"))
        .take()
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        unique("shifts", "is_default", ["is_default"]),
        unique("departments", "name_key", ["name_key"]),
        unique("departments", "code_key", ["code_key"]),
        index("departments", "manager_id", ["manager_id"]),
        index("departments", "parent_id", ["parent_id"]),
        index("departments", "default_shift_id", ["default_shift_id"]),
        unique("users", "email_key", ["email_key", "tombstone"]),
        unique("users", "employee_code_key", ["employee_code_key", "tombstone"]),
        index("users", "name_key", ["name_key", "id"]),
        index("users", "created_at", ["created_at", "id"]),
        index("users", "last_login_at", ["last_login_at", "id"]),
        index("users", "department_id", ["department_id", "status"]),
        index("users", "default_shift_id", ["default_shift_id"]),
        index("users", "role", ["role", "status"]),
        index("users", "face_change", ["face_change"]),
    ]
}
