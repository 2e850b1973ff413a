//! The updates against plain loops in 64 bits, and their forms against each other.

use super::*;
use crate::testing::Lcg;

fn random(n: usize, seed: u64, low: f32, high: f32) -> Vec<f32> {
    Lcg::new(seed).uniform(n, low, high)
}

fn tables(n: usize) -> [Vec<f32>; 3] {
    [random(n, 1, -1.0, 1.0), random(n, 2, -0.1, 0.1), random(n, 3, 0.0, 0.1)]
}

fn views(tables: &mut [Vec<f32>; 3]) -> [&mut [f32]; 3] {
    tables.each_mut().map(Vec::as_mut_slice)
}

fn settings(step: u64) -> AdamStep {
    AdamStep { learning_rate: 0.01, weight_decay: 0.02, gradient_scale: 0.5, step, ..AdamStep::default() }
}

const DECAYS: [WeightDecay; 2] = [WeightDecay::Gradient, WeightDecay::Weights];

#[test]
fn adam_and_adamw_follow_the_papers() {
    for (n, decay) in [0, 1, 17, CHUNK + 3, 3 * CHUNK].into_iter().flat_map(|n| DECAYS.map(|decay| (n, decay))) {
        let [mut w, mut m, mut v] = [random(n, 1, -1.0, 1.0), vec![0.0; n], vec![0.0; n]];
        let mut exact: Vec<[f64; 3]> = w.iter().map(|w| [f64::from(*w), 0.0, 0.0]).collect();
        for step in 1..=4 {
            let gradient = random(n, 10 + step, -2.0, 2.0);
            adam(&mut w, &mut m, &mut v, &gradient, &AdamStep { decay, ..settings(step) });
            let power = step as i32;
            let (penalty, shrink) = if decay == WeightDecay::Gradient { (0.02, 0.0) } else { (0.0, 0.01 * 0.02) };
            for ([w, m, v], g) in exact.iter_mut().zip(&gradient) {
                let g = f64::from(*g) * 0.5 + penalty * *w;
                *w -= shrink * *w;
                *m = 0.9 * *m + 0.1 * g;
                *v = 0.999 * *v + 0.001 * g * g;
                *w -= 0.01 * (*m / (1.0 - 0.9_f64.powi(power))) / ((*v / (1.0 - 0.999_f64.powi(power))).sqrt() + 1e-8);
            }
        }
        for (w, exact) in w.iter().zip(&exact) {
            assert!((f64::from(*w) - exact[0]).abs() < 2e-6 * (1.0 + exact[0].abs()), "{w} against {}", exact[0]);
        }
    }
}

#[test]
fn sgd_follows_its_convention() {
    let n = CHUNK + 5;
    let (mut w, mut velocity) = (random(n, 1, -1.0, 1.0), vec![0.0; n]);
    let mut exact: Vec<[f64; 2]> = w.iter().map(|w| [f64::from(*w), 0.0]).collect();
    let step = SgdStep { weight_decay: 0.1, gradient_scale: 2.0, ..SgdStep::default() };
    for seed in 0..3 {
        let gradient = random(n, 20 + seed, -1.0, 1.0);
        sgd(&mut w, &mut velocity, &gradient, &step);
        for ([w, velocity], g) in exact.iter_mut().zip(&gradient) {
            *velocity = 0.9 * *velocity + 2.0 * f64::from(*g) + 0.1 * *w;
            *w -= 0.01 * *velocity;
        }
    }
    assert!(w.iter().zip(&exact).all(|(w, exact)| (f64::from(*w) - exact[0]).abs() < 1e-6));
}

