//! `/api/attendance/events`

use actix_web::{HttpRequest, HttpResponse, web};
use rollcall_domain::attendance::{Direction, Source};
use rollcall_domain::calendar::Zone;
use rollcall_domain::id::{BatchId, DepartmentId, DeviceId, PunchId};
use rollcall_usecases::punches::events::{JudgedPunch, PunchQuery};
use serde::Serialize;
use utoipa::ToSchema;

use crate::actor::Authenticated;
use crate::attendance_view::{EventView, RecordView};
use crate::filters::{Filters, person};
use crate::input::{Json, PathId, Query, form};
use crate::options::Api;
use crate::paging::{List, instants, list as list_of, page};
use crate::problem::Problem;
use crate::records::ReasonForm;

form! {
    query struct EventsForm {
        /// First date, as clocks of the organization show it.
        from: Optional<Date>,
        /// Last date, at most 365 days later.
        to: Optional<Date>,
        /// Only this person's; an id or `me`.
        user_id: Option<String>,
        /// Only those of people in this department.
        department_id: Optional<DepartmentId>,
        /// `check_in` or `check_out`: only those that count as this by now.
        r#type: Optional<Direction>,
        /// Only those that came about like this.
        source: Optional<Source>,
        /// Only those of this kiosk or camera.
        device_id: Optional<DeviceId>,
        /// Only those made with these entries.
        batch_id: Optional<BatchId>,
        /// Only those that somebody should look at, or only the others.
        needs_review: Optional<bool> as bool,
        /// Only those that were taken back, or only the others.
        voided: Optional<bool> as bool,
        ..paging,
    }
}

impl EventsForm {
    fn into_query(self, caller: &Authenticated, zone: &Zone) -> Result<PunchQuery, Problem> {
        let within = instants(self.from.value(), self.to.value(), zone)?;
        Ok(PunchQuery {
            from: within.map(|(from, _)| from),
            until: within.map(|(_, until)| until),
            user: person("user_id", self.user_id.as_deref(), caller.actor())?,
            department: self.department_id.value(),
            direction: self.r#type.value(),
            source: self.source.value(),
            device: self.device_id.value(),
            batch: self.batch_id.value(),
            needs_review: self.needs_review.value(),
            voided: self.voided.value(),
            page: page(self.page, self.per_page)?,
        })
    }
}

/// A punch that somebody judged, and its day.
#[derive(Serialize, ToSchema)]
#[schema(as = JudgedPunch)]
pub(crate) struct JudgedView {
    event: EventView,
    /// The day as it is now; `null` if the punch belongs to none.
    record: Option<RecordView>,
}

impl JudgedView {
    fn new(of: &JudgedPunch) -> Self {
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
    caller: Authenticated,
    Query(form): Query<EventsForm>,
) -> Result<HttpResponse, Problem> {
    let query = form.into_query(&caller, &api.options.zone)?;
    let filters = Filters {
        user: query.user,
        department: query.department,
        device: query.device,
        batch: query.batch,
        ..Filters::default()
    };
    filters.check(&api.usecases.directory, caller.actor()).await?;
    let found =
        api.usecases.punches.list(caller.actor(), query).await.map_err(|error| filters.explain(error))?;
    Ok(list_of(&req, found, |seen| EventView::seen(&seen)))
}

/// Takes a punch back. It is kept and counts as nothing.
#[utoipa::path(post, path = "", tag = "attendance",
    operation_id = "void_event", request_body = ReasonForm,
    params(("event_id" = String, Path, description = "A punch.")),
    responses((status = 200, description = "Taken back.", body = JudgedView)))]
pub(crate) async fn void(
    api: web::Data<Api>,
    caller: Authenticated,
    PathId(id): PathId<PunchId>,
    Json(form): Json<ReasonForm>,
) -> Result<HttpResponse, Problem> {
    let judged = api.usecases.punches.void(caller.actor(), id, &form.reason()?).await?;
    Ok(HttpResponse::Ok().json(JudgedView::new(&judged)))
}

/// Lets a punch count that needs review.
#[utoipa::path(post, path = "", tag = "attendance",
    operation_id = "accept_event", request_body = ReasonForm,
    params(("event_id" = String, Path, description = "A punch.")),
    responses((status = 200, description = "It counts from now on.", body = JudgedView)))]
pub(crate) async fn accept(
    api: web::Data<Api>,
    caller: Authenticated,
    PathId(id): PathId<PunchId>,
    Json(form): Json<ReasonForm>,
) -> Result<HttpResponse, Problem> {
    let judged = api.usecases.punches.accept(caller.actor(), id, &form.reason()?).await?;
    Ok(HttpResponse::Ok().json(JudgedView::new(&judged)))
}
