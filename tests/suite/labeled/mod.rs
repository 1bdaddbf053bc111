//! Stories on the photographs of `../shared/faces`. Where these are not, `cargo xtask test` leaves this module out and
//! says so.

mod cli_faces;
mod cli_serve;
mod hard_photos;
mod identification;
mod import;
mod journeys;
mod models;
mod privacy;
