//! What happens in one step?
//!
//! Losses of all tasks in the step's batches, weights from the balancer, one walk back through `Σ w_t L_t`, one update.

use burn::tensor::{ElementConversion, Tensor};
use polytask_balance::{Needs, Seen};
use polytask_data::sampler::{BatchRef, Step};
use polytask_kernels::threads;
use polytask_model::{Batch, Gradients, Mode, Pass, TaskId};

use crate::error::{Diverged, TrainError};
use crate::optimizer::Optimizer;
use crate::plan::Plan;
use crate::schedule::Schedule;
use crate::state::State;

/// What a step saw and did.
#[derive(Debug, Clone, PartialEq)]
pub struct Stepped {
    /// Loss of each task; `None` where it was absent.
    pub losses: Vec<Option<f64>>,
    /// Weight of each task; 0 where it was absent.
    pub weights: Vec<f64>,
    /// Global norm of the gradient before clipping.
    pub gradient_norm: f64,
    /// Examples in the step's batches.
    pub examples: usize,
}

/// Takes one step.
///
/// # Errors
///
/// Where a loss or the gradient is not finite, naming task, step and batch; parameters are then as before the step.
pub fn take(plan: &mut Plan, state: &mut State, schedule: &Schedule, step: &Step) -> Result<Stepped, TrainError> {
    threads::inside(|| run(plan, state, schedule, step))
}

fn run(plan: &mut Plan, state: &mut State, schedule: &Schedule, step: &Step) -> Result<Stepped, TrainError> {
    debug_assert_eq!(plan.balancer.needs(), Needs::Losses, "other needs are refused when a plan is made");
    let tasks = plan.spec.task.len();
    let pass = Pass::new(&plan.model.parameters, Mode::Train { seed: plan.spec.seed, step: state.step });
    let mut losses: Vec<Option<Tensor<1>>> = vec![None; tasks];
    for (task, loss) in losses_of(plan, &pass, &step.batches, |task| state.standing.is_active(task)) {
        losses[task.0] = loss;
    }
    let values: Vec<Option<f64>> =
        losses.iter().map(|loss| loss.as_ref().map(|loss| loss.clone().into_scalar::<f32>().elem())).collect();
    for (task, value) in values.iter().enumerate() {
        if let Some(value) = value.filter(|value| !value.is_finite()) {
            return Err(diverged(plan, state, step, "loss", &[task], value).into());
        }
    }
    let examples = step.batches.iter().map(|batch| batch.examples.len()).sum();
    if values.iter().all(Option::is_none) {
        state.step += 1;
        return Ok(Stepped { losses: values, weights: vec![0.0; tasks], gradient_norm: 0.0, examples });
    }
    let mut balance = state.balance.clone();
    let weights = plan.balancer.weigh(&mut balance, &Seen::new(values.clone())?)?.into_vec();
    let total = losses
        .into_iter()
        .zip(&weights)
        .filter_map(|(loss, &weight)| Some(loss?.mul_scalar(weight)))
        .reduce(|sum, loss| sum + loss)
        .expect("some task has a loss");
    let gradients: Gradients = pass.backward(total);
    let norm = Optimizer::norm(&gradients);
    if !norm.is_finite() {
        let present: Vec<usize> = (0..tasks).filter(|&task| values[task].is_some()).collect();
        return Err(diverged(plan, state, step, "gradient", &culprits(plan, state, step, present), norm).into());
    }
    let optimizer = Optimizer::new(&plan.spec.optimizer);
    let rate = schedule.rate(state.step);
    optimizer.update(&mut plan.model.parameters, &mut state.optimizer, &gradients, norm, rate);
    state.balance = balance;
    state.step += 1;
    Ok(Stepped { losses: values, weights, gradient_norm: norm, examples })
}

/// The losses of those tasks of the batches' datasets that `wanted` names.
fn losses_of(
    plan: &Plan,
    pass: &Pass<'_>,
    batches: &[BatchRef],
    wanted: impl Fn(usize) -> bool,
) -> Vec<(TaskId, Option<Tensor<1>>)> {
    let mut present = Vec::new();
    for batch in batches {
        let source = &plan.corpus.sources[batch.source];
        let tasks = source.tasks.iter().filter(|task| wanted(task.0));
        let tasks: Vec<_> = tasks.map(|&task| (task, plan.targets[task.0].train_batch(&batch.examples))).collect();
        if !tasks.is_empty() {
            present.push(Batch { feed: source.feed(&source.dataset.train, &batch.examples), tasks });
        }
    }
    let losses = plan.model.losses(pass, &present);
    let tasks = present.iter().flat_map(|batch| batch.tasks.iter().map(|(task, _)| *task));
    tasks.zip(losses.into_iter().flatten()).collect()
}

/// The tasks whose own gradient is not finite; all of them where it is only their sum.
fn culprits(plan: &Plan, state: &State, step: &Step, present: Vec<usize>) -> Vec<usize> {
    let is_finite = |task: usize| {
        let holds = |batch: &&BatchRef| plan.corpus.sources[batch.source].tasks.contains(&TaskId(task));
        let Some(batch) = step.batches.iter().find(holds) else { return true };
        let pass = Pass::new(&plan.model.parameters, Mode::Train { seed: plan.spec.seed, step: state.step });
        let loss = losses_of(plan, &pass, std::slice::from_ref(batch), |other| other == task);
        let loss = loss.into_iter().find_map(|(_, loss)| loss);
        loss.is_none_or(|loss| Optimizer::norm(&pass.backward(loss)).is_finite())
    };
    let found: Vec<usize> = present.iter().copied().filter(|&task| !is_finite(task)).collect();
    if found.is_empty() { present } else { found }
}

fn diverged(plan: &Plan, state: &State, step: &Step, what: &'static str, tasks: &[usize], value: f64) -> Diverged {
    let has = |batch: &&BatchRef| plan.corpus.sources[batch.source].tasks.iter().any(|task| tasks.contains(&task.0));
    let batch = step.batches.iter().find(has).unwrap_or(&step.batches[0]);
    let source = &plan.corpus.sources[batch.source];
    let names: Vec<&str> = tasks.iter().filter_map(|&task| Some(plan.spec.task.get_index(task)?.0.as_str())).collect();
    let place = source.dataset.train.place(batch.examples[0] as usize);
    Diverged {
        what,
        task: names.join("`, `"),
        value,
        step: state.step,
        epoch: state.epoch + 1,
        dataset: source.name.clone(),
        examples: batch.examples.len(),
        place: format!("{}:{}", place.file, place.line),
    }
}
