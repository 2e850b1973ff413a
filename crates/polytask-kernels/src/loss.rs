//! How wrong is a prediction? Losses over classes, labels and numbers, with missing targets left out.
//!
//! All return the sum over the present targets, in 64 bits, and write the gradient of that sum divided by a normaliser.
//! Rows are worked in fixed chunks whose sums are added in order, so that threads never change a bit.

mod binary;
mod class;
mod number;

use rayon::prelude::*;

pub use self::binary::binary_cross_entropy;
pub use self::class::{ClassLoss, class_loss};
pub use self::number::{absolute_error, gaussian_nll, huber, softplus};
use crate::math::{exp1, vectorize};

/// The class of a missing target: its row has no loss and a zero gradient.
pub const MISSING: u32 = u32::MAX;

/// Elements a task works on, about.
const CHUNK: usize = 1 << 13;

/// What the gradient is divided by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Normalizer {
    /// What the mean over the present targets divides by: the gradient of the mean.
    Present,
    /// A given number, as the number of targets over several accumulation steps.
    Given(f32),
}

/// The loss of a batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Loss {
    /// Sum over the present targets.
    pub sum: f64,
    /// Number of present targets.
    pub count: usize,
    /// What the mean divides by: the number of present targets, or the sum of their weights.
    pub weight: f64,
}

impl Loss {
    /// A sum over so many targets that weigh alike.
    fn plain(sum: f64, count: usize) -> Loss {
        Loss { sum, count, weight: count as f64 }
    }

    /// Returns the mean over the present targets, 0 if there are none.
    pub fn mean(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum / self.weight }
    }
}

/// Computes the softmax cross-entropy of `logits` `[n, classes]` against `targets` `[n]`, and its gradient.
///
/// `-log softmax(logits)[target]`, summed over rows whose target is not [`MISSING`]; stable for logits of any finite
/// size. `dlogits` `[n, classes]` gets the gradient divided by the normaliser.
///
/// # Panics
/// If the lengths do not fit, or a present target is not below `classes`.
pub fn cross_entropy(
    logits: &[f32],
    classes: usize,
    targets: &[u32],
    normalizer: Normalizer,
    dlogits: &mut [f32],
) -> Loss {
    assert!(logits.len() == targets.len() * classes && dlogits.len() == logits.len(), "cross-entropy: lengths differ");
    assert!(targets.iter().all(|target| *target == MISSING || (*target as usize) < classes), "a class out of range");
    let count = targets.iter().filter(|target| **target != MISSING).count();
    if classes == 0 {
        return Loss::plain(0.0, count);
    }
    let scale = scale(normalizer, count);
    let rows = (CHUNK / classes).max(1);
    let sums: Vec<f64> =
        (dlogits.par_chunks_mut(rows * classes), logits.par_chunks(rows * classes), targets.par_chunks(rows))
            .into_par_iter()
            .map(|(dlogits, logits, targets)| {
                let rows = dlogits.chunks_exact_mut(classes).zip(logits.chunks_exact(classes)).zip(targets);
                vectorize(
                    #[inline(always)]
                    || rows.map(|((dlogits, logits), target)| row_loss(logits, *target, scale, dlogits)).sum::<f64>(),
                )
            })
            .collect();
    Loss::plain(sums.iter().sum(), count)
}

#[inline(always)]
fn row_loss(logits: &[f32], target: u32, scale: f32, dlogits: &mut [f32]) -> f64 {
    if target == MISSING {
        dlogits.fill(0.0);
        return 0.0;
    }
    dlogits.copy_from_slice(logits);
    let (maximum, total) = exponentials(dlogits);
    let factor = scale / total as f32;
    dlogits.iter_mut().for_each(|value| *value *= factor);
    let at = target as usize;
    // The gradient at the target is p - 1 = -(sum of the others' p): summed, not subtracted, to keep its digits.
    let others: f64 = dlogits.iter().enumerate().filter(|(class, _)| *class != at).map(|(_, p)| f64::from(*p)).sum();
    dlogits[at] = -others as f32;
    total.ln() - (f64::from(logits[at]) - f64::from(maximum))
}

