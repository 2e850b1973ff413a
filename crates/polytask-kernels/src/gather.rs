//! How do word numbers become vectors? Rows taken from a table, and gradients added back to them.

use crate::math::vectorize;
use crate::rows::add;
use rayon::prelude::*;

/// The index that stands for no row: it gathers zeros and scatters nothing.
pub const PADDING: u32 = u32::MAX;

/// Work is split into this many rows.
const ROWS: usize = 128;

/// Copies row `index[i]` of `table` `[rows, d]` to row `i` of `out` `[index.len(), d]`; [`PADDING`] gives zeros.
///
/// Panics if an index is no row of the table, or if a slice has another size.
pub fn gather(table: &[f32], d: usize, index: &[u32], out: &mut [f32]) {
    check(table, d, index, out);
    out.par_chunks_mut(ROWS * d).zip(index.par_chunks(ROWS)).for_each(|(out, index)| {
        for (out, row) in out.chunks_exact_mut(d).zip(index) {
            match *row {
                PADDING => out.fill(0.0),
                row => out.copy_from_slice(&table[row as usize * d..][..d]),
            }
        }
    });
}

/// Adds row `i` of `grad` `[index.len(), d]` to row `index[i]` of `table_grad` `[rows, d]`, skipping [`PADDING`].
///
/// Each row of the table takes its occurrences in the order of `index`. Panics if an index is no row of the table,
/// or if a slice has another size.
pub fn scatter_add(grad: &[f32], d: usize, index: &[u32], table_grad: &mut [f32]) {
    check(table_grad, d, index, grad);
    let occurrences = Occurrences::new(index, table_grad.len() / d);
    table_grad.par_chunks_mut(ROWS * d).enumerate().for_each(|(chunk, rows)| {
        vectorize(
            #[inline(always)]
            || {
                for (offset, row) in rows.chunks_exact_mut(d).enumerate() {
                    for &i in occurrences.of(chunk * ROWS + offset) {
                        add(row, &grad[i as usize * d..][..d]);
                    }
                }
            },
        );
    });
}

#[track_caller]
fn check(table: &[f32], d: usize, index: &[u32], rows: &[f32]) {
    assert!(d > 0 && table.len().is_multiple_of(d), "a table of {} elements has no rows of {d}", table.len());
    assert_eq!(rows.len(), index.len() * d, "one row an index");
    assert!(index.len() < PADDING as usize, "more indices than a u32 counts");
    let known = |row: &u32| *row == PADDING || (*row as usize) < table.len() / d;
    assert!(index.iter().all(known), "an index outside a table of {} rows", table.len() / d);
}

/// For every row of a table, where it occurs in an index: a counting sort.
pub(crate) struct Occurrences {
    /// The positions in the index, row by row, in ascending order within a row.
    positions: Vec<u32>,
    /// Where the positions of each row end; they start where those of the row before end.
    ends: Vec<u32>,
}

impl Occurrences {
    /// Sorts the positions of an index into a table of `rows` rows; [`PADDING`] is passed over.
    pub(crate) fn new(index: &[u32], rows: usize) -> Self {
        let present = || index.iter().enumerate().filter(|(_, row)| **row != PADDING);
        let mut ends = vec![0u32; rows];
        present().for_each(|(_, row)| ends[*row as usize] += 1);
        let mut total = 0;
        for count in &mut ends {
            // Holds the start for now; placing the positions below moves it to the end.
            total += std::mem::replace(count, total);
        }
        let mut positions = vec![0; total as usize];
        for (position, row) in present() {
            let next = &mut ends[*row as usize];
            positions[*next as usize] = position as u32;
            *next += 1;
        }
        Self { positions, ends }
    }

    /// The positions of a row, ascending.
    #[inline(always)]
    pub(crate) fn of(&self, row: usize) -> &[u32] {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.positions[start as usize..self.ends[row] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Lcg, assert_gradient, same_on_all_pools, weighted_sum};

    fn reference(table: &[f64], d: usize, index: &[u32]) -> Vec<f64> {
        let row = |row: &u32| match *row {
            PADDING => vec![0.0; d],
            row => table[row as usize * d..][..d].to_vec(),
        };
        index.iter().flat_map(row).collect()
    }

    #[test]
    fn rows_are_copied_and_gradients_return_to_them() {
        let mut random = Lcg::new(1);
        for (rows, d, count) in [(7, 3, 20), (1, 1, 1), (300, 5, 400), (4, 2, 0)] {
            let mut index: Vec<u32> = (0..count).map(|_| random.below(rows) as u32).collect();
            index.iter_mut().step_by(5).for_each(|row| *row = PADDING);
            let (table, dy) = (random.vec(rows * d), random.vec(count * d));
            let mut y = vec![f32::NAN; count * d];
            gather(&table, d, &index, &mut y);
            let table64: Vec<f64> = table.iter().copied().map(f64::from).collect();
            let want: Vec<f32> = reference(&table64, d, &index).iter().map(|x| *x as f32).collect();
            assert_eq!(y, want);
            let mut gradient = vec![0.0; rows * d];
            scatter_add(&dy, d, &index, &mut gradient);
            assert_gradient(&gradient, &table, |table| weighted_sum(&dy, &reference(table, d, &index)));
        }
    }

    #[test]
    fn scattering_adds_to_what_is_there_the_same_on_every_pool() {
        let mut random = Lcg::new(2);
        let index: Vec<u32> = (0..5000).map(|_| random.below(300) as u32).collect();
        let grad = random.vec(5000 * 7);
        same_on_all_pools(|| {
            let mut table = vec![1.0; 300 * 7];
            scatter_add(&grad, 7, &index, &mut table);
            table
        });
        let mut table = [1.0, 1.0];
        scatter_add(&[2.0, 3.0], 1, &[1, 1], &mut table);
        assert_eq!(table, [1.0, 6.0]);
    }

    #[test]
    #[should_panic(expected = "outside a table of 2 rows")]
    fn an_unknown_row_panics() {
        gather(&[0.0; 4], 2, &[2], &mut [0.0; 2]);
    }
}
