//! Who changes something says which version they have seen (RFC 9110, section 13).

use std::future::{Ready, ready};
use std::hash::{DefaultHasher, Hasher};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceResponse};
use actix_web::http::header::{self, EntityTag, Header as _, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use rollcall_domain::Revision;
use serde::Serialize;
use utoipa::IntoParams;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};

use crate::options::Api;
use crate::problem::{Code, Problem};

/// The revision that `If-Match` names, if it names one.
pub(crate) struct IfMatch(pub(crate) Option<Revision>);

impl FromRequest for IfMatch {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let required = req.app_data::<web::Data<Api>>().is_some_and(|api| api.options.require_if_match);
        // What is decided with a POST has no version to be lost: it names one if it likes to.
        let required = required && req.method() != Method::POST;
        let mut sent = req.headers().get_all(header::IF_MATCH).peekable();
        ready(if sent.peek().is_none() {
            if required { Err(Problem::plain(Code::PreconditionRequired)) } else { Ok(Self(None)) }
        } else if sent.all(is_empty) {
            Err(Problem::new(
                Code::MalformedRequest,
                "If-Match names no version: send the ETag that was read, in its quotes, or * for whatever there is",
            ))
        } else {
            Ok(Self(named(req)))
        })
    }
}

/// Whether a list of tags has none, as if a client had forgotten to fill it in.
fn is_empty(value: &HeaderValue) -> bool {
    value.as_bytes().iter().all(|byte| matches!(byte, b',' | b' ' | b'\t'))
}

/// `*` fits whatever there is. Of several versions only the latest can be the one in force; what is no tag of
/// ours fits nothing.
fn named(req: &HttpRequest) -> Option<Revision> {
    let tags = match header::IfMatch::parse(req) {
        Ok(header::IfMatch::Any) => return None,
        Ok(header::IfMatch::Items(tags)) => tags,
        Err(_) => Vec::new(),
    };
    // Behind the revision there may be what tells apart how it was shown.
    let revision = |tag: &EntityTag| match tag.tag().split_once('-') {
        Some((revision, _)) => revision.parse().ok(),
        // A body that was compressed on its way has our tag as a weak one: the revision inside counts all the same.
        None if tag.weak => None,
        None => tag.tag().parse().ok(),
    };
    Some(Revision(tags.iter().filter_map(revision).max().unwrap_or(u32::MAX)))
}

impl IntoParams for IfMatch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let parameter = ParameterBuilder::new()
            .name("If-Match")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some("The `ETag` of what was read."));
        vec![parameter.build()]
    }
}

/// An answer that shows something with its version, which is its tag.
pub(crate) fn shown(revision: Revision, view: impl Serialize) -> HttpResponse {
    HttpResponse::Ok().insert_header(etag(revision)).json(view)
}

/// The same of something that was just added, and where it is.
pub(crate) fn created(path: String, revision: Revision, view: impl Serialize) -> HttpResponse {
    let location = (header::LOCATION, path);
    HttpResponse::Created().insert_header(location).insert_header(etag(revision)).json(view)
}

fn etag(revision: Revision) -> (header::HeaderName, String) {
    (header::ETAG, format!("\"{}\"", revision.0))
}

/// An answer that has a version, as it is sent: its tag also tells what is shown beside what the revision counts, such as the
/// state of a day or a face; whoever has the same already is told so without it.
pub(crate) fn versioned(answer: ServiceResponse) -> ServiceResponse {
    let revision = answer.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok());
    let Some(revision) = revision.map(|tag| tag.trim_matches('"').to_owned()) else { return answer };
    let (req, answer) = answer.into_parts();
    let (mut answer, body) = answer.into_parts();
    let bytes = match body.try_into_bytes() {
        Ok(bytes) => bytes,
        Err(body) => return ServiceResponse::new(req, answer.set_body(body)),
    };
    // The same in every process of one version, which is all that is needed: another one sends it once more.
    let mut hasher = DefaultHasher::new();
    hasher.write(&bytes);
    let tag = EntityTag::new_strong(format!("{revision}-{:016x}", hasher.finish()));
    let known = [Method::GET, Method::HEAD].contains(req.method()) && answer.status() == StatusCode::OK;
    let known = known && has(&req, &tag);
    if let Ok(tag) = HeaderValue::from_str(&tag.to_string()) {
        answer.headers_mut().insert(header::ETAG, tag);
    }
    if known {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        answer.headers_mut().remove(header::CONTENT_TYPE);
        return ServiceResponse::new(req, answer.set_body(BoxBody::new(())));
    }
    ServiceResponse::new(req, answer.set_body(BoxBody::new(bytes)))
}

/// Whether the sender has what this tag names. Weak tags count as well: nobody changes anything here.
fn has(req: &HttpRequest, tag: &EntityTag) -> bool {
    match header::IfNoneMatch::parse(req) {
        Ok(header::IfNoneMatch::Any) => true,
        Ok(header::IfNoneMatch::Items(tags)) => tags.iter().any(|sent| sent.weak_eq(tag)),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn a_tag_is_a_revision_in_quotes() {
        for (sent, revision) in [
            ("\"3\"", Some(3)),
            ("\"3\", \"5\"", Some(5)),
            ("\"3-00ff\"", Some(3)),
            ("*", None),
            ("W/\"3-00ff\"", Some(3)),
            ("W/\"3\"", Some(u32::MAX)),
            ("3", Some(u32::MAX)),
        ] {
            let req = TestRequest::default().insert_header((header::IF_MATCH, sent)).to_http_request();
            assert_eq!(named(&req), revision.map(Revision), "{sent}");
        }
    }
}
