//! Serving: listen at once, become ready when the database is, drain when told to stop.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use anyhow::Context;
use jiff::SignedDuration;
use rollcall_domain::id::InstanceId;
use rollcall_domain::user::{EmailAddress, PersonName};
use rollcall_http::{Api, HttpOptions, Limiter, Readiness, State};
use rollcall_ports::Ports;
use rollcall_ports::store::StoreError;
use rollcall_storage::Database;
use rollcall_usecases::UseCases;
use rollcall_usecases::faces::CaughtUp;
use rollcall_usecases::users::{FirstAdmin, UserError};
use tokio::task::JoinHandle;

use crate::console::{block_on, print};
use crate::settings::Settings;
use crate::wiring;

/// How long requests in flight may take to finish once the server is told to stop.
const DRAIN: Duration = Duration::from_secs(30);

/// How long the last notes of searches may take to be stored.
const FLUSH: Duration = Duration::from_secs(5);

/// Longest pause between two attempts to reach a database that is away.
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// How often failed logins that are forgotten, and jobs that have expired, are deleted.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);

/// How often it is looked whether anybody's records have to be worked out. They are read as of any instant, so this is
/// about the dates to come, and about what an instance that stopped in the middle left to the others.
const PLAN_EVERY: Duration = Duration::from_secs(30);

/// How long the start waits for the days to come of everybody.
const LOOK_AHEAD: SignedDuration = SignedDuration::from_secs(3);

/// How soon the records of those are worked out for whom nobody waited who changed the plan.
const PLAN_SOON: Duration = Duration::from_millis(250);

/// Address of the account that a new installation begins with.
const FIRST_ADMIN: &str = "admin@rollcall.local";

/// A server that is running.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it does.
    pub usecases: UseCases,
    readiness: Arc<Readiness>,
    handle: ServerHandle,
    http: JoinHandle<std::io::Result<()>>,
    upkeep: JoinHandle<anyhow::Result<()>>,
    ports: Ports,
    database: Database,
    instance: InstanceId,
    /// Says to other commands that somebody answers from the database.
    _serving: Option<std::fs::File>,
}

/// Serves until interrupted.
///
/// # Errors
/// When a secret, the data folder, the address of the database or the port cannot be used; when the start fails for
/// another reason than a database that is away, for which it waits; or when the HTTP server does not end well.
pub fn run(settings: Settings) -> anyhow::Result<()> {
    block_on(async {
        // Before anything is opened: a bad secret must not leave so much as a port behind.
        wiring::keys(&settings)?;
        let listener = listen(&settings)?;
        let database = wiring::database(&settings).await?;
        let ports = wiring::ports(&settings, &database).await?;
        let mut server = Server::start(&settings, ports, database, listener)?;
        let ended = tokio::select! {
            () = interrupted() => None,
            ended = &mut server.upkeep => Some(ended),
        };
        match ended {
            None => {
                tracing::info!("stopping: requests in flight are finished first");
                server.stop().await
            }
            // Upkeep only ends by failing: the installation must not serve as it is.
            Some(failed) => {
                server.handle.stop(false).await;
                failed.context("upkeep")?
            }
        }
    })
}

/// Takes the port, or says what is in the way.
fn listen(settings: &Settings) -> anyhow::Result<TcpListener> {
    use std::io::ErrorKind;
    let (host, port) = (settings.host, settings.port);
    TcpListener::bind((host, port)).map_err(|error| {
        let why = match error.kind() {
            ErrorKind::AddrInUse => {
                format!("another program listens on port {port} of {host}. Stop it, or choose another PORT")
            }
            ErrorKind::AddrNotAvailable => {
                format!("{host} is no address of this machine; set HOST to one that is")
            }
            ErrorKind::PermissionDenied => {
                format!(
                    "this user may not listen on port {port}; choose a PORT of 1024 or more, behind a proxy"
                )
            }
            _ => format!("cannot listen on {host}:{port}"),
        };
        anyhow::Error::new(error).context(why)
    })
}

