//! Redactions that check before they hide.

use insta::internals::{Content, ContentPath};

/// Hides an id that is exactly this one.
pub(crate) fn is_id(id: &str) -> insta::internals::Redaction {
    let id = id.to_owned();
    insta::dynamic_redaction(move |value: Content, path: ContentPath<'_>| {
        assert_eq!(value.as_str(), Some(id.as_str()), "{path}");
        "[id]"
    })
}

/// Hides an id that is any UUID of version 7, or of version 5, which follows from what it names.
pub(crate) fn an_id() -> insta::internals::Redaction {
    insta::dynamic_redaction(|value: Content, path: ContentPath<'_>| {
        let text = value.as_str().unwrap_or_default();
        assert!(is_uuid(text), "{path}: {text:?} is no id");
        "[an id]"
    })
}

/// Hides a number of this range.
pub(crate) fn between(least: f64, most: f64) -> insta::internals::Redaction {
    insta::dynamic_redaction(move |value: Content, path: ContentPath<'_>| {
        let number = number(&value);
        let inside = number.is_some_and(|number| (least..=most).contains(&number));
        assert!(inside, "{path}: {value:?} is not between {least} and {most}");
        format!("[{least} to {most}]")
    })
}

/// Hides times that are sensible, and keeps what took them.
pub(crate) fn milliseconds() -> insta::internals::Redaction {
    insta::dynamic_redaction(|value: Content, path: ContentPath<'_>| {
        let Content::Map(steps) = &value else { panic!("{path}: {value:?}") };
        let sensible = |time: &Content| number(time).is_some_and(|time| (0.0..60_000.0).contains(&time));
        assert!(steps.iter().all(|(_, time)| sensible(time)), "{path}: {value:?}");
        let names = steps.iter().filter_map(|(name, _)| name.as_str());
        format!("[{}]", names.collect::<Vec<_>>().join(", "))
    })
}

fn number(value: &Content) -> Option<f64> {
    match value {
        Content::F32(number) => Some(f64::from(*number)),
        Content::F64(number) => Some(*number),
        other => other.as_i64().map(|number| number as f64),
    }
}

/// Whether the text is a UUID of version 7 or 5.
pub(crate) fn is_uuid(text: &str) -> bool {
    let digits = text.bytes().enumerate().all(|(place, byte)| match place {
        8 | 13 | 18 | 23 => byte == b'-',
        14 => byte == b'7' || byte == b'5',
        _ => byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase(),
    });
    text.len() == 36 && digits
}
