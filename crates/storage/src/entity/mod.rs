//! The tables as sea-orm sees them, one file each. What the columns mean is said in the migrations; what makes
//! their content valid, by the constructors of the domain.

pub mod attendance_heads;
pub mod attendance_records;
pub mod audit_entries;
pub mod batches;
pub mod closed_periods;
pub mod corrections;
pub mod counters;
pub mod departments;
pub mod devices;
pub mod face_encodings;
pub mod holidays;
pub mod installation;
pub mod invitations;
pub mod job_chunks;
pub mod jobs;
pub mod leaves;
pub mod login_attempts;
pub mod overrides;
pub mod overtime_approvals;
pub mod placements;
pub mod punches;
pub mod recognition_log;
pub mod refresh_tokens;
pub mod sessions;
pub mod shift_assignments;
pub mod shifts;
pub mod user_settings;
pub mod users;
