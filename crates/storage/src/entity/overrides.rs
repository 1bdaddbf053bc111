//! What was decided of days.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "overrides")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub work_date: String,
    pub shift_key: Uuid,
    pub status: Option<String>,
    pub first_in: Option<i64>,
    pub last_out: Option<i64>,
    pub overtime_seconds: Option<i64>,
    pub note: Option<String>,
    pub reason: String,
    pub decided_by: Option<Uuid>,
    pub decided_at: i64,
    pub batch_id: Option<Uuid>,
    pub status_before: String,
    pub fact_first_in: Option<i64>,
    pub fact_last_out: Option<i64>,
    pub fact_worked_seconds: Option<i64>,
    pub fact_break_seconds: i64,
    pub is_current: Option<bool>,
    pub reverted_by: Option<Uuid>,
    pub reverted_at: Option<i64>,
    pub revert_reason: Option<String>,
    pub replaced_by: Option<Uuid>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
