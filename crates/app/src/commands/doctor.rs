//! `rollcall doctor`

use clap::Args as ClapArgs;
use rollcall_recognition::FileStatus;
use serde_json::json;

use crate::cli::{Partly, say, shown, wait_for};
use crate::settings::{BadSettings, Settings};
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

/// Looks at everything the program needs.
pub(crate) fn run(args: &Args, settings: Result<Settings, BadSettings>) -> anyhow::Result<()> {
    let findings = match &settings {
        Err(bad) => vec![Finding { what: "settings", result: Err(bad.to_string()) }],
        Ok(settings) => {
            let read = Finding { what: "settings", result: Ok("all readable".into()) };
            let mut findings = vec![read, keys(settings), models(settings), engine(settings)];
            findings.push(wait_for(async { Ok(database(settings).await) })?);
            findings
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
        say(&json!({ "ok": failed == 0, "checks": checks }).to_string());
    } else {
        for finding in &findings {
            match &finding.result {
                Ok(text) => say(&format!("ok      {}: {text}", finding.what)),
                Err(text) => say(&format!("MISSING {}: {text}", finding.what)),
            }
        }
    }
    match (failed, settings) {
        (0, _) => Ok(()),
        (_, Err(bad)) => Err(bad.into()),
        (failed, Ok(_)) => Err(Partly(format!("{failed} of {} checks failed", findings.len())).into()),
    }
}

fn keys(settings: &Settings) -> Finding {
    let result = wiring::keys(settings)
        .map(|_| "JWT_SECRET_KEY and DATA_KEY are there".into())
        .map_err(|error| format!("{error:#}"));
    Finding { what: "keys", result }
}

fn models(settings: &Settings) -> Finding {
    let result = wiring::manifest(settings).map_err(|error| format!("{error:#}")).and_then(|manifest| {
        let pack = manifest.pack(settings.pack()).map_err(|error| error.to_string())?;
        let bad: Vec<String> = pack
            .verify(&settings.models_dir)
            .into_iter()
            .filter(|(_, status)| *status != FileStatus::Verified)
            .map(|(file, status)| format!("{} is {status}", file.name))
            .collect();
        if bad.is_empty() {
            return Ok(format!("pack {} is complete in {}", settings.pack(), shown(&settings.models_dir)));
        }
        Err(format!("{}. Run `rollcall models install {}`", bad.join(", "), settings.pack()))
    });
    Finding { what: "models", result }
}

fn engine(settings: &Settings) -> Finding {
    let result =
        wiring::engine(settings).map(|_| "ONNX Runtime and the models work".into()).map_err(|error| {
            format!("{error:#}. Run `cargo xtask setup`, or point ORT_DYLIB_PATH at libonnxruntime.so")
        });
    Finding { what: "face engine", result }
}

async fn database(settings: &Settings) -> Finding {
    let result = async {
        let database = wiring::database(settings).await?;
        let status = rollcall_migration::status(database.connection()).await?;
        let (pending, unknown) = (status.pending.len(), status.unknown.len());
        anyhow::ensure!(
            unknown == 0,
            "it was written by a newer version of this program; update the program"
        );
        anyhow::ensure!(
            pending == 0,
            "{pending} migration(s) are pending. Run `rollcall migrate up`, or start the server, which does"
        );
        anyhow::Ok(format!("reachable, {} migrations applied", status.applied.len()))
    };
    Finding { what: "database", result: result.await.map_err(|error| format!("{error:#}")) }
}
