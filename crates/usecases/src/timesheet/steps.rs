//! What is to be stored next of people who are behind: their books, the dates that are to be worked out, what follows.

use std::collections::{BTreeMap, HashMap};
use std::task::Poll;

use jiff::civil::Date;
use jiff::{Span, Timestamp};
use rollcall_domain::Revision;
use rollcall_domain::attendance::{DayRecord, Punch, PunchKind, Source};
use rollcall_domain::calendar::{DateRange, Zone};
use rollcall_domain::id::{PunchId, UserId};
use rollcall_domain::policy::PunchOutcome;
use rollcall_domain::replay::{REACHES_BACK, reached_from};
use rollcall_domain::user::{Status, User};
use rollcall_ports::attendance::{Change, Ledger};
use rollcall_ports::store::StoreError;

use crate::time::{horizon, rounded};
use crate::timesheet::Timesheets;
use crate::timesheet::audit::AuditContext;
use crate::timesheet::derive::TimesheetChange;
use crate::timesheet::sheet::{Timesheet, asked_from};

/// Dates that are worked out in one step, where they lie back. A step is stored in one transaction, for which others wait.
const STEP: i32 = 92;

/// Dates before today that are worked out together with those to come: whatever follows from a change of today.
const NEAR: i32 = REACHES_BACK + 1;

/// Dates for which a person's records are to be worked out.
struct Ahead {
    /// What was read of the person.
    seen: Revision,
    /// From which date on they do not follow from the facts.
    from: Date,
}

/// What is to be stored of a person next.
pub(crate) enum Step {
    /// Nothing.
    Done,
    /// Whatever it was, somebody changed the person meanwhile.
    Again,
    /// This; `whole` tells whether nothing is left to do then.
    Store { change: Box<Change>, whole: bool },
}

impl Timesheets {
    /// What is to be stored next of each of these people. What is near comes before what lies back, so that whoever asks
    /// about today waits for nobody's past: a change of the plan lets stale dates count as not planned, until the near ones
    /// among them are stored. As many reads as for one, or twice as many where only dates are stale that lie back.
    pub(crate) async fn steps(
        &self,
        people: &[UserId],
        now: Timestamp,
    ) -> Result<Vec<(UserId, Step)>, StoreError> {
        let through = horizon(now);
        let near = DateRange::until(before(Zone::UTC.local(now).date(), NEAR), through);
        let mut steps = Vec::with_capacity(people.len());
        let mut behind = Vec::new();
        for (user, mut timesheet) in self.books(people, near).await? {
            pause().await;
            let placed = (!timesheet.is_placed()).then(|| reached_from(place(&user, &mut timesheet, now)));
            let (known, seen) = (timesheet.ledger.planned_through, timesheet.ledger.revision);
            let unplanned =
                known.map_or(timesheet.asked_from(), |planned| planned.saturating_add(Span::new().days(1)));
            let is_planned = known.is_some_and(|planned| through <= planned);
            let stale = timesheet.ledger.stale_from.into_iter().chain(placed);
            let oldest = stale.chain((!is_planned).then_some(unplanned)).min();
            let closes = self.session_to_end(&user, &timesheet, now);
            let Some(from) = oldest.or(closes.as_ref().map(|_| near.from())) else {
                steps.push((user.id, Step::Done));
                continue;
            };
            if is_planned && placed.is_none() && closes.is_none() && from < near.from() {
                behind.push((user, Ahead { seen, from }));
                continue;
            }
            timesheet.planned(Some(through), Some(from).filter(|from| *from < near.from()));
            steps.push((user.id, self.step(timesheet, closes, now)));
        }
        steps.extend(self.steps_back(behind, near, now).await?);
        Ok(steps)
    }

    /// The next step of people of whom only dates are stale that lie back.
    async fn steps_back(
        &self,
        behind: Vec<(User, Ahead)>,
        near: DateRange,
        now: Timestamp,
    ) -> Result<Vec<(UserId, Step)>, StoreError> {
        let ids: Vec<UserId> = behind.iter().map(|(user, _)| user.id).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let firsts = self.days.first_dates(&ids).await?;
        let mut further: BTreeMap<(Date, Date), Vec<(User, Ahead)>> = BTreeMap::new();
        for ((user, ahead), first) in behind.into_iter().zip(firsts) {
            // Nothing follows for dates on which nobody was asked for anything and nobody came.
            // By whose clocks they were added is not known yet; that may have been a date earlier.
            let asked = before(asked_from(&user, &self.zone_of(&user)), 1);
            let first = first.map_or(asked, |first| reached_from(first).min(asked));
            let from = ahead.from.max(first).min(near.from());
            let last = from.saturating_add(Span::new().days(STEP - 1)).min(near.to());
            further.entry((from, last)).or_default().push((user, ahead));
        }
        let mut steps = Vec::with_capacity(ids.len());
        for ((from, last), waiting) in further {
            let ids: Vec<UserId> = waiting.iter().map(|(user, _)| user.id).collect();
            let mut known: HashMap<UserId, Ahead> =
                waiting.into_iter().map(|(user, ahead)| (user.id, ahead)).collect();
            for (user, mut timesheet) in self.books(&ids, DateRange::until(from, last)).await? {
                pause().await;
                let Some(ahead) = known.remove(&user.id) else { continue };
                if timesheet.ledger.revision != ahead.seen || !timesheet.is_placed() {
                    steps.push((user.id, Step::Again));
                    continue;
                }
                let next = last.saturating_add(Span::new().days(1));
                timesheet.planned(Some(near.to()), Some(next).filter(|next| *next <= near.to()));
                steps.push((user.id, self.step(timesheet, None, now)));
            }
        }
        Ok(steps)
    }

