//! How is a text read in both directions? A whole bidirectional LSTM as one operation, forward and backward.
//!
//! ```text
//! [i f g o] = x_t W_ih + h_{t-1} W_hh + bias
//! c_t = sigmoid(f) c_{t-1} + sigmoid(i) tanh(g)
//! h_t = sigmoid(o) tanh(c_t)
//! ```
//!
//! The backward direction starts at each text's own end. Texts are sorted by length and worked position by position, so
//! that only texts still alive take part and no padding is computed. The weights are packed once, and meet input and hidden
//! state in one product; going back, the gradients of all weights are one product for every few positions, whose gates
//! still lie in the cache.
//!
//! Each direction of each `GROUP` texts is a task. Tasks depend on the shapes alone and their gradients are added in
//! order, so that threads never change a bit.
//!
//! Cost: 8 (e + h) h multiplications a token and direction forward, twice that backward.
//! Reference: Hochreiter and Schmidhuber, "Long short-term memory", Neural Computation, 1997; gates as in PyTorch.

use rayon::prelude::*;

use crate::buffers::Buffer;
use crate::matrix::{Accumulate, MatMut, MatRef, matmul};
use crate::packed::{Packed, Right, Rows};
use crate::padded::Padded;
use crate::rows::{add, transposed};

/// Rows whose gradients are worked into those of the weights at a time.
const BLOCK: usize = 256;

mod cell;
mod group;
mod words;

use group::{Group, groups};
pub use words::lstm_infer_words;

/// The weights of one direction, gates in the order input, forget, cell, output.
#[derive(Debug, Clone, Copy)]
pub struct LstmWeights<'a> {
    /// `[e, 4h]`: from the input.
    pub input: &'a [f32],
    /// `[h, 4h]`: from the hidden state.
    pub recurrent: &'a [f32],
    /// `[4h]`.
    pub bias: &'a [f32],
}

/// The gradients of one direction's weights.
#[derive(Debug, Clone, PartialEq)]
pub struct LstmGradients {
    /// `[e, 4h]`.
    pub input: Vec<f32>,
    /// `[h, 4h]`.
    pub recurrent: Vec<f32>,
    /// `[4h]`.
    pub bias: Vec<f32>,
}

/// What backward needs of a forward pass; it may be used any number of times.
#[derive(Debug)]
pub struct LstmCache {
    lengths: Vec<usize>,
    time: usize,
    sizes: Sizes,
    groups: Vec<(Group, [Track; 2])>,
}

#[derive(Debug, Clone, Copy)]
struct Sizes {
    /// Values of an input position.
    e: usize,
    /// Values of a hidden state.
    h: usize,
}

impl Sizes {
    /// Values of a row `[input, 1, previous hidden state]`: the product of its transpose with the gates' gradients
    /// is the gradient of all weights, the bias included.
    fn row(self) -> usize {
        self.e + 1 + self.h
    }
}

/// The values of one direction of a group, a row for each token, position by position.
#[derive(Debug)]
struct Track {
    /// `[row, e + 1 + h]`.
    rows: Buffer,
    /// `[row, 4h]`, after their activations.
    gates: Buffer,
    /// `[row, h]`.
    cells: Buffer,
    /// `[row, h]`.
    hidden: Buffer,
}

/// Runs both directions over `x` `[batch, time, e]` into `out` `[batch, time, 2h]` (forward, then backward direction).
///
/// `shape` is that of `x`; `weights` are those of the forward and the backward direction.
///
/// # Panics
/// If lengths do not fit.
pub fn lstm_forward(x: &[f32], shape: &Padded<'_>, weights: [LstmWeights<'_>; 2], out: &mut [f32]) -> LstmCache {
    let sizes = check(x, shape, &weights, out);
    let prepared = both(|direction| pack(&weights[direction], sizes));
    let groups = groups(shape.lengths)
        .into_par_iter()
        .map(|group| {
            let tracks = both(|direction| walk(x, shape, &group, direction, &prepared[direction], sizes));
            (group, tracks)
        })
        .collect();
    let cache = LstmCache { lengths: shape.lengths.to_vec(), time: shape.time, sizes, groups };
    let places = cache.places();
    out.par_chunks_mut((shape.time * 2 * sizes.h).max(1)).zip(&places).for_each(|(out, (at, rank))| {
        let (group, tracks) = &cache.groups[*at];
        group.write_text(hidden_of(tracks), *rank, sizes.h, out);
    });
    cache
}

