//! What does each task alone want? Its own gradient, the products of all tasks' gradients, and one direction of them.
//!
//! Every task's loss is walked back through a pass of its own, which gives exact gradients for each parameter, also where
//! tasks read one batch. The products cover the parameters that several tasks reach, word vectors row by row; a parameter
//! that one task alone reaches follows that task's gradient, unweighted.
//!
//! Cost a step: a forward and a backward pass a task, the gradients of all tasks in memory, and `T (T + 1) / 2` products
//! of them.

use polytask_balance::{Error, Gramian};
use polytask_model::{Gradients, Owner, Parameters, RowGradient};
use rayon::prelude::*;

/// The products of the tasks' gradients in the parameters that several tasks reach.
///
/// # Errors
///
/// Where a product is not finite.
pub fn gramian(parameters: &Parameters, gradients: &[Gradients]) -> Result<Gramian, Error> {
    let count = gradients.len();
    let pairs: Vec<(usize, usize)> = (0..count).flat_map(|a| (0..=a).map(move |b| (a, b))).collect();
    let products: Vec<f64> =
        pairs.par_iter().map(|&(a, b)| product(parameters, &gradients[a], &gradients[b])).collect();
    let mut rows = vec![vec![0.0; count]; count];
    for (&(a, b), value) in pairs.iter().zip(products) {
        rows[a][b] = value;
        rows[b][a] = value;
    }
    Gramian::new(&rows)
}

/// The direction `Σ w_t g_t` in what tasks share, `Σ g_t` elsewhere; one weight a gradient.
pub fn combine(parameters: &Parameters, gradients: &[Gradients], weights: &[f64]) -> Gradients {
    let weight_of = |owner: Owner, task: usize| if owner == Owner::Shared { weights[task] as f32 } else { 1.0 };
    let dense = parameters.dense().par_iter().enumerate().map(|(id, parameter)| {
        let parts = gradients.iter().enumerate().filter_map(|(task, of)| Some((task, of.dense.get(id)?.as_ref()?)));
        let mut sum: Option<Vec<f32>> = None;
        for (task, part) in parts {
            let weight = weight_of(parameter.owner, task);
            let sum = sum.get_or_insert_with(|| vec![0.0; part.len()]);
            sum.iter_mut().zip(part).for_each(|(sum, value)| *sum += weight * value);
        }
        sum
    });
    let rows = parameters.tables().iter().enumerate().filter_map(|(table, of)| {
        let parts = gradients.iter().enumerate().flat_map(|(task, gradients)| {
            let weight = weight_of(of.owner, task);
            gradients.rows.iter().filter(move |rows| rows.table == table).map(move |rows| (weight, rows))
        });
        combined_rows(table, of.dim, &parts.collect::<Vec<_>>())
    });
    Gradients { dense: dense.collect(), rows: rows.collect() }
}

fn product(parameters: &Parameters, a: &Gradients, b: &Gradients) -> f64 {
    let dense = parameters.dense().iter().zip(a.dense.iter().zip(&b.dense));
    let dense = dense
        .filter(|(parameter, _)| parameter.owner == Owner::Shared)
        .filter_map(|(_, (a, b))| a.as_ref().zip(b.as_ref()));
    let dense: f64 = dense.map(|(a, b)| dot(a, b)).sum();
    let shared = |rows: &&RowGradient| parameters.tables()[rows.table].owner == Owner::Shared;
    let of_table = |table: usize| b.rows.iter().find(move |rows| rows.table == table);
    let rows: f64 = a.rows.iter().filter(shared).filter_map(|a| Some(row_product(a, of_table(a.table)?))).sum();
    dense + rows
}

/// The product in 64 bits, in sixteen running sums.
fn dot(a: &[f32], b: &[f32]) -> f64 {
    let mut sums = [0.0_f64; 16];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    for (a, b) in a.iter().zip(b) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += f64::from(*a) * f64::from(*b);
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
    sums.iter().sum::<f64>() + rest
}

