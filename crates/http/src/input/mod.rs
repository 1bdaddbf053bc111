//! Where suspicion lives: bodies, queries and photos become values here, or a problem that names everything
//! that is wrong with them.

mod body;
mod change;
mod csv;
mod field;
mod json;
mod known;
mod multipart;
mod parse;
mod patch;
mod path;
mod photos;
mod query;
mod strict;

pub(crate) use self::change::{Change, Seen};
pub(crate) use self::csv::{Column, JsonOrCsv, Row, table};
pub(crate) use field::{Checked, Clearable, Optional, Required, form};
pub(crate) use json::{Json, MaybeJson};
pub(crate) use parse::{
    AnyStatus, AnyWord, AutoOut, Decidable, Language, Line, PageNumber, PageSize, Parse, Passage, Picture,
    Reason, are_weekdays, choices, one_of, only_word, weekdays,
};
pub(crate) use patch::present;
pub(crate) use path::PathId;
pub(crate) use photos::{PhotoForm, Text, Upload};
pub(crate) use query::{Query, from_query, of_query};
#[cfg(test)]
pub(crate) use strict::from_json;
pub(crate) use strict::{Form, Place};
