//! What something was like, as the audit trail keeps it.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::attendance::{DayRecord, DayStatus, Flag};
use crate::batch::Batch;
use crate::calendar::{Half, weekday_name};
use crate::closed_period::ClosedPeriod;
use crate::correction::Correction;
use crate::holiday::{CalendarEntry, FreeDays};
use crate::leave::LeaveRequest;
use crate::plan::{AssignmentTarget, ShiftAssignment};
use crate::shift::Shift;

/// What something was like: its members that matter, by name. There is one way in for each kind of thing, so that
/// nobody's name, words or face ever gets here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct State(BTreeMap<&'static str, Value>);

/// One member of a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// There is none.
    Nothing,
    /// Yes or no.
    Flag(bool),
    /// A count, or seconds.
    Number(i64),
    /// A word, a date, an instant, an identifier.
    Word(String),
    /// Several words.
    Words(Vec<String>),
}

/// Every name there is.
const NAMES: [&str; 53] = [
    "absent_below_seconds",
    "approvals",
    "auto_out",
    "break_after_seconds",
    "break_seconds",
    "closes_after_seconds",
    "date",
    "decisions",
    "department_id",
    "early_arrival",
    "early_exit_seconds",
    "early_grace_seconds",
    "ends",
    "events",
    "first_in",
    "flags",
    "flexible_seconds",
    "from",
    "grace_seconds",
    "half",
    "half_day_below_seconds",
    "items",
    "kind",
    "last_out",
    "late_seconds",
    "lifted",
    "name",
    "nth",
    "opens_before_seconds",
    "operation",
    "overridden_by",
    "override_id",
    "overtime_approved",
    "overtime_approved_seconds",
    "overtime_before",
    "overtime_cap_seconds",
    "overtime_min_seconds",
    "overtime_seconds",
    "overtime_step_seconds",
    "pairing",
    "request",
    "retired",
    "reverted",
    "shift_id",
    "starts",
    "status",
    "through",
    "to",
    "unpaid_break_seconds",
    "user_id",
    "weekday",
    "workdays",
    "worked_seconds",
];

impl State {
    /// A day as it read at an instant.
    #[must_use]
    pub fn record(of: &DayRecord, at: Timestamp) -> Self {
        let record = of.read(at);
        let flags = record.flags.iter().copied().map(Flag::name).map(str::to_owned).collect();
        let override_ = of.overridden.as_ref();
        Self(BTreeMap::from([
            ("status", record.status.name().into()),
            ("flags", Value::Words(flags)),
            ("shift_id", of.day.key.shift.into()),
            ("first_in", record.first_in.into()),
            ("last_out", record.last_out.into()),
            ("worked_seconds", record.worked_seconds.into()),
            ("break_seconds", record.break_seconds.into()),
            ("late_seconds", record.late_seconds.into()),
            ("early_exit_seconds", record.early_exit_seconds.into()),
            ("overtime_seconds", record.overtime_seconds.into()),
            ("overtime_approved", of.is_approved(&record).into()),
            ("overtime_approved_seconds", of.approved_of(&record).into()),
            ("override_id", override_.map(|override_| override_.id).into()),
            ("overridden_by", override_.and_then(|override_| override_.by).into()),
        ]))
    }

    /// A request to correct a day.
    #[must_use]
    pub fn correction(of: &Correction) -> Self {
        Self(BTreeMap::from([
            ("request", of.status.name().into()),
            ("status", of.day_status.map(DayStatus::name).into()),
            ("first_in", of.first_in.into()),
            ("last_out", of.last_out.into()),
            ("override_id", of.overriding.into()),
        ]))
    }

    /// A request for leave.
    #[must_use]
    pub fn leave(of: &LeaveRequest) -> Self {
        Self(BTreeMap::from([
            ("request", of.status.name().into()),
            ("kind", of.kind.name().into()),
            ("from", of.leave.from.into()),
            ("to", of.leave.to.into()),
            ("half", of.leave.half.map(Half::name).into()),
        ]))
    }

    /// A closed period.
    #[must_use]
    pub fn closed_period(of: &ClosedPeriod) -> Self {
        Self(BTreeMap::from([("through", of.through.into()), ("lifted", of.lifted.is_some().into())]))
    }

    /// The rules of a shift, and from which date on they hold.
    #[must_use]
    pub fn shift(of: &Shift, from: Option<Date>, retired: bool) -> Self {
        let (counting, overtime) = (&of.counting, &of.counting.overtime);
        let workdays = of.workdays.days().map(weekday_name).map(str::to_owned).collect();
        Self(BTreeMap::from([
            ("from", from.into()),
            ("retired", retired.into()),
            ("name", of.name.as_str().into()),
            ("starts", Value::Word(of.starts.to_string())),
            ("ends", Value::Word(of.ends.to_string())),
            ("workdays", Value::Words(workdays)),
            ("grace_seconds", of.grace.into()),
            ("early_grace_seconds", of.early_grace.into()),
            ("opens_before_seconds", of.before.into()),
            ("closes_after_seconds", of.after.into()),
            ("half_day_below_seconds", of.half_day_below.into()),
            ("absent_below_seconds", of.absent_below.into()),
            ("pairing", counting.pairing.name().into()),
            ("unpaid_break_seconds", counting.unpaid_break.into()),
            ("break_after_seconds", counting.break_after.into()),
            ("early_arrival", counting.early_arrival.into()),
            ("auto_out", counting.auto_out.into()),
            ("flexible_seconds", counting.flexible.into()),
            ("overtime_before", overtime.before.into()),
            ("overtime_min_seconds", overtime.min.into()),
            ("overtime_step_seconds", overtime.step.into()),
            ("overtime_cap_seconds", overtime.daily_cap.into()),
        ]))
    }

