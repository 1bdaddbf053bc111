//! Which tables of an old system are read, and which are not.

use rollcall_ports::legacy::{LegacySystem, LegacyTable};

use super::ImportError;
use super::columns::{Field, Kind};
use super::report::{OtherTable, Report, TableRead};
use super::source::Source;

/// The tables that are read.
pub(super) struct Sources {
    pub(super) users: Source,
    others: Vec<Source>,
}

impl Sources {
    pub(super) fn of(&self, kind: Kind) -> Option<Source> {
        self.others.iter().find(|source| source.kind == kind).cloned()
    }
}

/// Says which tables are read and which are not.
pub(super) async fn survey(
    system: &dyn LegacySystem,
    tables: &[LegacyTable],
    report: &mut Report,
) -> Result<Sources, ImportError> {
    let mut refused: Vec<(String, String)> = Vec::new();
    let mut found: Vec<Source> = Vec::new();
    for kind in Kind::ALL {
        match Source::find(kind, tables) {
            Some(Ok(source)) => found.push(source),
            Some(Err((table, why))) => refused.push((table.name, why.to_string())),
            None => {}
        }
    }
    let people = found.iter().position(|source| source.kind == Kind::Users).map(|place| found.remove(place));
    let Some(users) = people else {
        let why = refused.into_iter().next().map_or("no table is called users".into(), |(_, why)| why);
        return Err(ImportError::NoPeople(why));
    };
    // Rows that refer to another table are not about these people, whatever the column is called.
    found.retain(|source| match source.column(Field::User).and_then(|column| column.refers_to.as_ref()) {
        Some((table, _)) if !table.eq_ignore_ascii_case(&users.table.name) => {
            refused.push((source.table.name.clone(), format!("its rows belong to the table {table}")));
            false
        }
        _ => true,
    });
    for source in std::iter::once(&users).chain(&found) {
        report.tables.push(TableRead {
            kind: source.kind,
            name: source.table.name.clone(),
            used: source.used(),
            ignored: source.ignored(),
        });
        report.of(source.kind);
    }
    let is_read = |table: &LegacyTable| {
        users.table.name == table.name || found.iter().any(|source| source.table.name == table.name)
    };
    for table in tables.iter().filter(|table| !is_read(table)) {
        let why = refused.iter().find(|(name, _)| *name == table.name).map(|(_, why)| why.clone());
        report.other_tables.push(OtherTable {
            name: table.name.clone(),
            rows: system.count(&table.name).await.map_err(ImportError::Old)?,
            why: why.unwrap_or_else(|| "not a table that is known here".into()),
        });
    }
    Ok(Sources { users, others: found })
}

/// The columns of the people's table, besides its key, to which other tables refer.
pub(super) fn link_columns(sources: &Sources) -> Vec<String> {
    let key = sources.users.table.key.as_deref();
    let mut columns: Vec<String> = Vec::new();
    for source in &sources.others {
        if let Some((_, column)) = source.column(Field::User).and_then(|column| column.refers_to.clone())
            && key != Some(column.as_str())
            && !columns.contains(&column)
        {
            columns.push(column);
        }
    }
    columns
}
