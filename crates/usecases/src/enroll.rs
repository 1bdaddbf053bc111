//! Enrolling a face: all photos are judged first, then what is good is stored at once.

use std::collections::HashMap;

use rollcall_domain::access::{Action, Actor, Denied, Role};
use rollcall_domain::face::{
    FaceQuality, FaceSource, Flaw, ModelId, Photo, QualityGate, SECOND_FACE_SHARE, StoredTemplate, Template,
};
use rollcall_domain::id::{FaceId, UserId};
use rollcall_domain::user::{Consent, ConsentVersion, FaceStatus, User};
use rollcall_ports::engine::{Analysis, DetectedFace, EngineError, Recognizer, Wanted};
use rollcall_ports::faces::Consented;
use rollcall_ports::index::IndexError;
use rollcall_ports::store::StoreError;
use sha2::{Digest, Sha256};

use crate::authorize::{AccessError, load_permitted};
use crate::faces::Faces;
use crate::retry::retry_stale;

/// False match rate at which a photo counts as the same person as the other photos of the request. One in a
/// thousand: a mix-up of folders is found, and an unlucky photo of the right person is not refused.
const SAME_PERSON_FMR: f64 = 1e-3;

/// Photos of one person to be enrolled.
#[derive(Debug, Clone)]
pub struct EnrollRequest {
    /// Whose face.
    pub user: UserId,
    /// The photos, at least one.
    pub photos: Vec<Photo>,
    /// The version of the consent text the person agreed to with this request.
    pub consent: Option<ConsentVersion>,
    /// Store them even if they look like somebody else: twins. For administrators, with a reason.
    pub allow_duplicate: bool,
    /// Keep the accepted photos in place of everything that is kept of the person. Administrators and managers may do so
    /// with a face that changed; everybody else, and a kiosk, only with one that looks like the kept photos, lest somebody
    /// lend their record to another's face.
    pub replace: bool,
    /// Why.
    pub reason: Option<String>,
    /// How the photos came in.
    pub source: FaceSource,
}

/// Tells which photos are stored, and whether the person can be recognized now.
#[derive(Debug, Clone)]
pub struct Enrollment {
    /// Whose face.
    pub user: UserId,
    /// Whether the person can be recognized now.
    pub status: FaceStatus,
    /// Photos that are stored, this time or already before.
    pub accepted: Vec<Accepted>,
    /// Photos that are not.
    pub rejected: Vec<Rejected>,
    /// Templates of the model in use.
    pub encodings: u32,
    /// Templates needed to be recognized.
    pub min_required: u32,
    /// The model in use.
    pub model: ModelId,
}

/// A photo that is stored.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// Its template.
    pub face: FaceId,
    /// Its place in the request, from 0.
    pub image_index: usize,
    /// What was measured on it.
    pub quality: FaceQuality,
}

/// A photo that is not stored, and why.
#[derive(Debug, Clone, Copy)]
pub struct Rejected {
    /// Its place in the request, from 0.
    pub image_index: usize,
    /// Why.
    pub flaw: Flaw,
}

/// Why nothing was enrolled.
#[derive(Debug, thiserror::Error)]
pub enum EnrollError {
    /// Not allowed, or not to be seen.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The person did not agree to be recognized.
    #[error("the person has not agreed to be recognized")]
    ConsentRequired,
    /// None of the photos will do.
    #[error("none of the photos can be used")]
    NoAcceptableImage(Vec<Rejected>),
    /// The face is somebody else's. Who, is for administrators only.
    #[error("this face belongs to somebody else")]
    FaceBelongsToOther(Option<UserId>),
    /// An override needs a reason, and is an administrator's.
    #[error("only an administrator may enroll a face that belongs to somebody else, with a reason")]
    OverrideRefused,
    /// Fewer photos will do than are needed to replace the templates that are kept.
    #[error(
        "{accepted} of the photos can be kept, and {needed} are needed to replace the templates there are"
    )]
    TooFewToReplace {
        /// Photos that will do.
        accepted: u32,
        /// Photos that are needed.
        needed: u32,
        /// What is wrong with the others.
        rejected: Vec<Rejected>,
    },
    /// Nothing is kept that the new photos could be compared with, and who asks may not change whose face it is.
    #[error("only an administrator or a manager may replace templates of another model")]
    ReplaceRefused,
    /// The person has as many templates as may be.
    #[error("the person has {0} templates already, which is the limit")]
    EncodingLimit(u32),
    /// The engine could not work on the photos.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The gallery could not be searched.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

