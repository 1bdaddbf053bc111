//! Which columns of an old system mean what: the names that Flask systems give to the same thing.

use rollcall_ports::legacy::{Cell, ColumnKind, LegacyColumn, LegacyRow, LegacyTable};

use super::values::Value;

/// The tables that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// People.
    Users,
    /// Departments.
    Departments,
    /// Faces.
    FaceEncodings,
    /// Attendance.
    AttendanceRecords,
    /// People's own choices.
    UserSettings,
}

impl Kind {
    /// Every kind there is.
    pub const ALL: [Self; 5] =
        [Self::Users, Self::Departments, Self::FaceEncodings, Self::AttendanceRecords, Self::UserSettings];

    /// The name its table has in most systems.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Departments => "departments",
            Self::FaceEncodings => "face_encodings",
            Self::AttendanceRecords => "attendance_records",
            Self::UserSettings => "user_settings",
        }
    }

    /// The names its table has, the most usual first.
    const fn tables(self) -> &'static [&'static str] {
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
    const fn fields(self) -> &'static [(Field, &'static [&'static str])] {
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

/// A table that is read, and how.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) kind: Kind,
    pub(super) table: LegacyTable,
    fields: Vec<(Field, usize)>,
}

/// Why a table that would be read cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unusable {
    #[error("no single column is its primary key, so it cannot be read in pages")]
    NoKey,
    #[error("no column says whose the rows are")]
    NoUser,
}

impl Source {
    /// The table of that kind, if there is one: its usual name is preferred.
    pub(super) fn find(kind: Kind, tables: &[LegacyTable]) -> Option<Result<Self, (LegacyTable, Unusable)>> {
        let named = |name: &&str| tables.iter().find(|table| table.name.eq_ignore_ascii_case(name));
        let table = kind.tables().iter().find_map(named)?.clone();
        let mut fields = Vec::new();
        for (field, names) in kind.fields() {
            let named = |name: &&str| {
                table.columns.iter().position(|column| {
                    // The key is nobody's employee number.
                    column.name.eq_ignore_ascii_case(name)
                        && (*field == Field::User || !is_key(&table, column))
                })
            };
            fields.extend(names.iter().find_map(named).map(|place| (*field, place)));
        }
        // In systems with a check-in, the same table's `time` or `timestamp` says when the row was written.
        if fields.iter().any(|(field, _)| *field == Field::CheckIn) {
            fields.retain(|(field, _)| !matches!(field, Field::At | Field::Direction));
        }
        let owned = !matches!(kind, Kind::Users | Kind::Departments);
        let source = Self { kind, table, fields };
        Some(if source.table.key.is_none() {
            Err((source.table, Unusable::NoKey))
        } else if owned && source.column(Field::User).is_none() {
            Err((source.table, Unusable::NoUser))
        } else {
            Ok(source)
        })
    }

    pub(super) fn column(&self, field: Field) -> Option<&LegacyColumn> {
        self.fields.iter().find(|(known, _)| *known == field).map(|(_, place)| &self.table.columns[*place])
    }

    /// The columns to be read, in the order in which [`Self::value`] expects their values; `also` come last.
    pub(super) fn columns<'a>(&'a self, also: &[&'a str]) -> Vec<&'a LegacyColumn> {
        let own = self.fields.iter().map(|(_, place)| &self.table.columns[*place]);
        let others =
            also.iter().filter_map(|name| self.table.columns.iter().find(|column| column.name == **name));
        own.chain(others).collect()
    }

    /// What a row says of a field.
    pub(super) fn value<'a>(&self, row: &'a LegacyRow, field: Field) -> Value<'a> {
        let place = self.fields.iter().position(|(known, _)| *known == field);
        let cell = place.and_then(|place| row.cells.get(place)).unwrap_or(&Cell::Null);
        let kind = self.column(field).map_or(ColumnKind::Text, |column| column.kind);
        Value { cell, kind }
    }

    /// Names of the columns that are read.
    pub(super) fn used(&self) -> Vec<String> {
        let key = self.table.key.iter().cloned();
        key.chain(self.fields.iter().map(|(_, place)| self.table.columns[*place].name.clone())).collect()
    }

    /// Names of the columns that are not.
    pub(super) fn ignored(&self) -> Vec<String> {
        let used = self.used();
        let names = self.table.columns.iter().map(|column| column.name.clone());
        names.filter(|name| !used.contains(name)).collect()
    }
}

fn is_key(table: &LegacyTable, column: &LegacyColumn) -> bool {
    table.key.as_deref() == Some(column.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, columns: &[&str]) -> LegacyTable {
        let column =
            |name: &&str| LegacyColumn { name: (*name).to_owned(), kind: ColumnKind::Text, refers_to: None };
        let key = columns.first().map(|name| (*name).to_owned());
        LegacyTable { name: name.to_owned(), columns: columns.iter().map(column).collect(), key }
    }

    #[track_caller]
    fn check(kind: Kind, columns: &[&str], expected: &[(Field, &str)], ignored: &[&str]) {
        let source = Source::find(kind, &[table(kind.name(), columns)]).unwrap().unwrap();
        for (field, name) in expected {
            assert_eq!(source.column(*field).map(|column| column.name.as_str()), Some(*name), "{field:?}");
        }
        assert_eq!(source.ignored(), ignored);
    }

    #[test]
    fn the_usual_names_are_understood_and_others_are_told() {
        check(
            Kind::Users,
            &[
                "id",
                "username",
                "full_name",
                "email",
                "password",
                "password_hash",
                "is_admin",
                "is_active",
                "avatar",
            ],
            &[(Field::Name, "full_name"), (Field::UserName, "username"), (Field::Password, "password_hash")],
            &["password", "avatar"],
        );
        check(
            Kind::Users,
            &["employee_id", "name", "Department"],
            &[(Field::Name, "name"), (Field::Department, "Department")],
            &[],
        );
        check(
            Kind::AttendanceRecords,
            &["id", "employee_id", "date", "time_in", "time_out", "timestamp", "confidence"],
            &[(Field::User, "employee_id"), (Field::CheckIn, "time_in"), (Field::CheckOut, "time_out")],
            &["timestamp", "confidence"],
        );
        check(
            Kind::AttendanceRecords,
            &["id", "user_id", "timestamp", "type"],
            &[(Field::At, "timestamp"), (Field::Direction, "type")],
            &[],
        );
    }

    #[test]
    fn the_most_usual_table_is_taken() {
        let tables =
            [table("attendance", &["id", "user_id"]), table("attendance_records", &["id", "user_id"])];
        let found = Source::find(Kind::AttendanceRecords, &tables).unwrap().unwrap();
        assert_eq!(found.table.name, "attendance_records");
        assert!(Source::find(Kind::Departments, &tables).is_none());
    }

    #[test]
    fn a_table_that_cannot_be_read_says_why() {
        let keyless = LegacyTable { key: None, ..table("users", &["id"]) };
        assert_eq!(Source::find(Kind::Users, &[keyless]).unwrap().unwrap_err().1, Unusable::NoKey);
        let stray = table("face_encodings", &["id", "encoding"]);
        assert_eq!(Source::find(Kind::FaceEncodings, &[stray]).unwrap().unwrap_err().1, Unusable::NoUser);
    }
}
