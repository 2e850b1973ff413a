//! What happens in a step, and in a run?
//!
//! ```text
//! Spec -> Plan (data read, words counted, network built) -> train (steps, evaluations, checkpoints) -> run directory
//! ```
//!
//! A step draws a batch of one dataset, or of every dataset, computes each task's loss, asks the balancer for weights,
//! walks back once and updates. Everything random follows from the seed and a counter, so a run is a pure function of
//! its configuration and its data, and a checkpoint is small: parameters, moments, counters.

mod accumulate;
mod affinity;
mod average;
pub mod checkpoint;
mod class_weights;
mod compare;
mod corpus;
mod error;
mod evaluate;
mod journal;
mod kept;
mod knowledge;
mod looked;
mod observer;
mod optimizer;
mod plan;
mod reopen;
mod represent;
mod representation;
mod schedule;
mod size;
mod standing;
mod state;
mod step;
mod survey;
pub mod task_gradients;
mod train;
mod warnings;

pub use affinity::Affinity;
pub use average::{Average, AveragedTable};
pub use corpus::{Corpus, Source, SplitName};
pub use error::{Diverged, Faults, TrainError};
pub use evaluate::{Judged, evaluate, evaluate_split, evaluate_unseen};
pub use kept::Kept;
pub use knowledge::{TaskTargets, knowledge};
pub use looked::Looked;
pub use observer::{Observer, Progress, Quiet};
pub use optimizer::{Moments, Optimizer, OptimizerState, Update};
pub use plan::{Plan, balancer, extensions};
pub use reopen::{Reopened, reopen};
pub use represent::{open_model, validation_texts};
pub use schedule::{Plateau, Schedule};
pub use size::encoder_len;
pub use standing::{Criterion, Standing};
pub use state::{State, Tally};
pub use step::{Stepped, take as take_step};
pub use survey::{DatasetSurvey, SplitSurvey, Survey, TaskSurvey, memory_bytes, survey};
pub use train::{Outcome, resume, train};
pub use warnings::{Curve, Point, Warnings};
