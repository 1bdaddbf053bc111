//! What is to be stored next of people who are behind: their books, the dates that are to be worked out, what follows.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;
use jiff::{Span, Timestamp};
use rollcall_domain::Revision;
use rollcall_domain::attendance::{DayRecord, Event, Punch, Source};
use rollcall_domain::calendar::{DateRange, Zone};
use rollcall_domain::id::{EventId, UserId};
use rollcall_domain::user::{Status, User};
use rollcall_ports::attendance::{Change, Ledger};
use rollcall_ports::store::StoreError;

use super::Attendance;
use super::audit::Cause;
use super::book::{Book, Entry};
use super::planning::{horizon, rounded};

/// Dates for which a person's records are to be worked out.
struct Ahead {
    /// What was read of the person.
    seen: Revision,
    dates: DateRange,
    /// The end of a session in which nobody is any more.
    closes: Option<Event>,
    planned: Date,
    /// Where to go on after these.
    stale_from: Option<Date>,
}

/// What is to be stored of a person next.
pub(super) enum Step {
    /// Nothing.
    Done,
    /// This; `whole` tells whether nothing is left to do then.
    Store { change: Box<Change>, whole: bool },
}

impl Attendance {
    /// What is to be stored next of each of these people, and from that date on whatever is stored. As many reads as for
    /// one, or twice as many where dates are stale that lie back.
    pub(super) async fn steps(
        &self,
        people: &[UserId],
        stale_from: Option<Date>,
        now: Timestamp,
    ) -> Result<Vec<(UserId, Step)>, StoreError> {
        let around = DateRange::around(Zone::UTC.local(now).date());
        let mut steps = Vec::with_capacity(people.len());
        let mut further: BTreeMap<(Date, Date), Vec<(User, Ahead)>> = BTreeMap::new();
        for (user, mut book) in self.books(people, around).await? {
            let Some(ahead) = self.ahead(&user, &mut book, stale_from, now) else {
                steps.push((user.id, Step::Done));
                continue;
            };
            let wanted = (ahead.dates.from(), ahead.dates.to());
            if around.contains(wanted.0) && around.contains(wanted.1) {
                steps.push((user.id, self.step(book, ahead, now)));
            } else {
                further.entry(wanted).or_default().push((user, ahead));
            }
        }
        for ((from, to), waiting) in further {
            let dates = DateRange::new(from, to).map_err(|error| StoreError::Failed(error.into()))?;
            let ids: Vec<UserId> = waiting.iter().map(|(user, _)| user.id).collect();
            let mut known: HashMap<UserId, Ahead> =
                waiting.into_iter().map(|(user, ahead)| (user.id, ahead)).collect();
            for (user, mut book) in self.books(&ids, dates).await? {
                let Some(ahead) = known.remove(&user.id) else { continue };
                if book.ledger.revision != ahead.seen {
                    return Err(StoreError::Stale);
                }
                if !book.is_placed() {
                    place(&user, &mut book, now);
                }
                steps.push((user.id, self.step(book, ahead, now)));
            }
        }
        Ok(steps)
    }

    /// The books of several people. Their profiles are read after the facts: a profile that changes in between is followed
    /// by a change of the facts, which makes what follows from the older one stale. Whole weeks are read of people whose
    /// overtime is counted by the week, see [`Self::open`].
    async fn books(&self, people: &[UserId], dates: DateRange) -> Result<Vec<(User, Book)>, StoreError> {
        let mut books = self.read_books(people, dates).await?;
        let weeks = dates.whole_weeks(horizon(self.clock.now()));
        let by_the_week: Vec<UserId> =
            books.iter().filter(|(_, book)| book.counts_weeks()).map(|(user, _)| user.id).collect();
        if weeks != dates && !by_the_week.is_empty() {
            books.retain(|(user, _)| !by_the_week.contains(&user.id));
            books.extend(self.read_books(&by_the_week, weeks).await?);
        }
        Ok(books)
    }

