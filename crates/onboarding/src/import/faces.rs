//! The encodings of one person.

use std::collections::HashSet;

use rollcall_domain::face::{Embedding, FaceSource, StoredTemplate, Template};
use rollcall_domain::id::FaceId;
use rollcall_domain::user::{Consent, Status, User};
use rollcall_ports::faces::Consented;
use rollcall_ports::legacy::Cell;
use rollcall_ports::store::StoreError;
use sha2::{Digest, Sha256};

use super::columns::{Field, Kind};
use super::people::plain;
use super::source::Source;
use super::values::Value;
use super::{ImportError, Link, Pages, Run, encoding};

const NO_CONSENT: &str = "waits for consent: if these people have agreed to be recognized, import again with \
                          --consent VERSION";
const TOO_FEW: &str = "has fewer encodings than are needed to be recognized (MIN_FACE_IMAGES_FOR_ENROLLMENT): \
                       enroll more photos, or lower that setting";

/// What is known of a person's templates, here and as of this import.
struct Known {
    ids: HashSet<FaceId>,
    digests: HashSet<[u8; 32]>,
    count: u32,
    /// To be recorded together with the first template.
    consent: Option<Consented>,
    is_recorded: bool,
}

/// A value that may hold encodings.
struct Found<'a> {
    key: &'a Cell,
    place: &'static str,
    value: Value<'a>,
    made_by: Option<&'a str>,
    created: Value<'a>,
}

