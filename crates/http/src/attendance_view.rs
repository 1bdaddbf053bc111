//! Punches and days as clients see them.

use jiff::civil::Date;
use jiff::{Timestamp, Unit};
use rollcall_domain::attendance::{DayStatus, Direction, Flag, InvalidLocation, Location, Punch};
use rollcall_domain::calendar::Zone;
use rollcall_domain::overrides::Override;
use rollcall_domain::policy::PunchOutcome;
use rollcall_domain::shift::ShiftInstance;
use rollcall_usecases::attendance::DayView;
use rollcall_usecases::attendance::SeenPunch;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::profile::day;

/// A place on earth.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, Validate, ToSchema)]
#[schema(as = Location)]
#[validate(schema(function = "on_earth"))]
pub(crate) struct LocationForm {
    /// Degrees north, -90 to 90.
    lat: f64,
    /// Degrees east, -180 to 180.
    lng: f64,
    /// Radius within which it is true, in meters.
    #[serde(default)]
    accuracy_m: Option<f64>,
}

fn on_earth(form: &LocationForm) -> Result<(), ValidationError> {
    let invalid =
        |error: InvalidLocation| ValidationError::new("out-of-range").with_message(error.to_string().into());
    Location::new(form.lat, form.lng, form.accuracy_m).map(drop).map_err(invalid)
}

impl LocationForm {
    /// The place, which was validated.
    pub(crate) fn place(self) -> Option<Location> {
        Location::new(self.lat, self.lng, self.accuracy_m).ok()
    }
}

/// One accepted punch.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
pub(crate) struct EventView {
    id: String,
    user_id: String,
    /// `check_in` or `check_out`: what it counts as by now; `null` if it counts as nothing.
    #[serde(rename = "type")]
    kind: Option<&'static str>,
    /// What was asked for: `auto`, `check_in`, `check_out`, or `close` when the system ended a session.
    asked: &'static str,
    #[schema(format = DateTime)]
    at: String,
    #[schema(format = DateTime)]
    received_at: String,
    /// The local date of the record it belongs to.
    #[schema(format = Date)]
    date: String,
    timezone: String,
    /// `face_recognition`, `manual`, `api`, `terminal`, `offline`, `import` or `system`.
    source: &'static str,
    device_id: Option<String>,
    /// Who entered it, if it was not the person.
    entered_by: Option<String>,
    location: Option<LocationForm>,
    similarity: Option<f64>,
    distance: Option<f64>,
    liveness: Option<f64>,
    note: Option<String>,
    reason: Option<String>,
    /// Entered although it does not fit what came before.
    forced: bool,
    /// The entries it was made with.
    batch_id: Option<String>,
    /// Taken back; it counts as nothing.
    voided: bool,
    /// Why it was taken back.
    void_reason: Option<String>,
    /// Somebody should look at it; until then it counts as nothing.
    needs_review: bool,
    /// Why it counts although somebody should have looked at it.
    accept_reason: Option<String>,
    prev_hash: Option<String>,
    hash: Option<String>,
}

impl EventView {
    /// A punch of `of`.
    pub(crate) fn new(event: &Punch, of: &DayView) -> Self {
        Self::dated(event, of.key.date, &of.zone)
    }

    /// A punch and its record's date.
    pub(crate) fn seen(of: &SeenPunch) -> Self {
        Self::dated(&of.punch, of.date, &of.zone)
    }

    fn dated(event: &Punch, date: Date, zone: &Zone) -> Self {
        let location =
            event.location.map(|Location { lat, lng, accuracy_m }| LocationForm { lat, lng, accuracy_m });
        Self {
            id: event.id.to_string(),
            user_id: event.user.to_string(),
            kind: event.direction.map(Direction::name),
            asked: event.kind.name(),
            at: local(zone, event.at),
            received_at: local(zone, event.received_at),
            date: day(date),
            timezone: zone.name().to_owned(),
            source: event.source.name(),
            device_id: event.device.map(|id| id.to_string()),
            entered_by: event.entered_by.map(|id| id.to_string()),
            location,
            similarity: event.similarity.map(ratio),
            distance: event.similarity.map(|similarity| ratio(1.0 - similarity)),
            liveness: None,
            note: event.note.clone(),
            reason: event.reason.clone(),
            forced: event.forced,
            batch_id: event.batch.map(|id| id.to_string()),
            voided: event.voided.is_some(),
            void_reason: event.voided.as_ref().map(|voided| voided.reason.clone()),
            needs_review: event.needs_review,
            accept_reason: event.accepted.as_ref().map(|accepted| accepted.reason.clone()),
            prev_hash: None,
            hash: None,
        }
    }
}

