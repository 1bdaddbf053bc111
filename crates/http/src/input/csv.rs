//! Bodies that are a table or JSON.

use std::borrow::Cow;

use actix_web::dev::Payload;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use csv::StringRecord;
use futures_util::future::LocalBoxFuture;
use jiff::civil::DateTime;
use rollcall_domain::calendar::Zone;

use super::body::{api, check_length, in_time, is_json, not_of, read_all, without_mark};
use super::strict::{self, Form, Place};
use crate::problem::{Code, FieldError, Problem};
use crate::report::as_meant;

/// A body that is JSON without a member too many, or a table as it was sent.
pub(crate) enum JsonOrCsv<T> {
    /// Members.
    Json(T),
    /// Lines.
    Csv(Bytes),
}

impl<T: Form> FromRequest for JsonOrCsv<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (req, payload) = (req.clone(), payload.take());
        Box::pin(async move {
            let api = api(&req)?;
            let csv = is_csv(&req);
            if !csv && !is_json(&req) {
                return Err(not_of("application/json or text/csv"));
            }
            check_length(&req, T::LIMIT)?;
            let bytes = in_time(&api.options, read_all(payload, T::LIMIT)).await?;
            if csv { Ok(Self::Csv(bytes)) } else { strict::from_json(&bytes).map(Self::Json) }
        })
    }
}

/// Browsers on machines with Excel call a file of this kind a sheet of it.
fn is_csv(req: &HttpRequest) -> bool {
    let Ok(Some(kind)) = req.mime_type() else { return false };
    let utf8 = kind.get_param(mime::CHARSET).is_none_or(|charset| charset == mime::UTF_8);
    let names = ["text/csv", "application/csv", "text/tab-separated-values", "application/vnd.ms-excel"];
    utf8 && names.contains(&kind.essence_str())
}

/// A column that a table may have: how it is called, and the member that its cells are.
pub(crate) struct Column {
    pub(crate) title: &'static str,
    pub(crate) member: &'static str,
    /// Whether it holds local times, of the time zone that stands after the title as `(Europe/Berlin)`.
    pub(crate) zoned: bool,
}

impl Column {
    pub(crate) const fn plain(title: &'static str) -> Self {
        Self { title, member: title, zoned: false }
    }
}

/// A line of a table: where it begins in the text, from 1, and its cells by member; an empty one is like an absent one.
pub(crate) struct Row {
    pub(crate) line: u32,
    pub(crate) cells: Vec<(&'static str, String)>,
}

/// A table as spreadsheets save it, and as our own files are. Its first line names the columns, all of which are among
/// `known`, in any case and spacing.
///
/// Cells are separated by commas, semicolons, tabs or whatever a line `sep=` before it says. Lines and columns in which nothing
/// stands are left out; lines may end before the last columns.
pub(crate) fn table(bytes: &[u8], known: &[Column]) -> Result<Vec<Row>, Problem> {
    let text = text_of(bytes)?;
    let (text, separator, above) = match declared_separator(&text) {
        Some(Ok((rest, separator))) => (rest, separator, 1),
        Some(Err(problem)) => return Err(problem),
        None => (&*text, likely_separator(&text, known), 0),
    };
    quoted_whole(text, separator, above + 1)?;
    let mut reader = reader(text, separator);
    let titles = reader.headers().map_err(|error| malformed(&error, above))?.clone();
    let columns = columns(&titles, known)?;
    let (mut rows, mut counted) = (Vec::new(), Counted { line: above + 1, until: 0 });
    for record in reader.records() {
        let record = record.map_err(|error| malformed(&error, above))?;
        let line = counted.line_of(text, record.position().map_or(0, csv::Position::byte));
        let mut cells = Vec::new();
        for (n, cell) in record.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
            let Some(Some(heading)) = columns.get(n) else {
                let detail = format!("line {line} has something in column {}, which has no name", n + 1);
                return Err(Problem::new(Code::MalformedCsv, detail));
            };
            cells.push((heading.member, heading.read(cell)));
        }
        if !cells.is_empty() {
            rows.push(Row { line: u32::try_from(line).unwrap_or(u32::MAX), cells });
        }
    }
    Ok(rows)
}

