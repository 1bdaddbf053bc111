//! The body of `PUT /api/users/{user_id}`.

use rollcall_domain::access::Role;
use rollcall_domain::calendar::Zone;
use rollcall_domain::id::{DepartmentId, ShiftId};
use rollcall_domain::preferences::Theme;
use rollcall_domain::user::{EmailAddress, EmployeeCode, Password, PersonName, Status};
use rollcall_usecases::users::{PreferencesPatch, UserPatch};
use serde::Serialize;
use validator::Validate;

use crate::input::{Language, Line, Passage, Picture, form};
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

form! {
    /// A change of a profile: absent members keep, `null` clears.
    change struct UpdateForm as UserUpdate {
        name: Optional<PersonName>,
        phone: Clearable<Line<40>>,
        address: Clearable<Passage<500>>,
        avatar_url: Clearable<Picture>,
        locale: Clearable<Language>,
        #[validate(nested)]
        settings: Option<SettingsForm>,
        /// One's own needs `current_password` and ends all other logins.
        password: Optional<Password>,
        current_password: Optional<Password>,
        /// For administrators, as everything below.
        email: Optional<EmailAddress>,
        role: Optional<Role>,
        /// Any but `deleted`, which is only taken as it is shown.
        status: Optional<Status>,
        employee_code: Clearable<EmployeeCode>,
        department_id: Clearable<DepartmentId>,
        timezone: Clearable<Zone>,
        join_date: Clearable<Date>,
        leave_date: Clearable<Date>,
        default_shift_id: Clearable<ShiftId>,
    }
    const NOT_ALLOWED: &'static [&'static str] = SERVER_SIDE;
    const COMPUTED: &'static [&'static str] = &["updated_at", "last_login_at", "face"];
}

form! {
    /// A change of settings: absent members keep.
    #[derive(Clone, Serialize)]
    change struct SettingsForm as SettingsUpdate {
        /// `system`, `light` or `dark`.
        theme: Optional<Theme>,
        notifications: Option<bool>,
        language: Optional<Language>,
    }
}

impl UpdateForm {
    pub(crate) fn into_patch(self) -> Result<UserPatch, Problem> {
        let settings = self.settings.unwrap_or_default();
        Ok(UserPatch {
            name: self.name.value(),
            phone: self.phone.value(),
            address: self.address.value(),
            avatar_url: self.avatar_url.value(),
            locale: self.locale.value(),
            preferences: PreferencesPatch {
                theme: settings.theme.value(),
                notifications: settings.notifications,
                language: settings.language.value(),
            },
            password: self.password.value(),
            current_password: self.current_password.value(),
            email: self.email.value(),
            role: self.role.value(),
            status: self.status.value(),
            employee_code: self.employee_code.value(),
            department: self.department_id.value(),
            timezone: self.timezone.value(),
            join_date: self.join_date.value(),
            leave_date: self.leave_date.value(),
            default_shift: self.default_shift_id.value(),
        })
    }
}
