//! Balancing of a burn model against the same by hand, on flat gradients that are known.
//!
//! The losses are linear in the parameters, so a task's gradient is what its loss multiplies them with.

use burn::module::{Module, Param};
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{Device, Tensor};
use polytask_balance::burn::{Balance, Balanced, Memory, TaskGradient};
use polytask_balance::{Error, Needs, all};
use serde_json::{Map, Value, json};

const TASKS: [&str; 2] = ["near", "far"];
/// What each task multiplies the shared parameters with, `weight [2, 2]` and then `bias [2]`: they conflict.
const SHARED: [[f32; 6]; 2] = [[1.0, -2.0, 0.5, 0.0, 1.0, 3.0], [-2.0, 1.0, 4.0, 1.0, 0.0, -2.0]];
/// What it multiplies its own parameters with.
const OWN: [[f32; 2]; 2] = [[7.0, -1.0], [0.25, 3.0]];
/// The losses, by a constant.
const LOSSES: [f64; 2] = [2.0, 0.5];

#[derive(Module, Debug)]
struct Shared {
    weight: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
}

#[derive(Module, Debug)]
struct Net {
    shared: Shared,
    heads: Vec<Param<Tensor<1>>>,
}

fn net() -> Net {
    let device = Device::flex().autodiff();
    let zeros = || Param::from_tensor(Tensor::<1>::zeros([2], &device));
    let shared = Shared { weight: Param::from_tensor(Tensor::zeros([2, 2], &device)), bias: zeros() };
    Net { shared, heads: vec![zeros(), zeros()] }
}

fn pair(values: [f32; 2]) -> Tensor<1> {
    Tensor::from_data(values, &Device::flex().autodiff())
}

/// The loss of a task whose gradients are multiplied by `scale`.
fn loss_of(net: &Net, task: usize, scale: f32) -> Tensor<1> {
    let [a, b, c, d, e, f] = SHARED[task];
    let weight = Tensor::<2>::from_data([[a, b], [c, d]], &Device::flex().autodiff());
    let linear = (net.shared.weight.val() * weight).sum()
        + (net.shared.bias.val() * pair([e, f])).sum()
        + (net.heads[task].val() * pair(OWN[task])).sum();
    linear.mul_scalar(scale).add_scalar(LOSSES[task] as f32)
}

fn losses(net: &Net) -> [Tensor<1>; 2] {
    [loss_of(net, 0, 1.0), loss_of(net, 1, 1.0)]
}

fn balance(method: &str, options: Value) -> Balance {
    let options: Map<String, Value> = options.as_object().cloned().expect("a table");
    Balance::with_options(method, &options, &TASKS).unwrap_or_else(|error| panic!("{method}: {error}"))
}

fn values<const D: usize>(gradients: &GradientsParams, param: &Param<Tensor<D>>) -> Vec<f64> {
    let gradient = gradients.get::<D>(param.id).map(|gradient| gradient.into_data().try_into_vec::<f32>());
    gradient.map(|values| values.expect("numbers").into_iter().map(f64::from).collect()).unwrap_or_default()
}

/// The gradient of what is shared, and that of each head.
fn flat(net: &Net, gradients: &GradientsParams) -> (Vec<f64>, [Vec<f64>; 2]) {
    let shared = [values(gradients, &net.shared.weight), values(gradients, &net.shared.bias)].concat();
    (shared, [values(gradients, &net.heads[0]), values(gradients, &net.heads[1])])
}

fn task_gradient(task: usize) -> Vec<f64> {
    SHARED[task].iter().map(|value| f64::from(*value)).collect()
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

fn combined(weights: [f64; 2]) -> Vec<f64> {
    let [near, far] = [task_gradient(0), task_gradient(1)];
    near.iter().zip(&far).map(|(near, far)| weights[0] * near + weights[1] * far).collect()
}

#[track_caller]
fn close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{found:?}, {expected:?}");
    let largest = expected.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    for (value, wanted) in found.iter().zip(expected) {
        assert!((value - wanted).abs() <= 2e-6 * largest, "{found:?}, {expected:?}");
    }
}

/// Checks one step: the direction in what is shared, and the factor of each head's own gradient.
#[track_caller]
fn expect(method: &str, options: Value, shared: &[f64], heads: [f64; 2]) {
    let net = net();
    let mut balance = balance(method, options);
    balance.compare(&net, || losses(&net), || losses(&net)).expect("a valid step");
    let balanced = balance.step(&net, losses(&net)).expect("a valid step");
    let (found, own) = flat(&net, &balanced.gradients);
    close(&found, shared);
    for task in 0..2 {
        close(&own[task], &OWN[task].map(|value| heads[task] * f64::from(value)));
    }
    assert_eq!(balanced.losses, LOSSES.map(Some));
}

