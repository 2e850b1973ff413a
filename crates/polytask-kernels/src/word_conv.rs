//! What do filters see of texts whose words repeat? Each distinct word meets each offset of each filter once.
//!
//! A batch of texts holds far fewer distinct words than positions. The response of a filter of width `k` at a position is
//! the sum of `k` products of a word and an offset of the filter:
//!
//! ```text
//! response[t, filter] = Σ_o products[word(t + o - (k - 1) / 2), o, filter],    products[w, o, filter] = x[w] · W[o, filter]
//! ```
//!
//! The products of the distinct words are computed block by block of filters, so that they stay in the last-level cache, and
//! the texts pick theirs from there. Where words hardly repeat, the texts are spelled out and go through
//! [`conv_max`], whose values these are. Going back, each word collects the gradients of the winning
//! windows that it stands in: no gradient of a whole batch of positions is made.
//!
//! Cost forward: distinct words * widths * features * filters multiplications and positions * widths * filters additions;
//! backward texts * filters * widths * features multiplications, twice.

use crate::buffers::Buffer;
use crate::conv_max;
use crate::filters::{FilterGradients, Filters};
use crate::gather::gather;
use crate::lookup::Lookup;
use crate::math::vectorize;
use crate::pool::NOWHERE;
use crate::rows::{add_scaled, column_sums, transposed};
use rayon::prelude::*;
use std::ops::Range;
use std::sync::OnceLock;

mod products;
mod winners;

use products::choose;
use winners::Winners;

/// Computes what [`conv_max::forward`] does for the texts spelled out: `out` and `argmax` `[batch, widths * count]`.
///
/// # Panics
/// If a slice has another size, or an index is no row.
pub fn forward(lookup: &Lookup<'_>, filters: &Filters<'_>, out: &mut [f32], argmax: &mut [u32]) {
    check(lookup, filters, out, argmax);
    if !repeats(lookup) {
        let mut x = Buffer::dirty(lookup.index.len() * lookup.features);
        gather(lookup.rows, lookup.features, lookup.index, &mut x);
        return conv_max::forward(&lookup.shape(), &x, filters, out, argmax);
    }
    choose(lookup, filters, out, argmax);
    let columns = filters.columns();
    let texts = out.par_chunks_mut(columns).zip(argmax.par_chunks_mut(columns)).zip(lookup.lengths);
    texts.with_min_len(8).for_each(|((out, argmax), length)| {
        if *length == 0 {
            out.fill(0.0);
            return argmax.fill(NOWHERE);
        }
        vectorize(
            #[inline(always)]
            || filters.activation.apply_with_bias(out, filters.bias),
        );
    });
}

/// Whether words repeat enough: a product saved is worth `features` multiplications, and what takes the place of it a write
/// and a few reads.
fn repeats(lookup: &Lookup<'_>) -> bool {
    let positions: usize = lookup.lengths.iter().sum();
    lookup.distinct() * (lookup.features + 8) + 5 * positions < positions * lookup.features
}

#[track_caller]
fn check(lookup: &Lookup<'_>, filters: &Filters<'_>, out: &[f32], argmax: &[u32]) {
    lookup.check();
    filters.check(lookup.features);
    let want = lookup.lengths.len() * filters.columns();
    assert!(out.len() == want && argmax.len() == want, "filter responses: {} instead of {want}", out.len());
}

/// Returns the gradients of the filters, given the results of [`forward`] and the gradient `dy` of its output.
///
/// `drows` `[distinct, features]`, if asked for, is replaced by the gradient of the distinct words. `turned` keeps the filters
/// one by one for it, so that calls with the same filters turn them once.
///
/// # Panics
/// If a slice has another size, or an index is no row.
pub fn backward(
    lookup: &Lookup<'_>,
    filters: &Filters<'_>,
    (y, argmax): (&[f32], &[u32]),
    dy: &[f32],
    drows: Option<&mut [f32]>,
    turned: &OnceLock<Vec<f32>>,
) -> FilterGradients {
    check(lookup, filters, y, argmax);
    let sums = conv_max::sum_gradients(filters, (y, argmax), dy);
    let windows = Windows::new(filters, lookup.features);
    if let Some(drows) = drows {
        assert_eq!(drows.len(), lookup.rows.len(), "gradients of words");
        Winners::new(lookup, &windows, argmax, &sums)
            .rows_gradient(turned.get_or_init(|| filters.by_filter().concat()), drows);
    }
    let mut bias = vec![0.0; filters.columns()];
    column_sums(&sums, &mut bias);
    let by_filter = weight_gradient(lookup, &windows, argmax, &sums);
    let of_width = |kind: usize| {
        let size = filters.widths[kind] * lookup.features;
        let first = windows.columns[kind * filters.count].start;
        transposed(&by_filter[first..][..filters.count * size], filters.count, size)
    };
    FilterGradients { weights: (0..filters.widths.len()).map(of_width).collect(), bias }
}

