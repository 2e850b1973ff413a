//! Do both paths agree where there is little or nothing to compute, or what must not be read is no number?

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use burn::tensor::Tensor;
use polytask_kernels::activation::Activation;
use polytask_kernels::crf::Legal;
use polytask_kernels::ops::{self, CrfTargets, LstmWeights};
use polytask_kernels::{dropout, gather};

use crate::support::{Leaves, Result, close, constant, device, on_both_paths, run, values};

/// Panics unless both paths have the same values and gradients, all of them finite.
#[track_caller]
fn agree<const D: usize>(shapes: &[&[usize]], operations: impl Fn(&Leaves) -> Tensor<D>) {
    let mut plain: Option<Result> = None;
    on_both_paths(|path| {
        let got = run(shapes, &operations);
        for values in got.gradients.iter().chain([&got.values]) {
            assert!(values.iter().all(|value| value.is_finite()), "{path:?}: {values:?}");
        }
        match plain.take() {
            None => plain = Some(got),
            Some(plain) => {
                close(&got.values, &plain.values, "value");
                got.gradients.iter().zip(&plain.gradients).for_each(|(got, want)| close(got, want, "gradient"));
            }
        }
    });
}

/// Panics unless both paths panic, with a message that says `what` goes wrong.
#[track_caller]
fn panics<const D: usize>(what: &str, operation: impl Fn() -> Tensor<D>) {
    on_both_paths(|path| {
        let payload = catch_unwind(AssertUnwindSafe(&operation)).expect_err("no panic");
        let message = payload.downcast_ref::<String>().map(String::as_str);
        let message = message.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or_default();
        assert!(message.contains(what), "{path:?}: {message}");
    });
}

fn lstm(leaves: &Leaves, first: usize) -> LstmWeights {
    LstmWeights { input: leaves.get(first), recurrent: leaves.get(first + 1), bias: leaves.get(first + 2) }
}

/// Every operation on texts, side by side: `[batch, ..]`. Leaves: a filter of width 3, its bias, an LSTM, and from there
/// on whatever `text` reads.
fn all_on_texts(leaves: &Leaves, x: &Tensor<3>, lengths: &Arc<Vec<usize>>) -> Tensor<2> {
    let filters = || (vec![leaves.get(0)], leaves.get(1));
    let ((weights, bias), kind) = (filters(), Activation::Tanh);
    let conv = ops::conv(x.clone(), lengths.clone(), weights, bias, kind);
    let (weights, bias) = filters();
    let bilstm = ops::bilstm(x.clone(), lengths.clone(), lstm(leaves, 2), lstm(leaves, 5));
    let parts = vec![
        ops::conv_max(x.clone(), lengths.clone(), weights, bias, kind),
        ops::max_over_time(x.clone(), lengths.clone()),
        ops::mean_over_time(x.clone(), lengths.clone()),
        conv.sum_dim(1).squeeze_dim(1),
        bilstm.sum_dim(1).squeeze_dim(1),
    ];
    Tensor::cat(parts, 1)
}

/// The shapes [`all_on_texts`] needs for texts of 2 features, before those of a test's own.
const SHAPES: [&[usize]; 8] = [&[6, 4], &[4], &[2, 12], &[3, 12], &[12], &[2, 12], &[3, 12], &[12]];

fn shapes<'a>(own: &[&'a [usize]]) -> Vec<&'a [usize]> {
    [&SHAPES, own].concat()
}

