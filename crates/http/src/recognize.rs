//! `POST /api/face/recognize`

use actix_web::{HttpResponse, web};

use rollcall_domain::attendance::PunchKind;
use rollcall_domain::user::User;
use rollcall_usecases::recognition::{MAX_TOP_K, Outcome, RecognizeRequest, Recognized, Sighting};
use rollcall_usecases::timesheet::PunchResult;
use serde::Serialize;
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::actor::Authenticated;
use crate::attendance_view::{
    EventView, LocationForm, RecordView, decision, local, message, next_allowed, ratio,
};
use crate::face::{BoxView, QualityView};
use crate::input::{PhotoForm, Text, Upload, form};
use crate::options::Api;
use crate::problem::{Code, Problem};
use crate::profile::DepartmentRefView;

form! {
    body struct RecognizeForm as Recognize {
        /// A picture in base64 or as a data URL.
        #[schema(value_type = String, required = true)]
        image: Option<String>,
        /// Whether a match is a punch; true unless said otherwise.
        mark: Option<bool>,
        /// `auto`, `check_in` or `check_out`; `auto` unless said otherwise.
        r#type: Optional<PunchKind>,
        /// How many candidates are wanted, 1 to 5; more than 1 is for administrators.
        #[validate(custom(function = "few"))]
        #[schema(minimum = 1, maximum = 5)]
        top_k: Option<u64>,
        /// Every face instead of the largest.
        all_faces: Option<bool>,
        #[validate(nested)]
        location: Option<LocationForm>,
    }
    const ALSO_NULLABLE: &'static [&'static str] = &["location", "location/accuracy_m"];
}

/// The same as a multipart form.
#[derive(ToSchema)]
#[schema(as = RecognizeParts)]
#[expect(dead_code, reason = "a schema; the parts are read one by one")]
pub(crate) struct RecognizeParts {
    /// A picture; also under the name `images`.
    #[schema(value_type = String, format = Binary)]
    image: Vec<u8>,
    /// Whether a match is a punch; true unless said otherwise.
    mark: Option<bool>,
    /// `auto`, `check_in` or `check_out`; `auto` unless said otherwise.
    r#type: Option<String>,
    /// How many candidates are wanted, 1 to 5; more than 1 is for administrators.
    top_k: Option<u64>,
    /// Every face instead of the largest.
    all_faces: Option<bool>,
    /// JSON: `{"lat": 52.5, "lng": 13.4, "accuracy_m": 10}`.
    location: Option<LocationForm>,
}

fn few(top_k: u64) -> Result<(), ValidationError> {
    if (1..=MAX_TOP_K as u64).contains(&top_k) {
        return Ok(());
    }
    Err(ValidationError::new("out-of-range").with_message(format!("must be 1..{MAX_TOP_K}").into()))
}

impl PhotoForm for RecognizeForm {
    const FILES: &'static [&'static str] = &["image", "images"];
    const MAX: usize = 1;
    const TEXTS: &'static [(&'static str, Text)] = &[
        ("mark", Text::Flag),
        ("type", Text::Word),
        ("top_k", Text::Number),
        ("all_faces", Text::Flag),
        ("location", Text::Object),
    ];

    fn take_images(&mut self) -> Vec<(String, String)> {
        self.image.take().map(|image| ("/image".to_owned(), image)).into_iter().collect()
    }
}

/// What came of a picture.
#[derive(Serialize, ToSchema)]
#[schema(as = Recognition)]
pub(crate) struct RecognitionView {
    #[serde(flatten)]
    face: SightingView,
    /// Largest distance that is a match.
    threshold: f64,
    /// How much less similar the second person must be.
    margin: f64,
    model_id: String,
    timings_ms: TimingsView,
    /// Every face, where all were wanted; what is beside them is the largest.
    #[serde(skip_serializing_if = "Option::is_none")]
    faces: Option<Vec<SightingView>>,
}

/// What came of one face.
#[derive(Serialize, ToSchema)]
#[schema(as = Sighting)]
pub(crate) struct SightingView {
    /// `matched`, `unknown`, `ambiguous` or `rejected`.
    result: &'static str,
    /// Why it was rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    user: Option<MatchedView>,
    similarity: Option<f64>,
    distance: Option<f64>,
    quality: QualityView,
    liveness: LivenessView,
    /// What became of the punch; `null` where none was wanted or nobody was matched.
    attendance: Option<PunchView>,
    face_box: BoxView,
    decision_id: String,
    /// The most similar people, where more than one was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    candidates: Vec<CandidateView>,
}

/// The person, as far as a camera shows them.
#[derive(Serialize, ToSchema)]
#[schema(as = MatchedPerson)]
pub(crate) struct MatchedView {
    id: String,
    name: String,
    department: Option<DepartmentRefView>,
    avatar_url: Option<String>,
}

/// Whether the face was alive; not judged for now.
#[derive(Serialize, ToSchema)]
#[schema(as = Liveness)]
pub(crate) struct LivenessView {
    mode: &'static str,
    score: Option<f64>,
    passed: Option<bool>,
}

