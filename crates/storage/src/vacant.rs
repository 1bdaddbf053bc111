//! The place of a SQLite file on which nobody works, for whoever fills it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::database::{Database, lock_path};

/// Why a place cannot be filled.
#[derive(Debug, thiserror::Error)]
pub enum NotVacant {
    /// A server answers from this file, or did when the file was taken away.
    #[error("a server, or another command, works on it. Stop it first")]
    InUse,
    /// What belongs to a database that was moved away would be taken for a part of the new one.
    #[error("{} was left behind by another database. Move it to where that database is", .0.display())]
    Companion(PathBuf),
    /// The folder.
    #[error(transparent)]
    Folder(#[from] io::Error),
}

/// A place that is kept until it is filled or given up.
#[derive(Debug)]
pub struct Vacant {
    path: PathBuf,
    _locks: [File; 2],
}

impl Vacant {
    /// Keeps the place at `path` for us.
    ///
    /// # Errors
    /// [`NotVacant`]; a file that is there is no hindrance, for the caller knows whether it is empty.
    pub fn keep(path: &Path) -> Result<Self, NotVacant> {
        let lock = |path: PathBuf| match open_lock(&path)?.try_lock_for_us() {
            Ok(file) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(NotVacant::InUse),
            Err(TryLockError::Error(error)) => Err(error.into()),
        };
        let closed_periods = [lock(serving_path(path))?, lock(lock_path(path))?];
        if !path.exists()
            && let Some(left) = companions(path).into_iter().find(|file| file.exists())
        {
            return Err(NotVacant::Companion(left));
        }
        let vacant = Self { path: path.into(), _locks: closed_periods };
        // Of an attempt that broke off.
        vacant.clear();
        Ok(vacant)
    }

    /// Where the new file is made, beside its place.
    #[must_use]
    pub fn draft(&self) -> PathBuf {
        beside(&self.path, ".restoring")
    }

    /// Puts the file that was made, and closed, into its place: whole or not at all.
    ///
    /// # Errors
    /// Those of the file system, and that meanwhile there is another file.
    pub fn fill(self) -> io::Result<()> {
        let draft = self.draft();
        File::open(&draft)?.sync_all()?;
        if self.path.exists() {
            // The caller found nothing in it. Its log must not be taken for the new file's.
            for companion in companions(&self.path) {
                remove(&companion)?;
            }
            fs::rename(&draft, &self.path)?;
        } else {
            // Unlike a rename, a link does not replace what appeared meanwhile.
            fs::hard_link(&draft, &self.path)?;
            fs::remove_file(&draft)?;
        }
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }

    fn clear(&self) {
        let draft = self.draft();
        let closed_periods = [lock_path(&draft), serving_path(&draft)];
        for file in companions(&draft).into_iter().chain(closed_periods).chain([draft]) {
            // What cannot be removed is in the way of the next step, which says so.
            let _ = remove(&file);
        }
    }
}

impl Drop for Vacant {
    fn drop(&mut self) {
        self.clear();
    }
}

impl Database {
    /// Says that somebody answers from this file, for as long as what is returned is kept. Nothing for a database of a
    /// server, which knows who is connected, and where the folder knows no locks.
    #[must_use]
    pub fn serving(&self) -> Option<File> {
        let file = open_lock(&serving_path(self.file()?)).ok()?;
        file.lock_shared().ok()?;
        Some(file)
    }
}

trait TryLockForUs: Sized {
    fn try_lock_for_us(self) -> Result<Self, TryLockError>;
}

impl TryLockForUs for File {
    fn try_lock_for_us(self) -> Result<Self, TryLockError> {
        self.try_lock()?;
        Ok(self)
    }
}

fn open_lock(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn serving_path(database: &Path) -> PathBuf {
    beside(database, "-serving")
}

/// What SQLite keeps beside a file.
fn companions(database: &Path) -> [PathBuf; 3] {
    ["-wal", "-shm", "-journal"].map(|ending| beside(database, ending))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
