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

/// Where a setting is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: &'static str,
    /// From 1.
    pub(super) line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}", self.file, self.line)
    }
}

/// A setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadSetting(String);

impl BadSetting {
    /// This value of this key does not do; a secret is given as `…`.
    pub(super) fn value(place: Option<Place>, key: &str, value: &str, expected: &str) -> Self {
        let what = format!("{key}={value} is not usable: {expected}");
        match place {
            Some(place) => Self::at(place, what),
            None => Self(what),
        }
    }

    /// What is wrong in this line.
    pub(super) fn at(place: Place, what: String) -> Self {
        Self(format!("{place}: {what}"))
    }

    /// What is wrong with all of a file.
    pub(super) fn of_file(file: &'static str, what: String) -> Self {
        Self(format!("{file} {what}"))
    }
}

impl fmt::Display for BadSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Settings that cannot be used: all of them at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadSettings(pub Vec<BadSetting>);

impl BadSettings {
    /// A secret that cannot be used; it is named and not shown.
    #[must_use]
    pub fn secret(key: &'static str, expected: String) -> Self {
        Self(vec![BadSetting::value(None, key, "…", &expected)])
    }

    /// A setting that cannot be used, with its value.
    #[must_use]
    pub fn named(key: &'static str, value: &str, expected: String) -> Self {
        Self(vec![BadSetting::value(None, key, value, &expected)])
    }
}

impl fmt::Display for BadSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for BadSettings {}
