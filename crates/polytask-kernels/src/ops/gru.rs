//! A GRU layer.

use std::sync::Arc;

use burn::tensor::Tensor;

use super::recurrent;

/// The weights of one direction, gates in the order reset, update, candidate.
#[derive(Debug, Clone)]
pub struct GruWeights {
    /// `[d, 3 hidden]`: from the input.
    pub input: Tensor<2>,
    /// `[hidden, 3 hidden]`: from the hidden state.
    pub recurrent: Tensor<2>,
    /// `[3 hidden]`.
    pub bias: Tensor<1>,
    /// `[hidden]`: added to what the candidate remembers, before the reset gate.
    pub candidate_bias: Tensor<1>,
}

/// A GRU over `x` `[batch, time, d]`: `[batch, time, hidden]`, or `[batch, time, 2 hidden]`, forward then backward
/// direction, where there are weights for the way back.
///
/// ```text
/// r  = σ(W_r x + U_r h + b_r)
/// z  = σ(W_z x + U_z h + b_z)
/// n  = tanh(W_n x + b_n + r ⊙ (U_n h + c))
/// h' = (1 - z) ⊙ n + z ⊙ h
/// ```
///
/// The backward direction starts at each text's own end; past a length the output is zero. Made of burn's operations:
/// there is no kernel.
///
/// Reference: Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical machine
/// translation", EMNLP 2014, in the form of cuDNN and PyTorch, whose reset gate acts after the product with `U_n`.
pub fn gru(x: Tensor<3>, lengths: Arc<Vec<usize>>, forward: GruWeights, backward: Option<GruWeights>) -> Tensor<3> {
    recurrent::gru(x, &lengths, forward, backward)
}
