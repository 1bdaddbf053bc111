//! How much overtime of which days is approved.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "overtime_approvals")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub work_date: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub shift_key: Uuid,
    pub reason: String,
    pub approved_by: Option<Uuid>,
    pub approved_at: i64,
    pub batch_id: Option<Uuid>,
    pub seconds: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
