//! What the audit trail tells of a change of somebody's days: worked out in one place, from what was stored and what
//! follows now.

use jiff::Timestamp;
use rollcall_domain::access::Actor;
use rollcall_domain::attendance::{DayKey, DayRecord};
use rollcall_domain::audit::{Act, By, Line, State, Target};
use rollcall_domain::id::{BatchId, EventId};

use super::Attendance;
use super::book::{Book, Entry};
use super::planning::rounded;
use crate::audit::line;

/// Who changes something, when and why: what the lines of a change have in common.
#[derive(Debug, Clone)]
pub(crate) struct Cause {
    pub(crate) by: By,
    pub(crate) at: Timestamp,
    pub(crate) reason: Option<String>,
    pub(crate) batch: Option<BatchId>,
    /// What it is to every day that is changed on purpose, if not what is done to each; the target is the day unless
    /// told.
    pub(crate) whole: Option<(Act, Option<Target>)>,
    /// Tell also of final records that were missing.
    pub(crate) missing: bool,
}

/// Something that is done to a day on purpose.
#[derive(Debug, Clone)]
pub(crate) struct Deed {
    act: Act,
    target: Target,
    day: Of,
    /// Nothing was done unless the day comes to something else.
    if_turned: bool,
}

#[derive(Debug, Clone, Copy)]
enum Of {
    Day(DayKey),
    Event(EventId),
}

/// A record that comes to something else.
#[derive(Debug, Clone)]
pub(crate) struct Turned {
    pub(crate) key: DayKey,
    pub(crate) before: Option<DayRecord>,
    pub(crate) after: Option<DayRecord>,
}

impl Cause {
    /// Somebody does something now.
    pub(crate) fn of(actor: &Actor, at: Timestamp) -> Self {
        Self { by: actor.into(), ..Self::system(at) }
    }

    /// Nobody in particular.
    pub(crate) fn system(at: Timestamp) -> Self {
        Self { by: By::System, at: rounded(at), reason: None, batch: None, whole: None, missing: false }
    }
}

impl Deed {
    pub(crate) const fn to_event(act: Act, id: EventId) -> Self {
        Self { act, target: Target::Event(id), day: Of::Event(id), if_turned: false }
    }

    pub(crate) fn to_day(act: Act, key: DayKey) -> Self {
        Self { act, target: Target::Record(key.record()), day: Of::Day(key), if_turned: false }
    }

    /// A day that is looked at anew on purpose.
    pub(crate) fn if_turned(act: Act, key: DayKey) -> Self {
        Self { if_turned: true, ..Self::to_day(act, key) }
    }
}

impl Attendance {
    /// What follows from a book, when, and what the audit trail tells of it.
    pub(crate) fn conclude(&self, book: Book, cause: &Cause) -> Entry {
        let mut entry = book.entry(&self.rules.policy);
        entry.change.at = rounded(self.clock.now());
        entry.change.lines = self.lines(&entry, cause);
        entry
    }

    /// One line for each deed, and one for each other record that was final and reads differently now. What was not
    /// final may come to anything: nothing is told of that.
    fn lines(&self, entry: &Entry, cause: &Cause) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut told: Vec<DayKey> = Vec::new();
        let line_of = |act: Act, target: Target| Line {
            subject: Some(entry.change.user),
            batch: cause.batch,
            reason: cause.reason.clone(),
            ..line(&*self.ids, cause.at, cause.by, act, target)
        };
        let state = |record: Option<&DayRecord>| record.map(|record| State::record(record, cause.at));
        for deed in &entry.deeds {
            let key = match deed.day {
                Of::Day(key) => Some(key),
                Of::Event(id) => entry.reading(id).map(|reading| reading.key),
            };
            let turned = entry.turned.iter().find(|turned| Some(turned.key) == key);
            let again = cause.whole.is_some() && key.is_some_and(|key| told.contains(&key));
            if again || (deed.if_turned && turned.is_none()) {
                continue;
            }
            told.extend(key);
            let as_it_was = key.and_then(|key| entry.record(key));
            let (before, after) = match turned {
                Some(turned) => (state(turned.before.as_ref()), state(turned.after.as_ref())),
                None => (state(as_it_was.as_ref()), state(as_it_was.as_ref())),
            };
            let day = key.map_or(deed.target, |key| Target::Record(key.record()));
            let (act, target) =
                cause.whole.map_or((deed.act, deed.target), |(act, target)| (act, target.unwrap_or(day)));
            lines.push(Line { date: key.map(|key| key.date), before, after, ..line_of(act, target) });
        }
        for Turned { key, before, after } in entry.turned.iter().filter(|turned| !told.contains(&turned.key))
        {
            let known = if cause.missing { before.as_ref().or(after.as_ref()) } else { before.as_ref() };
            let (was, is) = (state(before.as_ref()), state(after.as_ref()));
            if known.is_some_and(|record| record.due <= cause.at) && was != is {
                let (date, target) = (Some(key.date), Target::Record(key.record()));
                lines.push(Line { date, before: was, after: is, ..line_of(Act::Recompute, target) });
            }
        }
        lines
    }
}
