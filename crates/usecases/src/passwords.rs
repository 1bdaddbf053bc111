//! New passwords: good enough, hashed, or made up.

use rollcall_domain::user::{Password, PasswordHash, PasswordRule};
use rollcall_ports::ids::IdSource;
use rollcall_ports::passwords::{PasswordError, Passwords};

use crate::rules::Rules;

/// Why a new password was not taken.
#[derive(Debug, thiserror::Error)]
pub enum NewPasswordError {
    /// It will not do.
    #[error(transparent)]
    Weak(#[from] PasswordRule),
    /// Hashing failed.
    #[error(transparent)]
    Failed(#[from] PasswordError),
}

/// Checks a new password and hashes it; `about` is what is known of the person.
pub(crate) async fn hash_new(
    passwords: &dyn Passwords,
    rules: &Rules,
    password: Password,
    about: &[&str],
) -> Result<PasswordHash, NewPasswordError> {
    check_strength(passwords, rules, &password, about)?;
    Ok(passwords.hash(password).await?)
}

/// Checks a new password: long enough, and not among the first an attacker would try.
pub(crate) fn check_strength(
    passwords: &dyn Passwords,
    rules: &Rules,
    password: &Password,
    about: &[&str],
) -> Result<(), PasswordRule> {
    password.at_least(rules.password_min_length)?;
    if passwords.is_guessable(password, about) { Err(PasswordRule::Guessable) } else { Ok(()) }
}

/// A password that nobody knows yet: 96 unguessable bits.
pub(crate) fn made_up(ids: &dyn IdSource) -> Result<Password, PasswordRule> {
    Password::new(secret_text("rcp", &ids.secret()[..12]))
}

/// A secret as text: a prefix that tells scanners what was leaked, and hexadecimal digits.
pub(crate) fn secret_text(prefix: &str, secret: &[u8]) -> String {
    use std::fmt::Write;
    secret.iter().fold(format!("{prefix}_"), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
