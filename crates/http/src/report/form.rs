//! What a report can be asked for.

use actix_web::http::header::HeaderMap;
use jiff::civil::Date;
use rollcall_domain::access::Actor;
use rollcall_domain::attendance::DayStatus;
use rollcall_domain::calendar::Zone;
use rollcall_domain::id::DepartmentId;
use rollcall_domain::statistics::Interval;
use rollcall_usecases::report::ReportGrouping;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use validator::Validate;

use super::columns::Tongue;
use crate::accept::{CSV, JSON, XLSX, preferred};
use crate::filters::person;
use crate::input::{Form, PageNumber, PageSize, Word, is, one_of};
use crate::problem::Problem;

#[derive(Clone, Deserialize, Serialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReportForm {
    /// First date; the first of this month unless a date is given.
    #[validate(custom(function = "is::<Date>"))]
    #[param(format = Date)]
    pub(super) from: Option<String>,
    /// Last date, at most 365 days later for an answer at once, at most 3,659 for a job.
    #[validate(custom(function = "is::<Date>"))]
    #[param(format = Date)]
    pub(super) to: Option<String>,
    /// `record` (unless asked otherwise) for the records themselves; `user`, `department`, `day`, `week`, `month` or
    /// `shift` to add them up.
    #[validate(custom(function = "is::<By>"))]
    pub(super) group_by: Option<String>,
    /// Only records of people who were in this department then.
    #[validate(custom(function = "is::<DepartmentId>"))]
    pub(super) department_id: Option<String>,
    /// Only this person's, an id or `me`; can be repeated, up to 100 times.
    #[serde(default)]
    #[validate(length(max = 100, code = "out-of-range", message = "must be at most 100"))]
    #[param(style = Form, explode)]
    pub(super) user_id: Vec<String>,
    /// Only records of this status.
    #[validate(custom(function = "is::<DayStatus>"))]
    pub(super) status: Option<String>,
    /// `json`, `csv` or `xlsx`; without it the header `Accept` decides, and JSON is preferred.
    #[validate(custom(function = "is::<Format>"))]
    pub(super) format: Option<String>,
    /// The time zone of the times in a file, named in its header row; the organization's unless asked otherwise. Dates are
    /// those of each person's own calendar.
    #[validate(custom(function = "is::<Zone>"))]
    pub(super) timezone: Option<String>,
    /// Columns of a file, separated by commas, in this order; all unless asked otherwise.
    pub(super) columns: Option<String>,
    /// Language of the header row of a file, `en` or `de`; without it columns have the names that `columns` takes.
    #[validate(custom(function = "is::<Tongue>"))]
    pub(super) locale: Option<String>,
    /// What separates the cells of a CSV file: `comma`, `semicolon` or `tab`; `comma` unless asked otherwise. Excel opens by
    /// double click what is separated as its country does, with `semicolon` where decimals have a comma.
    #[validate(custom(function = "is::<Separator>"))]
    pub(super) separator: Option<String>,
    /// Whether a CSV file begins with a byte order mark, without which Excel takes its letters for others; `true` unless
    /// asked otherwise. Programs that read the first title strictly ask for `false`.
    #[validate(custom(function = "is::<bool>"))]
    #[param(value_type = Option<bool>)]
    pub(super) bom: Option<String>,
    /// Page of records as JSON, from 1.
    #[validate(custom(function = "is::<PageNumber>"))]
    #[param(value_type = Option<u32>, minimum = 1)]
    pub(super) page: Option<String>,
    /// Records of a page; 20 unless asked otherwise.
    #[validate(custom(function = "is::<PageSize>"))]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    pub(super) per_page: Option<String>,
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

impl Form for ReportForm {
    const REPEATED: &'static [&'static str] = &["user_id"];
}

/// What records are added up by, if they are.
#[derive(Clone, Copy)]
pub(super) struct By(pub(super) Option<ReportGrouping>);

impl By {
    pub(super) const ALL: [(&'static str, Option<ReportGrouping>); 7] = [
        ("record", None),
        ("user", Some(ReportGrouping::User)),
        ("department", Some(ReportGrouping::Department)),
        ("day", Some(ReportGrouping::Time(Interval::Day))),
        ("week", Some(ReportGrouping::Time(Interval::Week))),
        ("month", Some(ReportGrouping::Time(Interval::Month))),
        ("shift", Some(ReportGrouping::Shift)),
    ];

    pub(super) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, by)| *by == self.0).map_or("record", |(name, _)| name)
    }
}

impl Word for By {
    const CODE: &'static str = "unknown-value";

    fn read(text: &str) -> Result<Self, String> {
        one_of(text, &Self::ALL, |(name, _)| name).map(|(_, by)| Self(by))
    }
}

/// How the lines of a CSV file are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) separator: Separator,
    pub(super) bom: bool,
}

/// What separates cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Separator {
    Comma,
    Semicolon,
    Tab,
}

impl Separator {
    pub(super) const ALL: [Self; 3] = [Self::Comma, Self::Semicolon, Self::Tab];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Comma => "comma",
            Self::Semicolon => "semicolon",
            Self::Tab => "tab",
        }
    }

    pub(super) const fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
        }
    }
}

impl Word for Separator {
    const CODE: &'static str = "unknown-value";

    fn read(text: &str) -> Result<Self, String> {
        one_of(text, &Self::ALL, Self::name)
    }
}

/// What a report comes as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Csv,
    Xlsx,
}

impl Format {
    pub(super) const ALL: [Self; 3] = [Self::Json, Self::Csv, Self::Xlsx];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }

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

impl Word for Format {
    const CODE: &'static str = "unknown-value";

    fn read(text: &str) -> Result<Self, String> {
        one_of(text, &Self::ALL, Self::name)
    }
}
