//! The operation against a plain loop in 64 bits, its gradients against finite differences of that loop.

use super::*;
use crate::gather::{PADDING, gather};
use crate::lookup::Lookup;
use crate::testing::{Lcg, assert_close, assert_gradient, same_on_all_pools, weighted_sum, widen};

struct Case {
    lengths: Vec<usize>,
    time: usize,
    e: usize,
    h: usize,
    x: Vec<f32>,
    /// Input weights, recurrent weights and bias of each direction.
    weights: [[Vec<f32>; 3]; 2],
    /// What the loss multiplies the output with.
    dout: Vec<f32>,
}

impl Case {
    fn new(lengths: &[usize], time: usize, (e, h): (usize, usize), seed: u64) -> Self {
        let mut rng = Lcg::new(seed);
        let mut random = |n: usize, spread: f32| rng.uniform(n, -spread, spread);
        let (mut x, mut dout) = (random(lengths.len() * time * e, 1.0), random(lengths.len() * time * 2 * h, 1.0));
        for (text, length) in lengths.iter().enumerate() {
            x[(text * time + length) * e..(text + 1) * time * e].fill(f32::NAN);
            dout[(text * time + length) * 2 * h..(text + 1) * time * 2 * h].fill(f32::NAN);
        }
        let weights = [(); 2].map(|()| [random(e * 4 * h, 0.8), random(h * 4 * h, 0.8), random(4 * h, 0.5)]);
        Self { lengths: lengths.to_vec(), time, e, h, x, weights, dout }
    }

    fn shape(&self) -> Padded<'_> {
        Padded { lengths: &self.lengths, time: self.time, features: self.e }
    }

    fn weights(&self) -> [LstmWeights<'_>; 2] {
        self.weights.each_ref().map(|[input, recurrent, bias]| LstmWeights { input, recurrent, bias })
    }

    /// Output, gradient of the input, and gradients of the weights.
    fn run(&self) -> (Vec<f32>, Vec<f32>, [LstmGradients; 2]) {
        let mut out = vec![f32::NAN; self.dout.len()];
        let cache = lstm_forward(&self.x, &self.shape(), self.weights(), &mut out);
        let mut dx = vec![f32::NAN; self.x.len()];
        let gradients = lstm_backward(&cache, self.weights(), &self.dout, &mut dx);
        (out, dx, gradients)
    }

    fn reference(&self, x: &[f64], weights: [[&[f64]; 3]; 2]) -> Vec<f64> {
        let (e, h) = (self.e, self.h);
        let mut out = vec![0.0; self.dout.len()];
        for (text, length) in self.lengths.iter().enumerate() {
            for (direction, [input, recurrent, bias]) in weights.iter().enumerate() {
                let (mut cell, mut hidden) = (vec![0.0; h], vec![0.0; h]);
                for step in 0..*length {
                    let row = text * self.time + if direction == 0 { step } else { length - 1 - step };
                    let gate = |at: usize| -> f64 {
                        let from_x: f64 = (0..e).map(|k| x[row * e + k] * input[k * 4 * h + at]).sum();
                        let from_h: f64 = (0..h).map(|k| hidden[k] * recurrent[k * 4 * h + at]).sum();
                        from_x + from_h + bias[at]
                    };
                    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
                    let gates: Vec<f64> = (0..4 * h).map(gate).collect();
                    for k in 0..h {
                        cell[k] = sigmoid(gates[h + k]) * cell[k] + sigmoid(gates[k]) * gates[2 * h + k].tanh();
                        hidden[k] = sigmoid(gates[3 * h + k]) * cell[k].tanh();
                    }
                    out[(row * 2 + direction) * h..][..h].copy_from_slice(&hidden);
                }
            }
        }
        out
    }
}

fn cases() -> Vec<Case> {
    vec![
        Case::new(&[3, 5, 0, 1, 5, 2], 5, (4, 3), 1),
        Case::new(&[1], 1, (1, 1), 2),
        Case::new(&[4, 4], 4, (2, 17), 3),
        Case::new(&[2, 0], 6, (3, 16), 4),
    ]
}

#[test]
fn output_is_that_of_the_plain_loop() {
    let many: Vec<usize> = (0..71).map(|text| text * 7 % 12).collect();
    let more = [Case::new(&many, 11, (5, 33), 5), Case::new(&[], 4, (2, 2), 6), Case::new(&[0, 0], 0, (2, 2), 7)];
    for case in cases().into_iter().chain(more) {
        let (out, ..) = case.run();
        let weights = case.weights.each_ref().map(|weights| weights.each_ref().map(|values| widen(values)));
        let views = weights.each_ref().map(|weights| weights.each_ref().map(Vec::as_slice));
        assert_close(&out, &case.reference(&widen(&case.x), views), 1e-5);
        let mut inferred = vec![f32::NAN; out.len()];
        lstm_infer(&case.x, &case.shape(), case.weights(), &mut inferred);
        assert_eq!(inferred, out);
    }
}

