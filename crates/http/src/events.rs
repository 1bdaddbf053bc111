//! `/api/attendance/events`

use actix_web::{HttpRequest, HttpResponse, web};
use jiff::civil::Date;
use rollcall_domain::attendance::{Direction, Source};
use rollcall_domain::calendar::Zone;
use rollcall_domain::id::{BatchId, DepartmentId, DeviceId, EventId};
use rollcall_usecases::attendance::events::{EventQuery, JudgedEvent};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::actor::Asker;
use crate::attendance::{EventView, RecordView};
use crate::filters::{Filters, person};
use crate::input::{Form, Json, Named, PageNumber, PageSize, Query, is, word};
use crate::options::Api;
use crate::paging::{List, instants, list as list_of, page};
use crate::problem::Problem;
use crate::records::ReasonForm;

#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventsForm {
    /// First date, as clocks of the organization show it.
    #[validate(custom(function = "is::<Date>"))]
    #[param(format = Date)]
    from: Option<String>,
    /// Last date, at most 365 days later.
    #[validate(custom(function = "is::<Date>"))]
    #[param(format = Date)]
    to: Option<String>,
    /// Only this person's; an id or `me`.
    user_id: Option<String>,
    /// Only those of people in this department.
    #[validate(custom(function = "is::<DepartmentId>"))]
    department_id: Option<String>,
    /// `check_in` or `check_out`: only those that count as this by now.
    #[validate(custom(function = "is::<Direction>"))]
    r#type: Option<String>,
    /// Only those that came about like this.
    #[validate(custom(function = "is::<Source>"))]
    source: Option<String>,
    /// Only those of this kiosk or camera.
    #[validate(custom(function = "is::<DeviceId>"))]
    device_id: Option<String>,
    /// Only those made with these entries.
    #[validate(custom(function = "is::<BatchId>"))]
    batch_id: Option<String>,
    /// Only those that somebody should look at, or only the others.
    #[validate(custom(function = "is::<bool>"))]
    #[param(value_type = Option<bool>)]
    needs_review: Option<String>,
    /// Only those that were taken back, or only the others.
    #[validate(custom(function = "is::<bool>"))]
    #[param(value_type = Option<bool>)]
    voided: Option<String>,
    /// Page, from 1.
    #[validate(custom(function = "is::<PageNumber>"))]
    #[param(value_type = Option<u32>, minimum = 1)]
    page: Option<String>,
    /// Entries of a page; 20 unless asked otherwise.
    #[validate(custom(function = "is::<PageSize>"))]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    per_page: Option<String>,
}

impl Form for EventsForm {}

impl EventsForm {
    fn into_query(self, asker: &Asker, zone: &Zone) -> Result<EventQuery, Problem> {
        let within = instants(&self.from, &self.to, zone)?;
        Ok(EventQuery {
            from: within.map(|(from, _)| from),
            until: within.map(|(_, until)| until),
            user: person("user_id", self.user_id.as_deref(), asker.actor())?,
            department: word(&self.department_id)?,
            direction: word(&self.r#type)?,
            source: word(&self.source)?,
            device: word(&self.device_id)?,
            batch: word(&self.batch_id)?,
            needs_review: word(&self.needs_review)?,
            voided: word(&self.voided)?,
            page: page(&self.page, &self.per_page)?,
        })
    }
}

/// A punch that somebody judged, and its day.
#[derive(Serialize, ToSchema)]
#[schema(as = JudgedEvent)]
pub(crate) struct JudgedView {
    event: EventView,
    /// The day as it is now; `null` if the punch belongs to none.
    record: Option<RecordView>,
}

impl JudgedView {
    fn new(of: &JudgedEvent) -> Self {
        let record = of.day.as_ref().map(|day| RecordView::new(day, true));
        Self { event: EventView::seen(&of.seen), record }
    }
}

/// The punches you may see, latest first.
#[utoipa::path(get, path = "", tag = "attendance", operation_id = "events",
    params(EventsForm),
    responses((status = 200, description = "A page of punches.", body = List<EventView>)))]
pub(crate) async fn list(
    req: HttpRequest,
    api: web::Data<Api>,
    asker: Asker,
    Query(form): Query<EventsForm>,
) -> Result<HttpResponse, Problem> {
    let query = form.into_query(&asker, &api.options.zone)?;
    let filters = Filters {
        user: query.user,
        department: query.department,
        device: query.device,
        batch: query.batch,
        ..Filters::default()
    };
    filters.check(&api.usecases.directory, asker.actor()).await?;
    let found =
        api.usecases.attendance.events(asker.actor(), query).await.map_err(|error| filters.told(error))?;
    Ok(list_of(&req, found, |seen| EventView::seen(&seen)))
}

/// Takes a punch back. It is kept and counts as nothing.
#[utoipa::path(post, path = "", tag = "attendance",
    operation_id = "void_event", request_body = ReasonForm,
    params(("event_id" = String, Path, description = "A punch.")),
    responses((status = 200, description = "Taken back.", body = JudgedView)))]
pub(crate) async fn void(
    api: web::Data<Api>,
    asker: Asker,
    Named(id): Named<EventId>,
    Json(form): Json<ReasonForm>,
) -> Result<HttpResponse, Problem> {
    let judged = api.usecases.attendance.void_event(asker.actor(), id, &form.reason()?).await?;
    Ok(HttpResponse::Ok().json(JudgedView::new(&judged)))
}

/// Lets a punch count that needs review.
#[utoipa::path(post, path = "", tag = "attendance",
    operation_id = "accept_event", request_body = ReasonForm,
    params(("event_id" = String, Path, description = "A punch.")),
    responses((status = 200, description = "It counts from now on.", body = JudgedView)))]
pub(crate) async fn accept(
    api: web::Data<Api>,
    asker: Asker,
    Named(id): Named<EventId>,
    Json(form): Json<ReasonForm>,
) -> Result<HttpResponse, Problem> {
    let judged = api.usecases.attendance.accept_event(asker.actor(), id, &form.reason()?).await?;
    Ok(HttpResponse::Ok().json(JudgedView::new(&judged)))
}
