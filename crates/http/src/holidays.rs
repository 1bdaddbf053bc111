//! `/api/holidays`

use actix_web::{HttpRequest, HttpResponse, web};
use jiff::civil::Weekday;
use rollcall_domain::calendar::{Half, weekday_name};
use rollcall_domain::holiday::{CalendarEntry, FreeDays, HolidayName};
use rollcall_domain::id::{DepartmentId, HolidayId};
use rollcall_usecases::holidays::{HolidayPatch, HolidayQuery, NewFreeDays, NewHoliday};
use serde::Serialize;
use utoipa::ToSchema;

use crate::actor::Authenticated;
use crate::filters::Filters;
use crate::input::{Change, Json, PathId, Query, Seen, form, present};
use crate::naming::named;
use crate::options::Api;
use crate::paging::{List, list as list_of, page, range};
use crate::preconditions::{self, IfMatch, created};
use crate::problem::{FieldError, Problem};
use crate::profile::utc;

form! {
    query struct HolidaysForm {
        /// Only what holds in this department: its own calendar and everybody's.
        department_id: Optional<DepartmentId>,
        /// Only what can make a date from this one on free.
        from: Optional<Date>,
        /// Last date, at most 365 days later.
        to: Optional<Date>,
        ..paging,
    }
}

const SERVER_SIDE: &[&str] = &["id", "created_by", "created_at", "version"];

form! {
    /// A date, or a day of the week, that is to be free; for everybody, unless a department is named.
    body struct NewHolidayForm as NewHoliday {
        name: Required<HolidayName>,
        department_id: Nullable<DepartmentId>,
        /// One date; this or `weekday`.
        date: Nullable<Date>,
        /// `first` or `second`: only this half of each shift of the date is free.
        half: Nullable<Half>,
        /// A day of the week, `monday` to `sunday`.
        weekday: Nullable<Weekday>,
        /// Only the first, second … fifth of each month.
        #[validate(range(min = 1, max = 5, code = "out-of-range", message = "must be 1..5"))]
        nth: Option<i8>,
        /// First date on which the day of the week can be free; tomorrow unless said otherwise.
        from: Nullable<Date>,
        /// Last such date; for good without one.
        to: Nullable<Date>,
    }
    const ALSO_NULLABLE: &'static [&'static str] = &["nth"];
    const NOT_ALLOWED: &'static [&'static str] = SERVER_SIDE;
}

impl NewHolidayForm {
    fn into_holiday(self) -> Result<NewHoliday, Problem> {
        let (date, weekday) = (self.date.value(), self.weekday.value());
        let of_date = [(self.half.is_some(), "/half")];
        let of_week =
            [(self.nth.is_some(), "/nth"), (self.from.is_some(), "/from"), (self.to.is_some(), "/to")];
        let (days, of_other) = match (date, weekday) {
            (Some(date), None) => (NewFreeDays::Date(date, self.half.value()), &of_week[..]),
            (None, Some(weekday)) => {
                let (from, to) = (self.from.value(), self.to.value());
                (NewFreeDays::Weekly { weekday, nth: self.nth, from, to }, &of_date[..])
            }
            (None, None) => {
                return Err(Problem::invalid_field("/date", "required", "this or weekday is required"));
            }
            (Some(_), Some(_)) => {
                return Err(Problem::invalid_field("/weekday", "not-both", "is either this or date"));
            }
        };
        let wrong = of_other.iter().filter(|(present, _)| *present);
        let wrong: Vec<_> = wrong
            .map(|(_, pointer)| FieldError::at(*pointer, "invalid", "is not for an entry of this kind"))
            .collect();
        if !wrong.is_empty() {
            return Err(Problem::invalid(wrong));
        }
        Ok(NewHoliday { department: self.department_id.value(), name: self.name.value()?, days })
    }
}

form! {
    /// A change of an entry: absent members keep, `null` clears. A date stays a date, and a day of the week one.
    change struct HolidayUpdateForm as HolidayUpdate {
        name: Optional<HolidayName>,
        date: Optional<Date>,
        half: Clearable<Half>,
        weekday: Optional<Weekday>,
        #[serde(deserialize_with = "present")]
        #[schema(value_type = Option<i8>)]
        nth: Option<Option<i8>>,
        from: Optional<Date>,
        to: Clearable<Date>,
    }
    const NOT_ALLOWED: &'static [&'static str] =
        &["id", "department_id", "created_by", "created_at", "version"];
}

/// A holiday, or a day of the week that is off.
#[derive(Serialize, ToSchema)]
#[schema(as = Holiday)]
pub(crate) struct HolidayView {
    id: String,
    /// Whose calendar it is in; everybody's without one.
    department_id: Option<String>,
    name: String,
    #[schema(format = Date)]
    date: Option<String>,
    /// `first` or `second`; both without one.
    half: Option<&'static str>,
    weekday: Option<&'static str>,
    nth: Option<i8>,
    #[schema(format = Date)]
    from: Option<String>,
    #[schema(format = Date)]
    to: Option<String>,
    created_by: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    version: u32,
}

