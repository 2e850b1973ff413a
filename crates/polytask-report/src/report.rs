//! What does a report hold?

use indexmap::IndexMap;
use polytask_metrics::catalogue;
use polytask_run::{Environment, Status, Warning};
use serde::Serialize;

use crate::cost::Cost;
use crate::history::Epoch;
use crate::looks::{Balance, Looks};
use crate::scores::{Scores, SplitScores};

/// Version of the JSON form of a report.
pub const FORMAT: u32 = 1;

/// What was learned from a run; serialised, it is the report's JSON form.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Version of the format.
    pub format: u32,
    /// The run's name.
    pub name: String,
    /// How far the run is.
    pub status: Status,
    /// How far it is and which model is kept, in a sentence or two.
    pub verdict: String,
    /// The kept model, or the one kept so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<Kept>,
    /// Epochs that were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs_planned: Option<usize>,
    /// What is likely to harm a task, as training told it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Told>,
    /// The tasks in the order of the configuration.
    pub tasks: IndexMap<String, Task>,
    /// Scores of the kept model by split and task: `valid`, and `test` and `test-unseen` where the run has them.
    pub splits: IndexMap<String, SplitScores>,
    /// What happened in each epoch.
    pub epochs: Vec<Epoch>,
    /// How tasks were traded off; absent where nobody looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balance: Option<Balance>,
    /// Settings that changed when the run went on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// Parameters and time.
    pub cost: Cost,
    /// The most telling settings by their keys.
    pub settings: IndexMap<String, String>,
    /// Where and with what the run was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// The whole configuration.
    #[serde(skip)]
    pub config: String,
    /// Weights and conflicts over time.
    #[serde(skip)]
    pub looks: Looks,
}

/// Which model is kept.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Kept {
    /// Its epoch, counted from 1.
    pub epoch: usize,
    /// Epochs trained in all.
    pub epochs: usize,
    /// What decided: `worst-regret` or `mean`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub criterion: Option<String>,
    /// The criterion's value.
    pub value: f64,
}

/// A task and its deciding score on validation data.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Task {
    /// What it predicts: `classify`, `tag`, ...
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The metric that decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// The kept model's value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<f64>,
    /// The best value at any epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best: Option<f64>,
    /// The epoch of the best value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best_epoch: Option<usize>,
    /// The epoch after which its head was trained no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped_epoch: Option<usize>,
}

/// A warning and its sentence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Told {
    /// What was measured and what there is to try, in one sentence.
    pub sentence: String,
    /// The same in numbers.
    #[serde(flatten)]
    pub warning: Warning,
}

/// Settings that changed when the run went on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// Optimizer steps before it.
    pub step: u64,
    /// The keys of the configuration.
    pub keys: Vec<String>,
}

impl Report {
    /// The split whose classes are shown: what nothing was decided on, where there is such a set.
    pub fn honest_split(&self) -> Option<(&str, &SplitScores)> {
        let split = self.splits.get_key_value("test").or_else(|| self.splits.first())?;
        Some((split.0, split.1))
    }

    /// A task's deciding score on a split.
    pub fn deciding(&self, split: &str, task: &str) -> Option<f64> {
        let metric = self.tasks.get(task)?.metric.as_deref()?;
        value(self.splits.get(split)?.get(task)?, metric)
    }
}

/// A metric of these scores.
pub fn value(scores: &Scores, metric: &str) -> Option<f64> {
    scores.scores.metrics.get(metric).copied()
}

/// How two values of a metric compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
}

impl Direction {
    /// Of a metric; one that the catalogue does not know is taken to be better the higher it is.
    pub fn of(metric: &str) -> Direction {
        match catalogue::find(metric) {
            Some(entry) if !entry.higher_is_better => Direction::Lower,
            _ => Direction::Higher,
        }
    }

    /// Whether the first value is better than the second.
    pub fn is_better(self, value: f64, than: f64) -> bool {
        match self {
            Direction::Higher => value > than,
            Direction::Lower => value < than,
        }
    }
}
