//! Bidirectional LSTM over tokens, the whole layer as one operation.
//!
//! Hochreiter and Schmidhuber, "Long short-term memory", Neural Computation 1997; Graves and Schmidhuber 2005. The
//! forget gate's bias starts at one (Jozefowicz, Zaremba and Sutskever, ICML 2015).

use polytask_kernels::ops;
use polytask_spec::network::BilstmLayer;

use super::{Layer, Site};
use crate::parameters::{Group, Init, ParameterId, Parameters};
use crate::pass::Pass;
use crate::representation::{Form, Representation, Sequence, Words};

/// The bidirectional LSTM layer.
#[derive(Debug)]
pub struct Bilstm {
    directions: [Direction; 2],
    inputs: usize,
    hidden: usize,
    dropout: f64,
}

#[derive(Debug)]
struct Direction {
    weight_ih: ParameterId,
    weight_hh: ParameterId,
    bias: ParameterId,
}

impl Bilstm {
    /// Adds `weight_ih [d, 4 hidden]`, `weight_hh [hidden, 4 hidden]` and `bias [4 hidden]` for each direction; gates
    /// stand in the order input, forget, cell, output.
    pub fn build(site: &Site, spec: &BilstmLayer, parameters: &mut Parameters, init: Init) -> Bilstm {
        let Site { prefix, owner, form } = site;
        let hidden = spec.hidden;
        let mut direction = |direction: &str| {
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
        };
        let directions = [direction("forward"), direction("backward")];
        Bilstm { directions, inputs: form.dim(), hidden, dropout: spec.dropout }
    }
}

impl Layer for Bilstm {
    fn form(&self) -> Form {
        Form::Sequence(2 * self.hidden)
    }

    /// Of each direction: its input, four gates, cell, its hyperbolic tangent and the hidden state; and the output.
    fn kept_per_token(&self) -> usize {
        2 * (self.inputs + 7 * self.hidden) + 2 * self.hidden
    }

    fn forward(&self, pass: &Pass<'_>, x: Representation) -> Representation {
        let [forward, backward] = self.directions.each_ref().map(|direction| ops::LstmWeights {
            input: pass.get(direction.weight_ih),
            recurrent: pass.get(direction.weight_hh),
            bias: pass.get(direction.bias),
        });
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
