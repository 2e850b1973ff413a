//! Do the operations compute what burn's own would? Both paths against a composition text by text.
#![cfg(feature = "burn")]

mod hostile;
mod losses;
mod plain;
mod pytorch;
mod support;
mod words;

use std::sync::Arc;

use burn::tensor::Tensor;
use polytask_kernels::activation::Activation;
use polytask_kernels::crf::Legal;
use polytask_kernels::ops::{self, CrfTargets, LstmWeights};
use polytask_kernels::{dropout, gather};
use support::{Leaves, close, constant, device, on_both_paths, random, run, run_untracked, same, values};

const ACTIVATIONS: [Activation; 3] = [Activation::None, Activation::Relu, Activation::Tanh];

/// Lengths, padded time and features: one text, empty and one-token texts, odd sizes.
fn batches() -> Vec<(Arc<Vec<usize>>, usize, usize)> {
    let batch = |lengths: &[usize], time, features| (Arc::new(lengths.to_vec()), time, features);
    vec![
        batch(&[1], 1, 1),
        batch(&[5], 5, 3),
        batch(&[0, 2], 2, 2),
        batch(&[3, 0, 7, 1, 2], 7, 5),
        batch(&[4, 9, 9, 1, 0, 6, 2], 11, 17),
    ]
}

#[test]
fn gather_is_a_selection_of_rows() {
    for (rows, d, index) in [(1, 1, vec![0]), (4, 3, vec![2, gather::PADDING, 2, 0, 2]), (9, 17, vec![8, 1, 8, 8, 0])] {
        let shared = Arc::new(index.clone());
        same(
            &[&[rows, d]],
            |leaves| ops::gather(leaves.get(0), shared.clone()),
            |leaves| plain::gather(leaves.get(0), &index),
        );
    }
}

#[test]
fn dropout_is_a_product_with_a_mask() {
    for (rate, shape) in [(0.0, [3, 5]), (0.3, [7, 11]), (0.9, [1, 40])] {
        let (key, len) = (dropout::key(3, "test", 8), shape.iter().product());
        let mut mask = vec![0.0; len];
        dropout::dropout_forward(&vec![1.0; len], rate, key, &mut mask);
        same(
            &[&shape],
            |leaves| ops::dropout::<2>(leaves.get(0), rate, key),
            |leaves| leaves.get(0) * constant(mask.clone(), shape),
        );
    }
}

#[test]
fn linear_is_a_product_a_sum_and_an_activation() {
    for activation in ACTIVATIONS {
        for [rows, inputs, outputs] in [[1, 1, 1], [3, 17, 2], [33, 5, 19]] {
            same(
                &[&[rows, inputs], &[inputs, outputs], &[outputs]],
                |leaves| ops::linear(leaves.get(0), leaves.get(1), leaves.get(2), activation),
                |leaves| plain::linear(leaves.get(0), leaves.get(1), leaves.get(2), activation),
            );
        }
    }
}

/// Shapes of a text, a bias and the weights of filters, 3 of each width.
fn filters(lengths: &[usize], time: usize, d: usize, widths: &[usize]) -> Vec<Vec<usize>> {
    let weights = widths.iter().map(|width| vec![width * d, 3]);
    [vec![lengths.len(), time, d], vec![3 * widths.len()]].into_iter().chain(weights).collect()
}

fn weights(leaves: &Leaves, widths: &[usize]) -> Vec<Tensor<2>> {
    (0..widths.len()).map(|at| leaves.get(2 + at)).collect()
}

#[test]
fn conv_is_a_product_with_windows() {
    for (lengths, time, d) in batches() {
        for (activation, widths) in ACTIVATIONS.into_iter().zip([&[3, 1][..], &[2, 4, 5], &[12]]) {
            let shapes = filters(&lengths, time, d, widths);
            same(
                &shapes.iter().map(Vec::as_slice).collect::<Vec<_>>(),
                |l| ops::conv(l.get(0), lengths.clone(), weights(l, widths), l.get(1), activation),
                |l| plain::conv(l.get(0), &lengths, weights(l, widths), l.get(1), activation),
            );
        }
    }
}

