//! Who changed what.

use sea_orm_migration::prelude::*;

use crate::columns::*;

/// Lines refer to nothing that has to be there: they outlive what they tell of. States are objects of JSON.
pub(super) fn tables() -> Vec<TableCreateStatement> {
    let lines = table("audit_entries")
        .col(id("id").primary_key())
        .col(instant("at").not_null())
        .col(id("actor_id").null())
        .col(id("device_id").null())
        .col(word("action", 32).not_null())
        .col(id("subject_id").null())
        .col(word("target_kind", 16).not_null())
        .col(id("target_id").not_null())
        .col(date("work_date").null())
        .col(id("batch_id").null())
        .col(text("reason").null())
        .col(text("state_before").null())
        .col(text("state_after").null())
        .take();
    vec![lines]
}

pub(super) fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        index("audit_entries", "at", &["at", "id"]),
        index("audit_entries", "subject_id", &["subject_id", "at", "id"]),
        index("audit_entries", "actor_id", &["actor_id", "at", "id"]),
        index("audit_entries", "action", &["action", "at", "id"]),
        index("audit_entries", "batch_id", &["batch_id", "at", "id"]),
    ]
}
