//! The database goes away and comes back.

use std::time::{Duration, Instant};

use rollcall_app::settings::{DatabaseSetting, Secret};
use rollcall_tests::app::eventually;
use rollcall_tests::database::MySqlDatabase;
use rollcall_tests::photos::{drawn, five_drawn};
use rollcall_tests::{Setup, TestApp};

use crate::proxy::Wire;

fn behind(wire: &Wire, database: &MySqlDatabase) -> Setup {
    // In the clear, so that the wire can read along: MySQL offers encryption and then gets it.
    let url = format!("{}?ssl-mode=disabled", database.url_through(wire.port));
    TestApp::setup()
        .drawn()
        .setting("JWT_SECRET_KEY", rollcall_tests::setup::JWT_SECRET)
        .setting("DATA_KEY", rollcall_tests::setup::DATA_KEY)
        .with(move |settings| settings.database = DatabaseSetting::Url(Secret::new(url)))
}

#[tokio::test]
async fn an_outage_is_said_at_once_and_ends_by_itself() {
    let database = MySqlDatabase::create().await;
    let wire = Wire::to(database.server_address(), true).await;
    let app = behind(&wire, &database).start().await;
    let (admin, kiosk, ada) = (app.admin().await, app.kiosk().await, app.employee("Ada").await);
    admin.enroll(&ada.id, &five_drawn("Ada")).await.expect(201);

    wire.cut();
    let photo = drawn("Ada", 9);
    for attempt in 0..2 {
        let since = Instant::now();
        let (mark, seen) = tokio::join!(ada.mark("auto"), kiosk.recognize(&photo));
        let took = since.elapsed();
        for answer in [mark, seen] {
            answer.problem(503, "database-unavailable");
            assert!(!answer.header("retry-after").is_empty(), "{:?}", answer.headers);
        }
        assert!(took < Duration::from_secs(3), "attempt {attempt} took {took:?}");
    }
    // The process itself is well; its report is not.
    app.anonymous().get("/api/health").await.expect(200);

    wire.mend();
    let since = Instant::now();
    eventually("requests are answered again", async || ada.get("/api/users/me").await.status == 200).await;
    assert!(since.elapsed() < Duration::from_secs(5), "it took {:?}", since.elapsed());
    assert_eq!(ada.mark("auto").await.expect(201)["decision"], "checked_in", "nothing was recorded before");
    assert_eq!(kiosk.look_up(&drawn("Ada", 9)).await.expect(200)["result"], "matched");
}

#[tokio::test]
async fn a_server_waits_for_a_database_that_is_away_at_the_start() {
    let database = MySqlDatabase::create().await;
    let wire = Wire::to(database.server_address(), false).await;
    let app = behind(&wire, &database).unattended().start().await;
    let anonymous = app.anonymous();
    let starting = anonymous.get("/api/health").await;
    starting.problem(503, "starting");
    assert!(!starting.header("retry-after").is_empty());
    anonymous.get("/api/users").await.problem(503, "starting");

    wire.mend();
    app.until_health(200).await;
    anonymous.get("/api/users").await.problem(401, "token-missing");
}

/// Wherever the database goes away while a server starts, the server begins again.
#[tokio::test]
async fn a_server_begins_again_when_the_database_goes_away_while_it_starts() {
    // In the middle of the tables of a new database; and at each later step.
    for (words, is_new) in [
        ("CREATE TABLE", true),
        ("CREATE TABLE `users`", true),
        ("CREATE TABLE `recognition_log`", true),
        ("`status_changed_by`", true),
        ("GET_LOCK", false),
        ("RELEASE_LOCK", false),
        ("`is_default`", false),
        ("`face_encodings`", false),
    ] {
        let database = MySqlDatabase::create().await;
        if !is_new {
            let wire = Wire::to(database.server_address(), true).await;
            let first = behind(&wire, &database).start().await;
            let ada = first.employee("Ada").await;
            first.admin().await.enroll(&ada.id, &five_drawn("Ada")).await.expect(201);
        }
        let wire = Wire::breaking_at(database.server_address(), words).await;
        let app = behind(&wire, &database).unattended().start().await;
        app.until_health(200).await;
        assert!(wire.broke(), "nobody asked for {words}");
        if !is_new {
            let kiosk = app.kiosk().await;
            assert_eq!(kiosk.look_up(&drawn("Ada", 9)).await.expect(200)["result"], "matched", "{words}");
        }
    }
}

/// Several servers that meet an empty database bring it up to date one after the other.
#[tokio::test]
async fn servers_that_start_together_migrate_one_after_the_other() {
    for _ in 0..3 {
        let database = MySqlDatabase::create().await;
        let wire = Wire::to(database.server_address(), true).await;
        let start = || behind(&wire, &database).unattended().start();
        let (one, two, three) = tokio::join!(start(), start(), start());
        for app in [&one, &two, &three] {
            app.until_health(200).await;
        }
    }
}
