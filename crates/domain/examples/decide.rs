//! Another service using only the policy: no database, no camera, no clock of its own.
//!
//! `cargo run -p rollcall-domain --example decide`

use jiff::Timestamp;
use rollcall_domain::attendance::{Punch, PunchKind, Source};
use rollcall_domain::calendar::{DateRange, Zone};
use rollcall_domain::id::{PunchId, UserId};
use rollcall_domain::policy::Policy;
use rollcall_domain::replay::{AttendanceFacts, derive};
use rollcall_domain::schedule::Schedule;
use rollcall_domain::shift::Shift;
use uuid::Uuid;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (ada, zone) = (UserId::new(Uuid::from_u128(1)), Zone::named("Europe/Berlin")?);
    let (schedule, policy) = (Schedule::simple(Shift::standard(), zone.clone()), Policy::STANDARD);
    let monday = "2026-03-02".parse()?;
    let dates = DateRange::new(monday, monday)?;
    let mut punches: Vec<Punch> = Vec::new();

    for time in ["08:12:00", "08:12:20", "11:30:00", "17:20:00"] {
        let at: Timestamp = format!("2026-03-02T{time}Z").parse()?;

        // Gather: everything that is known of the person, and what is new.
        let id = PunchId::new(Uuid::from_u128(punches.len() as u128));
        punches.push(Punch::new(id, ada, PunchKind::Auto, at, Source::Terminal));
        let facts = AttendanceFacts {
            user: ada,
            schedule: &schedule,
            asked_from: None,
            placements: &[],
            punches: &punches,
            overrides: &[],
            approved: &[],
        };

        // Decide: what the punch means follows from all of them.
        let (records, readings) = derive(&facts, dates, &policy);
        let Some(new) = readings.iter().find(|reading| reading.punch == id) else { continue };
        show(&format!("{} {:?}", zone.local(at).time(), new.outcome));

        // Commit: a service would store the punch and the records that differ.
        if let Some(record) = records.iter().find(|record| record.day.key == new.key) {
            show(&format!("  {:?}", record.read(at).status));
        }
        if new.outcome.direction().is_none() {
            punches.pop();
        }
    }

    let facts = AttendanceFacts {
        user: ada,
        schedule: &schedule,
        asked_from: None,
        placements: &[],
        punches: &punches,
        overrides: &[],
        approved: &[],
    };
    let (records, _) = derive(&facts, dates, &policy);
    show(&format!("{:#?}", records[0].read("2026-03-02T19:00:00Z".parse()?)));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
fn show(line: &str) {
    println!("{line}");
}
