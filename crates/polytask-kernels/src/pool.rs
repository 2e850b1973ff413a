//! How does a sequence become one vector? The maximum or the mean over its positions.

use crate::math::vectorize;
use crate::padded::Padded;
use crate::rows::{add, split};
use rayon::prelude::*;

/// The position recorded as the maximum of a sequence without positions.
pub const NOWHERE: u32 = u32::MAX;

/// Takes the maximum of `x` `[batch, time, features]` over time into `out` `[batch, features]`.
///
/// `argmax` `[batch, features]` receives its position. A NaN is greater than any number. A sequence of length 0
/// gives zeros and [`NOWHERE`]. Panics if a slice has another size.
pub fn max_forward(shape: &Padded<'_>, x: &[f32], out: &mut [f32], argmax: &mut [u32]) {
    shape.check(x);
    check_pooled(shape, out.len(), argmax.len());
    let items = out.par_chunks_mut(shape.features).zip(argmax.par_chunks_mut(shape.features));
    items.enumerate().for_each(|(item, (out, argmax))| {
        out.fill(0.0);
        argmax.fill(NOWHERE);
        vectorize(
            #[inline(always)]
            || {
                let rows = shape.valid(x, item).chunks_exact(shape.features);
                rows.enumerate().for_each(|(position, row)| take_greater(row, position as u32, out, argmax));
            },
        );
    });
}

/// Replaces the values of `best` that `row`, at `position`, exceeds; position 0 replaces all of them.
#[inline(always)]
pub(crate) fn take_greater(row: &[f32], position: u32, best: &mut [f32], argmax: &mut [u32]) {
    if position == 0 {
        best.copy_from_slice(row);
        argmax.fill(0);
        return;
    }
    for ((value, best), argmax) in row.iter().zip(best).zip(argmax) {
        // A NaN always takes the place, and nothing is greater than it.
        let take = (*value > *best) | value.is_nan();
        *best = if take { *value } else { *best };
        *argmax = if take { position } else { *argmax };
    }
}

/// Writes to `dx` `[batch, time, features]` the gradient of [`max_forward`]'s input, given that of its output.
///
/// Panics if a slice has another size.
pub fn max_backward(shape: &Padded<'_>, argmax: &[u32], dy: &[f32], dx: &mut [f32]) {
    shape.check(dx);
    check_pooled(shape, dy.len(), argmax.len());
    let items = split(dx, shape.lengths.iter().map(|_| shape.stride()));
    items.into_par_iter().enumerate().for_each(|(item, dx)| {
        dx.fill(0.0);
        let winners = argmax[item * shape.features..][..shape.features].iter();
        for (feature, (position, dy)) in winners.zip(&dy[item * shape.features..]).enumerate() {
            if *position != NOWHERE {
                dx[*position as usize * shape.features + feature] = *dy;
            }
        }
    });
}

/// Takes the mean of `x` `[batch, time, features]` over the positions with data into `out` `[batch, features]`.
///
/// A sequence of length 0 gives zeros. Panics if a slice has another size.
pub fn mean_forward(shape: &Padded<'_>, x: &[f32], out: &mut [f32]) {
    shape.check(x);
    check_pooled(shape, out.len(), out.len());
    out.par_chunks_mut(shape.features).enumerate().for_each(|(item, out)| {
        out.fill(0.0);
        let scale = 1.0 / shape.lengths[item].max(1) as f32;
        vectorize(
            #[inline(always)]
            || {
                shape.valid(x, item).chunks_exact(shape.features).for_each(|row| add(out, row));
                out.iter_mut().for_each(|value| *value *= scale);
            },
        );
    });
}

/// Writes to `dx` `[batch, time, features]` the gradient of [`mean_forward`]'s input, given that of its output.
///
/// Panics if a slice has another size.
pub fn mean_backward(shape: &Padded<'_>, dy: &[f32], dx: &mut [f32]) {
    shape.check(dx);
    check_pooled(shape, dy.len(), dy.len());
    let items = split(dx, shape.lengths.iter().map(|_| shape.stride()));
    items.into_par_iter().enumerate().for_each(|(item, dx)| {
        let (valid, padding) = dx.split_at_mut(shape.lengths[item] * shape.features);
        let dy = &dy[item * shape.features..][..shape.features];
        let scale = 1.0 / shape.lengths[item].max(1) as f32;
        for row in valid.chunks_exact_mut(shape.features) {
            row.iter_mut().zip(dy).for_each(|(dx, dy)| *dx = dy * scale);
        }
        padding.fill(0.0);
    });
}

