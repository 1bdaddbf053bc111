//! Very many items, a few at a time.

use std::collections::HashMap;

use rollcall_domain::id::{BatchId, UserId};
use rollcall_ports::store::StoreError;

use super::BulkItem;
use crate::bulk::BulkEntry;

impl BulkEntry {
    /// Places of items in slices of about `size` that can be entered one after the other: all items of one person are
    /// in the same slice, so that what is said of one item because of another is the same as if all were entered at
    /// once.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn slices(
        &self,
        items: &[Option<BulkItem>],
        size: usize,
    ) -> Result<Vec<Vec<usize>>, StoreError> {
        let known = self.named(items).await?;
        let mut people: HashMap<UserId, usize> = HashMap::new();
        let (mut shares, mut others): (Vec<Vec<usize>>, Vec<usize>) = (Vec::new(), Vec::new());
        for (place, item) in items.iter().enumerate() {
            let Some(item) = item else {
                others.push(place);
                continue;
            };
            match known.get(&item.who) {
                Some(id) => {
                    let share = *people.entry(*id).or_insert_with(|| {
                        shares.push(Vec::new());
                        shares.len() - 1
                    });
                    shares[share].push(place);
                }
                // Nobody is nobody twice.
                None => others.push(place),
            }
        }
        shares.extend(others.chunks(size.max(1)).map(<[usize]>::to_vec));
        let mut slices: Vec<Vec<usize>> = Vec::new();
        for share in shares {
            match slices.last_mut() {
                Some(slice) if slice.len() + share.len() <= size => slice.extend(share),
                _ => slices.push(share),
            }
        }
        for slice in &mut slices {
            slice.sort_unstable();
        }
        Ok(slices)
    }

    /// Whether anything was entered as this batch.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn has_batch(&self, id: BatchId) -> Result<bool, StoreError> {
        Ok(self.batches.get(id).await?.is_some())
    }
}
