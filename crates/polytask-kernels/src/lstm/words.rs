//! How is a text of looked-up words read where nothing is learned? Each distinct word meets the input weights once.
//!
//! The gates' sums of a position are those of its word, and the product with the hidden states before. Nothing is kept but
//! the hidden states: a position's gates stay in the first-level cache.

use rayon::prelude::*;

use super::group::{Group, groups};
use super::{LstmWeights, Sizes, both, cell, sizes_of};
use crate::buffers::Buffer;
use crate::lookup::Lookup;
use crate::matrix::{Accumulate, MatMut, MatRef, matmul_parallel};
use crate::packed::{Packed, Right, Rows};

/// Runs both directions over looked-up texts into `out` `[batch, time, 2h]`, as [`lstm_infer`](super::lstm_infer) does over the
/// texts spelled out.
///
/// # Panics
/// If lengths do not fit, or an index is no row.
pub fn lstm_infer_words(lookup: &Lookup<'_>, weights: [LstmWeights<'_>; 2], out: &mut [f32]) {
    lookup.check();
    let [sizes, other] = weights.each_ref().map(|weights| sizes_of(weights, lookup.features));
    assert_eq!(sizes.h, other.h, "LSTM: directions of different sizes");
    let h = sizes.h;
    assert_eq!(out.len(), lookup.index.len() * 2 * h, "LSTM: output of another shape");
    let directions = weights.map(|weights| Direction::new(lookup, &weights, sizes));
    let mut places: Vec<Option<&mut [f32]>> = out.chunks_mut((lookup.time * 2 * h).max(1)).map(Some).collect();
    let parts: Vec<(Group, Vec<&mut [f32]>)> = groups(lookup.lengths)
        .into_iter()
        .map(|group| {
            let places = group.texts.iter().filter_map(|text| places.get_mut(*text).and_then(Option::take)).collect();
            (group, places)
        })
        .collect();
    parts.into_par_iter().for_each(|(group, places)| {
        let hidden = both(|direction| walk(lookup, &group, direction, &directions[direction], h));
        for (rank, place) in places.into_iter().enumerate() {
            group.write_text(hidden.each_ref().map(|hidden| &hidden[..]), rank, h, place);
        }
    });
}

/// What a direction needs of its weights.
struct Direction {
    /// `[distinct, 4h]`: what each word adds to the gates' sums, the bias included.
    words: Buffer,
    recurrent: Packed,
}

impl Direction {
    fn new(lookup: &Lookup<'_>, weights: &LstmWeights<'_>, Sizes { e, h }: Sizes) -> Self {
        let distinct = lookup.distinct();
        let mut words = Buffer::dirty(distinct * 4 * h);
        words.par_chunks_mut(4 * h).with_min_len(64).for_each(|sums| sums.copy_from_slice(weights.bias));
        let (rows, input) = (MatRef::new(lookup.rows, distinct, e), MatRef::new(weights.input, e, 4 * h));
        matmul_parallel(MatMut::new(&mut words, distinct, 4 * h), rows, input, Accumulate::Add);
        let right = Right { data: weights.recurrent, row_stride: 4 * h, col_stride: 1 };
        Self { words, recurrent: Packed::new(right, h, 4 * h) }
    }
}

/// The hidden states `[row, h]` of one direction of a group, position by position.
fn walk(lookup: &Lookup<'_>, group: &Group, direction: usize, weights: &Direction, h: usize) -> Buffer {
    let widest = group.rows_of(0).1;
    let mut hidden = Buffer::dirty(group.count() * h);
    let mut gates = Buffer::dirty(widest * 4 * h);
    let mut cells = [(); 2].map(|()| Buffer::dirty(widest * h));
    for step in 0..group.steps() {
        let (first, alive) = group.rows_of(step);
        let gates = &mut gates[..alive * 4 * h];
        for (gates, text) in gates.chunks_exact_mut(4 * h).zip(&group.texts) {
            let words = lookup.text(*text);
            let word = words[if direction == 0 { step } else { words.len() - 1 - step }];
            gates.copy_from_slice(&weights.words[word as usize * 4 * h..][..4 * h]);
        }
        let (earlier, hidden) = hidden.split_at_mut(first * h);
        let [before, after] = &mut cells;
        let before: &[f32] = if step == 0 { &[] } else { before };
        if step > 0 {
            let left = (&earlier[group.offsets[step - 1] * h..], Rows { count: alive, stride: h });
            weights.recurrent.multiply_add(left, (gates, Rows { count: alive, stride: 4 * h }));
        }
        cell::forward(gates, before, &mut after[..alive * h], &mut hidden[..alive * h], h);
        cells.swap(0, 1);
    }
    hidden
}