crate::retry::met!(EnrollError);

impl From<AccessError> for EnrollError {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Denied(denied) => Self::Denied(denied),
            AccessError::Store(error) => Self::Store(error),
        }
    }
}

/// A photo that was looked at, whatever came of it.
struct Look {
    image_index: usize,
    digest: [u8; 32],
    outcome: Outcome,
}

enum Outcome {
    /// It was stored before: there was no need to look.
    Known,
    /// It passed the gate.
    Good(Shot),
    /// It did not.
    Flawed(Flaw),
}

/// What a good photo is judged by and stored as.
#[derive(Clone)]
struct Shot {
    image_index: usize,
    digest: [u8; 32],
    template: Template,
    quality: FaceQuality,
}

/// Photos sorted by what is to become of them.
struct Sorted {
    known: Vec<Accepted>,
    shots: Vec<Shot>,
    rejected: Vec<Rejected>,
}

/// One enrollment: by whom, of whom, as asked for and by which network.
struct Enrolling<'a> {
    actor: &'a Actor,
    user: &'a User,
    request: &'a EnrollRequest,
    recognizer: &'a Recognizer,
}

impl Faces {
    /// Stores the templates of those photos that are good enough, distinct, and of the person. Searches that
    /// start after the return know them.
    ///
    /// Consent comes before any computation. Sending the same photos again changes nothing, unless they are to replace
    /// what is kept: then theirs are the only templates afterward, and the person stays as matchable as before.
    ///
    /// # Errors
    /// [`EnrollError::Denied`], [`EnrollError::ConsentRequired`], [`EnrollError::OverrideRefused`] or
    /// [`EnrollError::ReplaceRefused`] for who asks and whose face it is; [`EnrollError::NoAcceptableImage`] or
    /// [`EnrollError::TooFewToReplace`] for the photos; [`EnrollError::FaceBelongsToOther`]; [`EnrollError::EncodingLimit`];
    /// [`EnrollError::Engine`] or [`EnrollError::Index`] if these fail; or the store's.
    #[tracing::instrument(name = "faces.enroll", skip_all, fields(user.id = %request.user, photos = request.photos.len()))]
    pub async fn enroll(&self, actor: &Actor, mut request: EnrollRequest) -> Result<Enrollment, EnrollError> {
        let user =
            load_permitted(&*self.users, actor, Action::EnrollFace, self.rules.self_service, request.user)
                .await?;
        if request.consent.is_none() && !matches!(user.consent, Consent::Given { .. }) {
            return Err(EnrollError::ConsentRequired);
        }
        let override_wanted = request.allow_duplicate;
        let may_override = actor.role() == Role::Admin
            && request.reason.as_deref().is_some_and(|why| why.trim().chars().count() >= 5);
        if override_wanted && !may_override {
            return Err(EnrollError::OverrideRefused);
        }

        let recognizer = self.engine.recognizer()?.clone();
        // What is replaced is compared with nothing, and looked at even if it was before.
        let replace = request.replace;
        let known = if replace { Vec::new() } else { self.kept(user.id, &recognizer.model).await? };
        let may_change = match actor.role() {
            Role::Admin => true,
            Role::Manager => !actor.is(user.id),
            Role::Employee | Role::Device => false,
        };
        let looks = self.look_at(std::mem::take(&mut request.photos), &known).await?;
        let enrolling = Enrolling { actor, user: &user, request: &request, recognizer: &recognizer };

        retry_stale!({
            // Photos are looked at once. What they are compared with may change while somebody else enrolls, and
            // then they are compared again: two enrollments that meet could otherwise each miss the other's face.
            let seen = self.gallery.bring_up_to_date().await?;
            let every = self.faces.of_user(user.id).await?;
            let total = every.len();
            let kept = of_model(every, &recognizer.model);
            if replace && !may_change && kept.is_empty() && total > 0 {
                return Err(EnrollError::ReplaceRefused);
            }
            let beside: &[StoredTemplate] = if replace { &[] } else { kept.as_slice() };
            let like: &[StoredTemplate] = if replace && may_change { &[] } else { kept.as_slice() };
            let sorted = sort(&looks, beside, like, &recognizer)?;
            if sorted.shots.is_empty() && sorted.known.is_empty() {
                return Err(EnrollError::NoAcceptableImage(sorted.rejected));
            }
            let accepted = u32::try_from(sorted.shots.len() + sorted.known.len()).unwrap_or(u32::MAX);
            let needed = self.rules.min_faces.min(u32::try_from(kept.len()).unwrap_or(u32::MAX));
            if replace && accepted < needed {
                return Err(EnrollError::TooFewToReplace { accepted, needed, rejected: sorted.rejected });
            }
            if !override_wanted {
                self.refuse_duplicate_faces(&enrolling, &sorted.shots).await?;
            }
            self.store(&enrolling, sorted, seen).await
        })
    }

