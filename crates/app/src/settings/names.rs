//! Names that are no settings: those of other programs, and those that were meant to be ours.

/// Files and environments are shared with these, and their settings are none of ours. What ends in `*` is a family.
const OTHERS: &[&str] = &[
    // Containers: Compose and its databases, and what docker/compose.yaml itself reads.
    "BIND_ADDRESS",
    "BUILDKIT_*",
    "COMPOSE_*",
    "DOCKER_*",
    "MARIADB_*",
    "MODEL_PACKS",
    "MYSQL_*",
    "PODMAN_*",
    "PUBLISHED_PORT",
    "ROLLCALL_TAG",
    // The Flask system whose `.env` may be kept: it has no counterpart here.
    "FLASK_*",
    "GUNICORN_*",
    "PYTHON*",
    "SECRET_KEY",
    "UPLOAD_FOLDER",
    "WERKZEUG_*",
    // Web frontends.
    "NEXT_PUBLIC_*",
    "NODE_*",
    "NPM_*",
    "NUXT_*",
    "REACT_APP_*",
    "VITE_*",
    // The machine, its libraries and tools.
    "AWS_*",
    "CARGO_*",
    "CUDA_*",
    "DEBIAN_FRONTEND",
    "EDITOR",
    "GOMP_*",
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "KMP_*",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "LD_*",
    "LOGNAME",
    "MALLOC_*",
    "MKL_*",
    "NO_COLOR",
    "NO_PROXY",
    "OMP_*",
    "OPENBLAS_*",
    "OPENCV_*",
    "OTEL_*",
    "PATH",
    "PGID",
    "PUID",
    "PWD",
    "RAYON_*",
    "RUST*",
    "SHELL",
    "SSL_*",
    "TEMP",
    "TERM",
    "TEST_MYSQL_URL",
    "TMP",
    "TMPDIR",
    "TOKIO_*",
    "TZ",
    "UMASK",
    "USER",
    "XDG_*",
];

/// Beginnings of names that only our settings have: with one of them, a name that is none was meant to be.
const OURS: &[&str] = &[
    "DUPLICATE_FACE_",
    "FACE_RECOGNITION_",
    "JWT_",
    "LOGIN_",
    "MAX_FACE_",
    "MIN_FACE_",
    "RATE_LIMIT_",
    "RECOGNITION_",
    "SELF_ENROLL",
    "SELF_CHECK_",
];

/// Whether `name` is a setting of another program, as far as is known here or `declared` says.
pub(super) fn is_of_others(name: &str, declared: &str) -> bool {
    let declared = declared.split(',').map(str::trim).filter(|name| !name.is_empty());
    OTHERS.iter().copied().chain(declared).any(|other| match other.strip_suffix('*') {
        Some(family) => starts_with(name, family),
        None => name.eq_ignore_ascii_case(other),
    })
}

/// Whether `name` was meant to be one of ours, as it seems.
pub(super) fn seems_ours(name: &str, known: &[&'static str]) -> bool {
    OURS.iter().any(|family| starts_with(name, family)) || known.iter().any(|known| is_slip(name, known))
}

/// What `name` was meant to be, most likely.
pub(super) fn nearest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    let (name, longest) = (name.to_ascii_uppercase(), 2 + name.len() / 6);
    let distance = |known: &&'static str| edits(&name, known);
    let near = known.iter().copied().min_by_key(distance)?;
    // Of a name that lacks a part, or has one too many, the letters are all there.
    let part =
        || known.iter().copied().find(|known| known.len() > 6 && name.len() > 6 && holds(known, &name));
    if distance(&near) <= longest && distance(&near) < near.len() / 2 + 1 { Some(near) } else { part() }
}

/// Two letters at most; short names are like too many others.
fn is_slip(name: &str, known: &str) -> bool {
    let most = match known.len() {
        0..=4 => return false,
        5..=7 => 1,
        _ => 2,
    };
    name.len().abs_diff(known.len()) <= most && edits(&name.to_ascii_uppercase(), known) <= most
}

fn holds(one: &str, other: &str) -> bool {
    one.contains(other) || other.contains(one)
}

fn starts_with(name: &str, family: &str) -> bool {
    name.get(..family.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(family))
}

/// How many letters one has to add, take away, replace or swap with the next.
fn edits(one: &str, other: &str) -> usize {
    strsim::osa_distance(one, other)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 8] = [
        "FACE_RECOGNITION_THRESHOLD",
        "HOST",
        "PORT",
        "LOG",
        "DATABASE_URL",
        "DB_PASSWORD",
        "RATE_LIMIT_AUTH_BURST",
        "ORG_TIMEZONE",
    ];

    #[test]
    fn a_slip_of_the_pen_leads_to_the_name_that_was_meant() {
        for (name, meant) in [
            ("FACE_RECOGNITION_TRESHOLD", Some("FACE_RECOGNITION_THRESHOLD")),
            ("face_recogniton_threshhold", Some("FACE_RECOGNITION_THRESHOLD")),
            ("DATABSE_URL", Some("DATABASE_URL")),
            ("DATABASE_URI", Some("DATABASE_URL")),
            ("DB_PASS", Some("DB_PASSWORD")),
            ("DB_PASSWROD", Some("DB_PASSWORD")),
            ("TIMEZONE", Some("ORG_TIMEZONE")),
            ("PROT", Some("PORT")),
            ("colour", None),
            ("BACKUP_BUCKET", None),
        ] {
            assert_eq!(nearest(name, &KNOWN), meant, "{name}");
        }
    }

    #[test]
    fn only_variables_that_resemble_a_setting_seem_ours() {
        for name in ["FACE_RECOGNITION_TRESHOLD", "RATE_LIMIT_LOGIN", "database_uri", "JWT_SECRET"] {
            assert!(seems_ours(name, &KNOWN), "{name}");
        }
        for name in ["HOME", "LANG", "HOSTNAME", "HOSTS", "PS1", "LOGNAME", "SPORT", "DB_PORT_NUMBER", "_"] {
            assert!(!seems_ours(name, &KNOWN), "{name}");
        }
    }

    #[test]
    fn settings_of_other_programs_are_left_to_them() {
        for name in [
            "COMPOSE_PROJECT_NAME",
            "MYSQL_ROOT_PASSWORD",
            "TZ",
            "RUST_LOG",
            "UPLOAD_FOLDER",
            "LC_ALL",
            "http_proxy",
        ] {
            assert!(is_of_others(name, ""), "{name}");
        }
        assert!(!is_of_others("BACKUP_BUCKET", ""));
        assert!(
            is_of_others("BACKUP_BUCKET", "SMTP_*, BACKUP_BUCKET") && is_of_others("SMTP_HOST", "SMTP_*")
        );
        assert!(!is_of_others("DB_HOST", "") && !is_of_others("", ","));
    }
}
