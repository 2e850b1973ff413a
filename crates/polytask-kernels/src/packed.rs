//! How does one matrix multiply many small blocks? It is packed into panels once, and the panels are reused.
//!
//! The recurrent product of an LSTM is `[active, h] x [h, 4h]` at every position. A general product repacks the right
//! side at every call; here the panels, a few vectors wide, stay in the second-level cache for a whole sequence, and the
//! left side is read where it lies. Each output is summed over the inner dimension in order, so a row's bits do not
//! depend on the rows around it.

use crate::matrix::Accumulate;
use pulp::{Simd, WithSimd};

/// Rows of the inner dimension worked on at a time, so that a panel's part stays in the first-level cache.
const DEPTH: usize = 256;

/// A right-hand matrix `[inner, cols]`, packed.
#[derive(Debug)]
pub(crate) struct Packed {
    inner: usize,
    cols: usize,
    /// For each `DEPTH` rows, panels of a few vectors of columns (fewer in the last one), zero-padded on the right.
    panels: Vec<f32>,
}

/// Reads one element of a right-hand matrix: `data[row * row_stride + col * col_stride]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Right<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) row_stride: usize,
    pub(crate) col_stride: usize,
}

/// Rows of a row-major matrix: `count` rows that begin `stride` apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows {
    pub(crate) count: usize,
    pub(crate) stride: usize,
}

impl Packed {
    /// Packs a matrix of `inner` rows and `cols` columns.
    pub(crate) fn new(right: Right<'_>, inner: usize, cols: usize) -> Self {
        pulp::Arch::new().dispatch(Pack { right, inner, cols })
    }

    /// Adds `left` `[rows, inner]` times this matrix to `out` `[rows, cols]`, on the calling thread.
    pub(crate) fn multiply_add(&self, left: (&[f32], Rows), out: (&mut [f32], Rows)) {
        self.multiply(left, out, Accumulate::Add);
    }

    /// Multiplies `left` `[rows, inner]` by this matrix, of at least one row, into `out` `[rows, cols]`.
    pub(crate) fn multiply(&self, left: (&[f32], Rows), out: (&mut [f32], Rows), how: Accumulate) {
        debug_assert_eq!(left.1.count, out.1.count);
        debug_assert!(self.inner > 0 || how == Accumulate::Add);
        if left.1.count > 0 && self.inner > 0 && self.cols > 0 {
            pulp::Arch::new().dispatch(Multiply { packed: self, left, out, how });
        }
    }
}

/// Rows and vectors of columns of the largest tile, whose sums, with a row of the panel and a value of the left side, fill
/// the registers: 32 of AVX-512 and NEON, 16 of AVX2 (eight values each).
const fn tile(lanes: usize) -> (usize, usize) {
    if lanes == 8 { (6, 2) } else { (8, 3) }
}

/// First columns and widths of the panels of `cols` columns: whole vectors, as many as a tile has, and fewer at the end.
fn panels(cols: usize, lanes: usize) -> impl Iterator<Item = (usize, usize)> {
    let most = tile(lanes).1 * lanes;
    (0..cols).step_by(most).map(move |first| (first, (cols - first).next_multiple_of(lanes).min(most)))
}

struct Pack<'a> {
    right: Right<'a>,
    inner: usize,
    cols: usize,
}

impl WithSimd for Pack<'_> {
    type Output = Packed;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Packed {
        let Self { right, inner, cols } = self;
        let mut packed = Vec::with_capacity(inner * cols.next_multiple_of(S::F32_LANES));
        for top in (0..inner).step_by(DEPTH) {
            for (first, width) in panels(cols, S::F32_LANES) {
                let valid = width.min(cols - first);
                for row in top..inner.min(top + DEPTH) {
                    let start = row * right.row_stride + first * right.col_stride;
                    if right.col_stride == 1 {
                        packed.extend_from_slice(&right.data[start..start + valid]);
                    } else {
                        packed.extend((0..valid).map(|col| right.data[start + col * right.col_stride]));
                    }
                    packed.extend(std::iter::repeat_n(0.0, width - valid));
                }
            }
        }
        Packed { inner, cols, panels: packed }
    }
}

