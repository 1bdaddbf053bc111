//! Settings: read once, checked at once, and handed on as each part's own options. Nobody below this crate reads
//! the environment or a settings file.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use jiff::SignedDuration;
use rollcall_domain::access::SelfService;
use rollcall_domain::calendar::Zone;
use rollcall_domain::matching::Threshold;
use rollcall_domain::policy::Policy;
use rollcall_usecases::rules::{Registration, Rules};

/// A value that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the secret.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

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

/// A setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadSetting {
    key: &'static str,
    value: String,
    expected: String,
}

impl fmt::Display for BadSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={} is not usable: {}", self.key, self.value, self.expected)
    }
}

/// Settings that cannot be used: all of them at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadSettings(pub Vec<BadSetting>);

impl BadSettings {
    /// A secret that cannot be used; it is named and not shown.
    #[must_use]
    pub fn secret(key: &'static str, expected: String) -> Self {
        Self(vec![BadSetting { key, value: "…".into(), expected }])
    }
}

impl fmt::Display for BadSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for BadSettings {}

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
        let merged = config::Config::builder()
            .add_source(config::File::from(dir.join("rollcall.toml")).required(false))
            .add_source(config::Environment::default().source(Some(from_file)))
            .add_source(config::Environment::default())
            .build()
            .map_err(|error| unreadable("rollcall.toml", error.to_string()))?;
        let values: HashMap<String, config::Value> =
            merged.try_deserialize().map_err(|error| unreadable("rollcall.toml", error.to_string()))?;
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
            access_token_ttl: read.seconds("JWT_ACCESS_TOKEN_EXPIRES", 3_600, 60..=86_400),
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
            cors_origins: read.origins("CORS_ORIGINS"),
            health_token: read.token("HEALTH_TOKEN", 16),
            require_if_match: read.switch("REQUIRE_IF_MATCH", false),
            log: read.text("LOG").unwrap_or_else(|| "info".into()),
            log_format: read.choice(
                "LOG_FORMAT",
                LogFormat::Text,
                &[("text", LogFormat::Text), ("json", LogFormat::Json)],
            ),
        };
        if read.bad.is_empty() { Ok(settings) } else { Err(BadSettings(read.bad)) }
    }
}

/// Takes values one by one and remembers what was wrong with them.
struct Reader {
    values: HashMap<String, String>,
    bad: Vec<BadSetting>,
}

impl Reader {
    fn raw(&self, key: &'static str) -> Option<String> {
        self.values.get(&key.to_lowercase()).map(|value| value.trim().to_owned())
    }

    /// A setting for which an empty value means the same as none.
    fn text(&self, key: &'static str) -> Option<String> {
        self.raw(key).filter(|value| !value.is_empty())
    }

    fn path(&self, key: &'static str) -> Option<PathBuf> {
        self.text(key).map(PathBuf::from)
    }

    /// An empty secret is kept: whoever needs it must refuse it rather than take it for unset.
    fn secret(&self, key: &'static str) -> Option<Secret> {
        self.raw(key).map(Secret)
    }

    /// A secret that somebody else presents: too short a one is as good as none.
    fn token(&mut self, key: &'static str, least: usize) -> Option<Secret> {
        let token = self.secret(key)?;
        if token.expose().len() >= least {
            return Some(token);
        }
        self.refuse(key, "…", format!("at least {least} bytes"));
        None
    }

    fn refuse(&mut self, key: &'static str, value: &str, expected: impl Into<String>) {
        self.bad.push(BadSetting { key, value: value.chars().take(80).collect(), expected: expected.into() });
    }

    fn parsed<T: FromStr>(&mut self, key: &'static str, default: T, expected: &str) -> T {
        let Some(value) = self.raw(key) else { return default };
        value.parse().unwrap_or_else(|_| {
            self.refuse(key, &value, expected);
            default
        })
    }

