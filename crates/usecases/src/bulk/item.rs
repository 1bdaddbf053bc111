//! One item of many: what it means for one person's day.

use jiff::Timestamp;
use jiff::civil::Date;
use rollcall_domain::attendance::{DayKey, DayRecord, Direction, Punch, PunchKind, Source};
use rollcall_domain::batch::Operation;
use rollcall_domain::calendar::Zone;
use rollcall_domain::id::PunchId;
use rollcall_domain::overrides::InvalidOverride;
use rollcall_domain::schedule::Expectation;
use rollcall_domain::shift::ShiftInstance;
use rollcall_ports::attendance::OvertimeApproval;

use super::{BulkItem, ItemProblem, Job, Moment, OnConflict, Outcome};
use crate::attendance::{AttendanceError, MAX_AHEAD};
use crate::bulk::BulkEntry;
use crate::overrides::OverrideRequest;
use crate::time::rounded;
use crate::timesheet::derive::TimesheetChange;
use crate::timesheet::sheet::Timesheet;

/// Whether approved leave says already what becomes of a day.
fn is_leave(timesheet: &Timesheet, key: DayKey) -> bool {
    timesheet.ledger.leaves.iter().any(|leave| leave.on(key.date).is_some())
}

/// When a person came and left by what was entered for a day, decided or punched.
struct Known {
    came: Option<Timestamp>,
    left: Option<Timestamp>,
}

impl BulkEntry {
    /// The day that an item is about: the named shift, else the first of the date. What is taken back or
    /// approved may also be outside of any shift, and who came before 04:00 of a date without a shift came on
    /// the date before.
    pub(super) fn day_meant(&self, timesheet: &Timesheet, job: &Job<'_>, item: &BulkItem) -> Option<DayKey> {
        let first = timesheet.day_on(item.date)?;
        if let Some(shift) = item.shift {
            let key = DayKey { shift: Some(shift), ..first };
            let planned = match timesheet.schedule().on(item.date) {
                Expectation::Work(shifts) | Expectation::Leave(shifts) => {
                    shifts.iter().any(|instance| instance.shift.id == shift)
                }
                Expectation::Holiday | Expectation::Off | Expectation::NotEmployed => false,
            };
            return (planned || timesheet.version(key).is_some()).then_some(key);
        }
        if job.request.operation == Operation::Mark && first.shift.is_none() {
            return Some(self.day_before(timesheet, job, first, item).unwrap_or(first));
        }
        let outside = DayKey { shift: None, ..first };
        let there = |key: DayKey| {
            let record = timesheet.read(key, &self.rules.policy);
            record.is_some_and(|record| record.day.punches.iter().any(|punch| punch.voided.is_none()))
        };
        let may_be_outside = matches!(job.request.operation, Operation::Void | Operation::ApproveOvertime);
        Some(if may_be_outside && !there(first) && there(outside) { outside } else { first })
    }

    /// The date before that of an item without a shift, if it is there that the person came.
    fn day_before(
        &self,
        timesheet: &Timesheet,
        job: &Job<'_>,
        key: DayKey,
        item: &BulkItem,
    ) -> Option<DayKey> {
        let schedule = timesheet.schedule();
        let at = item.check_in?.on(item.date, schedule.zones.on(item.date), None, None);
        let punch = self.written_down(job, key, item, PunchKind::CheckIn, at);
        let (id, mut trial) = (punch.id, timesheet.clone());
        trial.add(punch);
        let day = trial.day_of(id, &self.rules.policy)?;
        if day.shift.is_some() || Some(day.date) != key.date.yesterday().ok() {
            return None;
        }
        // It must not become hours of a day that has its own, nor take an arrival of the evening before.
        let known = known(timesheet, day, timesheet.read(day, &self.rules.policy).as_ref());
        let free = known.came.is_none() && known.left.is_none() && timesheet.override_(day).is_none();
        let of_the_date = schedule.zones.on(item.date).local(at).date() == item.date;
        (of_the_date && (free || known.came == Some(at))).then_some(day)
    }

