//! Between columns and values. Whatever breaks an invariant is [`StoreError::Corrupt`], named but never quoted.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use rollcall_domain::calendar::Zone;
use rollcall_domain::text::canonical;
use rollcall_ports::store::StoreError;

/// Longest canonical form that is compared; the schema's columns hold no more.
const KEY_CHARS: usize = 400;

/// The error for a column that does not hold what it should.
pub(crate) fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt(format!("{what} is not valid"))
}

/// The value, or the error that names where it was stored.
pub(crate) fn valid<T, E>(what: &str, value: Result<T, E>) -> Result<T, StoreError> {
    value.map_err(|_| corrupt(what))
}

/// The variant of that name, or the error that names where it was stored.
pub(crate) fn named<T>(what: &str, found: Option<T>) -> Result<T, StoreError> {
    found.ok_or_else(|| corrupt(what))
}

/// An instant as it is stored.
pub(crate) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// A stored instant. The last one there is, at which a date at the end of the calendar ends, is a fraction of
/// a second later than what can be made of microseconds.
pub(crate) fn instant(what: &str, micros: i64) -> Result<Timestamp, StoreError> {
    if micros == Timestamp::MAX.as_microsecond() {
        return Ok(Timestamp::MAX);
    }
    valid(what, Timestamp::from_microsecond(micros))
}

/// A stored instant that may be missing.
pub(crate) fn instant_or_none(what: &str, micros: Option<i64>) -> Result<Option<Timestamp>, StoreError> {
    micros.map(|micros| instant(what, micros)).transpose()
}

/// A stored date.
pub(crate) fn date(what: &str, text: &str) -> Result<Date, StoreError> {
    valid(what, text.parse())
}

/// A stored date that may be missing.
pub(crate) fn date_or_none(what: &str, text: Option<&str>) -> Result<Option<Date>, StoreError> {
    text.map(|text| date(what, text)).transpose()
}

/// A stored zone.
pub(crate) fn zone(what: &str, name: &str) -> Result<Zone, StoreError> {
    valid(what, Zone::named(name))
}

/// A stored duration.
pub(crate) const fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

/// A stored count or revision.
pub(crate) fn count(what: &str, number: impl TryInto<u32>) -> Result<u32, StoreError> {
    number.try_into().map_err(|_| corrupt(what))
}

/// Stored bytes of fixed length.
pub(crate) fn bytes(what: &str, bytes: &[u8]) -> Result<[u8; 32], StoreError> {
    valid(what, bytes.try_into())
}

/// A number of the domain that a signed column holds. Beyond two thousand million it stays there.
pub(crate) fn stored(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// The form in which a text is compared, cut to what an index can hold: two texts that agree on so many
/// characters count as one.
pub(crate) fn key(text: &str) -> String {
    cut(&canonical(text)).to_owned()
}

/// Cuts what is in canonical form already.
pub(crate) fn cut(canonical: &str) -> &str {
    canonical.char_indices().nth(KEY_CHARS).map_or(canonical, |(end, _)| &canonical[..end])
}

/// What is searched for parts: the canonical forms, one per line, so that no match spans two of them.
pub(crate) fn search_key<'a>(texts: impl IntoIterator<Item = Option<&'a str>>) -> String {
    texts.into_iter().flatten().map(canonical).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_keep_their_microseconds() {
        let at: Timestamp = "2026-03-02T08:11:00.123456Z".parse().unwrap();
        assert_eq!(instant("at", micros(at)).unwrap(), at);
        let before_the_epoch: Timestamp = "1931-12-31T23:59:59.999999Z".parse().unwrap();
        assert_eq!(instant("at", micros(before_the_epoch)).unwrap(), before_the_epoch);
        for end in [Timestamp::MIN, Timestamp::MAX] {
            assert_eq!(instant("at", micros(end)).unwrap(), end, "the ends of time");
        }
        assert!(instant("at", i64::MAX).is_err());
    }

    #[test]
    fn keys_are_cut_between_characters() {
        assert_eq!(key(&"É".repeat(500)), "é".repeat(400));
        assert_eq!(key("Ada"), "ada");
    }
}
