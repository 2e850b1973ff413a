//! What happens in one step?
//!
//! Losses of all tasks in the step's batches, weights from the balancer, one walk back through `Σ w_t L_t`, one update. For a
//! balancer that compares gradients, a walk back for each task instead ([`compare`](crate::compare)), and the update follows
//! `Σ w_t g_t`. A step may draw several times, one batch after the other, and update by the mean of their gradients.

use burn::tensor::{ElementConversion, Tensor};
use polytask_balance::{Needs, Seen};
use polytask_data::sampler::{BatchRef, Step};
use polytask_kernels::threads;
use polytask_model::{Batch, Gradients, Mode, Pass, TaskId};
use polytask_spec::training::GradientsAt;

use crate::accumulate::GradientSum;
use crate::affinity::affinities;
use crate::compare;
use crate::error::{Diverged, TrainError};
use crate::looked::Looked;
use crate::optimizer::Optimizer;
use crate::plan::Plan;
use crate::representation;
use crate::schedule::Schedule;
use crate::state::State;

/// What a step saw and did.
#[derive(Debug, Clone, PartialEq)]
pub struct Stepped {
    /// Loss of each task, the mean over the draws that have it; `None` where it was absent.
    pub losses: Vec<Option<f64>>,
    /// Weight of each task, the mean over the draws that have it; 0 where it was absent.
    pub weights: Vec<f64>,
    /// Global norm of the gradient before clipping.
    pub gradient_norm: f64,
    /// Examples in the step's batches.
    pub examples: usize,
    /// How the tasks' gradients stood to each other, where they were looked at.
    pub looked: Option<Looked>,
}

/// Takes one step: an update by the mean gradient of one or several draws.
///
/// # Errors
///
/// Where a loss or the gradient is not finite, naming task, step and batch; parameters are then as before the step, unless
/// it is a loss after the update that a balancer asked for.
pub fn take(plan: &mut Plan, state: &mut State, schedule: &Schedule, draws: &[Step]) -> Result<Stepped, TrainError> {
    threads::inside(|| run(plan, state, schedule, draws))
}

fn run(plan: &mut Plan, state: &mut State, schedule: &Schedule, draws: &[Step]) -> Result<Stepped, TrainError> {
    let mut balance = state.balance.clone();
    let needs = plan.balancer.needs();
    let (mut means, mut sum) = (Means::new(plan.spec.task.len()), GradientSum::default());
    let (mut norm, mut last, mut looked) = (0.0, None, None);
    for (index, step) in draws.iter().enumerate() {
        state.draws += u64::from(index > 0);
        let decided = match (needs, plan.spec.balance.gradients) {
            (Needs::Losses | Needs::LossesAfter, _) => summed(plan, state, &mut balance, step)?,
            (_, GradientsAt::Parameters) => compare::compared(plan, state, &mut balance, step)?,
            (_, GradientsAt::Representation) => representation::compared(plan, state, &mut balance, step)?,
        };
        let Some(Decided { seen, weights, gradients, looked: found }) = decided else { continue };
        looked = looked.or(found);
        if index == 0 && is_watched(plan, state.step) {
            looked = look(plan, state, schedule, step, looked)?;
        }
        norm = Optimizer::norm(&gradients);
        if !norm.is_finite() {
            let present = seen.present().map(|(task, _)| task).collect();
            return Err(diverged(plan, state, step, "gradient", &culprits(plan, state, step, present), norm).into());
        }
        means.add(&seen, &weights);
        sum.add(&plan.model.parameters, gradients);
        last = Some((seen, step));
    }
    let examples = draws.iter().flat_map(|step| &step.batches).map(|batch| batch.examples.len()).sum();
    if let (Some(gradients), Some((seen, step))) = (sum.mean(), last) {
        if draws.len() > 1 {
            norm = Optimizer::norm(&gradients);
        }
        update(plan, state, schedule, &gradients, norm);
        if needs == Needs::LossesAfter {
            // The same batch and the same dropout, so that the update alone makes the difference.
            let (_, after) = forward(plan, &training_pass(plan, state), state, step)?;
            plan.balancer.observe_after(&mut balance, &seen, &Seen::new(after)?)?;
        }
        state.balance = balance;
    }
    state.draws += 1;
    state.step += 1;
    Ok(Stepped { looked, ..means.stepped(norm, examples) })
}

