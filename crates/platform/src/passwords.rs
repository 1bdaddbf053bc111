//! Passwords by bcrypt, without its traps.
//!
//! bcrypt sees at most 72 bytes and stops at a zero byte. It is therefore given the base64 of
//! HMAC-SHA-384(pepper, password): 64 bytes that depend on every byte of the password, and that cannot be
//! computed from a stolen database alone (OWASP Password Storage Cheat Sheet, "Pre-Hashing Passwords with
//! bcrypt"). The tag `bp1` before the hash names this scheme.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bcrypt::{HashParts, non_truncating_hash, non_truncating_verify};
use hmac::{Hmac, KeyInit, Mac};
use rollcall_domain::user::{Password, PasswordHash};
use rollcall_ports::passwords::{PasswordError, Passwords, Verified};
use sha2::Sha384;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::ids::random;
use crate::keys::Key256;

const SCHEME: &str = "bp1";
/// What an attacker tries first: the most used passwords and their variations.
const GUESSABLE: u64 = 100_000;
/// Characters judged at each end of a password; the judgment's cost grows faster than the length.
const JUDGED: usize = 48;

/// How much work a password is, and how much of it at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordOptions {
    /// Base-2 logarithm of the rounds, [`Self::MIN_COST`]`..=`[`Self::MAX_COST`]. Below 10 is for tests.
    pub cost: u32,
    /// Passwords hashed at a time.
    pub workers: usize,
    /// Passwords that may wait for a worker.
    pub waiting: usize,
}

impl PasswordOptions {
    /// Least cost that bcrypt knows.
    pub const MIN_COST: u32 = 4;
    /// Greatest cost accepted: some 6 seconds a password.
    pub const MAX_COST: u32 = 16;
}

impl Default for PasswordOptions {
    /// Cost 12, as many workers as processors, and so many waiting that nobody waits for longer than eight hashes.
    fn default() -> Self {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        Self { cost: 12, workers, waiting: 8 * workers }
    }
}

/// The options cannot be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordSetupError {
    /// No work at all, or hours of it.
    #[error("the cost is {min} to {max}, not {0}", min = PasswordOptions::MIN_COST, max = PasswordOptions::MAX_COST)]
    Cost(u32),
    /// Nobody would do the work.
    #[error("there must be between 1 and 1024 workers, and at most 65536 waiting")]
    Queue,
    /// The library failed.
    #[error("a password hashed for a trial failed")]
    SelfTest,
}

/// Hashes passwords on a bounded number of blocking threads, with a bounded line before them.
pub struct BcryptPasswords {
    scheme: Arc<Scheme>,
    /// Everybody inside: being served or waiting.
    inside: Arc<Semaphore>,
    /// Being served.
    served: Arc<Semaphore>,
}

/// The synchronous part.
struct Scheme {
    pepper: Key256,
    cost: u32,
    /// The hash of a password that nobody has, verified for accounts that do not exist.
    dummy: String,
}

impl BcryptPasswords {
    /// Passwords mixed with `pepper`. Takes the time of one hash, for the hash that stands in for accounts
    /// that do not exist.
    ///
    /// # Errors
    /// [`PasswordSetupError`] for options out of range.
    pub fn new(pepper: Key256, options: PasswordOptions) -> Result<Self, PasswordSetupError> {
        let PasswordOptions { cost, workers, waiting } = options;
        if !(PasswordOptions::MIN_COST..=PasswordOptions::MAX_COST).contains(&cost) {
            return Err(PasswordSetupError::Cost(cost));
        }
        if !(1..=1024).contains(&workers) || waiting > 65_536 {
            return Err(PasswordSetupError::Queue);
        }
        let mut scheme = Scheme { pepper, cost, dummy: String::new() };
        scheme.dummy = scheme.hash(&random::<32>()).map_err(|_| PasswordSetupError::SelfTest)?;
        Ok(Self {
            scheme: Arc::new(scheme),
            inside: Arc::new(Semaphore::new(workers + waiting)),
            served: Arc::new(Semaphore::new(workers)),
        })
    }

    /// Runs `work` on a blocking thread as soon as one is free. Work that has begun keeps its place until it
    /// ends, even if nobody waits for it any more: bcrypt cannot be interrupted.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Scheme) -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let place = Arc::clone(&self.inside).try_acquire_owned().map_err(|_| PasswordError::Busy)?;
        let turn = Arc::clone(&self.served).acquire_owned().await.map_err(failed)?;
        let scheme = Arc::clone(&self.scheme);
        let done = tokio::task::spawn_blocking(move || {
            let _held_until_done = (place, turn);
            work(&scheme)
        });
        done.await.map_err(failed)?
    }
}

impl std::fmt::Debug for BcryptPasswords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BcryptPasswords").field("cost", &self.scheme.cost).finish_non_exhaustive()
    }
}