async fn interrupted() {
    let mut terminate = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(signal) => signal,
        Err(error) => {
            tracing::warn!(%error, "SIGTERM cannot be watched; only Ctrl-C stops the server");
            let _ = tokio::signal::ctrl_c().await;
            return;
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

impl Server {
    /// Starts listening and, behind it, everything that has to be done before requests can be answered.
    ///
    /// # Errors
    /// Those of the listener.
    pub fn start(
        settings: &Settings,
        ports: Ports,
        database: Database,
        listener: TcpListener,
    ) -> anyhow::Result<Self> {
        let address = listener.local_addr()?;
        let usecases = UseCases::new(&ports, settings.rules.clone());
        let readiness = Arc::new(Readiness::default());
        if settings.limits.is_none() {
            tracing::warn!("RATE_LIMIT is off: nothing keeps anybody from asking as fast as they can");
        }
        let api = Api {
            usecases: usecases.clone(),
            readiness: readiness.clone(),
            limiter: Arc::new(Limiter::new(settings.limits)),
            options: http_options(settings),
        };
        let http = rollcall_http::serve(listener, api)?;
        let handle = http.handle();
        let instance = InstanceId::new(ports.ids.next());
        let upkeep = Upkeep {
            settings: settings.clone(),
            ports: ports.clone(),
            database: database.clone(),
            usecases: usecases.clone(),
            readiness: readiness.clone(),
            address,
            instance,
            started: Instant::now(),
        };
        Ok(Self {
            address,
            usecases,
            readiness,
            handle,
            http: tokio::spawn(http),
            upkeep: tokio::spawn(upkeep.run()),
            ports,
            _serving: database.serving(),
            database,
            instance,
        })
    }

    /// Stops taking connections, gives back the job that is worked on, finishes the requests in flight, and writes what is still to be written.
    ///
    /// # Errors
    /// When the HTTP server did not end well; what is still to be written is not waited for then.
    pub async fn stop(self) -> anyhow::Result<()> {
        let worked = self.readiness.get() == State::Ready;
        self.readiness.set(State::Draining);
        self.upkeep.abort();
        // A job whose work was dropped is for others at once, not only when its lease has run out.
        drop(self.upkeep.await);
        if worked {
            match self.usecases.jobs.give_back(self.instance).await {
                Ok(0) => {}
                Ok(jobs) => tracing::info!(jobs, "jobs were given back"),
                Err(error) => {
                    tracing::warn!(%error, "jobs could not be given back; others wait for the lease");
                }
            }
        }
        self.handle.stop(true).await;
        self.http.await??;
        // With the database away there is nothing to wait for.
        if tokio::time::timeout(FLUSH, self.ports.recognition_log.flush()).await.is_err() {
            tracing::warn!("the last searches could not be stored: the database is away");
        }
        self.database.close().await;
        Ok(())
    }
}

/// Somebody who could be the first administrator of a new installation.
pub(crate) fn first_admin(usecases: &UseCases) -> anyhow::Result<FirstAdmin> {
    let (email, name) = (EmailAddress::parse(FIRST_ADMIN)?, PersonName::parse("Administrator")?);
    Ok(usecases.users.first_admin(email, name)?)
}

/// Shows how the first administrator logs in, here and nowhere else.
pub(crate) fn introduce(first_admin: &FirstAdmin) {
    print("This is a new installation. Its first administrator (shown once):");
    print(&format!("    e-mail    {FIRST_ADMIN}"));
    print(&format!("    password  {}", first_admin.password.as_str()));
}

fn http_options(settings: &Settings) -> HttpOptions {
    HttpOptions {
        max_image_bytes: settings.max_image_bytes,
        cors_origins: settings.cors_origins.clone(),
        health_token: settings.health_token.as_ref().map(|token| token.expose().to_owned()),
        public_url: settings.public_url.clone(),
        trusted_proxies: settings.trusted_proxies.clone(),
        require_if_match: settings.require_if_match,
        min_faces: settings.rules.min_faces,
        self_service: settings.rules.self_service,
        zone: settings.rules.zone.clone(),
        commit: option_env!("ROLLCALL_COMMIT"),
        shutdown_timeout: DRAIN,
        ..HttpOptions::default()
    }
}

/// Whether the database is away, whoever noticed.
fn is_away(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let store = match cause.downcast_ref() {
            Some(UserError::Store(error)) => Some(error),
            Some(_) => None,
            None => cause.downcast_ref::<StoreError>(),
        };
        matches!(store, Some(StoreError::Unavailable(_)))
    })
}

/// Everything that happens beside the requests.
struct Upkeep {
    settings: Settings,
    ports: Ports,
    database: Database,
    usecases: UseCases,
    readiness: Arc<Readiness>,
    address: SocketAddr,
    instance: InstanceId,
    started: Instant,
}

