//! The bytes of a report.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use actix_web::web::Bytes;
use futures_util::{Stream, stream};

use crate::problem::Problem;

/// How many people are still to be read.
pub(super) type Remaining = Arc<AtomicUsize>;

/// Bytes, made while they are read.
pub(crate) type Body = Pin<Box<dyn Stream<Item = Result<Bytes, Problem>> + Send>>;

/// Bytes that are all there.
pub(super) fn whole(bytes: Bytes) -> Body {
    Box::pin(stream::iter([Ok(bytes)]))
}
