//! What a [`LegacySystem`] promises. The system under examination holds [`PEOPLE`] and [`NOTES`].

use rollcall_ports::legacy::{
    Cell, ColumnKind, LegacyColumn, LegacyOwner, LegacyRow, LegacyRows, LegacySystem, LegacyTable,
};

use crate::fakes::FakeLegacySystem;

/// Stamps the contract on a system that holds the tables [`the_office`] describes.
#[macro_export]
macro_rules! legacy_system_contract {
    ($system:expr) => {
        $crate::stamp! { $system, legacy:
            tables_are_told_with_their_columns_and_keys
            rows_are_counted
            rows_come_in_the_order_of_their_keys_page_by_page
            rows_of_one_value_are_told_apart
            values_come_as_text_or_bytes
            overlong_cell_is_not_read
            rows_without_an_owner_are_found
            a_value_that_no_key_can_be_finds_nothing
        }
    };
}

/// Columns: `id` (whole number, key), `name` (text), `photo` (bytes). The third photo has 70,000 bytes of 7.
pub const PEOPLE: &str = "people";

/// Columns: `id` (whole number, key), `person_id` (whole number), `words` (text).
pub const NOTES: &str = "notes";

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

/// The system under examination, in memory.
#[must_use]
pub fn the_office() -> FakeLegacySystem {
    let (whole, words, bytes) = (ColumnKind::Whole, ColumnKind::Text, ColumnKind::Bytes);
    let people = vec![
        vec![text("2"), Cell::Null, Cell::Null],
        vec![text("1"), text("Ada"), Cell::Bytes(vec![0, 255])],
        vec![text("10"), text("Émile 😀"), Cell::Bytes(vec![7; 70_000])],
    ];
    let notes = vec![
        vec![text("1"), text("1"), text("a")],
        vec![text("2"), text("99"), text("of nobody")],
        vec![text("3"), Cell::Null, text("of nobody either")],
        vec![text("4"), text("1"), text("b")],
        vec![text("5"), text("10"), text("c")],
    ];
    FakeLegacySystem::new("the office")
        .with(PEOPLE, &[("id", whole), ("name", words), ("photo", bytes)], people)
        .with(NOTES, &[("id", whole), ("person_id", whole), ("words", words)], notes)
}

async fn table(system: &dyn LegacySystem, name: &str) -> LegacyTable {
    let tables = system.tables().await.expect("an answer");
    tables.into_iter().find(|table| table.name == name).expect("the table")
}

fn column<'a>(table: &'a LegacyTable, name: &str) -> &'a LegacyColumn {
    table.columns.iter().find(|column| column.name == name).expect("the column")
}

fn keys(rows: &[LegacyRow]) -> Vec<Cell> {
    rows.iter().map(|row| row.key.clone()).collect()
}

async fn all(system: &dyn LegacySystem, name: &str, columns: &[&str]) -> Vec<LegacyRow> {
    let table = table(system, name).await;
    let columns: Vec<&LegacyColumn> = columns.iter().map(|name| column(&table, name)).collect();
    let wanted = LegacyRows { table: &table, columns: &columns, of: None, after: None, limit: 100 };
    system.rows(&wanted).await.expect("an answer")
}

pub async fn tables_are_told_with_their_columns_and_keys(system: &dyn LegacySystem) {
    let people = table(system, PEOPLE).await;
    let columns: Vec<_> = people.columns.iter().map(|column| (column.name.as_str(), column.kind)).collect();
    let expected = [("id", ColumnKind::Whole), ("name", ColumnKind::Text), ("photo", ColumnKind::Bytes)];
    assert_eq!(columns, expected);
    assert_eq!(people.key.as_deref(), Some("id"));
}

pub async fn rows_are_counted(system: &dyn LegacySystem) {
    assert_eq!((system.count(PEOPLE).await.unwrap(), system.count(NOTES).await.unwrap()), (3, 5));
}

pub async fn rows_come_in_the_order_of_their_keys_page_by_page(system: &dyn LegacySystem) {
    let table = table(system, PEOPLE).await;
    let mut after = None;
    for expected in [&["1", "2"][..], &["10"], &[]] {
        let wanted = LegacyRows { table: &table, columns: &[], of: None, after: after.as_ref(), limit: 2 };
        let found = system.rows(&wanted).await.unwrap();
        assert_eq!(keys(&found), expected.iter().map(|key| text(key)).collect::<Vec<_>>());
        after = found.last().map(|row| row.key.clone());
    }
}

pub async fn rows_of_one_value_are_told_apart(system: &dyn LegacySystem) {
    let table = table(system, NOTES).await;
    let (whose, words) = (column(&table, "person_id"), column(&table, "words"));
    let ada = text("1");
    let wanted =
        LegacyRows { table: &table, columns: &[words], of: Some((whose, &ada)), after: None, limit: 100 };
    let row = |key: &str, words: &str| LegacyRow { key: text(key), cells: vec![text(words)] };
    assert_eq!(system.rows(&wanted).await.unwrap(), [row("1", "a"), row("4", "b")]);
    let first = text("1");
    let rest = LegacyRows { after: Some(&first), ..wanted };
    assert_eq!(system.rows(&rest).await.unwrap(), [row("4", "b")]);
}

pub async fn values_come_as_text_or_bytes(system: &dyn LegacySystem) {
    let rows = all(system, PEOPLE, &["photo", "name"]).await;
    assert_eq!(rows[0].cells, [Cell::Bytes(vec![0, 255]), text("Ada")]);
    assert_eq!(rows[1].cells, [Cell::Null, Cell::Null]);
    assert_eq!(rows[2].cells[1], text("Émile 😀"));
}

pub async fn overlong_cell_is_not_read(system: &dyn LegacySystem) {
    assert_eq!(all(system, PEOPLE, &["photo"]).await[2].cells, [Cell::TooLong(70_000)]);
}

pub async fn rows_without_an_owner_are_found(system: &dyn LegacySystem) {
    let (people, notes) = (table(system, PEOPLE).await, table(system, NOTES).await);
    let of = LegacyOwner { column: column(&notes, "person_id"), table: &people, named_by: "id" };
    let wanted = LegacyRows { table: &notes, columns: &[], of: None, after: None, limit: 100 };
    assert_eq!(keys(&system.strays(&wanted, of).await.unwrap()), [text("2"), text("3")]);
    let second = text("2");
    let rest = LegacyRows { after: Some(&second), ..wanted };
    assert_eq!(keys(&system.strays(&rest, of).await.unwrap()), [text("3")]);
}

pub async fn a_value_that_no_key_can_be_finds_nothing(system: &dyn LegacySystem) {
    let table = table(system, NOTES).await;
    let whose = column(&table, "person_id");
    for value in [text("1 OR 1=1"), text("one"), text("1.0"), Cell::Null] {
        let wanted =
            LegacyRows { table: &table, columns: &[], of: Some((whose, &value)), after: None, limit: 100 };
        // Nothing equals NULL, in a fake neither.
        let found = system.rows(&wanted).await.unwrap();
        assert_eq!(keys(&found), [], "{value:?}");
    }
}
