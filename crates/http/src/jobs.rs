//! `/api/jobs`: what is worked on beside the requests.

pub(crate) mod answer;
mod entries;
mod parameters;
mod work;

use actix_web::body::SizedStream;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::{TryStreamExt, stream};
use rollcall_domain::id::JobId;
use rollcall_domain::job::JobResult;

use crate::actor::Authenticated;
use crate::headers::attachment;
use crate::input::{PathId, Query, form};
use crate::options::Api;
use crate::paging::{List, list as list_of, page};
use crate::problem::Problem;

use answer::{JobView, RETRY_AFTER};
pub use work::JobWorker;

form! {
    query struct JobsForm {
        ..paging,
    }
}

/// Your own jobs, the newest first.
#[utoipa::path(get, path = "", tag = "jobs", params(JobsForm),
    responses((status = 200, description = "A page of jobs.", body = List<JobView>)))]
pub(crate) async fn list(
    req: HttpRequest,
    api: web::Data<Api>,
    caller: Authenticated,
    Query(form): Query<JobsForm>,
) -> Result<HttpResponse, Problem> {
    let found = api.usecases.jobs.list(caller.actor(), page(form.page, form.per_page)?).await?;
    Ok(list_of(&req, found, JobView::new))
}

/// A job of yours; an administrator sees anybody's.
#[utoipa::path(get, path = "", tag = "jobs",
    params(("job_id" = String, Path, description = "A job.")),
    responses((status = 200, description = "The job; `Retry-After` says when to look again at one that is unfinished.",
        body = JobView)))]
pub(crate) async fn get(
    api: web::Data<Api>,
    caller: Authenticated,
    PathId(id): PathId<JobId>,
) -> Result<HttpResponse, Problem> {
    let job = api.usecases.jobs.get(caller.actor(), id).await?;
    let mut answer = HttpResponse::Ok();
    if job.is_unfinished() {
        answer.insert_header((header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER)));
    }
    Ok(answer.json(JobView::new(job)))
}

/// Cancels a job that is unfinished, or discards one that has finished. What a bulk had entered by then stays, and can be
/// taken back as a batch.
#[utoipa::path(delete, path = "", tag = "jobs",
    params(("job_id" = String, Path, description = "A job.")),
    responses((status = 204, description = "Canceled, or gone.")))]
pub(crate) async fn discard(
    api: web::Data<Api>,
    caller: Authenticated,
    PathId(id): PathId<JobId>,
) -> Result<HttpResponse, Problem> {
    api.usecases.jobs.discard(caller.actor(), id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// What came of a job: what would have been answered at once, whatever its status. For a bulk it is always the answer
/// with `summary` and `results`, which tells of people by their ids only: it is kept, and names are not.
#[utoipa::path(get, path = "", tag = "jobs",
    params(("job_id" = String, Path, description = "A job.")),
    responses(
        (status = 200, description = "The bytes.",
            content((Object = "application/json"), (String = "text/csv"),
                (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
        (status = 409, description = "`job-not-finished`, `job-without-result`.",
            body = crate::problem::ProblemView<'static>, content_type = "application/problem+json")))]
pub(crate) async fn result(
    api: web::Data<Api>,
    caller: Authenticated,
    PathId(id): PathId<JobId>,
) -> Result<HttpResponse, Problem> {
    let reader = api.usecases.jobs.result(caller.actor(), id).await?;
    let JobResult { media_type, file_name, size, .. } = reader.result.clone();
    let mut answer = HttpResponse::Ok();
    answer.insert_header((header::CONTENT_TYPE, media_type));
    if let Some(name) = file_name {
        answer.insert_header(attachment(&name));
    }
    let body = stream::try_unfold(reader, |mut reader| async move {
        let piece = reader.pieces.next().await?;
        Ok::<_, Problem>(piece.map(|piece| (Bytes::from(piece), reader)))
    });
    let body = body.map_err(|problem| problem.broken_off("the result of a job broke off"));
    Ok(answer.body(SizedStream::new(size, Box::pin(body))))
}
