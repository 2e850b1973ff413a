//! Fully connected layer, on a vector or on each token.

use burn::tensor::Tensor;
use polytask_kernels::activation::Activation;
use polytask_kernels::ops;
use polytask_spec::network::{Activation as ActivationSpec, DenseLayer};

use super::{Demand, Layer, Site};
use crate::parameters::{Group, Init, Owner, ParameterId, Parameters};
use crate::pass::Pass;
use crate::representation::{Form, Representation, Sequence, Words};

/// Weight `[inputs, outputs]`, bias `[outputs]` and an activation.
#[derive(Debug)]
pub struct Affine {
    weight: ParameterId,
    bias: ParameterId,
    activation: Activation,
}

impl Affine {
    /// Adds `PREFIX.weight` and `PREFIX.bias`.
    pub fn build(
        prefix: &str,
        [inputs, outputs]: [usize; 2],
        activation: Activation,
        (group, owner): (Group, Owner),
        parameters: &mut Parameters,
        init: Init,
    ) -> Affine {
        let name = format!("{prefix}.weight");
        let values = init.glorot(&name, inputs * outputs, inputs, outputs);
        let weight = parameters.add(name, &[inputs, outputs], group, owner, values);
        let bias = parameters.add(format!("{prefix}.bias"), &[outputs], group, owner, vec![0.0; outputs]);
        Affine { weight, bias, activation }
    }

    /// `[n, inputs]` to `[n, outputs]`.
    pub fn on_vectors(&self, pass: &Pass<'_>, x: Tensor<2>) -> Tensor<2> {
        ops::linear(x, pass.get(self.weight), pass.get(self.bias), self.activation)
    }

    /// `[batch, token, inputs]` to `[batch, token, outputs]`.
    pub fn on_tokens(&self, pass: &Pass<'_>, x: Tensor<3>) -> Tensor<3> {
        let [batch, time, inputs] = x.dims();
        let y = self.on_vectors(pass, x.reshape([batch * time, inputs]));
        let outputs = y.dims()[1];
        y.reshape([batch, time, outputs])
    }
}

/// The dense layer.
#[derive(Debug)]
pub struct Dense {
    affine: Affine,
    form: Form,
    dropout: f64,
}

impl Dense {
    /// Adds `PREFIX.weight` and `PREFIX.bias`.
    pub fn build(site: &Site, spec: &DenseLayer, parameters: &mut Parameters, init: Init) -> Dense {
        let Site { prefix, owner, form, .. } = site;
        let sharing = (Group::Trunk, *owner);
        let sizes = [form.dim(), spec.units];
        let affine = Affine::build(prefix, sizes, activation(spec.activation), sharing, parameters, init);
        Dense { affine, form: form.with_dim(spec.units), dropout: spec.dropout }
    }
}

impl Layer for Dense {
    fn form(&self) -> Form {
        self.form
    }

    fn reads_words(&self, pass: &Pass<'_>, _demand: Demand) -> bool {
        !pass.drops(self.dropout)
    }

    fn forward(&self, pass: &Pass<'_>, x: Representation) -> Representation {
        match x {
            Representation::Vector(x) => Representation::Vector(self.affine.on_vectors(pass, x)),
            // What a layer does to each token alone, it does to each distinct word once.
            Representation::Words(words) => {
                Representation::Words(Words { rows: self.affine.on_vectors(pass, words.rows), ..words })
            }
            Representation::Sequence(Sequence { values, lengths }) => {
                Representation::Sequence(Sequence { values: self.affine.on_tokens(pass, values), lengths })
            }
        }
        .dropout(pass, self.dropout)
    }
}

/// The kernel's activation for a configured one.
pub fn activation(spec: ActivationSpec) -> Activation {
    match spec {
        ActivationSpec::Relu => Activation::Relu,
        ActivationSpec::Tanh => Activation::Tanh,
        ActivationSpec::None => Activation::None,
    }
}
