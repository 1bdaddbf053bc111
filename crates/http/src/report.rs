//! `GET /api/attendance/report`: records of many people as JSON, CSV or a workbook.

mod body;
mod columns;
mod csv;
mod form;
mod request;
mod view;
mod workbook;

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use rollcall_domain::calendar::DateRange;
use rollcall_domain::job::JobKind;
use rollcall_usecases::jobs::NewJob;

use crate::actor::Authenticated;
use crate::filters::Filters;
use crate::input::Query;
use crate::jobs::answer::{JobView, accepted, prefers_async};
use crate::options::Api;
use crate::problem::Problem;

pub(crate) use columns::as_meant;
pub(crate) use form::Format;
use form::ReportForm;
pub(crate) use request::ReportRequest;
use view::ReportView;

/// Records of those you may see, one by one or added up, to be read or to be kept as a file. What covers more than 366
/// days, and whatever is asked for with `Prefer: respond-async`, is worked on as a job.
#[utoipa::path(get, path = "", tag = "attendance",
    params(ReportForm, ("Prefer" = Option<String>, Header, description = "`respond-async` for a job in any case.")),
    responses(
        (status = 200, description = "Records, or what they come to. Files have a header row; texts that a spreadsheet \
            would take for a formula begin with an apostrophe.",
            content((ReportView = "application/json"), (String = "text/csv"),
                (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
        (status = 202, description = "Taken as a job; `Location` names it, `Retry-After` says when to look.",
            body = JobView),
        (status = 429, description = "`too-many-jobs`: wait for those that are unfinished.",
            body = crate::problem::ProblemView<'static>, content_type = "application/problem+json")))]
pub(crate) async fn report(
    req: HttpRequest,
    api: web::Data<Api>,
    caller: Authenticated,
    Query(form): Query<ReportForm>,
) -> Result<HttpResponse, Problem> {
    let form = form.of(caller.actor())?;
    let request = ReportRequest::read(form, Format::wished(req.headers()))?;
    let statistics = &api.usecases.statistics;
    let asked = prefers_async(req.headers());
    let filters = Filters {
        user: request.query.users.first().copied(),
        department: request.query.department,
        ..Filters::default()
    };
    filters.check(&api.usecases.directory, caller.actor()).await?;
    if asked || request.query.range.is_some_and(DateRange::is_long) {
        let range = statistics.may_report(caller.actor(), &request.query).await;
        let range = range.map_err(|error| filters.explain(error))?;
        if req.method() == Method::HEAD {
            // Asking what would come starts nothing; there is no job to be named.
            return Ok(HttpResponse::Accepted().finish());
        }
        let parameters = request.parameters(range);
        let new = NewJob { kind: JobKind::Report, parameters, input: Vec::new(), total: 0 };
        return Ok(accepted(&api.usecases.jobs.submit(caller.actor(), new).await?, asked));
    }
    let report = request.render(&api.usecases, caller.actor()).await;
    Ok(report.map_err(|problem| filters.explain(problem))?.answer(&req))
}
