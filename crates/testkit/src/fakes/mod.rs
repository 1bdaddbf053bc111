//! An in-memory fake of every port. They sit the same contracts as the real adapters, so tests may trust them.

mod assignments;
mod attempts;
mod attendance;
mod audit;
mod batches;
mod clock;
mod closed_periods;
mod corrections;
mod departments;
mod devices;
mod engine;
mod faces;
mod holidays;
mod ids;
mod index;
mod jobs;
mod leaves;
mod legacy;
mod passwords;
mod plan;
mod probe;
mod recognition_log;
mod sealer;
mod sessions;
mod shifts;
mod statistics;
mod tokens;
mod users;
mod world;

use std::sync::Arc;

use rollcall_ports::Ports;

pub use clock::FakeClock;
pub use engine::{EngineState, FakeEngine};
pub use ids::FakeIds;
pub use index::FakeIndex;
pub use legacy::FakeLegacySystem;
pub use passwords::FakePasswords;
pub use sealer::FakeSealer;
pub use tokens::FakeTokens;
pub use world::FakeStores;

/// The handles by which a test moves the world behind [`Ports`].
#[derive(Clone)]
pub struct Fakes {
    /// Tells the time it is told.
    pub clock: Arc<FakeClock>,
    /// Counts.
    pub ids: Arc<FakeIds>,
    /// Tags passwords; can be busy.
    pub passwords: Arc<FakePasswords>,
    /// Writes claims out.
    pub tokens: Arc<FakeTokens>,
    /// Sees drawn photos; can be busy or unavailable.
    pub engine: Arc<FakeEngine>,
    /// Compares with everybody.
    pub index: Arc<FakeIndex>,
    /// Every store; can be away.
    pub stores: FakeStores,
}

/// A world of its own: its ports, and the handles that move it. The clock stands at Monday,
/// 2 March 2026, 08:00 UTC.
#[must_use]
pub fn fake_ports() -> (Ports, Fakes) {
    let fakes = Fakes {
        clock: Arc::new(FakeClock::new()),
        ids: Arc::default(),
        passwords: Arc::default(),
        tokens: Arc::default(),
        engine: Arc::new(FakeEngine::new()),
        index: Arc::default(),
        stores: FakeStores::default(),
    };
    let stores = Arc::new(fakes.stores.clone());
    let ports = Ports {
        clock: fakes.clock.clone(),
        ids: fakes.ids.clone(),
        passwords: fakes.passwords.clone(),
        tokens: fakes.tokens.clone(),
        engine: fakes.engine.clone(),
        index: fakes.index.clone(),
        users: stores.clone(),
        sessions: stores.clone(),
        attempts: stores.clone(),
        departments: stores.clone(),
        devices: stores.clone(),
        faces: stores.clone(),
        recognition_log: stores.clone(),
        shifts: stores.clone(),
        assignments: stores.clone(),
        holidays: stores.clone(),
        leaves: stores.clone(),
        closed_periods: stores.clone(),
        plan: stores.clone(),
        attendance: stores.clone(),
        audit: stores.clone(),
        batches: stores.clone(),
        corrections: stores.clone(),
        jobs: stores.clone(),
        statistics: stores.clone(),
        probe: stores.clone(),
        disk: stores,
    };
    (ports, fakes)
}