    fn number<T>(&mut self, key: &'static str, default: T, range: RangeInclusive<T>) -> T
    where
        T: FromStr + PartialOrd + fmt::Display + Copy,
    {
        let Some(value) = self.raw(key) else { return default };
        match value.parse() {
            Ok(number) if range.contains(&number) => number,
            _ => {
                self.refuse(key, &value, format!("a number from {} to {}", range.start(), range.end()));
                default
            }
        }
    }

    fn seconds(&mut self, key: &'static str, default: i64, range: RangeInclusive<i64>) -> SignedDuration {
        SignedDuration::from_secs(self.number(key, default, range))
    }

    fn choice<T: Copy>(&mut self, key: &'static str, default: T, choices: &[(&str, T)]) -> T {
        let Some(value) = self.raw(key) else { return default };
        if let Some((_, chosen)) = choices.iter().find(|(name, _)| value.eq_ignore_ascii_case(name)) {
            return *chosen;
        }
        let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
        self.refuse(key, &value, format!("one of {}", names.join(", ")));
        default
    }

    fn switch(&mut self, key: &'static str, default: bool) -> bool {
        self.choice(key, default, &[("true", true), ("false", false), ("1", true), ("0", false)])
    }

    /// A setting of the contract whose other values are not built yet: said, rather than ignored.
    fn not_yet(&mut self, key: &'static str, only: &str) {
        if let Some(value) = self.raw(key)
            && !value.eq_ignore_ascii_case(only)
        {
            self.refuse(key, &value, format!("this version only offers {only}"));
        }
    }

    fn threshold(&mut self, key: &'static str) -> Option<Threshold> {
        let value = self.raw(key)?;
        let threshold = value.parse().ok().and_then(|distance| Threshold::from_distance(distance).ok());
        if threshold.is_none() {
            let range =
                format!("a distance from {} to {}; lower is stricter", Threshold::MIN, Threshold::MAX);
            self.refuse(key, &value, range);
        }
        threshold
    }

    fn zone(&mut self, key: &'static str) -> Zone {
        let Some(value) = self.text(key) else { return Zone::UTC };
        Zone::named(&value).unwrap_or_else(|error| {
            self.refuse(key, &value, error.to_string());
            Zone::UTC
        })
    }

    fn origins(&mut self, key: &'static str) -> Vec<String> {
        let Some(value) = self.text(key) else { return Vec::new() };
        let origins: Vec<String> = value.split(',').map(|origin| origin.trim().to_owned()).collect();
        let sound = |origin: &String| {
            let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '*', ' ', '@']))
        };
        if origins.iter().all(sound) {
            return origins;
        }
        self.refuse(
            key,
            &value,
            "origins such as https://hr.example.com, separated by commas; no path, no *",
        );
        Vec::new()
    }

    /// `DATABASE_URL` wins over the `DB_…` settings; without either the embedded database is used.
    fn database(&mut self) -> DatabaseSetting {
        if let Some(url) = self.text("DATABASE_URL") {
            if !(url.starts_with("mysql://") || url.starts_with("sqlite:")) {
                self.refuse("DATABASE_URL", "…", "an address that begins with mysql:// or sqlite:");
            }
            return DatabaseSetting::Url(Secret(url));
        }
        let (host, user, name) = (self.text("DB_HOST"), self.text("DB_USER"), self.text("DB_NAME"));
        if host.is_none() && user.is_none() && name.is_none() {
            return DatabaseSetting::Embedded;
        }
        let Some(name) = name else {
            self.refuse("DB_NAME", "", "the name of the MySQL database, because DB_HOST or DB_USER is set");
            return DatabaseSetting::Embedded;
        };
        let password = self.text("DB_PASSWORD").unwrap_or_default();
        let url = format!(
            "mysql://{}:{}@{}/{}",
            percent_encoded(&user.unwrap_or_else(|| "root".into())),
            percent_encoded(&password),
            host.unwrap_or_else(|| "127.0.0.1".into()),
            percent_encoded(&name),
        );
        DatabaseSetting::Url(Secret(url))
    }
}

/// Everything but unreserved characters as `%XX` (RFC 3986, section 2.1).
fn percent_encoded(text: &str) -> String {
    use fmt::Write;
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Result<Settings, BadSettings> {
        Settings::from_values(pairs.iter().map(|(k, v)| (k.to_lowercase(), (*v).to_owned())).collect())
    }

    #[track_caller]
    fn refused(key: &str, value: &str) {
        let message = settings(&[(key, value)]).expect_err("must be refused").to_string();
        assert!(message.contains(key), "{message}");
    }

    #[test]
    fn nothing_set_is_a_working_installation() {
        let settings = settings(&[]).unwrap();
        assert_eq!(settings.database, DatabaseSetting::Embedded);
        assert_eq!((settings.host.to_string().as_str(), settings.port), ("127.0.0.1", 5000));
        assert_eq!(settings.rules.min_faces, 5);
        assert!(settings.rules.threshold.is_none(), "the pack's own calibration holds");
    }

    #[test]
    fn bad_values_are_named_with_their_range() {
        for value in ["abc", "-1", "0", "1.5", "NaN", ""] {
            refused("FACE_RECOGNITION_THRESHOLD", value);
        }
        refused("PORT", "70000");
        refused("ORG_TIMEZONE", "Mars/Olympus");
        refused("REGISTRATION", "maybe");
        refused("CORS_ORIGINS", "*");
        refused("LIVENESS_MODE", "passive");
        refused("DATABASE_URL", "postgres://x");
        refused("HEALTH_TOKEN", "");
        let message = settings(&[("PORT", "x"), ("SELF_ENROLL", "y")]).unwrap_err().to_string();
        assert!(
            message.contains("PORT=x") && message.contains("0 to 65535") && message.contains("SELF_ENROLL=y")
        );
    }

    #[test]
    fn secrets_are_never_shown() {
        let settings = settings(&[
            ("DB_HOST", "db"),
            ("DB_NAME", "rollcall"),
            ("DB_USER", "hr"),
            ("DB_PASSWORD", "p@ss/w"),
            ("JWT_SECRET_KEY", "hush-hush"),
        ])
        .unwrap();
        let shown = format!("{settings:?}");
        assert!(!shown.contains("p@ss") && !shown.contains("hush"), "{shown}");
        let DatabaseSetting::Url(url) = settings.database else { panic!("MySQL was asked for") };
        assert_eq!(url.expose(), "mysql://hr:p%40ss%2Fw@db/rollcall");
    }

    #[test]
    fn a_database_url_wins_over_its_parts() {
        let settings =
            settings(&[("DATABASE_URL", "sqlite:x.db"), ("DB_HOST", "db"), ("DB_NAME", "n")]).unwrap();
        assert_eq!(settings.database, DatabaseSetting::Url(Secret::new("sqlite:x.db".into())));
    }
}
