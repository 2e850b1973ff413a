//! How are matrices multiplied? Strided views over slices, and products of them.
//!
//! Views may overlap their own rows, so the windows of a sequence multiply a filter without being copied.

use crate::buffers::Buffer;
use crate::rows::transpose;
use rayon::prelude::*;

/// A matrix of any strides that is only read.
#[derive(Debug, Clone, Copy)]
pub struct MatRef<'a> {
    data: &'a [f32],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

/// A row-major matrix that is written, possibly the left part of wider rows.
#[derive(Debug)]
pub struct MatMut<'a> {
    data: &'a mut [f32],
    rows: usize,
    cols: usize,
    row_stride: usize,
}

/// What becomes of the values that a product finds in its destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accumulate {
    /// They are not read: the product replaces them.
    Overwrite,
    /// The product is added to them.
    Add,
}

impl<'a> MatRef<'a> {
    /// Views `data` as `[rows, cols]`, densely packed.
    ///
    /// Panics if `data` is shorter than that.
    pub fn new(data: &'a [f32], rows: usize, cols: usize) -> Self {
        Self::strided(data, rows, cols, cols)
    }

    /// Views `data` as `[rows, cols]` where rows begin `row_stride` apart (a leading dimension).
    ///
    /// A stride below `cols` makes rows overlap: the windows of a sequence `[time, d]` that are `k` positions wide
    /// are `strided(sequence, time - k + 1, k * d, d)`. Panics if the last element lies outside `data`.
    pub fn strided(data: &'a [f32], rows: usize, cols: usize, row_stride: usize) -> Self {
        assert_inside(data.len(), rows, cols, row_stride, 1);
        Self { data, rows, cols, row_stride, col_stride: 1 }
    }

    /// Returns the transpose, a view of the same data.
    pub fn t(self) -> Self {
        Self {
            data: self.data,
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
        }
    }

    /// Returns the view of `count` rows from row `first` on.
    ///
    /// Panics if they are not all there.
    pub fn row_range(self, first: usize, count: usize) -> Self {
        let inside = first <= self.rows && count <= self.rows - first;
        assert!(inside, "{count} rows from row {first} on, of a matrix with {}", self.rows);
        let start = (first * self.row_stride).min(self.data.len());
        Self { data: &self.data[start..], rows: count, ..self }
    }

    /// Returns the number of rows.
    pub fn rows(self) -> usize {
        self.rows
    }

    /// Returns the number of columns.
    pub fn cols(self) -> usize {
        self.cols
    }
}

impl<'a> MatMut<'a> {
    /// Views `data` as `[rows, cols]`, densely packed.
    ///
    /// Panics if `data` is shorter than that.
    pub fn new(data: &'a mut [f32], rows: usize, cols: usize) -> Self {
        Self::strided(data, rows, cols, cols)
    }

    /// Views `data` as `[rows, cols]` where rows begin `row_stride` apart.
    ///
    /// Panics if the last element lies outside `data`, or if rows would overlap.
    pub fn strided(data: &'a mut [f32], rows: usize, cols: usize, row_stride: usize) -> Self {
        assert!(rows <= 1 || row_stride >= cols, "rows of a destination overlap: {cols} columns, stride {row_stride}");
        assert_inside(data.len(), rows, cols, row_stride, 1);
        Self { data, rows, cols, row_stride }
    }
}

/// Panics unless every element of such a matrix lies in a slice of `len` elements.
fn assert_inside(len: usize, rows: usize, cols: usize, row_stride: usize, col_stride: usize) {
    if rows == 0 || cols == 0 {
        return;
    }
    let last_row = (rows - 1).checked_mul(row_stride);
    let last_col = (cols - 1).checked_mul(col_stride);
    let last = last_row.zip(last_col).and_then(|(row, col)| row.checked_add(col));
    assert!(
        last.is_some_and(|last| last < len),
        "a matrix of {rows} x {cols} with strides {row_stride} and {col_stride} does not fit {len} elements"
    );
}

