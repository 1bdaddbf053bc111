//! Whole days, with real photos and real models.

use rollcall_tests::{Client, Db, TestApp, on_both_databases, photos};
use serde_json::{Value, json};

on_both_databases!(
    a_person_is_enrolled_recognized_and_leaves,
    removed_person_is_unknown,
    a_face_belongs_to_one_person,
);

async fn new_person(admin: &Client, name: &str) -> String {
    let email = format!("{}@example.org", name.to_lowercase().replace(' ', "."));
    let made = admin.post("/api/users", json!({ "name": name, "email": email })).await;
    let user = made.expect(201);
    let id = user["id"].as_str().expect("an id").to_owned();
    assert_eq!(made.header("location"), format!("/api/users/{id}"));
    id
}

async fn seen(kiosk: &Client, photo: &[u8]) -> Value {
    kiosk.recognize(photo).await.expect(200)
}

async fn a_person_is_enrolled_recognized_and_leaves(db: Db) {
    let app = TestApp::on(db).await;
    let (admin, kiosk) = (app.admin().await, app.kiosk().await);
    let photos = photos::person("Colin_Powell");
    let id = new_person(&admin, "Colin Powell").await;

    let enrolled = admin.enroll(&id, &photos.enroll).await.expect(201);
    assert_eq!(enrolled["status"], "enrolled", "{enrolled}");
    assert_eq!(enrolled["accepted"].as_array().map(Vec::len), Some(5), "{enrolled}");
    assert_eq!((&enrolled["encodings"], &enrolled["remaining"]), (&json!(5), &json!(0)));

    // Monday, before nine: on time.
    app.clock.set("2026-03-02T08:58:00Z");
    let came = seen(&kiosk, &photos.probes[0]).await;
    assert_eq!(came["result"], "matched", "{came}");
    assert_eq!(came["user"]["id"], id);
    assert_eq!(came["user"]["name"], "Colin Powell");
    assert_eq!(came["attendance"]["decision"], "checked_in");
    assert_eq!(came["attendance"]["event"]["type"], "check_in");
    assert_eq!(came["attendance"]["event"]["device_id"], kiosk.id);
    assert_eq!(came["attendance"]["record"]["status"], "present");
    assert_eq!(came["attendance"]["record"]["open"], true);

    // The same glance.
    app.clock.set("2026-03-02T08:58:59Z");
    let again = seen(&kiosk, &photos.probes[0]).await;
    assert_eq!(again["result"], "matched");
    assert_eq!(again["attendance"]["decision"], "cooldown");
    assert_eq!(again["attendance"]["event"], Value::Null);

    // The evening.
    app.clock.set("2026-03-02T18:01:00Z");
    let left = seen(&kiosk, &photos.probes[1]).await;
    assert_eq!(left["attendance"]["decision"], "checked_out", "{left}");
    assert_eq!(left["attendance"]["record"]["worked_seconds"], 9 * 3600 + 60);
    assert_eq!(left["attendance"]["record"].get("events"), None, "the day is the person's, not the kiosk's");
    let day = admin.get(&format!("/api/attendance/user/{id}?include=events")).await.expect(200);
    assert_eq!(day["data"][0]["events"].as_array().map(Vec::len), Some(2), "{day}");

    let today = admin.get("/api/attendance/today?include=records").await.expect(200);
    assert_eq!(today["date"], "2026-03-02");
    assert_eq!(today["totals"]["present"], 1, "{today}");
    assert_eq!(today["totals"]["checked_out"], 1);
    let history = admin.get(&format!("/api/attendance/user/{id}")).await.expect(200);
    assert_eq!(history["summary"]["present"], 1, "{history}");
    assert_eq!(history["data"][0]["id"], left["attendance"]["record"]["id"]);
}

