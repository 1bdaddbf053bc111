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
use rollcall_domain::user::{ConsentVersion, EmailAddress, EmployeeCode, PersonName, Status};
use rollcall_usecases::enroll::{EnrollError, EnrollRequest, Enrollment, Rejected};
use rollcall_usecases::users::NewUser;
use serde_json::json;

use crate::console::{PartialSuccess, block_on, display, print, print_error};
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

/// What is known of a person before anything is looked at.
#[derive(Debug, Default, PartialEq)]
struct Person {
    name: String,
    photos: Vec<PathBuf>,
    not_tried: Vec<LeftOut>,
}

/// A file that is not tried.
#[derive(Debug, Clone, PartialEq, Eq)]
struct LeftOut {
    file: PathBuf,
    why: String,
}

impl LeftOut {
    fn new(file: impl Into<PathBuf>, why: impl Into<String>) -> Self {
        Self { file: file.into(), why: why.into() }
    }

    fn json(&self) -> serde_json::Value {
        json!({ "file": display(&self.file), "reason": self.why })
    }
}

/// Everybody of a folder, by the canonical form of the name, and what is nobody's.
#[derive(Debug, Default)]
struct Found {
    people: BTreeMap<String, Person>,
    not_tried: Vec<LeftOut>,
}

impl Found {
    /// The person of that name: `Ada` and `ada` are one, as employee codes are.
    fn person(&mut self, name: &str) -> &mut Person {
        let person = self.people.entry(canonical(name)).or_default();
        if person.name.is_empty() {
            name.clone_into(&mut person.name);
        }
        person
    }
}

/// What came of one person.
struct Outcome {
    name: String,
    /// The photos that were tried, in the order in which refusals count them.
    tried: Vec<PathBuf>,
    not_tried: Vec<LeftOut>,
    result: anyhow::Result<Enrollment>,
}

/// Enrolls people from a folder.
pub(crate) fn run(settings: &Settings, args: &Args) -> anyhow::Result<()> {
    let consent = ConsentVersion::parse(&args.consent).context("--consent")?;
    let Found { people, not_tried } =
        if args.dir.join("labels.csv").is_file() { labeled(&args.dir)? } else { folders(&args.dir)? };
    let mut people: Vec<Person> = people.into_values().collect();
    if let Some(most) = args.people {
        people.truncate(most);
    }
    if people.is_empty() {
        for LeftOut { file, why } in not_tried {
            print_error(&format!("not tried: {}: {why}", display(&file)));
        }
        bail!("{} has neither folders of people nor a labels.csv", display(&args.dir));
    }
    for person in &mut people {
        let over = person.photos.split_off(args.photos.min(person.photos.len()));
        let why = format!("more than {} photos of one person; see --photos", args.photos);
        person.not_tried.extend(over.into_iter().map(|file| LeftOut::new(file, why.clone())));
    }
    let outcomes = block_on(enroll_all(settings, consent, people))?;
    summarize(args, outcomes, &not_tried)
}

/// One folder a person, named like the person. Files that lie beside the folders, folders inside of them, and pictures of
/// other kinds are not tried; what is no picture is passed over.
fn folders(dir: &Path) -> anyhow::Result<Found> {
    let mut found = Found::default();
    for path in entries(dir).with_context(|| format!("reading {}", display(dir)))? {
        if !path.is_dir() {
            match looks(&path) {
                Looks::Picture => found.not_tried.push(LeftOut::new(path, "it is in no person's folder")),
                Looks::Unusable(why) => found.not_tried.push(LeftOut::new(path, why)),
                Looks::Unrelated => {}
            }
            continue;
        }
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            found.not_tried.push(LeftOut::new(path, "the folder's name is not UTF-8"));
            continue;
        };
        let person = found.person(name);
        let files = match entries(&path) {
            Ok(files) => files,
            Err(error) => {
                person.not_tried.push(LeftOut::new(path, format!("the folder cannot be read: {error}")));
                continue;
            }
        };
        for file in files {
            match looks(&file) {
                Looks::Picture => person.photos.push(file),
                Looks::Unusable(why) => person.not_tried.push(LeftOut::new(file, why)),
                Looks::Unrelated => {}
            }
        }
    }
    Ok(found)
}

