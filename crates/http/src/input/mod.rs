//! Where suspicion lives: bodies, queries and photos become values here, or a problem that names everything
//! that is wrong with them.

mod body;
mod change;
mod csv;
mod json;
mod known;
mod multipart;
mod patch;
mod path;
mod photos;
mod query;
mod strict;
mod words;

pub(crate) use self::change::{Change, Seen};
pub(crate) use self::csv::{Column, JsonOrCsv, Row, table};
pub(crate) use json::{Json, MaybeJson};
pub(crate) use patch::present;
pub(crate) use path::Named;
pub(crate) use photos::{PhotoForm, Text, Upload};
pub(crate) use query::{Query, from_query, of_query};
#[cfg(test)]
pub(crate) use strict::from_json;
pub(crate) use strict::{Form, Place};
pub(crate) use words::{
    AnyStatus, AnyWord, AutoOut, Decidable, Language, Line, PageNumber, PageSize, Passage, Picture, Reason,
    Word, are_weekdays, clearable, is, needed, one_of, weekdays, word,
};
