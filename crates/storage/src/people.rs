//! Conditions on people that several stores share.

use rollcall_domain::face::ModelId;
use rollcall_domain::text::canonical;
use rollcall_domain::user::{Status, UserScope};
use sea_orm::sea_query::{Expr, ExprTrait, IntoColumnRef, LikeExpr, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition};

use crate::entity::{face_encodings, users};

/// Rows about people whom an actor may see, by the column that names the person.
pub(crate) fn in_scope(person: impl ColumnTrait, people: &UserScope) -> Condition {
    let rows = Condition::all();
    match people {
        UserScope::Everybody => rows,
        UserScope::One(user) => rows.add(person.eq(user.uuid())),
        UserScope::Departments(..) => {
            let filter = Query::select()
                .column(users::Column::Id)
                .from(users::Entity)
                .cond_where(users_in_scope(people))
                .take();
            rows.add(person.in_subquery(filter))
        }
    }
}

/// People whom an actor may see.
pub(crate) fn users_in_scope(people: &UserScope) -> Condition {
    match people {
        UserScope::Everybody => Condition::all(),
        UserScope::One(user) => Condition::all().add(users::Column::Id.eq(user.uuid())),
        UserScope::Departments(departments, user) => Condition::any()
            .add(users::Column::DepartmentId.is_in(departments.iter().map(|id| id.uuid())))
            .add(users::Column::Id.eq(user.uuid())),
    }
}

/// The people with at least so many templates of a model.
pub(crate) fn with_templates(model: &ModelId, least: u32) -> SelectStatement {
    let owner = (face_encodings::Entity, face_encodings::Column::UserId);
    Query::select()
        .column(owner)
        .from(face_encodings::Entity)
        .and_where(Expr::col((face_encodings::Entity, face_encodings::Column::ModelId)).eq(model.as_str()))
        .group_by_col(owner)
        .and_having(Expr::col((face_encodings::Entity, face_encodings::Column::Id)).count().gte(least))
        .take()
}

/// Those who may be matched at all, as [`rollcall_domain::user::User::is_matchable`] says.
pub(crate) fn is_matchable() -> Condition {
    Condition::all()
        .add(users::Column::Status.eq(Status::Active.name()))
        .add(users::Column::ConsentAt.is_not_null())
        .add(users::Column::ConsentWithdrawnAt.is_null())
}

/// Whether the canonical text in `column` has `part` in it, character by character.
pub(crate) fn contains(column: impl IntoColumnRef, part: &str) -> Expr {
    let mut pattern = String::from("%");
    for character in canonical(part).chars() {
        // MySQL treats a backslash in a pattern as one more level of quoting, so another sign escapes.
        if matches!(character, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(character);
    }
    pattern.push('%');
    Expr::col(column).like(LikeExpr::new(pattern).escape('!'))
}
