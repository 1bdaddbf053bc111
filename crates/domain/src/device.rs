//! Kiosks and cameras.

use jiff::Timestamp;

use crate::id::DeviceId;

/// A kiosk or camera that may ask who is in front of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its identifier.
    pub id: DeviceId,
    /// Where it hangs, in the operator's words.
    pub name: String,
    /// Whether it may enroll faces.
    pub may_enroll: bool,
    /// Fingerprint of its key; the key itself is shown once and kept nowhere.
    pub key: [u8; 32],
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was turned away for good, if it was.
    pub revoked_at: Option<Timestamp>,
}
