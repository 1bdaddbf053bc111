//! Why a database server does not answer: a pool of connections only says that it waited.

use std::io::ErrorKind;
use std::time::Duration;

use sea_orm::sqlx::mysql::{MySqlConnectOptions, MySqlDatabaseError};
use sea_orm::sqlx::{self, ConnectOptions as _, Connection as _};

use crate::database::Database;

/// Longest that one attempt may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// A server that does not let us in: where it is, why, and what to do. Never with a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot reach MySQL at {place} ({cause}). {remedy}")]
pub struct AccessError {
    place: String,
    cause: String,
    remedy: String,
}

impl Database {
    /// Tries to connect once more, beside the pool; `None` if that succeeds, and for a file.
    pub async fn unreachable(&self) -> Option<AccessError> {
        let options = self.server()?;
        let place = format!("{}:{}", options.get_host(), options.get_port());
        let running = "Is it running, and is DB_HOST (or DATABASE_URL) right?".to_owned();
        let (cause, remedy) = match tokio::time::timeout(PATIENCE, options.clone().connect()).await {
            Ok(Ok(connection)) => {
                // It has served its purpose.
                let _ = connection.close().await;
                return None;
            }
            Err(_) => (format!("no answer within {} s", PATIENCE.as_secs()), running),
            Ok(Err(error)) => explained(&error, options).unwrap_or((plain(&error), running)),
        };
        Some(AccessError { place, cause, remedy })
    }
}

/// What a server says that turns us away.
fn explained(error: &sqlx::Error, options: &MySqlConnectOptions) -> Option<(String, String)> {
    let sqlx::Error::Database(said) = error else { return None };
    let number = said.try_downcast_ref::<MySqlDatabaseError>()?.number();
    let name = options.get_database().unwrap_or_default();
    let (cause, remedy) = match number {
        1045 | 1698 => (
            "it refuses the user or the password".to_owned(),
            "Are DB_USER and DB_PASSWORD (or DATABASE_URL) right?".to_owned(),
        ),
        1044 => (
            format!("the user may not use the database {name}"),
            format!("Grant it: GRANT ALL ON `{name}`.* TO the user."),
        ),
        1049 => (
            format!("it has no database {name}"),
            format!("Is DB_NAME right? Otherwise make it: CREATE DATABASE `{name}`."),
        ),
        1040 | 1203 => (
            "it has too many connections".to_owned(),
            "Lower DATABASE_CONNECTIONS, or raise max_connections there.".to_owned(),
        ),
        1130 => (
            "it lets nobody in from this address".to_owned(),
            "Allow this address for the user there.".to_owned(),
        ),
        _ => return None,
    };
    Some((cause, remedy))
}

fn plain(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Io(error) => match error.kind() {
            ErrorKind::ConnectionRefused => "connection refused".into(),
            ErrorKind::TimedOut => "no answer".into(),
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => "there is no way to it".into(),
            ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof => "it hangs up".into(),
            _ if error.to_string().contains("lookup") => "there is no host of this name".into(),
            _ => error.to_string(),
        },
        sqlx::Error::Database(said) => said.message().to_owned(),
        other => other.to_string(),
    }
}
