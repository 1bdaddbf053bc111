//! Shifts.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "shifts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    pub starts: i32,
    pub ends: i32,
    pub workdays: i32,
    pub grace: i64,
    pub early_grace: i64,
    pub opens_before: i64,
    pub closes_after: i64,
    pub half_day_below: i64,
    pub absent_below: i64,
    pub overtime_min: i64,
    pub is_default: Option<bool>,
    pub pairing: String,
    pub unpaid_break: i64,
    pub break_after: i64,
    pub early_arrival: bool,
    pub auto_out: bool,
    pub flexible: Option<i64>,
    pub overtime_before: bool,
    pub overtime_step: i64,
    pub overtime_cap: Option<i64>,
    pub edition_of: Option<Uuid>,
    pub from_date: Option<String>,
    pub retired_at: Option<i64>,
    pub revised: i32,
    pub weekly_target: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
