//! What each operation can find in its way: the codes of its 409.

use actix_web::http::Method;

use crate::entry::Entry;
use crate::problem::Code;

/// The codes of a 409 of this operation, in words. Every one of them can also meet what the database alone finds.
pub(super) fn describe(entry: &Entry) -> String {
    let codes = of(entry).iter().copied().chain([Code::Conflict]);
    let each: Vec<_> = codes.map(|code| format!("`{}`: {}", code.slug(), code.about())).collect();
    each.join(" ")
}

fn of(entry: &Entry) -> &'static [Code] {
    use Code as C;
    let removes = entry.method == Method::DELETE;
    match entry.path {
        "/api/auth/register" => &[C::EmailTaken],
        "/api/users" => &[C::EmailTaken, C::EmployeeCodeTaken],
        "/api/users/{user_id}" if removes => &[C::CannotDeleteSelf, C::LastAdmin],
        "/api/users/{user_id}" => &[C::EmailTaken, C::EmployeeCodeTaken, C::LastAdmin, C::CannotChangeSelf],
        "/api/admin/users/{user_id}/status" => &[C::CannotChangeSelf, C::LastAdmin],
        "/api/attendance/mark" => &[C::AlreadyCheckedIn, C::NoOpenSession, C::PeriodLocked],
        "/api/attendance/corrections" => &[C::CorrectionPending, C::NoRecord, C::PeriodLocked],
        "/api/attendance/corrections/{correction_id}/approve" => {
            &[C::DecidedAlready, C::NoRecord, C::PeriodLocked]
        }
        "/api/attendance/corrections/{correction_id}/reject"
        | "/api/attendance/corrections/{correction_id}/withdraw" => &[C::DecidedAlready],
        "/api/attendance/events/{event_id}/void" => &[C::NothingToRevert, C::PeriodLocked],
        "/api/attendance/events/{event_id}/accept" => &[C::NothingToReview, C::PeriodLocked],
        "/api/attendance/records/{record_id}" => &[C::NoRecord, C::PeriodLocked],
        "/api/attendance/records/{record_id}/revert" | "/api/admin/attendance/batches/{batch_id}/revert" => {
            &[C::NothingToRevert, C::PeriodLocked]
        }
        "/api/shifts/{shift_id}" if removes => &[C::InUse, C::PeriodLocked],
        "/api/shifts" | "/api/shifts/{shift_id}" => &[C::ShiftExists, C::PeriodLocked],
        "/api/shift-assignments" | "/api/shift-assignments/{assignment_id}" => {
            &[C::Overlap, C::AlreadyBegun, C::PeriodLocked]
        }
        "/api/leaves" | "/api/holidays" | "/api/holidays/{holiday_id}" => &[C::Overlap, C::PeriodLocked],
        "/api/leaves/{leave_id}/approve"
        | "/api/leaves/{leave_id}/reject"
        | "/api/leaves/{leave_id}/withdraw" => &[C::AlreadyDecided, C::AlreadyBegun, C::PeriodLocked],
        "/api/locks/{lock_id}/lift" => &[C::AlreadyDecided],
        "/api/face/enroll" => &[C::FaceBelongsToOther, C::EncodingLimit],
        "/api/admin/departments" | "/api/admin/departments/{department_id}" => &[C::DepartmentExists],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::TABLE;
    use std::collections::BTreeSet;

    #[test]
    fn every_conflict_belongs_to_an_operation() {
        // Those of single items, and of results that are not there yet, which say so themselves.
        let elsewhere =
            ["not-applied", "no-overtime", "event-id-reused", "job-not-finished", "job-without-result"];
        let documented: BTreeSet<_> = TABLE.iter().flat_map(of).map(|code| code.slug()).collect();
        for code in Code::ALL.iter().filter(|code| code.status().as_u16() == 409 && **code != Code::Conflict)
        {
            assert!(documented.contains(code.slug()) != elsewhere.contains(&code.slug()), "{code:?}");
        }
    }
}
