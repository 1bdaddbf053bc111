//! What clients are told of each error of a use-case. No `_` arm: a new variant makes the compiler ask.

use actix_web::http::header::{self, HeaderValue};
use jiff::SignedDuration;
use jiff::civil::Date;
use rollcall_domain::access::Denied;
use rollcall_domain::face::Flaw;
use rollcall_domain::geofence::Fenced;
use rollcall_domain::job::Job;
use rollcall_domain::overrides::InvalidOverride;
use rollcall_domain::user::{PasswordRule, Status};
use rollcall_usecases::attendance::{AttendanceError, Known};
use rollcall_usecases::audit::AuditError;
use rollcall_usecases::auth::{AuthError, InvitationError, LoginError, RefreshError, RegisterError};
use rollcall_usecases::departments::DepartmentError;
use rollcall_usecases::enroll::EnrollError;
use rollcall_usecases::errors::{EngineError, IndexError, PasswordError, StoreError};
use rollcall_usecases::faces::FaceError;
use rollcall_usecases::jobs::JobError;
use rollcall_usecases::planning::{PlanError, Wrong};
use rollcall_usecases::recognition::RecognizeError;
use rollcall_usecases::statistics::StatisticsError;
use rollcall_usecases::users::UserError;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Code, FieldError, Problem};
use crate::attendance_view::local;
use crate::enroll::RejectedView;
use crate::jobs::answer::RETRY_AFTER;

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Forbidden => Self::plain(Code::Forbidden),
            Denied::Hidden => Self::not_found(),
        }
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Malformed => Self::plain(Code::TokenMalformed),
            AuthError::Expired => Self::plain(Code::TokenExpired),
            AuthError::Revoked => Self::plain(Code::TokenRevoked),
            AuthError::UserDisabled => Self::plain(Code::UserDisabled),
            AuthError::Store(error) => error.into(),
        }
    }
}

impl From<LoginError> for Problem {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::InvalidCredentials => Self::plain(Code::InvalidCredentials),
            LoginError::Locked(wait) => locked(wait),
            LoginError::NotActive(Status::Suspended) => Self::plain(Code::AccountSuspended),
            LoginError::NotActive(Status::Pending) => Self::plain(Code::AccountPending),
            LoginError::NotActive(Status::Inactive | Status::Active) => Self::plain(Code::AccountInactive),
            LoginError::NotActive(Status::Deleted) => Self::plain(Code::InvalidCredentials),
            LoginError::Password(error) => error.into(),
            LoginError::Token(error) => Self::hidden(Code::InternalError, &error),
            LoginError::Store(error) => error.into(),
        }
    }
}

impl From<RefreshError> for Problem {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Refused => Self::plain(Code::RefreshTokenInvalid),
            RefreshError::Token(error) => Self::hidden(Code::InternalError, &error),
            RefreshError::Store(error) => error.into(),
        }
    }
}

impl From<InvitationError> for Problem {
    fn from(error: InvitationError) -> Self {
        match error {
            InvitationError::Invalid => Self::plain(Code::InvitationInvalid),
            InvitationError::Weak(rule) => rule.into(),
            InvitationError::Password(error) => error.into(),
            InvitationError::Store(error) => error.into(),
        }
    }
}

impl From<RegisterError> for Problem {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Closed => Self::plain(Code::RegistrationClosed),
            RegisterError::EmailTaken => taken(Code::EmailTaken, "/email"),
            RegisterError::UnknownDepartment => does_not_exist("department_id"),
            RegisterError::Weak(rule) => rule.into(),
            RegisterError::Password(error) => error.into(),
            RegisterError::Token(error) => Self::hidden(Code::InternalError, &error),
            RegisterError::Store(error) => error.into(),
        }
    }
}

impl From<PasswordRule> for Problem {
    fn from(rule: PasswordRule) -> Self {
        match rule {
            PasswordRule::TooShort(_) | PasswordRule::TooLong | PasswordRule::Guessable => {
                Self::invalid_field("/password", "weak-password", rule.to_string())
            }
        }
    }
}

impl From<PasswordError> for Problem {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::plain(Code::Busy),
            PasswordError::Failed(_) => Self::hidden(Code::InternalError, &error),
        }
    }
}

