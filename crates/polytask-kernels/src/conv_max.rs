//! How does a text become features? Convolution, activation and the maximum over time in one operation.
//!
//! The values are those of [`conv`](crate::conv) followed by a maximum over time. The filters run straight over
//! overlapping rows of the text; bias and activation come after the maximum, which the activations, being monotone,
//! allow. Going back, only the winning window of each text and filter matters.
//!
//! Reference: Kim, "Convolutional Neural Networks for Sentence Classification", EMNLP 2014.

use crate::bands::Bands;
use crate::filters::{Convolution, FilterGradients, Filters};
use crate::math::vectorize;
use crate::padded::{Packed, Padded};
use crate::pool::{NOWHERE, take_greater};
use crate::rows::{add_scaled, column_sums, split, transposed};
use rayon::prelude::*;
use std::ops::Range;

/// Positions of the texts that are worked on together, where texts are short enough.
const ROWS: usize = 256;
/// The largest height of a product, whose result then stays in the second-level cache.
const HEIGHT: usize = 160;

/// Computes `out` `[batch, widths * count]`: for each filter, the activation of its largest response to a text.
///
/// At each position `t` of a text in `x` `[batch, time, features]`, a filter of width `k` sees the positions from
/// `t - (k - 1) / 2` to `t + k / 2`, zero outside the text. An empty text gives zeros.
/// `argmax` `[batch, widths * count]` receives the winning position, [`NOWHERE`] for an empty text. A NaN in a window
/// is greater than any number. Panics if a slice has another size.
pub fn forward(shape: &Padded<'_>, x: &[f32], filters: &Filters<'_>, out: &mut [f32], argmax: &mut [u32]) {
    check(shape, x, filters, out, argmax);
    let convolution = Convolution { shape, x, filters };
    let (columns, bands) = (filters.columns(), Bands::new(filters, shape.features));
    let runs = shape.runs(ROWS);
    let outs = split(out, runs.iter().map(|run| run.len() * columns));
    let argmaxes = split(argmax, runs.iter().map(|run| run.len() * columns));
    let tasks = runs.into_par_iter().zip(outs).zip(argmaxes);
    tasks.for_each_init(Scratch::default, |scratch, ((run, out), argmax)| {
        run_forward(convolution, &bands, run, Winners { out, argmax }, scratch);
    });
}

/// The results of a run of texts, `[texts, widths * count]`.
struct Winners<'a> {
    out: &'a mut [f32],
    argmax: &'a mut [u32],
}

/// Buffers that serve one run after another.
#[derive(Default)]
struct Scratch {
    packed: Packed,
    responses: Vec<f32>,
}

/// The responses `[positions, columns]` around some of the positions of a run.
struct Responses<'a> {
    data: &'a [f32],
    positions: Range<usize>,
    /// Which of the widths stands at each rank of the columns.
    order: &'a [usize],
}

fn run_forward(
    convolution: Convolution<'_>,
    bands: &Bands,
    run: Range<usize>,
    mut winners: Winners<'_>,
    scratch: &mut Scratch,
) {
    let Convolution { shape, x, filters } = convolution;
    let Scratch { packed, responses } = scratch;
    let (columns, gap) = (filters.columns(), filters.widest() / 2);
    let lengths = &shape.lengths[run.clone()];
    winners.out.fill(0.0);
    winners.argmax.fill(NOWHERE);
    packed.fill(lengths, shape.features, gap, |item, rows| {
        rows.extend_from_slice(shape.valid(x, run.start + item));
    });
    let end = packed.rows.saturating_sub(gap);
    let total = end.saturating_sub(gap);
    // Parts of equal height: a low last one would cost almost as much as a high one.
    let height = total.div_ceil(total.div_ceil(HEIGHT).max(1)).max(1);
    responses.resize(height * columns, 0.0);
    for first in (gap..end).step_by(height) {
        let positions = first..end.min(first + height);
        bands.responses(packed, positions.clone(), responses);
        let block = Responses { data: responses, positions, order: bands.order() };
        vectorize(
            #[inline(always)]
            || winners.take(&block, filters, lengths, &packed.starts),
        );
    }
    vectorize(
        #[inline(always)]
        || {
            let texts = winners.out.chunks_exact_mut(columns).zip(lengths);
            let texts = texts.filter(|(_, length)| **length > 0);
            texts.for_each(|(row, _)| filters.activation.apply_with_bias(row, filters.bias));
        },
    );
}

