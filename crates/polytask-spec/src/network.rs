//! Which network is built: inputs, encoders and how they are shared?

mod encoder;
mod layers;

use schemars::JsonSchema;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

pub use encoder::{Encoder, Layer};
pub use layers::{Directions, FeedforwardActivation, GruLayer, LstmLayer, NormLayer, Positions, TransformerLayer};

/// What turns raw columns into a representation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Input {
    /// Words as vectors, with characters if asked: `Sequence [batch, token, dim]`.
    Words(WordsInput),
}

/// Word vectors, optionally joined by a character encoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct WordsInput {
    /// Pre-trained vectors: text (GloVe, word2vec, fastText `.vec`) or word2vec `.bin`, plain or `.gz`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vectors: Option<String>,
    /// Width of a word vector; taken from the vectors file where one is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 4096))]
    pub dim: Option<usize>,
    /// Whether word vectors are trained with the network.
    pub tune: bool,
    /// Epochs for which pre-trained vectors stay as they are before they are trained with the network.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub tune_after: Option<usize>,
    /// A word without a vector gets a row of its own if it occurs this often in training.
    #[schemars(range(min = 1))]
    pub min_count: usize,
    /// How text is cut into words, where the dataset does not give them.
    pub tokenize: Tokenize,
    /// A `tokenizer.json` (Hugging Face tokenizers) that cuts texts into subwords, each with a vector of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokenizer: Option<String>,
    /// Longest text in words, or in subwords of a `tokenizer`; longer texts are cut, and the number of cut texts is
    /// reported.
    #[schemars(range(min = 1))]
    pub max_tokens: usize,
    /// Which part of a text that is too long is kept.
    pub truncate: Truncate,
    /// Share of the representation's features zeroed in training.
    #[schemars(range(min = 0.0, max = 0.99))]
    pub dropout: f64,
    /// Share of features zeroed in training, the same ones at every token of a text (Gal and Ghahramani, NeurIPS 2016).
    #[schemars(range(min = 0.0, max = 0.99))]
    pub locked_dropout: f64,
    /// Share of words whose whole vector is zeroed in training (Iyyer et al., ACL 2015).
    #[schemars(range(min = 0.0, max = 0.99))]
    pub word_dropout: f64,
    /// A character encoder whose output is joined to each word vector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub characters: Option<Characters>,
    /// A vector for the shape of a word (its case and digits) that is joined to each word vector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shape: Option<WordShape>,
}

impl Default for WordsInput {
    fn default() -> Self {
        WordsInput {
            vectors: None,
            dim: None,
            tune: true,
            tune_after: None,
            min_count: 2,
            tokenize: Tokenize::Words,
            tokenizer: None,
            max_tokens: 512,
            truncate: Truncate::Head,
            dropout: 0.0,
            locked_dropout: 0.0,
            word_dropout: 0.0,
            characters: None,
            shape: None,
        }
    }
}

/// How text is cut into words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Tokenize {
    /// Unicode word boundaries; punctuation stands alone, contractions are split as in the Penn Treebank.
    Words,
    /// At white space only, for text that is tokenised already.
    Spaces,
}

/// Which part of a text longer than `max_tokens` is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Truncate {
    /// The first `max_tokens` words.
    Head,
    /// The last `max_tokens` words.
    Tail,
    /// The first half and the last half of `max_tokens` words.
    HeadTail,
}

/// Vectors of the shapes of words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct WordShape {
    /// Width of a shape's vector.
    #[schemars(range(min = 1, max = 1024))]
    pub dim: usize,
}

impl Default for WordShape {
    fn default() -> Self {
        WordShape { dim: 5 }
    }
}

/// The character encoder of a word.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Characters {
    /// The kind of encoder.
    pub encoder: CharacterEncoder,
    /// Width of a character vector.
    #[schemars(range(min = 1, max = 1024))]
    pub dim: usize,
    /// Output features a word of `cnn`.
    #[schemars(range(min = 1, max = 4096))]
    pub filters: usize,
    /// Characters that a filter of `cnn` spans.
    #[schemars(range(min = 1, max = 15))]
    pub width: usize,
    /// Units of each direction of `lstm`, which has twice as many output features a word.
    #[schemars(range(min = 1, max = 4096))]
    pub hidden: usize,
    /// Share of character features zeroed in training.
    #[schemars(range(min = 0.0, max = 0.99))]
    pub dropout: f64,
}

impl Default for Characters {
    fn default() -> Self {
        Characters { encoder: CharacterEncoder::Cnn, dim: 30, filters: 50, width: 3, hidden: 25, dropout: 0.0 }
    }
}

impl Serialize for Characters {
    /// Writes the options of the chosen encoder alone, which are those that a file may give.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let own: &[(&'static str, usize)] = match self.encoder {
            CharacterEncoder::Cnn => &[("filters", self.filters), ("width", self.width)],
            CharacterEncoder::Lstm => &[("hidden", self.hidden)],
        };
        let mut table = serializer.serialize_struct("Characters", 3 + own.len())?;
        table.serialize_field("encoder", &self.encoder)?;
        table.serialize_field("dim", &self.dim)?;
        for (key, value) in own {
            table.serialize_field(key, value)?;
        }
        table.serialize_field("dropout", &self.dropout)?;
        table.end()
    }
}

/// Kinds of character encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CharacterEncoder {
    /// Convolution over characters and the maximum over the word.
    Cnn,
    /// The last states of an LSTM that reads the word forwards and of one that reads it backwards.
    Lstm,
}

