//! From JSON to a value that holds: nothing twice, nothing unknown, nothing of the wrong type, nothing invalid.

use std::collections::HashMap;
use std::fmt;

use serde::de::{self, DeserializeOwned, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use validator::{Validate, ValidationErrors, ValidationErrorsKind};

use super::body::without_mark;
use super::known;
use crate::problem::{Code, FieldError, MOST, Problem};

/// Something that is sent as members.
pub(crate) trait Form: DeserializeOwned + Validate + 'static {
    /// Members that exist but are not the sender's to choose: telling that is kinder than "unknown".
    const NOT_ALLOWED: &'static [&'static str] = &[];
    /// Members of what is shown that the server finds out by itself and that move without anybody's doing: in a change
    /// that sends back all that was read they are passed over.
    const COMPUTED: &'static [&'static str] = &[];
    /// Members that say something about the others and count although they are sent as they are shown.
    const MEANT: &'static [&'static str] = &[];
    /// Members that may be `null`, which clears them or says that there is none: names joined by `/`, entries of lists
    /// as `*`. `null` for any other member is refused; it is never passed over.
    const NULLABLE: &'static [&'static str] = &[];
    /// The same of members that do not say so by their type, and of those inside of others.
    const ALSO_NULLABLE: &'static [&'static str] = &[];
    /// Most bytes of a body that has no pictures.
    const LIMIT: usize = 256 << 10;
    /// Keys of a query that may come several times; such a member is a list.
    const REPEATED: &'static [&'static str] = &[];
}

/// Where members come from, which decides how they are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// A JSON pointer.
    Body,
    /// A key of the query.
    Query,
}

impl Place {
    pub(crate) fn error(self, pointer: String, code: &'static str, detail: impl Into<String>) -> FieldError {
        match self {
            Self::Body => FieldError::at(pointer, code, detail),
            Self::Query => FieldError::of(pointer.trim_start_matches('/'), code, detail),
        }
    }
}

/// Reads a JSON body.
pub(crate) fn from_json<T: Form>(bytes: &[u8]) -> Result<T, Problem> {
    from_value(json(bytes)?, Place::Body)
}

/// Any JSON in which no member appears twice.
pub(crate) fn json(bytes: &[u8]) -> Result<Value, Problem> {
    // RFC 8259, section 8.1: whoever sends no mark may still understand one.
    let bytes = without_mark(bytes);
    if bytes.starts_with(b"\xff\xfe")
        || bytes.starts_with(b"\xfe\xff")
        || bytes.iter().take(2).any(|byte| *byte == 0)
    {
        return Err(Problem::new(Code::MalformedJson, "the body is UTF-16 or UTF-32, it seems; send UTF-8"));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Once.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| {
        let problem = Problem::new(Code::MalformedJson, error.to_string());
        problem.with("line", error.line().into()).with("column", error.column().into())
    })
}

/// Reads members that were gathered already.
pub(crate) fn from_value<T: Form>(value: Value, place: Place) -> Result<T, Problem> {
    read(value, place, &Value::Null)
}

/// Reads a change of what is `shown`: what is shown there is known, though it may not be the sender's to choose.
pub(crate) fn from_change<T: Form>(value: Value, shown: &Value) -> Result<T, Problem> {
    read(value, Place::Body, shown)
}

fn read<T: Form>(value: Value, place: Place, shown: &Value) -> Result<T, Problem> {
    let mut nothing = Vec::new();
    if place == Place::Body {
        nulls(&value, "", "", &mut |pointer, path| {
            if nothing.len() < MOST && !T::NULLABLE.contains(&path) && !T::ALSO_NULLABLE.contains(&path) {
                nothing.push(place.error(pointer.to_owned(), "not-nullable", "must not be null"));
            }
        });
    }
    if let Some(pointer) = list_for_members::<T>(&value) {
        return Err(Problem::invalid(vec![place.error(pointer, "wrong-type", "must be an object")]));
    }
    let mut unknown = Vec::new();
    let mut note = |path: serde_ignored::Path<'_>| {
        if unknown.len() < MOST {
            unknown.push(pointer(&path));
        }
    };
    let read = serde_path_to_error::deserialize(serde_ignored::Deserializer::new(value, &mut note));
    if !unknown.is_empty() {
        return Err(too_many::<T>(unknown, place, shown));
    }
    let mut wrong = Vec::new();
    let form: Option<T> = match read {
        Ok(form) => Some(form),
        Err(error) => {
            let pointer = error.path().iter().map(segment).collect();
            wrong.push(place.error(pointer, "wrong-type", expected(error.inner())));
            None
        }
    };
    if let Some(Err(errors)) = form.as_ref().map(Validate::validate) {
        gather("", &errors, place, &mut wrong);
    }
    nothing.retain(|null| wrong.iter().all(|known| known.pointer != null.pointer));
    wrong.append(&mut nothing);
    match form {
        Some(form) if wrong.is_empty() => Ok(form),
        _ => Err(Problem::invalid(wrong)),
    }
}