    /// What is stored of a person under a model.
    async fn kept(&self, user: UserId, model: &ModelId) -> Result<Vec<StoredTemplate>, StoreError> {
        Ok(of_model(self.faces.of_user(user).await?, model))
    }

    /// Measures every photo but those that are stored already.
    async fn look_at(&self, photos: Vec<Photo>, kept: &[StoredTemplate]) -> Result<Vec<Look>, EnrollError> {
        let mut looks = Vec::with_capacity(photos.len());
        for (image_index, photo) in photos.into_iter().enumerate() {
            let digest: [u8; 32] = Sha256::digest(&photo.0).into();
            let outcome = if stored(kept, &digest).is_some() {
                Outcome::Known
            } else {
                let judged = match self.engine.analyze(photo, Wanted::Largest).await {
                    Ok(analysis) => usable_face(analysis),
                    Err(EngineError::Unsupported { .. }) => Err(Flaw::UnsupportedImage),
                    Err(EngineError::UnsupportedJpeg(kind)) => Err(Flaw::UnsupportedJpeg(kind)),
                    Err(EngineError::Undecodable) => Err(Flaw::DecodeFailed),
                    Err(EngineError::TooLarge { .. }) => Err(Flaw::TooLarge),
                    Err(
                        error @ (EngineError::Busy | EngineError::Unavailable(_) | EngineError::Failed(_)),
                    ) => {
                        return Err(error.into());
                    }
                };
                match judged {
                    Ok((template, quality)) => Outcome::Good(Shot { image_index, digest, template, quality }),
                    Err(flaw) => Outcome::Flawed(flaw),
                }
            };
            looks.push(Look { image_index, digest, outcome });
        }
        Ok(looks)
    }

