//! What clients are told when something is wrong: RFC 9457, one shape for every error.

mod codes;
mod from;

use std::borrow::Cow;
use std::fmt;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::input::Place;

pub(crate) use codes::Code;

/// An error on its way to a client. It becomes a body where the request is known: in `envelope`.
pub(crate) struct Problem(Box<Inner>);

struct Inner {
    code: Code,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    extra: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<String>,
}

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub(crate) struct FieldError {
    /// JSON pointer to a member of the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pointer: Option<String>,
    /// Key of the query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parameter: Option<String>,
    /// A stable code.
    pub(crate) code: Cow<'static, str>,
    /// What is wrong, for people.
    pub(crate) detail: String,
}

/// Most fields of which one answer tells what is wrong with them.
pub(crate) const MOST: usize = 100;

impl FieldError {
    /// About something that is not among what is `known` there.
    pub(crate) fn unknown(place: Place, pointer: String, what: &str, known: &[&str]) -> Self {
        let known = if known.is_empty() { String::new() } else { format!(" Known: {}.", known.join(", ")) };
        place.error(pointer, "unknown", format!("Unknown {what}.{known}"))
    }

    /// About a member of the body.
    pub(crate) fn at(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self { pointer: Some(pointer.into()), parameter: None, code: code.into(), detail: detail.into() }
    }

    /// About a key of the query.
    pub(crate) fn of(parameter: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self { pointer: None, parameter: Some(parameter.into()), code: code.into(), detail: detail.into() }
    }
}

/// What is wrong with one of many things.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ItemProblem)]
pub(crate) struct ItemProblemView {
    /// The stable code.
    code: &'static str,
    /// What is wrong this time, for people.
    detail: String,
    /// Every field that is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldError>,
}

/// The body of every error (RFC 9457), sent as `application/problem+json`.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemView<'a> {
    /// Where the code is explained: `/problems/` and the code.
    #[serde(rename = "type")]
    kind: String,
    /// A short name of the code.
    title: &'a str,
    /// The status, once more.
    status: u16,
    /// What is wrong this time, for people.
    #[serde(skip_serializing_if = "str::is_empty")]
    #[schema(required = false)]
    detail: &'a str,
    /// Path of the request.
    instance: &'a str,
    /// The stable code.
    code: &'a str,
    /// Finds the request in the log.
    request_id: &'a str,
    /// Every field that is wrong.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(required = false)]
    errors: &'a [FieldError],
    #[serde(flatten)]
    #[schema(ignore)]
    extra: &'a Map<String, Value>,
}

