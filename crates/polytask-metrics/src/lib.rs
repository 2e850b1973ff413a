//! How good is it?
//!
//! Every metric is a small struct that is fed example by example (`update`), can be joined with one that saw other
//! examples (`merge`), and reports a plain, serialisable result (`result`). Splitting a stream and merging the
//! parts gives what one pass over the whole stream gives. Nothing here knows a tensor.
//!
//! A number that does not exist (an average over nothing, a ratio that overflowed) is `None`, so no NaN or infinity
//! reaches a JSON file.

mod accuracy;
pub mod catalogue;
mod confusion;
mod counts;
mod regression;
mod scheme;
mod span;
mod span_f1;
mod task_scores;

pub use accuracy::{Accuracy, AccuracyResult};
pub use catalogue::{Entry, Range, TaskKind};
pub use confusion::{ClassResult, Confusion, ConfusionResult};
pub use counts::{Counts, Scores};
pub use regression::{Rmse, RmseResult};
pub use scheme::{Scheme, convert, detect, encode, legal};
pub use span::{Span, spans};
pub use span_f1::{LengthMismatch, SpanF1, SpanF1Result, TypeResult};
pub use task_scores::{ClassScores, TaskScores};
