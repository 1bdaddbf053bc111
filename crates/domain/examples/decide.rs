//! Another service using only the policy: no database, no camera, no clock of its own.
//!
//! `cargo run -p rollcall-domain --example decide`

use rollcall_domain::Revision;
use rollcall_domain::attendance::{Day, Event, Source};
use rollcall_domain::calendar::Zone;
use rollcall_domain::classify::classify;
use rollcall_domain::id::{EventId, RecordId, UserId};
use rollcall_domain::policy::{Policy, Punch, decide};
use rollcall_domain::schedule::{Schedule, slot};
use rollcall_domain::shift::Shift;
use uuid::Uuid;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (ada, zone) = (UserId::new(Uuid::from_u128(1)), Zone::named("Europe/Berlin")?);
    let (schedule, policy) = (Schedule::simple(Shift::standard(), zone.clone()), Policy::STANDARD);
    let mut days: Vec<Day> = Vec::new();

    for time in ["08:12:00", "08:12:20", "11:30:00", "17:20:00"] {
        let at = format!("2026-03-02T{time}Z").parse()?;

        // Gather: the day to which the punch belongs, as it stands or new.
        let (key, instance) = slot(ada, &schedule, &days, at);
        let known = days.iter().position(|day| day.key == key);
        let day = known.map(|place| days.remove(place)).unwrap_or(Day {
            id: RecordId::new(Uuid::from_u128(2)),
            key,
            zone: zone.clone(),
            shift: instance,
            events: Vec::new(),
            revision: Revision::NEW,
        });

        // Decide.
        let decision = decide(&day, Punch::Auto, at, &policy);
        show(&format!("{} {decision:?}", zone.local(at).time()));

        // Commit: keep the event, if there is one.
        days.push(match decision.direction() {
            Some(direction) => day.with(Event {
                id: EventId::new(Uuid::from_u128(3)),
                user: ada,
                direction,
                at,
                received_at: at,
                source: Source::Terminal,
                device: None,
                entered_by: None,
                similarity: None,
                location: None,
                note: None,
                reason: None,
            }),
            None => day,
        });
    }
    show(&format!("{:#?}", classify(&days[0], "2026-03-02T18:00:00Z".parse()?)));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
fn show(line: &str) {
    println!("{line}");
}
