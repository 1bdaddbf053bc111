//! What happens to every request, whatever it asks for: it gets an id, its errors one shape, its answer the
//! security headers, and the log one line.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use actix_web::{Error, HttpResponse, ResponseError, web};
use futures_util::FutureExt;
use tracing::Instrument;
use uuid::Uuid;

use crate::headers;
use crate::options::{Api, State};
use crate::preconditions::versioned;
use crate::problem::{Code, Problem};
use crate::unread::Unread;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Puts a request into its envelope; the outermost middleware.
pub(crate) async fn envelope(
    mut req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let begun = Instant::now();
    let id = request_id(req.headers());
    let (method, path) = (req.method().clone(), req.path().to_owned());
    let unread = Unread::of(&mut req);
    let span = tracing::info_span!("request", request_id = %id);

    // The world behind is shared through locks that survive a panic and a database that rolls back.
    let outcome = AssertUnwindSafe(next.call(req)).catch_unwind().instrument(span.clone()).await;
    let _entered = span.enter();
    let mut answer = match outcome {
        Ok(Ok(answer)) => {
            let answer = finish(answer.map_into_boxed_body(), &path, &id);
            let route = answer.request().match_pattern().unwrap_or_else(|| "-".to_owned());
            let status = answer.status().as_u16();
            tracing::info!(%method, route, status, ms = ms(begun), request_id = %id, "answered");
            return Ok(unread.until_sent(answer));
        }
        Ok(Err(error)) => told_of(&error, error.as_response_error().status_code(), &path, &id),
        Err(_) => Problem::broken("a handler panicked").answer(&path, &id),
    };
    add_headers(answer.headers_mut(), &path, &id);
    let status = answer.status().as_u16();
    tracing::info!(%method, route = "-", status, ms = ms(begun), request_id = %id, "answered");
    Err(PanicResponse::new(answer).into())
}

fn ms(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// What is told of an error: what one of ours says, or what the status says of one that the framework made.
fn told_of(error: &Error, status: StatusCode, path: &str, id: &str) -> HttpResponse {
    match error.as_error::<Problem>() {
        Some(problem) => problem.answer(path, id),
        None => Problem::foreign(status).answer(path, id),
    }
}

/// Gives an error its body and an answer its headers.
fn finish(answer: ServiceResponse, path: &str, id: &str) -> ServiceResponse {
    let problem = match answer.response().error() {
        Some(error) => Some(told_of(error, answer.status(), path, id)),
        // What the framework refuses by itself has a body of its own, or none, which nobody should see.
        None if is_error(answer.status())
            && !answer.headers().get(header::CONTENT_TYPE).is_some_and(is_ours) =>
        {
            Some(Problem::foreign(answer.status()).answer(path, id))
        }
        None => None,
    };
    let mut answer = match problem {
        None => versioned(answer),
        Some(problem) => replace(answer, problem),
    };
    add_headers(answer.headers_mut(), path, id);
    if answer.request().method() == Method::HEAD {
        answer.map_body(|_, body| Headless::of(&body))
    } else {
        answer
    }
}

/// The length of a body without the body: what a `HEAD` is answered with. A stream is not even begun.
struct Headless(BodySize);

impl Headless {
    fn of(body: &BoxBody) -> BoxBody {
        BoxBody::new(Self(body.size()))
    }
}

impl MessageBody for Headless {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        self.0
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        Poll::Ready(None)
    }
}

fn is_error(status: StatusCode) -> bool {
    status.is_client_error() || status.is_server_error()
}

fn is_ours(content_type: &HeaderValue) -> bool {
    content_type.as_bytes().starts_with(b"application/")
}

/// The new answer with what middlewares added to the old one.
fn replace(answer: ServiceResponse, mut problem: HttpResponse) -> ServiceResponse {
    for (name, value) in answer.headers() {
        let own = [header::CONTENT_TYPE, header::CONTENT_LENGTH].contains(name);
        if !own && !problem.headers().contains_key(name) {
            problem.headers_mut().insert(name.clone(), value.clone());
        }
    }
    answer.into_response(problem)
}

fn add_headers(headers: &mut HeaderMap, path: &str, id: &str) {
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    headers::secure(headers, path);
}

/// The client's own id if it is harmless, else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let own = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let harmless = |id: &&str| (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    own.filter(harmless).map_or_else(new_request_id, str::to_owned)
}

#[expect(clippy::disallowed_methods, reason = "names a request in the log; no rule and no row depends on it")]
fn new_request_id() -> String {
    Uuid::now_v7().to_string()
}

/// Refuses everything but the health check until the server is ready, and again once it is told to stop.
pub(crate) async fn gate(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let state = req.app_data::<web::Data<Api>>().map_or(State::Starting, |api| api.readiness.get());
    let guarded = req.path().starts_with("/api") && !req.path().starts_with("/api/health");
    let refused = match state {
        State::Ready => None,
        State::Starting => Some(Code::Starting),
        State::Draining => Some(Code::Draining),
    };
    match refused.filter(|_| guarded) {
        Some(code) => Ok(req.error_response(Problem::plain(code))),
        None => Ok(next.call(req).await?.map_into_boxed_body()),
    }
}

/// An answer to a request that did not come back: its handler panicked.
struct PanicResponse {
    status: StatusCode,
    headers: HeaderMap,
    body: web::Bytes,
}

impl PanicResponse {
    fn new(answer: HttpResponse) -> Self {
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.into_body().try_into_bytes().unwrap_or_default();
        Self { status, headers, body }
    }
}

impl std::fmt::Debug for PanicResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PanicResponse({})", self.status)
    }
}

impl std::fmt::Display for PanicResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a request could not be answered")
    }
}

impl ResponseError for PanicResponse {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut answer = HttpResponse::with_body(self.status, BoxBody::new(self.body.clone()));
        for (name, value) in &self.headers {
            answer.headers_mut().insert(name.clone(), value.clone());
        }
        answer
    }
}
