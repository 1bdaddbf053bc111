//! `rollcall backup`

pub(crate) mod file;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args as ClapArgs;
use rollcall_migration::{RESTORING, SCHEMA, Schema};
use rollcall_platform::{Keys, SystemClock};
use rollcall_ports::clock::Clock;
use rollcall_storage::{Database, Snapshot};
use serde_json::json;

use self::file::{Head, Writer};
use crate::console::{block_on, display, print, print_error};
use crate::settings::Settings;
use crate::wiring::{self, KeptIn};

/// Logins are not in a backup: those that were ended since would be good again. Nor is what belongs to the schema.
pub(super) const LEFT_OUT: [&str; 5] =
    ["sessions", "refresh_tokens", "seaql_migrations", "migration_begun", RESTORING];

#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// The file to write, which must not exist yet; - for standard output. Without it a file named after the time, in this
    /// folder.
    file: Option<PathBuf>,
    /// One JSON object instead of lines.
    #[arg(long)]
    json: bool,
}

/// What was written.
struct Written {
    tables: usize,
    rows: u64,
    /// Tables, and columns as `table.column`, that are not this program's.
    left_out: Vec<String>,
}

/// What a backup after so many steps of a schema holds: the columns by their tables.
pub(super) async fn tables_after(
    schema: Schema,
    steps: usize,
) -> anyhow::Result<BTreeMap<String, BTreeSet<String>>> {
    let mut tables = schema.made_by(steps).await.context("working out the schema")?;
    tables.retain(|table, _| !LEFT_OUT.contains(&table.as_str()));
    Ok(tables)
}

/// Writes all data into one file, as it is at this moment, while servers go on.
pub(crate) fn run(settings: &Settings, args: &Args) -> anyhow::Result<()> {
    let keys = keys_of_the_data(settings)?;
    let made_at = SystemClock.now().to_string();
    let seconds = made_at.split('.').next().unwrap_or_default().trim_end_matches('Z').replace(':', "-");
    let path = args.file.clone().unwrap_or_else(|| format!("rollcall-{seconds}Z.backup").into());
    let to_standard_output = path.as_os_str() == "-";
    let written = if to_standard_output {
        let (written, mut out) = block_on(write(settings, &keys, &made_at, io::stdout()))?;
        out.flush().context("writing to standard output")?;
        written
    } else {
        whole_or_not_at_all(settings, &keys, &made_at, &path)?
    };
    // Standard output may be the backup itself.
    let tell = if to_standard_output { print_error } else { print };
    let kept = wiring::where_keys_are(settings);
    if args.json {
        let keys: serde_json::Map<String, serde_json::Value> = kept
            .iter()
            .map(|(name, kept)| match kept {
                KeptIn::Settings => ((*name).to_owned(), "settings".into()),
                KeptIn::File(path) => ((*name).to_owned(), display(path).into()),
            })
            .collect();
        tell(
            &json!({
                "file": display(&path), "made_at": made_at, "tables": written.tables, "rows": written.rows,
                "keys_included": false, "keys": keys, "left_out": written.left_out,
            })
            .to_string(),
        );
        return Ok(());
    }
    tell(&format!("{} rows of {} tables are backed up in {}", written.rows, written.tables, display(&path)));
    if !written.left_out.is_empty() {
        let names = written.left_out.join(", ");
        tell(&format!(
            "Not in it, because no version of this program made them: {names}. Keep a copy of your own"
        ));
    }
    tell(
        "The keys are not in it. Keep a copy of them in another place; whoever has both can read the face templates:",
    );
    for (name, kept) in &kept {
        match kept {
            KeptIn::Settings => {
                tell(&format!("    {name}, as your settings have it (environment, .env or rollcall.toml)"));
            }
            KeptIn::File(path) => tell(&format!("    {name} in {}", display(path))),
        }
    }
    tell("Names, hours and addresses are in it as they are: keep it where only few people can read it.");
    Ok(())
}

