//! `/api/jobs`: what is worked on beside the requests.

mod entries;
mod spool;
mod work;

use actix_web::body::SizedStream;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::{TryStreamExt, stream};
use rollcall_domain::id::JobId;
use rollcall_domain::job::{Job, JobResult};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::actor::Asker;
use crate::codes::Code;
use crate::headers::{PREFER, PREFERENCE_APPLIED};
use crate::input::{Form, Named, PageNumber, PageSize, Query, is};
use crate::options::Api;
use crate::paging::{List, list as list_of, page};
use crate::problem::{BriefView, Problem};
use crate::profile::utc;
use crate::report::attachment;

pub use work::JobWorker;

/// Seconds after which to look at an unfinished job again.
pub(crate) const RETRY_AFTER: &str = "2";

#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct JobsForm {
    /// Page, from 1.
    #[validate(custom(function = "is::<PageNumber>"))]
    #[param(value_type = Option<u32>, minimum = 1)]
    page: Option<String>,
    /// Entries of a page; 20 unless asked otherwise.
    #[validate(custom(function = "is::<PageSize>"))]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    per_page: Option<String>,
}

impl Form for JobsForm {}

/// Something that is worked on beside the requests.
#[derive(Serialize, ToSchema)]
#[schema(as = Job)]
pub(crate) struct JobView {
    id: String,
    /// Who asked for it.
    owner_id: String,
    /// `report` or `bulk`.
    kind: &'static str,
    /// `queued`, `running`, `done`, `failed` or `canceled`.
    state: &'static str,
    /// How much is done; `null` while nobody knows.
    progress: Option<ProgressView>,
    #[schema(format = DateTime)]
    created_at: String,
    /// When it was begun; again if whoever worked on it was interrupted.
    #[schema(format = DateTime)]
    started_at: Option<String>,
    #[schema(format = DateTime)]
    finished_at: Option<String>,
    /// When it and its result are forgotten: a day after it has finished.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// Where and what the result is, once it is done.
    result: Option<JobResultView>,
    /// Why it failed.
    problem: Option<BriefView>,
}

/// How much of a job is done.
#[derive(Serialize, ToSchema)]
#[schema(as = Progress)]
struct ProgressView {
    /// People of a report, items of a bulk.
    done: u32,
    total: u32,
}

/// What came of a job, besides its bytes.
#[derive(Serialize, ToSchema)]
#[schema(as = ResultFile)]
struct JobResultView {
    /// Where it is.
    url: String,
    /// The status with which it would have been answered at once: 200, and for a bulk 207 if some items failed, 422 if
    /// nothing was applied.
    status: u16,
    media_type: String,
    /// What the file is called, if it is one.
    file_name: Option<String>,
    /// Bytes.
    size: u64,
}

impl JobView {
    fn new(job: Job) -> Self {
        let at = |at: Option<jiff::Timestamp>| at.map(utc);
        let id = job.id;
        let of_result = |result: JobResult| JobResultView {
            url: format!("/api/jobs/{id}/result"),
            status: result.status,
            media_type: result.media_type,
            file_name: result.file_name,
            size: result.size,
        };
        let known = |slug: String| Code::ALL.iter().copied().find(|code| code.slug() == slug);
        let code = job.problem.map(|slug| known(slug).unwrap_or(Code::InternalError));
        let progress = job.progress;
        Self {
            id: id.to_string(),
            owner_id: job.owner.to_string(),
            kind: job.kind.name(),
            state: job.state.name(),
            progress: (progress.total > 0)
                .then_some(ProgressView { done: progress.done, total: progress.total }),
            created_at: utc(job.created_at),
            started_at: at(job.started_at),
            finished_at: at(job.finished_at),
            expires_at: at(job.expires_at),
            result: job.result.map(of_result),
            problem: code.map(|code| Problem::plain(code).brief()),
        }
    }
}

/// Whether a client prefers not to wait for the answer (RFC 7240).
pub(crate) fn prefers_async(headers: &HeaderMap) -> bool {
    let wishes = headers.get_all(PREFER).filter_map(|value| value.to_str().ok());
    wishes.flat_map(|value| value.split(',')).any(|wish| {
        let name = wish.split([';', '=']).next().unwrap_or_default();
        name.trim().eq_ignore_ascii_case("respond-async")
    })
}

