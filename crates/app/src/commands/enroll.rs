//! `rollcall enroll`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args as ClapArgs;
use indicatif::{ProgressBar, ProgressStyle};
use rollcall_domain::access::{Actor, Role};
use rollcall_domain::face::{FaceSource, Photo};
use rollcall_domain::id::UserId;
use rollcall_domain::text::canonical;
use rollcall_domain::user::{ConsentVersion, EmailAddress, EmployeeCode, PersonName, Status, UserFilter};
use rollcall_usecases::enroll::{EnrollError, EnrollRequest, Enrollment, Rejected};
use rollcall_usecases::users::{NewUser, UserQuery};
use serde_json::json;

use crate::cli::{Partly, pictures, say, shown, wait_for};
use crate::settings::Settings;
use crate::wiring::System;

#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// The folder. Each folder in it is a person; or a labels.csv with the columns file and identity says whose
    /// each photo is.
    #[arg(long)]
    dir: PathBuf,
    /// The version of the consent text to which every one of these people has agreed.
    #[arg(long, value_name = "VERSION")]
    consent: String,
    /// Most photos of one person that are tried.
    #[arg(long, default_value_t = 20)]
    photos: usize,
    /// Only the first people, by name.
    #[arg(long)]
    people: Option<usize>,
    /// One JSON object a person.
    #[arg(long)]
    json: bool,
}

/// What came of one person.
struct Outcome {
    name: String,
    result: anyhow::Result<Enrollment>,
}

/// Enrolls people from a folder.
pub(crate) fn run(settings: &Settings, args: &Args) -> anyhow::Result<()> {
    let consent = ConsentVersion::parse(&args.consent).context("--consent")?;
    let mut people =
        if args.dir.join("labels.csv").is_file() { labeled(&args.dir)? } else { folders(&args.dir)? };
    if let Some(most) = args.people {
        people = people.into_iter().take(most).collect();
    }
    if people.is_empty() {
        bail!("{} has neither folders with photos nor a labels.csv", shown(&args.dir));
    }
    let outcomes = wait_for(enroll_all(settings, args, consent, people))?;
    summarize(args, outcomes)
}

/// One folder a person, named like the person.
fn folders(dir: &Path) -> anyhow::Result<BTreeMap<String, Vec<PathBuf>>> {
    let mut people = BTreeMap::new();
    for entry in std::fs::read_dir(dir).with_context(|| format!("reading {}", shown(dir)))? {
        let path = entry?.path();
        if let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|_| path.is_dir()) {
            let photos = pictures(&path)?;
            if !photos.is_empty() {
                people.insert(name.to_owned(), photos);
            }
        }
    }
    Ok(people)
}

/// `labels.csv` with the columns `file` and `identity`; other columns are not looked at.
fn labeled(dir: &Path) -> anyhow::Result<BTreeMap<String, Vec<PathBuf>>> {
    let mut reader = csv::Reader::from_path(dir.join("labels.csv")).context("reading labels.csv")?;
    let header = reader.headers()?.clone();
    let column = |name: &str| header.iter().position(|h| h.trim() == name);
    let (Some(file), Some(identity)) = (column("file"), column("identity")) else {
        bail!("labels.csv needs the columns file and identity");
    };
    let mut people: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for row in reader.records() {
        let row = row?;
        people.entry(row[identity].trim().to_owned()).or_default().push(dir.join(row[file].trim()));
    }
    Ok(people)
}

async fn enroll_all(
    settings: &Settings,
    args: &Args,
    consent: ConsentVersion,
    people: BTreeMap<String, Vec<PathBuf>>,
) -> anyhow::Result<Vec<Outcome>> {
    let system = Arc::new(System::with_gallery(settings).await?);
    let bar = ProgressBar::new(people.len() as u64);
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} people  {msg}  {eta} left")?);
    // As many people at once as there are recognition threads: each keeps one busy.
    let places = Arc::new(tokio::sync::Semaphore::new(settings.workers));
    let mut running = tokio::task::JoinSet::new();
    for (name, mut photos) in people {
        photos.truncate(args.photos);
        let (system, places, consent, bar) = (system.clone(), places.clone(), consent.clone(), bar.clone());
        running.spawn(async move {
            let _place = places.acquire().await;
            let result = enroll_one(&system, &name, &photos, consent).await;
            bar.inc(1);
            bar.set_message(name.clone());
            Outcome { name, result }
        });
    }
    let mut outcomes = running.join_all().await;
    bar.finish_and_clear();
    outcomes.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(outcomes)
}

