//! Text as people type it, and the canonical form in which it is compared.

use icu_casemap::CaseMapper;
use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;
use unicode_normalization::UnicodeNormalization;

/// Least length of a reason, in characters, wherever one is asked for.
pub const MIN_REASON: usize = 5;

/// The form in which names and codes are compared: NFKC, case folded, without invisible characters, runs of white
/// space as one space, none at the ends. The canonical form of a canonical form is itself.
///
/// Both databases store and compare this form with a binary collation, so that neither's own idea of
/// equality decides whether `Bob@x.com` and `bob@x.com` are one person. Addresses have a form of their own beside it,
/// [`crate::user::EmailAddress::canonical`], because a domain has two spellings.
#[must_use]
pub fn canonical(text: &str) -> String {
    // Invisible characters go first: one between a letter and its accent would keep the two apart.
    let visible = text.chars().filter(|c| !is_invisible(*c));
    // Letter by letter, taken apart: a capital with an accent folds as its letter does, and ß stays ß, since Strauß and
    // Strauss are two families.
    let letters = visible.nfkd().map(|c| CaseMapper::new().simple_fold(c));
    let folded: String = letters.nfkc().filter(|c| !is_invisible(*c)).collect();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Characters that show nothing by themselves: joiners, selectors of a variant, marks of direction, soft hyphens,
/// fillers, the blank of Braille. How a word is written may need them; whether two words are one does not depend on them.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
        || matches!(c, '\u{2800}' | '\u{FFF9}'..='\u{FFFB}')
}

/// Why a text was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing that anybody could see.
    #[error("must not be empty")]
    Empty,
    /// More characters than the field holds.
    #[error("must have at most {0} characters")]
    TooLong(usize),
    /// A control character; in a line also one that begins another.
    #[error("must not contain the control character U+{:04X}", u32::from(*.0))]
    Control(char),
    /// A character that hides others or shows them in another order than they are in.
    #[error("must not contain U+{:04X}, which hides text or changes its order", u32::from(*.0))]
    Hidden(char),
}

/// Trims `text` and accepts 1 to `max` characters in one line: names, codes, whatever stands in a list.
///
/// What a script needs to be written is accepted: joiners, variation selectors, soft hyphens, marks of direction. What makes a
/// name read as another one is not: control characters, line breaks, and characters that order others.
///
/// # Errors
/// [`TextError`] naming the first rule that is broken.
pub fn line(text: &str, max: usize) -> Result<String, TextError> {
    checked(text, max, Shape::Line)
}

/// Trims `text` and accepts 1 to `max` characters in any number of lines: reasons, notes, addresses, descriptions.
///
/// Line breaks and tabs are kept as they were typed, and so are characters that set a part apart which runs the other way.
/// Control characters are refused, and overrides, which show letters in an order in which nobody wrote them.
///
/// # Errors
/// [`TextError`] naming the first rule that is broken.
pub fn passage(text: &str, max: usize) -> Result<String, TextError> {
    checked(text, max, Shape::Passage)
}

/// Whether a line may have this character in it, beside whatever else.
#[must_use]
pub fn is_of_a_line(c: char) -> bool {
    Shape::Line.refuses(c).is_none()
}

/// Whether a passage may have this character in it, beside whatever else.
#[must_use]
pub fn is_of_a_passage(c: char) -> bool {
    Shape::Passage.refuses(c).is_none()
}

/// How a text stands on a page.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Line,
    Passage,
}

impl Shape {
    fn refuses(self, c: char) -> Option<TextError> {
        let in_a_line = self == Self::Line;
        match c {
            '\t' | '\n' | '\r' if !in_a_line => None,
            _ if c.is_control() => Some(TextError::Control(c)),
            '\u{2028}' | '\u{2029}' => in_a_line.then_some(TextError::Control(c)),
            // Overrides; embeddings and isolates.
            '\u{202D}' | '\u{202E}' => Some(TextError::Hidden(c)),
            '\u{202A}'..='\u{202C}' | '\u{2066}'..='\u{2069}' => in_a_line.then_some(TextError::Hidden(c)),
            '\u{FFF9}'..='\u{FFFB}' => Some(TextError::Hidden(c)),
            _ if is_noncharacter(c) => Some(TextError::Control(c)),
            _ if is_invisible(c) && !is_for_writing(c) => Some(TextError::Hidden(c)),
            _ => None,
        }
    }
}

fn checked(text: &str, max: usize, shape: Shape) -> Result<String, TextError> {
    let text: String = text.trim().nfc().collect();
    if text.chars().all(|c| c.is_whitespace() || is_invisible(c)) {
        return Err(TextError::Empty);
    }
    if text.chars().count() > max {
        return Err(TextError::TooLong(max));
    }
    let mut before = None;
    for c in text.chars() {
        // The flags of some nations are a black flag, spelled letters that nobody sees, and an end.
        let in_a_flag = is_tag(c) && before.is_some_and(|b| b == '\u{1F3F4}' || is_tag(b));
        if let Some(error) = shape.refuses(c).filter(|_| !in_a_flag) {
            return Err(error);
        }
        before = Some(c);
    }
    Ok(text)
}

