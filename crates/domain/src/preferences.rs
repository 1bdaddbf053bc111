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

/// Colors of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// As the operating system says.
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// Every theme there is.
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// The stable word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.name() == name)
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
