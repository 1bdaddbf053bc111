//! Changes of what is shown elsewhere: whatever was read can be sent back.

use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;
use jiff::Timestamp;
use rollcall_domain::Revision;
use serde_json::{Map, Value};

use super::body::{api, check_length, in_time, is_json, not_of, read_all};
use super::strict::{self, Form};
use super::words::Word as _;
use crate::codes::Code;
use crate::problem::Problem;

/// The members of a change, before they are compared with what is shown. A body of no bytes has none.
pub(crate) struct Change<T> {
    members: Map<String, Value>,
    form: PhantomData<T>,
}

impl<T: Form> FromRequest for Change<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (req, payload) = (req.clone(), payload.take());
        Box::pin(async move {
            let api = api(&req)?;
            check_length(&req, T::LIMIT)?;
            let bytes = in_time(&api.options, read_all(payload, T::LIMIT)).await?;
            let form = PhantomData;
            if bytes.is_empty() {
                return Ok(Self { members: Map::new(), form });
            }
            if !is_json(&req) {
                return Err(not_of("application/json"));
            }
            match strict::json(&bytes)? {
                Value::Object(members) => Ok(Self { members, form }),
                _ => Err(Problem::invalid_field("", "wrong-type", "must be an object")),
            }
        })
    }
}

impl<T: Form> Change<T> {
    /// What is to become different. A member that is sent as it is `shown` changes nothing, whoever may choose it:
    /// clients send back what they have read, with what they changed. Whoever has `seen` another version and is
    /// refused is told so instead: what they have not changed differs, too.
    pub(crate) fn of(mut self, shown: &Value, seen: Option<Revision>) -> Result<T, Problem> {
        self.members.retain(|name, value| !shown.get(name).is_some_and(|shown| same(shown, value)));
        let read = strict::from_change(Value::Object(self.members), shown);
        read.map_err(|refused| latest(shown, seen).err().unwrap_or(refused))
    }

    /// The same where each of the members `said` means something although it is as it is shown. `None` if nothing at
    /// all differs and `reason`, without which nothing is decided, is absent.
    pub(crate) fn decision(
        mut self,
        shown: &Value,
        seen: Option<Revision>,
        said: &[&str],
    ) -> Result<Option<T>, Problem> {
        latest(shown, seen)?;
        let as_shown = |name: &str, value: &Value| shown.get(name).is_some_and(|shown| same(shown, value));
        let differs = |(name, value): (&String, &Value)| !as_shown(name, value);
        if !self.members.is_empty() && !self.members.iter().any(differs) {
            return Ok(None);
        }
        self.members.retain(|name, value| said.contains(&name.as_str()) || !as_shown(name, value));
        strict::from_change(Value::Object(self.members), shown).map(Some)
    }
}

fn latest(shown: &Value, seen: Option<Revision>) -> Result<(), Problem> {
    match seen {
        Some(Revision(seen)) if shown["version"] != seen => Err(Problem::plain(Code::PreconditionFailed)),
        _ => Ok(()),
    }
}

/// Whether two values are the same; `5` and `5.0` are, and so are two ways to write the same instant: clients
/// that keep instants as such write them in their own way.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::String(x), Value::String(y)) => x == y || same_instant(x, y),
        (Value::Number(x), Value::Number(y)) => x == y || x.as_f64() == y.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

fn same_instant(a: &str, b: &str) -> bool {
    Timestamp::read(a).is_ok_and(|instant| Timestamp::read(b) == Ok(instant))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_same_in_other_words_is_no_difference() {
        for (a, b) in [
            (json!(5), json!(5.0)),
            (json!("2026-03-02T09:00:00Z"), json!("2026-03-02T09:00:00+00:00")),
            (json!("2026-03-02T09:00:00.120Z"), json!("2026-03-02T10:00:00.120000+01:00")),
            (json!([{ "at": "2026-03-02T09:00:00Z" }]), json!([{ "at": "2026-03-02T09:00:00.000Z" }])),
        ] {
            assert!(same(&a, &b), "{a} {b}");
        }
        for (a, b) in [
            (json!("2026-03-02T09:00:00Z"), json!("2026-03-02T09:00:00.001Z")),
            (json!("2026-03-02T09:00:00Z"), json!("2026-03-02T09:00:00")),
            (json!("2026-03-02"), json!("2026-03-03")),
            (json!("Ada"), json!("ada")),
            (json!("5"), json!(5)),
        ] {
            assert!(!same(&a, &b), "{a} {b}");
        }
    }
}