/// Runs [`lstm_forward`] without keeping anything for backward: texts go in parts, so that memory stays small.
///
/// # Panics
/// If lengths do not fit.
pub fn lstm_infer(x: &[f32], shape: &Padded<'_>, weights: [LstmWeights<'_>; 2], out: &mut [f32]) {
    let sizes = check(x, shape, &weights, out);
    let prepared = both(|direction| pack(&weights[direction], sizes));
    let mut places: Vec<Option<&mut [f32]>> = out.chunks_mut((shape.time * 2 * sizes.h).max(1)).map(Some).collect();
    let parts: Vec<(Group, Vec<&mut [f32]>)> = groups(shape.lengths)
        .into_iter()
        .map(|group| {
            let places = group.texts.iter().filter_map(|text| places.get_mut(*text).and_then(Option::take)).collect();
            (group, places)
        })
        .collect();
    parts.into_par_iter().for_each(|(group, places)| {
        let tracks = both(|direction| walk(x, shape, &group, direction, &prepared[direction], sizes));
        for (rank, place) in places.into_iter().enumerate() {
            group.write_text(hidden_of(&tracks), rank, sizes.h, place);
        }
    });
}

/// Carries `dout` `[batch, time, 2h]` back to `dx` `[batch, time, e]`, and returns the weights' gradients.
///
/// `weights` are those of the forward pass. `dout` is not read past a text's length, where `dx` is zero.
///
/// # Panics
/// If lengths do not fit.
pub fn lstm_backward(
    cache: &LstmCache,
    weights: [LstmWeights<'_>; 2],
    dout: &[f32],
    dx: &mut [f32],
) -> [LstmGradients; 2] {
    let (Sizes { e, h }, batch) = (cache.sizes, cache.lengths.len());
    assert_eq!(dout.len(), batch * cache.time * 2 * h, "LSTM: output gradient of another shape");
    let shape = Padded { lengths: &cache.lengths, time: cache.time, features: e };
    shape.check(dx);
    weights.iter().for_each(|weights| assert_eq!(sizes_of(weights, e).h, h, "LSTM: weights of another shape"));
    let transposed = both(|direction| Transposed::new(&weights[direction], cache.sizes));
    let parts: Vec<[(Buffer, Buffer); 2]> = cache
        .groups
        .par_iter()
        .map(|(group, tracks)| {
            both(|direction| walk_back(cache, group, &tracks[direction], direction, &transposed[direction], dout))
        })
        .collect();
    let places = cache.places();
    dx.par_chunks_mut((cache.time * e).max(1)).enumerate().for_each(|(text, dx)| {
        let ((at, rank), length) = (places[text], cache.lengths[text]);
        for (position, dx) in dx.chunks_exact_mut(e).enumerate() {
            if position >= length {
                dx.fill(0.0);
                continue;
            }
            let offsets = &cache.groups[at].0.offsets;
            let row = |direction: usize, step: usize| &parts[at][direction].0[(offsets[step] + rank) * e..][..e];
            let pair = row(0, position).iter().zip(row(1, length - 1 - position));
            dx.iter_mut().zip(pair).for_each(|(dx, (forward, backward))| *dx = forward + backward);
        }
    });
    both(|direction| {
        let mut total = vec![0.0; cache.sizes.row() * 4 * h];
        parts.iter().for_each(|part| add(&mut total, &part[direction].1));
        let recurrent = total.split_off((e + 1) * 4 * h);
        let bias = total.split_off(e * 4 * h);
        LstmGradients { input: total, recurrent, bias }
    })
}

impl LstmCache {
    /// Returns the group of each text, and its rank there.
    fn places(&self) -> Vec<(usize, usize)> {
        let mut places = vec![(0, 0); self.lengths.len()];
        for (at, (group, _)) in self.groups.iter().enumerate() {
            group.texts.iter().enumerate().for_each(|(rank, text)| places[*text] = (at, rank));
        }
        places
    }
}

/// Packs the weights of a direction for rows `[input, 1, previous hidden state]`, the bias as those of the constant 1.
fn pack(weights: &LstmWeights<'_>, sizes: Sizes) -> Packed {
    let all = [weights.input, weights.bias, weights.recurrent].concat();
    Packed::new(Right { data: &all, row_stride: 4 * sizes.h, col_stride: 1 }, sizes.row(), 4 * sizes.h)
}

/// Runs one direction of a group.
fn walk(x: &[f32], shape: &Padded, group: &Group, direction: usize, weights: &Packed, sizes: Sizes) -> Track {
    let (Sizes { e, h }, width, count) = (sizes, sizes.row(), group.count());
    let mut rows = Buffer::dirty(count * width);
    for (rank, text) in group.texts.iter().enumerate() {
        let tokens = shape.valid(x, *text);
        for (step, token) in ordered(tokens.chunks_exact(e), direction).enumerate() {
            let row = &mut rows[(group.offsets[step] + rank) * width..][..width];
            row[..e].copy_from_slice(token);
            row[e] = 1.0;
            if step == 0 {
                row[e + 1..].fill(0.0);
            }
        }
    }
    let mut gates = Buffer::dirty(count * 4 * h);
    let (mut cells, mut hidden) = (Buffer::dirty(count * h), Buffer::dirty(count * h));
    for step in 0..group.steps() {
        let (first, alive) = group.rows_of(step);
        let gates = &mut gates[first * 4 * h..][..alive * 4 * h];
        let left = (&rows[first * width..], Rows { count: alive, stride: width });
        let out = (&mut *gates, Rows { count: alive, stride: 4 * h });
        weights.multiply(left, out, Accumulate::Overwrite);
        let (before, cells) = cells.split_at_mut(first * h);
        let before = if step == 0 { &[] } else { &before[group.offsets[step - 1] * h..] };
        let hidden = &mut hidden[first * h..][..alive * h];
        cell::forward(gates, before, &mut cells[..alive * h], hidden, h);
        let (next, next_alive) = group.rows_of(step + 1);
        for (rank, hidden) in hidden.chunks_exact(h).take(next_alive).enumerate() {
            rows[(next + rank) * width + e + 1..][..h].copy_from_slice(hidden);
        }
    }
    Track { rows, gates, cells, hidden }
}

/// The weights of a direction as gradients go back through them.
struct Transposed {
    /// `[4h, e]`.
    input: Packed,
    /// `[4h, h]`.
    recurrent: Packed,
}

impl Transposed {
    fn new(weights: &LstmWeights<'_>, Sizes { e, h }: Sizes) -> Self {
        let pack = |weights: &[f32], rows: usize| {
            let columns = transposed(weights, rows, 4 * h);
            Packed::new(Right { data: &columns, row_stride: rows, col_stride: 1 }, 4 * h, rows)
        };
        Self { input: pack(weights.input, e), recurrent: pack(weights.recurrent, h) }
    }
}

/// Returns the gradients of a track's input `[row, e]` and of all weights `[e + 1 + h, 4h]`.
///
/// Those of the weights are added up block by block of rows, while a block's gradients still lie in the cache.
fn walk_back(
    cache: &LstmCache,
    group: &Group,
    track: &Track,
    direction: usize,
    transposed: &Transposed,
    dout: &[f32],
) -> (Buffer, Buffer) {
    let (Sizes { e, h }, width, count) = (cache.sizes, cache.sizes.row(), group.count());
    let mut dhidden = Buffer::dirty(count * h);
    for (rank, text) in group.texts.iter().enumerate() {
        let values = &dout[text * cache.time * 2 * h..][..cache.lengths[*text] * 2 * h];
        for (step, values) in ordered(values.chunks_exact(2 * h), direction).enumerate() {
            dhidden[(group.offsets[step] + rank) * h..][..h].copy_from_slice(&values[direction * h..][..h]);
        }
    }
    let (mut dx, mut dweights) = (Buffer::dirty(count * e), Buffer::dirty(width * 4 * h));
    if count == 0 {
        dweights.fill(0.0);
    }
    let alive_most = group.rows_of(0).1;
    let mut dcells = Buffer::zeros(alive_most * h);
    // The gates of a block's rows, filled from its end.
    let room = BLOCK + alive_most;
    let mut block = Buffer::dirty(room * 4 * h);
    let (mut filled, mut how) = (0, Accumulate::Overwrite);
    for step in (0..group.steps()).rev() {
        let (first, alive) = group.rows_of(step);
        let (earlier, dhidden) = dhidden.split_at_mut(first * h);
        let values = cell::Values {
            gates: &track.gates[first * 4 * h..][..alive * 4 * h],
            cells: &track.cells[first * h..][..alive * h],
            before: if step == 0 { &[] } else { &track.cells[group.offsets[step - 1] * h..first * h] },
        };
        filled += alive;
        let dgates = &mut block[(room - filled) * 4 * h..];
        cell::backward(&values, &dhidden[..alive * h], &mut dcells[..alive * h], &mut dgates[..alive * 4 * h], h);
        if step > 0 {
            let left = (&*dgates, Rows { count: alive, stride: 4 * h });
            let out = (&mut earlier[group.offsets[step - 1] * h..], Rows { count: alive, stride: h });
            transposed.recurrent.multiply_add(left, out);
        }
        if filled >= BLOCK || step == 0 {
            let (left, out) = ((&*dgates, Rows { count: filled, stride: 4 * h }), Rows { count: filled, stride: e });
            transposed.input.multiply((left.0, left.1), (&mut dx[first * e..], out), Accumulate::Overwrite);
            let rows = MatRef::strided(&track.rows[first * width..], filled, width, width).t();
            matmul(MatMut::new(&mut dweights, width, 4 * h), rows, MatRef::new(dgates, filled, 4 * h), how);
            (filled, how) = (0, Accumulate::Add);
        }
    }
    (dx, dweights)
}

fn hidden_of(tracks: &[Track; 2]) -> [&[f32]; 2] {
    tracks.each_ref().map(|track| &track.hidden[..])
}

/// Tokens in the order in which a direction reads them.
fn ordered<'a, T: 'a>(
    tokens: impl DoubleEndedIterator<Item = T> + 'a,
    direction: usize,
) -> Box<dyn Iterator<Item = T> + 'a> {
    if direction == 0 { Box::new(tokens) } else { Box::new(tokens.rev()) }
}

fn both<R: Send>(run: impl Fn(usize) -> R + Sync) -> [R; 2] {
    let (forward, backward) = rayon::join(|| run(0), || run(1));
    [forward, backward]
}

fn sizes_of(weights: &LstmWeights<'_>, e: usize) -> Sizes {
    let h = weights.bias.len() / 4;
    let fits = [weights.input.len(), weights.recurrent.len(), weights.bias.len()] == [e * 4 * h, h * 4 * h, 4 * h];
    assert!(fits && h > 0, "LSTM: weights of another shape");
    Sizes { e, h }
}

fn check(x: &[f32], shape: &Padded<'_>, weights: &[LstmWeights<'_>; 2], out: &[f32]) -> Sizes {
    shape.check(x);
    let [sizes, backward] = weights.each_ref().map(|weights| sizes_of(weights, shape.features));
    assert_eq!(sizes.h, backward.h, "LSTM: directions of different sizes");
    assert_eq!(out.len(), shape.batch() * shape.time * 2 * sizes.h, "LSTM: output of another shape");
    sizes
}

#[cfg(test)]
mod tests;