/// The answer to a request that became a job.
pub(crate) fn accepted(job: &Job, asked: bool) -> HttpResponse {
    let mut answer = HttpResponse::Accepted();
    answer.insert_header((header::LOCATION, format!("/api/jobs/{}", job.id)));
    answer.insert_header((header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER)));
    if asked {
        answer.insert_header((PREFERENCE_APPLIED, HeaderValue::from_static("respond-async")));
    }
    answer.json(JobView::new(job.clone()))
}

/// Your own jobs, the newest first.
#[utoipa::path(get, path = "/api/jobs", tag = "jobs", params(JobsForm),
    responses((status = 200, description = "A page of jobs.", body = List<JobView>)))]
pub(crate) async fn list(
    req: HttpRequest,
    api: web::Data<Api>,
    asker: Asker,
    Query(form): Query<JobsForm>,
) -> Result<HttpResponse, Problem> {
    let found = api.usecases.jobs.list(asker.actor(), page(&form.page, &form.per_page)?).await?;
    Ok(list_of(&req, found, JobView::new))
}

/// A job of yours; an administrator sees anybody's.
#[utoipa::path(get, path = "/api/jobs/{job_id}", tag = "jobs",
    params(("job_id" = String, Path, description = "A job.")),
    responses((status = 200, description = "The job; `Retry-After` says when to look again at one that is unfinished.",
        body = JobView)))]
pub(crate) async fn get(
    api: web::Data<Api>,
    asker: Asker,
    Named(id): Named<JobId>,
) -> Result<HttpResponse, Problem> {
    let job = api.usecases.jobs.get(asker.actor(), id).await?;
    let mut answer = HttpResponse::Ok();
    if job.is_unfinished() {
        answer.insert_header((header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER)));
    }
    Ok(answer.json(JobView::new(job)))
}

/// Cancels a job that is unfinished, or discards one that has finished. What a bulk had entered by then stays, and can be
/// taken back as a batch.
#[utoipa::path(delete, path = "/api/jobs/{job_id}", tag = "jobs",
    params(("job_id" = String, Path, description = "A job.")),
    responses((status = 204, description = "Canceled, or gone.")))]
pub(crate) async fn discard(
    api: web::Data<Api>,
    asker: Asker,
    Named(id): Named<JobId>,
) -> Result<HttpResponse, Problem> {
    api.usecases.jobs.discard(asker.actor(), id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// What came of a job: what would have been answered at once, whatever its status. For a bulk it is always the answer
/// with `summary` and `results`, which tells of people by their ids only: it is kept, and names are not.
#[utoipa::path(get, path = "/api/jobs/{job_id}/result", tag = "jobs",
    params(("job_id" = String, Path, description = "A job.")),
    responses(
        (status = 200, description = "The bytes.",
            content((Object = "application/json"), (String = "text/csv"),
                (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
        (status = 409, description = "`job-not-finished`, `job-without-result`.",
            body = crate::problem::ProblemView<'static>, content_type = "application/problem+json")))]
pub(crate) async fn result(
    api: web::Data<Api>,
    asker: Asker,
    Named(id): Named<JobId>,
) -> Result<HttpResponse, Problem> {
    let reader = api.usecases.jobs.result(asker.actor(), id).await?;
    let JobResult { media_type, file_name, size, .. } = reader.result.clone();
    let mut answer = HttpResponse::Ok();
    answer.insert_header((header::CONTENT_TYPE, media_type));
    if let Some(name) = file_name {
        answer.insert_header(attachment(&name));
    }
    let body = stream::try_unfold(reader, |mut reader| async move {
        let piece = reader.next().await?;
        Ok::<_, Problem>(piece.map(|piece| (Bytes::from(piece), reader)))
    });
    let body = body.map_err(|problem| problem.broken_off("the result of a job broke off"));
    Ok(answer.body(SizedStream::new(size, Box::pin(body))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_for_a_job_is_read_among_others() {
        let of = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            values.iter().for_each(|value| headers.append(PREFER, HeaderValue::from_static(value)));
            prefers_async(&headers)
        };
        assert!(of(&["respond-async"]) && of(&["return=minimal", "wait=10, Respond-Async; x=y"]));
        assert!(!of(&[]) && !of(&["return=minimal, respond-asynchronously", "wait=10; respond-async"]));
    }
}