#[test]
fn gradients_equal_finite_differences() {
    for case in cases() {
        let (_, dx, gradients) = case.run();
        // Padding is NaN in the case: as zero it takes part in the sums, and must come out with a zero derivative.
        let clean = |values: &[f32]| -> Vec<f32> { values.iter().map(|v| if v.is_nan() { 0.0 } else { *v }).collect() };
        let (x, dout) = (clean(&case.x), clean(&case.dout));
        let wide_x = widen(&x);
        let weights = case.weights.each_ref().map(|weights| weights.each_ref().map(|values| widen(values)));
        let views = weights.each_ref().map(|weights| weights.each_ref().map(Vec::as_slice));
        assert_gradient(&dx, &x, |x| weighted_sum(&dout, &case.reference(x, views)));
        for direction in 0..2 {
            let LstmGradients { input, recurrent, bias } = &gradients[direction];
            for (part, gradient) in [input, recurrent, bias].into_iter().enumerate() {
                assert_gradient(gradient, &case.weights[direction][part], |values| {
                    let mut views = views;
                    views[direction][part] = values;
                    weighted_sum(&dout, &case.reference(&wide_x, views))
                });
            }
        }
    }
}

#[test]
fn backward_may_run_again_and_threads_change_no_bit() {
    let lengths: Vec<usize> = (0..70).map(|text| 1 + text * 5 % 9).collect();
    let case = Case::new(&lengths, 9, (7, 20), 8);
    let mut out = vec![0.0; case.dout.len()];
    let cache = lstm_forward(&case.x, &case.shape(), case.weights(), &mut out);
    let (mut first, mut second) = (vec![0.0; case.x.len()], vec![0.0; case.x.len()]);
    let once = lstm_backward(&cache, case.weights(), &case.dout, &mut first);
    assert_eq!(once, lstm_backward(&cache, case.weights(), &case.dout, &mut second));
    assert_eq!(first, second);
    same_on_all_pools(|| {
        let (mut all, dx, gradients) = case.run();
        all.extend(dx);
        for LstmGradients { input, recurrent, bias } in &gradients {
            [input, recurrent, bias].into_iter().for_each(|values| all.extend(values));
        }
        all
    });
}

#[test]
fn a_text_has_the_same_output_alone_and_in_a_batch() {
    let case = Case::new(&[3, 9, 0, 7, 9, 1, 4], 9, (6, 18), 9);
    let (out, ..) = case.run();
    for (text, length) in case.lengths.iter().enumerate() {
        let shape = Padded { lengths: &[*length], time: case.time, features: case.e };
        let (mut alone, room) = (vec![f32::NAN; case.time * 2 * case.h], case.time * case.e);
        lstm_infer(&case.x[text * room..][..room], &shape, case.weights(), &mut alone);
        let together = &out[text * alone.len()..][..alone.len()];
        assert!(alone.iter().zip(together).all(|(a, b)| (a - b).abs() < 1e-6));
        assert!(alone[length * 2 * case.h..].iter().all(|value| *value == 0.0));
    }
}

#[test]
fn saturated_gates_stay_finite() {
    let mut case = Case::new(&[40, 3], 40, (2, 5), 10);
    case.weights.as_flattened_mut().iter_mut().flatten().for_each(|value| *value *= 1e4);
    let (out, dx, gradients) = case.run();
    let weights = gradients.iter().flat_map(|gradient| gradient.input.iter().chain(&gradient.recurrent));
    assert!(out.iter().chain(&dx).chain(weights).all(|value| value.is_finite()));
}

#[test]
fn words_read_by_their_rows_have_the_output_of_words_spelled_out() {
    let mut rng = Lcg::new(9);
    for case in cases() {
        let distinct = 1 + case.lengths.iter().sum::<usize>() / 2;
        let rows = rng.vec(distinct * case.e);
        let mut index = vec![PADDING; case.lengths.len() * case.time];
        for (text, length) in case.lengths.iter().enumerate() {
            index[text * case.time..][..*length].fill_with(|| rng.below(distinct) as u32);
        }
        let lookup = Lookup { rows: &rows, features: case.e, index: &index, lengths: &case.lengths, time: case.time };
        let mut x = vec![f32::NAN; case.x.len()];
        gather(&rows, case.e, &index, &mut x);
        let (mut spelled, mut looked_up) = (vec![f32::NAN; case.dout.len()], vec![f32::NAN; case.dout.len()]);
        lstm_infer(&x, &case.shape(), case.weights(), &mut spelled);
        lstm_infer_words(&lookup, case.weights(), &mut looked_up);
        assert_close(&looked_up, &widen(&spelled), 1e-5);
        same_on_all_pools(|| {
            let mut out = vec![0.0; case.dout.len()];
            lstm_infer_words(&lookup, case.weights(), &mut out);
            out
        });
    }
}
