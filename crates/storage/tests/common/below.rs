//! What can only be examined below the ports, the same on both kinds of database.

use rollcall_domain::Revision;
use rollcall_domain::attendance::{Day, DayKey, Punch};
use rollcall_domain::department::Department;
use rollcall_domain::page::Page;
use rollcall_domain::shift::Shift;
use rollcall_domain::user::{EmailAddress, User, UserFilter, UserScope};
use rollcall_ports::store::StoreError;
use rollcall_testkit::StoreBench;
use rollcall_testkit::bench::the_shift;
use rollcall_testkit::builders::{
    a_check_in, a_consenting_user, a_day_of, a_department, a_face_of, a_punch_on, a_user,
};
use sea_orm::{ConnectionTrait, DbErr, Statement};

use super::Bench;

/// Stamps these clauses; `$another` opens the bench's database a second time.
#[macro_export]
macro_rules! stamp_below {
    ($bench:path, $another:path) => {
        mod below {
            use super::*;
            use $crate::common::below;

            #[test]
            fn sixty_four_concurrent_first_punches_store_one() {
                rollcall_testkit::run(async {
                    let bench = $bench().await;
                    below::one_first_punch(&[&bench], 64).await;
                });
            }

            #[test]
            fn concurrent_first_punches_of_two_processes_store_one() {
                rollcall_testkit::run(async {
                    let one = $bench().await;
                    let two = $another(&one).await;
                    for _ in 0..10 {
                        below::one_first_punch(&[&one, &two], 32).await;
                    }
                });
            }

            #[test]
            fn two_processes_write_side_by_side() {
                rollcall_testkit::run(async {
                    let one = $bench().await;
                    let two = $another(&one).await;
                    below::many_people_at_once([&one, &two]).await;
                });
            }

            #[test]
            fn a_second_row_of_one_day_or_punch_is_impossible() {
                rollcall_testkit::run(async { below::keys_are_unique(&$bench().await).await });
            }

            #[test]
            fn a_sealed_template_opens_only_in_its_own_row() {
                rollcall_testkit::run(async { below::swapped_templates_do_not_open(&$bench().await).await });
            }
        }
    };
}

