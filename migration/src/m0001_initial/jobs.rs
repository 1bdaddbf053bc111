//! What is worked on beside the requests.

use sea_orm_migration::prelude::*;

use crate::columns::*;

pub(super) fn tables() -> Vec<TableCreateStatement> {
    vec![jobs(), job_chunks()]
}

fn jobs() -> TableCreateStatement {
    table("jobs")
        .col(id("id").primary_key())
        .col(id("owner_id").not_null())
        // No reference: a job outlives the login it was asked for through.
        .col(id("session_id").not_null())
        .col(word("kind", 16).not_null())
        .col(text("parameters").not_null())
        .col(word("state", 16).not_null())
        .col(number("progress_done").not_null())
        .col(number("progress_total").not_null())
        .col(instant("created_at").not_null())
        .col(instant("started_at").null())
        .col(instant("finished_at").null())
        .col(instant("expires_at").null())
        // Who works on it, the attempt, and until when nobody else may.
        .col(id("claimed_by").null())
        .col(small("attempts").not_null())
        .col(instant("lease_until").null())
        .col(small("status").null())
        .col(word("media_type", 100).null())
        .col(word("file_name", 200).null())
        .col(number("size").null())
        .col(word("problem", 64).null())
        .col(fingerprint("scope").null())
        .foreign_key(&mut reference("jobs", "owner_id", "users"))
        .take()
}

/// The bytes of a job in order, in pieces of at most 256 KiB. A `BLOB` of MySQL holds a quarter of that; SQLite takes
/// any name with "BLOB" in it for bytes.
fn job_chunks() -> TableCreateStatement {
    table("job_chunks")
        .col(id("job_id").not_null())
        .col(word("part", 8).not_null())
        .col(small("n").not_null())
        .col(ColumnDef::new("bytes").custom("MEDIUMBLOB").not_null())
        .primary_key(Index::create().col("job_id").col("part").col("n"))
        .foreign_key(&mut reference("job_chunks", "job_id", "jobs"))
        .take()
}

pub(super) fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        index("jobs", "owner_id", &["owner_id"]),
        // Who has waited longest, and whose lease has run out.
        index("jobs", "state", &["state", "created_at"]),
        index("jobs", "expires_at", &["expires_at"]),
    ]
}
