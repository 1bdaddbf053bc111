//! Schemas, as clients need them: what is always there is required, what cannot be null is not, words are enums, people
//! have names, and what was read can be sent back.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::words;
use crate::input::Form;
use crate::naming::beside;
use crate::{
    admin, assignments, auth, bulk, closed_periods, corrections, departments, enroll, holidays, leaves, mark,
    recognize, records, shifts, sync, update, users,
};

const REF: &str = "#/components/schemas/";

/// The bodies of requests: their schemas, and which of their members may be `null`.
pub(super) fn forms() -> Vec<(String, Vec<&'static str>)> {
    fn form<T: Form + utoipa::ToSchema>() -> (String, Vec<&'static str>) {
        (T::name().into_owned(), [T::NULLABLE, T::ALSO_NULLABLE].concat())
    }
    vec![
        form::<auth::RegisterForm>(),
        form::<auth::LoginForm>(),
        form::<auth::RefreshForm>(),
        form::<auth::InvitationForm>(),
        form::<auth::LogoutForm>(),
        form::<users::NewUserForm>(),
        form::<update::UpdateForm>(),
        form::<admin::StatusForm>(),
        form::<mark::MarkForm>(),
        form::<sync::SyncForm>(),
        form::<bulk::BulkForm>(),
        form::<records::OverrideForm>(),
        form::<records::ReasonForm>(),
        form::<corrections::NewCorrectionForm>(),
        form::<corrections::ApprovalForm>(),
        form::<corrections::RejectionForm>(),
        form::<shifts::NewShiftForm>(),
        form::<shifts::ShiftUpdateForm>(),
        form::<assignments::NewAssignmentForm>(),
        form::<assignments::AssignmentUpdateForm>(),
        form::<holidays::NewHolidayForm>(),
        form::<holidays::HolidayUpdateForm>(),
        form::<leaves::NewLeaveForm>(),
        form::<leaves::CommentForm>(),
        form::<leaves::RejectionForm>(),
        form::<closed_periods::NewClosedPeriodForm>(),
        form::<closed_periods::LiftForm>(),
        form::<departments::NewDepartmentForm>(),
        form::<departments::DepartmentUpdateForm>(),
        form::<enroll::EnrollForm>(),
        form::<recognize::RecognizeForm>(),
    ]
}

/// Changes, and what is shown of the same thing: its members can be sent back.
const CHANGES: [(&str, &str); 6] = [
    ("UserUpdate", "User"),
    ("DepartmentUpdate", "Department"),
    ("ShiftAssignmentUpdate", "ShiftAssignment"),
    ("HolidayUpdate", "Holiday"),
    ("ShiftUpdate", "Shift"),
    ("OverrideRequest", "RecordHistory"),
];

/// Members of answers that are sometimes left out; all others are always there.
const SOMETIMES: [&str; 25] = [
    "AddedUser.invite_url",
    "FieldError.parameter",
    "FieldError.pointer",
    "ItemProblem.errors",
    "Login.refresh_token",
    "Login.user",
    "Problem.detail",
    "Problem.errors",
    "Recognition.faces",
    "Record.events",
    "ReportGroup.end",
    "ReportGroup.start",
    "ShiftAssignment.warnings",
    "Sighting.candidates",
    "Sighting.reason",
    "Today.data",
    "Today.pagination",
    "TokenInfo.device",
    "TokenInfo.expires_at",
    "TokenInfo.issued_at",
    "TokenInfo.session_id",
    "TokenInfo.user",
    "Trends.previous",
    "UserList.profile",
    "Geofence.name",
];

/// Works on all schemas and parameters.
pub(super) fn shape(document: &mut Value) {
    no_defaults(document);
    let roots = requests(document);
    let asked = reached(document, roots);
    let mut answered = reached(document, answers(document));
    answered.insert("NamedPerson".into());
    name_people(document, &answered);
    exact_requests(document);
    exact_answers(document, &answered, &asked);
    enumerate(document);
    send_back(document);
    close(document, &asked);
    parameters(document);
}

fn schemas(document: &mut Value) -> &mut Map<String, Value> {
    document["components"]["schemas"]
        .as_object_mut()
        .unwrap_or_else(|| unreachable!("a document has schemas"))
}