#[test]
fn methods_on_losses_weigh_every_parameter() {
    expect("equal", json!({}), &combined([1.0, 1.0]), [1.0, 1.0]);
    expect("fixed", json!({ "weights": { "far": 0.25, "near": 2.0 } }), &combined([2.0, 0.25]), [2.0, 0.25]);
    expect("scale-invariant", json!({}), &combined([0.5, 2.0]), [0.5, 2.0]);
    // Before its first update: z = 1/2 each, w = (z / L) / Σ (z / L).
    expect("famo", json!({}), &combined([0.2, 0.8]), [0.2, 0.8]);
}

#[test]
fn methods_on_products_weigh_what_is_shared() {
    let [near, far] = [task_gradient(0), task_gradient(1)];
    let (nn, nf, ff) = (dot(&near, &near), dot(&near, &far), dot(&far, &far));
    assert!(nf < 0.0);
    let alike = [1.0, 1.0];
    // The shortest point between two gradients.
    let share = (ff - nf) / (nn + ff - 2.0 * nf);
    expect("mgda", json!({}), &combined([share, 1.0 - share]), alike);
    // Each gradient without its part against the other.
    expect("pcgrad", json!({}), &combined([1.0 - nf / nn, 1.0 - nf / ff]), alike);
    // The two projected gradients are each at right angles to the other: their mean is UPGrad's.
    expect("upgrad", json!({}), &combined([0.5 * (1.0 - nf / nn), 0.5 * (1.0 - nf / ff)]), alike);
    // Equal angles: weights inverse to lengths, and summing to 1.
    let (a, b) = (1.0 / nn.sqrt(), 1.0 / ff.sqrt());
    expect("imtl-g", json!({}), &combined([a / (a + b), b / (a + b)]), alike);
    // G w = 1 / w: with u = n w and cosine c, both u solve (1 + c) u² = 1.
    let u = 1.0 / (1.0 + nf * a * b).sqrt();
    expect("nash-mtl", json!({}), &combined([u * a, u * b]), alike);
}

#[test]
fn two_batches_move_the_weights_of_a_third() {
    let [near, far] = [task_gradient(0), task_gradient(1)];
    let (nn, nf, ff) = (dot(&near, &near), dot(&near, &far), dot(&far, &far));
    let net = net();
    let mut balance = balance("modo", json!({ "learning_rate": 0.01, "regularization": 0.0 }));
    let missing = balance.step(&net, losses(&net)).unwrap_err();
    assert!(matches!(missing, Error::NotProvided { .. }), "{missing}");
    // The second batch has twice the gradients: J_1 J_2ᵀ is twice the Gramian.
    let doubled = || [loss_of(&net, 0, 2.0), loss_of(&net, 1, 2.0)];
    balance.compare(&net, || losses(&net), doubled).unwrap();
    let balanced = balance.step(&net, losses(&net)).unwrap();
    // w = 1/2 - γ 2 G (1/2, 1/2), moved along (1, -1) to sum to 1.
    let apart = 0.01 * ((nn + nf) - (nf + ff));
    let expected = [0.5 - 0.5 * apart, 0.5 + 0.5 * apart];
    close(&balanced.weights, &expected);
    close(&flat(&net, &balanced.gradients).0, &combined(expected));
}

#[test]
fn rewritten_gradients_are_those_that_are_summed() {
    let [near, far] = [task_gradient(0), task_gradient(1)];
    let lengths = [dot(&near, &near).sqrt() / LOSSES[0], dot(&far, &far).sqrt() / LOSSES[1]];
    // m_t = (1 - β) g_t / L_t, both as long as the longer one.
    let longest = lengths[0].max(lengths[1]);
    let weight = |task: usize| 0.1 / LOSSES[task] * longest / lengths[task];
    expect("db-mtl", json!({}), &combined([weight(0), weight(1)]), [1.0, 1.0]);
    // y_t = g_t / 2; w = 1/2 - γ (Y Yᵀ)(1/2, 1/2), moved along (1, -1) to sum to 1.
    let apart = 0.01 * 0.25 * 0.5 * (lengths[0].powi(2) * 4.0 - lengths[1].powi(2) * 0.25);
    let weights = [0.25 - 0.25 * apart, 0.25 + 0.25 * apart];
    expect("moco", json!({ "learning_rate": 0.01 }), &combined(weights), [1.0, 1.0]);
    // The first estimate only sets the scale.
    expect("excess-mtl", json!({}), &combined([1.0, 1.0]), [1.0, 1.0]);
    expect("graddrop", json!({ "leak": 1.0 }), &combined([1.0, 1.0]), [1.0, 1.0]);

    let net = net();
    let balanced = balance("graddrop", json!({})).step(&net, losses(&net)).unwrap();
    for (found, (near, far)) in flat(&net, &balanced.gradients).0.iter().zip(near.iter().zip(&far)) {
        let agree = near * far >= 0.0;
        assert!(if agree { *found == near + far } else { found == near || found == far }, "{found}, {near}, {far}");
    }
}

