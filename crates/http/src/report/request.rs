//! What is asked of a report, and the bytes that answer it: to be sent at once, or to be kept by a job.

use std::sync::atomic::Ordering;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::body::SizedStream;
use actix_web::http::header;
use futures_util::TryStreamExt;
use rollcall_domain::access::Actor;
use rollcall_domain::calendar::{DateRange, Zone};
use rollcall_domain::id::UserId;
use rollcall_domain::job::Progress;
use rollcall_domain::page::Page;
use rollcall_usecases::UseCases;
use rollcall_usecases::directory::Directory;
use rollcall_usecases::report::{Report, ReportGrouping, ReportQuery, Summed};
use serde::Serialize;

use super::body::{Body, Remaining, whole};
use super::columns::{ColumnSelection, HeaderLanguage};
use super::form::{Dialect, Format, ReportForm, Separator, by_name};
use super::view::{GroupView, GroupsView, RecordsView, ReportRecordView, ReportView, TallyView};
use super::{csv, workbook};
use crate::attendance_view::local;
use crate::headers::attachment;
use crate::naming::named;
use crate::paging::{Pagination, long_range, page};
use crate::problem::Problem;
use crate::profile::day;

/// A report that makes sense.
pub(crate) struct ReportRequest {
    /// As it was asked, for a job.
    form: ReportForm,
    by: Option<ReportGrouping>,
    format: Format,
    dialect: Dialect,
    language: Option<HeaderLanguage>,
    zone: Option<Zone>,
    page: Page,
    pub(super) query: ReportQuery,
}

/// The answer to a request.
pub(crate) struct RenderedReport {
    pub(crate) media_type: &'static str,
    /// What browsers call the file, if it is one.
    pub(crate) file_name: Option<String>,
    /// How many bytes there are, if that is known before they are read.
    size: Option<u64>,
    pagination: Option<Pagination>,
    /// People whose records are in it, and how many of them are still to be read; of a file that is made while it is read.
    people: Option<(usize, Remaining)>,
    pub(crate) body: Body,
}

impl ReportRequest {
    /// Whatever is wrong with the request is told before anything is looked for.
    pub(crate) fn read(form: ReportForm, wished: Format) -> Result<Self, Problem> {
        let asked = form.clone();
        let by = form.group_by.value().unwrap_or(None);
        let (format, language) = (form.format.value().unwrap_or(wished), form.locale.value());
        let chosen = ColumnSelection { names: form.columns.as_deref(), language };
        if format != Format::Csv && (form.separator.is_some() || form.bom.is_some()) {
            let name = if form.bom.is_some() { "bom" } else { "separator" };
            return Err(Problem::invalid_parameter(name, "not-applicable", "is for csv"));
        }
        if format == Format::Json {
            chosen.nothing()?;
        } else if form.page.is_some() || form.per_page.is_some() {
            return Err(Problem::invalid_parameter("page", "not-applicable", "files are not paged"));
        }
        match by {
            None => chosen.records().map(drop)?,
            Some(_) => chosen.sums().map(drop)?,
        }
        let users = form.user_id.iter().map(|user| user.parse::<UserId>().map_err(|_| Problem::not_found()));
        let query = ReportQuery {
            range: long_range(form.from.value(), form.to.value())?,
            department: form.department_id.value(),
            users: users.collect::<Result<_, _>>()?,
            status: form.status.value(),
        };
        let dialect = Dialect {
            separator: form.separator.value().unwrap_or(Separator::Comma),
            bom: form.bom.value().unwrap_or(true),
        };
        let (zone, page) = (form.timezone.value(), page(form.page, form.per_page)?);
        Ok(Self { form: asked, by, format, dialect, language, zone, page, query })
    }

    /// The same about these dates, as it is kept and read again. Nothing is left to be guessed later.
    pub(super) fn parameters(&self, range: DateRange) -> String {
        let form = ReportForm {
            from: Some(day(range.from())).into(),
            to: Some(day(range.to())).into(),
            format: Some(self.format.name().to_owned()).into(),
            ..self.form.clone()
        };
        serde_json::to_string(&form).unwrap_or_default()
    }

    /// The answer, as far as it is made before its bytes are read.
    pub(crate) async fn render(self, usecases: &UseCases, actor: &Actor) -> Result<RenderedReport, Problem> {
        let Self { form, by, format, dialect, language, zone, page, query } = self;
        let (statistics, directory) = (&usecases.statistics, &usecases.directory);
        let chosen = ColumnSelection { names: form.columns.as_deref(), language };
        match by {
            None => {
                let report = statistics.report(actor, query).await?;
                let zone = zone.unwrap_or_else(|| report.zone.clone());
                records(directory, report, (format, dialect), zone, page, &chosen).await
            }
            Some(by) => {
                let summed = statistics.summed(actor, query, by).await?;
                let zone = zone.unwrap_or_else(|| summed.zone.clone());
                groups(summed, by, (format, dialect), &zone, &chosen).await
            }
        }
    }
}

