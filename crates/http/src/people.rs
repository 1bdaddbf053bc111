//! Which people are wanted: what every list of people has in common.

use jiff::civil::Date;
use rollcall_domain::calendar::Zone;
use rollcall_domain::user::UserKey;

use crate::input::Optional;
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
    from: Optional<Date>,
    to: Optional<Date>,
) -> Result<(Option<jiff::Timestamp>, Option<jiff::Timestamp>), Problem> {
    let (from, to) = (from.value(), to.value());
    if from.zip(to).is_some_and(|(from, to)| to < from) {
        let detail = "must not be before 'created_from'";
        return Err(Problem::invalid_parameter("created_to", "out-of-range", detail));
    }
    let begins = |date: Date| zone.instant(date.at(0, 0, 0, 0));
    Ok((from.map(begins), to.map(|date| begins(date.tomorrow().unwrap_or(Date::MAX)))))
}

/// A query for people: the fields below and further ones. A macro, because what is flattened by serde hides unknown
/// keys.
macro_rules! people_form {
    ($(#[$doc:meta])* $name:ident { $($further:tt)* }) => {
        crate::input::form! {
            $(#[$doc])*
            query struct $name {
                /// Part of the name, address or employee code, whatever its case.
                q: Optional<crate::input::AnyWord>,
                /// `admin`, `manager` or `employee`.
                role: Optional<rollcall_domain::access::Role>,
                /// `active`, `inactive`, `suspended` or `pending`; `deleted` where lists include people who were removed.
                status: Optional<crate::input::AnyStatus>,
                /// Only this department.
                department_id: Optional<rollcall_domain::id::DepartmentId>,
                /// Only people who can be recognized, or only the others.
                enrolled: Optional<bool> as bool,
                /// Added on this date or later.
                created_from: Optional<Date>,
                /// Added on this date or before.
                created_to: Optional<Date>,
                $($further)*
                ..paging,
                /// Keys separated by commas, `-` before those that descend: `name`, `email`, `employee_code`,
                /// `created_at`, `last_login_at`.
                sort: Option<String>,
            }
        }

        impl $name {
            fn into_query(
                self,
                zone: &rollcall_domain::calendar::Zone,
            ) -> Result<rollcall_usecases::users::UserQuery, crate::problem::Problem> {
                let (created_from, created_before) =
                    crate::people::between(zone, self.created_from, self.created_to)?;
                let filter = rollcall_domain::user::UserFilter {
                    q: self.q.value().filter(|q| !q.is_empty()),
                    role: self.role.value(),
                    status: self.status.value(),
                    department: self.department_id.value(),
                    created_from,
                    created_before,
                    ..Default::default()
                };
                Ok(rollcall_usecases::users::UserQuery {
                    filter,
                    enrolled: self.enrolled.value(),
                    sort: crate::paging::sort(&self.sort, &crate::people::KEYS)?,
                    page: crate::paging::page(self.page, self.per_page)?,
                })
            }
        }
    };
}
pub(crate) use people_form;
