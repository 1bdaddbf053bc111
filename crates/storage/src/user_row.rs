//! A person as a row, and back.

use rollcall_domain::Revision;
use rollcall_domain::access::Role;
use rollcall_domain::department::{DepartmentName, DepartmentRef};
use rollcall_domain::id::{DepartmentId, ShiftId, UserId};
use rollcall_domain::preferences::{Preferences, Theme};
use rollcall_domain::user::{
    Consent, ConsentVersion, EmailAddress, EmployeeCode, PasswordHash, PersonName, RosterEntry, Status,
    StatusChange, User,
};
use rollcall_ports::store::StoreError;
use sea_orm::{DbErr, EntityTrait, FromQueryResult, QueryResult, QuerySelect, RelationDef, Set};
use uuid::Uuid;

use crate::convert::{
    corrupt, count, cut, date_or_none, instant, instant_or_none, key, micros, named, search_key, stored,
};
use crate::entity::{departments, user_settings, users};

/// A person with what is shown of their department, and their settings.
pub(crate) struct UserRow {
    user: users::Model,
    department: Option<DepartmentRow>,
    theme: Option<String>,
    notifications: Option<bool>,
    language: Option<String>,
}

impl FromQueryResult for UserRow {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            user: users::Model::from_query_result(row, prefix)?,
            department: department(row, prefix)?,
            theme: row.try_get(prefix, "theme")?,
            notifications: row.try_get(prefix, "notifications")?,
            language: row.try_get(prefix, "language")?,
        })
    }
}

impl UserRow {
    pub(crate) fn into_user(self) -> Result<User, StoreError> {
        let preferences = preferences(&self)?;
        let consent = consent(&self.user)?;
        let standing = standing(&self.user)?;
        let row = self.user;
        Ok(User {
            id: UserId::new(row.id),
            employee_code: row.employee_code.as_deref().map(EmployeeCode::stored),
            name: PersonName::stored(&row.name),
            email: EmailAddress::stored(&row.email),
            role: named("users.role", Role::named(&row.role))?,
            status: named("users.status", Status::named(&row.status))?,
            department: self.department.map(DepartmentRow::into_reference).transpose()?,
            phone: row.phone,
            address: row.address,
            avatar_url: row.avatar_url,
            timezone: row.timezone,
            locale: row.locale,
            join_date: date_or_none("users.join_date", row.join_date.as_deref())?,
            leave_date: date_or_none("users.leave_date", row.leave_date.as_deref())?,
            default_shift: row.default_shift_id.map(ShiftId::new),
            last_login_at: instant_or_none("users.last_login_at", row.last_login_at)?,
            created_at: instant("users.created_at", row.created_at)?,
            updated_at: instant("users.updated_at", row.updated_at)?,
            deleted_at: instant_or_none("users.deleted_at", row.deleted_at)?,
            revision: Revision(count("users.revision", row.revision)?),
            preferences,
            consent,
            standing,
        })
    }
}

/// What a list of attendance shows of a person.
pub(crate) struct RosterRow {
    user_id: Uuid,
    name: String,
    employee_code: Option<String>,
    department: Option<DepartmentRow>,
}

impl FromQueryResult for RosterRow {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            user_id: row.try_get(prefix, "user_id")?,
            name: row.try_get(prefix, "name")?,
            employee_code: row.try_get(prefix, "employee_code")?,
            department: department(row, prefix)?,
        })
    }
}

impl RosterRow {
    pub(crate) fn into_entry(self) -> Result<RosterEntry, StoreError> {
        Ok(RosterEntry {
            user: UserId::new(self.user_id),
            name: PersonName::stored(&self.name),
            employee_code: self.employee_code.as_deref().map(EmployeeCode::stored),
            department: self.department.map(DepartmentRow::into_reference).transpose()?,
        })
    }
}

/// A department as its members know it.
#[derive(FromQueryResult)]
pub(crate) struct DepartmentRow {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) timezone: Option<String>,
    pub(crate) default_shift_id: Option<Uuid>,
}

impl DepartmentRow {
    pub(crate) fn into_reference(self) -> Result<DepartmentRef, StoreError> {
        Ok(DepartmentRef {
            id: DepartmentId::new(self.id),
            name: DepartmentName::stored(&self.name),
            timezone: self.timezone,
            default_shift: self.default_shift_id.map(ShiftId::new),
        })
    }
}

const OF_DEPARTMENT: &str = "of_department_";

pub(crate) fn their_department() -> RelationDef {
    users::Entity::belongs_to(departments::Entity)
        .from(users::Column::DepartmentId)
        .to(departments::Column::Id)
        .into()
}

/// Adds what [`department`] reads to a query that is joined with departments.
pub(crate) fn with_department<Q: QuerySelect>(query: Q) -> Q {
    use departments::Column as C;
    [C::Id, C::Name, C::Timezone, C::DefaultShiftId].into_iter().fold(query, |query, column| {
        query.column_as(column, format!("{OF_DEPARTMENT}{}", sea_orm::IdenStatic::as_str(&column)))
    })
}

/// The department that [`with_department`] added, if there is one.
pub(crate) fn department(row: &QueryResult, prefix: &str) -> Result<Option<DepartmentRow>, DbErr> {
    let prefix = format!("{prefix}{OF_DEPARTMENT}");
    let id: Option<Uuid> = row.try_get(&prefix, "id")?;
    id.map(|_| DepartmentRow::from_query_result(row, &prefix)).transpose()
}