/// What is in a folder, in order, without hidden files.
fn entries(dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    let hidden = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(dir)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    found.retain(|path| !hidden(path));
    found.sort();
    Ok(found)
}

/// What a file looks like by its name.
enum Looks {
    /// A picture to be tried.
    Picture,
    /// Something that is not tried although somebody may expect it to be; why.
    Unusable(String),
    /// Nothing that anybody would take for a picture.
    Unrelated,
}

fn looks(path: &Path) -> Looks {
    if path.is_dir() {
        return Looks::Unusable("it is a folder inside of a person's folder".into());
    }
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    match ending.as_deref() {
        Some("jpg" | "jpeg" | "jpe" | "jfif" | "png" | "webp") if path.is_file() => Looks::Picture,
        Some("jpg" | "jpeg" | "jpe" | "jfif" | "png" | "webp") => {
            Looks::Unusable("it is a link to nothing, or no file".into())
        }
        Some("heic" | "heif") => Looks::Unusable("it is HEIC; convert it to JPEG".into()),
        Some(
            other @ ("avif" | "gif" | "bmp" | "tif" | "tiff" | "jxl" | "jp2" | "svg" | "psd" | "pdf" | "raw"
            | "dng" | "cr2" | "cr3" | "nef" | "arw" | "orf" | "rw2" | "mov" | "mp4" | "zip"),
        ) => Looks::Unusable(format!("it is {}, neither JPEG nor PNG nor WebP", other.to_uppercase())),
        None => Looks::Unusable("its name has no ending that tells a picture".into()),
        Some(_) => Looks::Unrelated,
    }
}

/// `labels.csv` with the columns `file` and `identity`; other columns are not looked at.
fn labeled(dir: &Path) -> anyhow::Result<Found> {
    let bytes = std::fs::read(dir.join("labels.csv")).context("reading labels.csv")?;
    let text = text_of(bytes)
        .context("labels.csv is not text in UTF-8 or UTF-16. A spreadsheet saves it as \"CSV UTF-8\"")?;
    let (separator, text, above) = separator(&text)?;
    let mut reader =
        csv::ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(text.as_bytes());
    let header = reader.headers()?.clone();
    let column = |name: &str| header.iter().position(|h| h.trim().eq_ignore_ascii_case(name));
    let (Some(file), Some(identity)) = (column("file"), column("identity")) else {
        bail!("labels.csv needs the columns file and identity");
    };
    let mut found = Found::default();
    for row in reader.records() {
        let row = row?;
        let cell = |column: usize| row.get(column).unwrap_or_default().trim();
        match (cell(identity), cell(file)) {
            ("", "") => {}
            ("", photo) => {
                found.not_tried.push(LeftOut::new(dir.join(photo), "labels.csv does not say whose it is"));
            }
            (_, "") => {
                let line = row.position().map_or(0, csv::Position::line) + above;
                bail!("line {line} of labels.csv names no file");
            }
            (name, photo) => found.person(name).photos.push(dir.join(photo)),
        }
    }
    Ok(found)
}

