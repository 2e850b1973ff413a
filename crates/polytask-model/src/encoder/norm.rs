//! Layer normalisation, of a vector or of each token.
//!
//! Ba, Kiros and Hinton, "Layer normalization", 2016.

use burn::tensor::Tensor;
use polytask_kernels::ops;
use polytask_spec::network::NormLayer;

use super::{Demand, Layer, Site};
use crate::parameters::{Group, Owner, ParameterId, Parameters};
use crate::pass::Pass;
use crate::representation::{Ends, Form, Representation, Sequence, Words};

/// The parameters of one normalisation.
#[derive(Debug)]
pub struct Scale {
    weight: ParameterId,
    bias: ParameterId,
    epsilon: f64,
}

impl Scale {
    /// Adds `PREFIX.weight [d]`, ones at first, and `PREFIX.bias [d]`, zeros at first.
    pub fn build(prefix: &str, dim: usize, epsilon: f64, owner: Owner, parameters: &mut Parameters) -> Scale {
        let mut add = |part: &str, value: f32| {
            parameters.add(format!("{prefix}.{part}"), &[dim], Group::Trunk, owner, vec![value; dim])
        };
        Scale { weight: add("weight", 1.0), bias: add("bias", 0.0), epsilon }
    }

    /// `[n, d]` to `[n, d]`.
    pub fn on_vectors(&self, pass: &Pass<'_>, x: Tensor<2>) -> Tensor<2> {
        ops::layer_norm(x, pass.get(self.weight), pass.get(self.bias), self.epsilon)
    }
}

/// The norm layer.
#[derive(Debug)]
pub struct Norm {
    scale: Scale,
    form: Form,
    ends: Ends,
}

impl Norm {
    /// Adds `PREFIX.weight` and `PREFIX.bias`.
    pub fn build(site: &Site, spec: &NormLayer, parameters: &mut Parameters) -> Norm {
        let Site { prefix, owner, form, ends } = site;
        let scale = Scale::build(prefix, form.dim(), spec.epsilon, *owner, parameters);
        Norm { scale, form: *form, ends: *ends }
    }
}

impl Layer for Norm {
    fn form(&self) -> Form {
        self.form
    }

    fn reads_words(&self, _pass: &Pass<'_>, _demand: Demand) -> bool {
        true
    }

    /// Features stay in their places.
    fn ends(&self) -> Ends {
        self.ends
    }

    /// The centred features, their squares, the normalised, the scaled and the shifted ones.
    fn kept_per_token(&self, _longest: usize) -> usize {
        match self.form {
            Form::Sequence(dim) => 5 * dim,
            Form::Vector(_) => 0,
        }
    }

    fn forward(&self, pass: &Pass<'_>, x: Representation) -> Representation {
        match x {
            Representation::Vector(x) => Representation::Vector(self.scale.on_vectors(pass, x)),
            Representation::Words(words) => {
                Representation::Words(Words { rows: self.scale.on_vectors(pass, words.rows), ..words })
            }
            Representation::Sequence(Sequence { values, lengths }) => {
                let [batch, time, dim] = values.dims();
                let rows = self.scale.on_vectors(pass, values.reshape([batch * time, dim]));
                Representation::Sequence(Sequence { values: rows.reshape([batch, time, dim]), lengths })
            }
        }
    }
}
