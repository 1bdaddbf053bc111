//! One person's punches, taken as the system takes them: each is decided by replaying what is known together with it.
#![allow(dead_code, reason = "each test uses another part of it")]

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use rollcall_domain::attendance::{DayKey, DayRecord, Punch, PunchKind, Record, Source};
use rollcall_domain::calendar::{DateRange, Workdays, Zone};
use rollcall_domain::id::{PunchId, UserId};
use rollcall_domain::overrides::Override;
use rollcall_domain::policy::{Policy, PunchOutcome};
use rollcall_domain::replay::{AttendanceFacts, InterpretedPunch, MARGIN, derive};
use rollcall_domain::schedule::Schedule;
use rollcall_domain::shift::Shift;
use uuid::Uuid;

pub(crate) const POLICY: Policy = Policy::STANDARD;
pub(crate) const ADA: UserId = UserId::new(Uuid::from_u128(1));

/// What is known of Ada.
#[derive(Debug, Clone)]
pub(crate) struct Clockwork {
    pub(crate) schedule: Schedule,
    pub(crate) asked_from: Option<Date>,
    pub(crate) punches: Vec<Punch>,
    pub(crate) overrides: Vec<(DayKey, Override)>,
    pub(crate) approved: Vec<(DayKey, i64)>,
}

/// Somebody who works one shift.
#[track_caller]
pub(crate) fn with(shift: Shift, zone: &str) -> Clockwork {
    let zone = Zone::named(zone).expect("a zone");
    of(Schedule::simple(shift, zone))
}

/// Somebody of whom only their schedule is known.
pub(crate) fn of(schedule: Schedule) -> Clockwork {
    Clockwork { schedule, asked_from: None, punches: Vec::new(), overrides: Vec::new(), approved: Vec::new() }
}

/// The standard shift on every day of the week, at other times.
#[track_caller]
pub(crate) fn a_shift(starts: &str, ends: &str) -> Shift {
    let time = |text: &str| text.parse::<Time>().expect("a time");
    Shift { starts: time(starts), ends: time(ends), workdays: Workdays::ALL, ..Shift::standard() }
}

#[track_caller]
pub(crate) fn date(text: &str) -> Date {
    text.parse().expect("a date")
}

impl Clockwork {
    /// An instant as this person's clocks show it.
    #[track_caller]
    pub(crate) fn at(&self, local: &str) -> Timestamp {
        let local: DateTime = local.parse().expect("a local time");
        self.schedule.zones.on(local.date()).instant(local)
    }

    /// A punch that nobody has decided yet.
    #[track_caller]
    pub(crate) fn a_punch(&self, kind: PunchKind, local: &str) -> Punch {
        let id = PunchId::new(Uuid::from_u128(self.punches.len() as u128));
        Punch::new(id, ADA, kind, self.at(local), Source::FaceRecognition)
    }

    /// A punch as it happens: one that counts as nothing is not kept.
    #[track_caller]
    pub(crate) fn punch(&mut self, kind: PunchKind, local: &str) -> PunchOutcome {
        let outcome = self.keep(self.a_punch(kind, local));
        if outcome.direction().is_none() && outcome != PunchOutcome::Closed {
            self.punches.pop();
        }
        outcome
    }

    /// A face in front of a camera.
    #[track_caller]
    pub(crate) fn face(&mut self, local: &str) -> PunchOutcome {
        self.punch(PunchKind::Auto, local)
    }

    /// A punch that is kept whatever it means, like those that devices send later.
    #[track_caller]
    pub(crate) fn keep(&mut self, punch: Punch) -> PunchOutcome {
        let (id, date) = (punch.id, self.schedule.zones.at(punch.at).0);
        self.punches.push(punch);
        let (_, readings) = self.derive(DateRange::around(date));
        let reading =
            |id| readings.iter().find(|reading| reading.punch == id).expect("a reading of each punch");
        for punch in &mut self.punches {
            punch.direction = reading(punch.id).outcome.direction();
        }
        reading(id).outcome
    }

    /// What is stored of some dates: the way every punch, correction and plan change takes.
    pub(crate) fn derive(&self, dates: DateRange) -> (Vec<DayRecord>, Vec<InterpretedPunch>) {
        self.derive_with(dates, &self.punches)
    }

    /// The same from other punches.
    pub(crate) fn derive_with(
        &self,
        dates: DateRange,
        punches: &[Punch],
    ) -> (Vec<DayRecord>, Vec<InterpretedPunch>) {
        let facts = AttendanceFacts {
            user: ADA,
            schedule: &self.schedule,
            asked_from: self.asked_from,
            placements: &[],
            punches,
            overrides: &self.overrides,
            approved: &self.approved,
        };
        derive(&facts, dates, &POLICY)
    }

    /// The punches that a ledger of these dates holds.
    pub(crate) fn known_of(&self, dates: DateRange) -> Vec<Punch> {
        let dates = if self.schedule.counts_weeks() { dates.since_monday() } else { dates };
        let margin = jiff::Span::new().days(MARGIN);
        let (from, to) = (dates.from().saturating_sub(margin), dates.to().saturating_add(margin));
        let near = |punch: &&Punch| (from..=to).contains(&Zone::UTC.local(punch.at).date());
        self.punches.iter().filter(near).cloned().collect()
    }

    /// The records of one date.
    #[track_caller]
    pub(crate) fn days(&self, on: &str) -> Vec<DayRecord> {
        self.derive(DateRange::new(date(on), date(on)).expect("one date")).0
    }

    /// The only record of a date.
    #[track_caller]
    pub(crate) fn day(&self, on: &str) -> DayRecord {
        let mut days = self.days(on);
        assert_eq!(days.len(), 1, "{days:#?}");
        days.remove(0)
    }

    /// What the only record of a date comes to once it is final.
    #[track_caller]
    pub(crate) fn record(&self, on: &str) -> Record {
        self.day(on).read(Timestamp::MAX)
    }
}
