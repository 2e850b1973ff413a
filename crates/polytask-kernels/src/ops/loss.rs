//! Losses over a batch, with missing targets left out.

use std::sync::Mutex;

use burn::tensor::Tensor;

use super::host::{HostOp, Keep, Operand, Outcome, apply};
use super::switch::uses_kernels;
use super::{plain, plain_loss};
use crate::loss::{self, ClassLoss, Loss, Normalizer};

/// Mean softmax cross-entropy of `logits` `[n, classes]` against one class a row; `u32::MAX` is missing. `[1]`.
///
/// # Panics
///
/// Where a class is out of range.
pub fn cross_entropy(logits: Tensor<2>, targets: Vec<u32>) -> Tensor<1> {
    if !uses_kernels(&logits) {
        return plain::cross_entropy(logits, &targets);
    }
    let compute = move |x: &Operand<'_>, gradient: &mut [f32]| {
        loss::cross_entropy(x.data, x.dim(1), &targets, Normalizer::Present, gradient)
    };
    apply(MeanLoss { name: "cross_entropy", compute, gradient: Mutex::default() }, vec![logits.into()])
}

/// Mean squared error of `predictions` `[n, 1]` against one number a row; NaN is missing. `[1]`.
pub fn squared_error(predictions: Tensor<2>, targets: Vec<f32>) -> Tensor<1> {
    if !uses_kernels(&predictions) {
        return plain::squared_error(predictions, &targets);
    }
    let compute = move |x: &Operand<'_>, gradient: &mut [f32]| {
        loss::squared_error(x.data, &targets, Normalizer::Present, gradient)
    };
    apply(MeanLoss { name: "squared_error", compute, gradient: Mutex::default() }, vec![predictions.into()])
}

/// Mean of [`loss::class_loss`] of `logits` `[n, classes]` against one class a row; `u32::MAX` is missing. `[1]`.
///
/// # Panics
///
/// Where a class is out of range, or the options do not fit.
pub fn class_loss(logits: Tensor<2>, targets: Vec<u32>, options: ClassLoss) -> Tensor<1> {
    if !uses_kernels(&logits) {
        return plain_loss::class_loss(logits, &targets, &options);
    }
    let compute = move |x: &Operand<'_>, gradient: &mut [f32]| {
        loss::class_loss((x.data, x.dim(1)), &targets, &options, Normalizer::Present, gradient)
    };
    apply(MeanLoss { name: "class_loss", compute, gradient: Mutex::default() }, vec![logits.into()])
}

/// Mean absolute error of `predictions` `[n, 1]` against one number a row; NaN is missing. `[1]`.
pub fn absolute_error(predictions: Tensor<2>, targets: Vec<f32>) -> Tensor<1> {
    if !uses_kernels(&predictions) {
        return plain_loss::absolute_error(predictions, &targets);
    }
    let compute = move |x: &Operand<'_>, gradient: &mut [f32]| {
        loss::absolute_error(x.data, &targets, Normalizer::Present, gradient)
    };
    apply(MeanLoss { name: "absolute_error", compute, gradient: Mutex::default() }, vec![predictions.into()])
}

/// Mean Huber loss of `predictions` `[n, 1]` against one number a row; NaN is missing. `[1]`.
pub fn huber(predictions: Tensor<2>, targets: Vec<f32>, delta: f32) -> Tensor<1> {
    if !uses_kernels(&predictions) {
        return plain_loss::huber(predictions, &targets, delta);
    }
    let compute = move |x: &Operand<'_>, gradient: &mut [f32]| {
        loss::huber(x.data, &targets, delta, Normalizer::Present, gradient)
    };
    apply(MeanLoss { name: "huber", compute, gradient: Mutex::default() }, vec![predictions.into()])
}

/// Mean of [`loss::gaussian_nll`] of `outputs` `[n, 2]` against one number a row; NaN is missing. `[1]`.
pub fn gaussian_nll(outputs: Tensor<2>, targets: Vec<f32>, variance_min: f32) -> Tensor<1> {
    if !uses_kernels(&outputs) {
        return plain_loss::gaussian_nll(outputs, &targets, variance_min);
    }
    let compute = move |x: &Operand<'_>, gradient: &mut [f32]| {
        loss::gaussian_nll(x.data, &targets, variance_min, Normalizer::Present, gradient)
    };
    apply(MeanLoss { name: "gaussian_nll", compute, gradient: Mutex::default() }, vec![outputs.into()])
}

/// Mean binary cross-entropy of `logits` `[n, labels]` against `targets` `[n * labels]` of 0, 1 and, where missing, NaN;
/// `positive` `[labels]` weighs labels that are there, empty where all weigh 1. `[1]`.
pub fn binary_cross_entropy(logits: Tensor<2>, targets: Vec<f32>, positive: Vec<f32>) -> Tensor<1> {
    if !uses_kernels(&logits) {
        return plain_loss::binary_cross_entropy(logits, &targets, &positive);
    }
    let compute = move |x: &Operand<'_>, gradient: &mut [f32]| {
        loss::binary_cross_entropy((x.data, x.dim(1)), &targets, &positive, Normalizer::Present, gradient)
    };
    apply(MeanLoss { name: "binary_cross_entropy", compute, gradient: Mutex::default() }, vec![logits.into()])
}

/// The gradient computed along with a loss, times the gradient of the loss.
fn scaled(gradient: &Mutex<Vec<f32>>, dy: &[f32]) -> Vec<Option<Vec<f32>>> {
    let gradient = gradient.lock().expect("no panic while it is held");
    vec![Some(gradient.iter().map(|value| value * dy[0]).collect())]
}

/// A loss that computes its gradient along with its mean.
struct MeanLoss<F> {
    name: &'static str,
    compute: F,
    gradient: Mutex<Vec<f32>>,
}

impl<F: Fn(&Operand<'_>, &mut [f32]) -> Loss + Send + Sync + 'static> HostOp for MeanLoss<F> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn forward(&self, inputs: &[Operand<'_>], _keep: Keep) -> Outcome {
        let mut gradient = vec![0.0; inputs[0].data.len()];
        let loss = (self.compute)(&inputs[0], &mut gradient);
        *self.gradient.lock().expect("no panic while it is held") = gradient;
        Outcome { data: vec![loss.mean() as f32], shape: vec![1] }
    }

    fn backward(&self, _inputs: &[Operand<'_>], _y: &[f32], dy: &[f32], _needs: &[bool]) -> Vec<Option<Vec<f32>>> {
        scaled(&self.gradient, dy)
    }
}