/// Replaces each row of `[n, classes]` by its softmax.
///
/// # Panics
/// If the length is not a multiple of `classes`.
pub fn softmax(rows: &mut [f32], classes: usize) {
    assert!(classes > 0 || rows.is_empty(), "softmax over no classes");
    assert!(rows.len().is_multiple_of(classes.max(1)), "softmax: rows of different lengths");
    rows.par_chunks_mut((CHUNK / classes.max(1)).max(1) * classes.max(1)).for_each(|rows| {
        vectorize(
            #[inline(always)]
            || {
                for row in rows.chunks_exact_mut(classes.max(1)) {
                    let (_, total) = exponentials(row);
                    let factor = 1.0 / total as f32;
                    row.iter_mut().for_each(|value| *value *= factor);
                }
            },
        );
    });
}

/// Replaces a row by `exp(value - maximum)`; returns the maximum and the sum, at least 1.
#[inline(always)]
fn exponentials(row: &mut [f32]) -> (f32, f64) {
    let maximum = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    row.iter_mut().for_each(|value| *value = exp1(*value - maximum));
    (maximum, row.iter().map(|value| f64::from(*value)).sum())
}

/// Computes the squared error of `predictions` against `targets`, NaN being a missing target, and its gradient.
///
/// `(prediction - target)²`, summed over present targets. `dpredictions` gets the gradient divided by the normaliser.
///
/// # Panics
/// If the lengths differ.
pub fn squared_error(predictions: &[f32], targets: &[f32], normalizer: Normalizer, dpredictions: &mut [f32]) -> Loss {
    assert!(predictions.len() == targets.len() && dpredictions.len() == targets.len(), "squared error: lengths differ");
    let count = targets.iter().filter(|target| !target.is_nan()).count();
    let scale = 2.0 * scale(normalizer, count);
    let sums: Vec<f64> = (dpredictions.par_chunks_mut(CHUNK), predictions.par_chunks(CHUNK), targets.par_chunks(CHUNK))
        .into_par_iter()
        .map(|(dpredictions, predictions, targets)| {
            let rows = dpredictions.iter_mut().zip(predictions).zip(targets);
            rows.map(|((gradient, prediction), target)| {
                let error = if target.is_nan() { 0.0 } else { prediction - target };
                *gradient = scale * error;
                f64::from(error) * f64::from(error)
            })
            .sum()
        })
        .collect();
    Loss::plain(sums.iter().sum(), count)
}

/// Adds up what `row` says of each row of `outputs` `[n, width]` and its `targets` `[n, each]`, and lets it write the row
/// of the gradient, `[n, width]`.
fn sum_rows<T: Sync>(
    (outputs, width): (&[f32], usize),
    (targets, each): (&[T], usize),
    gradient: &mut [f32],
    row: impl Fn(&[f32], &[T], &mut [f32]) -> f64 + Sync,
) -> f64 {
    let rows = (CHUNK / width).max(1);
    let sums: Vec<f64> =
        (gradient.par_chunks_mut(rows * width), outputs.par_chunks(rows * width), targets.par_chunks(rows * each))
            .into_par_iter()
            .map(|(gradient, outputs, targets)| {
                let rows = gradient.chunks_exact_mut(width).zip(outputs.chunks_exact(width));
                rows.zip(targets.chunks_exact(each)).map(|((gradient, out), target)| row(out, target, gradient)).sum()
            })
            .collect();
    sums.iter().sum()
}

