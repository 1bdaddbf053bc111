//! Reading the bytes of a body: never more than allowed, never for longer than allowed.

use std::future::Future;

use actix_web::error::PayloadError;
use actix_web::http::header;
use actix_web::web::{Bytes, BytesMut};
use actix_web::{HttpMessage, HttpRequest, rt, web};
use futures_util::{Stream, StreamExt};

use crate::options::{Api, HttpOptions};
use crate::problem::{Code, Problem};

/// What answers `req`, for its settings.
pub(crate) fn api(req: &HttpRequest) -> Result<web::Data<Api>, Problem> {
    req.app_data::<web::Data<Api>>().cloned().ok_or_else(|| Problem::broken("no api"))
}

/// Refuses a body that says it is too long, before any of it is read.
pub(crate) fn check_length(req: &HttpRequest, limit: usize) -> Result<(), Problem> {
    let declared =
        req.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > limit as u64) { Err(too_large(limit)) } else { Ok(()) }
}

/// All of a body.
pub(crate) async fn read_all(
    stream: impl Stream<Item = Result<Bytes, PayloadError>>,
    limit: usize,
) -> Result<Bytes, Problem> {
    let mut stream = std::pin::pin!(stream);
    let mut body = BytesMut::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(unreadable)?;
        if body.len() + chunk.len() > limit {
            return Err(too_large(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Bytes without the mark that some editors and shells begin UTF-8 with.
pub(crate) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// Gives up on `reading` after the time a body may take.
pub(crate) async fn in_time<T>(
    options: &HttpOptions,
    reading: impl Future<Output = Result<T, Problem>>,
) -> Result<T, Problem> {
    match rt::time::timeout(options.body_timeout, reading).await {
        Ok(read) => read,
        Err(_) => Err(Problem::plain(Code::RequestTimeout)),
    }
}

pub(crate) fn too_large(limit: usize) -> Problem {
    Problem::new(Code::PayloadTooLarge, format!("at most {limit} bytes are accepted"))
}

/// What is told of a body that broke off.
pub(crate) fn unreadable(error: PayloadError) -> Problem {
    match error {
        PayloadError::Overflow => Problem::plain(Code::PayloadTooLarge),
        _ => Problem::new(Code::MalformedRequest, "the body could not be read to its end"),
    }
}

/// Whether the body is JSON, as far as it says.
pub(crate) fn is_json(req: &HttpRequest) -> bool {
    let Ok(Some(kind)) = req.mime_type() else { return false };
    let json = kind.subtype() == mime::JSON || kind.suffix() == Some(mime::JSON);
    let utf8 = kind.get_param(mime::CHARSET).is_none_or(|charset| charset == mime::UTF_8);
    kind.type_() == mime::APPLICATION && json && utf8
}

/// The body is of another kind than `accepted`.
pub(crate) fn not_of(accepted: &str) -> Problem {
    Problem::new(Code::UnsupportedMediaType, format!("send {accepted}"))
}
