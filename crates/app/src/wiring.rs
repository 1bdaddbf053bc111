//! The composition: settings become adapters, adapters become [`Ports`]. Swapping a part is struct update:
//! `Ports { clock, ..wiring::ports(&settings, database).await? }`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use rollcall_gallery::Gallery;
use rollcall_migration::SCHEMA;
use rollcall_onboarding::demo::Demo;
use rollcall_onboarding::import::Import;
use rollcall_platform::{
    AesGcmSealer, BcryptPasswords, FolderProbe, JwtSecret, JwtTokens, Key256, KeyFileError, Keys,
    PasswordOptions, SystemClock, SystemIds,
};
use rollcall_ports::Ports;
use rollcall_ports::engine::FaceEngine;
use rollcall_recognition::Manifest;
use rollcall_recognition::workers::{OnnxFaceEngine, Options as EngineOptions, UnavailableEngine};
pub use rollcall_storage::StatementTiming;
use rollcall_storage::{
    Database, DatabaseUrl, Options as DatabaseOptions, SqlAssignmentStore, SqlAttemptStore,
    SqlAttendanceStore, SqlAuditStore, SqlBatchStore, SqlClosedPeriodStore, SqlCorrectionStore,
    SqlDepartmentStore, SqlDeviceStore, SqlFaceStore, SqlHolidayStore, SqlJobStore, SqlLeaveStore,
    SqlPlanStore, SqlProbe, SqlRecognitionLog, SqlSessionStore, SqlShiftStore, SqlStatisticsStore,
    SqlUserStore, StatementObserver,
};
use rollcall_usecases::UseCases;
use rollcall_usecases::faces::CaughtUp;

use crate::settings::{BadSettings, DatabaseSetting, Secret, Settings};

/// The two secrets an installation has.
#[derive(Debug)]
pub struct InstallationKeys {
    /// Signs access tokens.
    pub jwt: JwtSecret,
    /// Encrypts templates and peppers passwords.
    pub data: Keys,
}

/// Where a secret of the settings comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptIn {
    /// An environment variable or a settings file.
    Settings,
    /// A file of the data folder.
    File(PathBuf),
}

/// The names of the two secrets, and the files in which they are kept if no setting holds them.
const SECRETS: [(&str, &str); 2] = [("JWT_SECRET_KEY", "jwt.key"), ("DATA_KEY", "data.key")];

/// The secrets of the settings or, with the embedded database, of the data folder, made there at first use.
/// Nothing is made up next to a MySQL server: its other clients would not know it.
///
/// # Errors
/// [`BadSettings`] for a secret that is weak or no key, for one that is not set beside a MySQL server, and for a data
/// folder that cannot be used; [`KeyFileError`] for a file of the folder.
pub fn keys(settings: &Settings) -> anyhow::Result<InstallationKeys> {
    let [jwt, data] = SECRETS;
    let jwt = match &settings.jwt_secret {
        Some(secret) => JwtSecret::parse(secret.expose()).map_err(|why| refused(jwt.0, &why))?,
        None => JwtSecret::from(&kept(settings, jwt)?),
    };
    let data = match &settings.data_key {
        Some(secret) => parsed(secret)?,
        None => kept(settings, data)?,
    };
    Ok(InstallationKeys { jwt, data: Keys::from_data_key(*data.expose()) })
}

/// The keys that follow from `DATA_KEY`, if there is one; nothing is made.
///
/// # Errors
/// [`BadSettings`] for a value that is no key, and for one that is not set beside a MySQL server; [`KeyFileError`] for
/// a file of the data folder.
pub fn data_keys(settings: &Settings) -> anyhow::Result<Option<Keys>> {
    let [_, (name, file)] = SECRETS;
    let found = match &settings.data_key {
        Some(secret) => Some(parsed(secret)?),
        None => {
            let path = key_file(settings, name, file)?;
            Key256::load(&path).with_context(|| format!("{name} in {}", path.display()))?
        }
    };
    Ok(found.map(|key| Keys::from_data_key(*key.expose())))
}

