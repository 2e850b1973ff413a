//! What do balancers read and keep entry by entry?
//!
//! A method of [`Needs::TaskGradients`](polytask_balance::Needs) may change the gradients of each shared tensor before they
//! are weighed. Word vectors are given to it by their rows: where the method keeps numbers between steps, all rows of the
//! table, so that what is kept of a row goes on although a batch lacks it; else the rows that the step has.

use polytask_balance::{Keeps, Seen, TensorGradients};
use polytask_model::{Gradients, Owner, Parameters, RowGradient};
use rayon::prelude::*;

use crate::compare::Wanted;
use crate::error::TrainError;
use crate::plan::Plan;
use crate::task_gradients::{of_table, shared, union};

/// What a balancer keeps of the gradients between steps; part of a checkpoint.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Kept {
    /// For each shared tensor, dense ones first: its name, and the numbers kept for each task.
    pub tensors: Vec<(String, Vec<Vec<f32>>)>,
}

impl Kept {
    /// Zeros where the balancer keeps a number for each entry; nothing where it does not.
    pub fn new(keeps: Keeps, parameters: &Parameters, tasks: usize) -> Kept {
        let zeros = |(name, len): (&str, usize)| (name.to_owned(), vec![vec![0.0; len]; tasks]);
        Kept { tensors: Kept::sizes(keeps, parameters).map(zeros).collect() }
    }

    /// How many numbers [`Kept::new`] makes.
    pub fn count(keeps: Keeps, parameters: &Parameters, tasks: usize) -> usize {
        tasks * Kept::sizes(keeps, parameters).map(|(_, len)| len).sum::<usize>()
    }

    /// The shared tensors of which something is kept, and their entries.
    fn sizes(keeps: Keeps, parameters: &Parameters) -> impl Iterator<Item = (&str, usize)> {
        let dense = shared(parameters).map(|(_, parameter)| (parameter.name.as_str(), parameter.len()));
        let tables = parameters.tables().iter().filter(|table| table.tuned && table.owner == Owner::Shared);
        let tables = tables.map(|table| (table.name.as_str(), table.values.len()));
        dense.chain(tables).filter(move |_| keeps != Keeps::Nothing)
    }
}

/// One shared tensor while a method reads it.
struct Entries<'a> {
    name: &'a str,
    gradients: Vec<&'a mut [f32]>,
    kept: Vec<&'a mut [f32]>,
    measures: Vec<f64>,
}

/// Lets the balancer change the gradients of all shared tensors; returns what it measured, one number a present task.
pub(crate) fn rewrite(
    plan: &Plan,
    balance: &polytask_balance::State,
    seen: &Seen,
    wanted: &mut Wanted,
    kept: &mut Kept,
) -> Result<Vec<f64>, TrainError> {
    let parameters = &plan.model.parameters;
    let keeps = plan.balancer.keeps() != Keeps::Nothing;
    let tables: Vec<usize> = (0..parameters.tables().len())
        .filter(|&table| parameters.tables()[table].owner == Owner::Shared && parameters.tables()[table].tuned)
        .collect();
    let wants = wanted.gradients.as_slice();
    let dense: Vec<usize> = shared(parameters).map(|(id, _)| id).collect();
    let reached: Vec<bool> = dense.iter().map(|&id| wants.iter().any(|of| of.dense[id].is_some())).collect();
    for &table in &tables {
        let of = &parameters.tables()[table];
        let rows: Vec<u32> = match keeps {
            true => (0..of.rows() as u32).collect(),
            false => union(of.rows(), of_table(&wanted.gradients, table).map(|(_, rows)| rows)),
        };
        wanted.gradients.iter_mut().for_each(|gradients| spread(gradients, table, of.dim, &rows));
    }
    let names = dense.iter().map(|&id| parameters.dense()[id].name.as_str());
    let names = names.chain(tables.iter().map(|&table| parameters.tables()[table].name.as_str()));
    let empty =
        |name| Entries { name, gradients: Vec::new(), kept: Vec::new(), measures: vec![0.0; wanted.tasks.len()] };
    let mut entries: Vec<Entries<'_>> = names.map(empty).collect();
    for gradients in &mut wanted.gradients {
        let Gradients { dense: values, rows } = gradients;
        for (&id, _) in dense.iter().zip(&reached).filter(|(_, reached)| **reached) {
            values[id].get_or_insert_with(|| vec![0.0; parameters.dense()[id].len()]);
        }
        for (id, values) in values.iter_mut().enumerate() {
            if let (Ok(place), Some(values)) = (dense.binary_search(&id), values) {
                entries[place].gradients.push(values);
            }
        }
        for rows in rows {
            if let Ok(place) = tables.binary_search(&rows.table) {
                entries[dense.len() + place].gradients.push(&mut rows.values);
            }
        }
    }
    for (entries, (_, kept)) in entries.iter_mut().zip(&mut kept.tensors) {
        let of_present = kept.iter_mut().enumerate().filter(|(task, _)| wanted.tasks.contains(task));
        entries.kept = of_present.map(|(_, kept)| kept.as_mut_slice()).collect();
    }
    entries.retain(|entries| !entries.gradients.is_empty());
    entries.par_iter_mut().try_for_each(|entries| {
        let mut tensor = TensorGradients {
            name: entries.name,
            gradients: entries.gradients.iter_mut().map(|gradient| &mut **gradient).collect(),
            kept: entries.kept.iter_mut().map(|kept| &mut **kept).collect(),
            measures: &mut entries.measures,
        };
        plan.balancer.rewrite(balance, seen, &mut tensor)
    })?;
    let mut measures = vec![0.0; wanted.tasks.len()];
    for entries in &entries {
        measures.iter_mut().zip(&entries.measures).for_each(|(sum, measure)| *sum += measure);
    }
    Ok(measures)
}

/// Gives a task's gradient a value in each of some rows that hold all of its own, zero where it has none.
fn spread(gradients: &mut Gradients, table: usize, dim: usize, rows: &[u32]) {
    let mut values = vec![0.0; rows.len() * dim];
    let place = gradients.rows.iter().position(|of| of.table == table);
    if let Some(own) = place.map(|place| &gradients.rows[place]) {
        let mut at = 0;
        for (row, from) in own.rows.iter().zip(own.values.chunks_exact(dim.max(1))) {
            at += rows[at..].partition_point(|other| other < row);
            values[at * dim..][..dim].copy_from_slice(from);
        }
    }
    let spread = RowGradient { table, rows: rows.to_vec(), values };
    match place {
        Some(place) => gradients.rows[place] = spread,
        None => gradients.rows.push(spread),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_a_task_lacks_are_zero() {
        let own = RowGradient { table: 0, rows: vec![2, 5], values: vec![1.0, 2.0, 3.0, 4.0] };
        let mut gradients = Gradients { dense: Vec::new(), rows: vec![own] };
        spread(&mut gradients, 0, 2, &[0, 2, 4, 5]);
        assert_eq!(gradients.rows[0].values, [0.0, 0.0, 1.0, 2.0, 0.0, 0.0, 3.0, 4.0]);
        spread(&mut gradients, 1, 1, &[7]);
        assert_eq!((gradients.rows[1].table, gradients.rows[1].values.as_slice()), (1, &[0.0][..]));
    }
}
