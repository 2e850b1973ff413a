//! Why could a run not be made, or not go on?

use polytask_run::RunError;

/// Why training ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The configuration asks for something that its parts, or the data, do not allow.
    #[error("{}: {message}\n  help: {help}", key.join("."))]
    Config {
        /// The key, from the outermost table inwards.
        key: Vec<String>,
        /// What is wrong.
        message: String,
        /// What to do.
        help: String,
    },
    /// Several things at once.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Several(Vec<TrainError>),
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
    /// A parameter stopped being a number.
    #[error(
        "parameter `{name}` is no finite number after step {step}\n  help: lower optimizer.learning_rate; the last good \
         checkpoint is kept, and --resume goes on from it"
    )]
    NotFinite {
        /// The parameter.
        name: String,
        /// Optimizer steps taken.
        step: u64,
    },
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
    /// The checkpoint was written by a later version.
    #[error("{path}: checkpoint format {found}, but this version of polytask reads up to {known}\n  help: use a newer polytask", path = path.display())]
    NewerCheckpoint {
        /// The checkpoint.
        path: std::path::PathBuf,
        /// The format found.
        found: u32,
        /// The latest format that is read.
        known: u32,
    },
    /// A checkpoint, or the events before it, does not fit the configuration or is damaged.
    #[error("{path}: the file is damaged: {what}\n  help: copy the run anew, or train it again into another directory", path = path.display())]
    Checkpoint {
        /// The file.
        path: std::path::PathBuf,
        /// What was found.
        what: String,
    },
}

impl TrainError {
    /// A fault of the configuration at a key.
    pub fn config(key: &[&str], message: impl Into<String>, help: impl Into<String>) -> TrainError {
        let key = key.iter().map(|&part| part.to_owned()).collect();
        TrainError::Config { key, message: message.into(), help: help.into() }
    }
}

/// Gathers what went wrong, so that one pass reports all of it.
#[derive(Debug, Default)]
pub struct Faults(Vec<TrainError>);

impl Faults {
    /// The value, or nothing where its error was gathered.
    pub fn take<T>(&mut self, result: Result<T, TrainError>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(TrainError::Several(errors)) => {
                self.0.extend(errors);
                None
            }
            Err(error) => {
                self.0.push(error);
                None
            }
        }
    }

    /// The value, where nothing went wrong.
    ///
    /// # Errors
    ///
    /// Everything that was gathered.
    pub fn finish<T>(mut self, value: Option<T>) -> Result<T, TrainError> {
        match (value, self.0.len()) {
            (Some(value), 0) => Ok(value),
            (_, 1) => Err(self.0.remove(0)),
            _ => Err(TrainError::Several(self.0)),
        }
    }
}

/// A loss or gradient that is no number.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "{what} of task `{task}` is {value} at step {step} (epoch {epoch}), on {examples} examples of dataset `{dataset}`, \
     the first from {place}\n  help: the last good checkpoint is kept; go on from it with --resume and a lower optimizer.learning_rate"
)]
pub struct Diverged {
    /// `loss`, `gradient`, `validation loss` or `test loss`.
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
