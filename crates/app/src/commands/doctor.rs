//! `rollcall doctor`

use std::path::Path;

use clap::Args as ClapArgs;
use rollcall_migration::SCHEMA;
use rollcall_platform::FolderProbe;
use rollcall_recognition::models::Source;
use rollcall_recognition::{FileStatus, StartError};
use rollcall_storage::Database;
use serde_json::json;

use crate::console::{block_on, display, print};
use crate::settings::{BadSettings, DatabaseSetting, Settings};
use crate::wiring;

#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// One JSON object instead of lines.
    #[arg(long)]
    json: bool,
}

/// One thing that was looked at.
struct Finding {
    what: &'static str,
    /// What is there, or what is wrong and how to mend it.
    result: Result<String, String>,
}

/// Looks at everything the program needs, and changes nothing.
pub(crate) fn run(args: &Args, settings: Result<Settings, BadSettings>) -> anyhow::Result<()> {
    let findings = match &settings {
        Err(bad) => vec![Finding { what: "settings", result: Err(bad.to_string()) }],
        Ok(settings) => {
            let models = models(settings);
            let engine = engine(settings, models.is_ok());
            let database = block_on(async { Ok(database(settings).await) })?;
            [
                ("settings", Ok("all readable".into())),
                ("data folder", data_folder(settings)),
                ("keys", keys(settings, block_on(async { Ok(has_noted_key(settings).await) })?)),
                ("models", models),
                ("face engine", engine),
                ("database", database),
            ]
            .into_iter()
            .map(|(what, result)| Finding { what, result })
            .collect()
        }
    };
    let failed = findings.iter().filter(|finding| finding.result.is_err()).count();
    if args.json {
        let checks: Vec<_> = findings
            .iter()
            .map(|finding| match &finding.result {
                Ok(text) => json!({ "check": finding.what, "ok": true, "detail": text }),
                Err(text) => json!({ "check": finding.what, "ok": false, "detail": text }),
            })
            .collect();
        print(&json!({ "ok": failed == 0, "checks": checks }).to_string());
    } else {
        for finding in &findings {
            match &finding.result {
                Ok(text) => print(&format!("ok      {}: {text}", finding.what)),
                Err(text) => print(&format!("FAILED  {}: {text}", finding.what)),
            }
        }
    }
    match (failed, settings) {
        (0, _) => Ok(()),
        (_, Err(bad)) => Err(bad.into()),
        (failed, Ok(_)) => anyhow::bail!("{failed} of {} checks failed", findings.len()),
    }
}

fn data_folder(settings: &Settings) -> Result<String, String> {
    let dir = &settings.data_dir;
    // The first start makes it, and every folder above it that is missing.
    let above = dir.ancestors().find(|above| above.exists()).filter(|above| !above.as_os_str().is_empty());
    match FolderProbe::new(above.unwrap_or(Path::new(".")).into()).may_write() {
        Ok(()) if dir.exists() => Ok(format!("{} can be written", display(dir))),
        Ok(()) => Ok(format!("{} is not there yet; the first start makes it", display(dir))),
        Err(why) => Err(wiring::unusable_folder(dir, &why).to_string()),
    }
}

/// `noted` tells whether there is a database that was written with a key.
fn keys(settings: &Settings, noted: bool) -> Result<String, String> {
    let causes = |error: anyhow::Error| format!("{error:#}");
    let jwt = wiring::has_jwt_key(settings).map_err(causes)?;
    let data = wiring::data_keys(settings).map_err(causes)?.is_some();
    match (jwt, data, noted) {
        (true, true, _) => Ok("JWT_SECRET_KEY and DATA_KEY are there".into()),
        (_, false, true) => {
            let [(name, _), _] = wiring::where_keys_are(settings);
            Err(format!(
                "there is a database, but not the {name} it was written with ({}). Put it back from your backup of the \
                 keys; with another one no stored face can be opened",
                display(&settings.data_dir.join("data.key"))
            ))
        }
        _ => Ok(format!("what is not set is made at the first start, in {}", display(&settings.data_dir))),
    }
}

/// Whether anything was written with a `DATA_KEY`; the tables alone are not. Older tables do not tell, and count.
async fn has_noted_key(settings: &Settings) -> bool {
    if !is_there(settings) {
        return false;
    }
    let Ok(database) = wiring::reached_database(settings).await else { return true };
    let noted = database.has_key(&[0; 32]).await;
    database.close().await;
    noted.map_or(true, |same| same.is_some())
}

