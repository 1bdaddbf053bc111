//! Settings: read once, checked at once, and handed on as each part's own options. Nobody below this crate reads
//! the environment or a settings file.

use std::collections::HashMap;
use std::ffi::OsString;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use rollcall_domain::access::SelfService;
use rollcall_domain::policy::Policy;
use rollcall_http::{Limits, Network};
use rollcall_usecases::rules::{Registration, Rules};

mod bad;
mod database;
mod files;
mod names;
mod reader;
#[cfg(test)]
mod tests;

pub use bad::{BadSetting, BadSettings, Secret};
use reader::{Given, Reader};

/// Which database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseSetting {
    /// The embedded one, in the data folder.
    Embedded,
    /// A `sqlite:` or `mysql:` address.
    Url(Secret),
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Every setting, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Which database.
    pub database: DatabaseSetting,
    /// Most database connections at once.
    pub database_connections: u32,
    /// Where the embedded database and generated keys live.
    pub data_dir: PathBuf,
    /// Signs access tokens.
    pub jwt_secret: Option<Secret>,
    /// Encrypts templates and peppers passwords; base64 of 32 bytes.
    pub data_key: Option<Secret>,
    /// bcrypt's work factor.
    pub bcrypt_cost: u32,
    /// Address to listen on.
    pub host: IpAddr,
    /// Port to listen on; 0 lets the system choose.
    pub port: u16,
    /// What the installation has decided.
    pub rules: Rules,
    /// Name of the model pack, if one was chosen; see [`Settings::pack`].
    pub chosen_pack: Option<String>,
    /// Where the model files are.
    pub models_dir: PathBuf,
    /// The manifest, if not the one built in.
    pub manifest: Option<PathBuf>,
    /// ONNX Runtime's library, if not in a usual place.
    pub runtime: Option<PathBuf>,
    /// Recognition threads.
    pub workers: usize,
    /// Photos that may wait for them.
    pub queue: usize,
    /// Largest photo, in bytes.
    pub max_image_bytes: usize,
    /// Passwords that may wait to be hashed.
    pub password_queue: usize,
    /// How fast anybody may ask; `None` for as fast as they like.
    pub limits: Option<Limits>,
    /// Where the web console is reached, without a slash at the end; empty if unknown.
    pub public_url: String,
    /// Proxies whose word on where a request comes from is believed.
    pub trusted_proxies: Vec<Network>,
    /// Origins of other web frontends.
    pub cors_origins: Vec<String>,
    /// Lets monitoring read the detailed health.
    pub health_token: Option<Secret>,
    /// Whether changes must name the version they change.
    pub require_if_match: bool,
    /// What is logged, in the words of `tracing-subscriber`'s `EnvFilter`.
    pub log: String,
    /// How it is logged.
    pub log_format: LogFormat,
    /// Names in the environment that look like settings and are none: for whoever starts the program.
    pub doubts: Vec<String>,
}

impl Settings {
    /// Name of the model pack: the one chosen, else `open`.
    #[must_use]
    pub fn pack(&self) -> &str {
        self.chosen_pack.as_deref().unwrap_or("open")
    }

    /// Reads `rollcall.toml` and `.env` of the folder `dir`, then the environment; the later wins.
    ///
    /// # Errors
    /// [`BadSettings`] naming every key that cannot be used, its line, its value unless it is secret, and what would do;
    /// and every key of the two files that is neither a setting nor one of another program.
    pub fn load(dir: &Path) -> Result<Self, BadSettings> {
        Self::of(dir, std::env::vars_os())
    }

    fn of(dir: &Path, environment: impl Iterator<Item = (OsString, OsString)>) -> Result<Self, BadSettings> {
        let mut read = Reader::new(HashMap::new());
        let environment: Vec<_> = environment.collect();
        read.declared(&environment);
        read.file(dir, "rollcall.toml", files::toml);
        read.file(dir, ".env", files::dotenv);
        read.environment(environment.into_iter());
        Self::read(&mut read)
    }

    /// Settings from values by lower-case key; what is absent has its default.
    ///
    /// # Errors
    /// As for [`Self::load`].
    pub fn from_values(values: HashMap<String, String>) -> Result<Self, BadSettings> {
        let given = |(key, value)| (key, Given { value, place: None });
        Self::read(&mut Reader::new(values.into_iter().map(given).collect()))
    }

