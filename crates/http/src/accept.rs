//! Which types of answers a client takes: `Accept` (RFC 9110, section 12.5.1).

use actix_web::http::header::{self, HeaderMap, Quality, QualityItem, from_comma_delimited};
use mime::Mime;

pub(crate) const JSON: &str = "application/json";
pub(crate) const CSV: &str = "text/csv";
pub(crate) const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
pub(crate) const EVENT_STREAM: &str = "text/event-stream";

/// What an operation answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answers {
    /// What is looked at with a browser, too, whatever it asks for.
    Anyone,
    Json,
    JsonOrFile,
    Events,
}

impl Answers {
    /// Whether a client takes the answer in a form in which it comes.
    pub(crate) fn fit(self, headers: &HeaderMap) -> bool {
        match self {
            Self::Anyone => true,
            Self::Json => takes_json(headers),
            Self::JsonOrFile => takes_json(headers) || preferred(headers, &[CSV, XLSX]).is_some(),
            Self::Events => preferred(headers, &[EVENT_STREAM]).is_some(),
        }
    }
}

/// The types that are named; `None` if none are, or nobody can read them.
fn ranges(headers: &HeaderMap) -> Option<Vec<QualityItem<Mime>>> {
    let sent = || headers.get_all(header::ACCEPT);
    let blank = sent().all(|value| value.as_bytes().trim_ascii().is_empty());
    if blank { None } else { from_comma_delimited(sent()).ok() }
}

fn takes_json(headers: &HeaderMap) -> bool {
    const JSON_RANGES: [&str; 4] = ["*/*", "application/*", JSON, "application/problem+json"];
    ranges(headers).is_none_or(|ranges| {
        let taken = ranges.iter().filter(|range| range.quality > Quality::ZERO);
        taken.map(|range| range.item.essence_str()).any(|range| JSON_RANGES.contains(&range))
    })
}

/// The one of the types on offer that a client likes best, the first of several; `None` if it takes none of them.
pub(crate) fn preferred(headers: &HeaderMap, offered: &[&'static str]) -> Option<&'static str> {
    let Some(ranges) = ranges(headers) else { return offered.first().copied() };
    let quality = |kind: &str| {
        let family = kind.split('/').next().map(|family| format!("{family}/*")).unwrap_or_default();
        let named = |name: &str| ranges.iter().find(|range| range.item.essence_str() == name);
        // What is said of the type itself outweighs what is said of its family, and that what is said of all.
        named(kind).or_else(|| named(&family)).or_else(|| named("*/*")).map(|range| range.quality)
    };
    let taken = offered.iter().filter_map(|kind| Some((*kind, quality(kind)?)));
    let taken = taken.filter(|(_, quality)| *quality > Quality::ZERO);
    // Of several that are liked as much `max_by` takes the last.
    taken.rev().max_by(|(_, a), (_, b)| a.cmp(b)).map(|(kind, _)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn accept(value: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.append(header::ACCEPT, HeaderValue::from_static(value));
        headers
    }

    #[test]
    fn json_is_acceptable_unless_it_is_excluded() {
        for good in ["*/*", "application/json", "text/html, application/*;q=0.1", "text/html,*/*;q=0.8", ""] {
            assert!(takes_json(&accept(good)), "{good}");
        }
        assert!(takes_json(&HeaderMap::new()));
        for bad in ["text/html", "image/png, text/*", "application/json;q=0", "nonsense"] {
            assert!(!takes_json(&accept(bad)), "{bad}");
        }
    }

    #[test]
    fn the_type_that_is_liked_best_is_sent() {
        let offered = [JSON, CSV];
        for json in [
            "*/*",
            "text/csv;q=0.5, application/json",
            "application/*, text/*;q=0.9",
            "application/json, text/csv",
        ] {
            assert_eq!(preferred(&accept(json), &offered), Some(JSON), "{json}");
        }
        for csv in ["text/csv", "TEXT/CSV", "text/*, */*;q=0.1", "application/json;q=0, */*"] {
            assert_eq!(preferred(&accept(csv), &offered), Some(CSV), "{csv}");
        }
        for none in ["image/png", "text/csv;q=0", "text/html"] {
            assert_eq!(preferred(&accept(none), &offered), None, "{none}");
        }
        assert_eq!(preferred(&HeaderMap::new(), &offered), Some(JSON));
    }
}
