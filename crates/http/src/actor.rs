//! Who is asking: the bearer token is read, and the role judged, before anything of the body is.

use std::future::{Ready, ready};
use std::net::IpAddr;

use actix_web::body::BoxBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap};
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, web};
use rollcall_domain::access::{Actor, permit};
use rollcall_domain::id::UserId;
use rollcall_usecases::auth::{Caller, Token};
use subtle::ConstantTimeEq;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::{IntoParams, PartialSchema};

use crate::client::client;
use crate::entry::{Access, Entry, Limited};
use crate::limits::Permit;
use crate::naming::named_answer;
use crate::options::Api;
use crate::problem::{Code, Problem};

/// Lets a request in or not; wraps every route, so that handlers and their extractors come after it.
pub(crate) async fn guard(
    entry: &Entry,
    req: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match admit(entry, &req).await {
        Ok((caller, permit)) => {
            if let Some(caller) = caller {
                req.extensions_mut().insert(caller);
            }
            let directory = req.app_data::<web::Data<Api>>().map(|api| api.usecases.directory.clone());
            let named = req.method() != Method::DELETE;
            let answer = next.call(req).await?;
            drop(permit);
            match (entry.access, directory) {
                (Access::May(_), Some(directory)) if named => Ok(named_answer(&directory, answer).await),
                _ => Ok(answer),
            }
        }
        Err(problem) => Ok(req.error_response(problem)),
    }
}

/// Who is asking, and a place in the line of passwords if the route needs one.
async fn admit(
    entry: &Entry,
    req: &ServiceRequest,
) -> Result<(Option<Caller>, Option<Permit<IpAddr>>), Problem> {
    let access = entry.access;
    let api = req.app_data::<web::Data<Api>>().ok_or_else(|| Problem::broken("no api"))?;
    let from = client(req.request(), &api.options.trusted_proxies);
    if entry.notes.limited == Limited::ByAddress {
        api.limiter.auth(from)?;
    }
    let password = if access == Access::Password { Some(api.limiter.password(from)?) } else { None };
    let token = bearer(req.headers());
    let caller = match (access, token) {
        (Access::Public, _) => None,
        (Access::People | Access::Password, Ok(token)) => {
            // A kiosk's key is the only token that matters here; a bad one is like none.
            let caller = api.usecases.auth.authenticate(token).await.ok();
            if caller.is_some_and(|caller| caller.actor.device().is_some()) {
                return Err(Problem::plain(Code::Forbidden));
            }
            None
        }
        (Access::People | Access::Password, Err(_)) => None,
        (Access::MayOrMonitor(_), Ok(token)) if is_monitor(api, token) => None,
        (Access::May(action) | Access::MayOrMonitor(action), token) => {
            let caller = api.usecases.auth.authenticate(token?).await?;
            permit(&caller.actor, action, api.options.self_service)?;
            if let (Limited::ByKiosk, Some(kiosk)) = (entry.notes.limited, caller.actor.device()) {
                api.limiter.recognize(kiosk)?;
            }
            Some(caller)
        }
    };
    let fits = entry.notes.answers.fit(req.headers());
    if fits { Ok((caller, password)) } else { Err(Problem::plain(Code::NotAcceptable)) }
}

fn is_monitor(api: &Api, token: &str) -> bool {
    let expected = api.options.health_token.as_ref();
    expected.is_some_and(|expected| expected.as_bytes().ct_eq(token.as_bytes()).into())
}

/// The token of the only accepted form, `Authorization: Bearer <token>`, sent once.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut sent = headers.get_all(header::AUTHORIZATION);
    let Some(value) = sent.next() else { return Err(Problem::plain(Code::TokenMissing)) };
    let malformed = || Problem::plain(Code::TokenMalformed);
    if sent.next().is_some() {
        return Err(malformed());
    }
    let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(malformed)?;
    let token = token.trim_matches(' ');
    let sound = scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && !token.contains(' ');
    if sound { Ok(token) } else { Err(malformed()) }
}

/// Who is asking, in a handler. Routes that name no action have none.
pub(crate) struct Authenticated(pub(crate) Caller);

impl Authenticated {
    /// As far as the access table is concerned.
    pub(crate) const fn actor(&self) -> &Actor {
        &self.0.actor
    }

    /// What the token is.
    pub(crate) const fn token(&self) -> &Token {
        &self.0.token
    }
}

impl FromRequest for Authenticated {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(caller(req).map(Self))
    }
}

fn caller(req: &HttpRequest) -> Result<Caller, Problem> {
    req.extensions().get::<Caller>().cloned().ok_or_else(|| Problem::plain(Code::TokenMissing))
}

/// The person a path names: an id, or `me`. What is no id names nobody.
pub(crate) struct PathUser(pub(crate) UserId);

impl FromRequest for PathUser {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let named = req.match_info().get("user_id").unwrap_or_default();
        ready(caller(req).and_then(|caller| parse_user(named, &caller.actor)).map(Self))
    }
}

impl IntoParams for PathUser {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let parameter = ParameterBuilder::new()
            .name("user_id")
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .description(Some("An id, or `me`."))
            .schema(Some(String::schema()));
        vec![parameter.build()]
    }
}

/// The person that `text` names: an id, or `me`.
pub(crate) fn parse_user(text: &str, actor: &Actor) -> Result<UserId, Problem> {
    if text == "me" {
        return actor.user().ok_or_else(Problem::not_found);
    }
    text.parse().map_err(|_| Problem::not_found())
}

/// The person that a member of a body names, if it names one: an id, or `me`.
pub(crate) fn whom(pointer: &str, text: Option<&str>, actor: &Actor) -> Result<Option<UserId>, Problem> {
    let unknown = |_| Problem::invalid_field(pointer, "does-not-exist", "does not exist");
    text.map(|text| parse_user(text, actor)).transpose().map_err(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn headers(name: header::HeaderName, values: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        values.iter().for_each(|value| headers.append(name.clone(), HeaderValue::from_static(value)));
        headers
    }

    #[test]
    fn only_one_bearer_token_is_a_token() {
        let read = |values: &[&'static str]| {
            bearer(&headers(header::AUTHORIZATION, values)).map(str::to_owned).map_err(|p| p.code())
        };
        assert_eq!(read(&["Bearer abc"]), Ok("abc".into()));
        assert_eq!(read(&["bearer  abc"]), Ok("abc".into()));
        assert_eq!(read(&[]), Err(Code::TokenMissing));
        for bad in [&["abc"][..], &["Basic abc"], &["Bearer "], &["Bearer a b"], &["Bearer a", "Bearer b"]] {
            assert_eq!(read(bad), Err(Code::TokenMalformed), "{bad:?}");
        }
    }
}