    fn read(read: &mut Reader) -> Result<Self, BadSettings> {
        let defaults = Rules::standard();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let workers = read.number("RECOGNITION_WORKERS", cores.min(8), 1..=64);
        let min_faces = read.number("MIN_FACE_IMAGES_FOR_ENROLLMENT", defaults.min_faces, 1..=20);
        let rules = Rules {
            zone: read.zone("ORG_TIMEZONE"),
            policy: Policy {
                cooldown: read.seconds("RECOGNITION_COOLDOWN_SECONDS", 60, 0..=3_600),
                min_session: read.seconds("MIN_SESSION_SECONDS", 300, 0..=86_400),
                ..Policy::STANDARD
            },
            self_service: SelfService {
                enroll: read.switch("SELF_ENROLL", true),
                check_in: read.switch("SELF_CHECK_IN", true),
            },
            registration: read.choice(
                "REGISTRATION",
                Registration::Open,
                &Registration::ALL.map(|r| (r.name(), r)),
            ),
            password_min_length: read.number("PASSWORD_MIN_LENGTH", 10, 8..=128),
            lock_out: read.lock_out(),
            access_token_ttl: read.seconds("JWT_ACCESS_TOKEN_EXPIRES", 3_600, 60..=86_400),
            invitation_ttl: SignedDuration::from_hours(24 * read.number("INVITATION_DAYS", 7, 1..=90)),
            min_faces,
            max_faces: read.number("MAX_FACE_IMAGES_FOR_ENROLLMENT", 20.max(min_faces), min_faces..=100),
            threshold: read.threshold("FACE_RECOGNITION_THRESHOLD"),
            duplicate_threshold: read.threshold("DUPLICATE_FACE_THRESHOLD"),
            margin: read.number("RECOGNITION_MARGIN", defaults.margin, 0.0..=0.5),
            target_fpir: read.number("TARGET_FPIR", defaults.target_fpir, 1e-6..=0.5),
            ..defaults
        };
        read.not_yet("STORE_FACE_IMAGES", "false");
        read.not_yet("LIVENESS_MODE", "off");
        let mut settings = Self {
            database: read.database(),
            database_connections: read.number("DATABASE_CONNECTIONS", 16, 1..=500),
            data_dir: read.path("DATA_DIR").unwrap_or_else(|| "data".into()),
            jwt_secret: read.secret("JWT_SECRET_KEY"),
            data_key: read.secret("DATA_KEY"),
            bcrypt_cost: read.number("BCRYPT_COST", 12, 10..=16),
            host: read.parsed(
                "HOST",
                IpAddr::from([127, 0, 0, 1]),
                "an IP address, such as 127.0.0.1 or 0.0.0.0",
            ),
            port: read.number("PORT", 5000, 0..=65_535),
            rules,
            chosen_pack: read.text("MODEL_PACK"),
            models_dir: read.path("MODELS_DIR").unwrap_or_else(|| "models".into()),
            manifest: read.path("MODELS_MANIFEST"),
            runtime: read.path("ORT_DYLIB_PATH"),
            workers,
            queue: read.number("RECOGNITION_QUEUE", workers * 8, 1..=10_000),
            max_image_bytes: read.number("MAX_FILE_SIZE_MB", 5_usize, 1..=50) * 1024 * 1024,
            password_queue: read.number("PASSWORD_QUEUE", cores * 8, 1..=10_000),
            limits: read.limits(),
            public_url: read.public_url("PUBLIC_URL"),
            trusted_proxies: read.networks("TRUSTED_PROXIES"),
            cors_origins: read.origins("CORS_ORIGINS"),
            health_token: read.token("HEALTH_TOKEN", 16),
            require_if_match: read.switch("REQUIRE_IF_MATCH", false),
            log: read.log("LOG"),
            log_format: read.choice(
                "LOG_FORMAT",
                LogFormat::Text,
                &[("text", LogFormat::Text), ("json", LogFormat::Json)],
            ),
            doubts: Vec::new(),
        };
        settings.doubts = read.strangers();
        if read.bad.is_empty() { Ok(settings) } else { Err(BadSettings(std::mem::take(&mut read.bad))) }
    }
}