impl Upkeep {
    async fn run(self) -> anyhow::Result<()> {
        // Made up once, so that whatever is shown is what was stored, however often the start begins again.
        let first_admin = first_admin(&self.usecases)?;
        let filled = self.begin_patiently(&first_admin).await?;
        self.readiness.set(State::Ready);
        let milliseconds = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(people = filled.people, milliseconds, database = self.database.driver(), "ready");
        print(&format!("Rollcall is ready on http://{}", self.address));
        let jobs = crate::jobs::beside(self.usecases.clone(), self.instance);
        tokio::try_join!(self.follow_other_instances(), self.keep_planned(), jobs)?;
        Ok(())
    }

    /// Waits for a database that is away, at whichever step it goes; anything else it says is final. Each step can be
    /// taken again.
    async fn begin_patiently(&self, first_admin: &FirstAdmin) -> anyhow::Result<CaughtUp> {
        let mut pause = Duration::from_millis(200);
        let mut reported = None;
        loop {
            let error = match self.begin(first_admin).await {
                Ok(filled) => {
                    if reported.is_some() {
                        tracing::info!("the database answers");
                    }
                    return Ok(filled);
                }
                Err(error) => error,
            };
            // The pool of connections only says that it waited; the server itself says why.
            let why = self.database.unreachable().await;
            if !is_away(&error) {
                return Err(why.map_or(error, Into::into));
            }
            let why = why
                .map_or_else(|| format!("the database does not answer: {error:#}."), |why| why.to_string());
            if reported.as_ref() != Some(&why) {
                let seconds = MAX_PAUSE.as_secs();
                tracing::warn!("{why} Trying again every {seconds} s");
                reported = Some(why);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }

    /// Everything that has to be true before anything is served.
    async fn begin(&self, first_admin: &FirstAdmin) -> anyhow::Result<CaughtUp> {
        self.ports.probe.check().await.context("reaching the database")?;
        wiring::prepare(&self.settings, &self.database, &self.ports).await?;
        let filled = wiring::fill_gallery(&self.usecases).await?;
        // Gives a new installation somebody who can log in; the password is shown here and nowhere else, ever.
        if self.usecases.users.found(first_admin).await? {
            introduce(first_admin);
        }
        let timesheets = &self.usecases.timesheets;
        timesheets.relocate().await.context("looking whose clocks are others by now")?;
        // After a downtime everybody has days to be shown before anybody asks, as far as that is soon done. What lies back
        // is made up for while requests are served.
        timesheets.look_ahead(LOOK_AHEAD).await.context("planning everybody's days")?;
        Ok(filled)
    }

    /// Plans everybody's days ahead, now and then and when somebody waits for it. Every instance does; whoever comes first
    /// does the work.
    async fn keep_planned(&self) -> anyhow::Result<()> {
        let mut planned = Instant::now();
        loop {
            tokio::time::sleep(PLAN_SOON).await;
            if planned.elapsed() < PLAN_EVERY && !self.usecases.timesheets.is_awaited() {
                continue;
            }
            planned = Instant::now();
            match self.usecases.timesheets.catch_up().await {
                Ok(done) if done.people > 0 => tracing::info!(people = done.people, "days were planned"),
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "days could not be planned; trying again"),
            }
        }
    }

    /// Brings what other instances changed into the gallery, and now and then sweeps. An outage is told once, and made
    /// up for afterward.
    async fn follow_other_instances(&self) -> anyhow::Result<()> {
        let (mut away, mut swept) = (false, Instant::now());
        loop {
            tokio::time::sleep(wiring::CATCH_UP_EVERY).await;
            if swept.elapsed() >= SWEEP_EVERY {
                swept = Instant::now();
                if let Err(error) = self.usecases.auth.sweep().await {
                    tracing::warn!(%error, "old failed logins could not be swept away");
                }
                if let Err(error) = self.usecases.jobs.sweep().await {
                    tracing::warn!(%error, "jobs that have expired could not be swept away");
                }
            }
            match self.usecases.faces.gallery().catch_up().await {
                Ok(_) => {
                    if std::mem::take(&mut away) {
                        tracing::info!("the database answers again");
                    }
                }
                Err(error) if !away => {
                    away = true;
                    tracing::warn!(%error, "the gallery cannot follow the database");
                }
                Err(_) => {}
            }
        }
    }
}
