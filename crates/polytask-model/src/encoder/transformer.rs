//! Transformer encoder: blocks of self-attention and a feed-forward network, each normalised before it and added to its
//! input, and a normalisation after the last.
//!
//! ```text
//! x = x + dropout(attention(norm(x)))
//! x = x + dropout(feedforward(norm(x)))
//! ```
//!
//! Vaswani et al., "Attention is all you need", NeurIPS 2017; normalised before each part and after all, as Xiong et al.,
//! "On layer normalization in the transformer architecture", ICML 2020, who show that it trains without a warm-up.

use std::sync::Arc;

use burn::tensor::{Tensor, TensorData, activation};
use polytask_kernels::activation::Activation;
use polytask_kernels::ops;
use polytask_spec::network::{FeedforwardActivation, Positions as PositionsSpec, TransformerLayer};

use super::norm::Scale;
use super::{Affine, Layer, Site};
use crate::parameters::{Group, Init, Owner, ParameterId, Parameters};
use crate::pass::Pass;
use crate::representation::{Form, Representation, Sequence, Words};

/// Added to the variance in every normalisation.
const EPSILON: f64 = 1e-5;

/// The transformer layer.
#[derive(Debug)]
pub struct Transformer {
    input: Option<Affine>,
    positions: Positions,
    blocks: Vec<Block>,
    norm: Scale,
    sizes: Sizes,
    inputs: usize,
    dropout: f64,
}

/// The extents of a block.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    width: usize,
    heads: usize,
    feedforward: usize,
}

#[derive(Debug)]
enum Positions {
    Sinusoidal,
    /// A table `[places, width]`.
    Learned(ParameterId),
    None,
}

impl Transformer {
    /// Adds `PREFIX.input` where the width below is another, `PREFIX.positions [places, width]` where they are learned, the
    /// blocks `PREFIX.block1...` and `PREFIX.norm`.
    pub fn build(site: &Site, spec: &TransformerLayer, parameters: &mut Parameters, init: Init) -> Transformer {
        let Site { prefix, owner, form, .. } = site;
        let (inputs, width) = (form.dim(), spec.width);
        let sharing = (Group::Trunk, *owner);
        let input = (inputs != width).then(|| {
            let name = format!("{prefix}.input");
            Affine::build(&name, [inputs, width], Activation::None, sharing, parameters, init)
        });
        let positions = match spec.positions {
            PositionsSpec::Sinusoidal => Positions::Sinusoidal,
            PositionsSpec::None => Positions::None,
            PositionsSpec::Learned => {
                let name = format!("{prefix}.positions");
                let values = init.uniform(&name, spec.max_positions * width, (3.0 / width as f64).sqrt());
                Positions::Learned(parameters.add(name, &[spec.max_positions, width], Group::Trunk, *owner, values))
            }
        };
        let sizes = Sizes { width, heads: spec.heads, feedforward: spec.feedforward };
        let blocks = (1..=spec.blocks).map(|at| {
            let name = format!("{prefix}.block{at}");
            Block::build(&name, sizes, spec.activation, *owner, parameters, init)
        });
        let blocks = blocks.collect();
        let norm = Scale::build(&format!("{prefix}.norm"), width, EPSILON, *owner, parameters);
        Transformer { input, positions, blocks, norm, sizes, inputs, dropout: spec.dropout }
    }

    /// What the first block reads, `[batch, token, width]`.
    fn projected(&self, pass: &Pass<'_>, x: Representation) -> Sequence {
        match (&self.input, x) {
            (Some(input), Representation::Words(words)) => {
                Words { rows: input.on_vectors(pass, words.rows), ..words }.into_sequence()
            }
            (Some(input), x) => {
                let Sequence { values, lengths } = x.into_sequence();
                Sequence { values: input.on_tokens(pass, values), lengths }
            }
            (None, x) => x.into_sequence(),
        }
    }
}

impl Positions {
    /// Tells `x` `[batch, token, width]` the place of each token.
    fn add(&self, pass: &Pass<'_>, x: Tensor<3>) -> Tensor<3> {
        let [_, time, width] = x.dims();
        match self {
            Positions::None => x,
            Positions::Sinusoidal => {
                let waves = TensorData::new(sinusoidal(time, width), [1, time, width]);
                let waves = Tensor::<3>::from_data(waves, &x.device());
                x.mul_scalar((width as f64).sqrt()) + waves
            }
            Positions::Learned(table) => {
                let table: Tensor<2> = pass.get(*table);
                let last = table.dims()[0] - 1;
                let index = (0..time).map(|at| at.min(last) as u32).collect();
                x + ops::gather(table, Arc::new(index)).unsqueeze::<3>()
            }
        }
    }
}

