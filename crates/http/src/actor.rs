//! Who is asking: the bearer token is read, and the role judged, before anything of the body is.

use std::future::{Ready, ready};
use std::net::IpAddr;

use actix_web::body::BoxBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap};
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, web};
use rollcall_domain::access::{Action, Actor, permit};
use rollcall_domain::id::UserId;
use rollcall_usecases::auth::{Caller, Token};

use crate::client::client;
use crate::codes::Code;
use crate::limits::Place;
use crate::naming::named_answer;
use crate::options::Api;
use crate::problem::Problem;
use crate::report::FILES;
use crate::stream::EVENT_STREAM;

/// Who may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anybody.
    Public,
    /// Anybody but kiosks: logging in is for people.
    People,
    /// The same, and a password is hashed.
    Password,
    /// Whoever the access table lets do this.
    May(Action),
    /// The same, and monitors that know the health token.
    MayOrMonitor(Action),
}

/// Lets a request in or not; wraps every route, so that handlers and their extractors come after it.
pub(crate) async fn guard(
    access: Access,
    req: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match admit(access, &req).await {
        Ok((caller, place)) => {
            if let Some(caller) = caller {
                req.extensions_mut().insert(caller);
            }
            let directory = req.app_data::<web::Data<Api>>().map(|api| api.usecases.directory.clone());
            let named = req.method() != Method::DELETE;
            let answer = next.call(req).await?;
            drop(place);
            match (access, directory) {
                (Access::May(_), Some(directory)) if named => Ok(named_answer(&directory, answer).await),
                _ => Ok(answer),
            }
        }
        Err(problem) => Ok(req.error_response(problem)),
    }
}

/// Who is asking, and a place in the line of passwords if the route needs one.
async fn admit(
    access: Access,
    req: &ServiceRequest,
) -> Result<(Option<Caller>, Option<Place<IpAddr>>), Problem> {
    let api = req.app_data::<web::Data<Api>>().ok_or_else(|| Problem::broken("no api"))?;
    let from = client(req.request(), &api.options.trusted_proxies);
    // Before anything that costs more than counting.
    if req.path().starts_with("/api/auth/") {
        api.limiter.auth(from)?;
    }
    let place = if access == Access::Password { Some(api.limiter.password(from)?) } else { None };
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
            if let (Action::RecognizeFace, Some(kiosk)) = (action, caller.actor.device()) {
                api.limiter.recognize(kiosk)?;
            }
            Some(caller)
        }
    };
    if fits(access, req.headers()) { Ok((caller, place)) } else { Err(Problem::plain(Code::NotAcceptable)) }
}

/// Whether an answer is welcome in the form in which it comes.
fn fits(access: Access, headers: &HeaderMap) -> bool {
    match access {
        // What is public is also looked at with a browser.
        Access::Public => true,
        Access::May(Action::FollowAttendance) => prefers(headers, &[EVENT_STREAM]).is_some(),
        // What comes as a file is asked for as one.
        Access::May(Action::ReadReport | Action::ReadJobs) if prefers(headers, &FILES).is_some() => true,
        _ => accepts_json(headers),
    }
}

fn is_monitor(api: &Api, token: &str) -> bool {
    api.options.health_token.as_ref().is_some_and(|expected| same(expected.as_bytes(), token.as_bytes()))
}

/// Compares every byte, so that time tells nothing but the length.
fn same(a: &[u8], b: &[u8]) -> bool {
    let differences = a.iter().zip(b).fold(0, |all, (x, y)| std::hint::black_box(all | (x ^ y)));
    a.len() == b.len() && differences == 0
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

/// Whether an answer in JSON is welcome; a header that cannot be read is no wish.
fn accepts_json(headers: &HeaderMap) -> bool {
    let mut wishes = headers.get_all(header::ACCEPT).filter_map(|value| value.to_str().ok()).peekable();
    if wishes.peek().is_none() {
        return true;
    }
    wishes.flat_map(|value| value.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
        let refused = parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
        let json = ["*/*", "application/*", "application/json", "application/problem+json", ""];
        !refused && json.contains(&kind.as_str())
    })
}

