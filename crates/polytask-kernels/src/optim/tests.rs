//! The updates against plain loops in 64 bits, and their forms against each other.

use super::*;
use crate::testing::Lcg;

fn random(n: usize, seed: u64, low: f32, high: f32) -> Vec<f32> {
    Lcg::new(seed).uniform(n, low, high)
}

/// Eight steps of a method from a fixed start, with fixed gradients, learning rate 0.1 and decay 0.1: the weights after
/// them, and the same as rows of a table that stand among others.
///
/// ```text
/// w = [1, -2, 0.5, 0.25]
/// g = [[0.5, -1, 0.25, 0], [-0.25, 0.75, 2, -0.5], [1.5, -0.5, -1, 0.125], [0, 0.25, -0.75, -2], [-1, 1.25, 0.5, 0.75]]
/// for t in range(8): w = step(w, g[t % 5])
/// ```
pub(super) fn follows<const N: usize>(
    expected: [f64; 4],
    mut take: impl FnMut(&Step, [&mut [f32]; N], &[f32], Reach<'_>),
) {
    follows_densely(expected, &mut take);
    // Rows 2 and 0 of a table of four; the others stay, or in the dense form go the way of a zero gradient.
    let lazy = steps::<N>(true, |step, slices, gradient| {
        take(step, slices, gradient, Reach::Lazy { d: 2, rows: &[2, 0] });
    });
    close(&[lazy[0][4..6].to_vec(), lazy[0][..2].to_vec()].concat(), expected);
    let untouched = tables::<N>(true);
    for (array, start) in lazy.iter().zip(&untouched) {
        assert_eq!((&array[2..4], &array[6..]), (&start[2..4], &start[6..]));
    }
    let dense = steps::<N>(true, |step, slices, gradient| {
        take(step, slices, gradient, Reach::Dense { d: 2, rows: &[2, 0] });
    });
    let whole = steps::<N>(true, |step, slices, gradient| {
        let mut all = vec![0.0; 8];
        all[4..6].copy_from_slice(&gradient[..2]);
        all[..2].copy_from_slice(&gradient[2..]);
        take(step, slices, &all, Reach::All);
    });
    assert_eq!(dense, whole, "rows without a gradient go the way of a zero gradient");
}

/// As [`follows`] for a method whose step depends on all elements.
pub(super) fn follows_densely<const N: usize>(
    expected: [f64; 4],
    mut take: impl FnMut(&Step, [&mut [f32]; N], &[f32], Reach<'_>),
) {
    let found = steps::<N>(false, |step, slices, gradient| take(step, slices, gradient, Reach::All));
    close(&found[0], expected);
}

/// Weights and zero state: the four weights alone, or as rows 2 and 0 among others.
fn tables<const N: usize>(among: bool) -> [Vec<f32>; N] {
    let start = if among { vec![0.5, 0.25, 9.0, 8.0, 1.0, -2.0, 7.0, 6.0] } else { vec![1.0, -2.0, 0.5, 0.25] };
    std::array::from_fn(|slice| if slice == 0 { start.clone() } else { vec![0.0; start.len()] })
}

fn steps<const N: usize>(among: bool, mut take: impl FnMut(&Step, [&mut [f32]; N], &[f32])) -> [Vec<f32>; N] {
    const GRADIENTS: [[f32; 4]; 5] = [
        [0.5, -1.0, 0.25, 0.0],
        [-0.25, 0.75, 2.0, -0.5],
        [1.5, -0.5, -1.0, 0.125],
        [0.0, 0.25, -0.75, -2.0],
        [-1.0, 1.25, 0.5, 0.75],
    ];
    let mut state = tables::<N>(among);
    for count in 1..=8 {
        // The scale and a gradient of twice its size cancel out.
        let step = Step { learning_rate: 0.1, weight_decay: 0.1, gradient_scale: 0.5, count };
        let gradient = GRADIENTS[(count as usize - 1) % 5].map(|value| 2.0 * value);
        take(&step, state.each_mut().map(Vec::as_mut_slice), &gradient);
    }
    state
}

fn close(found: &[f32], expected: [f64; 4]) {
    for (found, expected) in found.iter().zip(expected) {
        let error = (f64::from(*found) - expected).abs();
        assert!(error < 3e-6 * (1.0 + expected.abs()), "{found} against {expected}");
    }
    assert_eq!(found.len(), 4);
}

fn settings(count: u64) -> Step {
    Step { learning_rate: 0.01, weight_decay: 0.02, gradient_scale: 0.5, count }
}

const DECAYS: [WeightDecay; 2] = [WeightDecay::Gradient, WeightDecay::Weights];

#[test]
fn adam_and_adamw_follow_the_papers_at_any_length() {
    for (n, decay) in [0, 1, 17, CHUNK + 3, 3 * CHUNK].into_iter().flat_map(|n| DECAYS.map(|decay| (n, decay))) {
        let [mut w, mut m, mut v] = [random(n, 1, -1.0, 1.0), vec![0.0; n], vec![0.0; n]];
        let mut exact: Vec<[f64; 3]> = w.iter().map(|w| [f64::from(*w), 0.0, 0.0]).collect();
        for count in 1..=4 {
            let gradient = random(n, 10 + count, -2.0, 2.0);
            let rule = Adam { decay, ..Adam::default() }.rule(&settings(count));
            apply(&rule, [&mut w, &mut m, &mut v], &gradient, Reach::All);
            let power = count as i32;
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

/// One step of a rule on tables of random values, over all of a gradient or some rows.
fn stepped<const N: usize>(rule: &impl Rule<N>, size: usize, gradient: &[f32], reach: Reach<'_>) -> [Vec<f32>; N] {
    let mut state: [Vec<f32>; N] = std::array::from_fn(|slice| random(size, 1 + slice as u64, 0.01, 0.1));
    apply(rule, state.each_mut().map(Vec::as_mut_slice), gradient, reach);
    state
}

/// The lazy and the dense form over rows are the plain form to the last bit.
fn forms_agree<const N: usize>(rule: &impl Rule<N>) {
    for (count, d) in [(0, 3), (1, 1), (7, 5), (40_000, 3), (3, 40_000)] {
        let (size, untouched) = (count * d, stepped(rule, count * d, &[], Reach::Lazy { d, rows: &[] }));
        let mut rows: Vec<u32> = (0..count as u32).collect();
        Lcg::new(4).shuffle(&mut rows);
        let gradient = random(size, 5, -1.0, 1.0);
        let scatter = |rows: &[u32]| {
            let mut dense = vec![0.0; size];
            for (row, values) in rows.iter().zip(gradient.chunks(d)) {
                dense[*row as usize * d..][..d].copy_from_slice(values);
            }
            dense
        };
        // Every row touched: the lazy form is the dense form.
        let lazy = stepped(rule, size, &gradient, Reach::Lazy { d, rows: &rows });
        assert_eq!(lazy, stepped(rule, size, &scatter(&rows), Reach::All));
        // Some rows touched: the others decay as with a zero gradient, or stand still.
        let some = &rows[..count / 3];
        let part = &gradient[..some.len() * d];
        let dense = stepped(rule, size, &scatter(some), Reach::All);
        assert_eq!(stepped(rule, size, part, Reach::Dense { d, rows: some }), dense);
        let lazy = stepped(rule, size, part, Reach::Lazy { d, rows: some });
        for row in 0..count {
            let from = if some.contains(&(row as u32)) { &dense } else { &untouched };
            assert_eq!(lazy[0][row * d..][..d], from[0][row * d..][..d]);
        }
    }
}

#[test]
fn forms_over_rows_are_the_plain_one_to_the_last_bit() {
    let step = settings(3);
    DECAYS.iter().for_each(|&decay| forms_agree(&Adam { decay, ..Adam::default() }.rule(&step)));
    forms_agree(&Sgd::default().rule(&step));
    forms_agree(&Nesterov::default().rule(&step));
    forms_agree(&Rmsprop::default().centered_rule(&step));
    forms_agree(&Adan::default().rule(&step));
}

/// Fifty steps of gradients of all magnitudes from weights of 1; what comes out.
fn driven<const N: usize>(mut take: impl FnMut(&Step, [&mut [f32]; N], &[f32])) -> [Vec<f32>; N] {
    let gradient = [1e-38, -1e-30, 1e15, -1e30, f32::MAX, f32::MIN_POSITIVE, 0.0, 1e-45];
    let mut state: [Vec<f32>; N] = std::array::from_fn(|slice| vec![if slice == 0 { 1.0 } else { 0.0 }; 8]);
    for count in 1..=50 {
        let step = Step { learning_rate: 1e-3, weight_decay: 0.0, gradient_scale: 1.0, count };
        take(&step, state.each_mut().map(Vec::as_mut_slice), &gradient);
    }
    assert!(state.iter().flatten().all(|value| value.is_finite()), "{state:?}");
    let step = Step { learning_rate: 1e-3, weight_decay: 0.0, gradient_scale: 1.0, count: 51 };
    let mut broken = state.clone();
    take(&step, broken.each_mut().map(Vec::as_mut_slice), &[f32::NAN; 8]);
    assert!(broken[0].iter().all(|w| w.is_nan()), "NaN is hidden: {broken:?}");
    state
}

#[test]
fn extreme_gradients_keep_the_weights_finite_and_nan_is_not_hidden() {
    let near = |[w, ..]: [Vec<f32>; 3]| assert!(w.iter().all(|w| (w - 1.0).abs() < 0.06), "{w:?}");
    near(driven(|step, slices, g| apply(&Adam::default().rule(step), slices, g, Reach::All)));
    near(driven(|step, slices, g| apply(&Adamax::default().rule(step), slices, g, Reach::All)));
    driven(|step, slices, g| apply(&Adagrad::default().rule(step), slices, g, Reach::All));
    driven(|step, slices, g| apply(&Adadelta::default().rule(step), slices, g, Reach::All));
    driven(|step, slices, g| apply(&Rmsprop::default().rule(step), slices, g, Reach::All));
    driven(|step, slices, g| apply(&Rmsprop::default().centered_rule(step), slices, g, Reach::All));
    driven(|step, slices, g| apply(&Nadam::default().rule(step, &mut 0.5), slices, g, Reach::All));
    driven(|step, slices, g| apply(&Lion::default().rule(step), slices, g, Reach::All));
    driven(|step, slices, g| apply(&Adan::default().rule(step), slices, g, Reach::All));
    driven(|step, slices, g| lamb(&Lamb::default(), step, slices, g, Reach::All));
}
