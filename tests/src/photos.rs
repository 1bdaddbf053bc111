//! The labeled photographs of `../shared/faces`, or of `$ROLLCALL_SHARED/faces`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use crate::{environment, setup};

/// One identity of the identification protocol.
#[derive(Debug, Clone, Default)]
pub struct Person {
    /// The identity's label.
    pub name: String,
    /// The photos by which they are enrolled: five.
    pub enroll: Vec<Vec<u8>>,
    /// Other photos of them.
    pub probes: Vec<Vec<u8>>,
}

/// What a photo of the protocol is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Enroll,
    Probe,
    Stranger,
}

struct Row {
    file: String,
    identity: String,
    role: Role,
}

/// The folder of photographs.
///
/// # Panics
/// When it is absent.
#[must_use]
pub fn folder() -> PathBuf {
    let shared =
        environment("ROLLCALL_SHARED").map_or_else(|| setup::workspace().join("../shared"), PathBuf::from);
    let faces = shared.join("faces");
    assert!(
        faces.join("identification.csv").is_file(),
        "the test photographs are not in {}: put them there, or set ROLLCALL_SHARED to the folder that holds `faces`",
        faces.display()
    );
    faces
}

/// A photograph by its path in the folder, such as `hard/webp.webp`.
///
/// # Panics
/// When it is absent.
#[must_use]
pub fn photo(path: &str) -> Vec<u8> {
    let file = folder().join(path);
    std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The photographs of a subfolder, by name.
///
/// # Panics
/// When there is no such subfolder.
#[must_use]
pub fn names_in(subfolder: &str) -> Vec<String> {
    let dir = folder().join(subfolder);
    let entries = std::fs::read_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    names
}

/// One identity of the protocol.
///
/// # Panics
/// When there is no such identity.
#[must_use]
pub fn person(name: &str) -> Person {
    let found = of_identity(name);
    assert!(!found.enroll.is_empty(), "identification.csv has no {name}");
    found
}

/// The first identities of the protocol, by name.
#[must_use]
pub fn people(count: usize) -> Vec<Person> {
    let mut names: Vec<&str> =
        protocol().iter().filter(|row| row.role == Role::Enroll).map(|row| row.identity.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().take(count).map(of_identity).collect()
}

/// Photos of the first people who are not enrolled, with their labels.
#[must_use]
pub fn strangers(count: usize) -> Vec<(String, Vec<u8>)> {
    let strangers = protocol().iter().filter(|row| row.role == Role::Stranger);
    strangers.take(count).map(|row| (row.identity.clone(), photo(&row.file))).collect()
}

fn of_identity(name: &str) -> Person {
    let mut found: BTreeMap<bool, Vec<Vec<u8>>> = BTreeMap::new();
    for row in protocol().iter().filter(|row| row.identity == name && row.role != Role::Stranger) {
        found.entry(row.role == Role::Enroll).or_default().push(photo(&row.file));
    }
    Person {
        name: name.to_owned(),
        enroll: found.remove(&true).unwrap_or_default(),
        probes: found.remove(&false).unwrap_or_default(),
    }
}

fn protocol() -> &'static [Row] {
    static ROWS: OnceLock<Vec<Row>> = OnceLock::new();
    ROWS.get_or_init(|| {
        let text = photo("identification.csv");
        let text = String::from_utf8(text).expect("identification.csv is text");
        text.lines().skip(1).map(row).collect()
    })
}

/// No label of the protocol holds a comma.
fn row(line: &str) -> Row {
    let mut fields = line.split(',').map(str::to_owned);
    let (Some(file), Some(identity), Some(role)) = (fields.next(), fields.next(), fields.next()) else {
        panic!("a line of identification.csv is not file,identity,role: {line}");
    };
    let role = match role.as_str() {
        "enrol" => Role::Enroll,
        "probe" => Role::Probe,
        "unknown" => Role::Stranger,
        other => panic!("identification.csv has the role {other}"),
    };
    Row { file, identity, role }
}

/// A portrait of those that `cargo xtask photos` fetches, such as `obama.jpg`.
///
/// # Panics
/// When it is absent.
#[must_use]
pub fn portrait(name: &str) -> Vec<u8> {
    let file = setup::workspace().join(".rollcall/photos").join(name);
    std::fs::read(&file)
        .unwrap_or_else(|error| panic!("{}: {error}. Run `cargo xtask photos`", file.display()))
}

/// One shot of a drawn person, for servers started with [`crate::Setup::drawn`].
#[must_use]
pub fn drawn(person: &str, shot: u32) -> Vec<u8> {
    rollcall_testkit::photos::drawn_photo(person).shot(shot).bytes()
}

/// Five shots of a drawn person: as many as an enrollment needs.
#[must_use]
pub fn five_drawn(person: &str) -> Vec<Vec<u8>> {
    (1..=5).map(|shot| drawn(person, shot)).collect()
}