impl HolidayView {
    fn new(entry: CalendarEntry) -> Self {
        let view = Self {
            id: entry.id.to_string(),
            department_id: entry.department.map(|id| id.to_string()),
            name: entry.name.as_str().to_owned(),
            date: None,
            half: None,
            weekday: None,
            nth: None,
            from: None,
            to: None,
            created_by: entry.by.map(|id| id.to_string()),
            created_at: utc(entry.created_at),
            version: entry.revision.0,
        };
        match entry.days {
            FreeDays::Date { on, half } => {
                Self { date: Some(on.to_string()), half: half.map(Half::name), ..view }
            }
            FreeDays::Weekly(off) => Self {
                weekday: Some(weekday_name(off.weekday)),
                nth: off.nth,
                from: off.from.map(|date| date.to_string()),
                to: off.to.map(|date| date.to_string()),
                ..view
            },
        }
    }
}

/// The holidays and days off that concern you and those you answer for, by date.
#[utoipa::path(get, path = "", tag = "planning", params(HolidaysForm),
    responses((status = 200, description = "A page of entries.", body = List<HolidayView>)))]
pub(crate) async fn list(
    req: HttpRequest,
    api: web::Data<Api>,
    caller: Authenticated,
    Query(form): Query<HolidaysForm>,
) -> Result<HttpResponse, Problem> {
    let query = HolidayQuery {
        department: form.department_id.value(),
        within: range(form.from.value(), form.to.value())?,
        page: page(form.page, form.per_page)?,
    };
    let filters = Filters { department: query.department, ..Filters::default() };
    filters.check(&api.usecases.directory, caller.actor()).await?;
    let found =
        api.usecases.holidays.list(caller.actor(), query).await.map_err(|error| filters.explain(error))?;
    Ok(list_of(&req, found, HolidayView::new))
}

/// Enters a holiday or a day off.
#[utoipa::path(post, path = "", tag = "planning", request_body = NewHolidayForm,
    responses((status = 201, description = "Entered; `Location` names it.", body = HolidayView)))]
pub(crate) async fn create(
    api: web::Data<Api>,
    caller: Authenticated,
    Json(form): Json<NewHolidayForm>,
) -> Result<HttpResponse, Problem> {
    let entered = api.usecases.holidays.create(caller.actor(), form.into_holiday()?).await?;
    Ok(created(format!("/api/holidays/{}", entered.id), entered.revision, HolidayView::new(entered)))
}

/// One entry.
#[utoipa::path(get, path = "", tag = "planning",
    params(("holiday_id" = String, Path, description = "An entry.")),
    responses((status = 200, description = "The entry, with an `ETag`.", body = HolidayView)))]
pub(crate) async fn get(
    api: web::Data<Api>,
    caller: Authenticated,
    PathId(id): PathId<HolidayId>,
) -> Result<HttpResponse, Problem> {
    Ok(shown(api.usecases.holidays.get(caller.actor(), id).await?))
}

/// Changes an entry. A member that is sent as it is shown changes nothing.
#[utoipa::path(put, path = "", tag = "planning", request_body = HolidayUpdateForm,
    params(("holiday_id" = String, Path, description = "An entry."), IfMatch),
    responses((status = 200, description = "The entry as it is now.", body = HolidayView)))]
pub(crate) async fn update(
    api: web::Data<Api>,
    caller: Authenticated,
    PathId(id): PathId<HolidayId>,
    IfMatch(revision): IfMatch,
    change: Change<HolidayUpdateForm>,
) -> Result<HttpResponse, Problem> {
    let known = api.usecases.holidays.get(caller.actor(), id).await?;
    let seen = Seen { revision, known: known.revision };
    let view = named(&api.usecases.directory, &HolidayView::new(known)).await?;
    let form = change.of(&view, seen)?;
    let patch = HolidayPatch {
        name: form.name.value(),
        date: form.date.value(),
        half: form.half.value(),
        weekday: form.weekday.value(),
        nth: form.nth,
        from: form.from.value(),
        to: form.to.value(),
    };
    Ok(shown(api.usecases.holidays.update(caller.actor(), id, patch, revision).await?))
}

/// Takes an entry out.
#[utoipa::path(delete, path = "", tag = "planning",
    params(("holiday_id" = String, Path, description = "An entry."), IfMatch),
    responses((status = 204, description = "Taken out.")))]
pub(crate) async fn remove(
    api: web::Data<Api>,
    caller: Authenticated,
    PathId(id): PathId<HolidayId>,
    IfMatch(revision): IfMatch,
) -> Result<HttpResponse, Problem> {
    api.usecases.holidays.remove(caller.actor(), id, revision).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn shown(entry: CalendarEntry) -> HttpResponse {
    preconditions::shown(entry.revision, HolidayView::new(entry))
}
