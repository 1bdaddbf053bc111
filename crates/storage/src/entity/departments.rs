//! Departments.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "departments")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    pub name_key: String,
    pub code: Option<String>,
    pub code_key: Option<String>,
    pub search_key: String,
    pub description: Option<String>,
    pub manager_id: Option<Uuid>,
    pub parent_id: Option<Uuid>,
    pub timezone: Option<String>,
    pub default_shift_id: Option<Uuid>,
    pub created_at: i64,
    pub geofences: Option<String>,
    pub revision: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
