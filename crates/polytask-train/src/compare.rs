//! What does each task alone want in a step, and what does the balancer make of it?
//!
//! Every task's loss is walked back through a pass of its own, which gives exact gradients for each parameter, also where
//! tasks read one batch. What the passes have in common is computed once ([`Model::look_ahead`](polytask_model::Model::look_ahead)).

use burn::tensor::ElementConversion;
use polytask_balance::{Gramian, Needs, Seen};
use polytask_data::sampler::{BatchRef, Step};
use polytask_model::{Ahead, Batch, Gradients, Pass};

use crate::error::TrainError;
use crate::kept::rewrite;
use crate::looked::Looked;
use crate::optimizer::Optimizer;
use crate::plan::Plan;
use crate::state::State;
use crate::step::{Decided, batch_of, check_losses, diverged, training};
use crate::task_gradients;

/// What single tasks want on some batches, in task order.
pub(crate) struct Wanted {
    pub(crate) tasks: Vec<usize>,
    pub(crate) losses: Vec<f64>,
    pub(crate) gradients: Vec<Gradients>,
}

impl Wanted {
    /// The losses as a balancer sees them.
    pub(crate) fn seen(&self, plan: &Plan) -> Result<Seen, TrainError> {
        let mut values = vec![None; plan.spec.task.len()];
        self.tasks.iter().zip(&self.losses).for_each(|(&task, &loss)| values[task] = Some(loss));
        Ok(Seen::new(values)?)
    }

    /// The products of the gradients.
    pub(crate) fn gramian(&self, plan: &Plan, state: &State, step: &Step) -> Result<Gramian, TrainError> {
        task_gradients::gramian(&plan.model.parameters, &self.gradients)
            .map_err(|error| self.not_finite(plan, state, step).unwrap_or(error.into()))
    }

    /// The direction that weights, one a task of the plan, make of the gradients.
    pub(crate) fn direction(&self, plan: &Plan, weights: &[f64]) -> Gradients {
        let of_present: Vec<f64> = self.tasks.iter().map(|&task| weights[task]).collect();
        task_gradients::combine(&plan.model.parameters, &self.gradients, &of_present)
    }

    /// Leaves out all tasks but these.
    fn retain(&mut self, kept: &[usize]) {
        let keeps: Vec<bool> = self.tasks.iter().map(|task| kept.contains(task)).collect();
        let (mut of_loss, mut of_gradients) = (keeps.iter(), keeps.iter());
        self.losses.retain(|_| of_loss.next().is_some_and(|keep| *keep));
        self.gradients.retain(|_| of_gradients.next().is_some_and(|keep| *keep));
        self.tasks.retain(|task| kept.contains(task));
    }

    /// The error of the first task whose gradient is not finite, where there is one.
    fn not_finite(&self, plan: &Plan, state: &State, step: &Step) -> Option<TrainError> {
        let norms = self.gradients.iter().map(Optimizer::norm);
        let (&task, norm) = self.tasks.iter().zip(norms).find(|(_, norm)| !norm.is_finite())?;
        Some(diverged(plan, state, step, "gradient", &[task], norm).into())
    }
}

/// A walk back for each task, and the direction that the balancer makes of them; `None` where no task has a loss.
///
/// # Errors
///
/// Where a loss or a gradient is not finite.
pub(crate) fn compared(
    plan: &Plan,
    state: &mut State,
    balance: &mut polytask_balance::State,
    step: &Step,
) -> Result<Option<Decided>, TrainError> {
    if plan.balancer.needs() == Needs::CrossGramian {
        return crossed(plan, state, balance, step);
    }
    let mut wanted = wanted(plan, state, step, &step.batches)?;
    if wanted.tasks.is_empty() {
        return Ok(None);
    }
    let mut seen = wanted.seen(plan)?;
    if plan.balancer.needs() == Needs::TaskGradients {
        let measures = rewrite(plan, balance, &seen, &mut wanted, &mut state.kept)?;
        seen = seen.with_measures(measures)?;
    }
    let gramian = wanted.gramian(plan, state, step)?;
    let looked = Looked::of(&wanted.tasks, &gramian);
    let seen = seen.with_gramian(gramian)?;
    let weights = plan.balancer.weigh(balance, &seen)?.into_vec();
    let gradients = wanted.direction(plan, &weights);
    Ok(Some(Decided { seen, weights, gradients, looked: Some(looked) }))
}

