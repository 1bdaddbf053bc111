//! The face index, in memory: who is nearest, exactly.
//!
//! | File | Idea |
//! |---|---|
//! | `gallery` | [`Gallery`]: readers see immutable snapshots, writers take turns |
//! | `segment` | everybody under one model, in chunks that are copied when written |
//! | `chunk` | some people as parallel arrays |
//! | `code` | a vector as bytes to scan and the bits that make it exact again |
//! | `bounds` | what a scanned byte product says about the true similarity |
//! | `search` | scan the bytes, then settle with exact vectors whatever the bounds leave open |
#![doc = include_str!("../README.md")]

mod bounds;
mod chunk;
mod code;
mod gallery;
mod search;
mod segment;

pub use gallery::Gallery;
