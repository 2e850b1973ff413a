//! What do differences between arms mean?
//!
//! Arms are compared pair by pair: seed with seed, example with example. Verdicts follow from [`t_interval`] and
//! [`holm`], whose error rates are known; [`paired_bootstrap`] and [`sign_flip`] look at the same differences without the
//! assumption that they are normal.

mod beta;
mod bootstrap;
mod delta_m;
mod examples;
mod holm;
mod rank;
mod sign_flip;
mod t;
mod verdict;

pub use bootstrap::paired_bootstrap;
pub use delta_m::{Measured, delta_m, relative_gain};
pub use examples::{Pair, example_bootstrap};
pub use holm::holm;
pub use rank::{kendall, spearman};
pub use sign_flip::sign_flip;
pub use t::{Interval, Paired, t_interval};
pub use verdict::{Comparison, SEEDS_MIN, Verdict, compare};