#[test]
fn gradients_that_were_walked_back_elsewhere_give_the_same() {
    let net = net();
    for entry in all() {
        let mut by_loss = balance(entry.key, Value::Object((entry.example)(&TASKS.map(str::to_owned))));
        let mut by_gradient = balance(entry.key, Value::Object((entry.example)(&TASKS.map(str::to_owned))));
        let of = |task: usize| {
            let loss = loss_of(&net, task, 1.0);
            Some(TaskGradient::from_backward(&net, LOSSES[task], loss.backward()))
        };
        by_loss.compare(&net, || losses(&net), || losses(&net)).unwrap();
        by_gradient.compare_gradients(&net, &[of(0), of(1)], &[of(0), of(1)]).unwrap();
        let expected = by_loss.step(&net, losses(&net)).unwrap();
        let found = by_gradient.step_on_gradients(&net, [of(0), of(1)]).unwrap();
        assert_eq!(found.weights, expected.weights, "{}", entry.key);
        let ((found, found_own), (expected, own)) = (flat(&net, &found.gradients), flat(&net, &expected.gradients));
        close(&[found, found_own.concat()].concat(), &[expected, own.concat()].concat());
    }
}

/// Weights and losses.
type Stepped = (Vec<f64>, Vec<Option<f64>>);

/// Takes three steps; gives the weights and losses of each, and the model.
fn three_steps(balance: &mut Balance, mut net: Net) -> (Vec<Stepped>, Net) {
    let mut optimizer = SgdConfig::new().init();
    let mut all = Vec::new();
    for _ in 0..3 {
        balance.compare(&net, || losses(&net), || losses(&net)).expect("a valid step");
        let balanced = balance.step(&net, losses(&net)).expect("a valid step");
        let (shared, own) = flat(&net, &balanced.gradients);
        assert!([shared, own.concat()].concat().iter().all(|value| value.is_finite()));
        assert_eq!(balanced.gradients.len(), 4);
        let Balanced { gradients, weights, losses: of_step } = balanced;
        net = optimizer.step(1e-3, net, gradients);
        balance.observe_after(|| losses(&net)).expect("a valid step");
        all.push((weights, of_step));
    }
    (all, net)
}

#[test]
fn every_method_takes_steps_and_goes_on_from_its_memory() {
    for entry in all() {
        let options = Value::Object((entry.example)(&TASKS.map(str::to_owned)));
        let mut unbroken = balance(entry.key, options.clone());
        let (_, halfway) = three_steps(&mut unbroken, net());
        let stored = serde_json::to_string(unbroken.memory()).unwrap();
        let memory: Memory = serde_json::from_str(&stored).unwrap();
        assert_eq!(&memory, unbroken.memory(), "{}", entry.key);
        let mut resumed = balance(entry.key, options).resumed(memory).unwrap();
        let (expected, _) = three_steps(&mut unbroken, halfway.clone());
        let (found, _) = three_steps(&mut resumed, halfway);
        assert_eq!(found, expected, "{}", entry.key);
        assert_eq!(resumed.memory(), unbroken.memory(), "{}", entry.key);
        assert_eq!(unbroken.memory().state.step, 6, "{}", entry.key);
    }
}

#[derive(Module, Debug)]
struct Tied {
    encoder: Param<Tensor<1>>,
    decoder: Param<Tensor<1>>,
}

#[test]
fn a_parameter_in_two_places_counts_once() {
    let encoder = Param::from_tensor(pair([1.0, 1.0]).require_grad());
    let model = Tied { decoder: encoder.clone(), encoder };
    // The gradients are (1, 0) + (3, 0) and (0, 1) + (0, 1).
    let loss = |left: [f32; 2], right: [f32; 2]| {
        (model.encoder.val() * pair(left)).sum() + (model.decoder.val() * pair(right)).sum()
    };
    let losses = [loss([1.0, 0.0], [3.0, 0.0]), loss([0.0, 1.0], [0.0, 1.0])];
    let balanced = balance("mgda", json!({})).step(&model, losses).unwrap();
    // At right angles: weights are inverse to the squared lengths 16 and 4.
    close(&balanced.weights, &[0.2, 0.8]);
    assert_eq!(balanced.gradients.len(), 1);
    close(&values(&balanced.gradients, &model.encoder), &[0.8, 1.6]);
}

