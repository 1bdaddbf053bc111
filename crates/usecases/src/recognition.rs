//! Recognizing a face and marking the person's attendance: the one thing Rollcall exists for.

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use rollcall_domain::access::{Action, Actor, Denied, Scope, permit};
use rollcall_domain::attendance::{Location, PunchKind, Source};
use rollcall_domain::face::{FaceBox, FaceQuality, Flaw, ModelId, Photo, QualityGate};
use rollcall_domain::geofence::Fenced;
use rollcall_domain::id::SearchId;
use rollcall_domain::matching::{Candidate, Judgment, MatchPolicy, judge};
use rollcall_domain::user::User;
use rollcall_ports::Ports;
use rollcall_ports::clock::Clock;
use rollcall_ports::departments::DepartmentStore;
use rollcall_ports::engine::FaceEngine;
use rollcall_ports::engine::{DetectedFace, EngineError, Recognizer, Timings, Wanted};
use rollcall_ports::ids::IdSource;
use rollcall_ports::index::FaceIndex;
use rollcall_ports::index::IndexError;
use rollcall_ports::recognition_log::RecognitionLog;
use rollcall_ports::recognition_log::Search;
use rollcall_ports::store::StoreError;
use rollcall_ports::users::UserStore;

use crate::enroll::has_second_face;
use crate::geofences::check_geofence;
use crate::rules::Rules;
use crate::timesheet::{NewPunch, PunchCommit, PunchResult, Timesheets};

/// Most candidates that can be asked for.
pub const MAX_TOP_K: usize = 5;

/// A photo and what is wanted of it.
#[derive(Debug, Clone)]
pub struct RecognizeRequest {
    /// The photo.
    pub photo: Photo,
    /// Whether a match is a punch.
    pub mark: bool,
    /// Coming, leaving, or whatever fits.
    pub kind: PunchKind,
    /// How many candidates are wanted besides the answer, 1 to [`MAX_TOP_K`]; more than 1 is for
    /// administrators.
    pub top_k: usize,
    /// Every face instead of the largest.
    pub all_faces: bool,
    /// Where.
    pub location: Option<Location>,
}

/// Tells whom a photo shows, and where the time went.
#[derive(Debug, Clone)]
pub struct Recognized {
    /// Each face; one unless all were wanted.
    pub faces: Vec<Sighting>,
    /// The model in use.
    pub model: ModelId,
    /// What decided.
    pub policy: MatchPolicy,
    /// Where the time went.
    pub timings: Timings,
    /// Time spent searching the gallery, in microseconds.
    pub search: u32,
    /// Time spent in the database, in microseconds.
    pub store: u32,
}

/// Tells whom one face shows.
#[derive(Debug, Clone)]
pub struct Sighting {
    /// The search, by which it can be found in the log.
    pub search: SearchId,
    /// What it came to.
    pub outcome: Outcome,
    /// Similarity of the most similar person, if that may be told.
    pub similarity: Option<f32>,
    /// What was measured.
    pub quality: FaceQuality,
    /// Where the face is.
    pub bounds: FaceBox,
    /// The most similar people, for administrators who asked for more than one.
    pub candidates: Vec<Candidate>,
}

/// What a search came to.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// One person; and what became of the punch if it was wanted.
    Matched(Box<User>, Option<Box<PunchResult>>),
    /// Nobody of the gallery.
    Unknown,
    /// Two people look alike enough that nobody is named.
    Ambiguous,
    /// Somebody, but not one who may be told or marked.
    Rejected(Rejection),
}

rollcall_domain::words! {
    /// Why somebody who was found is neither named nor marked.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Rejection {
        /// Employees are told of nobody but themselves.
        SomebodyElse = "somebody_else",
        /// The person no longer takes part, or took consent back, on another instance a moment ago.
        NotMatchable = "not_matchable",
        /// One face of several is too poor to be searched.
        LowQuality = "low_quality",
        /// The person is not where the people of their department mark their own attendance.
        OutsideGeofence = "outside_geofence",
        /// The person has to say where they are.
        LocationRequired = "location_required",
    }
}

impl From<Fenced> for Rejection {
    fn from(fenced: Fenced) -> Self {
        match fenced {
            Fenced::Nowhere => Self::LocationRequired,
            Fenced::Outside { .. } => Self::OutsideGeofence,
        }
    }
}

