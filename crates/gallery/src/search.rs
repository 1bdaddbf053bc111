//! The search: scan everybody's bytes, then settle with exact vectors whatever the bounds leave open.
//!
//! The k-th best *least* similarity seen so far is a floor: whoever's *greatest* similarity is below it
//! cannot be among the k nearest. The few above it are computed exactly, in the order of operations of
//! `Template::similarity`, so the answer is the plain loop's to the last bit.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use pulp::{Simd, WithSimd};
use rollcall_domain::face::Template;
use rollcall_domain::matching::Candidate;

use crate::bounds::Probe;
use crate::chunk::{CAPACITY, Chunk};
use crate::segment::Segment;

/// Finds the `k` people of `segment` most similar to `probe`, which must fit its key.
pub(crate) fn nearest(segment: &Segment, probe: &Template, k: usize) -> Vec<Candidate> {
    if k == 0 {
        return Vec::new();
    }
    let probe = Probe::new(probe.embedding.values(), probe.metric);
    let mut candidates: Vec<Candidate> = shortlist(segment, &probe, k);
    candidates.retain(|candidate| !candidate.similarity.is_nan());
    candidates.sort_unstable_by(|a, b| {
        b.similarity.partial_cmp(&a.similarity).unwrap_or(Ordering::Equal).then(a.user.cmp(&b.user))
    });
    candidates.truncate(k);
    candidates
}

/// Lists everybody who could be among the `k` nearest, with the exact similarity; in no order.
fn shortlist(segment: &Segment, probe: &Probe<'_>, k: usize) -> Vec<Candidate> {
    let arch = pulp::Arch::new();
    let mut floor = Floor::new(k.min(segment.len()));
    let mut open: Vec<(f32, usize, usize)> = Vec::new();
    let (mut products, mut greatest) = ([0_i32; CAPACITY], [0_f32; CAPACITY]);
    for (number, chunk) in segment.chunks.iter().enumerate() {
        let (products, greatest) = (&mut products[..chunk.len()], &mut greatest[..chunk.len()]);
        arch.dispatch(Scan { probe, chunk, products: &mut *products, greatest: &mut *greatest });
        for (at, &greatest) in greatest.iter().enumerate() {
            // A bound that is not a number rules nobody out.
            let ruled_out = greatest < floor.value;
            if !ruled_out {
                floor.offer(probe.bounds(products[at], chunk.measures[at]).0);
                open.push((greatest, number, at));
            }
        }
    }
    open.retain(|&(greatest, ..)| {
        let ruled_out = greatest < floor.value;
        !ruled_out
    });
    let mut vector = Vec::with_capacity(segment.key.dim);
    let settle = |(_, number, at): (f32, usize, usize)| {
        let chunk: &Chunk = &segment.chunks[number];
        chunk.decode(at, &mut vector);
        Candidate { user: chunk.users[at], similarity: probe.similarity(&vector) }
    };
    open.into_iter().map(settle).collect()
}

/// One chunk to scan: the byte products of its rows, and the greatest similarities they allow.
struct Scan<'a> {
    probe: &'a Probe<'a>,
    chunk: &'a Chunk,
    products: &'a mut [i32],
    greatest: &'a mut [f32],
}

impl WithSimd for Scan<'_> {
    type Output = ();

    /// Runs plain loops, compiled once for each instruction set that `pulp` knows. That takes inlining down
    /// to the last call, and sums that do not depend on their order, which those of integers do not.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { probe, chunk, products, greatest } = self;
        // Where the length is known, the loop over a row is unrolled: worth a third of the time.
        match probe.codes.len() {
            128 => multiply::<128>(&probe.codes, &chunk.bytes, products),
            512 => multiply::<512>(&probe.codes, &chunk.bytes, products),
            dim => {
                for (product, row) in products.iter_mut().zip(chunk.bytes.chunks_exact(dim)) {
                    *product = dot(&probe.codes, row);
                }
            }
        }
        for ((greatest, product), measure) in greatest.iter_mut().zip(products).zip(&chunk.measures) {
            *greatest = probe.bounds(*product, *measure).1;
        }
    }
}

#[inline(always)]
fn multiply<const DIM: usize>(probe: &[i16], bytes: &[i8], products: &mut [i32]) {
    let Ok(probe) = <&[i16; DIM]>::try_from(probe) else { return };
    for (product, row) in products.iter_mut().zip(bytes.as_chunks::<DIM>().0) {
        *product = dot(probe, row);
    }
}

#[inline(always)]
fn dot(probe: &[i16], row: &[i8]) -> i32 {
    probe.iter().zip(row).map(|(p, q)| i32::from(*p) * i32::from(*q)).sum()
}

/// The k-th largest number offered so far.
struct Floor {
    k: usize,
    value: f32,
    largest: BinaryHeap<Reverse<Total>>,
}

impl Floor {
    fn new(k: usize) -> Self {
        Self { k, value: f32::NEG_INFINITY, largest: BinaryHeap::with_capacity(k + 1) }
    }

    fn offer(&mut self, number: f32) {
        // Also false for what is not a number.
        if number > self.value {
            self.largest.push(Reverse(Total(number)));
            if self.largest.len() > self.k {
                self.largest.pop();
            }
            if self.largest.len() == self.k
                && let Some(Reverse(Total(smallest))) = self.largest.peek()
            {
                self.value = *smallest;
            }
        }
    }
}

/// A float in its total order.
struct Total(f32);

impl Ord for Total {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Total {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Total {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Total {}
