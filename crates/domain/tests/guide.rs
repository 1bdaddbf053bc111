//! The guide, checked: every table of it that tells what a day comes to is played through the engine, and every list
//! in it is complete.

mod clockwork;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use clockwork::{Clockwork, POLICY, a_shift, date, of};
use jiff::civil::{Date, Time, Weekday};
use jiff::{SignedDuration, Span, Timestamp};
use rollcall_domain::attendance::{DayRecord, DayStatus, Flag, Punch, PunchKind, Record, SignOff, Source};
use rollcall_domain::calendar::{Half, Holiday, Workdays, Zone, weekday_name};
use rollcall_domain::id::OverrideId;
use rollcall_domain::leave::Leave;
use rollcall_domain::lint::Code;
use rollcall_domain::overrides::{OriginalValues, Override};
use rollcall_domain::policy::PunchOutcome;
use rollcall_domain::schedule::Schedule;
use rollcall_domain::shift::{Pairing, Shift};
use uuid::Uuid;

const GUIDE: &str = include_str!("../HOW-A-DAY-IS-DECIDED.md");

/// The contract that clients read.
fn contract() -> serde_json::Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../http/openapi.json");
    serde_json::from_slice(&std::fs::read(path).expect("the contract")).expect("JSON")
}

/// Each row of the tables with these columns, by the names of its columns.
fn rows(wanted: &[&str]) -> Vec<BTreeMap<&'static str, &'static str>> {
    let cells = |line: &'static str| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>();
    let mut rows = Vec::new();
    let mut header: Option<Vec<&str>> = None;
    for line in GUIDE.lines() {
        match &header {
            _ if !line.starts_with('|') => header = None,
            None => header = Some(cells(line)),
            Some(_) if line.starts_with("|---") => {}
            Some(names) => {
                let cells = cells(line);
                assert_eq!(cells.len(), names.len(), "{line}");
                if wanted.iter().all(|name| names.contains(name)) {
                    rows.push(names.iter().copied().zip(cells).collect());
                }
            }
        }
    }
    rows
}

/// Hours and minutes, with seconds where there are any.
fn length(seconds: i64) -> String {
    let (hours, minutes, rest) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if rest == 0 { format!("{hours}:{minutes:02}") } else { format!("{hours}:{minutes:02}:{rest:02}") }
}

fn parse_length(text: &str) -> SignedDuration {
    let (hours, minutes) = text.split_once(':').expect("hours and minutes");
    let number = |text: &str| text.parse::<i64>().expect("a number");
    SignedDuration::from_mins(number(hours) * 60 + number(minutes))
}

/// A record in the words of the guide: everything it says, nothing that it does not.
fn told(record: &Record) -> String {
    let mut parts = vec![record.status.name().to_owned()];
    match record.worked_seconds {
        Some(worked) => parts.push(format!("worked {}", length(worked))),
        None if record.first_in.or(record.last_out).is_some() && !record.open => {
            parts.push("worked unknown".into());
        }
        None => {}
    }
    let mut say = |what: &str, seconds: i64| {
        if seconds > 0 {
            parts.push(format!("{what} {}", length(seconds)));
        }
    };
    say("break", record.break_seconds);
    say("late", record.late_seconds);
    say("left early", record.early_exit_seconds);
    say("overtime", record.overtime_seconds);
    if record.open {
        parts.push("still in".into());
    }
    let flags: Vec<_> = record.flags.iter().map(|flag| format!("`{}`", flag.name())).collect();
    if !flags.is_empty() {
        parts.push(flags.join(" "));
    }
    parts.join(", ")
}

const fn meaning(outcome: PunchOutcome) -> &'static str {
    match outcome {
        PunchOutcome::CheckedIn => "came",
        PunchOutcome::CheckedOut => "left",
        PunchOutcome::Cooldown(_) => "cooldown",
        PunchOutcome::MinSession(_) => "min_session",
        PunchOutcome::NoOpenSession => "no_open_session",
        PunchOutcome::AlreadyCheckedIn => "already_checked_in",
        PunchOutcome::Closed => "closed",
        PunchOutcome::Ignored => "ignored",
    }
}

