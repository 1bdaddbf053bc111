//! Encryption of what is stored: templates are biometric data and are never at rest in the clear.

/// Seals bytes with a key that only this installation has.
pub trait Sealer: Send + Sync {
    /// Encrypts and authenticates `plain`, bound to `context`: only the same context opens it. Sealing the
    /// same bytes twice gives different results.
    ///
    /// # Errors
    /// [`SealError`] when the bytes cannot be encrypted.
    fn seal(&self, plain: &[u8], context: &[u8]) -> Result<Vec<u8>, SealError>;

    /// The bytes that were sealed.
    ///
    /// # Errors
    /// [`SealError`] when key or context differ, or a single bit was changed.
    fn open(&self, sealed: &[u8], context: &[u8]) -> Result<Vec<u8>, SealError>;
}

/// The bytes could not be sealed or opened; nothing more is said, on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stored data cannot be opened with this key")]
pub struct SealError;
