//! One model file: what it must be, and whether the one on disk is it.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::Deserialize;
use sha2::{Digest, Sha256};

/// Nothing larger is read: no model here comes near, and a wrong file must not fill the memory.
const MAX_BYTES: u64 = 1 << 30;

/// A model file as the manifest describes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// Its name in the models folder.
    pub name: String,
    /// Where it can be had as it is.
    pub url: Option<String>,
    /// A zip file that contains it…
    pub archive: Option<String>,
    /// …under this name.
    pub member: Option<String>,
    /// Bytes, when known.
    pub size: Option<u64>,
    /// SHA-256 in lower-case hex. Without it the file is described but never opened.
    pub sha256: Option<String>,
    /// SPDX identifier or words.
    pub license: String,
    /// Whether that license allows commercial use.
    pub commercial: bool,
    /// What its publisher, or the project's own measurement, says about it.
    pub accuracy: String,
}

/// Where a model file comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source<'a> {
    /// An address of the file itself.
    Url(&'a str),
    /// A member of a zip file.
    Archive {
        /// Address of the zip file.
        url: &'a str,
        /// Name inside it.
        member: &'a str,
    },
    /// No public address: somebody has to put it into the folder.
    Folder,
}

/// What is on disk compared with what must be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileStatus {
    /// The right file.
    Verified,
    /// Nothing of that name.
    Missing,
    /// Another length.
    WrongSize {
        /// Bytes the manifest says.
        expected: u64,
        /// Bytes on disk.
        found: u64,
    },
    /// Another content.
    WrongHash {
        /// SHA-256 the manifest says.
        expected: String,
        /// SHA-256 on disk.
        found: String,
    },
    /// The manifest pins no hash, so no file can be the right one.
    NoPinnedHash,
    /// The file system refused.
    Unreadable(String),
}

impl fmt::Display for FileStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verified => f.write_str("verified"),
            Self::Missing => f.write_str("missing"),
            Self::WrongSize { expected, found } => {
                write!(f, "wrong size: {found} bytes instead of {expected}")
            }
            Self::WrongHash { expected, found } => {
                write!(f, "wrong content: SHA-256 {found} instead of {expected}")
            }
            Self::NoPinnedHash => {
                f.write_str("no pinned hash: the manifest does not say what the file must contain")
            }
            Self::Unreadable(why) => write!(f, "unreadable: {why}"),
        }
    }
}

impl ModelFile {
    /// Where it can be had.
    #[must_use]
    pub fn source(&self) -> Source<'_> {
        match (&self.url, &self.archive, &self.member) {
            (Some(url), _, _) => Source::Url(url),
            (None, Some(url), Some(member)) => Source::Archive { url, member },
            _ => Source::Folder,
        }
    }

    /// Whether the file in `dir` is the right one.
    #[must_use]
    pub fn status(&self, dir: &Path) -> FileStatus {
        match self.load(dir) {
            Ok(_) => FileStatus::Verified,
            Err(status) => status,
        }
    }

    /// Whether `bytes` are this file's.
    #[must_use]
    pub fn status_of(&self, bytes: &[u8]) -> FileStatus {
        let Some(expected) = &self.sha256 else { return FileStatus::NoPinnedHash };
        if let Some(size) = self.size
            && size != bytes.len() as u64
        {
            return FileStatus::WrongSize { expected: size, found: bytes.len() as u64 };
        }
        let found = hex(&Sha256::digest(bytes));
        if found == *expected {
            FileStatus::Verified
        } else {
            FileStatus::WrongHash { expected: expected.clone(), found }
        }
    }

    /// Reads the file from `dir` once and returns its bytes if they are the right ones, so that what was
    /// verified is what gets used: nobody can swap the file in between.
    ///
    /// # Errors
    /// Any [`FileStatus`] but `Verified`.
    pub fn load(&self, dir: &Path) -> Result<Vec<u8>, FileStatus> {
        if self.sha256.is_none() {
            return Err(FileStatus::NoPinnedHash);
        }
        let unreadable = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => FileStatus::Missing,
            _ => FileStatus::Unreadable(error.to_string()),
        };
        let file = File::open(dir.join(&self.name)).map_err(unreadable)?;
        let found = file.metadata().map_err(unreadable)?.len();
        match self.size {
            Some(expected) if expected != found => return Err(FileStatus::WrongSize { expected, found }),
            None if found > MAX_BYTES => return Err(FileStatus::WrongSize { expected: MAX_BYTES, found }),
            _ => {}
        }
        let mut bytes = Vec::with_capacity(found as usize);
        file.take(found + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        match self.status_of(&bytes) {
            FileStatus::Verified => Ok(bytes),
            wrong => Err(wrong),
        }
    }

    pub(super) fn check(&self, model: &str) -> Result<(), String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if self.name.is_empty() || self.name.starts_with('.') || !self.name.chars().all(plain) {
            return Err(format!("{model}: {:?} is not a plain file name", self.name));
        }
        let hex = |c: char| matches!(c, '0'..='9' | 'a'..='f');
        if self.sha256.as_ref().is_some_and(|hash| hash.len() != 64 || !hash.chars().all(hex)) {
            return Err(format!("{model}: sha256 must be 64 lower-case hex digits"));
        }
        if self.archive.is_some() != self.member.is_some() || (self.url.is_some() && self.archive.is_some()) {
            return Err(format!("{model}: say url, or archive and member, or neither"));
        }
        if self.size.is_some_and(|size| size == 0 || size > MAX_BYTES) {
            return Err(format!("{model}: size must be 1 to {MAX_BYTES} bytes"));
        }
        Ok(())
    }
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
