//! The attendance of one person, page by page.

use std::collections::HashMap;

use rollcall_domain::attendance::DayKey;
use rollcall_domain::id::EventId;
use rollcall_domain::policy::Punch;
use rollcall_domain::user::User;
use rollcall_ports::attendance::Addition;
use rollcall_ports::legacy::LegacyRow;
use rollcall_ports::store::StoreError;

use super::columns::Kind;
use super::ledger::{Ledger, Placed};
use super::punches::{NoPunch, OldPunch, OldRow, read};
use super::source::Source;
use super::{ImportError, Link, Pages, Run};

/// Punches committed at once: a transaction must end well before its time is over.
const BATCH: usize = 50;

/// A page that met another writer is read and placed again this often.
const RETRIES: usize = 5;

/// What became of one page.
#[derive(Default)]
struct Outcome {
    additions: Vec<Addition>,
    /// By the event, in the order of [`Placed`].
    placed: HashMap<EventId, Place>,
}

enum Place {
    New(DayKey),
    Known(DayKey),
    Needless(&'static str),
    Rejected(&'static str),
}

impl Run<'_> {
    /// Brings the punches of a person who is here, or would be. Their records are derived by our rules.
    pub(super) async fn attendance(
        &mut self,
        user: User,
        mut is_new: bool,
        link: &Link<'_>,
    ) -> Result<(), ImportError> {
        let Some(source) = self.sources.of(Kind::AttendanceRecords) else { return Ok(()) };
        let zone = self.import.attendance.zone_of(&user).await?;
        let rules = self.import.rules.clone();
        let mut ledger = Ledger::new(user.id, zone, rules.shift.clone(), rules.policy);
        let mut pages = Pages::default();
        while let Some(rows) = self.page(&source, link, &mut pages).await? {
            let rows = self.readable(&source, &rows);
            let mut left = RETRIES;
            let outcome = loop {
                let outcome = self.place(&mut ledger, is_new, &rows).await?;
                match self.commit(&outcome.additions).await {
                    Ok(()) => break outcome,
                    // Somebody punched meanwhile, or part of the page is committed already: what is there now counts.
                    Err(StoreError::Stale) if left > 0 => {
                        left -= 1;
                        ledger.clear();
                        is_new = false;
                    }
                    Err(error) => return Err(error.into()),
                }
            };
            self.tell(&ledger, &rows, &outcome);
        }
        Ok(())
    }

    /// The rows that say something; the others are told.
    fn readable(&mut self, source: &Source, rows: &[LegacyRow]) -> Vec<OldRow> {
        let mut readable = Vec::with_capacity(rows.len());
        for row in rows {
            let found = read(source, row, &self.zone, self.now, &self.namespace);
            let tally = self.report.of(Kind::AttendanceRecords);
            tally.read += 1;
            match found {
                Ok(old) => readable.push(old),
                Err(NoPunch::Needless(why)) => tally.needless.add(why, &row.key),
                Err(NoPunch::Rejected(why)) => tally.rejected.add(why, &row.key),
            }
        }
        readable
    }

    /// Finds the day of each punch, in the order of time.
    async fn place(
        &self,
        ledger: &mut Ledger,
        is_new: bool,
        rows: &[OldRow],
    ) -> Result<Outcome, ImportError> {
        let mut punches: Vec<&OldPunch> = rows.iter().flat_map(|row| &row.punches).collect();
        punches.sort_by_key(|punch| (punch.at, punch.punch == Punch::CheckOut, punch.id));
        let mut outcome = Outcome::default();
        for punch in punches {
            for dates in ledger.unknown(punch.at) {
                // Nobody who is new has days.
                if !is_new {
                    ledger.load(self.import.days.days(ledger.user, dates).await?);
                }
            }
            let place = match ledger.place(punch, self.now, &self.namespace) {
                Placed::New(addition) => {
                    let key = addition.day.key;
                    outcome.additions.push(*addition);
                    Place::New(key)
                }
                Placed::Known(key) => Place::Known(key),
                Placed::Needless(why) => Place::Needless(why),
                Placed::Rejected(why) => Place::Rejected(why),
            };
            outcome.placed.insert(punch.id, place);
        }
        Ok(outcome)
    }

    async fn commit(&self, additions: &[Addition]) -> Result<(), StoreError> {
        if self.request.dry_run {
            return Ok(());
        }
        for batch in additions.chunks(BATCH) {
            self.import.days.commit_all(batch).await?;
        }
        Ok(())
    }

    fn tell(&mut self, ledger: &Ledger, rows: &[OldRow], outcome: &Outcome) {
        for row in rows {
            let places: Vec<&Place> =
                row.punches.iter().filter_map(|punch| outcome.placed.get(&punch.id)).collect();
            let added = places.iter().filter(|place| matches!(place, Place::New(_))).count();
            self.report.events += added as u64;
            let tally = self.report.of(Kind::AttendanceRecords);
            row.left_out.iter().for_each(|what| tally.left_out.add(what, &row.key));
            match places[..] {
                _ if added > 0 => tally.created += 1,
                [Place::Known(_), ..] | [_, Place::Known(_)] => tally.unchanged += 1,
                [Place::Needless(why), ..] => tally.needless.add(why, &row.key),
                [Place::Rejected(why), ..] => tally.rejected.add(why, &row.key),
                [] | [Place::New(_), ..] => {}
            }
            let day = places.iter().find_map(|place| match place {
                Place::New(key) | Place::Known(key) => Some(*key),
                Place::Needless(_) | Place::Rejected(_) => None,
            });
            let ours = day.and_then(|key| ledger.status(key, self.now));
            match (row.status, ours) {
                (Some(old), Some(ours)) if old != ours => {
                    self.report.statuses.entry((old, ours)).or_default().add(&row.key);
                }
                (Some(_), Some(_)) => self.report.same_status += 1,
                _ => {}
            }
        }
    }
}