#[test]
fn absent_tasks_have_no_part() {
    let net = net();
    for entry in all().iter().filter(|entry| entry.needs != Needs::CrossGramian) {
        let mut balance = balance(entry.key, Value::Object((entry.example)(&TASKS.map(str::to_owned))));
        let balanced = balance.step(&net, [None, Some(loss_of(&net, 1, 1.0))]).unwrap();
        assert_eq!((balanced.weights[0], balanced.losses[0]), (0.0, None), "{}", entry.key);
        assert!(flat(&net, &balanced.gradients).1[0].is_empty(), "{}", entry.key);
        balance.observe_after(|| [None, Some(loss_of(&net, 1, 1.0))]).unwrap();
        let nothing = balance.step(&net, [None::<Tensor<1>>, None]).unwrap();
        assert!(nothing.gradients.is_empty() && nothing.weights == [0.0, 0.0], "{}", entry.key);
        balance.step(&net, losses(&net)).unwrap();
    }
    // What two tasks reached once stays shared in a step with one of them.
    let mut balance = balance("mgda", json!({}));
    balance.step(&net, losses(&net)).unwrap();
    let alone = balance.step(&net, [Some(loss_of(&net, 0, 1.0)), None]).unwrap();
    close(&flat(&net, &alone.gradients).0, &combined([1.0, 0.0]));
}

#[test]
fn what_is_wrong_is_said_with_the_task_and_the_parameter() {
    let net = net();
    // The slope of a root at 0.
    let bad = || loss_of(&net, 1, 1.0) + net.shared.bias.val().sqrt().sum();
    for method in ["equal", "cagrad", "db-mtl"] {
        let error = balance(method, json!({})).step(&net, [loss_of(&net, 0, 1.0), bad()]).unwrap_err().to_string();
        let tasks = if method == "equal" { "near`, `far" } else { "far" };
        assert_eq!(error, format!("the gradient of `{tasks}` in `shared.bias` has an entry that is inf"), "{method}");
    }
    let infinite = loss_of(&net, 0, 1.0).mul_scalar(f32::INFINITY);
    let error = balance("mgda", json!({})).step(&net, [loss_of(&net, 0, 1.0), infinite]).unwrap_err();
    assert!(matches!(error, Error::Loss { task: 1, .. }), "{error}");
    let constant = Tensor::<1>::from_data([1.0], &Device::flex().autodiff());
    let error = balance("mgda", json!({})).step(&net, [loss_of(&net, 0, 1.0), constant.clone()]).unwrap_err();
    assert_eq!(error, Error::Untracked { task: 1 });
    let error = balance("equal", json!({})).step(&net, [loss_of(&net, 0, 1.0), constant]).unwrap_err();
    assert_eq!(error, Error::Untracked { task: 1 });
    let error = balance("mgda", json!({})).step(&net, [net.shared.bias.val(), loss_of(&net, 1, 1.0)]).unwrap_err();
    assert_eq!(error, Error::LossShape { task: 0, found: 2 });
    let error = balance("mgda", json!({})).step(&net, [loss_of(&net, 0, 1.0)]).unwrap_err();
    assert!(matches!(error, Error::Tasks { expected: 2, found: 1, .. }), "{error}");
    let error = Balance::new("mgad", &TASKS).err().unwrap().to_string();
    assert!(error.starts_with("there is no balance method `mgad`; expected one of aligned-mtl, cagrad, "), "{error}");
    let error = balance("mgda", json!({})).resumed(balance("equal", json!({})).memory().clone()).err().unwrap();
    assert!(error.to_string().starts_with("the memory is that of `equal` for the tasks `near`, `far`"), "{error}");
}

#[test]
fn losses_after_a_step_are_not_forgotten() {
    let net = net();
    let mut balance = balance("famo", json!({}));
    assert!(matches!(balance.observe_after(|| losses(&net)), Err(Error::NotProvided { .. })));
    balance.step(&net, losses(&net)).unwrap();
    assert!(matches!(balance.step(&net, losses(&net)), Err(Error::NotProvided { .. })));
    // The first loss halves and the second stays: the second gets more weight.
    balance.observe_after(|| [losses(&net)[0].clone().mul_scalar(0.5), losses(&net)[1].clone()]).unwrap();
    let weights = balance.step(&net, losses(&net)).unwrap().weights;
    assert!(weights[1] > 0.8, "{weights:?}");
}

#[test]
fn losses_may_share_a_graph_where_only_they_count() {
    let net = net();
    let sum = loss_of(&net, 0, 1.0);
    let balanced = balance("equal", json!({})).step(&net, [sum.clone(), sum.mul_scalar(2.0)]).unwrap();
    close(&flat(&net, &balanced.gradients).0, &combined([3.0, 0.0]));
}

#[test]
fn the_seed_of_a_run_decides_where_options_do_not() {
    let net = net();
    let weights = |seed| balance("random", json!({})).seeded(seed).step(&net, losses(&net)).unwrap().weights;
    assert_eq!(weights(1), weights(1));
    assert_ne!(weights(1), weights(2));
}
