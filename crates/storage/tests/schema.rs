//! The schema, forward and back, on both kinds of database.

mod common;

use rollcall_domain::user::User;
use rollcall_migration::{RESTORING, SCHEMA, Unsound};
use rollcall_storage::Database;
use rollcall_testkit::StoreBench;
use rollcall_testkit::builders::{
    a_consenting_user, a_department, a_device, a_face_of, a_hash, a_reference, a_session, an_admin,
};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

use common::Bench;
use common::later::{LATER, STEP};

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
    let steps = LATER.steps();
    assert_eq!(LATER.check(db).await.unwrap(), None, "nothing is there");
    db.execute_unprepared("CREATE TABLE students (id INTEGER PRIMARY KEY)").await.unwrap();
    let foreign = Some(Unsound::Foreign(vec!["students".into()]));
    assert_eq!(LATER.check(db).await.unwrap(), foreign, "another program's");
    db.execute_unprepared("DROP TABLE students").await.unwrap();
    for n in 1..=steps.len() {
        LATER.up_to(db, n).await.unwrap();
        assert_eq!(LATER.status(db).await.unwrap().applied, steps[..n]);
        assert_eq!(LATER.check(db).await.unwrap(), None, "{}", steps[n - 1]);
    }
    for n in (0..steps.len()).rev() {
        let forget = format!("DELETE FROM seaql_migrations WHERE version = '{}'", steps[n]);
        db.execute_unprepared(&forget).await.unwrap();
        let found = LATER.check(db).await.unwrap();
        let known = match &found {
            Some(Unsound::Mixed { at, found }) => {
                *at == steps[n - 1] && found == &["departments.grade", "grades"]
            }
            Some(Unsound::Foreign(found)) => n == 0 && found.contains(&"users".to_owned()),
            _ => false,
        };
        assert!(known, "without {}: {found:?}", steps[n]);
    }
    for step in &steps {
        let note = format!("INSERT INTO seaql_migrations (version, applied_at) VALUES ('{step}', 1)");
        db.execute_unprepared(&note).await.unwrap();
    }
    assert_eq!(LATER.check(db).await.unwrap(), None);
    db.execute_unprepared("DROP TABLE job_chunks").await.unwrap();
    db.execute_unprepared("ALTER TABLE punches DROP COLUMN note").await.unwrap();
    let torn = LATER.check(db).await.unwrap();
    let lost = ["job_chunks", "punches.note"];
    assert!(matches!(&torn, Some(Unsound::Torn { missing, .. }) if missing == &lost), "{torn:?}");
    db.execute_unprepared(&format!("CREATE TABLE {RESTORING} (id INTEGER PRIMARY KEY)")).await.unwrap();
    assert_eq!(LATER.check(db).await.unwrap(), Some(Unsound::HalfRestored));
}

/// A step that is whole but not on record, and one that lacks its last table.
#[test]
fn an_attempt_that_broke_off_is_made_up_for_on_mysql() {
    rollcall_testkit::run(async {
        let name = common::mysql::create("broken").await;
        let database = common::mysql::open(&name).await;
        let db = database.connection();
        LATER.up(db).await.unwrap();
        let newest = schema(db).await;
        for (n, (step, last)) in LATER.steps().iter().zip(["job_chunks", "grades"]).enumerate().rev() {
            for lost in [None, Some(last)] {
                LATER.down(db, (LATER.steps().len() - n) as u32).await.unwrap();
                LATER.up_to(db, n + 1).await.unwrap();
                let forget = format!("DELETE FROM seaql_migrations WHERE version = '{step}'");
                let note = format!("INSERT INTO migration_begun (step) VALUES ('{step}')");
                for sql in [forget, note] {
                    db.execute_unprepared(&sql).await.unwrap();
                }
                if let Some(table) = lost {
                    db.execute_unprepared(&format!("DROP TABLE {table}")).await.unwrap();
                }
                assert_eq!(LATER.check(db).await.unwrap(), None, "what was begun is no mixture");
                LATER.up(db).await.unwrap();
                assert!(schema(db).await == newest, "{step} without {lost:?}");
            }
        }
        fill(&Bench::new(database.clone(), ())).await;
        // A note that was not struck out is, before it can do harm.
        let note = format!("INSERT INTO migration_begun (step) VALUES ('{}')", LATER.steps()[0]);
        db.execute_unprepared(&note).await.unwrap();
        LATER.up(db).await.unwrap();
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
        database.alone(SCHEMA.up(database.connection())).await.unwrap();
        assert!(SCHEMA.status(database.connection()).await.unwrap().is_current());
    });
}