impl From<UserError> for Problem {
    fn from(error: UserError) -> Self {
        match error {
            UserError::Denied(denied) => denied.into(),
            UserError::FieldForbidden(fields) => {
                let detail = format!("only an administrator may change {}", fields.join(", "));
                let each = fields.iter().map(|field| forbidden_field(field));
                Self::new(Code::FieldForbidden, detail).with_errors(each.collect())
            }
            UserError::FilterForbidden => Self::plain(Code::FilterForbidden),
            UserError::EmailTaken => taken(Code::EmailTaken, "/email"),
            UserError::EmployeeCodeTaken => taken(Code::EmployeeCodeTaken, "/employee_code"),
            UserError::Invalid(wrong) => invalid(wrong),
            UserError::Unknown(field) => does_not_exist(field),
            UserError::Weak(rule) => rule.into(),
            UserError::Locked(wait) => locked(wait),
            UserError::CurrentPassword => {
                Self::invalid_field("/current_password", "wrong-password", error.to_string())
            }
            UserError::LastAdmin => Self::plain(Code::LastAdmin),
            UserError::Oneself => Self::plain(Code::CannotChangeSelf),
            UserError::Outdated => Self::plain(Code::PreconditionFailed),
            UserError::Password(error) => error.into(),
            UserError::Engine(error) => error.into(),
            UserError::Store(error) => error.into(),
        }
    }
}

impl From<DepartmentError> for Problem {
    fn from(error: DepartmentError) -> Self {
        match error {
            DepartmentError::Denied(denied) => denied.into(),
            DepartmentError::Exists(field) => taken(Code::DepartmentExists, &format!("/{field}")),
            DepartmentError::Unknown(field) => does_not_exist(field),
            DepartmentError::Cycle => Self::invalid_field("/parent_id", "cycle", error.to_string()),
            DepartmentError::Outdated => Self::plain(Code::PreconditionFailed),
            DepartmentError::Store(error) => error.into(),
        }
    }
}

impl From<AttendanceError> for Problem {
    fn from(error: AttendanceError) -> Self {
        match error {
            AttendanceError::Denied(denied) => denied.into(),
            AttendanceError::FieldNotAllowed(field) => {
                Self::new(Code::FieldForbidden, error.to_string()).with_errors(vec![forbidden_field(field)])
            }
            AttendanceError::ReasonRequired => Self::invalid_field("/reason", "required", error.to_string()),
            AttendanceError::Inactive => Self::plain(Code::UserInactive),
            AttendanceError::FutureTime => Self::plain(Code::FutureTime),
            AttendanceError::TooOld => Self::plain(Code::TooOld),
            AttendanceError::BeforeJoinDate => Self::plain(Code::BeforeJoinDate),
            AttendanceError::Fenced(Fenced::Nowhere) => {
                Self::invalid_field("/location", "required", error.to_string())
            }
            AttendanceError::Fenced(Fenced::Outside { distance_m }) => {
                Self::new(Code::OutsideGeofence, error.to_string()).with("distance_m", distance_m.into())
            }
            AttendanceError::NoOpenSession(ref known) => {
                in_the_way(Self::new(Code::NoOpenSession, error.to_string()), known.as_ref())
            }
            AttendanceError::AlreadyCheckedIn(ref known) => {
                in_the_way(Self::new(Code::AlreadyCheckedIn, error.to_string()), known.as_ref())
            }
            AttendanceError::Elsewhere(field, key) => {
                Self::invalid_field(&format!("/{field}"), "out-of-range", error.to_string())
                    .with("date", key.date.to_string().into())
            }
            AttendanceError::Outdated => Self::plain(Code::PreconditionFailed),
            AttendanceError::Unfit(InvalidOverride::ReasonRequired) => {
                Self::invalid_field("/reason", "required", error.to_string())
            }
            AttendanceError::Unfit(InvalidOverride::Empty | InvalidOverride::Pending) => {
                Self::invalid_field("/status", "required", error.to_string())
            }
            AttendanceError::Unfit(InvalidOverride::Reversed) => {
                Self::invalid_field("/last_out", "out-of-range", error.to_string())
            }
            AttendanceError::Unfit(InvalidOverride::NegativeOvertime) => {
                Self::invalid_field("/overtime_seconds", "out-of-range", error.to_string())
            }
            AttendanceError::OutsideDay(field) => {
                Self::invalid_field(&format!("/{field}"), "out-of-range", error.to_string())
            }
            AttendanceError::TooMany(_) => Self::invalid_field("/items", "too-many", error.to_string()),
            AttendanceError::PendingAlready => Self::plain(Code::CorrectionPending),
            AttendanceError::DecidedAlready => Self::plain(Code::DecidedAlready),
            AttendanceError::CommentRequired => {
                Self::invalid_field("/comment", "required", error.to_string())
            }
            AttendanceError::NoRecord => Self::plain(Code::NoRecord),
            AttendanceError::NothingToRevert => Self::plain(Code::NothingToRevert),
            AttendanceError::NothingToReview => Self::plain(Code::NothingToReview),
            AttendanceError::PeriodClosed => Self::plain(Code::PeriodLocked),
            AttendanceError::Store(error) => error.into(),
        }
    }
}

