//! What dlib computed of a face, as Flask systems keep it: JSON text, the bytes of an array, a `.npy` file, or one
//! of these in base64. A pure function that trusts no byte.

/// Numbers of an encoding.
pub const COMPONENTS: usize = 128;

/// Most encodings in one value.
const MOST: usize = 100;

/// Norms that dlib's network produces: 1.29 to 1.58 on photographs, with room on both sides. Vectors that were
/// normalized, or come from another network, lie outside.
const NORMS: std::ops::RangeInclusive<f64> = 1.1..=1.8;

/// Why a value is no encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAnEncoding {
    /// Python's own format, which is a program.
    #[error(
        "is a pickle, which is a program and is not run. In the old system, replace it by \
         json.dumps(pickle.loads(value).tolist()) and import again"
    )]
    Pickle,
    /// Nothing that is known.
    #[error("is neither JSON, nor an array's bytes, nor .npy, nor base64 of these")]
    Unknown,
    /// A `.npy` file that cannot be read.
    #[error("is a .npy file of another kind than float64 or float32 in rows")]
    Npy,
    /// Another number of numbers.
    #[error("does not have 128 numbers")]
    Length,
    /// Not a number, or infinite.
    #[error("has components that are no numbers")]
    NotFinite,
    /// Of a length that dlib does not produce.
    #[error(
        "has a norm that dlib's network does not produce; it comes from another network or was normalized"
    )]
    Norm,
}

/// Reads the encodings of one value: nearly always one, several where a system keeps all of a person together.
///
/// # Errors
/// [`NotAnEncoding`] saying what is wrong with it, or with the first of several that is wrong.
pub fn parse(value: &[u8]) -> Result<Vec<Vec<f32>>, NotAnEncoding> {
    let numbers = match plain(value) {
        // Base64 within base64 is nobody's habit.
        Err(NotAnEncoding::Unknown) => plain(&base64(value).ok_or(NotAnEncoding::Unknown)?)?,
        other => other?,
    };
    if numbers.is_empty() || numbers.len() % COMPONENTS != 0 || numbers.len() > MOST * COMPONENTS {
        return Err(NotAnEncoding::Length);
    }
    numbers.chunks_exact(COMPONENTS).map(checked).collect()
}

fn checked(numbers: &[f64]) -> Result<Vec<f32>, NotAnEncoding> {
    if numbers.iter().any(|x| !x.is_finite()) {
        return Err(NotAnEncoding::NotFinite);
    }
    let norm = numbers.iter().map(|x| x * x).sum::<f64>().sqrt();
    if NORMS.contains(&norm) {
        Ok(numbers.iter().map(|x| *x as f32).collect())
    } else {
        Err(NotAnEncoding::Norm)
    }
}

/// All numbers of a value that is not base64, whatever their number.
fn plain(value: &[u8]) -> Result<Vec<f64>, NotAnEncoding> {
    if let Ok(text) = std::str::from_utf8(value)
        && text.trim_start().starts_with('[')
    {
        return json(text.trim());
    }
    if let Some(file) = value.strip_prefix(b"\x93NUMPY") {
        return npy(file);
    }
    if is_pickle(value) {
        return Err(NotAnEncoding::Pickle);
    }
    match value.len() {
        length if length == COMPONENTS * 8 => Ok(doubles(value)),
        length if length == COMPONENTS * 4 && std::str::from_utf8(value).is_err() => Ok(singles(value)),
        _ => Err(NotAnEncoding::Unknown),
    }
}

fn doubles(bytes: &[u8]) -> Vec<f64> {
    bytes.as_chunks().0.iter().map(|number| f64::from_le_bytes(*number)).collect()
}

fn singles(bytes: &[u8]) -> Vec<f64> {
    bytes.as_chunks().0.iter().map(|number| f64::from(f32::from_le_bytes(*number))).collect()
}

/// The binary protocols begin with a version and end with a full stop; the text protocols name what they build in
/// their first bytes.
fn is_pickle(value: &[u8]) -> bool {
    let binary = matches!(value, [0x80, 2..=5, .., b'.']);
    let text = [
        &b"(lp"[..],
        b"(dp",
        b"(cnumpy",
        b"cnumpy",
        b"ccopy_reg",
        b"c__builtin__",
        b"cbuiltins",
        b"]q",
        b"}q",
    ];
    binary || text.iter().any(|start| value.starts_with(start))
}

