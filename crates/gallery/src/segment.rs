//! Everybody under one model, in chunks.

use std::collections::HashMap;
use std::sync::Arc;

use rollcall_domain::face::{Metric, ModelId, Template};
use rollcall_domain::id::UserId;

use crate::chunk::{CAPACITY, Chunk, Row};

/// Vectors that may be compared: same network, same metric, same length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) model: ModelId,
    metric: Metric,
    pub(crate) dim: usize,
}

impl Key {
    pub(crate) fn of(template: &Template) -> Self {
        let dim = template.embedding.values().len();
        Self { model: template.model.clone(), metric: template.metric, dim }
    }

    pub(crate) fn fits(&self, template: &Template) -> bool {
        self.dim == template.embedding.values().len()
            && self.metric == template.metric
            && self.model == template.model
    }
}

/// Where each person of a segment is. Only writers need it, so it is no part of a snapshot.
pub(crate) type Places = HashMap<UserId, u32>;

/// The people of one key. Row `p` is row `p % CAPACITY` of chunk `p / CAPACITY`; only the last chunk may
/// have room. A clone shares all chunks; writing to it copies the chunk that is written.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    pub(crate) key: Key,
    pub(crate) chunks: Vec<Arc<Chunk>>,
}

impl Segment {
    pub(crate) fn new(key: Key) -> Self {
        Self { key, chunks: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        let full = self.chunks.len().saturating_sub(1) * CAPACITY;
        full + self.chunks.last().map_or(0, |last| last.len())
    }

    /// Returns the number of the change that `user`'s row comes from.
    pub(crate) fn number(&self, places: &Places, user: UserId) -> Option<u64> {
        let place = *places.get(&user)? as usize;
        Some(self.chunks[place / CAPACITY].numbers[place % CAPACITY])
    }

    /// Adds or replaces a person; returns how many templates the row before had.
    pub(crate) fn put(&mut self, places: &mut Places, row: Row) -> u32 {
        if let Some(&place) = places.get(&row.user) {
            let (chunk, at) = self.at(place);
            let before = chunk.templates[at];
            chunk.replace(at, row);
            return before;
        }
        if self.chunks.last().is_none_or(|last| last.len() == CAPACITY) {
            self.chunks.push(Arc::new(Chunk::new(self.key.dim)));
        }
        places.insert(row.user, self.len() as u32);
        if let Some(last) = self.chunks.last_mut() {
            Arc::make_mut(last).push(row);
        }
        0
    }

    /// Removes a person, if there; returns how many templates the row had. The last row takes the place.
    pub(crate) fn remove(&mut self, places: &mut Places, user: UserId) -> u32 {
        let Some(place) = places.remove(&user) else { return 0 };
        let Some(moved) = self.pop() else { return 0 };
        if moved.user == user {
            return moved.templates;
        }
        places.insert(moved.user, place);
        let (chunk, at) = self.at(place);
        let before = chunk.templates[at];
        chunk.replace(at, moved);
        before
    }

    fn pop(&mut self) -> Option<Row> {
        let row = Arc::make_mut(self.chunks.last_mut()?).pop();
        if self.chunks.last().is_some_and(|last| last.len() == 0) {
            self.chunks.pop();
        }
        row
    }

    fn at(&mut self, place: u32) -> (&mut Chunk, usize) {
        let place = place as usize;
        (Arc::make_mut(&mut self.chunks[place / CAPACITY]), place % CAPACITY)
    }
}