    /// The timesheet with an item, and what came of it.
    pub(super) fn enter_item(
        &self,
        job: &Job<'_>,
        timesheet: &Timesheet,
        key: DayKey,
        item: &BulkItem,
    ) -> Result<(Timesheet, Outcome), ItemProblem> {
        self.overrides.check_date(key.date, job.now)?;
        if timesheet.is_closed(key.date) {
            return Err(AttendanceError::PeriodClosed.into());
        }
        if item.if_version.is_some_and(|seen| timesheet.version(key) != Some(seen)) {
            return Err(AttendanceError::Outdated.into());
        }
        let mut timesheet = timesheet.clone();
        let outcome = match job.request.operation {
            Operation::Mark => self.enter_punches(job, &mut timesheet, key, item),
            Operation::SetStatus => self.enter_status(job, &mut timesheet, key, item),
            Operation::Void => self.take_back(job, &mut timesheet, key, item),
            Operation::ApproveOvertime => self.approve_overtime(job, &mut timesheet, key, item),
            Operation::Recompute => nothing_but_the_day(item).map(|()| {
                timesheet.look_at(key);
                Outcome::Unchanged
            }),
        }?;
        Ok((timesheet, outcome))
    }

    fn enter_punches(
        &self,
        job: &Job<'_>,
        timesheet: &mut Timesheet,
        key: DayKey,
        item: &BulkItem,
    ) -> Result<Outcome, ItemProblem> {
        if item.check_in.is_none() && item.check_out.is_none() {
            return Err(ItemProblem::Required("check_in"));
        }
        let record = timesheet.read(key, &self.rules.policy);
        let known = known(timesheet, key, record.as_ref());
        let (came, left) = times(job, timesheet, item, record.as_ref(), known.came)?;
        let override_ = timesheet.override_(key).cloned();
        let status = override_.as_ref().and_then(|override_| override_.status);
        let same = came.is_none_or(|at| known.came == Some(at))
            && left.is_none_or(|at| known.left == Some(at))
            && item.status.is_none_or(|wanted| status == Some(wanted));
        if same {
            return Ok(Outcome::Unchanged);
        }
        let contradicts = |asked: Option<Timestamp>, known: Option<Timestamp>| {
            asked.zip(known).is_some_and(|(a, b)| a != b)
        };
        let conflict = override_.is_some()
            || item.status.is_some() && is_leave(timesheet, key)
            || contradicts(came, known.came)
            || contradicts(left, known.left);
        if conflict {
            return match job.request.on_conflict {
                OnConflict::Error => Err(ItemProblem::Conflict),
                OnConflict::Skip => Ok(Outcome::Skipped),
                OnConflict::Overwrite => {
                    let request = OverrideRequest {
                        // Hours that are entered anew replace what was decided of the day without them.
                        status: item.status,
                        first_in: came.or_else(|| override_.as_ref()?.first_in),
                        last_out: left.or_else(|| override_.as_ref()?.last_out),
                        overtime_seconds: override_.as_ref().and_then(|override_| override_.overtime_seconds),
                        note: item.note.clone(),
                        reason: job.batch.reason.clone(),
                    };
                    self.overrides.decide(timesheet, key, &request, job.actor, Some(job.batch.id))?;
                    Ok(Outcome::Updated)
                }
            };
        }
        let mut added = Vec::new();
        for (asked, known, kind) in
            [(came, known.came, PunchKind::CheckIn), (left, known.left, PunchKind::CheckOut)]
        {
            if let Some(at) = asked.filter(|_| known.is_none()) {
                let punch = self.written_down(job, key, item, kind, at);
                timesheet.add(punch.clone());
                added.push(punch);
            }
        }
        let derived = timesheet.clone().derive(&self.rules.policy);
        for punch in &added {
            check_reading(&derived, key, punch)?;
        }
        if item.status.is_some() {
            let request = OverrideRequest {
                status: item.status,
                note: item.note.clone(),
                reason: job.batch.reason.clone(),
                ..OverrideRequest::default()
            };
            self.overrides.decide(timesheet, key, &request, job.actor, Some(job.batch.id))?;
        }
        let nothing_before = known.came.is_none() && known.left.is_none();
        Ok(if nothing_before { Outcome::Created } else { Outcome::Updated })
    }

