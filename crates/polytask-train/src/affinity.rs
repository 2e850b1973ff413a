//! By how much does a step for one task alone lower the loss of another?
//!
//! ```text
//! Z(i -> j) = 1 - L_j(X; θ', θ_j) / L_j(X; θ, θ_j),      θ' = θ after a step along ∂L_i / ∂θ
//! ```
//!
//! θ is what several tasks reach, word vectors of the batch among it; a task's own parameters θ_j stay as they are. The step is
//! the one that the optimizer would take with task i's gradient alone, unweighted: its rule from its moments, at the step's
//! learning rate, clipped by the length of the whole gradient of the task. As in the authors' program, which takes their step
//! with the momentum; it divides by the learning rate besides, which the paper does not, nor do we.
//!
//! Every task has the examples that it has in the step, before and after alike, and the dropout of the step: both losses are
//! of the network whose gradient was taken, and the update alone makes the difference. Where a loss is below zero, as a density
//! may be, `|L_j|` stands below. Whatever the step touched, values and moments, is put back to the last bit.
//!
//! Cost a look: a forward and a backward pass a task, which cosines take as well; one forward pass over the step's batches,
//! and one more a task; and a copy of what a task's step touches.
//! Reference: Fifty, Amid, Zhao, Yu, Anil and Finn, "Efficiently identifying task groupings for multi-task learning",
//! NeurIPS 2021.

use burn::tensor::ElementConversion;
use polytask_data::sampler::Step;
use polytask_model::{Gradients, Owner, Parameters, Pass, RowGradient};
use polytask_spec::training::RowUpdate;

use crate::compare::Wanted;
use crate::optimizer::{Moments, Optimizer, OptimizerState};
use crate::plan::Plan;
use crate::state::State;
use crate::step::{batch_of, training};

/// What a step for one task alone does for another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affinity {
    /// The task whose gradient the step follows.
    pub of: usize,
    /// The task whose loss is looked at.
    pub on: usize,
    /// Share of the loss that the step takes away, at most 1 of a loss that is not negative; below 0 where it adds to it.
    pub affinity: f64,
}

/// The affinities of every two tasks that have a loss in a step, both ways, where they are numbers: `wanted` are the gradients of
/// its tasks, `rate` its learning rate. Parameters and state are as before.
pub(crate) fn affinities(plan: &mut Plan, state: &mut State, rate: f64, step: &Step, wanted: Wanted) -> Vec<Affinity> {
    let optimizer = Optimizer::new(&plan.spec.optimizer);
    let before = losses(plan, state, step);
    let tasks = wanted.tasks.clone();
    let mut found = Vec::new();
    for (of, gradients) in wanted.tasks.into_iter().zip(wanted.gradients) {
        let norm = Optimizer::norm(&gradients);
        let shared = shared_part(&plan.model.parameters, gradients);
        let untouched = Untouched::new(&plan.model.parameters, &state.optimizer, &shared, plan.spec.optimizer.rows);
        optimizer.update(&mut plan.model.parameters, &mut state.optimizer, &shared, norm, rate);
        let after = losses(plan, state, step);
        untouched.put_back(&mut plan.model.parameters, &mut state.optimizer);
        for &on in tasks.iter().filter(|&&on| on != of) {
            let (Some(before), Some(after)) = (before[on], after[on]) else { continue };
            let affinity = (before - after) / before.abs();
            found.extend(affinity.is_finite().then_some(Affinity { of, on, affinity }));
        }
    }
    found
}

/// The loss of each active task of a step as it trains, without a way back; one pass a batch, as each task's gradient has one.
fn losses(plan: &Plan, state: &State, step: &Step) -> Vec<Option<f64>> {
    let mut losses = vec![None; plan.spec.task.len()];
    for batch in &step.batches {
        let Some(of_batch) = batch_of(plan, batch, |task| state.standing.is_active(task)) else { continue };
        let tasks: Vec<usize> = of_batch.tasks.iter().map(|(task, _)| task.0).collect();
        let pass = Pass::untaped(&plan.model.parameters, training(plan, state));
        let found = plan.model.losses(&pass, &[of_batch]).into_iter().flatten();
        for (task, loss) in tasks.into_iter().zip(found) {
            losses[task] = loss.map(|loss| loss.into_scalar::<f32>().elem());
        }
    }
    losses
}

