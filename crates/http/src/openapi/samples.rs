//! Where the server is, what the tags are about, and examples of what is sent.

use serde_json::{Value, json};

const TAGS: [(&str, &str); 10] = [
    ("auth", "Opening an account, logging in and out."),
    ("users", "People and their profiles."),
    ("attendance", "Punches, the days they make, corrections, and what happens as it happens."),
    ("planning", "Shifts, who works them, holidays, leave and closed periods."),
    ("face", "Enrolling faces and recognizing them."),
    ("statistics", "Rates, trends and the dashboard."),
    ("admin", "What administrators see and do besides."),
    ("jobs", "What is worked on beside the requests."),
    ("health", "Whether the server is well."),
    ("documentation", "This document and the meaning of error codes."),
];

/// Examples of bodies, by schema. A test reads each as a request would be read.
pub(super) fn examples() -> Vec<(&'static str, Value)> {
    let (ada, early) = ("01890a5d-ac96-774b-bcce-b302099a8057", "01890a5d-ac96-774b-bcce-b302099a8058");
    vec![
        ("Credentials", json!({ "email": "ada@example.org", "password": "correct horse battery staple" })),
        (
            "Registration",
            json!({ "name": "Ada Byron", "email": "ada@example.org", "password": "correct horse battery staple",
                "timezone": "Europe/London", "locale": "en" }),
        ),
        (
            "NewUser",
            json!({ "name": "Ada Byron", "email": "ada@example.org", "role": "employee", "join_date": "2026-03-01" }),
        ),
        ("UserUpdate", json!({ "phone": "+44 20 7946 0000", "settings": { "theme": "dark" } })),
        ("StatusChange", json!({ "status": "suspended", "reason": "on parental leave" })),
        ("Mark", json!({ "type": "check_in", "note": "by the back door" })),
        (
            "OverrideRequest",
            json!({ "status": "present", "first_in": "2026-03-02T09:00:00+01:00", "reason": "the terminal was down" }),
        ),
        (
            "CorrectionRequest",
            json!({ "date": "2026-03-02", "last_out": "2026-03-02T17:30:00+01:00", "reason": "forgot to check out" }),
        ),
        (
            "NewShift",
            json!({ "name": "Early", "starts": "06:00", "ends": "14:00", "workdays": ["monday", "tuesday"] }),
        ),
        ("NewShiftAssignment", json!({ "shift_id": early, "user_id": ada, "from": "2026-03-02" })),
        ("NewHoliday", json!({ "name": "New Year", "date": "2027-01-01" })),
        ("NewLeave", json!({ "from": "2026-07-06", "to": "2026-07-17", "kind": "annual" })),
        ("NewLock", json!({ "through": "2026-02-28", "reason": "paid" })),
        ("NewDepartment", json!({ "name": "Research", "code": "R1", "timezone": "Europe/Berlin" })),
        (
            "Bulk",
            json!({ "operation": "mark", "reason": "paper list of the fair",
                "items": [{ "user_id": ada, "date": "2026-03-02", "check_in": "09:00", "check_out": "17:30" }] }),
        ),
    ]
}

/// Adds what no handler says.
pub(super) fn add(document: &mut Value) {
    document["servers"] = json!([{ "url": "/", "description": "The server that serves this document." }]);
    document["info"]["description"] = json!(
        "Face-recognition attendance.\n\nWhatever answers `GET` answers `HEAD`. Answers with an `ETag` are answered 304 to \
         whoever sends it as `If-None-Match`; changes that send it as `If-Match` are refused with 412 if there was another \
         in the meantime. A change that changes nothing raises no version, and whatever was read can be sent back. Where a \
         person is told by an id, `{\"id\", \"name\"}` is beside it. Answers are compressed (`br`, `gzip`) for those who ask for \
         it, except those with tokens. Errors are problems (RFC 9457)."
    );
    let used: Vec<String> = document["paths"]
        .as_object()
        .into_iter()
        .flat_map(|paths| paths.values())
        .filter_map(Value::as_object)
        .flat_map(|item| item.values())
        .flat_map(|operation| operation["tags"].as_array().cloned().unwrap_or_default())
        .filter_map(|tag| tag.as_str().map(str::to_owned))
        .collect();
    let tags = TAGS.iter().filter(|(name, _)| used.iter().any(|used| used == name));
    document["tags"] =
        tags.map(|(name, description)| json!({ "name": name, "description": description })).collect();
    for (name, example) in examples() {
        document["components"]["schemas"][name]["examples"] = json!([example]);
    }
}

#[cfg(test)]
mod tests {
    use utoipa::ToSchema;

    use super::*;
    use crate::input::{Form, from_json};
    use crate::problem::Problem;
    use crate::{
        admin, assignments, auth, bulk, closed_periods, corrections, departments, holidays, leaves, mark,
        records, shifts, update, users,
    };

    type Reader = fn(&Value) -> Result<(), Problem>;

    fn reader<T: Form + ToSchema>() -> (String, Reader) {
        (T::name().into_owned(), |example| from_json::<T>(example.to_string().as_bytes()).map(drop))
    }

    #[test]
    fn every_example_is_what_a_request_may_be() {
        let readers = [
            reader::<auth::LoginForm>(),
            reader::<auth::RegisterForm>(),
            reader::<users::NewUserForm>(),
            reader::<update::UpdateForm>(),
            reader::<admin::StatusForm>(),
            reader::<mark::MarkForm>(),
            reader::<records::OverrideForm>(),
            reader::<corrections::NewCorrectionForm>(),
            reader::<shifts::NewShiftForm>(),
            reader::<assignments::NewAssignmentForm>(),
            reader::<holidays::NewHolidayForm>(),
            reader::<leaves::NewLeaveForm>(),
            reader::<closed_periods::NewClosedPeriodForm>(),
            reader::<departments::NewDepartmentForm>(),
            reader::<bulk::BulkForm>(),
        ];
        for (name, example) in examples() {
            let (_, read) = readers.iter().find(|(form, _)| form == name).expect(name);
            assert!(read(&example).is_ok(), "{name}: {:?}", read(&example));
        }
    }
}
