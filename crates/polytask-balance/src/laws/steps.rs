//! Steps of every kind, and balancers to run on them.

use std::fmt::{Display, Formatter};
use std::ops::Range;

use serde_json::Value;

use crate::solve::samples::{Gradients, gramian_of};
use crate::{AnyBalancer, Entry, Gramian, Keeps, Needs, Seen, State, TensorGradients, all};

const NAMES: [&str; 4] = ["ner", "chunk", "pos", "srl"];
/// What becomes of each task's loss in a step of the optimizer.
const CHANGES: [f64; 4] = [0.9, 1.0, 0.8, 1.1];

/// Losses of every size, all tasks present in some steps and few in others.
pub(super) const LOSSES: [[Option<f64>; 4]; 6] = [
    [Some(1.0), Some(2.0), Some(0.5), Some(1.5)],
    [Some(1e-10), Some(1e15), Some(0.0), Some(3.0)],
    [None, Some(0.7), None, Some(1e15)],
    [Some(0.3), None, None, None],
    [None, None, None, None],
    [Some(1e15), Some(1e-10), Some(1e-300), Some(2.0)],
];

/// What a step showed, before the optimizer moved and after.
#[derive(Clone)]
pub(super) struct Step {
    pub(super) seen: Seen,
    pub(super) after: Seen,
    /// Each task's gradient, `[task][entry]`; of an absent task too.
    gradients: Vec<Vec<f32>>,
}

/// The names of that many tasks.
pub(super) fn names(count: usize) -> Vec<String> {
    (0..count).map(|task| NAMES.get(task).map_or_else(|| format!("task-{task}"), ToString::to_string)).collect()
}

/// A method with its default options, or with one other choice for one of them.
pub(super) struct Variant {
    pub(super) entry: &'static Entry,
    choice: Option<(String, Value)>,
}

/// Every method with its default options, and with each named choice of each option.
pub(super) fn variants() -> Vec<Variant> {
    all()
        .iter()
        .flat_map(|entry| {
            let schema = (entry.schema)();
            let options = schema["properties"].as_object().cloned().unwrap_or_default();
            let choices = options.into_iter().flat_map(|(option, schema)| {
                let listed = schema["enum"].as_array().cloned().unwrap_or_default();
                let described = schema["oneOf"].as_array().cloned().unwrap_or_default();
                let constants = described.into_iter().map(|choice| choice["const"].clone());
                listed
                    .into_iter()
                    .chain(constants)
                    .map(move |choice| Some((option.clone(), choice)))
                    .collect::<Vec<_>>()
            });
            std::iter::once(None).chain(choices).map(move |choice| Variant { entry, choice }).collect::<Vec<_>>()
        })
        .collect()
}

impl Variant {
    /// The method for that many tasks.
    pub(super) fn build(&self, count: usize) -> Box<dyn AnyBalancer> {
        self.build_in(&(0..count).collect::<Vec<_>>())
    }

    /// The method for the tasks in another order than the one that its options were written for.
    pub(super) fn build_in(&self, order: &[usize]) -> Box<dyn AnyBalancer> {
        let names = names(order.len());
        let mut options = (self.entry.example)(&names);
        options.extend(self.choice.clone());
        let ordered: Vec<String> = order.iter().map(|&task| names[task].clone()).collect();
        (self.entry.build)(&options, &ordered).unwrap_or_else(|error| panic!("{self}: {error}"))
    }
}

impl Display for Variant {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}", self.entry.key)?;
        self.choice.iter().try_for_each(|(option, choice)| write!(out, ", {option} = {choice}"))
    }
}

/// A step with gradients as long as the losses, at right angles but for neighbours at 120 degrees.
pub(super) fn step(losses: &[Option<f64>]) -> Step {
    step_in(losses, &(0..losses.len()).collect::<Vec<_>>())
}

/// The same step with the tasks in another order.
pub(super) fn step_in(losses: &[Option<f64>], order: &[usize]) -> Step {
    let cosine = |a: usize, b: usize| [1.0, -0.5].get(a.abs_diff(b)).copied().unwrap_or(0.0);
    let present: Vec<(usize, f64)> = order.iter().filter_map(|&task| Some((task, losses[task]?))).collect();
    let row = |&(a, left): &(usize, f64)| present.iter().map(|&(b, right)| left * right * cosine(a, b)).collect();
    let gramian = Gramian::new(&present.iter().map(row).collect::<Vec<_>>()).expect("a valid Gramian");
    let ordered = |change: &dyn Fn(usize) -> f64| {
        Seen::new(order.iter().map(|&task| losses[task].map(|loss| loss * change(task))).collect()).expect("losses")
    };
    // On another batch, gradients are not at quite the same angles.
    let other = |a: usize, b: usize| if a == b { 1.0 } else { 1.0 + 0.1 * b as f64 };
    let row = |&(a, left): &(usize, f64)| {
        present.iter().map(|&(b, right)| left * right * cosine(a, b) * other(a, b)).collect()
    };
    let cross = present.iter().map(row).collect();
    let seen = ordered(&|_| 1.0)
        .with_gramian(gramian)
        .and_then(|seen| seen.with_cross_gramian(cross))
        .and_then(|seen| seen.with_measures(vec![1.0; present.len()]))
        .expect("what methods need of the present tasks");
    Step { seen, after: ordered(&|task| CHANGES[task % CHANGES.len()]), gradients: bidiagonal(losses, order) }
}