/// The product of gradients of some rows each, which ascend; rows that one of them lacks are zero there.
fn row_product(a: &RowGradient, b: &RowGradient) -> f64 {
    let dim = a.values.len() / a.rows.len().max(1);
    let (mut i, mut j, mut sum) = (0, 0, 0.0);
    while let (Some(left), Some(right)) = (a.rows.get(i), b.rows.get(j)) {
        if left == right {
            sum += dot(&a.values[i * dim..][..dim], &b.values[j * dim..][..dim]);
        }
        i += usize::from(left <= right);
        j += usize::from(right <= left);
    }
    sum
}

/// The weighted sum of gradients of some rows each; `None` where there is none.
fn combined_rows(table: usize, dim: usize, parts: &[(f32, &RowGradient)]) -> Option<RowGradient> {
    if parts.is_empty() {
        return None;
    }
    let mut rows: Vec<u32> = parts.iter().flat_map(|(_, part)| part.rows.iter().copied()).collect();
    rows.sort_unstable();
    rows.dedup();
    let mut values = vec![0.0; rows.len() * dim];
    for (weight, part) in parts {
        let mut at = 0;
        for (row, gradient) in part.rows.iter().zip(part.values.chunks_exact(dim.max(1))) {
            while rows[at] < *row {
                at += 1;
            }
            let sums = &mut values[at * dim..][..dim];
            sums.iter_mut().zip(gradient).for_each(|(sum, value)| *sum += weight * value);
        }
    }
    Some(RowGradient { table, rows, values })
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;
    use polytask_model::{Group, TaskId};

    fn parameters() -> Parameters {
        let mut parameters = Parameters::new(Device::flex());
        parameters.add("trunk".into(), &[17], Group::Trunk, Owner::Shared, vec![0.0; 17]);
        parameters.add("head".into(), &[1], Group::Heads, Owner::Task(TaskId(1)), vec![0.0]);
        parameters.add_table("vectors".into(), 2, true, Owner::Shared, vec![0.0; 8]);
        parameters
    }

    fn gradients() -> [Gradients; 2] {
        let rows = |rows: Vec<u32>, values: Vec<f32>| vec![RowGradient { table: 0, rows, values }];
        let first = rows(vec![0, 2], vec![1.0, 2.0, 3.0, 4.0]);
        let second = rows(vec![1, 2], vec![9.0, 9.0, -1.0, 0.5]);
        [
            Gradients { dense: vec![Some(vec![1.0; 17]), None], rows: first },
            Gradients { dense: vec![Some(vec![2.0; 17]), Some(vec![5.0])], rows: second },
        ]
    }

    #[test]
    fn products_cover_what_is_shared_and_rows_that_meet() {
        let gramian = gramian(&parameters(), &gradients()).unwrap();
        // 17 x 1 x 2 in the trunk, 3 x -1 + 4 x 0.5 in row 2.
        assert_eq!(gramian.get(0, 1), 34.0 - 1.0);
        assert_eq!(gramian.get(0, 0), 17.0 + 30.0);
        assert_eq!(gramian.get(1, 1), 68.0 + 162.0 + 1.25);
    }

    #[test]
    fn a_direction_weighs_what_is_shared_and_leaves_what_is_not() {
        let combined = combine(&parameters(), &gradients(), &[10.0, 0.5]);
        assert_eq!(combined.dense[0].as_deref(), Some(&[11.0; 17][..]));
        assert_eq!(combined.dense[1].as_deref(), Some(&[5.0][..]));
        assert_eq!(combined.rows[0].rows, [0, 1, 2]);
        assert_eq!(combined.rows[0].values, [10.0, 20.0, 4.5, 4.5, 29.5, 40.25]);
    }

    #[test]
    fn no_rows_are_no_gradient() {
        let one = Gradients { dense: vec![None, None], rows: Vec::new() };
        let combined = combine(&parameters(), &[one], &[1.0]);
        assert!(combined.rows.is_empty() && combined.dense.iter().all(Option::is_none));
    }
}
