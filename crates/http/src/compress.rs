//! Answers are compressed for those who ask for it.
//!
//! What has a secret in it stays as it is: how well an answer compresses must not tell whether what somebody made us repeat
//! is like the secret beside it.

use actix_http::encoding::Encoder;
use actix_web::Error;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    self, AcceptEncoding, ContentEncoding, Encoding, Header, HeaderMap, HeaderValue,
};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;

/// What is shorter gains nothing.
const SHORT: u64 = 1024;

/// Compresses an answer; outside of the envelope, so that what the envelope says is compressed as well.
pub(crate) async fn compress(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let encoding = if may_compress(&req) { wanted(&req) } else { ContentEncoding::Identity };
    let answer = next.call(req).await?;
    Ok(answer.map_body(|head, body| {
        if head.status == StatusCode::NOT_MODIFIED {
            // What is known already was chosen in the same way.
            vary(head.headers_mut());
            if encoding != ContentEncoding::Identity {
                weaken(head.headers_mut());
            }
            return body.boxed();
        }
        let long = !matches!(body.size(), BodySize::None | BodySize::Sized(0..SHORT));
        if !long || !is_text(head.headers()) {
            return body.boxed();
        }
        if encoding == ContentEncoding::Identity {
            vary(head.headers_mut());
            return body.boxed();
        }
        weaken(head.headers_mut());
        Encoder::response(encoding, head, body).boxed()
    }))
}

fn vary(headers: &mut HeaderMap) {
    headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
}

/// The tag of what is the same but for its bytes (RFC 9110, section 8.8.1).
fn weaken(headers: &mut HeaderMap) {
    let tag = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok()).filter(|tag| tag.starts_with('"'));
    if let Some(weak) = tag.and_then(|tag| HeaderValue::from_str(&format!("W/{tag}")).ok()) {
        headers.insert(header::ETAG, weak);
    }
}

/// Tokens are answered by these; a `HEAD` has nothing to compress.
fn may_compress(req: &ServiceRequest) -> bool {
    let invites = req.method() == Method::POST && req.path() == "/api/users";
    !(invites || req.path().starts_with("/api/auth/") || req.method() == Method::HEAD)
}

fn wanted(req: &ServiceRequest) -> ContentEncoding {
    let offered = [Encoding::brotli(), Encoding::gzip(), Encoding::identity()];
    let wishes = AcceptEncoding::parse(req).ok().filter(|wishes| !wishes.is_empty());
    match wishes.and_then(|wishes| wishes.negotiate(offered.iter())) {
        Some(Encoding::Known(encoding)) => encoding,
        Some(Encoding::Unknown(_)) | None => ContentEncoding::Identity,
    }
}

/// Pictures and workbooks are compressed already, and a stream of events must not be saved up.
fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    ["application/json", "application/problem+json", "text/csv", "text/html"]
        .iter()
        .any(|text| kind.starts_with(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::middleware::from_fn;
    use actix_web::test::{TestRequest, call_service, init_service};
    use actix_web::web::get;
    use actix_web::{App, HttpResponse};

    #[actix_web::test]
    async fn compressed_answers_have_a_weak_etag_and_vary_even_if_unmodified() {
        let long =
            || async { HttpResponse::Ok().insert_header((header::ETAG, "\"3-ff\"")).json("a".repeat(2000)) };
        let known =
            || async { HttpResponse::NotModified().insert_header((header::ETAG, "\"3-ff\"")).finish() };
        let app = App::new()
            .wrap(from_fn(compress))
            .route("/long", get().to(long))
            .route("/known", get().to(known));
        let app = init_service(app).await;
        for (path, wish, tag) in [
            ("/long", "gzip", "W/\"3-ff\""),
            ("/known", "gzip", "W/\"3-ff\""),
            ("/long", "identity", "\"3-ff\""),
            ("/known", "identity", "\"3-ff\""),
        ] {
            let asked = TestRequest::get().uri(path).insert_header((header::ACCEPT_ENCODING, wish));
            let answer = call_service(&app, asked.to_request()).await;
            assert_eq!(answer.headers().get(header::ETAG).unwrap(), tag, "{path} {wish}");
            assert_eq!(answer.headers().get(header::VARY).unwrap(), "accept-encoding", "{path} {wish}");
        }
    }

    #[test]
    fn a_tag_becomes_weak_once() {
        let mut headers = HeaderMap::new();
        weaken(&mut headers);
        assert!(headers.is_empty());
        headers.insert(header::ETAG, HeaderValue::from_static("\"3-ff\""));
        for _ in 0..2 {
            weaken(&mut headers);
            assert_eq!(headers.get(header::ETAG).unwrap(), "W/\"3-ff\"");
        }
    }
}
