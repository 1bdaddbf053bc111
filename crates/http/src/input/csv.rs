//! Bodies that are a table or JSON.

use actix_web::dev::Payload;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures_util::future::LocalBoxFuture;

use super::body::{api, check_length, in_time, is_json, not_of, read_all};
use super::strict::{self, Form};
use crate::codes::Code;
use crate::problem::{FieldError, Problem};

/// A body that is JSON without a member too many, or `text/csv` as it was sent.
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

fn is_csv(req: &HttpRequest) -> bool {
    let Ok(Some(kind)) = req.mime_type() else { return false };
    let utf8 = kind.get_param(mime::CHARSET).is_none_or(|charset| charset == mime::UTF_8);
    kind.type_() == mime::TEXT && kind.subtype() == mime::CSV && utf8
}

/// A table: its lines by column. Its first line names the columns, all of which are among `known`; an empty cell is
/// like an absent one.
pub(crate) fn table<'a>(bytes: &[u8], known: &[&'a str]) -> Result<Vec<Vec<(&'a str, String)>>, Problem> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
    let mut columns = Vec::new();
    let mut unknown = Vec::new();
    for name in reader.headers().map_err(|error| malformed(&error))? {
        match known.iter().find(|known| **known == name) {
            Some(known) if columns.contains(known) => {
                return Err(Problem::new(Code::MalformedCsv, format!("the column {known} appears twice")));
            }
            Some(known) => columns.push(*known),
            None => {
                let name: String = name.chars().take(100).collect();
                unknown.push(FieldError::at(format!("/{name}"), "unknown", "is not known here"));
            }
        }
    }
    if !unknown.is_empty() {
        return Err(Problem::plain(Code::UnknownField).with_errors(unknown));
    }
    let mut lines = Vec::new();
    for line in reader.records() {
        let line = line.map_err(|error| malformed(&error))?;
        let cells = columns.iter().copied().zip(line.iter().map(str::to_owned));
        lines.push(cells.filter(|(_, cell)| !cell.is_empty()).collect());
    }
    Ok(lines)
}

fn malformed(error: &csv::Error) -> Problem {
    let place = error.position().map_or(0, csv::Position::line);
    let what = match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "is not UTF-8",
        csv::ErrorKind::UnequalLengths { .. } => "has not as many cells as there are columns",
        _ => "cannot be read",
    };
    Problem::new(Code::MalformedCsv, format!("line {place} {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<Vec<Vec<(&'static str, String)>>, Code> {
        table(text, &["email", "date"]).map_err(|problem| problem.code())
    }

    #[test]
    fn a_table_is_read_by_the_names_of_its_columns() {
        let cell = |name: &'static str, text: &str| (name, text.to_owned());
        let lines = read(b"\xef\xbb\xbfdate, email\r\n2026-03-02,\"a@x, y\"\n ,b@x\n").unwrap();
        assert_eq!(lines[0], [cell("date", "2026-03-02"), cell("email", "a@x, y")]);
        assert_eq!(lines[1], [cell("email", "b@x")]);
        assert_eq!(read(b"").unwrap().len(), 0);
    }

    #[test]
    fn tables_that_say_too_much_or_too_little_are_refused() {
        assert_eq!(read(b"date,size\n2026-03-02,1\n"), Err(Code::UnknownField));
        assert_eq!(read(b"date,date\n"), Err(Code::MalformedCsv));
        assert_eq!(read(b"date,email\n2026-03-02\n"), Err(Code::MalformedCsv));
        assert_eq!(read(b"date,email\n2026-03-02,\xff\n"), Err(Code::MalformedCsv));
    }
}
