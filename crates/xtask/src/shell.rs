//! Running other programs, and saying so.

use std::ffi::OsStr;
use std::fmt::Display;
use std::io::IsTerminal as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// The folder of the workspace; every path and every program starts here.
#[derive(Debug, Clone)]
pub(crate) struct Root(PathBuf);

impl Root {
    /// Asks cargo first, so that a checkout that was moved together with its `target` still works.
    pub(crate) fn find() -> Result<Self> {
        let member = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = member.join("../..").canonicalize().context("the workspace of xtask is gone")?;
        if !root.join("Cargo.lock").is_file() {
            bail!("{} is not the Rollcall workspace. Start me with `cargo xtask`.", root.display());
        }
        Ok(Self(root))
    }

    pub(crate) fn join(&self, path: impl AsRef<Path>) -> PathBuf {
        self.0.join(path)
    }

    /// The folder beside the checkout that may hold labeled photographs and models; elsewhere with `ROLLCALL_SHARED`.
    pub(crate) fn shared(&self) -> PathBuf {
        let given = std::env::var_os("ROLLCALL_SHARED").filter(|path| !path.is_empty());
        self.join(given.unwrap_or_else(|| "../shared".into()))
    }

    /// A folder under `.rollcall/`, created if need be.
    pub(crate) fn own(&self, name: &str) -> Result<PathBuf> {
        let folder = self.0.join(".rollcall").join(name);
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create {}. Is it owned by another user?", folder.display()))?;
        Ok(folder)
    }

    /// A program that will start in the root of the workspace.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.0);
        command
    }

    /// The cargo that runs us.
    pub(crate) fn cargo(&self) -> Command {
        self.command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }
}

pub(crate) fn say(line: impl Display) {
    println!("xtask: {line}");
}

#[expect(clippy::print_stderr, reason = "the one place that reports a failure")]
pub(crate) fn complain(error: &anyhow::Error) {
    eprintln!("xtask failed: {error}");
    for cause in error.chain().skip(1) {
        eprintln!("  because: {cause}");
    }
}

/// Prints the command line and runs it to a successful end.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    println!("$ {}", line(command));
    let status = command.status().with_context(|| format!("cannot start {}", name(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", line(command));
    }
    Ok(())
}

/// What a program prints on its standard output, with nothing shown.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output =
        command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {}", name(command)))?;
    if !output.status.success() {
        // Some programs complain on their standard output.
        let complaint = if output.stderr.is_empty() { &output.stdout } else { &output.stderr };
        let complaint = String::from_utf8_lossy(complaint);
        bail!("`{}` failed ({}): {}", line(command), output.status, complaint.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a program exists and ends well, with nothing shown.
pub(crate) fn succeeds(program: &str, args: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Looks a program up; servers live in `sbin`, which is not on everybody's PATH.
pub(crate) fn find_program(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin", "/sbin", "/usr/local/bin"].map(PathBuf::from))
        .collect();
    names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|file| file.is_file())
}

pub(crate) fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// Whether there is a person to ask, for example for the password of sudo.
pub(crate) fn is_interactive() -> bool {
    std::io::stdin().is_terminal()
}

/// Asks a process to end. The standard library can only kill.
pub(crate) fn terminate(pid: u32) -> bool {
    succeeds("sh", &["-c", &format!("kill -TERM {pid}")])
}

fn line(command: &Command) -> String {
    std::iter::once(name(command))
        .chain(command.get_args().map(|arg| quoted(&arg.to_string_lossy())))
        .collect::<Vec<_>>()
        .join(" ")
}

fn name(command: &Command) -> String {
    let program = command.get_program();
    Path::new(program).file_name().unwrap_or(program).to_string_lossy().into_owned()
}

fn quoted(arg: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=+./:,@%".contains(c);
    if !arg.is_empty() && arg.chars().all(plain) { arg.to_owned() } else { format!("'{arg}'") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_command_names_the_program_and_quotes_what_needs_it() {
        let mut command = Command::new("/usr/bin/cargo");
        command.args(["test", "--", "two words", ""]);
        assert_eq!(line(&command), "cargo test -- 'two words' ''");
    }

    #[test]
    fn programs_are_looked_up_in_order() {
        assert!(find_program(&["no-such-program-here", "sh"]).is_some_and(|found| found.ends_with("sh")));
        assert_eq!(find_program(&["no-such-program-here"]), None);
    }
}
