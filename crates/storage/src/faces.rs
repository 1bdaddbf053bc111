//! Templates, sealed, and the change numbers by which the index follows them.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use rollcall_domain::face::{ModelId, StoredTemplate, Template};
use rollcall_domain::id::{FaceId, UserId};
use rollcall_domain::page::{Page, Paged};
use rollcall_domain::user::FaceSummary;
use rollcall_ports::faces::{Changes, Consented, FaceStore, TemplateFilter, TemplateSummary};
use rollcall_ports::index::PersonChange;
use rollcall_ports::sealer::Sealer;
use rollcall_ports::store::StoreError;
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, FromQueryResult, Order, QueryFilter, QueryOrder, QuerySelect, Select,
};
use uuid::Uuid;

use crate::convert::{count, instant_or_none};
use crate::database::Database;
use crate::entity::{face_encodings, recognition_log, users};
use crate::face_change::{NewFaces, add, remove};
use crate::people::is_matchable;
use crate::rekey;
use crate::sequences::last_face_change;
use crate::template_row::{TemplateRow, face, open, owner_of};
use crate::transaction::{Read, transact};

/// [`FaceStore`] in SQL.
#[derive(Clone)]
pub struct SqlFaceStore {
    database: Database,
    sealer: Arc<dyn Sealer>,
}

impl SqlFaceStore {
    /// The templates of a migrated database, sealed by `sealer`.
    #[must_use]
    pub fn new(database: Database, sealer: Arc<dyn Sealer>) -> Self {
        Self { database, sealer }
    }

    /// Seals every template anew for `new`, while others go on; answers with their number. Can be repeated, also
    /// after an interruption.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for a template that neither key opens.
    pub async fn reseal(&self, new: &dyn Sealer) -> Result<u32, StoreError> {
        rekey::exchange(&self.database, &*self.sealer, new).await
    }

    async fn changes(&self, rows: Vec<ChangeRow>, least: u32) -> Result<Changes, StoreError> {
        let matchable = rows.iter().filter(|row| row.matchable != 0).map(|row| row.id);
        let query = face_encodings::Entity::find()
            .filter(face_encodings::Column::UserId.is_in(matchable))
            .order_by_asc(face_encodings::Column::CreatedAt)
            .order_by_asc(face_encodings::Column::Id);
        let mut unreadable = 0;
        let mut templates: HashMap<Uuid, Vec<Template>> = HashMap::new();
        for row in query.all(self.database.connection()).await.read()? {
            match open(&*self.sealer, &row) {
                Ok(template) => templates.entry(row.user_id).or_default().push(template),
                Err(_) => {
                    tracing::error!(face.id = %row.id, "a stored template cannot be opened and is not matched");
                    unreadable += 1;
                }
            }
        }
        let people = rows.into_iter().map(|row| PersonChange {
            user: UserId::new(row.id),
            number: row.face_change.unsigned_abs(),
            templates: enough(templates.remove(&row.id).unwrap_or_default(), least),
        });
        Ok(Changes { people: people.collect(), unreadable })
    }
}

/// Who changed, and whether they may be matched now.
#[derive(FromQueryResult)]
struct ChangeRow {
    id: Uuid,
    face_change: i64,
    matchable: i64,
}

#[derive(FromQueryResult)]
struct SummaryRow {
    user_id: Uuid,
    current: i64,
    stored: i64,
    last_enrolled_at: Option<i64>,
}

#[async_trait]
impl FaceStore for SqlFaceStore {
    #[tracing::instrument(level = "debug", name = "db.faces.add", skip_all)]
    async fn add(
        &self,
        user: UserId,
        faces: &[StoredTemplate],
        consent: Option<Consented>,
        cap: u32,
        seen: Option<u64>,
    ) -> Result<u32, StoreError> {
        let new = &NewFaces { user, faces, consent: consent.as_ref(), cap, seen, replace: false };
        transact!(self.database, |connection| add(connection, &*self.sealer, new))
    }

