//! What every request gets: an id, one error shape, headers.

use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, dev::Service, web};
use serde_json::json;

use super::world::{World, bearer};
use crate::options::{HttpOptions, State};
use crate::problem::Code;
use crate::routes::TABLE;

const SECURITY: [(&str, &str); 3] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-store"),
];

#[actix_web::test]
async fn every_answer_has_an_id_and_the_security_headers() {
    let world = World::new();
    for uri in ["/api/health", "/api/users", "/api/nothing", "/api/openapi.json"] {
        let answer = world.get("", uri).await;
        for (name, value) in SECURITY {
            assert_eq!(answer.header(name), value, "{name} of {uri}");
        }
        assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"));
        assert!(answer.header("vary").contains("Origin"), "{uri}");
        assert_eq!(answer.header("x-request-id").len(), 36);
        assert!(!answer.headers.contains_key("server"));
    }
}

#[actix_web::test]
async fn only_a_harmless_request_id_is_taken_over() {
    let world = World::new();
    let ask = |id: &str| TestRequest::get().uri("/api/health").insert_header(("X-Request-Id", id));
    assert_eq!(world.call(ask("abc-1")).await.header("x-request-id"), "abc-1");
    for bad in ["", "a b", &"x".repeat(65)] {
        assert_eq!(world.call(ask(bad)).await.header("x-request-id").len(), 36, "{bad:?}");
    }
}

#[actix_web::test]
async fn every_other_method_is_refused_and_the_right_ones_are_named() {
    let world = World::new();
    let all = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "FOO"];
    for entry in TABLE {
        let mut listed: Vec<&str> = TABLE
            .iter()
            .filter(|other| other.path == entry.path)
            .map(|other| other.method.as_str())
            .collect();
        if listed.contains(&"GET") && !listed.contains(&"HEAD") {
            listed.push("HEAD");
        }
        let uri = entry
            .path
            .replace("{user_id}", "me")
            .replace("{encoding_id}", "1")
            .replace("{code}", "forbidden");
        for method in all.iter().filter(|method| !listed.contains(method)) {
            let request =
                TestRequest::default().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(&uri);
            let answer = world.call(request).await;
            assert_eq!(answer.status, 405, "{method} {uri}");
            let mut allowed: Vec<&str> = answer.header("allow").split(", ").collect();
            allowed.sort_unstable();
            let mut listed = listed.clone();
            listed.sort_unstable();
            assert_eq!(allowed, listed, "{uri}");
        }
    }
}

#[actix_web::test]
async fn paths_outside_of_the_url_table_are_not_found() {
    let world = World::new();
    for uri in [
        "/",
        "/api",
        "/api/",
        "/api/users/",
        "/api//users",
        "/API/users",
        "/api/./users",
        "/api/users;a=b",
        "/api/users%00",
        "/api/%2e%2e/users",
        "/api/users/me/",
        "/problems/none",
    ] {
        world.get("", uri).await.is_problem(404, "not-found");
    }
}

#[actix_web::test]
async fn starting_or_draining_server_answers_503() {
    let world = World::new();
    for (state, code) in [(State::Starting, "starting"), (State::Draining, "draining")] {
        world.api.readiness.set(state);
        for uri in ["/api/health", "/api/users", "/api/nothing"] {
            let answer = world.get("", uri).await;
            answer.is_problem(503, code);
            assert_eq!(answer.header("retry-after"), "1");
        }
        let page = world.get("", "/problems/starting").await;
        assert_eq!(page.status, 200);
    }
    world.api.readiness.set(State::Ready);
    assert_eq!(world.get("", "/api/health").await.is(200)["status"], "ok");
    assert_eq!(world.call(TestRequest::default().method(Method::HEAD).uri("/api/health")).await.status, 200);
}

#[actix_web::test]
async fn a_panic_is_an_internal_error_that_tells_nothing() {
    async fn fail() -> &'static str {
        panic!("a secret")
    }
    let app = App::new().route("/api/fail", web::get().to(fail)).wrap(from_fn(crate::envelope::envelope));
    let service = init_service(app).await;
    let error = service.call(TestRequest::get().uri("/api/fail").to_request()).await.unwrap_err();
    let answer = error.error_response();
    assert_eq!(answer.status(), 500);
    assert_eq!(answer.headers().get("x-content-type-options").unwrap(), "nosniff");
    let body = actix_web::body::to_bytes(answer.into_body()).await.unwrap();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["code"], "internal-error");
    assert!(body.get("detail").is_none() && !body.to_string().contains("secret"), "{body}");
}

