//! A server of its own for each test.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rollcall_app::settings::{DatabaseSetting, Settings};
use rollcall_testkit::fakes::{FakeClock, FakeEngine};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot};

use crate::client::Client;
use crate::database::{Db, MySqlDatabase};
use crate::serving::{Command, Parts, Statements, serve};
use crate::setup::{Engine, Setup, temporary_folder};

/// The password of everybody in the stories.
pub const PASSWORD: &str = "Vellum-quasar 47 driftwood";

/// Where the administrator of the stories logs in.
pub const ADMIN: &str = "admin@example.org";

/// Longest wait for something that happens by itself.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server, its database and its clock. Dropping it stops the one and removes the other.
pub struct TestApp {
    /// Stands at Monday, 2 March 2026, 08:00 UTC until it is moved.
    pub clock: Arc<FakeClock>,
    /// Where the server listens.
    pub address: SocketAddr,
    /// What it was started with.
    pub settings: Settings,
    engine: Option<Arc<FakeEngine>>,
    http: reqwest::Client,
    people: AtomicU32,
    statements: Arc<Statements>,
    commands: mpsc::UnboundedSender<Command>,
    // In this order: nobody uses the folder and the database once the server has ended.
    server: Option<JoinHandle<()>>,
    folder: TempDir,
    mysql: Option<MySqlDatabase>,
}

impl TestApp {
    /// On SQLite, with the real engine.
    pub async fn start() -> Self {
        Setup::default().start().await
    }

    /// On SQLite, with an engine that sees drawn photos.
    pub async fn drawn() -> Self {
        Setup::default().drawn().start().await
    }

    /// On this database, with the real engine.
    pub async fn on(db: Db) -> Self {
        Setup::default().on(db).start().await
    }

    /// On SQLite, with the real engine and changed settings.
    pub async fn with(adjust: impl FnOnce(&mut Settings) + Send + 'static) -> Self {
        Setup::default().with(adjust).start().await
    }

    /// Anything else.
    #[must_use]
    pub fn setup() -> Setup {
        Setup::default()
    }

    pub(crate) async fn of(mut setup: Setup) -> Self {
        let folder = temporary_folder();
        let mysql = match setup.db {
            Some(Db::MySql) => Some(MySqlDatabase::create().await),
            Some(Db::Sqlite) | None => None,
        };
        let settings = setup.settings(&folder, mysql.as_ref());
        let clock = Arc::new(FakeClock::new());
        let (commands, asked) = mpsc::unbounded_channel();
        let (started, address) = oneshot::channel();
        let statements = Arc::new(Statements::default());
        let parts = Parts {
            settings: settings.clone(),
            engine: setup.engine.clone(),
            clock: clock.clone(),
            unattended: setup.unattended,
            statements: statements.clone(),
        };
        let server =
            std::thread::Builder::new().name("rollcall".into()).spawn(move || serve(parts, started, asked));
        let address = address.await.expect("the server starts; its thread says why it does not");
        let engine = match setup.engine {
            Engine::Drawn(engine) => Some(engine),
            Engine::Shared | Engine::OfSettings => None,
        };
        // A connection for each request: none is left open to be waited for when the server stops.
        let http = reqwest::Client::builder().pool_max_idle_per_host(0).no_proxy().timeout(PATIENCE).build();
        let app = Self {
            clock,
            address,
            settings,
            engine,
            http: http.expect("an HTTP client"),
            people: AtomicU32::new(0),
            statements,
            commands,
            server: Some(server.expect("a thread")),
            folder,
            mysql,
        };
        if !setup.unattended {
            app.until_health(200).await;
        }
        app
    }

    /// Waits until `GET /api/health` answers with this status.
    ///
    /// # Panics
    /// When it does not in half a minute.
    pub async fn until_health(&self, status: u16) {
        let client = self.anonymous();
        eventually("the health answer changes", async || client.get("/api/health").await.status == status)
            .await;
    }

    /// The drawn engine, to make it busy or unavailable.
    ///
    /// # Panics
    /// When the server has another one.
    #[must_use]
    pub fn engine(&self) -> &FakeEngine {
        self.engine.as_ref().expect("this server was started with `drawn`")
    }

    /// The folder of the server's own files.
    #[must_use]
    pub fn data_dir(&self) -> &std::path::Path {
        &self.settings.data_dir
    }

    /// A folder for the test's own files, removed with the server.
    #[must_use]
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// The MySQL database, if the server is on one.
    #[must_use]
    pub fn mysql(&self) -> Option<&MySqlDatabase> {
        self.mysql.as_ref()
    }