/// A list of numbers, or a list of lists of 128 numbers. Python writes `NaN` and `Infinity` where JSON has none; they
/// are read so that they can be told apart from a broken text.
fn json(text: &str) -> Result<Vec<f64>, NotAnEncoding> {
    let list = |text: &str| -> Option<Result<Vec<f64>, NotAnEncoding>> {
        let inside = text.trim().strip_prefix('[')?.strip_suffix(']')?;
        // A list that is longer than any encoding is not read to its end.
        if inside.contains(['[', ']']) || inside.bytes().filter(|b| *b == b',').count() >= COMPONENTS * MOST {
            return None;
        }
        Some(inside.split(',').map(number).collect())
    };
    let whole =
        text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).ok_or(NotAnEncoding::Unknown)?;
    if !whole.trim_start().starts_with('[') {
        return list(text).unwrap_or(Err(NotAnEncoding::Unknown));
    }
    let mut numbers = Vec::new();
    let mut rest = whole.trim();
    while let Some(end) = rest.find(']') {
        let row = list(&rest[..=end]).unwrap_or(Err(NotAnEncoding::Unknown))?;
        if row.len() != COMPONENTS || numbers.len() >= COMPONENTS * MOST {
            return Err(NotAnEncoding::Length);
        }
        numbers.extend(row);
        rest = rest[end + 1..].trim_start();
        match rest.strip_prefix(',') {
            Some(next) => rest = next.trim_start(),
            None if rest.is_empty() => return Ok(numbers),
            None => return Err(NotAnEncoding::Unknown),
        }
    }
    Err(NotAnEncoding::Unknown)
}

fn number(text: &str) -> Result<f64, NotAnEncoding> {
    let text = text.trim();
    let digits = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
    match text {
        "NaN" | "nan" | "Infinity" | "-Infinity" | "inf" | "-inf" | "null" => Ok(f64::NAN),
        _ if text.len() <= 40 && text.chars().all(digits) => text.parse().map_err(|_| NotAnEncoding::Unknown),
        _ => Err(NotAnEncoding::Unknown),
    }
}

/// What follows the magic of a `.npy` file: version, length of the header, header, numbers.
fn npy(file: &[u8]) -> Result<Vec<f64>, NotAnEncoding> {
    let broken = NotAnEncoding::Npy;
    let (version, rest) = file.split_first_chunk::<2>().ok_or(broken)?;
    let (length, rest) = match version[0] {
        1 => {
            let (length, rest) = rest.split_first_chunk::<2>().ok_or(broken)?;
            (usize::from(u16::from_le_bytes(*length)), rest)
        }
        2 | 3 => {
            let (length, rest) = rest.split_first_chunk::<4>().ok_or(broken)?;
            (usize::try_from(u32::from_le_bytes(*length)).map_err(|_| broken)?, rest)
        }
        _ => return Err(broken),
    };
    let (header, data) = rest.split_at_checked(length).ok_or(broken)?;
    // Spaces are for people; without them the header's three entries can be searched for.
    let header: String = std::str::from_utf8(header)
        .map_err(|_| broken)?
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| if c == '"' { '\'' } else { c })
        .collect();
    let rows = shape(&header).ok_or(NotAnEncoding::Length)?;
    // In the order of columns a single row is the same.
    if header.contains("'fortran_order':True") && rows > 1 {
        return Err(broken);
    }
    let wide = header.contains("'descr':'<f8'");
    if !wide && !header.contains("'descr':'<f4'") {
        // An array of Python objects is a pickle inside.
        return Err(if header.contains("'descr':'|O'") { NotAnEncoding::Pickle } else { broken });
    }
    if data.len() != rows * COMPONENTS * if wide { 8 } else { 4 } {
        return Err(NotAnEncoding::Length);
    }
    Ok(if wide { doubles(data) } else { singles(data) })
}

/// The number of encodings: 1 for `(128,)`, the first number of `(n,128)`.
fn shape(header: &str) -> Option<usize> {
    let (_, rest) = header.split_once("'shape':(")?;
    let (inside, _) = rest.split_once(')')?;
    match inside.split(',').filter(|part| !part.is_empty()).collect::<Vec<_>>()[..] {
        ["128"] => Some(1),
        [rows, "128"] => rows.parse().ok().filter(|rows| (1..=MOST).contains(rows)),
        _ => None,
    }
}

/// The bytes that a base64 text stands for, in either alphabet, with or without padding and line breaks.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut bits: u32 = 0;
    let mut count = 0;
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let mut ended = false;
    for byte in text.iter().filter(|byte| !byte.is_ascii_whitespace()) {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => {
                ended = true;
                continue;
            }
            _ => return None,
        };
        if ended {
            return None;
        }
        bits = bits << 6 | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    (!bytes.is_empty()).then_some(bytes)
}

#[cfg(test)]
mod tests;
