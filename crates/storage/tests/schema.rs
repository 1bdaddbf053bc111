//! The schema, forward and back, on both kinds of database.

mod common;

use rollcall_domain::user::User;
use rollcall_migration::{Migrator, MigratorTrait, RESTORING, Unsound, status};
use rollcall_ports::attendance::Approval;
use rollcall_storage::Database;
use rollcall_testkit::StoreBench;
use rollcall_testkit::bench::the_shift;
use rollcall_testkit::builders::{
    a_check_in, a_consenting_user, a_day_of, a_department, a_device, a_face_of, a_hash, a_punch_on,
    a_reference, a_session, an_admin, dates,
};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

use common::Bench;

#[test]
fn every_step_goes_back_and_forth_on_sqlite() {
    rollcall_testkit::run(async {
        let folder = tempfile::TempDir::new().unwrap();
        back_and_forth(common::sqlite::open(&folder).await).await;
    });
}

#[test]
fn every_step_goes_back_and_forth_on_mysql() {
    rollcall_testkit::run(async {
        let name = common::mysql::create("schema").await;
        back_and_forth(common::mysql::open(&name).await).await;
        common::mysql::drop_database(&name).await;
    });
}

#[test]
fn a_newer_database_is_known_and_refused_on_sqlite() {
    rollcall_testkit::run(async {
        let folder = tempfile::TempDir::new().unwrap();
        newer_is_refused(common::sqlite::open(&folder).await).await;
    });
}

#[test]
fn a_newer_database_is_known_and_refused_on_mysql() {
    rollcall_testkit::run(async {
        let name = common::mysql::create("newer").await;
        newer_is_refused(common::mysql::open(&name).await).await;
        common::mysql::drop_database(&name).await;
    });
}

#[test]
fn two_processes_migrate_one_after_the_other_on_sqlite() {
    rollcall_testkit::run(async {
        for _ in 0..10 {
            let folder = tempfile::TempDir::new().unwrap();
            let (one, two) = (common::sqlite::open(&folder).await, common::sqlite::open(&folder).await);
            migrated_by_both(one, two).await;
        }
    });
}

#[test]
fn two_processes_migrate_one_after_the_other_on_mysql() {
    rollcall_testkit::run(async {
        for _ in 0..3 {
            let name = common::mysql::create("both").await;
            let (one, two) = (common::mysql::open(&name).await, common::mysql::open(&name).await);
            migrated_by_both(one, two).await;
            common::mysql::drop_database(&name).await;
        }
    });
}

#[test]
fn tables_that_do_not_fit_the_steps_on_record_are_known_on_sqlite() {
    rollcall_testkit::run(async {
        let folder = tempfile::TempDir::new().unwrap();
        fitting_or_not(common::sqlite::open(&folder).await).await;
    });
}

#[test]
fn tables_that_do_not_fit_the_steps_on_record_are_known_on_mysql() {
    rollcall_testkit::run(async {
        let name = common::mysql::create("sound").await;
        fitting_or_not(common::mysql::open(&name).await).await;
        common::mysql::drop_database(&name).await;
    });
}

