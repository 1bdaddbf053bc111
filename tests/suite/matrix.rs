//! Who may call what at all: the matrix as data, and what the served contract says.

use reqwest::Method;
use rollcall_tests::TestApp;

/// Roles by letter: `N` nobody in particular, `E` employee, `M` manager, `A` administrator, `K` kiosk. A kiosk
/// enrolls only if it was added so.
pub(crate) const MATRIX: &[(&str, &str, &str)] = &[
    ("POST", "/api/auth/register", "NEMA"),
    ("POST", "/api/auth/login", "NEMA"),
    ("POST", "/api/auth/refresh", "NEMA"),
    ("POST", "/api/auth/invitation", "NEMA"),
    ("POST", "/api/auth/logout", "EMA"),
    ("GET", "/api/auth/verify-token", "EMAK"),
    ("GET", "/api/users", "EMA"),
    ("POST", "/api/users", "A"),
    ("GET", "/api/users/{user_id}", "EMA"),
    ("PUT", "/api/users/{user_id}", "EMA"),
    ("PATCH", "/api/users/{user_id}", "EMA"),
    ("DELETE", "/api/users/{user_id}", "A"),
    ("POST", "/api/attendance/mark", "EMA"),
    ("GET", "/api/attendance/user/{user_id}", "EMA"),
    ("GET", "/api/attendance/today", "EMA"),
    ("GET", "/api/attendance/corrections", "EMA"),
    ("POST", "/api/attendance/corrections", "EMA"),
    ("GET", "/api/attendance/corrections/{correction_id}", "EMA"),
    ("POST", "/api/attendance/corrections/{correction_id}/approve", "MA"),
    ("POST", "/api/attendance/corrections/{correction_id}/reject", "MA"),
    ("POST", "/api/attendance/corrections/{correction_id}/withdraw", "EMA"),
    ("POST", "/api/attendance/sync", "AK"),
    ("GET", "/api/attendance/events", "EMA"),
    ("POST", "/api/attendance/events/{event_id}/void", "MA"),
    ("POST", "/api/attendance/events/{event_id}/accept", "MA"),
    ("GET", "/api/attendance/records/{record_id}", "EMA"),
    ("PUT", "/api/attendance/records/{record_id}", "MA"),
    ("POST", "/api/attendance/records/{record_id}/revert", "MA"),
    ("GET", "/api/shifts", "MA"),
    ("POST", "/api/shifts", "A"),
    ("GET", "/api/shifts/lint", "MA"),
    ("GET", "/api/shifts/{shift_id}", "MA"),
    ("PUT", "/api/shifts/{shift_id}", "A"),
    ("DELETE", "/api/shifts/{shift_id}", "A"),
    ("GET", "/api/shift-assignments", "EMA"),
    ("POST", "/api/shift-assignments", "MA"),
    ("GET", "/api/shift-assignments/{assignment_id}", "EMA"),
    ("PUT", "/api/shift-assignments/{assignment_id}", "MA"),
    ("DELETE", "/api/shift-assignments/{assignment_id}", "MA"),
    ("GET", "/api/holidays", "EMA"),
    ("POST", "/api/holidays", "A"),
    ("GET", "/api/holidays/{holiday_id}", "EMA"),
    ("PUT", "/api/holidays/{holiday_id}", "A"),
    ("DELETE", "/api/holidays/{holiday_id}", "A"),
    ("GET", "/api/leaves", "EMA"),
    ("POST", "/api/leaves", "EMA"),
    ("GET", "/api/leaves/{leave_id}", "EMA"),
    ("POST", "/api/leaves/{leave_id}/approve", "MA"),
    ("POST", "/api/leaves/{leave_id}/reject", "MA"),
    ("POST", "/api/leaves/{leave_id}/withdraw", "EMA"),
    ("GET", "/api/locks", "MA"),
    ("POST", "/api/locks", "A"),
    ("GET", "/api/locks/{lock_id}", "MA"),
    ("POST", "/api/locks/{lock_id}/lift", "A"),
    ("GET", "/api/attendance/report", "EMA"),
    ("GET", "/api/statistics/dashboard", "EMA"),
    ("GET", "/api/statistics/attendance/rate", "MA"),
    ("GET", "/api/statistics/attendance/trends", "MA"),
    ("GET", "/api/statistics/departments", "MA"),
    ("POST", "/api/face/enroll", "EMAK"),
    ("POST", "/api/face/recognize", "EMAK"),
    ("GET", "/api/face/user/{user_id}/encodings", "EMA"),
    ("DELETE", "/api/face/encodings/{encoding_id}", "EMA"),
    ("GET", "/api/admin/users", "A"),
    ("PUT", "/api/admin/users/{user_id}/status", "A"),
    ("POST", "/api/admin/attendance/bulk", "A"),
    ("POST", "/api/admin/attendance/batches/{batch_id}/revert", "A"),
    ("GET", "/api/admin/audit", "A"),
    ("GET", "/api/admin/departments", "MA"),
    ("POST", "/api/admin/departments", "A"),
    ("GET", "/api/admin/departments/{department_id}", "MA"),
    ("PUT", "/api/admin/departments/{department_id}", "A"),
    ("GET", "/api/jobs", "EMA"),
    ("GET", "/api/jobs/{job_id}", "EMA"),
    ("DELETE", "/api/jobs/{job_id}", "EMA"),
    ("GET", "/api/jobs/{job_id}/result", "EMA"),
    ("GET", "/api/stream", "EMA"),
    ("GET", "/api/health", "NEMAK"),
    ("HEAD", "/api/health", "NEMAK"),
    ("GET", "/api/health/detailed", "A"),
    ("GET", "/api/openapi.json", "NEMAK"),
    ("GET", "/problems/{code}", "NEMAK"),
];

/// An operation of the served contract.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) method: Method,
    pub(crate) path: String,
    /// The letters of [`MATRIX`], in its order.
    pub(crate) roles: String,
}

/// Every operation that the server describes.
pub(crate) async fn operations(app: &TestApp) -> Vec<Operation> {
    let contract = app.anonymous().get("/api/openapi.json").await.expect(200);
    let mut found = Vec::new();
    for (path, item) in contract["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let roles =
                operation["x-roles"].as_array().unwrap_or_else(|| panic!("{method} {path} has no x-roles"));
            let has = |role: &str| roles.iter().any(|named| named == role);
            let letters =
                [("N", "anonymous"), ("E", "employee"), ("M", "manager"), ("A", "admin"), ("K", "device")];
            found.push(Operation {
                method: method.to_uppercase().parse().expect("a method"),
                path: path.clone(),
                roles: letters.into_iter().filter(|(_, role)| has(role)).map(|(letter, _)| letter).collect(),
            });
        }
    }
    found
}

/// A path of a template: about this person, and about something else that does not exist.
pub(crate) fn path_of(template: &str, user: &str) -> String {
    let absent = "01890000-0000-7000-8000-000000000000";
    let ids = [
        "{encoding_id}",
        "{record_id}",
        "{event_id}",
        "{correction_id}",
        "{batch_id}",
        "{shift_id}",
        "{assignment_id}",
        "{holiday_id}",
        "{leave_id}",
        "{lock_id}",
        "{department_id}",
        "{job_id}",
    ];
    ids.into_iter()
        .fold(template.to_owned(), |path, id| path.replace(id, absent))
        .replace("{user_id}", user)
        .replace("{code}", "not-found")
}
