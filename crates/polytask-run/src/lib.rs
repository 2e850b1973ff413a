//! What does a run leave behind?
//!
//! | path | what |
//! |---|---|
//! | `run.json` | format version and status; a run is complete when this says so |
//! | `config.toml` | the resolved configuration |
//! | `environment.json` | version, seed, threads, CPU features |
//! | `events.jsonl` | what happened, one [`Event`] a line; the same bytes for the same seed |
//! | `timing.jsonl` | how long it took; one [`Timing`] a line |
//! | `metrics.json` | scores of the kept model on every split, [`Metrics`] |
//! | `outcomes.json` | what each example came to that the kept model is judged on, [`ExampleOutcomes`] |
//! | `checkpoints/` | the state to resume from, and the weights of the kept model |
//! | `model/` | the kept model; all that `predict` and `eval` need |
//!
//! Files are written under a temporary name, synced and renamed, so that nothing half-written carries a final name.

mod directory;
mod environment;
mod event;
mod files;
mod memory;
mod metrics;
mod warning;

pub use directory::{FORMAT, RunDirectory, RunError, RunLock, Status};
pub use environment::Environment;
pub use event::{Affinity, Balanced, Cosine, Event, StepScores, Timing};
pub use files::{commit_directory, write_atomically};
pub use memory::{forget_peak_memory, peak_memory};
pub use metrics::{Best, ExampleOutcomes, Kept, Metrics, SplitScores};
pub use warning::{Measured, Warning};
