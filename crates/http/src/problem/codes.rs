//! Every error code there is, its status, its title, and the words of its page: one table.

use actix_web::http::StatusCode;

macro_rules! codes {
    ($($name:ident = $status:literal $slug:literal $title:literal $about:literal)*) => {
        /// A stable error code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code {
            $($name,)*
        }

        impl Code {
            /// Every code, in order of status.
            pub(crate) const ALL: &[Self] = &[$(Self::$name,)*];

            const fn row(self) -> (u16, &'static str, &'static str, &'static str) {
                match self {
                    $(Self::$name => ($status, $slug, $title, $about),)*
                }
            }
        }
    };
}

codes! {
    MalformedJson = 400 "malformed-json" "Malformed JSON"
        "The body is not JSON, or a member appears twice."
    MalformedCsv = 400 "malformed-csv" "Malformed CSV"
        "The body is no table: a quote is not closed, a cell has no column, a column appears twice, or it is not UTF-8."
    MalformedRequest = 400 "malformed-request" "Malformed request"
        "The request could not be read."
    UnknownField = 400 "unknown-field" "Unknown field"
        "The body has members that this endpoint does not know. Nothing was changed."
    UnknownParameter = 400 "unknown-parameter" "Unknown parameter"
        "The query has a key, or an order, that this endpoint does not know."
    DuplicateParameter = 400 "duplicate-parameter" "Duplicate parameter"
        "A key of the query, or of an order, appears more than once."
    TokenMissing = 401 "token-missing" "Token missing"
        "Send a token: 'Authorization: Bearer ...'."
    TokenMalformed = 401 "token-malformed" "Token malformed"
        "This is not a token of this installation."
    TokenExpired = 401 "token-expired" "Token expired"
        "The token was good once. Exchange the refresh token, or log in again."
    TokenRevoked = 401 "token-revoked" "Token revoked"
        "The login of this token has ended. Log in again."
    UserDisabled = 401 "user-disabled" "Account disabled"
        "The account of this token is not active."
    InvalidCredentials = 401 "invalid-credentials" "Invalid credentials"
        "E-mail address or password is wrong."
    RefreshTokenInvalid = 401 "refresh-token-invalid" "Refresh token invalid"
        "The refresh token is unknown, was used before, or its login has ended. Log in again."
    InvitationInvalid = 401 "invitation-invalid" "Invitation invalid"
        "This invitation has expired or was used. Ask your administrator for a new one."
    Forbidden = 403 "forbidden" "Forbidden"
        "This is not allowed for your role."
    FieldForbidden = 403 "field-forbidden" "Field forbidden"
        "Your role may not set these fields. Nothing was changed."
    FilterForbidden = 403 "filter-forbidden" "Filter forbidden"
        "Your role sees its own profile only and may not filter or order."
    AccountSuspended = 403 "account-suspended" "Account suspended"
        "The password is right, but the account is suspended."
    AccountInactive = 403 "account-inactive" "Account inactive"
        "The password is right, but the account is not active."
    AccountPending = 403 "account-pending" "Account pending"
        "The password is right, but the account waits for approval."
    RegistrationClosed = 403 "registration-closed" "Registration closed"
        "Accounts are added by an administrator."
    ConsentRequired = 403 "consent-required" "Consent required"
        "The person has not agreed to be recognized. Send the version of the text they agreed to."
    UserInactive = 403 "user-inactive" "Person inactive"
        "The person does not take part at the moment, so nothing is recorded."
    NotFound = 404 "not-found" "Not found"
        "There is nothing here, or nothing that you may see."
    MethodNotAllowed = 405 "method-not-allowed" "Method not allowed"
        "The path exists; the header Allow lists its methods."
    NotAcceptable = 406 "not-acceptable" "Not acceptable"
        "The answer is not available in a type that your Accept header names. Most answers are application/json; reports are also text/csv and workbooks."
    RequestTimeout = 408 "request-timeout" "Request timeout"
        "The body took too long to arrive."
    EmailTaken = 409 "email-taken" "E-mail address taken"
        "The e-mail address has an account already."
    EmployeeCodeTaken = 409 "employee-code-taken" "Employee code taken"
        "Somebody else has this employee code."
    DepartmentExists = 409 "department-exists" "Department exists"
        "There is a department with this name or code already."
    LastAdmin = 409 "last-admin" "Last administrator"
        "At least one active administrator must remain."
    CannotDeleteSelf = 409 "cannot-delete-self" "Cannot delete oneself"
        "You cannot remove your own account. Ask another administrator."
    CannotChangeSelf = 409 "cannot-change-self" "Cannot change oneself"
        "You cannot change your own status. Ask another administrator."
    NoOpenSession = 409 "no-open-session" "No open session"
        "The person is not checked in, so there is no session to end. `event_id` and `at` name the last entry before."
    PeriodLocked = 409 "period-locked" "Period locked"
        "The period of that date is closed. An administrator can open it again."
    AlreadyCheckedIn = 409 "already-checked-in" "Already checked in"
        "The person is checked in and has not left. `event_id` and `at` name the check-in."
    NoRecord = 409 "no-record" "No record"
        "The person does not belong to the organization on that date."
    NothingToRevert = 409 "nothing-to-revert" "Nothing to revert"
        "There is nothing that could be taken back, or it was taken back already."
    NoOvertime = 409 "no-overtime" "No overtime"
        "There is no overtime on that day that could be approved."
    NotApplied = 409 "not-applied" "Not applied"
        "Another item failed, and all of them were to hold or none."
    EventIdReused = 409 "event-id-reused" "Event id reused"
        "Another punch has this event_id. Nothing was changed."
    CorrectionPending = 409 "correction-pending" "Correction pending"
        "A correction of that day was asked for already. Withdraw that one to ask for another."
    DecidedAlready = 409 "decided-already" "Decided already"
        "The request was approved, rejected or withdrawn before."
    NothingToReview = 409 "nothing-to-review" "Nothing to review"
        "The punch was taken back, or it does not wait for anybody."
    JobNotFinished = 409 "job-not-finished" "Job not finished"
        "There is no result yet. Look at the job again; Retry-After says when."
    JobWithoutResult = 409 "job-without-result" "Job without a result"
        "The job failed or was canceled, so there will be no result."
    FaceBelongsToOther = 409 "face-belongs-to-other" "Face belongs to somebody else"
        "The face is enrolled for another person."
    EncodingLimit = 409 "encoding-limit" "Encoding limit"
        "The person has as many templates as are kept. Delete some first."
    ShiftExists = 409 "shift-exists" "Shift exists"
        "There is a shift of this name already."
    InUse = 409 "in-use" "In use"
        "Something still refers to it; the answer says what."
    Overlap = 409 "overlap" "Overlap"
        "The same is planned for the same people on one of these dates already; `overlaps_with` names it."
    AlreadyBegun = 409 "already-begun" "Already begun"
        "It began before today, and only an administrator changes what has been."
    AlreadyDecided = 409 "already-decided" "Already decided"
        "Somebody decided about it, or ended it, before."
    Conflict = 409 "conflict" "Conflict"
        "The request does not fit what is stored."
    PreconditionFailed = 412 "precondition-failed" "Precondition failed"
        "It changed since you read it. Read it again and repeat the change."
    PayloadTooLarge = 413 "payload-too-large" "Payload too large"
        "The request has more bytes than are accepted."
    ImageTooLarge = 413 "image-too-large" "Image too large"
        "The picture has more bytes or pixels than are accepted."
    UnsupportedMediaType = 415 "unsupported-media-type" "Unsupported media type"
        "The body is of a type that this endpoint does not read."
    UnsupportedImage = 415 "unsupported-image" "Unsupported image"
        "Pictures are JPEG, PNG or WebP."
    ValidationFailed = 422 "validation-failed" "Validation failed"
        "Every field that is wrong is listed."
    FieldNotAllowed = 422 "field-not-allowed" "Field not allowed"
        "These members are not yours to choose. Nothing was changed."
    DuplicateInRequest = 422 "duplicate-in-request" "Duplicate in the request"
        "Several items are about the same person, date and shift. None of them was entered."
    NothingApplied = 422 "nothing-applied" "Nothing applied"
        "No item was entered; results says of each one why."
    UndecodableImage = 422 "undecodable-image" "Undecodable image"
        "The picture is damaged or incomplete."
    NoFace = 422 "no-face" "No face"
        "Nobody is in the picture."
    MultipleFaces = 422 "multiple-faces" "Multiple faces"
        "There are several faces of similar size, and only one can be meant."
    LowQuality = 422 "low-quality" "Low quality"
        "The face is too poor to be searched; the reasons are listed."
    NoAcceptableImage = 422 "no-acceptable-image" "No acceptable image"
        "None of the pictures can be kept; the reasons are listed."
    FutureTime = 422 "future-time" "Time in the future"
        "The time is in the future."
    TooOld = 422 "too-old" "Time too old"
        "The time lies too far in the past."
    BeforeJoinDate = 422 "before-join-date" "Before the join date"
        "The time lies before the person joined."
    OutsideGeofence = 422 "outside-geofence" "Outside of the geofences"
        "The people of this department mark their own attendance within its geofences, and the place lies outside of all of them; 'distance_m' tells how far, in meters. What the device says of its own doubt counts up to 50 m. Somebody with the right to do so can enter the punch with a reason."
    PreconditionRequired = 428 "precondition-required" "Precondition required"
        "This installation asks for If-Match with the ETag of what you read."
    RateLimited = 429 "rate-limited" "Rate limited"
        "Too many requests from here. Retry-After says how long to wait."
    TooManyAttempts = 429 "too-many-attempts" "Too many attempts"
        "Too many failed logins with this address. Retry-After says how long no password is looked at."
    TooManyJobs = 429 "too-many-jobs" "Too many jobs"
        "You wait for as many jobs as one person may. Wait for one of them, or cancel it."
    InternalError = 500 "internal-error" "Internal error"
        "Something went wrong here. The log has the request_id."
    Starting = 503 "starting" "Starting"
        "The server is not ready yet. Try again shortly."
    Draining = 503 "draining" "Draining"
        "The server is about to stop. Try again shortly."
    Busy = 503 "busy" "Busy"
        "Too much at once. Try again shortly."
    QueueFull = 503 "queue-full" "Queue full"
        "Every recognition worker is busy. Try again shortly."
    ModelUnavailable = 503 "model-unavailable" "Model unavailable"
        "No face model is loaded."
    DatabaseUnavailable = 503 "database-unavailable" "Database unavailable"
        "The database does not answer. Try again shortly."
}

impl Code {
    /// The status it is sent with.
    pub(crate) fn status(self) -> StatusCode {
        // Every number of the table is a status; a test reads them all.
        StatusCode::from_u16(self.row().0).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The code itself.
    pub(crate) const fn slug(self) -> &'static str {
        self.row().1
    }

    /// A short name for people.
    pub(crate) const fn title(self) -> &'static str {
        self.row().2
    }

    /// One or two sentences for people.
    pub(crate) const fn about(self) -> &'static str {
        self.row().3
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_code_has_a_name_of_its_own_and_a_status_of_an_error() {
        let slugs: BTreeSet<_> = Code::ALL.iter().map(|code| code.slug()).collect();
        assert_eq!(slugs.len(), Code::ALL.len());
        for code in Code::ALL {
            assert_eq!(code.status().as_u16(), code.row().0);
            assert!(code.status().is_client_error() || code.status().is_server_error(), "{code:?}");
        }
    }
}
