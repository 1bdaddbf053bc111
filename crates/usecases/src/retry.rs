//! Writing again what somebody else was faster with.

/// A write that met another one is read, decided and tried again this often. Each time sees what the other one stored, so
/// the second time nearly always succeeds.
pub(crate) const RETRIES: usize = 16;
