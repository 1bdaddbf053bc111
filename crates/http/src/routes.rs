//! The URL table, whole, besides `HEAD`, which is answered wherever `GET` is. Anything else is 404; any other method on
//! one of these paths is 405.

use std::collections::BTreeMap;

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::from_fn;
use actix_web::{HttpRequest, HttpResponse, Route, web};
use rollcall_domain::access::Action as A;

use crate::actor::Access::{self, May, MayOrMonitor, Password, People, Public};
use crate::codes::Code;
use crate::problem::Problem;
use crate::{
    admin, assignments, audit, auth, bulk, corrections, dashboard, departments, enroll, events, face, health,
    history, holidays, jobs, leaves, locks, mark, openapi, problems,
};
use crate::{recognize, records, removal, report, shifts, statistics, stream, sync, today, users};

/// One operation.
pub(crate) struct Entry {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) access: Access,
    handler: fn(Route) -> Route,
}

const fn on(method: Method, path: &'static str, access: Access, handler: fn(Route) -> Route) -> Entry {
    Entry { method, path, access, handler }
}

const GET: Method = Method::GET;
const HEAD: Method = Method::HEAD;
const POST: Method = Method::POST;
const PUT: Method = Method::PUT;
const PATCH: Method = Method::PATCH;
const DELETE: Method = Method::DELETE;

