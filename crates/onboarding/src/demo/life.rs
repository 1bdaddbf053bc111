//! How people come and go.

use fastrand::Rng;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use rollcall_domain::attendance::{Punch, PunchKind, Source};
use rollcall_domain::id::PunchId;
use rollcall_domain::schedule::{Expectation, Schedule};
use rollcall_domain::shift::{Pairing, ShiftInstance};
use uuid::Uuid;

use super::cast::Person;

/// The punches of a person on one date, as far as they lie before `now`.
pub(super) fn punches(
    person: &Person,
    schedule: &Schedule,
    date: Date,
    now: Timestamp,
    rng: &mut Rng,
) -> Vec<Punch> {
    let Expectation::Work(shifts) = schedule.on(date) else { return Vec::new() };
    let mut punches = Vec::new();
    for shift in shifts {
        if rng.f64() >= person.habits.stays_away {
            let times = times(person, &shift, rng);
            punches.extend(times.into_iter().filter(|at| *at <= now).map(|at| punch(person, at, rng)));
        }
    }
    punches
}

fn times(person: &Person, shift: &ShiftInstance, rng: &mut Rng) -> Vec<Timestamp> {
    let habits = person.habits;
    let flexible = shift.shift.counting.flexible.is_some();
    let mut delay = habits.spread * normal(rng) - habits.ahead;
    if flexible {
        delay += 90.0 * rng.f64();
    }
    if rng.f64() < habits.held_up {
        delay += 12.0 + 60.0 * rng.f64();
    }
    let came = minutes(shift.start, delay.clamp(-50.0, 180.0));
    let mut stay = 3.0 + 5.0 * normal(rng).abs();
    if rng.f64() < habits.stays_on {
        stay = 15.0 + 35.0 * rng.f64();
    } else if rng.f64() < 0.03 {
        stay = -20.0 - 60.0 * rng.f64();
    }
    let end = if flexible { minutes(came, 8.75 * 60.0) } else { shift.end };
    let left = minutes(end, stay.min(55.0));
    let mut times = vec![came];
    if shift.shift.counting.pairing == Pairing::EveryPair {
        let lunch = minutes(came, 210.0 + 60.0 * rng.f64());
        times.extend([lunch, minutes(lunch, 30.0 + 20.0 * rng.f64())]);
    }
    if rng.f64() >= habits.forgets {
        times.push(left);
    }
    times
}

fn punch(person: &Person, at: Timestamp, rng: &mut Rng) -> Punch {
    let unnamed = PunchId::new(Uuid::nil());
    Punch {
        device: Some(person.door),
        similarity: Some(0.5 + 0.4 * rng.f32()),
        ..Punch::new(unnamed, person.user.id, PunchKind::Auto, at, Source::FaceRecognition)
    }
}

/// A draw of the standard normal distribution (Box and Muller, 1958).
fn normal(rng: &mut Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.f64()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.f64()).cos()
}

fn minutes(at: Timestamp, minutes: f64) -> Timestamp {
    at.saturating_add(SignedDuration::from_secs((minutes * 60.0) as i64)).unwrap_or(at)
}
