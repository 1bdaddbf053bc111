//! The URL table, whole, besides `HEAD`, which is answered wherever `GET` is. Anything else is 404; any other method on
//! one of these paths is 405.

use std::collections::BTreeMap;

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::from_fn;
use actix_web::{HttpRequest, HttpResponse, web};
use rollcall_domain::access::Action as A;
use utoipa::OpenApi;

use crate::actor::guard;
use crate::entry::Access::{May, MayOrMonitor, Password, People, Public};
use crate::entry::{Entry, Notes};
use crate::problem::{Code, Problem};
use crate::{
    admin, assignments, audit, auth, bulk, closed_periods, corrections, dashboard, departments, document,
    enroll, events, face, health, history, holidays, jobs, leaves, mark, problems,
};
use crate::{erasure, recognize, records, report, shifts, statistics, stream, sync, today, users};

/// Each row: method, path, who may, the handler, and in brackets what else is told of it by the methods of [`Notes`].
/// Both the routes and the contract follow from it; `utoipa` demands a path at the handler, which is empty there.
macro_rules! operations {
    ($($method:ident $path:literal $access:expr => $noun:ident :: $handler:ident $([$($note:ident),+])?;)+) => {
        pub(crate) static TABLE: &[Entry] = &[$(
            Entry {
                method: Method::$method,
                path: $path,
                access: $access,
                notes: Notes::of($access)$($(.$note())+)?,
                handler: |route| route.to($noun::$handler),
                described: || {
                    #[derive(OpenApi)]
                    #[openapi(paths($noun::$handler))]
                    struct Described;
                    Described::openapi()
                },
            },
        )+];
    };
}