#[test]
fn what_lies_past_a_length_is_not_read() {
    let lengths = Arc::new(vec![2, 0, 3]);
    for value in [f32::NAN, f32::INFINITY] {
        let past = [0.0, 0.0, value, value, value, value, 0.0, 0.0, 0.0];
        let past: Vec<f32> = past.iter().flat_map(|value| [*value; 2]).collect();
        agree(&shapes(&[&[3, 3, 2]]), |l| {
            let x = l.get::<3>(8) + constant(past.clone(), [3, 3, 2]);
            all_on_texts(l, &x, &lengths)
        });
        let legal = Arc::new(Legal::all(2));
        let targets = CrfTargets { lengths: lengths.to_vec(), tags: vec![1, 0, 7, 9, 9, 9, 1, 1, 0], legal };
        agree(&[&[3, 3, 2], &[2, 2], &[2], &[2]], |l| {
            let emissions = l.get::<3>(0) + constant(past.clone(), [3, 3, 2]);
            ops::crf(emissions, l.get(1), l.get(2), l.get(3), targets.clone())
        });
    }
}

#[test]
fn rows_without_a_target_are_not_read() {
    for targets in [[1, u32::MAX, 0], [u32::MAX; 3]] {
        let missing: Vec<f32> = targets.iter().flat_map(|t| [if *t == u32::MAX { f32::NAN } else { 0.0 }; 2]).collect();
        agree(&[&[3, 2]], |l| ops::cross_entropy(l.get::<2>(0) + constant(missing.clone(), [3, 2]), targets.to_vec()));
    }
    for targets in [[1.0, f32::NAN, 0.5], [f32::NAN; 3]] {
        let missing: Vec<f32> = targets.iter().map(|target| target * 0.0).collect();
        agree(&[&[3, 1]], |l| ops::squared_error(l.get::<2>(0) + constant(missing.clone(), [3, 1]), targets.to_vec()));
    }
}

#[test]
fn dropped_elements_are_zero_whatever_they_were() {
    agree(&[&[40]], |l| ops::dropout::<1>(l.get::<1>(0) + constant(vec![f32::NAN; 40], [40]), 1.0, 1));
    let (n, rate, key) = (40_000, 0.25, dropout::key(1, "test", 2));
    let x = constant(vec![1.0; n], [n]);
    let mut masks = Vec::new();
    on_both_paths(|_| masks.push(ops::dropout::<1>(x.clone(), rate, key).into_data()));
    assert_eq!(masks[0], masks[1]);
}

#[test]
fn batches_may_be_empty() {
    let none = Arc::new(vec![0, 0]);
    agree(&shapes(&[&[2, 3, 2]]), |l| all_on_texts(l, &l.get(8), &none));
    let empty: [(&[usize], &[usize]); 3] = [(&[0, 3, 2], &[]), (&[0, 0, 2], &[]), (&[2, 0, 2], &[0, 0])];
    for (shape, lengths) in empty {
        let lengths = Arc::new(lengths.to_vec());
        let one = || constant(vec![1.0], [1]);
        let extents: [usize; 3] = shape.try_into().expect("three extents");
        // No leaf can be given a shape of no elements: to burn a 0 means to keep an extent.
        let x = Tensor::<3>::zeros(extents, &device());
        agree(&SHAPES, |l| {
            let x = x.clone();
            let y = ops::conv(x.clone(), lengths.clone(), vec![l.get(0)], l.get(1), Activation::Relu);
            let z = ops::bilstm(x.clone(), lengths.clone(), lstm(l, 2), lstm(l, 5));
            let pooled = Tensor::cat(
                vec![ops::max_over_time(x.clone(), lengths.clone()), ops::mean_over_time(x, lengths.clone())],
                1,
            );
            assert_eq!((y.dims(), z.dims()), ([extents[0], extents[1], 4], [extents[0], extents[1], 6]));
            let len = pooled.dims().iter().product::<usize>();
            Tensor::cat(vec![pooled.reshape([len]), l.get::<1>(1), one()], 0)
        });
        let (tags, legal) = (vec![0; extents[0] * extents[1]], Arc::new(Legal::all(2)));
        let targets = CrfTargets { lengths: lengths.to_vec(), tags, legal };
        agree(&[&[2, 2], &[2], &[2]], |l| {
            ops::crf(x.clone(), l.get(0), l.get(1), l.get(2), targets.clone()) + l.get::<1>(1).sum()
        });
    }
    let rows = |columns: usize| Tensor::<2>::zeros([0, columns], &device());
    agree(&[&[1]], |l| ops::cross_entropy(rows(3), Vec::new()) + l.get::<1>(0));
    agree(&[&[1]], |l| ops::squared_error(rows(1), Vec::new()) + l.get::<1>(0));
    agree(&[&[3, 2], &[1]], |l| {
        let none = ops::gather(l.get(0), Arc::default());
        assert_eq!(none.dims(), [0, 2]);
        l.get::<1>(1)
    });
    agree(&[&[3, 2]], |l| ops::gather(l.get(0), Arc::new(vec![gather::PADDING; 2])));
    agree(&[&[3, 2], &[2]], |l| {
        let y = ops::linear(rows(3), l.get(0), l.get(1), Activation::Relu);
        Tensor::cat(vec![y, l.get(0)], 0)
    });
}

