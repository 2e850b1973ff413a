//! How do the characters of a word become features of it?
//!
//! CNN: Ma and Hovy, "End-to-end sequence labeling via bi-directional LSTM-CNNs-CRF", ACL 2016. LSTM: Lample,
//! Ballesteros, Subramanian, Kawakami and Dyer, "Neural architectures for named entity recognition", NAACL 2016.

use std::sync::Arc;

use burn::tensor::Tensor;
use polytask_data::characters::CharacterSet;
use polytask_kernels::activation::Activation;
use polytask_kernels::ops;
use polytask_spec::network::{BilstmLayer, CharacterEncoder, Characters as CharactersSpec};

use super::words::padded_index;
use crate::encoder::{Bilstm, Layer, Site};
use crate::parameters::{Group, Init, Owner, ParameterId, Parameters};
use crate::pass::Pass;
use crate::representation::{Ends, Form, Representation, Words};

/// Vectors of characters and what reads them word by word.
#[derive(Debug)]
pub struct Characters {
    vectors: ParameterId,
    dim: usize,
    dropout: f64,
    reader: Reader,
}

/// What reads the characters of a word.
#[derive(Debug)]
enum Reader {
    /// Convolution and the maximum over the word.
    Cnn { weight: ParameterId, bias: ParameterId, filters: usize },
    /// The state after the last character going forwards, and that after the first going backwards.
    Lstm { layer: Bilstm, hidden: usize },
}

impl Characters {
    /// Adds `PREFIX.vectors` and the reader's parameters.
    pub fn build(
        (prefix, owner): (&str, Owner),
        spec: &CharactersSpec,
        set: &CharacterSet,
        parameters: &mut Parameters,
        init: Init,
    ) -> Characters {
        let dim = spec.dim;
        let name = format!("{prefix}.vectors");
        let values = init.uniform(&name, set.rows() * dim, (3.0 / dim as f64).sqrt());
        let vectors = parameters.add(name, &[set.rows(), dim], Group::Vectors, owner, values);
        let reader = match spec.encoder {
            CharacterEncoder::Cnn => {
                let (filters, width) = (spec.filters, spec.width);
                let name = format!("{prefix}.weight");
                let values = init.glorot(&name, width * dim * filters, width * dim, filters);
                let weight = parameters.add(name, &[width * dim, filters], Group::Trunk, owner, values);
                let name = format!("{prefix}.bias");
                let bias = parameters.add(name, &[filters], Group::Trunk, owner, vec![0.0; filters]);
                Reader::Cnn { weight, bias, filters }
            }
            CharacterEncoder::Lstm => {
                let site = Site { prefix: prefix.into(), owner, form: Form::Sequence(dim), ends: Ends::Last };
                let spec = BilstmLayer { hidden: spec.hidden, ..BilstmLayer::default() };
                Reader::Lstm { layer: Bilstm::build(&site, &spec, parameters, init), hidden: spec.hidden }
            }
        };
        Characters { vectors, dim, dropout: spec.dropout, reader }
    }

    /// Whether the pass drops anything of it.
    pub fn drops(&self, pass: &Pass<'_>) -> bool {
        pass.drops(self.dropout)
    }

    /// Features of a word.
    pub fn features(&self) -> usize {
        match &self.reader {
            Reader::Cnn { filters, .. } => *filters,
            Reader::Lstm { hidden, .. } => 2 * hidden,
        }
    }

    /// `[words, features]` of words given as the ids of their characters.
    pub fn forward(&self, pass: &Pass<'_>, words: &[&[u32]]) -> Tensor<2> {
        let lengths: Vec<usize> = words.iter().map(|word| word.len()).collect();
        let time = lengths.iter().copied().max().unwrap_or(0).max(1);
        let index = Arc::new(padded_index(words, time, |character| character));
        let rows: Tensor<2> = pass.get(self.vectors);
        let lengths = Arc::new(lengths);
        match &self.reader {
            Reader::Cnn { weight, bias, .. } => {
                let (weights, bias) = (vec![pass.get(*weight)], pass.get(*bias));
                if !pass.drops(self.dropout) {
                    return ops::word_conv_max(rows, index, lengths, weights, bias, Activation::Tanh);
                }
                let letters = ops::gather(rows, index).reshape([words.len(), time, self.dim]);
                ops::conv_max(pass.dropout(letters, self.dropout), lengths, weights, bias, Activation::Tanh)
            }
            Reader::Lstm { layer, hidden } => {
                let letters = Representation::Words(Words { rows, index, lengths: lengths.clone() });
                let states = layer.forward(pass, letters.dropout(pass, self.dropout)).into_sequence().values;
                last_states(states, &lengths, *hidden)
            }
        }
    }
}