    fn written_down(
        &self,
        job: &Job<'_>,
        key: DayKey,
        item: &BulkItem,
        kind: PunchKind,
        at: Timestamp,
    ) -> Punch {
        Punch {
            received_at: job.batch.at,
            entered_by: job.actor.user(),
            note: item.note.clone(),
            reason: Some(job.batch.reason.clone()),
            batch: Some(job.batch.id),
            ..Punch::new(PunchId::new(self.ids.next()), key.user, kind, at, Source::Manual)
        }
    }

    fn enter_status(
        &self,
        job: &Job<'_>,
        timesheet: &mut Timesheet,
        key: DayKey,
        item: &BulkItem,
    ) -> Result<Outcome, ItemProblem> {
        let Some(status) = item.status else { return Err(ItemProblem::Required("status")) };
        let record = timesheet.read(key, &self.rules.policy);
        let (first_in, last_out) = times(job, timesheet, item, record.as_ref(), None)?;
        let request = OverrideRequest {
            status: Some(status),
            first_in,
            last_out,
            overtime_seconds: None,
            note: item.note.clone(),
            reason: job.batch.reason.clone(),
        };
        let outcome = match timesheet.override_(key) {
            None if !is_leave(timesheet, key) => Outcome::Created,
            Some(known)
                if (known.status, known.first_in, known.last_out) == (Some(status), first_in, last_out)
                    && known.note == item.note =>
            {
                return Ok(Outcome::Unchanged);
            }
            known => match job.request.on_conflict {
                OnConflict::Error => return Err(ItemProblem::Conflict),
                OnConflict::Skip => return Ok(Outcome::Skipped),
                OnConflict::Overwrite if known.is_none() => Outcome::Created,
                OnConflict::Overwrite => Outcome::Updated,
            },
        };
        self.overrides.decide(timesheet, key, &request, job.actor, Some(job.batch.id))?;
        Ok(outcome)
    }

    fn take_back(
        &self,
        job: &Job<'_>,
        timesheet: &mut Timesheet,
        key: DayKey,
        item: &BulkItem,
    ) -> Result<Outcome, ItemProblem> {
        nothing_but_the_day(item)?;
        let record = timesheet.read(key, &self.rules.policy);
        let punches = record.into_iter().flat_map(|record| record.day.punches);
        let there = punches.filter(|punch| punch.voided.is_none() && punch.kind != PunchKind::Close);
        let ids: Vec<PunchId> = there.map(|punch| punch.id).collect();
        timesheet.void_with(job.batch.id);
        for id in &ids {
            let back = rollcall_domain::attendance::SignOff {
                by: job.batch.by,
                at: job.batch.at,
                reason: job.batch.reason.clone(),
            };
            timesheet.void(*id, back);
        }
        Ok(if ids.is_empty() { Outcome::Unchanged } else { Outcome::Updated })
    }

    fn approve_overtime(
        &self,
        job: &Job<'_>,
        timesheet: &mut Timesheet,
        key: DayKey,
        item: &BulkItem,
    ) -> Result<Outcome, ItemProblem> {
        nothing_but_the_day(item)?;
        let record = timesheet.read(key, &self.rules.policy).ok_or(AttendanceError::NoRecord)?;
        let seconds = record.read(job.now).overtime_seconds;
        if seconds == 0 {
            return Err(ItemProblem::NoOvertime);
        }
        if record.approved_seconds >= seconds {
            return Ok(Outcome::Unchanged);
        }
        timesheet.approve(OvertimeApproval {
            key,
            seconds,
            reason: job.batch.reason.clone(),
            by: job.batch.by,
            at: job.batch.at,
            batch: Some(job.batch.id),
        });
        Ok(Outcome::Updated)
    }
}

