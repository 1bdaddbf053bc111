//! People.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    pub name_key: String,
    pub email: String,
    pub email_key: String,
    pub employee_code: Option<String>,
    pub employee_code_key: Option<String>,
    pub tombstone: Uuid,
    pub search_key: String,
    pub role: String,
    pub status: String,
    pub department_id: Option<Uuid>,
    pub phone: Option<String>,
    pub address: Option<String>,
    pub avatar_url: Option<String>,
    pub timezone: Option<String>,
    pub locale: Option<String>,
    pub join_date: Option<String>,
    pub leave_date: Option<String>,
    pub default_shift_id: Option<Uuid>,
    pub password_hash: Option<String>,
    pub last_login_at: Option<i64>,
    pub created_at: i64,
    pub updated_at: i64,
    pub deleted_at: Option<i64>,
    pub revision: i32,
    pub token_version: i32,
    pub face_change: i64,
    pub consent_version: Option<String>,
    pub consent_at: Option<i64>,
    pub consent_withdrawn_at: Option<i64>,
    pub status_reason: Option<String>,
    pub status_changed_by: Option<Uuid>,
    pub status_changed_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
