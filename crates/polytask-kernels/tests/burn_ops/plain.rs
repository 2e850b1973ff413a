//! What would a user of burn compose? Each operation out of burn's own, text by text and step by step.

use burn::tensor::{Int, Tensor, TensorData, activation};
use polytask_kernels::activation::Activation;
use polytask_kernels::ops::{CrfTargets, LstmWeights};

use crate::support::{constant, device};

/// Stands for a forbidden step of a chain: its exponential is zero in `f32`.
const FORBIDDEN: f32 = -1e4;

pub fn activate<const D: usize>(x: Tensor<D>, kind: Activation) -> Tensor<D> {
    match kind {
        Activation::None => x,
        Activation::Relu => activation::relu(x),
        Activation::Tanh => x.tanh(),
    }
}

pub fn gather(table: Tensor<2>, index: &[u32]) -> Tensor<2> {
    let [rows, d] = table.dims();
    let with_padding = Tensor::cat(vec![table, Tensor::zeros([1, d], &device())], 0);
    let index: Vec<i64> = index.iter().map(|&row| if row == u32::MAX { rows as i64 } else { i64::from(row) }).collect();
    let count = index.len();
    with_padding.select(0, Tensor::<1, Int>::from_data(TensorData::new(index, [count]), &device()))
}

pub fn linear(x: Tensor<2>, weight: Tensor<2>, bias: Tensor<1>, kind: Activation) -> Tensor<2> {
    activate(x.matmul(weight) + bias.unsqueeze::<2>(), kind)
}

/// One before each text's end, zero behind: `[batch, time, 1]`.
fn mask(lengths: &[usize], time: usize) -> Tensor<3> {
    let values = lengths.iter().flat_map(|&length| (0..time).map(move |at| if at < length { 1.0 } else { 0.0 }));
    constant(values.collect(), [lengths.len(), time, 1])
}

pub fn conv(x: Tensor<3>, lengths: &[usize], weights: Vec<Tensor<2>>, bias: Tensor<1>, kind: Activation) -> Tensor<3> {
    let [batch, time, d] = x.dims();
    let x = x * mask(lengths, time);
    let banks = weights.into_iter().map(|weight| {
        let [rows, filters] = weight.dims();
        let width = rows / d;
        let zeros = |count: usize| Tensor::zeros([batch, count, d], &device());
        let padded = Tensor::cat(vec![zeros((width - 1) / 2), x.clone(), zeros(width / 2)], 1);
        let windows = Tensor::cat((0..width).map(|at| padded.clone().narrow(1, at, time)).collect(), 2);
        windows.reshape([batch * time, rows]).matmul(weight).reshape([batch, time, filters])
    });
    let sums = Tensor::cat(banks.collect(), 2) + bias.unsqueeze::<3>();
    activate(sums, kind) * mask(lengths, time)
}

/// What `pool` makes of each text `[1, length, d]`, zeros for an empty one.
fn over_time(x: Tensor<3>, lengths: &[usize], pool: impl Fn(Tensor<3>) -> Tensor<3>) -> Tensor<2> {
    let [batch, _, d] = x.dims();
    let texts = lengths.iter().enumerate().map(|(text, &length)| match length {
        0 => Tensor::zeros([1, 1, d], &device()),
        _ => pool(x.clone().narrow(0, text, 1).narrow(1, 0, length)),
    });
    Tensor::cat(texts.collect(), 0).reshape([batch, d])
}

pub fn max_over_time(x: Tensor<3>, lengths: &[usize]) -> Tensor<2> {
    over_time(x, lengths, |text| text.max_dim(1))
}

pub fn mean_over_time(x: Tensor<3>, lengths: &[usize]) -> Tensor<2> {
    over_time(x, lengths, |text| text.mean_dim(1))
}

pub fn bilstm(x: Tensor<3>, lengths: &[usize], forward: LstmWeights, backward: LstmWeights) -> Tensor<3> {
    let [_, time, _] = x.dims();
    let hidden = forward.recurrent.dims()[0];
    let texts = lengths.iter().enumerate().map(|(text, &length)| {
        let row = |at: usize| x.clone().narrow(0, text, 1).narrow(1, at, 1).reshape([1, -1]);
        let forth = walk((0..length).map(row), &forward);
        let mut back = walk((0..length).rev().map(row), &backward);
        back.reverse();
        let rows = forth.into_iter().zip(back).map(|(forth, back)| Tensor::cat(vec![forth, back], 1));
        let padding = (length..time).map(|_| Tensor::zeros([1, 2 * hidden], &device()));
        Tensor::cat(rows.chain(padding).collect(), 0)
    });
    Tensor::stack(texts.collect(), 0)
}

