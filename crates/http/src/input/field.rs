//! Members of forms that are texts: read once, when the body or the query is, into a value or into what is wrong.
//! `validator` then gathers what is wrong, of all members together, and handlers take the values.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use validator::ValidationError;

use super::parse::Parse;
use crate::problem::Problem;

/// A text and what was read of it. The text is kept for jobs, which read their parameters again.
struct Parsed<T: Parse> {
    text: String,
    read: Result<T::Value, String>,
}

/// A member that must be there.
pub(crate) struct Required<T: Parse>(Optional<T>);

/// A member that may be absent or, where the form says so, `null`.
pub(crate) struct Optional<T: Parse>(Option<Parsed<T>>);

/// A member of a change: absent keeps, `null` clears.
pub(crate) struct Clearable<T: Parse>(Option<Optional<T>>);

/// What `validator` asks of a member, whatever it is.
pub(crate) trait Checked {
    /// What is wrong with it.
    fn check(&self) -> Result<(), ValidationError>;
}

impl<T: Parse> Required<T> {
    /// The value of a member that was validated.
    pub(crate) fn value(self) -> Result<T::Value, Problem> {
        self.0.value().ok_or_else(|| Problem::invalid_field("", "required", "is required"))
    }

    /// What was sent.
    pub(crate) fn text(&self) -> Option<&str> {
        self.0.text()
    }
}

impl<T: Parse> Optional<T> {
    /// The value of a member that was validated.
    pub(crate) fn value(self) -> Option<T::Value> {
        self.0.and_then(|parsed| parsed.read.ok())
    }

    /// What was sent.
    pub(crate) fn text(&self) -> Option<&str> {
        self.0.as_ref().map(|parsed| parsed.text.as_str())
    }

    pub(crate) const fn is_some(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) const fn is_none(&self) -> bool {
        self.0.is_none()
    }
}

impl<T: Parse> Clearable<T> {
    /// The value of a member that was validated.
    pub(crate) fn value(self) -> Option<Option<T::Value>> {
        self.0.map(Optional::value)
    }
}

impl<T: Parse> From<Option<String>> for Optional<T> {
    fn from(text: Option<String>) -> Self {
        Self(text.map(|text| Parsed { read: T::read(&text), text }))
    }
}

impl<T: Parse> From<Required<T>> for Optional<T> {
    fn from(member: Required<T>) -> Self {
        member.0
    }
}

impl<T: Parse> Checked for Optional<T> {
    fn check(&self) -> Result<(), ValidationError> {
        match &self.0 {
            Some(Parsed { read: Err(detail), .. }) => {
                Err(ValidationError::new(T::CODE).with_message(detail.clone().into()))
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl<T: Parse> Checked for Required<T> {
    fn check(&self) -> Result<(), ValidationError> {
        if self.0.is_none() { Err(ValidationError::new("required")) } else { self.0.check() }
    }
}

impl<T: Parse> Checked for Clearable<T> {
    fn check(&self) -> Result<(), ValidationError> {
        self.0.as_ref().map_or(Ok(()), Checked::check)
    }
}

impl<'de, T: Parse> Deserialize<'de> for Optional<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self::from)
    }
}

impl<'de, T: Parse> Deserialize<'de> for Required<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Optional::deserialize(deserializer).map(Self)
    }
}

/// Of what is there; what is absent is the default.
impl<'de, T: Parse> Deserialize<'de> for Clearable<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Optional::deserialize(deserializer).map(|member| Self(Some(member)))
    }
}

impl<T: Parse> Serialize for Optional<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text().serialize(serializer)
    }
}

impl<T: Parse> Serialize for Required<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<T: Parse> Serialize for Clearable<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_ref().and_then(Optional::text).serialize(serializer)
    }
}

impl<T: Parse> Default for Optional<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Parse> Default for Required<T> {
    fn default() -> Self {
        Self(Optional::default())
    }
}

impl<T: Parse> Default for Clearable<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Parse> Clone for Optional<T> {
    fn clone(&self) -> Self {
        Self::from(self.text().map(str::to_owned))
    }
}

