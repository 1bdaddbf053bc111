//! What CI checks, and the accuracy measurement.

use std::ffi::OsString;

use anyhow::{Context as _, Result};

use crate::setup::{self, Needs};
use crate::shell::{Root, run, say, succeeds};

/// Formatting, clippy, documentation, licenses.
pub(crate) fn lint(root: &Root) -> Result<()> {
    run(root.cargo().args(["fmt", "--all", "--check"])).context("run `cargo fmt --all`")?;
    // Clippy compiles the bindings to OpenCV, too.
    setup::native_packages()?;
    run(root.cargo().args(["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))?;
    // Every name in the documentation leads somewhere.
    run(root
        .cargo()
        .args(["doc", "--workspace", "--no-deps", "--locked"])
        .env("RUSTDOCFLAGS", "-D warnings"))?;
    deny(root)
}

/// A check that cannot be made is reported as such, never as passed.
fn deny(root: &Root) -> Result<()> {
    if !succeeds("cargo-deny", &["--version"]) {
        say("not run: licenses, bans, sources, advisories (`cargo install --locked cargo-deny` adds them)");
        return Ok(());
    }
    let deny = |arguments: &[&str]| run(root.command("cargo-deny").arg("--locked").args(arguments));
    deny(&["check", "licenses", "bans", "sources"])?;
    if !succeeds("cargo-deny", &["fetch", "db"]) {
        say("not run: advisories (their database cannot be fetched here)");
        return Ok(());
    }
    deny(&["check", "advisories"])
}

/// The whole test suite, with everything it needs.
pub(crate) fn test(root: &Root, args: &[OsString]) -> Result<()> {
    let machine = setup::prepare(root, &Needs::tests())?;
    let mut cargo = root.cargo();
    cargo.arg("test");
    if !names_packages(args) {
        cargo.arg("--workspace");
    }
    cargo.arg("--locked").args(args);
    if !machine.labeled {
        say(NOT_RUN);
        cargo.args(without_labeled(args));
    }
    machine.tell(&mut cargo);
    run(&mut cargo)?;
    if !machine.labeled {
        say(NOT_RUN);
    }
    Ok(())
}

/// What is left out where the labeled photographs are not there, said before and after.
const NOT_RUN: &str = "not run, because ../shared/faces is not there: the tests in modules named `labeled` \
                       (the reference results of three packs, hard photos, journeys and identification with labeled \
                       people, the import of encodings). Put the folder there, or set ROLLCALL_SHARED to it";

/// The arguments that leave the labeled tests out, after those that are there.
fn without_labeled(args: &[OsString]) -> Vec<&'static str> {
    let skip = ["--skip", "labeled::"];
    if args.iter().any(|arg| arg == "--") { skip.to_vec() } else { [&["--"], &skip[..]].concat() }
}

/// Whether the developer chose packages; `--workspace` would overrule the choice.
fn names_packages(args: &[OsString]) -> bool {
    args.iter()
        .map(|arg| arg.to_string_lossy())
        .take_while(|arg| arg != "--")
        .any(|arg| (arg.starts_with("-p") && !arg.starts_with("--")) || arg.starts_with("--package"))
}

/// Every pack on the photographs of the accuracy protocol.
pub(crate) fn accuracy(root: &Root) -> Result<()> {
    let machine = setup::prepare(root, &Needs::measurements())?;
    for pack in setup::MEASURED {
        let mut cargo = root.cargo();
        cargo.args(["run", "--release", "--locked", "--package", "rollcall-recognition"]);
        cargo.args(["--example", "lfw", "--", pack]);
        machine.tell(&mut cargo);
        run(&mut cargo)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labeled_tests_are_left_out_by_the_test_program() {
        let with = |args: &[&str]| without_labeled(&args.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(with(&["-p", "rollcall-tests"]), ["--", "--skip", "labeled::"]);
        assert_eq!(with(&["--", "--nocapture"]), ["--skip", "labeled::"]);
    }

    #[test]
    fn a_chosen_package_is_not_overruled() {
        let names = |args: &[&str]| names_packages(&args.iter().map(OsString::from).collect::<Vec<_>>());
        assert!(names(&["-p", "rollcall-storage"]));
        assert!(names(&["-prollcall-storage"]));
        assert!(names(&["--package=rollcall-storage"]));
        assert!(!names(&["--no-fail-fast", "--", "-p"]));
        assert!(!names(&["--profile", "release"]));
        assert!(!names(&[]));
    }
}
