//! The audit trail: who changed what about attendance, when and why, and what it was before and after.
//!
//! A line is stored in the transaction of the change it tells of, both or neither, and never changes afterward; of an
//! erased person's lines only the words go.

use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

use crate::access::Actor;
use crate::id::{
    AssignmentId, AuditEntryId, BatchId, ClosedPeriodId, CorrectionId, DeviceId, HolidayId, LeaveId, PunchId,
    RecordId, ShiftId, UserId,
};

mod state;

pub use state::{State, Value};

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its identifier; of two lines of one moment the later one has the greater.
    pub id: AuditEntryId,
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub by: AuditActor,
    /// What was done.
    pub act: AuditAction,
    /// About whom; `None` for what concerns several.
    pub subject: Option<UserId>,
    /// On what.
    pub target: Target,
    /// The date it is about, if it is about one.
    pub date: Option<Date>,
    /// The entries it was made with.
    pub batch: Option<BatchId>,
    /// Why, in the words of whoever did it.
    pub reason: Option<String>,
    /// What it was; `None` if there was nothing.
    pub before: Option<State>,
    /// What it is; `None` if there is nothing any more.
    pub after: Option<State>,
}

/// Who did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuditActor {
    /// A person.
    Person(UserId),
    /// A kiosk or camera.
    Device(DeviceId),
    /// The program by itself, or the operator of the installation.
    System,
}

impl AuditActor {
    /// The person, if it was one.
    #[must_use]
    pub const fn user(self) -> Option<UserId> {
        match self {
            Self::Person(user) => Some(user),
            Self::Device(_) | Self::System => None,
        }
    }

    /// The kiosk, if it was one.
    #[must_use]
    pub const fn device(self) -> Option<DeviceId> {
        match self {
            Self::Device(device) => Some(device),
            Self::Person(_) | Self::System => None,
        }
    }
}

impl From<&Actor> for AuditActor {
    fn from(actor: &Actor) -> Self {
        match actor {
            Actor::Person { id, .. } => Self::Person(*id),
            Actor::Device { id, .. } => Self::Device(*id),
            Actor::Operator => Self::System,
        }
    }
}

crate::words! {
    /// What was done.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum AuditAction {
        /// A punch was entered for somebody else or for another time.
        Mark = "attendance.mark",
        /// A day was decided to be something.
        Override = "attendance.override",
        /// What was decided of a day was taken back.
        Revert = "attendance.revert",
        /// A punch was taken back.
        Void = "attendance.void",
        /// A punch counts that had to be looked at.
        Accept = "attendance.accept",
        /// A record that was final came to something else, because facts came late or were changed.
        Recompute = "attendance.recompute",
        /// One of many entries changed a day.
        BulkItem = "bulk.item",
        /// Many entries were made.
        Bulk = "bulk.batch",
        /// A day of entries that were taken back.
        RevertItem = "batch.revert_item",
        /// Entries were taken back together.
        RevertBatch = "batch.revert",
        /// A day was asked to be corrected.
        RequestCorrection = "correction.request",
        /// A request for a correction was approved, rejected or withdrawn.
        DecideCorrection = "correction.decide",
        /// Leave was asked for.
        RequestLeave = "leave.request",
        /// A request for leave was approved, rejected or withdrawn.
        DecideLeave = "leave.decide",
        /// A period was closed.
        ClosePeriod = "lock.set",
        /// A period was opened again.
        ReopenPeriod = "lock.lift",
        /// A shift was added, worded anew or retired.
        ChangeShift = "shift.change",
        /// A shift was given, changed or taken back.
        ChangeAssignment = "assignment.change",
        /// A calendar's entry was made, changed or taken out.
        ChangeHoliday = "holiday.change",
    }
}

macro_rules! targets {
    ($($(#[$doc:meta])* $target:ident($id:ty) = $kind:literal)*) => {
        /// What something was done to.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Target {
            $($(#[$doc])* $target($id),)*
        }

        impl Target {
            /// The stable word for its kind.
            #[must_use]
            pub const fn kind(self) -> &'static str {
                match self {
                    $(Self::$target(_) => $kind,)*
                }
            }

            /// Its identifier.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                match self {
                    $(Self::$target(id) => id.uuid(),)*
                }
            }

            /// The target of that kind.
            #[must_use]
            pub fn of(kind: &str, id: Uuid) -> Option<Self> {
                match kind {
                    $($kind => Some(Self::$target(<$id>::new(id))),)*
                    _ => None,
                }
            }
        }
    };
}

targets! {
    /// A person's day.
    Record(RecordId) = "record"
    /// A punch.
    Punch(PunchId) = "event"
    /// Entries that were made together.
    Batch(BatchId) = "batch"
    /// A request to correct a day.
    Correction(CorrectionId) = "correction"
    /// A request for leave.
    Leave(LeaveId) = "leave"
    /// A closed period.
    ClosedPeriod(ClosedPeriodId) = "lock"
    /// A shift.
    Shift(ShiftId) = "shift"
    /// A shift that was given.
    Assignment(AssignmentId) = "assignment"
    /// An entry of a calendar.
    Holiday(HolidayId) = "holiday"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audit_action_and_target_names_lead_back() {
        for act in AuditAction::ALL {
            assert_eq!(AuditAction::named(act.name()), Some(act));
        }
        assert_eq!(AuditAction::named("attendance.unknown"), None);
        let lock = Target::ClosedPeriod(ClosedPeriodId::new(Uuid::from_u128(7)));
        assert_eq!(Target::of(lock.kind(), lock.uuid()), Some(lock));
        assert_eq!(Target::of("face", lock.uuid()), None);
    }
}
