//! How does a token see its neighbours? Convolution over time that keeps the length, with an activation.
//!
//! The response of a filter of width `k` at position `t` covers the positions from `t - (k - 1) / 2` to `t + k / 2`;
//! outside the text they read zero. Products run straight on overlapping rows of a copy with zeros between texts.

use crate::bands::Bands;
use crate::filters::{Convolution, FilterGradients, Filters};
use crate::math::vectorize;
use crate::matrix::{Accumulate, MatMut, MatRef, matmul};
use crate::padded::{Packed, Padded};
use crate::rows::{add, column_sums, split};
use rayon::prelude::*;
use std::ops::Range;

/// Positions that share a product, where texts are short enough.
const ROWS: usize = 256;
/// The largest number of partial sums that the filters' gradients are added up from.
const PARTS: usize = 8;

/// Computes `out` `[batch, time, widths * count]` from `x` `[batch, time, features]`; zero past the lengths.
///
/// Panics if a slice has another size.
pub fn forward(shape: &Padded<'_>, x: &[f32], filters: &Filters<'_>, out: &mut [f32]) {
    check(shape, x, filters, out);
    let runs = shape.runs(ROWS);
    let outs = split(out, runs.iter().map(|run| run.len() * shape.time * filters.columns()));
    let (convolution, bands) = (Convolution { shape, x, filters }, Bands::new(filters, shape.features));
    let tasks = runs.into_par_iter().zip(outs);
    tasks.for_each_init(Scratch::default, |scratch, (run, out)| run_forward(convolution, &bands, run, out, scratch));
}

/// Buffers that serve one run after another.
#[derive(Default)]
struct Scratch {
    packed: Packed,
    responses: Vec<f32>,
}

fn run_forward(convolution: Convolution<'_>, bands: &Bands, run: Range<usize>, out: &mut [f32], scratch: &mut Scratch) {
    let Convolution { shape, filters, .. } = convolution;
    let Scratch { packed, responses } = scratch;
    let (count, columns, gap) = (filters.count, filters.columns(), gap(filters));
    pack_input(packed, convolution, run.clone());
    let positions = gap..packed.rows.saturating_sub(gap).max(gap);
    // Only the size matters: the product overwrites what is there.
    responses.resize(positions.len() * columns, 0.0);
    bands.responses(packed, positions, responses);
    vectorize(
        #[inline(always)]
        || {
            for (text, item) in run.clone().enumerate() {
                let rows = out[text * shape.time * columns..].chunks_exact_mut(columns);
                // An empty text has no rows to start at.
                let first = packed.starts[text].saturating_sub(gap) * columns;
                let responses = responses.get(first..).unwrap_or_default().chunks_exact(columns);
                for (row, response) in rows.zip(responses).take(shape.lengths[item]) {
                    for (kind, response) in bands.order().iter().zip(response.chunks_exact(count)) {
                        row[kind * count..][..count].copy_from_slice(response);
                    }
                    filters.activation.apply_with_bias(row, filters.bias);
                }
            }
        },
    );
    for (text, item) in run.enumerate() {
        out[(text * shape.time + shape.lengths[item]) * columns..(text + 1) * shape.time * columns].fill(0.0);
    }
}

/// Returns the gradients of the filters, given the output `y` of [`forward`] and the gradient `dy` of that output.
///
/// `dx` `[batch, time, features]`, if asked for, is replaced by the gradient of the input; zero past the lengths.
/// Panics if a slice has another size.
pub fn backward(
    shape: &Padded<'_>,
    x: &[f32],
    filters: &Filters<'_>,
    y: &[f32],
    dy: &[f32],
    dx: Option<&mut [f32]>,
) -> FilterGradients {
    check(shape, x, filters, y);
    assert_eq!(dy.len(), y.len(), "gradients of filter responses");
    let convolution = Convolution { shape, x, filters };
    let positions: usize = shape.lengths.iter().map(|length| (*length).max(1)).sum();
    let runs = shape.runs(positions.div_ceil(PARTS).max(ROWS));
    let dxs: Vec<Option<&mut [f32]>> = match dx {
        Some(dx) => {
            shape.check(dx);
            split(dx, runs.iter().map(|run| run.len() * shape.stride())).into_iter().map(Some).collect()
        }
        None => runs.iter().map(|_| None).collect(),
    };
    let reversed = if dxs.iter().any(Option::is_some) { filters.reversed(shape.features) } else { Vec::new() };
    let tasks = runs.into_par_iter().zip(dxs);
    let parts: Vec<FilterGradients> = tasks
        .map(|(run, dx)| {
            let kinds = (0..filters.widths.len()).into_par_iter();
            let sums: Vec<Packed> = kinds.map(|kind| pack_sums(convolution, run.clone(), kind, (y, dy))).collect();
            if let Some(dx) = dx {
                let gradient = input_gradient(convolution, &reversed, &sums);
                unpack(shape, run.clone(), &sums[0].starts, gap(filters), &gradient, dx);
            }
            filter_gradients(convolution, run, &sums)
        })
        .collect();
    total(shape, filters, &parts)
}

