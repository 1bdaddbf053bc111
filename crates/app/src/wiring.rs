//! The composition: settings become adapters, adapters become [`Ports`]. Swapping a part is struct update:
//! `Ports { clock, ..wiring::ports(&settings, database).await? }`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use rollcall_gallery::Gallery;
use rollcall_platform::{
    AesGcmSealer, BcryptPasswords, FolderProbe, JwtSecret, JwtTokens, Key256, Keys, PasswordOptions,
    SystemClock, SystemIds,
};
use rollcall_ports::Ports;
use rollcall_ports::engine::FaceEngine;
use rollcall_recognition::Manifest;
use rollcall_recognition::workers::{OnnxFaceEngine, Options as EngineOptions, UnavailableEngine};
pub use rollcall_storage::Ran;
use rollcall_storage::{
    Database, DatabaseUrl, Options as DatabaseOptions, SqlAssignmentStore, SqlAttemptStore,
    SqlAttendanceStore, SqlAuditStore, SqlBatchStore, SqlCorrectionStore, SqlDecisionLog, SqlDepartmentStore,
    SqlDeviceStore, SqlFaceStore, SqlHolidayStore, SqlJobStore, SqlLeaveStore, SqlLockStore, SqlPlanStore,
    SqlProbe, SqlSessionStore, SqlShiftStore, SqlStatisticsStore, SqlUserStore, Watch,
};
use rollcall_usecases::UseCases;
use rollcall_usecases::faces::CaughtUp;

use crate::settings::{BadSettings, DatabaseSetting, Settings};

/// The two secrets an installation has.
#[derive(Debug)]
pub struct InstallationKeys {
    /// Signs access tokens.
    pub jwt: JwtSecret,
    /// Encrypts templates and peppers passwords.
    pub data: Keys,
}

/// The secrets of the settings or, with the embedded database, of the data folder, made there at first use.
/// Nothing is made up next to a MySQL server: its other clients would not know it.
pub fn keys(settings: &Settings) -> anyhow::Result<InstallationKeys> {
    let jwt = match &settings.jwt_secret {
        Some(secret) => JwtSecret::parse(secret.expose()).map_err(|why| refused("JWT_SECRET_KEY", &why))?,
        None => JwtSecret::from(&kept(settings, "JWT_SECRET_KEY", "jwt.key")?),
    };
    let data = match &settings.data_key {
        Some(secret) => Key256::parse(secret.expose()).map_err(|why| refused("DATA_KEY", &why))?,
        None => kept(settings, "DATA_KEY", "data.key")?,
    };
    Ok(InstallationKeys { jwt, data: Keys::from_data_key(*data.expose()) })
}

fn refused(key: &'static str, why: &dyn std::fmt::Display) -> BadSettings {
    BadSettings::secret(key, format!("{why}. `openssl rand -base64 32` makes a good one"))
}

fn kept(settings: &Settings, key: &'static str, file: &str) -> anyhow::Result<Key256> {
    if settings.database != DatabaseSetting::Embedded {
        let why = "must be set when the database is not the embedded one. `openssl rand -base64 32` makes a good one";
        return Err(BadSettings::secret(key, why.into()).into());
    }
    make_private(&settings.data_dir)?;
    let path = settings.data_dir.join(file);
    Key256::load_or_create(&path).with_context(|| format!("{key} in {}", path.display()))
}

/// Makes the data folder for its owner alone; one that exists keeps the mode its operator gave it.
fn make_private(dir: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    if !dir.is_dir() {
        let mut builder = std::fs::DirBuilder::new();
        builder
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .with_context(|| format!("making {}", dir.display()))?;
    }
    Ok(())
}

/// The database of the settings, not yet asked to answer. Statements that take long are told, without their values.
pub async fn database(settings: &Settings) -> anyhow::Result<Database> {
    let slow = |ran: &Ran<'_>| {
        if ran.elapsed >= SLOW {
            let elapsed_ms = ran.elapsed.as_millis() as u64;
            tracing::warn!(elapsed_ms, sql = ran.sql, "the database took long");
        }
    };
    database_watched(settings, Arc::new(slow)).await
}

