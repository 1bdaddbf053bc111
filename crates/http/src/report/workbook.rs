//! Reports as workbooks of a spreadsheet (XLSX). Rows go to a temporary file as they are read, and so does the workbook:
//! it is a compressed archive, which cannot be sent before it is whole.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use actix_web::web::{self, Bytes};
use futures_util::stream;
use rollcall_domain::calendar::Zone;
use rollcall_usecases::report::{Report, ReportGroup, ReportRow};
use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError};

use super::body::Body;
use super::columns::{Cell, Columns, harmless};
use crate::problem::Problem;

/// Rows of a sheet with its header; more begin another one.
const ROWS: u32 = 1_048_576;
/// Bytes that are sent at once.
const PIECE: usize = 64 << 10;

/// A workbook of records.
pub(super) async fn records(
    mut report: Report,
    columns: Columns<ReportRow>,
    zone: Zone,
) -> Result<(Option<u64>, Body), Problem> {
    let mut sheets = Sheets::new(columns.titles(&zone));
    while let Some(rows) = report.next().await? {
        for row in &rows {
            sheets.add(columns.cells(row, &zone)).map_err(|error| failed(&error))?;
        }
    }
    saved(sheets).await
}

/// A workbook of sums.
pub(super) async fn groups(
    groups: Vec<ReportGroup>,
    columns: Columns<ReportGroup>,
) -> Result<(Option<u64>, Body), Problem> {
    let mut sheets = Sheets::new(columns.titles(&Zone::UTC));
    for group in &groups {
        sheets.add(columns.cells(group, &Zone::UTC)).map_err(|error| failed(&error))?;
    }
    saved(sheets).await
}

struct Sheets {
    workbook: Workbook,
    titles: Vec<String>,
    sheets: usize,
    row: u32,
    date: Format,
    time: Format,
}

impl Sheets {
    fn new(titles: Vec<String>) -> Self {
        Self {
            workbook: Workbook::new(),
            titles,
            sheets: 0,
            row: ROWS,
            date: Format::new().set_num_format("yyyy-mm-dd"),
            time: Format::new().set_num_format("yyyy-mm-dd hh:mm:ss"),
        }
    }

    fn add(&mut self, cells: Vec<Cell>) -> Result<(), XlsxError> {
        if self.row == ROWS {
            self.begin()?;
        }
        let (row, sheet) = (self.row, self.workbook.worksheet_from_index(self.sheets - 1)?);
        for (column, cell) in (0_u16..).zip(cells) {
            write(sheet, row, column, cell, &self.date, &self.time)?;
        }
        self.row += 1;
        Ok(())
    }

    fn begin(&mut self) -> Result<(), XlsxError> {
        let sheet = self.workbook.add_worksheet_with_constant_memory()?;
        for (column, title) in (0_u16..).zip(&self.titles) {
            sheet.write_string(0, column, title)?;
        }
        self.sheets += 1;
        self.row = 1;
        Ok(())
    }

    fn save(mut self) -> Result<File, XlsxError> {
        if self.sheets == 0 {
            self.begin()?;
        }
        let file = tempfile::tempfile()?;
        self.workbook.save_to_writer(&file)?;
        Ok(file)
    }
}

fn write(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    cell: Cell,
    date: &Format,
    time: &Format,
) -> Result<(), XlsxError> {
    match cell {
        Cell::Empty => return Ok(()),
        Cell::Text(text) => sheet.write_string(row, column, harmless(&text))?,
        // Durations and counts are far below what a double holds exactly.
        Cell::Number(number) => sheet.write_number(row, column, number as f64)?,
        Cell::Date(day) => sheet.write_datetime_with_format(row, column, day, date)?,
        Cell::Time(at) => sheet.write_datetime_with_format(row, column, at, time)?,
    };
    Ok(())
}

/// Compresses the rows, off the threads that answer others, and reads what came of it.
async fn saved(sheets: Sheets) -> Result<(Option<u64>, Body), Problem> {
    let saved = web::block(move || {
        let mut file = sheets.save()?;
        let size = file.seek(SeekFrom::End(0))?;
        file.rewind()?;
        Ok::<_, XlsxError>((file, size))
    });
    let saved = saved.await.map_err(|_| Problem::broken("the workbook was not saved"))?;
    let (file, size) = saved.map_err(|error| failed(&error))?;
    let body = stream::try_unfold(file, |mut file| async move {
        let piece = web::block(move || {
            let mut bytes = vec![0; PIECE];
            let read = file.read(&mut bytes)?;
            bytes.truncate(read);
            Ok::<_, io::Error>((bytes, file))
        });
        let piece = piece.await.map_err(|_| Problem::broken("the workbook was not read"))?;
        let (bytes, file) =
            piece.map_err(|error| Problem::broken(&format!("reading the workbook: {error}")))?;
        Ok::<_, Problem>((!bytes.is_empty()).then(|| (Bytes::from(bytes), file)))
    });
    Ok((Some(size), Box::pin(body)))
}

fn failed(error: &XlsxError) -> Problem {
    Problem::broken(&format!("a workbook cannot be written: {error}"))
}