/// Adds up the partial gradients, in order.
fn total(shape: &Padded<'_>, filters: &Filters<'_>, parts: &[FilterGradients]) -> FilterGradients {
    let sizes = filters.widths.iter().map(|width| width * shape.features * filters.count);
    let mut total =
        FilterGradients { weights: sizes.map(|size| vec![0.0; size]).collect(), bias: vec![0.0; filters.columns()] };
    for part in parts {
        total.weights.iter_mut().zip(&part.weights).for_each(|(total, part)| add(total, part));
        add(&mut total.bias, &part.bias);
    }
    total
}

fn filter_gradients(convolution: Convolution<'_>, run: Range<usize>, sums: &[Packed]) -> FilterGradients {
    let Convolution { shape, filters, .. } = convolution;
    let (count, features, gap) = (filters.count, shape.features, gap(filters));
    let mut packed = Packed::default();
    pack_input(&mut packed, convolution, run);
    let mut gradients = FilterGradients { weights: Vec::new(), bias: vec![0.0; filters.columns()] };
    for (kind, (width, sums)) in filters.widths.iter().zip(sums).enumerate() {
        let windows = windows(&packed, gap, (width - 1) / 2, *width, features);
        let inner = MatRef::new(&sums.data, sums.rows, count).row_range(gap.min(sums.rows), windows.rows());
        let mut weights = vec![0.0; width * features * count];
        matmul(MatMut::new(&mut weights, width * features, count), windows.t(), inner, Accumulate::Overwrite);
        gradients.weights.push(weights);
        column_sums(&sums.data, &mut gradients.bias[kind * count..][..count]);
    }
    gradients
}

/// Convolves the gradients of the sums with the reversed filters: rows as [`windows`] has them, `[rows, features]`.
fn input_gradient(convolution: Convolution<'_>, reversed: &[Vec<f32>], sums: &[Packed]) -> Vec<f32> {
    let Convolution { shape, filters, .. } = convolution;
    let (features, gap) = (shape.features, gap(filters));
    let mut gradient = Vec::new();
    for (width, (sums, weights)) in filters.widths.iter().zip(sums.iter().zip(reversed)) {
        // The filter reaches as far back here as it reaches forward there.
        let windows = windows(sums, gap, width / 2, *width, filters.count);
        gradient.resize(windows.rows() * features, 0.0);
        let weights = MatRef::new(weights, width * filters.count, features);
        matmul(MatMut::new(&mut gradient, windows.rows(), features), windows, weights, Accumulate::Add);
    }
    gradient
}

/// Copies packed rows, without the outer gaps, to the padded texts of a run.
fn unpack(shape: &Padded<'_>, run: Range<usize>, starts: &[usize], gap: usize, rows: &[f32], out: &mut [f32]) {
    out.fill(0.0);
    for ((text, item), start) in run.enumerate().zip(starts) {
        let size = shape.lengths[item] * shape.features;
        if size > 0 {
            out[text * shape.stride()..][..size].copy_from_slice(&rows[(start - gap) * shape.features..][..size]);
        }
    }
}

/// The rows of zeros between texts: as many as the widest filter reaches over an end.
fn gap(filters: &Filters<'_>) -> usize {
    filters.widest() / 2
}

fn pack_input(packed: &mut Packed, convolution: Convolution<'_>, run: Range<usize>) {
    let Convolution { shape, x, filters } = convolution;
    packed.fill(&shape.lengths[run.clone()], shape.features, gap(filters), |item, rows| {
        rows.extend_from_slice(shape.valid(x, run.start + item));
    });
}

/// Lays out the gradients of the sums that the activation was applied to, for one of the widths.
fn pack_sums(convolution: Convolution<'_>, run: Range<usize>, kind: usize, (y, dy): (&[f32], &[f32])) -> Packed {
    let Convolution { shape, filters, .. } = convolution;
    let (count, columns) = (filters.count, filters.columns());
    let mut packed = Packed::default();
    packed.fill(&shape.lengths[run.clone()], count, gap(filters), |item, rows| {
        let length = shape.lengths[run.start + item];
        let start = rows.len();
        rows.resize(start + length * count, 0.0);
        vectorize(
            #[inline(always)]
            || {
                for (position, row) in rows[start..].chunks_exact_mut(count).enumerate() {
                    let first = ((run.start + item) * shape.time + position) * columns + kind * count;
                    filters.activation.backward_row(&y[first..][..count], &dy[first..][..count], row);
                }
            },
        );
    });
    packed
}

/// Views the windows that reach `back` rows before each row that is not of the outer gaps: `[rows, width * features]`.
fn windows(packed: &Packed, gap: usize, back: usize, width: usize, features: usize) -> MatRef<'_> {
    let rows = packed.rows.saturating_sub(2 * gap);
    let first = if rows > 0 { (gap - back) * features } else { 0 };
    MatRef::strided(&packed.data[first..], rows, width * features, features)
}

