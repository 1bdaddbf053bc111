//! What operations have in common: bodies that may be absent, headers, answers.

use serde_json::{Map, Value, json};

/// Resources whose answers have a version.
const VERSIONED: [&str; 9] = [
    "User",
    "AddedUser",
    "Department",
    "Shift",
    "ShiftAssignment",
    "Holiday",
    "Leave",
    "Correction",
    "RecordHistory",
];

/// Members that problems of some codes have besides those of every problem.
const EXTRAS: [(&str, &str); 17] = [
    ("line", "With `malformed-json`: the line in which it stops being JSON, from 1."),
    ("column", "With `malformed-json`: the column, from 1."),
    ("distance_m", "With `outside-geofence`: how far it is to the nearest circle, in meters."),
    ("locked_through", "With `period-locked`: the last date that is closed."),
    ("by", "With `in-use`: what still refers to it."),
    ("limit", "With `encoding-limit` and `too-many-jobs`: how many there may be."),
    ("user_id", "With `face-belongs-to-other`, for administrators: whose face it is."),
    (
        "rejected",
        "With `no-acceptable-image`: what is wrong with each picture, as in the answer of an enrollment.",
    ),
    ("reasons", "With `low-quality`: what is wrong with the face, each with `code`, `detail` and `hint`."),
    ("batch_id", "With `nothing-applied`: always `null`."),
    ("dry_run", "With `nothing-applied`: whether it was only tried."),
    ("summary", "With `nothing-applied`: as in the answer of a bulk."),
    ("results", "With `nothing-applied`: as in the answer of a bulk."),
    ("event_id", "With `already-checked-in` and `no-open-session`: the punch because of which."),
    (
        "at",
        "With `already-checked-in` and `no-open-session`: when that punch was, in the person's time zone.",
    ),
    ("overlaps_with", "With `overlap`: the id of what stands for the same people on one of the dates."),
    ("date", "With `validation-failed` of a time that belongs to another day: the date it belongs to."),
];

/// Describes headers, and writes each problem down once.
pub(super) fn complete(document: &mut Value) {
    let mut shared = Map::new();
    for item in document["paths"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            optional_body(operation);
            version(operation);
            request_id(operation);
            let responses = operation["responses"].as_object_mut();
            for (status, response) in responses.into_iter().flatten() {
                headers(method, status, response);
                events(response);
                let problem = response["content"].get("application/problem+json").is_some();
                if problem && status.parse::<u16>().is_ok_and(|status| status >= 400) {
                    share(&mut shared, status, response);
                }
            }
        }
    }
    document["components"]["responses"] = Value::Object(shared);
    describe_extras(document);
}

/// Bodies of which every member may be absent may be absent themselves.
fn optional_body(operation: &mut Value) {
    let optional = [
        "Approval",
        "DepartmentUpdate",
        "HolidayUpdate",
        "LeaveDecision",
        "Logout",
        "Mark",
        "ShiftAssignmentUpdate",
        "ShiftUpdate",
        "UserUpdate",
    ];
    let Some(body) = operation.get_mut("requestBody") else { return };
    let schema = &mut body["content"]["application/json"]["schema"];
    if let Some(kinds) = schema["oneOf"].as_array()
        && let Some(only) = kinds.iter().find(|kind| kind.get("$ref").is_some())
    {
        *schema = only.clone();
    }
    let name = schema["$ref"].as_str().and_then(|to| to.rsplit('/').next()).unwrap_or_default();
    let required = !optional.contains(&name);
    body["required"] = json!(required);
}

/// A list of versions names one.
fn version(operation: &mut Value) {
    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten().filter(|parameter| parameter["name"] == "If-Match") {
        parameter["schema"] = json!({ "type": "string", "pattern": "[^, \\t]" });
    }
}

/// Every operation takes it.
fn request_id(operation: &mut Value) {
    let parameter = json!({
        "name": "X-Request-Id",
        "in": "header",
        "required": false,
        "description": "Names the request in the log and in the answer; a name that is not 1 to 64 visible \
                        ASCII characters is passed over.",
        "schema": { "type": "string" },
    });
    match operation["parameters"].as_array_mut() {
        Some(parameters) => parameters.push(parameter),
        None => operation["parameters"] = json!([parameter]),
    }
}

/// A stream is described by its events, whose data is text; what that is in JSON stands beside.
fn events(response: &mut Value) {
    let Some(stream) = response.get_mut("content").and_then(|content| content.get_mut("text/event-stream"))
    else {
        return;
    };
    let data = stream["schema"].take();
    let event = json!({
        "type": "object",
        "properties": {
            "event": { "type": "string", "enum": ["attendance", "reset"] },
            "data": { "type": "string", "contentMediaType": "application/json" },
            "id": { "type": "string" },
        },
        "required": ["event", "data"],
    });
    *stream = json!({ "schema": event, "x-event-data": data });
}

