//! Queries: every key is known, none comes twice, and all that is wrong is told at once.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde_json::{Map, Value};

use super::strict::{self, Form, Place};
use crate::problem::{Code, FieldError, Problem};

/// The query of a request; every member of `T` is an optional text, or a list of texts.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: Form> FromRequest for Query<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(req.query_string()).map(Self))
    }
}

/// The query of a request that only sometimes has one.
pub(crate) fn from_query<T: Form>(req: &HttpRequest) -> Result<T, Problem> {
    read(req.query_string())
}

/// Members of a query that was read and kept before.
pub(crate) fn of_query<T: Form>(members: Map<String, Value>) -> Result<T, Problem> {
    strict::from_value(Value::Object(members), Place::Query)
}

fn read<T: Form>(query: &str) -> Result<T, Problem> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query)
        .map_err(|_| Problem::new(Code::MalformedRequest, "the query cannot be read"))?;
    let (mut members, mut twice) = (Map::new(), Vec::new());
    for (key, value) in pairs {
        if T::REPEATED.contains(&key.as_str()) {
            let list = members.entry(key).or_insert_with(|| Value::Array(Vec::new()));
            list.as_array_mut().into_iter().for_each(|list| list.push(Value::String(value.clone())));
            continue;
        }
        if members.insert(key.clone(), Value::String(value)).is_some() {
            twice.push(FieldError::of(key, "duplicate", "appears more than once"));
        }
    }
    if !twice.is_empty() {
        twice.dedup();
        return Err(Problem::plain(Code::DuplicateParameter).with_errors(twice));
    }
    strict::from_value(Value::Object(members), Place::Query)
}
