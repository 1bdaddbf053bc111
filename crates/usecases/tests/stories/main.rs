//! Whole behavior on fakes, in microseconds.

mod attendance;
mod auth;
mod enroll;
mod guessing;
mod import;
mod people;
mod recognize;
mod statistics;
mod support;
