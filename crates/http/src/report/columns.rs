//! The columns of a file: what they are called, and what is in them.

use jiff::civil::{Date, DateTime};
use jiff::{Timestamp, Unit};
use rollcall_domain::attendance::DayStatus;
use rollcall_domain::calendar::Zone;
use rollcall_usecases::report::{ReportGroup, ReportRow};

use crate::input::{Parse, one_of};
use crate::problem::{FieldError, Problem};

/// What is in one cell.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Empty,
    Text(String),
    Number(i64),
    Date(Date),
    Time(DateTime),
}

/// A column of rows of `T`.
pub(super) struct Column<T: 'static> {
    /// What `columns` calls it.
    name: &'static str,
    english: &'static str,
    german: &'static str,
    /// Whether it shows times of a zone, which its title then names.
    zoned: bool,
    cell: fn(&T, &Zone) -> Cell,
}

/// The language of titles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeaderLanguage {
    English,
    German,
}

impl Parse for HeaderLanguage {
    type Value = Self;
    const CODE: &'static str = "unknown-value";

    fn read(text: &str) -> Result<Self, String> {
        let primary = text.split('-').next().unwrap_or_default().to_ascii_lowercase();
        one_of(&primary, &[Self::English, Self::German], |language| match language {
            Self::English => "en",
            Self::German => "de",
        })
    }
}

/// What a client wishes of the columns.
pub(super) struct ColumnSelection<'a> {
    pub(super) names: Option<&'a str>,
    pub(super) language: Option<HeaderLanguage>,
}

/// The columns of a file, in order.
pub(super) struct Columns<T: 'static> {
    columns: Vec<&'static Column<T>>,
    language: Option<HeaderLanguage>,
}

impl ColumnSelection<'_> {
    /// Refuses wishes where there are no columns.
    pub(super) fn nothing(&self) -> Result<(), Problem> {
        let only = |name| FieldError::of(name, "not-applicable", "is for csv and xlsx");
        let mut errors = Vec::new();
        errors.extend(self.names.map(|_| only("columns")));
        errors.extend(self.language.map(|_| only("locale")));
        if errors.is_empty() { Ok(()) } else { Err(Problem::invalid(errors)) }
    }

    /// Columns of records.
    pub(super) fn records(&self) -> Result<Columns<ReportRow>, Problem> {
        self.among(&RECORDS)
    }

    /// Columns of sums.
    pub(super) fn sums(&self) -> Result<Columns<ReportGroup>, Problem> {
        self.among(&SUMS)
    }

    fn among<T>(&self, all: &'static [Column<T>]) -> Result<Columns<T>, Problem> {
        let columns = match self.names {
            None => all.iter().collect(),
            Some(names) => {
                let mut columns: Vec<&'static Column<T>> = Vec::new();
                for name in names.split(',') {
                    let found = all.iter().find(|column| column.name == name);
                    let known = || all.iter().map(|column| column.name).collect::<Vec<_>>().join(", ");
                    let wrong = |code, detail| Problem::invalid_parameter("columns", code, detail);
                    let column = found
                        .ok_or_else(|| wrong("unknown-value", format!("must be some of {}", known())))?;
                    if columns.iter().any(|earlier| earlier.name == name) {
                        return Err(wrong("duplicate", "names a column more than once".into()));
                    }
                    columns.push(column);
                }
                columns
            }
        };
        Ok(Columns { columns, language: self.language })
    }
}

impl<T> Columns<T> {
    /// The header row.
    pub(super) fn titles(&self, zone: &Zone) -> Vec<String> {
        let title = |column: &&Column<T>| {
            let title = match self.language {
                None => column.name,
                Some(HeaderLanguage::English) => column.english,
                Some(HeaderLanguage::German) => column.german,
            };
            if column.zoned { format!("{title} ({})", zone.name()) } else { title.to_owned() }
        };
        self.columns.iter().map(title).collect()
    }

    /// A row; times are those of `zone`.
    pub(super) fn cells(&self, row: &T, zone: &Zone) -> Vec<Cell> {
        self.columns.iter().map(|column| (column.cell)(row, zone)).collect()
    }
}

