//! The contracts of the stores on SQLite, and how its file is kept.

mod common;

use std::path::Path;
use std::sync::Arc;

use rollcall_migration::SCHEMA;
use rollcall_ports::attendance::Change;
use rollcall_ports::faces::FaceStore;
use rollcall_storage::{Database, Options, SqlFaceStore};
use rollcall_testkit::StoreBench;
use rollcall_testkit::bench::has_facts;
use rollcall_testkit::builders::{
    a_check_in, a_closed_period, a_consenting_user, a_face_of, a_user, an_audit_entry, dates,
};
use sea_orm::ConnectionTrait;

use common::sqlite::{another, bench, path};
use common::{Bench, TestSealer};

rollcall_testkit::all_store_contracts!(bench().await);
rollcall_testkit::empty_database_contract!(bench().await);

stamp_below!(bench, another);

#[test]
fn texts_that_were_compared_by_an_older_rule_are_found_by_the_new_one() {
    rollcall_testkit::run(async { common::below::spelled_anew(&bench().await).await });
}

#[test]
fn new_address_key_may_be_one_that_another_person_gives_up() {
    rollcall_testkit::run(async { common::below::spelled_one_after_the_other(&bench().await).await });
}

#[test]
fn people_entered_under_laxer_rules_are_read_and_found() {
    rollcall_testkit::run(async { common::below::read_as_they_were_entered(&bench().await).await });
}

#[cfg(unix)]
#[test]
fn the_file_and_its_companions_are_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    rollcall_testkit::run(async {
        let bench = bench().await;
        bench.users().insert(&a_user("Ada"), None).await.unwrap();
        let file = path(&bench);
        let mut seen = 0;
        for entry in std::fs::read_dir(file.parent().unwrap()).unwrap() {
            let mode = entry.unwrap().metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            seen += 1;
        }
        assert!(seen >= 2, "the file and its log");
    });
}

#[test]
fn the_probe_tells_that_commits_wait_for_the_disk() {
    rollcall_testkit::run(async {
        let report = bench().await.probe().check().await.unwrap();
        assert_eq!(report.driver, "sqlite");
        assert_eq!(report.migration.as_deref(), Some("m0001_initial"));
        assert_eq!(report.durability.as_deref(), Some("journal_mode=wal, synchronous=FULL"));
    });
}

#[test]
fn a_database_without_a_schema_has_no_migration() {
    rollcall_testkit::run(async {
        let folder = tempfile::TempDir::new().unwrap();
        let database = common::sqlite::open(&folder).await;
        let probe = rollcall_storage::SqlProbe::new(database);
        let report = rollcall_ports::probe::DatabaseProbe::check(&probe).await.unwrap();
        assert_eq!(report.migration, None);
    });
}

#[test]
fn neither_the_bytes_of_a_template_nor_those_of_an_erased_one_are_in_the_file() {
    rollcall_testkit::run(async {
        let bench = bench().await;
        let user = a_consenting_user("Ada");
        bench.users().insert(&user, None).await.unwrap();
        let face = a_face_of(&user, 1);
        let faces = bench.faces();
        faces.add(user.id, std::slice::from_ref(&face), None, 5, None).await.unwrap();
        let plain: Vec<u8> = face.template.embedding.values().iter().flat_map(|x| x.to_le_bytes()).collect();
        let file = path(&bench);
        assert!(!anywhere(&file, &plain[..32]), "in the clear");

        let sealed = sealed_bytes(&bench).await;
        checkpoint(&bench).await;
        assert!(anywhere(&file, &sealed[..32]), "the search finds what is there");
        faces.remove(face.id).await.unwrap();
        checkpoint(&bench).await;
        assert!(!anywhere(&file, &sealed[..32]), "erased is overwritten");
        assert!(!anywhere(&file, &plain[..32]));
    });
}