    /// A shift that was given to somebody.
    #[must_use]
    pub fn assignment(of: &ShiftAssignment) -> Self {
        let (user, department) = match of.target {
            AssignmentTarget::Everybody => (None, None),
            AssignmentTarget::Department(department) => (None, Some(department)),
            AssignmentTarget::Person(user) => (Some(user), None),
        };
        Self(BTreeMap::from([
            ("shift_id", Some(of.shift).into()),
            ("user_id", user.into()),
            ("department_id", department.into()),
            ("from", of.from.into()),
            ("to", of.to.into()),
        ]))
    }

    /// An entry of a calendar.
    #[must_use]
    pub fn holiday(of: &CalendarEntry) -> Self {
        let mut members =
            BTreeMap::from([("name", of.name.as_str().into()), ("department_id", of.department.into())]);
        match &of.days {
            FreeDays::Date { on, half } => {
                members.extend([("date", (*on).into()), ("half", half.map(Half::name).into())]);
            }
            FreeDays::Weekly(off) => members.extend([
                ("weekday", weekday_name(off.weekday).into()),
                ("nth", off.nth.map(i64::from).into()),
                ("from", off.from.into()),
                ("to", off.to.into()),
            ]),
        }
        Self(members)
    }

    /// Entries that were made together: what was asked for.
    #[must_use]
    pub fn batch(of: &Batch) -> Self {
        Self(BTreeMap::from([
            ("operation", of.operation.name().into()),
            ("items", i64::from(of.items).into()),
            ("reverted", of.reverted.is_some().into()),
        ]))
    }

    /// The same with so many things of each kind that were taken back.
    #[must_use]
    pub fn taken_back(of: &Batch, punches: usize, decisions: usize, approvals: usize) -> Self {
        let mut state = Self::batch(of);
        let count = |number: usize| Value::Number(i64::try_from(number).unwrap_or(i64::MAX));
        state.0.extend([
            ("reverted", true.into()),
            ("events", count(punches)),
            ("decisions", count(decisions)),
            ("approvals", count(approvals)),
        ]);
        state
    }

    /// A state as it was kept; `None` if a name is none of those there are.
    #[must_use]
    pub fn restored(members: impl IntoIterator<Item = (String, Value)>) -> Option<Self> {
        let known = |name: &str| NAMES.into_iter().find(|known| *known == name);
        members.into_iter().map(|(name, value)| Some((known(&name)?, value))).collect::<Option<_>>().map(Self)
    }

    /// Its members, in the order of their names.
    pub fn members(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<SignedDuration> for Value {
    fn from(duration: SignedDuration) -> Self {
        Self::Number(duration.as_secs())
    }
}

impl From<&str> for Value {
    fn from(word: &str) -> Self {
        Self::Word(word.to_owned())
    }
}

macro_rules! written_out {
    ($($type:ty)*) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::Word(value.to_string())
            }
        }
    )*};
}

written_out! {
    Date Timestamp crate::id::UserId crate::id::DepartmentId crate::id::ShiftId crate::id::OverrideId
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nothing, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::{WeeklyOff, Workdays};
    use crate::holiday::HolidayName;
    use crate::id::{ClosedPeriodId, HolidayId};

    fn comes_back(state: State) {
        let kept: Vec<_> = state.members().map(|(name, value)| (name.to_owned(), value.clone())).collect();
        assert_eq!(State::restored(kept), Some(state));
    }

    #[test]
    fn audit_states_come_back_and_unknown_names_do_not() {
        comes_back(State::shift(&Shift::standard(), None, false));
        let at = Timestamp::UNIX_EPOCH;
        let through = jiff::civil::date(2026, 2, 28);
        let id = ClosedPeriodId::new(uuid::Uuid::nil());
        comes_back(State::closed_period(&ClosedPeriod {
            id,
            through,
            reason: "pay".into(),
            by: None,
            at,
            lifted: None,
        }));
        let weekday = Workdays::WEEK[5];
        for days in [
            FreeDays::Date { on: through, half: Some(Half::First) },
            FreeDays::Weekly(WeeklyOff { weekday, nth: Some(2), from: Some(through), to: None }),
        ] {
            comes_back(State::holiday(&CalendarEntry {
                id: HolidayId::new(uuid::Uuid::nil()),
                department: None,
                name: HolidayName::parse("Fair").unwrap(),
                days,
                by: None,
                created_at: at,
                revision: crate::Revision::NEW,
            }));
        }
        assert_eq!(State::restored([("person".to_owned(), Value::Nothing)]), None);
    }

    #[test]
    fn audit_state_names_are_sorted_and_unique() {
        assert!(NAMES.is_sorted_by(|a, b| a < b));
    }
}
