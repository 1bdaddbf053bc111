//! The terminal: what commands print, and how they wait.

use std::path::Path;

/// Something was done and something was not.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct PartialSuccess(pub(crate) String);

/// Prints a line of the command's answer to standard output; a reader that went away ends the program quietly.
#[expect(clippy::print_stdout, reason = "answering on standard output is what a command line does")]
pub(crate) fn print(line: &str) {
    println!("{line}");
}

/// Prints a line for the person at the terminal to standard error.
#[expect(clippy::print_stderr, reason = "speaking to the person at the terminal is what a command line does")]
pub(crate) fn print_error(line: &str) {
    eprintln!("{line}");
}

/// Runs a command that waits for things.
pub(crate) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

/// Where the model files are, as text for messages.
pub(crate) fn display(path: &Path) -> String {
    path.display().to_string()
}
