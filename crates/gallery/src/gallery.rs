//! The index: readers see immutable snapshots, writers take turns.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use rollcall_domain::face::{ModelId, Template};
use rollcall_domain::id::UserId;
use rollcall_domain::matching::Candidate;
use rollcall_ports::index::{FaceIndex, IndexError, IndexStats, PersonChange};

use crate::chunk::Row;
use crate::code::Code;
use crate::search;
use crate::segment::{Key, Places, Segment};

/// Changes that [`Gallery::extend`] makes visible at a time.
const BATCH: usize = 4096;

/// All matchable people in memory; nearest people are found exactly.
///
/// A search takes whatever snapshot is in force and never waits. A write builds the next snapshot, which
/// shares all chunks but the one or two it changes, and swaps it in before it returns.
#[derive(Debug, Default)]
pub struct Gallery {
    current: ArcSwap<Snapshot>,
    writer: Mutex<Writer>,
}

/// What a search sees.
#[derive(Debug, Default, Clone)]
struct Snapshot {
    segments: Vec<Segment>,
    stats: IndexStats,
}

/// What only writers need.
#[derive(Debug, Default)]
struct Writer {
    /// Where people are, for the segment of the same position.
    places: Vec<Places>,
    /// The last change of people without a row; those with one keep it there. Never forgotten, as an older
    /// change that arrives late must not bring a person back.
    removed: HashMap<UserId, u64>,
}

/// A change, with everything computed that needs no lock.
struct Prepared {
    user: UserId,
    number: u64,
    rows: Vec<(Key, Row)>,
}

impl Gallery {
    /// Makes an empty gallery.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Applies many changes, with the result of applying them one by one but without copying a chunk for
    /// each: for loading at start. Searches see them some thousands at a time, all of them on return.
    pub fn extend(&self, changes: impl IntoIterator<Item = PersonChange>) {
        let mut changes = changes.into_iter().map(Prepared::new);
        loop {
            let batch: Vec<Prepared> = changes.by_ref().take(BATCH).collect();
            if batch.is_empty() {
                return;
            }
            self.write(batch);
        }
    }

    fn write(&self, changes: impl IntoIterator<Item = Prepared>) {
        // A writer does nothing that can fail between its first and its last step.
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = Snapshot::clone(&self.current.load());
        for change in changes {
            writer.apply(&mut next, change);
        }
        self.current.store(Arc::new(next));
    }
}

#[async_trait]
impl FaceIndex for Gallery {
    async fn nearest(&self, probe: &Template, k: usize) -> Result<Vec<Candidate>, IndexError> {
        let snapshot = self.current.load_full();
        let segment = snapshot.segments.iter().find(|segment| segment.key.fits(probe));
        Ok(segment.map(|segment| search::nearest(segment, probe, k)).unwrap_or_default())
    }

    fn apply(&self, change: PersonChange) {
        self.write([Prepared::new(change)]);
    }

    fn people_of(&self, model: &ModelId) -> usize {
        let snapshot = self.current.load();
        snapshot.segments.iter().filter(|segment| segment.key.model == *model).map(Segment::len).sum()
    }

    fn stats(&self) -> IndexStats {
        self.current.load().stats
    }
}

impl Writer {
    fn apply(&mut self, next: &mut Snapshot, change: Prepared) {
        let Prepared { user, number, mut rows } = change;
        let last_of_rows = next
            .segments
            .iter()
            .zip(&self.places)
            .filter_map(|(segment, places)| segment.number(places, user))
            .max();
        let last = last_of_rows.or_else(|| self.removed.get(&user).copied());
        if last.is_some_and(|last| number < last) {
            return;
        }

        let matchable = !rows.is_empty();
        let (mut gone, mut come) = (0, 0);
        for (segment, places) in next.segments.iter_mut().zip(&mut self.places) {
            gone += match rows.iter().position(|(key, _)| *key == segment.key) {
                Some(found) => {
                    let (_, row) = rows.swap_remove(found);
                    come += row.templates;
                    segment.put(places, row)
                }
                None => segment.remove(places, user),
            };
        }
        for (key, row) in rows {
            let (mut segment, mut places) = (Segment::new(key), Places::new());
            come += row.templates;
            segment.put(&mut places, row);
            next.segments.push(segment);
            self.places.push(places);
        }
        self.drop_empty(next);

        if matchable {
            self.removed.remove(&user);
        } else {
            self.removed.insert(user, number);
        }
        let stats = &mut next.stats;
        stats.people = stats.people + usize::from(matchable) - usize::from(last_of_rows.is_some());
        stats.encodings = stats.encodings + come as usize - gone as usize;
        stats.last_change = stats.last_change.max(number);
    }

    /// Drops a model nobody has templates of any more.
    fn drop_empty(&mut self, next: &mut Snapshot) {
        if let Some(empty) = next.segments.iter().position(|segment| segment.chunks.is_empty()) {
            next.segments.swap_remove(empty);
            self.places.swap_remove(empty);
        }
    }
}

impl Prepared {
    fn new(change: PersonChange) -> Self {
        let PersonChange { user, number, templates } = change;
        let mut groups: Vec<(Key, Vec<&Template>)> = Vec::new();
        for template in &templates {
            match groups.iter_mut().find(|(key, _)| key.fits(template)) {
                Some((_, group)) => group.push(template),
                None => groups.push((Key::of(template), vec![template])),
            }
        }
        let row = |(key, group): (Key, Vec<&Template>)| {
            // Templates that cancel out have no direction in common: there is nothing to match.
            let mean = Template::mean(group.iter().copied())?;
            let code = Code::new(mean.embedding.values());
            Some((key, Row { user, number, templates: group.len() as u32, code }))
        };
        let rows = groups.into_iter().filter_map(row).collect();
        Self { user, number, rows }
    }
}