#[actix_web::test]
async fn only_listed_origins_may_read() {
    let world = World::with(HttpOptions {
        cors_origins: vec!["https://hr.example.org".into()],
        ..HttpOptions::default()
    });
    let ask = |origin: &str| TestRequest::get().uri("/api/health").insert_header(("Origin", origin));
    let allowed = world.call(ask("https://hr.example.org")).await;
    assert_eq!(allowed.header("access-control-allow-origin"), "https://hr.example.org");
    assert!(allowed.header("vary").contains("Origin"));
    assert!(!allowed.headers.contains_key("access-control-allow-credentials"));
    for other in
        ["null", "http://evil.example", "https://hr.example.org.evil.example", "http://hr.example.org"]
    {
        let answer = world.call(ask(other)).await;
        assert_eq!(answer.status, 200);
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "{other}");
        assert!(answer.header("vary").contains("Origin"));
    }
    // Also errors can be read by those who may.
    let refused =
        world.call(TestRequest::get().uri("/api/users").insert_header(("Origin", "https://hr.example.org")));
    assert_eq!(refused.await.header("access-control-allow-origin"), "https://hr.example.org");

    let preflight = |origin: &str| {
        let request = TestRequest::default().method(Method::OPTIONS).uri("/api/users");
        request.insert_header(("Origin", origin)).insert_header(("Access-Control-Request-Method", "PUT"))
    };
    let allowed = world.call(preflight("https://hr.example.org")).await;
    assert_eq!(allowed.header("access-control-allow-origin"), "https://hr.example.org");
    world.call(preflight("https://evil.example")).await.is_problem(400, "malformed-request");
}

#[actix_web::test]
async fn no_origin_is_allowed_by_default() {
    let world = World::new();
    let request = TestRequest::get().uri("/api/health").insert_header(("Origin", "https://hr.example.org"));
    assert!(!world.call(request).await.headers.contains_key("access-control-allow-origin"));
}

#[actix_web::test]
async fn every_code_has_a_page() {
    let world = World::new();
    for code in Code::ALL {
        let page = world.get("", &format!("/problems/{}", code.slug())).await;
        assert_eq!(page.status, 200);
        assert!(std::str::from_utf8(&page.body).unwrap().contains(code.title()));
    }
}

#[actix_web::test]
async fn an_outage_is_told_without_its_cause() {
    let world = World::new();
    let admin = world.admin().await;
    world.fakes.stores.set_outage(true);
    let answer = world.get(&admin.token, "/api/users").await;
    let body = answer.is_problem(503, "database-unavailable");
    assert_eq!(answer.header("retry-after"), "1");
    assert!(!body.to_string().contains("told so by the test"), "{body}");
}

#[actix_web::test]
async fn health_in_detail_is_for_administrators_and_monitors() {
    let world =
        World::with(HttpOptions { health_token: Some("monitor-token".into()), ..HttpOptions::default() });
    let admin = world.admin().await;
    let employee = world.employee("Ada").await;
    let uri = "/api/health/detailed";
    world.get("", uri).await.is_problem(401, "token-missing");
    world.get("monitor-tokem", uri).await.is_problem(401, "token-malformed");
    world.get(&employee.token, uri).await.is_problem(403, "forbidden");
    for token in [admin.token.as_str(), "monitor-token"] {
        let body = world.get(token, uri).await.is(200);
        assert_eq!(body["status"], "ok");
        assert_eq!(body["checks"]["index"], json!({ "persons": 0, "encodings": 0, "last_change": 0 }));
        assert_eq!(body["checks"]["queue"]["capacity"], 8);
    }
    world.fakes.engine.set_state(rollcall_testkit::fakes::EngineState::Unavailable);
    world.fakes.clock.advance(jiff::SignedDuration::from_secs(60));
    assert_eq!(
        world.get("monitor-token", uri).await.is(200)["checks"]["face_engine"],
        json!({ "status": "unavailable" })
    );
    world.fakes.stores.set_outage(true);
    assert_eq!(world.get("monitor-token", uri).await.is(503)["status"], "down");
}

#[actix_web::test]
async fn answers_are_json_and_nothing_else() {
    let world = World::new();
    let admin = world.admin().await;
    let ask = |accept: &str| {
        bearer(TestRequest::get().uri("/api/users"), &admin.token).insert_header(("Accept", accept))
    };
    world.call(ask("text/html")).await.is_problem(406, "not-acceptable");
    world.call(ask("text/html, */*;q=0.1")).await.is(200);
}
