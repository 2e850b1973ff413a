//! What is predicted, from what, and how is it judged?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::network::Pool;

/// One task: a target of a dataset with a head, a loss and metrics.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Task {
    /// The dataset that the task reads.
    pub data: String,
    /// The column of the dataset that is predicted.
    pub target: String,
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
    /// The metric that decides about stopping and the kept model; the kind's first metric where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// What kind of prediction it is.
    #[serde(flatten)]
    pub kind: TaskKind,
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
    /// One number for an example; mean squared error on the standardised target.
    Regress(RegressTask),
    /// One tag for each token; softmax cross-entropy or a linear-chain CRF.
    Tag(TagTask),
}

impl TaskKind {
    /// The kebab-case name of the kind, as written in the file.
    pub fn name(&self) -> &'static str {
        match self {
            TaskKind::Classify(_) => "classify",
            TaskKind::Regress(_) => "regress",
            TaskKind::Tag(_) => "tag",
        }
    }
}

/// Options of `classify`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ClassifyTask {
    /// How tokens become one vector, where the layer gives tokens.
    pub pool: Pool,
}

impl Default for ClassifyTask {
    fn default() -> Self {
        ClassifyTask { pool: Pool::Max }
    }
}

/// Options of `regress`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RegressTask {
    /// How tokens become one vector, where the layer gives tokens.
    pub pool: Pool,
}

impl Default for RegressTask {
    fn default() -> Self {
        RegressTask { pool: Pool::Max }
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