/// A day and what it comes to.
#[derive(Serialize, ToSchema)]
#[schema(as = Record)]
pub(crate) struct RecordView {
    id: String,
    user_id: String,
    #[schema(format = Date)]
    date: String,
    timezone: String,
    shift: Option<ShiftView>,
    /// `pending`, `present`, `late`, `half_day`, `absent`, `on_leave`, `holiday`, `day_off` or `off_day_worked`.
    status: &'static str,
    /// Of `late`, `early_exit`, `missing_check_out`, `insufficient_hours`, `auto_closed`, `worked_on_leave`,
    /// `needs_review`, `override_differs`.
    flags: Vec<&'static str>,
    #[schema(format = DateTime)]
    first_in: Option<String>,
    #[schema(format = DateTime)]
    last_out: Option<String>,
    /// Time worked; `null` while nothing of it is known. Of a day whose last session has no end, the time
    /// that is known.
    worked_seconds: Option<i64>,
    break_seconds: i64,
    /// What the shift asks for: its length without the unpaid break, or the hours expected of the day.
    scheduled_seconds: i64,
    late_seconds: i64,
    early_exit_seconds: i64,
    overtime_seconds: i64,
    /// Whether there is overtime, and all of it is approved.
    overtime_approved: bool,
    /// How much of the overtime is approved.
    overtime_approved_seconds: i64,
    /// How much of the overtime nobody has approved yet.
    overtime_pending_seconds: i64,
    /// How the first punch came about.
    source: Option<&'static str>,
    /// Similarity of the first punch, if a camera made it.
    confidence: Option<f64>,
    /// `pending` while somebody should look at it, else `verified`.
    verification_status: &'static str,
    /// What somebody decided instead of what the punches say.
    #[serde(rename = "override")]
    overridden: Option<OverrideView>,
    /// Came, has not left, and still can.
    open: bool,
    version: u32,
    /// Only where they are included.
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<Vec<EventView>>,
}

/// What was decided of a day.
#[derive(Serialize, ToSchema)]
#[schema(as = Override)]
pub(crate) struct OverrideView {
    fields: OverriddenView,
    reason: String,
    by: Option<String>,
    #[schema(format = DateTime)]
    at: String,
    /// The status before.
    before: &'static str,
    batch_id: Option<String>,
}

/// What an override sets; `null` is left to the punches.
#[derive(Serialize, ToSchema)]
#[schema(as = Overridden)]
struct OverriddenView {
    status: Option<&'static str>,
    #[schema(format = DateTime)]
    first_in: Option<String>,
    #[schema(format = DateTime)]
    last_out: Option<String>,
    overtime_seconds: Option<i64>,
    note: Option<String>,
}

impl OverrideView {
    pub(crate) fn new(of: &Override, zone: &Zone) -> Self {
        Self {
            fields: OverriddenView {
                status: of.status.map(DayStatus::name),
                first_in: of.first_in.map(|at| local(zone, at)),
                last_out: of.last_out.map(|at| local(zone, at)),
                overtime_seconds: of.overtime_seconds,
                note: of.note.clone(),
            },
            reason: of.reason.clone(),
            by: of.by.map(|id| id.to_string()),
            at: local(zone, of.at),
            before: of.before.name(),
            batch_id: of.batch.map(|id| id.to_string()),
        }
    }
}

/// A shift on a date.
#[derive(Serialize, ToSchema)]
#[schema(as = ShiftOnDate)]
pub(crate) struct ShiftView {
    id: String,
    name: String,
    #[schema(format = DateTime)]
    starts_at: String,
    #[schema(format = DateTime)]
    ends_at: String,
}