fn update(plan: &mut Plan, state: &mut State, schedule: &Schedule, gradients: &Gradients, norm: f64) {
    let optimizer = Optimizer::new(&plan.spec.optimizer);
    let rate = rate(state, schedule);
    let parameters = &mut plan.model.parameters;
    if let Some(average) = &mut state.average {
        average.before(parameters, &gradients.rows);
    }
    optimizer.update(parameters, &mut state.optimizer, gradients, norm, rate);
    if let Some(average) = &mut state.average {
        average.after(parameters, &gradients.rows);
    }
}

/// The learning rate of the next update.
fn rate(state: &State, schedule: &Schedule) -> f64 {
    schedule.rate(state.step) * state.plateau.factor()
}

/// Sums of losses and weights over the draws of a step.
struct Means {
    losses: Vec<f64>,
    weights: Vec<f64>,
    counts: Vec<usize>,
}

impl Means {
    fn new(tasks: usize) -> Means {
        Means { losses: vec![0.0; tasks], weights: vec![0.0; tasks], counts: vec![0; tasks] }
    }

    fn add(&mut self, seen: &Seen, weights: &[f64]) {
        for (task, loss) in seen.present() {
            self.losses[task] += loss;
            self.weights[task] += weights[task];
            self.counts[task] += 1;
        }
    }

    fn stepped(self, gradient_norm: f64, examples: usize) -> Stepped {
        let mean = |sum: f64, count: usize| if count == 0 { 0.0 } else { sum / count as f64 };
        let losses = self.losses.iter().zip(&self.counts);
        Stepped {
            losses: losses.map(|(&sum, &count)| (count > 0).then(|| mean(sum, count))).collect(),
            weights: self.weights.iter().zip(&self.counts).map(|(&sum, &count)| mean(sum, count)).collect(),
            gradient_norm,
            examples,
            looked: None,
        }
    }
}

/// What the balancer saw of a step and made of it.
pub(crate) struct Decided {
    pub(crate) seen: Seen,
    pub(crate) weights: Vec<f64>,
    pub(crate) gradients: Gradients,
    pub(crate) looked: Option<Looked>,
}

/// One walk back through the weighted sum of the losses; `None` where no task has one.
fn summed(
    plan: &Plan,
    state: &State,
    balance: &mut polytask_balance::State,
    step: &Step,
) -> Result<Option<Decided>, TrainError> {
    let pass = training_pass(plan, state);
    let (losses, values) = forward(plan, &pass, state, step)?;
    if values.iter().all(Option::is_none) {
        return Ok(None);
    }
    let seen = Seen::new(values)?;
    let weights = plan.balancer.weigh(balance, &seen)?.into_vec();
    let total = losses
        .into_iter()
        .zip(&weights)
        .filter_map(|(loss, &weight)| Some(loss?.mul_scalar(weight)))
        .reduce(|sum, loss| sum + loss)
        .expect("some task has a loss");
    Ok(Some(Decided { seen, weights, gradients: pass.backward(total), looked: None }))
}

/// Whether the step after so many is one of those that are looked at.
pub(crate) fn is_watched(plan: &Plan, steps: u64) -> bool {
    plan.spec.balance.watch > 0 && (steps + 1).is_multiple_of(plan.spec.balance.watch)
}

/// How the tasks' gradients stand to each other, where a balancer did not compare them, and what a step for one does for another,
/// where that is asked for; `None` for fewer than two tasks.
fn look(
    plan: &mut Plan,
    state: &mut State,
    schedule: &Schedule,
    step: &Step,
    compared: Option<Looked>,
) -> Result<Option<Looked>, TrainError> {
    if compared.is_some() && !plan.spec.balance.affinity {
        return Ok(compared);
    }
    let wanted = compare::wanted(plan, state, step, &step.batches)?;
    if wanted.tasks.len() < 2 {
        return Ok(compared);
    }
    let mut looked = match compared {
        Some(looked) => looked,
        None => Looked::of(&wanted.tasks, &wanted.gramian(plan, state, step)?),
    };
    if plan.spec.balance.affinity {
        looked.affinities = affinities(plan, state, rate(state, schedule), step, wanted);
    }
    Ok(Some(looked))
}

