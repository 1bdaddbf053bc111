//! What any client of a good REST contract counts on, whatever it is about.

use reqwest::Method;
use rollcall_tests::client::send;
use rollcall_tests::photos::five_drawn;
use rollcall_tests::{Client, Db, TestApp, on_both_databases};
use serde_json::{Value, json};

use crate::matrix::path_of;

on_both_databases!(resource_sent_back_as_it_was_read_is_unchanged);

/// The same instants as another language writes them.
fn in_other_words(value: &mut Value) {
    match value {
        Value::String(text) if text.contains('T') => {
            let (utc, offset) = (text.strip_suffix('Z'), text.strip_suffix("+00:00"));
            let other = utc.map(|time| format!("{time}+00:00")).or(offset.map(|time| format!("{time}Z")));
            *text = other.unwrap_or_else(|| text.clone());
        }
        Value::Array(values) => values.iter_mut().for_each(in_other_words),
        Value::Object(members) => members.values_mut().for_each(in_other_words),
        _ => {}
    }
}

/// Something of each kind that can be changed, by its path.
async fn one_of_each(app: &TestApp, admin: &Client) -> Vec<String> {
    let ada = app.employee("Ada").await;
    let create = async |path: &str, body: Value| {
        let made = admin.post(path, body).await;
        made.expect(201);
        made.header("location").to_owned()
    };
    let shift = create("/api/shifts", json!({ "name": "Early", "starts": "06:00", "ends": "14:00" })).await;
    let shift_id = shift.rsplit('/').next().expect("an id").to_owned();
    let fence = json!({ "lat": 52.5, "lng": 13.0, "radius_m": 100 });
    let lab = json!({ "name": "Lab", "geofences": [fence], "manager_id": "me" });
    let given = json!({ "shift_id": shift_id, "user_id": ada.id, "from": "2026-03-03" });
    let marked = ada.post("/api/attendance/mark", json!({ "type": "check_in" })).await;
    marked.expect(201);
    vec![
        format!("/api/users/{}", ada.id),
        create("/api/admin/departments", lab).await,
        create("/api/shift-assignments", given).await,
        create("/api/holidays", json!({ "name": "Fair", "date": "2026-05-01" })).await,
        create("/api/holidays", json!({ "name": "Off", "weekday": "friday", "nth": 1 })).await,
        marked.header("location").to_owned(),
        shift,
    ]
}

async fn resource_sent_back_as_it_was_read_is_unchanged(db: Db) {
    let app = TestApp::setup().drawn().on(db).start().await;
    let admin = app.admin().await;
    for path in one_of_each(&app, &admin).await {
        let read = admin.get(&path).await;
        let sent = admin.put(&path, read.expect(200)).await;
        assert_eq!(sent.expect(200), read.json(), "{path}");
        assert_eq!(sent.header("etag"), read.header("etag"), "{path}");
        let mut same = read.json();
        in_other_words(&mut same);
        assert!(same != read.json() || path.contains("/shifts/"), "{path}: without an instant");
        assert_eq!(admin.put(&path, same).await.expect(200), read.json(), "{path}");
        // Who sends back what has changed in the meantime is told so, whatever else differs by now.
        let mut stale = read.json();
        stale["version"] = json!(77);
        let put = admin.request(Method::PUT, &path).header("if-match", "\"77\"").json(&stale);
        send(put).await.problem(412, "precondition-failed");
        // What is shown but not the sender's to choose may not differ.
        let mut other = read.json();
        other["version"] = json!(77);
        other["reason"] = if path.contains("records") { json!("a good one") } else { Value::Null };
        if !path.contains("records") {
            other.as_object_mut().expect("an object").remove("reason");
        }
        admin.put(&path, other).await.problem(422, "field-not-allowed");
    }
}

#[tokio::test]
async fn an_employee_can_send_their_own_profile_back() {
    let app = TestApp::drawn().await;
    let ada = app.employee("Ada").await;
    let mut profile = ada.get("/api/users/me").await.expect(200);
    assert_eq!(ada.put("/api/users/me", profile.clone()).await.expect(200), profile);
    profile["phone"] = json!("+1");
    assert_eq!(ada.put("/api/users/me", profile.clone()).await.expect(200)["phone"], "+1");
    profile = ada.get("/api/users/me").await.expect(200);
    profile["role"] = json!("admin");
    ada.put("/api/users/me", profile).await.problem(403, "field-forbidden");
}

