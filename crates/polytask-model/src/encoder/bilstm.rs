//! Bidirectional LSTM over tokens, the whole layer as one operation.
//!
//! Hochreiter and Schmidhuber, "Long short-term memory", Neural Computation 1997; Graves and Schmidhuber 2005. The
//! forget gate's bias starts at one (Jozefowicz, Zaremba and Sutskever, ICML 2015).

use polytask_kernels::ops;
use polytask_spec::network::BilstmLayer;

use super::{Layer, Site};
use crate::parameters::{Group, Init, ParameterId, Parameters};
use crate::pass::Pass;
use crate::representation::{Ends, Form, Representation, Sequence, Words};

/// The bidirectional LSTM layer.
#[derive(Debug)]
pub struct Bilstm {
    directions: [Direction; 2],
    inputs: usize,
    hidden: usize,
    dropout: f64,
}

/// The parameters of one direction of an LSTM.
#[derive(Debug)]
pub struct Direction {
    weight_ih: ParameterId,
    weight_hh: ParameterId,
    bias: ParameterId,
}

impl Direction {
    /// Adds `weight_ih [d, 4 hidden]`, `weight_hh [hidden, 4 hidden]` and `bias [4 hidden]` under the direction's name; gates
    /// stand in the order input, forget, cell, output.
    pub fn build(direction: &str, site: &Site, hidden: usize, parameters: &mut Parameters, init: Init) -> Direction {
        let Site { prefix, owner, form, .. } = site;
        let mut add = |part: &str, rows: usize| {
            let name = format!("{prefix}.{direction}.{part}");
            let values = init.glorot(&name, rows * 4 * hidden, rows, hidden);
            parameters.add(name, &[rows, 4 * hidden], Group::Trunk, *owner, values)
        };
        let (weight_ih, weight_hh) = (add("weight_ih", form.dim()), add("weight_hh", hidden));
        let mut values = vec![0.0; 4 * hidden];
        values[hidden..2 * hidden].fill(1.0);
        let name = format!("{prefix}.{direction}.bias");
        let bias = parameters.add(name, &[4 * hidden], Group::Trunk, *owner, values);
        Direction { weight_ih, weight_hh, bias }
    }

    /// The weights as an operation takes them.
    pub fn weights(&self, pass: &Pass<'_>) -> ops::LstmWeights {
        ops::LstmWeights {
            input: pass.get(self.weight_ih),
            recurrent: pass.get(self.weight_hh),
            bias: pass.get(self.bias),
        }
    }
}

impl Bilstm {
    /// Adds the parameters of both directions.
    pub fn build(site: &Site, spec: &BilstmLayer, parameters: &mut Parameters, init: Init) -> Bilstm {
        let directions =
            ["forward", "backward"].map(|direction| Direction::build(direction, site, spec.hidden, parameters, init));
        Bilstm { directions, inputs: site.form.dim(), hidden: spec.hidden, dropout: spec.dropout }
    }
}

impl Layer for Bilstm {
    fn form(&self) -> Form {
        Form::Sequence(2 * self.hidden)
    }

    /// Of each direction: its input, four gates, cell, its hyperbolic tangent and the hidden state; and the output.
    fn kept_per_token(&self, _longest: usize) -> usize {
        2 * (self.inputs + 7 * self.hidden) + 2 * self.hidden
    }

    fn ends(&self) -> Ends {
        Ends::Both
    }

    fn forward(&self, pass: &Pass<'_>, x: Representation) -> Representation {
        let [forward, backward] = self.directions.each_ref().map(|direction| direction.weights(pass));
        let (values, lengths) = match x {
            Representation::Words(Words { rows, index, lengths }) if !pass.is_training() => {
                (ops::bilstm_words(rows, index, lengths.clone(), forward, backward), lengths)
            }
            tokens => {
                let Sequence { values, lengths } = tokens.into_sequence();
                (ops::bilstm(values, lengths.clone(), forward, backward), lengths)
            }
        };
        Representation::Sequence(Sequence { values: pass.dropout(values, self.dropout), lengths })
    }
}
