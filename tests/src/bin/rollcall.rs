//! The `rollcall` program.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    rollcall_app::cli::Cli::parse().run()
}
