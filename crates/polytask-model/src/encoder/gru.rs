//! GRU over tokens, in both directions or one.
//!
//! Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical machine translation", EMNLP
//! 2014; the equations stand at [`ops::gru`].

use polytask_kernels::ops;
use polytask_spec::network::{Directions, GruLayer};

use super::{Layer, Site};
use crate::parameters::{Group, Init, ParameterId, Parameters};
use crate::pass::Pass;
use crate::representation::{Ends, Form, Representation, Sequence};

/// The GRU layer.
#[derive(Debug)]
pub struct Gru {
    forward: Direction,
    backward: Option<Direction>,
    inputs: usize,
    hidden: usize,
    dropout: f64,
}

#[derive(Debug)]
struct Direction {
    weight_ih: ParameterId,
    weight_hh: ParameterId,
    bias: ParameterId,
    candidate_bias: ParameterId,
}

impl Gru {
    /// Adds `weight_ih [d, 3 hidden]`, `weight_hh [hidden, 3 hidden]`, `bias [3 hidden]` and `candidate_bias [hidden]` for
    /// each direction; gates stand in the order reset, update, candidate.
    pub fn build(site: &Site, spec: &GruLayer, parameters: &mut Parameters, init: Init) -> Gru {
        let Site { prefix, owner, form, .. } = site;
        let hidden = spec.hidden;
        let mut direction = |direction: &str| {
            let mut add = |part: &str, rows: usize| {
                let name = format!("{prefix}.{direction}.{part}");
                let values = init.glorot(&name, rows * 3 * hidden, rows, hidden);
                parameters.add(name, &[rows, 3 * hidden], Group::Trunk, *owner, values)
            };
            let (weight_ih, weight_hh) = (add("weight_ih", form.dim()), add("weight_hh", hidden));
            let mut zeros = |part: &str, len: usize| {
                let name = format!("{prefix}.{direction}.{part}");
                parameters.add(name, &[len], Group::Trunk, *owner, vec![0.0; len])
            };
            let (bias, candidate_bias) = (zeros("bias", 3 * hidden), zeros("candidate_bias", hidden));
            Direction { weight_ih, weight_hh, bias, candidate_bias }
        };
        let forward = direction("forward");
        let backward = (spec.directions == Directions::Both).then(|| direction("backward"));
        Gru { forward, backward, inputs: form.dim(), hidden, dropout: spec.dropout }
    }

    fn ways(&self) -> usize {
        1 + usize::from(self.backward.is_some())
    }
}

impl Direction {
    fn weights(&self, pass: &Pass<'_>) -> ops::GruWeights {
        ops::GruWeights {
            input: pass.get(self.weight_ih),
            recurrent: pass.get(self.weight_hh),
            bias: pass.get(self.bias),
            candidate_bias: pass.get(self.candidate_bias),
        }
    }
}

impl Layer for Gru {
    fn form(&self) -> Form {
        Form::Sequence(self.ways() * self.hidden)
    }

    fn ends(&self) -> Ends {
        match self.backward {
            Some(_) => Ends::Both,
            None => Ends::Last,
        }
    }

    /// Of each direction: its input, the products, and of each step gates, what they are made of and the state.
    fn kept_per_token(&self, _longest: usize) -> usize {
        self.ways() * (self.inputs + 18 * self.hidden)
    }

    fn forward(&self, pass: &Pass<'_>, x: Representation) -> Representation {
        let Sequence { values, lengths } = x.into_sequence();
        let backward = self.backward.as_ref().map(|backward| backward.weights(pass));
        let values = ops::gru(values, lengths.clone(), self.forward.weights(pass), backward);
        Representation::Sequence(Sequence { values: pass.dropout(values, self.dropout), lengths })
    }
}
