//! What does a task say about a representation, and how wrong is it?

mod classify;
mod multilabel;
mod regress;
mod tag;

use std::fmt;

use burn::tensor::Tensor;
use polytask_kernels::loss::{self, Loss, Normalizer};
use polytask_spec::task::{Task, TaskKind};
use serde::{Deserialize, Serialize};

use crate::judge::Judge;
use crate::parameters::{Init, Owner, Parameters};
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
        /// How much each class counts in the loss; empty where all count alike.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        weights: Vec<f32>,
    },
    /// The labels of `multilabel`, in the order of the output.
    Multilabel {
        /// Label names.
        labels: Vec<String>,
        /// How much each label counts in the loss where it is there; empty where all count alike.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        weights: Vec<f32>,
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
            Knowledge::Multilabel { .. } => "multilabel",
            Knowledge::Regress { .. } => "regress",
            Knowledge::Tag(_) => "tag",
        }
    }

    /// The names of what the outputs stand for; `None` where they are numbers.
    pub fn classes(&self) -> Option<&[String]> {
        match self {
            Knowledge::Classify { labels, .. } | Knowledge::Multilabel { labels, .. } => Some(labels),
            Knowledge::Tag(tags) => Some(&tags.names),
            Knowledge::Regress { .. } => None,
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
    /// A normal distribution in the target's own units.
    Normal {
        /// Its mean.
        mean: f64,
        /// Its standard deviation, above 0.
        deviation: f64,
    },
    /// Any number of labels, and the probability of every one.
    Labels {
        /// Indices of the labels that are predicted, ascending.
        labels: Vec<u32>,
        /// Probability of each label.
        probabilities: Vec<f32>,
    },
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
    /// Row-major: `[batch, classes]`, `[batch, labels]`, `[batch, 1]` or 2, or `[batch, token, tags]`.
    pub values: Vec<f32>,
    /// Tokens of each example, for heads that score tokens.
    pub lengths: Vec<usize>,
}

/// Loss summed over the present targets.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LossSum {
    /// Sum of losses.
    pub sum: f64,
    /// Number of targets that the sum covers: examples, decisions about a label, or tokens for taggers.
    pub count: usize,
    /// What the mean divides by: their number, or the sum of their weights.
    pub weight: f64,
}

impl LossSum {
    /// Adds the loss of other targets.
    pub fn add(&mut self, other: LossSum) {
        self.sum += other.sum;
        self.count += other.count;
        self.weight += other.weight;
    }

    /// The mean over the present targets, 0 if there are none.
    pub fn mean(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum / self.weight }
    }
}

impl From<Loss> for LossSum {
    fn from(loss: Loss) -> LossSum {
        LossSum { sum: loss.sum, count: loss.count, weight: loss.weight }
    }
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

/// Where the parameters of a head stand: what their names begin with, and who reaches them.
pub type HeadSite<'a> = (&'a str, Owner);

/// Builds the head of a task over a representation of form `form` and adds its parameters, unless another task that shares
/// the head did so before.
pub fn build(
    site: HeadSite<'_>,
    task: &Task,
    knowledge: &Knowledge,
    form: Form,
    parameters: &mut Parameters,
    init: Init,
) -> Box<dyn Head> {
    match (&task.kind, knowledge) {
        (TaskKind::Classify(spec), Knowledge::Classify { labels, weights }) => {
            Box::new(classify::Classify::build(site, task, spec, (labels, weights), form, parameters, init))
        }
        (TaskKind::Multilabel(spec), Knowledge::Multilabel { labels, weights }) => {
            Box::new(multilabel::Multilabel::build(site, task, spec, (labels, weights), form, parameters, init))
        }
        (TaskKind::Regress(spec), Knowledge::Regress { mean, deviation }) => {
            Box::new(regress::Regress::build(site, task, spec, [*mean, *deviation], form, parameters, init))
        }
        (TaskKind::Tag(spec), Knowledge::Tag(tags)) => {
            Box::new(tag::Tag::build(site, task, spec, tags, form, parameters, init))
        }
        _ => panic!("knowledge of `{}` was gathered for another kind", site.0),
    }
}

/// The summed cross-entropy of host scores.
fn cross_entropy_of(scores: &[f32], classes: usize, targets: &[u32]) -> LossSum {
    let mut gradient = vec![0.0; scores.len()];
    loss::cross_entropy(scores, classes, targets, Normalizer::Present, &mut gradient).into()
}
