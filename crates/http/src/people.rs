//! Which people are wanted: what every list of people has in common.

use jiff::civil::Date;
use rollcall_domain::calendar::Zone;
use rollcall_domain::user::UserKey;

use crate::input::word;
use crate::problem::Problem;

/// What lists of people can be ordered by.
pub(crate) const KEYS: [(&str, UserKey); 5] = [
    ("name", UserKey::Name),
    ("email", UserKey::Email),
    ("employee_code", UserKey::EmployeeCode),
    ("created_at", UserKey::CreatedAt),
    ("last_login_at", UserKey::LastLoginAt),
];

/// From the start of one date to the end of the other, as clocks of `zone` show them.
pub(crate) fn between(
    zone: &Zone,
    from: &Option<String>,
    to: &Option<String>,
) -> Result<(Option<jiff::Timestamp>, Option<jiff::Timestamp>), Problem> {
    let (from, to): (Option<Date>, Option<Date>) = (word(from)?, word(to)?);
    if from.zip(to).is_some_and(|(from, to)| to < from) {
        let detail = "must not be before 'created_from'";
        return Err(Problem::invalid_parameter("created_to", "out-of-range", detail));
    }
    let begins = |date: Date| zone.instant(date.at(0, 0, 0, 0));
    Ok((from.map(begins), to.map(|date| begins(date.tomorrow().unwrap_or(Date::MAX)))))
}

/// A query for people: the fields below and further ones. A macro, because what is flattened by serde hides unknown
/// keys. `into_query` also hands back the form, for the further fields.
macro_rules! people_form {
    ($(#[$doc:meta])* $name:ident { $($further:tt)* }) => {
        $(#[$doc])*
        #[derive(Clone, serde::Deserialize, validator::Validate, utoipa::IntoParams)]
        #[into_params(parameter_in = Query)]
        pub(crate) struct $name {
            /// Part of the name, address or employee code, whatever its case.
            #[validate(custom(function = "crate::input::is::<crate::input::AnyWord>"))]
            q: Option<String>,
            /// `admin`, `manager` or `employee`.
            #[validate(custom(function = "crate::input::is::<rollcall_domain::access::Role>"))]
            role: Option<String>,
            /// `active`, `inactive`, `suspended` or `pending`; `deleted` where lists include people who were removed.
            #[validate(custom(function = "crate::input::is::<crate::input::AnyStatus>"))]
            status: Option<String>,
            /// Only this department.
            #[validate(custom(function = "crate::input::is::<rollcall_domain::id::DepartmentId>"))]
            department_id: Option<String>,
            /// Only people who can be recognized, or only the others.
            #[validate(custom(function = "crate::input::is::<bool>"))]
            #[param(value_type = Option<bool>)]
            enrolled: Option<String>,
            /// Added on this date or later.
            #[validate(custom(function = "crate::input::is::<jiff::civil::Date>"))]
            #[param(format = Date)]
            created_from: Option<String>,
            /// Added on this date or before.
            #[validate(custom(function = "crate::input::is::<jiff::civil::Date>"))]
            #[param(format = Date)]
            created_to: Option<String>,
            $($further)*
            /// Page, from 1.
            #[validate(custom(function = "crate::input::is::<crate::input::PageNumber>"))]
            #[param(value_type = Option<u32>, minimum = 1)]
            page: Option<String>,
            /// Entries of a page; 20 unless asked otherwise.
            #[validate(custom(function = "crate::input::is::<crate::input::PageSize>"))]
            #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
            per_page: Option<String>,
            /// Keys separated by commas, `-` before those that descend: `name`, `email`, `employee_code`,
            /// `created_at`, `last_login_at`.
            sort: Option<String>,
        }

        impl crate::input::Form for $name {}

        impl $name {
            fn into_query(
                self,
                zone: &rollcall_domain::calendar::Zone,
            ) -> Result<(rollcall_usecases::users::UserQuery, Self), crate::problem::Problem> {
                use crate::input::{AnyStatus, word};
                let (created_from, created_before) =
                    crate::people::between(zone, &self.created_from, &self.created_to)?;
                let filter = rollcall_domain::user::UserFilter {
                    q: self.q.clone().filter(|q| !q.is_empty()),
                    role: word(&self.role)?,
                    status: word::<AnyStatus>(&self.status)?.map(|status| status.0),
                    department: word(&self.department_id)?,
                    created_from,
                    created_before,
                    ..Default::default()
                };
                let query = rollcall_usecases::users::UserQuery {
                    filter,
                    enrolled: word(&self.enrolled)?,
                    sort: crate::paging::sort(&self.sort, &crate::people::KEYS)?,
                    page: crate::paging::page(&self.page, &self.per_page)?,
                };
                Ok((query, self))
            }
        }
    };
}
pub(crate) use people_form;
