//! What a test server is made of: settings, database, engine, and where the machine keeps models and libraries.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rollcall_app::settings::{DatabaseSetting, Secret, Settings};
use rollcall_app::wiring;
use rollcall_ports::engine::FaceEngine;
use rollcall_testkit::fakes::FakeEngine;
use tempfile::TempDir;

use crate::database::{Db, MySqlDatabase};
use crate::{TestApp, environment};

/// Settings that a test changes, in their own type.
pub type Adjust = Box<dyn FnOnce(&mut Settings) + Send>;

/// A server in the making.
#[derive(Default)]
pub struct Setup {
    pub(crate) db: Option<Db>,
    pub(crate) engine: Engine,
    pub(crate) unattended: bool,
    values: HashMap<String, String>,
    adjust: Vec<Adjust>,
}

/// Which engine looks at the photos.
#[derive(Default, Clone)]
pub(crate) enum Engine {
    /// The pack `open`, loaded once for all tests of the process.
    #[default]
    Shared,
    /// One that sees drawn photos only.
    Drawn(Arc<FakeEngine>),
    /// Loaded as the settings say, for this test alone.
    OfSettings,
}

impl Setup {
    /// On this database instead of SQLite.
    #[must_use]
    pub fn on(mut self, db: Db) -> Self {
        self.db = Some(db);
        self
    }

    /// With an engine that sees what `rollcall_testkit::photos` draws: fast, and exact about who is who.
    #[must_use]
    pub fn drawn(mut self) -> Self {
        self.engine = Engine::Drawn(Arc::new(FakeEngine::new()));
        self
    }

    /// With an engine of its own, loaded as the settings say.
    #[must_use]
    pub fn own_engine(mut self) -> Self {
        self.engine = Engine::OfSettings;
        self
    }

    /// With a setting by its name, as an operator would write it.
    #[must_use]
    pub fn setting(mut self, key: &str, value: &str) -> Self {
        self.values.insert(key.to_lowercase(), value.to_owned());
        self
    }

    /// With settings changed in place.
    #[must_use]
    pub fn with(mut self, adjust: impl FnOnce(&mut Settings) + Send + 'static) -> Self {
        self.adjust.push(Box::new(adjust));
        self
    }

    /// Without adding an administrator first and without waiting until the server is ready: for stories in which
    /// the database is away.
    #[must_use]
    pub fn unattended(mut self) -> Self {
        self.unattended = true;
        self
    }

    /// Starts it.
    pub async fn start(self) -> TestApp {
        TestApp::of(self).await
    }

    /// The settings, checked as the program checks them.
    pub(crate) fn settings(&mut self, folder: &TempDir, mysql: Option<&MySqlDatabase>) -> Settings {
        let mut values = std::mem::take(&mut self.values);
        let mut default = |key: &str, value: String| {
            values.entry(key.to_lowercase()).or_insert(value);
        };
        default("DATA_DIR", folder.path().join("data").display().to_string());
        default("MODELS_DIR", models().display().to_string());
        default("ORT_DYLIB_PATH", runtime().display().to_string());
        // Stories move the clock by hours.
        default("JWT_ACCESS_TOKEN_EXPIRES", "86400".into());
        // Everybody of a story comes from one address; who is limited is a story of its own.
        default("RATE_LIMIT", "off".into());
        if mysql.is_some() {
            default("JWT_SECRET_KEY", JWT_SECRET.into());
            default("DATA_KEY", DATA_KEY.into());
        }
        let mut settings =
            Settings::from_values(values).unwrap_or_else(|bad| panic!("settings of the test: {bad}"));
        // The least that bcrypt can do: the stories are about what happens after it.
        settings.bcrypt_cost = 4;
        settings.database_connections = 8;
        if let Some(mysql) = mysql {
            settings.database = DatabaseSetting::Url(Secret::new(mysql.url()));
        }
        for adjust in std::mem::take(&mut self.adjust) {
            adjust(&mut settings);
        }
        settings
    }
}

/// Signs the tokens of tests on MySQL, where nothing is made up; 32 bytes and known to everybody.
pub const JWT_SECRET: &str = "q3pUo1JmXc8vT5rYw0kLh7eZs2aNd9bG";

/// Encrypts the templates of tests on MySQL.
pub const DATA_KEY: &str = "MTIzNDU2Nzg5MGFiY2RlZmdoaWprbG1ub3BxcnN0dXY=";

/// A folder for one test: in memory where the system has one there, because every commit waits for the disk.
pub(crate) fn temporary_folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.expect("a temporary folder")
}

/// The folder of the workspace.
#[must_use]
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The folder of the pack `open`.
///
/// # Panics
/// When it is installed nowhere.
#[must_use]
pub fn models() -> PathBuf {
    models_with("yunet_n_dynamic.onnx")
}

/// The folder of a model: `$ROLLCALL_MODELS`, else the workspace's `models`, else `../shared/models`.
///
/// # Panics
/// When none of them holds it.
#[must_use]
pub fn models_with(file: &str) -> PathBuf {
    let places = match environment("ROLLCALL_MODELS") {
        Some(folder) => vec![PathBuf::from(folder)],
        None => vec![workspace().join("models"), workspace().join("../shared/models")],
    };
    places.into_iter().find(|folder| folder.join(file).is_file()).unwrap_or_else(|| {
        panic!("the model {file} is missing: run `cargo xtask setup --tests`, or set ROLLCALL_MODELS to its folder")
    })
}

/// ONNX Runtime: `$ORT_DYLIB_PATH`, else where `cargo xtask setup` puts it.
///
/// # Panics
/// When it is in neither place.
#[must_use]
pub fn runtime() -> PathBuf {
    if let Some(path) = environment("ORT_DYLIB_PATH") {
        return path.into();
    }
    let folder = workspace().join(".rollcall/onnxruntime");
    let files = std::fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let library = |path: &PathBuf| {
        path.file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with("libonnxruntime.so"))
    };
    files.filter(library).max().expect(
        "ONNX Runtime is not installed: run `cargo xtask setup`, or set ORT_DYLIB_PATH to libonnxruntime.so",
    )
}

/// The engine that all tests of the process share: loading it takes longer than most of them.
pub(crate) fn shared_engine(settings: &Settings) -> Arc<dyn FaceEngine> {
    static ENGINE: OnceLock<Arc<dyn FaceEngine>> = OnceLock::new();
    let load = || -> Arc<dyn FaceEngine> {
        let mut settings = settings.clone();
        // Several tests send photos at once; a full queue is a story of its own.
        settings.queue = 1_000;
        Arc::new(
            wiring::engine(&settings).unwrap_or_else(|error| panic!("loading the face engine: {error:#}")),
        )
    };
    ENGINE.get_or_init(load).clone()
}