/// The text of a file in UTF-8, or in UTF-16 with the mark that says so.
fn text_of(bytes: Vec<u8>) -> Option<String> {
    let utf16 = |of: fn([u8; 2]) -> u16| {
        let units = bytes[2..].chunks_exact(2).map(|pair| of([pair[0], pair[1]]));
        let text = char::decode_utf16(units).collect::<Result<String, _>>().ok();
        text.filter(|_| bytes.len().is_multiple_of(2))
    };
    if bytes.starts_with(b"\xff\xfe") {
        return utf16(u16::from_le_bytes);
    }
    if bytes.starts_with(b"\xfe\xff") {
        return utf16(u16::from_be_bytes);
    }
    let text = String::from_utf8(bytes).ok()?;
    Some(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// What separates cells, as a line `sep=` says or as the titles show, the table itself, and how many lines stand above it.
/// Spreadsheets separate cells as the country does.
fn separator(text: &str) -> anyhow::Result<(u8, &str, u64)> {
    const SEPARATORS: [u8; 4] = *b",;\t|";
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let first = first.trim_end_matches('\r').trim_matches('"');
    if first.get(..4).is_some_and(|begin| begin.eq_ignore_ascii_case("sep=")) {
        return match first.as_bytes()[4..] {
            // Saved again, the line has the cells of the others.
            [one, ref more @ ..] if SEPARATORS.contains(&one) && more.iter().all(|byte| *byte == one) => {
                Ok((one, rest, 1))
            }
            _ => bail!("sep= in the first line of labels.csv is followed by , ; | or a tab"),
        };
    }
    let named = |separator: &u8| {
        let title = |cell: &str| cell.trim().trim_matches('"').trim().to_lowercase();
        let cells = first.split(char::from(*separator)).map(title);
        cells.filter(|title| ["file", "identity"].contains(&title.as_str())).count()
    };
    let likely = SEPARATORS.into_iter().rev().max_by_key(named).unwrap_or(b',');
    Ok((likely, text, 0))
}

async fn enroll_all(
    settings: &Settings,
    consent: ConsentVersion,
    people: Vec<Person>,
) -> anyhow::Result<Vec<Outcome>> {
    let system = Arc::new(System::with_gallery(settings).await?);
    let bar = ProgressBar::new(people.len() as u64);
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} people  {msg}  {eta} left")?);
    // As many people at once as there are recognition threads: each keeps one busy.
    let places = Arc::new(tokio::sync::Semaphore::new(settings.workers));
    let mut running = tokio::task::JoinSet::new();
    for person in people {
        let (system, places, consent, bar) = (system.clone(), places.clone(), consent.clone(), bar.clone());
        running.spawn(async move {
            let _place = places.acquire().await;
            let name = person.name.clone();
            let outcome = enroll_one(&system, person, consent).await;
            bar.inc(1);
            bar.set_message(name);
            outcome
        });
    }
    let mut outcomes = running.join_all().await;
    bar.finish_and_clear();
    outcomes.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(outcomes)
}

/// Tries what can be read; of a person of whom nothing can be, nothing is added.
async fn enroll_one(system: &System, person: Person, consent: ConsentVersion) -> Outcome {
    let Person { name, photos, mut not_tried } = person;
    let (mut tried, mut read) = (Vec::new(), Vec::new());
    for file in photos {
        match tokio::fs::read(&file).await {
            Ok(bytes) => {
                read.push(Photo(bytes.into()));
                tried.push(file);
            }
            Err(error) => not_tried.push(LeftOut::new(file, format!("it cannot be read: {error}"))),
        }
    }
    let result = if read.is_empty() {
        Err(anyhow::anyhow!("there is no JPEG, PNG or WebP picture that can be read"))
    } else {
        enroll_photos(system, &name, read, consent).await
    };
    Outcome { name, tried, not_tried, result }
}

async fn enroll_photos(
    system: &System,
    name: &str,
    photos: Vec<Photo>,
    consent: ConsentVersion,
) -> anyhow::Result<Enrollment> {
    let request = EnrollRequest {
        user: user(system, name).await?,
        photos,
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
async fn user(system: &System, name: &str) -> anyhow::Result<UserId> {
    let users = &system.usecases.users;
    let code = EmployeeCode::parse(name).with_context(|| format!("{name:?} cannot be an employee code"))?;
    if let Some(known) = users.of_code(&Actor::Operator, &code).await? {
        return Ok(known);
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

fn summarize(args: &Args, outcomes: Vec<Outcome>, left_out: &[LeftOut]) -> anyhow::Result<()> {
    let (mut accepted, mut failed, mut not_tried) = (0, 0, left_out.len());
    let mut reasons: BTreeMap<&'static str, usize> = BTreeMap::new();
    let total = outcomes.len();
    for Outcome { name, tried, not_tried: left, result } in outcomes {
        let left_json: Vec<_> = left.iter().map(LeftOut::json).collect();
        let (line, mut object, rejected) = match result {
            Ok(done) => {
                accepted += done.accepted.len();
                let line =
                    format!("{name}: {} accepted, {} refused", done.accepted.len(), done.rejected.len());
                let object = json!({
                    "person": name, "user_id": done.user.to_string(), "status": done.status.name(),
                    "accepted": done.accepted.len(), "rejected": refusals(&tried, &done.rejected),
                });
                (line, object, done.rejected)
            }
            Err(error) => {
                failed += 1;
                let line = format!("{name}: {error:#}");
                let mut object = json!({ "person": name, "error": format!("{error:#}") });
                let rejected = match error.downcast::<EnrollError>() {
                    Ok(EnrollError::NoAcceptableImage(rejected)) => rejected,
                    _ => Vec::new(),
                };
                object["rejected"] = refusals(&tried, &rejected).into();
                (line, object, rejected)
            }
        };
        object["not_tried"] = left_json.into();
        for photo in &rejected {
            *reasons.entry(photo.flaw.code()).or_default() += 1;
        }
        not_tried += left.len();
        if args.json {
            print(&object.to_string());
        } else if !rejected.is_empty() || object.get("error").is_some() || !left.is_empty() {
            print(&line);
            left.iter().for_each(tell);
        }
    }
    if args.json {
        left_out.iter().for_each(|left| print(&json!({ "not_tried": [left.json()] }).to_string()));
    } else {
        left_out.iter().for_each(tell);
        let refused: usize = reasons.values().sum();
        print(&format!(
            "{total} people: {accepted} photos accepted, {refused} refused, {not_tried} not tried, \
             {failed} people not enrolled"
        ));
        for (reason, count) in reasons {
            print(&format!("    {reason}: {count}"));
        }
    }
    match (failed, not_tried) {
        (0, 0) => Ok(()),
        (0, files) => Err(PartialSuccess(format!("{files} files were not tried")).into()),
        (_, 0) => Err(PartialSuccess(format!("{failed} of {total} people were not enrolled")).into()),
        (_, files) => Err(PartialSuccess(format!(
            "{failed} of {total} people were not enrolled, and {files} files were not tried"
        ))
        .into()),
    }
}

fn tell(left: &LeftOut) {
    print(&format!("    not tried: {}: {}", display(&left.file), left.why));
}

fn refusals(tried: &[PathBuf], rejected: &[Rejected]) -> Vec<serde_json::Value> {
    let describe = |photo: &Rejected| {
        let file = tried.get(photo.image_index).map(|file| display(file));
        json!({
            "image_index": photo.image_index, "file": file, "code": photo.flaw.code(), "detail": photo.flaw.detail(),
        })
    };
    rejected.iter().map(describe).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a folder");
        for file in files {
            let path = dir.path().join(file);
            std::fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder");
            std::fs::write(path, "x").expect("a file");
        }
        dir
    }

    fn names(dir: &Path, files: &[PathBuf]) -> Vec<String> {
        files.iter().map(|file| display(file.strip_prefix(dir).expect("it lies in the folder"))).collect()
    }

    #[test]
    fn every_file_of_a_folder_is_tried_or_told() {
        let dir = folder(&[
            "Ada/1.jpg",
            "Ada/2.JPG",
            "Ada/my face.Png",
            "Ada/3.HEIC",
            "Ada/4.tiff",
            "Ada/notes.txt",
            "Ada/.hidden.jpg",
            "Ada/2019/1.jpg",
            "Ada/IMG_1",
            "ada/5.webp",
            "Bob/1.heic",
            "group.jpg",
            "list.csv",
        ]);
        std::fs::create_dir(dir.path().join("Nobody")).expect("a folder");
        let found = folders(dir.path()).expect("it is read");
        let people: Vec<_> = found.people.values().map(|person| person.name.as_str()).collect();
        assert_eq!(people, ["Ada", "Bob", "Nobody"], "one of two folders whose names are one code");
        let ada = &found.people["ada"];
        let tried = names(dir.path(), &ada.photos);
        assert_eq!(tried, ["Ada/1.jpg", "Ada/2.JPG", "Ada/my face.Png", "ada/5.webp"]);
        let left: Vec<PathBuf> = ada.not_tried.iter().map(|left| left.file.clone()).collect();
        assert_eq!(names(dir.path(), &left), ["Ada/2019", "Ada/3.HEIC", "Ada/4.tiff", "Ada/IMG_1"]);
        let bob = &found.people["bob"];
        assert!(bob.photos.is_empty() && bob.not_tried[0].why.contains("HEIC"), "{bob:?}");
        let left: Vec<PathBuf> = found.not_tried.iter().map(|left| left.file.clone()).collect();
        assert_eq!(names(dir.path(), &left), ["group.jpg"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_a_broken_one_is_told() {
        let dir = folder(&["elsewhere/1.jpg"]);
        let people = dir.path().join("people");
        std::fs::create_dir_all(people.join("Ada")).expect("a folder");
        std::os::unix::fs::symlink(dir.path().join("elsewhere"), people.join("Bob")).expect("a link");
        std::os::unix::fs::symlink(dir.path().join("gone.jpg"), people.join("Ada/1.jpg")).expect("a link");
        let found = folders(&people).expect("it is read");
        assert_eq!(found.people["bob"].photos.len(), 1);
        assert_eq!(found.people["ada"].not_tried.len(), 1);
    }

    #[test]
    fn labels_without_a_name_are_told() {
        let dir = folder(&["a.jpg"]);
        let labels = "file,identity\na.jpg,Ada\nb.jpg,ada\nc.jpg,\n";
        std::fs::write(dir.path().join("labels.csv"), labels).expect("a file");
        let found = labeled(dir.path()).expect("it is read");
        assert_eq!(found.people["ada"].photos.len(), 2);
        assert_eq!(found.not_tried.len(), 1);
    }

    #[test]
    fn a_list_is_read_as_spreadsheets_save_it() {
        let folder = folder(&[]);
        let read = |text: &str| {
            std::fs::write(folder.path().join("labels.csv"), text).expect("a file");
            let found = labeled(folder.path()).map_err(|error| error.to_string())?;
            let photos = found.people.into_values().map(|person| (person.name, person.photos.len()));
            Ok::<_, String>(photos.collect::<Vec<_>>())
        };
        let expected = Ok(vec![("Ada".to_owned(), 2), ("Zoë".to_owned(), 1)]);
        assert_eq!(read("file,identity\na.jpg,Ada\nb.jpg,Ada\nz.jpg,Zoë\n"), expected);
        let saved =
            "\u{feff}identity;more;file;\r\nAda;;a.jpg;\r\nAda;;b.jpg\r\n;;;\r\nZoë;;z.jpg;\r\n;;;\r\n";
        assert_eq!(read(saved), expected);
        assert!(read("file\tidentity\n\tAda\n").unwrap_err().contains("line 2"));
        assert!(read("sep=;\nfile;identity\n;Ada\n").unwrap_err().contains("line 3"));
        assert!(read("sep=x\nfile;identity\n").unwrap_err().contains("sep="));
        let declared = "sep=|\r\n\"File\"|IDENTITY|a,b;c\r\na.jpg|Ada\r\nb.jpg|Ada\r\nz.jpg|Zoë\r\n";
        assert_eq!(read(declared), expected);
        assert_eq!(read(declared.split_once('\n').unwrap().1), expected, "as the titles show");
        for big in [false, true] {
            let units = format!("\u{feff}{declared}");
            let units = units.encode_utf16();
            let bytes: Vec<u8> =
                units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect();
            std::fs::write(folder.path().join("labels.csv"), bytes).expect("a file");
            let found = labeled(folder.path()).expect("UTF-16 is read");
            assert_eq!(found.people["ada"].photos.len(), 2);
        }
    }
}
