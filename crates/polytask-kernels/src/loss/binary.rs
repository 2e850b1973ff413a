//! Binary cross-entropy of logits: is each of several labels there?
//!
//! ```text
//! l = -(p y log σ(x) + (1 - y) log(1 - σ(x)))      y is 0 or 1, p the weight of the label where it is there
//! ```
//!
//! It is PyTorch's `BCEWithLogitsLoss(pos_weight)`, whose mean runs over all decisions, with missing ones left out.

use super::{Loss, Normalizer, scale, softplus, sum_rows};

/// Computes the loss of `logits` `[n, labels]` against `targets` `[n, labels]`, and its gradient.
///
/// A target is 1 where the label is there, 0 where it is not, NaN where that is not known. `positive` `[labels]` holds the
/// weights of labels that are there, empty where all weigh 1. `dlogits` gets the gradient divided by the normaliser, which
/// counts decisions.
///
/// # Panics
/// If the lengths do not fit.
pub fn binary_cross_entropy(
    (logits, labels): (&[f32], usize),
    targets: &[f32],
    positive: &[f32],
    normalizer: Normalizer,
    dlogits: &mut [f32],
) -> Loss {
    assert!(logits.len() == targets.len() && dlogits.len() == logits.len(), "binary cross-entropy: lengths differ");
    assert!(labels > 0 && logits.len().is_multiple_of(labels), "binary cross-entropy: rows of different lengths");
    assert!(positive.is_empty() || positive.len() == labels, "binary cross-entropy: a weight a label");
    let count = targets.iter().filter(|target| !target.is_nan()).count();
    let scale = f64::from(scale(normalizer, count));
    let row = |logits: &[f32], targets: &[f32], gradient: &mut [f32]| {
        let mut sum = 0.0;
        for (label, ((logit, target), gradient)) in logits.iter().zip(targets).zip(gradient).enumerate() {
            let (x, weight) = (f64::from(*logit), positive.get(label).map_or(1.0, |&weight| f64::from(weight)));
            let (loss, slope) = match *target {
                target if target.is_nan() => (0.0, 0.0),
                // -log σ(x) = softplus(-x), and its slope is -σ(-x).
                target if target > 0.5 => (weight * softplus(-x), -weight / (1.0 + x.exp())),
                _ => (softplus(x), 1.0 / (1.0 + (-x).exp())),
            };
            *gradient = (scale * slope) as f32;
            sum += loss;
        }
        sum
    };
    Loss::plain(sum_rows((logits, labels), (targets, labels), dlogits, row), count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Lcg, assert_close, assert_gradient, same_on_all_pools};

    const PRESENT: Normalizer = Normalizer::Present;

    /// `BCEWithLogitsLoss(pos_weight=p)(x, y)` of PyTorch 2 in float64 with `x = [[0.5, -1, 2], [1.5, 0, -0.5]]` and `y =
    /// [[1, 0, 1], [0, 1, 0]]`: value and gradient.
    #[test]
    fn agrees_with_pytorch() {
        let x = [0.5, -1.0, 2.0, 1.5, 0.0, -0.5];
        let y = [1.0, 0.0, 1.0, 0.0, 1.0, 0.0];
        let mut gradient = [f32::NAN; 6];
        let loss = binary_cross_entropy((&x, 3), &y, &[], PRESENT, &mut gradient);
        assert!((loss.mean() - 0.630_484_020_910_684_5).abs() < 1e-9);
        let [a, b, c] = [-0.062_923_445, 0.044_823_57, -0.019_867_154];
        assert_close(&gradient, &[a, b, c, 0.136_262_413, -0.083_333_333, 0.062_923_445], 1e-7);
        let loss = binary_cross_entropy((&x, 3), &y, &[3.0, 0.5, 2.0], PRESENT, &mut gradient);
        assert!((loss.mean() - 0.751_902_085_764_553_2).abs() < 1e-9);
        assert_close(&gradient, &[3.0 * a, b, 2.0 * c, 0.136_262_413, -0.041_666_667, 0.062_923_445], 1e-7);
    }

    #[test]
    fn gradients_are_those_of_the_definition() {
        let mut rng = Lcg::new(9);
        for labels in [1, 4, 17] {
            let logits = rng.uniform(9 * labels, -4.0, 4.0);
            let targets: Vec<f32> = (0..9 * labels).map(|_| [0.0, 1.0, f32::NAN][rng.below(3)]).collect();
            let positive = rng.uniform(labels, 0.1, 5.0);
            let mut gradient = vec![f32::NAN; logits.len()];
            let loss = binary_cross_entropy((&logits, labels), &targets, &positive, PRESENT, &mut gradient);
            let known = targets.iter().filter(|target| !target.is_nan()).count();
            assert_eq!(loss.count, known);
            let mean = |at: &[f64]| {
                let one = |(index, (x, target)): (usize, (&f64, &f32))| {
                    let sigmoid = 1.0 / (1.0 + (-x).exp());
                    match *target {
                        1.0 => -f64::from(positive[index % labels]) * sigmoid.ln(),
                        0.0 => -(1.0 - sigmoid).ln(),
                        _ => 0.0,
                    }
                };
                at.iter().zip(&targets).enumerate().map(one).sum::<f64>() / known as f64
            };
            let wide: Vec<f64> = logits.iter().copied().map(f64::from).collect();
            assert!((loss.mean() - mean(&wide)).abs() < 1e-9);
            assert_gradient(&gradient, &logits, mean);
        }
    }

    #[test]
    fn extreme_and_missing_values_stay_finite() {
        let mut gradient = [f32::NAN; 4];
        let loss =
            binary_cross_entropy((&[1e30, -1e30, 1e30, -1e30], 2), &[1.0, 0.0, 0.0, 1.0], &[], PRESENT, &mut gradient);
        assert!(loss.sum.is_finite() && gradient == [0.0, 0.0, 0.25, -0.25], "{loss:?} {gradient:?}");
        let loss = binary_cross_entropy((&[1.0; 4], 2), &[f32::NAN; 4], &[], PRESENT, &mut gradient);
        assert_eq!((loss.mean(), loss.count, gradient), (0.0, 0, [0.0; 4]));
        assert_eq!(binary_cross_entropy((&[], 2), &[], &[], PRESENT, &mut []).count, 0);
    }

    #[test]
    fn threads_never_change_a_bit() {
        let mut rng = Lcg::new(6);
        let logits = rng.uniform(30_000, -2.0, 2.0);
        let targets: Vec<f32> = (0..30_000).map(|_| rng.below(2) as f32).collect();
        same_on_all_pools(|| {
            let mut gradient = vec![0.0; 30_000];
            let sum = binary_cross_entropy((&logits, 3), &targets, &[1.0, 2.0, 0.5], PRESENT, &mut gradient).sum;
            gradient.push(sum as f32);
            gradient
        });
    }
}