#[tokio::test]
async fn same_override_once_more_is_no_change() {
    let app = TestApp::drawn().await;
    let (admin, ada) = (app.admin().await, app.employee("Ada").await);
    let marked = ada.post("/api/attendance/mark", json!({ "type": "check_in" })).await;
    let record = marked.header("location").to_owned();
    let decision = json!({ "status": "present", "reason": "was at a customer" });
    let once = admin.put(&record, decision.clone()).await.expect(200);
    assert_eq!(admin.put(&record, decision).await.expect(200), once);
    let why = json!({ "status": "present", "reason": "was at the fair" });
    assert_ne!(admin.put(&record, why).await.expect(200)["version"], once["version"]);
}

#[tokio::test]
async fn null_is_refused_where_nothing_can_be_null() {
    let app = TestApp::drawn().await;
    let (admin, ada) = (app.admin().await, app.employee("Ada").await);
    let path = format!("/api/users/{}", ada.id);
    for (path, body, pointer) in [
        (path.as_str(), json!({ "name": null }), "/name"),
        (path.as_str(), json!({ "settings": { "theme": null } }), "/settings/theme"),
        (path.as_str(), json!({ "role": null, "phone": null }), "/role"),
        ("/api/users", json!({ "name": "Bob", "email": "bob@example.org", "status": null }), "/status"),
        ("/api/attendance/mark", json!({ "type": null }), "/type"),
        ("/api/leaves", json!({ "from": "2026-03-09", "kind": null }), "/kind"),
        ("/api/shifts", json!({ "name": "Early", "starts": "06:00", "ends": null }), "/ends"),
        ("/api/auth/logout", json!({ "all": null }), "/all"),
    ] {
        let method = if path.contains(&ada.id) { Method::PUT } else { Method::POST };
        let refused = send(admin.request(method, path).json(&body)).await.problem(422, "validation-failed");
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
        assert_eq!(refused["errors"].as_array().map(Vec::len), Some(1), "{refused}");
    }
    let cleared = admin.put(&path, json!({ "phone": null, "department_id": null })).await;
    assert_eq!(cleared.expect(200)["phone"], Value::Null);
    admin
        .post("/api/leaves", json!({ "from": "2026-03-09", "reason": null, "half": null }))
        .await
        .expect(201);
}

#[tokio::test]
async fn if_match_counts_for_every_decision() {
    let app = TestApp::drawn().await;
    let (admin, ada) = (app.admin().await, app.employee("Ada").await);
    let asked = ada.post("/api/leaves", json!({ "from": "2026-03-09" })).await;
    let leave = asked.header("location").to_owned();
    let marked = ada.post("/api/attendance/mark", json!({ "type": "check_in" })).await;
    let record = marked.header("location").to_owned();
    let correction = json!({ "date": "2026-03-02", "status": "present", "reason": "was at a customer" });
    let asked = ada.post("/api/attendance/corrections", correction).await;
    let correction = asked.header("location").to_owned();
    admin.put(&record, json!({ "status": "present", "reason": "was there" })).await.expect(200);
    let status = format!("/api/admin/users/{}/status", ada.id);
    let why = json!({ "reason": "a good reason", "status": "suspended" });
    let because = json!({ "reason": "a good reason" });
    let no = json!({ "comment": "not this time" });
    let decisions = [
        (Method::POST, format!("{leave}/reject"), leave.clone(), no.clone()),
        (Method::POST, format!("{leave}/withdraw"), leave.clone(), json!({})),
        (Method::POST, format!("{correction}/reject"), correction.clone(), no),
        (Method::POST, format!("{correction}/withdraw"), correction.clone(), json!({})),
        (Method::POST, format!("{leave}/approve"), leave, json!({})),
        (Method::POST, format!("{correction}/approve"), correction, json!({})),
        (Method::POST, format!("{record}/revert"), record, because),
        (Method::PUT, status, format!("/api/users/{}", ada.id), why),
    ];
    for (method, path, of, body) in decisions {
        let actor = if path.ends_with("withdraw") { &ada } else { &admin };
        let stale = actor.request(method.clone(), &path).header("if-match", "\"999\"").json(&body);
        send(stale).await.problem(412, "precondition-failed");
        let unfilled = actor.request(method.clone(), &path).header("if-match", "").json(&body);
        send(unfilled).await.problem(400, "malformed-request");
        if path.ends_with("reject") || path.ends_with("withdraw") {
            continue;
        }
        let tag = admin.get(&of).await.header("etag").to_owned();
        let now = actor.request(method, &path).header("if-match", tag).json(&body);
        send(now).await.expect(200);
    }
}

