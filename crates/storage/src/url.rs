//! Where a database is.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use sea_orm::sqlx::mysql::MySqlConnectOptions;

/// Where a database is: `sqlite:path/to/file.db`, `sqlite::memory:` or `mysql://user:password@host/name`.
///
/// Printing it never shows the password.
#[derive(Clone)]
pub struct DatabaseUrl(pub(crate) Target);

#[derive(Clone)]
pub(crate) enum Target {
    File(PathBuf),
    Memory,
    Server { options: Box<MySqlConnectOptions>, shown: String },
}

/// The text is not the address of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a database address. Use sqlite:<file>, sqlite::memory: or mysql://<user>:<password>@<host>/<name>"
)]
pub struct InvalidDatabaseUrl;

impl DatabaseUrl {
    /// A SQLite file, created when it is opened.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Target::File(path.into()))
    }

    /// The same address with another password; a file has none.
    #[must_use]
    pub fn with_password(self, password: &str) -> Self {
        Self(match self.0 {
            Target::Server { options, shown } => {
                Target::Server { options: Box::new(options.password(password)), shown }
            }
            file => file,
        })
    }

    /// The path of the SQLite file, if it is one.
    #[must_use]
    pub fn path(&self) -> Option<&std::path::Path> {
        match &self.0 {
            Target::File(path) => Some(path),
            Target::Memory | Target::Server { .. } => None,
        }
    }
}

impl FromStr for DatabaseUrl {
    type Err = InvalidDatabaseUrl;

    fn from_str(text: &str) -> Result<Self, InvalidDatabaseUrl> {
        if let Some(rest) = text.strip_prefix("sqlite:") {
            let path = rest.strip_prefix("//").unwrap_or(rest);
            // Options after the path belong to other programs' dialects; ours are fixed.
            let path = path.split_once('?').map_or(path, |(path, _)| path);
            return match path {
                "" => Err(InvalidDatabaseUrl),
                ":memory:" => Ok(Self(Target::Memory)),
                path => Ok(Self::file(path)),
            };
        }
        if !text.starts_with("mysql://") {
            return Err(InvalidDatabaseUrl);
        }
        let options: MySqlConnectOptions = text.parse().map_err(|_| InvalidDatabaseUrl)?;
        if options.get_database().is_none_or(str::is_empty) {
            return Err(InvalidDatabaseUrl);
        }
        Ok(Self(Target::Server { options: Box::new(options), shown: without_password(text) }))
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Target::File(path) => write!(f, "sqlite:{}", path.display()),
            Target::Memory => f.write_str("sqlite::memory:"),
            Target::Server { shown, .. } => f.write_str(shown),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Scheme, user, host and name; whatever else the text says may be secret.
fn without_password(text: &str) -> String {
    let plain = text.split_once('?').map_or(text, |(plain, _)| plain);
    let rest = plain.strip_prefix("mysql://").unwrap_or(plain);
    match rest.rsplit_once('@') {
        Some((login, place)) => {
            let user = login.split_once(':').map_or(login, |(user, _)| user);
            format!("mysql://{user}:***@{place}")
        }
        None => format!("mysql://{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_address_keeps_the_password_to_itself() {
        let url: DatabaseUrl =
            "mysql://rollcall:s3cret@db.example.org:3306/rollcall?ssl-mode=required".parse().unwrap();
        assert_eq!(format!("{url:?}"), "mysql://rollcall:***@db.example.org:3306/rollcall");
    }

    #[test]
    fn files_memory_and_servers_are_told_apart() {
        let path = |text: &str| text.parse::<DatabaseUrl>().unwrap().path().map(PathBuf::from);
        assert_eq!(path("sqlite:data/rollcall.db"), Some("data/rollcall.db".into()));
        assert_eq!(path("sqlite:///var/lib/rollcall.db?mode=rwc"), Some("/var/lib/rollcall.db".into()));
        assert_eq!(path("sqlite::memory:"), None);
        for bad in ["", "sqlite:", "postgres://x/y", "mysql://root@localhost", "rollcall.db"] {
            assert!(bad.parse::<DatabaseUrl>().is_err(), "{bad:?}");
        }
    }
}