    #[tracing::instrument(level = "debug", name = "db.faces.replace", skip_all)]
    async fn replace(
        &self,
        user: UserId,
        faces: &[StoredTemplate],
        consent: Option<Consented>,
        cap: u32,
        seen: Option<u64>,
    ) -> Result<u32, StoreError> {
        let new = &NewFaces { user, faces, consent: consent.as_ref(), cap, seen, replace: true };
        transact!(self.database, |connection| add(connection, &*self.sealer, new))
    }

    #[tracing::instrument(level = "debug", name = "db.faces.has_the_key", skip_all)]
    async fn has_the_key(&self) -> Result<bool, StoreError> {
        rekey::opens(&self.database, &*self.sealer).await
    }

    #[tracing::instrument(level = "debug", name = "db.faces.last_change", skip_all)]
    async fn last_change(&self) -> Result<u64, StoreError> {
        last_face_change(self.database.connection()).await
    }

    #[tracing::instrument(level = "debug", name = "db.faces.of_user", skip_all)]
    async fn of_user(&self, user: UserId) -> Result<Vec<StoredTemplate>, StoreError> {
        let query = face_encodings::Entity::find()
            .filter(face_encodings::Column::UserId.eq(user.uuid()))
            .order_by_asc(face_encodings::Column::CreatedAt)
            .order_by_asc(face_encodings::Column::Id);
        let rows = query.all(self.database.connection()).await.read()?;
        rows.iter().map(|row| face(&*self.sealer, row)).collect()
    }

    #[tracing::instrument(level = "debug", name = "db.faces.summaries", skip_all)]
    async fn summaries(
        &self,
        users: &[UserId],
        model: Option<&ModelId>,
    ) -> Result<Vec<FaceSummary>, StoreError> {
        let current = match model {
            // Counting a case, because MySQL's SUM answers with another type than it was given.
            Some(model) => {
                Expr::expr(CaseStatement::new().case(face_encodings::Column::ModelId.eq(model.as_str()), 1))
                    .count()
            }
            None => Expr::val(0_i64),
        };
        let query = face_encodings::Entity::find()
            .select_only()
            .column(face_encodings::Column::UserId)
            .expr_as(current, "current")
            .column_as(face_encodings::Column::Id.count(), "stored")
            .column_as(face_encodings::Column::CreatedAt.max(), "last_enrolled_at")
            .filter(face_encodings::Column::UserId.is_in(users.iter().map(|user| user.uuid())))
            .group_by(face_encodings::Column::UserId);
        let rows = query.into_model::<SummaryRow>().all(self.database.connection()).await.read()?;
        let found: HashMap<Uuid, SummaryRow> = rows.into_iter().map(|row| (row.user_id, row)).collect();
        let summary = |user: &UserId| match found.get(&user.uuid()) {
            Some(row) => Ok(FaceSummary {
                current: count("current", row.current)?,
                other: count("stored", row.stored - row.current)?,
                last_enrolled_at: instant_or_none("face_encodings.created_at", row.last_enrolled_at)?,
            }),
            None => Ok(FaceSummary::default()),
        };
        users.iter().map(summary).collect()
    }

