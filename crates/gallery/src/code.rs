//! A vector as one byte per component, and the other three bytes that make it exact again.
//!
//! A component `x` is coded as `q = round(x / scale)`, one signed byte. The scan reads only these. The
//! exact `f32` is not kept a second time: its low 24 bits are stored, and its top 8 (sign and high
//! exponent) follow from `q`. With `q != 0`, `x` lies within a factor of two of `q * scale`, while numbers
//! that share their low 24 bits are a factor of four apart. Where `q == 0` nothing follows, so the top byte
//! is stored too; that is about one component in a hundred. A vector thus takes little more than the 4
//! bytes a component that it takes as `f32`.

/// Largest code; the scale maps the largest component to it.
const MOST: f32 = 127.0;

/// An encoded vector of `dim` components.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Code {
    /// Signed bytes, one per component.
    pub(crate) bytes: Vec<i8>,
    /// Low 24 bits of each component, little-endian.
    pub(crate) low: Vec<[u8; 3]>,
    /// Top 8 bits of each component whose byte is 0, in order.
    pub(crate) top: Vec<u8>,
    /// What the scan needs to know of the vector as a whole.
    pub(crate) measure: Measure,
}

/// How the bytes of a vector relate to the vector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Measure {
    /// A byte times this approximates the component.
    pub(crate) scale: f32,
    /// At least the Euclidean length of what the bytes leave out.
    pub(crate) error: f32,
    /// At least the Euclidean length of the vector.
    pub(crate) norm: f32,
}

impl Code {
    /// Encodes a vector, without loss.
    pub(crate) fn new(vector: &[f32]) -> Self {
        let scale = vector.iter().fold(0.0_f32, |most, x| most.max(x.abs())) / MOST;
        let mut code = Self {
            bytes: Vec::with_capacity(vector.len()),
            low: Vec::with_capacity(vector.len()),
            top: Vec::new(),
            measure: Measure { scale, error: 0.0, norm: 0.0 },
        };
        let (mut error, mut norm) = (0.0_f64, 0.0_f64);
        for &x in vector {
            let [low0, low1, low2, top] = x.to_bits().to_le_bytes();
            let low = [low0, low1, low2];
            let rounded = (x / scale).round().clamp(-MOST, MOST) as i8;
            // Rounding at the edge of a code's range could defeat the reconstruction, so it is tried.
            let byte = if restore(rounded, low, scale) == x.to_bits() { rounded } else { 0 };
            if byte == 0 {
                code.top.push(top);
            }
            code.bytes.push(byte);
            code.low.push(low);
            error += (f64::from(x) - f64::from(byte) * f64::from(scale)).powi(2);
            norm += f64::from(x).powi(2);
        }
        code.measure.error = at_least(error.sqrt());
        code.measure.norm = at_least(norm.sqrt());
        code
    }
}

/// Writes the exact vector into `vector`.
pub(crate) fn decode(bytes: &[i8], low: &[[u8; 3]], top: &[u8], scale: f32, vector: &mut Vec<f32>) {
    let mut top = top.iter();
    vector.clear();
    vector.extend(bytes.iter().zip(low).map(|(&byte, &low)| {
        f32::from_bits(match byte {
            0 => u32::from_le_bytes([low[0], low[1], low[2], top.next().copied().unwrap_or_default()]),
            _ => restore(byte, low, scale),
        })
    }));
}

/// Restores the bits of the `f32` nearest to `byte * scale` on the logarithmic scale, among those with these
/// low 24 bits. The bits of a float grow like its logarithm, so "nearest" is the wrapped difference of 24
/// bits.
fn restore(byte: i8, low: [u8; 3], scale: f32) -> u32 {
    let guess = (f32::from(byte) * scale).to_bits();
    let low = u32::from_le_bytes([low[0], low[1], low[2], 0]);
    let difference = (low.wrapping_sub(guess) << 8).cast_signed() >> 8;
    guess.wrapping_add_signed(difference)
}

/// Returns an `f32` that is not below `x`.
pub(crate) fn at_least(x: f64) -> f32 {
    (x as f32).next_up()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn there_and_back(vector: &[f32]) -> Vec<f32> {
        let code = Code::new(vector);
        let mut back = Vec::new();
        decode(&code.bytes, &code.low, &code.top, code.measure.scale, &mut back);
        back
    }

    #[track_caller]
    fn check(vector: &[f32]) {
        let bits = |v: &[f32]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&there_and_back(vector)), bits(vector));
    }

    #[test]
    fn awkward_numbers_come_back_exactly() {
        check(&[0.0, -0.0, 1.0, -1.0]);
        check(&[f32::MIN_POSITIVE, 1e-45, -1e-45, 0.5, -0.25]);
        check(&[f32::MAX, f32::MIN, 1.0]);
        check(&[1e-45, -1e-45]);
        check(&[127.0, 0.5, 0.499_999_97, -0.5, 1.5, 63.5]);
        check(&[0.0, 0.0]);
    }

    proptest! {
        #[test]
        fn every_vector_comes_back_exactly(vector in prop::collection::vec(any::<u32>(), 1..40)) {
            let finite: Vec<f32> = vector.into_iter().map(f32::from_bits).filter(|x| x.is_finite()).collect();
            check(&finite);
        }

        #[test]
        fn ordinary_vectors_come_back_exactly(vector in prop::collection::vec(-1.0_f32..1.0, 1..200)) {
            check(&vector);
        }

        #[test]
        fn the_error_covers_what_the_bytes_leave_out(vector in prop::collection::vec(-1.0_f32..1.0, 1..200)) {
            let code = Code::new(&vector);
            let left_out = vector.iter().zip(&code.bytes)
                .map(|(x, q)| (f64::from(*x) - f64::from(*q) * f64::from(code.measure.scale)).powi(2))
                .sum::<f64>().sqrt();
            prop_assert!(left_out <= f64::from(code.measure.error));
        }
    }

    #[test]
    fn few_components_need_their_top_byte() {
        let vector: Vec<f32> = (0..512).map(|i| ((i * 37 % 101) as f32 - 50.0) / 50.0).collect();
        assert!(Code::new(&vector).top.len() < 16);
    }
}