fn preferences(row: &UserRow) -> Result<Preferences, StoreError> {
    let (Some(theme), Some(notifications), Some(language)) = (&row.theme, row.notifications, &row.language)
    else {
        return Ok(Preferences::default());
    };
    let theme = named("user_settings.theme", Theme::named(theme))?;
    Ok(Preferences { theme, notifications, language: language.clone() })
}

/// The consent of a stored person. A withdrawal leaves what was agreed to in its columns, as evidence.
pub(crate) fn consent(row: &users::Model) -> Result<Consent, StoreError> {
    if let Some(at) = instant_or_none("users.consent_withdrawn_at", row.consent_withdrawn_at)? {
        return Ok(Consent::Withdrawn { at });
    }
    match (&row.consent_version, instant_or_none("users.consent_at", row.consent_at)?) {
        (Some(version), Some(at)) => Ok(Consent::Given { version: ConsentVersion::stored(version), at }),
        (None, None) => Ok(Consent::Missing),
        _ => Err(corrupt("users.consent")),
    }
}

fn standing(row: &users::Model) -> Result<Option<StatusChange>, StoreError> {
    let at = instant_or_none("users.status_changed_at", row.status_changed_at)?;
    let by = row.status_changed_by.map(UserId::new);
    Ok(at.map(|at| StatusChange { reason: row.status_reason.clone(), by, at }))
}

/// By what a person is found and compared.
fn keys(name: &str, email: &EmailAddress, code: Option<&str>) -> users::ActiveModel {
    let addresses = email.searchable();
    let searched = [Some(name), code].into_iter().chain(addresses.iter().map(|form| Some(form.as_str())));
    users::ActiveModel {
        name_key: Set(key(name)),
        email_key: Set(cut(email.canonical()).into()),
        employee_code_key: Set(code.map(key)),
        search_key: Set(search_key(searched)),
        ..Default::default()
    }
}

/// What of it is not what is stored with a person: one change for all that anybody else may have, too, and one for each key
/// that may be another one's already.
pub(crate) fn spelled(row: &users::Model) -> Vec<users::ActiveModel> {
    let users::ActiveModel { name_key, email_key, employee_code_key, search_key, .. } =
        keys(&row.name, &EmailAddress::stored(&row.email), row.employee_code.as_deref());
    let mut changes = Vec::new();
    if name_key != Set(row.name_key.clone()) || search_key != Set(row.search_key.clone()) {
        changes.push(users::ActiveModel { name_key, search_key, ..Default::default() });
    }
    if email_key != Set(row.email_key.clone()) {
        changes.push(users::ActiveModel { email_key, ..Default::default() });
    }
    if employee_code_key != Set(row.employee_code_key.clone()) {
        changes.push(users::ActiveModel { employee_code_key, ..Default::default() });
    }
    changes
}

/// Everything of a person that a change of them writes. Revision, token version, change number and password are
/// for the caller.
pub(crate) fn columns(user: &User) -> users::ActiveModel {
    let code = user.employee_code.as_ref();
    let mut row = users::ActiveModel {
        id: Set(user.id.uuid()),
        name: Set(user.name.as_str().into()),
        email: Set(user.email.as_str().into()),
        employee_code: Set(code.map(|code| code.as_str().into())),
        tombstone: Set(if user.status == Status::Deleted { user.id.uuid() } else { Uuid::nil() }),
        role: Set(user.role.name().into()),
        status: Set(user.status.name().into()),
        department_id: Set(user.department.as_ref().map(|department| department.id.uuid())),
        phone: Set(user.phone.clone()),
        address: Set(user.address.clone()),
        avatar_url: Set(user.avatar_url.clone()),
        timezone: Set(user.timezone.clone()),
        locale: Set(user.locale.clone()),
        join_date: Set(user.join_date.map(|date| date.to_string())),
        leave_date: Set(user.leave_date.map(|date| date.to_string())),
        default_shift_id: Set(user.default_shift.map(ShiftId::uuid)),
        created_at: Set(micros(user.created_at)),
        updated_at: Set(micros(user.updated_at)),
        deleted_at: Set(user.deleted_at.map(micros)),
        status_reason: Set(user.standing.as_ref().and_then(|change| change.reason.clone())),
        status_changed_by: Set(user.standing.as_ref().and_then(|change| change.by).map(UserId::uuid)),
        status_changed_at: Set(user.standing.as_ref().map(|change| micros(change.at))),
        ..keys(user.name.as_str(), &user.email, code.map(EmployeeCode::as_str))
    };
    match &user.consent {
        Consent::Missing => {
            row.consent_version = Set(None);
            row.consent_at = Set(None);
            row.consent_withdrawn_at = Set(None);
        }
        Consent::Given { version, at } => {
            row.consent_version = Set(Some(version.as_str().into()));
            row.consent_at = Set(Some(micros(*at)));
            row.consent_withdrawn_at = Set(None);
        }
        Consent::Withdrawn { at } => row.consent_withdrawn_at = Set(Some(micros(*at))),
    }
    row
}

/// A person who is new.
pub(crate) fn new_row(user: &User, password: Option<&PasswordHash>) -> users::ActiveModel {
    users::ActiveModel {
        last_login_at: Set(user.last_login_at.map(micros)),
        password_hash: Set(password.map(|hash| hash.as_str().into())),
        revision: Set(stored(1)),
        token_version: Set(0),
        face_change: Set(0),
        ..columns(user)
    }
}

/// A person's own choices.
pub(crate) fn settings_row(user: &User) -> user_settings::ActiveModel {
    user_settings::ActiveModel {
        user_id: Set(user.id.uuid()),
        theme: Set(user.preferences.theme.name().into()),
        notifications: Set(user.preferences.notifications),
        language: Set(user.preferences.language.clone()),
    }
}