impl Winners<'_> {
    /// Lets the windows around the positions of each text compete; the others are around the zeros between texts.
    #[inline(always)]
    fn take(&mut self, block: &Responses<'_>, filters: &Filters<'_>, lengths: &[usize], starts: &[usize]) {
        let (count, columns) = (filters.count, filters.columns());
        let Responses { data, positions, order } = block;
        for (text, (length, start)) in lengths.iter().zip(starts).enumerate() {
            if *length == 0 {
                continue;
            }
            let own = positions.start.max(*start)..positions.end.min(start + length);
            for (rank, kind) in order.iter().enumerate() {
                let cells = text * columns + kind * count;
                let (best, argmax) = (&mut self.out[cells..][..count], &mut self.argmax[cells..][..count]);
                for position in own.clone() {
                    let row = &data[(position - positions.start) * columns + rank * count..][..count];
                    take_greater(row, (position - start) as u32, best, argmax);
                }
            }
        }
    }
}

/// Returns the gradients of the filters, given the results of [`forward`] and the gradient `dy` of its output.
///
/// `dx` `[batch, time, features]`, if asked for, is replaced by the gradient of the input, which is zero outside the
/// winning windows and past the lengths. Panics if a slice has another size.
pub fn backward(
    shape: &Padded<'_>,
    x: &[f32],
    filters: &Filters<'_>,
    winners: (&[f32], &[u32]),
    dy: &[f32],
    dx: Option<&mut [f32]>,
) -> FilterGradients {
    let (y, argmax) = winners;
    check(shape, x, filters, y, argmax);
    let sums = sum_gradients(filters, winners, dy);
    let convolution = Convolution { shape, x, filters };
    if let Some(dx) = dx {
        shape.check(dx);
        input_gradient(convolution, argmax, &sums, dx);
    }
    let mut bias = vec![0.0; filters.columns()];
    column_sums(&sums, &mut bias);
    let weights = (0..filters.widths.len()).map(|kind| weight_gradient(convolution, kind, argmax, &sums));
    FilterGradients { weights: weights.collect(), bias }
}

/// Returns the gradients of the winning sums, before bias and activation; zero for an empty text.
pub(crate) fn sum_gradients(filters: &Filters<'_>, (y, argmax): (&[f32], &[u32]), dy: &[f32]) -> Vec<f32> {
    assert_eq!(dy.len(), y.len(), "gradients of filter responses");
    let mut sums = vec![0.0; dy.len()];
    filters.activation.backward(y, dy, &mut sums);
    for (sum, position) in sums.iter_mut().zip(argmax) {
        if *position == NOWHERE {
            *sum = 0.0;
        }
    }
    sums
}

fn input_gradient(convolution: Convolution<'_>, argmax: &[u32], sums: &[f32], dx: &mut [f32]) {
    let Convolution { shape, filters, .. } = convolution;
    let (features, count, columns) = (shape.features, filters.count, filters.columns());
    let weights = filters.by_filter();
    let texts = split(dx, shape.lengths.iter().map(|_| shape.stride()));
    texts.into_par_iter().enumerate().for_each(|(text, dx)| {
        dx.fill(0.0);
        let dx = &mut dx[..shape.lengths[text] * features];
        let cells = text * columns..(text + 1) * columns;
        let winners = argmax[cells.clone()].iter().zip(&sums[cells]).enumerate();
        vectorize(
            #[inline(always)]
            || {
                for (column, (position, sum)) in winners {
                    if *sum != 0.0 {
                        let width = filters.widths[column / count];
                        let size = width * features;
                        let weights = &weights[column / count][column % count * size..][..size];
                        let (skipped, start) = window(*position, width);
                        // A window may also end after the text does.
                        add_scaled(&mut dx[start * features..], *sum, &weights[skipped * features..]);
                    }
                }
            },
        );
    });
}