impl From<PlanError> for Problem {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Denied(denied) => denied.into(),
            PlanError::Invalid(wrong) => invalid(wrong),
            PlanError::Unknown(field) => does_not_exist(field),
            PlanError::NameTaken => taken(Code::ShiftExists, "/name"),
            PlanError::InUse(by) => in_use(by),
            PlanError::Overlaps(other) => overlaps(other.to_string(), other.id),
            PlanError::PeriodClosed(through) => locked_through(through),
            PlanError::Begun => Self::plain(Code::AlreadyBegun),
            PlanError::Decided => Self::plain(Code::AlreadyDecided),
            PlanError::Outdated => Self::plain(Code::PreconditionFailed),
            PlanError::Store(error) => error.into(),
        }
    }
}

impl From<AuditError> for Problem {
    fn from(error: AuditError) -> Self {
        match error {
            AuditError::Denied(denied) => denied.into(),
            AuditError::Store(error) => error.into(),
        }
    }
}

impl From<StatisticsError> for Problem {
    fn from(error: StatisticsError) -> Self {
        match error {
            StatisticsError::Denied(denied) => denied.into(),
            StatisticsError::Attendance(error) => error.into(),
            StatisticsError::Store(error) => error.into(),
        }
    }
}

impl From<JobError> for Problem {
    fn from(error: JobError) -> Self {
        let later = (header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
        match error {
            JobError::Denied(denied) => denied.into(),
            JobError::TooMany => {
                let limit = Job::MOST_UNFINISHED.into();
                Self::new(Code::TooManyJobs, error.to_string())
                    .with("limit", limit)
                    .with_header(later.0, later.1)
            }
            JobError::Unfinished => Self::plain(Code::JobNotFinished).with_header(later.0, later.1),
            JobError::NoResult => Self::plain(Code::JobWithoutResult),
            JobError::Store(error) => error.into(),
        }
    }
}

impl From<FaceError> for Problem {
    fn from(error: FaceError) -> Self {
        match error {
            FaceError::Denied(denied) => denied.into(),
            FaceError::Engine(error) => error.into(),
            FaceError::Store(error) => error.into(),
        }
    }
}

impl From<EnrollError> for Problem {
    fn from(error: EnrollError) -> Self {
        match error {
            EnrollError::Denied(denied) => denied.into(),
            EnrollError::ConsentRequired => Self::plain(Code::ConsentRequired),
            EnrollError::NoAcceptableImage(rejected) => Self::plain(Code::NoAcceptableImage)
                .with("rejected", json!(rejected.iter().map(RejectedView::new).collect::<Vec<_>>())),
            EnrollError::FaceBelongsToOther(None) => Self::plain(Code::FaceBelongsToOther),
            EnrollError::FaceBelongsToOther(Some(other)) => {
                Self::plain(Code::FaceBelongsToOther).with("user_id", other.to_string().into())
            }
            EnrollError::TooFewToReplace { ref rejected, .. } => {
                let rejected: Vec<_> = rejected.iter().map(RejectedView::new).collect();
                Self::new(Code::NoAcceptableImage, error.to_string()).with("rejected", json!(rejected))
            }
            EnrollError::ReplaceRefused => Self::new(Code::FieldForbidden, error.to_string())
                .with_errors(vec![forbidden_field("replace")]),
            EnrollError::OverrideRefused => Self::new(Code::FieldForbidden, error.to_string())
                .with_errors(vec![forbidden_field("allow_duplicate")]),
            EnrollError::EncodingLimit(limit) => {
                Self::new(Code::EncodingLimit, error.to_string()).with("limit", limit.into())
            }
            EnrollError::Engine(error) => error.into(),
            EnrollError::Index(error) => error.into(),
            EnrollError::Store(error) => error.into(),
        }
    }
}

impl From<RecognizeError> for Problem {
    fn from(error: RecognizeError) -> Self {
        match error {
            RecognizeError::Denied(denied) => denied.into(),
            RecognizeError::TopKForbidden => {
                Self::new(Code::FieldForbidden, error.to_string()).with_errors(vec![forbidden_field("top_k")])
            }
            RecognizeError::NoFace => Self::plain(Code::NoFace),
            RecognizeError::MultipleFaces => Self::plain(Code::MultipleFaces),
            RecognizeError::LowQuality(flaws) => Self::plain(Code::LowQuality)
                .with("reasons", flaws.iter().map(|flaw| reason(*flaw)).collect()),
            RecognizeError::Engine(error) => error.into(),
            RecognizeError::Index(error) => error.into(),
            RecognizeError::Store(error) => error.into(),
        }
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Unsupported { looks_like: Some("HEIC") } => Self::new(
                Code::UnsupportedImage,
                "this is a HEIC picture; set the camera to \"most compatible\" or convert it to JPEG",
            ),
            EngineError::Unsupported { looks_like: Some(kind) } => {
                Self::new(Code::UnsupportedImage, format!("this looks like {kind}; send JPEG, PNG or WebP"))
            }
            EngineError::Unsupported { looks_like: None } => Self::plain(Code::UnsupportedImage),
            EngineError::UnsupportedJpeg(_) => Self::new(Code::UnsupportedImage, error.to_string()),
            EngineError::Undecodable => Self::plain(Code::UndecodableImage),
            EngineError::TooLarge { .. } => Self::new(Code::ImageTooLarge, error.to_string()),
            EngineError::Busy => Self::plain(Code::QueueFull),
            EngineError::Unavailable(_) => Self::hidden(Code::ModelUnavailable, &error),
            EngineError::Failed(_) => Self::hidden(Code::InternalError, &error),
        }
    }
}

