//! What is known of faces: templates, and what came of each search among them.

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
        manager.create_table(face_encodings(manager)).await?;
        manager.create_table(recognition_decisions(manager)).await?;
        let indexes = [
            unique("face_encodings", "digest", ["user_id", "model_id", "digest"]),
            index("face_encodings", "created_at", ["user_id", "created_at", "id"]),
            index("face_encodings", "created_by", ["created_by"]),
            index("recognition_decisions", "user_id", ["user_id", "model_id", "at"]),
            index("recognition_decisions", "at", ["at"]),
        ];
        create_indexes(manager, indexes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["recognition_decisions", "face_encodings"]).await
    }
}

const MEASURES: [&str; 10] = [
    "detector",
    "eye_distance",
    "face_px",
    "sharpness",
    "brightness",
    "contrast",
    "overexposed",
    "yaw",
    "pitch",
    "roll",
];

fn face_encodings(manager: &SchemaManager<'_>) -> TableCreateStatement {
    let mut table = table(manager, "face_encodings");
    table
        .col(id("id").primary_key())
        .col(id("user_id").not_null())
        .col(word("model_id", 100).not_null())
        .col(word("metric", 16).not_null())
        .col(small("dim").not_null())
        .col(ColumnDef::new("sealed").blob().not_null()) // The vector, encrypted; up to 64 KB.
        .col(fingerprint("digest").not_null());
    for name in MEASURES {
        table.col(measure(name).not_null());
    }
    table
        .col(word("source", 16).not_null())
        .col(id("created_by").null())
        .col(instant("created_at").not_null())
        .foreign_key(&mut reference("face_encodings", "user_id", "users", "id"))
        .foreign_key(&mut reference("face_encodings", "created_by", "users", "id"))
        .take()
}

/// No foreign keys, on purpose: the log is written in batches behind everybody's back, must neither lock the
/// rows of people and devices nor lose a whole batch to one of them, and outlives what it mentions.
fn recognition_decisions(manager: &SchemaManager<'_>) -> TableCreateStatement {
    let mut table = table(manager, "recognition_decisions");
    table
        .col(id("id").primary_key())
        .col(instant("at").not_null())
        .col(id("device_id").null())
        .col(id("asked_by").null())
        .col(word("model_id", 100).not_null())
        .col(number("people").not_null())
        .col(word("result", 16).not_null())
        .col(text("reason").null())
        .col(id("user_id").null())
        .col(measure("best").null())
        .col(measure("second").null())
        .col(measure("threshold").not_null())
        .col(measure("margin").not_null());
    for name in MEASURES {
        table.col(measure(name).null());
    }
    table
}
