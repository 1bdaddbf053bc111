//! What was written is read, and nothing else is.

use super::*;

fn keys(key: u8) -> Keys {
    Keys::from_data_key([key; 32])
}

fn written() -> (Vec<u8>, Vec<Item>) {
    let head = Head::new("2026-11-30T14:00:00Z".into(), "sqlite", vec!["m1".into()], &keys(1));
    let mut writer = Writer::begin(Vec::new(), &head, &keys(1)).unwrap();
    let columns: Vec<String> = ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec();
    let rows = [
        vec![
            Cell::Whole(i64::MAX),
            Cell::Real(0.1 + 0.2),
            Cell::Text("Zoë \"\n\u{1f600}".into()),
            Cell::Bytes(vec![0, 255, 10]),
            Cell::Null,
        ],
        vec![
            Cell::Whole(-1),
            Cell::Real(f64::from(0.7_f32)),
            Cell::Text(String::new()),
            Cell::Bytes(Vec::new()),
            Cell::Real(3.0),
        ],
    ];
    writer.table("things", &columns).unwrap();
    rows.iter().for_each(|row| writer.row(row).unwrap());
    let (count, bytes) = writer.finish().unwrap();
    assert_eq!(count, 2);
    let mut items = vec![Item::Table { name: "things".into(), columns }];
    items.extend(rows.map(Item::Row));
    (bytes, items)
}

fn read(bytes: &[u8], key: u8) -> Result<Vec<Item>, BadBackup> {
    let mut reader = Reader::begin(bytes, &keys(key))?;
    let mut items = Vec::new();
    while let Some(item) = reader.next()? {
        items.push(item);
    }
    Ok(items)
}

#[test]
fn backup_file_reads_back_unchanged() {
    let (bytes, items) = written();
    assert_eq!(read(&bytes, 1).unwrap(), items);
}

#[test]
fn backup_file_cut_anywhere_is_an_error() {
    let (bytes, _) = written();
    for length in 0..bytes.len() {
        assert!(read(&bytes[..length], 1).is_err(), "{length} of {} bytes", bytes.len());
    }
}

#[test]
fn no_flipped_bit_changes_what_is_read() {
    let (bytes, items) = written();
    let mut unnoticed = 0;
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        // An archive has bits that mean nothing, such as its time and what fills up its last byte.
        if let Ok(read) = read(&flipped, 1) {
            assert_eq!(read, items, "bit {bit}");
            unnoticed += 1;
        }
    }
    assert!(unnoticed < 64, "{unnoticed} bits");
}

#[test]
fn backup_file_repacked_after_a_change_is_refused() {
    let (bytes, _) = written();
    let mut text = String::new();
    GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
    let packed = |text: &str| {
        let mut out = GzEncoder::new(Vec::new(), Compression::default());
        out.write_all(text.as_bytes()).unwrap();
        out.finish().unwrap()
    };
    assert!(read(&packed(&text), 1).is_ok());
    assert!(matches!(read(&packed(&text.replace("things", "thinks")), 1), Err(BadBackup::Altered)));
    let lines: Vec<&str> = text.lines().collect();
    let without_a_row = [&lines[..2], &lines[3..]].concat().join("\n") + "\n";
    assert!(matches!(read(&packed(&without_a_row), 1), Err(BadBackup::Altered)));
    let without_an_end = lines[..lines.len() - 1].join("\n") + "\n";
    assert!(matches!(read(&packed(&without_an_end), 1), Err(BadBackup::CutOff)));
    let behind = [bytes.as_slice(), b"more"].concat();
    assert!(matches!(read(&behind, 1), Err(BadBackup::Altered)));
}

#[test]
fn backup_of_another_key_and_foreign_files_are_told_apart() {
    let (bytes, _) = written();
    let reader = Reader::begin(&bytes[..], &keys(2)).unwrap();
    assert!(reader.head.has_key(&keys(1)) && !reader.head.has_key(&keys(2)));
    assert!(
        matches!(read(&bytes, 2), Err(BadBackup::Altered)),
        "its checksum cannot be made with another key"
    );
    for other in [&b"SQLite format 3\0"[..], b"-- MySQL dump", b"{}", b"\x1f\x8b\x08\x00not really"] {
        assert!(matches!(read(other, 1), Err(BadBackup::Foreign)), "{other:?}");
    }
}
