//! Which window of each text does each filter respond to most? Products of words and offsets, and sums of them.

use crate::buffers::Buffer;
use crate::filters::Filters;
use crate::lookup::Lookup;
use crate::matrix::Accumulate;
use crate::packed::{Packed, Right, Rows};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

/// Bytes of products that are worked on at a time, so that they stay in the last-level cache.
const BYTES: usize = 12 << 20;
/// Most vectors of filters worked on at a time, so that their sums, maxima and positions stay in registers.
const VECTORS: usize = 4;
/// Words whose products are a task.
const WORDS: usize = 192;
/// Positions whose sums are a task, about.
const POSITIONS: usize = 512;

/// Some filters of one width.
#[derive(Debug, Clone, Copy)]
struct Block {
    width: usize,
    /// The first of their columns in the output, and how many there are.
    first: usize,
    count: usize,
    /// Columns of an offset in the products: at least `count`, whole vectors.
    stride: usize,
}

/// Writes the largest response of each filter to each text and its position; those of empty texts are not written.
pub(super) fn choose(lookup: &Lookup<'_>, filters: &Filters<'_>, out: &mut [f32], argmax: &mut [u32]) {
    let columns = filters.columns();
    let distinct = lookup.rows.len() / lookup.features;
    let texts = (POSITIONS / lookup.time.max(1)).max(1);
    for (kind, &width) in filters.widths.iter().enumerate() {
        let most = BYTES / (distinct * width * size_of::<f32>()).max(1);
        let mut first = 0;
        while first < filters.count {
            let (stride, count) = pulp::Arch::new().dispatch(BlockSize { most, rest: filters.count - first });
            let block = Block { width, first: kind * filters.count + first, count, stride };
            let products = products(lookup, filters.weights[kind], filters.count, first, block);
            let tasks = out.par_chunks_mut(texts * columns).zip(argmax.par_chunks_mut(texts * columns));
            tasks.enumerate().for_each(|(task, (out, argmax))| {
                let places = out.chunks_exact_mut(columns).zip(argmax.chunks_exact_mut(columns)).enumerate();
                for (offset, (out, argmax)) in places {
                    let words = lookup.text(task * texts + offset);
                    let columns = block.first..block.first + block.count;
                    let (best, argmax) = (&mut out[columns.clone()], &mut argmax[columns]);
                    if !words.is_empty() {
                        pulp::Arch::new().dispatch(Choose { products: &products, words, block, best, argmax });
                    }
                }
            });
            first += count;
        }
    }
}

/// How many columns a block has, and how many of the `rest` filters it takes.
struct BlockSize {
    most: usize,
    rest: usize,
}

impl WithSimd for BlockSize {
    type Output = (usize, usize);

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> (usize, usize) {
        let lanes = S::F32_LANES;
        let vectors = (self.most / lanes).clamp(1, VECTORS).min(self.rest.div_ceil(lanes));
        (vectors * lanes, self.rest.min(vectors * lanes))
    }
}

/// The products `[distinct, width, stride]` of all words and all offsets of a block's filters.
fn products(lookup: &Lookup<'_>, weights: &[f32], filters: usize, first: usize, block: Block) -> Buffer {
    let Block { width, count, stride, .. } = block;
    let (features, columns) = (lookup.features, width * stride);
    let mut right = vec![0.0; features * columns];
    for (feature, row) in right.chunks_exact_mut(columns).enumerate() {
        for (offset, part) in row.chunks_exact_mut(stride).enumerate() {
            part[..count].copy_from_slice(&weights[(offset * features + feature) * filters + first..][..count]);
        }
    }
    let packed = Packed::new(Right { data: &right, row_stride: columns, col_stride: 1 }, features, columns);
    let mut products = Buffer::dirty(lookup.rows.len() / features * columns);
    let tasks = products.par_chunks_mut(WORDS * columns).zip(lookup.rows.par_chunks(WORDS * features));
    tasks.for_each(|(out, rows)| {
        let count = rows.len() / features;
        let (left, out) = ((rows, Rows { count, stride: features }), (out, Rows { count, stride: columns }));
        packed.multiply(left, out, Accumulate::Overwrite);
    });
    products
}

/// The responses of a block's filters to one text compete.
struct Choose<'a> {
    products: &'a [f32],
    /// The text's words, at least one.
    words: &'a [u32],
    block: Block,
    best: &'a mut [f32],
    argmax: &'a mut [u32],
}

impl WithSimd for Choose<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.block.stride / S::F32_LANES {
            1 => self.compete::<S, 1>(simd),
            2 => self.compete::<S, 2>(simd),
            3 => self.compete::<S, 3>(simd),
            _ => self.compete::<S, VECTORS>(simd),
        }
    }
}

impl Choose<'_> {
    #[inline(always)]
    fn compete<S: Simd, const N: usize>(self, simd: S) {
        let Self { products, words, block: Block { width, .. }, best: out, argmax } = self;
        let vectors: &[[S::f32s; N]] = S::as_simd_f32s(products).0.as_chunks::<N>().0;
        let left = (width - 1) / 2;
        let response = |position: usize| {
            let skipped = left.saturating_sub(position);
            let start = position + skipped - left;
            let mut sums = [simd.splat_f32s(0.0); N];
            for (offset, word) in (skipped..width).zip(&words[start..]) {
                let row = &vectors[*word as usize * width + offset];
                for (sum, value) in sums.iter_mut().zip(row) {
                    *sum = simd.add_f32s(*sum, *value);
                }
            }
            sums
        };
        let (mut best, mut winner) = (response(0), [simd.splat_u32s(0); N]);
        for position in 1..words.len() {
            let (sums, here) = (response(position), simd.splat_u32s(position as u32));
            for at in 0..N {
                let value = sums[at];
                // A NaN always takes the place, and nothing is greater than it.
                let is_nan = simd.not_m32s(simd.equal_f32s(value, value));
                let takes = simd.or_m32s(simd.greater_than_f32s(value, best[at]), is_nan);
                best[at] = simd.select_f32s(takes, value, best[at]);
                winner[at] = simd.select_u32s(takes, here, winner[at]);
            }
        }
        let parts = out.chunks_mut(S::F32_LANES).zip(argmax.chunks_mut(S::F32_LANES));
        for ((out, argmax), (best, winner)) in parts.zip(best.iter().zip(&winner)) {
            simd.partial_store_f32s(out, *best);
            simd.partial_store_u32s(argmax, *winner);
        }
    }
}
