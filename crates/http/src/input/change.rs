//! Changes of what is shown elsewhere: whatever was read can be sent back.

use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;
use jiff::Timestamp;
use rollcall_domain::Revision;
use serde_json::{Map, Value};

use super::body::{api, check_length, in_time, is_json, not_of, read_all};
use super::parse::Parse as _;
use super::strict::{self, Form};
use crate::problem::{Code, Problem};

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

/// What the sender has seen of what is to be changed, by `If-Match`, and what there is.
#[derive(Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) revision: Option<Revision>,
    pub(crate) known: Revision,
}

impl Seen {
    /// Refuses a change of what has become another since: nothing in it can be judged by what is shown now.
    fn check(self) -> Result<(), Problem> {
        match self.revision {
            Some(revision) if revision != self.known => Err(Problem::plain(Code::PreconditionFailed)),
            Some(_) | None => Ok(()),
        }
    }
}

impl<T: Form> Change<T> {
    /// What is to become different. A member that is sent as it is `shown` changes nothing, whoever may choose it:
    /// clients send back what they have read, with what they changed.
    pub(crate) fn of(mut self, shown: &Value, seen: Seen) -> Result<T, Problem> {
        seen.check()?;
        self.pass_over_computed(shown);
        let meant = |name: &str, value: &Value| T::MEANT.contains(&name) && !value.is_null();
        self.members.retain(|name, value| !is_shown(shown, name, value) || meant(name, value));
        strict::from_change(Value::Object(self.members), shown)
    }

    /// Leaves out what may have moved since it was read, in what was read as a whole: it names itself by its `id`. Whoever
    /// sends such a member without that wants it to be so, and is told that it is not theirs to choose.
    fn pass_over_computed(&mut self, shown: &Value) {
        if self.is_all_that_was_read(shown) {
            self.members.retain(|name, _| !T::COMPUTED.contains(&name.as_str()));
        }
    }

    fn is_all_that_was_read(&self, shown: &Value) -> bool {
        shown.get("id").is_some_and(|id| self.members.get("id") == Some(id))
    }

    /// The same where each of the members `said` means something although it is as it is shown, unless what is shown is
    /// one of the words that `say_nothing`, or all that was read is sent back: then only what differs is decided. `None`
    /// if nothing at all differs beside the reason for it.
    pub(crate) fn decision(
        mut self,
        shown: &Value,
        seen: Seen,
        said: &[&str],
        say_nothing: &[(&str, &str)],
    ) -> Result<Option<T>, Problem> {
        seen.check()?;
        let (sent, whole) = (!self.members.is_empty(), self.is_all_that_was_read(shown));
        self.pass_over_computed(shown);
        let unchanged =
            |(name, value): (&String, &Value)| is_shown(shown, name, value) || whole && name == "reason";
        if sent && self.members.iter().all(unchanged) {
            return Ok(None);
        }
        let nothing =
            |name: &str, value: &Value| say_nothing.iter().any(|(of, word)| *of == name && value == word);
        self.members.retain(|name, value| {
            !is_shown(shown, name, value) || !whole && said.contains(&name.as_str()) && !nothing(name, value)
        });
        strict::from_change(Value::Object(self.members), shown).map(Some)
    }
}