/// `default: null` says nothing but makes generators demand the member.
fn no_defaults(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if members.get("default").is_some_and(Value::is_null) {
                members.remove("default");
            }
            members.values_mut().for_each(no_defaults);
        }
        Value::Array(entries) => entries.iter_mut().for_each(no_defaults),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(name) =
                members.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix(REF))
            {
                found.insert(name.to_owned());
            }
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(entries) => entries.iter().for_each(|entry| references(entry, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn operations(document: &Value) -> impl Iterator<Item = &Value> {
    document["paths"]
        .as_object()
        .into_iter()
        .flat_map(Map::values)
        .filter_map(Value::as_object)
        .flat_map(Map::values)
}

/// Schemas that requests name.
fn requests(document: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    operations(document).for_each(|operation| references(&operation["requestBody"], &mut found));
    found
}

/// Schemas that answers name.
fn answers(document: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    operations(document).for_each(|operation| references(&operation["responses"], &mut found));
    found
}

/// These schemas and whatever they name.
fn reached(document: &Value, mut names: BTreeSet<String>) -> BTreeSet<String> {
    loop {
        let mut more = names.clone();
        names
            .iter()
            .for_each(|name| references(&document["components"]["schemas"][name.as_str()], &mut more));
        if more.len() == names.len() {
            return names;
        }
        names = more;
    }
}

/// The objects of which a schema consists.
fn objects<'a>(schema: &'a mut Value, each: &mut dyn FnMut(&mut Map<String, Value>)) {
    if let Some(parts) = schema.get_mut("allOf").and_then(Value::as_array_mut) {
        parts.iter_mut().for_each(|part| objects(part, each));
    } else if let Some(schema) = schema.as_object_mut()
        && schema.contains_key("properties")
    {
        each(schema);
    }
}

/// Takes `null` out of what a schema allows.
fn never_null(schema: &mut Value) {
    let Some(members) = schema.as_object_mut() else { return };
    if let Some(Value::Array(types)) = members.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            members.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(all)) = members.get_mut("enum") {
        all.retain(|word| !word.is_null());
    }
    if let Some(Value::Array(kinds)) = members.get_mut("oneOf") {
        kinds.retain(|kind| kind.get("type").is_none_or(|kind| kind != "null"));
        if let [Value::Object(only)] = kinds.as_slice() {
            let mut only = only.clone();
            if let Some(description) = members.remove("description") {
                only.insert("description".into(), description);
            }
            *members = only;
        }
    }
}

/// Answers to a `DELETE`, which tell of somebody under a pseudonym, or of nobody new.
const UNNAMED: [&str; 2] = ["ErasureReceipt", "DeletedEncoding"];

/// Members that tell names, beside those that tell ids.
fn name_people(document: &mut Value, answered: &BTreeSet<String>) {
    for (_, schema) in schemas(document)
        .iter_mut()
        .filter(|(name, _)| answered.contains(*name) && !UNNAMED.contains(&name.as_str()))
    {
        objects(schema, &mut |object| {
            let Some(Value::Object(members)) = object.get_mut("properties") else { return };
            let mut added = Vec::new();
            for (member, schema) in members.iter() {
                let Some(name) = beside(member).filter(|name| !members.contains_key(name)) else { continue };
                let nullable = is_nullable(schema);
                let person = json!({ "$ref": format!("{REF}NamedPerson") });
                let description = format!("The person of `{member}`.");
                let schema = if nullable {
                    json!({ "oneOf": [{ "type": "null" }, person], "description": description })
                } else {
                    json!({ "allOf": [person], "description": description })
                };
                added.push((name, schema));
            }
            members.extend(added);
        });
    }
}

/// Members of requests may be `null` where that means something.
fn exact_requests(document: &mut Value) {
    for (name, nullable) in forms() {
        restrict(schemas(document), &name, "", &nullable);
    }
    restrict(schemas(document), "EnrollParts", "", &[]);
    restrict(schemas(document), "RecognizeParts", "", &["location/accuracy_m"]);
}