async fn removed_person_is_unknown(db: Db) {
    let app = TestApp::on(db).await;
    let (admin, kiosk) = (app.admin().await, app.kiosk().await);
    let photos = photos::person("David_Beckham");
    let id = new_person(&admin, "David Beckham").await;
    admin.enroll(&id, &photos.enroll).await.expect(201);

    let (_, stranger) = photos::strangers(1).remove(0);
    let unknown = seen(&kiosk, &stranger).await;
    assert_eq!((&unknown["result"], &unknown["user"]), (&json!("unknown"), &Value::Null));
    assert_eq!(unknown["attendance"], Value::Null);

    assert_eq!(seen(&kiosk, &photos.probes[0]).await["result"], "matched");
    assert_eq!(admin.delete(&format!("/api/users/{id}")).await.status, 204);
    for probe in photos.probes.iter().chain(&photos.enroll) {
        let gone = seen(&kiosk, probe).await;
        assert_eq!((&gone["result"], &gone["user"]), (&json!("unknown"), &Value::Null), "{gone}");
    }
    admin.get(&format!("/api/users/{id}")).await.problem(404, "not-found");
    admin.delete(&format!("/api/users/{id}")).await.problem(404, "not-found");
}

async fn a_face_belongs_to_one_person(db: Db) {
    let app = TestApp::on(db).await;
    let (admin, kiosk) = (app.admin().await, app.kiosk().await);
    let (powell, gates) = (photos::person("Colin_Powell"), photos::person("Bill_Gates"));
    let ada = new_person(&admin, "Ada").await;
    let bob = new_person(&admin, "Bob").await;

    // Four photos are not enough to be recognized by.
    let four = admin.enroll(&ada, &powell.enroll[..4]).await.expect(201);
    assert_eq!((&four["status"], &four["remaining"]), (&json!("incomplete"), &json!(1)));
    assert_eq!(seen(&kiosk, &powell.probes[0]).await["result"], "unknown");

    // The fifth is; sending all of them again changes nothing.
    let five = admin.enroll(&ada, &powell.enroll).await.expect(201);
    assert_eq!((&five["status"], &five["encodings"]), (&json!("enrolled"), &json!(5)));
    let again = admin.enroll(&ada, &powell.enroll).await.expect(201);
    assert_eq!(again, five);
    assert_eq!(seen(&kiosk, &powell.probes[0]).await["user"]["id"], ada);

    // A photo of somebody else among one's own is left out.
    let mut mixed = gates.enroll.clone();
    mixed[2].clone_from(&powell.probes[0]);
    let mostly = admin.enroll(&bob, &mixed).await.expect(201);
    assert_eq!(mostly["rejected"][0]["image_index"], 2, "{mostly}");
    assert_eq!(mostly["rejected"][0]["code"], "not_same_person");
    assert_eq!((&mostly["status"], &mostly["encodings"]), (&json!("incomplete"), &json!(4)));

    // Somebody else's face altogether is refused; who they are is for administrators.
    let cleo = new_person(&admin, "Cleo").await;
    let refused = admin.enroll(&cleo, &powell.enroll).await.problem(409, "face-belongs-to-other");
    assert_eq!(refused["user_id"], ada);
    let manager = app.manager_of("Sales").await;
    let dan = app.employee_in(&manager.department, "Dan").await;
    let refused = manager.enroll(&dan.id, &powell.enroll).await.problem(409, "face-belongs-to-other");
    assert_eq!(refused.get("user_id"), None);

    // An administrator may insist, with a reason: twins.
    let twins = [("consent_version", "2026-01"), ("allow_duplicate", "true")];
    admin.enroll_with(&cleo, &powell.enroll, &twins).await.problem(422, "validation-failed");
    let twins = [twins[0], twins[1], ("reason", "identical twins")];
    admin.enroll_with(&cleo, &powell.enroll, &twins).await.expect(201);
    let tie = seen(&kiosk, &powell.probes[0]).await;
    assert_eq!((&tie["result"], &tie["user"]), (&json!("ambiguous"), &Value::Null));
    assert_eq!(tie["attendance"], Value::Null);
}
