//! Lists: which page, in which order, and the envelope they come back in.

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, HttpResponseBuilder};
use jiff::civil::{Date, Time};
use jiff::{Span, Timestamp};
use rollcall_domain::calendar::{DateRange, Zone};
use rollcall_domain::page::{Page, Paged, Sort};
use serde::Serialize;
use utoipa::ToSchema;

use crate::input::{Optional, PageNumber, PageSize};
use crate::problem::{Code, FieldError, Problem};

/// One page of a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct List<T: ToSchema> {
    /// The entries of this page; empty past the end.
    pub(crate) data: Vec<T>,
    /// Which page this is.
    pub(crate) pagination: Pagination,
}

/// Which page of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Pagination {
    /// Counted from 1.
    page: u32,
    /// Most entries of a page.
    per_page: u32,
    /// Entries of all pages.
    total: u64,
    /// Number of pages.
    total_pages: u64,
}

impl Pagination {
    pub(crate) const fn of<T>(paged: &Paged<T>) -> Self {
        let (page, per_page) = (paged.page.number(), paged.page.size());
        Self { page, per_page, total: paged.total, total_pages: paged.pages() }
    }

    /// An answer that links to the first, previous, next and last page.
    pub(crate) fn answer(&self, req: &HttpRequest) -> HttpResponseBuilder {
        let mut answer = HttpResponse::Ok();
        if let Ok(links) = HeaderValue::from_str(&self.links(req)) {
            answer.insert_header((header::LINK, links));
        }
        answer
    }

    fn links(&self, req: &HttpRequest) -> String {
        let (page, last) = (u64::from(self.page), self.total_pages.max(1));
        let others: Vec<(String, String)> =
            serde_urlencoded::from_str(req.query_string()).unwrap_or_default();
        let address = |page: u64| {
            let mut query: Vec<_> = others.iter().filter(|(key, _)| key != "page").cloned().collect();
            query.push(("page".into(), page.to_string()));
            format!("{}?{}", req.path(), serde_urlencoded::to_string(query).unwrap_or_default())
        };
        let pages = [
            (true, 1, "first"),
            (page > 1, (page - 1).min(last), "prev"),
            (page < last, page + 1, "next"),
            (true, last, "last"),
        ];
        let links = pages.into_iter().filter(|(there, ..)| *there);
        links
            .map(|(_, page, rel)| format!("<{}>; rel=\"{rel}\"", address(page)))
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// The answer to a request for a list.
pub(crate) fn list<T, V>(req: &HttpRequest, paged: Paged<T>, view: impl FnMut(T) -> V) -> HttpResponse
where
    V: Serialize + ToSchema,
{
    let pagination = Pagination::of(&paged);
    pagination.answer(req).json(List { data: paged.map(view).items, pagination })
}

/// The page that is asked for.
pub(crate) fn page(number: Optional<PageNumber>, size: Optional<PageSize>) -> Result<Page, Problem> {
    let (number, size) = (number.value().unwrap_or(1), size.value().unwrap_or(Page::DEFAULT_SIZE));
    Page::new(number, size)
        .map_err(|error| Problem::invalid_parameter("page", "out-of-range", error.to_string()))
}

/// The order that is asked for: keys separated by commas, `-` before those that descend, none of them twice.
pub(crate) fn sort<K: Copy>(text: &Option<String>, keys: &[(&str, K)]) -> Result<Vec<Sort<K>>, Problem> {
    let Some(text) = text else { return Ok(Vec::new()) };
    let one = |part: &str| {
        let (name, descending) = part.strip_prefix('-').map_or((part, false), |name| (name, true));
        let found = keys.iter().find(|(known, _)| *known == name);
        found.map(|(_, key)| Sort { key: *key, descending }).ok_or_else(|| {
            let known: Vec<_> = keys.iter().map(|(known, _)| *known).collect();
            let detail = format!("can be ordered by {}", known.join(", "));
            Problem::plain(Code::UnknownParameter)
                .with_errors(vec![FieldError::of("sort", "unknown", detail)])
        })
    };
    let mut order: Vec<Sort<K>> = Vec::new();
    let mut seen = Vec::new();
    for part in text.split(',') {
        // A key that comes again decides nothing; thousands of them would be more than a database takes.
        let name = part.trim_start_matches('-');
        if seen.contains(&name) {
            return Err(Problem::plain(Code::DuplicateParameter).with_errors(vec![FieldError::of(
                "sort",
                "duplicate",
                "names a key more than once",
            )]));
        }
        order.push(one(part)?);
        seen.push(name);
    }
    Ok(order)
}

/// The dates that are asked for of what may become a job: both ends may lie further apart than elsewhere.
pub(crate) fn long_range(from: Option<Date>, to: Option<Date>) -> Result<Option<DateRange>, Problem> {
    let (Some(first), Some(last)) = (from, to) else { return range(from, to) };
    let range = DateRange::long(first, last);
    range.map(Some).map_err(|error| Problem::invalid_parameter("to", "out-of-range", error.to_string()))
}

/// The dates that are asked for. One end alone reaches as far as a range may be long.
pub(crate) fn range(from: Option<Date>, to: Option<Date>) -> Result<Option<DateRange>, Problem> {
    let year = Span::new().days(DateRange::MAX_DAYS - 1);
    let (from, to) = match (from, to) {
        (None, None) => return Ok(None),
        (Some(from), Some(to)) => (from, to),
        (Some(from), None) => (from, from.saturating_add(year)),
        (None, Some(to)) => (to.saturating_sub(year), to),
    };
    let range = DateRange::new(from, to);
    range.map(Some).map_err(|error| Problem::invalid_parameter("to", "out-of-range", error.to_string()))
}

/// From when and until when that is, by the clocks of a place.
pub(crate) fn instants(
    from: Option<Date>,
    to: Option<Date>,
    zone: &Zone,
) -> Result<Option<(Timestamp, Timestamp)>, Problem> {
    let begins = |date: Date| zone.instant(date.to_datetime(Time::midnight()));
    let next = |date: Date| date.tomorrow().unwrap_or(Date::MAX);
    Ok(range(from, to)?.map(|dates| (begins(dates.from()), begins(next(dates.to())))))
}
