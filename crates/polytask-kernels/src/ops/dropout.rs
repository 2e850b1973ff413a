//! Dropout whose mask is a function of a key.

use burn::tensor::Tensor;

use super::host::{HostOp, Keep, Operand, Outcome, apply};
use super::plain;
use super::switch::uses_kernels;
use crate::dropout::{dropout_backward, dropout_forward};

/// Zeroes elements of `x` with probability `rate` and scales the others by `1 / (1 - rate)`; see [`crate::dropout::key`].
pub fn dropout<const D: usize>(x: Tensor<D>, rate: f32, key: u64) -> Tensor<D> {
    if !uses_kernels(&x) {
        return plain::dropout(x, rate, key);
    }
    apply(Dropout { rate, key }, vec![x.into()])
}

struct Dropout {
    rate: f32,
    key: u64,
}

impl HostOp for Dropout {
    fn name(&self) -> &'static str {
        "dropout"
    }

    fn forward(&self, inputs: &[Operand<'_>], _keep: Keep) -> Outcome {
        let mut data = vec![0.0; inputs[0].data.len()];
        dropout_forward(inputs[0].data, self.rate, self.key, &mut data);
        Outcome { data, shape: inputs[0].shape.to_vec() }
    }

    fn backward(&self, _inputs: &[Operand<'_>], _y: &[f32], dy: &[f32], _needs: &[bool]) -> Vec<Option<Vec<f32>>> {
        let mut gradient = vec![0.0; dy.len()];
        dropout_backward(dy, self.rate, self.key, &mut gradient);
        vec![Some(gradient)]
    }
}
