//! Results in the order of the items, though they come in another: they wait in a temporary file.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use actix_web::web;

use crate::problem::Problem;

/// Bytes that are read at once, about.
const PIECE: usize = 64 << 10;

/// Where results wait, and where each of them is.
pub(super) struct Spool {
    /// In the hands of whoever reads or writes for the moment.
    file: Option<File>,
    /// Place and length by item; empty for one that has not come.
    places: Vec<(u64, u32)>,
    end: u64,
    next: usize,
}

impl Spool {
    /// An empty one for so many results.
    pub(super) fn new(results: usize) -> Result<Self, Problem> {
        let file = tempfile::tempfile().map_err(|error| failed(&error))?;
        Ok(Self { file: Some(file), places: vec![(0, 0); results], end: 0, next: 0 })
    }

    /// Adds results with the places of their items.
    pub(super) async fn add(&mut self, results: Vec<(usize, Vec<u8>)>) -> Result<(), Problem> {
        let mut bytes = Vec::new();
        for (item, result) in results {
            let place = (self.end + bytes.len() as u64, u32::try_from(result.len()).unwrap_or(u32::MAX));
            if let Some(known) = self.places.get_mut(item) {
                *known = place;
            }
            bytes.extend_from_slice(&result);
        }
        let (at, length) = (self.end, bytes.len() as u64);
        self.with(move |file| file.seek(SeekFrom::Start(at)).and_then(|_| file.write_all(&bytes))).await?;
        self.end += length;
        Ok(())
    }

    /// The next results in the order of their items, separated by commas; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>, Problem> {
        let (first, mut length) = (self.next, 0);
        while self.next < self.places.len() && length < PIECE {
            length += self.places[self.next].1 as usize + 1;
            self.next += 1;
        }
        if first == self.next {
            return Ok(None);
        }
        let wanted = self.places[first..self.next].to_vec();
        let read = move |file: &mut File| {
            let mut bytes = Vec::new();
            for (n, (at, length)) in wanted.into_iter().enumerate() {
                if first + n > 0 {
                    bytes.push(b',');
                }
                file.seek(SeekFrom::Start(at))?;
                Read::by_ref(file).take(u64::from(length)).read_to_end(&mut bytes)?;
            }
            Ok(bytes)
        };
        self.with(read).await.map(Some)
    }

    /// Does something with the file, off the threads that answer others.
    async fn with<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut File) -> io::Result<T> + Send + 'static,
    ) -> Result<T, Problem> {
        let mut file = self.file.take().ok_or_else(|| Problem::broken("the spool is closed"))?;
        let done = web::block(move || (work(&mut file), file)).await;
        let (done, file) = done.map_err(|_| Problem::broken("the spool was not worked on"))?;
        self.file = Some(file);
        done.map_err(|error| failed(&error))
    }
}

fn failed(error: &io::Error) -> Problem {
    Problem::broken(&format!("the spool failed: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn results_come_in_the_order_of_their_items() {
        let mut spool = Spool::new(3).unwrap();
        spool.add(vec![(2, b"three".to_vec())]).await.unwrap();
        spool.add(vec![(0, b"one".to_vec()), (1, vec![b'2'; PIECE])]).await.unwrap();
        let mut all = Vec::new();
        while let Some(bytes) = spool.next().await.unwrap() {
            all.extend(bytes);
        }
        let expected = [b"one,".as_slice(), &vec![b'2'; PIECE], b",three"].concat();
        assert!(all == expected);
    }
}