#[rustfmt::skip]
pub(crate) static TABLE: [Entry; 82] = [
    on(POST,   "/api/auth/register",                   Password,                         |r| r.to(auth::register)),
    on(POST,   "/api/auth/login",                      Password,                         |r| r.to(auth::login)),
    on(POST,   "/api/auth/refresh",                    People,                           |r| r.to(auth::refresh)),
    on(POST,   "/api/auth/invitation",                 Password,                         |r| r.to(auth::invitation)),
    on(POST,   "/api/auth/logout",                     May(A::Logout),                   |r| r.to(auth::logout)),
    on(GET,    "/api/auth/verify-token",               May(A::VerifyToken),              |r| r.to(auth::verify_token)),

    on(GET,    "/api/users",                           May(A::ListUsers),                |r| r.to(users::list)),
    on(POST,   "/api/users",                           May(A::CreateUser),               |r| r.to(users::create)),
    on(GET,    "/api/users/{user_id}",                 May(A::ReadUser),                 |r| r.to(users::get)),
    on(PUT,    "/api/users/{user_id}",                 May(A::UpdateUser),               |r| r.to(users::update)),
    on(PATCH,  "/api/users/{user_id}",                 May(A::UpdateUser),               |r| r.to(users::patch)),
    on(DELETE, "/api/users/{user_id}",                 May(A::DeleteUser),               |r| r.to(removal::delete)),

    on(POST,   "/api/attendance/mark",                 May(A::MarkAttendance),           |r| r.to(mark::mark)),
    on(GET,    "/api/attendance/user/{user_id}",       May(A::ReadAttendance),           |r| r.to(history::of_user)),
    on(GET,    "/api/attendance/today",                May(A::ReadToday),                |r| r.to(today::today)),
    on(GET,    "/api/attendance/corrections",          May(A::ReadCorrections),          |r| r.to(corrections::list)),
    on(POST,   "/api/attendance/corrections",          May(A::RequestCorrection),        |r| r.to(corrections::create)),
    on(GET,    "/api/attendance/corrections/{correction_id}", May(A::ReadCorrections),   |r| r.to(corrections::get)),
    on(POST,   "/api/attendance/corrections/{correction_id}/approve", May(A::DecideCorrection), |r| r.to(corrections::approve)),
    on(POST,   "/api/attendance/corrections/{correction_id}/reject", May(A::DecideCorrection), |r| r.to(corrections::reject)),
    on(POST,   "/api/attendance/corrections/{correction_id}/withdraw", May(A::RequestCorrection), |r| r.to(corrections::withdraw)),
    on(POST,   "/api/attendance/sync",                 May(A::SyncAttendance),           |r| r.to(sync::sync)),
    on(GET,    "/api/attendance/events",               May(A::ReadAttendance),           |r| r.to(events::list)),
    on(POST,   "/api/attendance/events/{event_id}/void", May(A::DecideRecord),           |r| r.to(events::void)),
    on(POST,   "/api/attendance/events/{event_id}/accept", May(A::DecideRecord),         |r| r.to(events::accept)),
    on(GET,    "/api/attendance/records/{record_id}",  May(A::ReadAttendance),           |r| r.to(records::get)),
    on(PUT,    "/api/attendance/records/{record_id}",  May(A::DecideRecord),             |r| r.to(records::put)),
    on(POST,   "/api/attendance/records/{record_id}/revert", May(A::DecideRecord),       |r| r.to(records::revert)),
    on(GET,    "/api/attendance/report",               May(A::ReadReport),               |r| r.to(report::report)),

    on(GET,    "/api/shifts",                          May(A::ReadShifts),               |r| r.to(shifts::list)),
    on(POST,   "/api/shifts",                          May(A::ManageShifts),             |r| r.to(shifts::create)),
    on(GET,    "/api/shifts/lint",                     May(A::LintPlan),                 |r| r.to(shifts::lint)),
    on(GET,    "/api/shifts/{shift_id}",               May(A::ReadShifts),               |r| r.to(shifts::get)),
    on(PUT,    "/api/shifts/{shift_id}",               May(A::ManageShifts),             |r| r.to(shifts::update)),
    on(DELETE, "/api/shifts/{shift_id}",               May(A::ManageShifts),             |r| r.to(shifts::retire)),
    on(GET,    "/api/shift-assignments",               May(A::ReadAssignments),          |r| r.to(assignments::list)),
    on(POST,   "/api/shift-assignments",               May(A::ManageAssignments),        |r| r.to(assignments::create)),
    on(GET,    "/api/shift-assignments/{assignment_id}", May(A::ReadAssignments),        |r| r.to(assignments::get)),
    on(PUT,    "/api/shift-assignments/{assignment_id}", May(A::ManageAssignments),      |r| r.to(assignments::update)),
    on(DELETE, "/api/shift-assignments/{assignment_id}", May(A::ManageAssignments),      |r| r.to(assignments::remove)),
    on(GET,    "/api/holidays",                        May(A::ReadHolidays),             |r| r.to(holidays::list)),
    on(POST,   "/api/holidays",                        May(A::ManageHolidays),           |r| r.to(holidays::create)),
    on(GET,    "/api/holidays/{holiday_id}",           May(A::ReadHolidays),             |r| r.to(holidays::get)),
    on(PUT,    "/api/holidays/{holiday_id}",           May(A::ManageHolidays),           |r| r.to(holidays::update)),
    on(DELETE, "/api/holidays/{holiday_id}",           May(A::ManageHolidays),           |r| r.to(holidays::remove)),
    on(GET,    "/api/leaves",                          May(A::ReadLeaves),               |r| r.to(leaves::list)),
    on(POST,   "/api/leaves",                          May(A::RequestLeave),             |r| r.to(leaves::request)),
    on(GET,    "/api/leaves/{leave_id}",               May(A::ReadLeaves),               |r| r.to(leaves::get)),
    on(POST,   "/api/leaves/{leave_id}/approve",       May(A::DecideLeave),              |r| r.to(leaves::approve)),
    on(POST,   "/api/leaves/{leave_id}/reject",        May(A::DecideLeave),              |r| r.to(leaves::reject)),
    on(POST,   "/api/leaves/{leave_id}/withdraw",      May(A::RequestLeave),             |r| r.to(leaves::withdraw)),
    on(GET,    "/api/locks",                           May(A::ReadLocks),                |r| r.to(locks::list)),
    on(POST,   "/api/locks",                           May(A::ManageLocks),              |r| r.to(locks::close)),
    on(GET,    "/api/locks/{lock_id}",                 May(A::ReadLocks),                |r| r.to(locks::get)),
    on(POST,   "/api/locks/{lock_id}/lift",            May(A::ManageLocks),              |r| r.to(locks::lift)),

    on(POST,   "/api/face/enroll",                     May(A::EnrollFace),               |r| r.to(enroll::enroll)),
    on(POST,   "/api/face/recognize",                  May(A::RecognizeFace),            |r| r.to(recognize::recognize)),
    on(GET,    "/api/face/user/{user_id}/encodings",   May(A::ReadEncodings),            |r| r.to(face::encodings)),
    on(DELETE, "/api/face/encodings/{encoding_id}",    May(A::DeleteEncoding),           |r| r.to(face::delete)),

    on(GET,    "/api/statistics/dashboard",            May(A::ReadDashboard),            |r| r.to(dashboard::dashboard)),
    on(GET,    "/api/statistics/attendance/rate",      May(A::ReadStatistics),           |r| r.to(statistics::rate)),
    on(GET,    "/api/statistics/attendance/trends",    May(A::ReadStatistics),           |r| r.to(statistics::trends)),
    on(GET,    "/api/statistics/departments",          May(A::ReadStatistics),           |r| r.to(statistics::departments)),

    on(GET,    "/api/admin/users",                     May(A::AdminListUsers),           |r| r.to(admin::users)),
    on(PUT,    "/api/admin/users/{user_id}/status",    May(A::SetUserStatus),            |r| r.to(admin::set_status)),
    on(POST,   "/api/admin/attendance/bulk",           May(A::EnterInBulk),              |r| r.to(bulk::bulk)),
    on(POST,   "/api/admin/attendance/batches/{batch_id}/revert", May(A::EnterInBulk),   |r| r.to(bulk::revert)),
    on(GET,    "/api/admin/audit",                     May(A::ReadAudit),                |r| r.to(audit::list)),
    on(GET,    "/api/admin/departments",               May(A::ListDepartments),          |r| r.to(departments::list)),
    on(POST,   "/api/admin/departments",               May(A::ManageDepartments),        |r| r.to(departments::create)),
    on(GET,    "/api/admin/departments/{department_id}", May(A::ListDepartments),        |r| r.to(departments::get)),
    on(PUT,    "/api/admin/departments/{department_id}", May(A::ManageDepartments),      |r| r.to(departments::update)),

    on(GET,    "/api/jobs",                            May(A::ReadJobs),                 |r| r.to(jobs::list)),
    on(GET,    "/api/jobs/{job_id}",                   May(A::ReadJobs),                 |r| r.to(jobs::get)),
    on(DELETE, "/api/jobs/{job_id}",                   May(A::DiscardJob),               |r| r.to(jobs::discard)),
    on(GET,    "/api/jobs/{job_id}/result",            May(A::ReadJobs),                 |r| r.to(jobs::result)),

    on(GET,    "/api/stream",                          May(A::FollowAttendance),         |r| r.to(stream::stream)),

    on(GET,    "/api/health",                          Public,                           |r| r.to(health::health)),
    on(HEAD,   "/api/health",                          Public,                           |r| r.to(health::head)),
    on(GET,    "/api/health/detailed",                 MayOrMonitor(A::ReadHealth),      |r| r.to(health::detailed)),
    on(GET,    "/api/openapi.json",                    Public,                           |r| r.to(openapi::document)),
    on(GET,    "/problems/{code}",                     Public,                           |r| r.to(problems::page)),
];

