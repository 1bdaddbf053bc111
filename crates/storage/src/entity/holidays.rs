//! Entries of calendars.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "holidays")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub department_id: Option<Uuid>,
    pub name: String,
    pub on_date: Option<String>,
    pub half: Option<String>,
    pub weekday: Option<i32>,
    pub nth: Option<i32>,
    pub from_date: Option<String>,
    pub to_date: Option<String>,
    pub created_by: Option<Uuid>,
    pub created_at: i64,
    pub revision: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