impl From<IndexError> for Problem {
    fn from(error: IndexError) -> Self {
        match error {
            IndexError::Failed(_) => Self::hidden(Code::InternalError, &error),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken(field) => taken(Code::Conflict, &format!("/{field}")),
            StoreError::Missing(field) => does_not_exist(field),
            // Whoever retries on their own has given up already: many writers of one thing at once.
            StoreError::Stale | StoreError::Busy => Self::plain(Code::Busy),
            StoreError::LastAdmin => Self::plain(Code::LastAdmin),
            StoreError::Overlaps(other) => overlaps(Code::Overlap.about().to_owned(), other),
            StoreError::PeriodClosed(through) => locked_through(through),
            StoreError::InUse(by) => in_use(by),
            StoreError::Full => Self::plain(Code::Conflict),
            StoreError::Corrupt(_) | StoreError::Failed(_) => Self::hidden(Code::InternalError, &error),
            StoreError::Unavailable(_) => Self::hidden(Code::DatabaseUnavailable, &error),
        }
    }
}

fn invalid(wrong: Vec<Wrong>) -> Problem {
    let each = wrong.into_iter();
    let each =
        each.map(|Wrong { field, detail }| FieldError::at(format!("/{field}"), "out-of-range", detail));
    Problem::invalid(each.collect())
}

fn locked_through(through: Date) -> Problem {
    Problem::plain(Code::PeriodLocked).with("locked_through", through.to_string().into())
}

/// With the entry because of which another one is refused.
fn in_the_way(problem: Problem, known: Option<&Known>) -> Problem {
    let Some(Known { punch, at, zone, .. }) = known else { return problem };
    problem.with("event_id", punch.to_string().into()).with("at", local(zone, *at).into())
}

/// With what stands for the same people on one of the dates.
fn overlaps(detail: String, other: Uuid) -> Problem {
    Problem::new(Code::Overlap, detail).with("overlaps_with", other.to_string().into())
}

fn in_use(by: &'static str) -> Problem {
    Problem::plain(Code::InUse).with("by", by.into())
}

/// The same for every address, whether or not it has an account.
fn locked(wait: SignedDuration) -> Problem {
    let seconds = wait.as_secs() + i64::from(wait.subsec_nanos() > 0);
    Problem::plain(Code::TooManyAttempts).with_header(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)))
}

fn reason(flaw: Flaw) -> Value {
    json!({ "code": flaw.code(), "detail": flaw.detail(), "hint": flaw.hint() })
}

fn taken(code: Code, pointer: &str) -> Problem {
    Problem::plain(code).with_errors(vec![FieldError::at(pointer, "taken", "is in use already")])
}

fn does_not_exist(field: &str) -> Problem {
    Problem::invalid_field(&format!("/{field}"), "does-not-exist", "does not exist")
}

fn forbidden_field(field: &str) -> FieldError {
    FieldError::at(format!("/{field}"), "forbidden", "is not for your role")
}
