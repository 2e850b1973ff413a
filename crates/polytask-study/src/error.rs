//! Why could a study not be made, or not go on?

use std::path::PathBuf;

use polytask_run::RunError;
use polytask_train::TrainError;

/// Why a study ended before its answer.
#[derive(Debug, thiserror::Error)]
pub enum StudyError {
    /// The configuration describes no study.
    #[error(
        "the configuration has no [study]\n  help: add `[study]` with a `budget`, such as `budget = {{ runs = 20 }}`"
    )]
    NoStudy,
    /// A run could not be made, or not go on.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// A run directory cannot be used.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A file of the study could not be read or written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The study began with another configuration.
    #[error(
        "{path}: the study began with another configuration\n  help: restore it, or name another directory with --out; what \
         may change is [study] and `threads`",
        path = path.display()
    )]
    Changed {
        /// The configuration that the study, or one of its runs, began with.
        path: PathBuf,
    },
}
