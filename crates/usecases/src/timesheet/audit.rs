//! What the audit trail tells of a change of somebody's days: worked out in one place, from what was stored and what
//! follows now.

use jiff::Timestamp;
use rollcall_domain::access::Actor;
use rollcall_domain::attendance::{DayKey, DayRecord};
use rollcall_domain::audit::{AuditAction, AuditActor, Target};
use rollcall_domain::id::{BatchId, PunchId};

use crate::time::rounded;

/// Who changes something, when and why: what the lines of a change have in common.
#[derive(Debug, Clone)]
pub(crate) struct AuditContext {
    pub(crate) by: AuditActor,
    pub(crate) at: Timestamp,
    pub(crate) reason: Option<String>,
    pub(crate) batch: Option<BatchId>,
    /// What it is to every day that is changed on purpose, if not what is done to each; the target is the day unless
    /// told.
    pub(crate) whole: Option<(AuditAction, Option<Target>)>,
    /// Tell also of final records that were missing.
    pub(crate) missing: bool,
}

/// Something that is done to a day on purpose.
#[derive(Debug, Clone)]
pub(crate) struct AuditedAction {
    pub(super) act: AuditAction,
    pub(super) target: Target,
    pub(super) day: Of,
    /// Nothing was done unless the day comes to something else.
    pub(super) if_changed: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Of {
    Day(DayKey),
    Punch(PunchId),
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
        Self {
            by: AuditActor::System,
            at: rounded(at),
            reason: None,
            batch: None,
            whole: None,
            missing: false,
        }
    }
}

impl AuditedAction {
    pub(crate) const fn to_punch(act: AuditAction, id: PunchId) -> Self {
        Self { act, target: Target::Punch(id), day: Of::Punch(id), if_changed: false }
    }

    pub(crate) fn to_day(act: AuditAction, key: DayKey) -> Self {
        Self { act, target: Target::Record(key.record()), day: Of::Day(key), if_changed: false }
    }

    /// A day that is looked at anew on purpose.
    pub(crate) fn if_changed(act: AuditAction, key: DayKey) -> Self {
        Self { if_changed: true, ..Self::to_day(act, key) }
    }
}