/// A text that no spreadsheet takes for a formula.
pub(super) fn harmless(text: &str) -> String {
    if is_formula(text.trim_start_matches('\'')) { format!("'{text}") } else { text.to_owned() }
}

/// The text that [`harmless`] made this of.
pub(crate) fn as_meant(text: &str) -> &str {
    text.strip_prefix('\'').filter(|rest| is_formula(rest.trim_start_matches('\''))).unwrap_or(text)
}

fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
}

fn text(value: impl Into<String>) -> Cell {
    Cell::Text(value.into())
}

fn maybe(value: Option<String>) -> Cell {
    value.map_or(Cell::Empty, Cell::Text)
}

fn time(at: Option<Timestamp>, zone: &Zone) -> Cell {
    at.map_or(Cell::Empty, |at| Cell::Time(zone.local(at.round(Unit::Second).unwrap_or(at)).datetime()))
}

const fn column<T>(
    name: &'static str,
    english: &'static str,
    german: &'static str,
    cell: fn(&T, &Zone) -> Cell,
) -> Column<T> {
    Column { name, english, german, zoned: false, cell }
}

const fn zoned<T>(column: Column<T>) -> Column<T> {
    Column {
        zoned: true,
        name: column.name,
        english: column.english,
        german: column.german,
        cell: column.cell,
    }
}

#[rustfmt::skip]
static RECORDS: [Column<ReportRow>; 22] = [
    column("employee_code", "Employee code", "Personalnummer", |row, _| maybe(row.person.employee_code.as_ref().map(|code| code.as_str().to_owned()))),
    column("name", "Name", "Name", |row, _| text(row.person.name.as_str())),
    column("department", "Department", "Abteilung", |row, _| maybe(row.department.as_ref().map(|department| department.name.as_str().to_owned()))),
    column("date", "Date", "Datum", |row, _| Cell::Date(row.day.key.date)),
    column("shift", "Shift", "Schicht", |row, _| maybe(row.day.shift.as_ref().map(|instance| instance.shift.name.clone()))),
    column("status", "Status", "Status", |row, _| text(row.day.record.status.name())),
    zoned(column("first_in", "First in", "Gekommen", |row, zone| time(row.day.record.first_in, zone))),
    zoned(column("last_out", "Last out", "Gegangen", |row, zone| time(row.day.record.last_out, zone))),
    column("worked_seconds", "Worked (s)", "Arbeitszeit (s)", |row, _| row.day.record.worked_seconds.map_or(Cell::Empty, Cell::Number)),
    column("break_seconds", "Breaks (s)", "Pausen (s)", |row, _| Cell::Number(row.day.record.break_seconds)),
    column("scheduled_seconds", "Scheduled (s)", "Sollzeit (s)", |row, _| Cell::Number(row.day.record.scheduled_seconds)),
    column("late_seconds", "Late (s)", "Verspätung (s)", |row, _| Cell::Number(row.day.record.late_seconds)),
    column("early_exit_seconds", "Remaining early (s)", "Zu früh gegangen (s)", |row, _| Cell::Number(row.day.record.early_exit_seconds)),
    column("overtime_seconds", "Overtime (s)", "Überstunden (s)", |row, _| Cell::Number(row.day.record.overtime_seconds)),
    column("overtime_approved", "Overtime approved", "Überstunden genehmigt", |row, _| text(if row.day.is_approved() { "true" } else { "false" })),
    column("overtime_approved_seconds", "Overtime approved (s)", "Genehmigte Überstunden (s)", |row, _| Cell::Number(row.day.approved_seconds)),
    column("overtime_pending_seconds", "Overtime pending (s)", "Offene Überstunden (s)", |row, _| Cell::Number(row.day.record.overtime_seconds - row.day.approved_seconds)),
    column("flags", "Flags", "Merkmale", |row, _| text(row.day.record.flags.iter().map(|flag| flag.name()).collect::<Vec<_>>().join(" "))),
    column("source", "Source", "Quelle", |row, _| maybe(row.day.source.map(|source| source.name().to_owned()))),
    column("timezone", "Time zone of the record", "Zeitzone des Eintrags", |row, _| text(row.day.zone.name())),
    column("user_id", "Person", "Person", |row, _| text(row.person.user.to_string())),
    column("record_id", "Record", "Eintrag", |row, _| text(row.day.id.to_string())),
];

