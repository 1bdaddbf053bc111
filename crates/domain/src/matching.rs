//! Who is this? The whole open-set decision, pure.
//!
//! Terms are those of ISO/IEC 19795-1: a *probe* is searched in a *gallery*; FMR is the rate of false
//! matches per comparison, FPIR the rate at which a stranger's search returns somebody.

use crate::face::Flaw;
use crate::id::UserId;

/// A person of the gallery and how alike the probe is: 1 minus the distance, higher is more alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// Who.
    pub user: UserId,
    /// 1 - distance to the mean of the person's templates.
    pub similarity: f32,
}

/// The largest distance that still counts as the same person; lower is stricter.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Threshold(f32);

/// The number is no usable threshold.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("a threshold is a distance from {} to {}", Threshold::MIN, Threshold::MAX)]
pub struct InvalidThreshold;

impl Threshold {
    /// Strictest threshold accepted.
    pub const MIN: f32 = 0.2;
    /// Most lenient threshold accepted.
    pub const MAX: f32 = 0.9;

    /// A distance within [`Self::MIN`]`..=`[`Self::MAX`].
    ///
    /// # Errors
    /// [`InvalidThreshold`] otherwise, also for `NaN`.
    pub fn from_distance(distance: f32) -> Result<Self, InvalidThreshold> {
        if (Self::MIN..=Self::MAX).contains(&distance) { Ok(Self(distance)) } else { Err(InvalidThreshold) }
    }

    /// As a distance.
    #[must_use]
    pub const fn distance(self) -> f32 {
        self.0
    }

    /// As the least similarity.
    #[must_use]
    pub fn similarity(self) -> f32 {
        1.0 - self.0
    }
}

/// Measured false match rates of a recognizer: `(similarity, FMR)`, rising in similarity, falling in rate.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FmrTable(Vec<(f32, f64)>);

/// The rows are not a table of false match rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("similarities must rise and rates fall, each rate between 0 and 1")]
pub struct InvalidFmrTable;

impl FmrTable {
    /// Checks that similarity rises and the rate falls from row to row.
    ///
    /// # Errors
    /// [`InvalidFmrTable`] otherwise.
    pub fn new(rows: Vec<(f32, f64)>) -> Result<Self, InvalidFmrTable> {
        let sound = rows.iter().all(|(s, r)| s.is_finite() && *r > 0.0 && *r < 1.0)
            && rows.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 > w[1].1);
        if sound { Ok(Self(rows)) } else { Err(InvalidFmrTable) }
    }

    /// The rate at `similarity`, interpolated in its logarithm; clamped to the ends of what was measured.
    /// `None` for an empty table.
    #[must_use]
    pub fn fmr(&self, similarity: f32) -> Option<f64> {
        let (first, last) = (self.0.first()?, self.0.last()?);
        if similarity <= first.0 {
            return Some(first.1);
        }
        if similarity >= last.0 {
            return Some(last.1);
        }
        let above = self.0.partition_point(|row| row.0 <= similarity);
        let ((s0, r0), (s1, r1)) = (self.0[above - 1], self.0[above]);
        let share = f64::from((similarity - s0) / (s1 - s0));
        Some((r0.ln() + share * (r1.ln() - r0.ln())).exp())
    }

    /// The least similarity whose rate is at most `fmr`; `None` if nothing that strict was measured.
    #[must_use]
    pub fn similarity_for(&self, fmr: f64) -> Option<f32> {
        let at = self.0.iter().position(|row| row.1 <= fmr)?;
        let (s1, r1) = self.0[at];
        let Some(&(s0, r0)) = at.checked_sub(1).and_then(|before| self.0.get(before)) else {
            return Some(s1);
        };
        let share = (fmr.ln() - r0.ln()) / (r1.ln() - r0.ln());
        Some(s0 + (s1 - s0) * share as f32)
    }

    /// The strictest row.
    #[must_use]
    pub fn strictest(&self) -> Option<(f32, f64)> {
        self.0.last().copied()
    }
}

/// Chance that a stranger's search of `people` returns somebody: `1 - (1 - FMR)^N`, taking comparisons as
/// independent (ISO/IEC 19795-1, annex on the relation of 1:1 and 1:N rates).
#[must_use]
pub fn fpir(fmr: f64, people: usize) -> f64 {
    -((people as f64) * (-fmr).ln_1p()).exp_m1()
}

/// The FMR that keeps [`fpir`] at `target` with `people` enrolled.
#[must_use]
pub fn fmr_for(target: f64, people: usize) -> f64 {
    -((-target).ln_1p() / (people.max(1) as f64)).exp_m1()
}

/// The threshold in force for a gallery of some size, and what can be claimed for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OperatingPoint {
    /// Largest distance accepted.
    pub threshold: Threshold,
    /// People enrolled.
    pub people: usize,
    /// Estimated chance that a stranger matches somebody; `None` without a table.
    pub fpir: Option<f64>,
    /// Whether the measurements behind the table are large enough to claim the target rate. When not, the
    /// strictest measured threshold is used and the true rate is only known to be at most `fpir`.
    pub target_claimed: bool,
}

impl OperatingPoint {
    /// The stricter of the configured threshold and the one that holds `target_fpir` for `people`.
    #[must_use]
    pub fn new(configured: Threshold, table: &FmrTable, people: usize, target_fpir: f64) -> Self {
        let wanted = table.similarity_for(fmr_for(target_fpir, people));
        let least = wanted.or(table.strictest().map(|row| row.0)).unwrap_or(0.0);
        let strict_enough = configured.similarity() >= least;
        let threshold = if strict_enough { configured } else { Threshold((1.0 - least).max(Threshold::MIN)) };
        let fpir = table.fmr(threshold.similarity()).map(|fmr| fpir(fmr, people));
        Self { threshold, people, fpir, target_claimed: fpir.is_some_and(|rate| rate <= target_fpir * 1.001) }
    }
}

