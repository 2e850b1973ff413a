//! What stands around a layer: dropout of whole features and tokens, and a connection past the layer.
//!
//! A residual connection adds what a layer reads to what it hands on (He et al., "Deep residual learning for image
//! recognition", CVPR 2016): as it is where the widths are equal, else through a linear projection, their equation (2).

use burn::tensor::Tensor;
use polytask_kernels::ops;
use polytask_spec::network::Layer as LayerSpec;

use super::{Demand, Layer, Site};
use crate::parameters::{Group, Init, ParameterId, Parameters};
use crate::pass::Pass;
use crate::representation::{Ends, Form, Representation, Sequence, Words};

/// A layer in its place in an encoder.
#[derive(Debug)]
pub struct Placed {
    /// The layer's name in the encoder.
    pub name: String,
    layer: Box<dyn Layer>,
    shortcut: Option<Shortcut>,
    locked_dropout: f64,
    word_dropout: f64,
}

/// The way past a layer.
#[derive(Debug)]
enum Shortcut {
    /// What the layer reads, as it is.
    Identity,
    /// What the layer reads times a matrix `[inputs, outputs]`.
    Projection(ParameterId),
}

impl Placed {
    /// Adds `PREFIX.residual.weight [inputs, outputs]` where the layer has a residual connection between unequal widths.
    pub fn new(
        name: String,
        layer: Box<dyn Layer>,
        (site, spec): (&Site, &LayerSpec),
        parameters: &mut Parameters,
        init: Init,
    ) -> Placed {
        let (inputs, outputs) = (site.form.dim(), layer.form().dim());
        let shortcut = spec.kind.residual().then(|| {
            if inputs == outputs {
                return Shortcut::Identity;
            }
            let name = format!("{}.residual.weight", site.prefix);
            let values = init.glorot(&name, inputs * outputs, inputs, outputs);
            Shortcut::Projection(parameters.add(name, &[inputs, outputs], Group::Trunk, site.owner, values))
        });
        Placed { name, layer, shortcut, locked_dropout: spec.locked_dropout, word_dropout: spec.word_dropout }
    }

    /// The shape of the output.
    pub fn form(&self) -> Form {
        self.layer.form()
    }

    /// Which token of the output has read the whole text.
    pub fn ends(&self) -> Ends {
        self.layer.ends()
    }

    /// Values that are kept for each token until the way back; see [`Layer::kept_per_token`].
    pub fn kept_per_token(&self, longest: usize) -> usize {
        let Form::Sequence(dim) = self.form() else { return self.layer.kept_per_token(longest) };
        let sum = self.shortcut.as_ref().map_or(0, |shortcut| match shortcut {
            Shortcut::Identity => dim,
            Shortcut::Projection(_) => 2 * dim,
        });
        let masked = [self.locked_dropout, self.word_dropout].iter().filter(|rate| **rate > 0.0).count();
        self.layer.kept_per_token(longest) + sum + masked * dim
    }

    /// See [`Layer::reads_words`].
    pub fn reads_words(&self, pass: &Pass<'_>, demand: Demand) -> bool {
        self.is_bare(pass) && self.layer.reads_words(pass, demand)
    }

    /// Whether nothing stands around the layer in this pass.
    fn is_bare(&self, pass: &Pass<'_>) -> bool {
        self.shortcut.is_none() && !pass.drops(self.locked_dropout) && !pass.drops(self.word_dropout)
    }

    /// The output, or where all who read it pool it alike and the layer can do so at once, its pool.
    pub fn forward(&self, pass: &Pass<'_>, x: Representation, demand: Demand) -> Representation {
        if let (true, Demand::Pooled(pool)) = (self.is_bare(pass), demand)
            && let Some(pooled) = self.layer.forward_pooled(pass, &x, pool)
        {
            return pooled;
        }
        let past = self.shortcut.as_ref().map(|shortcut| shortcut.forward(pass, x.clone()));
        let y = self.layer.forward(pass, x);
        let y = y.locked_dropout(pass, self.locked_dropout).word_dropout(pass, self.word_dropout);
        match past {
            Some(past) => y.plus(past),
            None => y,
        }
    }
}

impl Shortcut {
    fn forward(&self, pass: &Pass<'_>, x: Representation) -> Representation {
        let Shortcut::Projection(weight) = self else { return x };
        let weight: Tensor<2> = pass.get(*weight);
        let project = |rows: Tensor<2>| ops::product(rows, weight);
        match x {
            Representation::Vector(x) => Representation::Vector(project(x)),
            Representation::Words(words) => Representation::Words(Words { rows: project(words.rows), ..words }),
            Representation::Sequence(Sequence { values, lengths }) => {
                let [batch, time, inputs] = values.dims();
                let values = project(values.reshape([batch * time, inputs])).reshape([batch as i32, time as i32, -1]);
                Representation::Sequence(Sequence { values, lengths })
            }
        }
    }
}