/// The first list that stands where members belong: serde would take its entries for them, in the order of the source.
fn list_for_members<T: Form>(value: &Value) -> Option<String> {
    fn look<T: Form>(
        value: &Value,
        pointer: &str,
        path: &str,
        seen: &mut HashMap<String, bool>,
    ) -> Option<String> {
        let inside = |name: &str| format!("{pointer}/{}", escaped(name));
        match value {
            Value::Array(entries) => {
                // Entries of one list are alike, and what is told of an unknown path is told of it once.
                let wrong = |path: &str| !known::members::<T>(&format!("{path}/0")).is_empty();
                if seen.len() < MOST && *seen.entry(path.to_owned()).or_insert_with_key(|path| wrong(path)) {
                    return Some(pointer.to_owned());
                }
                let mut entries = entries.iter().enumerate();
                entries.find_map(|(n, entry)| {
                    look::<T>(entry, &inside(&n.to_string()), &format!("{path}/0"), seen)
                })
            }
            Value::Object(members) => members.iter().find_map(|(name, member)| {
                look::<T>(member, &inside(name), &format!("{path}/{}", escaped(name)), seen)
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        }
    }
    look::<T>(value, "", "", &mut HashMap::new())
}

/// Tells of each member that is `null`: its pointer, and its path as [`Form::NULLABLE`] has it.
fn nulls(value: &Value, pointer: &str, path: &str, tell: &mut dyn FnMut(&str, &str)) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let (pointer, path) = (format!("{pointer}/{}", escaped(name)), format!("{path}/{name}"));
                if member.is_null() {
                    tell(&pointer, path.trim_start_matches('/'));
                }
                nulls(member, &pointer, &path, tell);
            }
        }
        Value::Array(entries) => {
            for (index, entry) in entries.iter().enumerate() {
                nulls(entry, &format!("{pointer}/{index}"), &format!("{path}/*"), tell);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn too_many<T: Form>(unknown: Vec<String>, place: Place, shown: &Value) -> Problem {
    let (taken, unknown): (Vec<_>, Vec<_>) = unknown.into_iter().partition(|pointer| {
        let name = pointer.trim_start_matches('/');
        T::NOT_ALLOWED.contains(&name) || shown.get(name).is_some()
    });
    if !taken.is_empty() {
        let each = taken.into_iter().map(|at| place.error(at, "not-allowed", "is not yours to choose"));
        return Problem::plain(Code::FieldNotAllowed).with_errors(each.collect());
    }
    let code = match place {
        Place::Body => Code::UnknownField,
        Place::Query => Code::UnknownParameter,
    };
    let each = unknown.into_iter().map(|at| {
        let known = known::members::<T>(&at);
        let what = if place == Place::Query { "parameter" } else { "field" };
        FieldError::unknown(place, at, what, &known)
    });
    Problem::plain(code).with_errors(each.collect())
}

fn pointer(path: &serde_ignored::Path<'_>) -> String {
    use serde_ignored::Path as P;
    match path {
        P::Root => String::new(),
        P::Seq { parent, index } => format!("{}/{index}", pointer(parent)),
        P::Map { parent, key } => format!("{}/{}", pointer(parent), escaped(key)),
        P::Some { parent } | P::NewtypeStruct { parent } | P::NewtypeVariant { parent } => pointer(parent),
    }
}

fn segment(segment: &serde_path_to_error::Segment) -> String {
    use serde_path_to_error::Segment as S;
    match segment {
        S::Seq { index } => format!("/{index}"),
        S::Map { key } => format!("/{}", escaped(key)),
        S::Enum { variant } => format!("/{}", escaped(variant)),
        S::Unknown => String::new(),
    }
}

/// RFC 6901; bounded, because the sender chose it.
fn escaped(key: &str) -> String {
    key.chars().take(100).collect::<String>().replace('~', "~0").replace('/', "~1")
}

/// What was expected, without what was sent: it may have been a password.
fn expected(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let wanted = text.rsplit_once(", expected ").map_or("another type", |(_, wanted)| wanted);
    let wanted = if wanted.starts_with("struct ") { "an object" } else { wanted };
    format!("must be {wanted}")
}

fn gather(parent: &str, errors: &ValidationErrors, place: Place, all: &mut Vec<FieldError>) {
    for (field, kind) in errors.errors() {
        if all.len() >= MOST {
            return;
        }
        let field = format!("{parent}/{}", field.trim_start_matches("r#"));
        match kind {
            ValidationErrorsKind::Struct(inner) => gather(&field, inner, place, all),
            ValidationErrorsKind::List(items) => {
                for (index, inner) in items {
                    gather(&format!("{field}/{index}"), inner, place, all);
                }
            }
            ValidationErrorsKind::Field(wrong) => all.extend(wrong.iter().map(|error| {
                let detail = error.message.as_deref().unwrap_or("is required").to_owned();
                FieldError { code: error.code.clone(), ..place.error(field.clone(), "", detail) }
            })),
        }
    }
}

/// Any JSON value in which no member appears twice: readers disagree on which of the two counts.
struct Once;

impl<'de> DeserializeSeed<'de> for Once {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Once {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element_seed(Self)? {
            all.push(item);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            if all.contains_key(&key) {
                let key = escaped(&key);
                return Err(de::Error::custom(format_args!("the member {key:?} appears twice")));
            }
            let value = members.next_value_seed(Self)?;
            all.insert(key, value);
        }
        Ok(Value::Object(all))
    }
}