/// Two connection pools on one empty database, as two processes would have them, bring it up to date at once.
async fn migrated_by_both(one: Database, two: Database) {
    let up = |database: Database| {
        tokio::spawn(async move { database.alone(SCHEMA.up(database.connection())).await })
    };
    let (first, second, third) = (up(one.clone()), up(two.clone()), up(one.clone()));
    for done in [first, second, third] {
        done.await.unwrap().unwrap();
    }
    assert!(SCHEMA.status(two.connection()).await.unwrap().is_current());
    fill(&Bench::new(two, ())).await;
    // Whatever goes wrong inside, others come in afterward.
    let failed = one.alone(async { Err::<(), _>(sea_orm::DbErr::Custom("told so".into())) }).await;
    assert!(matches!(failed, Err(rollcall_ports::store::StoreError::Failed(_))), "{failed:?}");
    one.alone(async { Ok(()) }).await.unwrap();
}

#[test]
fn stored_rows_go_along_with_a_later_step_on_sqlite() {
    rollcall_testkit::run(async {
        let folder = tempfile::TempDir::new().unwrap();
        goes_along(common::sqlite::open(&folder).await).await;
    });
}

#[test]
fn stored_rows_go_along_with_a_later_step_on_mysql() {
    rollcall_testkit::run(async {
        let name = common::mysql::create("along").await;
        goes_along(common::mysql::open(&name).await).await;
        common::mysql::drop_database(&name).await;
    });
}

async fn goes_along(database: Database) {
    let db = database.connection();
    SCHEMA.up(db).await.unwrap();
    let bench = Bench::new(database.clone(), ());
    fill(&bench).await;
    assert_eq!(LATER.status(db).await.unwrap().pending, [STEP]);
    LATER.up(db).await.unwrap();
    assert!(LATER.status(db).await.unwrap().is_current());
    // As the step works it out, and as a new row has it.
    bench.departments().insert(&a_department("Forge")).await.unwrap();
    for (grade, departments) in [("LENGTH(name)", 3), ("0", 1)] {
        let sql = format!("SELECT id FROM departments WHERE grade = {grade}");
        let found = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
        assert_eq!(found.len(), departments, "{grade}");
    }
}

async fn back_and_forth(database: Database) {
    let db = database.connection();
    let mut schemas = vec![schema(db).await];
    for n in 1..=LATER.steps().len() {
        LATER.up_to(db, n).await.unwrap();
        schemas.push(schema(db).await);
    }
    let newest = schemas.last().unwrap().clone();
    assert!(LATER.status(db).await.unwrap().is_current());
    fill(&Bench::new(database.clone(), ())).await;

    // Back with data in every table, so that no reference is in the way.
    for (n, before) in schemas.iter().enumerate().rev().skip(1) {
        LATER.down(db, 1).await.unwrap();
        assert_eq!(schema(db).await, *before);
        LATER.up_to(db, n + 1).await.unwrap();
        LATER.down(db, 1).await.unwrap();
        assert_eq!(schema(db).await, *before);
    }
    LATER.up(db).await.unwrap();
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
    let fresh = SCHEMA.status(db).await.unwrap();
    assert_eq!((fresh.applied.len(), fresh.pending.len()), (0, SCHEMA.steps().len()));
    SCHEMA.up(db).await.unwrap();
    assert!(SCHEMA.status(db).await.unwrap().is_current());
    LATER.up(db).await.unwrap();
    let newer = SCHEMA.status(db).await.unwrap();
    assert_eq!(newer.unknown, [STEP]);
    assert!(!newer.is_current());
    assert!(SCHEMA.up(db).await.is_err());
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
                 WHERE table_schema = DATABASE() AND table_name NOT IN ('seaql_migrations', 'migration_begun') ORDER BY name";
    let mut tables = Vec::new();
    for name in texts(names.into(), "name").await {
        tables.extend(texts(format!("SHOW CREATE TABLE `{name}`"), "Create Table").await);
    }
    tables
}