/// Somebody and the date that is told of, as the first column describes them.
fn given(text: &str) -> (Clockwork, Date) {
    let mut shift = Shift::standard();
    let mut zone = "Asia/Kolkata";
    let mut on = date("2026-03-02");
    let (mut holiday, mut leave) = (None, None);
    for part in text.split(", ") {
        let counting = &mut shift.counting;
        match part.split_once(' ').map_or((part, ""), |(first, rest)| (first, rest)) {
            ("day", "shift") => {}
            ("night", "shift") => shift = a_shift("22:00", "06:00"),
            ("evening", "shift") => shift = a_shift("16:00", "00:00"),
            ("24", "hours") => shift = a_shift("08:00", "08:00"),
            ("every", "pair") => counting.pairing = Pairing::EveryPair,
            ("early", "arrival counts") => counting.early_arrival = true,
            ("overtime", "before") => counting.overtime.before = true,
            ("leaving", "is made up") => counting.auto_out = true,
            ("flexible", hours) => counting.flexible = Some(parse_length(hours)),
            ("break", rest) => {
                let (pause, from) = rest.split_once(" from ").expect("from when on");
                (counting.unpaid_break, counting.break_after) = (parse_length(pause), parse_length(from));
            }
            ("Berlin", "") => zone = "Europe/Berlin",
            ("Sunday", "") => on = date("2026-03-08"),
            ("holiday", "") => holiday = Some(None),
            ("half", "a holiday in the afternoon") => holiday = Some(Some(Half::Second)),
            ("leave", "") => leave = Some(None),
            ("leave", "in the morning") => leave = Some(Some(Half::First)),
            (day, "") => on = date(day),
            _ => panic!("{part:?} is not known"),
        }
    }
    let mut schedule = Schedule::simple(shift, Zone::named(zone).expect("a zone"));
    if let Some(half) = holiday {
        schedule.calendar.holidays.insert(on, Holiday { name: "Holi".into(), half });
    }
    schedule.leaves.extend(leave.map(|half| Leave { from: on, to: on, half }));
    (of(schedule), on)
}

/// A time of the day or of the next one, and what follows it.
fn time(text: &str, on: Date) -> (String, &str) {
    let (on, text) =
        text.strip_prefix("next day ").map_or((on, text), |rest| (on + Span::new().days(1), rest));
    let (time, rest) = text.split_once(' ').unwrap_or((text, ""));
    (format!("{on}T{time}"), rest)
}

/// Takes the punches of a row; returns what each meant when it became known.
fn punch(ada: &mut Clockwork, punches: &str, on: Date) -> String {
    let mut meant = Vec::new();
    for text in punches.split(", ").filter(|text| *text != "–") {
        let (local, what) = time(text, on);
        let (kind, how) = what.split_once('(').unwrap_or((what, ""));
        let kind = match kind.trim() {
            "" => PunchKind::Auto,
            "in" => PunchKind::CheckIn,
            "out" => PunchKind::CheckOut,
            "ended" => PunchKind::Close,
            other => panic!("{other:?} is no punch"),
        };
        let punch = ada.a_punch(kind, &local);
        let voided = || SignOff { by: None, at: punch.at, reason: "somebody else".into() };
        let kept = match how.trim_end_matches(')') {
            "" => None,
            "forced" => Some(Punch { forced: true, source: Source::Manual, ..punch }),
            "offline" => Some(Punch { source: Source::Offline, ..punch }),
            "imported" => Some(Punch { source: Source::Import, ..punch }),
            "review" => Some(Punch { source: Source::Offline, needs_review: true, ..punch }),
            "taken back" => Some(Punch { voided: Some(voided()), ..punch }),
            other => panic!("{other:?} is not known"),
        };
        meant.push(meaning(match kept {
            Some(punch) => ada.keep(punch),
            None => ada.punch(kind, &local),
        }));
    }
    meant.join(", ")
}