impl RecordView {
    /// A day, with its punches if they are wanted.
    pub(crate) fn new(of: &DayView, with_punches: bool) -> Self {
        let record = &of.record;
        let at = |instant: Timestamp| local(&of.zone, instant);
        Self {
            id: of.id.to_string(),
            user_id: of.key.user.to_string(),
            date: day(of.key.date),
            timezone: of.zone.name().to_owned(),
            shift: of.shift.as_ref().map(|shift| ShiftView::new(shift, &of.zone)),
            status: record.status.name(),
            flags: record.flags.iter().map(|flag| flag.name()).collect(),
            first_in: record.first_in.map(at),
            last_out: record.last_out.map(at),
            worked_seconds: record.worked_seconds,
            break_seconds: record.break_seconds,
            scheduled_seconds: record.scheduled_seconds,
            late_seconds: record.late_seconds,
            early_exit_seconds: record.early_exit_seconds,
            overtime_seconds: record.overtime_seconds,
            overtime_approved: of.is_approved(),
            overtime_approved_seconds: of.approved_seconds,
            overtime_pending_seconds: record.overtime_seconds - of.approved_seconds,
            source: of.source.map(rollcall_domain::attendance::Source::name),
            confidence: of.similarity.map(ratio),
            verification_status: if record.flags.contains(&Flag::NeedsReview) {
                "pending"
            } else {
                "verified"
            },
            overridden: of.overridden.as_ref().map(|override_| OverrideView::new(override_, &of.zone)),
            open: record.open,
            version: of.revision.0,
            events: with_punches.then(|| of.punches.iter().map(|event| EventView::new(event, of)).collect()),
        }
    }
}

impl ShiftView {
    fn new(instance: &ShiftInstance, zone: &Zone) -> Self {
        Self {
            id: instance.shift.id.to_string(),
            name: instance.shift.name.clone(),
            starts_at: local(zone, instance.start),
            ends_at: local(zone, instance.end),
        }
    }
}

/// The word for what a punch means.
pub(crate) const fn decision(outcome: PunchOutcome) -> &'static str {
    match outcome {
        PunchOutcome::CheckedIn => "checked_in",
        PunchOutcome::CheckedOut => "checked_out",
        PunchOutcome::Cooldown(_) => "cooldown",
        PunchOutcome::MinSession(_) => "min_session",
        PunchOutcome::NoOpenSession
        | PunchOutcome::AlreadyCheckedIn
        | PunchOutcome::Closed
        | PunchOutcome::Ignored => "none",
    }
}

/// The same for the person in front of the camera.
pub(crate) const fn message(outcome: PunchOutcome) -> &'static str {
    match outcome {
        PunchOutcome::CheckedIn => "Welcome.",
        PunchOutcome::CheckedOut => "Goodbye.",
        PunchOutcome::Cooldown(_) => "You were seen a moment ago; nothing was recorded.",
        PunchOutcome::MinSession(_) => "You have only just come; nothing was recorded.",
        PunchOutcome::NoOpenSession => {
            "You are not checked in, so you cannot check out; nothing was recorded."
        }
        PunchOutcome::AlreadyCheckedIn => "You are already checked in; nothing was recorded.",
        PunchOutcome::Closed | PunchOutcome::Ignored => "Nothing was recorded.",
    }
}

/// From when on a punch would be recorded again.
pub(crate) const fn next_allowed(outcome: PunchOutcome) -> Option<Timestamp> {
    match outcome {
        PunchOutcome::Cooldown(at) | PunchOutcome::MinSession(at) => Some(at),
        PunchOutcome::CheckedIn
        | PunchOutcome::CheckedOut
        | PunchOutcome::NoOpenSession
        | PunchOutcome::AlreadyCheckedIn
        | PunchOutcome::Closed
        | PunchOutcome::Ignored => None,
    }
}

/// An instant as clocks of `zone` show it, with its offset, to the microsecond at most.
pub(crate) fn local(zone: &Zone, at: Timestamp) -> String {
    let shown = zone.local(at.round(Unit::Microsecond).unwrap_or(at));
    shown.strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string()
}

/// Four digits: more is noise.
pub(crate) fn ratio(number: f32) -> f64 {
    (f64::from(number) * 1e4).round() / 1e4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_with_the_offset_of_the_place() {
        let zone = Zone::named("Europe/Berlin").unwrap();
        let at = |text: &str| local(&zone, text.parse().unwrap());
        assert_eq!(at("2026-03-02T08:00:00Z"), "2026-03-02T09:00:00+01:00");
        assert_eq!(at("2026-07-02T08:00:00.1234567Z"), "2026-07-02T10:00:00.123457+02:00");
        assert_eq!(
            local(&Zone::UTC, "2026-03-02T08:00:00.5Z".parse().unwrap()),
            "2026-03-02T08:00:00.5+00:00"
        );
    }
}
