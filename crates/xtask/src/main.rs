//! Machine set-up and CI as one program: what cargo alone cannot do.
//!
//! Everything made here lives in `.rollcall/`, `models/` and `target/`. Every step says what it does or that
//! it is already done, and a failing one says what to do about it.

#![expect(clippy::print_stdout, reason = "telling a developer what happens is the purpose of this program")]
#![expect(clippy::disallowed_methods, reason = "below every layer: no settings object exists to be asked")]

mod check;
mod load;
mod photos;
mod serve;
mod setup;
mod shell;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use crate::setup::{Database, Needs};
use crate::shell::Root;

/// Sets up this machine, checks the workspace, runs and measures the server.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Cli {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Install what the workspace needs; whatever is already there is left alone.
    ///
    /// Native packages (apt on Debian and Ubuntu, elsewhere they are listed), ONNX Runtime, the models; with
    /// `--tests` also a private MariaDB.
    Setup(SetupArgs),
    /// Set up, build in release and serve, by default on 127.0.0.1:5000.
    Run {
        /// Passed on to `rollcall serve`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Set up and run every test: `cargo test --workspace --locked`, documentation tests included.
    ///
    /// Exports TEST_MYSQL_URL and ORT_DYLIB_PATH. A TEST_MYSQL_URL that is already exported is respected and no
    /// MariaDB is started: this is how another server is checked, for example MySQL 8.4 or 9. Its user
    /// must be allowed to create and drop databases, and the tests do so.
    ///
    /// Pure crates (domain, ports, usecases) need none of this: `cargo test -p rollcall-domain` is faster.
    Test {
        /// Passed on to `cargo test`, for example `-- -p rollcall-storage -- --nocapture`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Check formatting, clippy with warnings as errors, and licenses when cargo-deny is installed.
    Lint,
    /// Everything CI checks: lint, then test.
    Ci,
    /// Measure recognition accuracy on the photographs, with the packs open, insightface-small and dlib.
    Accuracy,
    /// Fetch six portraits for the walk in the README: five of one person, one of another.
    Photos,
    /// Drive a Rollcall server over loopback and print latencies.
    Load(load::LoadArgs),
    /// The private MariaDB of the tests, which is left running between runs.
    Db {
        #[command(subcommand)]
        action: Database,
    },
}

#[derive(Debug, Args)]
struct SetupArgs {
    /// Also what the tests need: a private MariaDB, djpeg, Node.js with the packages of the TypeScript client, and the
    /// packs open, insightface-small and dlib.
    #[arg(long)]
    tests: bool,
    /// Also what measurements need: the packs open, insightface-small and dlib.
    #[arg(long)]
    bench: bool,
    /// Take model files, or the Python package's archive for pack dlib, from this folder instead of downloading
    /// them [default: ../shared/models, if it exists].
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
}

fn main() -> ExitCode {
    match perform(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            shell::complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task) -> Result<()> {
    let root = Root::find()?;
    match task {
        Task::Setup(SetupArgs { tests, bench, from }) => {
            let needs = match (tests, bench) {
                (true, _) => Needs::tests(),
                (false, true) => Needs::measurements(),
                (false, false) => Needs::serving(),
            };
            setup::prepare(&root, &Needs { models_from: from, ..needs })?;
            shell::say("this machine is ready");
            Ok(())
        }
        Task::Run { args } => serve::run(&root, &args),
        Task::Test { args } => check::test(&root, &args),
        Task::Lint => check::lint(&root),
        Task::Ci => {
            check::lint(&root)?;
            check::test(&root, &[])
        }
        Task::Accuracy => check::accuracy(&root),
        Task::Photos => photos::provide(&root).map(drop),
        Task::Load(args) => load::load(&root, &args),
        Task::Db { action } => setup::database(&root, &action),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn arguments_after_the_separator_reach_cargo_unchanged() {
        let cli = Cli::parse_from(["xtask", "test", "--", "-p", "rollcall-storage", "--", "--nocapture"]);
        let Task::Test { args } = cli.command else { panic!("{cli:?}") };
        assert_eq!(args, ["-p", "rollcall-storage", "--", "--nocapture"]);
    }
}
