//! LSTM over tokens, from the first to the last.
//!
//! Hochreiter and Schmidhuber, "Long short-term memory", Neural Computation 1997. The forget gate's bias starts at one.

use polytask_kernels::ops;
use polytask_spec::network::LstmLayer;

use super::bilstm::Direction;
use super::{Layer, Site};
use crate::parameters::{Init, Parameters};
use crate::pass::Pass;
use crate::representation::{Form, Representation, Sequence};

/// The LSTM layer.
#[derive(Debug)]
pub struct Lstm {
    direction: Direction,
    inputs: usize,
    hidden: usize,
    dropout: f64,
}

impl Lstm {
    /// Adds `forward.weight_ih [d, 4 hidden]`, `forward.weight_hh [hidden, 4 hidden]` and `forward.bias [4 hidden]`, as the
    /// bidirectional layer does.
    pub fn build(site: &Site, spec: &LstmLayer, parameters: &mut Parameters, init: Init) -> Lstm {
        let direction = Direction::build("forward", site, spec.hidden, parameters, init);
        Lstm { direction, inputs: site.form.dim(), hidden: spec.hidden, dropout: spec.dropout }
    }
}

impl Layer for Lstm {
    fn form(&self) -> Form {
        Form::Sequence(self.hidden)
    }

    /// The input, its products, and of each step gates, what they are made of, cell, its hyperbolic tangent and state.
    fn kept_per_token(&self, _longest: usize) -> usize {
        self.inputs + 20 * self.hidden
    }

    fn forward(&self, pass: &Pass<'_>, x: Representation) -> Representation {
        let Sequence { values, lengths } = x.into_sequence();
        let values = ops::lstm(values, lengths.clone(), self.direction.weights(pass));
        Representation::Sequence(Sequence { values: pass.dropout(values, self.dropout), lengths })
    }
}
