//! Maximum and mean over time.

use std::sync::{Arc, Mutex};

use burn::tensor::Tensor;

use super::host::{HostOp, Keep, Operand, Outcome, apply};
use super::plain;
use super::switch::uses_kernels;
use crate::padded::Padded;
use crate::pool;

/// The maximum over time of `x` `[batch, time, d]`: `[batch, d]`; zeros for a text of length 0.
pub fn max_over_time(x: Tensor<3>, lengths: Arc<Vec<usize>>) -> Tensor<2> {
    if !uses_kernels(&x) {
        return plain::max_over_time(x, &lengths);
    }
    apply(Max { lengths, argmax: Mutex::default() }, vec![x.into()])
}

/// The mean over time of `x` `[batch, time, d]`: `[batch, d]`; zeros for a text of length 0.
pub fn mean_over_time(x: Tensor<3>, lengths: Arc<Vec<usize>>) -> Tensor<2> {
    if !uses_kernels(&x) {
        return plain::mean_over_time(x, &lengths);
    }
    apply(Mean { lengths }, vec![x.into()])
}

/// The padded shape of an input `[batch, time, d]`.
pub fn padded<'a>(x: &Operand<'_>, lengths: &'a [usize]) -> Padded<'a> {
    Padded { lengths, time: x.dim(1), features: x.dim(2) }
}

struct Max {
    lengths: Arc<Vec<usize>>,
    argmax: Mutex<Vec<u32>>,
}

impl HostOp for Max {
    fn name(&self) -> &'static str {
        "max_over_time"
    }

    fn forward(&self, inputs: &[Operand<'_>], keep: Keep) -> Outcome {
        let shape = padded(&inputs[0], &self.lengths);
        let len = shape.batch() * shape.features;
        let (mut data, mut argmax) = (vec![0.0; len], vec![0; len]);
        pool::max_forward(&shape, inputs[0].data, &mut data, &mut argmax);
        if keep == Keep::ForBackward {
            *self.argmax.lock().expect("no panic while it is held") = argmax;
        }
        Outcome { data, shape: vec![shape.batch(), shape.features] }
    }

    fn backward(&self, inputs: &[Operand<'_>], _y: &[f32], dy: &[f32], _needs: &[bool]) -> Vec<Option<Vec<f32>>> {
        let mut dx = vec![0.0; inputs[0].data.len()];
        let argmax = self.argmax.lock().expect("no panic while it is held");
        pool::max_backward(&padded(&inputs[0], &self.lengths), &argmax, dy, &mut dx);
        vec![Some(dx)]
    }
}

struct Mean {
    lengths: Arc<Vec<usize>>,
}

impl HostOp for Mean {
    fn name(&self) -> &'static str {
        "mean_over_time"
    }

    fn forward(&self, inputs: &[Operand<'_>], _keep: Keep) -> Outcome {
        let shape = padded(&inputs[0], &self.lengths);
        let mut data = vec![0.0; shape.batch() * shape.features];
        pool::mean_forward(&shape, inputs[0].data, &mut data);
        Outcome { data, shape: vec![shape.batch(), shape.features] }
    }

    fn backward(&self, inputs: &[Operand<'_>], _y: &[f32], dy: &[f32], _needs: &[bool]) -> Vec<Option<Vec<f32>>> {
        let mut dx = vec![0.0; inputs[0].data.len()];
        pool::mean_backward(&padded(&inputs[0], &self.lengths), dy, &mut dx);
        vec![Some(dx)]
    }
}
