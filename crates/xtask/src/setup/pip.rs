//! Python packages as archives, fetched with the ordinary client: it knows the mirror that this machine may use.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::packages;

/// What of a package is wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Form {
    /// A wheel, whose files are kept apart and never installed.
    Wheel,
    /// The source archive.
    Source,
}

/// A command that downloads a package into a folder; what is wanted is still to be said.
pub(crate) fn download(form: Form, into: &Path) -> Result<Command> {
    let mut command = Command::new(packages::python_with_pip()?);
    command.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]);
    command.arg(match form {
        Form::Wheel => "--only-binary=:all:",
        Form::Source => "--no-binary=:all:",
    });
    command.arg("--dest").arg(into);
    Ok(command)
}

/// Wants exactly these bytes: a requirement of one line, with its hashes.
pub(crate) fn pinned<'a>(
    command: &'a mut Command,
    into: &Path,
    requirement: &str,
) -> Result<&'a mut Command> {
    let file = into.join("requirement.txt");
    std::fs::write(&file, requirement).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(command.arg("--require-hashes").arg("-r").arg(file))
}