#[test]
fn conv_max_is_conv_and_the_maximum() {
    for (lengths, time, d) in batches() {
        for (activation, widths) in ACTIVATIONS.into_iter().zip([&[3, 1][..], &[2, 4, 5], &[1, 2, 3, 4, 5, 6]]) {
            let shapes = filters(&lengths, time, d, widths);
            let shapes: Vec<&[usize]> = shapes.iter().map(Vec::as_slice).collect();
            let fused = |l: &Leaves| ops::conv_max(l.get(0), lengths.clone(), weights(l, widths), l.get(1), activation);
            let apart = |l: &Leaves| {
                let y = ops::conv(l.get(0), lengths.clone(), weights(l, widths), l.get(1), activation);
                ops::max_over_time(y, lengths.clone())
            };
            on_both_paths(|_| {
                let (fused, apart) = (run(&shapes, fused), run(&shapes, apart));
                close(&fused.values, &apart.values, "value");
                fused.gradients.iter().zip(&apart.gradients).for_each(|(got, want)| close(got, want, "gradient"));
            });
            same(&shapes, fused, |l| {
                plain::max_over_time(
                    plain::conv(l.get(0), &lengths, weights(l, widths), l.get(1), activation),
                    &lengths,
                )
            });
        }
    }
}

#[test]
fn pools_are_those_of_each_text() {
    for (lengths, time, d) in batches() {
        let shape = [lengths.len(), time, d];
        same(
            &[&shape],
            |l| ops::max_over_time(l.get(0), lengths.clone()),
            |l| plain::max_over_time(l.get(0), &lengths),
        );
        same(
            &[&shape],
            |l| ops::mean_over_time(l.get(0), lengths.clone()),
            |l| plain::mean_over_time(l.get(0), &lengths),
        );
    }
}

/// The weights of a direction, from leaf `first` on.
fn direction(leaves: &Leaves, first: usize) -> LstmWeights {
    LstmWeights { input: leaves.get(first), recurrent: leaves.get(first + 1), bias: leaves.get(first + 2) }
}

#[test]
fn bilstm_is_a_loop_over_steps() {
    for ((lengths, time, d), hidden) in batches().into_iter().zip([1, 4, 2, 3, 9]) {
        let (input, recurrent, bias) = ([d, 4 * hidden], [hidden, 4 * hidden], [4 * hidden]);
        same(
            &[&[lengths.len(), time, d], &input, &recurrent, &bias, &input, &recurrent, &bias],
            |l| ops::bilstm(l.get(0), lengths.clone(), direction(l, 1), direction(l, 4)),
            |l| plain::bilstm(l.get(0), &lengths, direction(l, 1), direction(l, 4)),
        );
    }
}

#[test]
fn losses_leave_missing_targets_out() {
    const MISSING: u32 = u32::MAX;
    for (classes, targets) in [(1, vec![0]), (3, vec![2, MISSING, 0, 1, 1]), (17, vec![16, 3, MISSING])] {
        same(
            &[&[targets.len(), classes]],
            |l| ops::cross_entropy(l.get(0), targets.clone()),
            |l| plain::cross_entropy(l.get(0), &targets),
        );
    }
    for targets in [vec![0.7], vec![1.0, f32::NAN, -2.0, 0.0, f32::NAN]] {
        same(
            &[&[targets.len(), 1]],
            |l| ops::squared_error(l.get(0), targets.clone()),
            |l| plain::squared_error(l.get(0), &targets),
        );
    }
}

#[test]
fn crf_is_the_forward_algorithm() {
    let mut some = Legal::all(3);
    (some.transitions[1], some.start[2], some.end[0]) = (false, false, false);
    let x = u32::MAX;
    let cases = [
        (CrfTargets { lengths: vec![1], tags: vec![0], legal: Arc::new(Legal::all(1)) }, 1, 1),
        (CrfTargets { lengths: vec![1, 0], tags: vec![1, x, x, x], legal: Arc::new(Legal::all(4)) }, 2, 4),
        (
            CrfTargets {
                lengths: vec![4, 0, 1, 2],
                tags: vec![0, 0, 2, 1, x, x, x, x, 1, x, x, x, 1, 2, x, x],
                legal: Arc::new(some),
            },
            4,
            3,
        ),
    ];
    for (targets, time, tags) in cases {
        same(
            &[&[targets.lengths.len(), time, tags], &[tags, tags], &[tags], &[tags]],
            |l| ops::crf(l.get(0), l.get(1), l.get(2), l.get(3), targets.clone()),
            |l| plain::crf(l.get(0), l.get(1), l.get(2), l.get(3), &targets),
        );
    }
}

