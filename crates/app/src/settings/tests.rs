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
fn unset_settings_have_working_defaults() {
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

/// The settings of a folder with these files, and of this environment.
fn of(files: &[(&str, &str)], environment: &[(&str, &str)]) -> Result<Settings, String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let environment = environment.iter().map(|(key, value)| ((*key).into(), (*value).into()));
    Settings::of(folder.path(), environment).map_err(|bad| bad.to_string())
}

#[track_caller]
fn password(settings: Result<Settings, String>) -> String {
    let DatabaseSetting::Url(url) = settings.unwrap().database else { panic!("MySQL was asked for") };
    url.expose().to_owned()
}

#[test]
fn setting_lists_in_toml_are_rejected() {
    let message =
        of(&[("rollcall.toml", "\ncors_origins = [\"https://a.example\"]\n")], &[]).map(drop).unwrap_err();
    assert_eq!(
        message,
        "rollcall.toml, line 2: CORS_ORIGINS is not one value. A list is one text, with commas"
    );
}

#[test]
fn the_environment_wins_over_dotenv_and_that_over_toml() {
    let toml = ("rollcall.toml", "\u{feff}port = 1\nHost = \"::1\"\nself_enroll = false\n");
    let dotenv = (".env", "\u{feff}PORT=2\r\nexport BCRYPT_COST=11\r\n");
    let settings = of(&[toml, dotenv], &[("PORT", "3"), ("port", "4")]).unwrap();
    assert_eq!((settings.port, settings.bcrypt_cost), (3, 11));
    assert_eq!(settings.host, IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]));
    assert!(!settings.rules.self_service.enroll);
}

#[test]
fn a_password_is_what_was_written() {
    let written = |line: &str| of(&[(".env", &format!("DB_NAME=n\nDB_HOST=h\nDB_PASSWORD={line}\n"))], &[]);
    for (line, sent) in [
        ("pa$word#1", "pa%24word%231"),
        ("$ecret", "%24ecret"),
        (r"a\b", "a%5Cb"),
        ("'it is \"# ${x}'", "it%20is%20%22%23%20%24%7Bx%7D"),
        ("' both ends '", "%20both%20ends%20"),
    ] {
        assert_eq!(password(written(line)), format!("mysql://root:{sent}@h/n"), "{line}");
    }
    for line in ["pass #word", "\"pass", "${SECRET}", "'pass'word"] {
        let message = written(line).map(drop).unwrap_err();
        assert!(message.starts_with(".env, line 3: DB_PASSWORD "), "{message}");
        assert!(!message.contains("word") && !message.contains("SECRET"), "{message}");
    }
    let mistaken = of(&[], &[("DB_NAME", "n"), ("DB_PASSWORD", "hunter2\n")]).map(drop).unwrap_err();
    assert!(mistaken.contains("DB_PASSWORD") && !mistaken.contains("hunter2"), "{mistaken}");
}

#[test]
fn an_address_that_ends_within_its_password_is_refused() {
    for url in ["mysql://u:1#2@h/n", "mysql://u:1/2@h/n", "mysql://u:1?2@h/n", "mysql://u:p@a/1#2@h/n"] {
        let message = of(&[], &[("DATABASE_URL", url)]).map(drop).unwrap_err();
        assert!(message.contains("%23") && !message.contains("1#2"), "{message}");
    }
    for url in ["mysql://u:a$b@h/n", "mysql://u:a%23b@h/n", "mysql://h/n", "sqlite://data/a@b.db"] {
        assert_eq!(password(of(&[], &[("DATABASE_URL", url)])), url);
    }
}

#[test]
fn a_file_sets_nothing_that_is_no_setting() {
    let message = of(
        &[
            ("rollcall.toml", "# ours\ncolour = \"red\"\n\n[server]\nport = 1\n"),
            (".env", "PORT=80\nFACE_RECOGNITION_TRESHOLD=0.5\nLOG_FORMAT=xml\n"),
        ],
        &[],
    );
    let message = message.map(drop).unwrap_err();
    let lines: Vec<_> = message.lines().collect();
    assert_eq!(
        lines,
        [
            "rollcall.toml, line 4: SERVER is not one value. A list is one text, with commas",
            ".env, line 3: LOG_FORMAT=xml is not usable: one of text, json",
            ".env, line 2: FACE_RECOGNITION_TRESHOLD is not a setting; did you mean FACE_RECOGNITION_THRESHOLD?",
            "rollcall.toml, line 2: COLOUR is not a setting. If it is for another program, name it in \
             FOREIGN_SETTINGS, separated by commas",
        ]
    );
    let twice = of(&[(".env", "PORT=1\n\nport=1\n")], &[]).map(drop).unwrap_err();
    assert_eq!(twice, ".env, line 3: PORT is set a second time, after line 1");
}

