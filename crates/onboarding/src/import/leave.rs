//! Leave and holidays of an old system, which had a word in each day's row for them: approved leave of the person.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use rollcall_domain::Revision;
use rollcall_domain::audit::{AuditAction, AuditActor, AuditEntry, State, Target};
use rollcall_domain::holiday::FreeDays;
use rollcall_domain::id::LeaveId;
use rollcall_domain::leave::{Decision, Leave, LeaveKind, LeaveRequest, LeaveStatus};
use rollcall_domain::page::Page;
use rollcall_domain::user::{User, UserScope};
use rollcall_ports::holidays::HolidayFilter;
use rollcall_ports::leaves::LeaveFilter;
use rollcall_ports::legacy::Cell;
use rollcall_ports::store::StoreError;

use super::columns::Kind;
use super::punches::Away;
use super::{ImportError, Run};
use rollcall_usecases::audit::entry;

const IN_THE_CALENDAR: &str = "is a holiday of the calendar here";
const TWICE: &str = "says the same as another row of this date";
const CLOSED: &str = "is leave in a period that is closed here";
const OTHER_LEAVE: &str = "is leave on dates for which other leave was asked here meanwhile";
const UNDECIDED: &str =
    "is leave on a date for which leave was asked here that nobody has decided: decide it, then import again";
const HOLIDAYS: &str = "holidays of the old system are leave of the people who had them: to have them as holidays, withdraw that \
                        leave and enter them in the calendar; entered before an import, they are taken from there";

/// Most dates of one request.
const LONGEST: usize = 200;

/// Dates in a row on which a person was away for the same reason.
struct Stretch {
    from: Date,
    to: Date,
    kind: LeaveKind,
    reason: Option<String>,
    rows: Vec<Cell>,
}

