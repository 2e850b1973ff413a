//! What if a decoder that is not ours panics over damaged data?
//!
//! It is caught, and becomes an error. A program that tells of panics asks [`active`] first, so that what was caught is not
//! told.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// Whether a panic of this thread would be caught by `caught`.
pub fn active() -> bool {
    DEPTH.get() > 0
}

/// What `decode` returns; none where it panics.
pub(crate) fn caught<T>(decode: impl FnOnce() -> T) -> Option<T> {
    DEPTH.set(DEPTH.get() + 1);
    let decoded = catch_unwind(AssertUnwindSafe(decode));
    DEPTH.set(DEPTH.get() - 1);
    decoded.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_caught_and_known_to_be() {
        assert!(!active());
        assert_eq!(caught(|| (active(), caught(active))), Some((true, Some(true))));
        assert_eq!(caught(|| -> u8 { panic!("of a decoder") }), None);
        assert!(!active());
    }
}
