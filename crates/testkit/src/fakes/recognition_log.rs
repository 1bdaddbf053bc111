//! The log of searches.

use async_trait::async_trait;
use rollcall_ports::recognition_log::{RecognitionLog, Search};

use super::world::FakeStores;

#[async_trait]
impl RecognitionLog for FakeStores {
    /// Stored at once; given up while the world is away.
    fn append(&self, search: Search) {
        if let Ok(mut world) = self.world() {
            world.searches.push(search);
        }
    }

    async fn flush(&self) {}
}