/// Records one by one.
async fn records(
    directory: &Directory,
    report: Report,
    (format, dialect): (Format, Dialect),
    zone: Zone,
    page: Page,
    chosen: &ColumnSelection<'_>,
) -> Result<RenderedReport, Problem> {
    let (range, as_of) = (report.range, report.as_of);
    Ok(match format {
        Format::Json => {
            let rows = report.page(page).await?;
            let pagination = Pagination::of(&rows);
            let view = RecordsView {
                group_by: by_name(None),
                from: day(range.from()),
                to: day(range.to()),
                timezone: zone.name().to_owned(),
                as_of: local(&zone, as_of),
                data: rows.items.iter().map(ReportRecordView::new).collect(),
                pagination,
            };
            RenderedReport {
                pagination: Some(pagination),
                ..RenderedReport::json(&named(directory, &ReportView::Records(view)).await?)?
            }
        }
        Format::Csv => {
            let (all, left) = (report.people_left(), Remaining::default());
            let body = csv::records(report, chosen.records()?, zone, dialect, left.clone()).await?;
            RenderedReport { people: Some((all, left)), ..RenderedReport::file(format, range, (None, body)) }
        }
        Format::Xlsx => {
            RenderedReport::file(format, range, workbook::records(report, chosen.records()?, zone).await?)
        }
    })
}

/// Records added up.
async fn groups(
    summed: Summed,
    by: ReportGrouping,
    (format, dialect): (Format, Dialect),
    zone: &Zone,
    chosen: &ColumnSelection<'_>,
) -> Result<RenderedReport, Problem> {
    let Summed { range, as_of, groups, total, .. } = summed;
    Ok(match format {
        Format::Json => RenderedReport::json(&ReportView::Groups(GroupsView {
            group_by: by_name(Some(by)),
            from: day(range.from()),
            to: day(range.to()),
            timezone: zone.name().to_owned(),
            as_of: local(zone, as_of),
            data: groups.iter().map(GroupView::new).collect(),
            totals: TallyView::new(&total),
        }))?,
        Format::Csv => {
            let bytes = csv::groups(&groups, chosen.sums()?, dialect)?;
            RenderedReport::file(format, range, (Some(bytes.len() as u64), whole(bytes)))
        }
        Format::Xlsx => RenderedReport::file(format, range, workbook::groups(groups, chosen.sums()?).await?),
    })
}

impl RenderedReport {
    /// How far it has been read, as far as anybody knows.
    pub(crate) fn progress(&self) -> Progress {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let of = |(all, left): &(usize, Remaining)| Progress {
            done: count(all.saturating_sub(left.load(Ordering::Relaxed))),
            total: count(*all),
        };
        self.people.as_ref().map(of).unwrap_or_default()
    }

    fn json(view: &impl Serialize) -> Result<Self, Problem> {
        let bytes = serde_json::to_vec(view).map_err(|_| Problem::broken("an answer cannot be written"))?;
        Ok(Self {
            media_type: "application/json",
            file_name: None,
            size: Some(bytes.len() as u64),
            pagination: None,
            people: None,
            body: whole(bytes.into()),
        })
    }

    fn file(format: Format, range: DateRange, (size, body): (Option<u64>, Body)) -> Self {
        let name = format!("attendance_{}_{}.{}", range.from(), range.to(), format.name());
        let media_type = match format {
            Format::Csv => "text/csv; charset=utf-8; header=present",
            Format::Json | Format::Xlsx => format.media_type(),
        };
        Self { media_type, file_name: Some(name), size, pagination: None, people: None, body }
    }

    /// The answer to a request. What fails once it is on its way breaks it off.
    pub(super) fn answer(self, req: &HttpRequest) -> HttpResponse {
        let mut answer = self.pagination.map_or_else(HttpResponse::Ok, |pagination| pagination.answer(req));
        answer.insert_header((header::CONTENT_TYPE, self.media_type));
        if let Some(name) = &self.file_name {
            answer.insert_header(attachment(name));
        }
        let body = self.body.map_err(|problem| problem.broken_off("the report broke off"));
        match self.size {
            Some(size) => answer.body(SizedStream::new(size, body)),
            None => answer.streaming(body),
        }
    }
}
