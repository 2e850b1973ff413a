//! Which layers follow which?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LayerKind;

/// Layers that tasks share: a stack, or a tree where `reads` makes branches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Encoder {
    /// The input that the first layer reads; the only input where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// Layers from the input upwards.
    #[schemars(length(min = 1))]
    pub layers: Vec<Layer>,
}

impl Encoder {
    /// The index of the layer that layer `index` reads; none for the first, which reads the input.
    pub fn below(&self, index: usize) -> Option<usize> {
        match &self.layers.get(index)?.reads {
            None => index.checked_sub(1),
            Some(name) => (0..index).find(|&lower| self.layers[lower].name_at(lower) == *name),
        }
    }

    /// A layer and all that it builds on, from itself downwards.
    pub fn chain(&self, index: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(index), |&index| self.below(index))
    }
}

/// A layer of an encoder and its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Layer {
    /// The name that tasks attach to; the kind and its position where absent (`conv2`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The layer of this encoder that it reads, one that is listed before it; the one just before it where absent, and the input
    /// for the first. Layers that read the same one are branches, each trained by the tasks that are attached above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reads: Option<String>,
    /// Share of features zeroed in training, the same ones at every token of a text (Gal and Ghahramani, NeurIPS 2016).
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 0.99))]
    pub locked_dropout: f64,
    /// Share of tokens whose whole vector is zeroed in training (Iyyer et al., ACL 2015).
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 0.99))]
    pub word_dropout: f64,
    /// What the layer computes.
    #[serde(flatten)]
    pub kind: LayerKind,
}

impl Layer {
    /// The layer's name, or its kind and position from 1, given its index from 0: `conv2`.
    pub fn name_at(&self, index: usize) -> String {
        self.name.clone().unwrap_or_else(|| format!("{}{}", self.kind.name(), index + 1))
    }
}
