//! The file of a backup: gzip over lines of JSON. First a head, then for each table its name and columns and a line for each
//! row, last the number of rows and a checksum over every byte before, which only who has `DATA_KEY` can make.

use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use rollcall_platform::{Keys, Seal};
use rollcall_storage::Cell;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value, json};

/// The format that is written and read.
const FORMAT: u64 = 1;

/// How a file begins that is one of ours, whatever its format.
const MARK: &str = "rollcall_backup";

/// What a backup says of itself before anything of the data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) rollcall_backup: u64,
    /// When it was made (RFC 3339).
    pub(crate) made_at: String,
    /// Version of the program that made it.
    pub(crate) program: String,
    /// `sqlite` or `mysql`.
    pub(crate) database: String,
    /// The steps of the schema that its tables have taken, in order.
    pub(crate) steps: Vec<String>,
    /// The check value of the `DATA_KEY` that it needs, in base64.
    pub(crate) key: String,
}

impl Head {
    pub(crate) fn new(made_at: String, database: &str, steps: Vec<String>, keys: &Keys) -> Self {
        let program = env!("CARGO_PKG_VERSION").to_owned();
        let key = STANDARD.encode(keys.check.expose());
        Self { rollcall_backup: FORMAT, made_at, program, database: database.to_owned(), steps, key }
    }

    /// Whether it was made with this `DATA_KEY`.
    pub(crate) fn has_key(&self, keys: &Keys) -> bool {
        STANDARD.decode(&self.key).is_ok_and(|key| key == keys.check.expose())
    }
}

/// Why a file cannot be restored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadBackup {
    #[error("it is no backup that `rollcall backup` made")]
    Foreign,
    #[error("it was made by a newer version of this program (format {0}); update the program")]
    Newer(u64),
    #[error("it is cut off: its end is missing. Copy it again from where it was made, or take an older one")]
    CutOff,
    #[error(
        "it was altered or damaged: its checksum does not fit. Take another copy of it, or an older backup"
    )]
    Altered,
    #[error("it cannot be read")]
    Unreadable(#[source] io::Error),
}

/// Writes a backup.
pub(crate) struct Writer<W: Write> {
    out: GzEncoder<BufWriter<W>>,
    seal: Seal,
    rows: u64,
}

impl<W: Write> Writer<W> {
    pub(crate) fn begin(out: W, head: &Head, keys: &Keys) -> io::Result<Self> {
        let out = GzEncoder::new(BufWriter::new(out), Compression::default());
        let mut writer = Self { out, seal: Seal::new(&keys.backups), rows: 0 };
        writer.line(&serde_json::to_value(head)?)?;
        Ok(writer)
    }

    pub(crate) fn table(&mut self, name: &str, columns: &[String]) -> io::Result<()> {
        self.line(&json!({ "table": name, "columns": columns }))
    }

    pub(crate) fn row(&mut self, row: &[Cell]) -> io::Result<()> {
        self.rows += 1;
        self.line(&Value::Array(row.iter().map(to_json).collect::<io::Result<_>>()?))
    }

    /// Ends it; answers with the number of rows and with where it was written.
    pub(crate) fn finish(mut self) -> io::Result<(u64, W)> {
        let sum = STANDARD.encode(self.seal.finish());
        let end = json!({ "end": { "rows": self.rows, "checksum": sum } });
        self.out.write_all(format!("{end}\n").as_bytes())?;
        let out = self.out.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok((self.rows, out))
    }

    fn line(&mut self, value: &Value) -> io::Result<()> {
        let line = format!("{value}\n");
        self.seal.update(line.as_bytes());
        self.out.write_all(line.as_bytes())
    }
}

/// Something that a backup holds.
#[derive(Debug, PartialEq)]
pub(crate) enum Item {
    /// From here on rows of this table.
    Table { name: String, columns: Vec<String> },
    /// A row of the last table.
    Row(Vec<Cell>),
}

/// Reads a backup, and knows at its end whether it was whole.
pub(crate) struct Reader<R: Read> {
    lines: BufReader<GzDecoder<BufReader<R>>>,
    pub(crate) head: Head,
    seal: Seal,
    rows: u64,
    ended: bool,
}

