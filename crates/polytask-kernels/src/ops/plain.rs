//! What does each operation compute, said in burn's own operations?
//!
//! These run on any device, and burn derives their gradients. As in the kernels, what lies past a text's length is
//! replaced before it is read, so that not even a NaN there can reach a result or a gradient.

use burn::tensor::{Bool, Device, Int, Tensor, TensorData, activation};

use crate::activation::Activation;
use crate::dropout::dropout_forward;
use crate::gather::PADDING;
use crate::loss::MISSING;

/// Lower than any value that takes part in a maximum.
const LOWEST: f32 = f32::MIN;

pub fn gather(table: Tensor<2>, index: &[u32]) -> Tensor<2> {
    let ([rows, d], device) = (table.dims(), table.device());
    assert!(index.iter().all(|&row| row == PADDING || (row as usize) < rows), "gather: an index is no row");
    if rows == 0 || index.is_empty() {
        return Tensor::zeros([index.len(), d], &device);
    }
    let selected =
        table.select(0, indices(index.iter().map(|&row| if row == PADDING { 0 } else { row as usize }), &device));
    if index.contains(&PADDING) { clear(selected, index.iter().map(|&row| row == PADDING)) } else { selected }
}

pub fn dropout<const D: usize>(x: Tensor<D>, rate: f32, key: u64) -> Tensor<D> {
    let (shape, device) = (x.dims(), x.device());
    let mut factors = vec![0.0; shape.iter().product()];
    dropout_forward(&vec![1.0; factors.len()], rate, key, &mut factors);
    let scale = factors.iter().copied().fold(0.0, f32::max);
    let dropped: Vec<bool> = factors.iter().map(|factor| *factor == 0.0).collect();
    x.mask_fill(Tensor::<D, Bool>::from_data(TensorData::new(dropped, shape), &device), 0.0).mul_scalar(scale)
}

pub fn linear(x: Tensor<2>, weight: Tensor<2>, bias: Tensor<1>, kind: Activation) -> Tensor<2> {
    activate(x.matmul(weight) + bias.unsqueeze::<2>(), kind)
}

fn activate<const D: usize>(x: Tensor<D>, kind: Activation) -> Tensor<D> {
    match kind {
        Activation::None => x,
        Activation::Relu => activation::relu(x),
        Activation::Tanh => x.tanh(),
    }
}

pub fn conv(x: Tensor<3>, lengths: &[usize], weights: Vec<Tensor<2>>, bias: Tensor<1>, kind: Activation) -> Tensor<3> {
    let ([batch, time, d], device) = (x.dims(), x.device());
    let columns = bias.dims()[0];
    if batch * time == 0 {
        return Tensor::zeros([batch, time, columns], &device);
    }
    let x = within(x, lengths, 0.0);
    let responses = weights.into_iter().map(|weight| {
        let [rows, filters] = weight.dims();
        let width = rows / d;
        let zeros = |count: usize| Tensor::zeros([batch, count, d], &device);
        let surrounded = Tensor::cat(vec![zeros((width - 1) / 2), x.clone(), zeros(width / 2)], 1);
        let shifted = (0..width).map(|offset| surrounded.clone().narrow(1, offset, time));
        let windows = Tensor::cat(shifted.collect(), 2).reshape([batch * time, rows]);
        windows.matmul(weight).reshape([batch, time, filters])
    });
    let sums = Tensor::cat(responses.collect(), 2) + bias.unsqueeze::<3>();
    within(activate(sums, kind), lengths, 0.0)
}

pub fn max_over_time(x: Tensor<3>, lengths: &[usize]) -> Tensor<2> {
    let [batch, time, d] = x.dims();
    if batch * time * d == 0 {
        return Tensor::zeros([batch, d], &x.device());
    }
    let largest = within(x, lengths, LOWEST).max_dim(1).reshape([batch, d]);
    clear(largest, lengths.iter().map(|length| *length == 0))
}

pub fn mean_over_time(x: Tensor<3>, lengths: &[usize]) -> Tensor<2> {
    let ([batch, time, d], device) = (x.dims(), x.device());
    if batch * time * d == 0 {
        return Tensor::zeros([batch, d], &device);
    }
    let shares: Vec<f32> = lengths.iter().map(|length| 1.0 / (*length).max(1) as f32).collect();
    let shares = Tensor::<2>::from_data(TensorData::new(shares, [batch, 1]), &device);
    within(x, lengths, 0.0).sum_dim(1).reshape([batch, d]) * shares
}

pub fn cross_entropy(logits: Tensor<2>, targets: &[u32]) -> Tensor<1> {
    let ([rows, classes], device) = (logits.dims(), logits.device());
    assert!(targets.len() == rows, "cross-entropy: lengths differ");
    let fits = |target: &u32| *target == MISSING || (*target as usize) < classes;
    assert!(targets.iter().all(fits), "a class out of range");
    if rows * classes == 0 {
        return Tensor::zeros([1], &device);
    }
    let missing = || targets.iter().map(|target| *target == MISSING);
    let count = missing().filter(|missing| !missing).count();
    let at = indices(targets.iter().map(|&target| if target == MISSING { 0 } else { target as usize }), &device);
    let likelihoods = activation::log_softmax(clear(logits, missing()), 1).gather(1, at.reshape([rows, 1]));
    clear(likelihoods, missing()).sum().mul_scalar(-1.0 / count.max(1) as f32)
}

pub fn squared_error(predictions: Tensor<2>, targets: &[f32]) -> Tensor<1> {
    let (rows, device) = (targets.len(), predictions.device());
    assert!(predictions.dims() == [rows, 1], "squared error: lengths differ");
    if rows == 0 {
        return Tensor::zeros([1], &device);
    }
    let missing = || targets.iter().map(|target| target.is_nan());
    let count = missing().filter(|missing| !missing).count();
    let known = targets.iter().map(|target| if target.is_nan() { 0.0 } else { *target }).collect();
    let errors = predictions - Tensor::from_data(TensorData::new::<f32, _>(known, [rows, 1]), &device);
    let errors = clear(errors, missing());
    (errors.clone() * errors).sum().mul_scalar(1.0 / count.max(1) as f32)
}

/// Integers as a tensor.
pub(super) fn indices(values: impl Iterator<Item = usize>, device: &Device) -> Tensor<1, Int> {
    let values: Vec<i64> = values.map(|value| value as i64).collect();
    let count = values.len();
    Tensor::from_data(TensorData::new(values, [count]), device)
}

/// Zeros instead of each row of `x` that is chosen, one of `rows` a row.
pub(super) fn clear(x: Tensor<2>, rows: impl Iterator<Item = bool>) -> Tensor<2> {
    let [count, columns] = x.dims();
    let chosen = Tensor::<2, Bool>::from_data(TensorData::new(rows.collect(), [count, 1]), &x.device());
    x.mask_fill(chosen.expand([count, columns]), 0.0)
}

/// `value` instead of what lies past each text's length in `x` `[batch, time, d]`.
pub(super) fn within(x: Tensor<3>, lengths: &[usize], value: f32) -> Tensor<3> {
    let [batch, time, d] = x.dims();
    assert_eq!(lengths.len(), batch, "lengths, one a text");
    assert!(lengths.iter().all(|length| *length <= time), "a length above {time}");
    if lengths.iter().all(|length| *length == time) {
        return x;
    }
    let past = lengths.iter().flat_map(|&length| (0..time).map(move |at| at >= length)).collect();
    let past = Tensor::<3, Bool>::from_data(TensorData::new::<bool, _>(past, [batch, time, 1]), &x.device());
    x.mask_fill(past.expand([batch, time, d]), value)
}
