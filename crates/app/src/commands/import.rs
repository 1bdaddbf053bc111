//! `rollcall import`

use std::io::Read;

use anyhow::{Context, bail};
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use rollcall_domain::access::Actor;
use rollcall_domain::calendar::Zone;
use rollcall_domain::text::is_of_a_line;
use rollcall_domain::user::ConsentVersion;
use rollcall_onboarding::import::{Case, Cases, ImportRequest, Kind, OldRecognizer, Report, Tally};
use rollcall_recognition::Manifest;
use rollcall_storage::{DatabaseUrl, MySqlLegacySystem};
use serde_json::{Value, json};

use crate::console::{PartialSuccess, block_on, print};
use crate::settings::{BadSettings, Settings};
use crate::wiring::{System, manifest};

/// The recognizer of the manifest that is dlib's network, which such systems used.
const RECOGNIZER: &str = "dlib-resnet-v1";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Bring in people, faces and attendance of a Flask system from its MySQL database; safe to repeat.
    ///
    /// Reads the tables users, departments, face_encodings, attendance_records and user_settings and never writes to
    /// them. MIGRATING.md beside this program's documentation tells what of them is understood.
    Flask(Args),
}

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Its database: mysql://user:password@host/name; the address in its own settings (mysql+pymysql://…) will do.
    #[arg(long)]
    url: String,
    /// Read the database's password from standard input, up to the first line end.
    #[arg(long)]
    password_stdin: bool,
    /// Say what would be done and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// The version of the consent text to which everybody has agreed whose face is brought in. Without it encodings
    /// wait.
    #[arg(long, value_name = "VERSION")]
    consent: Option<String>,
    /// The time zone of its dates and times (IANA), if it is not the organization's.
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// What to call the system. New ids follow from its name and old ids; give the name that was printed when its
    /// address has changed since.
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// One JSON object instead of words.
    #[arg(long)]
    json: bool,
}

impl std::fmt::Debug for Args {
    /// The address may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Args").field("dry_run", &self.dry_run).finish_non_exhaustive()
    }
}

/// Imports another system's data.
pub(crate) fn run(settings: &Settings, command: &Command) -> anyhow::Result<()> {
    let Command::Flask(args) = command;
    let url = address(args)?;
    let request = ImportRequest {
        system: args.source.clone(),
        zone: args.time_zone.as_deref().map(Zone::named).transpose().context("--time-zone")?,
        consent: args.consent.as_deref().map(ConsentVersion::parse).transpose().context("--consent")?,
        recognizer: recognizer(&manifest(settings)?)?,
        dry_run: args.dry_run,
    };
    let report = block_on(import(settings, url, request))?;
    if args.json {
        print(&object(&report).to_string());
    } else {
        lines(&report).iter().for_each(|line| print(&harmless(line)));
    }
    match report.refused() {
        0 => Ok(()),
        refused => {
            Err(PartialSuccess(format!("{refused} rows were not imported; the report says why")).into())
        }
    }
}

fn address(args: &Args) -> anyhow::Result<DatabaseUrl> {
    // SQLAlchemy names the driver, too.
    let text = match args.url.split_once("://") {
        Some((scheme, rest)) if scheme.starts_with("mysql+") || scheme == "mariadb" => {
            format!("mysql://{rest}")
        }
        _ => args.url.clone(),
    };
    if !text.starts_with("mysql://") {
        return Err(
            BadSettings::secret("--url", "only mysql://user:password@host/name is read".into()).into()
        );
    }
    let url: DatabaseUrl = text.parse().map_err(|why| BadSettings::secret("--url", format!("{why}")))?;
    if !args.password_stdin {
        return Ok(url);
    }
    let mut given = String::new();
    std::io::stdin().take(4096).read_to_string(&mut given).context("reading the password")?;
    Ok(url.with_password(given.lines().next().unwrap_or_default()))
}

/// Which recognizer the encodings are of.
fn recognizer(manifest: &Manifest) -> anyhow::Result<OldRecognizer> {
    let found =
        manifest.packs().map(|pack| &pack.recognizer).find(|recognizer| recognizer.name == RECOGNIZER);
    let Some(found) = found else { bail!("the manifest describes no recognizer {RECOGNIZER}") };
    let model =
        found.id().with_context(|| format!("the manifest pins no hash of the recognizer {RECOGNIZER}"))?;
    if found.dim != rollcall_onboarding::import::encoding::COMPONENTS {
        bail!("the manifest's recognizer {RECOGNIZER} does not have 128 components");
    }
    Ok(OldRecognizer { model, metric: found.metric })
}

async fn import(settings: &Settings, url: DatabaseUrl, request: ImportRequest) -> anyhow::Result<Report> {
    let old = MySqlLegacySystem::connect(url).await.context("opening the old database")?;
    let system = match request.dry_run {
        true => System::as_it_is(settings).await?,
        false => System::without_engine(settings).await?,
    };
    let bar = ProgressBar::new_spinner();
    bar.set_style(ProgressStyle::with_template("{spinner} {pos} people  {elapsed}")?);
    let done = system.import().run(&Actor::Operator, &old, request, &|people| bar.set_position(people)).await;
    bar.finish_and_clear();
    system.close().await;
    done.context("importing; what was imported so far stays, and another run goes on from there")
}

