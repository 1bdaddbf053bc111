//! `rollcall restore`

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args as ClapArgs;
use rollcall_migration::{RESTORING, SCHEMA, Schema};
use rollcall_platform::Keys;
use rollcall_storage::{Database, DatabaseUrl, Loading, Options, Vacant};
use sea_orm_migration::sea_orm::ConnectionTrait;
use serde_json::json;

use super::backup::file::{Head, Item, Reader};
use super::backup::{LEFT_OUT, keys_of_the_data, tables_after};
use crate::console::{block_on, display, print};
use crate::settings::Settings;
use crate::wiring;

#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// The file that `rollcall backup` wrote; - for standard input.
    file: PathBuf,
    /// Only see whether the backup is whole and fits this program and DATA_KEY; change nothing.
    #[arg(long)]
    check: bool,
    /// One JSON object instead of lines.
    #[arg(long)]
    json: bool,
}

/// What a backup holds, or what was stored.
#[derive(Debug, Clone, Copy, Default)]
struct Content {
    tables: usize,
    rows: u64,
}

/// Writes a backup into the empty database of the settings. All of the file is looked at before anything is touched.
pub(crate) fn run(settings: &Settings, args: &Args) -> anyhow::Result<()> {
    let keys = keys_of_the_data(settings)?;
    let mut file = opened(settings, &args.file)?;
    let (head, content) = examined(SCHEMA, &keys, &mut file).with_context(|| display(&args.file))?;
    if !args.check {
        let url = wiring::database_url(settings)?;
        block_on(async {
            match url.path() {
                Some(path) => into_a_file(path, &keys, &head, &mut file).await,
                None => into_a_server(settings, &keys, &head, &mut file).await,
            }
        })?;
    }
    if args.json {
        print(&json!({
            "file": display(&args.file), "made_at": head.made_at, "program": head.program, "database": head.database,
            "tables": content.tables, "rows": content.rows, "restored": !args.check,
        })
        .to_string());
        return Ok(());
    }
    let Content { tables, rows } = content;
    let what =
        format!("{rows} rows of {tables} tables, made at {} by version {}", head.made_at, head.program);
    if args.check {
        print(&format!("the backup is whole and can be restored here: {what}"));
        return Ok(());
    }
    print(&format!("restored {what}"));
    print("All users must log in again.");
    print("Erasures, suspensions and password changes made after the backup are undone. Repeat them.");
    Ok(())
}

/// The file, which is read twice; standard input is put down in a file without a name first.
fn opened(settings: &Settings, path: &Path) -> anyhow::Result<File> {
    if path.as_os_str() != "-" {
        return File::open(path).with_context(|| format!("opening {}", display(path)));
    }
    // In a container the usual place for temporary files is memory.
    let data = &settings.data_dir;
    let folder = if data.is_dir() { data.clone() } else { std::env::temp_dir() };
    let spooled = tempfile::tempfile_in(&folder);
    let mut spooled = spooled.with_context(|| format!("making a temporary file in {}", display(&folder)))?;
    io::copy(&mut io::stdin().lock(), &mut spooled).context("reading standard input")?;
    spooled.rewind()?;
    Ok(spooled)
}

/// Reads all of it, and refuses what could not be restored into a schema.
fn examined(schema: Schema, keys: &Keys, file: &mut File) -> anyhow::Result<(Head, Content)> {
    let mut reader = Reader::begin(file, keys)?;
    let known = schema.steps();
    if let Some(newer) = reader.head.steps.iter().find(|step| !known.contains(step)) {
        bail!("it was made by a newer version of this program (it has {newer}); update the program");
    }
    if !reader.head.has_key(keys) {
        bail!("it was made with another DATA_KEY than the one here. {}", wiring::WrongKey::REMEDY);
    }
    let (mut content, mut tables) = (Content::default(), Vec::new());
    while let Some(item) = reader.next()? {
        match item {
            Item::Table { name, columns } => {
                content.tables += 1;
                tables.push((name, columns));
            }
            Item::Row(_) => content.rows += 1,
        }
    }
    // Steps are taken in order, so those on record are the first ones.
    if !known.starts_with(&reader.head.steps) {
        bail!("its schema is none that this program ever had");
    }
    let made = block_on(tables_after(schema, reader.head.steps.len()))?;
    let mut strange = Vec::new();
    for (table, columns) in tables {
        match made.get(&table) {
            None => strange.push(table),
            Some(made) => {
                let others = columns.iter().filter(|column| !made.contains(*column));
                strange.extend(others.map(|column| format!("{table}.{column}")));
            }
        }
    }
    if !strange.is_empty() {
        let names = strange.join(", ");
        bail!(
            "it holds tables or columns that no version of this program makes, so nothing could take them: {names}"
        );
    }
    Ok((reader.head, content))
}

