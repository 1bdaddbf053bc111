//! Who is let in: logins and their refresh tokens, attempts and invitations, and devices.

use sea_orm_migration::prelude::*;

use crate::columns::*;

pub(super) fn tables() -> Vec<TableCreateStatement> {
    vec![sessions(), refresh_tokens(), login_attempts(), invitations(), devices()]
}

/// `token_version` is the generation of credentials that a login was opened with.
fn sessions() -> TableCreateStatement {
    table("sessions")
        .col(id("id").primary_key())
        .col(id("user_id").not_null())
        .col(small("token_version").not_null().default(0))
        .col(instant("created_at").not_null())
        .col(instant("expires_at").not_null())
        .col(instant("ended_at").null())
        .foreign_key(&mut reference("sessions", "user_id", "users"))
        .take()
}

fn refresh_tokens() -> TableCreateStatement {
    table("refresh_tokens")
        .col(fingerprint("fingerprint").primary_key())
        .col(id("session_id").not_null())
        .col(instant("used_at").null())
        .foreign_key(&mut reference("refresh_tokens", "session_id", "sessions"))
        .take()
}

/// Failures by the fingerprint of the address that was tried, whether or not it has an account: whoever is told to
/// wait must not learn that there is one, and what strangers type in is not kept.
fn login_attempts() -> TableCreateStatement {
    table("login_attempts")
        .col(fingerprint("address").primary_key())
        .col(small("failed_logins").not_null())
        .col(instant("failed_at").not_null())
        .col(instant("locked_until").null())
        .take()
}

/// Fingerprints of invitations that were not accepted yet, one a person.
fn invitations() -> TableCreateStatement {
    table("invitations")
        .col(fingerprint("fingerprint").primary_key())
        .col(id("user_id").not_null())
        .col(instant("expires_at").not_null())
        .foreign_key(&mut reference("invitations", "user_id", "users"))
        .take()
}

fn devices() -> TableCreateStatement {
    table("devices")
        .col(id("id").primary_key())
        .col(word("name", 255).not_null())
        .col(flag("may_enroll").not_null())
        .col(fingerprint("key_fingerprint").not_null())
        .col(instant("created_at").not_null())
        .col(instant("revoked_at").null())
        .take()
}

pub(super) fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        index("sessions", "user_id", &["user_id", "ended_at"]),
        index("refresh_tokens", "session_id", &["session_id"]),
        index("login_attempts", "failed_at", &["failed_at"]),
        unique("invitations", "user_id", &["user_id"]),
    ]
}
