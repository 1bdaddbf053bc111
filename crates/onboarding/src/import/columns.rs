//! Which columns of an old system mean what: the names that Flask systems give to the same thing.

rollcall_domain::words! {
    /// The tables that are read.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    pub enum Kind {
        /// People.
        Users = "users",
        /// Departments.
        Departments = "departments",
        /// Faces.
        FaceEncodings = "face_encodings",
        /// Attendance.
        AttendanceRecords = "attendance_records",
        /// People's own choices.
        UserSettings = "user_settings",
    }
}

impl Kind {
    /// The names its table has, the most usual first.
    pub(super) const fn tables(self) -> &'static [&'static str] {
        match self {
            Self::Users => &["users", "user", "employees"],
            Self::Departments => &["departments", "department"],
            Self::FaceEncodings => &["face_encodings", "face_encoding", "encodings"],
            Self::AttendanceRecords => {
                &["attendance_records", "attendance_record", "attendance", "attendances"]
            }
            Self::UserSettings => &["user_settings", "user_setting", "settings"],
        }
    }

    /// Each field and the columns that may feed it, the most telling first.
    pub(super) const fn fields(self) -> &'static [(Field, &'static [&'static str])] {
        use Field as F;
        match self {
            Self::Users => &[
                (F::Name, &["name", "full_name", "fullname", "display_name", "employee_name"]),
                (F::FirstName, &["first_name", "firstname"]),
                (F::LastName, &["last_name", "lastname", "surname"]),
                (F::UserName, &["username", "user_name", "login"]),
                (F::Email, &["email", "email_address", "mail", "e_mail"]),
                (F::Password, &["password_hash", "hashed_password", "password", "passwd", "pwd_hash"]),
                (F::Role, &["role", "user_role", "role_name", "user_type"]),
                (F::IsAdmin, &["is_admin", "is_superuser", "admin"]),
                (F::Status, &["status", "account_status", "state"]),
                (F::IsActive, &["is_active", "active", "enabled", "is_enabled"]),
                (F::Department, &["department_id", "dept_id", "department", "department_name", "dept"]),
                (
                    F::Code,
                    &[
                        "employee_code",
                        "employee_id",
                        "emp_code",
                        "emp_id",
                        "employee_number",
                        "staff_id",
                        "student_id",
                        "roll_no",
                        "roll_number",
                        "reg_no",
                        "code",
                    ],
                ),
                (
                    F::Phone,
                    &["phone", "phone_number", "mobile", "mobile_number", "contact", "contact_number"],
                ),
                (F::Address, &["address"]),
                (F::TimeZone, &["timezone", "time_zone", "tz"]),
                (F::Language, &["locale", "language", "lang"]),
                (F::JoinDate, &["join_date", "joining_date", "hire_date", "hired_at", "date_joined"]),
                (F::LeaveDate, &["leave_date", "leaving_date", "termination_date"]),
                (F::LastLogin, &["last_login_at", "last_login"]),
                (
                    F::CreatedAt,
                    &[
                        "created_at",
                        "created_on",
                        "created",
                        "registered_at",
                        "registration_date",
                        "date_created",
                    ],
                ),
                (F::Encoding, &["face_encoding", "encoding", "face_encodings", "encoding_data", "face_data"]),
            ],
            Self::Departments => &[
                (F::Name, &["name", "department_name", "title"]),
                (F::Code, &["code", "department_code", "dept_code", "short_name"]),
                (F::Description, &["description", "details"]),
                (F::Manager, &["manager_id", "head_id", "manager", "head_of_department", "supervisor_id"]),
                (F::Parent, &["parent_id", "parent_department_id"]),
                (F::TimeZone, &["timezone", "time_zone"]),
                (F::CreatedAt, &["created_at", "created_on", "created"]),
            ],
            Self::FaceEncodings => &[
                (F::User, &["user_id", "person_id", "employee_id", "student_id"]),
                (
                    F::Encoding,
                    &[
                        "encoding",
                        "face_encoding",
                        "encoding_data",
                        "embedding",
                        "descriptor",
                        "face_data",
                        "vector",
                    ],
                ),
                (F::Model, &["model", "encoding_model", "model_name"]),
                (F::CreatedAt, &["created_at", "created_on", "created"]),
            ],
            Self::AttendanceRecords => &[
                (F::User, &["user_id", "person_id", "employee_id", "student_id"]),
                (F::Date, &["date", "attendance_date", "work_date", "day"]),
                (
                    F::CheckIn,
                    &[
                        "check_in_time",
                        "check_in",
                        "checkin_time",
                        "check_in_at",
                        "checkin",
                        "time_in",
                        "clock_in",
                        "in_time",
                        "entry_time",
                        "arrival_time",
                    ],
                ),
                (
                    F::CheckOut,
                    &[
                        "check_out_time",
                        "check_out",
                        "checkout_time",
                        "check_out_at",
                        "checkout",
                        "time_out",
                        "clock_out",
                        "out_time",
                        "exit_time",
                        "departure_time",
                    ],
                ),
                (F::At, &["timestamp", "marked_at", "recorded_at", "punch_time", "attendance_time", "time"]),
                (
                    F::Direction,
                    &["type", "punch_type", "event_type", "attendance_type", "action", "direction"],
                ),
                (F::Status, &["status", "attendance_status"]),
                (F::Note, &["notes", "note", "remarks", "remark", "comment", "comments"]),
                (F::Latitude, &["latitude", "lat"]),
                (F::Longitude, &["longitude", "lng", "lon"]),
            ],
            Self::UserSettings => &[
                (F::User, &["user_id", "person_id", "employee_id"]),
                (F::Theme, &["theme", "color_scheme"]),
                (F::DarkMode, &["dark_mode"]),
                (
                    F::Notifications,
                    &[
                        "notifications",
                        "notifications_enabled",
                        "notification_enabled",
                        "enable_notifications",
                        "email_notifications",
                    ],
                ),
                (F::Language, &["language", "lang", "locale"]),
                (F::TimeZone, &["timezone", "time_zone"]),
            ],
        }
    }
}

/// Something a column can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Field {
    Name,
    FirstName,
    LastName,
    UserName,
    Email,
    Password,
    Role,
    IsAdmin,
    Status,
    IsActive,
    Department,
    Code,
    Phone,
    Address,
    TimeZone,
    Language,
    JoinDate,
    LeaveDate,
    LastLogin,
    CreatedAt,
    Encoding,
    Description,
    Manager,
    Parent,
    User,
    Model,
    Date,
    CheckIn,
    CheckOut,
    At,
    Direction,
    Note,
    Latitude,
    Longitude,
    Theme,
    DarkMode,
    Notifications,
}
