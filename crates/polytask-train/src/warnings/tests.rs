//! Does each warning come when it should, once, and not when it should not?

use std::collections::BTreeMap;

use indexmap::IndexMap;
use polytask_metrics::{TaskScores, catalogue};
use polytask_run::{Balanced, Cosine, StepScores};
use polytask_spec::{Override, parse};

use super::*;

const CONFIG: &str = r#"
version = 1
data.one = { format = "lines", train = "t", valid = "v" }
data.two = { format = "lines", train = "t", valid = "v" }
input.words = { kind = "words" }
encoder.trunk = { layers = [{ name = "low", kind = "bilstm" }, { name = "high", kind = "conv" }] }
task.a = { data = "one", kind = "classify", target = "label", attach = "high" }
task.b = { data = "two", kind = "classify", target = "label", attach = "high" }
task.c = { data = "two", kind = "classify", target = "label", attach = "low" }
train = { sampling = "joint" }
"#;

fn spec(changes: &[&str]) -> Spec {
    let overrides: Vec<Override> = changes.iter().map(|change| change.parse().unwrap()).collect();
    parse("", CONFIG, &overrides, &crate::extensions()).unwrap_or_else(|errors| panic!("{errors}")).spec
}

fn fresh() -> Warnings {
    Warnings::new(&spec(&[]), &[None, None, None])
}

/// A look at step `step` with these cosines between a and b, and weights and lengths of both.
fn look(step: u64, cosine: f64, tasks: [(f64, Option<f64>); 2]) -> Event {
    let tasks = ["a", "b"].into_iter().zip(tasks);
    let balanced = |(name, (weight, gradient_norm)): (&str, _)| (name.to_owned(), Balanced { weight, gradient_norm });
    let cosines = vec![Cosine { between: ["a".into(), "b".into()], cosine }];
    Event::Balance {
        epoch: 1,
        step,
        tasks: tasks.map(balanced).collect(),
        cosines,
        conflict_rate: None,
        affinities: Vec::new(),
    }
}

/// All warnings about looks with these cosines, of gradients of one length.
fn of_cosines(cosines: impl IntoIterator<Item = f64>) -> Vec<Warning> {
    let alike = [(1.0, Some(1.0)); 2];
    told(&mut fresh(), (1..).zip(cosines).map(|(step, cosine)| look(step, cosine, alike)))
}

/// All warnings about looks with these weights and lengths, of gradients at right angles.
fn of_lengths(tasks: [(f64, Option<f64>); 2], looks: u64) -> Vec<Warning> {
    told(&mut fresh(), (1..=looks).map(|step| look(step, 0.0, tasks)))
}

/// What is told while events are written, as training does it.
fn told(warnings: &mut Warnings, events: impl IntoIterator<Item = Event>) -> Vec<Warning> {
    written(warnings, events).into_iter().filter_map(warning).collect()
}

fn warning(event: Event) -> Option<Warning> {
    match event {
        Event::Warning(warning) => Some(warning),
        _ => None,
    }
}

/// The events with the warnings that follow from them.
fn written(warnings: &mut Warnings, events: impl IntoIterator<Item = Event>) -> Vec<Event> {
    let mut out = Vec::new();
    for event in events {
        let found = warnings.see(&event);
        out.push(event);
        for warning in found {
            let event = Event::Warning(warning);
            assert_eq!(warnings.see(&event), []);
            out.push(event);
        }
    }
    out
}

#[test]
fn a_conflict_is_told_at_the_tenth_look_and_once() {
    assert_eq!(of_cosines([-0.3; 9]), []);
    let found = of_cosines([-0.3; 200]);
    let [Warning { step: 10, tasks, measured: Measured::Conflict { cosine, against: 10, looks: 10 }, .. }] =
        found.as_slice()
    else {
        panic!("{found:?}")
    };
    assert_eq!(tasks, &["a", "b"]);
    assert!((cosine + 0.3).abs() < 1e-12);
}

#[test]
fn weak_mixed_and_past_conflicts_are_not_told() {
    assert_eq!(of_cosines([-0.05; 100]), []);
    assert_eq!(of_cosines([0.5; 100]), []);
    assert_eq!(of_cosines([0.1, -0.9, -0.9, 0.1, -0.9].repeat(20)), [], "three of five are not seven of ten");
    assert_eq!(of_cosines([-0.5; 6].into_iter().chain([0.5; 60])), []);
    // Fourteen of twenty, in the twenty-first look and not before: those that agree come first.
    let found = of_cosines([0.4; 7].into_iter().chain([-0.4; 14]));
    let [Warning { step: 21, measured: Measured::Conflict { against: 14, looks: 20, .. }, .. }] = found.as_slice()
    else {
        panic!("{found:?}")
    };
}

