//! Exactly once: many requests at the same moment make one event.

use futures_util::future::join_all;
use rollcall_tests::photos::{drawn, five_drawn};
use rollcall_tests::{Db, TestApp, on_both_databases};

on_both_databases!(
    fifty_concurrent_requests_make_one_punch,
    fifty_searches_at_two_kiosks_make_one_punch,
    removed_person_is_not_matched_any_more,
    two_admins_cannot_both_leave,
    one_face_enrolled_twice_at_once_is_one_persons,
    two_faces_enrolled_at_once_as_one_person_are_not_both_theirs,
);

async fn fifty_concurrent_requests_make_one_punch(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let ada = app.employee("Ada").await;
    for (time, decision) in [("2026-03-02T08:55:00Z", "checked_in"), ("2026-03-02T18:05:00Z", "checked_out")]
    {
        app.clock.set(time);
        let answers = join_all((0..50).map(|_| ada.mark("auto"))).await;
        let count = |status| answers.iter().filter(|answer| answer.status == status).count();
        assert_eq!((count(201), count(200)), (1, 49), "{:?}", statuses(&answers));
        for answer in &answers {
            let body = answer.json();
            let expected = if answer.status == 201 { decision } else { "cooldown" };
            assert_eq!(body["decision"], expected, "{body}");
        }
    }
    let days = ada.get("/api/attendance/user/me?include=events").await.expect(200);
    assert_eq!(days["data"][0]["events"].as_array().map(Vec::len), Some(2), "{days}");
}

async fn fifty_searches_at_two_kiosks_make_one_punch(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let ada = app.employee("Ada").await;
    app.admin().await.enroll(&ada.id, &five_drawn("Ada")).await.expect(201);
    let kiosks = [app.kiosk().await, app.kiosk().await];
    app.clock.set("2026-03-02T08:55:00Z");
    let answers = join_all((0..50).map(async |n| kiosks[n % 2].recognize(&drawn("Ada", 9)).await)).await;
    let decisions: Vec<_> =
        answers.iter().map(|answer| answer.expect(200)["attendance"]["decision"].clone()).collect();
    assert_eq!(decisions.iter().filter(|decision| *decision == "checked_in").count(), 1, "{decisions:?}");
    assert_eq!(decisions.iter().filter(|decision| *decision == "cooldown").count(), 49, "{decisions:?}");
    let days = ada.get("/api/attendance/user/me?include=events").await.expect(200);
    assert_eq!(days["data"][0]["events"].as_array().map(Vec::len), Some(1), "{days}");
}

/// Searches under way while a person is removed may still know them; those that begin after the answer do not.
async fn removed_person_is_not_matched_any_more(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let (admin, kiosk, ada) = (app.admin().await, app.kiosk().await, app.employee("Ada").await);
    admin.enroll(&ada.id, &five_drawn("Ada")).await.expect(201);
    let path = format!("/api/users/{}", ada.id);
    let photo = drawn("Ada", 9);
    let before = join_all((0..20).map(|_| kiosk.look_up(&photo)));
    let removing = async {
        let removed = admin.delete(&path).await;
        let after = join_all((0..20).map(|_| kiosk.look_up(&photo))).await;
        (removed, after)
    };
    let (before, (removed, after)) = tokio::join!(before, removing);
    assert_eq!(removed.status, 204, "{}", removed.text());
    for answer in before {
        let result = answer.expect(200)["result"].clone();
        assert!(["matched", "unknown", "rejected"].iter().any(|known| result == *known), "{result}");
    }
    for answer in after {
        assert_eq!(answer.expect(200)["result"], "unknown");
    }
}

async fn two_admins_cannot_both_leave(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let first = app.admin().await;
    let second = app.person("Second", serde_json::json!({ "role": "admin" })).await;
    let demote = serde_json::json!({ "role": "employee" });
    let (other, one) = (format!("/api/users/{}", second.id), format!("/api/users/{}", first.id));
    let (a, b) = tokio::join!(first.put(&other, demote.clone()), second.put(&one, demote));
    let done = [&a, &b].iter().filter(|answer| answer.status == 200).count();
    assert_eq!(done, 1, "{} and {}", a.text(), b.text());
    for answer in [a, b].iter().filter(|answer| answer.status != 200) {
        // Who was demoted before being asked who they are does not even see the other one any more.
        assert!(matches!(answer.status, 401 | 403 | 404 | 409), "{}", answer.text());
    }
}

async fn one_face_enrolled_twice_at_once_is_one_persons(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let admin = app.admin().await;
    for round in 0..5 {
        let names = ["First", "Second", "Third", "Fourth"].map(|name| format!("{name} {round}"));
        let people = join_all(names.iter().map(|name| app.employee(name))).await;
        let face = five_drawn(&format!("Face {round}"));
        let answers = join_all(people.iter().map(|person| admin.enroll(&person.id, &face))).await;
        let mut found = statuses(&answers);
        found.sort_unstable();
        assert_eq!(found, [201, 409, 409, 409]);
        for answer in answers.iter().filter(|answer| answer.status == 409) {
            answer.problem(409, "face-belongs-to-other");
        }
    }
}

/// Else a friend's photos that are sent at the same moment as one's own would open the door for the friend.
async fn two_faces_enrolled_at_once_as_one_person_are_not_both_theirs(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let admin = app.admin().await;
    for round in 0..5 {
        let ada = app.employee(&format!("Ada {round}")).await;
        let (own, friends) = (five_drawn(&format!("Ada {round}")), five_drawn(&format!("Friend {round}")));
        let (a, b) = tokio::join!(admin.enroll(&ada.id, &own), admin.enroll(&ada.id, &friends));
        let mut found = statuses(&[a, b]);
        found.sort_unstable();
        assert_eq!(found, [201, 422]);
        let kept = admin.get(&format!("/api/face/user/{}/encodings", ada.id)).await.expect(200);
        assert_eq!(kept["data"].as_array().map(Vec::len), Some(5), "{kept}");
    }
}

fn statuses(answers: &[rollcall_tests::Response]) -> Vec<u16> {
    answers.iter().map(|answer| answer.status).collect()
}
