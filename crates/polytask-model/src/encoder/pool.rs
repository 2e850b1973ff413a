//! One vector of all tokens, as a layer of the encoder.

use polytask_spec::network::PoolLayer;

use super::{Layer, Pooler, Site};
use crate::parameters::{Group, Init, Parameters};
use crate::pass::Pass;
use crate::representation::{Form, Representation};

/// The pool layer.
#[derive(Debug)]
pub struct PoolOver {
    pooler: Pooler,
    dropout: f64,
    dim: usize,
}

impl PoolOver {
    /// Adds the pool's parameters, where it has any, under the layer's name.
    pub fn build(site: &Site, spec: &PoolLayer, parameters: &mut Parameters, init: Init) -> PoolOver {
        let Site { prefix, owner, form, ends } = site;
        let pooler = Pooler::build(prefix, spec.pool, (*form, *ends), (Group::Trunk, *owner), parameters, init);
        PoolOver { pooler, dropout: spec.dropout, dim: form.dim() }
    }
}

impl Layer for PoolOver {
    fn form(&self) -> Form {
        Form::Vector(self.dim)
    }

    /// What attention pools keeps its hidden values and scores.
    fn kept_per_token(&self, _longest: usize) -> usize {
        self.pooler.kept_per_token()
    }

    /// A layer below that pooled already hands on a vector, which stays as it is.
    fn forward(&self, pass: &Pass<'_>, x: Representation) -> Representation {
        Representation::Vector(self.pooler.pooled(pass, x)).dropout(pass, self.dropout)
    }
}
