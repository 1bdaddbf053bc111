//! Whole behavior on fakes, in microseconds.

mod attendance;
mod auth;
mod enroll;
mod import;
mod people;
mod recognize;
mod support;
