//! Punches as they were asked for, and what each comes to by now.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "punches")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub record_id: Option<Uuid>,
    pub kind: String,
    pub direction: Option<String>,
    pub at: i64,
    pub received_at: i64,
    pub source: String,
    pub device_id: Option<Uuid>,
    pub entered_by: Option<Uuid>,
    pub similarity: Option<f32>,
    pub lat: Option<f64>,
    pub lng: Option<f64>,
    pub accuracy_m: Option<f64>,
    pub note: Option<String>,
    pub reason: Option<String>,
    pub forced: bool,
    pub needs_review: bool,
    pub accepted_by: Option<Uuid>,
    pub accepted_at: Option<i64>,
    pub accept_reason: Option<String>,
    pub voided_by: Option<Uuid>,
    pub voided_at: Option<i64>,
    pub void_reason: Option<String>,
    pub batch_id: Option<Uuid>,
    pub device_counter: Option<i64>,
    pub void_batch_id: Option<Uuid>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