async fn enroll_one(
    system: &System,
    name: &str,
    photos: &[PathBuf],
    consent: ConsentVersion,
) -> anyhow::Result<Enrollment> {
    let user = person(system, name).await?;
    let mut read = Vec::new();
    for file in photos {
        read.push(Photo(
            tokio::fs::read(file).await.with_context(|| format!("reading {}", shown(file)))?.into(),
        ));
    }
    let request = EnrollRequest {
        user,
        photos: read,
        consent: Some(consent),
        allow_duplicate: false,
        replace: false,
        reason: None,
        source: FaceSource::Cli,
    };
    Ok(system.usecases.faces.enroll(&Actor::Operator, request).await?)
}

/// The person whose employee code is that name, added if there is none: so that a second run finds the people of
/// the first.
async fn person(system: &System, name: &str) -> anyhow::Result<UserId> {
    let users = &system.usecases.users;
    let filter = UserFilter { q: Some(name.to_owned()), ..UserFilter::default() };
    let found = users.list(&Actor::Operator, UserQuery { filter, ..UserQuery::default() }).await?;
    let code = EmployeeCode::parse(name)?;
    let same =
        |other: &Option<EmployeeCode>| other.as_ref().is_some_and(|o| o.canonical() == code.canonical());
    if let Some(known) = found.items.iter().find(|profile| same(&profile.user.employee_code)) {
        return Ok(known.user.id);
    }
    // A reserved domain (RFC 2606): nobody can ever get mail, or a password, there.
    let local: String = canonical(name).chars().map(|c| if c.is_alphanumeric() { c } else { '.' }).collect();
    let new = NewUser {
        name: PersonName::parse(&name.replace('_', " "))?,
        email: EmailAddress::parse(&format!("{}@enrolled.invalid", local.trim_matches('.')))?,
        role: Role::Employee,
        status: Status::Active,
        password: None,
        employee_code: Some(code),
        department: None,
        timezone: None,
        join_date: None,
        default_shift: None,
    };
    Ok(users.create(&Actor::Operator, new).await?.user.id)
}

fn summarize(args: &Args, outcomes: Vec<Outcome>) -> anyhow::Result<()> {
    let (mut accepted, mut failed) = (0, 0);
    let mut reasons: BTreeMap<&'static str, usize> = BTreeMap::new();
    let total = outcomes.len();
    for Outcome { name, result } in outcomes {
        let (line, object, rejected) = match result {
            Ok(done) => {
                accepted += done.accepted.len();
                let line =
                    format!("{name}: {} accepted, {} refused", done.accepted.len(), done.rejected.len());
                let object = json!({
                    "person": name, "user_id": done.user.to_string(), "status": done.status.name(),
                    "accepted": done.accepted.len(), "rejected": refusals(&done.rejected),
                });
                (line, object, done.rejected)
            }
            Err(error) => {
                failed += 1;
                let line = format!("{name}: {error:#}");
                let object = json!({ "person": name, "error": format!("{error:#}") });
                let rejected = match error.downcast::<EnrollError>() {
                    Ok(EnrollError::NoAcceptableImage(rejected)) => rejected,
                    _ => Vec::new(),
                };
                (line, object, rejected)
            }
        };
        for photo in &rejected {
            *reasons.entry(photo.flaw.code()).or_default() += 1;
        }
        if args.json {
            say(&object.to_string());
        } else if !rejected.is_empty() || object.get("error").is_some() {
            say(&line);
        }
    }
    if !args.json {
        let refused: usize = reasons.values().sum();
        say(&format!(
            "{total} people: {accepted} photos accepted, {refused} refused, {failed} people not enrolled"
        ));
        for (reason, count) in reasons {
            say(&format!("    {reason}: {count}"));
        }
    }
    if failed > 0 {
        Err(Partly(format!("{failed} of {total} people were not enrolled")).into())
    } else {
        Ok(())
    }
}

fn refusals(rejected: &[Rejected]) -> Vec<serde_json::Value> {
    rejected
        .iter()
        .map(|photo| json!({ "image_index": photo.image_index, "code": photo.flaw.code() }))
        .collect()
}
