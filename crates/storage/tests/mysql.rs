//! The contracts of the stores on a MySQL or MariaDB server.

mod common;

use std::time::{Duration, Instant};

use rollcall_ports::store::StoreError;
use rollcall_ports::users::UserStore;
use rollcall_storage::{Database, Options, SqlUserStore};
use rollcall_testkit::StoreBench;
use rollcall_testkit::builders::a_user;

use common::mysql::{another, bench, empty_bench};

rollcall_testkit::all_store_contracts!(bench().await);
rollcall_testkit::empty_database_contract!(empty_bench().await);

stamp_below!(bench, another);

#[test]
fn texts_that_were_compared_by_an_older_rule_are_found_by_the_new_one() {
    rollcall_testkit::run(async { common::below::spelled_anew(&empty_bench().await).await });
}

#[test]
fn new_address_key_may_be_one_that_another_person_gives_up() {
    rollcall_testkit::run(async { common::below::spelled_one_after_the_other(&empty_bench().await).await });
}

#[test]
fn people_entered_under_laxer_rules_are_read_and_found() {
    rollcall_testkit::run(async { common::below::read_as_they_were_entered(&empty_bench().await).await });
}

#[test]
fn a_server_that_is_away_is_unavailable_in_time() {
    rollcall_testkit::run(async {
        let url = || "mysql://rollcall:s3cret@127.0.0.1:1/rollcall".parse().unwrap();
        let began = Instant::now();
        let error = Database::connect(Options::new(url())).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        assert!(!format!("{error:?}").contains("s3cret"));

        let database = Database::connect_lazily(Options::new(url())).await.unwrap();
        let users = SqlUserStore::new(database);
        let user = a_user("Ada");
        assert!(matches!(users.get(user.id).await, Err(StoreError::Unavailable(_))));
        assert!(matches!(users.insert(&user, None).await, Err(StoreError::Unavailable(_))));
        assert!(began.elapsed() < 3 * Duration::from_secs(3));
    });
}

#[test]
fn a_connection_that_was_cut_is_replaced() {
    rollcall_testkit::run(async {
        let bench = empty_bench().await;
        let user = a_user("Ada");
        bench.users().insert(&user, None).await.unwrap();
        assert!(common::mysql::cut_connections(&bench).await > 0);
        assert_eq!(bench.users().get(user.id).await.unwrap().map(|found| found.id), Some(user.id));
        bench.users().insert(&a_user("Bob"), None).await.unwrap();
    });
}

#[test]
fn a_server_that_turns_us_away_is_not_called_away() {
    rollcall_testkit::run(async {
        let url = format!("{}/rollcall_no_such_database", common::mysql::server()).parse().unwrap();
        let error = Database::connect(Options::new(url)).await.unwrap_err();
        assert!(matches!(error, StoreError::Failed(_)), "{error:?}");
    });
}

#[test]
fn the_probe_tells_driver_migration_and_durability() {
    rollcall_testkit::run(async {
        let report = bench().await.probe().check().await.unwrap();
        assert_eq!(report.driver, "mysql");
        assert_eq!(report.migration.as_deref(), Some("m0001_initial"));
        assert!(report.durability.is_some_and(|words| words.starts_with("innodb_flush_log_at_trx_commit=")));
    });
}
