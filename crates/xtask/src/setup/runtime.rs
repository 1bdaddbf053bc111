//! ONNX Runtime, the native library that `ort` loads when the server starts.

mod fetch;
mod version;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::shell::{Root, say};
use version::Version;

/// Where `rollcall` itself looks when `ORT_DYLIB_PATH` is not set.
const DEFAULT_PLACE: &str = "onnxruntime";

const SYSTEM_FOLDERS: [&str; 7] = [
    "/usr/local/lib",
    "/usr/local/lib64",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/opt/onnxruntime/lib",
];

/// The library this machine will use.
#[derive(Debug)]
pub(crate) struct Runtime {
    pub(crate) library: PathBuf,
    pub(crate) in_default_place: bool,
}

/// Finds ONNX Runtime, or fetches it.
pub(super) fn provide(root: &Root) -> Result<Runtime> {
    if let Some(library) = std::env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()) {
        let library = root.join(library);
        if !library.is_file() {
            bail!("ORT_DYLIB_PATH names {}, which is not a file. Correct it or unset it.", library.display());
        }
        if let Some(found) = actual_version(&library).filter(|found| *found < version::MINIMUM) {
            bail!(
                "ORT_DYLIB_PATH names ONNX Runtime {found}, and {} or newer is needed. Unset it.",
                version::MINIMUM
            );
        }
        say(format!("ONNX Runtime: {} (ORT_DYLIB_PATH)", library.display()));
        return Ok(Runtime { library, in_default_place: false });
    }

    let own = root.own(DEFAULT_PLACE)?;
    if let Some(library) = newest_in(&own) {
        say(format!("ONNX Runtime: already there, {}", library.display()));
        return Ok(Runtime { library, in_default_place: true });
    }
    if let Some(library) = SYSTEM_FOLDERS.iter().find_map(|folder| newest_in(Path::new(folder))) {
        say(format!("ONNX Runtime: {} (the system's)", library.display()));
        return Ok(Runtime { library, in_default_place: false });
    }
    let library = fetch::fetch(&own)?;
    say(format!("ONNX Runtime: installed {}", library.display()));
    Ok(Runtime { library, in_default_place: true })
}

/// The newest library of a folder that is new enough.
fn newest_in(folder: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?;
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter_map(|path| Some((actual_version(&path)?, path)))
        .filter(|(version, _)| *version >= version::MINIMUM)
        .max()
        .map(|(_, path)| path)
}

/// Read off the name of the real file: `libonnxruntime.so` is usually a link.
fn actual_version(library: &Path) -> Option<Version> {
    let file = library.canonicalize().ok()?;
    Version::of_library(file.file_name()?.to_str()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_usable_library_of_a_folder_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "libonnxruntime.so.1.9.0",
            "libonnxruntime.so.1.24.1",
            "libonnxruntime.so.1.32.0",
            "libonnxruntime_providers_shared.so",
            "README",
        ] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(newest_in(folder.path()), Some(folder.path().join("libonnxruntime.so.1.32.0")));
    }

    #[test]
    fn a_library_that_is_too_old_is_no_library() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("libonnxruntime.so.1.16.3"), "").unwrap();
        assert_eq!(newest_in(folder.path()), None);
        assert_eq!(newest_in(&folder.path().join("absent")), None);
    }
}
