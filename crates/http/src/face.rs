//! Templates as clients see them: never a vector.

use actix_web::{HttpRequest, HttpResponse, web};
use rollcall_domain::face::{FaceBox, FaceQuality, ModelId, QualityGate};
use rollcall_domain::id::FaceId;
use rollcall_domain::page::Sort;
use rollcall_usecases::TemplateSummary;
use rollcall_usecases::faces::TemplateQuery;
use serde::Serialize;
use utoipa::ToSchema;

use crate::actor::{Authenticated, PathUser};
use crate::attendance_view::ratio;
use crate::input::{Parse, PathId, Query, form, one_of};
use crate::options::Api;
use crate::paging::{List, list, page, sort};
use crate::problem::Problem;
use crate::profile::utc;

/// What was measured on a face.
#[derive(Serialize, ToSchema)]
#[schema(as = Quality)]
pub(crate) struct QualityView {
    /// How far above what enrollment asks for, 0 to 1.
    score: f64,
    sharpness: f64,
    /// Mean gray level, 0 to 255.
    brightness: f64,
    /// Width of the face in pixels.
    face_px: f64,
    /// Degrees, positive to the image right.
    yaw: f64,
    /// Degrees, positive downwards.
    pitch: f64,
    /// Degrees, positive clockwise.
    roll: f64,
    /// The detector's confidence, 0 to 1.
    detector: f64,
}

impl QualityView {
    pub(crate) fn new(quality: &FaceQuality) -> Self {
        Self {
            score: ratio(QualityGate::ENROLL.score(quality)),
            sharpness: tenth(quality.sharpness),
            brightness: tenth(quality.brightness),
            face_px: tenth(quality.face_px),
            yaw: tenth(quality.yaw),
            pitch: tenth(quality.pitch),
            roll: tenth(quality.roll),
            detector: ratio(quality.detector),
        }
    }
}

/// A face's rectangle in pixels of the upright picture.
#[derive(Serialize, ToSchema)]
#[schema(as = FaceBox)]
pub(crate) struct BoxView {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

impl BoxView {
    pub(crate) fn new(bounds: &FaceBox) -> Self {
        let (x, y) = (tenth(bounds.left), tenth(bounds.top));
        Self { x, y, width: tenth(bounds.width()), height: tenth(bounds.height()) }
    }
}

fn tenth(number: f32) -> f64 {
    (f64::from(number) * 10.0).round() / 10.0
}

form! {
    query struct EncodingsForm {
        /// `active` (of the model in use), `stale` (of others) or `revoked`.
        status: Optional<EncodingStatus>,
        ..paging,
        /// `-created_at` unless asked otherwise.
        sort: Option<String>,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EncodingStatus {
    Active,
    Stale,
    Revoked,
}

impl EncodingStatus {
    const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Stale => "stale",
            Self::Revoked => "revoked",
        }
    }
}

impl Parse for EncodingStatus {
    type Value = Self;
    const CODE: &'static str = "unknown-value";

    fn read(text: &str) -> Result<Self, String> {
        one_of(text, &[Self::Active, Self::Stale, Self::Revoked], Self::name)
    }
}

/// A template, without its vector.
#[derive(Serialize, ToSchema)]
#[schema(as = Encoding)]
pub(crate) struct EncodingView {
    id: String,
    #[schema(format = DateTime)]
    created_at: String,
    created_by: Option<String>,
    /// `api`, `cli` or `import`.
    source: &'static str,
    model_id: String,
    dim: u32,
    /// Null for a template from another system: nobody here saw its photo.
    quality: Option<QualityView>,
    /// `active` or `stale`.
    status: &'static str,
    #[schema(format = DateTime)]
    last_matched_at: Option<String>,
    match_count: u64,
    has_image: bool,
}

impl EncodingView {
    fn new(encoding: &TemplateSummary, model: Option<&ModelId>) -> Self {
        let status =
            if model == Some(&encoding.model) { EncodingStatus::Active } else { EncodingStatus::Stale };
        Self {
            id: encoding.id.to_string(),
            created_at: utc(encoding.created_at),
            created_by: encoding.created_by.map(|id| id.to_string()),
            source: encoding.source.name(),
            model_id: encoding.model.to_string(),
            dim: encoding.dim,
            quality: encoding.quality.as_ref().map(QualityView::new),
            status: status.name(),
            last_matched_at: encoding.last_matched_at.map(utc),
            match_count: encoding.match_count,
            has_image: false,
        }
    }
}

/// A template that was deleted, and what is left.
#[derive(Serialize, ToSchema)]
#[schema(as = DeletedEncoding)]
pub(crate) struct DeletedView {
    deleted_id: String,
    user_id: String,
    /// Templates of the model in use that remain.
    remaining: u32,
    /// Whether the person can still be recognized: `none`, `incomplete`, `enrolled`, `stale` or `blocked`.
    status: &'static str,
}

/// What is stored of a person's face.
#[utoipa::path(get, path = "", tag = "face",
    params(PathUser, EncodingsForm),
    responses((status = 200, description = "A page of templates, without vectors.", body = List<EncodingView>)))]
pub(crate) async fn encodings(
    req: HttpRequest,
    api: web::Data<Api>,
    caller: Authenticated,
    PathUser(user): PathUser,
    Query(form): Query<EncodingsForm>,
) -> Result<HttpResponse, Problem> {
    let status: Option<EncodingStatus> = form.status.value();
    let order: Vec<Sort<()>> = sort(&form.sort, &[("created_at", ())])?;
    let query = TemplateQuery {
        current: status.map(|status| status == EncodingStatus::Active),
        oldest_first: order.first().is_some_and(|by| !by.descending),
        page: page(form.page, form.per_page)?,
    };
    let (mut found, model) = api.usecases.faces.encodings(caller.actor(), user, query).await?;
    if status == Some(EncodingStatus::Revoked) {
        // What is revoked is destroyed at once, so there is never any.
        found = query.page.of(Vec::new());
    }
    Ok(list(&req, found, |encoding| EncodingView::new(&encoding, model.as_ref())))
}

/// Deletes a template. Searches that start after the answer do not know it.
#[utoipa::path(delete, path = "", tag = "face",
    params(("encoding_id" = String, Path, description = "A template.")),
    responses((status = 200, description = "Deleted.", body = DeletedView)))]
pub(crate) async fn delete(
    api: web::Data<Api>,
    caller: Authenticated,
    PathId(face): PathId<FaceId>,
) -> Result<HttpResponse, Problem> {
    let deleted = api.usecases.faces.delete(caller.actor(), face).await?;
    Ok(HttpResponse::Ok().json(DeletedView {
        deleted_id: face.to_string(),
        user_id: deleted.user.to_string(),
        remaining: deleted.remaining,
        status: deleted.status.name(),
    }))
}
