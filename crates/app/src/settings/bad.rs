//! Settings that cannot be used, and values that are never shown.

use std::fmt;

/// A value that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub(super) String);

impl Secret {
    /// Takes the secret.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// A setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadSetting {
    pub(super) key: &'static str,
    pub(super) value: String,
    pub(super) expected: String,
}

impl fmt::Display for BadSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={} is not usable: {}", self.key, self.value, self.expected)
    }
}

/// Settings that cannot be used: all of them at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadSettings(pub Vec<BadSetting>);

impl BadSettings {
    /// A secret that cannot be used; it is named and not shown.
    #[must_use]
    pub fn secret(key: &'static str, expected: String) -> Self {
        Self(vec![BadSetting { key, value: "…".into(), expected }])
    }

    /// A setting that cannot be used, with its value.
    #[must_use]
    pub fn named(key: &'static str, value: &str, expected: String) -> Self {
        Self(vec![BadSetting { key, value: value.into(), expected }])
    }
}

impl fmt::Display for BadSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for BadSettings {}
