//! Opening, renewing and ending logins.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use rollcall_tests::app::PASSWORD;
use rollcall_tests::{Client, Db, Response, TestApp, on_both_databases};
use serde_json::{Value, json};

on_both_databases!(
    a_login_is_opened_renewed_and_ended,
    only_one_of_many_renewals_succeeds,
    a_stolen_refresh_token_ends_the_login,
    deactivated_person_is_logged_out_at_once,
    person_added_without_a_password_is_invited_to_choose_one,
);

async fn renew(client: &Client, token: &str) -> Response {
    client.post("/api/auth/refresh", json!({ "refresh_token": token })).await
}

async fn a_login_is_opened_renewed_and_ended(db: Db) {
    let app = TestApp::setup().on(db).drawn().setting("JWT_ACCESS_TOKEN_EXPIRES", "3600").start().await;
    let (admin, anonymous) = (app.admin().await, app.anonymous());
    let ada = app.employee("Ada").await;

    let login = json!({ "email": ada.email.to_uppercase(), "password": PASSWORD });
    let answer = anonymous.post("/api/auth/login", login).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let granted = answer.expect(200);
    assert_eq!((&granted["token_type"], &granted["expires_in"]), (&json!("Bearer"), &json!(3600)));
    assert_eq!(granted["user"]["last_login_at"], "2026-03-02T08:00:00Z");
    let ada = anonymous.logged_in(&granted);

    let verified = ada.get("/api/auth/verify-token").await;
    assert_eq!(verified.header("cache-control"), "no-store");
    let verified = verified.expect(200);
    assert_eq!((&verified["valid"], &verified["user"]["id"]), (&json!(true), &json!(ada.id)));
    assert_eq!(
        (&verified["user"]["role"], &verified["user"]["status"]),
        (&json!("employee"), &json!("active"))
    );
    assert_eq!(verified["issued_at"], "2026-03-02T08:00:00Z");
    assert_eq!(verified["expires_at"], "2026-03-02T09:00:00Z");

    // The pair is renewed; both the old and the new access token are good until they expire.
    let renewed = renew(&anonymous, &ada.refresh).await.expect(200);
    let later = anonymous.logged_in(&renewed);
    assert_ne!(later.refresh, ada.refresh);
    later.get("/api/auth/verify-token").await.expect(200);

    // Role and standing are read afresh.
    admin.put(&format!("/api/users/{}", ada.id), json!({ "role": "manager" })).await.expect(200);
    assert_eq!(later.get("/api/auth/verify-token").await.expect(200)["user"]["role"], "manager");

    assert_eq!(later.post_nothing("/api/auth/logout").await.status, 204);
    for gone in [&later, &ada] {
        let answer = gone.get("/api/auth/verify-token").await;
        answer.problem(401, "token-revoked");
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{:?}", answer.headers);
    }
    later.post_nothing("/api/auth/logout").await.problem(401, "token-revoked");
    renew(&anonymous, &later.refresh).await.problem(401, "refresh-token-invalid");

    // An expired token says so.
    app.clock.set("2026-03-02T08:59:59Z");
    let again = app.login(&ada.email, PASSWORD).await;
    app.clock.set("2026-03-02T10:00:10Z");
    again.get("/api/auth/verify-token").await.problem(401, "token-expired");
}

async fn only_one_of_many_renewals_succeeds(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let ada = app.employee("Ada").await;
    let anonymous = app.anonymous();
    let answers = join_all((0..20).map(|_| renew(&anonymous, &ada.refresh))).await;
    let count = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!(
        (count(200), count(401)),
        (1, 19),
        "{:?}",
        answers.iter().map(|a| a.status).collect::<Vec<_>>()
    );
    // A client whose answer was lost may have asked twice: within the grace nobody is shut out.
    let won = answers.iter().find(|answer| answer.status == 200).expect("one").json();
    anonymous.logged_in(&won).get("/api/auth/verify-token").await.expect(200);
}

async fn a_stolen_refresh_token_ends_the_login(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let ada = app.employee("Ada").await;
    let anonymous = app.anonymous();
    let second = anonymous.logged_in(&renew(&anonymous, &ada.refresh).await.expect(200));
    app.clock.set("2026-03-02T08:00:11Z");
    renew(&anonymous, &ada.refresh).await.problem(401, "refresh-token-invalid");
    renew(&anonymous, &second.refresh).await.problem(401, "refresh-token-invalid");
    second.get("/api/auth/verify-token").await.problem(401, "token-revoked");
    // Other logins of the same person are not touched.
    app.login(&ada.email, PASSWORD).await.get("/api/auth/verify-token").await.expect(200);
}

