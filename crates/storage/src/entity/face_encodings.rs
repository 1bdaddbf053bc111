//! Sealed templates.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "face_encodings")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub model_id: String,
    pub metric: String,
    pub dim: i32,
    pub sealed: Vec<u8>,
    pub digest: Vec<u8>,
    pub detector: f32,
    pub eye_distance: f32,
    pub face_px: f32,
    pub sharpness: f32,
    pub brightness: f32,
    pub contrast: f32,
    pub overexposed: f32,
    pub yaw: f32,
    pub pitch: f32,
    pub roll: f32,
    pub source: String,
    pub created_by: Option<Uuid>,
    pub created_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
