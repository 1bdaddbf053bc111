//! Some people of one segment as parallel arrays: what a write copies, and what a scan runs through.

use rollcall_domain::id::UserId;

use crate::code::{Code, Measure, decode};

/// People per chunk. A write copies one or two chunks, of half a megabyte for 128 components and two for
/// 512; smaller ones would make the scan of large galleries slower.
pub(crate) const CAPACITY: usize = 1024;

/// One person under one model.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// Who.
    pub(crate) user: UserId,
    /// The change this row comes from.
    pub(crate) number: u64,
    /// Templates that went into the mean.
    pub(crate) templates: u32,
    /// The mean.
    pub(crate) code: Code,
}

/// Up to [`CAPACITY`] rows of `dim` components.
#[derive(Debug, Clone)]
pub(crate) struct Chunk {
    dim: usize,
    pub(crate) users: Vec<UserId>,
    pub(crate) numbers: Vec<u64>,
    pub(crate) templates: Vec<u32>,
    /// `rows * dim` bytes, row after row.
    pub(crate) bytes: Vec<i8>,
    pub(crate) measures: Vec<Measure>,
    low: Vec<[u8; 3]>,
    top: Vec<u8>,
    /// Where each row ends in `top`.
    ends: Vec<u32>,
}

impl Chunk {
    pub(crate) fn new(dim: usize) -> Self {
        Self {
            dim,
            users: Vec::new(),
            numbers: Vec::new(),
            templates: Vec::new(),
            bytes: Vec::new(),
            measures: Vec::new(),
            low: Vec::new(),
            top: Vec::new(),
            ends: Vec::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.users.len()
    }

    pub(crate) fn push(&mut self, row: Row) {
        // Room for exactly one full chunk: growing by doubling would keep up to twice the memory.
        let missing = CAPACITY - self.len();
        self.users.reserve_exact(missing);
        self.numbers.reserve_exact(missing);
        self.templates.reserve_exact(missing);
        self.measures.reserve_exact(missing);
        self.ends.reserve_exact(missing);
        self.bytes.reserve_exact(missing * self.dim);
        self.low.reserve_exact(missing * self.dim);

        self.users.push(row.user);
        self.numbers.push(row.number);
        self.templates.push(row.templates);
        self.measures.push(row.code.measure);
        self.bytes.extend_from_slice(&row.code.bytes);
        self.low.extend_from_slice(&row.code.low);
        self.top.extend_from_slice(&row.code.top);
        self.ends.push(self.top.len() as u32);
    }

    /// Takes the last row out; `None` from an empty chunk.
    pub(crate) fn pop(&mut self) -> Option<Row> {
        let top = self.top_range(self.len().checked_sub(1)?);
        self.ends.pop()?;
        Some(Row {
            user: self.users.pop()?,
            number: self.numbers.pop()?,
            templates: self.templates.pop()?,
            code: Code {
                measure: self.measures.pop()?,
                bytes: self.bytes.split_off(self.bytes.len() - self.dim),
                low: self.low.split_off(self.low.len() - self.dim),
                top: self.top.split_off(top.start),
            },
        })
    }

    /// Puts `row` in the place of row `at`.
    pub(crate) fn replace(&mut self, at: usize, row: Row) {
        let (components, top) = (at * self.dim..(at + 1) * self.dim, self.top_range(at));
        self.users[at] = row.user;
        self.numbers[at] = row.number;
        self.templates[at] = row.templates;
        self.measures[at] = row.code.measure;
        self.bytes[components.clone()].copy_from_slice(&row.code.bytes);
        self.low[components].copy_from_slice(&row.code.low);
        let (before, after) = (top.len() as u32, row.code.top.len() as u32);
        self.top.splice(top, row.code.top);
        self.ends[at..].iter_mut().for_each(|end| *end = *end - before + after);
    }

    /// Writes the exact vector of row `at` into `vector`.
    pub(crate) fn decode(&self, at: usize, vector: &mut Vec<f32>) {
        let components = at * self.dim..(at + 1) * self.dim;
        let (bytes, low) = (&self.bytes[components.clone()], &self.low[components]);
        decode(bytes, low, &self.top[self.top_range(at)], self.measures[at].scale, vector);
    }

    fn top_range(&self, at: usize) -> std::ops::Range<usize> {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        start as usize..self.ends[at] as usize
    }
}
