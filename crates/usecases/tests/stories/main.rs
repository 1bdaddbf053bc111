//! Whole behavior on fakes, in microseconds.

mod attendance;
mod audit;
mod auth;
mod bulk;
mod corrections;
mod enroll;
mod events;
mod geofences;
mod guessing;
mod jobs;
mod laws;
mod overrides;
mod people;
mod planning;
mod recognize;
mod statistics;
mod stream;
mod support;
mod sync;
mod upkeep;
mod weekly;