/// Checks the secret that signs tokens, if there is one, and makes nothing.
///
/// # Errors
/// [`BadSettings`] for a secret that is weak, and for one that is not set beside a MySQL server; [`KeyFileError`] for a
/// file of the data folder.
pub fn has_jwt_key(settings: &Settings) -> anyhow::Result<bool> {
    let [(name, file), _] = SECRETS;
    if let Some(secret) = &settings.jwt_secret {
        JwtSecret::parse(secret.expose()).map_err(|why| refused(name, &why))?;
        return Ok(true);
    }
    let path = key_file(settings, name, file)?;
    Ok(Key256::load(&path).with_context(|| format!("{name} in {}", path.display()))?.is_some())
}

/// Where each secret is kept, by name.
#[must_use]
pub fn where_keys_are(settings: &Settings) -> [(&'static str, KeptIn); 2] {
    let [jwt, data] = SECRETS;
    let place = |set: bool, file: &str| match set {
        true => KeptIn::Settings,
        false => KeptIn::File(settings.data_dir.join(file)),
    };
    [
        (data.0, place(settings.data_key.is_some(), data.1)),
        (jwt.0, place(settings.jwt_secret.is_some(), jwt.1)),
    ]
}

fn parsed(secret: &Secret) -> Result<Key256, BadSettings> {
    Key256::parse(secret.expose()).map_err(|why| refused("DATA_KEY", &why))
}

fn refused(key: &'static str, why: &dyn std::fmt::Display) -> BadSettings {
    BadSettings::secret(key, format!("{why}. `openssl rand -base64 32` makes a good one"))
}

fn key_file(settings: &Settings, key: &'static str, file: &str) -> anyhow::Result<PathBuf> {
    if settings.database != DatabaseSetting::Embedded {
        let why = "must be set when the database is not the embedded one. `openssl rand -base64 32` makes a good one";
        return Err(BadSettings::secret(key, why.into()).into());
    }
    Ok(settings.data_dir.join(file))
}

fn kept(settings: &Settings, (key, file): (&'static str, &str)) -> anyhow::Result<Key256> {
    let path = key_file(settings, key, file)?;
    make_private(&settings.data_dir)?;
    Key256::load_or_create(&path).map_err(|error| match &error {
        KeyFileError::Io(why) if is_about_the_folder(why) => unusable_folder(&settings.data_dir, why).into(),
        _ => anyhow::Error::new(error).context(format!("{key} in {}", path.display())),
    })
}

/// Makes the data folder for its owner alone; one that exists keeps the mode its operator gave it.
pub(crate) fn make_private(dir: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    if !dir.is_dir() {
        let mut builder = std::fs::DirBuilder::new();
        let made = builder.recursive(true).mode(0o700).create(dir);
        made.map_err(|why| unusable_folder(dir, &why))?;
    }
    Ok(())
}

/// Whether it is the folder that is the trouble, not the file.
fn is_about_the_folder(why: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    matches!(why.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem | ErrorKind::StorageFull)
}

/// What is wrong with `DATA_DIR`, in the words of whoever set it.
pub(crate) fn unusable_folder(dir: &Path, why: &std::io::Error) -> BadSettings {
    use std::io::ErrorKind;
    let reason = match why.kind() {
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory if dir.is_file() => {
            "it is a file; name a folder".to_owned()
        }
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
            "a part of its path is a file; name a folder below folders".to_owned()
        }
        ErrorKind::ReadOnlyFilesystem => {
            "it is on a read-only file system; name a folder that can be written, or mount it for writing"
                .to_owned()
        }
        ErrorKind::PermissionDenied => format!(
            "it is not writable for the user of this program{}; let it belong to that user, or name another folder",
            user().map(|id| format!(" (uid {id})")).unwrap_or_default()
        ),
        ErrorKind::StorageFull => "its disk is full; make room, or name another folder".to_owned(),
        _ => format!("it cannot be made or used: {why}"),
    };
    BadSettings::named("DATA_DIR", &dir.display().to_string(), reason)
}

/// The number of the user as whom this program runs.
fn user() -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    Some(std::fs::metadata("/proc/self").ok()?.uid())
}

