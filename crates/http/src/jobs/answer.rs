//! Jobs as clients see them, and the answer to a request that became one.

use actix_web::HttpResponse;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use rollcall_domain::job::{Job, JobResult};
use serde::Serialize;
use utoipa::ToSchema;

use crate::headers::{PREFER, PREFERENCE_APPLIED};
use crate::problem::{Code, ItemProblemView, Problem};
use crate::profile::utc;

/// Seconds after which to look at an unfinished job again.
pub(crate) const RETRY_AFTER: &str = "2";

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
    problem: Option<ItemProblemView>,
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
    pub(super) fn new(job: Job) -> Self {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn respond_async_is_read_among_other_preferences() {
        let of = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            values.iter().for_each(|value| headers.append(PREFER, HeaderValue::from_static(value)));
            prefers_async(&headers)
        };
        assert!(of(&["respond-async"]) && of(&["return=minimal", "wait=10, Respond-Async; x=y"]));
        assert!(!of(&[]) && !of(&["return=minimal, respond-asynchronously", "wait=10; respond-async"]));
    }
}
