//! Which members there are, for whoever sent another one: asked of the type itself, so that no list goes out of date.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

/// The members of `T` among which the one at this pointer is not; none if nobody can tell.
pub(super) fn members<T: DeserializeOwned>(pointer: &str) -> Vec<&'static str> {
    let names = pointer.split('/').skip(1).map(|name| name.replace("~1", "/").replace("~0", "~"));
    let mut path: Vec<String> = names.collect();
    path.pop();
    let mut found = Vec::new();
    // It always fails: there is nothing to read.
    let _ = T::deserialize(Scout { path: &path, found: &mut found });
    found.sort_unstable();
    found
}

/// Follows a path through types instead of values, and notes the members at its end.
struct Scout<'a> {
    path: &'a [String],
    found: &'a mut Vec<&'static str>,
}

impl<'a> Scout<'a> {
    fn step(self) -> Option<(&'a str, Self)> {
        let (first, path) = self.path.split_first()?;
        Some((first, Self { path, found: self.found }))
    }
}

/// The end of the path.
#[derive(Debug)]
struct End;

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the end of a path")
    }
}

impl std::error::Error for End {}

impl de::Error for End {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl<'de> de::Deserializer<'de> for Scout<'_> {
    type Error = End;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, End> {
        Err(End)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, End> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, End> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, End> {
        let (_, rest) = self.step().ok_or(End)?;
        visitor.visit_seq(Way { name: "", rest: Some(rest) })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        members: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, End> {
        if self.path.is_empty() {
            self.found.extend(members);
            return Err(End);
        }
        let (name, rest) = self.step().ok_or(End)?;
        visitor.visit_map(Way { name, rest: Some(rest) })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct tuple
        tuple_struct map enum identifier ignored_any
    }
}

/// The one member, or the one entry, through which the path goes.
struct Way<'a> {
    name: &'a str,
    rest: Option<Scout<'a>>,
}

impl<'de> MapAccess<'de> for Way<'_> {
    type Error = End;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, End> {
        let name: StrDeserializer<'_, End> = self.name.into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, End> {
        seed.deserialize(self.rest.take().ok_or(End)?)
    }
}

impl<'de> SeqAccess<'de> for Way<'_> {
    type Error = End;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, End> {
        seed.deserialize(self.rest.take().ok_or(End)?).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its shape is asked for")]
    struct Outer {
        name: Option<String>,
        #[serde(default)]
        parts: Option<Vec<Part>>,
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its shape is asked for")]
    struct Part {
        size: u32,
        color: String,
    }

    #[test]
    fn a_type_tells_its_members_wherever_they_are() {
        assert_eq!(members::<Outer>("/nme"), ["name", "parts"]);
        assert_eq!(members::<Outer>("/parts/3/colour"), ["color", "size"]);
        assert!(members::<Outer>("/name/x").is_empty() && members::<Outer>("/else/x").is_empty());
    }
}