#[test]
fn a_task_dominates_by_weight_times_length() {
    let found = of_lengths([(1.0, Some(1.0)), (2.0, Some(9.5))], 50);
    let [Warning { step: 10, tasks, measured: Measured::Domination { share, looks: 10 }, .. }] = found.as_slice()
    else {
        panic!("{found:?}")
    };
    assert_eq!(tasks, &["b"]);
    // 2 x 9.5 of 1 + 2 x 9.5.
    assert!((share - 0.95).abs() < 1e-12, "{share}");
    assert_eq!(of_lengths([(1.0, Some(1.0)), (2.0, Some(9.5))], 9), []);
    // The same lengths, weighed against each other.
    assert_eq!(of_lengths([(1.0, Some(1.0)), (0.1, Some(19.0))], 50), []);
    for nothing in [None, Some(0.0), Some(f64::NAN), Some(f64::INFINITY)] {
        assert_eq!(of_lengths([(1.0, nothing), (1.0, nothing)], 50), [], "{nothing:?}");
    }
}

const ACCURACY: &str = "accuracy";

/// The curve of a run alone: a value an epoch, of ten steps each.
fn curve(metric: &str, values: &[f64]) -> Curve {
    let points = (1..).zip(values).map(|(epoch, &value)| Point { epoch, steps: 10 * epoch as u64, value });
    Curve { metric: catalogue::find(metric).unwrap(), points: points.collect() }
}

/// Epochs of so many steps of task `a`, with these validation scores on so many examples.
fn epochs(metric: &str, values: &[f64], steps: u64, examples: usize) -> Vec<Event> {
    let mut events = Vec::new();
    for (epoch, &value) in (1..).zip(values) {
        let step = steps * epoch as u64;
        let counted = IndexMap::from([("a".to_owned(), StepScores { steps, ..StepScores::default() })]);
        let (learning_rate, gradient_norm) = (0.1, 1.0);
        let conflict_rate = None;
        events.push(Event::Epoch { epoch, step, learning_rate, gradient_norm, tasks: counted, conflict_rate });
        let metrics = BTreeMap::from([(metric.to_owned(), value)]);
        let tasks = IndexMap::from([("a".to_owned(), TaskScores { examples, metrics, ..TaskScores::default() })]);
        events.push(Event::Evaluation { epoch, step, split: "valid".into(), tasks });
    }
    events
}

fn against(alone: &Curve, events: Vec<Event>) -> Vec<Warning> {
    told(&mut Warnings::new(&spec(&[]), &[Some(alone.clone()), None, None]), events)
}

#[test]
fn a_task_that_stays_behind_its_own_curve_is_told_after_three_evaluations() {
    let alone = curve(ACCURACY, &[0.5, 0.7, 0.8, 0.75, 0.8]);
    let found = against(&alone, epochs(ACCURACY, &[0.5, 0.5, 0.55, 0.5, 0.5, 0.5], 10, 400));
    let expected =
        Measured::NegativeTransfer { metric: ACCURACY.into(), score: 0.55, alone: 0.8, alone_epoch: 4, evaluations: 3 };
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].epoch, &found[0].tasks[..], &found[0].measured), (4, &["a".to_owned()][..], &expected));
    // One twentieth is what 400 examples tell apart; a task that is ahead, or catches up in time, is well.
    assert_eq!(against(&alone, epochs(ACCURACY, &[0.46, 0.66, 0.76, 0.76, 0.76], 10, 400)), []);
    assert_eq!(against(&alone, epochs(ACCURACY, &[0.46, 0.66, 0.76, 0.76, 0.76], 10, 1000)).len(), 1);
    assert_eq!(against(&alone, epochs(ACCURACY, &[0.9; 9], 10, 400)), []);
    assert_eq!(against(&alone, epochs(ACCURACY, &[0.5, 0.5, 0.5, 0.8, 0.3, 0.3, 0.3], 10, 400)), []);
}

#[test]
fn curves_are_compared_by_the_steps_of_the_task() {
    let alone = curve(ACCURACY, &[0.5, 0.7, 0.8]);
    // Half as many steps an epoch: after epoch 4 it has taken those of epoch 2 alone.
    assert_eq!(against(&alone, epochs(ACCURACY, &[0.3, 0.5, 0.6, 0.7, 0.7, 0.79], 5, 400)), []);
    // Three times as many: the curve alone is at its end from the first epoch on.
    let found = against(&alone, epochs(ACCURACY, &[0.5; 3], 30, 400));
    let [Warning { epoch: 3, measured: Measured::NegativeTransfer { alone_epoch: 3, .. }, .. }] = found.as_slice()
    else {
        panic!("{found:?}")
    };
    // Alone it has not ended an epoch within four steps.
    assert_eq!(against(&alone, epochs(ACCURACY, &[0.0; 9], 1, 400)), []);
}

