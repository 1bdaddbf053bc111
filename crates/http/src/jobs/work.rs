//! Doing the work of jobs: what is kept is what would have been answered.

use futures_util::TryStreamExt;
use rollcall_domain::access::Actor;
use rollcall_domain::job::JobKind;
use rollcall_usecases::UseCases;
use rollcall_usecases::errors::StoreError;
use rollcall_usecases::jobs::{JobContext, JobFailure, JobWork, Worked};

use super::entries;
use super::parameters::parameters;
use crate::problem::{Code, Problem};
use crate::report::{Format, ReportRequest};

/// Works on jobs with what requests are answered with.
#[derive(Clone)]
pub struct JobWorker {
    usecases: UseCases,
}

impl JobWorker {
    /// Works with these use-cases.
    #[must_use]
    pub const fn new(usecases: UseCases) -> Self {
        Self { usecases }
    }
}

impl JobWork for JobWorker {
    async fn work(&self, actor: &Actor, context: &mut JobContext<'_>) -> Result<Worked, JobFailure> {
        match context.job().kind {
            JobKind::Report => self.report(actor, context).await,
            JobKind::Bulk => entries::enter(&self.usecases, actor, context).await,
        }
    }
}

impl JobWorker {
    async fn report(&self, actor: &Actor, context: &mut JobContext<'_>) -> Result<Worked, JobFailure> {
        let request = ReportRequest::read(parameters(context)?, Format::Json)?;
        let mut report = request.render(&self.usecases, actor).await?;
        while let Some(bytes) = report.body.try_next().await? {
            context.report_progress(report.progress());
            context.write(&bytes).await?;
        }
        Ok(Worked { status: 200, media_type: report.media_type.to_owned(), file_name: report.file_name })
    }
}

impl From<Problem> for JobFailure {
    fn from(problem: Problem) -> Self {
        problem.log("a job cannot be worked on");
        match problem.code() {
            // These pass: the job is tried again when its lease has run out.
            Code::DatabaseUnavailable | Code::Busy => {
                Self::Store(StoreError::Unavailable("too busy, or away".into()))
            }
            code => Self::Refused(code.slug()),
        }
    }
}
