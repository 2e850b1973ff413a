//! What should be shared? Runs that answer the question, and the answer with its confidence.
//!
//! ```text
//! Spec with [study] -> jobs (each task alone, all together, every two, one after another) -> runs, one folder each
//!                   -> answer: gain of every task with interval and verdict, relatedness, a recommended configuration
//! ```
//!
//! [`statistics`] says what differences mean, [`relatedness`] what tasks have in common; both are plain functions of
//! numbers.

mod answer;
mod choice;
mod clock;
mod conclude;
mod derive;
mod error;
mod executor;
mod job;
mod pace;
mod recommend;
mod related;
pub mod relatedness;
mod runner;
mod similarity;
pub mod statistics;

pub use answer::{Answer, ArmScore, FORMAT, Left, TaskAnswer, answer};
pub use choice::Tried;
pub use clock::Place;
pub use conclude::{conclude, seconds};
pub use derive::{keep_apart, pin_splits, restrict};
pub use error::StudyError;
pub use executor::{Executor, Local};
pub use job::{After, Job, Jobs, Variant, jobs, joint_spec};
pub use pace::{Pace, pace};
pub use recommend::{Decision, Recommendation, recommended};
pub use related::{AffinityGrouping, Agreement, Measure, NamedGrouping, PairGain, Relatedness};
pub use runner::{End, Ran, Watch, run, run_path, training_seconds};
pub use similarity::{PairSimilarity, TEXTS};
