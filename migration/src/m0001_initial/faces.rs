//! What is known of faces: templates, and what came of each search among them.

use sea_orm_migration::prelude::*;

use crate::columns::*;

pub(super) fn tables() -> Vec<TableCreateStatement> {
    vec![face_encodings(), recognition_log()]
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

fn face_encodings() -> TableCreateStatement {
    let mut table = table("face_encodings");
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
        .foreign_key(&mut reference("face_encodings", "user_id", "users"))
        .foreign_key(&mut reference("face_encodings", "created_by", "users"))
        .take()
}

/// No foreign keys, on purpose: the log is written in batches behind everybody's back, must neither lock the
/// rows of people and devices nor lose a whole batch to one of them, and outlives what it mentions.
fn recognition_log() -> TableCreateStatement {
    let mut table = table("recognition_log");
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

pub(super) fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        unique("face_encodings", "digest", &["user_id", "model_id", "digest"]),
        index("face_encodings", "created_at", &["user_id", "created_at", "id"]),
        index("face_encodings", "created_by", &["created_by"]),
        index("recognition_log", "user_id", &["user_id", "model_id", "at"]),
        index("recognition_log", "at", &["at"]),
    ]
}
