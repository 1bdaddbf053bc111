//! Headers of every answer, and which other origins may read one.

use actix_cors::Cors;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// RFC 7240.
pub(crate) const PREFER: HeaderName = HeaderName::from_static("prefer");
pub(crate) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
/// The HTML standard: where a client that was cut off from an event stream goes on.
pub(crate) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const REASON: HeaderName = HeaderName::from_static("x-reason");
const RATE_LIMIT: [&str; 3] = ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"];

/// What browsers must never do with an answer, and that nobody stores one.
pub(crate) fn secure(headers: &mut HeaderMap, path: &str) {
    let policy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'";
    let always = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::VARY, "Origin"),
    ];
    let no_store = path.starts_with("/api").then_some((header::CACHE_CONTROL, "no-store"));
    for (name, value) in always.into_iter().chain(no_store) {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
}

/// Exactly these origins and no other; a bad entry stops the start.
pub(crate) fn cors(origins: &[String]) -> Cors {
    let cors = Cors::default()
        .allowed_methods(METHODS)
        .allowed_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::ACCEPT,
            header::ACCEPT_LANGUAGE,
            header::CACHE_CONTROL,
            header::IF_MATCH,
            header::IF_NONE_MATCH,
            REQUEST_ID,
            REASON,
            PREFER,
            LAST_EVENT_ID,
        ])
        .expose_headers([header::ETAG, header::LINK, header::LOCATION, header::RETRY_AFTER, REQUEST_ID])
        .expose_headers([
            header::ALLOW,
            header::CONTENT_DISPOSITION,
            header::WWW_AUTHENTICATE,
            PREFERENCE_APPLIED,
        ])
        .expose_headers(RATE_LIMIT)
        .max_age(600);
    origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}

/// Lets browsers keep an answer as a file.
pub(crate) fn attachment(name: &str) -> (header::HeaderName, String) {
    (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""))
}