#[track_caller]
fn check(shape: &Padded<'_>, x: &[f32], filters: &Filters<'_>, out: &[f32]) {
    shape.check(x);
    filters.check(shape.features);
    assert_eq!(out.len(), shape.batch() * shape.time * filters.columns(), "filter responses");
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
            for (position, column) in (0..shape.time).flat_map(|t| (0..bias.len()).map(move |column| (t, column))) {
                if position >= *length {
                    out.push(0.0);
                    continue;
                }
                let (kind, filter) = (column / filters.count, column % filters.count);
                let mut sum = bias[column];
                for offset in 0..filters.widths[kind] {
                    let seen = (position + offset).checked_sub((filters.widths[kind] - 1) / 2);
                    let Some(seen) = seen.filter(|seen| seen < length) else { continue };
                    for feature in 0..shape.features {
                        let weight = weights[kind][(offset * shape.features + feature) * filters.count + filter];
                        sum += x[(text * shape.time + seen) * shape.features + feature] * weight;
                    }
                }
                out.push(activate(filters.activation, sum));
            }
        }
        out
    }

    const BATCHES: [(&[usize], usize, usize); 5] =
        [(&[6, 0, 1, 7, 2], 7, 3), (&[1], 1, 1), (&[], 3, 2), (&[0, 0], 0, 2), (&[0, 3, 0], 4, 2)];

    #[test]
    fn forward_and_backward_agree_with_f64() {
        let mut random = Lcg::new(1);
        let kinds: [&[usize]; 3] = [&[3, 1, 4], &[1], &[2, 5]];
        for (lengths, time, features) in BATCHES {
            for (widths, activation) in kinds.into_iter().zip([Activation::None, Activation::Relu, Activation::Tanh]) {
                let shape = Padded { lengths, time, features };
                let own = RandomFilters::new(&mut random, widths, 3, features, activation);
                own.with(|filters| {
                    let x = random.vec(shape.elements());
                    let dy = random.vec(lengths.len() * time * filters.columns());
                    let (mut y, mut dx) = (vec![f32::NAN; dy.len()], vec![f32::NAN; x.len()]);
                    forward(&shape, &x, filters, &mut y);
                    let (x64, w64, b64) = (widen(&x), own.wide_weights(), widen(&own.bias));
                    assert_close(&y, &reference(&shape, filters, &x64, &w64, &b64), 1e-5);
                    let gradients = backward(&shape, &x, filters, &y, &dy, Some(&mut dx));
                    let loss =
                        |x: &[f64], w: &[Vec<f64>], b: &[f64]| weighted_sum(&dy, &reference(&shape, filters, x, w, b));
                    assert_gradient(&dx, &x, |x| loss(x, &w64, &b64));
                    assert_gradient(&gradients.bias, &own.bias, |b| loss(&x64, &w64, b));
                    for kind in 0..widths.len() {
                        assert_gradient(&gradients.weights[kind], &own.weights[kind], |w| {
                            let mut all = w64.clone();
                            all[kind] = w.to_vec();
                            loss(&x64, &all, &b64)
                        });
                    }
                    assert_eq!(backward(&shape, &x, filters, &y, &dy, None), gradients);
                });
            }
        }
    }

    #[test]
    fn nan_in_data_is_kept_and_nan_in_padding_ignored() {
        let own = RandomFilters::new(&mut Lcg::new(3), &[3], 2, 1, Activation::Relu);
        let shape = Padded { lengths: &[3, 2], time: 4, features: 1 };
        let x = [0.1, 0.2, f32::NAN, f32::NAN, 1.0, 2.0, f32::NAN, f32::NAN];
        own.with(|filters| {
            let mut y = [0.0; 16];
            forward(&shape, &x, filters, &mut y);
            assert!(y[2..6].iter().all(|y| y.is_nan()) && y[6..].iter().all(|y| y.is_finite()), "{y:?}");
        });
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let mut random = Lcg::new(4);
        let lengths: Vec<usize> = (0..41).map(|_| random.below(40)).collect();
        let own = RandomFilters::new(&mut random, &[2, 5], 17, 6, Activation::Tanh);
        let shape = Padded { lengths: &lengths, time: 40, features: 6 };
        let (x, dy) = (random.vec(shape.elements()), random.vec(41 * 40 * 34));
        own.with(|filters| {
            same_on_all_pools(|| {
                let (mut y, mut dx) = (vec![0.0; dy.len()], vec![0.0; x.len()]);
                forward(&shape, &x, filters, &mut y);
                let gradients = backward(&shape, &x, filters, &y, &dy, Some(&mut dx));
                [y, dx, gradients.weights.concat(), gradients.bias].concat()
            });
        });
    }
}