/// Why a photo could not be answered.
#[derive(Debug, thiserror::Error)]
pub enum RecognizeError {
    /// Not allowed.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Only administrators see more than the answer.
    #[error("only an administrator may ask for more than one candidate")]
    TopKForbidden,
    /// Nobody is in the picture.
    #[error("no face was found")]
    NoFace,
    /// Two faces of similar size, and only one may be meant.
    #[error("more than one face of similar size was found")]
    MultipleFaces,
    /// The face is too poor to be searched.
    #[error("the picture is not good enough to recognize a face")]
    LowQuality(Vec<Flaw>),
    /// The engine could not work on the photo.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The gallery could not be searched.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Finds out who is in a photo, and punches them in or out.
#[derive(Clone)]
pub struct Recognition {
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    engine: Arc<dyn FaceEngine>,
    index: Arc<dyn FaceIndex>,
    recognition_log: Arc<dyn RecognitionLog>,
    users: Arc<dyn UserStore>,
    departments: Arc<dyn DepartmentStore>,
    rules: Arc<Rules>,
    timesheets: Timesheets,
}

impl Recognition {
    pub(crate) fn new(ports: &Ports, rules: Arc<Rules>, timesheets: Timesheets) -> Self {
        Self {
            clock: ports.clock.clone(),
            ids: ports.ids.clone(),
            engine: ports.engine.clone(),
            index: ports.index.clone(),
            recognition_log: ports.recognition_log.clone(),
            users: ports.users.clone(),
            departments: ports.departments.clone(),
            rules,
            timesheets,
        }
    }

    /// Who is in the photo? A clear match is punched in or out if that is wanted; anything less marks nobody.
    ///
    /// # Errors
    /// [`RecognizeError::Denied`]; [`RecognizeError::TopKForbidden`]; [`RecognizeError::NoFace`],
    /// [`RecognizeError::MultipleFaces`] or [`RecognizeError::LowQuality`] for the photo; [`RecognizeError::Engine`] or
    /// [`RecognizeError::Index`] if these fail; or the store's, after which the punches of faces before it stay.
    #[tracing::instrument(name = "recognition.recognize", skip_all, fields(user.id, result))]
    pub async fn recognize(
        &self,
        actor: &Actor,
        request: RecognizeRequest,
    ) -> Result<Recognized, RecognizeError> {
        let scope = permit(actor, Action::RecognizeFace, self.rules.self_service)?;
        if request.top_k > 1 && permit(actor, Action::AdminListUsers, self.rules.self_service).is_err() {
            return Err(RecognizeError::TopKForbidden);
        }
        let recognizer = self.engine.recognizer()?.clone();
        let wanted = if request.all_faces { Wanted::All } else { Wanted::Largest };
        let analysis = self.engine.analyze(request.photo.clone(), wanted).await?;
        if analysis.faces.is_empty() {
            return Err(RecognizeError::NoFace);
        }
        if !request.all_faces && has_second_face(&analysis.faces) {
            return Err(RecognizeError::MultipleFaces);
        }

        let people = self.index.people_of(&recognizer.model);
        let policy = self.rules.match_policy(&recognizer, people);
        let search =
            Identification { actor, scope, request: &request, recognizer: &recognizer, people, policy };
        let mut answer = Recognized {
            faces: Vec::new(),
            model: recognizer.model.clone(),
            policy,
            timings: analysis.timings,
            search: 0,
            store: 0,
        };
        for face in analysis.faces {
            let Some(probe) = face.template.clone() else { continue };
            let begun = Instant::now();
            let candidates = self.index.nearest(&probe, request.top_k.clamp(2, MAX_TOP_K)).await?;
            answer.search += micros(begun);
            let (sighting, store) = self.identify(&search, &face, candidates).await?;
            answer.faces.push(sighting);
            answer.store += store;
        }
        Ok(answer)
    }

    /// Judges the candidates for one face, punches the person who matches, and logs the search; tells how many microseconds the
    /// database took.
    async fn identify(
        &self,
        search: &Identification<'_>,
        face: &DetectedFace,
        mut candidates: Vec<Candidate>,
    ) -> Result<(Sighting, u32), RecognizeError> {
        let request = search.request;
        let flaws = face.flaws(&QualityGate::RECOGNIZE);
        let judgment = judge(&candidates, &flaws, &search.policy);
        let begun = Instant::now();
        let outcome = match &judgment {
            Judgment::Matched(best) => self.punch_matched_person(search, *best).await?,
            Judgment::Unknown { .. } => Outcome::Unknown,
            Judgment::Ambiguous { .. } => Outcome::Ambiguous,
            Judgment::Rejected(_) => Outcome::Rejected(Rejection::LowQuality),
        };
        let store = micros(begun);
        let id = SearchId::new(self.ids.next());
        let entry = search.entry((id, self.clock.now()), face, &candidates, &judgment, &outcome);
        tracing::Span::current().record("result", entry.result);
        self.recognition_log.append(entry);
        if !request.all_faces && !flaws.is_empty() {
            return Err(RecognizeError::LowQuality(flaws));
        }
        let is_revealed = !matches!(outcome, Outcome::Rejected(_));
        // Who may only ask about themself learns nothing of how near others are.
        let is_own = |best: &Candidate| search.scope != Scope::Own || search.actor.is(best.user);
        let similarity =
            judgment.best().filter(|best| is_revealed && is_own(best)).map(|best| best.similarity);
        candidates.truncate(if request.top_k > 1 { request.top_k } else { 0 });
        let (quality, bounds) = (face.quality, face.bounds);
        Ok((Sighting { search: id, outcome, similarity, quality, bounds, candidates }, store))
    }

