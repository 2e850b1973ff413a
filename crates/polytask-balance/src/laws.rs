//! The laws that every method of the catalogue is held to.

use crate::{AnyBalancer, Entry, Error, Gramian, Scale, Seen, State, all};

const NAMES: [&str; 4] = ["ner", "chunk", "pos", "srl"];

/// Steps with losses of every size, all tasks present in some and few in others.
const STEPS: [[Option<f64>; 4]; 6] = [
    [Some(1.0), Some(2.0), Some(0.5), Some(1.5)],
    [Some(1e-10), Some(1e15), Some(0.0), Some(3.0)],
    [None, Some(0.7), None, Some(1e15)],
    [Some(0.3), None, None, None],
    [None, None, None, None],
    [Some(1e15), Some(1e-10), Some(1e-300), Some(2.0)],
];

fn names(order: &[usize]) -> Vec<String> {
    order.iter().map(|&task| NAMES[task].to_owned()).collect()
}

fn build(entry: &Entry, order: &[usize]) -> Box<dyn AnyBalancer> {
    // Options for the tasks in one order, used for another: what names tasks has to follow them.
    let options = (entry.example)(&names(&(0..order.len()).collect::<Vec<_>>()));
    (entry.build)(&options, &names(order)).unwrap_or_else(|error| panic!("{}: {error}", entry.key))
}

/// A step with the Gramian of gradients as long as the losses, at right angles but for neighbours at 120 degrees.
fn seen(losses: &[Option<f64>]) -> Seen {
    let norms: Vec<(usize, f64)> =
        losses.iter().enumerate().filter_map(|(task, loss)| Some((task, (*loss)?))).collect();
    let cosine = |a: usize, b: usize| [1.0, -0.5].get(a.abs_diff(b)).copied().unwrap_or(0.0);
    let rows: Vec<Vec<f64>> =
        norms.iter().map(|&(a, left)| norms.iter().map(|&(b, right)| left * right * cosine(a, b)).collect()).collect();
    Seen::new(losses.to_vec()).and_then(|seen| seen.with_gramian(Gramian::new(&rows)?)).expect("a valid step")
}

fn run(balancer: &dyn AnyBalancer, steps: &[Seen]) -> (State, Vec<Vec<f64>>) {
    let mut state = balancer.init(steps[0].tasks());
    let weights = steps.iter().map(|seen| {
        let weights = balancer.weigh(&mut state, seen).expect("weights of a valid step");
        balancer.observe_after(&mut state, seen, seen).expect("losses of a valid step");
        weights.into_vec()
    });
    let weights = weights.collect();
    (state, weights)
}

fn close(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-12 * expected.abs().max(f64::MIN_POSITIVE)
}

#[test]
fn weights_are_finite_one_a_task_and_zero_for_the_absent() {
    for entry in all() {
        let balancer = build(entry, &[0, 1, 2, 3]);
        let steps: Vec<Seen> = STEPS.iter().cycle().take(60).map(|losses| seen(losses)).collect();
        let (state, all_weights) = run(&*balancer, &steps);
        assert_eq!(state.step, 60, "{}", entry.key);
        for (step, weights) in steps.iter().zip(all_weights) {
            assert_eq!(weights.len(), 4, "{}", entry.key);
            assert!(weights.iter().all(|weight| weight.is_finite()), "{}: {weights:?}", entry.key);
            for (weight, loss) in weights.iter().zip(step.losses()) {
                assert!(loss.is_some() || *weight == 0.0, "{}: an absent task weighs {weight}", entry.key);
            }
        }
    }
}

#[test]
fn reordered_tasks_get_reordered_weights() {
    let order = [2, 0, 3, 1];
    for entry in all() {
        let balancer = build(entry, &[0, 1, 2, 3]);
        if !balancer.laws().permutation {
            continue;
        }
        let plain = |losses: &[Option<f64>]| Seen::new(losses.to_vec()).expect("finite losses");
        let steps: Vec<Seen> = STEPS.iter().map(|losses| plain(losses)).collect();
        let reordered: Vec<Seen> = STEPS.iter().map(|losses| plain(&order.map(|task| losses[task]))).collect();
        let (_, weights) = run(&*balancer, &steps);
        let (_, found) = run(&*build(entry, &order), &reordered);
        for (weights, found) in weights.iter().zip(found) {
            assert!(order.iter().zip(&found).all(|(&task, &found)| close(found, weights[task])), "{}", entry.key);
        }
    }
}

