//! The face index as its promise reads: compare the probe with everybody.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use rollcall_domain::face::{ModelId, Template};
use rollcall_domain::id::UserId;
use rollcall_domain::matching::Candidate;
use rollcall_ports::index::{FaceIndex, IndexError, IndexStats, PersonChange};

/// A loop over everybody. Also the reference that faster implementations are compared with.
#[derive(Debug, Default)]
pub struct FakeIndex(Mutex<BTreeMap<UserId, PersonChange>>);

#[async_trait]
impl FaceIndex for FakeIndex {
    async fn nearest(&self, probe: &Template, k: usize) -> Result<Vec<Candidate>, IndexError> {
        let people = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut candidates: Vec<Candidate> = people
            .values()
            .filter_map(|person| {
                let same_model = person.templates.iter().filter(|template| template.model == probe.model);
                let similarity = Template::mean(same_model)?.similarity(probe)?;
                Some(Candidate { user: person.user, similarity })
            })
            .collect();
        candidates.sort_by(|a, b| b.similarity.total_cmp(&a.similarity).then(a.user.cmp(&b.user)));
        candidates.truncate(k);
        Ok(candidates)
    }

    fn apply(&self, change: PersonChange) {
        let mut people = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let newer = people.get(&change.user).is_none_or(|known| known.number < change.number);
        if newer {
            people.insert(change.user, change);
        }
    }

    fn people_of(&self, model: &ModelId) -> usize {
        let people = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let has = |person: &&PersonChange| person.templates.iter().any(|template| template.model == *model);
        people.values().filter(has).count()
    }

    fn stats(&self) -> IndexStats {
        let people = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        IndexStats {
            people: people.values().filter(|person| !person.templates.is_empty()).count(),
            encodings: people.values().map(|person| person.templates.len()).sum(),
            last_change: people.values().map(|person| person.number).max().unwrap_or(0),
        }
    }
}