#[track_caller]
fn check_pooled(shape: &Padded<'_>, values: usize, positions: usize) {
    let want = shape.batch() * shape.features;
    assert!(values == want && positions == want, "pooled values: {values} and {positions} instead of {want}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Lcg, assert_close, assert_gradient, same_on_all_pools, weighted_sum, widen};

    const BATCHES: [(&[usize], usize, usize); 4] = [(&[4, 0, 1, 7], 7, 5), (&[1], 1, 1), (&[], 3, 2), (&[0, 0], 0, 2)];

    fn columns(shape: &Padded<'_>, x: &[f64], pool: impl Fn(&[f64]) -> f64) -> Vec<f64> {
        let column = |item: usize, feature: usize| -> Vec<f64> {
            (0..shape.lengths[item]).map(|t| x[(item * shape.time + t) * shape.features + feature]).collect()
        };
        let cells = (0..shape.batch()).flat_map(|item| (0..shape.features).map(move |feature| (item, feature)));
        cells
            .map(|(item, feature)| {
                let column = column(item, feature);
                if column.is_empty() { 0.0 } else { pool(&column) }
            })
            .collect()
    }

    fn max(column: &[f64]) -> f64 {
        column.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }

    fn mean(column: &[f64]) -> f64 {
        column.iter().sum::<f64>() / column.len() as f64
    }

    #[test]
    fn both_agree_with_f64() {
        let mut random = Lcg::new(1);
        for (lengths, time, features) in BATCHES {
            let shape = Padded { lengths, time, features };
            let (x, dy) = (random.vec(shape.elements()), random.vec(lengths.len() * features));
            let (mut y, mut argmax) = (vec![f32::NAN; dy.len()], vec![7; dy.len()]);
            let mut dx = vec![f32::NAN; x.len()];
            max_forward(&shape, &x, &mut y, &mut argmax);
            assert_close(&y, &columns(&shape, &widen(&x), max), 0.0);
            max_backward(&shape, &argmax, &dy, &mut dx);
            assert_gradient(&dx, &x, |x| weighted_sum(&dy, &columns(&shape, x, max)));
            mean_forward(&shape, &x, &mut y);
            assert_close(&y, &columns(&shape, &widen(&x), mean), 1e-6);
            dx.fill(f32::NAN);
            mean_backward(&shape, &dy, &mut dx);
            assert_gradient(&dx, &x, |x| weighted_sum(&dy, &columns(&shape, x, mean)));
        }
    }

    #[test]
    fn nan_in_data_is_kept_and_nan_in_padding_ignored() {
        let shape = Padded { lengths: &[3, 2], time: 3, features: 1 };
        let x = [f32::NAN, 5.0, 1.0, 1.0, 2.0, f32::NAN];
        let (mut y, mut argmax) = ([0.0; 2], [0; 2]);
        max_forward(&shape, &x, &mut y, &mut argmax);
        assert!(y[0].is_nan() && y[1] == 2.0 && argmax == [0, 1]);
        mean_forward(&shape, &x, &mut y);
        assert!(y[0].is_nan() && y[1] == 1.5);
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let mut random = Lcg::new(2);
        let lengths: Vec<usize> = (0..23).map(|_| random.below(30)).collect();
        let shape = Padded { lengths: &lengths, time: 30, features: 9 };
        let x = random.vec(shape.elements());
        same_on_all_pools(|| {
            let (mut y, mut argmax, mut dx) = (vec![0.0; 23 * 9], vec![0; 23 * 9], vec![0.0; x.len()]);
            max_forward(&shape, &x, &mut y, &mut argmax);
            max_backward(&shape, &argmax, &y, &mut dx);
            mean_forward(&shape, &x, &mut y);
            [y, dx].concat()
        });
    }
}
