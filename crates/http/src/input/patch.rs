//! Members of a change: absent keeps, `null` clears.

use serde::{Deserialize, Deserializer};

/// For members of type `Option<Option<T>>` together with `default`: absent is `None`, `null` is `Some(None)`.
///
/// Not a type of its own, because `validator` looks through `Option` and through nothing else.
pub(crate) fn present<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}
