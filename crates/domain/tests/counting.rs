//! What must hold of statistics, whatever the days: property tests of the folds.

use jiff::ToSpan;
use jiff::civil::{Date, date};
use proptest::prelude::*;
use proptest::sample::select;
use rollcall_domain::attendance::DayStatus;
use rollcall_domain::calendar::DateRange;
use rollcall_domain::statistics::{Days, Interval, Rate, Tally, series};

fn a_range() -> impl Strategy<Value = DateRange> {
    (0_i32..1500, 0_i32..DateRange::MAX_DAYS).prop_map(|(from, length)| {
        let from = date(2023, 12, 20).saturating_add(from.days());
        DateRange::new(from, from.saturating_add(length.days())).expect("a range")
    })
}

prop_compose! {
    fn some_days()(
        status in select(DayStatus::ALL.to_vec()),
        scheduled in any::<bool>(),
        days in 1_u64..50,
        worked_seconds in 0_i64..1_000_000,
        overtime_seconds in 0_i64..100_000,
        approved in 0_i64..=100,
        late_seconds in 0_i64..100_000,
        arrival in prop::option::of(-3_600_i64..110_000),
    ) -> Days {
        let arrivals = if arrival.is_some() { days } else { 0 };
        let arrival_seconds = arrival.unwrap_or(0) * i64::try_from(arrivals).unwrap_or(0);
        let approved_seconds = overtime_seconds * approved / 100;
        Days {
            status,
            scheduled,
            days,
            worked_seconds,
            overtime_seconds,
            approved_seconds,
            late_seconds,
            arrivals,
            arrival_seconds,
        }
    }
}

/// Days of dates in a range, by their distance from its beginning.
fn dated(range: DateRange, days: &[(u16, Days)]) -> Vec<(Date, Days)> {
    let all: Vec<Date> = range.days().collect();
    days.iter().map(|(n, days)| (all[usize::from(*n) % all.len()], *days)).collect()
}

fn total(days: impl IntoIterator<Item = Days>) -> Tally {
    let mut tally = Tally::default();
    days.into_iter().for_each(|days| tally.add(&days));
    tally
}

fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_series_has_every_period_and_nothing_else(
        range in a_range(),
        interval in select(Interval::ALL.to_vec()),
        days in prop::collection::vec((any::<u16>(), some_days()), 0..20),
    ) {
        let series = series(interval, range, dated(range, &days));
        prop_assert_eq!(series.first().map(|(period, _)| period.start), Some(range.from()));
        prop_assert_eq!(series.last().map(|(period, _)| period.end), Some(range.to()));
        for two in series.windows(2) {
            prop_assert_eq!(two[0].0.end.tomorrow().expect("a date"), two[1].0.start);
            prop_assert_ne!(interval.label(two[0].0.start), interval.label(two[1].0.start));
        }
        for (period, _) in &series {
            prop_assert!(period.start <= period.end);
            prop_assert_eq!(interval.label(period.start), interval.label(period.end));
        }
        let length: i64 = series.iter().map(|(period, _)| period.days()).sum();
        prop_assert_eq!(usize::try_from(length).expect("a number"), range.days().count());
    }

    #[test]
    fn the_whole_is_the_sum_of_its_parts(
        range in a_range(),
        interval in select(Interval::ALL.to_vec()),
        days in prop::collection::vec((any::<u16>(), some_days()), 0..40),
    ) {
        let mut sum = Tally::default();
        series(interval, range, dated(range, &days)).iter().for_each(|(_, tally)| sum.merge(tally));
        let whole = total(days.iter().map(|(_, days)| *days));
        prop_assert_eq!(sum, whole);
        prop_assert_eq!(whole.days(), days.iter().map(|(_, days)| days.days).sum::<u64>());
        prop_assert_eq!(whole.days(), DayStatus::ALL.into_iter().map(|status| whole.of(status)).sum::<u64>());
        prop_assert_eq!(whole.worked_seconds, days.iter().map(|(_, days)| days.worked_seconds).sum::<i64>());
    }

    #[test]
    fn a_rate_is_a_share_or_nothing(days in prop::collection::vec(some_days(), 0..20)) {
        let tally = total(days.iter().copied());
        for rate in [tally.attendance(), tally.lateness(), tally.punctuality()] {
            prop_assert!(rate.numerator() <= rate.denominator() as f64, "{:?}", rate);
            prop_assert_eq!(rate.value().is_none(), rate.denominator() == 0);
            prop_assert!(rate.value().is_none_or(|value| (0.0..=1.0).contains(&value)));
        }
        let whole = |rate: Rate| rate.numerator();
        prop_assert_eq!(whole(tally.lateness()) + whole(tally.punctuality()), tally.lateness().denominator() as f64);
        prop_assert!(tally.expected_days() <= tally.scheduled_days());
        prop_assert_eq!(
            tally.average_arrival().is_none(),
            days.iter().all(|days| !days.scheduled || days.arrivals == 0)
        );
    }

    #[test]
    fn days_outside_of_shifts_change_no_rate(
        days in prop::collection::vec(some_days(), 0..20),
        outside in prop::collection::vec(some_days(), 0..20),
    ) {
        let outside = outside.into_iter().map(|days| Days { scheduled: false, ..days });
        let (alone, both) = (total(days.clone()), total(days.into_iter().chain(outside)));
        prop_assert_eq!(alone.attendance(), both.attendance());
        prop_assert_eq!(alone.lateness(), both.lateness());
        prop_assert_eq!(alone.average_arrival(), both.average_arrival());
    }
}