/// Refuses a cell that is not quoted as a whole: one without a closing quote takes what follows it for its own text, and
/// of one with text behind its closing quote nobody knows where it ends.
fn quoted_whole(text: &str, separator: u8, first: u64) -> Result<(), Problem> {
    enum At {
        Begin,
        Bare,
        Quoted(u64),
        Closed(u64),
    }
    let refused = |line: u64, what: &str| {
        Err(Problem::new(Code::MalformedCsv, format!("in line {line} a quote opens a cell {what}")))
    };
    let (mut at, mut line) = (At::Begin, first);
    for byte in text.bytes() {
        at = match (at, byte) {
            (At::Quoted(opened), b'"') => At::Closed(opened),
            (At::Quoted(opened), _) => At::Quoted(opened),
            // Two of them are one that is meant.
            (At::Closed(opened), b'"') => At::Quoted(opened),
            (_, b'\n' | b'\r') => At::Begin,
            (_, byte) if byte == separator => At::Begin,
            (At::Closed(opened), b' ' | b'\t') => At::Closed(opened),
            (At::Closed(opened), _) => return refused(opened, "that has text behind its closing quote"),
            (At::Begin, b'"') => At::Quoted(line),
            (At::Begin | At::Bare, _) => At::Bare,
        };
        line += u64::from(byte == b'\n');
    }
    match at {
        At::Quoted(opened) => refused(opened, "and none closes it"),
        At::Begin | At::Bare | At::Closed(_) => Ok(()),
    }
}

/// Lines of a text, counted as far as it has been read.
struct Counted {
    line: u64,
    until: usize,
}

impl Counted {
    /// The line in which the record begins that was read from this byte on: lines without anything come before it.
    fn line_of(&mut self, text: &str, byte: u64) -> u64 {
        let begin = usize::try_from(byte).unwrap_or(usize::MAX).clamp(self.until, text.len());
        let empty = text.as_bytes()[begin..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let passed = &text.as_bytes()[self.until..begin + empty];
        self.line += passed.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.until = begin + empty;
        self.line
    }
}

/// What heads a column.
struct Heading {
    member: &'static str,
    zone: Option<Zone>,
}

impl Heading {
    fn read(&self, cell: &str) -> String {
        let local = self.zone.as_ref().and_then(|zone| {
            let local = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"];
            let at = local.iter().find_map(|format| DateTime::strptime(format, cell).ok())?;
            // A time that clocks showed twice, or never, is nobody's to guess.
            (zone.times_shown(at) == 1).then(|| zone.instant(at).to_string())
        });
        local.unwrap_or_else(|| as_meant(cell).to_owned())
    }
}

/// Most columns of a table.
const MOST_COLUMNS: usize = 100;

/// The columns by their titles; one without a title has to be empty.
fn columns(titles: &StringRecord, known: &[Column]) -> Result<Vec<Option<Heading>>, Problem> {
    if titles.len() > MOST_COLUMNS {
        let detail = format!("a table has at most {MOST_COLUMNS} columns, this one has {}", titles.len());
        return Err(Problem::new(Code::MalformedCsv, detail));
    }
    let (mut columns, mut unknown): (Vec<Option<Heading>>, _) = (Vec::new(), Vec::new());
    let titled: Vec<&str> = known.iter().map(|column| column.title).collect();
    for title in titles {
        if title.is_empty() {
            columns.push(None);
            continue;
        }
        let Some((column, zone)) = recognized(title, known) else {
            let name: String = title.chars().take(100).collect();
            unknown.push(FieldError::unknown(Place::Body, format!("/{name}"), "column", &titled));
            continue;
        };
        if columns.iter().flatten().any(|earlier| earlier.member == column.member) {
            let detail = format!("the column {} appears twice", column.member);
            return Err(Problem::new(Code::MalformedCsv, detail));
        }
        columns.push(Some(Heading { member: column.member, zone }));
    }
    if unknown.is_empty() {
        Ok(columns)
    } else {
        Err(Problem::plain(Code::UnknownField).with_errors(unknown))
    }
}

fn recognized<'a>(title: &str, known: &'a [Column]) -> Option<(&'a Column, Option<Zone>)> {
    let bare = |text: &str| -> String {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let (name, zone) = match title.strip_suffix(')').and_then(|title| title.split_once('(')) {
        Some((name, zone)) => (name, Some(Zone::named(zone.trim()).ok()?)),
        None => (title, None),
    };
    let column = known.iter().find(|column| bare(column.title) == bare(name))?;
    (column.zoned == zone.is_some()).then_some((column, zone))
}

/// The text of a file, in whichever of the encodings that tell themselves apart it is.
fn text_of(bytes: &[u8]) -> Result<Cow<'_, str>, Problem> {
    let refused = |what: String| Problem::new(Code::MalformedCsv, what);
    const ADVICE: &str = "save it as \"CSV UTF-8\"";
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"\xd0\xcf\x11\xe0") {
        return Err(refused(format!("this is a workbook: {ADVICE}")));
    }
    let utf16 = |of: fn([u8; 2]) -> u16| {
        let units = bytes[2..].chunks_exact(2).map(|pair| of([pair[0], pair[1]]));
        let whole = bytes.len().is_multiple_of(2);
        let text: Result<String, _> = char::decode_utf16(units).collect();
        text.ok()
            .filter(|_| whole)
            .map(Cow::Owned)
            .ok_or_else(|| refused(format!("is damaged UTF-16: {ADVICE}")))
    };
    if bytes.starts_with(b"\xff\xfe") {
        return utf16(u16::from_le_bytes);
    }
    if bytes.starts_with(b"\xfe\xff") {
        return utf16(u16::from_be_bytes);
    }
    let bytes = without_mark(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        refused(format!("line {line} is not UTF-8, and nothing says what it is: {ADVICE}"))
    })?;
    if text.contains('\0') {
        Err(refused(format!("this is no text: {ADVICE}")))
    } else {
        Ok(Cow::Borrowed(text))
    }
}

