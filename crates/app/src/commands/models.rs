//! `rollcall models`

mod package;

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Subcommand;
use rollcall_recognition::models::Source;
use rollcall_recognition::{FileStatus, Manifest, ModelFile};
use serde_json::json;

use self::package::Packages;
use crate::console::{display, print};
use crate::settings::Settings;
use crate::wiring;

/// Nothing larger is downloaded: the largest known archive has 326 MB.
const MAX_DOWNLOAD: u64 = 1 << 30;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the packs of the manifest, their licenses, and whether they are installed.
    List {
        /// One JSON array instead of lines.
        #[arg(long)]
        json: bool,
    },
    /// Install packs into the models folder; files that are there and right stay.
    Install {
        /// Packs; MODEL_PACK if none is named.
        packs: Vec<String>,
        /// Take files from this folder where it has the right ones, before trying their addresses; for pack
        /// `dlib` also the Python package's source archive, or a folder that has it.
        #[arg(long)]
        from: Option<PathBuf>,
    },
    /// Check the files of packs against the manifest.
    Verify {
        /// Packs; MODEL_PACK if none is named.
        packs: Vec<String>,
    },
}

/// Lists, installs or verifies model files.
pub(crate) fn run(settings: &Settings, command: &Command) -> anyhow::Result<()> {
    let manifest = wiring::manifest(settings)?;
    match command {
        Command::List { json } => list(&manifest, settings, *json),
        Command::Install { packs, from } => install(&manifest, settings, packs, from.as_deref()),
        Command::Verify { packs } => verify(&manifest, settings, packs),
    }
}

fn list(manifest: &Manifest, settings: &Settings, as_json: bool) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for pack in manifest.packs() {
        let files = pack.verify(&settings.models_dir);
        let installed = files.iter().all(|(_, status)| *status == FileStatus::Verified);
        if !as_json {
            let mark = if installed { "installed" } else { "-" };
            let use_ = if pack.commercial() { "commercial use allowed" } else { "non-commercial only" };
            print(&format!("{:<20} {mark:<10} {use_}", pack.name));
            for (file, status) in &files {
                print(&format!("    {:<42} {status}; {}", file.name, file.license));
            }
        }
        let files: Vec<_> = files
            .iter()
            .map(|(file, status)| {
                json!({ "name": file.name, "status": status.to_string(), "license": file.license, "sha256": file.sha256 })
            })
            .collect();
        rows.push(json!({
            "pack": pack.name, "installed": installed, "chosen": settings.chosen_pack.as_deref() == Some(&pack.name),
            "commercial": pack.commercial(), "files": files,
        }));
    }
    if as_json {
        print(&serde_json::Value::from(rows).to_string());
    }
    Ok(())
}

fn chosen<'a>(packs: &'a [String], settings: &'a Settings) -> Vec<&'a str> {
    if packs.is_empty() { vec![settings.pack()] } else { packs.iter().map(String::as_str).collect() }
}

fn verify(manifest: &Manifest, settings: &Settings, packs: &[String]) -> anyhow::Result<()> {
    let mut bad = 0;
    for name in chosen(packs, settings) {
        for (file, status) in manifest.pack(name)?.verify(&settings.models_dir) {
            bad += usize::from(status != FileStatus::Verified);
            print(&format!("{}: {status}", file.name));
        }
    }
    if bad > 0 {
        bail!("{bad} file(s) are not as they must be; `rollcall models install` replaces them");
    }
    Ok(())
}

fn install(
    manifest: &Manifest,
    settings: &Settings,
    packs: &[String],
    from: Option<&Path>,
) -> anyhow::Result<()> {
    let dir = &settings.models_dir;
    fs::create_dir_all(dir).with_context(|| format!("making {}", display(dir)))?;
    let chosen = chosen(packs, settings);
    let packs = chosen.iter().map(|name| manifest.pack(name)).collect::<Result<Vec<_>, _>>()?;
    let missing = packs.iter().flat_map(|pack| pack.files());
    let missing = missing.filter(|file| file.status(dir) != FileStatus::Verified);
    let inside = missing.filter_map(|file| Some(file.member()?.path.to_owned()));
    let mut packages = Packages::new(from, inside.collect());
    for pack in packs {
        let name = &pack.name;
        if !pack.commercial() {
            print(&format!("pack {name}: its license does not allow commercial use"));
        }
        for file in pack.files() {
            if file.status(dir) == FileStatus::Verified {
                print(&format!("{}: already installed", file.name));
                continue;
            }
            let (bytes, origin) =
                obtain(file, from, &mut packages).with_context(|| format!("installing {}", file.name))?;
            put(dir, &file.name, &bytes).with_context(|| format!("writing {}", file.name))?;
            print(&format!("{}: installed from {origin}", file.name));
        }
    }
    Ok(())
}

/// The right bytes of a file, from the folder if it has them, else from the file's address or package.
fn obtain(
    file: &ModelFile,
    from: Option<&Path>,
    packages: &mut Packages<'_>,
) -> anyhow::Result<(Vec<u8>, String)> {
    if file.sha256.is_none() {
        bail!("{}", FileStatus::NoPinnedHash);
    }
    if let Some(folder) = from.filter(|from| from.is_dir()) {
        match file.load(folder) {
            Ok(bytes) => return Ok((bytes, display(folder))),
            Err(FileStatus::Missing) => {}
            Err(status) => print(&format!("{} in {}: {status}; not used", file.name, display(folder))),
        }
    }
    let (bytes, origin) = match file.source() {
        Source::Url(url) => (download(url)?, url),
        Source::Archive { url, member } => (unzip(download(url)?, member)?, url),
        Source::Package(member) => {
            let (bytes, origin) = packages.read(&member)?;
            return Ok((file.made_from(&member, bytes)?, origin));
        }
        Source::Folder => {
            bail!("it has no public address; put the file into a folder and run again with --from FOLDER")
        }
    };
    match file.status_of(&bytes) {
        FileStatus::Verified => Ok((bytes, origin.to_owned())),
        status => bail!("{origin} does not hold the pinned file: {status}"),
    }
}

fn download(url: &str) -> anyhow::Result<Vec<u8>> {
    print(&format!("downloading {url}"));
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_connect(Some(Duration::from_secs(20)))
        .timeout_global(Some(Duration::from_secs(1_800)))
        .build()
        .into();
    let remedy = "cannot be reached; put the file into a folder and run again with --from FOLDER";
    let mut answer = agent.get(url).call().with_context(|| format!("{url} {remedy}"))?;
    Ok(answer.body_mut().with_config().limit(MAX_DOWNLOAD).read_to_vec()?)
}

fn unzip(archive: Vec<u8>, member: &str) -> anyhow::Result<Vec<u8>> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(archive)).context("reading the archive")?;
    let file = archive.by_name(member).with_context(|| format!("the archive has no {member}"))?;
    let mut bytes = Vec::new();
    file.take(MAX_DOWNLOAD).read_to_end(&mut bytes).context("unpacking the archive")?;
    Ok(bytes)
}

/// Writes beside the target and renames, so that there is never half a file under the name.
fn put(dir: &Path, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
    let part = dir.join(format!("{name}.part"));
    let mut file = fs::File::create(&part)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&part, dir.join(name))?;
    Ok(())
}