#[async_trait]
impl Passwords for BcryptPasswords {
    async fn hash(&self, password: Password) -> Result<PasswordHash, PasswordError> {
        self.run(move |scheme| scheme.hash(password.as_bytes()).map(PasswordHash::from_stored)).await
    }

    /// A stored hash of no known form matches nothing, after the same work.
    async fn verify(
        &self,
        password: Password,
        hash: Option<PasswordHash>,
    ) -> Result<Verified, PasswordError> {
        self.run(move |scheme| scheme.verify(password.as_bytes(), hash.as_ref().map(PasswordHash::as_str)))
            .await
    }

    fn is_guessable(&self, password: &Password, about: &[&str]) -> bool {
        is_guessable(password.as_str(), about)
    }
}

impl Scheme {
    fn hash(&self, password: &[u8]) -> Result<String, PasswordError> {
        let hash = non_truncating_hash(self.peppered(password)?.as_bytes(), self.cost).map_err(failed)?;
        Ok(format!("{SCHEME}{hash}"))
    }

    fn verify(&self, password: &[u8], stored: Option<&str>) -> Result<Verified, PasswordError> {
        let known = stored.and_then(|stored| {
            let (scheme, hash) = stored.split_at_checked(stored.find('$')?)?;
            let cost = hash.parse::<HashParts>().ok()?.get_cost();
            // A cost that would keep a worker for minutes is not one of ours.
            let ours = ["$2a$", "$2b$", "$2y$"].iter().any(|version| hash.starts_with(version));
            (ours && cost <= PasswordOptions::MAX_COST).then_some((scheme, hash, cost))
        });
        match known {
            Some((SCHEME, hash, cost)) => {
                let right =
                    non_truncating_verify(self.peppered(password)?.as_bytes(), hash).map_err(failed)?;
                Ok(match right {
                    true if cost < self.cost => Verified::Outdated,
                    true => Verified::Yes,
                    false => Verified::No,
                })
            }
            Some(("", hash, _)) => {
                let right = verify_imported(password, hash)?;
                Ok(if right { Verified::Outdated } else { Verified::No })
            }
            _ => {
                let dummy = self.dummy.trim_start_matches(SCHEME);
                non_truncating_verify(self.peppered(password)?.as_bytes(), dummy).map_err(failed)?;
                Ok(Verified::No)
            }
        }
    }

    /// 64 characters that depend on all of `password`.
    fn peppered(&self, password: &[u8]) -> Result<Zeroizing<String>, PasswordError> {
        let mut mac = Hmac::<Sha384>::new_from_slice(self.pepper.expose()).map_err(failed)?;
        mac.update(password);
        let digest = Zeroizing::new(<[u8; 48]>::from(mac.finalize().into_bytes()));
        Ok(Zeroizing::new(STANDARD.encode(*digest)))
    }
}

/// Verifies a plain bcrypt hash as Flask-Bcrypt made it: of the first 72 bytes.
fn verify_imported(password: &[u8], hash: &str) -> Result<bool, PasswordError> {
    const SEEN: usize = 72;
    let seen = &password[..password.len().min(SEEN)];
    // The non-truncating form counts a closing zero byte and would refuse exactly 72 bytes, which are cut
    // to size already.
    let right = match seen.len() {
        SEEN => bcrypt::verify(seen, hash),
        _ => non_truncating_verify(seen, hash),
    };
    // Such a hash may have been made of the part before a zero byte only. It was never a password there.
    Ok(right.map_err(failed)? && !password.contains(&0))
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> PasswordError {
    PasswordError::Failed(Box::new(error))
}

fn is_guessable(password: &str, about: &[&str]) -> bool {
    let folded = Zeroizing::new(password.to_lowercase());
    let is_contained =
        |address: &&str| address.contains('@') && folded.contains(&address.trim().to_lowercase());
    if about.iter().any(is_contained) {
        return true;
    }
    // Names and addresses as a whole and in parts, as people use them.
    let parts = about.iter().flat_map(|fact| fact.split(|c: char| !c.is_alphanumeric()));
    let known: Vec<&str> = ["rollcall", "attendance"]
        .into_iter()
        .chain(about.iter().copied())
        .chain(parts.filter(|part| part.chars().count() > 2))
        .map(|fact| fact.char_indices().nth(JUDGED).map_or(fact, |(end, _)| &fact[..end]))
        .take(32)
        .collect();
    let is_weak = |text: &str| zxcvbn::zxcvbn(text, &known).guesses() < GUESSABLE;
    let (end, start) = (password.char_indices().nth(JUDGED), password.char_indices().nth_back(JUDGED - 1));
    match (end, start) {
        // A long password is as strong as the stronger of its ends.
        (Some((end, _)), Some((start, _))) => is_weak(&password[..end]) && is_weak(&password[start..]),
        _ => is_weak(password),
    }
}

#[cfg(test)]
mod tests;
