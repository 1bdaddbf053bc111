//! `POST /api/face/enroll`

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use rollcall_domain::access::Role;
use rollcall_domain::face::FaceSource;
use rollcall_domain::text::MIN_REASON;
use rollcall_domain::user::ConsentVersion;
use rollcall_usecases::enroll::{EnrollRequest, Enrollment, Rejected};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::ValidationError;

use crate::actor::{Authenticated, parse_user};
use crate::face::QualityView;
use crate::input::{Parse, Passage, PhotoForm, Text, Upload, form};
use crate::options::Api;
use crate::problem::Problem;

form! {
    body struct EnrollForm as Enroll {
        /// Whose face, an id or `me`.
        user_id: Required<String>,
        /// Pictures in base64 or as data URLs, 1 to 20.
        #[schema(value_type = Vec<String>, required = true)]
        images: Option<Vec<String>>,
        /// The version of the text the person agreed to; also `{"version": ...}`.
        #[validate(custom(function = "readable"))]
        #[schema(value_type = Option<String>)]
        consent: Option<Consent>,
        /// The same under its name in a multipart form.
        consent_version: Optional<ConsentVersion>,
        /// Keep the accepted pictures in place of everything kept of the person; nothing is lost if none is accepted. Only
        /// administrators and managers may do so with a face unlike the kept ones.
        replace: Option<bool>,
        /// Enroll a face although it looks like somebody else's; for administrators, with a reason.
        allow_duplicate: Option<bool>,
        /// Why, at least 5 characters.
        reason: Nullable<Passage<500>>,
    }
}

/// The same as a multipart form.
#[derive(ToSchema)]
#[schema(as = EnrollParts)]
#[expect(dead_code, reason = "a schema; the parts are read one by one")]
pub(crate) struct EnrollParts {
    /// Whose face, an id or `me`.
    user_id: String,
    /// Pictures, 1 to 20.
    #[schema(value_type = Vec<String>, format = Binary)]
    images: Vec<Vec<u8>>,
    /// The version of the text the person agreed to.
    consent_version: Option<String>,
    /// Keep the accepted pictures in place of everything kept of the person; nothing is lost if none is accepted. Only
    /// administrators and managers may do so with a face unlike the kept ones.
    replace: Option<bool>,
    /// Enroll a face although it looks like somebody else's; for administrators, with a reason.
    allow_duplicate: Option<bool>,
    /// Why, at least 5 characters.
    reason: Option<String>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(untagged)]
enum Consent {
    Version(String),
    Given(GivenConsent),
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct GivenConsent {
    version: String,
}

impl Consent {
    fn version(&self) -> &str {
        match self {
            Self::Version(version) | Self::Given(GivenConsent { version }) => version,
        }
    }
}

fn readable(consent: &Consent) -> Result<(), ValidationError> {
    let unreadable = |detail: String| ValidationError::new(ConsentVersion::CODE).with_message(detail.into());
    ConsentVersion::read(consent.version()).map(drop).map_err(unreadable)
}

impl PhotoForm for EnrollForm {
    const FILES: &'static [&'static str] = &["images"];
    const MAX: usize = 20;
    const TEXTS: &'static [(&'static str, Text)] = &[
        ("user_id", Text::Word),
        ("consent_version", Text::Word),
        ("replace", Text::Flag),
        ("allow_duplicate", Text::Flag),
        ("reason", Text::Word),
    ];

    fn take_images(&mut self) -> Vec<(String, String)> {
        let images = self.images.take().unwrap_or_default().into_iter().enumerate();
        images.map(|(index, image)| (format!("/images/{index}"), image)).collect()
    }
}

/// What came of an enrollment.
#[derive(Serialize, ToSchema)]
#[schema(as = Enrollment)]
pub(crate) struct EnrollmentView {
    user_id: String,
    /// `enrolled` once there are enough templates, `incomplete` before; `blocked` while the person is not active.
    status: &'static str,
    accepted: Vec<AcceptedView>,
    rejected: Vec<RejectedView>,
    /// Templates of the model in use.
    encodings: u32,
    /// Templates without which nobody is recognized.
    min_required: u32,
    /// Templates that are missing.
    remaining: u32,
    model_id: String,
}

/// A picture that is kept as a template.
#[derive(Serialize, ToSchema)]
#[schema(as = AcceptedImage)]
pub(crate) struct AcceptedView {
    encoding_id: String,
    /// Its place in the request, from 0.
    image_index: usize,
    quality: QualityView,
}

/// A picture that is not, and what can be done about it.
#[derive(Serialize, ToSchema)]
#[schema(as = RejectedImage)]
pub(crate) struct RejectedView {
    /// Its place in the request, from 0.
    image_index: usize,
    code: &'static str,
    detail: &'static str,
    hint: &'static str,
}

impl EnrollmentView {
    fn new(enrollment: &Enrollment) -> Self {
        let accepted = enrollment.accepted.iter().map(|photo| AcceptedView {
            encoding_id: photo.face.to_string(),
            image_index: photo.image_index,
            quality: QualityView::new(&photo.quality),
        });
        Self {
            user_id: enrollment.user.to_string(),
            status: enrollment.status.name(),
            accepted: accepted.collect(),
            rejected: enrollment.rejected.iter().map(RejectedView::new).collect(),
            encodings: enrollment.encodings,
            min_required: enrollment.min_required,
            remaining: enrollment.min_required.saturating_sub(enrollment.encodings),
            model_id: enrollment.model.to_string(),
        }
    }
}

impl RejectedView {
    /// A picture that is not kept.
    pub(crate) const fn new(photo: &Rejected) -> Self {
        let Rejected { image_index, flaw } = *photo;
        Self { image_index, code: flaw.code(), detail: flaw.detail(), hint: flaw.hint() }
    }
}

/// Stores templates of those pictures that are good enough, distinct, and of the person.
#[utoipa::path(post, path = "", tag = "face",
    request_body(content((EnrollForm = "application/json"), (EnrollParts = "multipart/form-data"))),
    responses((status = 201, description = "At least one picture was accepted.", body = EnrollmentView)))]
pub(crate) async fn enroll(
    api: web::Data<Api>,
    caller: Authenticated,
    upload: Upload<EnrollForm>,
) -> Result<HttpResponse, Problem> {
    let Upload { form, photos } = upload;
    let allow_duplicate = form.allow_duplicate.unwrap_or(false);
    let reason = form.reason.value();
    let reasoned = reason.as_ref().is_some_and(|reason| reason.chars().count() >= MIN_REASON);
    if allow_duplicate && caller.actor().role() == Role::Admin && !reasoned {
        let detail = format!("a reason of at least {MIN_REASON} characters is required");
        return Err(Problem::invalid_field("/reason", "required", detail));
    }
    let consent = form.consent.as_ref().map(Consent::version).or(form.consent_version.text());
    let request = EnrollRequest {
        user: parse_user(&form.user_id.value()?, caller.actor())?,
        photos,
        consent: consent.and_then(|version| ConsentVersion::read(version).ok()),
        allow_duplicate,
        replace: form.replace.unwrap_or(false),
        reason,
        source: FaceSource::Api,
    };
    let enrollment = api.usecases.faces.enroll(caller.actor(), request).await?;
    let templates = (header::LOCATION, format!("/api/face/user/{}/encodings", enrollment.user));
    Ok(HttpResponse::Created().insert_header(templates).json(EnrollmentView::new(&enrollment)))
}
