//! Node.js and the packages with which the tests make a TypeScript client.

use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context as _, Result, bail};

use super::packages;
use crate::shell::{self, Root, run, say};

/// The oldest that the generator runs on.
const OLDEST: (u32, u32) = (20, 19);

const NEEDED: &str = "the tests make a TypeScript client of the contract. Install Node.js 20.19 or newer, which \
                      comes with npm, and have both on the PATH";

/// The client's packages, exactly as its lock says.
pub(super) fn client_packages(root: &Root) -> Result<()> {
    let folder = root.join("tests/clients/typescript");
    if is_current(&folder) && is_new_enough() {
        say("packages of the TypeScript client: already installed");
        return Ok(());
    }
    if !is_new_enough() {
        packages::node().context(NEEDED)?;
        if !is_new_enough() {
            bail!("the Node.js that is found first is too old, or has no npm: {NEEDED}");
        }
    }
    let mut npm = Command::new("npm");
    run(npm.args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder)).context(
        "cannot install the packages of the TypeScript client. npm needs its registry, or a mirror of it",
    )
}

/// Whether what is installed is no older than the lock: npm writes its own copy of it last.
fn is_current(folder: &Path) -> bool {
    let written = |path: &str| -> Option<SystemTime> { folder.join(path).metadata().ok()?.modified().ok() };
    let lock = written("package-lock.json");
    written("node_modules/.package-lock.json")
        .is_some_and(|installed| lock.is_some_and(|lock| lock <= installed))
}

fn is_new_enough() -> bool {
    let version = shell::output(Command::new("node").arg("--version")).ok();
    version.and_then(|version| read(&version)).is_some_and(|version| version >= OLDEST)
        && shell::succeeds("npm", &["--version"])
}

/// `v20.19.2`
fn read(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.trim().strip_prefix('v')?.split('.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert_eq!(read("v20.19.2\n"), Some((20, 19)));
        assert_eq!(read("v9.11"), Some((9, 11)));
        assert_eq!(read("20"), None);
        assert!(read("v20.9.0") < Some(OLDEST) && read("v22.0.0") > Some(OLDEST));
    }

    #[test]
    fn packages_that_are_older_than_their_lock_are_not_current() -> Result<()> {
        let folder = std::env::temp_dir().join(format!("xtask-node-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("node_modules"))?;
        let write = |path: &str| std::fs::write(folder.join(path), "{}");
        write("package-lock.json")?;
        assert!(!is_current(&folder), "nothing is installed");
        write("node_modules/.package-lock.json")?;
        assert!(is_current(&folder));
        let later = SystemTime::now() + std::time::Duration::from_secs(60);
        std::fs::File::options().write(true).open(folder.join("package-lock.json"))?.set_modified(later)?;
        assert!(!is_current(&folder), "the lock is newer");
        Ok(std::fs::remove_dir_all(folder)?)
    }
}