#[tokio::test]
async fn if_none_match_of_the_latest_version_is_answered_304() {
    let app = TestApp::drawn().await;
    let admin = app.admin().await;
    for path in one_of_each(&app, &admin).await {
        let read = admin.get(&path).await;
        let tag = read.header("etag").to_owned();
        for known in [tag.clone(), format!("W/{tag}"), format!("\"1\", {tag}"), "*".to_owned()] {
            let again = send(admin.request(Method::GET, &path).header("if-none-match", known)).await;
            assert_eq!(
                (again.status, again.body.len(), again.header("etag")),
                (304, 0, tag.as_str()),
                "{path}"
            );
        }
        let other = send(admin.request(Method::GET, &path).header("if-none-match", "\"0-0\"")).await;
        assert_eq!(other.expect(200), read.json());
    }
    // What is shown beside the version counts, too.
    let bob = app.employee("Bob").await;
    let path = format!("/api/users/{}", bob.id);
    let tag = admin.get(&path).await.header("etag").to_owned();
    admin.enroll(&bob.id, &five_drawn("Bob")).await.expect(201);
    let enrolled = send(admin.request(Method::GET, &path).header("if-none-match", &tag)).await;
    assert_eq!(enrolled.expect(200)["face"]["status"], "enrolled");
    let tag = enrolled.header("etag").to_owned();
    let renamed = admin.request(Method::PUT, &path).header("if-match", tag).json(&json!({ "name": "Rob" }));
    send(renamed).await.expect(200);
}

#[tokio::test]
async fn head_is_answered_wherever_get_is() {
    let app = TestApp::drawn().await;
    let admin = app.admin().await;
    let contract = app.anonymous().get("/api/openapi.json").await.expect(200);
    for (template, item) in contract["paths"].as_object().expect("paths") {
        if item.get("get").is_none() {
            continue;
        }
        let path = path_of(template, &admin.id);
        let read = admin.get(&path).await;
        let head = send(admin.request(Method::HEAD, &path)).await;
        assert_eq!((head.status, head.body.len()), (read.status, 0), "{path}");
        assert_eq!(head.header("content-type"), read.header("content-type"), "{path}");
        if read.status == 200 && template != "/api/stream" && !template.contains("health") {
            assert_eq!(head.header("content-length"), read.body.len().to_string(), "{path}");
        }
    }
}

#[tokio::test]
async fn filters_that_name_nothing_are_wrong_everywhere() {
    let app = TestApp::drawn().await;
    let admin = app.admin().await;
    let contract = app.anonymous().get("/api/openapi.json").await.expect(200);
    let mut tried = 0;
    for (template, item) in contract["paths"].as_object().expect("paths") {
        for parameter in item["get"]["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().expect("a name");
            let things = ["user_id", "actor_id", "department_id", "shift_id", "device_id", "batch_id"];
            if parameter["in"] != "query" || !things.contains(&name) {
                continue;
            }
            for value in ["nobody", "01890000-0000-7000-8000-000000000000"] {
                let path = format!("{}?{name}={value}", path_of(template, &admin.id));
                let reply = admin.get(&path).await.problem(422, "validation-failed");
                assert_eq!(reply["errors"][0]["parameter"], name, "{path}: {reply}");
                tried += 1;
            }
            if name == "user_id" || name == "actor_id" {
                admin.get(&format!("{template}?{name}=me")).await.expect(200);
            }
        }
    }
    assert!(tried > 30, "only {tried} filters were tried");
}

#[tokio::test]
async fn me_is_somebody_in_bodies_too() {
    let app = TestApp::drawn().await;
    let (admin, ada) = (app.admin().await, app.employee("Ada").await);
    let leave = ada.post("/api/leaves", json!({ "from": "2026-03-09", "user_id": "me" })).await.expect(201);
    assert_eq!(leave["user"], json!({ "id": ada.id, "name": "Ada" }));
    let lab = admin.post("/api/admin/departments", json!({ "name": "Lab", "manager_id": "me" })).await;
    assert_eq!(lab.expect(201)["manager"]["id"], admin.id);
    let path = lab.header("location").to_owned();
    admin.put(&path, json!({ "manager_id": null })).await.expect(200);
    assert_eq!(admin.put(&path, json!({ "manager_id": "me" })).await.expect(200)["manager"]["id"], admin.id);
    let shift = json!({ "name": "Early", "starts": "06:00", "ends": "14:00" });
    let shift = admin.post("/api/shifts", shift).await.expect(201);
    let given = json!({ "shift_id": shift["id"], "user_id": "me", "from": "2026-03-03" });
    assert_eq!(admin.post("/api/shift-assignments", given).await.expect(201)["user_id"], admin.id);
}