/// At every step the tables fit; a migration table of another moment does not.
async fn fitting_or_not(database: Database) {
    let db = database.connection();
    let steps = rollcall_migration::steps();
    assert_eq!(rollcall_migration::check(db).await.unwrap(), None, "nothing is there");
    db.execute_unprepared("CREATE TABLE students (id INTEGER PRIMARY KEY)").await.unwrap();
    let foreign = Some(Unsound::Foreign(vec!["students".into()]));
    assert_eq!(rollcall_migration::check(db).await.unwrap(), foreign, "another program's");
    db.execute_unprepared("DROP TABLE students").await.unwrap();
    for n in 1..=steps.len() {
        rollcall_migration::up_to(db, n).await.unwrap();
        assert_eq!(status(db).await.unwrap().applied, steps[..n]);
        assert_eq!(rollcall_migration::check(db).await.unwrap(), None, "{}", steps[n - 1]);
    }
    for n in (0..steps.len()).rev() {
        let forget = format!("DELETE FROM seaql_migrations WHERE version = '{}'", steps[n]);
        db.execute_unprepared(&forget).await.unwrap();
        let found = rollcall_migration::check(db).await.unwrap();
        let known = match &found {
            Some(Unsound::Mixed { at, found }) => *at == steps[n - 1] && !found.is_empty(),
            Some(Unsound::Foreign(found)) => n == 0 && found.contains(&"users".to_owned()),
            _ => false,
        };
        assert!(known, "without {}: {found:?}", steps[n]);
    }
    for step in &steps {
        let note = format!("INSERT INTO seaql_migrations (version, applied_at) VALUES ('{step}', 1)");
        db.execute_unprepared(&note).await.unwrap();
    }
    assert_eq!(rollcall_migration::check(db).await.unwrap(), None);
    db.execute_unprepared("DROP TABLE job_chunks").await.unwrap();
    let torn = rollcall_migration::check(db).await.unwrap();
    assert!(matches!(&torn, Some(Unsound::Torn { missing, .. }) if missing == &["job_chunks"]), "{torn:?}");
    db.execute_unprepared(&format!("CREATE TABLE {RESTORING} (id INTEGER PRIMARY KEY)")).await.unwrap();
    assert_eq!(rollcall_migration::check(db).await.unwrap(), Some(Unsound::HalfRestored));
}

/// A step that is whole but not on record, and one that lacks its last table.
#[test]
fn an_attempt_that_broke_off_is_made_up_for_on_mysql() {
    rollcall_testkit::run(async {
        let name = common::mysql::create("broken").await;
        let database = common::mysql::open(&name).await;
        let db = database.connection();
        rollcall_migration::up(db).await.unwrap();
        let newest = schema(db).await;
        let steps = Migrator::migrations();
        // Not every step makes a table.
        let last_tables = [
            ("organization", "user_settings"),
            ("logins", "devices"),
            ("faces", "recognition_decisions"),
            ("attendance", "attendance_events"),
            ("accounts", "invitations"),
        ];
        for (n, step) in steps.iter().enumerate().rev() {
            let name = step.name();
            let last = last_tables.iter().find(|(theme, _)| name.ends_with(theme));
            for lost in std::iter::once(None).chain(last.map(|(_, table)| Some(table))) {
                Migrator::down(db, Some((steps.len() - n) as u32)).await.unwrap();
                Migrator::up(db, Some(1)).await.unwrap();
                let forget = format!("DELETE FROM seaql_migrations WHERE version = '{name}'");
                let note = format!("INSERT INTO migration_begun (step) VALUES ('{name}')");
                for sql in [forget, note] {
                    db.execute_unprepared(&sql).await.unwrap();
                }
                if let Some(table) = lost {
                    db.execute_unprepared(&format!("DROP TABLE {table}")).await.unwrap();
                }
                rollcall_migration::up(db).await.unwrap();
                let same = schema(db).await == newest;
                assert!(same, "{name} without {lost:?}");
            }
        }
        fill(&Bench::new(database.clone(), ())).await;
        // A note that was not struck out is, before it can do harm.
        db.execute_unprepared("INSERT INTO migration_begun (step) VALUES ('m20261101_000002_logins')")
            .await
            .unwrap();
        rollcall_migration::up(db).await.unwrap();
        let notes = Statement::from_string(db.get_database_backend(), "SELECT step FROM migration_begun");
        assert!(db.query_all_raw(notes).await.unwrap().is_empty());
        common::mysql::drop_database(&name).await;
    });
}

#[test]
fn a_database_in_memory_is_migrated_alone() {
    rollcall_testkit::run(async {
        let options = rollcall_storage::Options::new("sqlite::memory:".parse().unwrap());
        let database = Database::connect(options).await.unwrap();
        database.alone(Migrator::up(database.connection(), None)).await.unwrap();
        assert!(status(database.connection()).await.unwrap().is_current());
    });
}