fn scale(normalizer: Normalizer, count: usize) -> f32 {
    match normalizer {
        Normalizer::Present => 1.0 / count.max(1) as f32,
        Normalizer::Given(value) => 1.0 / value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Lcg;

    fn random(n: usize, seed: u64, spread: f32) -> Vec<f32> {
        Lcg::new(seed).uniform(n, -spread, spread)
    }

    /// Losses and probabilities of rows in 64 bits.
    fn naive(logits: &[f32], classes: usize, targets: &[u32]) -> (f64, Vec<f64>) {
        let (mut sum, mut probabilities) = (0.0, Vec::new());
        for (row, target) in logits.chunks(classes).zip(targets) {
            let maximum = row.iter().copied().fold(f32::MIN, f32::max);
            let weights: Vec<f64> = row.iter().map(|x| (f64::from(*x) - f64::from(maximum)).exp()).collect();
            let total: f64 = weights.iter().sum();
            probabilities.extend(weights.iter().map(|weight| weight / total));
            if *target != MISSING {
                sum += total.ln() + f64::from(maximum) - f64::from(row[*target as usize]);
            }
        }
        (sum, probabilities)
    }

    #[test]
    fn cross_entropy_is_its_definition_and_the_gradient_is_p_minus_one_hot() {
        for (n, classes, spread) in [(0, 3, 1.0), (1, 1, 1.0), (5, 9, 3.0), (4000, 5, 1e4), (3, 20_001, 10.0)] {
            let logits = random(n * classes, 1, spread);
            let mut rng = Lcg::new(2);
            let targets: Vec<u32> =
                (0..n).map(|row| if row % 3 == 2 { MISSING } else { rng.below(classes) as u32 }).collect();
            let (sum, probabilities) = naive(&logits, classes, &targets);
            for (normalizer, divisor) in [(Normalizer::Present, 0.0), (Normalizer::Given(7.0), 7.0)] {
                let mut gradient = vec![f32::NAN; n * classes];
                let loss = cross_entropy(&logits, classes, &targets, normalizer, &mut gradient);
                assert_eq!(loss.count, targets.iter().filter(|target| **target != MISSING).count());
                assert!((loss.sum - sum).abs() <= 1e-6 * sum.abs() + 1e-6 * n as f64, "{} against {sum}", loss.sum);
                let divisor = if divisor == 0.0 { loss.count as f64 } else { divisor };
                for (at, got) in gradient.iter().enumerate() {
                    let target = targets[at / classes];
                    let hot = if target as usize == at % classes { 1.0 } else { 0.0 };
                    let expected = if target == MISSING { 0.0 } else { (probabilities[at] - hot) / divisor };
                    assert!((f64::from(*got) - expected).abs() < 1e-6, "{got} against {expected}");
                }
            }
        }
    }

    #[test]
    fn sure_predictions_keep_the_digits_of_a_small_loss() {
        let mut gradient = [0.0; 2];
        let loss = cross_entropy(&[20.0, 0.0], 2, &[0], Normalizer::Present, &mut gradient);
        assert!((loss.sum / (-20.0_f64).exp() - 1.0).abs() < 1e-5);
        assert!((f64::from(gradient[0]) / -(-20.0_f64).exp() - 1.0).abs() < 1e-5);
        let loss = cross_entropy(&[1e4, -1e4], 2, &[1], Normalizer::Present, &mut gradient);
        assert_eq!((loss.sum, gradient), (2e4, [1.0, -1.0]));
    }

    #[test]
    fn softmax_sums_to_one() {
        for classes in [1, 2, 17, 9000] {
            let logits = random(7 * classes, 3, 1e3);
            let (_, expected) = naive(&logits, classes, &[MISSING; 7]);
            let mut rows = logits;
            softmax(&mut rows, classes);
            assert!(rows.iter().zip(&expected).all(|(got, expected)| (f64::from(*got) - expected).abs() < 1e-6));
            assert!(rows.chunks(classes).all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-4));
        }
        softmax(&mut [], 0);
    }

    #[test]
    fn squared_error_skips_missing_targets() {
        let (predictions, targets) = ([1.0, 2.0, -3.0, 1e10], [0.0, f32::NAN, -1.0, 1e10]);
        let mut gradient = [9.0; 4];
        let loss = squared_error(&predictions, &targets, Normalizer::Present, &mut gradient);
        assert_eq!((loss.sum, loss.count, loss.mean()), (5.0, 3, 5.0 / 3.0));
        assert!(
            gradient.iter().zip([2.0 / 3.0, 0.0, -4.0 / 3.0, 0.0]).all(|(got, expected)| (got - expected).abs() < 1e-6)
        );
        squared_error(&predictions, &targets, Normalizer::Given(2.0), &mut gradient);
        assert_eq!(gradient, [1.0, 0.0, -2.0, 0.0]);
        let none = squared_error(&predictions[..1], &[f32::NAN], Normalizer::Present, &mut gradient[..1]);
        assert_eq!((none.sum, none.count, none.mean(), gradient[0]), (0.0, 0, 0.0, 0.0));
    }

    #[test]
    fn threads_never_change_a_bit() {
        let (logits, targets) = (random(30_000, 4, 5.0), vec![1; 10_000]);
        let results = [1, 2, 5].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let mut gradient = vec![0.0; 30_000];
            let run = || cross_entropy(&logits, 3, &targets, Normalizer::Present, &mut gradient);
            (pool.install(run).sum.to_bits(), gradient)
        });
        assert!(results[0] == results[1] && results[1] == results[2]);
    }
}