    /// Refuses shots at least half of which look like one other person.
    async fn refuse_duplicate_faces(
        &self,
        enrolling: &Enrolling<'_>,
        shots: &[Shot],
    ) -> Result<(), EnrollError> {
        let &Enrolling { actor, user, recognizer, .. } = enrolling;
        let in_force =
            self.rules.operating_point(recognizer, self.index.people_of(&recognizer.model)).threshold;
        let threshold = self.rules.duplicate_threshold.unwrap_or(in_force);
        // Counted shot by shot, because the threshold is calibrated for single probes: the mean of several shots
        // is nearer to everybody, and would take too many people for somebody else.
        let mut resembled: HashMap<UserId, usize> = HashMap::new();
        for shot in shots {
            let nearest = self.index.nearest(&shot.template, 2).await?;
            let other = nearest.into_iter().find(|other| other.user != user.id);
            if let Some(other) = other.filter(|other| 1.0 - other.similarity <= threshold.distance()) {
                *resembled.entry(other.user).or_default() += 1;
            }
        }
        match resembled.into_iter().find(|(_, count)| count * 2 >= shots.len()) {
            Some((other, _)) => {
                let named = (actor.role() == Role::Admin).then_some(other);
                Err(EnrollError::FaceBelongsToOther(named))
            }
            None => Ok(()),
        }
    }

    /// Stores what was accepted, unless the gallery has changed since `seen`.
    async fn store(
        &self,
        enrolling: &Enrolling<'_>,
        sorted: Sorted,
        seen: u64,
    ) -> Result<Enrollment, EnrollError> {
        let &Enrolling { actor, user, request, recognizer } = enrolling;
        let replace = request.replace;
        let Sorted { known: mut accepted, shots, rejected } = sorted;
        let now = self.clock.now();
        let mut faces = Vec::with_capacity(shots.len());
        for shot in shots {
            let id = FaceId::new(self.ids.next());
            accepted.push(Accepted { face: id, image_index: shot.image_index, quality: shot.quality });
            faces.push(StoredTemplate {
                id,
                user: user.id,
                template: shot.template,
                quality: Some(shot.quality),
                digest: shot.digest,
                source: request.source,
                created_by: actor.user(),
                created_at: now,
            });
        }
        accepted.sort_by_key(|photo| photo.image_index);

        let consented = request.consent.clone().map(|version| Consented { version, at: now });
        let given = consented.clone().map(|c| Consent::Given { version: c.version, at: c.at });
        let cap = self.rules.max_faces;
        let stored = if replace {
            self.faces.replace(user.id, &faces, consented, cap, Some(seen)).await
        } else {
            self.faces.add(user.id, &faces, consented, cap, Some(seen)).await
        };
        match stored {
            Ok(_) if replace => tracing::info!(kept = faces.len(), "a person's templates were replaced"),
            Ok(_) => {}
            Err(StoreError::Full) => return Err(EnrollError::EncodingLimit(self.rules.max_faces)),
            Err(StoreError::Missing(_)) => return Err(Denied::Hidden.into()),
            Err(error) => return Err(error.into()),
        }
        self.gallery.refresh(user.id).await?;

        let face = self.gallery.summaries(&[user.id]).await?.into_iter().next().unwrap_or_default();
        let user = User { consent: given.unwrap_or_else(|| user.consent.clone()), ..user.clone() };
        Ok(Enrollment {
            user: user.id,
            status: user.face_status(&face, self.rules.min_faces),
            accepted,
            rejected,
            encodings: face.current,
            min_required: self.rules.min_faces,
            model: recognizer.model.clone(),
        })
    }
}

/// Those templates that are of one model.
fn of_model(mut faces: Vec<StoredTemplate>, model: &ModelId) -> Vec<StoredTemplate> {
    faces.retain(|face| face.template.model == *model);
    faces
}

/// Tells what is to become of each photo, beside what stays stored of the person and for a face that must be like that
/// of some photos.
///
/// # Errors
/// [`StoreError::Stale`] when a template was deleted that made looking at its photo needless.
fn sort(
    looks: &[Look],
    kept: &[StoredTemplate],
    like: &[StoredTemplate],
    recognizer: &Recognizer,
) -> Result<Sorted, StoreError> {
    let (mut known, mut shots, mut rejected) = (Vec::new(), Vec::new(), Vec::new());
    for &Look { image_index, digest, ref outcome } in looks {
        match (stored(kept, &digest), outcome) {
            (Some((face, quality)), _) => known.push(Accepted { face, image_index, quality }),
            (None, Outcome::Good(shot)) => shots.push(shot.clone()),
            (None, Outcome::Flawed(flaw)) => rejected.push(Rejected { image_index, flaw: *flaw }),
            (None, Outcome::Known) => return Err(StoreError::Stale),
        }
    }
    let shots = distinct(shots, kept, &mut rejected);
    let shots = of_one_person(shots, like, recognizer, &mut rejected);
    rejected.sort_by_key(|photo| photo.image_index);
    Ok(Sorted { known, shots, rejected })
}