/// The hidden state after each step, `[1, hidden]`.
fn walk(rows: impl Iterator<Item = Tensor<2>>, weights: &LstmWeights) -> Vec<Tensor<2>> {
    let size = weights.recurrent.dims()[0];
    let mut hidden = Tensor::<2>::zeros([1, size], &device());
    let mut cell = hidden.clone();
    let mut outputs = Vec::new();
    for x in rows {
        let gates = x.matmul(weights.input.clone())
            + hidden.clone().matmul(weights.recurrent.clone())
            + weights.bias.clone().unsqueeze::<2>();
        let gate = |at: usize| gates.clone().narrow(1, at * size, size);
        let [input, forget, output] = [0, 1, 3].map(|at| activation::sigmoid(gate(at)));
        cell = forget * cell + input * gate(2).tanh();
        hidden = output * cell.clone().tanh();
        outputs.push(hidden.clone());
    }
    outputs
}

pub fn cross_entropy(logits: Tensor<2>, targets: &[u32]) -> Tensor<1> {
    let [rows, classes] = logits.dims();
    let hot = targets.iter().flat_map(|&target| (0..classes as u32).map(move |class| f32::from(class == target)));
    let count = targets.iter().filter(|&&target| target != u32::MAX).count();
    let hot = constant(hot.collect(), [rows, classes]);
    (activation::log_softmax(logits, 1) * hot).sum().mul_scalar(-1.0 / count as f32)
}

pub fn squared_error(predictions: Tensor<2>, targets: &[f32]) -> Tensor<1> {
    let shape = [targets.len(), 1];
    let present = constant(targets.iter().map(|y| f32::from(!y.is_nan())).collect(), shape);
    let count = targets.iter().filter(|y| !y.is_nan()).count();
    let targets = constant(targets.iter().map(|y| if y.is_nan() { 0.0 } else { *y }).collect(), shape);
    let errors = (predictions - targets) * present;
    (errors.clone() * errors).sum().mul_scalar(1.0 / count as f32)
}

/// The forward algorithm with the logarithm of sums of exponentials, and the score of the gold tags.
pub fn crf(
    emissions: Tensor<3>,
    transitions: Tensor<2>,
    start: Tensor<1>,
    end: Tensor<1>,
    targets: &CrfTargets,
) -> Tensor<1> {
    let [_, time, count] = emissions.dims();
    let forbidden = |allowed: &[bool]| -> Vec<f32> {
        allowed.iter().map(|allowed| if *allowed { 0.0 } else { FORBIDDEN }).collect()
    };
    let steps = transitions.clone() + constant(forbidden(&targets.legal.transitions), [count, count]);
    let first = start.clone() + constant(forbidden(&targets.legal.start), [count]);
    let last = end.clone() + constant(forbidden(&targets.legal.end), [count]);
    let mut loss = Tensor::<1>::zeros([1], &device());
    for (text, &length) in targets.lengths.iter().enumerate().filter(|(_, length)| **length > 0) {
        let emission = |at: usize| emissions.clone().narrow(0, text, 1).narrow(1, at, 1).reshape([count]);
        let mut alpha = first.clone() + emission(0);
        for at in 1..length {
            let arriving = alpha.reshape([count, 1]) + steps.clone();
            alpha = log_sum_exp(arriving).reshape([count]) + emission(at);
        }
        let total = log_sum_exp((alpha + last.clone()).reshape([count, 1])).reshape([1]);
        let gold: Vec<usize> = targets.tags[text * time..][..length].iter().map(|&tag| tag as usize).collect();
        let mut score = pick(start.clone(), gold[0]) + pick(end.clone(), gold[length - 1]);
        for (at, &tag) in gold.iter().enumerate() {
            score = score + pick(emission(at), tag);
        }
        for pair in gold.windows(2) {
            score = score + pick(transitions.clone().reshape([-1]), pair[0] * count + pair[1]);
        }
        loss = loss + total - score;
    }
    loss.mul_scalar(1.0 / targets.lengths.iter().sum::<usize>() as f32)
}

fn pick(values: Tensor<1>, at: usize) -> Tensor<1> {
    values.narrow(0, at, 1)
}

/// Down the columns, `[rows, columns]` to `[1, columns]`.
fn log_sum_exp(x: Tensor<2>) -> Tensor<2> {
    let largest = x.clone().detach().max_dim(0);
    (x - largest.clone()).exp().sum_dim(0).log() + largest
}
