//! Ports that are one small library or the operating system: time, identifiers, passwords, tokens, encryption.
//!
//! | File | Implements | With |
//! |---|---|---|
//! | `clock` | `Clock` | the system clock |
//! | `ids` | `IdSource` | UUID version 7, the system's random numbers |
//! | `passwords` | `Passwords` | bcrypt over HMAC-SHA-384, zxcvbn |
//! | `tokens` | `AccessTokens` | JWT, HS256 only |
//! | `crypto` | `Sealer` | AES-256-GCM, keys derived by HKDF-SHA-256 |
//! | `disk` | `DiskProbe` | statvfs |
//! | `keys` | – | secrets: from settings or from a file only the owner can read |
#![doc = include_str!("../README.md")]

mod clock;
mod crypto;
mod disk;
mod ids;
mod keys;
mod passwords;
mod tokens;

pub use clock::SystemClock;
pub use crypto::{AesGcmSealer, Keys, Seal};
pub use disk::FolderProbe;
pub use ids::SystemIds;
pub use keys::{JwtSecret, Key256, KeyFileError, WeakSecret};
pub use passwords::{BcryptPasswords, PasswordOptions, PasswordSetupError};
pub use tokens::{JwtTokens, TokenSetupError};
