//! Fetching ONNX Runtime with the ordinary Python client; only the library is kept.

use std::fs::File;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::version::{self, Version};
use crate::setup::pip::{self, Form};
use crate::shell::{output, run, say};

const REMEDY: &str = "ONNX Runtime is needed. Check the network and pip's settings, or export ORT_DYLIB_PATH \
                      naming a libonnxruntime.so";

/// Downloads the wheel and puts its library into `folder`.
pub(super) fn fetch(folder: &Path) -> Result<PathBuf> {
    let scratch = tempfile::tempdir_in(folder).context("cannot write into .rollcall/")?;
    say(format!("ONNX Runtime: fetching {} with pip", version::PINNED));
    download(scratch.path()).context(REMEDY)?;
    let wheel = std::fs::read_dir(scratch.path())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .context("pip downloaded no wheel")?;
    unpack(&wheel, folder)
}

fn download(into: &Path) -> Result<()> {
    let mut pinned = pip::download(Form::Wheel, into)?;
    pinned.args(["--implementation", "cp", "--python-version", version::WHEEL_PYTHON]);
    let Err(error) = output(pip::pinned(&mut pinned, into, &version::pinned_requirement())?) else {
        return Ok(());
    };

    // Other bytes under the pinned version are a reason to stop, not to look for something older.
    if !is_unavailable(&format!("{error:#}")) {
        return Err(error);
    }
    say(format!(
        "ONNX Runtime: {} is not offered for this machine, taking the newest that is, unpinned",
        version::PINNED
    ));
    run(pip::download(Form::Wheel, into)?.arg(version::usable_range()))
}

/// How pip says that no wheel of that version fits this machine.
fn is_unavailable(complaint: &str) -> bool {
    complaint.contains("No matching distribution found")
}

/// Copies the library out of the wheel; it appears under its name only when it is whole.
fn unpack(wheel: &Path, folder: &Path) -> Result<PathBuf> {
    let file = File::open(wheel).with_context(|| format!("cannot read {}", wheel.display()))?;
    let mut archive = zip::ZipArchive::new(file).context("the wheel is not a ZIP archive")?;
    let Some((inside, name)) =
        archive.file_names().find_map(|path| Some((path.to_owned(), library_name(path)?.to_owned())))
    else {
        bail!("the wheel holds no libonnxruntime.so");
    };
    let mut whole = tempfile::NamedTempFile::new_in(folder)?;
    io::copy(&mut archive.by_name(&inside)?, &mut whole).context("the wheel is damaged")?;
    whole.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
    let library = folder.join(name);
    whole.persist(&library).with_context(|| format!("cannot write {}", library.display()))?;
    Ok(library)
}

/// The file name of the library, if this path inside the wheel is it.
fn library_name(path: &str) -> Option<&str> {
    let name = path.strip_prefix("onnxruntime/capi/")?;
    Version::of_library(name).map(|_| name)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn wheel(folder: &Path, files: &[(&str, &str)]) -> PathBuf {
        let path = folder.join("a.whl");
        let mut archive = zip::ZipWriter::new(File::create(&path).unwrap());
        for (name, content) in files {
            archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            archive.write_all(content.as_bytes()).unwrap();
        }
        archive.finish().unwrap();
        path
    }

    #[test]
    fn only_the_library_leaves_the_wheel() {
        let folder = tempfile::tempdir().unwrap();
        let into = tempfile::tempdir().unwrap();
        let wheel = wheel(
            folder.path(),
            &[
                ("onnxruntime/__init__.py", "python"),
                ("onnxruntime/capi/libonnxruntime_providers_shared.so", "other"),
                ("onnxruntime/capi/libonnxruntime.so.1.32.0", "library"),
                ("elsewhere/libonnxruntime.so.1.99.0", "trap"),
            ],
        );
        let library = unpack(&wheel, into.path()).unwrap();
        assert_eq!(library, into.path().join("libonnxruntime.so.1.32.0"));
        assert_eq!(std::fs::read_to_string(library).unwrap(), "library");
        assert_eq!(std::fs::read_dir(into.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_wheel_without_the_library_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let into = tempfile::tempdir().unwrap();
        let wheel = wheel(folder.path(), &[("onnxruntime/capi/../../libonnxruntime.so.1.32.0", "trap")]);
        assert!(unpack(&wheel, into.path()).is_err());
        assert_eq!(std::fs::read_dir(into.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_wrong_hash_is_not_an_absent_version() {
        assert!(is_unavailable("ERROR: No matching distribution found for onnxruntime==1.32.0"));
        assert!(!is_unavailable("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE."));
    }
}
