//! Why could a run not be made, or not go on?

use polytask_run::RunError;

/// Why training ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The configuration asks for something that its parts, or the data, do not allow.
    #[error("{0}")]
    Config(String),
    /// The data is wrong.
    #[error(transparent)]
    Data(#[from] polytask_data::Error),
    /// A task's data cannot be learned from.
    #[error("{0}")]
    Task(String),
    /// The balancer refused a step.
    #[error("balancer: {0}")]
    Balance(#[from] polytask_balance::Error),
    /// A loss or gradient stopped being a number.
    #[error(transparent)]
    Diverged(#[from] Diverged),
    /// The run directory cannot be used.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A model could not be written.
    #[error(transparent)]
    Saved(#[from] polytask_model::SavedError),
    /// A file of the run could not be written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The checkpoint does not fit the configuration, or is damaged.
    #[error("{path}: {what}", path = path.display())]
    Checkpoint {
        /// The checkpoint.
        path: std::path::PathBuf,
        /// What was found.
        what: String,
    },
}

impl From<std::io::Error> for TrainError {
    fn from(source: std::io::Error) -> Self {
        TrainError::Io { path: std::path::PathBuf::new(), source }
    }
}

/// A loss or gradient that is no number.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "{what} of task `{task}` is {value} at step {step} (epoch {epoch}), on {examples} examples of dataset `{dataset}`, \
     the first from {place}\n  help: lower optimizer.learning_rate or set optimizer.clip_norm; the last good checkpoint is kept"
)]
pub struct Diverged {
    /// `loss` or `gradient`.
    pub what: &'static str,
    /// The task, or tasks, of the batch.
    pub task: String,
    /// The value found.
    pub value: f64,
    /// Optimizer steps taken before.
    pub step: u64,
    /// Epoch, counted from 1.
    pub epoch: usize,
    /// The dataset of the batch.
    pub dataset: String,
    /// Examples in the batch.
    pub examples: usize,
    /// File and line of the batch's first example.
    pub place: String,
}
