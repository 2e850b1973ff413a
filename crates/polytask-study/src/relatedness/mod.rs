//! What do tasks have in common?
//!
//! [`linear_cka`] compares what two networks make of the same examples, [`group`] divides tasks over networks by what pairs of
//! tasks gain, [`fill()`] guesses the gains of pairs that were not trained, [`mean_cosines`] reads off a run's events how often tasks pulled against each other,
//! and [`mean_affinities`] what a step for one task did for another.

mod affinity;
mod cka;
mod cosines;
mod grouping;
mod predict;

pub use affinity::{PairAffinity, affinity_matrix, mean_affinities};
pub use cka::{Matrix, linear_cka};
pub use cosines::{PairCosine, mean_cosines, read_events};
pub use grouping::{EXACT_MAX, Grouping, Network, group, group_exactly, group_greedily, partition};
pub use predict::fill;
