//! dlib's serialization, item by item, from bytes nobody vouches for.
//!
//! Integers are one byte with the number of bytes that follow (its top bit is the sign) and the magnitude,
//! little-endian. Reals are two integers, mantissa and exponent of two. Text, lists and tensors say their
//! length first; it is compared with what is left of the file before anything is allocated.

use crate::DatError;

/// Longest name of a layer or loss; the longest known has 23 bytes.
const LONGEST_TEXT: usize = 64;

/// Bytes of the shortest integer, and of the shortest real (two integers).
pub(crate) const INTEGER: usize = 1;
pub(crate) const REAL: usize = 2 * INTEGER;

/// A position in a file.
#[derive(Clone)]
pub(crate) struct Reader<'a> {
    file: &'a str,
    bytes: &'a [u8],
    at: usize,
}

/// Raw numbers with four dimensions: samples, channels, rows, columns.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tensor {
    pub(crate) shape: [usize; 4],
    pub(crate) values: Vec<f32>,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(file: &'a str, bytes: &'a [u8]) -> Self {
        Self { file, bytes, at: 0 }
    }

    /// Returns an error that tells the present position.
    pub(crate) fn wrong(&self, what: impl Into<String>) -> DatError {
        let what = format!("{}, at byte {}", what.into(), self.at);
        DatError { file: self.file.to_owned(), what }
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// Reads `count` bytes.
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], DatError> {
        let left = &self.bytes[self.at..];
        let Some(taken) = left.get(..count) else {
            return Err(self.wrong(format!("{count} bytes are announced, {} are left", left.len())));
        };
        self.at += count;
        Ok(taken)
    }

    pub(crate) fn integer(&mut self) -> Result<i64, DatError> {
        let control = self.take(1)?[0];
        let (negative, length) = (control & 0x80 != 0, usize::from(control & 0x7F));
        if length > size_of::<u64>() {
            return Err(self.wrong(format!("an integer of {length} bytes")));
        }
        let magnitude =
            self.take(length)?.iter().rev().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        let Ok(magnitude) = i64::try_from(magnitude) else {
            return Err(self.wrong(format!("the integer {magnitude} is too large")));
        };
        Ok(if negative { -magnitude } else { magnitude })
    }

    /// Reads an integer that must be `expected`: a version this program knows.
    pub(crate) fn expect(&mut self, what: &str, expected: i64) -> Result<(), DatError> {
        let found = self.integer()?;
        if found == expected {
            Ok(())
        } else {
            Err(self.wrong(format!("{what} is {found} instead of {expected}")))
        }
    }

    /// Reads a size or an index: an integer from 0 to `most`.
    pub(crate) fn size(&mut self, what: &str, most: usize) -> Result<usize, DatError> {
        let found = self.integer()?;
        match usize::try_from(found) {
            Ok(size) if size <= most => Ok(size),
            _ => Err(self.wrong(format!("{what} is {found}, which is not from 0 to {most}"))),
        }
    }

    /// Reads how many items follow, each of `least` bytes or more. More than the rest of the file can hold is
    /// refused here, so that whoever allocates for them cannot be made to allocate much.
    pub(crate) fn count(&mut self, what: &str, least: usize) -> Result<usize, DatError> {
        let left = self.bytes.len() - self.at;
        self.size(&format!("the number of {what}"), left / least)
    }

    pub(crate) fn real(&mut self) -> Result<f64, DatError> {
        let (mantissa, exponent) = (self.integer()?, self.integer()?);
        // Far exponents stand for infinity and "not a number", which no model has a use for.
        let value =
            i32::try_from(exponent).map_or(f64::NAN, |exponent| mantissa as f64 * 2_f64.powi(exponent));
        if value.is_finite() { Ok(value) } else { Err(self.wrong("a number is not finite")) }
    }

    /// Reads a real that fits into single precision.
    pub(crate) fn float(&mut self) -> Result<f32, DatError> {
        let value = self.real()? as f32;
        if value.is_finite() { Ok(value) } else { Err(self.wrong("a number is too large")) }
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, DatError> {
        let length = self.size("the length of a name", LONGEST_TEXT)?;
        let bytes = self.take(length)?;
        std::str::from_utf8(bytes).map_err(|_| self.wrong("a name is not text"))
    }

    /// Reads one character, `0` or `1`.
    pub(crate) fn flag(&mut self) -> Result<(), DatError> {
        match self.take(1)? {
            b"0" | b"1" => Ok(()),
            _ => Err(self.wrong("a flag is neither 0 nor 1")),
        }
    }

    /// Reads a matrix as a flat list of `expected` numbers. The signs of rows and columns tell only whether
    /// they were fixed when dlib was compiled.
    pub(crate) fn matrix(&mut self, what: &str, expected: usize) -> Result<Vec<f32>, DatError> {
        let (rows, columns) = (self.integer()?.unsigned_abs(), self.integer()?.unsigned_abs());
        if rows.checked_mul(columns) != Some(expected as u64) {
            return Err(self.wrong(format!("{what} is {rows} x {columns} instead of {expected} numbers")));
        }
        if expected > (self.bytes.len() - self.at) / REAL {
            return Err(self.wrong(format!("{what} is longer than the file")));
        }
        (0..expected).map(|_| self.float()).collect()
    }

    pub(crate) fn tensor(&mut self) -> Result<Tensor, DatError> {
        self.expect("the version of a tensor", 2)?;
        let shape = self.shape()?;
        let bytes = product(&shape).and_then(|count| count.checked_mul(size_of::<f32>()));
        let Some(bytes) = bytes else { return Err(self.wrong(format!("a tensor of {shape:?}"))) };
        let (values, _) = self.take(bytes)?.as_chunks::<4>();
        let values: Vec<f32> = values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        if values.iter().any(|value| !value.is_finite()) {
            return Err(self.wrong("a tensor holds a number that is not finite"));
        }
        Ok(Tensor { shape, values })
    }

    /// Reads the shape of a part of a tensor; the numbers themselves are in that tensor.
    pub(crate) fn view(&mut self) -> Result<[usize; 4], DatError> {
        self.expect("the version of a view", 1)?;
        self.shape()
    }

    fn shape(&mut self) -> Result<[usize; 4], DatError> {
        let mut shape = [0; 4];
        for size in &mut shape {
            *size = self.size("a dimension", u32::MAX as usize)?;
        }
        Ok(shape)
    }
}