/// Multiplies `a` `[rows, inner]` by `b` `[inner, cols]` into `out` `[rows, cols]`, on the calling thread.
///
/// Panics if the shapes do not agree.
pub fn matmul(out: MatMut<'_>, a: MatRef<'_>, b: MatRef<'_>, accumulate: Accumulate) {
    assert_shapes(&out, a, b);
    if out.rows == 0 || out.cols == 0 {
        return;
    }
    if a.cols == 0 {
        if accumulate == Accumulate::Overwrite {
            (0..out.rows).for_each(|row| out.data[row * out.row_stride..][..out.cols].fill(0.0));
        }
        return;
    }
    with_rows(b, out.rows, |b| multiply(out, a, b, accumulate));
}

/// Hands on a right side by rows: for more than a few rows on the left, copying a transposed one first takes a third of the
/// time that multiplying it as it is takes.
fn with_rows<R>(b: MatRef<'_>, left_rows: usize, run: impl FnOnce(MatRef<'_>) -> R) -> R {
    if left_rows < 16 || b.col_stride == 1 || b.row_stride != 1 {
        return run(b);
    }
    let mut copy = Buffer::dirty(b.rows * b.cols);
    transpose(b.data, (b.cols, b.rows), b.col_stride, &mut copy);
    run(MatRef::new(&copy, b.rows, b.cols))
}

/// Multiplies as [`matmul`] does, with blocks of rows of `out` spread over the current rayon pool.
///
/// The blocks depend on the shapes alone, so the result has the same bits for any number of threads. It may differ
/// in the last bits from that of [`matmul`].
pub fn matmul_parallel(out: MatMut<'_>, a: MatRef<'_>, b: MatRef<'_>, accumulate: Accumulate) {
    assert_shapes(&out, a, b);
    let block = rows_per_block(out.rows, out.cols, a.cols);
    if block >= out.rows || out.row_stride == 0 {
        return matmul(out, a, b, accumulate);
    }
    let (rows, cols, row_stride) = (out.rows, out.cols, out.row_stride);
    with_rows(b, rows, |b| {
        out.data.par_chunks_mut(block * row_stride).take(rows.div_ceil(block)).enumerate().for_each(|(index, data)| {
            let first = index * block;
            let count = block.min(rows - first);
            matmul(MatMut::strided(data, count, cols, row_stride), a.row_range(first, count), b, accumulate);
        });
    });
}

/// Chooses the height of a block: enough blocks to share, each high enough to pay for packing the right side, which every
/// block does anew.
pub(crate) fn rows_per_block(rows: usize, cols: usize, inner: usize) -> usize {
    /// Multiplications of a block at least: with fewer, handing it to another thread costs more than it saves.
    const LEAST: usize = 1 << 18;
    /// Rows of a block, where there are more than two: packing then costs a tenth of the product.
    const HIGH: usize = 256;
    let least = LEAST.div_ceil(cols.saturating_mul(inner).max(1)).next_multiple_of(16);
    if rows < 2 * least {
        return rows.max(1);
    }
    // An even number, so that two threads end together.
    let blocks = (rows / HIGH).clamp(2, 8) & !1;
    rows.div_ceil(blocks).next_multiple_of(16).max(least)
}

fn assert_shapes(out: &MatMut<'_>, a: MatRef<'_>, b: MatRef<'_>) {
    assert!(
        a.cols == b.rows && out.rows == a.rows && out.cols == b.cols,
        "a product of {} x {} and {} x {} does not fit {} x {}",
        a.rows,
        a.cols,
        b.rows,
        b.cols,
        out.rows,
        out.cols
    );
}