/// The window of every filter, in the order of the columns.
#[derive(Debug)]
struct Windows {
    columns: Vec<Window>,
    /// Length of all filters' weights one after another, `[widths, count, width * features]`.
    len: usize,
    widest: usize,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    /// Where its weights start among those of all filters.
    start: usize,
    width: usize,
}

impl Windows {
    fn new(filters: &Filters<'_>, features: usize) -> Self {
        let (mut columns, mut len) = (Vec::with_capacity(filters.columns()), 0);
        for width in filters.widths.iter().flat_map(|width| std::iter::repeat_n(*width, filters.count)) {
            columns.push(Window { start: len, width });
            len += width * features;
        }
        Self { columns, len, widest: filters.widest() }
    }

    /// Divides an array of all filters' weights among so many filters each.
    fn shared_out<'a>(&self, filters: usize, weights: &'a mut [f32]) -> Vec<(Range<usize>, &'a mut [f32])> {
        let (mut rest, mut shares) = (weights, Vec::new());
        for first in (0..self.columns.len()).step_by(filters.max(1)) {
            let end = self.columns.len().min(first + filters);
            let until = self.columns.get(end).map_or(self.len, |window| window.start);
            let (share, after) = rest.split_at_mut(until - self.columns[first].start);
            shares.push((first..end, share));
            rest = after;
        }
        shares
    }
}

/// Returns the gradients of all weights, filter by filter.
///
/// Text by text, because the windows of a text's many winners overlap; every part of the texts has sums of its own. Few texts
/// are one part, whose filters are shared out.
fn weight_gradient(lookup: &Lookup<'_>, windows: &Windows, argmax: &[u32], sums: &[f32]) -> Buffer {
    const PARTS: usize = 8;
    const TASKS: usize = 4;
    let batch = lookup.lengths.len();
    let texts = batch.div_ceil(PARTS).max(32);
    let mut parts: Vec<Buffer> = (0..batch.div_ceil(texts).max(1)).map(|_| Buffer::zeros(windows.len)).collect();
    let filters = windows.columns.len().div_ceil(TASKS.div_ceil(parts.len()));
    let mut tasks: Vec<(Range<usize>, Range<usize>, &mut [f32])> = Vec::new();
    for (part, gradient) in parts.iter_mut().enumerate() {
        let texts = part * texts..batch.min((part + 1) * texts);
        let shares = windows.shared_out(filters, gradient);
        tasks.extend(shares.into_iter().map(|(columns, share)| (texts.clone(), columns, share)));
    }
    tasks.into_par_iter().for_each(|(texts, columns, share)| {
        vectorize(
            #[inline(always)]
            || add_windows(lookup, windows, (argmax, sums), (texts, columns), share),
        );
    });
    let mut parts = parts.into_iter();
    let mut total = parts.next().unwrap_or_else(|| Buffer::zeros(windows.len));
    for part in parts {
        let chunks = total.par_chunks_mut(1 << 14).zip(part.par_chunks(1 << 14));
        chunks.for_each(|(total, part)| total.iter_mut().zip(part).for_each(|(total, part)| *total += part));
    }
    total
}

/// Adds the winning windows of some filters in some texts to the gradient of those filters' weights.
#[inline(always)]
fn add_windows(
    lookup: &Lookup<'_>,
    windows: &Windows,
    (argmax, sums): (&[u32], &[f32]),
    (texts, columns): (Range<usize>, Range<usize>),
    gradient: &mut [f32],
) {
    let features = lookup.features;
    let base = windows.columns.get(columns.start).map_or(0, |window| window.start);
    for text in texts {
        let words = lookup.text(text);
        let first = text * windows.columns.len();
        let own = first + columns.start..first + columns.end;
        let winners = argmax[own.clone()].iter().zip(&sums[own]).zip(&windows.columns[columns.clone()]);
        for ((position, sum), window) in winners.filter(|((_, sum), _)| **sum != 0.0) {
            let (skipped, first) = conv_max::window(*position, window.width);
            let offsets = &mut gradient[window.start - base..][..window.width * features];
            let offsets = offsets.chunks_exact_mut(features).skip(skipped);
            offsets.zip(&words[first..]).for_each(|(offset, row)| add_scaled(offset, *sum, lookup.row(*row)));
        }
    }
}

#[cfg(test)]
mod tests;