struct Multiply<'a> {
    packed: &'a Packed,
    left: (&'a [f32], Rows),
    out: (&'a mut [f32], Rows),
    how: Accumulate,
}

impl WithSimd for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Packed { inner, cols, panels: packed } = self.packed;
        let ((left, left_rows), (out, out_rows)) = (self.left, self.out);
        let mut rest = packed.as_slice();
        for top in (0..*inner).step_by(DEPTH) {
            let depth = DEPTH.min(inner - top);
            let how = if top == 0 { self.how } else { Accumulate::Add };
            for (first, width) in panels(*cols, S::F32_LANES) {
                let (panel, after) = rest.split_at(depth * width);
                rest = after;
                let valid = width.min(cols - first);
                for (row, height, tile) in tiles(out_rows.count, S::F32_LANES) {
                    let data = &left[row * left_rows.stride + top..];
                    let part = Part { data, stride: left_rows.stride, height, depth };
                    let block = &mut out[row * out_rows.stride + first..];
                    let block = Block { out: block, stride: out_rows.stride, height, width: valid, how };
                    multiply_tile(simd, part, panel, tile, width / S::F32_LANES, block);
                }
            }
        }
    }
}

/// Cuts rows into tiles: first row, rows, and rows of the kernel that works on them (those beyond repeat the last one).
#[inline(always)]
fn tiles(count: usize, lanes: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    let highest = tile(lanes).0;
    let mut first = 0;
    std::iter::from_fn(move || {
        let rest = count - first;
        if rest == 0 {
            return None;
        }
        let even = rest.div_ceil(rest.div_ceil(highest));
        let tile = match even {
            0..=2 => even,
            3..=4 => 4,
            5..=6 => 6,
            _ => 8,
        };
        let height = tile.min(rest);
        first += height;
        Some((first - height, height, tile))
    })
}

/// The left side of a tile: `height` rows of `depth` values, `stride` apart.
#[derive(Clone, Copy)]
struct Part<'a> {
    data: &'a [f32],
    stride: usize,
    height: usize,
    depth: usize,
}

/// Where a tile's sums go: `height` rows `stride` apart, `width` columns.
struct Block<'a> {
    out: &'a mut [f32],
    stride: usize,
    height: usize,
    width: usize,
    how: Accumulate,
}

#[inline(always)]
fn multiply_tile<S: Simd>(simd: S, left: Part<'_>, panel: &[f32], tile: usize, vectors: usize, block: Block<'_>) {
    match vectors {
        1 => multiply_rows::<S, 1>(simd, left, panel, tile, block),
        2 => multiply_rows::<S, 2>(simd, left, panel, tile, block),
        _ => multiply_rows::<S, 3>(simd, left, panel, tile, block),
    }
}

#[inline(always)]
fn multiply_rows<S: Simd, const N: usize>(simd: S, left: Part<'_>, panel: &[f32], tile: usize, block: Block<'_>) {
    match tile {
        1 => multiply::<S, 1, N>(simd, left, panel, block),
        2 => multiply::<S, 2, N>(simd, left, panel, block),
        4 => multiply::<S, 4, N>(simd, left, panel, block),
        6 => multiply::<S, 6, N>(simd, left, panel, block),
        _ => multiply::<S, 8, N>(simd, left, panel, block),
    }
}

/// The kernel: `M` rows times `N` vectors of columns, summed in registers.
#[inline(always)]
fn multiply<S: Simd, const M: usize, const N: usize>(simd: S, left: Part<'_>, panel: &[f32], block: Block<'_>) {
    let Part { data, stride, height, depth } = left;
    let mut sums = [[simd.splat_f32s(0.0); N]; M];
    let mut rows: [&[f32]; M] = [&[]; M];
    each_row::<M>(
        #[inline(always)]
        |row| rows[row] = &data[row.min(height - 1) * stride..][..depth],
    );
    // Slices of one length need no check within the loop.
    let panel = &S::as_simd_f32s(panel).0.as_chunks::<N>().0[..depth];
    for at in 0..depth {
        for (sums, row) in sums.iter_mut().zip(&rows) {
            let left = simd.splat_f32s(row[at]);
            for (sum, right) in sums.iter_mut().zip(&panel[at]) {
                *sum = simd.mul_add_e_f32s(left, *right, *sum);
            }
        }
    }
    let Block { out, stride, height, width, how } = block;
    // The sums stay in registers only if none is picked by a number known at run time: the whole tile is written row by
    // row without a loop, and a part of one from a copy.
    if height == M && width == N * S::F32_LANES {
        each_row::<M>(
            #[inline(always)]
            |row| {
                let part = S::as_mut_simd_f32s(&mut out[row * stride..][..N * S::F32_LANES]).0;
                for (value, sum) in part.iter_mut().zip(sums[row]) {
                    *value = match how {
                        Accumulate::Add => simd.add_f32s(*value, sum),
                        Accumulate::Overwrite => sum,
                    };
                }
            },
        );
        return;
    }
    let mut copy = [[simd.splat_f32s(0.0); N]; M];
    each_row::<M>(
        #[inline(always)]
        |row| copy[row] = sums[row],
    );
    for (row, sums) in copy.iter().enumerate().take(height) {
        for (part, sum) in out[row * stride..][..width].chunks_mut(S::F32_LANES).zip(sums) {
            let sum = match how {
                Accumulate::Add => simd.add_f32s(simd.partial_load_f32s(part), *sum),
                Accumulate::Overwrite => *sum,
            };
            simd.partial_store_f32s(part, sum);
        }
    }
}

