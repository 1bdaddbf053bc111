//! Names beside ids: wherever an answer tells of a person by an id, it also tells what they are called.
//!
//! `user_id` has `user` beside it, `decided_by` has `decided_by_user`, each `{"id", "name"}` or `null`. One layer does it
//! for all of them, with one query for each answer, so that no row tells of a bare id.

use std::collections::HashMap;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::header;
use rollcall_domain::id::UserId;
use rollcall_domain::user::PersonName;
use rollcall_usecases::directory::Directory;
use rollcall_usecases::errors::StoreError;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::problem::Problem;

/// Somebody, and what they are called.
#[derive(ToSchema)]
#[schema(as = NamedPerson)]
#[expect(dead_code, reason = "the schema of members that are added to what handlers answer")]
pub(crate) struct NamedPersonView {
    id: String,
    /// `null` for somebody of whom nothing is kept any more.
    #[schema(nullable)]
    name: Option<String>,
}

/// The member that tells the name, beside a member of this name that tells an id.
pub(crate) fn beside(member: &str) -> Option<String> {
    match member {
        "user_id" | "actor_id" | "owner_id" => member.strip_suffix("_id").map(str::to_owned),
        "by" | "created_by" | "entered_by" | "requested_by" | "decided_by" | "locked_by" | "lifted_by"
        | "ended_by" | "reverted_by" | "status_changed_by" => Some(format!("{member}_user")),
        _ => None,
    }
}

/// The view with names beside ids.
pub(crate) async fn named(directory: &Directory, view: &impl Serialize) -> Result<Value, Problem> {
    let mut value = serde_json::to_value(view).map_err(|_| Problem::broken("an answer cannot be written"))?;
    name(directory, &mut value).await?;
    Ok(value)
}

/// The same for what has happened already: if the names cannot be found out, it is told without them.
pub(crate) async fn named_if_possible(directory: &Directory, mut value: Value) -> Value {
    if let Err(error) = name(directory, &mut value).await {
        Problem::from(error).log("an answer tells of people without their names");
        tell(&mut value, &HashMap::new());
    }
    value
}

/// Adds names beside ids.
async fn name(directory: &Directory, value: &mut Value) -> Result<(), StoreError> {
    let mut ids = Vec::new();
    gather(value, &mut ids);
    ids.sort();
    ids.dedup();
    let names = directory.names(&ids).await?;
    tell(value, &names);
    Ok(())
}

/// The answer with names beside ids, if it is JSON that is all there. What it tells of has happened: if the names cannot
/// be found out, it is told without them.
pub(crate) async fn named_answer(
    directory: &Directory,
    answer: ServiceResponse<BoxBody>,
) -> ServiceResponse<BoxBody> {
    let json = answer.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    if !answer.status().is_success() || !json {
        return answer;
    }
    let (req, answer) = answer.into_parts();
    let (answer, body) = answer.into_parts();
    let bytes = match body.try_into_bytes() {
        Ok(bytes) => bytes,
        Err(body) => return ServiceResponse::new(req, answer.set_body(body)),
    };
    let named = match serde_json::from_slice::<Value>(&bytes) {
        Ok(value) if tells_of_people(&value) => named_if_possible(directory, value).await.to_string().into(),
        _ => bytes,
    };
    ServiceResponse::new(req, answer.set_body(BoxBody::new(named)))
}

/// Whether a member tells how something read when it was noted: a line of the audit trail stays as it was written.
fn is_past(line: &Map<String, Value>, member: &str) -> bool {
    ["before", "after"].contains(&member) && line.contains_key("action") && line.contains_key("target")
}

fn tells_of_people(value: &Value) -> bool {
    match value {
        Value::Object(members) => {
            let tells = |value| tells_of_people(value);
            members
                .iter()
                .any(|(member, value)| beside(member).is_some() || !is_past(members, member) && tells(value))
        }
        Value::Array(entries) => entries.iter().any(tells_of_people),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn gather(value: &Value, ids: &mut Vec<UserId>) {
    match value {
        Value::Object(members) => {
            for (member, value) in members {
                if is_past(members, member) {
                    continue;
                }
                if beside(member).is_some()
                    && let Some(id) = value.as_str().and_then(|text| text.parse().ok())
                {
                    ids.push(id);
                }
                gather(value, ids);
            }
        }
        Value::Array(entries) => entries.iter().for_each(|entry| gather(entry, ids)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn tell(value: &mut Value, names: &HashMap<UserId, PersonName>) {
    match value {
        Value::Object(members) => {
            let past = ["before", "after"].map(|member| is_past(members, member).then_some(member));
            for (member, value) in members.iter_mut() {
                if !past.contains(&Some(member.as_str())) {
                    tell(value, names);
                }
            }
            let named: Vec<(String, Value)> = members
                .iter()
                .filter_map(|(member, id)| Some((beside(member)?, person(id, names))))
                .filter(|(member, _)| !members.contains_key(member))
                .collect();
            members.extend(Map::from_iter(named));
        }
        Value::Array(entries) => entries.iter_mut().for_each(|entry| tell(entry, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn person(id: &Value, names: &HashMap<UserId, PersonName>) -> Value {
    let Some(text) = id.as_str() else { return Value::Null };
    let name = text.parse().ok().and_then(|id| names.get(&id)).map(PersonName::as_str);
    json!({ "id": text, "name": name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_ids_in_answers_get_their_names_beside_them() {
        let id: UserId = "01890000-0000-7000-8000-000000000001".parse().unwrap();
        let names = HashMap::from([(id, PersonName::parse("Ada").unwrap())]);
        let mut value = json!({
            "user_id": id.to_string(),
            "override": { "by": null, "fields": {} },
            "events": [{ "user_id": "somebody", "entered_by": id.to_string(), "device_id": "d" }],
            "owner_id": id.to_string(), "owner": "kept",
        });
        tell(&mut value, &names);
        assert_eq!(value["user"], json!({ "id": id.to_string(), "name": "Ada" }));
        assert_eq!(value["override"]["by_user"], Value::Null);
        assert_eq!(value["events"][0]["user"], json!({ "id": "somebody", "name": null }));
        assert_eq!(value["events"][0]["entered_by_user"]["name"], "Ada");
        let mut line = json!({
            "action": "record.overridden", "target": { "type": "record", "id": "r" },
            "actor_id": id.to_string(), "before": null, "after": { "user_id": id.to_string() },
        });
        tell(&mut line, &names);
        assert_eq!(line["actor"]["name"], "Ada");
        assert_eq!(line["after"], json!({ "user_id": id.to_string() }), "as it read then");
        assert_eq!((value["events"][0].get("device"), &value["owner"]), (None, &json!("kept")));
    }
}