/// Two connection pools on one empty database, as two processes would have them, bring it up to date at once.
async fn migrated_by_both(one: Database, two: Database) {
    let up = |database: Database| {
        tokio::spawn(async move { database.alone(rollcall_migration::up(database.connection())).await })
    };
    let (first, second, third) = (up(one.clone()), up(two.clone()), up(one.clone()));
    for done in [first, second, third] {
        done.await.unwrap().unwrap();
    }
    assert!(status(two.connection()).await.unwrap().is_current());
    fill(&Bench::new(two, ())).await;
    // Whatever goes wrong inside, others come in afterward.
    let failed = one.alone(async { Err::<(), _>(sea_orm::DbErr::Custom("told so".into())) }).await;
    assert!(matches!(failed, Err(rollcall_ports::store::StoreError::Failed(_))), "{failed:?}");
    one.alone(async { Ok(()) }).await.unwrap();
}

#[test]
fn open_logins_survive_the_step_that_gives_them_a_version_on_sqlite() {
    rollcall_testkit::run(async {
        let folder = tempfile::TempDir::new().unwrap();
        open_logins_go_on(common::sqlite::open(&folder).await).await;
    });
}

#[test]
fn open_logins_survive_the_step_that_gives_them_a_version_on_mysql() {
    rollcall_testkit::run(async {
        let name = common::mysql::create("logins").await;
        open_logins_go_on(common::mysql::open(&name).await).await;
        common::mysql::drop_database(&name).await;
    });
}

async fn open_logins_go_on(database: Database) {
    let db = database.connection();
    Migrator::up(db, None).await.unwrap();
    let bench = Bench::new(database.clone(), ());
    let ada = a_consenting_user("Ada");
    bench.users().insert(&ada, None).await.unwrap();
    let raised = "UPDATE users SET token_version = 7";
    db.execute_unprepared(raised).await.unwrap();
    let session = rollcall_domain::session::Session { version: 7, ..a_session(ada.id) };
    bench.sessions().open(&session).await.unwrap();
    Migrator::down(db, Some(1)).await.unwrap();
    Migrator::up(db, None).await.unwrap();
    let principal = bench.sessions().principal(session.id).await.unwrap().unwrap();
    assert_eq!((principal.token_version, principal.ended), (7, false));
}

#[test]
fn approved_overtime_becomes_an_amount_on_sqlite() {
    rollcall_testkit::run(async {
        let folder = tempfile::TempDir::new().unwrap();
        approvals_have_amounts(common::sqlite::open(&folder).await).await;
    });
}

#[test]
fn approved_overtime_becomes_an_amount_on_mysql() {
    rollcall_testkit::run(async {
        let name = common::mysql::create("approved").await;
        approvals_have_amounts(common::mysql::open(&name).await).await;
        common::mysql::drop_database(&name).await;
    });
}

/// What was approved without an amount is all the overtime that the day had.
async fn approvals_have_amounts(database: Database) {
    let db = database.connection();
    Migrator::up(db, None).await.unwrap();
    let bench = Bench::new(database.clone(), ());
    let ada = a_consenting_user("Ada");
    bench.users().insert(&ada, None).await.unwrap();
    let shift = the_shift(&bench).await;
    let days = ["2026-03-02", "2026-03-03"].map(|on| a_day_of(&shift, ada.id, on));
    for (day, approved) in days.iter().zip([true, false]) {
        let range = dates("2026-03-01", "2026-03-31");
        let known = bench.attendance().ledger(ada.id, range).await.unwrap();
        let event = a_check_in(ada.id, &format!("{}T09:00:00Z", day.key.date));
        let mut change = a_punch_on(day, &event, known.revision);
        change.records[0].record.overtime_seconds = 1_800;
        if approved {
            change.records[0].approved_seconds = 900;
            let (reason, at) = ("stocktaking".into(), event.at);
            change.approvals =
                vec![Approval { key: day.key, seconds: 900, reason, by: None, at, batch: None }];
        }
        bench.attendance().commit(&change).await.unwrap();
    }
    let steps = Migrator::migrations();
    let this = steps.iter().position(|step| step.name().ends_with("approved_amounts")).unwrap();
    Migrator::down(db, Some((steps.len() - this) as u32)).await.unwrap();
    Migrator::up(db, None).await.unwrap();
    let known = bench.attendance().ledger(ada.id, dates("2026-03-01", "2026-03-31")).await.unwrap();
    assert_eq!(known.approved, [(days[0].key, 1_800)]);
    let amounts: Vec<i64> = known.records.iter().map(|record| record.approved_seconds).collect();
    assert_eq!(amounts, [1_800, 0]);
}

