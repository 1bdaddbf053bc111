//! Stored templates.

use std::collections::BTreeMap;

use async_trait::async_trait;
use rollcall_domain::face::{ModelId, StoredTemplate};
use rollcall_domain::id::{FaceId, UserId};
use rollcall_domain::page::{Page, Paged};
use rollcall_domain::user::{Consent, FaceSummary, Status};
use rollcall_ports::faces::{Changes, Consented, FaceStore, TemplateFilter, TemplateSummary};
use rollcall_ports::index::PersonChange;
use rollcall_ports::store::StoreError;

use super::world::{FakeStores, Person, World};

impl FakeStores {
    fn store(
        &self,
        user: UserId,
        faces: &[StoredTemplate],
        consent: Option<&Consented>,
        cap: u32,
        seen: Option<u64>,
        replace: bool,
    ) -> Result<u32, StoreError> {
        let mut world = self.world()?;
        for face in std::mem::take(&mut world.meanwhile) {
            let owner = face.user;
            world.faces.push(face);
            world.changed(owner);
        }
        // As everybody who was removed.
        if world.users.get(&user).is_none_or(|known| known.user.status == Status::Deleted) {
            return Err(StoreError::Missing("user_id"));
        }
        let mut added: Vec<StoredTemplate> = Vec::new();
        for face in faces {
            let same = |other: &&StoredTemplate| {
                other.digest == face.digest && other.template.model == face.template.model
            };
            if (replace || world.faces_of(user).find(same).is_none())
                && !added.iter().any(|other| same(&other))
            {
                added.push(StoredTemplate { user, ..face.clone() });
            }
        }
        if !added.is_empty() && seen.is_some_and(|seen| seen != world.last_change) {
            return Err(StoreError::Stale);
        }
        let all = counts(world.faces_of(user).filter(|_| !replace).chain(&added));
        if added.iter().any(|face| all[&face.template.model] > cap) {
            return Err(StoreError::Full);
        }

        let count = added.len() as u32;
        if replace && count > 0 {
            world.faces.retain(|face| face.user != user);
        }
        world.faces.extend(added);
        if let (Some(Consented { version, at }), Some(person)) = (consent, world.users.get_mut(&user)) {
            // A writer who read the person before must not undo it.
            person.user.revision = person.user.revision.next();
            person.user.consent = Consent::Given { version: version.clone(), at: *at };
        }
        if count > 0 || consent.is_some() {
            world.changed(user);
        }
        Ok(count)
    }
}

#[async_trait]
impl FaceStore for FakeStores {
    async fn add(
        &self,
        user: UserId,
        faces: &[StoredTemplate],
        consent: Option<Consented>,
        cap: u32,
        seen: Option<u64>,
    ) -> Result<u32, StoreError> {
        self.store(user, faces, consent.as_ref(), cap, seen, false)
    }

    async fn replace(
        &self,
        user: UserId,
        faces: &[StoredTemplate],
        consent: Option<Consented>,
        cap: u32,
        seen: Option<u64>,
    ) -> Result<u32, StoreError> {
        self.store(user, faces, consent.as_ref(), cap, seen, true)
    }

    async fn has_the_key(&self) -> Result<bool, StoreError> {
        self.world().map(|_| true)
    }

    async fn last_change(&self) -> Result<u64, StoreError> {
        Ok(self.world()?.last_change)
    }

    async fn of_user(&self, user: UserId) -> Result<Vec<StoredTemplate>, StoreError> {
        let world = self.world()?;
        let mut faces: Vec<StoredTemplate> = world.faces_of(user).cloned().collect();
        faces.sort_by_key(|face| (face.created_at, face.id));
        Ok(faces)
    }