/// What became of the punch.
#[derive(Serialize, ToSchema)]
#[schema(as = Punch)]
pub(crate) struct PunchView {
    /// `checked_in`, `checked_out`, `cooldown`, `min_session` or `none`.
    decision: &'static str,
    event: Option<EventView>,
    record: RecordView,
    /// A sentence for the person.
    message: &'static str,
    #[schema(format = DateTime)]
    next_allowed_at: Option<String>,
}

/// Somebody the face resembles.
#[derive(Serialize, ToSchema)]
#[schema(as = Candidate)]
pub(crate) struct CandidateView {
    user_id: String,
    similarity: f64,
    distance: f64,
}

/// Where the time went, in milliseconds.
#[derive(Serialize, ToSchema)]
#[schema(as = Timings)]
pub(crate) struct TimingsView {
    queue: f64,
    decode: f64,
    detect: f64,
    align: f64,
    embed: f64,
    search: f64,
    db: f64,
}

impl TimingsView {
    fn new(recognition: &Recognized) -> Self {
        let ms = |micros: u32| f64::from(micros) / 1000.0;
        let timings = &recognition.timings;
        Self {
            queue: ms(timings.queue),
            decode: ms(timings.decode),
            detect: ms(timings.detect),
            align: ms(timings.align),
            embed: ms(timings.embed),
            search: ms(recognition.search),
            db: ms(recognition.store),
        }
    }
}

impl SightingView {
    fn new(sighting: &Sighting) -> Self {
        let (result, reason, user, marked) = match &sighting.outcome {
            Outcome::Matched(user, marked) => {
                ("matched", None, Some(MatchedView::new(user)), marked.as_deref())
            }
            Outcome::Unknown => ("unknown", None, None, None),
            Outcome::Ambiguous => ("ambiguous", None, None, None),
            Outcome::Rejected(why) => ("rejected", Some(why.name()), None, None),
        };
        let candidates = sighting.candidates.iter().map(|candidate| CandidateView {
            user_id: candidate.user.to_string(),
            similarity: ratio(candidate.similarity),
            distance: ratio(1.0 - candidate.similarity),
        });
        Self {
            result,
            reason,
            user,
            similarity: sighting.similarity.map(ratio),
            distance: sighting.similarity.map(|similarity| ratio(1.0 - similarity)),
            quality: QualityView::new(&sighting.quality),
            liveness: LivenessView { mode: "off", score: None, passed: None },
            attendance: marked.map(PunchView::new),
            face_box: BoxView::new(&sighting.bounds),
            decision_id: sighting.search.to_string(),
            candidates: candidates.collect(),
        }
    }
}

impl MatchedView {
    fn new(user: &User) -> Self {
        Self {
            id: user.id.to_string(),
            name: user.name.as_str().to_owned(),
            department: user.department.as_ref().map(DepartmentRefView::new),
            avatar_url: user.avatar_url.clone(),
        }
    }
}

impl PunchView {
    fn new(marked: &PunchResult) -> Self {
        Self {
            decision: decision(marked.outcome),
            event: marked.punch.as_ref().map(|event| EventView::new(event, &marked.day)),
            // Without the punches of the day: where somebody was this morning, and why, is no business of a kiosk.
            record: RecordView::new(&marked.day, false),
            message: message(marked.outcome),
            next_allowed_at: next_allowed(marked.outcome).map(|at| local(&marked.day.zone, at)),
        }
    }
}

/// Who is in the picture? A clear match is punched in or out; anything less names and marks nobody.
#[utoipa::path(post, path = "", tag = "face",
    request_body(content((RecognizeForm = "application/json"), (RecognizeParts = "multipart/form-data"))),
    responses((status = 200, description = "The picture was processed.", body = RecognitionView)))]
pub(crate) async fn recognize(
    api: web::Data<Api>,
    caller: Authenticated,
    upload: Upload<RecognizeForm>,
) -> Result<HttpResponse, Problem> {
    let Upload { form, photos } = upload;
    let photo = photos.into_iter().next().filter(|photo| !photo.0.is_empty());
    let all_faces = form.all_faces.unwrap_or(false);
    let request = RecognizeRequest {
        photo: photo.ok_or_else(|| Problem::new(Code::UndecodableImage, "the picture is empty"))?,
        mark: form.mark.unwrap_or(true),
        kind: form.r#type.value().unwrap_or(PunchKind::Auto),
        top_k: form.top_k.map_or(1, |top_k| usize::try_from(top_k).unwrap_or(MAX_TOP_K)),
        all_faces,
        location: form.location.and_then(LocationForm::place),
    };
    let answer = api.usecases.recognition.recognize(caller.actor(), request).await?;
    let largest = answer.faces.first().ok_or_else(|| Problem::plain(Code::NoFace))?;
    Ok(HttpResponse::Ok().json(RecognitionView {
        face: SightingView::new(largest),
        threshold: ratio(answer.policy.threshold.distance()),
        margin: ratio(answer.policy.margin),
        model_id: answer.model.to_string(),
        timings_ms: TimingsView::new(&answer),
        faces: all_faces.then(|| answer.faces.iter().map(SightingView::new).collect()),
    }))
}
