//! A world to send requests to, made through the use-cases alone.

use std::sync::Arc;

use actix_web::body::to_bytes;
use actix_web::dev::Service;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::test::{TestRequest, init_service};
use actix_web::web::{Bytes, Data};
use rollcall_domain::access::{Actor, Role};
use rollcall_domain::department::DepartmentName;
use rollcall_domain::face::{FaceSource, Photo};
use rollcall_domain::id::{DepartmentId, UserId};
use rollcall_domain::user::{ConsentVersion, EmailAddress, Password, PersonName, Status};
use rollcall_testkit::photos::shots;
use rollcall_testkit::{Fakes, fake_ports};
use rollcall_usecases::UseCases;
use rollcall_usecases::departments::NewDepartment;
use rollcall_usecases::enroll::EnrollRequest;
use rollcall_usecases::rules::Rules;
use rollcall_usecases::users::NewUser;
use serde_json::Value;

use crate::accept::EVENT_STREAM;
use crate::limits::{Limiter, Limits};
use crate::options::{Api, HttpOptions, Readiness, State};
use crate::server::app;

pub(super) const PASSWORD: &str = "correct horse battery";

pub(super) struct World {
    pub(super) api: Api,
    pub(super) fakes: Fakes,
}

/// Somebody with a token.
#[derive(Clone)]
pub(super) struct Somebody {
    pub(super) id: UserId,
    pub(super) token: String,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(HttpOptions::default())
    }

    pub(super) fn with(options: HttpOptions) -> Self {
        let (ports, fakes) = fake_ports();
        let readiness = Arc::new(Readiness::default());
        readiness.set(State::Ready);
        let rules = Rules { self_service: options.self_service, ..Rules::standard() };
        let limiter = Arc::new(Limiter::new(Some(Limits::default())));
        let api = Api { usecases: UseCases::new(&ports, rules), readiness, limiter, options };
        Self { api, fakes }
    }

    pub(super) async fn person(&self, name: &str, role: Role, department: Option<DepartmentId>) -> Somebody {
        let email = format!("{}@example.org", name.to_lowercase());
        let new = NewUser {
            name: PersonName::parse(name).unwrap(),
            email: EmailAddress::parse(&email).unwrap(),
            role,
            status: Status::Active,
            password: Some(Password::new(PASSWORD.into()).unwrap()),
            employee_code: None,
            department,
            timezone: None,
            join_date: None,
            default_shift: None,
        };
        let profile = self.api.usecases.users.create(&Actor::Operator, new).await.unwrap();
        Somebody { id: profile.user.id, token: self.login(&email).await }
    }

    async fn login(&self, email: &str) -> String {
        let password = Password::new(PASSWORD.into()).unwrap();
        self.api.usecases.auth.login(email, password).await.unwrap().1.access
    }

    /// The same person with a new token, after the clock has moved.
    pub(super) async fn again(&self, name: &str, who: Somebody) -> Somebody {
        let token = self.login(&format!("{}@example.org", name.to_lowercase())).await;
        Somebody { token, ..who }
    }

    pub(super) async fn admin(&self) -> Somebody {
        self.person("Root", Role::Admin, None).await
    }

    pub(super) async fn employee(&self, name: &str) -> Somebody {
        self.person(name, Role::Employee, None).await
    }

    pub(super) async fn department(&self, name: &str, manager: Option<UserId>) -> DepartmentId {
        let new = NewDepartment {
            name: DepartmentName::parse(name).unwrap(),
            code: None,
            description: None,
            manager,
            parent: None,
            timezone: None,
            default_shift: None,
            geofences: Vec::new(),
        };
        self.api.usecases.departments.create(&Actor::Operator, new).await.unwrap().department.id
    }

    /// The key of a kiosk.
    pub(super) async fn kiosk(&self, may_enroll: bool) -> String {
        self.api.usecases.devices.add(&Actor::Operator, "Door", may_enroll).await.unwrap().1
    }

    /// Stores five shots of a person's face.
    pub(super) async fn enroll(&self, user: UserId, name: &str) {
        let photos: Vec<Photo> = shots(name, 5);
        let request = EnrollRequest {
            user,
            photos,
            consent: ConsentVersion::parse("1").ok(),
            allow_duplicate: false,
            replace: false,
            reason: None,
            source: FaceSource::Cli,
        };
        self.api.usecases.faces.enroll(&Actor::Operator, request).await.unwrap();
    }

    pub(super) async fn call(&self, request: TestRequest) -> Answer {
        let service = init_service(app(Data::new(self.api.clone()))).await;
        let answer = match service.call(request.to_request()).await {
            Ok(answer) => answer.into_parts().1.map_into_boxed_body(),
            Err(error) => error.error_response(),
        };
        let (status, headers) = (answer.status(), answer.headers().clone());
        // A stream has no end.
        let streams = headers.get("content-type").is_some_and(|kind| kind == EVENT_STREAM);
        let body = if streams { Bytes::new() } else { to_bytes(answer.into_body()).await.ok().unwrap() };
        Answer { status, headers, body }
    }

    pub(super) async fn get(&self, token: &str, uri: &str) -> Answer {
        self.call(bearer(TestRequest::get().uri(uri), token)).await
    }

    pub(super) async fn post(&self, token: &str, uri: &str, body: Value) -> Answer {
        self.call(bearer(TestRequest::post().uri(uri), token).set_json(body)).await
    }

    pub(super) async fn put(&self, token: &str, uri: &str, body: Value) -> Answer {
        self.call(bearer(TestRequest::put().uri(uri), token).set_json(body)).await
    }

    pub(super) async fn delete(&self, token: &str, uri: &str) -> Answer {
        self.call(bearer(TestRequest::delete().uri(uri), token)).await
    }
}

/// With a token, unless it is empty.
pub(super) fn bearer(request: TestRequest, token: &str) -> TestRequest {
    if token.is_empty() {
        request
    } else {
        request.insert_header(("Authorization", format!("Bearer {token}")))
    }
}

/// A multipart form; parts with a third element are files.
pub(super) fn form(request: TestRequest, parts: &[(&str, &[u8])]) -> TestRequest {
    let mut body = Vec::new();
    for (name, content) in parts {
        body.extend_from_slice(
            format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n").as_bytes(),
        );
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--XX--\r\n");
    request.insert_header(("Content-Type", "multipart/form-data; boundary=XX")).set_payload(body)
}

impl Answer {
    #[track_caller]
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {:?}", self.body))
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Checks that this is the problem `code`, whole and consistent.
    #[track_caller]
    pub(super) fn is_problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(
            (self.status.as_u16(), self.header("content-type")),
            (status, "application/problem+json"),
            "{self:?}"
        );
        let body = self.json();
        assert_eq!(body["code"], code, "{body}");
        assert_eq!(body["status"], status);
        assert_eq!(body["type"], format!("/problems/{code}"));
        assert!(body["title"].is_string() && body["instance"].is_string(), "{body}");
        assert_eq!(body["request_id"], self.header("x-request-id"));
        body
    }

    #[track_caller]
    pub(super) fn is(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    /// Pointers, or keys of the query, with the code of what is wrong there.
    #[track_caller]
    pub(super) fn wrong(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let at = |error: &Value| {
            text(if error["pointer"].is_string() { &error["pointer"] } else { &error["parameter"] })
        };
        let body = self.json();
        let errors = body["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| (at(error), text(&error["code"]))).collect()
    }
}

pub(super) fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(at, code)| ((*at).to_owned(), (*code).to_owned())).collect()
}
