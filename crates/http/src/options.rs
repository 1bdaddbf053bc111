//! What the composition hands over: the use-cases, the settings of this crate, and whether requests are taken.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use rollcall_domain::access::SelfService;
use rollcall_domain::calendar::Zone;
use rollcall_usecases::UseCases;

use crate::client::Network;
use crate::limits::Limiter;

/// Everything that requests are answered with.
#[derive(Clone)]
pub struct Api {
    /// What the system does.
    pub usecases: UseCases,
    /// Whether requests are taken.
    pub readiness: Arc<Readiness>,
    /// How fast anybody may ask.
    pub limiter: Arc<Limiter>,
    /// Settings.
    pub options: HttpOptions,
}

/// Settings of the delivery.
#[derive(Clone)]
pub struct HttpOptions {
    /// Most bytes of one picture.
    pub max_image_bytes: usize,
    /// Most bytes of one request.
    pub max_request_bytes: usize,
    /// Origins of web frontends served from elsewhere; none by default.
    pub cors_origins: Vec<String>,
    /// Threads that answer requests.
    pub workers: usize,
    /// How long the head of a request may take.
    pub client_timeout: Duration,
    /// How long the body of a request may take.
    pub body_timeout: Duration,
    /// How long an idle connection is kept.
    pub keep_alive: Duration,
    /// How long requests in flight may take once the server is told to stop.
    pub shutdown_timeout: Duration,
    /// Lets a monitor read the detailed health report without an account.
    pub health_token: Option<String>,
    /// Where the web console is reached, without a slash at the end; empty if only the path is to be told.
    pub public_url: String,
    /// Proxies whose word on where a request comes from is believed.
    pub trusted_proxies: Vec<Network>,
    /// Whether changes must name the version they were made from.
    pub require_if_match: bool,
    /// Templates without which nobody is matched.
    pub min_faces: u32,
    /// What employees do themselves; the same as the use-cases were given.
    pub self_service: SelfService,
    /// The organization's time zone, in which dates of filters are meant.
    pub zone: Zone,
    /// Version of the program.
    pub version: &'static str,
    /// The commit it was built from, if that is known.
    pub commit: Option<&'static str>,
    /// When the program started.
    pub started: Instant,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            max_image_bytes: 5 << 20,
            max_request_bytes: 64 << 20,
            cors_origins: Vec::new(),
            workers: std::thread::available_parallelism().map_or(2, std::num::NonZero::get),
            client_timeout: Duration::from_secs(5),
            body_timeout: Duration::from_secs(60),
            keep_alive: Duration::from_secs(15),
            shutdown_timeout: Duration::from_secs(30),
            health_token: None,
            public_url: String::new(),
            trusted_proxies: Vec::new(),
            require_if_match: false,
            min_faces: 5,
            self_service: SelfService { enroll: true, check_in: true },
            zone: Zone::UTC,
            version: env!("CARGO_PKG_VERSION"),
            commit: None,
            started: Instant::now(),
        }
    }
}

impl fmt::Debug for HttpOptions {
    /// The token must not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpOptions")
            .field("max_image_bytes", &self.max_image_bytes)
            .field("max_request_bytes", &self.max_request_bytes)
            .field("cors_origins", &self.cors_origins)
            .field("workers", &self.workers)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// Whether requests are taken; shared with whoever starts and stops the server.
#[derive(Debug, Default)]
pub struct Readiness(AtomicU8);

/// What a server is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Migrations and the gallery are not done yet.
    Starting,
    /// Requests are answered.
    Ready,
    /// The server was told to stop.
    Draining,
}

impl Readiness {
    /// Says what the server is doing from now on; it begins with [`State::Starting`].
    pub fn set(&self, state: State) {
        let number = match state {
            State::Starting => 0,
            State::Ready => 1,
            State::Draining => 2,
        };
        self.0.store(number, Ordering::Release);
    }

    /// What the server is doing.
    #[must_use]
    pub fn get(&self) -> State {
        match self.0.load(Ordering::Acquire) {
            0 => State::Starting,
            1 => State::Ready,
            _ => State::Draining,
        }
    }
}
