//! New identifiers and secrets, asked instead of made, so that tests can repeat them.

use uuid::Uuid;

/// Makes identifiers that nobody has seen before.
pub trait IdSource: Send + Sync {
    /// A new UUID; version 7 where order of creation is welcome.
    fn next(&self) -> Uuid;

    /// 256 unguessable bits from the operating system.
    fn secret(&self) -> [u8; 32];
}
