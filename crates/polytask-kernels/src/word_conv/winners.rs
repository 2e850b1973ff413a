//! What do the winning windows owe each word? They are sorted by text and position, and each word visits its own.

use crate::gather::Occurrences;
use crate::lookup::Lookup;
use crate::math::vectorize;
use crate::rows::add_scaled;
use rayon::prelude::*;

use super::{Window, Windows};

/// Distinct words that are a task.
const WORDS: usize = 32;

/// The winning windows that have a gradient, by text and position.
pub(super) struct Winners<'a> {
    lookup: &'a Lookup<'a>,
    windows: &'a Windows,
    /// `[batch, columns]`: the gradient of each response.
    sums: &'a [f32],
    /// `[batch, columns]`: the columns of each text, by position and then in order.
    columns: Vec<u32>,
    /// `[batch, time + 1]`: where those of each position start; one more than there are positions.
    starts: Vec<u32>,
}

impl<'a> Winners<'a> {
    /// Sorts the winners of all texts.
    pub(super) fn new(lookup: &'a Lookup<'a>, windows: &'a Windows, argmax: &[u32], sums: &'a [f32]) -> Self {
        let count = windows.columns.len();
        let mut columns = vec![0; sums.len()];
        let mut starts = vec![0; lookup.lengths.len() * (lookup.time + 1)];
        let places = columns.par_chunks_mut(count).zip(starts.par_chunks_mut(lookup.time + 1));
        let winners = argmax.par_chunks(count).zip(sums.par_chunks(count));
        places.zip(winners).with_min_len(8).for_each(|((columns, starts), (argmax, sums))| {
            let present = || argmax.iter().zip(sums).enumerate().filter(|(_, (_, sum))| **sum != 0.0);
            present().for_each(|(_, (position, _))| starts[*position as usize] += 1);
            let mut total = 0;
            for count in starts.iter_mut() {
                total += *count;
                *count = total;
            }
            // Filled from behind, each end becomes the start, and columns of one position stay in order.
            let mut winners: Vec<(u32, u32)> = Vec::with_capacity(total as usize);
            winners.extend(present().map(|(column, (position, _))| (column as u32, *position)));
            for (column, position) in winners.into_iter().rev() {
                let start = &mut starts[position as usize];
                *start -= 1;
                columns[*start as usize] = column;
            }
        });
        Self { lookup, windows, sums, columns, starts }
    }

    /// Writes the gradient of each distinct word, `[distinct, features]`; `weights` are those of all filters, one by one.
    pub(super) fn rows_gradient(&self, weights: &[f32], drows: &mut [f32]) {
        let (lookup, features) = (self.lookup, self.lookup.features);
        let occurrences = Occurrences::new(lookup.index, lookup.rows.len() / features);
        drows.par_chunks_mut(WORDS * features).enumerate().for_each(|(task, rows)| {
            vectorize(
                #[inline(always)]
                || {
                    for (offset, row) in rows.chunks_exact_mut(features).enumerate() {
                        row.fill(0.0);
                        for place in occurrences.of(task * WORDS + offset) {
                            self.collect(weights, *place as usize, row);
                        }
                    }
                },
            );
        });
    }

    /// Adds to a word's gradient what the winning windows around one of its places owe it.
    #[inline(always)]
    fn collect(&self, weights: &[f32], place: usize, row: &mut [f32]) {
        let Self { lookup, windows, sums, columns, starts } = self;
        let (text, position) = (place / lookup.time, place % lookup.time);
        let (count, features) = (windows.columns.len(), row.len());
        let (columns, sums) = (&columns[text * count..][..count], &sums[text * count..][..count]);
        let starts = &starts[text * (lookup.time + 1)..][..lookup.time + 1];
        // Windows of the widest filters that hold the position; narrower ones are told by their offset below.
        let first = position.saturating_sub(windows.widest / 2);
        let last = (position + (windows.widest - 1) / 2).min(lookup.lengths[text] - 1);
        for center in first..=last {
            for column in &columns[starts[center] as usize..starts[center + 1] as usize] {
                let Window { start, width } = windows.columns[*column as usize];
                let offset = (position + (width - 1) / 2).wrapping_sub(center);
                if offset < width {
                    let weights = &weights[start + offset * features..][..features];
                    add_scaled(row, sums[*column as usize], weights);
                }
            }
        }
    }
}
