//! What people and things are called, in every script, and what is written about them.

use rollcall_tests::app::PASSWORD;
use rollcall_tests::{Db, TestApp, on_both_databases};
use serde_json::{Value, json};

on_both_databases!(names_are_kept_as_they_are_written, an_address_is_one_account_in_every_spelling);

async fn names_are_kept_as_they_are_written(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let admin = app.admin().await;
    for name in [
        "علی\u{200C}رضا محمدی",
        "ශ්\u{200D}රී ලංකා",
        "ന\u{D4D}\u{200D}റെ",
        "👨\u{200D}👩\u{200D}👧\u{200D}👦",
        "דוד \u{200E}(Dave)",
        "葛\u{E0100}城",
        "O’Neill",
        "O",
    ] {
        let new = json!({ "name": name, "email": app.new_address("somebody") });
        let user = admin.post("/api/users", new).await.expect(201);
        assert_eq!(user["name"], name);
        let path = format!("/api/users/{}", user["id"].as_str().expect("an id"));
        let address = "Hauptstraße 1\r\n10115 Berlin\n\tHinterhaus";
        admin.put(&path, json!({ "address": address })).await.expect(200);
        let read = admin.get(&path).await.expect(200);
        assert_eq!((&read["name"], &read["address"]), (&json!(name), &json!(address)));
        let bare: String =
            name.chars().filter(|c| !"\u{200C}\u{200D}\u{200E}\u{E0100}".contains(*c)).collect();
        let encoded: String = bare.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let found = admin.get(&format!("/api/users?q={encoded}")).await.expect(200);
        let ids: Vec<_> = found["data"].as_array().expect("data").iter().map(|user| &user["id"]).collect();
        assert!(ids.contains(&&user["id"]), "{bare:?} is found");
    }
    for bad in ["Ada\u{202E}", "\u{2067}Ada", "A\u{0}da", "A\nda", "\u{200D}", "\u{3164}", " \t "] {
        let new = json!({ "name": bad, "email": app.new_address("nobody") });
        let refused = admin.post("/api/users", new).await.problem(422, "validation-failed");
        assert_eq!(refused["errors"][0]["pointer"], "/name", "{bad:?}");
    }
    for (lab, twin) in [("Forschung\u{AD}slabor", "FORSCHUNGSLABOR"), ("کتاب\u{200C}خانه", "کتابخانه")]
    {
        let new = json!({ "name": lab, "description": "one\r\ntwo\tthree" });
        let made = admin.post("/api/admin/departments", new).await.expect(201);
        assert_eq!((&made["name"], &made["description"]), (&json!(lab), &json!("one\r\ntwo\tthree")));
        admin.post("/api/admin/departments", json!({ "name": twin })).await.problem(409, "department-exists");
    }
    let reason = json!({ "status": "suspended", "reason": "first,\nthen \u{2068}שני\u{2069}" });
    let ada = app.employee("Ada").await;
    admin.put(&format!("/api/admin/users/{}/status", ada.id), reason).await.expect(200);
    let reversed = json!({ "status": "active", "reason": "paid \u{202E}000,1" });
    let refused = admin.put(&format!("/api/admin/users/{}/status", ada.id), reversed).await;
    assert_eq!(refused.problem(422, "validation-failed")["errors"][0]["pointer"], "/reason");
}

async fn an_address_is_one_account_in_every_spelling(db: Db) {
    let app = TestApp::setup().on(db).drawn().setting("LOGIN_FAILURES", "3").start().await;
    let (admin, anyone) = (app.admin().await, app.anonymous());
    let register = |email: &str| json!({ "name": "Ada", "email": email, "password": PASSWORD });
    let spellings = [
        "Müller@Bücher.example",
        "mu\u{308}ller@xn--bcher-kva.example",
        "MÜLLER@XN--BCHER-KVA.EXAMPLE",
        "müller@bücher。example",
    ];
    let made = anyone.post("/api/auth/register", register(spellings[0])).await.expect(201);
    assert_eq!(made["user"]["email"], spellings[0], "as written");
    for spelling in spellings {
        anyone.post("/api/auth/register", register(spelling)).await.problem(409, "email-taken");
        let granted = json!({ "email": spelling, "password": PASSWORD });
        let granted = anyone.post("/api/auth/login", granted).await.expect(200);
        assert_eq!(granted["user"]["id"], made["user"]["id"]);
    }
    let items: Vec<Value> =
        spellings.iter().map(|email| json!({ "email": email, "date": "2026-03-02" })).collect();
    let bulk = json!({ "operation": "recompute", "reason": "all of them", "items": items });
    let body = admin.post("/api/admin/attendance/bulk", bulk).await.problem(422, "nothing-applied");
    for result in body["results"].as_array().expect("results") {
        assert_eq!(result["problem"]["code"], "duplicate-in-request", "all are one person: {result}");
    }
    for spelling in &spellings[..3] {
        let wrong = json!({ "email": spelling, "password": "another long phrase" });
        anyone.post("/api/auth/login", wrong).await.problem(401, "invalid-credentials");
    }
    let right = json!({ "email": spellings[3], "password": PASSWORD });
    assert_eq!(anyone.post("/api/auth/login", right).await.status, 429, "one address, one lock");
    for good in ["अ@अ.भारत", "用户@例子.广告", "коля@пример.рф"] {
        anyone.post("/api/auth/register", register(good)).await.expect(201);
    }
    for bad in ["a@[192.0.2.1]", "\"a\"@x.example", "a@x.example.", "a@-x.example", "a@x"] {
        let refused =
            anyone.post("/api/auth/register", register(bad)).await.problem(422, "validation-failed");
        assert_eq!(refused["errors"][0]["pointer"], "/email", "{bad}");
    }
}