/// Gradients with the lengths and angles of [`step`]: (e_t - e_(t + 1)) / √2, times the loss.
fn bidiagonal(losses: &[Option<f64>], order: &[usize]) -> Vec<Vec<f32>> {
    let entry = |task: usize, at: usize| match at.checked_sub(task) {
        Some(0) => losses[task].unwrap_or(0.0) * 0.5_f64.sqrt(),
        Some(1) => losses[task].unwrap_or(0.0) * -(0.5_f64.sqrt()),
        _ => 0.0,
    };
    order.iter().map(|&task| (0..=losses.len()).map(|at| entry(task, at) as f32).collect()).collect()
}

/// A step of tasks with given gradients, their Gramian, and losses of 1.
pub(super) fn step_of(gramian: &Gramian, gradients: &Gradients) -> Step {
    let losses = Seen::new(vec![Some(1.0); gramian.size()]).expect("losses");
    let rows = (0..gramian.size()).map(|task| gramian.row(task).to_vec()).collect();
    let seen = losses.clone().with_gramian(gramian.clone()).and_then(|seen| seen.with_cross_gramian(rows));
    let gradients = gradients.iter().map(|gradient| gradient.iter().map(|value| *value as f32).collect()).collect();
    Step { seen: seen.expect("Gramians of all tasks"), after: losses, gradients }
}

/// A run of a method, and all that it keeps.
#[derive(Clone)]
pub(super) struct Run<'a> {
    balancer: &'a dyn AnyBalancer,
    pub(super) state: State,
    /// `[task][entry]`
    kept: Vec<Vec<f32>>,
    /// The gradients as the method rewrote them, `[present task][entry]`.
    rewritten: Gradients,
}

impl<'a> Run<'a> {
    pub(super) fn new(balancer: &'a dyn AnyBalancer, tasks: usize) -> Self {
        Run { balancer, state: balancer.init(tasks), kept: vec![Vec::new(); tasks], rewritten: Vec::new() }
    }

    /// Takes a step; gives its weights.
    pub(super) fn step(&mut self, step: &Step) -> Vec<f64> {
        let key = self.balancer.key();
        let reads = self.balancer.needs() == Needs::TaskGradients;
        let seen = if reads { self.read(step) } else { step.seen.clone() };
        let weights = self.balancer.weigh(&mut self.state, &seen).unwrap_or_else(|error| panic!("{key}: {error}"));
        let after = self.balancer.observe_after(&mut self.state, &seen, &step.after);
        after.unwrap_or_else(|error| panic!("{key}: {error}"));
        weights.into_vec()
    }

    /// Takes a step with a method that reads gradients; gives its direction.
    pub(super) fn direction(&mut self, step: &Step) -> Vec<f64> {
        let weights = self.step(step);
        let present = step.seen.present().map(|(task, _)| weights[task]);
        let mut direction = vec![0.0; step.gradients[0].len()];
        for (gradient, weight) in self.rewritten.iter().zip(present) {
            direction.iter_mut().zip(gradient).for_each(|(sum, value)| *sum += weight * value);
        }
        direction
    }

    /// Shows the method the gradients, as a first entry and a tensor of the others; gives the step with what came of
    /// it.
    fn read(&mut self, step: &Step) -> Seen {
        let present: Vec<usize> = step.seen.present().map(|(task, _)| task).collect();
        let mut gradients: Vec<Vec<f32>> = present.iter().map(|&task| step.gradients[task].clone()).collect();
        let mut measures = vec![0.0; present.len()];
        for (kept, gradient) in self.kept.iter_mut().zip(&step.gradients) {
            kept.resize(if self.balancer.keeps() == Keeps::EachEntry { gradient.len() } else { 0 }, 0.0);
        }
        for (name, range) in [("low", 0..1), ("high", 1..usize::MAX)] {
            let kept = self.kept.iter_mut().enumerate().filter(|(task, _)| present.contains(task));
            let mut tensor = TensorGradients {
                name,
                gradients: gradients.iter_mut().map(|values| cut(values, &range)).collect(),
                kept: kept.map(|(_, values)| cut(values, &range)).collect(),
                measures: &mut measures,
            };
            self.balancer.rewrite(&self.state, &step.seen, &mut tensor).expect("gradients of a valid step");
        }
        self.rewritten =
            gradients.iter().map(|gradient| gradient.iter().map(|value| f64::from(*value)).collect()).collect();
        let seen =
            step.seen.clone().with_gramian(gramian_of(&self.rewritten)).and_then(|seen| seen.with_measures(measures));
        seen.expect("what came of the gradients")
    }
}

/// The part of a list that a range covers.
fn cut<'a>(values: &'a mut [f32], range: &Range<usize>) -> &'a mut [f32] {
    let (start, end) = (range.start.min(values.len()), range.end.min(values.len()));
    &mut values[start..end]
}

/// Runs a method from its first step; gives its state and the weights of each step.
pub(super) fn run(balancer: &dyn AnyBalancer, steps: &[Step]) -> (State, Vec<Vec<f64>>) {
    let mut run = Run::new(balancer, steps[0].seen.tasks());
    let weights = steps.iter().map(|step| run.step(step)).collect();
    (run.state, weights)
}
