//! Settings: read once, checked at once, and handed on as each part's own options. Nobody below this crate reads
//! the environment or a settings file.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use rollcall_domain::access::SelfService;
use rollcall_domain::policy::Policy;
use rollcall_http::{Limits, Network};
use rollcall_usecases::rules::{Registration, Rules};

mod bad;
mod database;
mod reader;
#[cfg(test)]
mod tests;

pub use bad::{BadSetting, BadSettings, Secret};
use reader::Reader;

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
    /// Name of the model pack.
    pub pack: String,
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
}

impl Settings {
    /// Reads `rollcall.toml` and `.env` of the folder `dir`, then the environment; the later wins.
    ///
    /// # Errors
    /// [`BadSettings`] naming every key that cannot be used, its value unless it is secret, and what would do.
    pub fn load(dir: &Path) -> Result<Self, BadSettings> {
        let unreadable = |file: &str, why: String| {
            BadSettings(vec![BadSetting { key: "settings", value: file.into(), expected: why }])
        };
        let dotenv = dir.join(".env");
        let mut from_file = HashMap::new();
        if dotenv.exists() {
            for pair in dotenvy::from_path_iter(&dotenv).map_err(|e| unreadable(".env", e.to_string()))? {
                let (key, value) = pair.map_err(|_| unreadable(".env", "a line is not KEY=value".into()))?;
                from_file.insert(key, value);
            }
        }
        let file = config::File::from(dir.join("rollcall.toml")).required(false);
        let own = config::Config::builder().add_source(file.clone()).build();
        let own = own.and_then(|own| own.try_deserialize::<HashMap<String, config::Value>>());
        for (key, value) in own.map_err(|error| unreadable("rollcall.toml", error.to_string()))? {
            // A list or a table would otherwise vanish, and with it what somebody wanted to be set.
            if value.into_string().is_err() {
                let why = format!("{} is not one value; a list is one text, with commas", key.to_uppercase());
                return Err(unreadable("rollcall.toml", why));
            }
        }
        let merged = config::Config::builder()
            .add_source(file)
            .add_source(config::Environment::default().source(Some(from_file)))
            .add_source(config::Environment::default())
            .build()
            .map_err(|error| unreadable("rollcall.toml", error.to_string()))?;
        let values: HashMap<String, config::Value> =
            merged.try_deserialize().map_err(|error| unreadable("rollcall.toml", error.to_string()))?;
        // What is no text in the environment is the machine's own.
        let text = values.into_iter().filter_map(|(key, value)| Some((key, value.into_string().ok()?)));
        Self::from_values(text.collect())
    }

    /// Settings from values by lower-case key; what is absent has its default.
    ///
    /// # Errors
    /// As for [`Self::load`].
    pub fn from_values(values: HashMap<String, String>) -> Result<Self, BadSettings> {
        let mut read = Reader { values, bad: Vec::new() };
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
        let settings = Self {
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
            pack: read.text("MODEL_PACK").unwrap_or_else(|| "open".into()),
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
        };
        if read.bad.is_empty() { Ok(settings) } else { Err(BadSettings(read.bad)) }
    }
}