/// Invisible characters that scripts and emoji are written with.
const fn is_for_writing(c: char) -> bool {
    matches!(c,
        // Soft hyphen, grapheme joiner, Arabic letter mark.
        '\u{00AD}' | '\u{034F}' | '\u{061C}'
        // Fillers of Korean, inherent vowels of Khmer, variants of Mongolian.
        | '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{FFA0}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
        // Spaces without width between words of Thai and Khmer, joiners, marks of direction.
        | '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}'
        // Blank of Braille.
        | '\u{2800}'
        // Variants of emoji and of Japanese names.
        | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

const fn is_tag(c: char) -> bool {
    matches!(c, '\u{E0020}'..='\u{E007F}')
}

/// Code points that will never be characters, which not every format can hold.
const fn is_noncharacter(c: char) -> bool {
    let code = c as u32;
    code & 0xFFFE == 0xFFFE || (code >= 0xFDD0 && code <= 0xFDEF)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Names as they are written.
    const NAMES: [&str; 27] = [
        "علی\u{200C}رضا محمدی",
        "ශ්\u{200D}රී ලංකා",
        "ക്\u{200D}ഷേമ",
        "ന\u{D4D}\u{200D}റെ",
        "👨\u{200D}👩\u{200D}👧\u{200D}👦 Familie",
        "Ada ❤\u{FE0F}",
        "🏴\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F} Iain",
        "محمد بن سلمان",
        "דוד בן־גוריון",
        "דוד \u{200E}(Dave)\u{200F}",
        "สมชาย\u{200B}ใจดี",
        "Nguyễn Thị Minh Khai",
        "Nguye\u{302}\u{303}n",
        "O'Neill",
        "O’Neill",
        "O",
        "ᠮᠣᠩᠭᠣᠯ\u{180B}",
        "ᠠ\u{180E}ᠠ",
        "葛\u{E0100}城市",
        "Donau\u{AD}dampf\u{AD}schiff",
        "José-María Ñáñez",
        "Þórdís Kolbrún Reykfjörð Gylfadóttir",
        "X Æ A-12",
        "ខ្មែរ\u{200B}ភាសា",
        "김\u{3164}철수",
        "क्\u{200D}ष",
        "Jean‑Luc",
    ];

    #[test]
    fn names_are_accepted_as_they_are_written() {
        for name in NAMES {
            assert_eq!(line(name, 200), Ok(name.nfc().collect()), "{name:?}");
            assert_eq!(passage(name, 200), line(name, 200), "{name:?}");
        }
    }

    #[test]
    fn equal_looking_texts_have_one_canonical_form() {
        for (a, b) in [
            ("Bob@X.com", "bob@x.com"),
            ("José", "Jose\u{301}"),
            (" Ada  Lovelace ", "ada lovelace"),
            ("ad\u{200B}a", "ada"),
            ("e\u{200B}\u{301}", "é"),
            ("Ａｄａ", "ada"),
            ("ΟΔΥΣΣΕΥΣ", "Οδυσσευς"),
            ("GROẞ", "groß"),
            ("İ", "i\u{307}"),
            ("علی\u{200C}رضا", "علیرضا"),
            ("ශ්\u{200D}රී", "ශ්රී"),
            ("Ada\u{FE0F}", "Ada"),
            ("葛\u{E0100}城", "葛城"),
            ("Donau\u{AD}", "Donau"),
            ("\u{200F}דוד\u{200E}", "דוד"),
            ("a\u{34F}da", "ada"),
            ("김\u{3164}철수", "김철수"),
            ("ada\u{2800}", "ada"),
            ("ﬁn", "fin"),
            ("a\u{A0}b\tc\r\nd", "a b c d"),
        ] {
            assert_eq!(canonical(a), canonical(b), "{a:?} and {b:?}");
        }
        assert_ne!(canonical("josé"), canonical("jose"));
        assert_ne!(canonical("mıke"), canonical("mike"));
        assert_ne!(canonical("straße"), canonical("strasse"));
    }

    #[test]
    fn a_line_is_trimmed_bounded_and_printable() {
        assert_eq!(line("  Ada ", 10).as_deref(), Ok("Ada"));
        assert_eq!(line(" \t", 10), Err(TextError::Empty));
        assert_eq!(line("abc", 2), Err(TextError::TooLong(2)));
        assert_eq!(line("a\r\nb", 10), Err(TextError::Control('\r')));
    }

    #[test]
    fn a_line_is_in_the_order_in_which_it_was_written_and_all_of_it_is_seen() {
        for c in "\0\u{7}\t\n\u{B}\r\u{1B}\u{7F}\u{85}\u{2028}\u{2029}\u{FFFE}\u{10FFFF}\u{FDD0}".chars() {
            assert_eq!(line(&format!("A{c}da"), 10), Err(TextError::Control(c)), "{c:?}");
        }
        for c in
            "\u{202A}\u{202B}\u{202C}\u{202D}\u{202E}\u{2061}\u{2066}\u{2067}\u{2068}\u{2069}\u{206A}\u{FFF9}\
                  \u{1D173}\u{E0001}\u{E0041}"
                .chars()
        {
            assert_eq!(line(&format!("A{c}da"), 10), Err(TextError::Hidden(c)), "{c:?}");
        }
        for nothing in
            ["\u{200B}", "\u{200D}\u{200C}", "\u{3164}", "\u{2800}", "\u{FEFF} \u{AD}", "\u{E0100}"]
        {
            assert_eq!(line(nothing, 10), Err(TextError::Empty), "{nothing:?}");
            assert_eq!(passage(nothing, 10), Err(TextError::Empty), "{nothing:?}");
        }
        assert_eq!(
            TextError::Hidden('\u{202E}').to_string(),
            "must not contain U+202E, which hides text or changes its order"
        );
    }

    #[test]
    fn a_passage_keeps_its_line_breaks_and_tabs() {
        for text in [
            "Hauptstraße 1\n10115 Berlin",
            "first\r\nsecond\r\n\r\nfourth",
            "a\tb",
            "one\u{2028}two",
            "see \u{2067}שלום (a)\u{2069} here",
            "\u{202B}مرحبا\u{202C} ok",
        ] {
            assert_eq!(passage(text, 100).as_deref(), Ok(text), "{text:?}");
        }
        assert_eq!(passage("\n a \n", 10).as_deref(), Ok("a"));
        assert_eq!(passage("\r\n\t", 10), Err(TextError::Empty));
        for c in "\0\u{8}\u{B}\u{C}\u{1B}\u{7F}\u{9F}\u{FFFF}".chars() {
            assert_eq!(passage(&format!("a{c}b"), 10), Err(TextError::Control(c)), "{c:?}");
        }
        for c in "\u{202D}\u{202E}\u{E0041}".chars() {
            assert_eq!(passage(&format!("a{c}b"), 10), Err(TextError::Hidden(c)), "{c:?}");
        }
    }

    #[test]
    fn the_canonical_form_of_every_character_is_its_own() {
        for c in ('\0'..='\u{1FFFF}').chain('\u{E0000}'..='\u{E0FFF}') {
            let once = canonical(&format!("a{c}b"));
            assert_eq!(canonical(&once), once, "U+{:04X}", u32::from(c));
        }
    }

    fn marks() -> impl Strategy<Value = String> {
        // Letters with several forms, marks that combine, and what shows nothing, close together.
        let some = "aÄßςΣſKÅẞİıﬁ가각ㄱ\u{1100}\u{1161}\u{11A8}\u{345}\u{301}\u{308}\u{327}\u{5B0}\u{200C}\u{200D}\u{AD}\
                    \u{3164}\u{FE0F}\u{2800}\u{FEFF} \u{A0}\u{3000}ＡᏸǅΐᾈԵ㎏½";
        proptest::collection::vec(prop::sample::select(some.chars().collect::<Vec<_>>()), 0..12)
            .prop_map(|chars| chars.into_iter().collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn a_canonical_form_is_its_own_canonical_form(text in prop_oneof![marks(), any::<String>()]) {
            let once = canonical(&text);
            prop_assert_eq!(canonical(&once), once);
        }

        #[test]
        fn case_spelling_and_what_is_invisible_make_no_difference(text in marks(), at in 0_usize..12) {
            let own = canonical(&text);
            prop_assert_eq!(canonical(&text.nfd().collect::<String>()), own.clone());
            prop_assert_eq!(canonical(&text.nfc().collect::<String>()), own.clone());
            for joiner in ["\u{200D}", "\u{AD}", "\u{FE0E}", "\u{E0100}"] {
                let place = text.char_indices().nth(at).map_or(text.len(), |(place, _)| place);
                let joined = format!("{}{joiner}{}", &text[..place], &text[place..]);
                prop_assert_eq!(canonical(&joined), own.clone());
            }
        }

        #[test]
        fn accepted_lines_are_accepted_again_unchanged(text in any::<String>()) {
            if let Ok(once) = line(&text, 100) {
                prop_assert_eq!(line(&once, 100), Ok(once.clone()));
                prop_assert!(passage(&once, 100).is_ok());
                prop_assert!(!canonical(&once).is_empty());
            }
        }
    }
}
