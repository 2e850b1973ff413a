//! What does a task say about a representation, and how wrong is it?

mod classify;
mod regress;
mod tag;

use std::fmt;

use burn::tensor::Tensor;
use polytask_kernels::loss::{self, Normalizer};
use polytask_spec::task::{Task, TaskKind};
use serde::{Deserialize, Serialize};

use crate::judge::Judge;
use crate::parameters::{Init, Parameters, TaskId};
use crate::pass::Pass;
use crate::representation::{Form, Representation};
use crate::tags::TagSet;
use crate::targets::TargetBatch;

/// What a head knows from the training data; saved with the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Knowledge {
    /// The classes of `classify`, in the order of the output.
    Classify {
        /// Class names.
        labels: Vec<String>,
    },
    /// The scale of `regress`.
    Regress {
        /// Mean of the training targets.
        mean: f64,
        /// Standard deviation of the training targets.
        deviation: f64,
    },
    /// The tags of `tag`.
    Tag(TagSet),
}

impl Knowledge {
    /// The kind of task, as written in a configuration.
    pub fn kind(&self) -> &'static str {
        match self {
            Knowledge::Classify { .. } => "classify",
            Knowledge::Regress { .. } => "regress",
            Knowledge::Tag(_) => "tag",
        }
    }
}

/// One prediction.
#[derive(Debug, Clone, PartialEq)]
pub enum Prediction {
    /// A class and the probability of every class.
    Label {
        /// Index of the most probable class.
        label: u32,
        /// Probability of each class.
        probabilities: Vec<f32>,
    },
    /// A number in the target's own units.
    Number(f64),
    /// A tag for each token.
    Tags {
        /// Index of the tag of each token.
        tags: Vec<u32>,
        /// Probability of each token's tag.
        probabilities: Vec<f32>,
    },
}

/// What a head computed for a batch, on the host.
#[derive(Debug, Clone)]
pub struct Scores {
    /// Row-major: `[batch, classes]`, `[batch, 1]` or `[batch, token, tags]`.
    pub values: Vec<f32>,
    /// Tokens of each example, for heads that score tokens.
    pub lengths: Vec<usize>,
}

/// Loss summed over the present targets.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LossSum {
    /// Sum of losses.
    pub sum: f64,
    /// Number of targets that the sum covers: examples, or tokens for taggers.
    pub count: usize,
}

/// A task's output layers, its loss and its predictions.
pub trait Head: fmt::Debug + Send + Sync {
    /// The mean loss over the present targets of a batch, `[1]`; `None` where all are missing.
    fn loss(&self, pass: &Pass<'_>, x: Representation, targets: TargetBatch<'_>) -> Option<Tensor<1>>;

    /// The scores from which loss and predictions follow.
    fn infer(&self, pass: &Pass<'_>, x: Representation) -> Scores;

    /// The loss of inferred scores.
    fn loss_of(&self, pass: &Pass<'_>, scores: &Scores, targets: TargetBatch<'_>) -> LossSum;

    /// The predictions of inferred scores with their probabilities, one an example.
    fn predict(&self, pass: &Pass<'_>, scores: &Scores) -> Vec<Prediction>;

    /// The predictions alone, where probabilities cost extra: those of tags may be absent. A label has its probabilities,
    /// by which it is judged.
    fn decide(&self, pass: &Pass<'_>, scores: &Scores) -> Vec<Prediction> {
        self.predict(pass, scores)
    }

    /// Metrics that have seen nothing yet.
    fn judge(&self) -> Box<dyn Judge>;
}

/// Builds the head of a task over a representation of form `form` and adds its parameters, `task.NAME.head...`.
pub fn build(
    (id, name): (TaskId, &str),
    task: &Task,
    knowledge: &Knowledge,
    form: Form,
    parameters: &mut Parameters,
    init: Init,
) -> Box<dyn Head> {
    let prefix = format!("task.{name}.head");
    match (&task.kind, knowledge) {
        (TaskKind::Classify(spec), Knowledge::Classify { labels }) => {
            Box::new(classify::Classify::build((id, &prefix), task, spec, labels, form, parameters, init))
        }
        (TaskKind::Regress(spec), Knowledge::Regress { mean, deviation }) => {
            Box::new(regress::Regress::build((id, &prefix), task, spec, [*mean, *deviation], form, parameters, init))
        }
        (TaskKind::Tag(spec), Knowledge::Tag(tags)) => {
            Box::new(tag::Tag::build((id, &prefix), task, spec, tags, form, parameters, init))
        }
        _ => panic!("knowledge of task `{name}` was gathered for another kind"),
    }
}

/// The summed cross-entropy of host scores.
fn cross_entropy_of(scores: &[f32], classes: usize, targets: &[u32]) -> LossSum {
    let mut gradient = vec![0.0; scores.len()];
    let loss = loss::cross_entropy(scores, classes, targets, Normalizer::Present, &mut gradient);
    LossSum { sum: loss.sum, count: loss.count }
}
