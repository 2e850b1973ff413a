//! Why can a run not be reported?

use std::path::PathBuf;

use polytask_run::RunError;

/// Why a run cannot be reported.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The directory or one of its files cannot be used.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A line of a file is not what it should be.
    #[error(
        "{path}:{line}: {what}\n  help: the line is damaged, or a newer polytask wrote it; copy the run anew, or report it \
         with the version that trained it",
        path = path.display()
    )]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What was found and what is accepted.
        what: String,
    },
}
