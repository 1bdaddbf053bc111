//! What is worked on beside the requests.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "jobs")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub owner_id: Uuid,
    pub session_id: Uuid,
    pub kind: String,
    pub parameters: String,
    pub state: String,
    pub progress_done: i64,
    pub progress_total: i64,
    pub created_at: i64,
    pub started_at: Option<i64>,
    pub finished_at: Option<i64>,
    pub expires_at: Option<i64>,
    pub claimed_by: Option<Uuid>,
    pub attempts: i32,
    pub lease_until: Option<i64>,
    pub status: Option<i32>,
    pub media_type: Option<String>,
    pub file_name: Option<String>,
    pub size: Option<i64>,
    pub problem: Option<String>,
    pub scope: Option<Vec<u8>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