/// Whether there is an embedded database already.
fn is_there(settings: &Settings) -> bool {
    let file = wiring::database_url(settings).ok().and_then(|url| Some(url.path()?.metadata().ok()?.len()));
    file.is_some_and(|bytes| bytes > 0)
}

fn models(settings: &Settings) -> Result<String, String> {
    let manifest = wiring::manifest(settings).map_err(|error| format!("{error:#}"))?;
    let pack =
        manifest.pack(settings.pack()).map_err(|error| format!("MODEL_PACK={}: {error}", settings.pack()))?;
    let bad: Vec<_> = pack
        .verify(&settings.models_dir)
        .into_iter()
        .filter(|(_, status)| *status != FileStatus::Verified)
        .collect();
    if bad.is_empty() {
        return Ok(format!("pack {} is complete in {}", settings.pack(), display(&settings.models_dir)));
    }
    let unpinned: Vec<&str> =
        bad.iter().filter(|(file, _)| file.sha256.is_none()).map(|(file, _)| file.name.as_str()).collect();
    if !unpinned.is_empty() {
        // Nothing is installed whose content is not known.
        return Err(format!(
            "{} has no pinned hash, so pack {} cannot be installed by command. Choose another MODEL_PACK (`rollcall models \
             list`), or describe its files in a manifest of your own (MODELS_MANIFEST, see models/README.md)",
            unpinned.join(", "),
            settings.pack()
        ));
    }
    let names: Vec<String> = bad.iter().map(|(file, status)| format!("{} is {status}", file.name)).collect();
    let mut remedy = format!("Run `rollcall models install {}`", settings.pack());
    if bad.iter().any(|(file, _)| matches!(file.source(), Source::Folder)) {
        remedy = format!(
            "Run `rollcall models install {} --from FOLDER` with the folder that has them: not all of them have a public \
             address",
            settings.pack()
        );
    }
    Err(format!("{} in {}. {remedy}", names.join(", "), display(&settings.models_dir)))
}

fn engine(settings: &Settings, models_are_there: bool) -> Result<String, String> {
    if !models_are_there {
        return Err("not tried, because the models are not in order (see above)".into());
    }
    wiring::engine(settings).map(|_| "ONNX Runtime and the models work".into()).map_err(|error| {
        let remedy = match error.downcast_ref::<StartError>() {
            Some(StartError::Runtime { .. }) if Path::new("crates/xtask").is_dir() => {
                ". Run `cargo xtask setup`, or set ORT_DYLIB_PATH to a libonnxruntime.so"
            }
            Some(StartError::Runtime { .. }) => {
                ". Set ORT_DYLIB_PATH to the libonnxruntime.so of an ONNX Runtime release"
            }
            Some(StartError::Open { .. } | StartError::SelfTest(_)) => {
                ". The files are the right ones, so it is ONNX Runtime that does not suit them: install a newer one"
            }
            _ => "",
        };
        format!("{error:#}{remedy}")
    })
}

async fn database(settings: &Settings) -> Result<String, String> {
    let embedded = settings.database == DatabaseSetting::Embedded;
    let is_file = wiring::database_url(settings).is_ok_and(|url| url.path().is_some());
    if (embedded || is_file) && !is_there(settings) {
        return Ok("is not there yet; the first start makes it".into());
    }
    let looked = async {
        let database = wiring::reached_database(settings).await?;
        let found = look(settings, &database).await;
        database.close().await;
        found
    };
    looked.await.map_err(|error: anyhow::Error| format!("{error:#}"))
}

async fn look(settings: &Settings, database: &Database) -> anyhow::Result<String> {
    let connection = database.connection();
    let status = SCHEMA.status(connection).await?;
    if let Some(unsound) = SCHEMA.check(connection).await? {
        return Err(unsound.into());
    }
    let (pending, unknown) = (status.pending.len(), status.unknown.len());
    anyhow::ensure!(unknown == 0, "it was written by a newer version of this program; update the program");
    if status.applied.is_empty() {
        return Ok("reachable and empty; the first start makes the tables".into());
    }
    anyhow::ensure!(
        pending == 0,
        "{pending} migration(s) are pending. Run `rollcall backup`, then `rollcall migrate up`, or start the server, which \
         migrates"
    );
    if let Some(keys) = wiring::data_keys(settings)?
        && database.has_key(keys.check.expose()).await? == Some(false)
    {
        return Err(wiring::WrongKey::of(settings).into());
    }
    Ok(format!("reachable, {} migrations applied", status.applied.len()))
}
