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
    let partial: Vec<Vec<f32>> = matrix.par_chunks(ROWS * cols).map(|block| block_sums(block, cols)).collect();
    partial.iter().for_each(|partial| add(out, partial));
}

fn block_sums(block: &[f32], cols: usize) -> Vec<f32> {
    let mut sums = vec![0.0; cols];
    vectorize(
        #[inline(always)]
        || block.chunks_exact(cols).for_each(|row| add(&mut sums, row)),
    );
    sums
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

/// Values of a side of the blocks in which a matrix is transposed.
const SIDE: usize = 16;
type Line = [f32; SIDE];

/// Writes the transpose of a matrix `[rows, cols]`, whose rows begin `stride` apart, to `out` `[cols, rows]`.
///
/// Works block by block: a row at a time would touch a new line of the cache with every value.
pub(crate) fn transpose(matrix: &[f32], (rows, cols): (usize, usize), stride: usize, out: &mut [f32]) {
    let bands = out.par_chunks_mut((SIDE * rows).max(1)).take(cols.div_ceil(SIDE)).enumerate().with_min_len(4);
    bands.for_each(|(band, out)| {
        vectorize(
            #[inline(always)]
            || {
                let (first_col, width) = (band * SIDE, SIDE.min(cols - band * SIDE));
                for first_row in (0..rows).step_by(SIDE) {
                    let height = SIDE.min(rows - first_row);
                    let mut block = [[0.0; SIDE]; SIDE];
                    for (offset, line) in block.iter_mut().enumerate().take(height) {
                        let values = &matrix[(first_row + offset) * stride + first_col..][..width];
                        match values.first_chunk() {
                            Some(full) => *line = *full,
                            None => line[..width].copy_from_slice(values),
                        }
                    }
                    transpose_block(&mut block);
                    for (line, out) in block.iter().zip(out.chunks_exact_mut(rows)) {
                        let out = &mut out[first_row..][..height];
                        match out.first_chunk_mut() {
                            Some(full) => *full = *line,
                            None => out.copy_from_slice(&line[..height]),
                        }
                    }
                }
            },
        );
    });
}

/// Transposes a block by exchanging ever smaller quarters, which compiles to permutations of whole vectors.
#[inline(always)]
fn transpose_block(block: &mut [Line; SIDE]) {
    exchange::<8>(block);
    exchange::<4>(block);
    exchange::<2>(block);
    exchange::<1>(block);
}

/// In every square of side `2 S`, exchanges the upper right with the lower left quarter.
#[inline(always)]
fn exchange<const S: usize>(block: &mut [Line; SIDE]) {
    for upper in (0..SIDE).filter(|line| line & S == 0) {
        let (a, b) = (block[upper], block[upper + S]);
        block[upper] = std::array::from_fn(|at| if at & S == 0 { a[at] } else { b[at - S] });
        block[upper + S] = std::array::from_fn(|at| if at & S == 0 { a[at + S] } else { b[at] });
    }
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
