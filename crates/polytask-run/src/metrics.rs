//! What are the final scores of a run?

use indexmap::IndexMap;
use polytask_metrics::{Outcomes, TaskScores};
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

/// `outcomes.json`: what each example of a split came to under the kept model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExampleOutcomes {
    /// Version of the format.
    pub format: u32,
    /// `test`, and `valid` for tasks whose datasets have no test examples.
    pub splits: IndexMap<String, IndexMap<String, Outcomes>>,
}

impl ExampleOutcomes {
    /// Outcomes of tasks on test data, and on validation data of those that have no test data.
    pub fn new(format: u32, valid: IndexMap<String, Outcomes>, test: IndexMap<String, Outcomes>) -> ExampleOutcomes {
        let untested = |task: &String| !test.contains_key(task);
        let valid = valid.into_iter().filter(|(task, _)| untested(task)).collect();
        let splits: [(&str, IndexMap<String, Outcomes>); 2] = [("valid", valid), ("test", test)];
        let splits = splits.into_iter().filter(|(_, tasks)| !tasks.is_empty());
        ExampleOutcomes { format, splits: splits.map(|(name, tasks)| (name.to_owned(), tasks)).collect() }
    }

    /// What a task's examples came to on a split.
    pub fn of(&self, task: &str, split: &str) -> Option<&Outcomes> {
        self.splits.get(split)?.get(task)
    }
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