#[rustfmt::skip]
static SUMS: [Column<ReportGroup>; 20] = [
    column("key", "Key", "Schlüssel", |group, _| maybe(group.key.clone())),
    column("label", "Label", "Bezeichnung", |group, _| maybe(group.label.clone())),
    column("start", "From", "Von", |group, _| group.period.map_or(Cell::Empty, |period| Cell::Date(period.start))),
    column("end", "To", "Bis", |group, _| group.period.map_or(Cell::Empty, |period| Cell::Date(period.end))),
    column("records", "Records", "Einträge", |group, _| days(group.tally.days())),
    column("scheduled_days", "Scheduled days", "Solltage", |group, _| days(group.tally.scheduled_days())),
    column("pending", "Pending", "Ausstehend", |group, _| of(group, DayStatus::Pending)),
    column("present", "Present", "Anwesend", |group, _| of(group, DayStatus::Present)),
    column("late", "Late", "Verspätet", |group, _| of(group, DayStatus::Late)),
    column("half_day", "Half days", "Halbe Tage", |group, _| of(group, DayStatus::HalfDay)),
    column("absent", "Absent", "Abwesend", |group, _| of(group, DayStatus::Absent)),
    column("on_leave", "On leave", "Urlaub", |group, _| of(group, DayStatus::OnLeave)),
    column("holiday", "Holidays", "Feiertage", |group, _| of(group, DayStatus::Holiday)),
    column("day_off", "Days off", "Freie Tage", |group, _| of(group, DayStatus::DayOff)),
    column("off_day_worked", "Days off worked", "Gearbeitete freie Tage", |group, _| of(group, DayStatus::OffDayWorked)),
    column("worked_seconds", "Worked (s)", "Arbeitszeit (s)", |group, _| Cell::Number(group.tally.worked_seconds)),
    column("overtime_seconds", "Overtime (s)", "Überstunden (s)", |group, _| Cell::Number(group.tally.overtime_seconds)),
    column("overtime_approved_seconds", "Overtime approved (s)", "Genehmigte Überstunden (s)", |group, _| Cell::Number(group.tally.approved_seconds)),
    column("overtime_pending_seconds", "Overtime pending (s)", "Offene Überstunden (s)", |group, _| Cell::Number(group.tally.overtime_seconds - group.tally.approved_seconds)),
    column("late_seconds", "Late (s)", "Verspätung (s)", |group, _| Cell::Number(group.tally.late_seconds)),
];

fn days(number: u64) -> Cell {
    Cell::Number(i64::try_from(number).unwrap_or(i64::MAX))
}

fn of(group: &ReportGroup, status: DayStatus) -> Cell {
    days(group.tally.of(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_texts() {
        for bad in ["=cmd|'/C calc'!A0", "+1", "-1", "@x", "\tx", "\rx", "\u{ff1d}x"] {
            assert_eq!(harmless(bad), format!("'{bad}"));
        }
        for good in ["Ada", "O'Neill", "a=b", "", "1-2", "'t Hooft", "'"] {
            assert_eq!(harmless(good), good);
        }
        for any in ["=1", "'=1", "''=1", "Ada", "'t Hooft", "'", "''", "-12", "＝x"] {
            assert_eq!(as_meant(&harmless(any)), any, "and back");
        }
    }

    #[test]
    fn columns_are_chosen_by_name_and_once() {
        let of = |names| {
            ColumnSelection { names: Some(names), language: None }
                .records()
                .map(|columns| columns.titles(&Zone::UTC))
        };
        assert_eq!(of("last_out,name").ok(), Some(vec!["last_out (UTC)".to_owned(), "name".to_owned()]));
        for bad in ["", "name,name", "password", "name,"] {
            assert!(of(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn languages_are_known_with_and_without_a_region() {
        assert_eq!(HeaderLanguage::read("de-AT"), Ok(HeaderLanguage::German));
        assert_eq!(HeaderLanguage::read("EN"), Ok(HeaderLanguage::English));
        assert!(HeaderLanguage::read("tlh").is_err());
    }
}
