//! LSTM layers: the bidirectional one as one operation.

use std::sync::{Arc, Mutex};

use burn::tensor::Tensor;

use super::conv::lookup;
use super::host::{HostOp, Keep, Operand, Outcome, apply};
use super::plain;
use super::pool::padded;
use super::recurrent;
use super::switch::uses_kernels;
use crate::gather::{gather, scatter_add};
use crate::lstm::{self, LstmCache, lstm_backward, lstm_forward, lstm_infer, lstm_infer_words};

/// The weights of one direction, gates in the order input, forget, cell, output.
#[derive(Debug, Clone)]
pub struct LstmWeights {
    /// `[d, 4 hidden]`: from the input.
    pub input: Tensor<2>,
    /// `[hidden, 4 hidden]`: from the hidden state.
    pub recurrent: Tensor<2>,
    /// `[4 hidden]`.
    pub bias: Tensor<1>,
}

/// Both directions over `x` `[batch, time, d]`: `[batch, time, 2 hidden]`, forward then backward direction.
///
/// The backward direction starts at each text's own end; past a length the output is zero.
pub fn bilstm(x: Tensor<3>, lengths: Arc<Vec<usize>>, forward: LstmWeights, backward: LstmWeights) -> Tensor<3> {
    if !uses_kernels(&x) {
        return recurrent::bilstm(x, &lengths, forward, backward);
    }
    let mut inputs = vec![x.into()];
    for LstmWeights { input, recurrent, bias } in [forward, backward] {
        inputs.extend([input.into(), recurrent.into(), bias.into()]);
    }
    apply(Bilstm { lengths, cache: Mutex::default() }, inputs)
}

/// One direction over `x` `[batch, time, d]`, from the first token to the last: `[batch, time, hidden]`, zero past a length.
///
/// Made of burn's operations: there is no kernel.
pub fn lstm(x: Tensor<3>, lengths: Arc<Vec<usize>>, weights: LstmWeights) -> Tensor<3> {
    recurrent::lstm(x, &lengths, weights)
}

/// [`bilstm()`] over texts whose positions are rows of `rows` `[n, d]`, `u32::MAX` past a length; `index` is `[batch * time]`.
///
/// For inference: each distinct word meets the input weights once, and nothing is kept. A walk back computes the forward
/// pass again.
///
/// # Panics
///
/// Where an index is no row.
pub fn bilstm_words(
    rows: Tensor<2>,
    index: Arc<Vec<u32>>,
    lengths: Arc<Vec<usize>>,
    forward: LstmWeights,
    backward: LstmWeights,
) -> Tensor<3> {
    if !uses_kernels(&rows) {
        let x = plain::gather(rows, &index);
        let [places, d] = x.dims();
        let x = x.reshape([lengths.len(), places / lengths.len().max(1), d]);
        return recurrent::bilstm(x, &lengths, forward, backward);
    }
    let mut inputs = vec![rows.into()];
    for LstmWeights { input, recurrent, bias } in [forward, backward] {
        inputs.extend([input.into(), recurrent.into(), bias.into()]);
    }
    apply(BilstmWords { index, lengths }, inputs)
}

struct BilstmWords {
    index: Arc<Vec<u32>>,
    lengths: Arc<Vec<usize>>,
}

impl HostOp for BilstmWords {
    fn name(&self) -> &'static str {
        "bilstm_words"
    }

    fn forward(&self, inputs: &[Operand<'_>], _keep: Keep) -> Outcome {
        let lookup = lookup(&inputs[0], &self.index, &self.lengths);
        let hidden = inputs[2].dim(0);
        let mut data = vec![0.0; self.index.len() * 2 * hidden];
        lstm_infer_words(&lookup, weights(inputs), &mut data);
        Outcome { data, shape: vec![self.lengths.len(), lookup.time, 2 * hidden] }
    }

    fn backward(&self, inputs: &[Operand<'_>], y: &[f32], dy: &[f32], _needs: &[bool]) -> Vec<Option<Vec<f32>>> {
        let lookup = lookup(&inputs[0], &self.index, &self.lengths);
        let shape = lookup.shape();
        let mut x = vec![0.0; shape.elements()];
        gather(lookup.rows, lookup.features, &self.index, &mut x);
        let cache = lstm_forward(&x, &shape, weights(inputs), &mut vec![0.0; y.len()]);
        let gradients = lstm_backward(&cache, weights(inputs), dy, &mut x);
        let mut drows = vec![0.0; lookup.rows.len()];
        scatter_add(&x, lookup.features, &self.index, &mut drows);
        let parts = gradients.into_iter().flat_map(|direction| [direction.input, direction.recurrent, direction.bias]);
        std::iter::once(drows).chain(parts).map(Some).collect()
    }
}

struct Bilstm {
    lengths: Arc<Vec<usize>>,
    cache: Mutex<Option<LstmCache>>,
}

fn weights<'a>(inputs: &[Operand<'a>]) -> [lstm::LstmWeights<'a>; 2] {
    [1, 4].map(|first| lstm::LstmWeights {
        input: inputs[first].data,
        recurrent: inputs[first + 1].data,
        bias: inputs[first + 2].data,
    })
}

impl HostOp for Bilstm {
    fn name(&self) -> &'static str {
        "bilstm"
    }

    fn forward(&self, inputs: &[Operand<'_>], keep: Keep) -> Outcome {
        let shape = padded(&inputs[0], &self.lengths);
        let hidden = inputs[2].dim(0);
        let mut data = vec![0.0; shape.batch() * shape.time * 2 * hidden];
        match keep {
            Keep::Nothing => lstm_infer(inputs[0].data, &shape, weights(inputs), &mut data),
            Keep::ForBackward => {
                let cache = lstm_forward(inputs[0].data, &shape, weights(inputs), &mut data);
                *self.cache.lock().expect("no panic while it is held") = Some(cache);
            }
        }
        Outcome { data, shape: vec![shape.batch(), shape.time, 2 * hidden] }
    }

    fn backward(&self, inputs: &[Operand<'_>], _y: &[f32], dy: &[f32], _needs: &[bool]) -> Vec<Option<Vec<f32>>> {
        let cache = self.cache.lock().expect("no panic while it is held");
        let cache = cache.as_ref().expect("forward kept its cache");
        let mut dx = vec![0.0; inputs[0].data.len()];
        let gradients = lstm_backward(cache, weights(inputs), dy, &mut dx);
        let parts = gradients.into_iter().flat_map(|direction| [direction.input, direction.recurrent, direction.bias]);
        std::iter::once(dx).chain(parts).map(Some).collect()
    }
}
