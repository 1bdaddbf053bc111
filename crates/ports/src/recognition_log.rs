//! The log of searches: what was asked of the gallery and what came of it, without picture or vector.

use async_trait::async_trait;
use jiff::Timestamp;
use rollcall_domain::face::{FaceQuality, ModelId};
use rollcall_domain::id::{DeviceId, SearchId, UserId};

/// Keeps what came of each search.
#[async_trait]
pub trait RecognitionLog: Send + Sync {
    /// Notes a search. Returns at once; it is stored within a second, together with others, because nobody
    /// should wait for a disk to be told who they are. When the store is away for long the oldest are given up
    /// and counted in a warning.
    fn append(&self, search: Search);

    /// Returns once everything noted before the call is stored, or given up.
    async fn flush(&self);
}

/// One search of the gallery.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// Its identifier.
    pub id: SearchId,
    /// When.
    pub at: Timestamp,
    /// The kiosk or camera that asked.
    pub device: Option<DeviceId>,
    /// The person who asked.
    pub asked_by: Option<UserId>,
    /// The recognizer.
    pub model: ModelId,
    /// People in the gallery.
    pub people: u32,
    /// `matched`, `unknown`, `ambiguous` or `rejected`.
    pub result: &'static str,
    /// Why, in stable words, if there is more to say.
    pub reason: Option<String>,
    /// The person, only if matched: whom a stranger resembles is nobody's business.
    pub user: Option<UserId>,
    /// Similarity of the most similar person.
    pub best: Option<f32>,
    /// Similarity of the second person.
    pub second: Option<f32>,
    /// Least similarity accepted.
    pub threshold: f32,
    /// Least distance to the second person.
    pub margin: f32,
    /// What was measured on the face.
    pub quality: Option<FaceQuality>,
}
