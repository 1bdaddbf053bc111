#![doc = include_str!("../README.md")]

pub mod bench;
pub mod builders;
pub mod contracts;
pub mod fakes;
pub mod photos;

pub use bench::StoreBench;
pub use fakes::{Fakes, fake_ports};

/// Runs one clause of a contract to its end on a runtime of its own with two threads, so that races are real.
///
/// # Panics
/// When the clause does.
pub fn run(clause: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(clause);
}