/// Writes down a form: `query`, `body` or `change`, the last one a body of which every member may be absent; behind its
/// members, what [`Form`](super::Form) asks besides. `..paging` is the page of a list.
///
/// Members that are texts say what they are read as, once for the reader, `validator` and the contract: `Required<T>`;
/// `Optional<T>`, which may be absent; `Nullable<T>`, which may be `null` as well; `Clearable<T>`, of a change. The contract
/// shows a text, unless `as` says what else. Members of any other type have attributes of their own.
macro_rules! form {
    ($(#[$attr:meta])* query struct $name:ident $(($($vis:tt)+))? { $($members:tt)* } $($consts:tt)*) => {
        $crate::input::form! { @members [param $($($vis)+)?] [
            $(#[$attr])*
            #[derive(serde::Deserialize, validator::Validate, utoipa::IntoParams)]
            #[into_params(parameter_in = Query)]
            $name { $($consts)* }
        ] [{} {}] $($members)* }
    };
    ($(#[$attr:meta])* body struct $name:ident as $schema:ident { $($members:tt)* } $($consts:tt)*) => {
        $crate::input::form! { @members [schema] [
            $(#[$attr])*
            #[derive(serde::Deserialize, validator::Validate, utoipa::ToSchema)]
            #[schema(as = $schema)]
            $name { $($consts)* }
        ] [{} {}] $($members)* }
    };
    ($(#[$attr:meta])* change struct $name:ident as $schema:ident { $($members:tt)* } $($consts:tt)*) => {
        $crate::input::form! { @members [schema] [
            $(#[$attr])*
            #[derive(Default, serde::Deserialize, validator::Validate, utoipa::ToSchema)]
            #[schema(as = $schema)]
            #[serde(default)]
            $name { $($consts)* }
        ] [{} {}] $($members)* }
    };
    (@members $how:tt $head:tt $done:tt ..paging, $($rest:tt)*) => {
        $crate::input::form! { @members $how $head $done
            /// Page, from 1.
            #[param(minimum = 1)]
            page: Optional<$crate::input::PageNumber> as u32,
            /// Entries of a page; 20 unless asked otherwise.
            #[param(minimum = 1, maximum = 100)]
            per_page: Optional<$crate::input::PageSize> as u32,
            $($rest)* }
    };
    // What is always shown in the same way.
    (@members $how:tt $head:tt $done:tt $(#[$a:meta])* $member:ident : $kind:ident<Date>, $($rest:tt)*) => {
        $crate::input::form! { @text $how $head $done [, format = Date]
            $(#[$a])* $member: $kind<jiff::civil::Date>, $($rest)* }
    };
    (@members $how:tt $head:tt $done:tt $(#[$a:meta])* $member:ident : $kind:ident<Timestamp>, $($rest:tt)*) => {
        $crate::input::form! { @text $how $head $done [, format = DateTime]
            $(#[$a])* $member: $kind<jiff::Timestamp>, $($rest)* }
    };
    // Texts.
    (@members $how:tt $head:tt $done:tt $(#[$a:meta])* $member:ident : Required<$type:ty>, $($rest:tt)*) => {
        $crate::input::form! { @text $how $head $done [] $(#[$a])* $member: Required<$type>, $($rest)* }
    };
    (@members $how:tt $head:tt $done:tt
        $(#[$a:meta])* $member:ident : Optional<$type:ty> $(as $shown:ident)?, $($rest:tt)*) => {
        $crate::input::form! { @text $how $head $done []
            $(#[$a])* $member: Optional<$type> $(as $shown)?, $($rest)* }
    };
    (@members $how:tt $head:tt $done:tt $(#[$a:meta])* $member:ident : Nullable<$type:ty>, $($rest:tt)*) => {
        $crate::input::form! { @text $how $head $done [] $(#[$a])* $member: Nullable<$type>, $($rest)* }
    };
    (@members $how:tt $head:tt $done:tt $(#[$a:meta])* $member:ident : Clearable<$type:ty>, $($rest:tt)*) => {
        $crate::input::form! { @text $how $head $done [] $(#[$a])* $member: Clearable<$type>, $($rest)* }
    };
    // Other types as they are spelled: derives look for `Option` in them.
    (@members [$mode:ident $($vis:tt)*] $head:tt [{$($done:tt)*} $null:tt]
        $(#[$a:meta])* $member:ident : $outer:ident<$type:ident>, $($rest:tt)*) => {
        $crate::input::form! { @members [$mode $($vis)*] $head
            [{$($done)* $(#[$a])* $($vis)* $member: $outer<$type>,} $null] $($rest)* }
    };
    (@members [$mode:ident $($vis:tt)*] $head:tt [{$($done:tt)*} {$($null:ident)*}]
        $(#[$a:meta])* $member:ident : Option<Option<$type:ident>>, $($rest:tt)*) => {
        $crate::input::form! { @members [$mode $($vis)*] $head
            [{$($done)* $(#[$a])* $($vis)* $member: Option<Option<$type>>,} {$($null)* $member}] $($rest)* }
    };
    (@members [$mode:ident $($vis:tt)*] $head:tt [{$($done:tt)*} {$($null:ident)*}]
        $(#[$a:meta])* $member:ident : Option<Option<Vec<$type:ident>>>, $($rest:tt)*) => {
        $crate::input::form! { @members [$mode $($vis)*] $head
            [{$($done)* $(#[$a])* $($vis)* $member: Option<Option<Vec<$type>>>,} {$($null)* $member}] $($rest)* }
    };
    (@members [$mode:ident $($vis:tt)*] $head:tt [{$($done:tt)*} $null:tt]
        $(#[$a:meta])* $member:ident : Option<Vec<$type:ident>>, $($rest:tt)*) => {
        $crate::input::form! { @members [$mode $($vis)*] $head
            [{$($done)* $(#[$a])* $($vis)* $member: Option<Vec<$type>>,} $null] $($rest)* }
    };
    (@members $how:tt [$(#[$a:meta])* $name:ident {$($consts:tt)*}] [{$($done:tt)*} {$($null:ident)*}]) => {
        $(#[$a])*
        pub(crate) struct $name {
            $($done)*
        }

        impl $crate::input::Form for $name {
            const NULLABLE: &'static [&'static str] = &[$(stringify!($null)),*];
            $($consts)*
        }
    };
    // A query can stand for what some bodies say: the contract does not demand it of every request.
    (@text [schema] $head:tt $done:tt [$($format:tt)*]
        $(#[$a:meta])* $member:ident : Required<$type:ty>, $($rest:tt)*) => {
        $crate::input::form! { @checked [schema] $head $done [value_type = String, required = true $($format)*]
            $(#[$a])* $member: Required<$type>, $($rest)* }
    };
    (@text $how:tt $head:tt $done:tt [$($format:tt)*]
        $(#[$a:meta])* $member:ident : $kind:ident<$type:ty>, $($rest:tt)*) => {
        $crate::input::form! { @checked $how $head $done [value_type = Option<String>, required = false $($format)*]
            $(#[$a])* $member: $kind<$type>, $($rest)* }
    };
    (@text $how:tt $head:tt $done:tt []
        $(#[$a:meta])* $member:ident : Optional<$type:ty> as $shown:ident, $($rest:tt)*) => {
        $crate::input::form! { @checked $how $head $done [value_type = Option<$shown>, required = false]
            $(#[$a])* $member: Optional<$type>, $($rest)* }
    };
    (@checked $how:tt $head:tt [$done:tt {$($null:ident)*}] $shown:tt
        $(#[$a:meta])* $member:ident : Nullable<$type:ty>, $($rest:tt)*) => {
        $crate::input::form! { @field $how $head [$done {$($null)* $member}] $shown
            $(#[$a])* $member: Optional<$type>, $($rest)* }
    };
    (@checked $how:tt $head:tt [$done:tt {$($null:ident)*}] $shown:tt
        $(#[$a:meta])* $member:ident : Clearable<$type:ty>, $($rest:tt)*) => {
        $crate::input::form! { @field $how $head [$done {$($null)* $member}] $shown
            $(#[$a])* $member: Clearable<$type>, $($rest)* }
    };
    (@checked $($member:tt)*) => {
        $crate::input::form! { @field $($member)* }
    };
    (@field [$mode:ident $($vis:tt)*] $head:tt [{$($done:tt)*} $null:tt] [$($shown:tt)*]
        $(#[$a:meta])* $member:ident : $kind:ident<$type:ty>, $($rest:tt)*) => {
        $crate::input::form! { @members [$mode $($vis)*] $head [{$($done)*
            $(#[$a])*
            #[validate(custom(function = "crate::input::Checked::check"))]
            #[$mode($($shown)*)]
            $($vis)* $member: $crate::input::$kind<$type>,
        } $null] $($rest)* }
    };
}
pub(crate) use form;