    /// The address of the database, for looking at what is stored.
    #[must_use]
    pub fn database_url(&self) -> String {
        match &self.settings.database {
            DatabaseSetting::Embedded => {
                format!("sqlite://{}", self.data_dir().join("rollcall.db").display())
            }
            DatabaseSetting::Url(url) => url.expose().to_owned(),
        }
    }

    /// What the server asks of its database while `asking` lasts, with what the server does by itself in between.
    pub async fn statements<T>(&self, asking: impl Future<Output = T>) -> (T, Vec<String>) {
        self.statements.listen();
        let answer = asking.await;
        (answer, self.statements.heard())
    }

    /// Somebody without a token.
    #[must_use]
    pub fn anonymous(&self) -> Client {
        Client::new(self.http.clone(), self.address)
    }

    /// Somebody without a token who asks from this address of the machine.
    ///
    /// # Panics
    /// When the machine has no such address.
    #[must_use]
    pub fn anonymous_from(&self, address: std::net::IpAddr) -> Client {
        let http = reqwest::Client::builder().pool_max_idle_per_host(0).no_proxy().timeout(PATIENCE);
        Client::new(http.local_address(address).build().expect("an HTTP client"), self.address)
    }

    /// The administrator, in a login of their own.
    pub async fn admin(&self) -> Client {
        self.login(ADMIN, PASSWORD).await
    }

    /// A new active employee without a department, logged in.
    pub async fn employee(&self, name: &str) -> Client {
        self.person(name, json!({})).await
    }

    /// A new active employee of a department, logged in.
    pub async fn employee_in(&self, department: &str, name: &str) -> Client {
        self.person(name, json!({ "department_id": department })).await
    }

    /// A new manager and the new department they answer for; [`Client::department`] is its id.
    pub async fn manager_of(&self, department: &str) -> Client {
        let mut manager =
            self.person(&format!("Manager of {department}"), json!({ "role": "manager" })).await;
        let new = json!({ "name": department, "manager_id": manager.id });
        let made = self.admin().await.post("/api/admin/departments", new).await.expect(201);
        manager.department = made["id"].as_str().expect("an id").to_owned();
        manager
    }

    /// A new person with these further fields, logged in.
    pub async fn person(&self, name: &str, fields: Value) -> Client {
        let email = self.new_address(name);
        let mut new = json!({ "name": name, "email": email, "password": PASSWORD });
        for (key, value) in fields.as_object().expect("fields") {
            new[key] = value.clone();
        }
        self.admin().await.post("/api/users", new).await.expect(201);
        self.login(&email, PASSWORD).await
    }

    /// An address that nobody else of this server has.
    pub fn new_address(&self, name: &str) -> String {
        let slug: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        format!("{}.{}@example.org", slug.to_lowercase(), self.people.fetch_add(1, Ordering::Relaxed))
    }

    /// A login.
    pub async fn login(&self, email: &str, password: &str) -> Client {
        let body = json!({ "email": email, "password": password });
        let granted = self.anonymous().post("/api/auth/login", body).await.expect(200);
        self.anonymous().logged_in(&granted)
    }

    /// A new kiosk that recognizes only.
    pub async fn kiosk(&self) -> Client {
        self.new_kiosk(false).await
    }

    /// A new kiosk that also enrolls.
    pub async fn enrolling_kiosk(&self) -> Client {
        self.new_kiosk(true).await
    }

    async fn new_kiosk(&self, may_enroll: bool) -> Client {
        let name = format!("Kiosk {}", self.people.fetch_add(1, Ordering::Relaxed));
        let (reply, added) = oneshot::channel();
        self.ask(Command::AddKiosk { name, may_enroll, reply });
        let (id, key) = added.await.expect("the kiosk is added");
        let mut kiosk = self.anonymous().with_token(&key);
        kiosk.id = id.to_string();
        kiosk
    }

    /// Turns a kiosk away; tells whether there was one.
    pub async fn revoke_kiosk(&self, kiosk: &Client) -> bool {
        let (reply, revoked) = oneshot::channel();
        let id = kiosk.id.parse().expect("the id of a kiosk");
        self.ask(Command::RevokeKiosk { id, reply });
        revoked.await.expect("the kiosk is revoked")
    }

    fn ask(&self, command: Command) {
        assert!(self.commands.send(command).is_ok(), "the server has ended");
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        // It may have ended already; its thread has then said why.
        drop(self.commands.send(Command::Stop));
        if let Some(server) = self.server.take() {
            drop(server.join());
        }
    }
}

/// Waits for something that happens by itself.
///
/// # Panics
/// When it does not in half a minute.
pub async fn eventually(what: &str, mut happened: impl AsyncFnMut() -> bool) {
    let since = Instant::now();
    while !happened().await {
        assert!(since.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
