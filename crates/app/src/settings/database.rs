//! Which database the settings mean.

use std::fmt;

use super::reader::Reader;
use super::{DatabaseSetting, Secret};

impl Reader {
    /// `DATABASE_URL` wins over the `DB_…` settings; without either the embedded database is used.
    pub(super) fn database(&mut self) -> DatabaseSetting {
        let (host, user, name) = (self.text("DB_HOST"), self.text("DB_USER"), self.text("DB_NAME"));
        let password = self.exactly("DB_PASSWORD").unwrap_or_default();
        if password.contains(char::is_control) {
            self.refuse("DB_PASSWORD", "…", "a password without line ends and other control characters");
        }
        if let Some(url) = self.text("DATABASE_URL") {
            if has_open_password(&url) {
                let encoded =
                    "an address in whose password and names # is written %23, / %2F, ? %3F and @ %40";
                self.refuse("DATABASE_URL", "…", encoded);
            } else if !(url.starts_with("mysql://") || url.starts_with("sqlite:")) {
                self.refuse("DATABASE_URL", "…", "an address that begins with mysql:// or sqlite:");
            }
            return DatabaseSetting::Url(Secret(url));
        }
        if host.is_none() && user.is_none() && name.is_none() {
            return DatabaseSetting::Embedded;
        }
        let Some(name) = name else {
            self.refuse("DB_NAME", "", "the name of the MySQL database, because DB_HOST or DB_USER is set");
            return DatabaseSetting::Embedded;
        };
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

/// Whether a sign of the password ends the part of the address that it is in, so that another password would be read,
/// or another host. An `@` behind the host may be the one before the host that was meant, also where another comes first.
fn has_open_password(url: &str) -> bool {
    let server = url.strip_prefix("mysql://").unwrap_or_default();
    let end = server.find(['/', '?', '#']).unwrap_or(server.len());
    server[end..].contains('@')
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
