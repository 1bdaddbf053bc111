//! Changes of a person's templates, each inside of one transaction.

use std::collections::{HashMap, HashSet};

use rollcall_domain::face::StoredTemplate;
use rollcall_domain::id::{FaceId, UserId};
use rollcall_ports::faces::Consented;
use rollcall_ports::sealer::Sealer;
use rollcall_ports::store::StoreError;
use sea_orm::sea_query::{Expr, ExprTrait, SimpleExpr};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect, Set};
use uuid::Uuid;

use crate::convert::{count, micros};
use crate::entity::{face_encodings, users};
use crate::error::{Failure, name_missing};
use crate::sequences::next_face_change;
use crate::template_row::{owner_of, seal};

/// What [`add`] stores, as [`FaceStore::add`](rollcall_ports::faces::FaceStore::add) and
/// [`FaceStore::replace`](rollcall_ports::faces::FaceStore::replace) say.
pub(crate) struct NewFaces<'a> {
    pub(crate) user: UserId,
    pub(crate) faces: &'a [StoredTemplate],
    pub(crate) consent: Option<&'a Consented>,
    pub(crate) cap: u32,
    pub(crate) seen: Option<u64>,
    /// In place of everything the person has.
    pub(crate) replace: bool,
}

pub(crate) async fn add(
    connection: &DatabaseTransaction,
    sealer: &dyn Sealer,
    new: &NewFaces<'_>,
) -> Result<u32, Failure> {
    let NewFaces { user, faces, consent, cap, seen, replace } = *new;
    // Everybody who changes templates stands in this line, so what is read next stays true until the commit.
    let number = next_face_change(connection).await?;
    let kept: Vec<(String, Vec<u8>)> = face_encodings::Entity::find()
        .select_only()
        .columns([face_encodings::Column::ModelId, face_encodings::Column::Digest])
        .filter(face_encodings::Column::UserId.eq(user.uuid()))
        .into_tuple()
        .all(connection)
        .await?;
    // What is replaced is no reason to leave a photo out.
    let kept = if replace { Vec::new() } else { kept };
    let mut known: HashSet<(String, Vec<u8>)> = kept.into_iter().collect();
    let mut rows = Vec::new();
    for face in faces {
        if known.insert((face.template.model.as_str().into(), face.digest.to_vec())) {
            rows.push(seal(sealer, user, face)?);
        }
    }
    // The number drawn above is the one after the last that was committed.
    let current = number.unsigned_abs() - 1;
    if !rows.is_empty() && seen.is_some_and(|seen| seen != current) {
        return Err(StoreError::Stale.into());
    }
    let grown: HashSet<&str> =
        rows.iter().filter_map(|row| row.model_id.try_as_ref().map(String::as_str)).collect();
    let mut counts: HashMap<&str, u32> = HashMap::new();
    for (model, _) in known.iter().filter(|(model, _)| grown.contains(model.as_str())) {
        *counts.entry(model).or_default() += 1;
    }

    // Also when nothing is new: a person who does not exist is told apart from one who has it all.
    let mut changed = users::ActiveModel::default();
    if !rows.is_empty() || consent.is_some() {
        changed.face_change = Set(number);
    }
    if let Some(Consented { version, at }) = consent {
        changed.consent_version = Set(Some(version.as_str().into()));
        changed.consent_at = Set(Some(micros(*at)));
        changed.consent_withdrawn_at = Set(None);
    }
    // A person who was removed while their photos were looked at must not get templates nobody can delete.
    let there = users::Column::Id.eq(user.uuid()).and(users::Column::Tombstone.eq(Uuid::nil()));
    touch(connection, there, changed, consent.is_some()).await?;
    if counts.values().any(|count| *count > cap) {
        return Err(StoreError::Full.into());
    }
    let added = count("added", rows.len())?;
    if added > 0 {
        if replace {
            let filter = face_encodings::Column::UserId.eq(user.uuid());
            face_encodings::Entity::delete_many().filter(filter).exec(connection).await?;
        }
        let inserted = face_encodings::Entity::insert_many(rows).exec_without_returning(connection).await;
        if let Err(error) = inserted {
            let by = faces.iter().find_map(|face| face.created_by);
            return Err(
                name_missing!(connection, error, ["created_by": users::Entity = by.map(UserId::uuid)]).into(),
            );
        }
    }
    Ok(added)
}

/// Changes a person's row. With `revises` a writer who read the person before is told so: they would undo it.
async fn touch(
    connection: &DatabaseTransaction,
    who: SimpleExpr,
    row: users::ActiveModel,
    revises: bool,
) -> Result<(), Failure> {
    let revision = Expr::col(users::Column::Revision).add(i32::from(revises));
    let done = users::Entity::update_many()
        .set(row)
        .col_expr(users::Column::Revision, revision)
        .filter(who)
        .exec(connection)
        .await?;
    if done.rows_affected == 0 { Err(StoreError::Missing("user_id").into()) } else { Ok(()) }
}

pub(crate) async fn remove(connection: &DatabaseTransaction, face: FaceId) -> Result<bool, Failure> {
    let number = next_face_change(connection).await?;
    let owner: Option<Uuid> = owner_of(face).one(connection).await?;
    let Some(owner) = owner else { return Ok(false) };
    face_encodings::Entity::delete_by_id(face.uuid()).exec(connection).await?;
    let row = users::ActiveModel { face_change: Set(number), ..Default::default() };
    touch(connection, users::Column::Id.eq(owner), row, false).await?;
    Ok(true)
}
