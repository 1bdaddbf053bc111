//! Who changes something says which version they have seen (RFC 9110, section 13).

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};
use rollcall_domain::Revision;

use crate::codes::Code;
use crate::options::Api;
use crate::problem::Problem;

/// The revision that `If-Match` names, if it names one.
pub(crate) struct IfMatch(pub(crate) Option<Revision>);

impl FromRequest for IfMatch {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let required = req.app_data::<web::Data<Api>>().is_some_and(|api| api.options.require_if_match);
        let sent: Vec<_> = req.headers().get_all(header::IF_MATCH).collect();
        ready(match sent.as_slice() {
            [] if required => Err(Problem::plain(Code::PreconditionRequired)),
            [] => Ok(Self(None)),
            sent => Ok(Self(named(sent.iter().filter_map(|value| value.to_str().ok())))),
        })
    }
}

/// `*` fits whatever there is. Of several versions only the latest can be the one in force; what is no tag of
/// ours fits nothing.
fn named<'a>(values: impl Iterator<Item = &'a str>) -> Option<Revision> {
    let tags: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
    if tags.contains(&"*") {
        return None;
    }
    let number = |tag: &&str| tag.strip_prefix('"')?.strip_suffix('"')?.parse().ok();
    Some(Revision(tags.iter().filter_map(number).max().unwrap_or(u32::MAX)))
}

/// The tag of a revision.
pub(crate) fn etag(revision: Revision) -> (header::HeaderName, String) {
    (header::ETAG, format!("\"{}\"", revision.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_a_revision_in_quotes() {
        for (sent, revision) in [
            ("\"3\"", Some(3)),
            ("\"3\", \"5\"", Some(5)),
            ("*", None),
            ("W/\"3\"", Some(u32::MAX)),
            ("3", Some(u32::MAX)),
            ("", Some(u32::MAX)),
        ] {
            assert_eq!(named([sent].into_iter()), revision.map(Revision), "{sent}");
        }
    }
}