#[test]
fn settings_of_other_programs_may_stand_beside_ours() {
    let shared = "COMPOSE_PROJECT_NAME=x # anything\nMYSQL_ROOT_PASSWORD=\"${A}\nTZ=Europe/Berlin\nRUST_LOG=debug\n\
                  UPLOAD_FOLDER=/storage\nFLASK_APP=run.py\nFOREIGN_SETTINGS=BACKUP_BUCKET, smtp_*\n\
                  BACKUP_BUCKET=s3://x\nSMTP_HOST=mail\nPORT=81\n";
    assert_eq!(of(&[(".env", shared)], &[]).map(|settings| settings.port), Ok(81));
    let declared = ("FOREIGN_SETTINGS", "BACKUP_BUCKET");
    let (file, port) = ((".env", "BACKUP_BUCKET=\"${A}\nPORT=81\n"), |settings: Settings| settings.port);
    assert_eq!(of(&[file], &[declared]).map(port), Ok(81), "also when the environment declares them");
    let both = (".env", "BACKUP_BUCKET=x\nMAILER=x\nFOREIGN_SETTINGS=MAILER\nPORT=81\n");
    assert_eq!(of(&[both], &[declared]).map(port), Ok(81));
}

#[test]
fn space_between_quotes_is_meant() {
    let files = |token: &str| of(&[(".env", token)], &[]).map(|settings| settings.health_token);
    let secret = |text: &str| Some(Secret::new(text.into()));
    assert_eq!(files("HEALTH_TOKEN=' a token of many signs '"), Ok(secret(" a token of many signs ")));
    assert_eq!(files("HEALTH_TOKEN= a token of many signs "), Ok(secret("a token of many signs")));
    let given =
        of(&[], &[("HEALTH_TOKEN", " a token of many signs\n")]).map(|settings| settings.health_token);
    assert_eq!(given, Ok(secret("a token of many signs")));
}

#[test]
fn an_environment_is_everybodys_and_only_near_misses_are_told() {
    let names = [
        ("HOME", "/"),
        ("PS1", "$"),
        ("FACE_RECOGNITION_TRESHOLD", "0.5"),
        ("DATABASE_URI", "x"),
        ("MY_APP", "1"),
    ];
    assert_eq!(
        of(&[], &names).unwrap().doubts,
        [
            "DATABASE_URI is not a setting; did you mean DATABASE_URL?",
            "FACE_RECOGNITION_TRESHOLD is not a setting; did you mean FACE_RECOGNITION_THRESHOLD?",
        ]
    );
}

/// The settings that the example explains.
fn explained() -> Vec<&'static str> {
    let lines = include_str!("../../../../.env.example").lines();
    let assigned = lines.filter_map(|line| line.strip_prefix('#')?.split_once('='));
    assigned
        .map(|(key, _)| key)
        .filter(|key| key.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
        .collect()
}

#[test]
fn the_example_explains_every_setting_and_no_other() {
    let mut read = Reader::new(HashMap::new());
    Settings::read(&mut read).unwrap();
    let (mut known, mut explained) = (read.known, explained());
    for names in [&mut known, &mut explained] {
        names.sort_unstable();
        names.dedup();
    }
    assert_eq!(known, explained);
    for name in known {
        assert!(!names::is_of_others(name, ""), "{name} would be left out");
    }
}

#[test]
fn the_example_with_every_line_switched_on_can_be_read() {
    let text = include_str!("../../../../.env.example");
    let on: Vec<_> = explained().iter().map(|key| format!("#{key}=")).collect();
    let set = |line: &str| on.iter().any(|key| line.starts_with(key)) && !line.ends_with('=');
    let lines: Vec<_> = text.lines().map(|line| if set(line) { &line[1..] } else { line }).collect();
    assert_eq!(of(&[(".env", &lines.join("\n"))], &[]).map(|settings| settings.port), Ok(5000));
}
