//! A whole database is read and written, on both kinds and from one to the other.

mod common;

use rollcall_storage::{Cell, Database, Loading, Snapshot, Table};
use rollcall_testkit::StoreBench;
use rollcall_testkit::builders::{a_consenting_user, a_face_of, a_user};
use sea_orm::ConnectionTrait;

use common::Bench;

type Rows = Vec<(Table, Vec<Vec<Cell>>)>;

/// Everything, in an order that does not depend on the database.
async fn read(snapshot: &Snapshot) -> Rows {
    let mut all = Vec::new();
    for table in snapshot.tables().await.unwrap() {
        if ["seaql_migrations", "migration_begun"].contains(&table.name.as_str()) {
            continue;
        }
        let mut rows = Vec::new();
        let count = snapshot.rows(&table, |row| {
            rows.push(row.to_vec());
            Ok(())
        });
        assert_eq!(count.await.unwrap(), rows.len() as u64);
        rows.sort_by_key(|row| format!("{row:?}"));
        all.push((table, rows));
    }
    all.sort_by(|(one, _), (other, _)| one.name.cmp(&other.name));
    all
}

/// Without what tells the two kinds of database apart.
fn plain(rows: &Rows) -> Vec<(String, Vec<String>, Vec<Vec<Cell>>)> {
    rows.iter().map(|(table, rows)| (table.name.clone(), table.columns.clone(), rows.clone())).collect()
}

async fn write(database: &Database, rows: &Rows) {
    let emptied: Vec<String> = rows.iter().map(|(table, _)| table.name.clone()).collect();
    let loading = Loading::begin(database, &emptied).await.unwrap();
    for (table, rows) in rows {
        for some in rows.chunks(Loading::at_once(table.columns.len())) {
            loading.rows(&table.name, &table.columns, some.to_vec()).await.unwrap();
        }
    }
    loading.commit().await.unwrap();
}

/// No connection is left on which rows may refer to what is not there.
async fn refers_to_somebody(database: &Database) {
    let dangling = "UPDATE users SET default_shift_id = '0123456789abcdef'";
    let connection = database.connection();
    for _ in 0..5 {
        assert!(connection.execute_unprepared(dangling).await.is_err());
    }
}

async fn filled(bench: &Bench) {
    let user = a_consenting_user("Zoë \u{1f600}");
    bench.users().insert(&user, None).await.unwrap();
    bench.faces().add(user.id, &[a_face_of(&user, 1), a_face_of(&user, 2)], None, 5, None).await.unwrap();
    for n in 0..250 {
        bench.users().insert(&a_user(&format!("Person {n}")), None).await.unwrap();
    }
}

/// From a database into an empty one of the other kind and back into one of the first.
async fn there_and_back(one: &Bench, other: &Bench, third: &Bench) {
    filled(one).await;
    let snapshot = Snapshot::of(&one.database).await.unwrap();
    let rows = read(&snapshot).await;
    assert!(rows.iter().map(|(_, rows)| rows.len()).sum::<usize>() > 250);
    // What is committed meanwhile is not seen.
    one.users().insert(&a_user("Late"), None).await.unwrap();
    assert_eq!(plain(&read(&snapshot).await), plain(&rows));
    write(&other.database, &rows).await;
    let there = read(&Snapshot::of(&other.database).await.unwrap()).await;
    assert_eq!(plain(&there), plain(&rows));
    refers_to_somebody(&other.database).await;
    write(&third.database, &there).await;
    let back = read(&Snapshot::of(&third.database).await.unwrap()).await;
    assert_eq!(plain(&back), plain(&rows));
}

#[test]
fn rows_go_from_sqlite_to_mysql_and_back() {
    rollcall_testkit::run(async {
        let (one, two) = (common::sqlite::bench().await, common::sqlite::bench().await);
        there_and_back(&one, &common::mysql::empty_bench().await, &two).await;
    });
}

#[test]
fn uncommitted_loading_changes_no_row() {
    rollcall_testkit::run(async {
        for bench in [common::sqlite::bench().await, common::mysql::empty_bench().await] {
            bench.users().insert(&a_user("Ada"), None).await.unwrap();
            let before = read(&Snapshot::of(&bench.database).await.unwrap()).await;
            let loading = Loading::begin(&bench.database, &["user_settings".into()]).await.unwrap();
            let columns = ["name".to_owned(), "value".to_owned()];
            let row = vec![Cell::Text("another".into()), Cell::Whole(7)];
            loading.rows("counters", &columns, vec![row.clone()]).await.unwrap();
            assert!(loading.rows("counters", &columns, vec![vec![Cell::Null]]).await.is_err());
            drop(loading);
            refers_to_somebody(&bench.database).await;
            assert_eq!(plain(&read(&Snapshot::of(&bench.database).await.unwrap()).await), plain(&before));
        }
    });
}

/// Of several processes the first one's key stays.
#[test]
fn the_key_that_was_noted_first_stays() {
    rollcall_testkit::run(async {
        for bench in [common::sqlite::bench().await, common::mysql::empty_bench().await] {
            let database = &bench.database;
            database.connection().execute_unprepared("DELETE FROM installation").await.unwrap();
            assert_eq!(database.has_key(&[1; 32]).await.unwrap(), None);
            database.note_key(&[1; 32]).await.unwrap();
            database.note_key(&[2; 32]).await.unwrap();
            assert_eq!(database.has_key(&[1; 32]).await.unwrap(), Some(true));
            assert_eq!(database.has_key(&[2; 32]).await.unwrap(), Some(false));
        }
    });
}
