//! Words of which there are only so many: enums of the contract, from the types that know them.

use rollcall_domain::access::Role;
use rollcall_domain::attendance::{DayStatus, Direction, Flag, PunchKind, Source};
use rollcall_domain::audit::AuditAction;
use rollcall_domain::batch::Operation;
use rollcall_domain::calendar::{Half, Workdays, weekday_name};
use rollcall_domain::correction::CorrectionStatus;
use rollcall_domain::face::{FaceSource, Flaw};
use rollcall_domain::job::{JobKind, JobState};
use rollcall_domain::leave::{LeaveKind, LeaveStatus};
use rollcall_domain::lint;
use rollcall_domain::preferences::Theme;
use rollcall_domain::shift::{OvertimeMode, Pairing};
use rollcall_domain::statistics::Interval;
use rollcall_domain::user::Status;
use rollcall_usecases::bulk::{OnConflict, Outcome};
use rollcall_usecases::statistics::Grouping;

use crate::problem::Code;
use crate::{assignments, departments, history, leaves, people, shifts, statistics};

type Words = Vec<&'static str>;

fn names<T: Copy>(all: &[T], name: fn(T) -> &'static str) -> Words {
    all.iter().map(|one| name(*one)).collect()
}

fn days() -> Words {
    names(&DayStatus::ALL, DayStatus::name)
}

fn decidable() -> Words {
    days().into_iter().filter(|name| *name != DayStatus::Pending.name()).collect()
}

fn punches() -> Words {
    names(&[PunchKind::Auto, PunchKind::CheckIn, PunchKind::CheckOut], PunchKind::name)
}

const FACE: [&str; 5] = ["none", "incomplete", "enrolled", "stale", "blocked"];
const SCOPE: [&str; 3] = ["self", "departments", "all"];
const FLAWS: [Flaw; 14] = [
    Flaw::NoFace,
    Flaw::MultipleFaces,
    Flaw::FaceTooSmall,
    Flaw::LowSharpness,
    Flaw::LowBrightness,
    Flaw::Overexposed,
    Flaw::LowContrast,
    Flaw::ExtremePose,
    Flaw::LowConfidence,
    Flaw::NearDuplicate,
    Flaw::NotSamePerson,
    Flaw::UnsupportedImage,
    Flaw::TooLarge,
    Flaw::DecodeFailed,
];

