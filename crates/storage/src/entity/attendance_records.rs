//! One day of one person and shift.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "attendance_records")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub work_date: String,
    pub shift_key: Uuid,
    pub shift_id: Option<Uuid>,
    pub opens_at: Option<i64>,
    pub closes_at: Option<i64>,
    pub timezone: String,
    pub revision: i32,
    pub status: String,
    pub flags: String,
    pub first_in: Option<i64>,
    pub last_out: Option<i64>,
    pub worked_seconds: Option<i64>,
    pub break_seconds: i64,
    pub scheduled_seconds: i64,
    pub late_seconds: i64,
    pub early_exit_seconds: i64,
    pub overtime_seconds: i64,
    pub is_open: bool,
    pub department_id: Option<Uuid>,
    pub starts_at: Option<i64>,
    pub ends_at: Option<i64>,
    pub due_at: i64,
    pub source: Option<String>,
    pub similarity: Option<f32>,
    pub override_id: Option<Uuid>,
    pub arrival_seconds: Option<i64>,
    pub approved_seconds: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
