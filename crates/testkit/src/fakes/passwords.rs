//! Password "hashing" that takes no time and keeps no secret.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use rollcall_domain::text::canonical;
use rollcall_domain::user::{Password, PasswordHash};
use rollcall_ports::passwords::{PasswordError, Passwords, Verified};

const TAG: &str = "test-only:";
const OLD_TAG: &str = "test-only-old:";

/// Writes a tag before the password's bytes.
#[derive(Debug, Default)]
pub struct FakePasswords {
    busy: AtomicBool,
}

impl FakePasswords {
    /// Whether every call is refused with [`PasswordError::Busy`] from now on.
    pub fn set_busy(&self, busy: bool) {
        self.busy.store(busy, Ordering::Relaxed);
    }

    /// The stored form of a password.
    #[must_use]
    pub fn hash_of(password: &str) -> PasswordHash {
        PasswordHash::from_stored(format!("{TAG}{}", hex(password)))
    }

    /// The stored form of a password under a scheme that should be replaced.
    #[must_use]
    pub fn outdated_hash_of(password: &str) -> PasswordHash {
        PasswordHash::from_stored(format!("{OLD_TAG}{}", hex(password)))
    }

    fn free(&self) -> Result<(), PasswordError> {
        if self.busy.load(Ordering::Relaxed) { Err(PasswordError::Busy) } else { Ok(()) }
    }
}

fn hex(password: &str) -> String {
    password.bytes().map(|byte| format!("{byte:02x}")).collect()
}

#[async_trait]
impl Passwords for FakePasswords {
    async fn hash(&self, password: Password) -> Result<PasswordHash, PasswordError> {
        self.free()?;
        Ok(Self::hash_of(password.as_str()))
    }

    async fn verify(
        &self,
        password: Password,
        hash: Option<PasswordHash>,
    ) -> Result<Verified, PasswordError> {
        self.free()?;
        Ok(match hash {
            Some(hash) if hash == Self::hash_of(password.as_str()) => Verified::Yes,
            Some(hash) if hash == Self::outdated_hash_of(password.as_str()) => Verified::Outdated,
            _ => Verified::No,
        })
    }

    fn is_guessable(&self, password: &Password, about: &[&str]) -> bool {
        let bare = |text: &str| -> String { canonical(text).chars().filter(|c| c.is_alphabetic()).collect() };
        let letters = bare(password.as_str());
        let common = ["", "password", "qwertyuiop", "letmein", "rollcall"];
        let local = |text: &str| text.split('@').next().map(bare).unwrap_or_default();
        common.contains(&letters.as_str())
            || about.iter().any(|about| letters == bare(about) || letters == local(about))
    }
}