operations! {
    POST   "/api/auth/register"                         Password                    => auth::register [by_address];
    POST   "/api/auth/login"                            Password                    => auth::login [by_address];
    POST   "/api/auth/refresh"                          People                      => auth::refresh [by_address];
    POST   "/api/auth/invitation"                       Password                    => auth::invitation [by_address];
    POST   "/api/auth/logout"                           May(A::Logout)              => auth::logout [by_address];
    GET    "/api/auth/verify-token"                     May(A::VerifyToken)         => auth::verify_token [by_address];

    GET    "/api/users"                                 May(A::ListUsers)           => users::list;
    POST   "/api/users"                                 May(A::CreateUser)          => users::create;
    GET    "/api/users/{user_id}"                       May(A::ReadUser)            => users::get;
    PUT    "/api/users/{user_id}"                       May(A::UpdateUser)          => users::update [limited_inside];
    PATCH  "/api/users/{user_id}"                       May(A::UpdateUser)          => users::patch [limited_inside];
    DELETE "/api/users/{user_id}"                       May(A::DeleteUser)          => erasure::delete [limited_inside];

    POST   "/api/attendance/mark"                       May(A::MarkAttendance)      => mark::mark [names_somebody];
    GET    "/api/attendance/user/{user_id}"             May(A::ReadAttendance)      => history::of_user;
    GET    "/api/attendance/today"                      May(A::ReadToday)           => today::today;
    GET    "/api/attendance/corrections"                May(A::ReadCorrections)     => corrections::list;
    POST   "/api/attendance/corrections"                May(A::RequestCorrection)   => corrections::create;
    GET    "/api/attendance/corrections/{correction_id}" May(A::ReadCorrections)    => corrections::get;
    POST   "/api/attendance/corrections/{correction_id}/approve" May(A::DecideCorrection) => corrections::approve;
    POST   "/api/attendance/corrections/{correction_id}/reject" May(A::DecideCorrection) => corrections::reject;
    POST   "/api/attendance/corrections/{correction_id}/withdraw" May(A::RequestCorrection) => corrections::withdraw;
    POST   "/api/attendance/sync"                       May(A::SyncAttendance)      => sync::sync;
    GET    "/api/attendance/events"                     May(A::ReadAttendance)      => events::list;
    POST   "/api/attendance/events/{event_id}/void"     May(A::DecideRecord)        => events::void;
    POST   "/api/attendance/events/{event_id}/accept"   May(A::DecideRecord)        => events::accept;
    GET    "/api/attendance/records/{record_id}"        May(A::ReadAttendance)      => records::get;
    PUT    "/api/attendance/records/{record_id}"        May(A::DecideRecord)        => records::put;
    POST   "/api/attendance/records/{record_id}/revert" May(A::DecideRecord)        => records::revert;
    GET    "/api/attendance/report"                     May(A::ReadReport)          => report::report [files];

    GET    "/api/shifts"                                May(A::ReadShifts)          => shifts::list;
    POST   "/api/shifts"                                May(A::ManageShifts)        => shifts::create;
    GET    "/api/shifts/lint"                           May(A::LintPlan)            => shifts::lint;
    GET    "/api/shifts/{shift_id}"                     May(A::ReadShifts)          => shifts::get;
    PUT    "/api/shifts/{shift_id}"                     May(A::ManageShifts)        => shifts::update;
    DELETE "/api/shifts/{shift_id}"                     May(A::ManageShifts)        => shifts::retire;
    GET    "/api/shift-assignments"                     May(A::ReadAssignments)     => assignments::list;
    POST   "/api/shift-assignments"                     May(A::ManageAssignments)   => assignments::create;
    GET    "/api/shift-assignments/{assignment_id}"     May(A::ReadAssignments)     => assignments::get;
    PUT    "/api/shift-assignments/{assignment_id}"     May(A::ManageAssignments)   => assignments::update;
    DELETE "/api/shift-assignments/{assignment_id}"     May(A::ManageAssignments)   => assignments::remove;
    GET    "/api/holidays"                              May(A::ReadHolidays)        => holidays::list;
    POST   "/api/holidays"                              May(A::ManageHolidays)      => holidays::create;
    GET    "/api/holidays/{holiday_id}"                 May(A::ReadHolidays)        => holidays::get;
    PUT    "/api/holidays/{holiday_id}"                 May(A::ManageHolidays)      => holidays::update;
    DELETE "/api/holidays/{holiday_id}"                 May(A::ManageHolidays)      => holidays::remove;
    GET    "/api/leaves"                                May(A::ReadLeaves)          => leaves::list;
    POST   "/api/leaves"                                May(A::RequestLeave)        => leaves::request;
    GET    "/api/leaves/{leave_id}"                     May(A::ReadLeaves)          => leaves::get;
    POST   "/api/leaves/{leave_id}/approve"             May(A::DecideLeave)         => leaves::approve;
    POST   "/api/leaves/{leave_id}/reject"              May(A::DecideLeave)         => leaves::reject;
    POST   "/api/leaves/{leave_id}/withdraw"            May(A::RequestLeave)        => leaves::withdraw;
    GET    "/api/locks"                                 May(A::ReadClosedPeriods)           => closed_periods::list;
    POST   "/api/locks"                                 May(A::ManageClosedPeriods)         => closed_periods::close;
    GET    "/api/locks/{lock_id}"                       May(A::ReadClosedPeriods)           => closed_periods::get;
    POST   "/api/locks/{lock_id}/lift"                  May(A::ManageClosedPeriods)         => closed_periods::lift;

    POST   "/api/face/enroll"                           May(A::EnrollFace)          => enroll::enroll [names_somebody];
    POST   "/api/face/recognize"                        May(A::RecognizeFace)       => recognize::recognize [by_kiosk];
    GET    "/api/face/user/{user_id}/encodings"         May(A::ReadEncodings)       => face::encodings;
    DELETE "/api/face/encodings/{encoding_id}"          May(A::DeleteEncoding)      => face::delete;

    GET    "/api/statistics/dashboard"                  May(A::ReadDashboard)       => dashboard::dashboard;
    GET    "/api/statistics/attendance/rate"            May(A::ReadStatistics)      => statistics::rate;
    GET    "/api/statistics/attendance/trends"          May(A::ReadStatistics)      => statistics::trends;
    GET    "/api/statistics/departments"                May(A::ReadStatistics)      => statistics::departments;

    GET    "/api/admin/users"                           May(A::AdminListUsers)      => admin::users;
    PUT    "/api/admin/users/{user_id}/status"          May(A::SetUserStatus)       => admin::set_status;
    POST   "/api/admin/attendance/bulk"                 May(A::EnterInBulk)         => bulk::bulk;
    POST   "/api/admin/attendance/batches/{batch_id}/revert" May(A::EnterInBulk)    => bulk::revert;
    GET    "/api/admin/audit"                           May(A::ReadAudit)           => audit::list;
    GET    "/api/admin/departments"                     May(A::ListDepartments)     => departments::list;
    POST   "/api/admin/departments"                     May(A::ManageDepartments)   => departments::create;
    GET    "/api/admin/departments/{department_id}"     May(A::ListDepartments)     => departments::get;
    PUT    "/api/admin/departments/{department_id}"     May(A::ManageDepartments)   => departments::update;

    GET    "/api/jobs"                                  May(A::ReadJobs)            => jobs::list [files];
    GET    "/api/jobs/{job_id}"                         May(A::ReadJobs)            => jobs::get [files];
    DELETE "/api/jobs/{job_id}"                         May(A::DiscardJob)          => jobs::discard;
    GET    "/api/jobs/{job_id}/result"                  May(A::ReadJobs)            => jobs::result [files];

    GET    "/api/stream"                                May(A::FollowAttendance)    => stream::stream [events, limited_inside];

    GET    "/api/health"                                Public                      => health::health;
    HEAD   "/api/health"                                Public                      => health::head;
    GET    "/api/health/detailed"                       MayOrMonitor(A::ReadHealth) => health::detailed;
    GET    "/api/openapi.json"                          Public                      => document::document;
    GET    "/problems/{code}"                           Public                      => problems::page;
}

/// Puts the table into an application.
pub(crate) fn configure(config: &mut web::ServiceConfig) {
    let mut paths: BTreeMap<&str, Vec<&'static Entry>> = BTreeMap::new();
    for entry in TABLE {
        paths.entry(entry.path).or_default().push(entry);
    }
    for (path, entries) in paths {
        let mut methods: Vec<&str> = entries.iter().map(|entry| entry.method.as_str()).collect();
        // Whatever can be read can be asked for without its body; the envelope leaves that out.
        let mut heads: Vec<_> = entries.iter().filter(|entry| entry.method == Method::GET).copied().collect();
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
        let answered = answered.chain(heads.into_iter().map(|entry| (Method::HEAD, entry)));
        let resource = answered.fold(web::resource(path), |resource, (method, entry)| {
            let route = (entry.handler)(web::route().method(method));
            resource.route(route.wrap(from_fn(move |req, next| guard(entry, req, next))))
        });
        config.service(resource.default_service(web::to(refuse)));
    }
}

fn not_allowed(allowed: &str) -> Problem {
    let value = HeaderValue::from_str(allowed).unwrap_or_else(|_| HeaderValue::from_static(""));
    Problem::plain(Code::MethodNotAllowed).with_header(header::ALLOW, value)
}

/// Whatever is not in the table.
pub(crate) async fn not_found(_: HttpRequest) -> Result<HttpResponse, Problem> {
    Err(Problem::not_found())
}