/// `[words, 2 hidden]`: of `[words, time, 2 hidden]` the first half at the end of each word and the second half at its
/// beginning; zero for a word without characters.
fn last_states(states: Tensor<3>, lengths: &[usize], hidden: usize) -> Tensor<2> {
    let [words, time, width] = states.dims();
    let states = states.reshape([words * time, width]);
    let row = |(word, &length): (usize, &usize), at: usize| match length {
        0 => u32::MAX,
        _ => (word * time + at) as u32,
    };
    let ends = lengths.iter().enumerate().map(|word| row(word, word.1.saturating_sub(1))).collect();
    let begins = lengths.iter().enumerate().map(|word| row(word, 0)).collect();
    let forward = ops::gather(states.clone(), Arc::new(ends)).narrow(1, 0, hidden);
    let backward = ops::gather(states, Arc::new(begins)).narrow(1, hidden, hidden);
    Tensor::cat(vec![forward, backward], 1)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::pass::Mode;

    const HIDDEN: usize = 3;
    const DIM: usize = 4;

    fn characters(dropout: f64) -> (Parameters, Characters) {
        let mut parameters = Parameters::new(Device::flex());
        let set = CharacterSet::from_words([("abcde", 1)]);
        let encoder = CharacterEncoder::Lstm;
        let spec = CharactersSpec { encoder, dim: DIM, hidden: HIDDEN, dropout, ..CharactersSpec::default() };
        let built = Characters::build(("c", Owner::Shared), &spec, &set, &mut parameters, Init::new(1));
        (parameters, built)
    }

    /// The state of one direction after some characters, one gate after the other, in 64 bits.
    fn state_after(parameters: &Parameters, direction: &str, word: &[u32]) -> Vec<f64> {
        let values = |name: String| -> Vec<f64> {
            let parameter = parameters.dense().iter().find(|parameter| parameter.name == name).expect("a parameter");
            parameter.to_vec().into_iter().map(f64::from).collect()
        };
        let [input, recurrent, bias] =
            ["weight_ih", "weight_hh", "bias"].map(|part| values(format!("c.{direction}.{part}")));
        let vectors = values("c.vectors".into());
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        let (mut state, mut cell) = (vec![0.0; HIDDEN], vec![0.0; HIDDEN]);
        for &character in word {
            let x = &vectors[character as usize * DIM..][..DIM];
            let gate = |gate: usize, unit: usize| {
                let column = gate * HIDDEN + unit;
                let of_input: f64 = x.iter().enumerate().map(|(at, x)| x * input[at * 4 * HIDDEN + column]).sum();
                let of_state: f64 =
                    state.iter().enumerate().map(|(at, h)| h * recurrent[at * 4 * HIDDEN + column]).sum();
                of_input + of_state + bias[column]
            };
            let gates: Vec<[f64; 4]> = (0..HIDDEN).map(|unit| [0, 1, 2, 3].map(|at| gate(at, unit))).collect();
            for (unit, [input, forget, candidate, output]) in gates.into_iter().enumerate() {
                cell[unit] = sigmoid(forget) * cell[unit] + sigmoid(input) * candidate.tanh();
                state[unit] = sigmoid(output) * cell[unit].tanh();
            }
        }
        state
    }

    #[test]
    fn a_word_is_the_last_state_of_each_direction() {
        let (parameters, characters) = characters(0.0);
        assert_eq!(characters.features(), 2 * HIDDEN);
        let words: [&[u32]; 5] = [&[2, 3, 4], &[6], &[], &[5, 5, 1, 2, 6, 3, 3], &[4, 3, 2]];
        let mut expected = Vec::new();
        for word in words {
            let turned: Vec<u32> = word.iter().rev().copied().collect();
            expected.extend(state_after(&parameters, "forward", word));
            expected.extend(state_after(&parameters, "backward", &turned));
        }
        for mode in [Mode::Infer, Mode::Train { seed: 1, step: 0 }] {
            let pass = Pass::new(&parameters, mode);
            let found: Vec<f32> = characters.forward(&pass, &words).into_data().try_into_vec().unwrap();
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                assert!((f64::from(*found) - expected).abs() < 1e-6, "{mode:?}: {found}, {expected}");
            }
        }
    }

    #[test]
    fn dropout_is_for_training_alone() {
        let (parameters, characters) = characters(0.5);
        let values = |mode| -> Vec<f32> {
            let pass = Pass::new(&parameters, mode);
            characters.forward(&pass, &[&[2, 3, 4, 5, 6]]).into_data().try_into_vec().unwrap()
        };
        let train = |step| values(Mode::Train { seed: 1, step });
        assert_eq!(train(0), train(0));
        assert_ne!(train(0), train(1));
        assert_ne!(train(0), values(Mode::Infer));
    }
}