#[test]
fn scaled_losses_change_weights_as_promised() {
    let losses = [Some(1.0), Some(2.0), None, Some(0.25)];
    for entry in all() {
        let balancer = build(entry, &[0, 1, 2, 3]);
        for factor in [1e-6, 3.0, 1e6] {
            let expected_ratio = match balancer.laws().scale {
                Scale::Invariant => 1.0 / factor,
                Scale::Linear => 1.0,
                Scale::Neither => continue,
            };
            let (_, weights) = run(&*balancer, &vec![seen(&losses); 4]);
            let (_, found) = run(&*balancer, &vec![seen(&losses.map(|loss| loss.map(|loss| loss * factor))); 4]);
            for (weight, found) in weights.iter().flatten().zip(found.iter().flatten()) {
                assert!(close(*found, weight * expected_ratio), "{} times {factor}: {weight}, {found}", entry.key);
            }
        }
    }
}

#[test]
fn one_task_keeps_its_direction() {
    for entry in all() {
        let steps: Vec<Seen> = [1e-10, 1.0, 1e15].iter().map(|&loss| seen(&[Some(loss)])).collect();
        let (_, weights) = run(&*build(entry, &[0]), &steps);
        assert!(weights.iter().all(|weights| weights.len() == 1 && weights[0] > 0.0), "{}: {weights:?}", entry.key);
    }
}

#[test]
fn gradients_do_not_conflict_where_promised() {
    for entry in all() {
        let balancer = build(entry, &[0, 1, 2, 3]);
        if !balancer.laws().non_conflicting {
            continue;
        }
        let step = seen(&[Some(1.0), Some(4.0), Some(2.0), Some(0.5)]);
        let (_, weights) = run(&*balancer, std::slice::from_ref(&step));
        let gramian = step.gramian().expect("the step has a Gramian");
        for task in 0..4 {
            let slope: f64 = gramian.row(task).iter().zip(&weights[0]).map(|(entry, weight)| entry * weight).sum();
            assert!(slope >= -1e-9, "{}: task {task} gets worse by {slope}", entry.key);
        }
    }
}

#[test]
fn opposite_gradients_cancel_where_promised() {
    for entry in all() {
        let balancer = build(entry, &[0, 1]);
        if !balancer.laws().stationary {
            continue;
        }
        // Gradients g and -2g: every direction makes one of the tasks worse.
        let gramian = Gramian::new(&[vec![1.0, -2.0], vec![-2.0, 4.0]]).expect("a valid Gramian");
        let step = Seen::new(vec![Some(1.0); 2]).and_then(|seen| seen.with_gramian(gramian)).expect("a valid step");
        let (_, weights) = run(&*balancer, &[step]);
        let direction = weights[0][0] - 2.0 * weights[0][1];
        assert!(direction.abs() <= 1e-6, "{}: the direction is {direction} times g", entry.key);
    }
}

#[test]
fn a_nan_names_its_task_before_any_method_sees_it() {
    assert_eq!(Seen::new(vec![Some(1.0), Some(f64::NAN)]).unwrap_err().to_string(), "the loss of task 1 is NaN");
}

#[test]
fn a_state_survives_json_in_the_middle_of_a_run() {
    for entry in all() {
        let balancer = build(entry, &[0, 1, 2, 3]);
        let steps: Vec<Seen> = STEPS.iter().cycle().take(40).map(|losses| seen(losses)).collect();
        let (mut state, _) = run(&*balancer, &steps);
        let mut restored: State = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
        for step in &steps {
            let weights = balancer.weigh(&mut state, step).unwrap();
            let found = balancer.weigh(&mut restored, step).unwrap();
            assert_eq!(weights, found, "{}", entry.key);
        }
        assert_eq!(restored, state, "{}", entry.key);
    }
}

#[test]
fn another_number_of_tasks_never_panics() {
    for entry in all() {
        let balancer = build(entry, &[0, 1, 2, 3]);
        let mut state = balancer.init(4);
        match balancer.weigh(&mut state, &seen(&[Some(1.0), Some(2.0)])) {
            Ok(weights) => assert_eq!(weights.as_slice().len(), 2, "{}", entry.key),
            Err(error) => assert!(matches!(error, Error::Tasks { .. }), "{}: {error}", entry.key),
        }
    }
}
