//! Whose days many items are about.

use std::collections::HashMap;

use rollcall_domain::access::{Action, Denied};
use rollcall_domain::id::UserId;
use rollcall_domain::text::canonical;
use rollcall_ports::store::StoreError;

use super::{ItemProblem, ItemResult, Job, Share, Whose};
use crate::attendance::{Attendance, AttendanceError};

impl Attendance {
    /// Finds out whose items they are. Whoever may not be seen is nobody.
    pub(super) async fn shares<'a>(
        &self,
        job: &Job<'a>,
        results: &mut [Option<ItemResult>],
    ) -> Result<Vec<Share<'a>>, AttendanceError> {
        let mut known: HashMap<&Whose, Option<UserId>> = HashMap::new();
        let mut shares: Vec<Share<'a>> = Vec::new();
        let mut places: HashMap<UserId, Result<usize, Denied>> = HashMap::new();
        for (place, item) in job.request.items.iter().enumerate() {
            let Some(item) = item else { continue };
            let id = match known.get(&item.who) {
                Some(id) => *id,
                None => {
                    let id = self.named(&item.who).await?;
                    known.insert(&item.who, id);
                    id
                }
            };
            let Some(id) = id else {
                results[place] = Some(ItemResult::failed(ItemProblem::UnknownPerson));
                continue;
            };
            let share = match places.get(&id) {
                Some(share) => *share,
                None => {
                    let share = match self.judge(job.actor, Action::EnterInBulk, id).await {
                        Ok(user) => {
                            shares.push(Share { user, items: Vec::new() });
                            Ok(shares.len() - 1)
                        }
                        Err(AttendanceError::Denied(denied)) => Err(denied),
                        Err(error) => return Err(error),
                    };
                    places.insert(id, share);
                    share
                }
            };
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

    pub(super) async fn named(&self, who: &Whose) -> Result<Option<UserId>, StoreError> {
        Ok(match who {
            Whose::Id(id) => Some(*id),
            Whose::Code(code) => self.users.of_code(&canonical(code)).await?,
            Whose::Address(address) => {
                self.users.credentials(&canonical(address)).await?.map(|found| found.user)
            }
        })
    }
}
