//! What is predicted, from what, and how is it judged?

use std::fmt;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::network::Pool;

/// One task: a target of a dataset with a head, a loss and metrics.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Task {
    /// The dataset that the task reads.
    pub data: String,
    /// The column of the dataset that is predicted; for `multilabel` also several columns of 0 and 1, one a label.
    pub target: Target,
    /// The encoder that the task attaches to; the only one where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoder: Option<String>,
    /// The layer, or layers, of the encoder that the head reads; the last layer where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attach: Option<Attach>,
    /// Share of the head's input features zeroed in training.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 0.99))]
    pub dropout: f64,
    /// The head that the task shares with every other task that names it: one output layer for tasks of one label space.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    /// The metric that decides about stopping and the kept model; the kind's first metric where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// The directory of a complete run that trained this task alone, on the same data: while training, the task's validation
    /// scores are compared with that run's after as many steps, and a warning tells where they stay clearly behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alone: Option<String>,
    /// What kind of prediction it is.
    #[serde(flatten)]
    pub kind: TaskKind,
}

/// The column that a task predicts, or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Target {
    /// One column.
    One(String),
    /// Columns that say by 0 or 1 whether an example has the label of their name.
    Many(Vec<String>),
}

impl Target {
    /// The columns in order.
    pub fn columns(&self) -> &[String] {
        match self {
            Target::One(column) => std::slice::from_ref(column),
            Target::Many(columns) => columns,
        }
    }

    /// The name that several columns go by together: their names with commas between.
    pub fn name(&self) -> String {
        self.columns().join(", ")
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

/// One layer or several, whose outputs are joined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Attach {
    /// A single layer.
    One(String),
    /// Several layers, joined in this order.
    Many(Vec<String>),
}

impl Attach {
    /// The layer names in order.
    pub fn as_slice(&self) -> &[String] {
        match self {
            Attach::One(name) => std::slice::from_ref(name),
            Attach::Many(names) => names,
        }
    }
}

/// Kinds of prediction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum TaskKind {
    /// One label of several for an example; cross-entropy.
    Classify(ClassifyTask),
    /// One number for an example; mean squared error, or another loss, on the standardised target.
    Regress(RegressTask),
    /// Any number of labels for an example; binary cross-entropy for each.
    Multilabel(MultilabelTask),
    /// One tag for each token; softmax cross-entropy or a linear-chain CRF.
    Tag(TagTask),
}

impl TaskKind {
    /// The kebab-case name of the kind, as written in the file.
    pub fn name(&self) -> &'static str {
        match self {
            TaskKind::Classify(_) => "classify",
            TaskKind::Regress(_) => "regress",
            TaskKind::Multilabel(_) => "multilabel",
            TaskKind::Tag(_) => "tag",
        }
    }

    /// How tokens become one vector; `None` where the task says something of each token.
    pub fn pool(&self) -> Option<Pool> {
        match self {
            TaskKind::Classify(task) => Some(task.pool),
            TaskKind::Regress(task) => Some(task.pool),
            TaskKind::Multilabel(task) => Some(task.pool),
            TaskKind::Tag(_) => None,
        }
    }
}

/// Options of `classify`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ClassifyTask {
    /// How tokens become one vector, where the layer gives tokens.
    pub pool: Pool,
    /// How much an example counts by its class: `"balanced"`, or a table of weights by class; 1 where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_weights: Option<ClassWeights>,
    /// Share of each target that is spread evenly over all classes.
    #[schemars(range(min = 0.0, max = 0.99))]
    pub label_smoothing: f64,
    /// How much less a well classified example counts: γ of the focal loss, whose α are the class weights; at 0 the loss is
    /// the cross-entropy.
    #[schemars(range(min = 0.0, max = 20.0))]
    pub focal_gamma: f64,
}

impl Default for ClassifyTask {
    fn default() -> Self {
        ClassifyTask { pool: Pool::Max, class_weights: None, label_smoothing: 0.0, focal_gamma: 0.0 }
    }
}

/// How much targets count.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ClassWeights {
    /// By how rare they are in training.
    Named(Balanced),
    /// As given, above 0; those that are not named weigh 1.
    Given(IndexMap<String, f64>),
}

/// The one weighting that has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Balanced {
    /// Classes weigh `examples / (classes x examples of the class)`, labels that are there `absences / occurrences`.
    Balanced,
}

/// Options of `regress`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RegressTask {
    /// How tokens become one vector, where the layer gives tokens.
    pub pool: Pool,
    /// How wrong a number is; targets are standardised first: less their training mean, divided by their training
    /// deviation.
    pub loss: RegressLoss,
    /// Where the Huber loss turns from a square into a line, in standard deviations of the training targets.
    #[schemars(range(min = 1e-6, max = 1e6))]
    pub huber_delta: f64,
    /// The least variance that `gaussian-nll` predicts, in squared standard deviations of the training targets.
    #[schemars(range(min = 1e-12, max = 1.0))]
    pub variance_min: f64,
}

impl Default for RegressTask {
    fn default() -> Self {
        RegressTask { pool: Pool::Max, loss: RegressLoss::Mse, huber_delta: 1.0, variance_min: 1e-6 }
    }
}

/// How wrong a number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RegressLoss {
    /// The squared error.
    Mse,
    /// The absolute error.
    Mae,
    /// Half the squared error up to `huber_delta`, a line beyond.
    Huber,
    /// The likelihood of a normal distribution: the task predicts mean and variance.
    GaussianNll,
}

/// Options of `multilabel`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct MultilabelTask {
    /// How tokens become one vector, where the layer gives tokens.
    pub pool: Pool,
    /// The character between two labels of a cell, for formats of cells (`csv`, `tsv`); a comma where absent. A cell that
    /// holds it alone is the empty set, an empty cell a missing one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1))]
    pub separator: Option<String>,
    /// How much a label counts where it is there: `"balanced"`, or a table of weights by label; 1 where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub positive_weights: Option<ClassWeights>,
    /// The probability from which on a label is predicted.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub threshold: f64,
}

impl Default for MultilabelTask {
    fn default() -> Self {
        MultilabelTask { pool: Pool::Max, separator: None, positive_weights: None, threshold: 0.5 }
    }
}

impl MultilabelTask {
    /// The character between two labels of a cell.
    pub fn separator(&self) -> char {
        self.separator.as_ref().and_then(|separator| separator.chars().next()).unwrap_or(',')
    }
}

/// Options of `tag`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TagTask {
    /// How tags are chosen from the scores of a sentence.
    pub decoder: Decoder,
    /// How the file writes spans; `auto` looks at the training tags.
    pub scheme: TagScheme,
    /// How the network writes spans.
    pub encode: SpanEncoding,
}

impl Default for TagTask {
    fn default() -> Self {
        TagTask { decoder: Decoder::Softmax, scheme: TagScheme::Auto, encode: SpanEncoding::Bioes }
    }
}

/// How tags are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Decoder {
    /// Each token on its own.
    Softmax,
    /// The best legal sequence under a linear-chain conditional random field.
    Crf,
}

/// How a file writes spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TagScheme {
    /// Told from the training tags.
    Auto,
    /// `B-` only between adjacent spans of one type.
    Iob1,
    /// `B-` at the start of every span.
    Iob2,
    /// `B-`, `I-`, `E-` and `S-` for spans of one token.
    Bioes,
    /// Tags are no spans (parts of speech, say).
    None,
}

/// How the network writes spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SpanEncoding {
    /// `B-` at the start of every span.
    Iob2,
    /// `B-`, `I-`, `E-` and `S-` for spans of one token.
    Bioes,
}
