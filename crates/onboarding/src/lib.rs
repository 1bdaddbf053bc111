//! How an installation comes by its first people: brought in from the system that came before, or made up for a demonstration.
//! Both write whole histories at once, through the same timesheets as everyday punches.

pub mod demo;
pub mod import;
