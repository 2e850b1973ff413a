//! Losses by their definitions, with probabilities written out.

use burn::tensor::Tensor;
use polytask_kernels::loss::ClassLoss;
use polytask_kernels::ops;

use super::support::{constant, same};

const MISSING: u32 = u32::MAX;

/// Softmax over rows, `[n, classes]`.
fn softmax(logits: Tensor<2>) -> Tensor<2> {
    let weights = logits.exp();
    let total = weights.clone().sum_dim(1);
    weights / total
}

#[test]
fn weighted_smoothed_and_focal_losses_are_their_definitions() {
    let cases = [(1, vec![0]), (3, vec![2, MISSING, 0, 1, 1]), (5, vec![4, 3, MISSING])];
    let options = [(0.0, 0.0), (0.3, 0.0), (0.0, 2.0), (0.0, 1.5)];
    for (classes, targets) in &cases {
        let weights: Vec<f32> = (0..*classes).map(|class| 0.5 + class as f32).collect();
        for (smoothing, gamma) in options {
            let options = ClassLoss { weights: weights.clone(), smoothing, gamma };
            // The share of each class in the loss of a row.
            let share = |target: u32, class: usize| {
                let hot = if target as usize == class { 1.0 - smoothing } else { 0.0 };
                if target == MISSING { 0.0 } else { (hot + smoothing / *classes as f32) * weights[class] }
            };
            let shares = targets.iter().flat_map(|&target| (0..*classes).map(move |class| share(target, class)));
            let shares: Vec<f32> = shares.collect();
            let present = targets.iter().filter(|target| **target != MISSING);
            let weight = |class: &u32| if gamma > 0.0 { 1.0 } else { weights[*class as usize] };
            let total: f32 = present.map(weight).sum();
            same(
                &[&[targets.len(), *classes]],
                |l| ops::class_loss(l.get(0), targets.clone(), options.clone()),
                |l| {
                    let p = softmax(l.get(0));
                    let log_p = p.clone().log() * constant(shares.clone(), [targets.len(), *classes]);
                    // The derivative of x to the power 0 is not asked for: at p = 1 it is no number.
                    let loss = if gamma > 0.0 && *classes > 1 {
                        log_p * p.mul_scalar(-1.0).add_scalar(1.0).powf_scalar(gamma)
                    } else {
                        log_p
                    };
                    loss.sum().mul_scalar(-1.0 / total)
                },
            );
        }
    }
}

/// Predictions less the targets, `[n, 1]`, without the missing ones.
fn errors(predictions: Tensor<2>, targets: &[f32]) -> Vec<Tensor<1>> {
    let present = targets.iter().enumerate().filter(|(_, target)| !target.is_nan());
    let error = |(row, target): (usize, &f32)| predictions.clone().narrow(0, row, 1).reshape([1]).sub_scalar(*target);
    present.map(error).collect()
}

fn mean(losses: Vec<Tensor<1>>) -> Tensor<1> {
    let count = losses.len() as f32;
    losses.into_iter().reduce(|sum, loss| sum + loss).expect("some target is there").mul_scalar(1.0 / count)
}

#[test]
fn losses_of_numbers_are_their_definitions() {
    for targets in [vec![0.7], vec![1.0, f32::NAN, -2.0, 0.1, f32::NAN, 0.3]] {
        let n = targets.len();
        same(
            &[&[n, 1]],
            |l| ops::absolute_error(l.get(0), targets.clone()),
            |l| mean(errors(l.get(0), &targets).into_iter().map(Tensor::abs).collect()),
        );
        for delta in [0.2, 1.0] {
            let piece = |error: Tensor<1>| {
                let size = error.clone().into_scalar::<f32>().abs();
                match size <= delta {
                    true => (error.clone() * error).mul_scalar(0.5),
                    false => error.abs().sub_scalar(0.5 * delta).mul_scalar(delta),
                }
            };
            same(
                &[&[n, 1]],
                |l| ops::huber(l.get(0), targets.clone(), delta),
                |l| mean(errors(l.get(0), &targets).into_iter().map(piece).collect()),
            );
        }
        same(
            &[&[n, 2]],
            |l| ops::gaussian_nll(l.get(0), targets.clone(), 1e-6),
            |l| {
                let outputs: Tensor<2> = l.get(0);
                let rows = (0..n).filter(|row| !targets[*row].is_nan());
                let variances = rows.map(|row| {
                    let raw = outputs.clone().narrow(0, row, 1).narrow(1, 1, 1).reshape([1]);
                    raw.exp().add_scalar(1.0).log()
                });
                let errors = errors(outputs.clone().narrow(1, 0, 1), &targets);
                let each = variances.zip(errors).map(|(v, e)| (v.clone().log() + e.clone() * e / v).mul_scalar(0.5));
                mean(each.collect())
            },
        );
    }
}

