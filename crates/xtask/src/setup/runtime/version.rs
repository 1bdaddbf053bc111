//! Which ONNX Runtime is wanted, and which one a file name promises.

use std::fmt;

/// `major.minor.patch`, ordered as such.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version([u32; 3]);

/// What everything is tested with.
pub(super) const PINNED: Version = Version([1, 32, 0]);

/// The oldest that is supported: the API level the `ort` crate is used with.
pub(super) const MINIMUM: Version = Version([1, 24, 0]);

/// The pinned wheels, so that a native library loaded into the server is the one that was tested.
/// First Linux on x86-64, then on 64-bit ARM.
const WHEELS: [&str; 2] = [
    "5a34fc4dfeb5a7b4a74c95dcba1e773d722abda720b474edf1b0c419dc6d163d",
    "2303372a85299b6757b0e11e1cbf13e410ddf7e10c37f4b37e99d1c90e7daf7c",
];

/// The Python whose wheels are pinned. The library inside does not depend on Python, so this holds for all.
pub(super) const WHEEL_PYTHON: &str = "3.11";

impl Version {
    /// `libonnxruntime.so.1.32.0` is 1.32.0; other files have none.
    pub(super) fn of_library(file_name: &str) -> Option<Self> {
        file_name.strip_prefix("libonnxruntime.so.")?.parse().ok()
    }
}

impl std::str::FromStr for Version {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut numbers = [0; 3];
        let mut parts = text.split('.');
        for number in &mut numbers {
            let Some(part) = parts.next() else { break };
            *number = part.parse().map_err(drop)?;
        }
        if parts.next().is_some() { Err(()) } else { Ok(Self(numbers)) }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([major, minor, patch]) = self;
        write!(f, "{major}.{minor}.{patch}")
    }
}

/// A pip requirements file that accepts the pinned wheels and no other bytes.
pub(super) fn pinned_requirement() -> String {
    let hashes: String = WHEELS.iter().map(|hash| format!(" --hash=sha256:{hash}")).collect();
    format!("onnxruntime=={PINNED}{hashes}\n")
}

/// The newest that this machine's Python can take, within what is usable.
pub(super) fn usable_range() -> String {
    format!("onnxruntime>={MINIMUM},<={PINNED}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_off_file_names() {
        let read = |name| Version::of_library(name).map(|version| version.to_string());
        assert_eq!(read("libonnxruntime.so.1.32.0").as_deref(), Some("1.32.0"));
        assert_eq!(read("libonnxruntime.so.1").as_deref(), Some("1.0.0"));
        for other in ["libonnxruntime.so", "libonnxruntime_providers_shared.so", "libonnxruntime.so.1.2.3.4"]
        {
            assert_eq!(read(other), None, "{other}");
        }
    }

    #[test]
    fn versions_are_compared_by_number_not_by_letter() {
        let version = |text: &str| text.parse::<Version>().unwrap();
        assert!(version("1.9.0") < version("1.24.0"));
        assert!(version("1.24.10") > version("1.24.9"));
        assert!(MINIMUM <= PINNED);
    }

    #[test]
    fn only_the_pinned_bytes_are_asked_for() {
        let requirement = pinned_requirement();
        assert!(requirement.starts_with("onnxruntime==1.32.0 --hash=sha256:"), "{requirement}");
        assert_eq!(requirement.matches("--hash=sha256:").count(), 2);
        assert_eq!(usable_range(), "onnxruntime>=1.24.0,<=1.32.0");
    }
}
