//! What a report can be asked for.

use actix_web::http::header::HeaderMap;
use rollcall_domain::access::Actor;
use rollcall_domain::attendance::DayStatus;
use rollcall_domain::calendar::Zone;
use rollcall_domain::id::DepartmentId;
use rollcall_domain::statistics::Interval;
use rollcall_usecases::report::ReportGrouping;
use serde::Serialize;

use super::columns::HeaderLanguage;
use crate::accept::{CSV, JSON, XLSX, preferred};
use crate::filters::person;
use crate::input::{PageNumber, PageSize, Parse, choices, form, one_of};
use crate::problem::Problem;

form! {
    #[derive(Clone, Serialize)]
    query struct ReportForm (pub(super)) {
        /// First date; the first of this month unless a date is given.
        from: Optional<Date>,
        /// Last date, at most 365 days later for an answer at once, at most 3,659 for a job.
        to: Optional<Date>,
        /// `record` (unless asked otherwise) for the records themselves; `user`, `department`, `day`, `week`, `month` or
        /// `shift` to add them up.
        group_by: Optional<By>,
        /// Only records of people who were in this department then.
        department_id: Optional<DepartmentId>,
        /// Only this person's, an id or `me`; can be repeated, up to 100 times.
        #[serde(default)]
        #[validate(length(max = 100, code = "out-of-range", message = "must be at most 100"))]
        #[param(style = Form, explode)]
        user_id: Vec<String>,
        /// Only records of this status.
        status: Optional<DayStatus>,
        /// `json`, `csv` or `xlsx`; without it the header `Accept` decides, and JSON is preferred.
        format: Optional<Format>,
        /// The time zone of the times in a file, named in its header row; the organization's unless asked otherwise. Dates are
        /// those of each person's own calendar.
        timezone: Optional<Zone>,
        /// Columns of a file, separated by commas, in this order; all unless asked otherwise.
        columns: Option<String>,
        /// Language of the header row of a file, `en` or `de`; without it columns have the names that `columns` takes.
        locale: Optional<HeaderLanguage>,
        /// What separates the cells of a CSV file: `comma`, `semicolon` or `tab`; `comma` unless asked otherwise. Excel opens by
        /// double click what is separated as its country does, with `semicolon` where decimals have a comma.
        separator: Optional<Separator>,
        /// Whether a CSV file begins with a byte order mark, without which Excel takes its letters for others; `true` unless
        /// asked otherwise. Programs that read the first title strictly ask for `false`.
        bom: Optional<bool> as bool,
        /// Page of records as JSON, from 1.
        #[param(minimum = 1)]
        page: Optional<PageNumber> as u32,
        /// Records of a page; 20 unless asked otherwise.
        #[param(minimum = 1, maximum = 100)]
        per_page: Optional<PageSize> as u32,
    }
    const REPEATED: &'static [&'static str] = &["user_id"];
}

impl ReportForm {
    /// The same with the id of whoever asks where it says `me`.
    pub(super) fn of(mut self, actor: &Actor) -> Result<Self, Problem> {
        for user in &mut self.user_id {
            if let Some(id) = person("user_id", Some(user.as_str()), actor)? {
                *user = id.to_string();
            }
        }
        Ok(self)
    }
}

/// What records are added up by, if they are.
pub(super) struct By;

const GROUPINGS: [(&str, Option<ReportGrouping>); 7] = [
    ("record", None),
    ("user", Some(ReportGrouping::User)),
    ("department", Some(ReportGrouping::Department)),
    ("day", Some(ReportGrouping::Time(Interval::Day))),
    ("week", Some(ReportGrouping::Time(Interval::Week))),
    ("month", Some(ReportGrouping::Time(Interval::Month))),
    ("shift", Some(ReportGrouping::Shift)),
];

/// The stable word for it.
pub(super) fn by_name(by: Option<ReportGrouping>) -> &'static str {
    GROUPINGS.iter().find(|(_, known)| *known == by).map_or("record", |(name, _)| name)
}

impl Parse for By {
    type Value = Option<ReportGrouping>;
    const CODE: &'static str = "unknown-value";

    fn read(text: &str) -> Result<Self::Value, String> {
        one_of(text, &GROUPINGS, |(name, _)| name).map(|(_, by)| by)
    }
}

/// How the lines of a CSV file are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) separator: Separator,
    pub(super) bom: bool,
}

rollcall_domain::words! {
    /// What separates cells.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(super) enum Separator {
        Comma = "comma",
        Semicolon = "semicolon",
        Tab = "tab",
    }
}

impl Separator {
    pub(super) const fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
        }
    }
}

choices!(Separator);

rollcall_domain::words! {
    /// What a report comes as.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum Format {
        Json = "json",
        Csv = "csv",
        Xlsx = "xlsx",
    }
}

impl Format {
    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::Json => JSON,
            Self::Csv => CSV,
            Self::Xlsx => XLSX,
        }
    }

    /// What a client that names none likes best.
    pub(super) fn wished(headers: &HeaderMap) -> Self {
        let liked = preferred(headers, &Self::ALL.map(Self::media_type));
        Self::ALL.into_iter().find(|format| Some(format.media_type()) == liked).unwrap_or(Self::Json)
    }
}

choices!(Format);