/// A gradient without the parameters of single tasks.
fn shared_part(parameters: &Parameters, gradients: Gradients) -> Gradients {
    let is_shared = |owner: Owner| owner == Owner::Shared;
    let dense = gradients.dense.into_iter().zip(parameters.dense());
    let dense = dense.map(|(gradient, parameter)| gradient.filter(|_| is_shared(parameter.owner)));
    let rows = gradients.rows.into_iter().filter(|rows| is_shared(parameters.tables()[rows.table].owner));
    Gradients { dense: dense.collect(), rows: rows.collect() }
}

/// What an update along a gradient changes, as it is before.
struct Untouched {
    dense: Vec<(usize, Vec<f32>, Moments)>,
    tables: Vec<UntouchedTable>,
}

struct UntouchedTable {
    table: usize,
    dim: usize,
    /// The rows that the update reaches; all where absent.
    rows: Option<Vec<u32>>,
    values: Vec<f32>,
    moments: Moments,
}

impl Untouched {
    fn new(parameters: &Parameters, state: &OptimizerState, gradients: &Gradients, update: RowUpdate) -> Untouched {
        let with_gradient = gradients.dense.iter().enumerate().filter(|(_, gradient)| gradient.is_some());
        let dense = with_gradient.map(|(id, _)| (id, parameters.dense()[id].to_vec(), state.dense[id].clone()));
        let table = |rows: &RowGradient| {
            let of = &parameters.tables()[rows.table];
            let reached = (update == RowUpdate::Lazy).then(|| rows.rows.clone());
            let Moments { steps, arrays } = &state.tables[rows.table];
            // An array that is not as long as the table is one number, and kept whole.
            let reached_of = |array: &[f32]| match &reached {
                Some(rows) if array.len() == of.values.len() => picked(array, of.dim, rows),
                _ => array.to_vec(),
            };
            UntouchedTable {
                table: rows.table,
                dim: of.dim,
                values: reached_of(&of.values),
                moments: Moments {
                    steps: *steps,
                    arrays: arrays.iter().map(|(name, array)| (*name, reached_of(array))).collect(),
                },
                rows: reached,
            }
        };
        Untouched { dense: dense.collect(), tables: gradients.rows.iter().map(table).collect() }
    }

    fn put_back(self, parameters: &mut Parameters, state: &mut OptimizerState) {
        for (id, values, moments) in self.dense {
            parameters.update(id, |now| now.copy_from_slice(&values));
            state.dense[id] = moments;
        }
        for UntouchedTable { table, dim, rows, values, moments } in self.tables {
            let rows = rows.as_deref();
            put(&mut parameters.table_mut(table).values, dim, rows, &values);
            let now = &mut state.tables[table];
            now.steps = moments.steps;
            for ((_, now), (_, before)) in now.arrays.iter_mut().zip(&moments.arrays) {
                put(now, dim, rows, before);
            }
        }
    }
}

fn picked(array: &[f32], dim: usize, rows: &[u32]) -> Vec<f32> {
    rows.iter().flat_map(|&row| &array[row as usize * dim..][..dim]).copied().collect()
}

/// Puts back all of an array, or the rows that were picked of it.
fn put(array: &mut [f32], dim: usize, rows: Option<&[u32]>, before: &[f32]) {
    match rows {
        // As long as the array: all of its rows, or one number.
        Some(rows) if array.len() != before.len() => {
            for (&row, before) in rows.iter().zip(before.chunks_exact(dim.max(1))) {
                array[row as usize * dim..][..dim].copy_from_slice(before);
            }
        }
        _ => array.copy_from_slice(before),
    }
}