impl Run<'_> {
    /// Brings the encodings of a person who is here, or would be.
    pub(super) async fn faces(
        &mut self,
        user: &User,
        is_new: bool,
        link: &Link<'_>,
    ) -> Result<(), ImportError> {
        let mut known = self.known_faces(user, is_new).await?;
        // In the person's own row first.
        let users = self.sources.users.clone();
        if users.column(Field::Encoding).is_some() {
            let value = users.value(link.row, Field::Encoding);
            if value.is_given() {
                let created = users.value(link.row, Field::CreatedAt);
                let found = Found { key: &link.row.key, place: "users", value, made_by: None, created };
                self.report.of(Kind::FaceEncodings).read += 1;
                self.store_faces(user, &mut known, &[found]).await?;
            }
        }
        if let Some(source) = self.sources.of(Kind::FaceEncodings) {
            let mut pages = Pages::default();
            while let Some(rows) = self.page(&source, link, &mut pages).await? {
                let found: Vec<Found<'_>> = rows.iter().map(|row| found_in(&source, row)).collect();
                self.report.of(Kind::FaceEncodings).read += found.len() as u64;
                self.store_faces(user, &mut known, &found).await?;
            }
        }
        let is_short = (1..self.import.rules.min_faces).contains(&known.count);
        if is_short && user.status == Status::Active {
            self.report.decisions.add(TOO_FEW, &link.row.key);
        }
        Ok(())
    }

    async fn known_faces(&self, user: &User, is_new: bool) -> Result<Known, ImportError> {
        let stored = if is_new { Vec::new() } else { self.import.faces.of_user(user.id).await? };
        let consent = match (&user.consent, &self.request.consent) {
            (Consent::Missing, Some(version)) => Some(Consented { version: version.clone(), at: self.now }),
            _ => None,
        };
        let mut known =
            Known { ids: HashSet::new(), digests: HashSet::new(), count: 0, consent, is_recorded: false };
        for face in stored.iter().filter(|face| face.template.model == self.request.recognizer.model) {
            known.ids.insert(face.id);
            known.digests.insert(face.digest);
            known.count += 1;
        }
        Ok(known)
    }

    async fn store_faces(
        &mut self,
        user: &User,
        known: &mut Known,
        found: &[Found<'_>],
    ) -> Result<(), ImportError> {
        let mut faces = Vec::new();
        let mut verdicts = Vec::new();
        for found in found {
            verdicts.push(self.judge(user, known, found, &mut faces));
        }
        if !faces.is_empty() && !self.request.dry_run {
            let consent = known.consent.clone().filter(|_| !known.is_recorded);
            match self.import.faces.add(user.id, &faces, consent, self.import.rules.max_faces, None).await {
                Ok(_) => known.is_recorded = true,
                // Somebody removed the person, or enrolled them, while this ran: the next import tells.
                Err(StoreError::Missing(_) | StoreError::Full) => {
                    let why = "changed here meanwhile: import again";
                    found
                        .iter()
                        .for_each(|found| self.report.of(Kind::FaceEncodings).rejected.add(why, found.key));
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
        }
        let tally = self.report.of(Kind::FaceEncodings);
        for (found, verdict) in found.iter().zip(verdicts) {
            match verdict {
                Verdict::New => tally.created += 1,
                Verdict::Known => tally.unchanged += 1,
                Verdict::Needless(why) => tally.needless.add(why, found.key),
                Verdict::Rejected(why) => tally.rejected.add(&why, found.key),
            }
        }
        Ok(())
    }

    fn judge(
        &self,
        user: &User,
        known: &mut Known,
        found: &Found<'_>,
        faces: &mut Vec<StoredTemplate>,
    ) -> Verdict {
        if let Cell::TooLong(_) = found.value.cell {
            return Verdict::Rejected("is far longer than an encoding".into());
        }
        let Some(bytes) = found.value.bytes() else { return Verdict::Rejected("is empty".into()) };
        if found.made_by.is_some_and(|word| !is_dlib(word)) {
            return Verdict::Rejected("was computed by another network than dlib's".into());
        }
        let vectors = match encoding::parse(bytes) {
            Ok(vectors) => vectors,
            Err(why) => return Verdict::Rejected(why.to_string()),
        };
        let mut verdict = Verdict::Needless("has the same numbers as another encoding of the person");
        for (number, vector) in vectors.iter().enumerate() {
            let place =
                if number == 0 { found.place.to_owned() } else { format!("{} {number}", found.place) };
            let id = self.namespace.face(found.key, &place);
            if known.ids.contains(&id) {
                verdict = verdict.or(Verdict::Known);
                continue;
            }
            let digest = digest(vector);
            if known.digests.contains(&digest) {
                continue;
            }
            let has_consent = matches!(user.consent, Consent::Given { .. }) || known.consent.is_some();
            if matches!(user.consent, Consent::Withdrawn { .. }) {
                return Verdict::Rejected("is of somebody who withdrew consent here".into());
            }
            if !has_consent {
                return Verdict::Rejected(NO_CONSENT.into());
            }
            if known.count >= self.import.rules.max_faces {
                let most = self.import.rules.max_faces;
                return Verdict::Rejected(format!(
                    "is one of more than {most} (MAX_FACE_IMAGES_FOR_ENROLLMENT)"
                ));
            }
            let recognizer = &self.request.recognizer;
            let Ok(embedding) = Embedding::from_raw(vector, recognizer.metric) else {
                return Verdict::Rejected("is not an embedding".into());
            };
            let template = Template { model: recognizer.model.clone(), metric: recognizer.metric, embedding };
            faces.push(StoredTemplate {
                id,
                user: user.id,
                template,
                quality: None,
                digest,
                source: FaceSource::Import,
                created_by: None,
                created_at: found
                    .created
                    .instant(&self.zone)
                    .filter(|at| *at <= self.now)
                    .unwrap_or(self.now),
            });
            known.ids.insert(id);
            known.digests.insert(digest);
            known.count += 1;
            verdict = Verdict::New;
        }
        verdict
    }
}

/// What became of a value; of several encodings in one, the most that happened.
enum Verdict {
    New,
    Known,
    Needless(&'static str),
    Rejected(String),
}

impl Verdict {
    fn or(self, other: Self) -> Self {
        if matches!(self, Self::New) { self } else { other }
    }
}

fn found_in<'a>(source: &Source, row: &'a rollcall_ports::legacy::LegacyRow) -> Found<'a> {
    Found {
        key: &row.key,
        place: "face_encodings",
        value: source.value(row, Field::Encoding),
        made_by: source.value(row, Field::Model).text(),
        created: source.value(row, Field::CreatedAt),
    }
}

/// The names under which dlib's recognition network goes; `hog`, `cnn`, `small` and `large` are what the
/// face_recognition package calls the steps before it.
fn is_dlib(word: &str) -> bool {
    matches!(
        plain(word).as_str(),
        "dlib"
            | "facerecognition"
            | "dlibfacerecognitionresnetmodelv1"
            | "dlibresnet"
            | "resnet"
            | "hog"
            | "cnn"
            | "small"
            | "large"
            | "default"
    )
}

/// What stands for the photo, which nobody has: the numbers themselves.
fn digest(vector: &[f32]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"imported encoding");
    vector.iter().for_each(|x| hash.update(x.to_le_bytes()));
    hash.finalize().into()
}
