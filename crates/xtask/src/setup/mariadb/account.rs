//! Which system account the database server runs as.

use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::shell;

/// The account of the server's process.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Account {
    /// Our own, which is not root.
    Ours,
    /// An unprivileged one, because we are root and the server refuses to be root unasked.
    Other { name: &'static str, uid: u32, gid: u32 },
    /// Root after all: nobody else can reach a folder below a private one.
    Root,
}

impl Account {
    /// The argument that tells the server and its installer.
    pub(super) fn flag(&self) -> Option<String> {
        match self {
            Self::Ours => None,
            Self::Other { name, .. } => Some(format!("--user={name}")),
            Self::Root => Some("--user=root".to_owned()),
        }
    }

    /// Hands `path` and everything below it to the account.
    pub(super) fn own(&self, path: &Path) -> Result<()> {
        let Self::Other { uid, gid, .. } = self else { return Ok(()) };
        chown(path, Some(*uid), Some(*gid))
            .with_context(|| format!("cannot hand over {}", path.display()))?;
        if path.is_dir() {
            for entry in std::fs::read_dir(path)? {
                self.own(&entry?.path())?;
            }
        }
        Ok(())
    }
}

pub(super) fn choose(home: &Path) -> Result<Account> {
    if !shell::is_root() {
        return Ok(Account::Ours);
    }
    if !home.ancestors().skip(1).all(is_open) {
        shell::say("MariaDB: runs as root, no other account can reach this folder");
        return Ok(Account::Root);
    }
    let accounts = std::fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
    Ok(["mysql", "nobody"].into_iter().find_map(|name| find(&accounts, name)).unwrap_or(Account::Root))
}

/// Whether everybody may pass through this folder.
fn is_open(folder: &Path) -> bool {
    std::fs::metadata(folder).is_ok_and(|folder| folder.permissions().mode() & 0o001 != 0)
}

fn find(accounts: &str, name: &'static str) -> Option<Account> {
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next()? != name {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(Account::Other { name, uid, gid })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNTS: &str = "root:x:0:0:root:/root:/bin/sh\nmysqlx:x:1:1::/:/bin/false\n\
                            mysql:x:103:104:MySQL Server,,,:/nonexistent:/bin/false\n";

    #[test]
    fn accounts_are_found_by_their_whole_name() {
        assert_eq!(find(ACCOUNTS, "mysql"), Some(Account::Other { name: "mysql", uid: 103, gid: 104 }));
        assert_eq!(find(ACCOUNTS, "nobody"), None);
    }

    #[test]
    fn a_private_folder_is_not_open() {
        let folder = tempfile::tempdir().unwrap();
        let set = |mode| {
            std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        };
        set(0o755);
        assert!(is_open(folder.path()));
        set(0o700);
        assert!(!is_open(folder.path()));
    }
}