async fn deactivated_person_is_logged_out_at_once(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let admin = app.admin().await;
    for (status, code) in
        [("suspended", "account-suspended"), ("inactive", "account-inactive"), ("pending", "account-pending")]
    {
        let person = app.employee(status).await;
        let change = json!({ "status": status, "reason": "a reason" });
        admin.put(&format!("/api/admin/users/{}/status", person.id), change).await.expect(200);
        let refused = person.get("/api/auth/verify-token").await;
        assert_eq!(refused.status, 401, "{}", refused.text());
        assert!(matches!(refused.json()["code"].as_str(), Some("user-disabled" | "token-revoked")));
        renew(&app.anonymous(), &person.refresh).await.problem(401, "refresh-token-invalid");
        let login = |password: &str| json!({ "email": person.email, "password": password });
        let anonymous = app.anonymous();
        anonymous.post("/api/auth/login", login(PASSWORD)).await.problem(403, code);
        // Only the right password learns it.
        anonymous
            .post("/api/auth/login", login("Wrong-vellum 48 oak"))
            .await
            .problem(401, "invalid-credentials");
    }
}

async fn person_added_without_a_password_is_invited_to_choose_one(db: Db) {
    let app = TestApp::setup().on(db).drawn().setting("PUBLIC_URL", "https://hr.example.com/").start().await;
    let (admin, anonymous) = (app.admin().await, app.anonymous());
    let invite = async |name: &str| {
        let email = app.new_address(name);
        let added = admin.post("/api/users", json!({ "name": name, "email": email })).await.expect(201);
        let url = added["invite_url"].as_str().expect("an address").to_owned();
        let token = url.strip_prefix("https://hr.example.com/invite#").expect("the token").to_owned();
        (added["id"].as_str().expect("an id").to_owned(), email, token)
    };
    let accept = async |token: &str, password: &str| {
        anonymous.post("/api/auth/invitation", json!({ "token": token, "password": password })).await
    };
    let (id, email, token) = invite("Ada").await;
    let shown = admin.get(&format!("/api/users/{id}")).await.expect(200);
    assert_eq!(shown.get("invite_url"), None, "{shown}");

    // A password that will not do leaves the invitation as it is.
    accept(&token, "password").await.problem(422, "validation-failed");
    accept("rci_0", PASSWORD).await.problem(401, "invitation-invalid");
    assert_eq!(accept(&token, PASSWORD).await.status, 204);
    app.login(&email, PASSWORD).await;
    accept(&token, "Another vellum 48 oak").await.problem(401, "invitation-invalid");
    app.login(&email, PASSWORD).await;

    let with = json!({ "name": "With", "email": app.new_address("With"), "password": PASSWORD });
    assert_eq!(admin.post("/api/users", with).await.expect(201).get("invite_url"), None);

    // Too late; removed; given a password by somebody else.
    let (_, late, token) = invite("Late").await;
    let (gone, _, second) = invite("Gone").await;
    assert_eq!(admin.delete(&format!("/api/users/{gone}")).await.status, 204);
    let (given, _, third) = invite("Given").await;
    admin.put(&format!("/api/users/{given}"), json!({ "password": PASSWORD })).await.expect(200);
    for token in [&second, &third] {
        accept(token, PASSWORD).await.problem(401, "invitation-invalid");
    }
    app.clock.set("2026-03-09T08:00:00Z");
    accept(&token, PASSWORD).await.problem(401, "invitation-invalid");
    let login = json!({ "email": late, "password": PASSWORD });
    anonymous.post("/api/auth/login", login).await.problem(401, "invalid-credentials");
}

#[tokio::test]
async fn registering_follows_the_setting() {
    let new = |email: &str| json!({ "name": "Ada", "email": email, "password": PASSWORD });
    let path = "/api/auth/register";
    let app = TestApp::drawn().await;
    let anonymous = app.anonymous();
    let answer = anonymous.post(path, new("ada@example.org")).await;
    let granted = answer.expect(201);
    assert_eq!(
        answer.header("location"),
        format!("/api/users/{}", granted["user"]["id"].as_str().unwrap_or(""))
    );
    assert_eq!(
        (&granted["user"]["role"], &granted["user"]["status"]),
        (&json!("employee"), &json!("active"))
    );
    anonymous.logged_in(&granted).get("/api/auth/verify-token").await.expect(200);
    let taken = anonymous.post(path, new(" ADA@Example.org ")).await.problem(409, "email-taken");
    assert_eq!(taken["errors"][0]["pointer"], "/email");
    for (member, value) in [("role", json!("admin")), ("status", json!("active"))] {
        let mut body = new("eve@example.org");
        body[member] = value;
        let refused = anonymous.post(path, body).await.problem(422, "field-not-allowed");
        assert_eq!(refused["errors"][0]["pointer"], format!("/{member}"));
    }
    let mut body = new("eve@example.org");
    body["department_id"] = json!("01890000-0000-7000-8000-000000000000");
    let refused = anonymous.post(path, body).await.problem(422, "validation-failed");
    assert_eq!(refused["errors"][0]["pointer"], "/department_id");
    app.kiosk().await.post(path, new("kiosk@example.org")).await.problem(403, "forbidden");

    let app = TestApp::setup().drawn().setting("REGISTRATION", "approval").start().await;
    let waiting = app.anonymous().post(path, new("ada@example.org")).await.expect(202);
    assert_eq!(waiting["user"]["status"], "pending");
    assert_eq!(waiting.get("access_token"), None);

    let app = TestApp::setup().drawn().setting("REGISTRATION", "closed").start().await;
    app.anonymous().post(path, new("ada@example.org")).await.problem(403, "registration-closed");
}