#[test]
fn errors_are_compared_by_their_ratio_and_tasks_alone_are_not() {
    let alone = curve("rmse", &[20.0, 20.0, 20.0]);
    assert_eq!(against(&alone, epochs("rmse", &[20.9; 5], 10, 400)), []);
    assert_eq!(against(&alone, epochs("rmse", &[21.1; 5], 10, 400)).len(), 1);
    assert_eq!(against(&alone, epochs("rmse", &[1.0; 5], 10, 400)), []);
    assert_eq!(against(&alone, epochs("mae", &[90.0; 5], 10, 400)), [], "another metric says nothing");
    let mut one = spec(&[]);
    one.task.truncate(1);
    assert_eq!(told(&mut Warnings::new(&one, &[Some(alone)]), epochs("rmse", &[90.0; 5], 10, 400)), []);
}

#[test]
fn a_run_that_goes_on_anywhere_tells_the_same() {
    let alone = curve(ACCURACY, &[0.9, 0.9, 0.9]);
    let looks = (1..=30).map(|step| look(step, -0.3 - 1.0 / step as f64, [(1.0, Some(0.3)), (3.0, Some(1.7))]));
    let looks: Vec<Event> = looks.collect();
    let evaluations = epochs(ACCURACY, &[0.5; 5], 10, 400);
    let events: Vec<Event> = looks[..12].iter().chain(&evaluations).chain(&looks[12..]).cloned().collect();
    let begin = || Warnings::new(&spec(&[]), &[Some(alone.clone()), None, None]);
    let whole = written(&mut begin(), events.clone());
    assert_eq!(whole.iter().filter(|event| matches!(event, Event::Warning(_))).count(), 3, "{whole:?}");
    let lines: Vec<String> = whole.iter().map(|event| serde_json::to_string(event).unwrap()).collect();
    for cut in 0..=events.len() {
        let before = written(&mut begin(), events[..cut].to_vec());
        let mut going_on = begin();
        for event in &before {
            // What is taken in again is what a file says.
            going_on.see(&serde_json::from_str(&serde_json::to_string(event).unwrap()).unwrap());
        }
        let after = written(&mut going_on, events[cut..].to_vec());
        let found: Vec<String> =
            before.iter().chain(&after).map(|event| serde_json::to_string(event).unwrap()).collect();
        assert_eq!(found, lines, "cut at {cut}");
    }
}

/// What is advised under these changes to the configuration.
fn advice(changes: &[&str], measured: &Measured, tasks: &[&str]) -> Vec<String> {
    let tasks: Vec<String> = tasks.iter().map(ToString::to_string).collect();
    advice::of(&spec(changes), measured, &tasks)
}

#[test]
fn what_is_advised_is_there_to_try() {
    let conflict = Measured::Conflict { cosine: -0.3, against: 10, looks: 10 };
    let domination = Measured::Domination { share: 0.95, looks: 10 };
    let (metric, score, alone) = (ACCURACY.to_owned(), 0.5, 0.8);
    let behind = Measured::NegativeTransfer { metric, score, alone, alone_epoch: 2, evaluations: 3 };
    let (pcgrad, encoder) = ("`balance.method = \"pcgrad\"`", "an encoder of its own for `b` (`task.b.encoder`)");
    assert_eq!(advice(&[], &conflict, &["a", "b"]), [pcgrad, "`task.a.attach = \"low\"`", encoder]);
    // Task `c` reads the first layer: there is none below.
    assert_eq!(advice(&[], &conflict, &["a", "c"])[1..], ["an encoder of its own for `c` (`task.c.encoder`)"]);
    assert_eq!(advice(&["balance.method=mgda"], &conflict, &["a", "b"])[1..], [encoder]);
    assert_eq!(advice(&["balance.method=gradnorm"], &conflict, &["a", "b"])[0], pcgrad);
    let uniform = advice(&["train.sampling=uniform"], &conflict, &["a", "b"]);
    assert_eq!(uniform[0], format!("{pcgrad} with `train.sampling = \"joint\"`"));
    let head = ["task.a.head=both", "task.b.head=both"];
    assert_eq!(advice(&head, &conflict, &["a", "b"]), [pcgrad, "a head of its own for `b` (no `task.b.head`)"]);
    let smaller = "a smaller weight for `a` (`balance.weights`)";
    let fixed = format!("`balance.method = \"fixed\"` with {smaller}");
    assert_eq!(advice(&[], &domination, &["a"]), ["`balance.method = \"gradnorm\"`", fixed.as_str()]);
    assert_eq!(advice(&["balance.method=imtl-g"], &domination, &["a"]), [fixed.as_str()]);
    let given = ["balance={ method = \"fixed\", weights = [1.0, 1.0, 1.0] }"];
    assert_eq!(advice(&given, &domination, &["a"])[1], smaller);
    let study = "`polytask study`, which finds out who should share";
    assert_eq!(advice(&[], &behind, &["b"]), ["`task.b.attach = \"low\"`", encoder, study]);
    assert_eq!(advice(&head, &behind, &["b"]), ["a head of its own for `b` (no `task.b.head`)", study]);
    // Settings in the advice are settings.
    for change in ["balance.method=pcgrad", "balance.method=gradnorm", "task.a.attach=low", "task.b.attach=low"] {
        crate::balancer(&spec(&[change])).unwrap_or_else(|error| panic!("{change}: {error}"));
    }
}
