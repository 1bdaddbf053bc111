//! What a [`ShiftStore`](rollcall_ports::shifts::ShiftStore) promises.

use rollcall_domain::shift::Shift;

use crate::StoreBench;

/// Stamps the contract of a shift store on a [`StoreBench`](crate::StoreBench).
#[macro_export]
macro_rules! shift_store_contract {
    ($bench:expr) => {
        $crate::stamp! { $bench, shifts:
            a_stored_shift_never_changes
        }
    };
}

pub async fn a_stored_shift_never_changes(bench: &dyn StoreBench) {
    let first = bench.shifts().default_or(&Shift::standard()).await.unwrap();
    let other = Shift { name: "Other".into(), grace: jiff::SignedDuration::ZERO, ..Shift::standard() };
    assert_eq!(bench.shifts().default_or(&other).await.unwrap(), first);
}