    #[tracing::instrument(level = "debug", name = "db.faces.encodings", skip_all)]
    async fn encodings(
        &self,
        user: UserId,
        filter: &TemplateFilter,
        newest_first: bool,
        page: Page,
    ) -> Result<Paged<TemplateSummary>, StoreError> {
        let model = face_encodings::Column::ModelId;
        let wanted = face_encodings::Entity::find().filter(
            Condition::all()
                .add(face_encodings::Column::UserId.eq(user.uuid()))
                .add_option(filter.model.as_ref().map(|wanted| model.eq(wanted.as_str())))
                .add_option(filter.not_model.as_ref().map(|unwanted| model.ne(unwanted.as_str()))),
        );
        let total = wanted.clone().select_only().column_as(face_encodings::Column::Id.count(), "total");
        let order = if newest_first { Order::Desc } else { Order::Asc };
        let at = Expr::col((recognition_log::Entity, recognition_log::Column::At));
        let query = wanted
            .select_only()
            .columns(TemplateRow::COLUMNS)
            .expr_as(matches(at.clone().max()), "last_matched_at")
            .expr_as(matches(at.count()), "match_count")
            .order_by(face_encodings::Column::CreatedAt, order.clone())
            .order_by(face_encodings::Column::Id, order)
            .limit(u64::from(page.size()))
            .offset(page.offset());

        let connection = self.database.connection();
        let total: Option<i64> = total.into_tuple().one(connection).await.read()?;
        let rows = query.into_model::<TemplateRow>().all(connection).await.read()?;
        let items = rows.into_iter().map(TemplateRow::into_encoding).collect::<Result<_, _>>()?;
        Ok(Paged { items, total: total.unwrap_or(0).unsigned_abs(), page })
    }

    #[tracing::instrument(level = "debug", name = "db.faces.owner", skip_all)]
    async fn owner(&self, face: FaceId) -> Result<Option<UserId>, StoreError> {
        let owner: Option<Uuid> = owner_of(face).one(self.database.connection()).await.read()?;
        Ok(owner.map(UserId::new))
    }

    #[tracing::instrument(level = "debug", name = "db.faces.remove", skip_all)]
    async fn remove(&self, face: FaceId) -> Result<bool, StoreError> {
        transact!(self.database, |connection| remove(connection, face))
    }

    #[tracing::instrument(level = "debug", name = "db.faces.changes_since", skip_all)]
    async fn changes_since(&self, after: u64, min_required: u32, limit: u32) -> Result<Changes, StoreError> {
        let query = changed()
            .filter(users::Column::FaceChange.gt(i64::try_from(after).unwrap_or(i64::MAX)))
            .order_by_asc(users::Column::FaceChange)
            .limit(u64::from(limit));
        let rows = query.into_model().all(self.database.connection()).await.read()?;
        self.changes(rows, min_required).await
    }

    #[tracing::instrument(level = "debug", name = "db.faces.change_of", skip_all)]
    async fn change_of(&self, user: UserId, min_required: u32) -> Result<Option<PersonChange>, StoreError> {
        let query = changed().filter(users::Column::Id.eq(user.uuid()));
        let rows = query.into_model().all(self.database.connection()).await.read()?;
        Ok(self.changes(rows, min_required).await?.people.pop())
    }
}

/// The people of whom something may have changed.
fn changed() -> Select<users::Entity> {
    let matchable = CaseStatement::new().case(is_matchable(), 1_i64).finally(0_i64);
    users::Entity::find()
        .select_only()
        .columns([users::Column::Id, users::Column::FaceChange])
        .expr_as(matchable, "matchable")
}

/// The templates of those models of which there are enough.
fn enough(mut templates: Vec<Template>, least: u32) -> Vec<Template> {
    let mut counts: HashMap<ModelId, u32> = HashMap::new();
    for template in &templates {
        *counts.entry(template.model.clone()).or_default() += 1;
    }
    templates.retain(|template| counts[&template.model] >= least);
    templates
}

/// Something counted over the searches that found a template's owner under its model since it was stored, as part
/// of a query of templates.
fn matches(what: Expr) -> SelectStatement {
    use recognition_log::{Column, Entity};
    Query::select()
        .expr(what)
        .from(Entity)
        .and_where(
            Expr::col((Entity, Column::UserId))
                .equals((face_encodings::Entity, face_encodings::Column::UserId)),
        )
        .and_where(
            Expr::col((Entity, Column::ModelId))
                .equals((face_encodings::Entity, face_encodings::Column::ModelId)),
        )
        .and_where(
            Expr::col((Entity, Column::At))
                .gte(Expr::col((face_encodings::Entity, face_encodings::Column::CreatedAt))),
        )
        .take()
}
