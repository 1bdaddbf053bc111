//! What came of each search.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "recognition_log")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub at: i64,
    pub device_id: Option<Uuid>,
    pub asked_by: Option<Uuid>,
    pub model_id: String,
    pub people: i64,
    pub result: String,
    pub reason: Option<String>,
    pub user_id: Option<Uuid>,
    pub best: Option<f32>,
    pub second: Option<f32>,
    pub threshold: f32,
    pub margin: f32,
    pub detector: Option<f32>,
    pub eye_distance: Option<f32>,
    pub face_px: Option<f32>,
    pub sharpness: Option<f32>,
    pub brightness: Option<f32>,
    pub contrast: Option<f32>,
    pub overexposed: Option<f32>,
    pub yaw: Option<f32>,
    pub pitch: Option<f32>,
    pub roll: Option<f32>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
