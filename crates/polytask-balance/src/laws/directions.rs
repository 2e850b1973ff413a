//! Laws about directions: what `Σ w_t g_t` does to each task.

use super::steps::{LOSSES, Run, Variant, run, step, step_in, step_of, variants};
use crate::solve::min_norm;
use crate::solve::samples::{gramian_of, hostile, random};
use crate::{Gramian, Needs, Scale};

/// The lengths of all parts of a direction, added up: what it is small or large against.
fn size(gramian: &Gramian, weights: &[f64]) -> f64 {
    weights.iter().enumerate().map(|(task, weight)| weight.abs() * gramian.get(task, task).sqrt()).sum()
}

#[test]
fn any_gradients_get_finite_weights() {
    for variant in variants() {
        for (name, gramian, gradients) in hostile() {
            let tasks = gramian.size();
            let (_, weights) = run(&*variant.build(tasks), &vec![step_of(&gramian, &gradients); 3]);
            for weights in weights {
                assert_eq!(weights.len(), tasks, "{}, {name}", variant);
                assert!(weights.iter().all(|weight| weight.is_finite()), "{}, {name}: {weights:?}", variant);
            }
        }
    }
}

#[test]
fn a_gramian_with_the_rounding_of_f32_gets_finite_weights() {
    for variant in variants() {
        for (seed, (name, gramian, gradients)) in (0..).zip(hostile()) {
            let tasks = gramian.size();
            let noise = random(seed, tasks * tasks);
            // Mirrored entries differ too, and eigenvalues that were 0 may be negative.
            let entry = |row: usize, at: usize| {
                let unit = (gramian.get(row, row) * gramian.get(at, at)).sqrt();
                gramian.get(row, at) + 1e-6 * noise[row * tasks + at] * unit
            };
            let rows: Vec<Vec<f64>> = (0..tasks).map(|row| (0..tasks).map(|at| entry(row, at)).collect()).collect();
            let noisy = Gramian::new(&rows).expect("a Gramian but for rounding");
            let (_, weights) = run(&*variant.build(tasks), &vec![step_of(&noisy, &gradients); 3]);
            assert!(weights.iter().flatten().all(|weight| weight.is_finite()), "{variant}, {name}: {weights:?}");
        }
    }
}

#[test]
fn gradients_do_not_conflict_where_promised() {
    for variant in variants() {
        for (name, gramian, gradients) in hostile() {
            let balancer = variant.build(gramian.size());
            if !balancer.laws().non_conflicting {
                continue;
            }
            let (_, weights) = run(&*balancer, &[step_of(&gramian, &gradients)]);
            for (task, gain) in gramian.times(&weights[0]).into_iter().enumerate() {
                let unit = gramian.get(task, task).sqrt() * size(&gramian, &weights[0]);
                assert!(gain >= -1e-9 * unit, "{}, {name}: task {task} gets worse by {gain} of {unit}", variant);
            }
        }
    }
}

#[test]
fn no_common_gain_means_no_direction_where_promised() {
    let mut cases = hostile();
    let opposite = vec![vec![1.0], vec![-2.0]];
    cases.push(("g and -2 g".to_owned(), gramian_of(&opposite), opposite));
    for variant in variants() {
        let mut stationary = 0;
        for (name, gramian, gradients) in &cases {
            let shortest = min_norm(gramian);
            let balancer = variant.build(gramian.size());
            // A zero gradient gains nothing, whatever the direction; methods may still serve the others.
            let zero = (0..gramian.size()).any(|task| gramian.get(task, task) == 0.0);
            let is_stationary = gramian.squared_norm(&shortest).sqrt() <= 1e-7 * size(gramian, &shortest);
            if zero || !is_stationary || !balancer.laws().stationary {
                continue;
            }
            stationary += 1;
            let (_, weights) = run(&*balancer, &[step_of(gramian, gradients)]);
            let length = gramian.squared_norm(&weights[0]).sqrt();
            assert!(length <= 1e-6 * size(gramian, &weights[0]), "{}, {name}: {length}", variant);
        }
        assert!(stationary > 10 || !variant.build(2).laws().stationary, "{}: {stationary} cases", variant);
    }
}

/// The methods that rewrite gradients.
fn rewriting() -> impl Iterator<Item = Variant> {
    variants().into_iter().filter(|variant| variant.entry.needs == Needs::TaskGradients)
}

/// Whether directions agree to the precision of f32.
fn agree(found: &[f64], expected: &[f64]) -> bool {
    let longest = expected.iter().map(|value| value.abs()).fold(0.0, f64::max);
    found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= 1e-5 * longest)
}

#[test]
fn rewritten_gradients_do_not_depend_on_the_order_of_tasks() {
    let order = [2, 0, 3, 1];
    for variant in rewriting() {
        let (balancer, reordered) = (variant.build(4), variant.build_in(&order));
        let (mut run, mut reordered) = (Run::new(&*balancer, 4), Run::new(&*reordered, 4));
        for losses in LOSSES.iter().cycle().take(12) {
            let (expected, found) = (run.direction(&step(losses)), reordered.direction(&step_in(losses, &order)));
            assert!(found.iter().all(|value| value.is_finite()), "{variant}: {found:?}");
            assert!(!balancer.laws().permutation || agree(&found, &expected), "{variant}: {found:?}, {expected:?}");
        }
    }
}

#[test]
fn rewritten_gradients_scale_as_promised() {
    let losses = [Some(1.0), Some(2.0), None, Some(0.25)];
    for variant in rewriting() {
        let balancer = variant.build(4);
        for factor in [1e-6, 3.0, 1e6] {
            let ratio = match balancer.laws().scale {
                Scale::Invariant => 1.0,
                Scale::Linear => factor,
                Scale::Neither => continue,
            };
            let (mut run, mut scaled) = (Run::new(&*balancer, 4), Run::new(&*balancer, 4));
            for _ in 0..4 {
                let expected: Vec<f64> = run.direction(&step(&losses)).iter().map(|value| value * ratio).collect();
                let found = scaled.direction(&step(&losses.map(|loss| loss.map(|loss| loss * factor))));
                assert!(agree(&found, &expected), "{variant} times {factor}: {found:?}, {expected:?}");
            }
        }
    }
}
