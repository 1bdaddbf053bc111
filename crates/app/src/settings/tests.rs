//! Settings, good and bad.

use std::time::Duration;

use rollcall_domain::lockout::LockOut;
use rollcall_http::Rate;

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
    refused("LOG", "rollcall=loud");
    refused("RATE_LIMIT", "maybe");
    refused("RATE_LIMIT_AUTH_BURST", "0");
    refused("LOGIN_FAILURES", "101");
    refused("TRUSTED_PROXIES", "10.0.0.0/33");
    refused("PASSWORD_QUEUE", "0");
    refused("PUBLIC_URL", "hr.example.com");
    refused("PUBLIC_URL", "https://hr.example.com/#here");
    refused("INVITATION_DAYS", "0");
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
    let settings = settings(&[("DATABASE_URL", "sqlite:x.db"), ("DB_HOST", "db"), ("DB_NAME", "n")]).unwrap();
    assert_eq!(settings.database, DatabaseSetting::Url(Secret::new("sqlite:x.db".into())));
}

#[test]
fn limits_are_settings_and_on_unless_switched_off() {
    let standard = settings(&[]).unwrap();
    assert_eq!(standard.limits, Some(Limits::default()));
    assert_eq!(standard.rules.lock_out, LockOut::STANDARD);
    assert_eq!(settings(&[("RATE_LIMIT", "off")]).unwrap().limits, None);
    let own = settings(&[
        ("RATE_LIMIT_AUTH_BURST", "5"),
        ("RATE_LIMIT_AUTH_PER_MINUTE", "6"),
        ("LOGIN_LOCK_SECONDS", "1200"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, ::1"),
    ])
    .unwrap();
    assert_eq!(own.limits.unwrap().auth, Rate { burst: 5, every: Duration::from_secs(10) });
    assert_eq!(own.rules.lock_out.longest, SignedDuration::from_secs(1_200), "no shorter than the first");
    assert_eq!(own.trusted_proxies.len(), 2);
}

#[test]
fn what_is_no_single_value_is_refused() {
    let folder = std::env::temp_dir().join(format!("rollcall-settings-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("rollcall.toml"), "cors_origins = [\"https://a.example\"]\n").unwrap();
    let message = Settings::load(&folder).map(drop).unwrap_err().to_string();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(message.contains("CORS_ORIGINS") && message.contains("rollcall.toml"), "{message}");
}