/// Which of the types on offer a client likes best, the first of several; `None` if it wants none of them.
pub(crate) fn prefers(headers: &HeaderMap, offered: &[&'static str]) -> Option<&'static str> {
    let wishes: Vec<&str> = headers.get_all(header::ACCEPT).filter_map(|value| value.to_str().ok()).collect();
    if wishes.is_empty() {
        return offered.first().copied();
    }
    let ranges: Vec<(String, f32)> = wishes.iter().flat_map(|value| value.split(',')).map(wish).collect();
    let liking = |kind: &str| {
        let family = kind.split('/').next().map(|family| format!("{family}/*")).unwrap_or_default();
        // What is said of the type itself outweighs what is said of its family, and that what is said of all.
        [kind, family.as_str(), "*/*"]
            .into_iter()
            .find_map(|name| ranges.iter().find(|(range, _)| range == name).map(|(_, liking)| *liking))
            .unwrap_or(0.0)
    };
    let mut best = None;
    for kind in offered {
        let liked = liking(kind);
        if liked > 0.0 && best.is_none_or(|(_, most)| liked > most) {
            best = Some((*kind, liked));
        }
    }
    best.map(|(kind, _)| kind)
}

/// A type and how much it is liked, 0 to 1.
fn wish(range: &str) -> (String, f32) {
    let mut parts = range.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
    let liking = parts.find_map(|part| part.strip_prefix("q=")).map_or(1.0, |q| q.parse().unwrap_or(1.0));
    (kind, liking)
}

/// Who is asking, in a handler. Routes that name no action have none.
pub(crate) struct Asker(pub(crate) Caller);

impl Asker {
    /// As far as the access table is concerned.
    pub(crate) const fn actor(&self) -> &Actor {
        &self.0.actor
    }

    /// What the token is.
    pub(crate) const fn token(&self) -> &Token {
        &self.0.token
    }
}

impl FromRequest for Asker {
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
pub(crate) struct Who(pub(crate) UserId);

impl FromRequest for Who {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let named = req.match_info().get("user_id").unwrap_or_default();
        ready(caller(req).and_then(|caller| who(named, &caller.actor)).map(Self))
    }
}

/// The person that `text` names: an id, or `me`.
pub(crate) fn who(text: &str, actor: &Actor) -> Result<UserId, Problem> {
    if text == "me" {
        return actor.user().ok_or_else(Problem::not_found);
    }
    text.parse().map_err(|_| Problem::not_found())
}

/// The person that a member of a body names, if it names one: an id, or `me`.
pub(crate) fn whom(pointer: &str, text: Option<&str>, actor: &Actor) -> Result<Option<UserId>, Problem> {
    let unknown = |_| Problem::invalid_field(pointer, "does-not-exist", "does not exist");
    text.map(|text| who(text, actor)).transpose().map_err(unknown)
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

    #[test]
    fn json_is_acceptable_unless_it_is_excluded() {
        for good in ["*/*", "application/json", "text/html, application/*;q=0.1", "text/html,*/*;q=0.8"] {
            assert!(accepts_json(&headers(header::ACCEPT, &[good])), "{good}");
        }
        assert!(accepts_json(&HeaderMap::new()));
        for bad in ["text/html", "image/png, text/*", "application/json;q=0"] {
            assert!(!accepts_json(&headers(header::ACCEPT, &[bad])), "{bad}");
        }
    }

    #[test]
    fn the_type_that_is_liked_best_is_sent() {
        let offered = ["application/json", "text/csv"];
        let of = |accept: &'static str| prefers(&headers(header::ACCEPT, &[accept]), &offered);
        for json in [
            "*/*",
            "text/csv;q=0.5, application/json",
            "application/*, text/*;q=0.9",
            "application/json, text/csv",
        ] {
            assert_eq!(of(json), Some("application/json"), "{json}");
        }
        for csv in ["text/csv", "TEXT/CSV", "text/*, */*;q=0.1", "application/json;q=0, */*"] {
            assert_eq!(of(csv), Some("text/csv"), "{csv}");
        }
        for none in ["image/png", "text/csv;q=0", "text/html"] {
            assert_eq!(of(none), None, "{none}");
        }
        assert_eq!(prefers(&HeaderMap::new(), &offered), Some("application/json"));
    }

    #[test]
    fn secrets_are_compared_whole() {
        assert!(same(b"abc", b"abc"));
        assert!(!same(b"abc", b"abd") && !same(b"abc", b"ab") && !same(b"", b"a"));
    }
}