impl Problem {
    /// A problem and what there is to say about it.
    pub(crate) fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        let mut headers = Vec::new();
        match code.status() {
            StatusCode::UNAUTHORIZED => {
                // RFC 6750, section 3.1: who sent no token is told no error of one.
                let challenge = match code {
                    Code::TokenMissing
                    | Code::InvalidCredentials
                    | Code::RefreshTokenInvalid
                    | Code::InvitationInvalid => "Bearer",
                    _ => "Bearer error=\"invalid_token\"",
                };
                headers.push((header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge)));
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.push((header::RETRY_AFTER, HeaderValue::from_static("1")));
            }
            _ => {}
        }
        Self(Box::new(Inner {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            extra: Map::new(),
            headers,
            cause: None,
        }))
    }

    /// A problem of which the table says all there is to say.
    pub(crate) fn plain(code: Code) -> Self {
        Self::new(code, code.about())
    }

    /// Something absent, or something that may not be seen: nobody can tell which.
    pub(crate) fn not_found() -> Self {
        Self::plain(Code::NotFound)
    }

    /// Fields that are wrong, all of them.
    pub(crate) fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = match errors.len() {
            1 => "1 field is invalid".to_owned(),
            MOST.. => format!("{MOST} fields or more are invalid"),
            n => format!("{n} fields are invalid"),
        };
        Self::new(Code::ValidationFailed, detail).with_errors(errors)
    }

    /// One field of the body that is wrong.
    pub(crate) fn invalid_field(pointer: &str, code: &'static str, detail: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError::at(pointer, code, detail)])
    }

    /// One key of the query that is wrong.
    pub(crate) fn invalid_parameter(name: &str, code: &'static str, detail: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError::of(name, code, detail)])
    }

    /// A failure of ours: clients learn nothing but the request's id, the log gets the whole chain of causes.
    pub(crate) fn hidden(code: Code, error: &dyn std::error::Error) -> Self {
        let detail = if code == Code::InternalError { "" } else { code.about() };
        let mut problem = Self::new(code, detail);
        problem.0.cause = Some(chain(error));
        problem
    }

    /// A failure that no error value describes.
    pub(crate) fn broken(cause: &str) -> Self {
        let mut problem = Self::new(Code::InternalError, "");
        problem.0.cause = Some(cause.to_owned());
        problem
    }

    /// What is told of an error that the framework made.
    pub(crate) fn foreign(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::not_found(),
            StatusCode::METHOD_NOT_ALLOWED => Self::plain(Code::MethodNotAllowed),
            StatusCode::REQUEST_TIMEOUT => Self::plain(Code::RequestTimeout),
            StatusCode::PAYLOAD_TOO_LARGE => Self::plain(Code::PayloadTooLarge),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::plain(Code::UnsupportedMediaType),
            status if status.is_client_error() => Self::plain(Code::MalformedRequest),
            _ => Self::broken("the framework failed"),
        }
    }

    /// With the fields that are wrong, in a stable order, and no more of them than anybody reads.
    pub(crate) fn with_errors(mut self, mut errors: Vec<FieldError>) -> Self {
        errors.sort();
        errors.truncate(MOST);
        self.0.errors = errors;
        self
    }

    /// With one more member.
    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.0.extra.insert(name.to_owned(), value);
        self
    }

    /// With one more header.
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// The same in short, where a problem is not the whole answer.
    pub(crate) fn brief(self) -> ItemProblemView {
        let Inner { code, detail, errors, .. } = *self.0;
        ItemProblemView { code: code.slug(), detail: detail.into_owned(), errors }
    }

    /// The same to somebody who has been sent a part of the answer: all there is to do is to log it and to break off.
    pub(crate) fn broken_off(&self, what: &'static str) -> std::io::Error {
        self.log(what);
        std::io::Error::other(what)
    }

    /// Logs a failure of ours where there is no request to answer.
    pub(crate) fn log(&self, what: &'static str) {
        if let Some(cause) = &self.0.cause {
            tracing::error!(code = self.0.code.slug(), cause, "{what}");
        }
    }

    /// Its code.
    pub(crate) fn code(&self) -> Code {
        self.0.code
    }

    /// The answer to the request `request_id` for the path `instance`. Failures of ours are logged here, once.
    pub(crate) fn answer(&self, instance: &str, request_id: &str) -> HttpResponse {
        let Inner { code, detail, errors, extra, headers, cause } = &*self.0;
        if let Some(cause) = cause {
            tracing::error!(code = code.slug(), cause, request_id, "a request failed");
        }
        let mut answer = HttpResponse::build(code.status());
        for (name, value) in headers {
            answer.insert_header((name.clone(), value.clone()));
        }
        let view = ProblemView {
            kind: format!("/problems/{}", code.slug()),
            title: code.title(),
            status: code.status().as_u16(),
            detail,
            instance,
            code: code.slug(),
            request_id,
            errors,
            extra,
        };
        let body = serde_json::to_vec(&view).unwrap_or_default();
        answer.insert_header((header::CONTENT_TYPE, "application/problem+json")).body(body)
    }
}

/// The error and everything that led to it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Problem({}, {:?}, {:?})", self.0.code.slug(), self.0.detail, self.0.errors)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.code.slug())
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.code.status()
    }

    /// Without a request there is nothing to say yet; see [`Problem::answer`].
    fn error_response(&self) -> HttpResponse<BoxBody> {
        HttpResponse::new(self.status_code())
    }
}
