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
mod branch;
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
mod variant;
mod widths;

pub use answer::{Answer, ArmScore, FORMAT, Left, TaskAnswer, answer};
pub use branch::Parted;
pub use choice::Tried;
pub use clock::Place;
pub use conclude::{conclude, costs};
pub use derive::{keep_apart, pin_splits, restrict};
pub use error::StudyError;
pub use executor::{Executor, Local};
pub use job::{After, Job, Jobs, jobs, jobs_of};
pub use pace::{Pace, pace};
pub use recommend::{Decision, Recommendation, recommended};
pub use related::{AffinityGrouping, Agreement, Measure, NamedGrouping, PairGain, Relatedness};
pub use runner::{Cost, End, Means, Ran, Watch, cost_of, run, run_path};
pub use similarity::{PairSimilarity, TEXTS};
pub use variant::{Rule, Variant, joint_spec};
pub use widths::Widths;