/// The same with somebody else who sees what is asked of it.
pub async fn database_watched(settings: &Settings, watch: Watch) -> anyhow::Result<Database> {
    let url = match &settings.database {
        DatabaseSetting::Embedded => {
            make_private(&settings.data_dir)?;
            DatabaseUrl::file(settings.data_dir.join("rollcall.db"))
        }
        DatabaseSetting::Url(url) => {
            let parsed = url.expose().parse::<DatabaseUrl>();
            parsed.map_err(|why| BadSettings::secret("DATABASE_URL", why.to_string()))?
        }
    };
    let options = DatabaseOptions {
        max_connections: settings.database_connections,
        watch: Some(watch),
        ..DatabaseOptions::new(url)
    };
    Database::connect_lazily(options).await.context("opening the database")
}

/// Brings the database's tables up to date, after whoever else is at it. A database that is newer than the program is
/// left alone.
pub async fn migrate(database: &Database) -> anyhow::Result<()> {
    let connection = database.connection();
    let up = async {
        let mut status = rollcall_migration::status(connection).await?;
        if status.unknown.is_empty() {
            rollcall_migration::up(connection).await?;
        }
        Ok(status.unknown.pop())
    };
    if let Some(unknown) = database.alone(up).await.context("migrating the database")? {
        bail!(
            "the database was written by a newer version of this program (it has {unknown}); update the program"
        );
    }
    for id in database.spell_anew().await.context("working out by what people and departments are found")? {
        tracing::warn!(%id, "somebody else has this name, code or address by now; change one of the two");
    }
    Ok(())
}

/// The manifest of the settings, else the one built in.
pub fn manifest(settings: &Settings) -> anyhow::Result<Manifest> {
    match &settings.manifest {
        None => Ok(Manifest::built_in()),
        Some(path) => Manifest::read(path).with_context(|| format!("MODELS_MANIFEST {}", path.display())),
    }
}

/// The face engine with the pack of the settings.
pub fn engine(settings: &Settings) -> anyhow::Result<OnnxFaceEngine> {
    let options = EngineOptions {
        runtime: settings.runtime.clone().or_else(runtime_of_the_setup),
        models_dir: settings.models_dir.clone(),
        manifest: manifest(settings)?,
        pack: settings.pack().to_owned(),
        workers: settings.workers,
        queue: settings.queue,
    };
    Ok(OnnxFaceEngine::start(options)?)
}

/// Where `cargo xtask setup` puts ONNX Runtime; elsewhere the system's loader searches.
fn runtime_of_the_setup() -> Option<PathBuf> {
    let found = std::fs::read_dir(".rollcall/onnxruntime").ok()?;
    let is_library = |path: &PathBuf| {
        path.file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with("libonnxruntime.so"))
    };
    found.filter_map(|entry| Some(entry.ok()?.path())).filter(is_library).max()
}

/// One of everything, on `database`. An engine that cannot start is replaced by one that says why, so that
/// everything but faces works.
pub async fn ports(settings: &Settings, database: &Database) -> anyhow::Result<Ports> {
    let engine: Arc<dyn FaceEngine> = match engine(settings) {
        Ok(engine) => Arc::new(engine),
        Err(error) => {
            tracing::error!("face recognition is not available: {error:#}");
            Arc::new(UnavailableEngine::new(format!("{error:#}")))
        }
    };
    ports_with(settings, database, engine).await
}

/// One of everything, on `database`, with another engine.
pub async fn ports_with(
    settings: &Settings,
    database: &Database,
    engine: Arc<dyn FaceEngine>,
) -> anyhow::Result<Ports> {
    make_private(&settings.data_dir)?;
    let keys = keys(settings)?;
    let sealer = Arc::new(AesGcmSealer::new(&keys.data.templates));
    let options = PasswordOptions {
        cost: settings.bcrypt_cost,
        waiting: settings.password_queue,
        ..PasswordOptions::default()
    };
    let passwords = BcryptPasswords::new(keys.data.pepper, options)?;
    let of = || database.clone();
    Ok(Ports {
        clock: Arc::new(SystemClock),
        ids: Arc::new(SystemIds),
        passwords: Arc::new(passwords),
        tokens: Arc::new(JwtTokens::new(&keys.jwt, TOKEN_LEEWAY)?),
        engine,
        index: Arc::new(Gallery::new()),
        users: Arc::new(SqlUserStore::new(of())),
        sessions: Arc::new(SqlSessionStore::new(of())),
        attempts: Arc::new(SqlAttemptStore::new(of())),
        departments: Arc::new(SqlDepartmentStore::new(of())),
        devices: Arc::new(SqlDeviceStore::new(of())),
        faces: Arc::new(SqlFaceStore::new(of(), sealer)),
        decisions: Arc::new(SqlDecisionLog::start(of())),
        shifts: Arc::new(SqlShiftStore::new(of())),
        assignments: Arc::new(SqlAssignmentStore::new(of())),
        holidays: Arc::new(SqlHolidayStore::new(of())),
        leaves: Arc::new(SqlLeaveStore::new(of())),
        locks: Arc::new(SqlLockStore::new(of())),
        plan: Arc::new(SqlPlanStore::new(of())),
        attendance: Arc::new(SqlAttendanceStore::new(of())),
        audit: Arc::new(SqlAuditStore::new(of())),
        batches: Arc::new(SqlBatchStore::new(of())),
        corrections: Arc::new(SqlCorrectionStore::new(of())),
        jobs: Arc::new(SqlJobStore::new(of())),
        statistics: Arc::new(SqlStatisticsStore::new(of())),
        probe: Arc::new(SqlProbe::new(of())),
        disk: Arc::new(FolderProbe::new(settings.data_dir.clone())),
    })
}