impl Run<'_> {
    /// Enters the leave of a person: dates that follow each other become one request. What is here already stays as it is,
    /// also where it was withdrawn since.
    pub(super) async fn leave(&mut self, user: &User, away: Vec<Away>) -> Result<(), ImportError> {
        let mut days: BTreeMap<Date, Away> = BTreeMap::new();
        for day in away {
            match days.entry(day.date) {
                Entry::Occupied(_) => self.report.of(Kind::AttendanceRecords).needless.add(TWICE, &day.key),
                Entry::Vacant(place) => {
                    place.insert(day);
                }
            }
        }
        if days.is_empty() {
            return Ok(());
        }
        let holidays = self.holidays(user).await?;
        let here = self.leave_here(user).await?;
        let on =
            |date: Date, status| here.iter().any(|asked| asked.status == status && asked.leave.covers(date));
        // What an import entered stays as it is, also where it was withdrawn since; the dates beside it may be new.
        let own: BTreeSet<LeaveId> = days.values().map(|day| self.namespace.leave(&day.key)).collect();
        let (entered, known) = here
            .iter()
            .filter(|asked| own.contains(&asked.id))
            .map(|asked| (asked.leave, asked.id))
            .unzip::<_, _, Vec<_>, BTreeSet<_>>();
        let mut stretches: Vec<Stretch> = Vec::new();
        for (date, day) in days {
            let tally = self.report.of(Kind::AttendanceRecords);
            if day.is_holiday && holidays.contains(&date) {
                tally.needless.add(IN_THE_CALENDAR, &day.key);
            } else if on(date, LeaveStatus::Approved)
                || entered.iter().any(|leave| leave.covers(date))
                || known.contains(&self.namespace.leave(&day.key))
            {
                tally.unchanged += 1;
            } else if on(date, LeaveStatus::Pending) {
                tally.rejected.add(UNDECIDED, &day.key);
                self.report.decisions.note(UNDECIDED);
            } else {
                if day.is_holiday {
                    self.report.decisions.note(HOLIDAYS);
                }
                match stretches.last_mut() {
                    Some(stretch)
                        if stretch.rows.len() < LONGEST
                            && stretch.to.tomorrow().ok() == Some(date)
                            && (stretch.kind, &stretch.reason) == (day.kind, &day.reason) =>
                    {
                        stretch.to = date;
                        stretch.rows.push(day.key);
                    }
                    _ => stretches.push(Stretch {
                        from: date,
                        to: date,
                        kind: day.kind,
                        reason: day.reason,
                        rows: vec![day.key],
                    }),
                }
            }
        }
        let mut is_new = false;
        for stretch in stretches {
            is_new |= self.enter_leave(user, stretch).await?;
        }
        if is_new {
            self.import.timesheets.refresh(user.id).await?;
        }
        Ok(())
    }

    /// Whether leave was stored.
    async fn enter_leave(&mut self, user: &User, stretch: Stretch) -> Result<bool, ImportError> {
        let Stretch { from, to, kind, reason, rows } = stretch;
        let Some(id) = rows.first().map(|key| self.namespace.leave(key)) else { return Ok(false) };
        let many = rows.len() as u64;
        if self.import.leaves.get(id).await?.is_some() {
            // Entered for somebody else, whose row this was then.
            self.report.of(Kind::AttendanceRecords).unchanged += many;
            return Ok(false);
        }
        let leave = Leave::new(from, to, None).map_err(|error| StoreError::Failed(error.into()))?;
        let request = LeaveRequest {
            id,
            user: user.id,
            leave,
            kind,
            reason,
            status: LeaveStatus::Approved,
            requested_by: None,
            requested_at: self.now,
            decided: Some(Decision { by: None, at: self.now, comment: None }),
            revision: Revision::NEW,
        };
        let told = AuditEntry {
            subject: Some(user.id),
            date: Some(from),
            reason: request.reason.clone(),
            after: Some(State::leave(&request)),
            ..entry(
                &*self.import.ids,
                self.now,
                AuditActor::System,
                AuditAction::RequestLeave,
                Target::Leave(id),
            )
        };
        let stored = match self.request.dry_run {
            true => Ok(()),
            false => self.import.leaves.insert(&request, &told).await,
        };
        let tally = self.report.of(Kind::AttendanceRecords);
        match stored {
            Ok(()) => {
                tally.created += many;
                self.report.leaves += 1;
                return Ok(!self.request.dry_run);
            }
            Err(StoreError::Overlaps(_)) => rows.iter().for_each(|key| tally.rejected.add(OTHER_LEAVE, key)),
            Err(StoreError::PeriodClosed(_)) => rows.iter().for_each(|key| tally.rejected.add(CLOSED, key)),
            Err(error) => return Err(error.into()),
        }
        Ok(false)
    }

    /// The leave that a person asked for, whatever became of it.
    async fn leave_here(&self, user: &User) -> Result<Vec<LeaveRequest>, ImportError> {
        let filter = LeaveFilter { user: Some(user.id), ..LeaveFilter::default() };
        let mut found = Vec::new();
        for number in 1.. {
            let page = Page::new(number, Page::MAX_SIZE).map_err(|_| StoreError::Full)?;
            let some = self.import.leaves.list(&UserScope::Everybody, &filter, &[], page).await?.items;
            let many = some.len();
            found.extend(some);
            if many < Page::MAX_SIZE as usize {
                break;
            }
        }
        Ok(found)
    }

    /// The dates that are holidays where a person belongs.
    async fn holidays(&self, user: &User) -> Result<Vec<Date>, ImportError> {
        let department = user.department.as_ref().map(|department| department.id);
        let filter = HolidayFilter { among: department.is_none().then(Vec::new), department, within: None };
        let mut found = Vec::new();
        for number in 1.. {
            let page = Page::new(number, Page::MAX_SIZE).map_err(|_| StoreError::Full)?;
            let some = self.import.holidays.list(&filter, page).await?.items;
            found.extend(some.iter().filter_map(|entry| match entry.days {
                FreeDays::Date { on, half: None } => Some(on),
                FreeDays::Date { .. } | FreeDays::Weekly(_) => None,
            }));
            if some.len() < Page::MAX_SIZE as usize {
                break;
            }
        }
        Ok(found)
    }
}
