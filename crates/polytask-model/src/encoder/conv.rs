//! Convolution over tokens, several widths at once.
//!
//! Kim, "Convolutional neural networks for sentence classification", EMNLP 2014. Where all readers of the layer take
//! the maximum over tokens, convolution, activation and maximum run as one operation whose backward pass touches only
//! the winning windows.

use burn::tensor::Tensor;
use polytask_kernels::activation::Activation;
use polytask_kernels::ops;
use polytask_spec::network::{ConvLayer, Pool};

use super::dense::activation;
use super::{Demand, Layer, Site};
use crate::parameters::{Group, Init, ParameterId, Parameters};
use crate::pass::Pass;
use crate::representation::{Form, Representation, Sequence};

/// The convolution layer.
#[derive(Debug)]
pub struct Conv {
    weights: Vec<ParameterId>,
    bias: ParameterId,
    activation: Activation,
    dropout: f64,
    features: usize,
}

impl Conv {
    /// Adds a weight `[width * d, filters]` for each width, `PREFIX.width3.weight`, and one bias for all.
    pub fn build(site: &Site, spec: &ConvLayer, parameters: &mut Parameters, init: Init) -> Conv {
        let Site { prefix, owner, form, .. } = site;
        let weights = spec
            .widths
            .iter()
            .enumerate()
            .map(|(index, &width)| {
                // Widths may repeat; the position keeps names unique.
                let repeat = spec.widths[..index].iter().filter(|&&w| w == width).count();
                let suffix = if repeat == 0 { String::new() } else { format!("_{}", repeat + 1) };
                let name = format!("{prefix}.width{width}{suffix}.weight");
                let fan_in = width * form.dim();
                let values = init.glorot(&name, fan_in * spec.filters, fan_in, spec.filters);
                parameters.add(name, &[fan_in, spec.filters], Group::Trunk, *owner, values)
            })
            .collect();
        let features = spec.widths.len() * spec.filters;
        let bias = parameters.add(format!("{prefix}.bias"), &[features], Group::Trunk, *owner, vec![0.0; features]);
        Conv { weights, bias, activation: activation(spec.activation), dropout: spec.dropout, features }
    }

    fn weights(&self, pass: &Pass<'_>) -> Vec<Tensor<2>> {
        self.weights.iter().map(|&id| pass.get(id)).collect()
    }
}

impl Layer for Conv {
    fn form(&self) -> Form {
        Form::Sequence(self.features)
    }

    fn forward(&self, pass: &Pass<'_>, x: Representation) -> Representation {
        let Sequence { values, lengths } = x.into_sequence();
        let values = ops::conv(values, lengths.clone(), self.weights(pass), pass.get(self.bias), self.activation);
        Representation::Sequence(Sequence { values: pass.dropout(values, self.dropout), lengths })
    }

    fn reads_words(&self, pass: &Pass<'_>, demand: Demand) -> bool {
        // Dropout before the maximum changes which window wins, so the fused operation cannot stand in for it.
        demand == Demand::Pooled(Pool::Max) && !pass.drops(self.dropout)
    }

    fn forward_pooled(&self, pass: &Pass<'_>, x: &Representation, pool: Pool) -> Option<Representation> {
        if !self.reads_words(pass, Demand::Pooled(pool)) {
            return None;
        }
        let values = match x.clone() {
            Representation::Words(words) => pass.word_conv_max(words, &self.weights, self.bias, self.activation),
            tokens => {
                let Sequence { values, lengths } = tokens.into_sequence();
                ops::conv_max(values, lengths, self.weights(pass), pass.get(self.bias), self.activation)
            }
        };
        Some(Representation::Vector(values))
    }
}