fn training_pass<'a>(plan: &'a Plan, state: &State) -> Pass<'a> {
    Pass::new(&plan.model.parameters, training(plan, state))
}

pub(crate) fn training(plan: &Plan, state: &State) -> Mode {
    Mode::Train { seed: plan.spec.seed, step: state.draws }
}

/// The loss of each active task of a step's batches, as it is recorded and as a number.
#[allow(clippy::type_complexity)]
fn forward(
    plan: &Plan,
    pass: &Pass<'_>,
    state: &State,
    step: &Step,
) -> Result<(Vec<Option<Tensor<1>>>, Vec<Option<f64>>), TrainError> {
    let mut losses: Vec<Option<Tensor<1>>> = vec![None; plan.spec.task.len()];
    for (task, loss) in losses_of(plan, pass, &step.batches, |task| state.standing.is_active(task)) {
        losses[task.0] = loss;
    }
    let values: Vec<Option<f64>> =
        losses.iter().map(|loss| loss.as_ref().map(|loss| loss.clone().into_scalar::<f32>().elem())).collect();
    check_losses(plan, state, step, &values)?;
    Ok((losses, values))
}

pub(crate) fn check_losses(plan: &Plan, state: &State, step: &Step, values: &[Option<f64>]) -> Result<(), TrainError> {
    for (task, value) in values.iter().enumerate() {
        if let Some(value) = value.filter(|value| !value.is_finite()) {
            return Err(diverged(plan, state, step, "loss", &[task], value).into());
        }
    }
    Ok(())
}

/// The losses of those tasks of the batches' datasets that `wanted` names.
fn losses_of(
    plan: &Plan,
    pass: &Pass<'_>,
    batches: &[BatchRef],
    wanted: impl Fn(usize) -> bool,
) -> Vec<(TaskId, Option<Tensor<1>>)> {
    let present: Vec<Batch<'_>> = batches.iter().filter_map(|batch| batch_of(plan, batch, &wanted)).collect();
    let losses = plan.model.losses(pass, &present);
    let tasks = present.iter().flat_map(|batch| batch.tasks.iter().map(|(task, _)| *task));
    tasks.zip(losses.into_iter().flatten()).collect()
}

/// A batch with its targets of the wanted tasks; `None` where there is no such task.
pub(crate) fn batch_of<'a>(plan: &'a Plan, batch: &'a BatchRef, wanted: impl Fn(usize) -> bool) -> Option<Batch<'a>> {
    let source = &plan.corpus.sources[batch.source];
    let tasks = source.tasks.iter().filter(|task| wanted(task.0));
    let tasks: Vec<_> = tasks.map(|&task| (task, plan.targets[task.0].train_batch(&batch.examples))).collect();
    (!tasks.is_empty()).then(|| Batch { feed: source.feed(&source.dataset.train, &batch.examples), tasks })
}

/// The tasks whose own gradient is not finite; all of them where it is only their sum.
fn culprits(plan: &Plan, state: &State, step: &Step, present: Vec<usize>) -> Vec<usize> {
    let is_finite = |task: usize| {
        let holds = |batch: &&BatchRef| plan.corpus.sources[batch.source].tasks.contains(&TaskId(task));
        let Some(batch) = step.batches.iter().find(holds) else { return true };
        let pass = Pass::new(&plan.model.parameters, Mode::Train { seed: plan.spec.seed, step: state.draws });
        let loss = losses_of(plan, &pass, std::slice::from_ref(batch), |other| other == task);
        let loss = loss.into_iter().find_map(|(_, loss)| loss);
        loss.is_none_or(|loss| Optimizer::norm(&pass.backward(loss)).is_finite())
    };
    let found: Vec<usize> = present.iter().copied().filter(|&task| !is_finite(task)).collect();
    if found.is_empty() { present } else { found }
}

pub(crate) fn diverged(
    plan: &Plan,
    state: &State,
    step: &Step,
    what: &'static str,
    tasks: &[usize],
    value: f64,
) -> Diverged {
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
