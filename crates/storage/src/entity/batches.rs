//! Things that were entered together.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "batches")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub operation: String,
    pub reason: String,
    pub made_by: Option<Uuid>,
    pub made_at: i64,
    pub items: i64,
    pub reverted_by: Option<Uuid>,
    pub reverted_at: Option<i64>,
    pub revert_reason: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
