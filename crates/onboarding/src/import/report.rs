//! What an import found and did, in numbers and by the old system's own ids: no names, no addresses, no vectors.

use std::collections::BTreeMap;

use rollcall_domain::attendance::DayStatus;
use rollcall_ports::legacy::Cell;

use super::columns::Kind;

/// Examples kept of each case.
const EXAMPLES: usize = 5;

/// What an import found and did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Where it came from, without credentials.
    pub system: String,
    /// Nothing was written.
    pub dry_run: bool,
    /// The tables that were read.
    pub tables: Vec<TableRead>,
    /// The tables that were not, and why.
    pub other_tables: Vec<OtherTable>,
    /// What became of the rows of each kind.
    pub tallies: BTreeMap<Kind, Tally>,
    /// Punches that were added.
    pub punches: u64,
    /// Requests for leave that were added, approved; each is of one row or of several.
    pub leaves: u64,
    /// What was imported but leaves something for somebody to decide.
    pub decisions: Cases,
    /// Days that the old system read differently: its word, ours, and the old rows.
    pub statuses: BTreeMap<(DayStatus, DayStatus), Case>,
    /// Days that both read alike.
    pub same_status: u64,
}

/// A table that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRead {
    /// What it was read as.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// The columns that were read.
    pub used: Vec<String>,
    /// The columns that were not.
    pub ignored: Vec<String>,
}

/// A table that was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherTable {
    /// Its name.
    pub name: String,
    /// Its rows.
    pub rows: u64,
    /// Why.
    pub why: String,
}

/// What became of rows. Each row that was read is counted once among the others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows.
    pub read: u64,
    /// Added here.
    pub created: u64,
    /// Here already.
    pub unchanged: u64,
    /// Not added because nothing is lost without them.
    pub needless: Cases,
    /// Not added, and why.
    pub rejected: Cases,
    /// Parts of rows that were left out, and why; the rest of the row is counted above.
    pub left_out: Cases,
}

impl Tally {
    /// Rows that were not added although they hold something.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.rejected.0.values().map(|case| case.count).sum()
    }
}

/// Cases by their reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cases(pub BTreeMap<String, Case>);

/// How often something was the case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Case {
    /// How often.
    pub count: u64,
    /// Ids of the first few rows.
    pub examples: Vec<String>,
}

impl Case {
    pub(super) fn add(&mut self, old: &Cell) {
        self.count += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(shown(old));
        }
    }
}

impl Cases {
    /// Something that is not about a row.
    pub(super) fn note(&mut self, what: &str) {
        self.0.entry(what.to_owned()).or_default().count = 1;
    }

    pub(super) fn add(&mut self, why: &str, old: &Cell) {
        // Reasons are a short list of this program's own sentences, so the map stays small.
        self.0.entry(why.to_owned()).or_default().add(old);
    }
}

impl Report {
    /// The rows of a kind.
    #[must_use]
    pub fn tally(&self, kind: Kind) -> Tally {
        self.tallies.get(&kind).cloned().unwrap_or_default()
    }

    pub(super) fn of(&mut self, kind: Kind) -> &mut Tally {
        self.tallies.entry(kind).or_default()
    }

    /// Whether anything was added, or would be.
    #[must_use]
    pub fn changes(&self) -> bool {
        self.tallies.values().any(|tally| tally.created > 0)
    }

    /// Rows that were not added although they hold something.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.tallies.values().map(Tally::refused).sum()
    }
}

/// An old id as a terminal may show it.
pub(super) fn shown(old: &Cell) -> String {
    match old {
        Cell::Text(text) => text.chars().take(40).flat_map(char::escape_debug).collect(),
        Cell::Bytes(bytes) => {
            bytes.iter().take(20).fold(String::from("0x"), |text, byte| format!("{text}{byte:02x}"))
        }
        Cell::Null => "none".into(),
        Cell::TooLong(length) => format!("({length} bytes)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_cannot_command_a_terminal() {
        assert_eq!(shown(&Cell::Text("7".into())), "7");
        assert_eq!(shown(&Cell::Text("a\u{1b}[2J\n".into())), "a\\u{1b}[2J\\n");
        assert_eq!(shown(&Cell::Bytes(vec![0, 255])), "0x00ff");
        assert!(shown(&Cell::Text("x".repeat(1_000_000))).len() == 40);
    }

    #[test]
    fn a_case_keeps_a_few_examples_only() {
        let mut cases = Cases::default();
        for n in 0..100 {
            cases.add("why", &Cell::Text(n.to_string()));
        }
        let case = &cases.0["why"];
        assert_eq!((case.count, case.examples.len()), (100, EXAMPLES));
    }
}