/// The separator that the first line declares, as Excel understands it, and what comes after that line.
fn declared_separator(text: &str) -> Option<Result<(&str, u8), Problem>> {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let first = first.trim_end_matches('\r').trim_matches('"');
    let declared = first.get(..4).filter(|begin| begin.eq_ignore_ascii_case("sep="));
    let separator = first.strip_prefix(declared?)?;
    Some(match separator.as_bytes() {
        [one, ..] if SEPARATORS.contains(one) && separator.bytes().all(|byte| byte == *one) => {
            Ok((rest, *one))
        }
        _ => Err(Problem::new(Code::MalformedCsv, "sep= in the first line is followed by , ; | or a tab")),
    })
}

/// What cells may be separated by; the likelier ones first.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The separator by which the first line names most columns.
fn likely_separator(text: &str, known: &[Column]) -> u8 {
    let named = |separator: &u8| {
        let mut reader = reader(text, *separator);
        reader
            .headers()
            .map_or(0, |titles| titles.iter().filter(|title| recognized(title, known).is_some()).count())
    };
    SEPARATORS.into_iter().rev().max_by_key(named).unwrap_or(b',')
}

fn reader(text: &str, separator: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .flexible(true)
        .delimiter(separator)
        .from_reader(text.as_bytes())
}

