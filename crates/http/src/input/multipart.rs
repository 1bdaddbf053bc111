//! Multipart bodies: read part by part, counted while they arrive, kept in memory only.

use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::web::{Bytes, BytesMut};
use futures_util::StreamExt;
use serde_json::{Map, Value};

use super::body::{too_large, unreadable, without_mark};
use super::strict::Place;
use crate::options::HttpOptions;
use crate::problem::{Code, FieldError, Problem};

/// Most parts that are no pictures.
const MAX_TEXTS: usize = 10;
/// Most bytes of such a part.
const MAX_TEXT_BYTES: usize = 4 << 10;
/// Most bytes of a part's name.
const MAX_NAME_BYTES: usize = 100;

/// What a part that is no picture holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text {
    /// Text as it is.
    Word,
    /// `true` or `false`, in capitals, too: some languages write `True`.
    Flag,
    /// A number.
    Number,
    /// JSON.
    Object,
}

/// What the parts of a form may be.
pub(crate) struct Accepted {
    /// Names of parts with a picture.
    pub(crate) files: &'static [&'static str],
    /// Most of them.
    pub(crate) max_files: usize,
    /// Names of the other parts.
    pub(crate) texts: &'static [(&'static str, Text)],
}

/// The parts of a form.
#[derive(Default)]
pub(crate) struct Parts {
    /// Pictures, in order.
    pub(crate) files: Vec<Bytes>,
    /// Everything else, as members of an object.
    pub(crate) texts: Map<String, Value>,
}

/// Reads a form.
pub(crate) async fn read(
    req: &HttpRequest,
    payload: Payload,
    options: &HttpOptions,
    accepted: &Accepted,
) -> Result<Parts, Problem> {
    let (limit, mut seen) = (options.max_request_bytes, 0);
    let counted = payload.map(move |chunk: Result<Bytes, PayloadError>| {
        let chunk = chunk?;
        seen += chunk.len();
        if seen > limit { Err(PayloadError::Overflow) } else { Ok(chunk) }
    });
    let mut form = Multipart::new(req.headers(), counted);
    let mut parts = Parts::default();
    while let Some(field) = form.next().await {
        let mut field = field.map_err(malformed)?;
        let name = field.name().unwrap_or_default().to_owned();
        if name.len() > MAX_NAME_BYTES {
            return Err(Problem::new(Code::MalformedRequest, "the name of a part is too long"));
        }
        if accepted.files.contains(&name.as_str()) {
            if parts.files.len() == accepted.max_files {
                let detail = format!("at most {} pictures are accepted", accepted.max_files);
                return Err(Problem::invalid_field(&format!("/{name}"), "too-many", detail));
            }
            let max = options.max_image_bytes;
            parts.files.push(read_part(&mut field, max, || image_too_large(max)).await?);
        } else if let Some((_, kind)) = accepted.texts.iter().find(|(known, _)| *known == name) {
            if parts.texts.len() == MAX_TEXTS {
                return Err(Problem::new(
                    Code::PayloadTooLarge,
                    format!("at most {MAX_TEXTS} fields are accepted"),
                ));
            }
            let bytes = read_part(&mut field, MAX_TEXT_BYTES, || too_large(MAX_TEXT_BYTES)).await?;
            if parts.texts.insert(name.clone(), value_of(*kind, &bytes)?).is_some() {
                return Err(Problem::new(
                    Code::MalformedRequest,
                    format!("the field \"{name}\" appears twice"),
                ));
            }
        } else {
            return Err(unknown(&name, accepted));
        }
    }
    Ok(parts)
}

pub(crate) fn image_too_large(max: usize) -> Problem {
    Problem::new(Code::ImageTooLarge, format!("a picture may have at most {max} bytes"))
}

async fn read_part(field: &mut Field, max: usize, too_large: impl Fn() -> Problem) -> Result<Bytes, Problem> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = field.next().await {
        let chunk = chunk.map_err(malformed)?;
        if bytes.len() + chunk.len() > max {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

/// The part's value; what does not fit its kind stays a text, and is refused as a wrong type later.
fn value_of(kind: Text, bytes: &[u8]) -> Result<Value, Problem> {
    let text = std::str::from_utf8(without_mark(bytes))
        .map_err(|_| Problem::new(Code::MalformedRequest, "a field is not UTF-8 text"))?;
    let as_text = || Value::String(text.to_owned());
    Ok(match kind {
        Text::Word => as_text(),
        Text::Flag => text.to_ascii_lowercase().parse().map_or_else(|_| as_text(), Value::Bool),
        Text::Number => text.parse::<u64>().map_or_else(|_| as_text(), Value::from),
        Text::Object => serde_json::from_str(text).unwrap_or_else(|_| as_text()),
    })
}

fn unknown(name: &str, accepted: &Accepted) -> Problem {
    let texts = accepted.texts.iter().map(|(name, _)| *name);
    let known: Vec<_> = accepted.files.iter().copied().chain(texts).collect();
    let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
    Problem::plain(Code::UnknownField).with_errors(vec![FieldError::unknown(
        Place::Body,
        pointer,
        "field",
        &known,
    )])
}

fn malformed(error: MultipartError) -> Problem {
    match error {
        MultipartError::Payload(error) => unreadable(error),
        _ => Problem::new(Code::MalformedRequest, "the multipart body is malformed or incomplete"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_flag_is_read_as_any_language_writes_it() {
        let flag = |text: &str| value_of(Text::Flag, text.as_bytes()).ok();
        for (text, expected) in [("true", true), ("True", true), ("FALSE", false), ("false", false)] {
            assert_eq!(flag(text), Some(json!(expected)), "{text}");
        }
        for text in ["", "1", "yes", " true"] {
            assert_eq!(flag(text), Some(json!(text)), "what it says is refused later, not guessed");
        }
    }
}
