//! The fakes sit every exam.

use rollcall_ports::store::StoreError;
use rollcall_testkit::builders::{a_user, at};
use rollcall_testkit::contracts::legacy::the_office;
use rollcall_testkit::fake_ports;
use rollcall_testkit::fakes::{FakeIndex, FakePasswords, FakeSealer, FakeTokens};

mod stores_of_their_own {
    use rollcall_testkit::fake_ports;

    rollcall_testkit::all_store_contracts!(fake_ports().0);
    rollcall_testkit::empty_database_contract!(fake_ports().0);
}

/// Proves that the clauses themselves can share a database.
mod shared_stores {
    use std::sync::LazyLock;

    use rollcall_ports::Ports;
    use rollcall_testkit::fake_ports;

    static SHARED: LazyLock<Ports> = LazyLock::new(|| fake_ports().0);

    rollcall_testkit::all_store_contracts!(SHARED.clone());
}

rollcall_testkit::face_index_contract!(FakeIndex::default());
rollcall_testkit::passwords_contract!(FakePasswords::default());
rollcall_testkit::legacy_system_contract!(the_office());
rollcall_testkit::sealer_contract!(FakeSealer::default());
rollcall_testkit::access_tokens_contract!(FakeTokens);

#[tokio::test]
async fn an_outage_reaches_every_store_and_passes() {
    let (ports, fakes) = fake_ports();
    let user = a_user("Ada");
    ports.users.insert(&user, None).await.unwrap();
    fakes.stores.set_outage(true);
    assert!(matches!(ports.users.get(user.id).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(ports.faces.of_user(user.id).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(ports.probe.check().await, Err(StoreError::Unavailable(_))));
    ports.recognition_log.flush().await;
    fakes.stores.set_outage(false);
    assert!(ports.users.get(user.id).await.unwrap().is_some());
}

#[test]
fn the_clock_moves_only_when_told() {
    let (ports, fakes) = fake_ports();
    assert_eq!(ports.clock.now(), at("2026-03-02T08:00:00Z"));
    fakes.clock.set("2026-03-02T09:00:00.123456789Z");
    assert_eq!(ports.clock.now(), at("2026-03-02T09:00:00.123456Z"));
    fakes.clock.advance(jiff::SignedDuration::from_mins(5));
    assert_eq!(ports.clock.now(), at("2026-03-02T09:05:00.123456Z"));
}

#[test]
fn identifiers_ascend_and_repeat_in_every_world() {
    let (one, other) = (fake_ports().0.ids, fake_ports().0.ids);
    let mut ids: Vec<_> = (0..100).map(|_| one.next()).collect();
    assert!(ids.is_sorted() && ids.iter().all(|id| id.get_version_num() == 7));
    assert!((0..100).all(|n| ids[n] == other.next()));
    ids.dedup();
    assert_eq!(ids.len(), 100);
    assert_ne!(one.secret(), one.secret());
}

/// A clause that no macro names would never be asked.
#[test]
fn every_clause_is_stamped() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/contracts");
    let mut text = String::new();
    for file in std::fs::read_dir(folder).unwrap() {
        text += &std::fs::read_to_string(file.unwrap().path()).unwrap();
    }
    let clauses = text.lines().filter_map(|line| line.strip_prefix("pub async fn ")?.split('(').next());
    let forgotten: Vec<_> =
        clauses.filter(|clause| !text.lines().any(|line| line.trim() == *clause)).collect();
    assert_eq!(forgotten, [""; 0]);
}