/// Many commits of a person's first punch at once, spread over several connections pools: one succeeds, the others
/// are told that they came late.
pub(crate) async fn one_first_punch(benches: &[&Bench], count: usize) {
    let user = a_user("Ada");
    benches[0].users().insert(&user, None).await.unwrap();
    let shift = the_shift(benches[0]).await;
    let commits: Vec<_> = (0..count)
        .map(|n| {
            let store = benches[n % benches.len()].attendance();
            // On different dates: only the person is the same, and only their own key can tell.
            let on = format!("2026-{:02}-{:02}", 1 + n / 28 % 12, 1 + n % 28);
            let day = a_day_of(&shift, user.id, &on);
            let punch = a_check_in(user.id, &format!("{on}T09:00:00Z"));
            tokio::spawn(async move { store.commit(&a_punch_on(&day, &punch, Revision::NEW)).await })
        })
        .collect();
    let mut stored = 0;
    for commit in commits {
        match commit.await.unwrap() {
            Ok(()) => stored += 1,
            Err(StoreError::Stale) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(stored, 1);
}

/// Every write of several people at once succeeds: nobody is told that the database is locked.
pub(crate) async fn many_people_at_once(benches: [&Bench; 2]) {
    let shift = the_shift(benches[0]).await;
    let writers: Vec<_> = (0..40)
        .map(|n| {
            let bench = benches[n % 2];
            let (users, attendance, faces) = (bench.users(), bench.attendance(), bench.faces());
            let shift = shift.clone();
            tokio::spawn(async move {
                let user = a_consenting_user("Ada");
                users.insert(&user, None).await?;
                let (day, punch) = first_punch(&shift, user.id);
                attendance.commit(&a_punch_on(&day, &punch, Revision::NEW)).await?;
                faces.add(user.id, &[a_face_of(&user, 1)], None, 5, None).await?;
                users.logged_in(user.id, punch.at).await
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
}

fn first_punch(shift: &Shift, user: rollcall_domain::id::UserId) -> (Day, Punch) {
    (a_day_of(shift, user, "2026-03-02"), a_check_in(user, "2026-03-02T09:00:00Z"))
}

/// Copies rows in SQL, past every check of the program: with the key they have and another id.
pub(crate) async fn keys_are_unique(bench: &Bench) {
    let user = a_user("Ada");
    bench.users().insert(&user, None).await.unwrap();
    let shift = the_shift(bench).await;
    let (day, punch) = first_punch(&shift, user.id);
    bench.attendance().commit(&a_punch_on(&day, &punch, Revision::NEW)).await.unwrap();
    let key = DayKey { shift: None, ..a_day_of(&shift, user.id, "2026-03-07").key };
    let without_shift = Day { id: key.record(), key, shift: None, ..day.clone() };
    let other = a_check_in(user.id, "2026-03-07T09:00:00Z");
    bench.attendance().commit(&a_punch_on(&without_shift, &other, Revision(1))).await.unwrap();

    for (table, id) in [
        ("attendance_records", day.id.uuid()),
        ("attendance_records", without_shift.id.uuid()),
        ("attendance_heads", user.id.uuid()),
    ] {
        let copied = copy_row(bench, table, id).await;
        let error = copied.expect_err("a second row of the same key");
        assert!(matches!(error.sql_err(), Some(sea_orm::SqlErr::UniqueConstraintViolation(_))), "{error:?}");
    }
}

async fn copy_row(bench: &Bench, table: &str, id: uuid::Uuid) -> Result<(), DbErr> {
    let connection = bench.database.connection();
    let statement = |sql: String| {
        let values = [rollcall_testkit::builders::fresh().into(), id.into()];
        Statement::from_sql_and_values(connection.get_database_backend(), sql, values)
    };
    let columns = match table {
        "attendance_records" => {
            "user_id, work_date, shift_key, timezone, revision, status, flags, break_seconds, scheduled_seconds, \
             late_seconds, early_exit_seconds, overtime_seconds, is_open, due_at, overtime_approved"
        }
        // The person is the key: a second row is one with the same.
        _ => {
            let sql = format!(
                "INSERT INTO {table} (user_id, revision) SELECT user_id, revision FROM {table} WHERE user_id = ?"
            );
            let same = Statement::from_sql_and_values(connection.get_database_backend(), sql, [id.into()]);
            return connection.execute_raw(same).await.map(drop);
        }
    };
    let sql = format!("INSERT INTO {table} (id, {columns}) SELECT ?, {columns} FROM {table} WHERE id = ?");
    connection.execute_raw(statement(sql)).await.map(drop)
}

/// Swaps the sealed vectors of two rows, past every check of the program.
pub(crate) async fn swapped_templates_do_not_open(bench: &Bench) {
    let (ada, bob) = (a_consenting_user("Ada"), a_consenting_user("Bob"));
    let mut ids = Vec::new();
    for user in [&ada, &bob] {
        bench.users().insert(user, None).await.unwrap();
        let face = a_face_of(user, 1);
        bench.faces().add(user.id, std::slice::from_ref(&face), None, 5, None).await.unwrap();
        assert_eq!(bench.faces().change_of(user.id, 1).await.unwrap().unwrap().templates.len(), 1);
        ids.push(face.id.uuid());
    }
    let connection = bench.database.connection();
    let backend = connection.get_database_backend();
    let mut sealed: Vec<Vec<u8>> = Vec::new();
    for id in &ids {
        let sql = "SELECT sealed FROM face_encodings WHERE id = ?";
        let statement = Statement::from_sql_and_values(backend, sql, [(*id).into()]);
        let row = connection.query_one_raw(statement).await.unwrap().unwrap();
        sealed.push(row.try_get_by_index(0).unwrap());
    }
    for (id, sealed) in ids.iter().zip(sealed.into_iter().rev()) {
        let sql = "UPDATE face_encodings SET sealed = ? WHERE id = ?";
        let statement = Statement::from_sql_and_values(backend, sql, [sealed.into(), (*id).into()]);
        connection.execute_raw(statement).await.unwrap();
    }
    for user in [&ada, &bob] {
        assert!(matches!(bench.faces().of_user(user.id).await, Err(StoreError::Corrupt(_))));
        let change = bench.faces().change_of(user.id, 1).await.unwrap().unwrap();
        assert!(change.templates.is_empty(), "what does not open is not matched");
        let since = bench.faces().changes_since(change.number - 1, 1, 1).await.unwrap();
        assert_eq!(since.unreadable, 1);
    }
}

pub(crate) async fn spelled_anew(bench: &Bench) {
    let connection = bench.database.connection();
    let by_the_old_rule = async || {
        for sql in [
            "UPDATE users SET email_key = CONCAT('old ', email_key), name_key = 'old', search_key = 'old'",
            "UPDATE departments SET name_key = CONCAT('old ', name_key), search_key = 'old'",
            "DELETE FROM counters WHERE name = 'spelling'",
        ] {
            connection.execute_unprepared(sql).await.unwrap();
        }
    };
    let anew = async || bench.database.spell_anew().await.unwrap();
    let (ada, lab) = (a_user("Ada"), a_department("Lab"));
    bench.users().insert(&ada, None).await.unwrap();
    bench.departments().insert(&lab).await.unwrap();
    assert!(anew().await.is_empty());
    by_the_old_rule().await;
    assert!(bench.users().credentials(ada.email.canonical()).await.unwrap().is_none());
    assert!(anew().await.is_empty());
    let found = bench.users().credentials(ada.email.canonical()).await.unwrap().expect("credentials");
    assert_eq!(found.user, ada.id);
    let twin = Department { id: a_department("Other").id, ..lab };
    let refused = bench.departments().insert(&twin).await;
    assert!(matches!(refused, Err(StoreError::Taken("name"))), "{refused:?}");

    // Of two that are one by the new rule, one is found, and the other is told of.
    by_the_old_rule().await;
    let twin = User { email: ada.email.clone(), ..a_user("Ada's twin") };
    bench.users().insert(&twin, None).await.unwrap();
    assert_eq!(anew().await, [ada.id.uuid()]);
    let found = bench.users().credentials(ada.email.canonical()).await.unwrap().expect("credentials");
    assert_eq!(found.user, twin.id);
    assert!(anew().await.is_empty(), "once for each rule");

    // What nobody else can have is written all the same.
    let by_name = UserFilter { q: Some("ada".into()), ..UserFilter::default() };
    let page = Page::new(1, 10).unwrap();
    let listed = bench.users().list(&UserScope::Everybody, &by_name, &[], page).await.unwrap();
    assert_eq!(listed.total, 2);
}

/// Of two, the first one's new key is what the second one has and gives up.
pub(crate) async fn spelled_one_after_the_other(bench: &Bench) {
    let connection = bench.database.connection();
    let [mut first, mut second] = [a_user("Ada"), a_user("Bob")];
    if first.id > second.id {
        std::mem::swap(&mut first, &mut second);
    }
    for user in [&first, &second] {
        bench.users().insert(user, None).await.unwrap();
    }
    let key = |user: &User, key: &str| {
        let (email, key) = (user.email.as_str(), key.to_owned());
        format!("UPDATE users SET email_key = '{key}' WHERE email = '{email}'")
    };
    for sql in [
        key(&first, "old"),
        key(&second, first.email.canonical()),
        "DELETE FROM counters WHERE name = 'spelling'".to_owned(),
    ] {
        connection.execute_unprepared(&sql).await.unwrap();
    }
    assert!(bench.database.spell_anew().await.unwrap().is_empty());
    for user in [&first, &second] {
        let found = bench.users().credentials(user.email.canonical()).await.unwrap().expect("credentials");
        assert_eq!(found.user, user.id);
    }
}

/// Whoever was entered when the rules were laxer is still listed, and can log in.
pub(crate) async fn read_as_they_were_entered(bench: &Bench) {
    let (user, department) = (a_user("Ada"), a_department("Lab"));
    bench.users().insert(&user, None).await.unwrap();
    bench.departments().insert(&department).await.unwrap();
    for sql in [
        "UPDATE users SET name = '\u{3164}', email = 'Admin@192.168.1.10', employee_code = 'a\u{2028}b'",
        "UPDATE departments SET name = 'La\u{2028}b'",
        "DELETE FROM counters WHERE name = 'spelling'",
    ] {
        bench.database.connection().execute_unprepared(sql).await.unwrap();
    }
    assert!(bench.database.spell_anew().await.unwrap().is_empty());
    let found = bench.users().get(user.id).await.unwrap().expect("the person");
    assert_eq!((found.name.as_str(), found.email.as_str()), ("\u{3164}", "Admin@192.168.1.10"));
    let page = Page::new(1, 10).unwrap();
    let listed = bench.users().list(&UserScope::Everybody, &UserFilter::default(), &[], page).await.unwrap();
    assert_eq!(listed.total, 1);
    let claimed = EmailAddress::canonical_of("admin@192.168.1.10");
    let credentials = bench.users().credentials(&claimed).await.unwrap().expect("credentials");
    assert_eq!(credentials.user, user.id);
    let lab = bench.departments().get(department.id).await.unwrap().expect("the department");
    assert_eq!(lab.name.as_str(), "La\u{2028}b");
}