/// Whether a member is sent as it is shown. What is shown by id and name counts by its id: names change elsewhere.
fn is_shown(shown: &Value, name: &str, value: &Value) -> bool {
    let Some(shown) = shown.get(name) else { return false };
    let refers = |value: &Value| {
        let members = value.as_object()?;
        let named = members.len() == 2 && members.contains_key("name");
        members.get("id").filter(|id| named && id.is_string()).cloned()
    };
    same(shown, value) || refers(shown).is_some_and(|id| refers(value) == Some(id))
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
    use super::*;
    use serde::Deserialize;
    use serde_json::json;
    use validator::Validate;

    #[derive(Default, Deserialize, Validate)]
    #[serde(default)]
    struct Renaming {
        name: Option<String>,
        status: Option<String>,
        reason: Option<String>,
    }

    impl Form for Renaming {
        const NOT_ALLOWED: &'static [&'static str] = &["id"];
        const COMPUTED: &'static [&'static str] = &["seen_at"];
    }

    const FRESH: Seen = Seen { revision: Some(Revision(3)), known: Revision(3) };

    fn change(body: Value) -> Change<Renaming> {
        Change { members: body.as_object().cloned().unwrap(), form: PhantomData }
    }

    fn shown() -> Value {
        let room = json!({ "id": "r", "name": "Attic" });
        json!({ "id": "a", "name": "Ada", "status": "pending", "seen_at": 5, "room": room })
    }

    #[test]
    fn computed_members_can_be_sent_back_as_they_were() {
        let room = json!({ "id": "r", "name": "Attic, as it was called before" });
        let form = change(json!({ "id": "a", "name": "Eve", "seen_at": 4, "room": room }))
            .of(&shown(), FRESH)
            .unwrap();
        assert_eq!((form.name.as_deref(), form.reason), (Some("Eve"), None));
        for refused in
            [json!({ "id": "b" }), json!({ "seen_at": 4 }), json!({ "room": { "id": "s", "name": "Attic" } })]
        {
            let code = change(refused.clone()).of(&shown(), FRESH).err().map(|problem| problem.code());
            assert_eq!(code, Some(Code::FieldNotAllowed), "{refused}");
        }
    }

    #[test]
    fn stale_change_is_refused_before_its_members_are_read() {
        let stale = Seen { revision: Some(Revision(2)), known: Revision(3) };
        for body in [json!({}), json!({ "name": "Eve" }), json!({ "id": "b", "size": 1 })] {
            let refused = change(body.clone()).of(&shown(), stale).err().map(|problem| problem.code());
            assert_eq!(refused, Some(Code::PreconditionFailed), "{body}");
            let refused = change(body.clone()).decision(&shown(), stale, &[], &[]).err().map(|it| it.code());
            assert_eq!(refused, Some(Code::PreconditionFailed), "{body}");
        }
    }

    #[test]
    fn override_form_leaves_out_shown_values_that_cannot_be_set() {
        let decide = |body: Value| {
            change(body).decision(&shown(), FRESH, &["name", "status", "reason"], &[("status", "pending")])
        };
        let form =
            decide(json!({ "name": "Ada", "status": "pending", "reason": "so it is" })).unwrap().unwrap();
        assert_eq!((form.name.as_deref(), form.status), (Some("Ada"), None), "as it is shown, and said");
        let form = decide(json!({ "status": "late" })).unwrap().unwrap();
        assert_eq!(form.status.as_deref(), Some("late"));
        assert!(
            decide(json!({ "id": "a", "name": "Ada", "status": "pending", "seen_at": 1 })).unwrap().is_none()
        );
    }

    #[test]
    fn numbers_and_instants_in_another_spelling_are_the_same() {
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

    #[test]
    fn override_form_of_a_whole_record_sets_only_what_differs() {
        let shown = json!({ "id": "1", "name": "a", "status": "absent", "reason": "because" });
        let sent = |body: Value| {
            let Value::Object(members) = body else { panic!("{body}") };
            Change::<Renaming> { members, form: PhantomData }
                .decision(&shown, FRESH, &["name", "status", "reason"], &[])
                .expect("it is read")
        };
        let whole = sent(json!({ "id": "1", "name": "b", "status": "absent", "reason": "corrected" }));
        let whole = whole.expect("something differs");
        assert_eq!(
            (whole.name.as_deref(), whole.status, whole.reason.as_deref()),
            (Some("b"), None, Some("corrected"))
        );
        assert!(sent(json!({ "id": "1", "name": "a", "status": "absent", "reason": "corrected" })).is_none());
        let on_purpose = sent(json!({ "status": "absent", "reason": "corrected" })).expect("it is decided");
        assert_eq!(on_purpose.status.as_deref(), Some("absent"));
    }
}
