//! Losses of predicted numbers besides the squared error: absolute error, Huber loss, and the likelihood of a normal
//! distribution whose variance is predicted too.
//!
//! NaN is a missing target. With `e = prediction - target`:
//!
//! ```text
//! absolute   |e|
//! huber      e²/2 where |e| <= δ, else δ (|e| - δ/2)
//! normal     1/2 (log v + e²/v)     v = max(softplus(s), ε), s the second output
//! ```
//!
//! They are PyTorch's `L1Loss`, `HuberLoss` and `GaussianNLLLoss`, the last without its constant `log(2π)/2` and, as there,
//! with the gradient of the variance taken as if it were not held above ε.
//!
//! References: Huber, "Robust estimation of a location parameter", Annals of Mathematical Statistics, 1964; Nix and Weigend,
//! "Estimating the mean and variance of the target probability distribution", ICNN 1994; softplus and ε: Lakshminarayanan,
//! Pritzel and Blundell, "Simple and scalable predictive uncertainty estimation using deep ensembles", NeurIPS 2017.

use super::{Loss, Normalizer, scale, sum_rows};

/// Computes the absolute error of `predictions` against `targets`, both `[n]`, and its gradient, which is 0 where they agree.
///
/// # Panics
/// If the lengths differ.
pub fn absolute_error(predictions: &[f32], targets: &[f32], normalizer: Normalizer, dpredictions: &mut [f32]) -> Loss {
    errors(predictions, targets, normalizer, dpredictions, |error| {
        (error.abs(), if error == 0.0 { 0.0 } else { error.signum() })
    })
}

/// Computes the Huber loss of `predictions` against `targets`, both `[n]`, and its gradient; `delta` is above 0.
///
/// # Panics
/// If the lengths differ.
pub fn huber(
    predictions: &[f32],
    targets: &[f32],
    delta: f32,
    normalizer: Normalizer,
    dpredictions: &mut [f32],
) -> Loss {
    let delta = f64::from(delta);
    errors(predictions, targets, normalizer, dpredictions, |error| {
        let size = error.abs();
        if size <= delta {
            (0.5 * error * error, error)
        } else {
            (delta * (size - 0.5 * delta), delta * error.signum())
        }
    })
}

/// Sums a loss of the error, given with its derivative.
fn errors(
    predictions: &[f32],
    targets: &[f32],
    normalizer: Normalizer,
    dpredictions: &mut [f32],
    loss: impl Fn(f64) -> (f64, f64) + Sync,
) -> Loss {
    assert!(predictions.len() == targets.len() && dpredictions.len() == targets.len(), "errors: lengths differ");
    let count = present(targets);
    let scale = f64::from(scale(normalizer, count));
    let row = |prediction: &[f32], target: &[f32], gradient: &mut [f32]| {
        let (value, slope) = match target[0].is_nan() {
            true => (0.0, 0.0),
            false => loss(f64::from(prediction[0]) - f64::from(target[0])),
        };
        gradient[0] = (scale * slope) as f32;
        value
    };
    Loss::plain(sum_rows((predictions, 1), (targets, 1), dpredictions, row), count)
}

/// Computes the negative log-likelihood, less its constant, of `targets` `[n]` under normal distributions, and its gradient.
///
/// `outputs` `[n, 2]` are the mean and what [`softplus`] makes the variance, which is at least `variance_min`, above 0.
///
/// # Panics
/// If the lengths do not fit.
pub fn gaussian_nll(
    outputs: &[f32],
    targets: &[f32],
    variance_min: f32,
    normalizer: Normalizer,
    doutputs: &mut [f32],
) -> Loss {
    assert!(outputs.len() == 2 * targets.len() && doutputs.len() == outputs.len(), "gaussian nll: lengths differ");
    let count = present(targets);
    let scale = f64::from(scale(normalizer, count));
    let row = |output: &[f32], target: &[f32], gradient: &mut [f32]| {
        if target[0].is_nan() {
            gradient.fill(0.0);
            return 0.0;
        }
        let (mean, raw) = (f64::from(output[0]), f64::from(output[1]));
        let variance = softplus(raw).max(f64::from(variance_min));
        let error = mean - f64::from(target[0]);
        gradient[0] = (scale * error / variance) as f32;
        let slope = 0.5 / variance * (1.0 - error * error / variance);
        gradient[1] = (scale * slope / (1.0 + (-raw).exp())) as f32;
        0.5 * (variance.ln() + error * error / variance)
    };
    Loss::plain(sum_rows((outputs, 2), (targets, 1), doutputs, row), count)
}

/// `log(1 + exp(x))`, without overflow.
pub fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

