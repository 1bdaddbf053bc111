//! What a [`DatabaseProbe`](rollcall_ports::probe::DatabaseProbe) promises.

use crate::StoreBench;

/// Stamps the contract of a database probe on a [`StoreBench`](crate::StoreBench).
#[macro_export]
macro_rules! database_probe_contract {
    ($bench:expr) => {
        $crate::stamp! { $bench, probe:
            a_working_database_answers
        }
    };
}

pub async fn a_working_database_answers(bench: &dyn StoreBench) {
    let report = bench.probe().check().await.unwrap();
    assert!(!report.driver.is_empty());
    assert!(report.migration.is_none_or(|migration| !migration.is_empty()));
}
