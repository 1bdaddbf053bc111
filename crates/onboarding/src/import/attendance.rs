//! The attendance of one person, page by page.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use jiff::Span;
use jiff::civil::Date;
use rollcall_domain::attendance::{DayKey, DayStatus, Punch, PunchKind};
use rollcall_domain::calendar::DateRange;
use rollcall_domain::id::PunchId;
use rollcall_domain::user::User;
use rollcall_ports::legacy::LegacyRow;
use rollcall_ports::store::StoreError;

use super::columns::Kind;
use super::ledger::{DayKeyOfShift, Placed, Placing, place};
use super::punches::{Away, NoPunch, OldPunch, OldRow, read};
use super::source::Source;
use super::{ImportError, Link, Pages, Run};

/// Dates of one commit: a transaction must end well before its time is over.
const SPAN: i32 = 200;

/// Punches that met another writer are placed again this often.
const RETRIES: usize = 5;

/// What became of one page.
#[derive(Default)]
struct Outcome {
    placed: HashMap<PunchId, Placed>,
    statuses: BTreeMap<(Date, DayKeyOfShift), DayStatus>,
}

impl Run<'_> {
    /// Brings the punches and the leave of a person who is here, or would be. Their records are derived by our rules.
    pub(super) async fn attendance(&mut self, user: User, link: &Link<'_>) -> Result<(), ImportError> {
        let Some(source) = self.sources.of(Kind::AttendanceRecords) else { return Ok(()) };
        // In a trial nothing is stored, but later pages must know of what earlier ones would have stored.
        let (mut supposed, mut away) = (Vec::new(), Vec::new());
        let mut pages = Pages::default();
        while let Some(rows) = self.page(&source, link, &mut pages).await? {
            let rows = self.readable(&source, &rows, &mut away);
            let outcome = self.place(&user, &rows, &mut supposed).await?;
            self.tell(&rows, &outcome);
        }
        self.leave(&user, away).await
    }

    /// The rows that tell of punches; leave goes to `away`, the others are told.
    fn readable(&mut self, source: &Source, rows: &[LegacyRow], away: &mut Vec<Away>) -> Vec<OldRow> {
        let mut readable = Vec::with_capacity(rows.len());
        for row in rows {
            let found = read(source, row, &self.zone, self.now, &self.namespace);
            let tally = self.report.of(Kind::AttendanceRecords);
            tally.read += 1;
            match found {
                Ok(old) => readable.push(old),
                Err(NoPunch::Away(day)) => away.push(day),
                Err(NoPunch::Needless(why)) => tally.needless.add(why, &row.key),
                Err(NoPunch::Rejected(why)) => tally.rejected.add(why, &row.key),
            }
        }
        readable
    }

    /// Finds out what the punches of a page come to, and stores it.
    async fn place(
        &self,
        user: &User,
        rows: &[OldRow],
        supposed: &mut Vec<Punch>,
    ) -> Result<Outcome, ImportError> {
        let zone = self.import.timesheets.zone_of(user);
        let mut punches: Vec<&OldPunch> = rows.iter().flat_map(|row| &row.punches).collect();
        punches.sort_by_key(|punch| (punch.at, punch.kind == PunchKind::CheckOut, punch.id));
        let mut outcome = Outcome::default();
        while let Some(first) = punches.first().map(|punch| zone.local(punch.at).date()) {
            let last = first.saturating_add(Span::new().days(SPAN));
            let many = punches.partition_point(|punch| zone.local(punch.at).date() < last);
            let some: Vec<&OldPunch> = punches.drain(..many.max(1)).collect();
            let to = some.last().map_or(first, |punch| zone.local(punch.at).date());
            let dates = DateRange::until(DateRange::around(first).from(), DateRange::around(to).to());
            let placing = self.placing(user, dates, &some, supposed).await?;
            if self.request.dry_run {
                supposed.extend(placing.new);
            }
            outcome.placed.extend(placing.placed);
            outcome.statuses.extend(placing.statuses);
        }
        Ok(outcome)
    }

    async fn placing(
        &self,
        user: &User,
        dates: DateRange,
        punches: &[&OldPunch],
        supposed: &[Punch],
    ) -> Result<Placing, ImportError> {
        let (attendance, policy) = (&self.import.timesheets, &self.import.rules.policy);
        let (mut user, mut left) = (Cow::Borrowed(user), RETRIES);
        loop {
            let mut timesheet = attendance.open(&user, dates).await?;
            if !timesheet.is_placed() {
                if !self.request.dry_run && !timesheet.ledger.placements.is_empty() {
                    left = left.checked_sub(1).ok_or(StoreError::Stale)?;
                    match attendance.refresh(user.id).await {
                        // They may have moved since they were read.
                        Ok(()) => user = self.import.users.get(user.id).await?.map_or(user, Cow::Owned),
                        Err(StoreError::Stale) => {}
                        Err(error) => return Err(error.into()),
                    }
                    continue;
                }
                timesheet.place(timesheet.zone().local(self.now).date());
            }
            let placing = place(user.id, &timesheet, supposed, punches, policy, self.now);
            if self.request.dry_run || placing.new.is_empty() {
                return Ok(placing);
            }
            match self.import.days.commit(&placing.derived.change).await {
                Ok(()) => return Ok(placing),
                // Somebody punched meanwhile: what is there now counts.
                Err(StoreError::Stale) if left > 0 => left -= 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn tell(&mut self, rows: &[OldRow], outcome: &Outcome) {
        for row in rows {
            let places: Vec<&Placed> =
                row.punches.iter().filter_map(|punch| outcome.placed.get(&punch.id)).collect();
            let added = places.iter().filter(|place| matches!(place, Placed::New(_))).count();
            self.report.punches += added as u64;
            let tally = self.report.of(Kind::AttendanceRecords);
            row.left_out.iter().for_each(|what| tally.left_out.add(what, &row.key));
            match places[..] {
                _ if added > 0 => tally.created += 1,
                [Placed::Known(_), ..] | [_, Placed::Known(_)] => tally.unchanged += 1,
                [Placed::Needless(why), ..] => tally.needless.add(why, &row.key),
                [Placed::Rejected(why), ..] => tally.rejected.add(why, &row.key),
                [] | [Placed::New(_), ..] => {}
            }
            let day = places.iter().find_map(|place| match place {
                Placed::New(key) | Placed::Known(key) => Some(*key),
                Placed::Needless(_) | Placed::Rejected(_) => None,
            });
            let ours =
                day.and_then(|DayKey { date, shift, .. }| outcome.statuses.get(&(date, shift)).copied());
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