/// What decides between the nearest people.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MatchPolicy {
    /// Largest distance accepted.
    pub threshold: Threshold,
    /// The second person must be at least this much less similar than the first.
    pub margin: f32,
}

/// The answer to "who is this?".
#[derive(Debug, Clone, PartialEq)]
pub enum Judgment {
    /// One person, clearly.
    Matched(Candidate),
    /// Two people look alike enough that nobody may be marked.
    Ambiguous {
        /// The most similar person.
        best: Candidate,
        /// The next one.
        second: Candidate,
    },
    /// Nobody of the gallery.
    Unknown {
        /// The most similar person, if the gallery is not empty.
        best: Option<Candidate>,
    },
    /// The picture is too poor to be searched.
    Rejected(Vec<Flaw>),
}

impl Judgment {
    /// The stable word for the result.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Matched(_) => "matched",
            Self::Ambiguous { .. } => "ambiguous",
            Self::Unknown { .. } => "unknown",
            Self::Rejected(_) => "rejected",
        }
    }

    /// The most similar person, whatever came of it.
    #[must_use]
    pub fn best(&self) -> Option<Candidate> {
        match self {
            Self::Matched(best) | Self::Ambiguous { best, .. } => Some(*best),
            Self::Unknown { best } => *best,
            Self::Rejected(_) => None,
        }
    }
}

/// Decides who the probe is from the nearest people, most similar first.
///
/// A similarity that is not a number matches nobody.
#[must_use]
pub fn judge(candidates: &[Candidate], flaws: &[Flaw], policy: &MatchPolicy) -> Judgment {
    if !flaws.is_empty() {
        return Judgment::Rejected(flaws.to_vec());
    }
    let Some(&best) = candidates.first() else {
        return Judgment::Unknown { best: None };
    };
    // Written so that NaN fails it. A distance is compared, as the setting is one.
    let near_enough = 1.0 - best.similarity <= policy.threshold.distance();
    if !near_enough {
        return Judgment::Unknown { best: Some(best) };
    }
    let Some(&second) = candidates.iter().find(|other| other.user != best.user) else {
        return Judgment::Matched(best);
    };
    // Written so that NaN fails this, too.
    let far_enough = best.similarity - second.similarity >= policy.margin;
    if far_enough { Judgment::Matched(best) } else { Judgment::Ambiguous { best, second } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn person(n: u128, similarity: f32) -> Candidate {
        Candidate { user: UserId::new(Uuid::from_u128(n)), similarity }
    }

    #[track_caller]
    fn check(candidates: &[Candidate], expected: &str) {
        let policy = MatchPolicy { threshold: Threshold::from_distance(0.55).unwrap(), margin: 0.05 };
        assert_eq!(judge(candidates, &[], &policy).name(), expected);
    }

    #[test]
    fn one_clearly_nearest_person_is_matched() {
        check(&[person(1, 0.70), person(2, 0.60)], "matched");
        check(&[person(1, 0.4501)], "matched");
    }

    #[test]
    fn probe_without_a_near_candidate_is_unknown() {
        check(&[], "unknown");
        check(&[person(1, 0.44)], "unknown");
        check(&[person(1, f32::NAN)], "unknown");
    }

    #[test]
    fn two_people_within_the_margin_are_ambiguous() {
        check(&[person(1, 0.60), person(2, 0.56)], "ambiguous");
        check(&[person(1, 0.60), person(2, f32::NAN)], "ambiguous");
    }

    #[test]
    fn the_margin_is_kept_to_another_person_only() {
        check(&[person(1, 0.60), person(1, 0.59), person(2, 0.30)], "matched");
    }

    #[test]
    fn a_poor_picture_is_rejected_with_its_reasons() {
        let policy = MatchPolicy { threshold: Threshold::from_distance(0.55).unwrap(), margin: 0.05 };
        let judgment = judge(&[person(1, 0.9)], &[Flaw::LowSharpness], &policy);
        assert_eq!(judgment, Judgment::Rejected(vec![Flaw::LowSharpness]));
    }

    #[test]
    fn thresholds_are_distances_in_a_sane_range() {
        for bad in [0.0, 0.19, 0.91, 1.5, -1.0, f32::NAN] {
            assert!(Threshold::from_distance(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_operating_point_grows_stricter_with_the_gallery() {
        let table = FmrTable::new(vec![(0.32, 1e-3), (0.402, 1e-4), (0.46, 1e-5)]).unwrap();
        let configured = Threshold::from_distance(0.68).unwrap();
        let small = OperatingPoint::new(configured, &table, 10, 0.01);
        let large = OperatingPoint::new(configured, &table, 500, 0.01);
        assert!(small.threshold > large.threshold);
        assert!(small.target_claimed && large.target_claimed);
        assert!(large.fpir.unwrap() <= 0.0101);
        let huge = OperatingPoint::new(configured, &table, 1_000_000, 0.01);
        assert!(!huge.target_claimed, "the table ends before the target");
        assert!((huge.threshold.similarity() - 0.46).abs() < 1e-6);
    }

    #[test]
    fn a_stricter_setting_wins_over_the_target() {
        let table = FmrTable::new(vec![(0.32, 1e-3), (0.46, 1e-5)]).unwrap();
        let configured = Threshold::from_distance(0.4).unwrap();
        assert_eq!(OperatingPoint::new(configured, &table, 10, 0.01).threshold, configured);
    }
}
