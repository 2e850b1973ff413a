//! What happened during training?

use indexmap::IndexMap;
use polytask_metrics::TaskScores;
use serde::{Deserialize, Serialize};

use crate::warning::Warning;

/// One line of `events.jsonl`. Nothing in it depends on time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// Training began.
    Start {
        /// Version of the format of events.
        format: u32,
        /// Task names in order.
        tasks: Vec<String>,
        /// Steps of a full epoch.
        steps_per_epoch: usize,
        /// Epochs at most.
        epochs: usize,
    },
    /// Training went on under changed settings.
    Changed {
        /// Optimizer steps so far.
        step: u64,
        /// The keys of the configuration that changed.
        keys: Vec<String>,
    },
    /// An epoch's training steps are done.
    Epoch {
        /// Epoch, counted from 1.
        epoch: usize,
        /// Optimizer steps so far.
        step: u64,
        /// Learning rate of the last step.
        learning_rate: f64,
        /// Mean global norm of the gradient before clipping.
        gradient_norm: f64,
        /// What each task saw.
        tasks: IndexMap<String, StepScores>,
        /// Mean over the looks at gradients in this epoch of the share of task pairs whose gradients pointed against each
        /// other; absent where there was no look.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        conflict_rate: Option<f64>,
    },
    /// A look at how the tasks were traded off in one step.
    Balance {
        /// Epoch, counted from 1.
        epoch: usize,
        /// Optimizer steps so far, this one included.
        step: u64,
        /// The tasks of the step.
        tasks: IndexMap<String, Balanced>,
        /// The angles between gradients; empty where there are no two.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        cosines: Vec<Cosine>,
        /// Share of task pairs whose gradients point against each other.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        conflict_rate: Option<f64>,
        /// What a step for one task alone does for another; empty where `balance.affinity` is not set.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        affinities: Vec<Affinity>,
    },
    /// The model was judged.
    Evaluation {
        /// Epoch, counted from 1.
        epoch: usize,
        /// Optimizer steps so far.
        step: u64,
        /// Which examples: `valid`.
        split: String,
        /// Scores by task.
        tasks: IndexMap<String, TaskScores>,
    },
    /// The model of this epoch is the one kept from now on.
    Keep {
        /// Epoch, counted from 1.
        epoch: usize,
        /// The criterion's value, the lower the better for a regret, the higher the better for a mean.
        criterion: f64,
    },
    /// A task no longer improved: its head is trained no more.
    Stop {
        /// Epoch, counted from 1.
        epoch: usize,
        /// The task.
        task: String,
        /// Epoch of the task's best validation score.
        best_epoch: usize,
    },
    /// Something is likely to harm a task; told once.
    Warning(Warning),
    /// Training ended.
    End {
        /// Epochs trained.
        epochs: usize,
        /// Optimizer steps taken.
        step: u64,
        /// Epoch of the kept model.
        kept_epoch: usize,
    },
}

/// What a task was given in one step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Balanced {
    /// Weight that the balancer gave.
    pub weight: f64,
    /// Length of the task's gradient in what tasks share; absent where gradients were not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gradient_norm: Option<f64>,
}

/// The angle between the gradients of two tasks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cosine {
    /// The tasks, in the order of the configuration.
    pub between: [String; 2],
    /// From -1, opposite, to 1, the same direction.
    pub cosine: f64,
}

/// By how much a step along one task's gradient alone lowers another one's loss.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Affinity {
    /// The task whose gradient the step follows.
    pub of: String,
    /// The task whose loss is looked at.
    pub on: String,
    /// Share of the loss that the step takes away; negative where it adds to it.
    pub affinity: f64,
}

/// What a task saw during an epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct StepScores {
    /// Mean training loss over steps.
    pub loss: f64,
    /// Mean weight that the balancer gave.
    pub weight: f64,
    /// Steps in which the task took part.
    pub steps: u64,
}

/// One line of `timing.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// Epoch, counted from 1.
    pub epoch: usize,
    /// Seconds of training steps, as far as this process took them.
    pub train_seconds: f64,
    /// Seconds of evaluation.
    pub evaluation_seconds: f64,
    /// Training examples a second.
    pub examples_per_second: f64,
    /// The most memory that the process had resident so far; absent where the system does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_memory_bytes: Option<u64>,
}
