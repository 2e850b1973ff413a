//! Losses over a batch, with missing targets left out.

use std::sync::Mutex;

use burn::tensor::Tensor;

use super::host::{HostOp, Keep, Operand, Outcome, apply};
use super::plain;
use super::switch::uses_kernels;
use crate::loss::{self, Normalizer};

/// Mean softmax cross-entropy of `logits` `[n, classes]` against one class a row; `u32::MAX` is missing. `[1]`.
///
/// # Panics
///
/// Where a class is out of range.
pub fn cross_entropy(logits: Tensor<2>, targets: Vec<u32>) -> Tensor<1> {
    if !uses_kernels(&logits) {
        return plain::cross_entropy(logits, &targets);
    }
    apply(CrossEntropy { targets, gradient: Mutex::default() }, vec![logits.into()])
}

/// Mean squared error of `predictions` `[n, 1]` against one number a row; NaN is missing. `[1]`.
pub fn squared_error(predictions: Tensor<2>, targets: Vec<f32>) -> Tensor<1> {
    if !uses_kernels(&predictions) {
        return plain::squared_error(predictions, &targets);
    }
    apply(SquaredError { targets, gradient: Mutex::default() }, vec![predictions.into()])
}

/// The gradient computed along with a loss, times the gradient of the loss.
fn scaled(gradient: &Mutex<Vec<f32>>, dy: &[f32]) -> Vec<Option<Vec<f32>>> {
    let gradient = gradient.lock().expect("no panic while it is held");
    vec![Some(gradient.iter().map(|value| value * dy[0]).collect())]
}

struct CrossEntropy {
    targets: Vec<u32>,
    gradient: Mutex<Vec<f32>>,
}

impl HostOp for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross_entropy"
    }

    fn forward(&self, inputs: &[Operand<'_>], _keep: Keep) -> Outcome {
        let mut gradient = vec![0.0; inputs[0].data.len()];
        let classes = inputs[0].dim(1);
        let loss = loss::cross_entropy(inputs[0].data, classes, &self.targets, Normalizer::Present, &mut gradient);
        *self.gradient.lock().expect("no panic while it is held") = gradient;
        Outcome { data: vec![loss.mean() as f32], shape: vec![1] }
    }

    fn backward(&self, _inputs: &[Operand<'_>], _y: &[f32], dy: &[f32], _needs: &[bool]) -> Vec<Option<Vec<f32>>> {
        scaled(&self.gradient, dy)
    }
}

struct SquaredError {
    targets: Vec<f32>,
    gradient: Mutex<Vec<f32>>,
}

impl HostOp for SquaredError {
    fn name(&self) -> &'static str {
        "squared_error"
    }

    fn forward(&self, inputs: &[Operand<'_>], _keep: Keep) -> Outcome {
        let mut gradient = vec![0.0; inputs[0].data.len()];
        let loss = loss::squared_error(inputs[0].data, &self.targets, Normalizer::Present, &mut gradient);
        *self.gradient.lock().expect("no panic while it is held") = gradient;
        Outcome { data: vec![loss.mean() as f32], shape: vec![1] }
    }

    fn backward(&self, _inputs: &[Operand<'_>], _y: &[f32], dy: &[f32], _needs: &[bool]) -> Vec<Option<Vec<f32>>> {
        scaled(&self.gradient, dy)
    }
}
