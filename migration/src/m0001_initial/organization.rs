//! Who belongs to the organization and when they work: shifts, departments, people; what is true of the installation; and
//! the counters whose rows put writers in a queue.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::columns::*;

/// What changes one after the other, each with a number of its own.
pub(super) const COUNTERS: [&str; 3] = ["faces", "admins", "plan"];

pub(super) fn tables(backend: DbBackend) -> Vec<TableCreateStatement> {
    vec![counters(), installation(), shifts(), departments(backend), users(), user_settings()]
}

/// One row per thing that must be done one after the other. Whoever updates the row waits for the one before
/// to commit, so numbers taken from it are in the order of commits, on every database.
fn counters() -> TableCreateStatement {
    table("counters").col(word("name", 32).primary_key()).col(number("value").not_null()).take()
}

/// What is true of the installation as a whole: so far by which key its secrets are kept.
fn installation() -> TableCreateStatement {
    table("installation").col(word("name", 32).primary_key()).col(fingerprint("value").not_null()).take()
}

/// Changing a shift adds a row; records refer to the row under which they were made.
fn shifts() -> TableCreateStatement {
    table("shifts")
        .col(id("id").primary_key())
        .col(id("version_of").null()) // The first version, whose id is the shift's.
        .col(date("from_date").null())
        .col(small("revised").not_null().default(1))
        .col(instant("retired_at").null())
        .col(flag("is_default").null()) // True or NULL, so that a unique index allows one default only.
        .col(word("name", 200).not_null())
        .col(text("rules").not_null()) // One JSON document; `storage/src/shift_rules.rs` says what is in it.
        .take()
}

fn departments(backend: DbBackend) -> TableCreateStatement {
    let mut table = table("departments");
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
        .col(text("geofences").null()) // An array of JSON, only ever read and written whole. None of them is NULL.
        .col(instant("created_at").not_null())
        .col(small("revision").not_null().default(1))
        .foreign_key(&mut reference("departments", "parent_id", "departments"))
        .foreign_key(&mut reference("departments", "default_shift_id", "shifts"));
    // Departments and people refer to each other. SQLite accepts a reference to a table that is yet to come, and cannot
    // add one later; MySQL wants both tables to exist first.
    if backend == DbBackend::Sqlite {
        table.foreign_key(&mut managed_by());
    }
    table
}

pub(super) fn managed_by() -> ForeignKeyCreateStatement {
    reference("departments", "manager_id", "users")
}

fn users() -> TableCreateStatement {
    table("users")
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
        .col(text("status_reason").null())
        .col(id("status_changed_by").null())
        .col(instant("status_changed_at").null())
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
        .foreign_key(&mut reference("users", "department_id", "departments"))
        .foreign_key(&mut reference("users", "default_shift_id", "shifts"))
        .take()
}

fn user_settings() -> TableCreateStatement {
    table("user_settings")
        .col(id("user_id").primary_key())
        .col(word("theme", 16).not_null())
        .col(flag("notifications").not_null())
        .col(word("language", 35).not_null())
        .foreign_key(&mut reference("user_settings", "user_id", "users"))
        .take()
}

pub(super) fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        unique("shifts", "is_default", &["is_default"]),
        unique("departments", "name_key", &["name_key"]),
        unique("departments", "code_key", &["code_key"]),
        index("departments", "manager_id", &["manager_id"]),
        index("departments", "parent_id", &["parent_id"]),
        index("departments", "default_shift_id", &["default_shift_id"]),
        unique("users", "email_key", &["email_key", "tombstone"]),
        unique("users", "employee_code_key", &["employee_code_key", "tombstone"]),
        index("users", "name_key", &["name_key", "id"]),
        index("users", "created_at", &["created_at", "id"]),
        index("users", "last_login_at", &["last_login_at", "id"]),
        index("users", "department_id", &["department_id", "status"]),
        index("users", "default_shift_id", &["default_shift_id"]),
        index("users", "role", &["role", "status"]),
        index("users", "face_change", &["face_change"]),
    ]
}
