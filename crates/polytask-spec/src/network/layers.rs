//! What are the options of layers that walk over tokens, attend to them, or rescale them?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// LSTM from the first token to the last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LstmLayer {
    /// Units.
    #[schemars(range(min = 1, max = 8192))]
    pub hidden: usize,
    /// Whether the layer's input is added to its output, through a projection where their widths differ.
    pub residual: bool,
    /// Share of output features zeroed in training.
    #[schemars(range(min = 0.0, max = 0.99))]
    pub dropout: f64,
}

impl Default for LstmLayer {
    fn default() -> Self {
        LstmLayer { hidden: 200, residual: false, dropout: 0.0 }
    }
}

/// GRU in one direction or both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct GruLayer {
    /// Units of each direction.
    #[schemars(range(min = 1, max = 8192))]
    pub hidden: usize,
    /// Which ways the layer walks over a text.
    pub directions: Directions,
    /// Whether the layer's input is added to its output, through a projection where their widths differ.
    pub residual: bool,
    /// Share of output features zeroed in training.
    #[schemars(range(min = 0.0, max = 0.99))]
    pub dropout: f64,
}

impl Default for GruLayer {
    fn default() -> Self {
        GruLayer { hidden: 200, directions: Directions::Both, residual: false, dropout: 0.0 }
    }
}

/// Which ways a recurrent layer walks over a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Directions {
    /// From the first token to the last, and from the last to the first: `2 x hidden` features.
    Both,
    /// From the first token to the last: `hidden` features.
    Forward,
}

/// Transformer encoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TransformerLayer {
    /// Blocks of self-attention and feed-forward network, each with parameters of its own.
    #[schemars(range(min = 1, max = 64))]
    pub blocks: usize,
    /// Features of a token in all blocks; an input of another width is projected to it.
    #[schemars(range(min = 1, max = 8192))]
    pub width: usize,
    /// Heads of attention; they divide `width` evenly among them.
    #[schemars(range(min = 1, max = 256))]
    pub heads: usize,
    /// Units between the two layers of the feed-forward network.
    #[schemars(range(min = 1, max = 32768))]
    pub feedforward: usize,
    /// Applied between the two layers of the feed-forward network.
    pub activation: FeedforwardActivation,
    /// How a token's place in its text is told.
    pub positions: Positions,
    /// Places that `learned` positions tell apart; tokens behind share the last one's.
    #[schemars(range(min = 1, max = 65536))]
    pub max_positions: usize,
    /// Share zeroed in training of the first block's input, of attention weights, of what is between the feed-forward layers, and of
    /// what each half of a block adds.
    #[schemars(range(min = 0.0, max = 0.99))]
    pub dropout: f64,
}

impl Default for TransformerLayer {
    fn default() -> Self {
        TransformerLayer {
            blocks: 2,
            width: 128,
            heads: 4,
            feedforward: 512,
            activation: FeedforwardActivation::Gelu,
            positions: Positions::Sinusoidal,
            max_positions: 512,
            dropout: 0.1,
        }
    }
}

/// Functions between the layers of a feed-forward network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FeedforwardActivation {
    /// `x` times the share of a standard normal distribution below `x` (Hendrycks and Gimpel, 2016).
    Gelu,
    /// `max(x, 0)`.
    Relu,
}

/// How a token's place in its text is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Positions {
    /// Sines and cosines of several wave lengths are added to the input times the root of `width` (Vaswani et al., NeurIPS 2017).
    Sinusoidal,
    /// A learned vector for each of `max_positions` places is added.
    Learned,
    /// Not at all: the layer sees a set of tokens, unless a layer below knows their order.
    None,
}

/// Layer normalisation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct NormLayer {
    /// Added to the variance, so that equal features give no division by zero.
    #[schemars(range(min = 1e-12, max = 1.0))]
    pub epsilon: f64,
}

impl Default for NormLayer {
    fn default() -> Self {
        NormLayer { epsilon: 1e-5 }
    }
}