/// Puts the table into an application.
pub(crate) fn configure(config: &mut web::ServiceConfig) {
    let mut paths: BTreeMap<&str, Vec<&'static Entry>> = BTreeMap::new();
    for entry in &TABLE {
        paths.entry(entry.path).or_default().push(entry);
    }
    for (path, entries) in paths {
        let mut methods: Vec<&str> = entries.iter().map(|entry| entry.method.as_str()).collect();
        // Whatever can be read can be asked for without its body; the frame leaves that out.
        let mut heads: Vec<_> = entries.iter().filter(|entry| entry.method == GET).copied().collect();
        if methods.contains(&"HEAD") {
            heads.clear();
        }
        if let (Some(_), Some(get)) = (heads.first(), methods.iter().position(|method| *method == "GET")) {
            methods.insert(get + 1, "HEAD");
        }
        let allowed = methods.join(", ");
        let refuse = move || {
            let allowed = allowed.clone();
            async move { Err::<HttpResponse, _>(not_allowed(&allowed)) }
        };
        let answered = entries.into_iter().map(|entry| (entry.method.clone(), entry));
        let answered = answered.chain(heads.into_iter().map(|entry| (HEAD, entry)));
        let resource = answered.fold(web::resource(path), |resource, (method, entry)| {
            let access = entry.access;
            let route = (entry.handler)(web::route().method(method));
            resource.route(route.wrap(from_fn(move |req, next| crate::actor::guard(access, req, next))))
        });
        config.service(resource.default_service(web::to(refuse)));
    }
}

fn not_allowed(allowed: &str) -> Problem {
    let value = HeaderValue::from_str(allowed).unwrap_or_else(|_| HeaderValue::from_static(""));
    Problem::plain(Code::MethodNotAllowed).with_header(header::ALLOW, value)
}

/// Whatever is not in the table.
pub(crate) async fn nowhere(_: HttpRequest) -> Result<HttpResponse, Problem> {
    Err(Problem::not_found())
}