    async fn read_books(&self, people: &[UserId], dates: DateRange) -> Result<Vec<(User, Book)>, StoreError> {
        let ledgers = self.days.ledgers(people, dates).await?;
        let mut ledgers: HashMap<UserId, Ledger> = people.iter().copied().zip(ledgers).collect();
        let mut books = Vec::with_capacity(people.len());
        for user in self.users.named(people).await? {
            if let Some(ledger) = ledgers.remove(&user.id) {
                let plan = self.plan_at(ledger.plan).await?;
                let book = Book::new(&user, dates, ledger, self.present(&user), plan);
                books.push((user, book));
            }
        }
        Ok(books)
    }

    /// For which dates records are to be worked out, if for any. Notes in the book where the person is by now.
    fn ahead(&self, user: &User, book: &mut Book, stale_from: Option<Date>, now: Timestamp) -> Option<Ahead> {
        let through = horizon(now);
        let mut from = book
            .ledger
            .planned_through
            .map_or(book.asked_from(), |planned| planned.saturating_add(Span::new().days(1)));
        from = book.ledger.stale_from.into_iter().chain(stale_from).chain([from]).min().unwrap_or(from);
        let closes = self.session_to_end(user, book, now);
        let was_placed = book.is_placed();
        if !was_placed {
            from = from.min(place(user, book, now));
        }
        if from > through && closes.is_none() && was_placed && nothing_new(book) {
            return None;
        }
        // What was noted of places and sessions is known before the dates are.
        let first = closes.as_ref().map_or(from, |event| from.min(book.zone().local(event.at).date()));
        let last = first.saturating_add(Span::new().days(DateRange::MAX_DAYS - 1)).min(through).max(first);
        let planned = book.ledger.planned_through.map_or(last, |planned| planned.max(last));
        let whole = last >= through;
        Some(Ahead {
            seen: book.ledger.revision,
            dates: DateRange::new(first, last).ok()?,
            closes,
            planned,
            stale_from: (!whole).then(|| last.saturating_add(Span::new().days(1))),
        })
    }

    fn step(&self, mut book: Book, ahead: Ahead, now: Timestamp) -> Step {
        if let Some(event) = ahead.closes {
            book.add(event);
        }
        book.planned(Some(ahead.planned), ahead.stale_from);
        let Entry { change, .. } = self.conclude(book, &Cause::system(now));
        Step::Store { change: Box::new(change), whole: ahead.stale_from.is_none() }
    }

    /// The end of the session in which somebody is who no longer takes part: nobody lets them out.
    fn session_to_end(&self, user: &User, book: &Book, now: Timestamp) -> Option<Event> {
        if user.status == Status::Active {
            return None;
        }
        let standing = user.standing.as_ref();
        let at = standing.map_or(now, |change| change.at).min(now);
        let inside =
            |record: &DayRecord| record.record.open && at < record.due && record.record.first_in <= Some(at);
        book.ledger.records.iter().find(|record| inside(record))?;
        Some(Event {
            received_at: now,
            entered_by: standing.and_then(|change| change.by),
            reason: standing.and_then(|change| change.reason.clone()),
            ..Event::new(EventId::new(self.ids.next()), user.id, Punch::Close, rounded(at), Source::System)
        })
    }
}

fn nothing_new(book: &Book) -> bool {
    book.ledger.stale_from.is_none() && book.ledger.planned_through.is_some()
}

/// Notes where the person is by now. Whoever came today is not sent away before tomorrow.
pub(super) fn place(user: &User, book: &mut Book, now: Timestamp) -> Date {
    let today = book.zone().local(now).date();
    let away = user.status != Status::Active;
    let since = user.standing.as_ref().map(|change| book.zone().local(change.at).date());
    match since.filter(|_| away) {
        Some(since) if book.ledger.placements.is_empty() => {
            book.place_until(since);
            book.asked_from()
        }
        _ => {
            let came = |record: &DayRecord| record.day.key.date == today && record.record.first_in.is_some();
            let stays = away && book.ledger.records.iter().any(came);
            book.place(if stays { today.saturating_add(Span::new().days(1)) } else { today })
        }
    }
}
