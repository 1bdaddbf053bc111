//! Photos, sent as a multipart form or inside of JSON.

use actix_web::dev::Payload;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use futures_util::future::LocalBoxFuture;
use rollcall_domain::face::Photo;
use serde_json::Value;

use super::body::{api, check_length, in_time, is_json, not_of, read_all};
use super::multipart::{self, Accepted, Parts, image_too_large};
use super::strict::{self, Form, Place};
use crate::options::HttpOptions;
use crate::problem::Problem;

pub(crate) use super::multipart::Text;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A form that comes with photos.
pub(crate) trait PhotoForm: Form {
    /// Names of the parts, in a multipart form, that are photos; the first is also named when none is sent.
    const FILES: &'static [&'static str];
    /// Most photos.
    const MAX: usize;
    /// Names of the other parts.
    const TEXTS: &'static [(&'static str, Text)];

    /// Takes the photos out of a JSON body, each with the pointer to it.
    fn take_images(&mut self) -> Vec<(String, String)>;
}

/// A form and its photos, at least one.
pub(crate) struct Upload<T> {
    pub(crate) form: T,
    pub(crate) photos: Vec<Photo>,
}

impl<T: PhotoForm> FromRequest for Upload<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (req, payload) = (req.clone(), payload.take());
        Box::pin(async move {
            let api = api(&req)?;
            let options = &api.options;
            let read = async {
                let form_data = matches!(req.mime_type(), Ok(Some(kind)) if kind.essence_str() == mime::MULTIPART_FORM_DATA.essence_str());
                if form_data {
                    check_length(&req, options.max_request_bytes)?;
                    from_parts(&req, payload, options).await
                } else if is_json(&req) {
                    check_length(&req, options.max_request_bytes)?;
                    from_json(payload, options).await
                } else {
                    Err(not_of("multipart/form-data or application/json"))
                }
            };
            let upload = in_time(options, read).await?;
            if upload.photos.is_empty() {
                return Err(Problem::invalid_field(
                    &format!("/{}", T::FILES[0]),
                    "required",
                    "a picture is required",
                ));
            }
            Ok(upload)
        })
    }
}

async fn from_parts<T: PhotoForm>(
    req: &HttpRequest,
    payload: Payload,
    options: &HttpOptions,
) -> Result<Upload<T>, Problem> {
    let accepted = Accepted { files: T::FILES, max_files: T::MAX, texts: T::TEXTS };
    let Parts { files, texts } = multipart::read(req, payload, options, &accepted).await?;
    let form = strict::from_value(Value::Object(texts), Place::Body)?;
    Ok(Upload { form, photos: files.into_iter().map(Photo).collect() })
}

async fn from_json<T: PhotoForm>(payload: Payload, options: &HttpOptions) -> Result<Upload<T>, Problem> {
    let mut form: T = {
        let bytes = read_all(payload, options.max_request_bytes).await?;
        strict::from_json(&bytes)?
    };
    let images = form.take_images();
    if images.len() > T::MAX {
        let detail = format!("at most {} pictures are accepted", T::MAX);
        return Err(Problem::invalid_field(&format!("/{}", T::FILES[0]), "too-many", detail));
    }
    let photos = images.into_iter().map(|(pointer, text)| decode(&pointer, &text, options.max_image_bytes));
    Ok(Upload { form, photos: photos.collect::<Result<_, _>>()? })
}

/// A picture in base64, bare or as a data URL. Any other address is refused: nothing is ever fetched.
fn decode(pointer: &str, text: &str, max: usize) -> Result<Photo, Problem> {
    let refused = |detail: &str| Problem::invalid_field(pointer, "invalid-image-data", detail);
    let encoded = match text.split_once(':') {
        None => text,
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("data") => {
            let (kind, data) = rest.split_once(',').ok_or_else(|| refused("is not a data URL"))?;
            let kind = kind.to_ascii_lowercase();
            if !kind.starts_with("image/") || !kind.ends_with(";base64") {
                return Err(refused("must be a data URL of the form data:image/...;base64,..."));
            }
            data
        }
        Some(_) => return Err(refused("must be base64 or a data URL; addresses are not fetched")),
    };
    if encoded.len() / 4 * 3 > max + 2 {
        return Err(image_too_large(max));
    }
    let bytes = BASE64.decode(encoded.trim()).map_err(|_| refused("is not base64"))?;
    if bytes.len() > max { Err(image_too_large(max)) } else { Ok(Photo(Bytes::from(bytes))) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Code;

    #[test]
    fn pictures_in_json_are_base64_and_nothing_is_fetched() {
        for good in ["aGVsbG8=", "aGVsbG8", "data:image/png;base64,aGVsbG8=", " aGVsbG8=\n"] {
            assert_eq!(decode("/image", good, 100).unwrap().0.as_ref(), b"hello", "{good}");
        }
        for bad in [
            "https://example.org/a.png",
            "file:///etc/passwd",
            "data:text/html;base64,aGVsbG8=",
            "data:image/png,hello",
            "not base64!",
        ] {
            assert_eq!(decode("/image", bad, 100).unwrap_err().code(), Code::ValidationFailed, "{bad}");
        }
        assert_eq!(decode("/image", "aGVsbG8=", 4).unwrap_err().code(), Code::ImageTooLarge);
    }
}
