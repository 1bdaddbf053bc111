//! What the product of a probe's and a person's bytes says about their true similarity.
//!
//! With the probe `p = p' + dp` and the vector `x = x' + dx`, where `p'` and `x'` are what the bytes stand
//! for, `|p.x - p'.x'| = |p.dx + dp.x'| <= |p| |dx| + |dp| (|x| + |dx|)` by Cauchy-Schwarz. The byte product
//! `p'.x'` is an integer and exact. On top comes what `f32` arithmetic may lose, both here and in the plain
//! loop whose answer must be reproduced: at most `n` roundings of a sum of `n` products (Higham, *Accuracy
//! and Stability of Numerical Algorithms*, section 3.1).

use rollcall_domain::face::Metric;

use crate::code::{Measure, at_least};

/// Largest probe code. Products with a signed byte, summed over the 4096 components an embedding has at
/// most, stay within an `i32`: 2047 * 127 * 4096 = 1 064 841 216.
const MOST: f32 = 2047.0;

/// A probe, ready to be compared.
pub(crate) struct Probe<'a> {
    /// The exact vector.
    pub(crate) vector: &'a [f32],
    /// How its similarity to another is defined.
    pub(crate) metric: Metric,
    /// 12-bit codes, one per component.
    pub(crate) codes: Vec<i16>,
    measure: Measure,
    /// Relative loss of `f32` arithmetic on this many components, and on the bounds themselves.
    rounding: f32,
}

impl<'a> Probe<'a> {
    pub(crate) fn new(vector: &'a [f32], metric: Metric) -> Self {
        let scale = vector.iter().fold(0.0_f32, |most, x| most.max(x.abs())) / MOST;
        let codes: Vec<i16> = vector.iter().map(|x| (x / scale).round().clamp(-MOST, MOST) as i16).collect();
        let residual = |(x, q): (&f32, &i16)| (f64::from(*x) - f64::from(*q) * f64::from(scale)).powi(2);
        let error = at_least(vector.iter().zip(&codes).map(residual).sum::<f64>().sqrt());
        let norm = at_least(vector.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt());
        // Twice the unit roundoff per addition, and as much again as 16 of them for the few steps here.
        let rounding = (vector.len() + 16) as f32 * f32::EPSILON;
        Self { vector, metric, codes, measure: Measure { scale, error, norm }, rounding }
    }

    /// Returns the `(least, greatest)` similarity that the exact vectors can have, given the product of their
    /// codes. A bound that cannot be computed in `f32` is not a number, or infinite on the safe side.
    #[inline(always)]
    pub(crate) fn bounds(&self, product: i32, other: Measure) -> (f32, f32) {
        /// More than the products lost to underflow can add up to.
        const UNDERFLOW: f32 = 1e-18;
        let own = self.measure;
        let dot = product as f32 * (own.scale * other.scale);
        let quantized = own.norm * other.error + own.error * (other.norm + other.error);
        match self.metric {
            Metric::Cosine => {
                let error = quantized + self.rounding * own.norm * other.norm + UNDERFLOW;
                (dot - error, dot + error)
            }
            Metric::Euclidean => {
                let both = own.norm + other.norm;
                let square = own.norm * own.norm + other.norm * other.norm - 2.0 * dot;
                let error = 2.0 * quantized + self.rounding * both * both + UNDERFLOW;
                let (far, near) = ((square + error).sqrt(), (square - error).max(0.0).sqrt());
                // 1 - d is rounded too.
                let (more, less) = (1.0 + self.rounding, 1.0 - self.rounding);
                (1.0 - far * more - self.rounding, 1.0 - near * less + self.rounding)
            }
        }
    }

    /// Computes exactly what `Template::similarity` computes, to the last bit.
    pub(crate) fn similarity(&self, other: &[f32]) -> f32 {
        let pairs = self.vector.iter().zip(other);
        match self.metric {
            Metric::Cosine => pairs.map(|(x, y)| x * y).sum(),
            Metric::Euclidean => 1.0 - pairs.map(|(x, y)| (x - y).powi(2)).sum::<f32>().sqrt(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::Code;
    use proptest::prelude::*;

    fn within(probe: &[f32], other: &[f32], metric: Metric) -> Result<f32, TestCaseError> {
        let (probe, code) = (Probe::new(probe, metric), Code::new(other));
        let product = probe.codes.iter().zip(&code.bytes).map(|(p, q)| i32::from(*p) * i32::from(*q)).sum();
        let (least, greatest) = probe.bounds(product, code.measure);
        let exact = probe.similarity(other);
        // Written as the search uses them: what is not a number excludes nothing.
        let (above, below) = (greatest < exact, least > exact);
        prop_assert!(!above && !below, "{exact} outside {least}..={greatest}");
        Ok(greatest - least)
    }

    proptest! {
        #[test]
        fn the_exact_similarity_lies_within_the_bounds(
            pairs in prop::collection::vec((-1.0_f32..1.0, -1.0_f32..1.0), 1..300),
            euclidean: bool,
        ) {
            let (a, b): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
            within(&a, &b, if euclidean { Metric::Euclidean } else { Metric::Cosine })?;
        }

        #[test]
        fn numbers_of_any_size_keep_within_the_bounds(
            pairs in prop::collection::vec((any::<f32>(), any::<f32>()), 1..50),
        ) {
            let (a, b): (Vec<f32>, Vec<f32>) =
                pairs.into_iter().filter(|(x, y)| x.is_finite() && y.is_finite()).unzip();
            within(&a, &b, Metric::Euclidean)?;
        }
    }

    #[test]
    fn the_bounds_are_narrow_enough_to_be_useful() {
        for dim in [128, 512] {
            let wave = |f: f32| (0..dim).map(|i| (i as f32 * f).sin() / (dim as f32 / 2.0).sqrt()).collect();
            let (a, b): (Vec<f32>, Vec<f32>) = (wave(0.7), wave(1.3));
            assert!(within(&a, &b, Metric::Cosine).unwrap() < 0.02);
        }
    }
}