/// Decides about the only record of a date.
fn decide(ada: &mut Clockwork, decided: &str, on: Date) {
    let day = ada.day(&on.to_string());
    let mut override_ = Override {
        id: OverrideId::new(Uuid::from_u128(1)),
        status: None,
        first_in: None,
        last_out: None,
        overtime_seconds: None,
        note: None,
        reason: "as the guide says".into(),
        by: None,
        at: day.due,
        batch: None,
        before: day.record.status,
        facts: OriginalValues::of(&day.record),
    };
    for part in decided.split(", ") {
        match part.split_once(' ').expect("a field and its value") {
            ("status", name) => override_.status = Some(DayStatus::named(name).expect("a status")),
            ("came", text) => override_.first_in = Some(ada.at(&time(text, on).0)),
            ("left", text) => override_.last_out = Some(ada.at(&time(text, on).0)),
            _ => panic!("{part:?} cannot be decided"),
        }
    }
    assert_eq!(override_.check(), Ok(()), "{decided}");
    ada.overrides.push((day.day.key, override_));
}

#[test]
fn every_example_comes_to_what_the_guide_says() {
    let rows = rows(&["Given", "Punches", "Record"]);
    assert!(rows.len() > 40, "{} examples were found", rows.len());
    for row in rows {
        let (mut ada, on) = given(row["Given"]);
        let meant = punch(&mut ada, row["Punches"], on);
        if let Some(means) = row.get("Means") {
            assert_eq!(meant, *means, "{row:?}");
        }
        if let Some(decided) = row.get("Decided") {
            decide(&mut ada, decided, on);
        }
        let now = row.get("Read at").map_or(Timestamp::MAX, |text| ada.at(&time(text, on).0));
        let tell = |day: &DayRecord| {
            let outside = matches!(ada.schedule.on(on).shifts(), [_, ..]) && day.day.key.shift.is_none();
            format!("{}{}", if outside { "outside: " } else { "" }, told(&day.read(now)))
        };
        let record: Vec<_> = ada.days(&on.to_string()).iter().map(tell).collect();
        assert_eq!(record.join("; "), row["Record"], "{row:?}");
    }
}

#[test]
fn a_week_comes_to_what_the_guide_says() {
    let mut shift = a_shift("09:00", "17:00");
    shift.workdays = Workdays::of(Workdays::WEEK.into_iter().filter(|day| *day != Weekday::Sunday));
    shift.counting.overtime.weekly_target = Some(SignedDuration::from_hours(40));
    let mut ada = of(Schedule::simple(shift, Zone::UTC));
    let rows = rows(&["Weekday", "There", "Overtime"]);
    assert_eq!(rows.len(), 7);
    let dates: Vec<_> = (0..7).map(|day| date("2026-03-02") + Span::new().days(day)).collect();
    for (row, on) in rows.iter().zip(&dates) {
        assert_eq!(weekday_name(on.weekday()), row["Weekday"].to_lowercase());
        for local in row["There"].split(", ") {
            ada.face(&format!("{on}T{local}"));
        }
    }
    for (row, on) in rows.iter().zip(&dates) {
        let seconds: i64 = ada.days(&on.to_string()).iter().map(|day| day.record.overtime_seconds).sum();
        let told = if seconds == 0 { "–".into() } else { length(seconds) };
        assert_eq!(told, row["Overtime"], "{row:?}");
    }
}

#[test]
fn every_status_flag_and_code_is_told() {
    let told = |column: &str| rows(&[column, "It means"]).iter().map(|row| row[column]).collect::<Vec<_>>();
    let words = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
    let sorted = |mut words: Vec<String>| {
        words.sort();
        words
    };
    let same = |column: &str, names: &[&str]| {
        let told = told(column).into_iter().map(str::to_owned).collect();
        assert_eq!(sorted(told), sorted(words(names)), "{column}");
    };
    same("Status", &DayStatus::ALL.map(DayStatus::name));
    same("Flag", &Flag::ALL.map(Flag::name));
    same("Code", &Code::ALL.map(Code::name));
}

