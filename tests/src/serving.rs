//! The thread on which a test's server lives.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rollcall_app::server::Server;
use rollcall_app::settings::Settings;
use rollcall_app::wiring::{self, StatementTiming};
use rollcall_domain::access::Actor;
use rollcall_domain::id::DeviceId;
use rollcall_domain::user::{EmailAddress, Password, User};
use rollcall_ports::Ports;
use rollcall_testkit::builders::an_admin;
use rollcall_testkit::fakes::FakeClock;
use tokio::sync::{mpsc, oneshot};

use crate::app::{ADMIN, PASSWORD};
use crate::setup::{Engine, shared_engine};

/// What can be asked of a running server besides HTTP.
pub(crate) enum Command {
    AddKiosk { name: String, may_enroll: bool, reply: oneshot::Sender<(DeviceId, String)> },
    RevokeKiosk { id: DeviceId, reply: oneshot::Sender<bool> },
    Stop,
}

/// What a server is made of.
pub(crate) struct Parts {
    pub(crate) settings: Settings,
    pub(crate) engine: Engine,
    pub(crate) clock: Arc<FakeClock>,
    /// Nobody prepares the database.
    pub(crate) unattended: bool,
    pub(crate) statements: Arc<Statements>,
}

/// What the server asks of its database, while somebody listens.
#[derive(Default)]
pub(crate) struct Statements(Mutex<Option<Vec<String>>>);

impl Statements {
    pub(crate) fn listen(&self) {
        *self.0.lock().expect("nobody panicked here") = Some(Vec::new());
    }

    pub(crate) fn heard(&self) -> Vec<String> {
        self.0.lock().expect("nobody panicked here").take().unwrap_or_default()
    }

    fn note(&self, sql: &str) {
        if let Some(heard) = &mut *self.0.lock().expect("nobody panicked here") {
            heard.push(sql.to_owned());
        }
    }
}

/// The life of a server, on a thread and a runtime of its own: whatever the test does to its own runtime, the
/// server is stopped in order.
pub(crate) fn serve(
    parts: Parts,
    started: oneshot::Sender<SocketAddr>,
    asked: mpsc::UnboundedReceiver<Command>,
) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    runtime.block_on(async {
        let server = start(parts).await;
        if started.send(server.address).is_ok() {
            obey(&server, asked).await;
        }
        // What a test left unfinished is not waited for.
        let stopped = tokio::time::timeout(Duration::from_secs(5), server.stop()).await;
        if let Ok(Err(error)) = stopped {
            panic!("stopping the server: {error:#}");
        }
    });
    runtime.shutdown_background();
}

async fn start(parts: Parts) -> Server {
    let Parts { settings, engine, clock, unattended, statements } = parts;
    let watch = Arc::new(move |ran: &StatementTiming<'_>| statements.note(ran.sql));
    let database = wiring::database_watched(&settings, watch).await.expect("the database can be opened");
    let ports = match engine {
        Engine::Shared => wiring::ports_with(&settings, &database, shared_engine(&settings)).await,
        Engine::Drawn(engine) => wiring::ports_with(&settings, &database, engine).await,
        Engine::OfSettings => wiring::ports(&settings, &database).await,
    };
    let ports = Ports { clock, ..ports.expect("the parts can be put together") };
    if !unattended {
        wiring::prepare(&settings, &database, &ports).await.expect("the database can be prepared");
        add_admin(&ports).await;
    }
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    Server::start(&settings, ports, database, listener).expect("the server can be started")
}

/// Adds the administrator before the server starts, which would otherwise make one up with another password.
async fn add_admin(ports: &Ports) {
    let admin = User { email: EmailAddress::parse(ADMIN).expect("an address"), ..an_admin("Administrator") };
    let password = Password::new(PASSWORD.into()).expect("a password");
    let hash = ports.passwords.hash(password).await.expect("a hash");
    assert!(
        ports.users.insert_first(&admin, &hash).await.expect("the database answers"),
        "the database is empty"
    );
}

async fn obey(server: &Server, mut asked: mpsc::UnboundedReceiver<Command>) {
    let devices = &server.usecases.devices;
    while let Some(command) = asked.recv().await {
        // A test that no longer listens has failed already.
        match command {
            Command::AddKiosk { name, may_enroll, reply } => {
                let (device, key) = devices.add(&Actor::Operator, &name, may_enroll).await.expect("a kiosk");
                let _ = reply.send((device.id, key));
            }
            Command::RevokeKiosk { id, reply } => {
                let _ = reply.send(devices.revoke(&Actor::Operator, id).await.expect("the database answers"));
            }
            Command::Stop => break,
        }
    }
}