/// The database of the settings, not yet asked to answer. Statements that take long are told, without their values.
///
/// # Errors
/// As for [`database_watched`].
pub async fn database(settings: &Settings) -> anyhow::Result<Database> {
    let slow = |ran: &StatementTiming<'_>| {
        if ran.elapsed >= SLOW {
            let elapsed_ms = ran.elapsed.as_millis() as u64;
            tracing::warn!(elapsed_ms, sql = ran.sql, "the database took long");
        }
    };
    database_watched(settings, Arc::new(slow)).await
}

/// The same with somebody else who sees what is asked of it.
///
/// # Errors
/// [`BadSettings`] for an address that is none, and for a data folder that cannot be written; or what keeps the SQLite
/// file from being made.
pub async fn database_watched(settings: &Settings, watch: StatementObserver) -> anyhow::Result<Database> {
    let url = database_url(settings)?;
    if settings.database == DatabaseSetting::Embedded {
        let dir = &settings.data_dir;
        make_private(dir)?;
        // SQLite writes beside its file, also to read it.
        FolderProbe::new(dir.clone()).may_write().map_err(|why| unusable_folder(dir, &why))?;
    }
    let options = DatabaseOptions {
        max_connections: settings.database_connections,
        watch: Some(watch),
        ..DatabaseOptions::new(url)
    };
    Database::connect_lazily(options).await.context("opening the database")
}

/// Where the database of the settings is.
///
/// # Errors
/// [`BadSettings`] for an address that is none.
pub fn database_url(settings: &Settings) -> anyhow::Result<DatabaseUrl> {
    match &settings.database {
        DatabaseSetting::Embedded => Ok(DatabaseUrl::file(settings.data_dir.join("rollcall.db"))),
        DatabaseSetting::Url(url) => {
            let parsed = url.expose().parse::<DatabaseUrl>();
            Ok(parsed.map_err(|why| BadSettings::secret("DATABASE_URL", why.to_string()))?)
        }
    }
}

/// The database of the settings, for commands, which do not wait for one that is away.
///
/// # Errors
/// Where the server is and why it does not let us in.
pub async fn reached_database(settings: &Settings) -> anyhow::Result<Database> {
    let database = database(settings).await?;
    match database.unreachable().await {
        None => Ok(database),
        Some(why) => Err(why.into()),
    }
}

/// Brings the database's tables up to date, after whoever else is at it. A database that is newer than the program, or whose
/// tables are not those that it says it has, is left alone.
///
/// # Errors
/// When the database does not answer or refuses; when another process works on its tables for too long; when it is
/// newer than the program or its tables are not those that it says it has.
pub async fn migrate(database: &Database) -> anyhow::Result<()> {
    let connection = database.connection();
    let up = async {
        let mut status = SCHEMA.status(connection).await?;
        let unsound = SCHEMA.check(connection).await?;
        if status.unknown.is_empty() && unsound.is_none() {
            SCHEMA.up(connection).await?;
        }
        Ok((status.unknown.pop(), unsound))
    };
    match database.alone(up).await.context("migrating the database")? {
        (Some(unknown), _) => bail!(
            "the database was written by a newer version of this program (it has {unknown}); update the program"
        ),
        (None, Some(unsound)) => return Err(unsound.into()),
        (None, None) => {}
    }
    for id in database.spell_anew().await.context("working out by what people and departments are found")? {
        tracing::warn!(%id, "somebody else has this name, code or address by now; change one of the two");
    }
    Ok(())
}

/// The manifest of the settings, else the one built in.
///
/// # Errors
/// When the file of the settings cannot be read, or does not describe models; its path is named.
pub fn manifest(settings: &Settings) -> anyhow::Result<Manifest> {
    match &settings.manifest {
        None => Ok(Manifest::built_in()),
        Some(path) => Manifest::read(path).with_context(|| format!("MODELS_MANIFEST {}", path.display())),
    }
}