/// Calls `f` with each row of a tile, a constant in a copy of its own: a loop over many rows is left a loop.
#[inline(always)]
fn each_row<const M: usize>(mut f: impl FnMut(usize)) {
    const { assert!(M <= 8) };
    macro_rules! rows {
        ($($row:literal)*) => {
            $(if $row < M {
                f($row);
            })*
        };
    }
    rows!(0 1 2 3 4 5 6 7);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Lcg;

    #[test]
    fn products_agree_with_a_plain_loop_and_leave_gaps_alone() {
        let mut rng = Lcg::new(1);
        let mut random = |n: usize| rng.vec(n);
        for (rows, inner, cols) in [(0, 3, 4), (3, 0, 4), (3, 4, 0), (1, 1, 1), (2, 7, 16), (3, 300, 17), (5, 9, 33)]
            .into_iter()
            .chain((1..40).map(|rows| (rows, 11 + 13 * rows, 70 - rows)))
        {
            let (left, right, start) = (random(rows * (inner + 2)), random(inner * cols), random(rows * (cols + 3)));
            let left_rows = Rows { count: rows, stride: inner + 2 };
            let out_rows = Rows { count: rows, stride: cols + 3 };
            let transposed: Vec<f32> = (0..cols * inner).map(|at| right[at % inner * cols + at / inner]).collect();
            let by_rows = Right { data: &right, row_stride: cols, col_stride: 1 };
            let by_cols = Right { data: &transposed, row_stride: 1, col_stride: inner };
            for matrix in [by_rows, by_cols] {
                let mut out = start.clone();
                let packed = Packed::new(matrix, inner, cols);
                packed.multiply_add((&left, left_rows), (&mut out, out_rows));
                for (at, got) in out.iter().enumerate() {
                    let (row, col) = (at / (cols + 3), at % (cols + 3));
                    let term = |k: usize| f64::from(left[row * (inner + 2) + k]) * f64::from(right[k * cols + col]);
                    let sum: f64 = if col < cols { (0..inner).map(term).sum() } else { 0.0 };
                    let expected = sum + f64::from(start[at]);
                    assert!((f64::from(*got) - expected).abs() < 1e-4, "{rows} {inner} {cols}: {got}, {expected}");
                    assert!(col < cols || *got == start[at]);
                }
                if inner > 0 {
                    let mut replaced = vec![f32::NAN; start.len()];
                    let how = Accumulate::Overwrite;
                    packed.multiply((&left, left_rows), (&mut replaced, out_rows), how);
                    for (at, (got, sum)) in replaced.iter().zip(&out).enumerate() {
                        let inside = at % (cols + 3) < cols;
                        assert!(if inside { (got + start[at] - sum).abs() < 1e-5 } else { got.is_nan() });
                    }
                }
                // A row's bits do not depend on the rows around it.
                if rows > 2 {
                    let mut single = start[out_rows.stride..].to_vec();
                    let one = |rows: Rows| Rows { count: 1, ..rows };
                    let left = (&left[left_rows.stride..], one(left_rows));
                    packed.multiply_add(left, (&mut single, one(out_rows)));
                    assert_eq!(single[..cols], out[out_rows.stride..][..cols]);
                }
            }
        }
    }
}