/// The keys with which the data was written. Without them a backup could not be told from an altered one, and would be of
/// no use.
pub(super) fn keys_of_the_data(settings: &Settings) -> anyhow::Result<Keys> {
    match wiring::data_keys(settings)? {
        Some(keys) => Ok(keys),
        None => {
            let [(name, kept), _] = wiring::where_keys_are(settings);
            let place = match kept {
                KeptIn::Settings => "the settings".to_owned(),
                KeptIn::File(path) => display(&path),
            };
            bail!("{name} is not there ({place}). Put it back from your backup of the keys, or set {name}")
        }
    }
}

/// Writes beside the target and links, so that there is never half a backup under the name.
fn whole_or_not_at_all(
    settings: &Settings,
    keys: &Keys,
    made_at: &str,
    path: &Path,
) -> anyhow::Result<Written> {
    if path.symlink_metadata().is_ok() {
        bail!("{} exists already and is not replaced; name another file", display(path));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Only its owner may read it.
    let draft = tempfile::Builder::new()
        .prefix(".rollcall-backup-")
        .tempfile_in(folder)
        .with_context(|| format!("making a file in {}", display(folder)))?;
    let (written, draft) = block_on(write(settings, keys, made_at, draft))?;
    draft.as_file().sync_all().with_context(|| format!("writing {}", display(path)))?;
    draft
        .persist_noclobber(path)
        .map_err(|error| error.error)
        .with_context(|| format!("naming {}", display(path)))?;
    fs::File::open(folder).and_then(|folder| folder.sync_all()).context("writing the folder")?;
    Ok(written)
}

async fn write<W: Write + Send>(
    settings: &Settings,
    keys: &Keys,
    made_at: &str,
    out: W,
) -> anyhow::Result<(Written, W)> {
    let url = wiring::database_url(settings)?;
    if url.path().is_some_and(|file| !file.is_file()) {
        bail!("there is no database yet ({url})");
    }
    let database = wiring::reached_database(settings).await?;
    let done = copy(settings, keys, made_at, &database, out).await;
    database.close().await;
    done
}

async fn copy<W: Write + Send>(
    settings: &Settings,
    keys: &Keys,
    made_at: &str,
    database: &Database,
    out: W,
) -> anyhow::Result<(Written, W)> {
    let status = SCHEMA.status(database.connection()).await.context("reading the database's state")?;
    if let Some(unknown) = status.unknown.first() {
        bail!(
            "the database was written by a newer version of this program (it has {unknown}); back up with that one"
        );
    }
    if status.applied.is_empty() {
        bail!("the database has no tables of this program yet; there is nothing to back up");
    }
    if let Some(unsound) = SCHEMA.check(database.connection()).await? {
        return Err(unsound.into());
    }
    if database.has_key(keys.check.expose()).await? == Some(false) {
        return Err(wiring::WrongKey::of(settings).into());
    }
    let snapshot = Snapshot::of(database).await?;
    let steps = snapshot.steps().await?;
    if !SCHEMA.steps().starts_with(&steps) {
        bail!(
            "the database took its steps in another order than this program takes them; a backup could not be restored"
        );
    }
    let known = tables_after(SCHEMA, steps.len()).await?;
    let head = Head::new(made_at.to_owned(), database.driver(), steps, keys);
    let mut writer = Writer::begin(out, &head, keys).context("writing the backup")?;
    let (mut tables, mut left_out) = (0, Vec::new());
    for mut table in snapshot.tables().await? {
        if LEFT_OUT.contains(&table.name.as_str()) {
            continue;
        }
        let Some(columns) = known.get(&table.name) else {
            left_out.push(table.name);
            continue;
        };
        let others = table.keep(|column| columns.contains(column));
        left_out.extend(others.iter().map(|column| format!("{}.{column}", table.name)));
        tables += 1;
        writer.table(&table.name, &table.columns).context("writing the backup")?;
        let copied = snapshot.rows(&table, |row| writer.row(row)).await;
        copied.with_context(|| format!("copying the table {}", table.name))?;
    }
    let (rows, out) = writer.finish().context("writing the backup")?;
    Ok((Written { tables, rows, left_out }, out))
}