#[test]
fn the_binary_cross_entropy_is_its_definition() {
    for (labels, targets) in [(1, vec![1.0, 0.0]), (3, vec![1.0, f32::NAN, 0.0, 0.0, 0.0, 1.0])] {
        for positive in [Vec::new(), (0..labels).map(|label| 0.5 + label as f32).collect::<Vec<f32>>()] {
            let weight = |at: usize| positive.get(at % labels).copied().unwrap_or(1.0);
            let known = targets.iter().filter(|target| !target.is_nan()).count() as f32;
            let there: Vec<f32> =
                targets.iter().enumerate().map(|(at, y)| if *y == 1.0 { weight(at) } else { 0.0 }).collect();
            let absent: Vec<f32> = targets.iter().map(|y| if *y == 0.0 { 1.0 } else { 0.0 }).collect();
            let shape = [targets.len() / labels, labels];
            same(
                &[&shape],
                |l| ops::binary_cross_entropy(l.get(0), targets.clone(), positive.clone()),
                |l| {
                    // σ(x) = 1 / (1 + exp(-x)), and 1 - σ(x) = 1 / (1 + exp(x)).
                    let x: Tensor<2> = l.get(0);
                    let minus_log = |x: Tensor<2>| x.exp().add_scalar(1.0).log();
                    let there = minus_log(x.clone().neg()) * constant(there.clone(), shape);
                    (there + minus_log(x) * constant(absent.clone(), shape)).sum().mul_scalar(1.0 / known)
                },
            );
        }
    }
}

#[test]
fn what_stands_at_a_missing_target_is_never_read() {
    let nan = f32::NAN;
    same(
        &[&[3, 2]],
        |l| {
            let x = l.get::<2>(0) + constant(vec![0.0, 0.0, nan, nan, 0.0, 0.0], [3, 2]);
            let options = ClassLoss { weights: vec![1.0, 2.0], smoothing: 0.1, gamma: 0.0 };
            let sure = ClassLoss { weights: vec![1.0, 2.0], smoothing: 0.0, gamma: 2.0 };
            ops::class_loss(x.clone(), vec![1, MISSING, 0], options)
                + ops::class_loss(x.clone(), vec![1, MISSING, 0], sure)
                + ops::gaussian_nll(x.clone(), vec![0.5, nan, 1.0], 1e-6)
                + ops::binary_cross_entropy(x.clone(), vec![1.0, 0.0, nan, nan, 0.0, 1.0], Vec::new())
                + ops::huber(x.clone().narrow(1, 0, 1), vec![0.5, nan, 1.0], 0.1)
                + ops::absolute_error(x.narrow(1, 1, 1), vec![0.5, nan, 1.0])
        },
        |l| {
            let x: Tensor<2> = Tensor::cat(vec![l.get::<2>(0).narrow(0, 0, 1), l.get::<2>(0).narrow(0, 2, 1)], 0);
            let options = ClassLoss { weights: vec![1.0, 2.0], smoothing: 0.1, gamma: 0.0 };
            let sure = ClassLoss { weights: vec![1.0, 2.0], smoothing: 0.0, gamma: 2.0 };
            ops::class_loss(x.clone(), vec![1, 0], options)
                + ops::class_loss(x.clone(), vec![1, 0], sure)
                + ops::gaussian_nll(x.clone(), vec![0.5, 1.0], 1e-6)
                + ops::binary_cross_entropy(x.clone(), vec![1.0, 0.0, 0.0, 1.0], Vec::new())
                + ops::huber(x.clone().narrow(1, 0, 1), vec![0.5, 1.0], 0.1)
                + ops::absolute_error(x.narrow(1, 1, 1), vec![0.5, 1.0])
        },
    );
}
