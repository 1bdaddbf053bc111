//! Whole behavior on fakes, in microseconds.

mod attendance;
mod auth;
mod enroll;
mod guessing;
mod import;
mod people;
mod planning;
mod recognize;
mod statistics;
mod support;
