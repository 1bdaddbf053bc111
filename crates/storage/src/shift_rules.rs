//! What a shift version says, as it is stored: one JSON document, whose format has a number.

use jiff::SignedDuration;
use jiff::civil::Time;
use rollcall_domain::calendar::Workdays;
use rollcall_domain::id::{ShiftId, ShiftVersionId};
use rollcall_domain::shift::{Counting, Overtime, Pairing, Shift};
use rollcall_ports::store::StoreError;
use serde::{Deserialize, Serialize};

use crate::convert::{corrupt, named, seconds, valid};

/// Grows when a rule changes its meaning. A rule that is only added gets a default instead, with which older documents mean
/// what they meant.
const FORMAT: u8 = 1;

/// The rules of a shift. Durations are seconds; names are those of [`Shift`].
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShiftRules {
    format: u8,
    /// Seconds after local midnight.
    starts: i32,
    ends: i32,
    /// Bit 0 is Monday.
    workdays: u8,
    grace: i64,
    early_grace: i64,
    before: i64,
    after: i64,
    half_day_below: i64,
    absent_below: i64,
    pairing: String,
    unpaid_break: i64,
    break_after: i64,
    early_arrival: bool,
    auto_out: bool,
    flexible: Option<i64>,
    overtime_before: bool,
    overtime_min: i64,
    overtime_step: i64,
    overtime_daily_cap: Option<i64>,
    overtime_weekly_target: Option<i64>,
}

impl ShiftRules {
    /// Those of a shift.
    pub(crate) fn of(shift: &Shift) -> Self {
        let Counting { pairing, unpaid_break, break_after, early_arrival, auto_out, flexible, overtime } =
            &shift.counting;
        Self {
            format: FORMAT,
            starts: second_of_day(shift.starts),
            ends: second_of_day(shift.ends),
            workdays: shift.workdays.bits(),
            grace: shift.grace.as_secs(),
            early_grace: shift.early_grace.as_secs(),
            before: shift.before.as_secs(),
            after: shift.after.as_secs(),
            half_day_below: shift.half_day_below.as_secs(),
            absent_below: shift.absent_below.as_secs(),
            pairing: pairing.name().to_owned(),
            unpaid_break: unpaid_break.as_secs(),
            break_after: break_after.as_secs(),
            early_arrival: *early_arrival,
            auto_out: *auto_out,
            flexible: flexible.map(|expected| expected.as_secs()),
            overtime_before: overtime.before,
            overtime_min: overtime.min.as_secs(),
            overtime_step: overtime.step.as_secs(),
            overtime_daily_cap: overtime.daily_cap.map(|cap| cap.as_secs()),
            overtime_weekly_target: overtime.weekly_target.map(|target| target.as_secs()),
        }
    }

    /// The document.
    pub(crate) fn write(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// # Errors
    /// [`StoreError::Corrupt`] for another format, or none.
    pub(crate) fn read(document: &str) -> Result<Self, StoreError> {
        let rules: Self = valid("shifts.rules", serde_json::from_str(document))?;
        if rules.format == FORMAT { Ok(rules) } else { Err(corrupt("shifts.rules")) }
    }

    /// The version of a shift that has these rules.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if they are none.
    pub(crate) fn shift(
        self,
        id: ShiftId,
        version: ShiftVersionId,
        name: String,
    ) -> Result<Shift, StoreError> {
        Ok(Shift {
            id,
            version,
            name,
            starts: time(self.starts)?,
            ends: time(self.ends)?,
            workdays: Workdays::from_bits(self.workdays),
            grace: seconds(self.grace),
            early_grace: seconds(self.early_grace),
            before: seconds(self.before),
            after: seconds(self.after),
            half_day_below: seconds(self.half_day_below),
            absent_below: seconds(self.absent_below),
            counting: Counting {
                pairing: named("shifts.rules", Pairing::named(&self.pairing))?,
                unpaid_break: seconds(self.unpaid_break),
                break_after: seconds(self.break_after),
                early_arrival: self.early_arrival,
                auto_out: self.auto_out,
                flexible: self.flexible.map(seconds),
                overtime: Overtime {
                    before: self.overtime_before,
                    min: seconds(self.overtime_min),
                    step: seconds(self.overtime_step),
                    daily_cap: self.overtime_daily_cap.map(seconds),
                    weekly_target: self.overtime_weekly_target.map(seconds),
                },
            },
        })
    }
}

fn second_of_day(time: Time) -> i32 {
    i32::from(time.hour()) * 3600 + i32::from(time.minute()) * 60 + i32::from(time.second())
}

fn time(second: i32) -> Result<Time, StoreError> {
    valid("shifts.rules", Time::midnight().checked_add(SignedDuration::from_secs(second.into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What installations have stored: it must be read for as long as there are any.
    const STANDARD: &str = r#"{"absent_below":7200,"after":3600,"auto_out":false,"before":3600,"break_after":0,"early_arrival":false,"early_grace":600,"ends":64800,"flexible":null,"format":1,"grace":600,"half_day_below":16200,"overtime_before":false,"overtime_daily_cap":null,"overtime_min":900,"overtime_step":0,"overtime_weekly_target":null,"pairing":"first_last","starts":32400,"unpaid_break":0,"workdays":31}"#;

    #[test]
    fn stored_rules_of_the_standard_shift_are_read() {
        let standard = Shift::standard();
        assert_eq!(ShiftRules::of(&standard).write(), STANDARD);
        let read = ShiftRules::read(STANDARD).unwrap();
        assert_eq!(read.shift(standard.id, standard.version, standard.name.clone()).unwrap(), standard);
    }

    #[test]
    fn other_formats_and_broken_documents_are_corrupt() {
        for document in [
            STANDARD.replace("\"format\":1", "\"format\":2"),
            STANDARD.replace("grace", "grease"),
            String::new(),
        ] {
            assert!(matches!(ShiftRules::read(&document), Err(StoreError::Corrupt(_))), "{document}");
        }
        let rules = ShiftRules { starts: 86_400, ..ShiftRules::of(&Shift::standard()) };
        let Shift { id, version, name, .. } = Shift::standard();
        assert!(matches!(rules.shift(id, version, name), Err(StoreError::Corrupt(_))));
    }
}
