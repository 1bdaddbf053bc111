//! Own, department and everybody: on whom each role may act.

use reqwest::Method;
use rollcall_tests::client::send;
use rollcall_tests::photos::{drawn, five_drawn};
use rollcall_tests::{Client, Db, Response, TestApp, on_both_databases};
use serde_json::json;

on_both_databases!(actors_act_only_on_people_in_scope);

/// Something done to a person.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Read,
    Change,
    Remove,
    SetStatus,
    Mark,
    ReadDays,
    ReadRecord,
    ReadEvents,
    Override,
    Enroll,
    ReadFaces,
    DeleteFace,
}

/// What is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// Any 2xx.
    Done,
    /// 403: seen, but not theirs to do.
    Forbidden,
    /// 422, as if the person whom a filter names did not exist.
    Unknown,
    /// 404, as if the person did not exist.
    Hidden,
}

use Answer::{Done, Forbidden, Hidden, Unknown};

/// Columns: an employee on themself, on a colleague, on somebody elsewhere; a manager on a member, on somebody
/// elsewhere; an administrator.
const TABLE: [(Deed, [Answer; 6]); 12] = [
    (Deed::Read, [Done, Hidden, Hidden, Done, Hidden, Done]),
    (Deed::Change, [Done, Hidden, Hidden, Forbidden, Hidden, Done]),
    (Deed::Mark, [Done, Hidden, Hidden, Done, Hidden, Done]),
    (Deed::ReadDays, [Done, Hidden, Hidden, Done, Hidden, Done]),
    (Deed::ReadRecord, [Done, Hidden, Hidden, Done, Hidden, Done]),
    (Deed::ReadEvents, [Done, Unknown, Unknown, Done, Unknown, Done]),
    (Deed::Override, [Forbidden, Forbidden, Forbidden, Done, Hidden, Done]),
    (Deed::Enroll, [Done, Hidden, Hidden, Done, Hidden, Done]),
    (Deed::ReadFaces, [Done, Hidden, Hidden, Done, Hidden, Done]),
    (Deed::DeleteFace, [Done, Hidden, Hidden, Done, Hidden, Done]),
    (Deed::SetStatus, [Forbidden, Forbidden, Forbidden, Forbidden, Forbidden, Done]),
    (Deed::Remove, [Forbidden, Forbidden, Forbidden, Forbidden, Forbidden, Done]),
];

async fn actors_act_only_on_people_in_scope(db: Db) {
    let app = TestApp::setup().on(db).drawn().start().await;
    let (manager, elsewhere) = (app.manager_of("Sales").await, app.manager_of("Lab").await);
    let admin = app.admin().await;
    let ada = app.employee_in(&manager.department, "Ada").await;
    let bob = app.employee_in(&manager.department, "Bob").await;
    let eve = app.employee_in(&elsewhere.department, "Eve").await;
    for (person, name) in [(&ada, "Ada"), (&bob, "Bob"), (&eve, "Eve")] {
        admin.enroll(&person.id, &five_drawn(name)).await.expect(201);
    }
    let cells =
        [(&ada, &ada), (&ada, &bob), (&ada, &eve), (&manager, &ada), (&manager, &eve), (&admin, &ada)];
    for (deed, answers) in TABLE {
        for ((actor, person), expected) in cells.into_iter().zip(answers) {
            let answer = attempt(deed, actor, person, &admin).await;
            let body = format!("{deed:?} by {} on {}: {}", actor.email, person.email, answer.text());
            match expected {
                Done => assert!((200..300).contains(&answer.status), "{body}"),
                Forbidden => assert_eq!(answer.status, 403, "{body}"),
                Hidden => assert_eq!(answer.status, 404, "{body}"),
                Unknown => assert_eq!(answer.status, 422, "{body}"),
            }
            if expected == Hidden {
                answer.problem(404, "not-found");
                assert!(!answer.text().contains("Eve") && !answer.text().contains("Bob"), "{body}");
            }
        }
    }
}

async fn attempt(deed: Deed, actor: &Client, person: &Client, admin: &Client) -> Response {
    let id = &person.id;
    match deed {
        Deed::Read => actor.get(&format!("/api/users/{id}")).await,
        Deed::Change => actor.put(&format!("/api/users/{id}"), json!({ "phone": "+1" })).await,
        Deed::Remove => actor.delete(&format!("/api/users/{id}")).await,
        Deed::SetStatus => {
            let change = json!({ "status": "active", "reason": "a good one" });
            actor.put(&format!("/api/admin/users/{id}/status"), change).await
        }
        Deed::Mark => {
            let punch = json!({ "user_id": id, "type": "auto", "reason": "forgot the badge" });
            actor.post("/api/attendance/mark", punch).await
        }
        Deed::ReadDays => actor.get(&format!("/api/attendance/user/{id}")).await,
        Deed::ReadRecord => actor.get(&record_of(admin, id).await).await,
        Deed::ReadEvents => actor.get(&format!("/api/attendance/events?user_id={id}")).await,
        Deed::Override => {
            let decision = json!({ "status": "present", "reason": "the door was broken" });
            actor.put(&record_of(admin, id).await, decision).await
        }
        // The same photo as before: what is allowed changes nothing.
        Deed::Enroll => {
            let name = person.email.split('.').next().unwrap_or_default();
            let name = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
            actor.enroll(id, &[drawn(&name, 1)]).await
        }
        Deed::ReadFaces => actor.get(&format!("/api/face/user/{id}/encodings")).await,
        Deed::DeleteFace => {
            let faces = admin.get(&format!("/api/face/user/{id}/encodings")).await.expect(200);
            let face = faces["data"][0]["id"].as_str().expect("a face");
            send(actor.request(Method::DELETE, &format!("/api/face/encodings/{face}"))).await
        }
    }
}

/// The path of a person's record of today.
async fn record_of(admin: &Client, user: &str) -> String {
    let days = admin.get(&format!("/api/attendance/user/{user}")).await.expect(200);
    format!("/api/attendance/records/{}", days["data"][0]["id"].as_str().expect("a record"))
}
