//! What a load measured.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;

use super::client::Answer;

#[derive(Debug, Default)]
pub(crate) struct Samples {
    /// Of successes only: a refusal is quick, and would make a busy server look fast.
    latencies: Vec<Duration>,
    failures: BTreeMap<String, usize>,
    first_failure: Option<String>,
    pub(crate) took: Duration,
}

impl Samples {
    pub(crate) fn add(&mut self, latency: Duration, answer: Result<Answer>) {
        match answer {
            Ok(Ok(())) => self.latencies.push(latency),
            Ok(Err((status, body))) => self.fail(status.to_string(), format!("{status} {body}")),
            Err(error) => self.fail("broken".to_owned(), format!("{error:#}")),
        }
    }

    fn fail(&mut self, kind: String, detail: String) {
        *self.failures.entry(kind).or_default() += 1;
        self.first_failure.get_or_insert(detail);
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        for (kind, count) in other.failures {
            *self.failures.entry(kind).or_default() += count;
        }
        self.first_failure = self.first_failure.take().or(other.first_failure);
    }

    pub(crate) fn succeeded(&self) -> usize {
        self.latencies.len()
    }

    pub(crate) fn failed(&self) -> usize {
        self.failures.values().sum()
    }

    pub(crate) fn first_failure(&self) -> String {
        self.first_failure.as_deref().unwrap_or("none").chars().take(300).collect()
    }

    pub(crate) fn summary(&self) -> String {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        let at = |percent| {
            percentile(&sorted, percent)
                .map_or_else(|| "-".to_owned(), |latency| format!("{:.2} ms", latency.as_secs_f64() * 1e3))
        };
        let rate = sorted.len() as f64 / self.took.as_secs_f64().max(f64::MIN_POSITIVE);
        let mut line = format!(
            "{rate:.1} requests/s, p50 {}, p95 {}, p99 {}, max {}; 2xx: {}",
            at(50),
            at(95),
            at(99),
            at(100),
            sorted.len()
        );
        for (kind, count) in &self.failures {
            line += &format!(", {kind}: {count}");
        }
        line
    }
}

/// The smallest value that at least `percent` of all do not exceed (nearest rank).
fn percentile(sorted: &[Duration], percent: usize) -> Option<Duration> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn milliseconds(values: impl IntoIterator<Item = u64>) -> Vec<Duration> {
        values.into_iter().map(Duration::from_millis).collect()
    }

    #[track_caller]
    fn check(values: &[u64], percent: usize, expected: Option<u64>) {
        let found = percentile(&milliseconds(values.iter().copied()), percent);
        assert_eq!(found, expected.map(Duration::from_millis));
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        let hundred: Vec<_> = (1..=100).collect();
        check(&hundred, 50, Some(50));
        check(&hundred, 95, Some(95));
        check(&hundred, 99, Some(99));
        check(&hundred, 100, Some(100));
        check(&[10, 20, 30], 50, Some(20));
        check(&[10, 20, 30], 99, Some(30));
        check(&[7], 50, Some(7));
        check(&[], 50, None);
    }

    #[test]
    fn refusals_are_counted_and_do_not_improve_the_latency() {
        let mut samples = Samples { took: Duration::from_secs(2), ..Samples::default() };
        samples.add(Duration::from_millis(40), Ok(Ok(())));
        samples.add(Duration::from_millis(60), Ok(Ok(())));
        let mut other = Samples::default();
        other.add(Duration::from_millis(1), Ok(Err((429, "slow down".to_owned()))));
        other.add(Duration::from_millis(1), Ok(Err((503, "busy".to_owned()))));
        samples.merge(other);
        assert_eq!(
            samples.summary(),
            "1.0 requests/s, p50 40.00 ms, p95 60.00 ms, p99 60.00 ms, max 60.00 ms; 2xx: 2, 429: 1, 503: 1"
        );
        assert_eq!((samples.succeeded(), samples.failed()), (2, 2));
        assert_eq!(samples.first_failure(), "429 slow down");
    }

    #[test]
    fn latency_summary_without_samples_has_no_percentiles() {
        assert_eq!(Samples::default().summary(), "0.0 requests/s, p50 -, p95 -, p99 -, max -; 2xx: 0");
    }
}