/// Returns `[width * features, count]` for one of the widths.
fn weight_gradient(convolution: Convolution<'_>, kind: usize, argmax: &[u32], sums: &[f32]) -> Vec<f32> {
    let Convolution { shape, x, filters } = convolution;
    let (features, columns) = (shape.features, filters.columns());
    let size = filters.widths[kind] * features;
    let mut by_filter = vec![0.0; filters.count * size];
    by_filter.par_chunks_mut(size).enumerate().for_each(|(filter, gradient)| {
        let column = kind * filters.count + filter;
        vectorize(
            #[inline(always)]
            || {
                for text in 0..shape.batch() {
                    let (position, sum) = (argmax[text * columns + column], sums[text * columns + column]);
                    if sum != 0.0 {
                        let (skipped, start) = window(position, filters.widths[kind]);
                        add_scaled(&mut gradient[skipped * features..], sum, &shape.valid(x, text)[start * features..]);
                    }
                }
            },
        );
    });
    transposed(&by_filter, filters.count, size)
}

/// How many offsets of the window around a position lie before the text, and where in the text the others start.
#[inline(always)]
pub(crate) fn window(position: u32, width: usize) -> (usize, usize) {
    let (position, left) = (position as usize, (width - 1) / 2);
    (left.saturating_sub(position), position.saturating_sub(left))
}