#[test]
fn operations_mix_with_those_of_burn() {
    let index: Vec<u32> = vec![4, 1, u32::MAX, 0, 3, 4];
    let (lengths, shared) = (Arc::new(vec![2, 3]), Arc::new(index.clone()));
    let activation = Activation::Tanh;
    let targets = vec![1, 3];
    same(
        &[&[5, 4], &[12, 3], &[3], &[7, 4], &[4], &[4, 4]],
        |l| {
            let x = ops::gather(l.get::<2>(0).matmul(l.get(5)), shared.clone()).reshape([2, 3, 4]);
            let y = ops::conv(x.clone(), lengths.clone(), vec![l.get(1)], l.get(2), activation);
            let y = ops::max_over_time(Tensor::cat(vec![y, x], 2), lengths.clone());
            let logits = ops::linear(y.tanh(), l.get(3), l.get(4), Activation::None);
            ops::cross_entropy(logits.clone().mul_scalar(0.5), targets.clone()) + logits.mean()
        },
        |l| {
            let x = plain::gather(l.get::<2>(0).matmul(l.get(5)), &index).reshape([2, 3, 4]);
            let y = plain::conv(x.clone(), &lengths, vec![l.get(1)], l.get(2), activation);
            let y = plain::max_over_time(Tensor::cat(vec![y, x], 2), &lengths);
            let logits = plain::linear(y.tanh(), l.get(3), l.get(4), Activation::None);
            plain::cross_entropy(logits.clone().mul_scalar(0.5), &targets) + logits.mean()
        },
    );
}

#[test]
fn inputs_need_not_be_contiguous() {
    let lengths = Arc::new(vec![3, 2]);
    same(
        &[&[5, 3], &[4, 5], &[4], &[3, 2, 4]],
        |l| {
            let x = l.get::<3>(3).swap_dims(0, 1);
            let rows = ops::linear(l.get::<2>(0).transpose(), l.get::<2>(1).transpose(), l.get(2), Activation::None);
            Tensor::cat(vec![rows, ops::max_over_time(x, lengths.clone())], 0)
        },
        |l| {
            let x = l.get::<3>(3).swap_dims(0, 1);
            let rows = plain::linear(l.get::<2>(0).transpose(), l.get::<2>(1).transpose(), l.get(2), Activation::None);
            Tensor::cat(vec![rows, plain::max_over_time(x, &lengths)], 0)
        },
    );
}

#[test]
fn gradients_of_several_uses_add_up() {
    let lengths = Arc::new(vec![3, 1]);
    // One tensor in two places of one operation, in two operations, and an output that is read twice.
    same(
        &[&[4, 4], &[4], &[2, 3, 4]],
        |l| {
            let (w, x) = (l.get::<2>(0), l.get::<3>(2));
            let y = ops::linear(w.clone(), w.clone(), l.get(1), Activation::Tanh);
            let pooled = ops::max_over_time(x.clone(), lengths.clone()) + ops::mean_over_time(x, lengths.clone());
            Tensor::cat(vec![y.clone() * y, w, ops::linear(pooled, l.get(0), l.get(1), Activation::None)], 0)
        },
        |l| {
            let (w, x) = (l.get::<2>(0), l.get::<3>(2));
            let y = plain::linear(w.clone(), w.clone(), l.get(1), Activation::Tanh);
            let pooled = plain::max_over_time(x.clone(), &lengths) + plain::mean_over_time(x, &lengths);
            Tensor::cat(vec![y.clone() * y, w, plain::linear(pooled, l.get(0), l.get(1), Activation::None)], 0)
        },
    );
}

#[test]
fn only_what_asks_for_a_gradient_gets_one() {
    let (lengths, shapes): (_, [&[usize]; 2]) = (Arc::new(vec![2, 3]), [&[6, 4], &[4]]);
    let text = random(2 * 3 * 2, 5);
    let on = |l: &Leaves, x: Tensor<3>| ops::conv(x, lengths.clone(), vec![l.get(0)], l.get(1), Activation::Tanh);
    on_both_paths(|_| {
        let constant_text = run(&shapes, |l| on(l, constant(text.clone(), [2, 3, 2])));
        let tracked_text = run(&shapes, |l| on(l, constant(text.clone(), [2, 3, 2]).require_grad()));
        assert_eq!(constant_text.values, tracked_text.values);
        assert_eq!(constant_text.gradients, tracked_text.gradients);
        // A tensor outside autodiff altogether.
        let inner = Tensor::<2>::from_data([[1.0, -2.0], [0.5, 3.0]], &device().inner());
        let bias = Tensor::<1>::zeros([2], &device().inner());
        let y = ops::linear(inner.clone(), inner, bias, Activation::Relu);
        close(&values(y), &[0.0, 0.0, 2.0, 8.0], "value");
        assert_eq!(run_untracked(&[&[2, 2]], |l| ops::dropout::<2>(l.get(0), 0.0, 1)), random(4, 1));
    });
}
