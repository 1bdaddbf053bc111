//! The body of `PUT /api/users/{user_id}`.

use jiff::civil::Date;
use rollcall_domain::access::Role;
use rollcall_domain::calendar::Zone;
use rollcall_domain::id::{DepartmentId, ShiftId};
use rollcall_domain::preferences::Theme;
use rollcall_domain::user::{EmailAddress, EmployeeCode, Password, PersonName, Status};
use rollcall_usecases::users::{PreferencesPatch, UserPatch};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::input::{Form, Language, Line, Passage, Picture, clearable, is, present, word};
use crate::problem::Problem;

/// Members of a person that nobody sends.
pub(crate) const SERVER_SIDE: &[&str] = &[
    "id",
    "is_admin",
    "created_at",
    "updated_at",
    "deleted_at",
    "last_login_at",
    "version",
    "face",
    "department",
];

/// A change of a profile: absent members keep, `null` clears.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = UserUpdate)]
#[serde(default)]
#[derive(Default)]
pub(crate) struct UpdateForm {
    #[validate(custom(function = "is::<PersonName>"))]
    name: Option<String>,
    #[serde(deserialize_with = "present")]
    #[validate(custom(function = "is::<Line<40>>"))]
    #[schema(value_type = Option<String>)]
    phone: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    #[validate(custom(function = "is::<Passage<500>>"))]
    #[schema(value_type = Option<String>)]
    address: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    #[validate(custom(function = "is::<Picture>"))]
    #[schema(value_type = Option<String>)]
    avatar_url: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    #[validate(custom(function = "is::<Language>"))]
    #[schema(value_type = Option<String>)]
    locale: Option<Option<String>>,
    #[validate(nested)]
    settings: Option<SettingsForm>,
    /// One's own needs `current_password` and ends all other logins.
    #[validate(custom(function = "is::<Password>"))]
    password: Option<String>,
    #[validate(custom(function = "is::<Password>"))]
    current_password: Option<String>,
    /// For administrators, as everything below.
    #[validate(custom(function = "is::<EmailAddress>"))]
    email: Option<String>,
    #[validate(custom(function = "is::<Role>"))]
    role: Option<String>,
    /// Any but `deleted`, which is only taken as it is shown.
    #[validate(custom(function = "is::<Status>"))]
    status: Option<String>,
    #[serde(deserialize_with = "present")]
    #[validate(custom(function = "is::<EmployeeCode>"))]
    #[schema(value_type = Option<String>)]
    employee_code: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    #[validate(custom(function = "is::<DepartmentId>"))]
    #[schema(value_type = Option<String>)]
    department_id: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    #[validate(custom(function = "is::<Zone>"))]
    #[schema(value_type = Option<String>)]
    timezone: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    #[validate(custom(function = "is::<Date>"))]
    #[schema(value_type = Option<String>, format = Date)]
    join_date: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    #[validate(custom(function = "is::<Date>"))]
    #[schema(value_type = Option<String>, format = Date)]
    leave_date: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    #[validate(custom(function = "is::<ShiftId>"))]
    #[schema(value_type = Option<String>)]
    default_shift_id: Option<Option<String>>,
}

/// A change of settings: absent members keep.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, ToSchema)]
#[schema(as = SettingsUpdate)]
#[serde(default)]
pub(crate) struct SettingsForm {
    /// `system`, `light` or `dark`.
    #[validate(custom(function = "is::<Theme>"))]
    theme: Option<String>,
    notifications: Option<bool>,
    #[validate(custom(function = "is::<Language>"))]
    language: Option<String>,
}

impl Form for UpdateForm {
    const NULLABLE: &'static [&'static str] = &[
        "phone",
        "address",
        "avatar_url",
        "locale",
        "employee_code",
        "department_id",
        "timezone",
        "join_date",
        "leave_date",
        "default_shift_id",
    ];
    const NOT_ALLOWED: &'static [&'static str] = SERVER_SIDE;
    const COMPUTED: &'static [&'static str] = &["updated_at", "last_login_at", "face"];
}

impl UpdateForm {
    pub(crate) fn into_patch(self) -> Result<UserPatch, Problem> {
        let settings = self.settings.unwrap_or_default();
        Ok(UserPatch {
            name: word(&self.name)?,
            phone: clearable::<Line<40>>(&self.phone)?.map(|text| text.map(|line| line.0)),
            address: clearable::<Passage<500>>(&self.address)?.map(|text| text.map(|line| line.0)),
            avatar_url: clearable::<Picture>(&self.avatar_url)?.map(|text| text.map(|picture| picture.0)),
            locale: clearable::<Language>(&self.locale)?.map(|text| text.map(|language| language.0)),
            preferences: PreferencesPatch {
                theme: word(&settings.theme)?,
                notifications: settings.notifications,
                language: word::<Language>(&settings.language)?.map(|language| language.0),
            },
            password: word(&self.password)?,
            current_password: word(&self.current_password)?,
            email: word(&self.email)?,
            role: word(&self.role)?,
            status: word(&self.status)?,
            employee_code: clearable(&self.employee_code)?,
            department: clearable(&self.department_id)?,
            timezone: clearable(&self.timezone)?,
            join_date: clearable(&self.join_date)?,
            leave_date: clearable(&self.leave_date)?,
            default_shift: clearable(&self.default_shift_id)?,
        })
    }
}