/// Names of tables and columns come from the other database: none of them may command the terminal.
fn harmless(line: &str) -> String {
    line.chars().map(|c| if is_of_a_line(c) { c } else { '\u{fffd}' }).collect()
}

/// What a person reads.
fn lines(report: &Report) -> Vec<String> {
    let mut lines = vec![format!("from {} (--source)", report.system)];
    if report.dry_run {
        lines.push("dry run: nothing was written".into());
    }
    let (added, events, leaves) = match report.dry_run {
        true => ("would be added", "punches would be added", "approved leaves would be added"),
        false => ("added", "punches added", "approved leaves added"),
    };
    for table in &report.tables {
        let tally = report.tally(table.kind);
        lines.push(format!(
            "{}: {} read, {} {added}, {} here already, {} not needed, {} rejected",
            table.name,
            tally.read,
            tally.created,
            tally.unchanged,
            total(&tally.needless),
            tally.refused()
        ));
        for (title, cases) in
            [("rejected", &tally.rejected), ("not needed", &tally.needless), ("left out", &tally.left_out)]
        {
            lines.extend(cases.0.iter().map(|(why, case)| format!("    {title}: {why}: {}", counted(case))));
        }
        if !table.ignored.is_empty() {
            lines.push(format!("    columns not read: {}", table.ignored.join(", ")));
        }
    }
    for kind in Kind::ALL.into_iter().filter(|kind| report.tables.iter().all(|table| table.kind != *kind)) {
        let tally = report.tally(kind);
        match tally.read {
            0 => lines.push(format!("{}: no such table", kind.name())),
            // Encodings and departments of which the people's table tells.
            _ => {
                lines.push(format!(
                    "{} (in the table of people): {} read, {} {added}, {} here already, {} not needed, {} rejected",
                    kind.name(),
                    tally.read,
                    tally.created,
                    tally.unchanged,
                    total(&tally.needless),
                    tally.refused()
                ));
                lines.extend(
                    tally
                        .rejected
                        .0
                        .iter()
                        .map(|(why, case)| format!("    rejected: {why}: {}", counted(case))),
                );
            }
        }
    }
    lines.push(format!("{} {events}", report.punches));
    lines.push(format!("{} {leaves}", report.leaves));
    for table in &report.other_tables {
        lines.push(format!("table not read: {} ({} rows): {}", table.name, table.rows, table.why));
    }
    if !report.statuses.is_empty() {
        let differing: u64 = report.statuses.values().map(|case| case.count).sum();
        lines.push(format!(
            "days that the old system read differently: {differing}; alike: {} (records follow our rules)",
            report.same_status
        ));
        for ((old, ours), case) in &report.statuses {
            lines.push(format!("    {} there, {} here: {}", old.name(), ours.name(), counted(case)));
        }
    }
    if !report.decisions.0.is_empty() {
        lines.push("needs a decision:".into());
        lines.extend(report.decisions.0.iter().map(|(what, case)| format!("    {what}: {}", counted(case))));
    }
    if !report.changes() {
        lines.push("nothing new: everything that can be imported is here already".into());
    }
    lines
}

fn total(cases: &Cases) -> u64 {
    cases.0.values().map(|case| case.count).sum()
}

fn counted(case: &Case) -> String {
    if case.examples.is_empty() {
        return case.count.to_string();
    }
    let more = if case.count > case.examples.len() as u64 { ", …" } else { "" };
    format!("{} (old ids {}{more})", case.count, case.examples.join(", "))
}

/// What a script reads.
fn object(report: &Report) -> Value {
    let tallies = report.tallies.iter().map(|(kind, tally)| (kind.name().to_owned(), tally_object(tally)));
    json!({
        "source": report.system,
        "dry_run": report.dry_run,
        "changed": report.changes() && !report.dry_run,
        "tables": report.tables.iter().map(|table| json!({
            "name": table.name, "read_as": table.kind.name(), "columns": table.used,
            "columns_not_read": table.ignored,
        })).collect::<Vec<_>>(),
        "tables_not_read": report.other_tables.iter().map(|table| json!({
            "name": table.name, "rows": table.rows, "why": table.why,
        })).collect::<Vec<_>>(),
        "rows": tallies.collect::<serde_json::Map<_, _>>(),
        "punches_added": report.punches,
        "leaves_added": report.leaves,
        "needs_a_decision": cases_object(&report.decisions),
        "status": {
            "same": report.same_status,
            "different": report.statuses.iter().map(|((old, ours), case)| json!({
                "old": old.name(), "here": ours.name(), "count": case.count, "old_ids": case.examples,
            })).collect::<Vec<_>>(),
        },
    })
}

fn tally_object(tally: &Tally) -> Value {
    json!({
        "read": tally.read, "created": tally.created, "unchanged": tally.unchanged,
        "rejected": cases_object(&tally.rejected), "not_needed": cases_object(&tally.needless),
        "left_out": cases_object(&tally.left_out),
    })
}

fn cases_object(cases: &Cases) -> Value {
    let object =
        |(why, case): (&String, &Case)| json!({ "why": why, "count": case.count, "old_ids": case.examples });
    cases.0.iter().map(object).collect()
}
