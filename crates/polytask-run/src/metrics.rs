//! What are the final scores of a run?

use indexmap::IndexMap;
use polytask_metrics::TaskScores;
use serde::{Deserialize, Serialize};

/// Scores by task on one split.
pub type SplitScores = IndexMap<String, TaskScores>;

/// `metrics.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Version of the format.
    pub format: u32,
    /// Which model was kept, and why.
    pub kept: Kept,
    /// Each task's best validation score at any epoch, beside the kept model's.
    pub best: IndexMap<String, Best>,
    /// Scores of the kept model: `valid`, and `test` where there is one.
    pub splits: IndexMap<String, SplitScores>,
}

/// Which model was kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// Its epoch, counted from 1.
    pub epoch: usize,
    /// Epochs trained in all.
    pub epochs: usize,
    /// The criterion, `worst-regret` or `mean`.
    pub criterion: String,
    /// The criterion's value.
    pub value: f64,
}

/// A task's best validation score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// The metric that decides.
    pub metric: String,
    /// Its best value.
    pub value: f64,
    /// The epoch of the best value, counted from 1.
    pub epoch: usize,
    /// The kept model's value.
    pub kept: f64,
}