/// The system as the command line uses it: on a migrated database, without a server.
pub struct System {
    /// What it does.
    pub usecases: UseCases,
    ports: Ports,
    database: Database,
}

impl System {
    /// Everything but the face engine, for commands that do not look at photos.
    pub async fn without_engine(settings: &Settings) -> anyhow::Result<Self> {
        let database = database(settings).await?;
        let engine = Arc::new(UnavailableEngine::new("this command does not need it"));
        let ports = ports_with(settings, &database, engine).await?;
        Self::open(settings, database, ports).await
    }

    /// Everything but the face engine, on a database that is looked at only: nothing is migrated.
    ///
    /// # Errors
    /// When the database is not up to date, or is not there.
    pub async fn as_it_is(settings: &Settings) -> anyhow::Result<Self> {
        let file = settings.data_dir.join("rollcall.db");
        let is_there = settings.database != DatabaseSetting::Embedded || file.is_file();
        let hint = "run `rollcall migrate up` first";
        if !is_there {
            bail!("there is no database yet; {hint}");
        }
        let database = database(settings).await?;
        let status = rollcall_migration::status(database.connection()).await;
        if !status.context("reading the database's state")?.is_current() {
            bail!("the database is not up to date; {hint}");
        }
        let engine = Arc::new(UnavailableEngine::new("this command does not need it"));
        let ports = ports_with(settings, &database, engine).await?;
        Ok(Self { usecases: UseCases::new(&ports, settings.rules.clone()), ports, database })
    }

    /// Everything, with the gallery filled.
    pub async fn with_gallery(settings: &Settings) -> anyhow::Result<Self> {
        let database = database(settings).await?;
        let ports = ports_with(settings, &database, Arc::new(engine(settings)?)).await?;
        let system = Self::open(settings, database, ports).await?;
        fill_gallery(&system.usecases).await?;
        Ok(system)
    }

    async fn open(settings: &Settings, database: Database, ports: Ports) -> anyhow::Result<Self> {
        prepare(settings, &database, &ports).await?;
        Ok(Self { usecases: UseCases::new(&ports, settings.rules.clone()), ports, database })
    }

    /// Waits for what is still being written.
    pub async fn close(self) {
        self.ports.decisions.flush().await;
        self.database.close().await;
    }
}

/// What must be true of the database before anything is served. With the wrong `DATA_KEY` no template can be opened,
/// and nothing may be served: people would be told that nobody knows them.
pub async fn prepare(settings: &Settings, database: &Database, ports: &Ports) -> anyhow::Result<()> {
    migrate(database).await?;
    if !ports.faces.has_the_key().await.context("opening a stored template")? {
        bail!("none of the stored templates opens with this DATA_KEY; set the one they were stored with");
    }
    ports.plan.begin(&settings.rules.shift).await.context("storing the default shift")?;
    Ok(())
}

/// Fills the gallery from the store.
pub async fn fill_gallery(usecases: &UseCases) -> anyhow::Result<CaughtUp> {
    let filled = usecases.faces.gallery().catch_up().await.context("reading the stored templates")?;
    if filled.unreadable > 0 {
        tracing::error!(
            templates = filled.unreadable,
            "stored templates cannot be opened and will not be matched"
        );
    }
    Ok(filled)
}

/// A statement that takes this long keeps somebody waiting who stands at a door.
const SLOW: Duration = Duration::from_secs(1);

/// Seconds by which clocks of two instances may differ before a token is too new or too old.
const TOKEN_LEEWAY: u8 = 2;

/// How often the gallery looks for what other instances changed.
pub const CATCH_UP_EVERY: Duration = Duration::from_millis(500);
