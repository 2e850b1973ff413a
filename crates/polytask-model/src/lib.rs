//! What is shared, what is not?
//!
//! A [`Model`] is inputs (raw columns to a representation), encoders (stacks of layers that tasks share) and a head for
//! each task. Parameters live in [`Parameters`], by permanent names; a [`Pass`] hands them to layers and collects their
//! gradients. A new input, layer or head is a new file.

mod ahead;
mod common;
mod encoder;
mod head;
mod input;
mod judge;
mod model;
mod pair;
mod parameters;
mod pass;
mod predictor;
mod representation;
mod saved;
pub mod sealed;
mod tags;
mod take_over;
mod targets;

pub use ahead::Ahead;
pub use encoder::{Demand, Encoder, Layer};
pub use head::{Head, Knowledge, LossSum, Prediction, Scores};
pub use input::{
    Feed, FitError, Fitted, Input, InputKnowledge, Prepared, Side, SubwordsKnowledge, WordsKnowledge,
    file as input_file, fit, tokenizer_file,
};
pub use judge::Judge;
pub use model::{Batch, Model};
pub use parameters::{Group, Init, Owner, Parameter, ParameterId, Parameters, Table, TableId, TaskId};
pub use pass::{Gradients, Mode, Pass, RowGradient};
pub use predictor::Predictor;
pub use representation::{Form, Representation, Sequence};
pub use saved::{
    Description, FORMAT, Named, Restore, Saved, SavedError, from_safetensors, load, restore, save, to_safetensors,
    weights,
};
pub use tags::TagSet;
pub use take_over::take_over;
pub use targets::{TargetBatch, Targets};
