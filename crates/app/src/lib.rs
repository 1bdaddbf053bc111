//! The composition of Rollcall: settings in, a running program out. Thin on purpose: rules live in the domain,
//! behavior in the use-cases, and technology in the adapters; here they are introduced to each other.

pub mod cli;
mod commands;
mod console;
mod jobs;
pub mod server;
pub mod settings;
pub mod telemetry;
pub mod wiring;
