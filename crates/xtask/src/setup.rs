//! What a machine needs before the workspace builds, runs and is tested.

mod mariadb;
mod models;
mod node;
mod packages;
pub(crate) mod pip;
mod runtime;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use clap::Subcommand;

use crate::photos;
use crate::shell::{self, Root};

pub(crate) use models::Profile;
pub(crate) use packages::native as native_packages;
pub(crate) use runtime::Runtime;

/// Names the server that the store tests may create their databases on.
pub(crate) const TEST_MYSQL_URL: &str = "TEST_MYSQL_URL";

/// What a task asks of the machine.
#[derive(Debug, Clone)]
pub(crate) struct Needs {
    pub(crate) models: Wanted,
    pub(crate) models_from: Option<PathBuf>,
    pub(crate) database: bool,
    pub(crate) profile: Profile,
}

/// Which models are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// A pack to serve with.
    One,
    /// [`MEASURED`], the labeled photographs, and the portraits. Where there are no labeled photographs, pack `dlib`
    /// and the portraits will do.
    Tests,
    /// [`MEASURED`].
    Measured,
}

/// The packs whose accuracy and speed are known.
pub(crate) const MEASURED: [&str; 3] = ["open", "insightface-small", "dlib"];

impl Needs {
    pub(crate) fn serving() -> Self {
        Self { models: Wanted::One, models_from: None, database: false, profile: Profile::Release }
    }

    pub(crate) fn measurements() -> Self {
        Self { models: Wanted::Measured, ..Self::serving() }
    }

    pub(crate) fn tests() -> Self {
        Self { models: Wanted::Tests, database: true, profile: Profile::Tests, ..Self::serving() }
    }
}

/// A machine that has what was asked for.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) runtime: Runtime,
    /// Whether the photographs with labels are there.
    pub(crate) labeled: bool,
    server: PathBuf,
    database: Option<String>,
    /// The pack to serve with.
    pack: Option<String>,
}

impl Machine {
    /// The `rollcall` binary just built.
    pub(crate) fn server(&self) -> Result<&Path> {
        self.server.is_file().then_some(self.server.as_path()).context("cargo built no rollcall binary")
    }

    /// Tells a program where the runtime and the database are.
    pub(crate) fn tell(&self, command: &mut Command) {
        command.env("ORT_DYLIB_PATH", &self.runtime.library);
        if let Some(url) = &self.database {
            command.env(TEST_MYSQL_URL, url);
        }
    }

    /// Tells a server which models to use.
    pub(crate) fn tell_pack(&self, command: &mut Command) {
        if let Some(pack) = &self.pack {
            command.env("MODEL_PACK", pack);
        }
    }
}

/// Brings the machine to where `needs` wants it; quick when it is already there.
pub(crate) fn prepare(root: &Root, needs: &Needs) -> Result<Machine> {
    let _alone = alone(root)?;
    packages::native()?;
    if needs.profile == Profile::Tests {
        packages::djpeg()?;
        node::client_packages(root)?;
    }
    let runtime = runtime::provide(root)?;
    let database = if needs.database { Some(database_url(root)?) } else { None };
    let server = models::build_server(root, needs.profile)?;
    let labeled = root.shared().join("faces/identification.csv").is_file();
    let models =
        models::Models { root, server: &server, runtime: &runtime, from: needs.models_from.as_deref() };
    let mut pack = None;
    match needs.models {
        Wanted::One => pack = Some(models.choose()?),
        Wanted::Measured => models.install_all(&MEASURED)?,
        Wanted::Tests => {
            photos::provide(root)?;
            models.install_all(if labeled { &MEASURED } else { &["dlib"] })?;
        }
    }
    Ok(Machine { runtime, labeled, server, database, pack })
}

/// Looks after the private MariaDB of the tests.
#[derive(Debug, Subcommand)]
pub(crate) enum Database {
    /// Start it, unless it already answers, and print its URL.
    Start,
    /// Stop it; its data stays.
    Stop,
    /// Stop it and delete its data.
    Reset,
}

pub(crate) fn database(root: &Root, action: &Database) -> Result<()> {
    let _alone = alone(root)?;
    match action {
        Database::Start => {
            packages::mariadb()?;
            let url = mariadb::start(root)?;
            shell::say(format!("export {TEST_MYSQL_URL}={url}"));
            Ok(())
        }
        Database::Stop => mariadb::stop(root),
        Database::Reset => mariadb::reset(root),
    }
}

fn database_url(root: &Root) -> Result<String> {
    if let Some(url) = std::env::var(TEST_MYSQL_URL).ok().filter(|url| !url.is_empty()) {
        // The value may hold a password.
        shell::say(format!("database: {TEST_MYSQL_URL} is exported, its server is used"));
        return Ok(url);
    }
    packages::mariadb()?;
    mariadb::start(root)
}

/// Two set-ups at once would fetch twice and start two servers; the second waits here.
fn alone(root: &Root) -> Result<File> {
    let path = root.own("")?.join("setup.lock");
    let lock = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    lock.lock().with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(lock)
}
