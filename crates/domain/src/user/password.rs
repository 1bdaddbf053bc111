//! Passwords: in the clear for as long as it takes to hash them, and what is stored of them.

use std::fmt;

/// A password in the clear: never printed, wiped by whoever hashes it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

/// The password is too short or too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRule {
    /// Fewer characters than the installation asks for.
    #[error("must have at least {0} characters")]
    TooShort(usize),
    /// More bytes than are accepted.
    #[error("must have at most {} bytes", Password::MAX_BYTES)]
    TooLong,
    /// Among the first an attacker tries.
    #[error("is too easy to guess")]
    Guessable,
}

impl Password {
    /// Longest password accepted; every byte counts.
    pub const MAX_BYTES: usize = 1024;

    /// Takes a password as typed: nothing is trimmed or folded.
    ///
    /// # Errors
    /// [`PasswordRule::TooLong`] beyond [`Self::MAX_BYTES`].
    pub fn new(text: String) -> Result<Self, PasswordRule> {
        if text.len() > Self::MAX_BYTES { Err(PasswordRule::TooLong) } else { Ok(Self(text)) }
    }

    /// Checks the length a new password must have, in characters.
    ///
    /// # Errors
    /// [`PasswordRule::TooShort`].
    pub fn at_least(&self, min: usize) -> Result<(), PasswordRule> {
        if self.0.chars().count() < min { Err(PasswordRule::TooShort(min)) } else { Ok(()) }
    }

    /// The password itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// What is stored of a password: scheme tag, salt, cost and hash. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes a hash as stored; whoever verifies judges its form.
    #[must_use]
    pub const fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// As stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_measured_in_characters_and_bounded_in_bytes() {
        let emoji = Password::new("😀".repeat(64)).unwrap();
        assert_eq!(emoji.at_least(64), Ok(()));
        assert_eq!(emoji.at_least(65), Err(PasswordRule::TooShort(65)));
        assert_eq!(Password::new("a".repeat(1025)), Err(PasswordRule::TooLong));
        assert_eq!(format!("{emoji:?}"), "Password(…)");
    }
}