#[tokio::test]
async fn answers_are_compressed_for_whoever_asks() {
    let app = TestApp::drawn().await;
    let admin = app.admin().await;
    let plain = admin.get("/api/openapi.json").await;
    let mut varies = plain.headers.get_all("vary").iter().filter_map(|value| value.to_str().ok());
    assert!(varies.any(|vary| vary.to_lowercase().contains("accept-encoding")), "{:?}", plain.headers);
    for (wish, encoding) in [("br", "br"), ("gzip", "gzip"), ("gzip, br;q=0.5", "gzip"), ("identity", "")] {
        let asked = admin.request(Method::GET, "/api/openapi.json").header("accept-encoding", wish);
        let answer = send(asked).await;
        assert_eq!((answer.status, answer.header("content-encoding")), (200, encoding), "{wish}");
        let small = answer.body.len() * 5 < plain.body.len();
        assert_eq!(small, !encoding.is_empty(), "{wish}: {} bytes", answer.body.len());
    }
    let credentials = json!({ "email": admin.email, "password": rollcall_tests::app::PASSWORD });
    for request in [
        admin.request(Method::POST, "/api/auth/login").json(&credentials),
        admin.request(Method::GET, "/api/auth/verify-token"),
        admin.request(Method::GET, "/api/health"),
        admin.request(Method::GET, "/api/stream").header("accept", "text/event-stream"),
    ] {
        let answer = send(request.header("accept-encoding", "br")).await;
        assert_eq!((answer.status, answer.header("content-encoding")), (200, ""), "{:?}", answer.headers);
    }
}

#[tokio::test]
async fn a_browser_may_send_and_read_every_header_that_is_documented() {
    let app = TestApp::setup().drawn().setting("CORS_ORIGINS", "https://hr.example.org").start().await;
    let contract = app.anonymous().get("/api/openapi.json").await.expect(200);
    let (mut sent, mut read) = (vec!["Authorization".to_owned(), "Content-Type".into()], Vec::new());
    sent.push("If-None-Match".into());
    let answers = contract["components"]["responses"].as_object().expect("answers").values();
    let mut answers: Vec<&Value> = answers.collect();
    for item in contract["paths"].as_object().expect("paths").values() {
        for operation in item.as_object().expect("operations").values() {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let headers = parameters.filter(|parameter| parameter["in"] == "header");
            sent.extend(headers.map(|header| header["name"].as_str().expect("a name").to_owned()));
            answers.extend(operation["responses"].as_object().expect("answers").values());
        }
    }
    for answer in answers {
        read.extend(answer["headers"].as_object().into_iter().flat_map(|headers| headers.keys().cloned()));
    }
    sent.sort();
    sent.dedup();
    let asked = app.anonymous().request(Method::OPTIONS, "/api/users/me");
    let asked =
        asked.header("origin", "https://hr.example.org").header("access-control-request-method", "PUT");
    let answer = send(asked.header("access-control-request-headers", sent.join(", "))).await;
    assert_eq!(answer.status, 200, "{sent:?}: {}", answer.text());
    let asked = app.anonymous().request(Method::GET, "/api/health");
    let answer = send(asked.header("origin", "https://hr.example.org")).await;
    let exposed = answer.header("access-control-expose-headers").to_lowercase();
    for name in read {
        assert!(exposed.contains(&name.to_lowercase()), "{name} is not among {exposed}");
    }
}

#[tokio::test]
async fn rows_tell_of_people_by_name() {
    let app = TestApp::drawn().await;
    let (admin, ada) = (app.admin().await, app.employee("Ada").await);
    let why = json!({ "user_id": ada.id, "type": "check_in", "reason": "forgot the badge" });
    let marked = admin.post("/api/attendance/mark", why).await;
    let record = marked.header("location").to_owned();
    admin.put(&record, json!({ "status": "present", "reason": "was there" })).await.expect(200);
    let who = json!({ "id": ada.id, "name": "Ada" });
    let events = admin.get("/api/attendance/events").await.expect(200);
    assert_eq!(
        (&events["data"][0]["user"], &events["data"][0]["entered_by_user"]["id"]),
        (&who, &json!(admin.id))
    );
    let shown = admin.get(&record).await.expect(200);
    assert_eq!((&shown["user"], &shown["override"]["by_user"]["id"]), (&who, &json!(admin.id)));
    let lines = admin.get("/api/admin/audit").await.expect(200);
    assert_eq!(lines["data"][0]["user"], who);
    let history = ada.get("/api/attendance/user/me").await.expect(200);
    assert_eq!(history["data"][0]["user"], who);
}

#[tokio::test]
async fn missing_token_is_challenged_without_an_error() {
    let app = TestApp::drawn().await;
    let reply = app.anonymous().get("/api/users").await;
    assert_eq!((reply.status, reply.header("www-authenticate")), (401, "Bearer"));
    let reply = app.anonymous().with_token("nonsense").get("/api/users").await;
    assert_eq!((reply.status, reply.header("www-authenticate")), (401, "Bearer error=\"invalid_token\""));
}