/// The template of that photo, if it is stored. One without measurements comes from another system, not from a photo.
fn stored(kept: &[StoredTemplate], digest: &[u8; 32]) -> Option<(FaceId, FaceQuality)> {
    kept.iter().filter(|face| face.digest == *digest).find_map(|face| Some((face.id, face.quality?)))
}

/// The one face of a photo, if there is one, alone and good enough to be kept.
fn usable_face(analysis: Analysis) -> Result<(Template, FaceQuality), Flaw> {
    if has_second_face(&analysis.faces) {
        return Err(Flaw::MultipleFaces);
    }
    let face = analysis.faces.into_iter().next().ok_or(Flaw::NoFace)?;
    if let Some(flaw) = face.flaws(&QualityGate::ENROLL).first() {
        return Err(*flaw);
    }
    face.template.map(|template| (template, face.quality)).ok_or(Flaw::LowConfidence)
}

/// Whether a second face is large enough to be meant. `faces` are in order of size.
pub(crate) fn has_second_face(faces: &[DetectedFace]) -> bool {
    matches!(faces, [first, second, ..] if second.bounds.area() >= SECOND_FACE_SHARE * first.bounds.area())
}

/// Leaves out shots that are the same as one kept or one earlier in the request.
fn distinct(shots: Vec<Shot>, kept: &[StoredTemplate], rejected: &mut Vec<Rejected>) -> Vec<Shot> {
    let mut distinct: Vec<Shot> = Vec::with_capacity(shots.len());
    for shot in shots {
        let same = |other: &Template| {
            shot.template.similarity(other).is_some_and(|s| s >= shot.template.metric.near_duplicate())
        };
        if kept.iter().any(|face| same(&face.template)) || distinct.iter().any(|other| same(&other.template))
        {
            rejected.push(Rejected { image_index: shot.image_index, flaw: Flaw::NearDuplicate });
        } else {
            distinct.push(shot);
        }
    }
    distinct
}

/// Leaves out shots that do not look like the person: like these photos of theirs or, when there are none yet, like
/// the shot that resembles the others most.
fn of_one_person(
    shots: Vec<Shot>,
    kept: &[StoredTemplate],
    recognizer: &Recognizer,
    rejected: &mut Vec<Rejected>,
) -> Vec<Shot> {
    let reference = Template::mean(kept.iter().map(|face| &face.template)).or_else(|| most_typical(&shots));
    let Some(reference) = reference else { return shots };
    let least = recognizer.fmr.similarity_for(SAME_PERSON_FMR).unwrap_or(recognizer.threshold.similarity());
    let (same, others): (Vec<_>, Vec<_>) = shots
        .into_iter()
        .partition(|shot| shot.template.similarity(&reference).is_some_and(|similarity| similarity >= least));
    rejected.extend(
        others.iter().map(|shot| Rejected { image_index: shot.image_index, flaw: Flaw::NotSamePerson }),
    );
    same
}

/// The shot with the greatest sum of similarities to all others.
fn most_typical(shots: &[Shot]) -> Option<Template> {
    let typical = |shot: &Shot| -> f32 {
        shots.iter().filter_map(|other| shot.template.similarity(&other.template)).sum()
    };
    shots.iter().max_by(|a, b| typical(a).total_cmp(&typical(b))).map(|shot| shot.template.clone())
}