    /// The books of several people. Their profiles are read after the facts: a profile that changes in between is followed
    /// by a change of the facts, which makes what follows from the older one stale. Whole weeks are read of people whose
    /// overtime is counted by the week, see [`Self::open`].
    async fn books(&self, people: &[UserId], dates: DateRange) -> Result<Vec<(User, Timesheet)>, StoreError> {
        let mut books = self.read_books(people, dates).await?;
        let weeks = dates.whole_weeks(horizon(self.clock.now()));
        let by_the_week: Vec<UserId> =
            books.iter().filter(|(_, timesheet)| timesheet.counts_weeks()).map(|(user, _)| user.id).collect();
        if weeks != dates && !by_the_week.is_empty() {
            books.retain(|(user, _)| !by_the_week.contains(&user.id));
            books.extend(self.read_books(&by_the_week, weeks).await?);
        }
        Ok(books)
    }

    async fn read_books(
        &self,
        people: &[UserId],
        dates: DateRange,
    ) -> Result<Vec<(User, Timesheet)>, StoreError> {
        let ledgers = self.days.ledgers(people, dates).await?;
        let mut ledgers: HashMap<UserId, Ledger> = people.iter().copied().zip(ledgers).collect();
        let mut books = Vec::with_capacity(people.len());
        for user in self.users.get_many(people).await? {
            if let Some(ledger) = ledgers.remove(&user.id) {
                let plan = self.plan.at(ledger.plan).await?;
                let timesheet = Timesheet::new(&user, dates, ledger, self.present(&user), plan);
                books.push((user, timesheet));
            }
        }
        Ok(books)
    }

    fn step(&self, mut timesheet: Timesheet, closes: Option<Punch>, now: Timestamp) -> Step {
        if let Some(punch) = closes {
            timesheet.add(punch);
        }
        let TimesheetChange { change, .. } = self.conclude(timesheet, &AuditContext::system(now));
        let whole = change.stale_from.is_none();
        Step::Store { change: Box::new(change), whole }
    }

    /// The end of the session in which somebody is who no longer takes part: nobody lets them out. A session of a closed
    /// period stays as it is.
    fn session_to_end(&self, user: &User, timesheet: &Timesheet, now: Timestamp) -> Option<Punch> {
        if user.status == Status::Active {
            return None;
        }
        let standing = user.standing.as_ref();
        let at = standing.map_or(now, |change| change.at).min(now);
        let inside =
            |record: &DayRecord| record.record.open && at < record.due && record.record.first_in <= Some(at);
        let open = |record: &&DayRecord| !timesheet.is_closed(record.day.key.date);
        timesheet.ledger.records.iter().filter(open).find(|record| inside(record))?;
        let end = Punch {
            received_at: now,
            entered_by: standing.and_then(|change| change.by),
            reason: standing.and_then(|change| change.reason.clone()),
            ..Punch::new(
                PunchId::new(self.ids.next()),
                user.id,
                PunchKind::Close,
                rounded(at),
                Source::System,
            )
        };
        // It must end something, or it would be tried again forever.
        let mut trial = timesheet.clone();
        trial.add(end.clone());
        let ends = trial.derive(&self.rules.policy).reading(end.id)?.outcome == PunchOutcome::Closed;
        ends.then_some(end)
    }
}

/// Notes where the person is by now, and from which date on. That is today; whoever came today is not sent away before
/// tomorrow, nor do other clocks hold for them before they have gone and come again: what was punched by some clocks is
/// told by them.
pub(crate) fn place(user: &User, timesheet: &mut Timesheet, now: Timestamp) -> Date {
    let zone = timesheet.zone().clone();
    let today = zone.local(now).date();
    let tomorrow = |date: Date| date.saturating_add(Span::new().days(1));
    let away = user.status != Status::Active;
    let since = user.standing.as_ref().map(|change| zone.local(change.at).date());
    if let Some(since) = since.filter(|_| away && timesheet.ledger.placements.is_empty()) {
        timesheet.place_until(since);
        return timesheet.asked_from();
    }
    let came = |record: &DayRecord| record.day.key.date == today && record.record.first_in.is_some();
    let mut from = today;
    if away && timesheet.ledger.records.iter().any(came) {
        from = tomorrow(today);
    }
    if timesheet.ledger.placements.last().is_some_and(|last| last.zone != zone) {
        let counted = timesheet.ledger.punches.iter().map(|(punch, _)| punch).filter(|punch| punch.counts());
        let punched = counted.map(|punch| zone.local(punch.at).date());
        let inside = |record: &&DayRecord| {
            record.record.open && now < record.due && record.record.first_in.is_some_and(|came| came <= now)
        };
        let inside =
            timesheet.ledger.records.iter().filter(inside).map(|record| zone.local(record.due).date());
        let there = |record: &&DayRecord| record.record.first_in.or(record.record.last_out).is_some();
        let there = timesheet.ledger.records.iter().filter(there).map(|record| record.day.key.date);
        from = punched.chain(inside).chain(there).map(tomorrow).chain([from]).max().unwrap_or(from);
    }
    timesheet.place(from)
}

fn before(date: Date, days: i32) -> Date {
    date.saturating_sub(Span::new().days(days))
}

/// Lets whoever else waits for the same thread go first: working out what follows for many people takes a while.
async fn pause() {
    let mut paused = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut paused, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
