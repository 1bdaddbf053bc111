//! `rollcall attendance`

use std::fmt::Write as _;

use anyhow::Context;
use clap::Subcommand;
use jiff::Timestamp;
use jiff::civil::Date;
use rollcall_domain::access::Actor;
use rollcall_domain::attendance::{DayRecord, Flag};
use rollcall_domain::calendar::DateRange;
use rollcall_domain::id::UserId;
use rollcall_usecases::recompute::Difference;

use crate::console::{block_on, print};
use crate::settings::Settings;
use crate::wiring;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Work the records of some dates out anew from punches, shifts, calendar, leave and decisions, and tell what
    /// differs from what is stored. Closed periods stay as they are.
    Recompute {
        /// First date.
        #[arg(long)]
        from: Date,
        /// Last date, at most 365 days later.
        #[arg(long)]
        to: Date,
        /// Only this person.
        #[arg(long, value_name = "ID")]
        user: Option<String>,
        /// Tell what would change, and change nothing.
        #[arg(long)]
        dry_run: bool,
    },
}

pub(crate) fn run(settings: &Settings, command: &Command) -> anyhow::Result<()> {
    let Command::Recompute { from, to, user, dry_run } = command;
    let dates = DateRange::new(*from, *to).context("--to")?;
    let only: Option<UserId> = user.as_deref().map(str::parse).transpose().context("--user")?;
    block_on(async {
        let system = wiring::System::without_engine(settings).await?;
        let (mut people, mut records) = (0_u64, 0_u64);
        let mut tell = |user: &rollcall_domain::user::User, differences: &[Difference]| {
            if differences.is_empty() {
                return;
            }
            people += 1;
            records += differences.len() as u64;
            print(&format!("{} {}", user.id, user.name.as_str()));
            differences.iter().for_each(|difference| print(&line(difference)));
        };
        let recompute = &system.usecases.recompute;
        let looked_at = recompute.all(&Actor::Operator, only, dates, *dry_run, &mut tell).await?;
        let verb = if *dry_run { "would change" } else { "changed" };
        print(&format!("{looked_at} people looked at; {records} records of {people} people {verb}"));
        system.close().await;
        Ok(())
    })
}

/// One record, before and after.
fn line(difference: &Difference) -> String {
    let either = difference.after.as_ref().or(difference.before.as_ref());
    let shift =
        either.and_then(|record| record.day.shift.as_ref()).map_or("no shift", |shift| &shift.shift.name);
    let date = either.map_or_else(String::new, |record| record.day.key.date.to_string());
    let describe = |record: &Option<DayRecord>| record.as_ref().map_or_else(|| "nothing".to_owned(), words);
    format!("  {date} {shift}: {} -> {}", describe(&difference.before), describe(&difference.after))
}

fn words(kept: &DayRecord) -> String {
    let record = &kept.record;
    let clock = |at: Option<Timestamp>| {
        at.map_or_else(|| "-".to_owned(), |at| kept.day.zone.local(at).strftime("%H:%M:%S").to_string())
    };
    let mut text = format!("{} {}-{}", record.status.name(), clock(record.first_in), clock(record.last_out));
    if let Some(worked) = record.worked_seconds {
        let _ = write!(text, " worked {worked} s");
    }
    if record.overtime_seconds > 0 {
        let _ = write!(text, " overtime {} s", record.overtime_seconds);
    }
    let flags: Vec<&str> = record.flags.iter().copied().map(Flag::name).collect();
    if !flags.is_empty() {
        let _ = write!(text, " [{}]", flags.join(", "));
    }
    text
}