/// Makes a new file beside the place and puts it there when it is whole.
async fn into_a_file(path: &Path, keys: &Keys, head: &Head, file: &mut File) -> anyhow::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        wiring::make_private(folder)?;
    }
    let vacant =
        Vacant::keep(path).with_context(|| format!("the database {} cannot be restored", display(path)))?;
    if path.exists() {
        let there = Database::connect(Options::new(DatabaseUrl::file(path))).await?;
        let tables = there.tables().await;
        there.close().await;
        refuse_tables(&display(path), &tables?)?;
    }
    let database = Database::connect(Options::new(DatabaseUrl::file(vacant.draft()))).await?;
    let loaded = load(SCHEMA, &database, keys, head, file).await;
    database.close().await;
    loaded?;
    vacant.fill().with_context(|| format!("putting the database into its place {}", display(path)))
}

/// Fills the empty database of a server. There tables cannot be made in the transaction of the rows, so a mark says until
/// the end that what is there is nobody's.
async fn into_a_server(settings: &Settings, keys: &Keys, head: &Head, file: &mut File) -> anyhow::Result<()> {
    let database = wiring::reached_database(settings).await?;
    let work = async {
        refuse_others(&database).await?;
        let tables = database.tables().await?;
        if tables.iter().any(|table| table == RESTORING) {
            // The mark is made before anything else and goes after everything else.
            drop_all(&database).await.context("clearing away what a restore that broke off has left")?;
        } else {
            refuse_tables("the database", &tables)?;
        }
        let mark = format!("CREATE TABLE {RESTORING} (id INTEGER PRIMARY KEY)");
        database.connection().execute_unprepared(&mark).await.context("making the first table")?;
        let loaded = load(SCHEMA, &database, keys, head, file).await;
        if let Err(error) = loaded {
            let cleared = drop_all(&database).await;
            let rest = match cleared {
                Ok(()) => "the database is empty again",
                Err(_) => {
                    "what was made could not be cleared away; the next `rollcall restore` does that first"
                }
            };
            return Err(error.context(format!("the backup could not be restored; {rest}")));
        }
        let mark = [RESTORING.to_owned()];
        database.drop_tables(&mark).await.context("striking out the mark of the restore")
    };
    let done = database.alone_with(work).await.context("keeping others out")?;
    database.close().await;
    done
}

/// Refuses if others are connected, and goes on being so: a connection that was just closed may still be listed.
async fn refuse_others(database: &Database) -> anyhow::Result<()> {
    let mut others = database.others().await?;
    for _ in 0..10 {
        if others == 0 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        others = database.others().await?;
    }
    bail!(
        "{others} other connection(s) use this database: a server, or another command. Stop it first. Nothing was changed"
    )
}

fn refuse_tables(place: &str, tables: &[String]) -> anyhow::Result<()> {
    if tables.is_empty() {
        return Ok(());
    }
    bail!(
        "{place} is not empty: it has {} tables. A backup is only restored into an empty database, so that nothing is lost \
         and nothing is mixed. Move the old one away (with SQLite the file and those beside it; with MySQL create \
         another database, or drop and create this one), then run this again. Nothing was changed",
        tables.len()
    )
}

/// Everything but the mark, which goes last.
async fn drop_all(database: &Database) -> anyhow::Result<()> {
    let mut tables = database.tables().await?;
    tables.retain(|table| table != RESTORING);
    database.drop_tables(&tables).await?;
    Ok(database.drop_tables(&[RESTORING.to_owned()]).await?)
}

/// Makes the tables as they were when the backup was made, fills them, and brings them up to date.
async fn load(
    schema: Schema,
    database: &Database,
    keys: &Keys,
    head: &Head,
    file: &mut File,
) -> anyhow::Result<()> {
    let connection = database.connection();
    schema.up_to(connection, head.steps.len()).await.context("making the tables")?;
    // Steps put rows into some of them.
    let mut emptied = database.tables().await?;
    emptied.retain(|table| !LEFT_OUT.contains(&table.as_str()));
    file.rewind().context("reading the backup again")?;
    let mut reader = Reader::begin(file.by_ref(), keys)?;
    let loading = Loading::begin(database, &emptied).await?;
    let (mut name, mut columns, mut rows) = (String::new(), Vec::new(), Vec::new());
    let mut bytes = 0;
    loop {
        let item = reader.next()?;
        let is_row = matches!(item, Some(Item::Row(_)));
        let full = rows.len() >= Loading::at_once(columns.len()) || bytes >= AT_ONCE;
        if !is_row || full {
            let stored = loading.rows(&name, &columns, std::mem::take(&mut rows)).await;
            stored.with_context(|| format!("filling the table {name}"))?;
            bytes = 0;
        }
        match item {
            Some(Item::Table { name: next, columns: of_it }) => (name, columns) = (next, of_it),
            Some(Item::Row(row)) => {
                bytes += row.iter().map(size).sum::<usize>();
                rows.push(row);
            }
            None => break,
        }
    }
    loading.commit().await.context("storing the rows")?;
    schema.up(connection).await.context("bringing the tables up to date")
}

