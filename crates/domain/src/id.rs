//! Identifiers: one distinct type for each kind of thing, so that a face is never looked up as a person.

use std::{fmt, str::FromStr};

use uuid::Uuid;

/// The text is not an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier")]
pub struct InvalidId;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID; version 7 is advised because it sorts by creation.
            #[must_use]
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            /// The UUID itself.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                // Only the hyphenated form: one spelling for one thing.
                if text.len() != 36 {
                    return Err(InvalidId);
                }
                Uuid::try_parse(text).map(Self).map_err(|_| InvalidId)
            }
        }
    )*};
}

ids! {
    /// A person known to the system.
    UserId
    /// One stored face template.
    FaceId
    /// A department.
    DepartmentId
    /// A work shift.
    ShiftId
    /// A kiosk or camera.
    DeviceId
    /// A login: the family of an access token and its refresh tokens.
    SessionId
    /// One accepted punch.
    PunchId
    /// One person's record of one day.
    RecordId
    /// One search of the gallery and what came of it.
    SearchId
    /// One wording of a shift's rules: changing a shift makes another, and records keep theirs.
    ShiftVersionId
    /// A shift given to a person, a department or everybody.
    AssignmentId
    /// An entry of a calendar.
    HolidayId
    /// A request for leave.
    LeaveId
    /// A closed period.
    ClosedPeriodId
    /// A decision that a day came to something else than its punches say.
    OverrideId
    /// A request for such a decision.
    CorrectionId
    /// Entries made together.
    BatchId
    /// A line of the audit trail.
    AuditEntryId
    /// Something that is worked on beside the requests.
    JobId
    /// A running program that works on jobs.
    InstanceId
}
