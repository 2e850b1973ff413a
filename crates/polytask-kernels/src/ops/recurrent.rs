//! How are recurrent layers said in burn's own operations? One step at a time, over the whole batch.

use burn::tensor::{Tensor, activation};

use super::gru::GruWeights;
use super::linear;
use super::lstm::LstmWeights;
use super::plain::{indices, within};
use crate::activation::Activation;

/// Which way a walk goes over each text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// From the first token to the last.
    Forward,
    /// From each text's own last token to the first.
    Backward,
}

/// Both directions of an LSTM over `x` `[batch, time, d]`: `[batch, time, 2 hidden]`.
pub fn bilstm(x: Tensor<3>, lengths: &[usize], forward: LstmWeights, backward: LstmWeights) -> Tensor<3> {
    let hidden = forward.recurrent.dims()[0];
    let walks = [(Way::Forward, forward), (Way::Backward, backward)];
    recur(x, lengths, hidden, &walks, walk_lstm)
}

/// An LSTM over `x` `[batch, time, d]`, from first to last: `[batch, time, hidden]`.
pub fn lstm(x: Tensor<3>, lengths: &[usize], weights: LstmWeights) -> Tensor<3> {
    let hidden = weights.recurrent.dims()[0];
    recur(x, lengths, hidden, &[(Way::Forward, weights)], walk_lstm)
}

/// A GRU over `x` `[batch, time, d]`, with weights for the way back as well where given: `[batch, time, ways * hidden]`.
pub fn gru(x: Tensor<3>, lengths: &[usize], forward: GruWeights, backward: Option<GruWeights>) -> Tensor<3> {
    let hidden = forward.recurrent.dims()[0];
    let backward = backward.map(|backward| (Way::Backward, backward));
    let walks: Vec<(Way, GruWeights)> = std::iter::once((Way::Forward, forward)).chain(backward).collect();
    recur(x, lengths, hidden, &walks, walk_gru)
}

/// The hidden states of some walks side by side, `[batch, time, walks * hidden]`, zero past each text's length.
///
/// `walk` maps steps `[time * batch, d]` to hidden states `[time * batch, hidden]`.
fn recur<W>(
    x: Tensor<3>,
    lengths: &[usize],
    hidden: usize,
    walks: &[(Way, W)],
    walk: impl Fn(Tensor<2>, usize, &W) -> Tensor<2>,
) -> Tensor<3> {
    let ([batch, time, d], device) = (x.dims(), x.device());
    if batch * time == 0 {
        return Tensor::zeros([batch, time, walks.len() * hidden], &device);
    }
    let rows = within(x, lengths, 0.0).reshape([batch * time, d]);
    // Each text turned round within its own length starts at step 0, as it does forwards. Turning twice changes nothing,
    // so one rule serves both ways: from texts to steps, and back.
    let place = |at: usize, length: usize, way: Way| match way {
        Way::Backward if at < length => length - 1 - at,
        _ => at,
    };
    let states = walks.iter().map(|(way, weights)| {
        let way = *way;
        let by_step = (0..time)
            .flat_map(|at| lengths.iter().enumerate().map(move |(text, length)| text * time + place(at, *length, way)));
        let by_text = lengths
            .iter()
            .enumerate()
            .flat_map(|(text, &length)| (0..time).map(move |at| place(at, length, way) * batch + text));
        let steps = rows.clone().select(0, indices(by_step, &device));
        walk(steps, batch, weights).select(0, indices(by_text, &device))
    });
    let states = Tensor::cat(states.collect(), 1).reshape([batch, time, walks.len() * hidden]);
    within(states, lengths, 0.0)
}

/// The hidden states `[time * batch, hidden]` of an LSTM over `x` `[time * batch, d]`.
fn walk_lstm(x: Tensor<2>, batch: usize, weights: &LstmWeights) -> Tensor<2> {
    let ([rows, _], device) = (x.dims(), x.device());
    let size = weights.recurrent.dims()[0];
    let projected = linear(x, weights.input.clone(), weights.bias.clone(), Activation::None);
    let mut hidden = Tensor::<2>::zeros([batch, size], &device);
    let mut cell = hidden.clone();
    let mut states = Vec::with_capacity(rows / batch);
    for step in steps(projected, batch) {
        let gates = step + hidden.matmul(weights.recurrent.clone());
        let gate = |at: usize| gates.clone().narrow(1, at * size, size);
        let [input, forget, output] = [0, 1, 3].map(|at| activation::sigmoid(gate(at)));
        cell = forget * cell + input * gate(2).tanh();
        hidden = output * cell.clone().tanh();
        states.push(hidden.clone());
    }
    Tensor::cat(states, 0)
}

/// The hidden states `[time * batch, hidden]` of a GRU over `x` `[time * batch, d]`.
fn walk_gru(x: Tensor<2>, batch: usize, weights: &GruWeights) -> Tensor<2> {
    let ([rows, _], device) = (x.dims(), x.device());
    let size = weights.recurrent.dims()[0];
    let projected = linear(x, weights.input.clone(), weights.bias.clone(), Activation::None);
    let bias = weights.candidate_bias.clone().unsqueeze::<2>();
    let mut hidden = Tensor::<2>::zeros([batch, size], &device);
    let mut states = Vec::with_capacity(rows / batch);
    for step in steps(projected, batch) {
        let recurrent = hidden.clone().matmul(weights.recurrent.clone());
        let gates = activation::sigmoid(step.clone().narrow(1, 0, 2 * size) + recurrent.clone().narrow(1, 0, 2 * size));
        let (reset, update) = (gates.clone().narrow(1, 0, size), gates.narrow(1, size, size));
        let remembered = recurrent.narrow(1, 2 * size, size) + bias.clone();
        let candidate = (step.narrow(1, 2 * size, size) + reset * remembered).tanh();
        hidden = candidate.clone() + update * (hidden - candidate);
        states.push(hidden.clone());
    }
    Tensor::cat(states, 0)
}

/// Cuts `[time * batch, columns]` into its steps `[batch, columns]`.
///
/// Each cut costs a gradient of the size of what is cut: halves of halves make that `time * log(time)`, not `time²`.
pub fn steps(x: Tensor<2>, batch: usize) -> Vec<Tensor<2>> {
    let [rows, _] = x.dims();
    if rows <= batch {
        return vec![x];
    }
    let half = rows / batch / 2 * batch;
    let (first, second) = (x.clone().narrow(0, 0, half), x.narrow(0, half, rows - half));
    steps(first, batch).into_iter().chain(steps(second, batch)).collect()
}