async fn back_and_forth(database: Database) {
    let db = database.connection();
    let steps = Migrator::migrations().len();
    let mut schemas = vec![schema(db).await];
    for _ in 0..steps {
        Migrator::up(db, Some(1)).await.unwrap();
        schemas.push(schema(db).await);
    }
    let newest = schemas.last().unwrap().clone();
    assert!(status(db).await.unwrap().is_current());
    fill(&Bench::new(database.clone(), ())).await;

    // Back with data in every table, so that no reference is in the way.
    for before in schemas.iter().rev().skip(1) {
        Migrator::down(db, Some(1)).await.unwrap();
        assert_eq!(schema(db).await, *before);
        Migrator::up(db, Some(1)).await.unwrap();
        Migrator::down(db, Some(1)).await.unwrap();
        assert_eq!(schema(db).await, *before);
    }
    Migrator::up(db, None).await.unwrap();
    assert_eq!(schema(db).await, newest);
    fill(&Bench::new(database.clone(), ())).await;
}

async fn fill(bench: &Bench) {
    let department = a_department("Research");
    let child =
        rollcall_domain::department::Department { parent: Some(department.id), ..a_department("Lab") };
    bench.departments().insert(&department).await.unwrap();
    bench.departments().insert(&child).await.unwrap();
    let boss = an_admin("Boss");
    bench.users().insert(&boss, Some(&a_hash("boss"))).await.unwrap();
    let managed =
        rollcall_domain::department::Department { manager: Some(boss.id), ..a_department("Managed") };
    bench.departments().insert(&managed).await.unwrap();
    let ada = User { department: Some(a_reference(&department)), ..a_consenting_user("Ada") };
    bench.users().insert(&ada, None).await.unwrap();
    bench.sessions().open(&a_session(ada.id)).await.unwrap();
    bench.devices().insert(&a_device("Door")).await.unwrap();
    bench.faces().add(ada.id, &[a_face_of(&ada, 1)], None, 5, None).await.unwrap();
    common::below::one_first_punch(&[bench], 1).await;
}

async fn newer_is_refused(database: Database) {
    let db = database.connection();
    let fresh = status(db).await.unwrap();
    assert_eq!((fresh.applied.len(), fresh.pending.len()), (0, Migrator::migrations().len()));
    Migrator::up(db, None).await.unwrap();
    assert!(status(db).await.unwrap().is_current());
    let future = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m20990101_000001_future', 0)";
    db.execute_unprepared(future).await.unwrap();
    let newer = status(db).await.unwrap();
    assert_eq!(newer.unknown, ["m20990101_000001_future"]);
    assert!(!newer.is_current());
    assert!(Migrator::up(db, None).await.is_err());
}

/// Everything the database says about its tables and indexes, but for the migrator's own.
async fn schema(db: &DatabaseConnection) -> Vec<String> {
    let backend = db.get_database_backend();
    let texts = async |sql: String, column: &str| -> Vec<String> {
        let rows = db.query_all_raw(Statement::from_string(backend, sql)).await.unwrap();
        rows.iter().map(|row| row.try_get("", column).unwrap()).collect()
    };
    if backend == DbBackend::Sqlite {
        let sql = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name <> 'seaql_migrations' ORDER BY name";
        return texts(sql.into(), "sql").await;
    }
    let names = "SELECT table_name AS name FROM information_schema.tables \
                 WHERE table_schema = DATABASE() AND table_name <> 'seaql_migrations' ORDER BY name";
    let mut tables = Vec::new();
    for name in texts(names.into(), "name").await {
        tables.extend(texts(format!("SHOW CREATE TABLE `{name}`"), "Create Table").await);
    }
    tables
}
