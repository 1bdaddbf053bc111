//! A template as a row, sealed, and back.

use rollcall_domain::face::{Embedding, FaceQuality, FaceSource, Metric, ModelId, StoredTemplate, Template};
use rollcall_domain::id::{FaceId, UserId};
use rollcall_ports::faces::TemplateSummary;
use rollcall_ports::sealer::Sealer;
use rollcall_ports::store::StoreError;
use sea_orm::{EntityTrait, FromQueryResult, QuerySelect, SelectGetableTuple, Selector, Set};
use uuid::Uuid;

use crate::convert::{bytes, corrupt, count, instant, instant_or_none, micros, named, valid};
use crate::entity::face_encodings::{self, Column};

/// How a photo that nobody here ever saw is stored. No face that was found measures like this: its eyes would be in
/// one place.
const UNMEASURED: FaceQuality = FaceQuality {
    detector: 0.0,
    eye_distance: 0.0,
    face_px: 0.0,
    sharpness: 0.0,
    brightness: 0.0,
    contrast: 0.0,
    overexposed: 0.0,
    yaw: 0.0,
    pitch: 0.0,
    roll: 0.0,
};

fn measured(stored: FaceQuality) -> Option<FaceQuality> {
    (stored != UNMEASURED).then_some(stored)
}

/// Seals a face for storing. The plain text is the vector as little-endian single-precision numbers; the context
/// ties it to its row, so that a sealed vector moved to another person, template or model does not open.
pub(crate) fn seal(
    sealer: &dyn Sealer,
    user: UserId,
    face: &StoredTemplate,
) -> Result<face_encodings::ActiveModel, StoreError> {
    let Template { model, metric, embedding } = &face.template;
    let plain: Vec<u8> = embedding.values().iter().flat_map(|x| x.to_le_bytes()).collect();
    let context = context(user.uuid(), face.id.uuid(), model.as_str(), metric.name());
    let sealed = sealer.seal(&plain, &context).map_err(|error| StoreError::Failed(error.into()))?;
    let quality = face.quality.unwrap_or(UNMEASURED);
    Ok(face_encodings::ActiveModel {
        id: Set(face.id.uuid()),
        user_id: Set(user.uuid()),
        model_id: Set(model.as_str().into()),
        metric: Set(metric.name().into()),
        dim: Set(i32::try_from(embedding.values().len()).map_err(|_| corrupt("dim"))?),
        sealed: Set(sealed),
        digest: Set(face.digest.to_vec()),
        detector: Set(quality.detector),
        eye_distance: Set(quality.eye_distance),
        face_px: Set(quality.face_px),
        sharpness: Set(quality.sharpness),
        brightness: Set(quality.brightness),
        contrast: Set(quality.contrast),
        overexposed: Set(quality.overexposed),
        yaw: Set(quality.yaw),
        pitch: Set(quality.pitch),
        roll: Set(quality.roll),
        source: Set(face.source.name().into()),
        created_by: Set(face.created_by.map(UserId::uuid)),
        created_at: Set(micros(face.created_at)),
    })
}

/// Opens a stored template.
///
/// # Errors
/// [`StoreError::Corrupt`], naming the template, when it does not open or is no template.
pub(crate) fn open(sealer: &dyn Sealer, row: &face_encodings::Model) -> Result<Template, StoreError> {
    let unreadable = || StoreError::Corrupt(format!("face_encodings {} cannot be opened", row.id));
    let context = context(row.user_id, row.id, &row.model_id, &row.metric);
    let plain = sealer.open(&row.sealed, &context).map_err(|_| unreadable())?;
    let (numbers, []) = plain.as_chunks() else { return Err(unreadable()) };
    let numbers: Vec<f32> = numbers.iter().map(|number| f32::from_le_bytes(*number)).collect();
    if i64::from(row.dim) != numbers.len() as i64 {
        return Err(unreadable());
    }
    let metric = Metric::named(&row.metric).ok_or_else(unreadable)?;
    Ok(Template {
        model: ModelId::parse(&row.model_id).map_err(|_| unreadable())?,
        metric,
        embedding: Embedding::from_raw(&numbers, metric).map_err(|_| unreadable())?,
    })
}