fn headers(method: &str, status: &str, response: &mut Value) {
    let mut headers = Map::new();
    let mut header = |name: &str, kind: Value, description: &str| {
        headers.insert(name.to_owned(), json!({ "description": description, "schema": kind }));
    };
    let text = || json!({ "type": "string" });
    let number = || json!({ "type": "integer", "minimum": 0 });
    let schema = response["content"]["application/json"]["schema"]["$ref"].as_str().unwrap_or_default();
    let name = schema.rsplit('/').next().unwrap_or_default().to_owned();
    let success = status.starts_with('2');
    header("X-Request-Id", text(), "Finds the request in the log.");
    if success && VERSIONED.contains(&name.as_str()) {
        header("ETag", text(), "The version, for `If-Match`, and how it is shown now, for `If-None-Match`.");
    }
    if matches!(status, "201" | "202") {
        header("Location", text(), "Where it is.");
    }
    let listed =
        name.starts_with("List_") || ["UserList", "History", "Today", "Report"].contains(&name.as_str());
    if method == "get" && status == "200" && listed {
        header("Link", text(), "The first, previous, next and last page (RFC 8288).");
    }
    let files = response["content"].as_object().is_some_and(|kinds| kinds.contains_key("text/csv"));
    if status == "200" && files {
        header("Content-Disposition", text(), "What browsers call the file, if it is one.");
    }
    if status == "202" && name == "Job" {
        header("Retry-After", number(), "Seconds after which to look at it.");
        header("Preference-Applied", text(), "`respond-async`, if it was asked for.");
    }
    if status == "200" && name == "Job" {
        header("Retry-After", number(), "Seconds after which to look again, at one that is unfinished.");
    }
    match status {
        "401" => {
            header("WWW-Authenticate", text(), "`Bearer`, with an `error` if there was a token (RFC 6750).");
        }
        "429" => {
            header("Retry-After", number(), "Seconds to wait.");
            header("RateLimit-Limit", number(), "How many at once, with `rate-limited`.");
            header("RateLimit-Remaining", number(), "How many are left, with `rate-limited`.");
            header("RateLimit-Reset", number(), "Seconds until there is one more, with `rate-limited`.");
        }
        "409" => header("Retry-After", number(), "Seconds to wait, with `job-not-finished`."),
        "503" => header("Retry-After", number(), "Seconds to wait."),
        "405" => header("Allow", text(), "The methods that are allowed."),
        _ => {}
    }
    response["headers"] = Value::Object(headers);
}

/// Puts the answer among those that are shared, and a reference in its place. Others of the same status get names of
/// their own.
fn share(shared: &mut Map<String, Value>, status: &str, response: &mut Value) {
    let name = match status {
        "400" => "BadRequest",
        "401" => "Unauthorized",
        "403" => "Forbidden",
        "404" => "NotFound",
        "405" => "MethodNotAllowed",
        "406" => "NotAcceptable",
        "408" => "RequestTimeout",
        "409" => "Conflict",
        "412" => "PreconditionFailed",
        "413" => "PayloadTooLarge",
        "415" => "UnsupportedMediaType",
        "422" => "UnprocessableContent",
        "428" => "PreconditionRequired",
        "429" => "TooManyRequests",
        "500" => "InternalServerError",
        _ => "ServiceUnavailable",
    };
    let mut n = 1;
    let name = loop {
        let numbered = if n == 1 { name.to_owned() } else { format!("{name}{n}") };
        match shared.get(&numbered) {
            Some(known) if known == response => break numbered,
            Some(_) => n += 1,
            None => {
                shared.insert(numbered.clone(), response.clone());
                break numbered;
            }
        }
    };
    *response = json!({ "$ref": format!("#/components/responses/{name}") });
}

fn describe_extras(document: &mut Value) {
    let members = document["components"]["schemas"]["Problem"]["properties"].as_object_mut();
    let Some(members) = members else { return };
    for (name, description) in EXTRAS {
        let kind = match name {
            "line" | "column" | "distance_m" | "limit" => json!({ "type": "number", "minimum": 0 }),
            "rejected" | "reasons" | "results" => json!({ "type": "array", "items": { "type": "object" } }),
            "summary" => json!({ "type": "object" }),
            "dry_run" => json!({ "type": "boolean" }),
            "batch_id" => json!({ "type": ["string", "null"] }),
            "locked_through" | "date" => json!({ "type": "string", "format": "date" }),
            "at" => json!({ "type": "string", "format": "date-time" }),
            _ => json!({ "type": "string" }),
        };
        let mut schema = kind;
        schema["description"] = json!(description);
        members.entry(name).or_insert(schema);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_member_that_a_problem_gets_is_declared() {
        let sources = [
            include_str!("../problem/from.rs"),
            include_str!("../bulk.rs"),
            include_str!("../input/strict.rs"),
            include_str!("../limits.rs"),
            include_str!("../problem.rs"),
        ];
        let sent = sources.iter().flat_map(|source| source.split(".with(\"").skip(1));
        let sent: BTreeSet<&str> = sent.filter_map(|rest| rest.split('"').next()).collect();
        let declared: BTreeSet<&str> = EXTRAS.iter().map(|(name, _)| *name).collect();
        assert_eq!(sent, declared);
    }
}