#[test]
fn long_texts_and_large_scores_stay_finite() {
    let (time, lengths) = (300, Arc::new(vec![300, 1]));
    agree(&shapes(&[&[2, time, 2]]), |l| all_on_texts(l, &l.get::<3>(8).mul_scalar(50.0), &lengths));
    let mut legal = Legal::all(3);
    (legal.transitions[1], legal.start[1]) = (false, false);
    let tags = (0..2 * time as u32).map(|at| if at % 2 == 0 { 2 } else { 1 }).collect();
    let targets = CrfTargets { lengths: lengths.to_vec(), tags, legal: Arc::new(legal) };
    agree(&[&[2, time, 3], &[3, 3], &[3], &[3]], |l| {
        ops::crf(l.get::<3>(0).mul_scalar(100.0), l.get(1), l.get(2), l.get(3), targets.clone())
    });
}

#[test]
fn mistakes_of_the_caller_panic() {
    let [table, logits] = [(); 2].map(|()| constant(vec![0.5; 6], [3, 2]));
    panics("", || ops::gather(table.clone(), Arc::new(vec![3])));
    panics("a class out of range", || ops::cross_entropy(logits.clone(), vec![0, 2, 1]));
    panics("lengths differ", || ops::cross_entropy(logits.clone(), vec![0]));
    let texts = constant(vec![0.5; 6], [1, 3, 2]);
    panics("a length above 3", || ops::max_over_time(texts.clone(), Arc::new(vec![4])));
    let mut legal = Legal::all(2);
    legal.transitions[1] = false;
    let targets = CrfTargets { lengths: vec![3], tags: vec![1, 0, 1], legal: Arc::new(legal) };
    panics("text 0, position 2: the gold tag may not stand here", || {
        let [start, end] = [(); 2].map(|()| constant(vec![0.0; 2], [2]));
        ops::crf(texts.clone(), constant(vec![0.0; 4], [2, 2]), start, end, targets.clone())
    });
}

#[test]
fn numbers_that_are_none_are_not_hidden() {
    let texts = constant(vec![1.0, 2.0, f32::NAN, 0.0, 1.0, 3.0], [1, 3, 2]);
    let zeros = |shape| Tensor::<1>::zeros([shape], &device());
    let targets = CrfTargets { lengths: vec![3], tags: vec![1, 0, 1], legal: Arc::new(Legal::all(2)) };
    on_both_paths(|path| {
        let lengths = Arc::new(vec![3]);
        for pooled in [ops::max_over_time(texts.clone(), lengths.clone()), ops::mean_over_time(texts.clone(), lengths)]
        {
            let pooled = values(pooled);
            assert!(pooled[0].is_nan() && pooled[1].is_finite(), "{path:?}: {pooled:?}");
        }
        let loss = ops::crf(texts.clone(), zeros(4).reshape([2, 2]), zeros(2), zeros(2), targets.clone());
        assert!(values(loss)[0].is_nan(), "{path:?}");
    });
}