/// The vector of a row sealed by another key, still tied to its row.
pub(crate) fn reseal(
    row: &face_encodings::Model,
    old: &dyn Sealer,
    new: &dyn Sealer,
) -> Result<Vec<u8>, StoreError> {
    let context = context(row.user_id, row.id, &row.model_id, &row.metric);
    let plain = old
        .open(&row.sealed, &context)
        .map_err(|_| StoreError::Corrupt(format!("face_encodings {} cannot be opened", row.id)))?;
    new.seal(&plain, &context).map_err(|error| StoreError::Failed(error.into()))
}

/// What a sealed vector is tied to. The parts before the last two have fixed length and a model's name has no
/// slash, so no two rows share a context.
fn context(user: Uuid, face: Uuid, model: &str, metric: &str) -> Vec<u8> {
    format!("face_encodings/{user}/{face}/{model}/{metric}").into_bytes()
}

/// A stored face, opened.
pub(crate) fn face(sealer: &dyn Sealer, row: &face_encodings::Model) -> Result<StoredTemplate, StoreError> {
    Ok(StoredTemplate {
        id: FaceId::new(row.id),
        user: UserId::new(row.user_id),
        template: open(sealer, row)?,
        quality: measured(FaceQuality {
            detector: row.detector,
            eye_distance: row.eye_distance,
            face_px: row.face_px,
            sharpness: row.sharpness,
            brightness: row.brightness,
            contrast: row.contrast,
            overexposed: row.overexposed,
            yaw: row.yaw,
            pitch: row.pitch,
            roll: row.roll,
        }),
        digest: bytes("face_encodings.digest", &row.digest)?,
        source: source(&row.source)?,
        created_by: row.created_by.map(UserId::new),
        created_at: instant("face_encodings.created_at", row.created_at)?,
    })
}

/// A template without its vector, and how often it served.
#[derive(FromQueryResult)]
pub(crate) struct TemplateRow {
    id: Uuid,
    model_id: String,
    dim: i32,
    detector: f32,
    eye_distance: f32,
    face_px: f32,
    sharpness: f32,
    brightness: f32,
    contrast: f32,
    overexposed: f32,
    yaw: f32,
    pitch: f32,
    roll: f32,
    source: String,
    created_by: Option<Uuid>,
    created_at: i64,
    last_matched_at: Option<i64>,
    match_count: i64,
}

impl TemplateRow {
    /// What is read of the table: everything but the vector.
    pub(crate) const COLUMNS: [Column; 16] = [
        Column::Id,
        Column::ModelId,
        Column::Dim,
        Column::Detector,
        Column::EyeDistance,
        Column::FacePx,
        Column::Sharpness,
        Column::Brightness,
        Column::Contrast,
        Column::Overexposed,
        Column::Yaw,
        Column::Pitch,
        Column::Roll,
        Column::Source,
        Column::CreatedBy,
        Column::CreatedAt,
    ];

    pub(crate) fn into_encoding(self) -> Result<TemplateSummary, StoreError> {
        Ok(TemplateSummary {
            id: FaceId::new(self.id),
            model: valid("face_encodings.model_id", ModelId::parse(&self.model_id))?,
            dim: count("face_encodings.dim", self.dim)?,
            quality: measured(FaceQuality {
                detector: self.detector,
                eye_distance: self.eye_distance,
                face_px: self.face_px,
                sharpness: self.sharpness,
                brightness: self.brightness,
                contrast: self.contrast,
                overexposed: self.overexposed,
                yaw: self.yaw,
                pitch: self.pitch,
                roll: self.roll,
            }),
            source: source(&self.source)?,
            created_by: self.created_by.map(UserId::new),
            created_at: instant("face_encodings.created_at", self.created_at)?,
            last_matched_at: instant_or_none("recognition_log.at", self.last_matched_at)?,
            match_count: self.match_count.unsigned_abs(),
        })
    }
}

fn source(name: &str) -> Result<FaceSource, StoreError> {
    let found = FaceSource::named(name);
    named("face_encodings.source", found)
}

/// Whose template it is.
pub(crate) fn owner_of(face: FaceId) -> Selector<SelectGetableTuple<Uuid>> {
    face_encodings::Entity::find_by_id(face.uuid())
        .select_only()
        .column(face_encodings::Column::UserId)
        .into_tuple()
}