#[track_caller]
fn check(shape: &Padded<'_>, x: &[f32], filters: &Filters<'_>, out: &[f32], argmax: &[u32]) {
    shape.check(x);
    filters.check(shape.features);
    let want = shape.batch() * filters.columns();
    assert!(out.len() == want && argmax.len() == want, "filter responses: {} instead of {want}", out.len());
    assert!(shape.time < NOWHERE as usize, "more positions than a u32 counts");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::Activation;
    use crate::testing::{
        Lcg, RandomFilters, activate, assert_close, assert_gradient, same_on_all_pools, weighted_sum, widen,
    };

    fn reference(shape: &Padded<'_>, filters: &Filters<'_>, x: &[f64], weights: &[Vec<f64>], bias: &[f64]) -> Vec<f64> {
        let mut out = Vec::new();
        for (text, length) in shape.lengths.iter().enumerate() {
            for (column, bias) in bias.iter().enumerate() {
                let (kind, filter) = (column / filters.count, column % filters.count);
                let left = (filters.widths[kind] - 1) / 2;
                let response = |position: usize| -> f64 {
                    (0..filters.widths[kind] * shape.features)
                        .filter(|i| (left..left + length).contains(&(position + i / shape.features)))
                        .map(|i| {
                            let at = (text * shape.time + position) * shape.features + i - left * shape.features;
                            x[at] * weights[kind][i * filters.count + filter]
                        })
                        .sum()
                };
                let best = (0..*length).map(response).fold(f64::NEG_INFINITY, f64::max);
                out.push(if *length == 0 { 0.0 } else { activate(filters.activation, best + bias) });
            }
        }
        out
    }

    const BATCHES: [(&[usize], usize, usize); 5] =
        [(&[6, 0, 1, 9, 2, 4], 9, 3), (&[1], 1, 1), (&[], 3, 2), (&[0, 0], 0, 2), (&[4], 7, 2)];

    #[test]
    fn forward_and_backward_agree_with_f64() {
        let mut random = Lcg::new(1);
        for (lengths, time, features) in BATCHES {
            for activation in [Activation::None, Activation::Relu, Activation::Tanh] {
                let shape = Padded { lengths, time, features };
                let own = RandomFilters::new(&mut random, &[3, 1, 4], 5, features, activation);
                own.with(|filters| {
                    let x = random.vec(shape.elements());
                    let dy = random.vec(lengths.len() * filters.columns());
                    let (mut y, mut argmax) = (vec![f32::NAN; dy.len()], vec![3; dy.len()]);
                    let mut dx = vec![f32::NAN; x.len()];
                    forward(&shape, &x, filters, &mut y, &mut argmax);
                    let (x64, w64, b64) = (widen(&x), own.wide_weights(), widen(&own.bias));
                    assert_close(&y, &reference(&shape, filters, &x64, &w64, &b64), 1e-5);
                    let gradients = backward(&shape, &x, filters, (&y, &argmax), &dy, Some(&mut dx));
                    let loss =
                        |x: &[f64], w: &[Vec<f64>], b: &[f64]| weighted_sum(&dy, &reference(&shape, filters, x, w, b));
                    assert_gradient(&dx, &x, |x| loss(x, &w64, &b64));
                    assert_gradient(&gradients.bias, &own.bias, |b| loss(&x64, &w64, b));
                    for kind in 0..3 {
                        assert_gradient(&gradients.weights[kind], &own.weights[kind], |w| {
                            let mut all = w64.clone();
                            all[kind] = w.to_vec();
                            loss(&x64, &all, &b64)
                        });
                    }
                    assert_eq!(backward(&shape, &x, filters, (&y, &argmax), &dy, None), gradients);
                });
            }
        }
    }

    #[test]
    fn a_text_longer_than_a_block_keeps_its_maximum() {
        let mut random = Lcg::new(2);
        let own = RandomFilters::new(&mut random, &[2], 1, 1, Activation::None);
        let shape = Padded { lengths: &[1000], time: 1000, features: 1 };
        own.with(|filters| {
            for peak in [0, 254, 255, 256, 511, 998] {
                let mut x = vec![0.0; 1000];
                (x[peak], x[peak + 1]) = (own.weights[0][0], own.weights[0][1]);
                let (mut y, mut argmax) = ([0.0], [0]);
                forward(&shape, &x, filters, &mut y, &mut argmax);
                assert_eq!(argmax, [peak as u32]);
            }
        });
    }

    #[test]
    fn nan_in_data_is_kept_and_nan_in_padding_ignored() {
        let own = RandomFilters::new(&mut Lcg::new(3), &[2, 3], 2, 1, Activation::Relu);
        let shape = Padded { lengths: &[4, 2, 3], time: 4, features: 1 };
        let x = [0.1, f32::NAN, 0.2, 0.3, 1.0, 2.0, f32::NAN, f32::NAN, 1.0, 2.0, 3.0, f32::NAN];
        own.with(|filters| {
            let (mut y, mut argmax) = ([0.0; 12], [0; 12]);
            forward(&shape, &x, filters, &mut y, &mut argmax);
            assert!(y[..4].iter().all(|y| y.is_nan()) && y[4..].iter().all(|y| y.is_finite()), "{y:?}");
            let gradients = backward(
                &shape,
                &x[..],
                filters,
                (&y, &argmax),
                &[0., 0., 0., 0., 1., 1., 1., 1., 1., 1., 1., 1.],
                None,
            );
            assert!(gradients.weights.concat().iter().all(|g| g.is_finite()));
        });
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let mut random = Lcg::new(4);
        let lengths: Vec<usize> = (0..41).map(|_| random.below(40)).collect();
        let own = RandomFilters::new(&mut random, &[2, 5], 17, 6, Activation::Tanh);
        let shape = Padded { lengths: &lengths, time: 40, features: 6 };
        let (x, dy) = (random.vec(shape.elements()), random.vec(41 * 34));
        own.with(|filters| {
            same_on_all_pools(|| {
                let (mut y, mut argmax, mut dx) = (vec![0.0; 41 * 34], vec![0; 41 * 34], vec![0.0; x.len()]);
                forward(&shape, &x, filters, &mut y, &mut argmax);
                let gradients = backward(&shape, &x, filters, (&y, &argmax), &dy, Some(&mut dx));
                [y, dx, gradients.weights.concat(), gradients.bias].concat()
            });
        });
    }
}