fn present(targets: &[f32]) -> usize {
    targets.iter().filter(|target| !target.is_nan()).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Lcg, assert_close, assert_gradient, same_on_all_pools};

    const PRESENT: Normalizer = Normalizer::Present;

    /// `L1Loss()(x, y)`, `HuberLoss(delta=d)(x, y)` and `GaussianNLLLoss(eps=e)(m, y, softplus(s))` of PyTorch 2 in float64:
    /// value and gradient.
    #[test]
    fn agrees_with_pytorch() {
        let (x, y) = ([1.0, 2.5, -3.0, 0.25, 7.0], [0.0, 2.0, -1.0, 0.25, 8.5]);
        let mut gradient = [f32::NAN; 5];
        assert_eq!(absolute_error(&x, &y, PRESENT, &mut gradient).mean(), 1.0);
        assert_close(&gradient, &[0.2, 0.2, -0.2, 0.0, -0.2], 1e-7);
        assert_eq!(huber(&x, &y, 1.0, PRESENT, &mut gradient).mean(), 0.625);
        assert_close(&gradient, &[0.2, 0.1, -0.2, 0.0, -0.2], 1e-7);
        assert_eq!(huber(&x, &y, 0.75, PRESENT, &mut gradient).mean(), 0.531_25);
        assert_close(&gradient, &[0.15, 0.1, -0.15, 0.0, -0.15], 1e-7);
        // m = [0.5, -1, 2], s = [0, 1, -2], y = [1, -1.5, 2.25]; softplus(-2) is held above 0.5 in the second.
        let (outputs, y) = ([0.5, 0.0, -1.0, 1.0, 2.0, -2.0], [1.0, -1.5, 2.25]);
        let mut gradient = [f32::NAN; 6];
        let loss = gaussian_nll(&outputs, &y, 1e-6, PRESENT, &mut gradient);
        assert!((loss.mean() + 0.185_781_610_023_454_75).abs() < 1e-9);
        let [a, b, c, d] = [-0.240_449_173_481, 0.076_862_732_969, 0.126_910_476_602, 0.075_117_053_376];
        assert_close(&gradient, &[a, b, c, d, -0.656_540_133_644, 0.079_450_278_887], 1e-7);
        let loss = gaussian_nll(&outputs, &y, 0.5, PRESENT, &mut gradient);
        assert!((loss.mean() + 0.018_517_790_918_853_4).abs() < 1e-9);
        assert_close(&gradient, &[a, b, c, d, -0.166_666_666_666, 0.034_767_518_923], 1e-7);
    }

    #[test]
    fn gradients_are_those_of_the_definitions() {
        let mut rng = Lcg::new(4);
        let predictions = rng.uniform(60, -3.0, 3.0);
        let mut targets = rng.uniform(60, -3.0, 3.0);
        targets[7] = f32::NAN;
        let mean = |at: &[f64], loss: &dyn Fn(f64) -> f64| {
            let pairs = at.iter().zip(&targets).filter(|(_, target)| !target.is_nan());
            pairs.map(|(at, target)| loss(at - f64::from(*target))).sum::<f64>() / 59.0
        };
        let mut gradient = vec![f32::NAN; 60];
        let loss = absolute_error(&predictions, &targets, PRESENT, &mut gradient);
        assert_eq!((loss.count, loss.weight), (59, 59.0));
        assert_gradient(&gradient, &predictions, |at| mean(at, &f64::abs));
        for delta in [0.25_f32, 1.0, 4.0] {
            huber(&predictions, &targets, delta, PRESENT, &mut gradient);
            let delta = f64::from(delta);
            let piece = |e: f64| if e.abs() <= delta { 0.5 * e * e } else { delta * (e.abs() - 0.5 * delta) };
            assert_gradient(&gradient, &predictions, |at| mean(at, &piece));
        }
        let targets = &targets[..30];
        let loss = gaussian_nll(&predictions, targets, 1e-6, PRESENT, &mut gradient);
        let nll = |at: &[f64]| {
            let rows = at.chunks(2).zip(targets).filter(|(_, target)| !target.is_nan());
            let one = |(row, target): (&[f64], &f32)| {
                let variance = (1.0 + row[1].exp()).ln();
                0.5 * (variance.ln() + (row[0] - f64::from(*target)).powi(2) / variance)
            };
            rows.map(one).sum::<f64>() / 29.0
        };
        let wide: Vec<f64> = predictions.iter().copied().map(f64::from).collect();
        assert!((loss.mean() - nll(&wide)).abs() < 1e-9);
        assert_gradient(&gradient, &predictions, nll);
    }

    #[test]
    fn extreme_and_missing_values_stay_finite() {
        let mut gradient = [f32::NAN; 2];
        for outputs in [[1e10, -1e10], [0.0, 1e10], [-1e4, -700.0]] {
            let loss = gaussian_nll(&outputs, &[1.0], 1e-6, PRESENT, &mut gradient);
            assert!(loss.sum.is_finite() && gradient.iter().all(|value| value.is_finite()), "{outputs:?}: {loss:?}");
        }
        let loss = gaussian_nll(&[3.0, 1.0], &[f32::NAN], 1e-6, PRESENT, &mut gradient);
        assert_eq!((loss.mean(), loss.count, gradient), (0.0, 0, [0.0; 2]));
        let loss = huber(&[3.0], &[f32::NAN], 1.0, PRESENT, &mut gradient[..1]);
        assert_eq!((loss.mean(), loss.count, gradient[0]), (0.0, 0, 0.0));
        assert_eq!(absolute_error(&[], &[], PRESENT, &mut []).count, 0);
        assert!((softplus(-700.0) / (-700.0_f64).exp() - 1.0).abs() < 1e-12 && softplus(1e300) == 1e300);
    }

    #[test]
    fn threads_never_change_a_bit() {
        let mut rng = Lcg::new(5);
        let (outputs, targets) = (rng.uniform(40_000, -2.0, 2.0), rng.uniform(20_000, -2.0, 2.0));
        same_on_all_pools(|| {
            let mut gradient = vec![0.0; 40_000];
            let sum = gaussian_nll(&outputs, &targets, 1e-6, PRESENT, &mut gradient).sum;
            let huber = huber(&outputs[..20_000], &targets, 0.5, PRESENT, &mut gradient[..20_000]).sum;
            gradient.extend([sum as f32, huber as f32]);
            gradient
        });
    }
}
