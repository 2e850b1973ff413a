//! Laws about weights: finite, one a task, and unchanged by what must not matter.

use super::steps::{LOSSES, Run, Step, run, step, step_in, variants};
use crate::{Error, Needs, Scale, Seen};

/// Whether weights agree: to rounding for methods on losses; for those on gradients, which solve equations, in what
/// each adds to the direction, in units of the most that one adds.
fn agree(needs: Needs, seen: &Seen, found: &[f64], expected: &[f64]) -> bool {
    let parts: Vec<f64> =
        seen.losses().iter().zip(expected).map(|(loss, weight)| (loss.unwrap_or(0.0) * weight).abs()).collect();
    let most = parts.iter().copied().fold(0.0, f64::max);
    seen.losses().iter().zip(found.iter().zip(expected)).all(|(loss, (found, expected))| {
        let apart = (found - expected).abs();
        let exact = apart <= 1e-12 * expected.abs().max(f64::MIN_POSITIVE);
        let rounding = match needs {
            Needs::Losses | Needs::LossesAfter => 0.0,
            // Gradients are in f32.
            Needs::TaskGradients => 1e-5,
            Needs::Gramian | Needs::CrossGramian | Needs::RepresentationGradients => 1e-9,
        };
        exact || apart * loss.unwrap_or(0.0) <= rounding * most
    })
}

fn many_steps(count: usize) -> Vec<Step> {
    LOSSES.iter().cycle().take(count).map(|losses| step(losses)).collect()
}

#[test]
fn weights_are_finite_one_a_task_and_zero_for_the_absent() {
    for variant in variants() {
        // Longer than any method's default warm-up or period.
        let steps = many_steps(600);
        let (state, all_weights) = run(&*variant.build(4), &steps);
        assert_eq!(state.step, 600, "{}", variant);
        assert!(state.vectors().all(|(_, vector)| vector.iter().all(|value| value.is_finite())), "{}", variant);
        for (step, weights) in steps.iter().zip(all_weights) {
            assert_eq!(weights.len(), 4, "{}", variant);
            assert!(weights.iter().all(|weight| weight.is_finite()), "{}: {weights:?}", variant);
            for (weight, loss) in weights.iter().zip(step.seen.losses()) {
                assert!(loss.is_some() || *weight == 0.0, "{}: an absent task weighs {weight}", variant);
            }
        }
    }
}

#[test]
fn reordered_tasks_get_reordered_weights() {
    let order = [2, 0, 3, 1];
    for variant in variants() {
        let balancer = variant.build(4);
        if !balancer.laws().permutation {
            continue;
        }
        let steps = many_steps(12);
        let reordered: Vec<Step> = LOSSES.iter().cycle().take(12).map(|losses| step_in(losses, &order)).collect();
        let (_, weights) = run(&*balancer, &steps);
        let (_, found) = run(&*variant.build_in(&order), &reordered);
        for ((step, weights), found) in reordered.iter().zip(weights).zip(found) {
            let expected = order.map(|task| weights[task]);
            assert!(agree(variant.entry.needs, &step.seen, &found, &expected), "{}: {found:?}, {expected:?}", variant);
        }
    }
}

#[test]
fn tasks_that_are_alike_get_equal_weights_where_promised() {
    for variant in variants() {
        let balancer = variant.build(4);
        if !balancer.laws().symmetric {
            continue;
        }
        for size in [1e-10, 0.3, 1.0, 1e15] {
            // Tasks 0 and 2 alone, and so on: no neighbours, so all at right angles.
            for present in [[true, false, true, false], [false, true, false, true], [true, false, false, true]] {
                let losses = present.map(|present| present.then_some(size));
                let (_, weights) = run(&*balancer, &[step(&losses)]);
                let weights: Vec<f64> = weights[0].iter().copied().filter(|weight| *weight != 0.0).collect();
                assert_eq!(weights.len(), 2, "{}: {weights:?}", variant);
                assert!((weights[0] / weights[1] - 1.0).abs() < 1e-12, "{}: {weights:?}", variant);
            }
        }
    }
}

#[test]
fn scaled_losses_change_weights_as_promised() {
    let losses = [Some(1.0), Some(2.0), None, Some(0.25)];
    for variant in variants() {
        // What the weights say of a direction holds for gradients as they are.
        if variant.entry.needs == Needs::TaskGradients {
            continue;
        }
        let balancer = variant.build(4);
        for factor in [1e-6, 3.0, 1e6] {
            let expected_ratio = match balancer.laws().scale {
                Scale::Invariant => 1.0 / factor,
                Scale::Linear => 1.0,
                Scale::Neither => continue,
            };
            let scaled = step(&losses.map(|loss| loss.map(|loss| loss * factor)));
            let (_, weights) = run(&*balancer, &vec![step(&losses); 600]);
            let (_, found) = run(&*balancer, &vec![scaled.clone(); 600]);
            for (weights, found) in weights.iter().zip(found) {
                let expected: Vec<f64> = weights.iter().map(|weight| weight * expected_ratio).collect();
                let context = format!("{} times {factor}: {found:?}, {expected:?}", variant);
                assert!(agree(variant.entry.needs, &scaled.seen, &found, &expected), "{context}");
            }
        }
    }
}

#[test]
fn one_task_keeps_its_direction() {
    for variant in variants() {
        let steps: Vec<Step> = [1e-10, 1.0, 1e15].iter().map(|&loss| step(&[Some(loss)])).collect();
        let (_, weights) = run(&*variant.build(1), &steps);
        assert!(weights.iter().all(|weights| weights.len() == 1 && weights[0] > 0.0), "{}: {weights:?}", variant);
    }
}

#[test]
fn a_nan_names_its_task_before_any_method_sees_it() {
    assert_eq!(Seen::new(vec![Some(1.0), Some(f64::NAN)]).unwrap_err().to_string(), "the loss of task 1 is NaN");
}

#[test]
fn what_a_method_needs_and_does_not_get_is_an_error_that_leaves_the_state() {
    for variant in
        variants().iter().filter(|variant| !matches!(variant.entry.needs, Needs::Losses | Needs::LossesAfter))
    {
        let balancer = variant.build(2);
        let mut state = balancer.init(2);
        let before = state.clone();
        let error = balancer.weigh(&mut state, &Seen::new(vec![Some(1.0); 2]).unwrap());
        assert!(matches!(error, Err(Error::NotProvided { .. })), "{}: {error:?}", variant);
        assert_eq!(state, before, "{}", variant);
    }
}

#[test]
fn a_state_survives_json_in_the_middle_of_a_run() {
    for variant in variants() {
        let balancer = variant.build(4);
        let steps = many_steps(40);
        let mut unbroken = Run::new(&*balancer, 4);
        steps.iter().for_each(|step| drop(unbroken.step(step)));
        let mut resumed = unbroken.clone();
        resumed.state = serde_json::from_str(&serde_json::to_string(&unbroken.state).unwrap()).unwrap();
        for step in &steps {
            assert_eq!(resumed.step(step), unbroken.step(step), "{variant}");
        }
        assert_eq!(resumed.state, unbroken.state, "{variant}");
    }
}

#[test]
fn another_number_of_tasks_never_panics() {
    for variant in variants() {
        let balancer = variant.build(4);
        let mut state = balancer.init(4);
        match balancer.weigh(&mut state, &step(&[Some(1.0), Some(2.0)]).seen) {
            Ok(weights) => assert_eq!(weights.as_slice().len(), 2, "{}", variant),
            Err(error) => assert!(matches!(error, Error::Tasks { .. }), "{}: {error}", variant),
        }
    }
}
