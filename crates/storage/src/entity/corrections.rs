//! Requests to correct days.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "corrections")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub work_date: String,
    pub shift_key: Uuid,
    pub day_status: Option<String>,
    pub first_in: Option<i64>,
    pub last_out: Option<i64>,
    pub reason: String,
    pub status: String,
    pub requested_by: Option<Uuid>,
    pub requested_at: i64,
    pub decided_by: Option<Uuid>,
    pub decided_at: Option<i64>,
    pub comment: Option<String>,
    pub override_id: Option<Uuid>,
    pub is_pending: Option<bool>,
    pub revision: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