#[test]
fn every_default_is_what_a_new_installation_begins_with() {
    let shift = Shift::standard();
    let counting = &shift.counting;
    let seconds = |length: SignedDuration| length.as_secs().to_string();
    let perhaps = |length: Option<SignedDuration>| length.map_or("null".into(), seconds);
    let auto_out = if counting.auto_out { "shift_end" } else { "none" };
    let clock = |time: Time| time.strftime("%H:%M").to_string();
    assert_eq!((clock(shift.starts), clock(shift.ends)), ("09:00".into(), "18:00".into()));
    let workdays =
        if shift.workdays == Workdays::MONDAY_TO_FRIDAY { "Monday to Friday" } else { "something else" };
    let defaults = [
        ("starts", "required".into()),
        ("ends", "required".into()),
        ("workdays", workdays.into()),
        ("grace_seconds", seconds(shift.grace)),
        ("early_grace_seconds", seconds(shift.early_grace)),
        ("before_seconds", seconds(shift.before)),
        ("after_seconds", seconds(shift.after)),
        ("half_day_below_seconds", format!("half the length, at most {}", seconds(shift.half_day_below))),
        ("absent_below_seconds", format!("half of that, at most {}", seconds(shift.absent_below))),
        ("pairing", counting.pairing.name().into()),
        ("unpaid_break_seconds", seconds(counting.unpaid_break)),
        ("break_after_seconds", seconds(counting.break_after)),
        ("count_early_arrival", counting.early_arrival.to_string()),
        ("auto_out", auto_out.into()),
        ("flexible_seconds", perhaps(counting.flexible)),
        ("overtime_min_seconds", seconds(counting.overtime.min)),
        ("overtime_before", counting.overtime.before.to_string()),
        ("overtime_step_seconds", seconds(counting.overtime.step)),
        ("overtime_cap_seconds", perhaps(counting.overtime.daily_cap)),
        ("overtime_mode", counting.overtime.mode().name().into()),
        ("weekly_target_seconds", perhaps(counting.overtime.weekly_target)),
    ];
    let told: Vec<_> = rows(&["Field of a shift", "Default"])
        .iter()
        .map(|row| (row["Field of a shift"].trim_matches('`'), row["Default"].to_owned()))
        .collect();
    assert_eq!(told, defaults);
    let contract = contract();
    let form = &contract["components"]["schemas"]["NewShift"];
    let required =
        |name: &str| form["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
    let members: BTreeSet<&str> =
        form["properties"].as_object().expect("members").keys().map(String::as_str).collect();
    let mut names: BTreeSet<&str> = told.iter().map(|(name, _)| *name).collect();
    names.insert("name");
    assert_eq!(names, members, "the fields of the guide are those of the contract");
    for (name, default) in &told {
        assert_eq!(required(name), default == "required", "{name}");
        let about = form["properties"][name]["description"].as_str().unwrap_or_default();
        let about = about.split_whitespace().collect::<Vec<_>>().join(" ");
        let says = about.contains(&format!("In a new shift: {}.", default.trim_matches('`')));
        assert!(says || default == "required", "{name}: {default} in {about:?}");
    }

    let settings = rows(&["Setting", "Default"]);
    let told = |name: &str| {
        let row = settings.iter().find(|row| row["Setting"].trim_matches('`') == name).expect(name);
        row["Default"].parse::<i64>().expect("seconds")
    };
    assert_eq!(told("RECOGNITION_COOLDOWN_SECONDS"), POLICY.cooldown.as_secs());
    assert_eq!(told("MIN_SESSION_SECONDS"), POLICY.min_session.as_secs());
    assert!(GUIDE.contains(&format!("settles for {} minutes", POLICY.settle.as_mins())));
}
