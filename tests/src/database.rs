//! Databases that belong to one test.

use std::sync::atomic::{AtomicU32, Ordering};

use sea_orm::{ConnectionTrait, DatabaseConnection};

use crate::environment;

/// Which database a story runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Db {
    /// The embedded one, in a temporary folder.
    Sqlite,
    /// MySQL or MariaDB, on the server of `TEST_MYSQL_URL`.
    MySql,
}

/// A database on the server of `TEST_MYSQL_URL`, dropped together with this value.
#[derive(Debug)]
pub struct MySqlDatabase {
    server: String,
    name: String,
}

impl MySqlDatabase {
    /// Creates an empty database that no other test has.
    ///
    /// # Panics
    /// When there is no server.
    pub async fn create() -> Self {
        let server = server();
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("rollcall_story_{}_{count}", std::process::id());
        run(&server, &format!("DROP DATABASE IF EXISTS {name}")).await;
        run(&server, &format!("CREATE DATABASE {name}")).await;
        Self { server, name }
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}/{}", self.server, self.name)
    }

    /// Its address as reached through another port of this machine.
    ///
    /// # Panics
    /// When the address of the server has no host.
    #[must_use]
    pub fn url_through(&self, port: u16) -> String {
        let (login, _) = self.server.rsplit_once('@').expect("TEST_MYSQL_URL names a user and a host");
        format!("{login}@127.0.0.1:{port}/{}", self.name)
    }

    /// Host and port of its server.
    ///
    /// # Panics
    /// When the address of the server has no host.
    #[must_use]
    pub fn server_address(&self) -> String {
        let (_, host) = self.server.rsplit_once('@').expect("TEST_MYSQL_URL names a user and a host");
        if host.contains(':') { host.to_owned() } else { format!("{host}:3306") }
    }
}

impl Drop for MySqlDatabase {
    fn drop(&mut self) {
        let (server, statement) = (self.server.clone(), format!("DROP DATABASE IF EXISTS {}", self.name));
        // On a thread of its own: whoever drops this may be inside a runtime, which cannot wait for another.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(run(&server, &statement));
        });
        // A failure has been printed by the thread; the test's own verdict stands.
        drop(dropped.join());
    }
}

/// An open connection for looking at what is stored.
///
/// # Panics
/// When the database does not answer.
pub async fn connect(url: &str) -> DatabaseConnection {
    sea_orm::Database::connect(url).await.unwrap_or_else(|error| panic!("the test's database: {error}"))
}

fn server() -> String {
    environment("TEST_MYSQL_URL")
        .map(|url| url.trim_end_matches('/').to_owned())
        .expect("a MySQL server is needed: run `cargo xtask test`, or set TEST_MYSQL_URL")
}

async fn run(server: &str, statement: &str) {
    let connection = connect(server).await;
    connection.execute_unprepared(statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
    connection.close().await.unwrap_or_else(|error| panic!("{statement}: {error}"));
}