/// About as much is sent in one statement; servers refuse what is very long.
const AT_ONCE: usize = 512 * 1024;

fn size(cell: &rollcall_storage::Cell) -> usize {
    match cell {
        rollcall_storage::Cell::Text(text) => text.len(),
        rollcall_storage::Cell::Bytes(bytes) => bytes.len(),
        _ => 8,
    }
}

#[cfg(test)]
mod tests {
    use rollcall_migration::columns::{add_column, number};
    use rollcall_storage::Cell;
    use sea_orm_migration::migrator::MigratorTraitSelf;
    use sea_orm_migration::prelude::*;

    use super::super::backup::file::Writer;
    use super::*;

    /// That of a version to come.
    const LATER: Schema = Schema::new(|| {
        let mut steps = SCHEMA.migrations();
        steps.push(Box::new(Tier));
        steps
    });

    struct Tier;

    impl MigrationName for Tier {
        fn name(&self) -> &'static str {
            "m0002_tier"
        }
    }

    #[async_trait::async_trait]
    impl MigrationTrait for Tier {
        async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
            add_column(manager, "counters", number("tier").not_null().default(7).take()).await
        }
    }

    fn refused(steps: &[String], words: &str) {
        let keys = Keys::from_data_key([1; 32]);
        let head = Head::new("2026-11-30T14:00:00Z".into(), "sqlite", steps.to_vec(), &keys);
        let mut file = tempfile::tempfile().unwrap();
        Writer::begin(file.try_clone().unwrap(), &head, &keys).unwrap().finish().unwrap();
        file.rewind().unwrap();
        match examined(LATER, &keys, &mut file) {
            Ok(_) => assert_eq!(words, ""),
            Err(error) => assert!(!words.is_empty() && format!("{error:#}").contains(words), "{error:#}"),
        }
    }

    #[test]
    fn a_backup_with_what_no_step_makes_is_refused() {
        let (keys, steps) = (Keys::from_data_key([1; 32]), SCHEMA.steps());
        let holding = |table: &str, columns: &[&str]| {
            let head = Head::new("2026-11-30T14:00:00Z".into(), "sqlite", steps.clone(), &keys);
            let mut file = tempfile::tempfile().unwrap();
            let mut writer = Writer::begin(file.try_clone().unwrap(), &head, &keys).unwrap();
            writer.table(table, &columns.iter().map(|column| (*column).into()).collect::<Vec<_>>()).unwrap();
            writer.finish().unwrap();
            file.rewind().unwrap();
            examined(SCHEMA, &keys, &mut file).map(|_| ()).map_err(|error| error.to_string())
        };
        assert_eq!(holding("counters", &["name", "value"]), Ok(()));
        assert!(holding("users_old", &["id"]).unwrap_err().ends_with(": users_old"));
        assert!(holding("users", &["id", "badge"]).unwrap_err().ends_with(": users.badge"));
        assert!(holding("sessions", &["id"]).is_err(), "logins are in no backup");
    }

    #[test]
    fn a_backup_of_a_newer_or_unknown_schema_is_refused() {
        let known = LATER.steps();
        refused(&known, "");
        refused(&known[..1], "");
        refused(&[known.clone(), vec!["m20990101_000001_future".into()]].concat(), "newer version");
        refused(&known[1..], "none that this program ever had");
    }

    /// Made before an upgrade, restored after it.
    #[tokio::test]
    async fn a_backup_of_an_older_schema_is_brought_up_to_date() {
        let keys = Keys::from_data_key([1; 32]);
        let head = Head::new("2026-11-30T14:00:00Z".into(), "sqlite", SCHEMA.steps(), &keys);
        let mut file = tempfile::tempfile().unwrap();
        let mut writer = Writer::begin(file.try_clone().unwrap(), &head, &keys).unwrap();
        writer.table("counters", &["name".into(), "value".into()]).unwrap();
        writer.row(&[Cell::Text("faces".into()), Cell::Whole(41)]).unwrap();
        writer.finish().unwrap();
        let database = Database::connect(Options::new("sqlite::memory:".parse().unwrap())).await.unwrap();
        load(LATER, &database, &keys, &head, &mut file).await.unwrap();
        let connection = database.connection();
        assert!(LATER.status(connection).await.unwrap().is_current());
        let sql = sea_orm_migration::sea_orm::Statement::from_string(
            connection.get_database_backend(),
            "SELECT name, value, tier FROM counters",
        );
        let rows = connection.query_all_raw(sql).await.unwrap();
        let row = |row: &sea_orm_migration::sea_orm::QueryResult| -> (String, i64, i64) {
            (
                row.try_get_by_index(0).unwrap(),
                row.try_get_by_index(1).unwrap(),
                row.try_get_by_index(2).unwrap(),
            )
        };
        assert_eq!(rows.iter().map(row).collect::<Vec<_>>(), [("faces".to_owned(), 41, 7)]);
    }
}
