//! Who changed what.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_entries")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub at: i64,
    pub actor_id: Option<Uuid>,
    pub device_id: Option<Uuid>,
    pub action: String,
    pub subject_id: Option<Uuid>,
    pub target_kind: String,
    pub target_id: Uuid,
    pub work_date: Option<String>,
    pub batch_id: Option<Uuid>,
    pub reason: Option<String>,
    pub state_before: Option<String>,
    pub state_after: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