/// Members of schemas, `Schema.member`, and their words.
pub(super) fn of_members() -> Vec<(&'static [&'static str], Words)> {
    let some = |words: &[&'static str]| words.to_vec();
    vec![
        (&["User.role", "NewUser.role", "UserUpdate.role"], names(&Role::OF_PEOPLE, Role::name)),
        (&["User.status", "UserUpdate.status"], names(&Status::ALL, Status::name)),
        (&["NewUser.status", "StatusChange.status"], names(&Status::SETTABLE, Status::name)),
        (&["Settings.theme", "SettingsUpdate.theme"], names(&Theme::ALL, Theme::name)),
        (&["Face.status", "DeletedEncoding.status"], some(&FACE)),
        (&["Enrollment.status"], some(&["enrolled", "incomplete", "blocked"])),
        (&["Consent.status"], some(&["missing", "given", "withdrawn"])),
        (&["Login.token_type"], some(&["Bearer"])),
        (&["TokenInfo.kind"], some(&["user", "device"])),
        (
            &[
                "Record.status",
                "Override.before",
                "Standing.status",
                "AttendanceChange.status",
                "OverrideRequest.status",
            ],
            days(),
        ),
        (
            &[
                "Mark.status",
                "Overridden.status",
                "CorrectionRequest.status",
                "RequestedCorrection.status",
                "BulkItem.status",
            ],
            decidable(),
        ),
        (&["Record.flags"], names(&Flag::ALL, Flag::name)),
        (&["Record.source", "Event.source"], names(&Source::ALL, Source::name)),
        (&["Record.verification_status"], some(&["pending", "verified"])),
        (&["Event.type"], names(&Direction::ALL, Direction::name)),
        (&["Event.asked"], names(&PunchKind::ALL, PunchKind::name)),
        (&["Mark.type", "Recognize.type", "RecognizeParts.type", "SyncItem.type"], punches()),
        (&["Marked.decision"], some(&["checked_in", "checked_out", "cooldown", "min_session", "overridden"])),
        (&["Punch.decision"], some(&["checked_in", "checked_out", "cooldown", "min_session", "none"])),
        (&["SyncResult.outcome"], some(&["accepted", "needs_review", "failed"])),
        (&["Correction.status"], names(&CorrectionStatus::ALL, CorrectionStatus::name)),
        (&["Leave.status"], names(&LeaveStatus::ALL, LeaveStatus::name)),
        (&["Leave.kind", "NewLeave.kind"], names(&LeaveKind::ALL, LeaveKind::name)),
        (
            &["Leave.half", "NewLeave.half", "Holiday.half", "NewHoliday.half", "HolidayUpdate.half"],
            names(&Half::ALL, Half::name),
        ),
        (
            &[
                "Holiday.weekday",
                "NewHoliday.weekday",
                "HolidayUpdate.weekday",
                "ShiftEdition.workdays",
                "NewShift.workdays",
                "ShiftUpdate.workdays",
            ],
            names(&Workdays::WEEK, weekday_name),
        ),
        (
            &["ShiftEdition.auto_out", "NewShift.auto_out", "ShiftUpdate.auto_out"],
            some(&["none", "shift_end"]),
        ),
        (
            &["ShiftEdition.pairing", "NewShift.pairing", "ShiftUpdate.pairing"],
            names(&Pairing::ALL, Pairing::name),
        ),
        (
            &["ShiftEdition.overtime_mode", "NewShift.overtime_mode", "ShiftUpdate.overtime_mode"],
            names(&OvertimeMode::ALL, OvertimeMode::name),
        ),
        (&["PlanFinding.severity"], names(&lint::Severity::ALL, lint::Severity::name)),
        (&["PlanFinding.code"], names(&lint::Code::ALL, lint::Code::name)),
        (&["Bulk.operation", "RevertedBatch.operation"], names(&Operation::ALL, Operation::name)),
        (&["Bulk.mode"], some(&["partial", "atomic"])),
        (&["Bulk.on_conflict"], names(&OnConflict::ALL, OnConflict::name)),
        (&["BulkResult.outcome"], names(&Outcome::ALL, Outcome::name)),
        (&["Job.kind"], names(&JobKind::ALL, JobKind::name)),
        (&["Job.state"], names(&JobState::ALL, JobState::name)),
        (&["Dashboard.scope", "Today.scope"], some(&SCOPE)),
        (&["DetailedHealth.status"], some(&["ok", "degraded", "down"])),
        (&["Health.status"], some(&["ok"])),
        (&["Encoding.source"], names(&FaceSource::ALL, FaceSource::name)),
        (&["Encoding.status"], some(&["active", "stale"])),
        (&["Liveness.mode"], some(&["off"])),
        (&["Sighting.result"], some(&["matched", "unknown", "ambiguous", "rejected"])),
        (&["RejectedImage.code"], names(&FLAWS, Flaw::code)),
        (&["ReportRecords.group_by"], some(&["record"])),
        (&["ReportGroups.group_by"], some(&["user", "department", "day", "week", "month", "shift"])),
        (&["Trends.interval"], names(&Interval::ALL, Interval::name)),
        (
            &["AuditTarget.type"],
            some(&[
                "record",
                "event",
                "batch",
                "correction",
                "leave",
                "lock",
                "shift",
                "assignment",
                "holiday",
            ]),
        ),
        (&["Problem.code", "ItemProblem.code"], Code::ALL.iter().map(|code| code.slug()).collect()),
    ]
}

/// What lists can be ordered by.
pub(super) fn of_orders() -> Vec<(&'static str, Words)> {
    fn of<K>(keys: &[(&'static str, K)]) -> Words {
        keys.iter().map(|(name, _)| *name).collect()
    }
    vec![
        ("/api/users", of(&people::KEYS)),
        ("/api/admin/users", of(&people::KEYS)),
        ("/api/admin/departments", of(&departments::KEYS)),
        ("/api/attendance/user/{user_id}", of(&history::KEYS)),
        ("/api/face/user/{user_id}/encodings", vec!["created_at"]),
        ("/api/leaves", of(&leaves::KEYS)),
        ("/api/shift-assignments", of(&assignments::KEYS)),
        ("/api/shifts", of(&shifts::KEYS)),
        ("/api/statistics/departments", of(&statistics::KEYS)),
    ]
}

/// Keys of queries, `path key`, and their words.
pub(super) fn of_parameters() -> Vec<(&'static [&'static str], Words)> {
    let some = |words: &[&'static str]| words.to_vec();
    vec![
        (&["/api/users role", "/api/admin/users role"], names(&Role::OF_PEOPLE, Role::name)),
        (&["/api/users status", "/api/admin/users status"], names(&Status::ALL, Status::name)),
        (
            &[
                "/api/attendance/today status",
                "/api/attendance/report status",
                "/api/attendance/user/{user_id} status",
            ],
            days(),
        ),
        (&["/api/attendance/today include"], some(&["records"])),
        (&["/api/attendance/user/{user_id} include"], some(&["events"])),
        (
            &["/api/attendance/user/{user_id} source", "/api/attendance/events source"],
            names(&Source::ALL, Source::name),
        ),
        (&["/api/attendance/events type"], names(&Direction::ALL, Direction::name)),
        (&["/api/attendance/corrections status"], names(&CorrectionStatus::ALL, CorrectionStatus::name)),
        (
            &["/api/attendance/report group_by"],
            some(&["record", "user", "department", "day", "week", "month", "shift"]),
        ),
        (&["/api/attendance/report format"], some(&["json", "csv", "xlsx"])),
        (&["/api/attendance/report locale"], some(&["en", "de"])),
        (&["/api/leaves status"], names(&LeaveStatus::ALL, LeaveStatus::name)),
        (&["/api/leaves kind"], names(&LeaveKind::ALL, LeaveKind::name)),
        (&["/api/face/user/{user_id}/encodings status"], some(&["active", "stale", "revoked"])),
        (&["/api/statistics/attendance/rate group_by"], names(&Grouping::ALL, Grouping::name)),
        (&["/api/statistics/attendance/trends interval"], names(&Interval::ALL, Interval::name)),
        (&["/api/statistics/attendance/trends compare"], some(&["previous"])),
        (&["/api/admin/audit action"], names(&AuditAction::ALL, AuditAction::name)),
        (&["/api/admin/attendance/bulk operation"], names(&Operation::ALL, Operation::name)),
        (&["/api/admin/attendance/bulk mode"], some(&["partial", "atomic"])),
        (&["/api/admin/attendance/bulk on_conflict"], names(&OnConflict::ALL, OnConflict::name)),
        (&["/api/users/{user_id} mode"], some(&["deactivate", "erase"])),
        (&["/api/users/{user_id} attendance"], some(&["keep", "delete"])),
        (&["/problems/{code} code"], Code::ALL.iter().map(|code| code.slug()).collect()),
    ]
}
