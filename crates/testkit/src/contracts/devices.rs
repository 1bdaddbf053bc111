//! What a [`DeviceStore`](rollcall_ports::devices::DeviceStore) promises.

use rollcall_domain::device::Device;
use rollcall_domain::id::DeviceId;

use super::assert_matches;
use crate::StoreBench;
use crate::builders::*;

/// Stamps the contract of a device store on a [`StoreBench`](crate::StoreBench).
#[macro_export]
macro_rules! device_store_contract {
    ($bench:expr) => {
        $crate::stamp! { $bench, devices:
            every_field_of_a_device_comes_back
            devices_are_listed_by_name
            a_revoked_device_stays_and_keeps_the_first_time
            unknown_device_is_not_revoked
        }
    };
}

pub async fn every_field_of_a_device_comes_back(bench: &dyn StoreBench) {
    let created_at = at("2026-01-03T08:00:00.000001Z");
    for device in [a_device("Door"), Device { may_enroll: true, created_at, ..a_device("Büro 😀") }] {
        bench.devices().insert(&device).await.unwrap();
        assert_eq!(bench.devices().get(device.id).await.unwrap(), Some(device));
    }
    assert_matches!(bench.devices().get(DeviceId::new(fresh())).await, Ok(None));
}

pub async fn devices_are_listed_by_name(bench: &dyn StoreBench) {
    let tag = a_tag();
    for name in ["c", "a", "b"] {
        bench.devices().insert(&a_device(&format!("{tag} {name}"))).await.unwrap();
    }
    let listed = bench.devices().list().await.unwrap();
    let own: Vec<_> = listed.iter().filter_map(|device| device.name.strip_prefix(&tag)).collect();
    assert_eq!(own, [" a", " b", " c"]);
}

pub async fn a_revoked_device_stays_and_keeps_the_first_time(bench: &dyn StoreBench) {
    let (device, other) = (a_device("Door"), a_device("Gate"));
    bench.devices().insert(&device).await.unwrap();
    bench.devices().insert(&other).await.unwrap();
    let first = at("2026-03-02T08:00:00.000001Z");
    assert!(bench.devices().revoke(device.id, first).await.unwrap());
    assert!(bench.devices().revoke(device.id, at("2026-03-03T08:00:00Z")).await.unwrap());
    let revoked = Device { revoked_at: Some(first), ..device };
    assert_eq!(bench.devices().get(revoked.id).await.unwrap().as_ref(), Some(&revoked));
    assert!(bench.devices().list().await.unwrap().contains(&revoked));
    assert_eq!(bench.devices().get(other.id).await.unwrap(), Some(other));
}

pub async fn unknown_device_is_not_revoked(bench: &dyn StoreBench) {
    let there = bench.devices().revoke(DeviceId::new(fresh()), at("2026-03-02T08:00:00Z")).await.unwrap();
    assert!(!there);
}
