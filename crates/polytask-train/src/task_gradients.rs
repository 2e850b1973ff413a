//! What do the gradients of single tasks make together? Their products, and one direction of them.
//!
//! The products cover the parameters that several tasks reach, word vectors row by row; a parameter that one task alone
//! reaches follows that task's gradient, unweighted.
//!
//! Cost a step: the gradients of all tasks in memory, and `T (T + 1) / 2` products of them.

use polytask_balance::{Error, Gramian};
use polytask_kernels::products::{dot, products};
use polytask_model::{Gradients, Owner, Parameter, Parameters, RowGradient};
use rayon::prelude::*;

/// Rows of a table whose gradients are added up at a time.
const ROWS: usize = 512;

/// The products of the tasks' gradients in the parameters that several tasks reach.
///
/// # Errors
///
/// Where a product is not finite.
pub fn gramian(parameters: &Parameters, gradients: &[Gradients]) -> Result<Gramian, Error> {
    let count = gradients.len();
    let pairs = (0..count).flat_map(|a| (0..=a).map(move |b| (a, b)));
    let mut sums = vec![0.0; count * (count + 1) / 2];
    for (table, of) in parameters.tables().iter().enumerate().filter(|(_, table)| table.owner == Owner::Shared) {
        let parts: Vec<(usize, &RowGradient)> = of_table(gradients, table).collect();
        let products = row_products(count, of.rows(), &parts);
        sums.iter_mut().zip(products).for_each(|(sum, product)| *sum += product);
    }
    for (id, _) in shared(parameters) {
        let parts: Vec<&[f32]> =
            gradients.iter().map(|of| of.dense.get(id).and_then(Option::as_deref).unwrap_or_default()).collect();
        sums.iter_mut().zip(products(&parts)).for_each(|(sum, product)| *sum += product);
    }
    let mut rows = vec![vec![0.0; count]; count];
    for ((a, b), value) in pairs.zip(sums) {
        rows[a][b] = value;
        rows[b][a] = value;
    }
    Gramian::new(&rows)
}

/// The products of the tasks' gradients on one batch (rows) with those on another (columns).
pub fn cross_gramian(parameters: &Parameters, left: &[Gradients], right: &[Gradients]) -> Vec<Vec<f64>> {
    let product = |a: &Gradients, b: &Gradients| -> f64 {
        let dense = shared(parameters).filter_map(|(id, _)| {
            let (a, b) = (a.dense.get(id)?.as_ref()?, b.dense.get(id)?.as_ref()?);
            Some(dot(a, b))
        });
        dense.sum::<f64>() + table_products(parameters, a, b)
    };
    left.par_iter().map(|a| right.iter().map(|b| product(a, b)).collect()).collect()
}

/// The direction `Σ w_t g_t` in what tasks share, `Σ g_t` elsewhere; one weight a gradient.
pub fn combine(parameters: &Parameters, gradients: &[Gradients], weights: &[f64]) -> Gradients {
    let weight_of = |owner: Owner, task: usize| if owner == Owner::Shared { weights[task] as f32 } else { 1.0 };
    let dense = parameters.dense().iter().enumerate().map(|(id, parameter)| {
        let parts = gradients.iter().enumerate().filter_map(|(task, of)| {
            let part = of.dense.get(id)?.as_deref()?;
            Some((weight_of(parameter.owner, task), part))
        });
        weighted_sum(&parts.collect::<Vec<_>>())
    });
    let dense = dense.collect();
    let rows = parameters.tables().iter().enumerate().filter_map(|(table, of)| {
        let parts = of_table(gradients, table).map(|(task, rows)| (weight_of(of.owner, task), rows));
        combined_rows((table, of.rows()), of.dim, &parts.collect::<Vec<_>>())
    });
    Gradients { dense, rows: rows.collect() }
}

/// The parameters that several tasks reach, by their place.
pub(crate) fn shared(parameters: &Parameters) -> impl Iterator<Item = (usize, &Parameter)> {
    parameters.dense().iter().enumerate().filter(|(_, parameter)| parameter.owner == Owner::Shared)
}

/// The sum of vectors of one length, each with its weight; `None` where there is none.
fn weighted_sum(parts: &[(f32, &[f32])]) -> Option<Vec<f32>> {
    const ENTRIES: usize = 1 << 12;
    let mut sum = vec![0.0; parts.first()?.1.len()];
    sum.par_chunks_mut(ENTRIES).enumerate().for_each(|(chunk, sums)| {
        for (weight, part) in parts {
            let part = &part[chunk * ENTRIES..];
            sums.iter_mut().zip(part).for_each(|(sum, value)| *sum += weight * value);
        }
    });
    Some(sum)
}

