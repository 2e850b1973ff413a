//! What is done to every row of a matrix? Sums down the columns, scaled additions, cutting into parts.

use crate::math::vectorize;
use rayon::prelude::*;

/// Sums each column of a row-major matrix `[rows, cols]` with `cols = out.len()`, replacing `out`.
///
/// Rows are summed in order within blocks of a fixed height, and the blocks in order. Panics if `matrix` does not
/// hold whole rows.
pub fn column_sums(matrix: &[f32], out: &mut [f32]) {
    const ROWS: usize = 256;
    out.fill(0.0);
    if out.is_empty() || matrix.is_empty() {
        return;
    }
    assert!(matrix.len().is_multiple_of(out.len()), "{} elements are not rows of {}", matrix.len(), out.len());
    let cols = out.len();
    if matrix.len() <= ROWS * cols {
        return add_block(out, matrix);
    }
    let partial: Vec<Vec<f32>> = matrix.par_chunks(ROWS * cols).map(|block| block_sums(block, cols)).collect();
    partial.iter().for_each(|partial| add(out, partial));
}

fn block_sums(block: &[f32], cols: usize) -> Vec<f32> {
    let mut sums = vec![0.0; cols];
    add_block(&mut sums, block);
    sums
}

/// Adds every row of a block, one after the other.
fn add_block(sums: &mut [f32], block: &[f32]) {
    vectorize(
        #[inline(always)]
        || block.chunks_exact(sums.len()).for_each(|row| add(sums, row)),
    );
}

/// Adds `x` to `out`, element by element.
#[inline(always)]
pub(crate) fn add(out: &mut [f32], x: &[f32]) {
    out.iter_mut().zip(x).for_each(|(out, x)| *out += x);
}

/// Adds `scale * x` to `out`, element by element.
#[inline(always)]
pub(crate) fn add_scaled(out: &mut [f32], scale: f32, x: &[f32]) {
    out.iter_mut().zip(x).for_each(|(out, x)| *out += scale * x);
}

/// Transposes a row-major matrix `[rows, cols]`.
pub(crate) fn transposed(matrix: &[f32], rows: usize, cols: usize) -> Vec<f32> {
    let mut out = vec![0.0; rows * cols];
    transpose(matrix, (rows, cols), cols, &mut out);
    out
}

/// Columns that are transposed together: the line of the cache that a row brings is used whole.
const BAND: usize = 16;
/// Rows that are worked together: their values of a column are written at once.
const SIDE: usize = 4;

/// Writes the transpose of a matrix `[rows, cols]`, whose rows begin `stride` apart, to `out` `[cols, rows]`.
///
/// Works block by block: a row at a time would touch a new line of the cache with every value.
pub(crate) fn transpose(matrix: &[f32], (rows, cols): (usize, usize), stride: usize, out: &mut [f32]) {
    /// Values of a task: a copy of fewer costs less than handing it over.
    const LEAST: usize = 1 << 14;
    let least = LEAST.div_ceil((BAND * rows).max(1));
    let bands = out.par_chunks_mut((BAND * rows).max(1)).take(cols.div_ceil(BAND)).enumerate().with_min_len(least);
    bands.for_each(|(band, out)| {
        let first_col = band * BAND;
        let whole = if cols - first_col < BAND { 0 } else { rows - rows % SIDE };
        for first_row in (0..whole).step_by(SIDE) {
            let line = |row: usize| chunk::<BAND>(matrix, (first_row + row) * stride + first_col);
            let (a, b, c, d) = (line(0), line(1), line(2), line(3));
            for (col, out) in out.chunks_exact_mut(rows).enumerate().take(BAND) {
                out[first_row..][..SIDE].copy_from_slice(&[a[col], b[col], c[col], d[col]]);
            }
        }
        for row in whole..rows {
            let values = &matrix[row * stride + first_col..][..BAND.min(cols - first_col)];
            values.iter().enumerate().for_each(|(col, value)| out[col * rows + row] = *value);
        }
    });
}

/// The `N` values from `first` on; panics if they are not all there.
#[inline(always)]
fn chunk<const N: usize>(values: &[f32], first: usize) -> &[f32; N] {
    values[first..].first_chunk().expect("a block lies inside its matrix")
}

/// Cuts `data` into consecutive parts of the given sizes, so that tasks may write them at the same time.
///
/// Panics if `data` is too short.
pub(crate) fn split<T>(mut data: &mut [T], sizes: impl Iterator<Item = usize>) -> Vec<&mut [T]> {
    sizes
        .map(|size| {
            let (part, rest) = std::mem::take(&mut data).split_at_mut(size);
            data = rest;
            part
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Lcg, assert_close, same_on_all_pools};

    #[test]
    fn a_transpose_has_rows_for_columns() {
        for (rows, cols, stride) in [(0, 3, 3), (3, 0, 1), (1, 1, 4), (17, 33, 40), (70, 100, 100)] {
            let matrix = Lcg::new(1).vec(rows * stride);
            let mut out = vec![f32::NAN; rows * cols];
            transpose(&matrix, (rows, cols), stride, &mut out);
            for (at, value) in out.iter().enumerate() {
                assert_eq!(*value, matrix[at % rows * stride + at / rows]);
            }
        }
    }

    #[test]
    fn column_sums_agree_with_a_plain_loop_on_every_pool() {
        for (rows, cols) in [(0, 3), (1, 1), (5, 3), (700, 7)] {
            let matrix = Lcg::new(1).vec(rows * cols);
            let want: Vec<f64> =
                (0..cols).map(|col| (0..rows).map(|row| f64::from(matrix[row * cols + col])).sum()).collect();
            let mut got = vec![f32::NAN; cols];
            column_sums(&matrix, &mut got);
            assert_close(&got, &want, 1e-5);
            same_on_all_pools(|| {
                let mut sums = vec![0.0; cols];
                column_sums(&matrix, &mut sums);
                sums
            });
        }
    }

    #[test]
    fn transposing_swaps_the_indices() {
        assert_eq!(transposed(&[1., 2., 3., 4., 5., 6.], 2, 3), [1., 4., 2., 5., 3., 6.]);
        assert!(transposed(&[], 3, 0).is_empty());
    }

    #[test]
    fn parts_may_be_empty() {
        let parts: Vec<usize> = split(&mut [1, 2, 3], [0, 2, 0, 1].into_iter()).iter().map(|part| part.len()).collect();
        assert_eq!(parts, [0, 2, 0, 1]);
    }
}