    async fn summaries(
        &self,
        users: &[UserId],
        model: Option<&ModelId>,
    ) -> Result<Vec<FaceSummary>, StoreError> {
        let world = self.world()?;
        let summary = |user: &UserId| {
            let is_current = |face: &&StoredTemplate| Some(&face.template.model) == model;
            let current = world.faces_of(*user).filter(is_current).count() as u32;
            FaceSummary {
                current,
                other: world.faces_of(*user).count() as u32 - current,
                last_enrolled_at: world.faces_of(*user).map(|face| face.created_at).max(),
            }
        };
        Ok(users.iter().map(summary).collect())
    }

    async fn encodings(
        &self,
        user: UserId,
        filter: &TemplateFilter,
        newest_first: bool,
        page: Page,
    ) -> Result<Paged<TemplateSummary>, StoreError> {
        let world = self.world()?;
        let wanted = |face: &&StoredTemplate| {
            filter.model.as_ref().is_none_or(|model| face.template.model == *model)
                && filter.not_model.as_ref().is_none_or(|model| face.template.model != *model)
        };
        let mut faces: Vec<&StoredTemplate> = world.faces_of(user).filter(wanted).collect();
        faces.sort_by_key(|face| (face.created_at, face.id));
        if newest_first {
            faces.reverse();
        }
        Ok(page.of(faces).map(|face| world.encoding(face)))
    }

    async fn owner(&self, face: FaceId) -> Result<Option<UserId>, StoreError> {
        Ok(self.world()?.faces.iter().find(|other| other.id == face).map(|face| face.user))
    }

    async fn remove(&self, face: FaceId) -> Result<bool, StoreError> {
        let mut world = self.world()?;
        let Some(place) = world.faces.iter().position(|other| other.id == face) else { return Ok(false) };
        let removed = world.faces.remove(place);
        world.changed(removed.user);
        Ok(true)
    }

    async fn changes_since(&self, after: u64, min_required: u32, limit: u32) -> Result<Changes, StoreError> {
        let world = self.world()?;
        let mut changed: Vec<_> = world.users.values().filter(|person| person.change > after).collect();
        changed.sort_by_key(|person| person.change);
        changed.truncate(limit as usize);
        let people = changed.into_iter().map(|person| world.change(person, min_required)).collect();
        Ok(Changes { people, unreadable: 0 })
    }

    async fn change_of(&self, user: UserId, min_required: u32) -> Result<Option<PersonChange>, StoreError> {
        let world = self.world()?;
        Ok(world.users.get(&user).map(|person| world.change(person, min_required)))
    }
}

impl World {
    fn faces_of(&self, user: UserId) -> impl Iterator<Item = &StoredTemplate> {
        self.faces.iter().filter(move |face| face.user == user)
    }

    fn change(&self, person: &Person, min_required: u32) -> PersonChange {
        let user = person.user.id;
        let counts = counts(self.faces_of(user));
        let enough =
            |face: &&StoredTemplate| counts.get(&face.template.model).is_some_and(|n| *n >= min_required);
        let listed = self.faces_of(user).filter(|face| person.user.is_matchable() && enough(face));
        let templates = listed.map(|face| face.template.clone()).collect();
        PersonChange { user, number: person.change, templates }
    }

    fn encoding(&self, face: &StoredTemplate) -> TemplateSummary {
        let matches = || {
            self.searches.iter().filter(|search| {
                search.user == Some(face.user)
                    && search.model == face.template.model
                    && search.at >= face.created_at
            })
        };
        TemplateSummary {
            id: face.id,
            model: face.template.model.clone(),
            dim: face.template.embedding.values().len() as u32,
            quality: face.quality,
            source: face.source,
            created_by: face.created_by,
            created_at: face.created_at,
            last_matched_at: matches().map(|search| search.at).max(),
            match_count: matches().count() as u64,
        }
    }
}

fn counts<'a>(faces: impl Iterator<Item = &'a StoredTemplate>) -> BTreeMap<ModelId, u32> {
    let mut counts = BTreeMap::new();
    faces.for_each(|face| *counts.entry(face.template.model.clone()).or_default() += 1);
    counts
}
