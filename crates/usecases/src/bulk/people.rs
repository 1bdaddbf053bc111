//! Whose days many items are about.

use std::collections::{HashMap, HashSet};

use rollcall_domain::access::{Action, Denied, permit_to_judge};
use rollcall_domain::id::UserId;
use rollcall_domain::text::canonical;
use rollcall_domain::user::EmailAddress;
use rollcall_ports::store::StoreError;

use super::{BulkItem, BulkSubject, ItemProblem, ItemResult, Job, Share};
use crate::attendance::AttendanceError;
use crate::authorize::load_permitted_many;
use crate::bulk::BulkEntry;

impl BulkEntry {
    /// Finds out whose items they are. Whoever may not be seen is nobody.
    pub(super) async fn shares<'a>(
        &self,
        job: &Job<'a>,
        results: &mut [Option<ItemResult>],
    ) -> Result<Vec<Share<'a>>, AttendanceError> {
        let known = self.named(&job.request.items).await?;
        let mut ids: Vec<UserId> = known.values().copied().collect();
        ids.sort();
        ids.dedup();
        let own = self.rules.self_service;
        let mut people = load_permitted_many(&*self.users, job.actor, Action::EnterInBulk, own, &ids).await?;
        let mut shares: Vec<Share<'a>> = Vec::new();
        let mut places: HashMap<UserId, Result<usize, Denied>> = HashMap::new();
        for (place, item) in job.request.items.iter().enumerate() {
            let Some(item) = item else { continue };
            let share = known.get(&item.who).map_or(Err(Denied::Hidden), |id| {
                *places.entry(*id).or_insert_with(|| {
                    let user = people.remove(id).unwrap_or(Err(Denied::Hidden))?;
                    permit_to_judge(job.actor, Action::EnterInBulk, own, user.subject())?;
                    shares.push(Share { user, items: Vec::new() });
                    Ok(shares.len() - 1)
                })
            });
            match share {
                Ok(share) => shares[share].items.push((place, item)),
                Err(Denied::Hidden) => {
                    results[place] = Some(ItemResult::failed(ItemProblem::UnknownPerson));
                }
                Err(denied) => {
                    let refused = AttendanceError::Denied(denied);
                    results[place] = Some(ItemResult::failed(refused.into()));
                }
            }
        }
        Ok(shares)
    }

    /// The people whom items name; a name that is nobody's is left out.
    pub(super) async fn named<'a>(
        &self,
        items: &'a [Option<BulkItem>],
    ) -> Result<HashMap<&'a BulkSubject, UserId>, StoreError> {
        let mut known = HashMap::new();
        let (mut codes, mut addresses) = (Names::default(), Names::default());
        let different: HashSet<&BulkSubject> = items.iter().flatten().map(|item| &item.who).collect();
        for who in different {
            match who {
                BulkSubject::Id(id) => drop(known.insert(who, *id)),
                BulkSubject::Code(code) => codes.add(who, canonical(code)),
                BulkSubject::Address(address) => addresses.add(who, EmailAddress::canonical_of(address)),
            }
        }
        let ids_by_code = self.users.ids_by_code(&codes.canonical).await?;
        let ids_by_email = self.users.ids_by_email(&addresses.canonical).await?;
        let found =
            codes.whose.into_iter().zip(ids_by_code).chain(addresses.whose.into_iter().zip(ids_by_email));
        known.extend(found.filter_map(|(who, id)| Some((who, id?))));
        Ok(known)
    }
}

/// Names of one kind.
#[derive(Default)]
struct Names<'a> {
    whose: Vec<&'a BulkSubject>,
    canonical: Vec<String>,
}

impl<'a> Names<'a> {
    fn add(&mut self, who: &'a BulkSubject, canonical: String) {
        self.whose.push(who);
        self.canonical.push(canonical);
    }
}