/// The same for a balancer that compares gradients of independent batches: every task's batch is dealt into three parts,
/// two for the products and one for the direction. A batch of fewer than three examples stands in for all three.
fn crossed(
    plan: &Plan,
    state: &State,
    balance: &mut polytask_balance::State,
    step: &Step,
) -> Result<Option<Decided>, TrainError> {
    let part = |part: usize| -> Vec<BatchRef> {
        let of = |batch: &BatchRef| {
            let len = batch.examples.len();
            let range = if len < 3 { 0..len } else { part * len / 3..(part + 1) * len / 3 };
            BatchRef { source: batch.source, examples: batch.examples[range].to_vec() }
        };
        step.batches.iter().map(of).collect()
    };
    let mut left = wanted(plan, state, step, &part(0))?;
    let mut right = wanted(plan, state, step, &part(1))?;
    let mut last = wanted(plan, state, step, &part(2))?;
    let in_all = |task: &usize| [&left, &right, &last].iter().all(|part| part.tasks.contains(task));
    let in_all: Vec<usize> = last.tasks.iter().copied().filter(in_all).collect();
    [&mut left, &mut right, &mut last].into_iter().for_each(|part| part.retain(&in_all));
    if last.tasks.is_empty() {
        return Ok(None);
    }
    let products = task_gradients::cross_gramian(&plan.model.parameters, &left.gradients, &right.gradients);
    let looked = Looked::of(&last.tasks, &last.gramian(plan, state, step)?);
    let not_finite = || left.not_finite(plan, state, step).or_else(|| right.not_finite(plan, state, step));
    let seen = last.seen(plan)?.with_cross_gramian(products).map_err(|error| not_finite().unwrap_or(error.into()))?;
    let weights = plan.balancer.weigh(balance, &seen)?.into_vec();
    let gradients = last.direction(plan, &weights);
    Ok(Some(Decided { seen, weights, gradients, looked: Some(looked) }))
}

/// The loss and the gradient of each active task that has a loss in these batches, in task order.
pub(crate) fn wanted(plan: &Plan, state: &State, step: &Step, batches: &[BatchRef]) -> Result<Wanted, TrainError> {
    let of_all = |batch| batch_of(plan, batch, |task| state.standing.is_active(task));
    let (present, all): (Vec<&BatchRef>, Vec<Batch<'_>>) =
        batches.iter().filter_map(|batch| Some((batch, of_all(batch)?))).unzip();
    let ahead = plan.model.look_ahead(training(plan, state), &all);
    let mut passes: Vec<(usize, &BatchRef, Option<Ahead>)> = Vec::new();
    for ((batch, of_batch), ahead) in present.into_iter().zip(&all).zip(ahead) {
        passes.extend(of_batch.tasks.iter().map(|(task, _)| (task.0, batch, ahead.clone())));
    }
    passes.sort_by_key(|(task, ..)| *task);
    // One after the other: burn keeps the tapes of all threads in one place and cannot tell those that are still growing.
    let mut wanted = Wanted { tasks: Vec::new(), losses: Vec::new(), gradients: Vec::new() };
    for (task, batch, ahead) in passes {
        if let Some((loss, gradients)) = gradient_of(plan, state, step, (task, batch), ahead)? {
            wanted.tasks.push(task);
            wanted.losses.push(loss);
            wanted.gradients.push(gradients);
        }
    }
    Ok(wanted)
}

fn gradient_of(
    plan: &Plan,
    state: &State,
    step: &Step,
    (task, batch): (usize, &BatchRef),
    ahead: Option<Ahead>,
) -> Result<Option<(f64, Gradients)>, TrainError> {
    let Some(own) = batch_of(plan, batch, |other| other == task) else { return Ok(None) };
    let pass = Pass::knowing(&plan.model.parameters, training(plan, state), ahead);
    let loss = plan.model.losses(&pass, &[own]).into_iter().flatten().flatten().next();
    let Some(loss) = loss else { return Ok(None) };
    let value: f64 = loss.clone().into_scalar::<f32>().elem();
    let mut values = vec![None; plan.spec.task.len()];
    values[task] = Some(value);
    check_losses(plan, state, step, &values)?;
    Ok(Some((value, pass.backward(loss))))
}
