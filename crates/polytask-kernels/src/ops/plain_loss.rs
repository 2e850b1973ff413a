//! What does each further loss compute, said in burn's own operations?

use burn::tensor::{Device, Tensor, TensorData, activation};

use super::plain::clear;
use crate::loss::{ClassLoss, MISSING};

pub fn class_loss(logits: Tensor<2>, targets: &[u32], options: &ClassLoss) -> Tensor<1> {
    let ([rows, classes], device) = (logits.dims(), logits.device());
    let (hot, smoothing) = (1.0 - f64::from(options.smoothing), f64::from(options.smoothing) / classes as f64);
    let share = |target: u32, class: usize| match target {
        MISSING => 0.0,
        target => ((if target as usize == class { hot } else { 0.0 } + smoothing) * options.weight(class)) as f32,
    };
    let shares = targets.iter().flat_map(|&target| (0..classes).map(move |class| share(target, class)));
    if rows * classes == 0 {
        return Tensor::zeros([1], &device);
    }
    let log_p = activation::log_softmax(clear(logits, targets.iter().map(|target| *target == MISSING)), 1);
    let weight = options.total_weight(targets);
    let scale = if weight > 0.0 { -1.0 / weight } else { 0.0 };
    let shares = constant(shares.collect(), [rows, classes], &device);
    if options.gamma == 0.0 {
        return (log_p * shares).sum().mul_scalar(scale);
    }
    let rest = log_p.clone().exp().mul_scalar(-1.0).add_scalar(1.0);
    (rest.powf_scalar(options.gamma) * log_p * shares).sum().mul_scalar(scale)
}

pub fn absolute_error(predictions: Tensor<2>, targets: &[f32]) -> Tensor<1> {
    let (errors, count) = errors(predictions, targets);
    errors.abs().sum().mul_scalar(1.0 / count)
}

pub fn huber(predictions: Tensor<2>, targets: &[f32], delta: f32) -> Tensor<1> {
    let (errors, count) = errors(predictions, targets);
    // With m = min(|e|, δ): m²/2 + δ (|e| - m).
    let size = errors.abs();
    let inner = size.clone().clamp_max(delta);
    let outer = (size - inner.clone()).mul_scalar(delta);
    (inner.clone() * inner.mul_scalar(0.5) + outer).sum().mul_scalar(1.0 / count)
}

pub fn gaussian_nll(outputs: Tensor<2>, targets: &[f32], variance_min: f32) -> Tensor<1> {
    let (present, device) = (present(targets, &outputs.device()), outputs.device());
    let outputs = clear(outputs, targets.iter().map(|y| y.is_nan()));
    let (errors, count) = errors(outputs.clone().narrow(1, 0, 1), targets);
    let variance = activation::softplus(outputs.narrow(1, 1, 1), 1.0);
    // Held above the least variance without changing the gradient.
    let held: Vec<f32> = variance.clone().into_data().try_into_vec().expect("outputs are f32");
    let lift = held.iter().map(|value| (variance_min - value).max(0.0)).collect();
    let variance = variance + constant(lift, [targets.len(), 1], &device);
    let each = (variance.clone().log() + errors.clone() * errors / variance) * present;
    each.sum().mul_scalar(0.5 / count)
}

pub fn binary_cross_entropy(logits: Tensor<2>, targets: &[f32], positive: &[f32]) -> Tensor<1> {
    let ([rows, labels], device) = (logits.dims(), logits.device());
    let count = targets.iter().filter(|target| !target.is_nan()).count().max(1) as f32;
    let weight = |at: usize| positive.get(at % labels).copied().unwrap_or(1.0);
    let there = targets.iter().enumerate().map(|(at, y)| if *y > 0.5 { weight(at) } else { 0.0 }).collect();
    let absent = targets.iter().map(|y| f32::from(*y <= 0.5)).collect();
    let [there, absent] = [there, absent].map(|values| constant(values, [rows, labels], &device));
    let logits = clear(logits.reshape([rows * labels, 1]), targets.iter().map(|y| y.is_nan())).reshape([rows, labels]);
    let loss = activation::softplus(logits.clone().neg(), 1.0) * there + activation::softplus(logits, 1.0) * absent;
    loss.sum().mul_scalar(1.0 / count)
}

/// `prediction - target` `[n, 1]`, 0 where the target is missing, and the number of present targets, at least 1.
fn errors(predictions: Tensor<2>, targets: &[f32]) -> (Tensor<2>, f32) {
    let (shape, device) = ([targets.len(), 1], predictions.device());
    let count = targets.iter().filter(|y| !y.is_nan()).count().max(1) as f32;
    let known = constant(targets.iter().map(|y| if y.is_nan() { 0.0 } else { *y }).collect(), shape, &device);
    let predictions = clear(predictions, targets.iter().map(|y| y.is_nan()));
    ((predictions - known) * present(targets, &device), count)
}

/// `[n, 1]`: 1 where a target is there.
fn present(targets: &[f32], device: &Device) -> Tensor<2> {
    constant(targets.iter().map(|y| f32::from(!y.is_nan())).collect(), [targets.len(), 1], device)
}

fn constant<const D: usize>(values: Vec<f32>, shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), device)
}
