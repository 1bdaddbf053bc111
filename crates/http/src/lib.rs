//! Rollcall over HTTP: the only crate that knows requests, status codes and JSON.
//!
//! `routes` is the whole URL table. A file per noun holds request type, view type and handler, in that order.
//! `actor` finds out who is asking, before any body is read; `input` is where suspicion lives; `problem` and
//! `problem/codes.rs` decide what clients are told when something is wrong.

mod accept;
mod actor;
mod admin;
mod assignments;
mod attendance_view;
mod audit;
mod auth;
mod bulk;
mod client;
mod closed_periods;
mod compress;
mod corrections;
mod dashboard;
mod departments;
mod document;
mod enroll;
mod entry;
mod envelope;
mod erasure;
mod events;
mod face;
mod filters;
mod geofences;
mod headers;
mod health;
mod history;
mod holidays;
mod input;
mod jobs;
mod leaves;
mod limits;
mod mark;
mod naming;
mod openapi;
mod options;
mod paging;
mod people;
mod preconditions;
mod problem;
mod problems;
mod profile;
mod recognize;
mod records;
mod report;
mod routes;
mod server;
mod shifts;
mod statistics;
mod stream;
mod sync;
#[cfg(test)]
mod tests;
mod today;
mod unread;
mod update;
mod users;

pub use client::{InvalidNetwork, Network};
pub use jobs::JobWorker;
pub use limits::{Limiter, Limits, Rate};
pub use openapi::{openapi, openapi_json};
pub use options::{Api, HttpOptions, Readiness, State};
pub use server::serve;
