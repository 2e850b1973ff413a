//! Maximum or mean over tokens, as a layer of the encoder.

use polytask_spec::network::{Pool, PoolLayer};

use super::Layer;
use crate::pass::Pass;
use crate::representation::{Form, Representation};

/// The pool layer.
#[derive(Debug)]
pub struct PoolOver {
    pool: Pool,
    dropout: f64,
    dim: usize,
}

impl PoolOver {
    /// A pool over a sequence of form `form`.
    pub fn build(spec: &PoolLayer, form: Form) -> PoolOver {
        PoolOver { pool: spec.pool, dropout: spec.dropout, dim: form.dim() }
    }
}

impl Layer for PoolOver {
    fn form(&self) -> Form {
        Form::Vector(self.dim)
    }

    /// A layer below that pooled already hands on a vector, which stays as it is.
    fn forward(&self, pass: &Pass<'_>, x: Representation) -> Representation {
        Representation::Vector(x.pooled(self.pool)).dropout(pass, self.dropout)
    }
}
