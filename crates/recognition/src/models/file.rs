//! One model file: what it must be, and whether the one on disk is it.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rollcall_dlib::DatError;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::package::{Conversion, Member, PythonPackage};

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
    /// …or a Python package of the manifest, whose source archive contains it…
    pub package: Option<String>,
    /// …under this name.
    pub member: Option<String>,
    /// SHA-256 of a package's file that is converted before it is installed.
    pub member_sha256: Option<String>,
    /// How it is converted.
    pub convert: Option<Conversion>,
    /// The package by that name.
    #[serde(skip)]
    pub(super) resolved: Option<PythonPackage>,
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
    /// A file of a Python package.
    Package(Member<'a>),
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

/// A package's file cannot become the model file.
#[derive(Debug, thiserror::Error)]
pub enum MemberError {
    /// It is another file than the pinned one.
    #[error("{path} in the archive has SHA-256 {found} instead of {expected}")]
    WrongHash {
        /// Path inside the archive.
        path: String,
        /// SHA-256 the manifest says.
        expected: String,
        /// SHA-256 of what was there.
        found: String,
    },
    /// It does not convert.
    #[error(transparent)]
    Conversion(#[from] DatError),
    /// What came out is not the pinned file.
    #[error("the converted file is not the pinned one: {0}")]
    Status(FileStatus),
}

impl ModelFile {
    /// Tells where it can be had.
    #[must_use]
    pub fn source(&self) -> Source<'_> {
        match (&self.url, &self.archive, &self.member) {
            (Some(url), _, _) => Source::Url(url),
            (None, Some(url), Some(member)) => Source::Archive { url, member },
            _ => self.member().map_or(Source::Folder, Source::Package),
        }
    }

    /// Tells whether the file in `dir` is the right one.
    #[must_use]
    pub fn status(&self, dir: &Path) -> FileStatus {
        match self.load(dir) {
            Ok(_) => FileStatus::Verified,
            Err(status) => status,
        }
    }

    /// Tells whether `bytes` are this file's.
    #[must_use]
    pub fn status_of(&self, bytes: &[u8]) -> FileStatus {
        let Some(expected) = &self.sha256 else { return FileStatus::NoPinnedHash };
        if let Some(size) = self.size
            && size != bytes.len() as u64
        {
            return FileStatus::WrongSize { expected: size, found: bytes.len() as u64 };
        }
        let found = sha256(bytes);
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

    /// Its place in a Python package, if it comes from one.
    #[must_use]
    pub fn member(&self) -> Option<Member<'_>> {
        let (package, path) = (self.resolved.as_ref()?, self.member.as_deref()?);
        let sha256 = self.member_sha256.as_deref().or(self.sha256.as_deref())?;
        Some(Member { package, path, sha256, convert: self.convert })
    }

    /// Makes the installed file's bytes from the package's file `bytes`.
    ///
    /// # Errors
    /// [`MemberError`] when those are other bytes than the pinned ones, do not convert, or become another
    /// file than the pinned one.
    pub fn made_from(&self, member: &Member<'_>, bytes: Vec<u8>) -> Result<Vec<u8>, MemberError> {
        let found = sha256(&bytes);
        if found != member.sha256 {
            let (path, expected) = (member.path.to_owned(), member.sha256.to_owned());
            return Err(MemberError::WrongHash { path, expected, found });
        }
        let bytes = match member.convert {
            Some(conversion) => conversion.apply(member.path, &bytes)?,
            None => bytes,
        };
        match self.status_of(&bytes) {
            FileStatus::Verified => Ok(bytes),
            status => Err(MemberError::Status(status)),
        }
    }

    /// Returns the hash a model is named by: that of the file it was published as, so that a model keeps its
    /// name when the conversion writes the same network in another way.
    #[must_use]
    pub fn identity(&self) -> Option<&str> {
        self.member_sha256.as_deref().or(self.sha256.as_deref())
    }

    pub(super) fn check(&self, model: &str) -> Result<(), String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if self.name.is_empty() || self.name.starts_with('.') || !self.name.chars().all(plain) {
            return Err(format!("{model}: {:?} is not a plain file name", self.name));
        }
        if [&self.sha256, &self.member_sha256].into_iter().flatten().any(|hash| !is_sha256(hash)) {
            return Err(format!("{model}: sha256 and member_sha256 must be 64 lower-case hex digits"));
        }
        let places = [&self.url, &self.archive, &self.package].into_iter().flatten().count();
        let inside = self.archive.is_some() || self.package.is_some();
        if places > 1 || inside != self.member.is_some() {
            return Err(format!(
                "{model}: say url, or archive and member, or package and member, or nothing of these"
            ));
        }
        if self.convert.is_some() != self.member_sha256.is_some()
            || (self.convert.is_some() && self.package.is_none())
        {
            return Err(format!("{model}: convert and member_sha256 go together, with a package"));
        }
        if self.size.is_some_and(|size| size == 0 || size > MAX_BYTES) {
            return Err(format!("{model}: size must be 1 to {MAX_BYTES} bytes"));
        }
        Ok(())
    }
}

pub(super) fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
}

/// Returns the SHA-256 of `bytes` in lower-case hex.
pub(super) fn sha256(bytes: &[u8]) -> String {
    use fmt::Write;
    let bytes = Sha256::digest(bytes);
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
