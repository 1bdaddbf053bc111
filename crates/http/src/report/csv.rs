//! Reports as CSV (RFC 4180), sent while they are read.

use std::sync::atomic::Ordering;

use actix_web::web::Bytes;
use csv::{Terminator, WriterBuilder};
use futures_util::stream;
use rollcall_domain::calendar::Zone;
use rollcall_usecases::report::{Report, ReportGroup, ReportRow};

use super::body::{Body, Remaining};
use super::columns::{Cell, Columns, harmless};
use super::form::Dialect;
use crate::problem::Problem;

/// A file of records. What can fail at first fails before anything is sent.
pub(super) async fn records(
    mut report: Report,
    columns: Columns<ReportRow>,
    zone: Zone,
    dialect: Dialect,
    left: Remaining,
) -> Result<Body, Problem> {
    let mut lines = Lines::first(dialect);
    lines.write(columns.titles(&zone))?;
    let first = report.next().await?.unwrap_or_default();
    lines.add(&columns, &first, &zone)?;
    left.store(report.people_left(), Ordering::Relaxed);
    let state = (report, columns, zone, left, Some(lines.taken()?));
    let body = stream::try_unfold(state, move |(mut report, columns, zone, left, waiting)| async move {
        if let Some(bytes) = waiting {
            return Ok(Some((bytes, (report, columns, zone, left, None))));
        }
        let Some(rows) = report.next().await? else { return Ok(None) };
        left.store(report.people_left(), Ordering::Relaxed);
        let mut lines = Lines::more(dialect, Vec::new());
        lines.add(&columns, &rows, &zone)?;
        Ok(Some((lines.taken()?, (report, columns, zone, left, None))))
    });
    Ok(Box::pin(body))
}

/// A file of sums.
pub(super) fn groups(
    groups: &[ReportGroup],
    columns: Columns<ReportGroup>,
    dialect: Dialect,
) -> Result<Bytes, Problem> {
    let mut lines = Lines::first(dialect);
    lines.write(columns.titles(&Zone::UTC))?;
    lines.add(&columns, groups, &Zone::UTC)?;
    lines.taken()
}

/// Lines about to be sent.
struct Lines(csv::Writer<Vec<u8>>);

impl Lines {
    /// The first lines of a file. A line `sep=` would make Excel forget the mark, and everybody else's first line a riddle.
    fn first(dialect: Dialect) -> Self {
        Self::more(dialect, if dialect.bom { "\u{feff}".into() } else { Vec::new() })
    }

    fn more(dialect: Dialect, begun: Vec<u8>) -> Self {
        let mut builder = WriterBuilder::new();
        Self(builder.terminator(Terminator::CRLF).delimiter(dialect.separator.byte()).from_writer(begun))
    }

    fn add<T>(&mut self, columns: &Columns<T>, rows: &[T], zone: &Zone) -> Result<(), Problem> {
        rows.iter().try_for_each(|row| self.write(columns.cells(row, zone).into_iter().map(shown)))
    }

    fn write(&mut self, fields: impl IntoIterator<Item = String>) -> Result<(), Problem> {
        self.0.write_record(fields).map_err(|_| Problem::broken("a line cannot be written"))
    }

    fn taken(self) -> Result<Bytes, Problem> {
        self.0.into_inner().map(Bytes::from).map_err(|_| Problem::broken("lines cannot be written"))
    }
}

fn shown(cell: Cell) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Text(text) => harmless(&text),
        Cell::Number(number) => number.to_string(),
        Cell::Date(date) => date.to_string(),
        Cell::Time(time) => time.strftime("%Y-%m-%d %H:%M:%S").to_string(),
    }
}
