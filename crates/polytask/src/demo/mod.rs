//! What does a first look need? Small generated corpora in the real formats, and a configuration over them.

mod corpora;
mod related;

use std::io;
use std::path::Path;

pub use corpora::{ExampleSentences, Summary, example_sentences};
pub use related::{RelatedTask, Sizes, write_related};

/// The configuration of the demo's study, relative to a directory with the files of its tasks.
pub const STUDY_CONFIG: &str = include_str!("study.toml");

/// Name of the file of the study's configuration.
pub const STUDY_CONFIG_NAME: &str = "study.toml";

/// The configuration of the demo, relative to the directory that [`write()`] fills.
pub const CONFIG: &str = include_str!("demo.toml");

/// Name of the configuration's file.
pub const CONFIG_NAME: &str = "demo.toml";

/// Writes corpora, vectors and configuration into a directory; the same seed gives the same bytes.
///
/// # Errors
///
/// Where the file system refuses.
pub fn write(directory: &Path, seed: u64) -> io::Result<Summary> {
    let summary = corpora::write(directory, seed)?;
    std::fs::write(directory.join(CONFIG_NAME), CONFIG)?;
    Ok(summary)
}