#[test]
fn templates_move_to_a_new_key_and_the_old_one_is_useless() {
    rollcall_testkit::run(async {
        let bench = bench().await;
        let store = |key| SqlFaceStore::new(bench.database.clone(), Arc::new(TestSealer(key)));
        let (old, new) = (store(1), store(2));
        assert!(old.has_the_key().await.unwrap() && new.has_the_key().await.unwrap(), "nothing is stored");
        let user = a_consenting_user("Ada");
        bench.users().insert(&user, None).await.unwrap();
        let faces: Vec<_> = (0..120).map(|shot| a_face_of(&user, shot)).collect();
        old.add(user.id, &faces, None, 200, None).await.unwrap();
        assert!(old.has_the_key().await.unwrap() && !new.has_the_key().await.unwrap());

        assert_eq!(old.reseal(&TestSealer(2)).await.unwrap(), 120);
        assert!(!old.has_the_key().await.unwrap() && new.has_the_key().await.unwrap());
        assert_eq!(new.of_user(user.id).await.unwrap().len(), 120);
        assert!(old.of_user(user.id).await.is_err());
        assert_eq!(old.reseal(&TestSealer(2)).await.unwrap(), 0, "all is done");
        assert!(old.reseal(&TestSealer(3)).await.is_err());
    });
}

#[test]
fn change_without_its_audit_entry_is_not_stored() {
    rollcall_testkit::run(async {
        let bench = bench().await;
        let user = a_user("Ada");
        bench.users().insert(&user, None).await.unwrap();
        has_facts(&bench, user.id).await;
        bench.database.connection().execute_unprepared("DROP TABLE audit_entries").await.unwrap();
        let march = dates("2026-03-01", "2026-03-31");
        let ledger = bench.attendance().ledger(user.id, march).await.unwrap();
        let punch = (a_check_in(user.id, "2026-03-02T09:00:00Z"), None);
        let known = Change { punches: vec![punch], ..Change::none(user.id, &ledger) };
        let noted = Change { audit_entries: vec![an_audit_entry()], ..known.clone() };
        assert!(bench.attendance().commit(&noted).await.is_err());
        let after = bench.attendance().ledger(user.id, march).await.unwrap();
        assert_eq!((after.revision, after.punches), (ledger.revision, vec![]));
        assert!(
            bench.closed_periods().insert(&a_closed_period("2026-02-28"), &an_audit_entry()).await.is_err()
        );
        assert_eq!(bench.closed_periods().closed_through().await.unwrap(), None);
        // What needs no line is not held up.
        bench.attendance().commit(&known).await.unwrap();
    });
}

async fn sealed_bytes(bench: &Bench) -> Vec<u8> {
    let connection = bench.database.connection();
    let statement = sea_orm::Statement::from_string(
        connection.get_database_backend(),
        "SELECT sealed FROM face_encodings",
    );
    connection.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

async fn checkpoint(bench: &Bench) {
    bench.database.connection().execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
}

/// Whether bytes are in the file or in any of its companions.
fn anywhere(file: &Path, bytes: &[u8]) -> bool {
    std::fs::read_dir(file.parent().unwrap()).unwrap().any(|entry| {
        let content = std::fs::read(entry.unwrap().path()).unwrap();
        content.windows(bytes.len()).any(|window| window == bytes)
    })
}

#[test]
fn a_database_in_memory_keeps_what_it_is_told() {
    rollcall_testkit::run(async {
        let database = Database::connect(Options::new("sqlite::memory:".parse().unwrap())).await.unwrap();
        SCHEMA.up(database.connection()).await.unwrap();
        let bench = Bench::new(database, ());
        let user = a_consenting_user("Ada");
        bench.users().insert(&user, None).await.unwrap();
        bench.faces().add(user.id, &[a_face_of(&user, 1)], None, 5, None).await.unwrap();
        common::below::one_first_punch(&[&bench], 16).await;
        assert_eq!(bench.faces().of_user(user.id).await.unwrap().len(), 1);
    });
}