/// Counts the numbers of a shape; `None` when nobody could count them.
pub(crate) fn product(shape: &[usize; 4]) -> Option<usize> {
    shape.iter().try_fold(1_usize, |count, size| count.checked_mul(*size))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(bytes: &[u8]) -> Reader<'_> {
        Reader::new("a.dat", bytes)
    }

    #[test]
    fn integers_have_a_length_a_sign_and_little_endian_bytes() {
        for (bytes, value) in [
            (&[0_u8][..], 0),
            (&[1, 0], 0),
            (&[1, 80], 80),
            (&[0x81, 10], -10),
            (&[2, 0xC0, 0x04], 1216),
            (&[8, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], i64::MAX),
            (&[0x88, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], -i64::MAX),
        ] {
            assert_eq!(reader(bytes).integer().unwrap(), value, "{bytes:?}");
        }
        for bytes in
            [&[][..], &[1], &[9, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[8, 0, 0, 0, 0, 0, 0, 0, 0x80], &[0x7F]]
        {
            assert!(reader(bytes).integer().is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn reals_are_a_mantissa_and_a_power_of_two() {
        assert_eq!(reader(&[1, 3, 0x81, 1]).real().unwrap(), 1.5);
        assert_eq!(reader(&[0x81, 3, 1, 4]).real().unwrap(), -48.0);
        // The margin of the recognizer's loss as the file has it: single precision's 0.04.
        assert_eq!(reader(&[3, 0x0A, 0xD7, 0xA3, 0x81, 0x1C]).float().unwrap(), 0.04_f32);
        // dlib writes infinity and NaN with the exponents 32000 and 32002.
        for infinite in [[1, 0, 2, 0x00, 0x7D], [1, 1, 2, 0x02, 0x7D]] {
            assert!(reader(&infinite).real().is_err());
        }
        assert!(reader(&[1, 1, 8, 0, 0, 0, 0, 0, 0, 0, 1]).real().is_err());
        assert!(reader(&[1, 1, 2, 200, 0]).float().is_err(), "more than single precision holds");
    }

    #[test]
    fn announced_sizes_are_compared_with_what_is_left() {
        // 2^62 numbers, and dimensions whose product is more than can be counted.
        assert!(reader(&[8, 0, 0, 0, 0, 0, 0, 0, 0x40]).count("splits", 1).is_err());
        let huge = [1, 2, 4, 255, 255, 255, 255, 4, 255, 255, 255, 255, 4, 255, 255, 255, 255, 1, 1];
        assert!(reader(&huge).tensor().is_err());
        assert!(reader(&[1, 2, 4, 0, 0, 0, 16, 1, 1, 1, 1, 1, 1]).tensor().is_err());
        assert!(reader(&[1, 10, 1, 1, 0, 0]).matrix("a leaf", 10).is_err());
        assert!(reader(&[1, 100, b'a']).text().is_err());
        let error = reader(&[1, 5, b'a']).text().unwrap_err().to_string();
        assert_eq!(error, "a.dat is not as dlib writes it: 5 bytes are announced, 1 are left, at byte 2");
    }

    #[test]
    fn a_matrix_ignores_the_sign_of_its_size() {
        let bytes = [0x81, 2, 0x81, 1, 1, 1, 0, 1, 1, 1, 1];
        assert_eq!(reader(&bytes).matrix("a leaf", 2).unwrap(), [1.0, 2.0]);
    }
}