/// What a layer computes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum LayerKind {
    /// Convolution over tokens, several widths at once: `[batch, token, d]` to `[batch, token, widths x filters]`.
    Conv(ConvLayer),
    /// Bidirectional LSTM: `[batch, token, d]` to `[batch, token, 2 x hidden]`.
    Bilstm(BilstmLayer),
    /// LSTM from the first token to the last: `[batch, token, d]` to `[batch, token, hidden]`.
    Lstm(LstmLayer),
    /// GRU in both directions or one: `[batch, token, d]` to `[batch, token, 2 x hidden]` or `[batch, token, hidden]`.
    Gru(GruLayer),
    /// Transformer encoder, normalised before each part: `[batch, token, d]` to `[batch, token, width]`.
    Transformer(TransformerLayer),
    /// Fully connected layer on a vector or on each token.
    Dense(DenseLayer),
    /// Layer normalisation: features of a vector, or of each token, brought to mean 0 and variance 1, then scaled and shifted.
    Norm(NormLayer),
    /// One vector of all tokens, such as their maximum: `[batch, token, d]` to `[batch, d]`.
    Pool(PoolLayer),
}

impl LayerKind {
    /// The kebab-case name of the kind, as written in the file.
    pub fn name(&self) -> &'static str {
        match self {
            LayerKind::Conv(_) => "conv",
            LayerKind::Bilstm(_) => "bilstm",
            LayerKind::Lstm(_) => "lstm",
            LayerKind::Gru(_) => "gru",
            LayerKind::Transformer(_) => "transformer",
            LayerKind::Dense(_) => "dense",
            LayerKind::Norm(_) => "norm",
            LayerKind::Pool(_) => "pool",
        }
    }

    /// Whether the layer's input is added to its output.
    pub fn residual(&self) -> bool {
        match self {
            LayerKind::Conv(layer) => layer.residual,
            LayerKind::Bilstm(layer) => layer.residual,
            LayerKind::Lstm(layer) => layer.residual,
            LayerKind::Gru(layer) => layer.residual,
            LayerKind::Dense(layer) => layer.residual,
            LayerKind::Transformer(_) | LayerKind::Norm(_) | LayerKind::Pool(_) => false,
        }
    }
}

/// Convolution over tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ConvLayer {
    /// Tokens that a filter spans; one bank of filters a width, at most six.
    #[schemars(length(min = 1, max = 6), inner(range(min = 1, max = 64)))]
    pub widths: Vec<usize>,
    /// Filters of each width.
    #[schemars(range(min = 1, max = 8192))]
    pub filters: usize,
    /// Applied to the convolution's output.
    pub activation: Activation,
    /// Whether the layer's input is added to its output, through a projection where their widths differ.
    pub residual: bool,
    /// Share of output features zeroed in training.
    #[schemars(range(min = 0.0, max = 0.99))]
    pub dropout: f64,
}

impl Default for ConvLayer {
    fn default() -> Self {
        ConvLayer { widths: vec![3, 4, 5], filters: 100, activation: Activation::Relu, residual: false, dropout: 0.0 }
    }
}

/// Bidirectional LSTM.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct BilstmLayer {
    /// Units of each direction.
    #[schemars(range(min = 1, max = 8192))]
    pub hidden: usize,
    /// Whether the layer's input is added to its output, through a projection where their widths differ.
    pub residual: bool,
    /// Share of output features zeroed in training.
    #[schemars(range(min = 0.0, max = 0.99))]
    pub dropout: f64,
}

impl Default for BilstmLayer {
    fn default() -> Self {
        BilstmLayer { hidden: 200, residual: false, dropout: 0.0 }
    }
}

/// Fully connected layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DenseLayer {
    /// Output features.
    #[schemars(range(min = 1, max = 65536))]
    pub units: usize,
    /// Applied to the output.
    pub activation: Activation,
    /// Whether the layer's input is added to its output, through a projection where their widths differ.
    pub residual: bool,
    /// Share of output features zeroed in training.
    #[schemars(range(min = 0.0, max = 0.99))]
    pub dropout: f64,
}

impl Default for DenseLayer {
    fn default() -> Self {
        DenseLayer { units: 128, activation: Activation::Relu, residual: false, dropout: 0.0 }
    }
}

/// Pooling over tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PoolLayer {
    /// How tokens become one vector.
    pub pool: Pool,
    /// Share of output features zeroed in training.
    #[schemars(range(min = 0.0, max = 0.99))]
    pub dropout: f64,
}

impl Default for PoolLayer {
    fn default() -> Self {
        PoolLayer { pool: Pool::Max, dropout: 0.0 }
    }
}

/// How tokens become one vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Pool {
    /// The largest value of each feature.
    Max,
    /// The mean of each feature.
    Mean,
    /// The first token's vector.
    First,
    /// The last token's vector; of a bidirectional layer the last state of each direction: at the last token that of the
    /// forward one, at the first token that of the backward one.
    Last,
    /// The mean weighted by learned attention (Yang et al., NAACL 2016).
    Attention,
}

/// Functions applied to a layer's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// `max(x, 0)`.
    Relu,
    /// Hyperbolic tangent.
    Tanh,
    /// Nothing.
    None,
}

/// Which parameters belong to whom.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Sharing {
    /// The sharing scheme.
    pub scheme: SharingScheme,
}

/// Sharing schemes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SharingScheme {
    /// One encoder for all tasks, a head for each.
    #[default]
    Hard,
}