    /// Punches the person who clearly matched, if that is wanted and the actor may be told of them.
    async fn punch_matched_person(
        &self,
        search: &Identification<'_>,
        best: Candidate,
    ) -> Result<Outcome, StoreError> {
        let &Identification { actor, scope, request, .. } = search;
        if scope == Scope::Own && !actor.is(best.user) {
            return Ok(Outcome::Rejected(Rejection::SomebodyElse));
        }
        // Read afresh: the gallery of this instance may be a moment behind another's change.
        let Some(user) = self.users.get(best.user).await?.filter(User::is_matchable) else {
            return Ok(Outcome::Rejected(Rejection::NotMatchable));
        };
        tracing::Span::current().record("user.id", tracing::field::display(user.id));
        if !request.mark {
            return Ok(Outcome::Matched(Box::new(user), None));
        }
        // A camera on a wall is where it is. Whoever carries theirs says where, and of one that says so it counts.
        let has_location = request.location.is_some() || actor.is(user.id);
        if has_location
            && let Err(fenced) = check_geofence(&*self.departments, &user, request.location).await?
        {
            return Ok(Outcome::Rejected(fenced.into()));
        }
        let punch = NewPunch {
            kind: request.kind,
            at: self.clock.now(),
            source: Source::FaceRecognition,
            similarity: Some(best.similarity),
            location: request.location,
            note: None,
            reason: None,
            entered_by: None,
            device: None,
            forced: false,
        };
        let marked = match self.timesheets.punch(actor, &user, punch).await? {
            PunchCommit::Decided(marked) => Some(marked),
            // Today is closed: the person is known, and nothing is recorded.
            PunchCommit::PeriodClosed | PunchCommit::Nowhere(_) => None,
        };
        Ok(Outcome::Matched(Box::new(user), marked))
    }
}

/// What the faces of one photo are searched and judged by.
struct Identification<'a> {
    actor: &'a Actor,
    /// On whom the actor may act.
    scope: Scope,
    request: &'a RecognizeRequest,
    recognizer: &'a Recognizer,
    /// People in the gallery.
    people: usize,
    policy: MatchPolicy,
}

impl Identification<'_> {
    /// What the recognition log keeps of one search.
    fn entry(
        &self,
        (id, at): (SearchId, Timestamp),
        face: &DetectedFace,
        candidates: &[Candidate],
        judgment: &Judgment,
        outcome: &Outcome,
    ) -> Search {
        let (result, user, reason) = match (outcome, judgment) {
            (Outcome::Matched(user, _), _) => ("matched", Some(user.id), None),
            (Outcome::Unknown, _) => ("unknown", None, None),
            (Outcome::Ambiguous, _) => ("ambiguous", None, None),
            (Outcome::Rejected(_), Judgment::Rejected(flaws)) => {
                let codes: Vec<_> = flaws.iter().map(|flaw| flaw.code()).collect();
                ("rejected", None, Some(codes.join(",")))
            }
            (Outcome::Rejected(why), _) => ("rejected", None, Some(why.name().to_owned())),
        };
        let second = candidates.iter().skip(1).find(|other| other.user != candidates[0].user);
        Search {
            id,
            at,
            device: self.actor.device(),
            asked_by: self.actor.user(),
            model: self.recognizer.model.clone(),
            people: u32::try_from(self.people).unwrap_or(u32::MAX),
            result,
            reason,
            user,
            best: candidates.first().map(|best| best.similarity),
            second: second.map(|second| second.similarity),
            threshold: self.policy.threshold.similarity(),
            margin: self.policy.margin,
            quality: Some(face.quality),
        }
    }
}

/// Time since `begun` for the answer's own account of itself; no rule depends on it.
fn micros(begun: Instant) -> u32 {
    u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX)
}
