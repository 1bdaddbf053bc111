//! A table of an old system, and which of its columns is read as what.

use rollcall_ports::legacy::{Cell, ColumnKind, LegacyColumn, LegacyRow, LegacyTable};

use super::columns::{Field, Kind};
use super::values::Value;

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
