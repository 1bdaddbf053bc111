//! Whole behavior on fakes, in microseconds.

mod attendance;
mod auth;
mod bulk;
mod corrections;
mod enroll;
mod events;
mod guessing;
mod import;
mod overrides;
mod people;
mod recognize;
mod support;
mod sync;