fn malformed(error: &csv::Error, above: u64) -> Problem {
    let place = error.position().map_or(0, csv::Position::line) + above;
    Problem::new(Code::MalformedCsv, format!("line {place} cannot be read"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [Column; 5] = [
        Column::plain("email"),
        Column::plain("employee_code"),
        Column::plain("date"),
        Column::plain("note"),
        Column { title: "first_in", member: "check_in", zoned: true },
    ];

    fn read(text: impl AsRef<[u8]>) -> Result<Vec<Row>, Code> {
        table(text.as_ref(), &KNOWN).map_err(|problem| problem.code())
    }

    /// The cells of each line, without the names of their columns.
    #[track_caller]
    fn cells(text: impl AsRef<[u8]>) -> Vec<Vec<String>> {
        let rows = read(text).expect("a table");
        rows.into_iter().map(|row| row.cells.into_iter().map(|(_, cell)| cell).collect()).collect()
    }

    #[test]
    fn a_table_is_read_by_the_names_of_its_columns() {
        let cell = |name: &'static str, text: &str| (name, text.to_owned());
        let rows = read(b"\xef\xbb\xbfdate, email\r\n2026-03-02,\"a@x, y\"\n ,b@x\n").unwrap();
        assert_eq!(rows[0].cells, [cell("date", "2026-03-02"), cell("email", "a@x, y")]);
        assert_eq!(rows[1].cells, [cell("email", "b@x")]);
        assert_eq!((rows[0].line, rows[1].line), (2, 3));
        assert_eq!(read(b"").unwrap().len(), 0);
    }

    #[test]
    fn a_table_is_read_as_spreadsheets_save_it() {
        let plain = cells("email,date,note\na@x,2026-03-02,ä\nb@x,2026-03-03,\"two\nlines; one, cell\"\n");
        for text in [
            "email;date;note\r\na@x;2026-03-02;ä\r\nb@x;2026-03-03;\"two\nlines; one, cell\"\r\n",
            "email\tdate\tnote\na@x\t2026-03-02\tä\nb@x\t2026-03-03\t\"two\nlines; one, cell\"",
            "sep=;\r\nemail;date;note\r\na@x;2026-03-02;ä\r\nb@x;2026-03-03;\"two\nlines; one, cell\"\r\n",
            "\u{feff}SEP=|\nE-Mail|Date|NOTE\na@x|2026-03-02|ä\nb@x|2026-03-03|\"two\nlines; one, cell\"\n",
            "Email ;Date; Note;;\r\na@x;2026-03-02;ä;;\r\n;;;;\r\nb@x;2026-03-03;\"two\nlines; one, cell\"\r\n;;;;\r\n;;;;",
            "email,,date,note\na@x,,2026-03-02,ä\n\n,,,\nb@x,,2026-03-03,\"two\nlines; one, cell\",,\n",
        ] {
            assert_eq!(cells(text), plain, "{text}");
        }
        for big in [true, false] {
            let units = "\u{feff}email\tdate\tnote\r\na@x\t2026-03-02\tä\r\n".encode_utf16();
            let bytes: Vec<u8> =
                units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect();
            assert_eq!(cells(bytes), plain[..1]);
        }
        // Where the last cells of many lines are empty, Excel leaves out the separators before them.
        assert_eq!(cells("email;date;note\na@x;2026-03-02\n")[0], ["a@x", "2026-03-02"]);
        assert_eq!(cells("Employee Code\n007\n"), [["007"]]);
        let lines: Vec<_> =
            read("sep=,\nemail\n\na@x\n,\nb@x\n").unwrap().iter().map(|row| row.line).collect();
        assert_eq!(lines, [4, 6], "as a spreadsheet counts them");
    }

    #[test]
    fn exported_csv_is_read_back_in_its_time_zone() {
        let text = "employee_code,date,first_in (Europe/Berlin)\r\n'-12,2026-03-02,2026-03-02 09:00:00\r\n";
        assert_eq!(cells(text), [["-12", "2026-03-02", "2026-03-02T08:00:00Z"]]);
        let twice = "date,first_in (Europe/Berlin)\n2026-10-25,2026-10-25 02:30:00\n";
        assert_eq!(cells(twice)[0][1], "2026-10-25 02:30:00", "which is no time that an item may have");
        assert_eq!(read("first_in\n09:00\n").map(drop), Err(Code::UnknownField));
        assert_eq!(read("first_in (Mars)\n09:00\n").map(drop), Err(Code::UnknownField));
        assert_eq!(read("date (UTC)\n2026-03-02\n").map(drop), Err(Code::UnknownField));
    }

    #[test]
    fn malformed_csv_and_unknown_columns_are_refused() {
        assert_eq!(read(b"date,size\n2026-03-02,1\n").map(drop), Err(Code::UnknownField));
        for bad in [
            b"date,date\n".as_slice(),
            b"date,Date \n",
            b"date,email\n2026-03-02,a@x,more\n",
            b"date,,email\n2026-03-02,more,a@x\n",
            b"sep=x\ndate\n",
            b"sep=\ndate\n",
            b"date,email\n2026-03-02,\xff\n",
            b"PK\x03\x04more",
            b"\xff\xfed\0a",
            b"d\0a\0t\0e\0",
        ] {
            assert_eq!(read(bad).map(drop), Err(Code::MalformedCsv), "{bad:?}");
        }
        for (text, line) in [
            ("date,note\n2026-03-02,\"late\n2026-03-03,more\n2026-03-04,x\n", 2),
            ("sep=;\ndate;note\n\n2026-03-02;\"two\nlines\"\n2026-03-03;\"open\n2026-03-04;x\n", 6),
            ("date,note\n2026-03-02,\"late\" today\n", 2),
            ("date,\"note\n2026-03-02,late\n", 1),
        ] {
            let refused = table(text.as_bytes(), &KNOWN).map(drop).unwrap_err();
            assert!(refused.code() == Code::MalformedCsv, "{text}");
            assert!(format!("{refused:?}").contains(&format!("in line {line} ")), "{refused:?}");
        }
        let said = cells("date,note\n2026-03-02,\"a \"\"b\"\"\" \n2026-03-03,5\" pipe\n");
        assert_eq!((&*said[0][1], &*said[1][1]), ("a \"b\"", "5\" pipe"));
        let wide = vec!["x"; 101].join(",");
        assert_eq!(read(wide).map(drop), Err(Code::MalformedCsv));
        let ansi = table(b"date,note\r\n2026-03-02,M\xfcller\r\n", &KNOWN).map(drop).unwrap_err();
        let detail = format!("{ansi:?}");
        assert!(detail.contains("line 2") && detail.contains("CSV UTF-8"), "{detail}");
    }
}
