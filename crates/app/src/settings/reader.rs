//! One value after the other, each checked; what is wrong is gathered.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;
use rollcall_domain::calendar::Zone;
use rollcall_domain::lockout::LockOut;
use rollcall_domain::matching::Threshold;
use rollcall_http::{Limits, Network, Rate};
use tracing_subscriber::EnvFilter;

use super::bad::Place;
use super::files::Entry;
use super::{BadSetting, Secret, files, names};

/// A value, and the line of a file that it was given in, if it was one.
pub(super) struct Given {
    pub(super) value: String,
    pub(super) place: Option<Place>,
}

/// Takes values one by one and remembers what was wrong with them, and which there are.
pub(super) struct Reader {
    /// By lower-case key.
    pub(super) values: HashMap<String, Given>,
    pub(super) bad: Vec<BadSetting>,
    /// Every name that was asked for: the settings there are.
    pub(super) known: Vec<&'static str>,
    /// Names that are declared to be settings of other programs.
    foreign: String,
    /// Names in the environment whose value is no text.
    garbled: Vec<String>,
}

/// The setting that declares them.
const FOREIGN: &str = "FOREIGN_SETTINGS";

/// What a file says.
type ReadEntries = fn(&str, &'static str, &mut Vec<BadSetting>) -> Vec<Entry>;

impl Reader {
    pub(super) fn new(values: HashMap<String, Given>) -> Self {
        Self { values, bad: Vec::new(), known: vec![FOREIGN], foreign: String::new(), garbled: Vec::new() }
    }

    /// A value of the environment without space at its ends. What a file has is as it was meant: without quotes it is trimmed
    /// already, and between quotes space is wanted.
    pub(super) fn raw(&mut self, key: &'static str) -> Option<String> {
        let value = self.exactly(key)?;
        let of_a_file = self.values.get(&key.to_lowercase()).is_some_and(|given| given.place.is_some());
        Some(if of_a_file { value } else { value.trim().to_owned() })
    }

    /// A setting in which even space at the ends is meant.
    pub(super) fn exactly(&mut self, key: &'static str) -> Option<String> {
        self.known.push(key);
        self.values.get(&key.to_lowercase()).map(|given| given.value.clone())
    }

    /// Takes over which names the environment says are of other programs, before files are read that may have them.
    pub(super) fn declared(&mut self, variables: &[(OsString, OsString)]) {
        let declared = variables.iter().filter(|(key, _)| key.eq_ignore_ascii_case(FOREIGN));
        for text in declared.filter_map(|(_, value)| value.to_str()) {
            self.foreign = format!("{},{text}", self.foreign);
        }
    }

    /// Takes over what a file says, if there is one.
    pub(super) fn file(&mut self, dir: &Path, file: &'static str, entries: ReadEntries) {
        let text = match files::text(&dir.join(file), file) {
            Ok(text) => text.unwrap_or_default(),
            Err(unreadable) => return self.bad.push(unreadable),
        };
        let entries = entries(&text, file, &mut self.bad);
        if let Some(declared) = entries.iter().find(|entry| entry.key.eq_ignore_ascii_case(FOREIGN)) {
            self.foreign = format!("{},{}", self.foreign, declared.value.as_deref().unwrap_or_default());
        }
        let mut lines = HashMap::new();
        for Entry { key, value, line } in entries {
            if names::is_of_others(&key, &self.foreign) {
                continue;
            }
            let (place, key) = (Place { file, line }, key.to_ascii_uppercase());
            if let Some(earlier) = lines.insert(key.to_lowercase(), line) {
                self.bad
                    .push(BadSetting::at(place, format!("{key} is set a second time, after line {earlier}")));
                continue;
            }
            match value {
                Ok(value) => {
                    drop(self.values.insert(key.to_lowercase(), Given { value, place: Some(place) }));
                }
                Err(why) => self.bad.push(BadSetting::at(place, format!("{key} {why}"))),
            }
        }
    }

    /// Takes over what the environment says. Where letters differ only in case, capitals win.
    pub(super) fn environment(&mut self, variables: impl Iterator<Item = (OsString, OsString)>) {
        let mut variables: Vec<_> =
            variables.filter_map(|(key, value)| Some((key.into_string().ok()?, value))).collect();
        variables.sort_by(|a, b| b.0.cmp(&a.0));
        for (key, value) in variables {
            match value.into_string() {
                Ok(value) => drop(self.values.insert(key.to_lowercase(), Given { value, place: None })),
                Err(_) => self.garbled.push(key),
            }
        }
    }

    /// Refuses what files set that is no setting; tells what the environment has that looks like one.
    pub(super) fn strangers(&mut self) -> Vec<String> {
        for key in std::mem::take(&mut self.garbled) {
            if self.known.iter().any(|known| known.eq_ignore_ascii_case(&key)) {
                self.bad.push(BadSetting::value(None, &key, "…", "text in UTF-8"));
            }
        }
        let (mut doubts, mut values) = (Vec::new(), self.values.iter().collect::<Vec<_>>());
        values.sort_by_key(|(_, given)| given.place.map(|place| (place.file, place.line)));
        for (key, given) in values {
            let known = self.known.iter().any(|known| known.eq_ignore_ascii_case(key));
            if known || names::is_of_others(key, &self.foreign) {
                continue;
            }
            let name = key.to_ascii_uppercase();
            let meant = names::nearest(key, &self.known).map(|meant| format!("; did you mean {meant}?"));
            match given.place {
                Some(place) => {
                    let other = || {
                        format!(". If it is for another program, name it in {FOREIGN}, separated by commas")
                    };
                    let what = format!("{name} is not a setting{}", meant.unwrap_or_else(other));
                    self.bad.push(BadSetting::at(place, what));
                }
                None if names::seems_ours(key, &self.known) => {
                    doubts.push(format!("{name} is not a setting{}", meant.unwrap_or_default()));
                }
                None => {}
            }
        }
        doubts.sort();
        doubts
    }

    /// A setting for which an empty value means the same as none.
    pub(super) fn text(&mut self, key: &'static str) -> Option<String> {
        self.raw(key).filter(|value| !value.is_empty())
    }

    pub(super) fn path(&mut self, key: &'static str) -> Option<PathBuf> {
        self.text(key).map(PathBuf::from)
    }

    /// An empty secret is kept: whoever needs it must refuse it rather than take it for unset.
    pub(super) fn secret(&mut self, key: &'static str) -> Option<Secret> {
        self.raw(key).map(Secret)
    }

    /// A secret that somebody else presents: too short a one is as good as none.
    pub(super) fn token(&mut self, key: &'static str, least: usize) -> Option<Secret> {
        let token = self.secret(key)?;
        if token.expose().len() >= least {
            return Some(token);
        }
        self.refuse(key, "…", format!("at least {least} bytes"));
        None
    }

    pub(super) fn refuse(&mut self, key: &'static str, value: &str, expected: impl Into<String>) {
        let place = self.values.get(&key.to_lowercase()).and_then(|given| given.place);
        let value: String = value.chars().take(80).collect();
        self.bad.push(BadSetting::value(place, key, &value, &expected.into()));
    }

    pub(super) fn parsed<T: FromStr>(&mut self, key: &'static str, default: T, expected: &str) -> T {
        let Some(value) = self.raw(key) else { return default };
        value.parse().unwrap_or_else(|_| {
            self.refuse(key, &value, expected);
            default
        })
    }

    pub(super) fn number<T>(&mut self, key: &'static str, default: T, range: RangeInclusive<T>) -> T
    where
        T: FromStr + PartialOrd + fmt::Display + Copy,
    {
        let Some(value) = self.raw(key) else { return default };
        match value.parse() {
            Ok(number) if range.contains(&number) => number,
            _ => {
                self.refuse(key, &value, format!("a number from {} to {}", range.start(), range.end()));
                default
            }
        }
    }

    pub(super) fn seconds(
        &mut self,
        key: &'static str,
        default: i64,
        range: RangeInclusive<i64>,
    ) -> SignedDuration {
        SignedDuration::from_secs(self.number(key, default, range))
    }

    pub(super) fn choice<T: Copy>(&mut self, key: &'static str, default: T, choices: &[(&str, T)]) -> T {
        let Some(value) = self.raw(key) else { return default };
        if let Some((_, chosen)) = choices.iter().find(|(name, _)| value.eq_ignore_ascii_case(name)) {
            return *chosen;
        }
        let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
        self.refuse(key, &value, format!("one of {}", names.join(", ")));
        default
    }

    pub(super) fn switch(&mut self, key: &'static str, default: bool) -> bool {
        self.choice(key, default, &[("true", true), ("false", false), ("1", true), ("0", false)])
    }

    /// A setting of the contract whose other values are not built yet: said, rather than ignored.
    pub(super) fn not_yet(&mut self, key: &'static str, only: &str) {
        if let Some(value) = self.raw(key)
            && !value.eq_ignore_ascii_case(only)
        {
            self.refuse(key, &value, format!("this version only offers {only}"));
        }
    }

    pub(super) fn threshold(&mut self, key: &'static str) -> Option<Threshold> {
        let value = self.raw(key)?;
        let threshold = value.parse().ok().and_then(|distance| Threshold::from_distance(distance).ok());
        if threshold.is_none() {
            let range =
                format!("a distance from {} to {}; lower is stricter", Threshold::MIN, Threshold::MAX);
            self.refuse(key, &value, range);
        }
        threshold
    }

    pub(super) fn zone(&mut self, key: &'static str) -> Zone {
        let Some(value) = self.text(key) else { return Zone::UTC };
        Zone::named(&value).unwrap_or_else(|error| {
            self.refuse(key, &value, error.to_string());
            Zone::UTC
        })
    }

    pub(super) fn origins(&mut self, key: &'static str) -> Vec<String> {
        let Some(value) = self.text(key) else { return Vec::new() };
        let origins: Vec<String> = value.split(',').map(|origin| origin.trim().to_owned()).collect();
        let sound = |origin: &String| {
            let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '*', ' ', '@']))
        };
        if origins.iter().all(sound) {
            return origins;
        }
        self.refuse(
            key,
            &value,
            "origins such as https://hr.example.com, separated by commas; no path, no *",
        );
        Vec::new()
    }

    /// An address to which paths are added.
    pub(super) fn public_url(&mut self, key: &'static str) -> String {
        let Some(value) = self.text(key) else { return String::new() };
        let rest = value.strip_prefix("https://").or_else(|| value.strip_prefix("http://"));
        if rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(['?', '#', ' ', '@'])) {
            return value.trim_end_matches('/').to_owned();
        }
        self.refuse(key, &value, "an address such as https://hr.example.com, without ? or #");
        String::new()
    }

    /// What is logged. A filter that cannot be read would log something else than was asked for.
    pub(super) fn log(&mut self, key: &'static str) -> String {
        let filter = self.text(key).unwrap_or_else(|| "info".into());
        if let Err(error) = EnvFilter::try_new(&filter) {
            let allowed =
                "error, warn, info, debug, trace, off, or a filter such as info,rollcall_http=debug";
            self.refuse(key, &filter, format!("{allowed} ({error})"));
        }
        filter
    }

    /// How failed logins are slowed down.
    pub(super) fn lock_out(&mut self) -> LockOut {
        let standard = LockOut::STANDARD;
        let first = self.number("LOGIN_LOCK_SECONDS", standard.first.as_secs(), 1..=3_600);
        let longest = standard.longest.as_secs().max(first);
        LockOut {
            failures: self.number("LOGIN_FAILURES", standard.failures, 1..=100),
            first: SignedDuration::from_secs(first),
            longest: self.seconds("LOGIN_LOCK_MAX_SECONDS", longest, first..=86_400),
            ..standard
        }
    }

    /// How fast anybody may ask.
    pub(super) fn limits(&mut self) -> Option<Limits> {
        let standard = Limits::default();
        let on = self.choice("RATE_LIMIT", true, &[("on", true), ("off", false)]);
        let auth_per_minute = self.number("RATE_LIMIT_AUTH_PER_MINUTE", 60, 1..=60_000);
        let recognize_per_second = self.number("RATE_LIMIT_RECOGNIZE_PER_SECOND", 5, 1..=1_000);
        let limits = Limits {
            auth: Rate {
                burst: self.number("RATE_LIMIT_AUTH_BURST", standard.auth.burst, 1..=100_000),
                every: Duration::from_secs(60) / auth_per_minute,
            },
            passwords_at_once: self.number("RATE_LIMIT_PASSWORDS", standard.passwords_at_once, 1..=1_000),
            recognize: Rate {
                burst: self.number("RATE_LIMIT_RECOGNIZE_BURST", standard.recognize.burst, 1..=10_000),
                every: Duration::from_secs(1) / recognize_per_second,
            },
            streams_at_once: self.number("RATE_LIMIT_STREAMS", standard.streams_at_once, 1..=1_000),
        };
        on.then_some(limits)
    }

    /// Addresses and networks, separated by commas.
    pub(super) fn networks(&mut self, key: &'static str) -> Vec<Network> {
        let Some(value) = self.text(key) else { return Vec::new() };
        let networks: Result<Vec<Network>, _> = value.split(',').map(|text| text.trim().parse()).collect();
        networks.unwrap_or_else(|_| {
            self.refuse(key, &value, "addresses or networks such as 10.0.0.0/8, separated by commas");
            Vec::new()
        })
    }
}
