//! The command line: what can be asked of the program, and how it answers scripts.

use std::path::Path;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::commands::{
    admin, attendance, backup, demo, device, doctor, enroll, health, import, migrate, models, openapi,
    recognize, restore,
};
use crate::console::{PartialSuccess, print_error};
use crate::server;
use crate::settings::{BadSettings, Settings};
use crate::telemetry;

/// Face-recognition attendance: matching, attendance rules and REST in one program.
///
/// Settings come from rollcall.toml and .env in the working directory and from the environment; see .env.example.
///
/// Exit codes: 0 done, 1 failed, 2 wrong usage or settings, 3 done in part.
#[derive(Debug, Parser)]
#[command(name = "rollcall", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the REST API until interrupted; migrates the database first.
    Serve(ServeArgs),
    /// Bring the database's tables up to date, or back.
    #[command(subcommand)]
    Migrate(migrate::Command),
    /// Add administrators.
    #[command(subcommand)]
    Admin(admin::Command),
    /// Add, list and revoke kiosks.
    #[command(subcommand)]
    Device(device::Command),
    /// List, install and verify face models.
    #[command(subcommand)]
    Models(models::Command),
    /// Tell who is in photos, with the numbers behind it; marks nobody.
    Recognize(recognize::Args),
    /// Enroll a folder of photos, one folder a person; safe to repeat.
    Enroll(enroll::Args),
    /// Bring in what another system has kept.
    #[command(subcommand)]
    Import(import::Command),
    /// Work records out anew from the punches.
    #[command(subcommand)]
    Attendance(attendance::Command),
    /// Write all data into one file while the server goes on. The keys are not in it.
    Backup(backup::Args),
    /// Write a backup into an empty database.
    Restore(restore::Args),
    /// Fill an empty installation with fictitious people and their attendance, to see the system at work.
    Demo(demo::Args),
    /// Check everything the program needs, change nothing, and say how to fix what is missing.
    Doctor(doctor::Args),
    /// Ask a running server how it is; exit code 0 if it is well. For container health checks.
    Health(health::Args),
    /// Print the REST contract as OpenAPI JSON.
    Openapi,
}

#[derive(Debug, Args)]
struct ServeArgs {
    /// Address to listen on, instead of HOST.
    #[arg(long)]
    host: Option<std::net::IpAddr>,
    /// Port to listen on, instead of PORT; 0 lets the system choose.
    #[arg(long)]
    port: Option<u16>,
}

impl Cli {
    /// Does what was asked and turns the result into an exit code.
    #[must_use]
    pub fn run(self) -> ExitCode {
        match self.dispatch() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                print_error(&format!("error: {error:#}"));
                if error.is::<BadSettings>() {
                    ExitCode::from(2)
                } else if error.is::<PartialSuccess>() {
                    ExitCode::from(3)
                } else {
                    ExitCode::FAILURE
                }
            }
        }
    }

    fn dispatch(self) -> anyhow::Result<()> {
        // These need no settings: they must work on a machine where the settings are what is broken.
        match &self.command {
            Command::Openapi => return openapi::run(),
            Command::Health(args) => return health::run(args),
            Command::Doctor(args) => return doctor::run(args, Settings::load(Path::new("."))),
            _ => {}
        }
        let mut settings = Settings::load(Path::new("."))?;
        telemetry::start(&settings);
        for doubt in &settings.doubts {
            tracing::warn!("{doubt}");
        }
        match self.command {
            Command::Serve(args) => {
                settings.host = args.host.unwrap_or(settings.host);
                settings.port = args.port.unwrap_or(settings.port);
                server::run(settings)
            }
            Command::Migrate(command) => migrate::run(&settings, &command),
            Command::Admin(command) => admin::run(&settings, command),
            Command::Device(command) => device::run(&settings, command),
            Command::Models(command) => models::run(&settings, &command),
            Command::Recognize(args) => recognize::run(&settings, &args),
            Command::Enroll(args) => enroll::run(&settings, &args),
            Command::Import(command) => import::run(&settings, &command),
            Command::Attendance(command) => attendance::run(&settings, &command),
            Command::Backup(args) => backup::run(&settings, &args),
            Command::Restore(args) => restore::run(&settings, &args),
            Command::Demo(args) => demo::run(&settings, &args),
            Command::Doctor(_) | Command::Health(_) | Command::Openapi => Ok(()),
        }
    }
}