/// A punch counts as what was written down, on the day for which it was, or not at all.
fn check_reading(derived: &TimesheetChange, key: DayKey, punch: &Punch) -> Result<(), ItemProblem> {
    let Some(reading) = derived.reading(punch.id) else { return Err(ItemProblem::Conflict) };
    let field = if punch.kind == PunchKind::CheckIn { "check_in" } else { "check_out" };
    match (reading.outcome.direction(), punch.kind) {
        (Some(Direction::CheckIn), PunchKind::CheckIn) | (Some(Direction::CheckOut), PunchKind::CheckOut) => {
            let own = reading.key == key;
            if own { Ok(()) } else { Err(AttendanceError::Elsewhere(field, reading.key).into()) }
        }
        (None, PunchKind::CheckOut) => {
            Err(AttendanceError::NoOpenSession(derived.before(punch.id, punch.at)).into())
        }
        _ => Err(ItemProblem::Conflict),
    }
}

/// What was decided, else what was punched; nothing is made up for a forgotten check-out.
fn known(timesheet: &Timesheet, key: DayKey, record: Option<&DayRecord>) -> Known {
    let override_ = timesheet.override_(key);
    let counting =
        || record.into_iter().flat_map(|record| &record.day.punches).filter(|punch| punch.counts());
    let going = |direction| counting().filter(move |punch| punch.direction == Some(direction));
    let came = going(Direction::CheckIn).map(|punch| punch.at).min();
    let left = going(Direction::CheckOut).map(|punch| punch.at).max();
    Known {
        came: override_.and_then(|override_| override_.first_in).or(came),
        left: override_.and_then(|override_| override_.last_out).or(left),
    }
}

/// When the person came and left by what the item says.
fn times(
    job: &Job<'_>,
    timesheet: &Timesheet,
    item: &BulkItem,
    record: Option<&DayRecord>,
    known_arrival: Option<Timestamp>,
) -> Result<(Option<Timestamp>, Option<Timestamp>), ItemProblem> {
    let zone: &Zone = record.map_or_else(|| timesheet.zone(), |record| &record.day.zone);
    let window = record.and_then(|record| record.day.shift.as_ref());
    let came = item.check_in.map(|moment| moment.on(item.date, zone, window, None));
    let left = item.check_out.map(|moment| moment.on(item.date, zone, window, came.or(known_arrival)));
    if came.or(known_arrival).zip(left).is_some_and(|(came, left)| left < came) {
        return Err(AttendanceError::Unfit(InvalidOverride::Reversed).into());
    }
    let future = |at: Timestamp| at.duration_since(job.now) > MAX_AHEAD;
    if came.is_some_and(future) || left.is_some_and(future) {
        return Err(AttendanceError::FutureTime.into());
    }
    Ok((came, left))
}

fn nothing_but_the_day(item: &BulkItem) -> Result<(), ItemProblem> {
    let members = [
        ("status", item.status.is_some()),
        ("check_in", item.check_in.is_some()),
        ("check_out", item.check_out.is_some()),
        ("note", item.note.is_some()),
    ];
    match members.into_iter().find(|(_, asked_for)| *asked_for) {
        Some((member, _)) => Err(ItemProblem::Misplaced(member)),
        None => Ok(()),
    }
}

impl Moment {
    /// The instant on a date: after midnight if it would otherwise be outside of the window, or before the arrival.
    fn on(
        self,
        date: Date,
        zone: &Zone,
        window: Option<&ShiftInstance>,
        arrival: Option<Timestamp>,
    ) -> Timestamp {
        let time = match self {
            Self::At(at) => return rounded(at),
            Self::Local(time) => time,
        };
        let on = |date: Date| rounded(zone.instant(date.to_datetime(time)));
        let (same, next) = (on(date), on(date.tomorrow().unwrap_or(date)));
        let fits = |at: Timestamp| window.is_some_and(|window| window.takes(at));
        let late = arrival.is_some_and(|came| same < came) || (!fits(same) && fits(next));
        if late { next } else { same }
    }
}
