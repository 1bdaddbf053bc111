//! On the photographs of `../shared/faces`, with the models of `../shared/models`: the packs open,
//! insightface-small and dlib. Where these are not, `cargo xtask test` leaves this module out and says so.

mod decoding;
mod dlib;
mod engine;
mod golden;
mod hard;
mod packs;
mod pictures;
mod turned;