/// `[time, width]`: in the columns `2 i` the sine of `time / 10000^(2 i / width)`, in `2 i + 1` its cosine.
fn sinusoidal(time: usize, width: usize) -> Vec<f32> {
    let wave = |at: usize, column: usize| {
        let angle = at as f64 / 10_000f64.powf((column / 2 * 2) as f64 / width as f64);
        if column.is_multiple_of(2) { angle.sin() } else { angle.cos() }
    };
    (0..time).flat_map(|at| (0..width).map(move |column| wave(at, column) as f32)).collect()
}

impl Layer for Transformer {
    fn form(&self) -> Form {
        Form::Sequence(self.sizes.width)
    }

    /// Of each block: two normalisations, queries, keys and values twice, the weights of each head before and after softmax
    /// and dropout, what attention and feed-forward network make, and sums.
    fn kept_per_token(&self, longest: usize) -> usize {
        let Sizes { width, heads, feedforward } = self.sizes;
        let block = 24 * width + 4 * feedforward + 5 * heads * longest;
        self.inputs + 3 * width + self.blocks.len() * block + 5 * width
    }

    fn forward(&self, pass: &Pass<'_>, x: Representation) -> Representation {
        let Sequence { values, lengths } = self.projected(pass, x);
        let [batch, time, width] = values.dims();
        let values = pass.dropout(self.positions.add(pass, values), self.dropout);
        let mut rows = values.reshape([batch * time, width]);
        for block in &self.blocks {
            rows = block.forward(pass, rows, &lengths, self.dropout);
        }
        let values = self.norm.on_vectors(pass, rows).reshape([batch, time, width]);
        Representation::Sequence(Sequence { values, lengths })
    }
}

/// Self-attention and a feed-forward network.
#[derive(Debug)]
struct Block {
    norm1: Scale,
    qkv: Affine,
    attended: Affine,
    norm2: Scale,
    up: Affine,
    down: Affine,
    heads: usize,
    activation: FeedforwardActivation,
}

impl Block {
    /// Adds `PREFIX.norm1`, `PREFIX.qkv` (queries, keys, values side by side), `PREFIX.attended`, `PREFIX.norm2`, `PREFIX.up` and
    /// `PREFIX.down`, each a weight and a bias.
    fn build(
        prefix: &str,
        Sizes { width, heads, feedforward }: Sizes,
        activation: FeedforwardActivation,
        owner: Owner,
        parameters: &mut Parameters,
        init: Init,
    ) -> Block {
        let scale = |part: &str, parameters: &mut Parameters| {
            Scale::build(&format!("{prefix}.{part}"), width, EPSILON, owner, parameters)
        };
        let affine = |part: &str, sizes: [usize; 2], activation: Activation, parameters: &mut Parameters| {
            let name = format!("{prefix}.{part}");
            Affine::build(&name, sizes, activation, (Group::Trunk, owner), parameters, init)
        };
        let fused = match activation {
            FeedforwardActivation::Relu => Activation::Relu,
            FeedforwardActivation::Gelu => Activation::None,
        };
        Block {
            norm1: scale("norm1", parameters),
            qkv: affine("qkv", [width, 3 * width], Activation::None, parameters),
            attended: affine("attended", [width, width], Activation::None, parameters),
            norm2: scale("norm2", parameters),
            up: affine("up", [width, feedforward], fused, parameters),
            down: affine("down", [feedforward, width], Activation::None, parameters),
            heads,
            activation,
        }
    }

    /// `[batch * token, width]` to `[batch * token, width]`.
    fn forward(&self, pass: &Pass<'_>, x: Tensor<2>, lengths: &Arc<Vec<usize>>, dropout: f64) -> Tensor<2> {
        let qkv = self.qkv.on_vectors(pass, self.norm1.on_vectors(pass, x.clone()));
        let mixed = ops::self_attention(qkv, lengths, self.heads, |weights| pass.dropout(weights, dropout));
        let x = x + pass.dropout(self.attended.on_vectors(pass, mixed), dropout);
        let up = self.up.on_vectors(pass, self.norm2.on_vectors(pass, x.clone()));
        let up = match self.activation {
            FeedforwardActivation::Gelu => activation::gelu(up),
            FeedforwardActivation::Relu => up,
        };
        let down = self.down.on_vectors(pass, pass.dropout(up, dropout));
        x + pass.dropout(down, dropout)
    }
}

#[cfg(test)]
mod tests;