impl<R: Read> Reader<R> {
    /// Reads the head. It is not proven yet: that is what [`Self::next`] does at the end.
    pub(crate) fn begin(file: R, keys: &Keys) -> Result<Self, BadBackup> {
        let mut lines = BufReader::new(GzDecoder::new(BufReader::new(file)));
        let line = match read_line(&mut lines) {
            Ok(line) => line,
            Err(BadBackup::Altered | BadBackup::CutOff) => return Err(BadBackup::Foreign),
            Err(other) => return Err(other),
        };
        let value: Value = serde_json::from_slice(&line).map_err(|_| BadBackup::Foreign)?;
        match value[MARK].as_u64() {
            None => return Err(BadBackup::Foreign),
            Some(FORMAT) => {}
            Some(other) => return Err(BadBackup::Newer(other)),
        }
        let head: Head = serde_json::from_value(value).map_err(|_| BadBackup::Altered)?;
        let mut seal = Seal::new(&keys.backups);
        seal.update(&line);
        Ok(Self { lines, head, seal, rows: 0, ended: false })
    }

    /// What comes next; `None` once all of it was read and is as it was written.
    pub(crate) fn next(&mut self) -> Result<Option<Item>, BadBackup> {
        if self.ended {
            return Ok(None);
        }
        let line = read_line(&mut self.lines)?;
        let value: Value = serde_json::from_slice(&line).map_err(|_| BadBackup::Altered)?;
        match value {
            Value::Array(cells) => {
                self.rows += 1;
                self.seal.update(&line);
                let row: Option<Vec<Cell>> = cells.into_iter().map(understood).collect();
                Ok(Some(Item::Row(row.ok_or(BadBackup::Altered)?)))
            }
            Value::Object(object) if object.contains_key("end") => self.end(&object).map(|()| None),
            Value::Object(mut object) => {
                self.seal.update(&line);
                let (name, columns) = (object.remove("table"), object.remove("columns"));
                let columns = columns.and_then(|columns| serde_json::from_value(columns).ok());
                match (name, columns) {
                    (Some(Value::String(name)), Some(columns)) => Ok(Some(Item::Table { name, columns })),
                    _ => Err(BadBackup::Altered),
                }
            }
            _ => Err(BadBackup::Altered),
        }
    }

    fn end(&mut self, object: &Map<String, Value>) -> Result<(), BadBackup> {
        let seal = std::mem::replace(&mut self.seal, Seal::new(&rollcall_platform::Key256::new([0; 32])));
        let sum = STANDARD.encode(seal.finish());
        let fits = object["end"]["checksum"] == sum.as_str() && object["end"]["rows"] == self.rows;
        // Nothing may come after it, inside the archive or behind it.
        let rest = self.lines.fill_buf().map_err(broken)?.is_empty();
        let behind = self.lines.get_mut().get_mut().fill_buf().map_err(BadBackup::Unreadable)?.is_empty();
        if !(fits && rest && behind) {
            return Err(BadBackup::Altered);
        }
        self.ended = true;
        Ok(())
    }
}

fn read_line(lines: &mut impl BufRead) -> Result<Vec<u8>, BadBackup> {
    let mut line = Vec::new();
    lines.read_until(b'\n', &mut line).map_err(broken)?;
    if line.last() == Some(&b'\n') { Ok(line) } else { Err(BadBackup::CutOff) }
}

/// What a decoder's error means.
fn broken(error: io::Error) -> BadBackup {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => BadBackup::CutOff,
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => BadBackup::Altered,
        _ => BadBackup::Unreadable(error),
    }
}

fn to_json(cell: &Cell) -> io::Result<Value> {
    Ok(match cell {
        Cell::Null => Value::Null,
        Cell::Whole(whole) => (*whole).into(),
        Cell::Real(real) => {
            let number = Number::from_f64(*real);
            Value::Number(number.ok_or_else(|| io::Error::other("a stored number is not finite"))?)
        }
        Cell::Text(text) => text.as_str().into(),
        Cell::Bytes(bytes) => json!({ "base64": STANDARD.encode(bytes) }),
    })
}

fn understood(value: Value) -> Option<Cell> {
    Some(match value {
        Value::Null => Cell::Null,
        Value::Number(number) if number.is_i64() => Cell::Whole(number.as_i64()?),
        Value::Number(number) => Cell::Real(number.as_f64()?),
        Value::String(text) => Cell::Text(text),
        Value::Object(object) => Cell::Bytes(STANDARD.decode(object.get("base64")?.as_str()?).ok()?),
        Value::Bool(_) | Value::Array(_) => return None,
    })
}

#[cfg(test)]
mod tests;