#[test]
fn sparse_forms_are_the_dense_one_to_the_last_bit() {
    let sizes = [(0, 3), (1, 1), (7, 5), (40_000, 3), (3, 40_000)];
    for ((count, d), decay) in sizes.into_iter().flat_map(|size| DECAYS.map(|decay| (size, decay))) {
        let settings = |step| AdamStep { decay, ..settings(step) };
        let mut rows: Vec<u32> = (0..count as u32).collect();
        Lcg::new(4).shuffle(&mut rows);
        let gradient = random(count * d, 5, -1.0, 1.0);
        let scatter = |rows: &[u32]| {
            let mut dense = vec![0.0; count * d];
            for (row, values) in rows.iter().zip(gradient.chunks(d)) {
                dense[*row as usize * d..][..d].copy_from_slice(values);
            }
            dense
        };
        // Every row touched: the lazy form is the dense form.
        let (mut lazy, mut dense) = (tables(count * d), tables(count * d));
        adam_rows(views(&mut lazy), d, &rows, &gradient, &settings(3));
        let [w, m, v] = views(&mut dense);
        adam(w, m, v, &scatter(&rows), &settings(3));
        assert_eq!(lazy, dense);
        // Some rows touched: the others decay as with a zero gradient, or stand still.
        let some = &rows[..count / 3];
        let part = &gradient[..some.len() * d];
        let (mut sparse, mut dense, mut lazy) = (tables(count * d), tables(count * d), tables(count * d));
        adam_dense_rows(views(&mut sparse), d, some, part, &settings(3));
        let [w, m, v] = views(&mut dense);
        adam(w, m, v, &scatter(some), &settings(3));
        assert_eq!(sparse, dense);
        adam_rows(views(&mut lazy), d, some, part, &settings(3));
        let untouched = tables(count * d);
        for row in 0..count {
            let from = if some.contains(&(row as u32)) { &dense } else { &untouched };
            assert_eq!(lazy[0][row * d..][..d], from[0][row * d..][..d]);
        }
    }
}

#[test]
fn sgd_rows_are_the_dense_form() {
    let (count, d, rows) = (9, 4, [7, 0, 3]);
    let gradient = random(rows.len() * d, 5, -1.0, 1.0);
    let mut dense_gradient = vec![0.0; count * d];
    for (row, values) in rows.iter().zip(gradient.chunks(d)) {
        dense_gradient[*row as usize * d..][..d].copy_from_slice(values);
    }
    let step = SgdStep { weight_decay: 0.1, ..SgdStep::default() };
    let [start, velocity, _] = tables(count * d);
    let (mut w1, mut v1, mut w2, mut v2) = (start.clone(), velocity.clone(), start.clone(), velocity.clone());
    sgd(&mut w1, &mut v1, &dense_gradient, &step);
    sgd_dense_rows([&mut w2, &mut v2], d, &rows, &gradient, &step);
    assert_eq!((&w1, &v1), (&w2, &v2));
    let (mut w3, mut v3) = (start.clone(), velocity);
    sgd_rows([&mut w3, &mut v3], d, &rows, &gradient, &step);
    for row in 0..count {
        let from = if rows.contains(&(row as u32)) { &w1 } else { &start };
        assert_eq!(w3[row * d..][..d], from[row * d..][..d]);
    }
}

#[test]
fn extreme_gradients_keep_the_weights_finite_and_nan_is_not_hidden() {
    let gradient = [1e-38, -1e-30, 1e15, -1e30, f32::MAX, f32::MIN_POSITIVE, 0.0, 1e-45];
    let (mut w, mut m, mut v) = (vec![1.0; 8], vec![0.0; 8], vec![0.0; 8]);
    for step in 1..=50 {
        adam(&mut w, &mut m, &mut v, &gradient, &AdamStep { step, ..AdamStep::default() });
    }
    assert!(w.iter().chain(&m).chain(&v).all(|value| value.is_finite()));
    assert!(w.iter().all(|w| (w - 1.0).abs() < 0.06), "a step of Adam is about the learning rate: {w:?}");
    adam(&mut w[..1], &mut m[..1], &mut v[..1], &[f32::NAN], &AdamStep::default());
    assert!(w[0].is_nan());
}

#[test]
fn sum_of_squares_is_exact_and_the_same_for_any_threads() {
    let values = random(5 * CHUNK + 77, 8, -1.0, 1.0);
    let naive: f64 = values.iter().map(|value| f64::from(*value).powi(2)).sum();
    let sums: Vec<u64> = [1, 2, 5]
        .map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| sum_of_squares(&values)).to_bits()
        })
        .to_vec();
    assert!((f64::from_bits(sums[0]) / naive - 1.0).abs() < 1e-12);
    assert!(sums.iter().all(|sum| *sum == sums[0]));
    assert_eq!(sum_of_squares(&[]), 0.0);
    assert_eq!(sum_of_squares(&[3e38]), f64::from(3e38_f32).powi(2));
    assert!(sum_of_squares(&[1.0, f32::NAN]).is_nan());
}
