//! What the audit trail tells of a change of somebody's days: worked out in one place, from what was stored and what
//! follows now.

use jiff::Timestamp;
use rollcall_domain::access::Actor;
use rollcall_domain::attendance::{DayKey, DayRecord};
use rollcall_domain::audit::{Act, By, Target};
use rollcall_domain::id::{BatchId, EventId};

use crate::time::rounded;

/// Who changes something, when and why: what the lines of a change have in common.
#[derive(Debug, Clone)]
pub(crate) struct AuditContext {
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
pub(crate) struct AuditedAction {
    pub(super) act: Act,
    pub(super) target: Target,
    pub(super) day: Of,
    /// Nothing was done unless the day comes to something else.
    pub(super) if_turned: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Of {
    Day(DayKey),
    Event(EventId),
}

/// A record that comes to something else.
#[derive(Debug, Clone)]
pub(crate) struct RecordDiff {
    pub(crate) key: DayKey,
    pub(crate) before: Option<DayRecord>,
    pub(crate) after: Option<DayRecord>,
}

impl AuditContext {
    /// Somebody does something now.
    pub(crate) fn of(actor: &Actor, at: Timestamp) -> Self {
        Self { by: actor.into(), ..Self::system(at) }
    }

    /// Nobody in particular.
    pub(crate) fn system(at: Timestamp) -> Self {
        Self { by: By::System, at: rounded(at), reason: None, batch: None, whole: None, missing: false }
    }
}

impl AuditedAction {
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
