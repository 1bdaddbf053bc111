//! A setting that the program reads is one that every operator is told of, and that a container gets.

use std::collections::BTreeSet;
use std::fs;

use rollcall_tests::setup::workspace;

/// What the image sets itself, what compose.yaml decides by the services it has, and what is about files, of which a
/// container has none.
const NOT_PASSED_ON: [&str; 8] = [
    "DATABASE_URL",
    "DATA_DIR",
    "FOREIGN_SETTINGS",
    "HOST",
    "MODELS_DIR",
    "MODELS_MANIFEST",
    "ORT_DYLIB_PATH",
    "PORT",
];

/// Read in compose.yaml and nowhere else.
const OF_COMPOSE: [&str; 4] = ["BIND_ADDRESS", "MODEL_PACKS", "PUBLISHED_PORT", "ROLLCALL_TAG"];

fn text(path: &str) -> String {
    fs::read_to_string(workspace().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn is_key(word: &str) -> bool {
    let letters = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    word.len() > 2 && word.starts_with(|c: char| c.is_ascii_uppercase()) && word.chars().all(letters)
}

/// Every key that the program asks for: the texts in the sources that read settings that look like one.
fn known() -> BTreeSet<String> {
    let sources = ["settings.rs", "settings/database.rs", "settings/reader.rs"];
    let sources = sources.map(|path| text(&format!("crates/app/src/{path}"))).concat();
    let known: BTreeSet<String> =
        sources.split('"').skip(1).step_by(2).filter(|word| is_key(word)).map(str::to_owned).collect();
    assert!(known.contains("TRUSTED_PROXIES") && known.len() > 40, "{known:?}");
    known
}

/// The lines of the block `head` and what they are set to.
fn block(text: &str, head: &str) -> Vec<(String, String)> {
    let mut lines = text.lines().skip_while(|line| line.trim() != head);
    let indent = |line: &str| line.len() - line.trim_start().len();
    let outer = indent(lines.next().unwrap_or_else(|| panic!("no {head}")));
    let inside = lines.take_while(|line| indent(line) > outer);
    let entries = inside.filter(|line| !line.trim_start().starts_with('#'));
    entries
        .filter_map(|line| line.trim().split_once(':'))
        .map(|(key, value)| (key.to_owned(), value.trim().to_owned()))
        .collect()
}

#[test]
fn compose_passes_every_setting_on() {
    let environment = block(&text("docker/compose.yaml"), "environment:");
    let passed: BTreeSet<String> = environment.iter().map(|(key, _)| key.clone()).collect();
    assert_eq!(passed.len(), environment.len(), "a key stands there twice");
    let wanted: BTreeSet<String> =
        known().into_iter().filter(|key| !NOT_PASSED_ON.contains(&key.as_str())).collect();
    assert_eq!(passed, wanted);
    for (key, value) in environment {
        let of_the_same_name = value.is_empty() || value.starts_with(&format!("${{{key}:"));
        assert!(of_the_same_name || key == "DB_HOST", "{key}: {value}");
    }
}

#[test]
fn the_example_shows_every_setting_and_no_other() {
    let example = text(".env.example");
    let lines = example.lines().filter_map(|line| line.strip_prefix('#').unwrap_or(line).split_once('='));
    let shown: Vec<&str> = lines.map(|(key, _)| key).filter(|key| is_key(key)).collect();
    let set: BTreeSet<String> = shown.iter().map(|key| (*key).to_owned()).collect();
    assert_eq!(set.len(), shown.len(), "a key stands there twice");
    assert_eq!(set, known());
}

#[test]
fn the_settings_page_lists_every_setting_and_no_other() {
    let page = text("docs/admin/settings.md");
    let rows = page.lines().skip_while(|line| !line.starts_with("| Setting |")).skip(2);
    let cells = rows.take_while(|line| line.starts_with('|')).filter_map(|line| line.split('|').nth(1));
    let listed: BTreeSet<String> = cells
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .filter(|word| is_key(word))
        .map(str::to_owned)
        .collect();
    assert_eq!(listed, known());
}

/// Documents name settings that exist.
#[test]
fn documents_name_no_setting_that_is_not_there() {
    let known = known();
    for path in [
        "README.md",
        "crates/app/MIGRATING.md",
        "docker/README.md",
        "docs/admin/install.md",
        "docs/admin/limits.md",
        "docs/admin/proxy-tls.md",
        "docs/admin/security.md",
        "docs/admin/settings.md",
        "docs/admin/troubleshooting.md",
        "docs/kiosk.md",
        "docs/start.md",
    ] {
        let document = text(path);
        for word in document.split('`').skip(1).step_by(2) {
            let key = word.split_once('=').map_or(word, |(key, _)| key);
            let of_others = ["BENCH_", "MYSQL_", "ROLLCALL_BENCH_", "TEST_", "UPLOAD_"];
            let is_setting =
                is_key(key) && key.contains('_') && !of_others.iter().any(|own| key.starts_with(own));
            let exists = known.contains(key) || OF_COMPOSE.contains(&key);
            assert!(!is_setting || exists, "{path} names {word}");
        }
    }
}