/// The product in the rows of all tables that several tasks reach.
fn table_products(parameters: &Parameters, a: &Gradients, b: &Gradients) -> f64 {
    let is_shared = |rows: &&RowGradient| parameters.tables()[rows.table].owner == Owner::Shared;
    let of_table = |table: usize| b.rows.iter().find(move |rows| rows.table == table);
    a.rows.iter().filter(is_shared).filter_map(|a| Some(row_product(a, of_table(a.table)?))).sum()
}

/// The product of gradients of some rows each, which ascend; rows that one of them lacks are zero there.
fn row_product(a: &RowGradient, b: &RowGradient) -> f64 {
    if a.rows == b.rows {
        return dot(&a.values, &b.values);
    }
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

/// What each task, by its place, wants of a table's rows.
pub(crate) fn of_table(gradients: &[Gradients], table: usize) -> impl Iterator<Item = (usize, &RowGradient)> {
    let all = gradients.iter().enumerate();
    all.filter_map(move |(task, of)| Some((task, of.rows.iter().find(|rows| rows.table == table)?)))
}

/// The rows of a table with so many rows that some gradients have, ascending.
pub(crate) fn union<'a>(count: usize, parts: impl Iterator<Item = &'a RowGradient>) -> Vec<u32> {
    let mut occurs = vec![false; count];
    parts.flat_map(|part| &part.rows).for_each(|&row| occurs[row as usize] = true);
    (0..).zip(occurs).filter_map(|(row, occurs)| occurs.then_some(row)).collect()
}

/// The products of every pair of `tasks` tasks in the rows of a table, as [`products`] orders them.
///
/// Row by row, because tasks that read different texts have few rows in common.
fn row_products(tasks: usize, count: usize, parts: &[(usize, &RowGradient)]) -> Vec<f64> {
    let rows = union(count, parts.iter().map(|(_, part)| *part));
    let of_chunk = |rows: &[u32]| {
        let mut sums = vec![0.0; tasks * (tasks + 1) / 2];
        let mut places: Vec<usize> =
            parts.iter().map(|(_, part)| part.rows.partition_point(|row| *row < rows[0])).collect();
        let mut met: Vec<(usize, &[f32])> = Vec::with_capacity(parts.len());
        for row in rows {
            met.clear();
            for ((task, part), place) in parts.iter().zip(&mut places) {
                if part.rows.get(*place) == Some(row) {
                    let dim = part.values.len() / part.rows.len();
                    met.push((*task, &part.values[*place * dim..][..dim]));
                    *place += 1;
                }
            }
            for (index, (a, left)) in met.iter().enumerate() {
                for (b, right) in &met[..=index] {
                    sums[a * (a + 1) / 2 + b] += dot(left, right);
                }
            }
        }
        sums
    };
    let chunks: Vec<Vec<f64>> = rows.par_chunks(ROWS).map(of_chunk).collect();
    let mut total = vec![0.0; tasks * (tasks + 1) / 2];
    for chunk in chunks {
        total.iter_mut().zip(chunk).for_each(|(total, product)| *total += product);
    }
    total
}

/// The weighted sum of gradients of some rows each of a table with so many rows; `None` where there is none.
pub(crate) fn combined_rows(
    (table, count): (usize, usize),
    dim: usize,
    parts: &[(f32, &RowGradient)],
) -> Option<RowGradient> {
    if parts.is_empty() {
        return None;
    }
    let rows = union(count, parts.iter().map(|(_, part)| *part));
    let mut values = vec![0.0; rows.len() * dim];
    let chunks = values.par_chunks_mut((ROWS * dim).max(1)).zip(rows.par_chunks(ROWS));
    chunks.for_each(|(values, rows)| {
        for (weight, part) in parts {
            let first = part.rows.partition_point(|row| *row < rows[0]);
            let own = part.rows[first..].iter().zip(part.values[first * dim..].chunks_exact(dim.max(1)));
            let mut at = 0;
            for (row, gradient) in own.take_while(|(row, _)| **row <= rows[rows.len() - 1]) {
                while rows[at] < *row {
                    at += 1;
                }
                let sums = &mut values[at * dim..][..dim];
                sums.iter_mut().zip(gradient).for_each(|(sum, value)| *sum += weight * value);
            }
        }
    });
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
