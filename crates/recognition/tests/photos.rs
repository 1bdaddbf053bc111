//! Real networks on real photos.

mod labeled;
mod support;
