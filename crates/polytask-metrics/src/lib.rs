//! How good is it?
//!
//! Every metric is a small struct that is fed example by example (`update`), can be joined with one that saw other
//! examples (`merge`), and reports a plain, serialisable result (`result`). Splitting a stream and merging the
//! parts gives what one pass over the whole stream gives. Nothing here knows a tensor.
//!
//! Most keep counts and sums, the same few bytes however long the stream. Two need every example to rank it among the
//! others and say what that takes: [`Ranking`] (AUROC, AUPRC) and [`Spearman`].
//!
//! A number that does not exist (an average over nothing, a correlation with a constant, a ratio that overflowed) is
//! `None`, so no NaN or infinity reaches a JSON file. A NaN that goes in makes `None` of what it would have changed.
//! Examples without a target are not fed; only [`Multilabel`] takes examples of which some targets are missing.

mod accuracy;
mod auprc;
mod auroc;
mod binary;
mod calibration;
pub mod catalogue;
mod confusion;
mod counts;
mod likelihood;
mod matrix;
mod mcc;
mod multilabel;
mod outcomes;
mod pearson;
mod probability;
mod ranking;
mod regression;
mod scheme;
mod span;
mod span_f1;
mod spearman;
mod task_scores;
mod tie_groups;

pub use accuracy::{Accuracy, AccuracyResult};
pub use binary::BinaryResult;
pub use calibration::{BinResult, Calibration, CalibrationResult};
pub use catalogue::{Entry, Range, TaskKind};
pub use confusion::{ClassResult, Confusion, ConfusionResult};
pub use counts::{Counts, Scores};
pub use likelihood::{GaussianNll, GaussianNllResult};
pub use matrix::ConfusionMatrix;
pub use multilabel::{Multilabel, MultilabelResult};
pub use outcomes::{Outcomes, Tally};
pub use pearson::{Pearson, PearsonResult};
pub use probability::{Probability, ProbabilityResult};
pub use ranking::{RankedClass, Ranking, RankingResult};
pub use regression::{Rmse, RmseResult};
pub use scheme::{Scheme, convert, detect, encode, legal};
pub use span::{Span, spans};
pub use span_f1::{LengthMismatch, SpanF1, SpanF1Result, TypeResult};
pub use spearman::{Spearman, SpearmanResult};
pub use task_scores::{ClassScores, TaskScores};
