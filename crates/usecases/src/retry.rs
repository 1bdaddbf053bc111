//! Writing again what somebody else was faster with.

use rollcall_ports::store::StoreError;

/// A write that met another one is read, decided and tried again this often. Each time sees what the other one stored, so
/// the second time nearly always succeeds.
pub(crate) const RETRIES: usize = 16;

/// How something failed.
pub(crate) trait Met {
    /// Whether somebody else was faster, so that it can be tried again on what they left.
    fn another(&self) -> bool;
}

impl Met for StoreError {
    fn another(&self) -> bool {
        matches!(self, Self::Stale)
    }
}

/// For an error of a use-case that may be one of the store, next to which this stands.
macro_rules! met {
    ($error:ty) => {
        impl $crate::retry::Met for $error {
            fn another(&self) -> bool {
                matches!(self, Self::Store(error) if error.another())
            }
        }
    };
}

/// Reads, decides and writes in a block of its own, again for as long as somebody else is faster, up to [`RETRIES`] times, or as
/// often as is said. The block comes to a result; `return` and `?` leave one attempt.
///
/// A macro, because the future of an `async` closure is not known to be `Send` for every lifetime.
macro_rules! retry_stale {
    ($attempt:block) => {
        $crate::retry::retry_stale!($crate::retry::RETRIES, $attempt)
    };
    ($most:expr, $attempt:block) => {{
        let mut tried = 1;
        loop {
            match async { $attempt }.await {
                Err(error) if tried < $most && $crate::retry::Met::another(&error) => tried += 1,
                done => break done,
            }
        }
    }};
}

pub(crate) use {met, retry_stale};