fn restrict(schemas: &mut Map<String, Value>, name: &str, path: &str, nullable: &[&str]) {
    let mut inner = Vec::new();
    let Some(schema) = schemas.get_mut(name) else { return };
    let required: Vec<String> = strings(&schema["required"]);
    objects(schema, &mut |object| {
        let Some(Value::Object(members)) = object.get_mut("properties") else { return };
        for (member, schema) in members {
            let path = if path.is_empty() { member.clone() } else { format!("{path}/{member}") };
            if required.contains(member) || !nullable.contains(&path.as_str()) {
                never_null(schema);
            }
            let mut named = BTreeSet::new();
            references(schema, &mut named);
            let list = schema.get("items").is_some();
            inner.extend(
                named.into_iter().map(|to| (to, if list { format!("{path}/*") } else { path.clone() })),
            );
        }
    });
    for (to, path) in inner {
        restrict(schemas, &to, &path, nullable);
    }
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// What is always sent is required, and what is sometimes left out is never `null` instead.
fn exact_answers(document: &mut Value, answered: &BTreeSet<String>, asked: &BTreeSet<String>) {
    for (name, schema) in schemas(document).iter_mut() {
        if !answered.contains(name) || asked.contains(name) {
            continue;
        }
        objects(schema, &mut |object| {
            let Some(Value::Object(members)) = object.get_mut("properties") else { return };
            let mut required = Vec::new();
            for (member, schema) in members.iter_mut() {
                if SOMETIMES.contains(&format!("{name}.{member}").as_str()) {
                    never_null(schema);
                } else {
                    required.push(json!(member));
                }
            }
            object.insert("required".into(), required.into());
        });
    }
    // What can be cut down on request.
    for part in ["PeriodRates"] {
        if let Some(schema) = schemas(document).get_mut(part) {
            schema["required"] = json!(["period", "start", "end"]);
        }
    }
}

/// Writes the words of a member into its schema.
fn closed(schema: &mut Value, words: &[&str]) {
    if schema.get("items").is_some() {
        schema["items"]["enum"] = json!(words);
        return;
    }
    let nullable = is_nullable(schema);
    let mut all: Vec<Value> = words.iter().map(|word| json!(word)).collect();
    if nullable {
        all.push(Value::Null);
    }
    schema["enum"] = all.into();
}

fn enumerate(document: &mut Value) {
    for (places, words) in words::of_members() {
        for place in places {
            let Some((name, member)) = place.split_once('.') else { continue };
            if let Some(schema) = schemas(document).get_mut(name) {
                objects(schema, &mut |object| {
                    if let Some(schema) = object.get_mut("properties").and_then(|all| all.get_mut(member)) {
                        closed(schema, &words);
                    }
                });
            }
        }
    }
}

/// Whatever is shown can be sent back as it is.
fn send_back(document: &mut Value) {
    for (change, shown) in CHANGES {
        let mut members = Map::new();
        collect(document, shown, &mut members);
        let known = &mut document["components"]["schemas"][change]["properties"];
        let Some(known) = known.as_object_mut() else { continue };
        for (member, mut schema) in members {
            if let Some(known) = known.get_mut(&member) {
                widen(known, &schema);
                continue;
            }
            let description = "As it is shown; it cannot be changed here.";
            if let Some(members) = schema.as_object_mut() {
                members.insert("description".into(), json!(description));
            }
            known.insert(member, schema);
        }
    }
}

fn is_nullable(schema: &Value) -> bool {
    let null = json!("null");
    schema["type"] == null
        || schema["type"].as_array().is_some_and(|types| types.contains(&null))
        || schema["oneOf"].as_array().is_some_and(|kinds| kinds.iter().any(is_nullable))
}

/// Lets a member of a change also be what is shown: `null`, or a word that nobody can choose.
fn widen(known: &mut Value, shown: &Value) {
    if is_nullable(shown) && !is_nullable(known) && known["type"].is_string() {
        known["type"] = json!([known["type"], "null"]);
        if let Some(words) = known.get_mut("enum").and_then(Value::as_array_mut) {
            words.push(Value::Null);
        }
    }
    let Some(words) = known.get_mut("enum").and_then(Value::as_array_mut) else { return };
    for word in shown["enum"].as_array().into_iter().flatten() {
        if !words.contains(word) {
            words.push(word.clone());
        }
    }
}

fn collect(document: &Value, name: &str, members: &mut Map<String, Value>) {
    fn of(document: &Value, schema: &Value, members: &mut Map<String, Value>) {
        if let Some(name) = schema["$ref"].as_str().and_then(|to| to.strip_prefix(REF)) {
            collect(document, name, members);
        }
        schema["allOf"].as_array().into_iter().flatten().for_each(|part| of(document, part, members));
        members.extend(schema["properties"].as_object().cloned().unwrap_or_default());
    }
    of(document, &document["components"]["schemas"][name], members);
}

/// Requests have no other members than these.
fn close(document: &mut Value, asked: &BTreeSet<String>) {
    for (name, schema) in schemas(document).iter_mut() {
        if asked.contains(name) && schema.get("properties").is_some() {
            schema["additionalProperties"] = json!(false);
        }
    }
}

/// A parameter is there or not; it is never `null`.
fn parameters(document: &mut Value) {
    let (words, orders) = (words::of_parameters(), words::of_orders());
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    for (path, item) in paths {
        for operation in item.as_object_mut().into_iter().flat_map(Map::values_mut) {
            for parameter in operation["parameters"].as_array_mut().into_iter().flatten() {
                let place = format!("{path} {}", parameter["name"].as_str().unwrap_or_default());
                never_null(&mut parameter["schema"]);
                if let Some((_, keys)) = orders.iter().find(|(of, _)| of == path && place.ends_with(" sort"))
                {
                    let keys = keys.join("|");
                    // Keys separated by commas, none twice.
                    let pattern = format!(r"^(?!.*\b(\w+)\b.*\b\1\b)-?({keys})(,-?({keys}))*$");
                    parameter["schema"]["pattern"] = json!(pattern);
                }
                if let Some((_, words)) = words.iter().find(|(places, _)| places.contains(&place.as_str())) {
                    closed(&mut parameter["schema"], words);
                }
            }
            if operation["parameters"].is_null() {
                operation.as_object_mut().map(|operation| operation.remove("parameters"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    use crate::openapi::openapi;

    fn words(name: &str) -> String {
        let mut words = String::new();
        for c in name.chars() {
            if c.is_uppercase() && !words.is_empty() {
                words.push('_');
            }
            words.extend(c.to_lowercase());
        }
        words
    }

    /// Generators call the type of a member without a name of its own after schema and member, and what they make
    /// of a schema after the schema.
    #[test]
    fn no_schema_is_called_what_generators_call_something_else() {
        let mut document = openapi();
        let names: BTreeSet<String> = schemas(&mut document).keys().map(|name| words(name)).collect();
        for (name, schema) in schemas(&mut document) {
            let name = words(name);
            objects(schema, &mut |object| {
                for (member, schema) in object["properties"].as_object().into_iter().flatten() {
                    assert_ne!(&name, member, "a member is called like its schema");
                    let made = format!("{name}_{member}");
                    assert!(schema.get("$ref").is_some() || !names.contains(&made), "{made} is taken");
                }
            });
        }
    }

    #[test]
    fn shown_members_fit_the_schema_of_their_change() {
        let document = openapi();
        for (change, shown) in CHANGES {
            let mut members = Map::new();
            collect(&document, shown, &mut members);
            let known = &document["components"]["schemas"][change]["properties"];
            for (member, schema) in members {
                let known = &known[&member];
                assert!(known.is_object(), "{change} has no {member}");
                assert!(is_nullable(known) || !is_nullable(&schema), "{change}.{member} cannot be null");
                let Some(words) = known["enum"].as_array() else { continue };
                let mut documented = schema["enum"].as_array().into_iter().flatten();
                assert!(documented.all(|word| words.contains(word)), "{change}.{member} lacks a word");
            }
        }
    }

    /// Members in the sources that are sometimes left out.
    fn left_out(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left_out(&path, found);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let mark = concat!("#[serde(skip_", "serializing_if");
            for rest in text.split(mark).skip(1) {
                let member = rest.lines().map(str::trim).skip(1).find(|line| !line.starts_with(['#', '/']));
                let name = member.and_then(|line| line.split(':').next()).unwrap_or_default();
                found.insert(name.trim_start_matches("pub(crate) ").trim_start_matches("r#").to_owned());
            }
        }
    }

    #[test]
    fn members_that_may_be_left_out_are_known_as_optional() {
        let mut found = BTreeSet::new();
        left_out(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
        let known: BTreeSet<_> = SOMETIMES.iter().filter_map(|place| place.split('.').nth(1)).collect();
        let unknown: Vec<_> = found.iter().filter(|name| !known.contains(name.as_str())).collect();
        assert!(found.len() > 10 && unknown.is_empty(), "{unknown:?}");
    }
}
