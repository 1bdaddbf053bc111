//! Text as people type it, and the canonical form in which it is compared.

use unicode_normalization::UnicodeNormalization;

/// Least length of a reason, in characters, wherever one is asked for.
pub const MIN_REASON: usize = 5;

/// The form in which names and addresses are compared: NFKC, lower case, without invisible characters,
/// runs of white space as one space, none at the ends.
///
/// Both databases store and compare this form with a binary collation, so that neither's own idea of
/// equality decides whether `Bob@x.com` and `bob@x.com` are one person.
#[must_use]
pub fn canonical(text: &str) -> String {
    // Invisible characters go first: one between a letter and its accent would keep the two apart.
    let visible = text.chars().filter(|c| !is_invisible(*c));
    let folded: String =
        visible.nfkc().flat_map(char::to_lowercase).nfkc().filter(|c| !is_invisible(*c)).collect();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Zero-width and bidirectional format characters: they change nothing a reader sees but would make two
/// equal-looking names differ, or show a name in another order.
#[must_use]
pub const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// Why a text was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing but white space.
    #[error("must not be empty")]
    Empty,
    /// More characters than the field holds.
    #[error("must have at most {0} characters")]
    TooLong(usize),
    /// A control or invisible character.
    #[error("must not contain control or invisible characters")]
    Control,
}

/// Trims `text` and accepts 1 to `max` characters without control characters.
///
/// # Errors
/// [`TextError`] naming the first rule that is broken.
pub fn line(text: &str, max: usize) -> Result<String, TextError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(TextError::Empty);
    }
    if text.chars().count() > max {
        return Err(TextError::TooLong(max));
    }
    if text.chars().any(|c| c.is_control() || is_invisible(c)) {
        return Err(TextError::Control);
    }
    Ok(text.nfc().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_looking_texts_have_one_canonical_form() {
        for (a, b) in [
            ("Bob@X.com", "bob@x.com"),
            ("José", "Jose\u{301}"),
            (" Ada  Lovelace ", "ada lovelace"),
            ("ad\u{200B}a", "ada"),
            ("e\u{200B}\u{301}", "é"),
            ("Ａｄａ", "ada"),
        ] {
            assert_eq!(canonical(a), canonical(b), "{a:?} and {b:?}");
        }
        assert_ne!(canonical("josé"), canonical("jose"));
        assert_ne!(canonical("mıke"), canonical("mike"));
    }

    #[test]
    fn a_line_is_trimmed_bounded_and_printable() {
        assert_eq!(line("  Ada ", 10).as_deref(), Ok("Ada"));
        assert_eq!(line(" \t", 10), Err(TextError::Empty));
        assert_eq!(line("abc", 2), Err(TextError::TooLong(2)));
        assert_eq!(line("a\r\nb", 10), Err(TextError::Control));
    }
}
