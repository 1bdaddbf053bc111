//! People: adding, finding, changing and removing them.

use reqwest::Method;
use rollcall_tests::client::send;
use rollcall_tests::photos::{drawn, five_drawn};
use rollcall_tests::{Client, Db, Response, TestApp, on_both_databases};
use serde_json::{Value, json};

use crate::redactions::is_id;

on_both_databases!(
    a_person_is_told_in_full,
    two_people_never_share_an_address,
    a_stale_change_is_refused,
    changes_of_single_settings_at_the_same_time_all_hold,
    erased_person_leaves_nothing_but_times,
);

fn names(answer: &Value) -> Vec<&str> {
    let data = answer["data"].as_array().expect("data");
    data.iter().map(|user| user["name"].as_str().expect("a name")).collect()
}

async fn a_person_is_told_in_full(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let admin = app.admin().await;
    let lab = admin.post("/api/admin/departments", json!({ "name": "Lab" })).await.expect(201);
    let new = json!({
        "name": " Ada Lovelace ", "email": "Ada@Example.org", "employee_code": "E-1", "department_id": lab["id"],
        "timezone": "Europe/London", "join_date": "2026-03-01",
    });
    let answer = admin.post("/api/users", new).await;
    let mut user = answer.expect(201);
    // Nobody gave them a password.
    let invited = user.as_object_mut().and_then(|user| user.remove("invite_url"));
    assert!(invited.is_some_and(|url| url.as_str().is_some_and(|url| url.starts_with("/invite#rci_"))));
    let id = user["id"].as_str().expect("an id").to_owned();
    assert_eq!(answer.header("location"), format!("/api/users/{id}"));
    insta::allow_duplicates! {
    insta::assert_json_snapshot!(user, { ".id" => is_id(&id), ".department.id" => is_id(lab["id"].as_str().expect("an id")) }, @r#"
    {
      "address": null,
      "avatar_url": null,
      "created_at": "2026-03-02T08:00:00Z",
      "default_shift_id": null,
      "department": {
        "id": "[id]",
        "name": "Lab"
      },
      "email": "Ada@Example.org",
      "employee_code": "E-1",
      "face": {
        "consent": {
          "at": null,
          "status": "missing",
          "version": null
        },
        "encodings": 0,
        "last_enrolled_at": null,
        "min_required": 5,
        "model_id": "drawn:1",
        "status": "none"
      },
      "id": "[id]",
      "join_date": "2026-03-01",
      "last_login_at": null,
      "leave_date": null,
      "locale": null,
      "name": "Ada Lovelace",
      "phone": null,
      "role": "employee",
      "settings": {
        "language": "en",
        "notifications": true,
        "theme": "system"
      },
      "status": "active",
      "timezone": "Europe/London",
      "updated_at": "2026-03-02T08:00:00Z",
      "version": 1
    }
    "#);
    }
    let read = admin.get(&format!("/api/users/{id}")).await;
    assert!(read.header("etag").starts_with("\"1-"), "{}", read.header("etag"));
    assert_eq!(read.expect(200), user);

    let change = json!({ "name": "Ada King", "phone": "+44 20 7946 0000", "timezone": null,
        "settings": { "theme": "dark" } });
    app.clock.set("2026-03-02T08:30:00Z");
    let changed = admin.put(&format!("/api/users/{id}"), change).await.expect(200);
    assert_eq!((&changed["name"], &changed["timezone"]), (&json!("Ada King"), &Value::Null));
    assert_eq!(changed["settings"], json!({ "theme": "dark", "notifications": true, "language": "en" }));
    assert_eq!((&changed["version"], &changed["updated_at"]), (&json!(2), &json!("2026-03-02T08:30:00Z")));
    assert_eq!(changed["employee_code"], "E-1", "what is absent stays");
}

async fn two_people_never_share_an_address(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let admin = app.admin().await;
    let new = |email: &str, code: &str| json!({ "name": "Somebody", "email": email, "employee_code": code });
    admin.post("/api/users", new("Bob@x.com", "E-1")).await.expect(201);
    for (same, code) in [("bob@x.com", "E-2"), (" BOB@X.COM ", "E-3"), ("ｂｏｂ@x.com", "E-4")] {
        admin.post("/api/users", new(same, code)).await.problem(409, "email-taken");
    }
    for (other, code) in
        [("mike@x.com", "E-5"), ("mıke@x.com", "E-6"), ("jose@x.com", "E-7"), ("josé@x.com", "E-8")]
    {
        admin.post("/api/users", new(other, code)).await.expect(201);
    }
    let taken = admin.post("/api/users", new("eve@x.com", " e-1 ")).await.problem(409, "employee-code-taken");
    assert_eq!(taken["errors"][0]["pointer"], "/employee_code");
    let second = admin.post("/api/users", new("second@x.com", "E-9")).await.expect(201);
    let path = format!("/api/users/{}", second["id"].as_str().expect("an id"));
    admin.put(&path, json!({ "email": "BOB@x.com" })).await.problem(409, "email-taken");
    // Whoever was removed leaves the address behind.
    assert_eq!(admin.delete(&path).await.status, 204);
    admin.post("/api/users", new("second@x.com", "E-9")).await.expect(201);
}

async fn a_stale_change_is_refused(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let (admin, ada) = (app.admin().await, app.employee("Ada").await);
    let path = format!("/api/users/{}", ada.id);
    let tag = admin.get(&path).await.header("etag").to_owned();
    let change = async |client: &Client, tag: &str, name: &str| -> Response {
        send(client.request(Method::PUT, &path).header("if-match", tag).json(&json!({ "name": name }))).await
    };
    let first = change(&admin, &tag, "Ada One").await;
    assert_eq!(first.expect(200)["name"], "Ada One");
    assert_ne!(first.header("etag"), tag);
    change(&ada, &tag, "Ada Two").await.problem(412, "precondition-failed");
    change(&ada, "\"nonsense\"", "Ada Two").await.problem(412, "precondition-failed");
    change(&ada, "*", "Ada Three").await.expect(200);
    let delete = send(admin.request(Method::DELETE, &path).header("if-match", &tag)).await;
    delete.problem(412, "precondition-failed");
    assert_eq!(admin.get(&path).await.expect(200)["name"], "Ada Three");
}

#[tokio::test]
async fn an_installation_can_insist_on_versions() {
    let app = TestApp::setup().drawn().setting("REQUIRE_IF_MATCH", "true").start().await;
    let ada = app.employee("Ada").await;
    ada.put("/api/users/me", json!({ "name": "Ada Two" })).await.problem(428, "precondition-required");
}

#[tokio::test]
async fn people_change_what_is_theirs_and_nothing_else() {
    let app = TestApp::drawn().await;
    let (admin, ada) = (app.admin().await, app.employee("Ada").await);
    let own = json!({ "name": "Ada King", "phone": "1", "address": "12 St James's Square", "locale": "en-GB",
        "avatar_url": "/avatars/ada.png", "settings": { "language": "fr" } });
    let changed = ada.put("/api/users/me", own).await.expect(200);
    assert_eq!(
        (&changed["address"], &changed["settings"]["language"]),
        (&json!("12 St James's Square"), &json!("fr"))
    );

    for (member, value) in [
        ("role", json!("admin")),
        ("status", json!("inactive")),
        ("email", json!("ada@elsewhere.org")),
        ("employee_code", json!("E-1")),
        ("department_id", json!("01890000-0000-7000-8000-000000000000")),
        ("join_date", json!("2020-01-01")),
        ("timezone", json!("Asia/Tokyo")),
    ] {
        let change = json!({ "name": "Ada Admin", member: value });
        let refused = ada.put("/api/users/me", change).await.problem(403, "field-forbidden");
        assert_eq!(refused["errors"][0]["pointer"], format!("/{member}"), "{refused}");
    }
    for member in ["id", "is_admin", "created_at"] {
        let refused =
            ada.put("/api/users/me", json!({ member: "x" })).await.problem(422, "field-not-allowed");
        assert_eq!(refused["errors"][0]["pointer"], format!("/{member}"), "{refused}");
    }
    assert_eq!(ada.get("/api/users/me").await.expect(200), changed, "nothing was applied in part");
    assert_eq!(admin.get(&format!("/api/users/{}", ada.id)).await.expect(200), changed);
}

#[tokio::test]
async fn lists_are_filtered_ordered_and_paged() {
    let app = TestApp::drawn().await;
    let sales = app.manager_of("Sales").await;
    for name in ["Ada", "bob", "Cleo"] {
        app.employee_in(&sales.department, name).await;
    }
    let dan = app.employee("Dan").await;
    let admin = app.admin().await;
    let list = async |query: &str| admin.get(&format!("/api/users?{query}")).await;

    let all = list("sort=name").await.expect(200);
    assert_eq!(names(&all), ["Ada", "Administrator", "bob", "Cleo", "Dan", "Manager of Sales"]);
    assert_eq!(names(&list("sort=-name&per_page=2").await.expect(200)), ["Manager of Sales", "Dan"]);
    assert_eq!(names(&list("role=employee&sort=name&q=AD").await.expect(200)), ["Ada"]);
    assert_eq!(names(&list("q=DAN").await.expect(200)), ["Dan"]);
    assert_eq!(names(&list("q=%25").await.expect(200)), Vec::<&str>::new(), "no wildcards");
    let of_sales = list(&format!("department_id={}&sort=name", sales.department)).await.expect(200);
    assert_eq!(names(&of_sales), ["Ada", "bob", "Cleo"]);
    assert_eq!(names(&list("enrolled=true").await.expect(200)), Vec::<&str>::new());
    let page = list("per_page=4&page=2&sort=name").await;
    assert!(page.header("link").contains("rel=\"prev\""), "{:?}", page.headers);
    assert_eq!(
        page.expect(200)["pagination"],
        json!({ "page": 2, "per_page": 4, "total": 6, "total_pages": 2 })
    );
    assert_eq!(names(&list("page=99").await.expect(200)), Vec::<&str>::new());

    for query in ["sort=password", "mood=good", "limit=5", "sort=name;drop"] {
        list(query).await.problem(400, "unknown-parameter");
    }
    list("page=1&page=2").await.problem(400, "duplicate-parameter");
    for query in [
        "per_page=0",
        "per_page=101",
        "page=0",
        "page=-1",
        "page=9223372036854775808",
        "role=king",
        "status=odd",
    ] {
        list(query).await.problem(422, "validation-failed");
    }

    for payload in
        ["' OR '1'='1", "x') OR 1=1 -- ", "\\", "_", "%", "a\0b", "' UNION SELECT password FROM users -- "]
    {
        let encoded: String = payload.bytes().map(|byte| format!("%{byte:02X}")).collect();
        assert_eq!(names(&list(&format!("q={encoded}")).await.expect(200)), Vec::<&str>::new(), "{payload}");
    }

    // Others see what is theirs to see.
    let own = sales.get("/api/users?sort=name").await.expect(200);
    assert_eq!(names(&own), ["Ada", "bob", "Cleo", "Manager of Sales"], "{own}");
    let alone = dan.get("/api/users").await.expect(200);
    assert_eq!(names(&alone), ["Dan"]);
    assert_eq!(alone["profile"]["id"], dan.id, "{alone}");
    dan.get("/api/users?q=A").await.problem(403, "filter-forbidden");
    dan.get("/api/users?page=1&per_page=5").await.expect(200);
}

#[tokio::test]
async fn every_field_that_is_wrong_is_listed() {
    let app = TestApp::drawn().await;
    let admin = app.admin().await;
    let new = json!({ "name": "", "email": "nowhere", "role": "king", "timezone": "Mars/Olympus", "password": "short",
        "join_date": "yesterday" });
    let refused = admin.post("/api/users", new).await.problem(422, "validation-failed");
    let mut pointers: Vec<_> =
        refused["errors"].as_array().expect("errors").iter().map(|error| error["pointer"].as_str()).collect();
    pointers.dedup();
    let expected = ["/email", "/join_date", "/name", "/role", "/timezone"].map(Some);
    assert_eq!(pointers, expected, "{refused}");
    let nowhere =
        json!({ "name": "A", "email": "a@x.com", "department_id": "01890000-0000-7000-8000-000000000000" });
    let refused = admin.post("/api/users", nowhere).await.problem(422, "validation-failed");
    assert_eq!(refused["errors"][0]["pointer"], "/department_id");
    let missing = admin.post("/api/users", json!({})).await.problem(422, "validation-failed");
    assert_eq!(missing["errors"].as_array().map(Vec::len), Some(2), "{missing}");
}

async fn changes_of_single_settings_at_the_same_time_all_hold(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let ada = app.employee("Ada").await;
    for (theme, notifications, language) in [("dark", false, "pt-BR"), ("light", true, "de")] {
        let change = async |settings: Value| {
            ada.put("/api/users/me", json!({ "settings": settings })).await.expect(200);
        };
        tokio::join!(
            change(json!({ "theme": theme })),
            change(json!({ "notifications": notifications })),
            change(json!({ "language": language })),
        );
        let now = ada.get("/api/users/me").await.expect(200);
        let expected = json!({ "theme": theme, "notifications": notifications, "language": language });
        assert_eq!(now["settings"], expected);
    }
}

async fn erased_person_leaves_nothing_but_times(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let (admin, kiosk) = (app.admin().await, app.kiosk().await);
    let ada = app.person("Zebulon Quux-Wombat", json!({ "employee_code": "ZQW-4711" })).await;
    admin.enroll(&ada.id, &five_drawn("Ada")).await.expect(201);
    assert_eq!(kiosk.recognize(&drawn("Ada", 9)).await.expect(200)["result"], "matched");
    let erase = async |id: &str, query: &str| {
        let request = admin.request(Method::DELETE, &format!("/api/users/{id}?mode=erase{query}"));
        send(request.header("x-reason", "asked to be forgotten")).await
    };
    let bare = admin.delete(&format!("/api/users/{}?mode=erase", ada.id)).await;
    assert_eq!(bare.problem(422, "validation-failed")["errors"][0]["parameter"], "X-Reason");
    let receipt = erase(&ada.id, "").await.expect(200)["receipt"].clone();
    let destroyed = &receipt["destroyed"];
    assert_eq!((&destroyed["encodings"], &destroyed["index_entries"]), (&json!(5), &json!(5)), "{receipt}");
    assert_eq!((&destroyed["searches"], &receipt["remaining"]), (&json!(1), &json!(0)), "{receipt}");
    erase(&ada.id, "").await.problem(404, "not-found");
    assert_eq!(kiosk.look_up(&drawn("Ada", 9)).await.expect(200)["result"], "unknown");
    ada.get("/api/users/me").await.problem(401, "token-revoked");

    // Somebody who was removed can be erased, too, with all they did.
    let bob = app.employee("Bob").await;
    bob.mark("auto").await.expect(201);
    assert_eq!(admin.delete(&format!("/api/users/{}", bob.id)).await.status, 204);
    let receipt = erase(&bob.id, "&attendance=delete").await.expect(200)["receipt"].clone();
    assert_eq!(receipt["destroyed"]["punches"], 1, "{receipt}");

    if db == Db::Sqlite {
        for entry in std::fs::read_dir(app.data_dir()).expect("the data folder") {
            let path = entry.expect("a file").path();
            let bytes = std::fs::read(&path).expect("a file that can be read");
            let body = |word: &str| bytes.windows(word.len()).any(|window| window == word.as_bytes());
            for word in ["Zebulon", "zebulon", "ZQW-4711", "zqw-4711"] {
                assert!(!body(word), "{word} is in {}", path.display());
            }
        }
    }
}
