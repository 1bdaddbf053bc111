//! The disk under the data folder.

use std::fs::{OpenOptions, remove_file};
use std::io;
use std::path::PathBuf;

use rollcall_ports::ids::IdSource;
use rollcall_ports::probe::{DiskProbe, DiskReport};
use rustix::fs::Access;

use crate::ids::SystemIds;

/// Looks at the file system that holds a folder.
#[derive(Debug, Clone)]
pub struct FolderProbe(PathBuf);

impl FolderProbe {
    /// Looks at the file system that holds `folder`.
    #[must_use]
    pub const fn new(folder: PathBuf) -> Self {
        Self(folder)
    }
}

impl FolderProbe {
    /// Whether files may be made in the folder, without making one.
    ///
    /// # Errors
    /// Why not: it is not there, is no folder, belongs to others, or is on a read-only file system.
    pub fn may_write(&self) -> io::Result<()> {
        if !self.0.metadata()?.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(rustix::fs::access(&self.0, Access::WRITE_OK | Access::EXEC_OK)?)
    }
}

impl DiskProbe for FolderProbe {
    fn check(&self) -> io::Result<DiskReport> {
        let space = rustix::fs::statvfs(&self.0)?;
        let trial = self.0.join(format!(".probe-{}", SystemIds.next().simple()));
        let made = OpenOptions::new().write(true).create_new(true).open(&trial);
        let writable = made.is_ok() && remove_file(&trial).is_ok();
        // What root may still write is not ours: the blocks available to everybody count.
        Ok(DiskReport { free_bytes: space.f_bavail.saturating_mul(space.f_frsize), writable })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_can_be_written_says_so_and_stays_empty() {
        let folder = tempfile::tempdir().unwrap();
        let report = FolderProbe::new(folder.path().into()).check().unwrap();
        assert!(report.writable && report.free_bytes > 0);
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }

    #[test]
    fn whether_a_folder_may_be_written_is_asked_without_writing() {
        let folder = tempfile::tempdir().unwrap();
        let before = folder.path().metadata().unwrap().modified().unwrap();
        FolderProbe::new(folder.path().into()).may_write().unwrap();
        assert_eq!(folder.path().metadata().unwrap().modified().unwrap(), before);
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let refused = |path: PathBuf| FolderProbe::new(path).may_write().unwrap_err().kind();
        assert_eq!(refused(file), io::ErrorKind::NotADirectory);
        assert_eq!(refused("/nowhere/at/all".into()), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        assert!(FolderProbe::new("/nowhere/at/all".into()).check().is_err());
    }
}