/// The face engine with the pack of the settings.
///
/// # Errors
/// As for [`manifest`]; [`rollcall_recognition::StartError`] saying which file or library is at fault.
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
///
/// # Errors
/// As for [`ports_with`].
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
///
/// # Errors
/// As for [`keys`]; when passwords or tokens do not pass their trial.
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
        recognition_log: Arc::new(SqlRecognitionLog::start(of())),
        shifts: Arc::new(SqlShiftStore::new(of())),
        assignments: Arc::new(SqlAssignmentStore::new(of())),
        holidays: Arc::new(SqlHolidayStore::new(of())),
        leaves: Arc::new(SqlLeaveStore::new(of())),
        closed_periods: Arc::new(SqlClosedPeriodStore::new(of())),
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
    ///
    /// # Errors
    /// As for [`reached_database`], [`ports_with`] and [`prepare`].
    pub async fn without_engine(settings: &Settings) -> anyhow::Result<Self> {
        let database = reached_database(settings).await?;
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
        let database = reached_database(settings).await?;
        let status = SCHEMA.status(database.connection()).await;
        if !status.context("reading the database's state")?.is_current() {
            bail!("the database is not up to date; {hint}");
        }
        let engine = Arc::new(UnavailableEngine::new("this command does not need it"));
        let ports = ports_with(settings, &database, engine).await?;
        Ok(Self { usecases: UseCases::new(&ports, settings.rules.clone()), ports, database })
    }

    /// Everything, with the gallery filled.
    ///
    /// # Errors
    /// As for [`Self::without_engine`], [`engine`] and [`fill_gallery`].
    pub async fn with_gallery(settings: &Settings) -> anyhow::Result<Self> {
        let database = reached_database(settings).await?;
        let ports = ports_with(settings, &database, Arc::new(engine(settings)?)).await?;
        let system = Self::open(settings, database, ports).await?;
        fill_gallery(&system.usecases).await?;
        Ok(system)
    }

    async fn open(settings: &Settings, database: Database, ports: Ports) -> anyhow::Result<Self> {
        prepare(settings, &database, &ports).await?;
        Ok(Self { usecases: UseCases::new(&ports, settings.rules.clone()), ports, database })
    }

    /// Brings in what another system has kept.
    #[must_use]
    pub fn import(&self) -> Import {
        Import::new(&self.ports, self.usecases.timesheets.clone())
    }

    /// Makes up people who never were.
    #[must_use]
    pub fn demo(&self) -> Demo {
        Demo::new(&self.ports, self.usecases.timesheets.clone())
    }

    /// Waits for what is still being written.
    pub async fn close(self) {
        self.ports.recognition_log.flush().await;
        self.database.close().await;
    }
}

/// What must be true of the database before anything is served. With the wrong `DATA_KEY` no template can be opened and no
/// password verified, and nothing may be served: people would be told that nobody knows them.
///
/// # Errors
/// As for [`migrate`] and [`keys`]; [`WrongKey`] for a database that was written with another key; or the store's.
pub async fn prepare(settings: &Settings, database: &Database, ports: &Ports) -> anyhow::Result<()> {
    migrate(database).await?;
    let check = keys(settings)?.data.check;
    let known =
        async || database.has_key(check.expose()).await.context("reading the check value of DATA_KEY");
    let is_right = match known().await? {
        Some(is_right) => is_right,
        // From before there was one, or new: only templates can tell.
        None if !ports.faces.has_the_key().await.context("opening a stored template")? => false,
        None => {
            database.note_key(check.expose()).await.context("noting the check value of DATA_KEY")?;
            // Another process may have been first, with another key.
            known().await? == Some(true)
        }
    };
    if !is_right {
        return Err(WrongKey::of(settings).into());
    }
    ports.plan.begin(&settings.rules.shift).await.context("storing the default shift")?;
    Ok(())
}

/// The key at hand is not the one of the database.
#[derive(Debug, thiserror::Error)]
#[error(
    "DATA_KEY{place} is not the key this database was written with: no stored face can be opened with it, and no password \
     verified. Put back the one from your backup of the keys"
)]
pub struct WrongKey {
    place: String,
}

impl WrongKey {
    /// What to do about it.
    pub const REMEDY: &'static str = "Put back the one from your backup of the keys";

    /// The key of these settings.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        let [(_, kept), _] = where_keys_are(settings);
        let place = match kept {
            KeptIn::Settings => String::new(),
            KeptIn::File(path) => format!(" (in {})", path.display()),
        };
        Self { place }
    }
}

/// Fills the gallery from the store.
///
/// # Errors
/// When the store fails. Templates that cannot be opened are logged and counted only.
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