#[tokio::test]
async fn nothing_tells_an_unknown_address_from_a_wrong_password() {
    let app = TestApp::drawn().await;
    let ada = app.employee("Ada").await;
    let anonymous = app.anonymous();
    let try_as = async |email: &str| {
        let body = json!({ "email": email, "password": "Wrong-vellum 48 oak" });
        anonymous.post("/api/auth/login", body).await
    };
    let (wrong, unknown) = (try_as(&ada.email).await, try_as("nobody@example.org").await);
    let comparable = |answer: &Response| -> (Value, BTreeSet<String>) {
        let mut body = answer.problem(401, "invalid-credentials");
        body["request_id"] = Value::Null;
        (body, answer.headers.keys().map(ToString::to_string).collect::<BTreeSet<_>>())
    };
    assert_eq!(comparable(&wrong), comparable(&unknown));
}

#[tokio::test]
async fn tokens_of_one_kind_are_no_tokens_of_another() {
    let app = TestApp::drawn().await;
    let (ada, kiosk, anonymous) = (app.employee("Ada").await, app.kiosk().await, app.anonymous());
    ada.with_token(&ada.refresh).get("/api/users/me").await.problem(401, "token-malformed");
    renew(&anonymous, &ada.token).await.problem(401, "refresh-token-invalid");
    kiosk.get("/api/users").await.problem(403, "forbidden");
    let verified = kiosk.get("/api/auth/verify-token").await.expect(200);
    assert_eq!(verified["valid"], true, "{verified}");
    assert!(app.revoke_kiosk(&kiosk).await);
    kiosk.get("/api/auth/verify-token").await.problem(401, "token-revoked");
    anonymous.get("/api/auth/verify-token").await.problem(401, "token-missing");
    for bad in ["garbage", "a.b.c", "rck_00_11", "eyJhbGciOiJub25lIn0.e30."] {
        ada.with_token(bad).get("/api/auth/verify-token").await.problem(401, "token-malformed");
    }
}

/// One bit of the signature, and a token that claims to need none.
#[tokio::test]
async fn a_token_that_was_changed_is_no_token() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
    let app = TestApp::drawn().await;
    let ada = app.employee("Ada").await;
    let parts: Vec<&str> = ada.token.split('.').collect();
    let [head, claims, signature] = parts[..] else { panic!("a token has three parts") };
    let mut bytes = BASE64.decode(signature).expect("base64");
    bytes[0] ^= 1;
    let flipped = format!("{head}.{claims}.{}", BASE64.encode(bytes));
    ada.with_token(&flipped).get("/api/users/me").await.problem(401, "token-malformed");

    let mut promoted: Value = serde_json::from_slice(&BASE64.decode(claims).expect("base64")).expect("JSON");
    promoted["role"] = json!("admin");
    let promoted = BASE64.encode(promoted.to_string());
    let same_signature = format!("{head}.{promoted}.{signature}");
    ada.with_token(&same_signature).get("/api/users/me").await.problem(401, "token-malformed");
    for alg in ["none", "None", "NONE", "nOnE", "HS384", "HS512", "RS256", "ES256"] {
        let head = BASE64.encode(json!({ "alg": alg, "typ": "JWT" }).to_string());
        for signature in ["", signature] {
            let token = format!("{head}.{claims}.{signature}");
            ada.with_token(&token).get("/api/users/me").await.problem(401, "token-malformed");
        }
    }
}

#[tokio::test]
async fn logging_out_everywhere_ends_every_login() {
    let app = TestApp::drawn().await;
    let first = app.employee("Ada").await;
    let second = app.login(&first.email, PASSWORD).await;
    assert_eq!(second.post("/api/auth/logout", json!({ "all": true })).await.status, 204);
    let answers = join_all((0..50).map(|_| first.get("/api/auth/verify-token"))).await;
    assert!(answers.iter().all(|answer| answer.status == 401));
    first.get("/api/users/me").await.problem(401, "token-revoked");
    app.login(&first.email, PASSWORD).await;
}
