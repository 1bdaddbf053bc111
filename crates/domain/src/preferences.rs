//! What a person has chosen about the console.

/// A person's own settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preferences {
    /// Colors of the console.
    pub theme: Theme,
    /// Whether notifications are wanted.
    pub notifications: bool,
    /// Language of the console, a BCP 47 tag.
    pub language: String,
}

impl Default for Preferences {
    fn default() -> Self {
        Self { theme: Theme::System, notifications: true, language: "en".into() }
    }
}

crate::words! {
    /// Colors of the console.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Theme {
        /// As the operating system says.
        System = "system",
        /// Dark on light.
        Light = "light",
        /// Light on dark.
        Dark = "dark",
    }
}

/// A language tag such as `en` or `pt-BR`: 2 to 35 characters of letters, digits and hyphens.
#[must_use]
pub fn is_language_tag(tag: &str) -> bool {
    (2..=35).contains(&tag.len())
        && tag
            .split('-')
            .all(|part| (1..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric()))
        && tag.starts_with(|c: char| c.is_ascii_alphabetic())
}