/// Calls the `gemm` crate; every dimension is at least one and the shapes agree.
fn multiply(out: MatMut<'_>, a: MatRef<'_>, b: MatRef<'_>, accumulate: Accumulate) {
    let add = accumulate == Accumulate::Add;
    // A stride is at most a slice's length wherever it is stepped over, so it fits `isize`; where it is not
    // (a single row or column), its value does not matter.
    let stride = |count: usize, stride: usize| if count > 1 { stride as isize } else { stride.min(1 << 20) as isize };
    // SAFETY: each view's last element was checked to lie in its slice when the view was made (`assert_inside`),
    // and elements before it do as well, strides being non-negative; `row_range` only drops leading rows.
    // The destination is borrowed exclusively, and its rows do not overlap, so no element is written twice.
    // A slice of `f32` is initialised, so adding to the destination reads valid values.
    unsafe {
        gemm::gemm(
            out.rows,
            out.cols,
            a.cols,
            out.data.as_mut_ptr(),
            1,
            stride(out.rows, out.row_stride),
            add,
            a.data.as_ptr(),
            stride(a.cols, a.col_stride),
            stride(a.rows, a.row_stride),
            b.data.as_ptr(),
            stride(b.cols, b.col_stride),
            stride(b.rows, b.row_stride),
            if add { 1.0 } else { 0.0 },
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Lcg, assert_close, same_on_all_pools};

    fn reference(a: MatRef<'_>, b: MatRef<'_>) -> Vec<f64> {
        let at = |m: MatRef<'_>, r: usize, c: usize| f64::from(m.data[r * m.row_stride + c * m.col_stride]);
        let mut out = Vec::new();
        for row in 0..a.rows {
            for col in 0..b.cols {
                out.push((0..a.cols).map(|k| at(a, row, k) * at(b, k, col)).sum());
            }
        }
        out
    }

    const SHAPES: [(usize, usize, usize); 12] = [
        (1, 1, 1),
        (3, 5, 7),
        (1, 40, 9),
        (40, 1, 9),
        (17, 33, 1),
        (17, 33, 2),
        (0, 3, 4),
        (3, 0, 4),
        (3, 4, 0),
        (65, 31, 129),
        (300, 70, 120),
        (9, 400, 300),
    ];

    #[test]
    fn products_agree_with_a_plain_loop_for_every_layout() {
        let mut random = Lcg::new(1);
        for (m, n, k) in SHAPES {
            let (left, right) = (random.vec(m * k), random.vec(k * n));
            let lefts = [MatRef::new(&left, m, k), MatRef::new(&left, k, m).t()];
            let rights = [MatRef::new(&right, k, n), MatRef::new(&right, n, k).t()];
            for (a, b) in lefts.into_iter().flat_map(|a| rights.map(|b| (a, b))) {
                let want = reference(a, b);
                let mut out = vec![f32::NAN; m * n];
                matmul(MatMut::new(&mut out, m, n), a, b, Accumulate::Overwrite);
                assert_close(&out, &want, 1e-4);
                matmul_parallel(MatMut::new(&mut out, m, n), a, b, Accumulate::Add);
                assert_close(&out, &want.iter().map(|x| 2.0 * x).collect::<Vec<_>>(), 1e-4);
            }
        }
    }

    #[test]
    fn rows_may_overlap_and_destinations_may_have_gaps() {
        let mut random = Lcg::new(2);
        let (sequence, filter) = (random.vec(11 * 3), random.vec(6 * 4));
        let (a, b) = (MatRef::strided(&sequence, 10, 6, 3), MatRef::new(&filter, 6, 4));
        let mut out = vec![7.0; 9 * 5 + 4];
        matmul(MatMut::strided(&mut out, 10, 4, 5), a, b, Accumulate::Overwrite);
        let want = reference(a, b);
        for (row, want) in out.chunks(5).zip(want.chunks(4)) {
            assert_close(&row[..4], want, 1e-5);
            assert!(row.len() == 4 || row[4] == 7.0);
        }
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let mut random = Lcg::new(3);
        let (a, b) = (random.vec(301 * 177), random.vec(177 * 165));
        same_on_all_pools(|| {
            let mut out = vec![0.0; 301 * 165];
            let (a, b) = (MatRef::new(&a, 301, 177), MatRef::new(&b, 177, 165));
            matmul_parallel(MatMut::new(&mut out, 301, 165), a, b, Accumulate::Overwrite);
            out
        });
    }

    #[test]
    #[should_panic(expected = "does not fit")]
    fn a_view_past_its_slice_panics() {
        MatRef::strided(&[0.0; 10], 4, 4, 3);
    }

    #[test]
    #[should_panic(expected = "overlap")]
    fn a_destination_with_overlapping_rows_panics() {
        MatMut::strided(&mut [0.0; 10], 4, 4, 2);
    }

    #[test]
    #[should_panic(expected = "does not fit")]
    fn an_overflowing_view_panics() {
        MatRef::strided(&[0.0; 10], usize::MAX, 2, usize::MAX / 2);
    }
}
