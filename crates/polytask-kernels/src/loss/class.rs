//! Cross-entropy with weighted classes and smoothed labels, and the focal loss.
//!
//! ```text
//! cross-entropy   l_i = -(1 - ε) w_y log p_y - ε/K Σ_c w_c log p_c        mean = Σ l_i / Σ w_y
//! focal           l_i = -w_y (1 - p_y)^γ log p_y                           mean = Σ l_i / n
//! ```
//!
//! The first is PyTorch's `CrossEntropyLoss(weight, label_smoothing)`. In the second the weights are the paper's α.
//!
//! References: Szegedy et al., "Rethinking the inception architecture for computer vision", CVPR 2016 (smoothing); Lin et
//! al., "Focal loss for dense object detection", ICCV 2017.

use super::{Loss, MISSING, Normalizer, exponentials, sum_rows};

/// Options of [`class_loss`].
#[derive(Debug, Clone, PartialEq)]
pub struct ClassLoss {
    /// Weight of each class, above 0, `[classes]`; empty where all weigh 1.
    pub weights: Vec<f32>,
    /// ε: the share of a target that is spread evenly over all classes, 0..1; 0 where `gamma` is above 0.
    pub smoothing: f32,
    /// γ: how much less a well classified example counts, at least 0; 0 is the cross-entropy.
    pub gamma: f32,
}

impl ClassLoss {
    /// Whether it is the cross-entropy with nothing added.
    pub fn is_plain(&self) -> bool {
        self.weights.is_empty() && self.smoothing == 0.0 && self.gamma == 0.0
    }

    /// Weight of a class.
    pub fn weight(&self, class: usize) -> f64 {
        self.weights.get(class).map_or(1.0, |&weight| f64::from(weight))
    }

    /// What the mean over some targets divides by: the sum of their weights, for the focal loss their number.
    pub fn total_weight(&self, targets: &[u32]) -> f64 {
        let present = targets.iter().filter(|&&target| target != MISSING);
        if self.gamma > 0.0 { present.count() as f64 } else { present.map(|&class| self.weight(class as usize)).sum() }
    }
}

/// Computes the loss of `logits` `[n, classes]` against `targets` `[n]`, and its gradient.
///
/// Rows whose target is [`MISSING`] have no loss and a zero gradient. `dlogits` `[n, classes]` gets the gradient divided by
/// the normaliser.
///
/// # Panics
/// If the lengths do not fit, a present target is not below `classes`, or labels are to be smoothed for a focal loss.
pub fn class_loss(
    (logits, classes): (&[f32], usize),
    targets: &[u32],
    options: &ClassLoss,
    normalizer: Normalizer,
    dlogits: &mut [f32],
) -> Loss {
    assert!(logits.len() == targets.len() * classes && dlogits.len() == logits.len(), "class loss: lengths differ");
    assert!(targets.iter().all(|target| *target == MISSING || (*target as usize) < classes), "a class out of range");
    assert!(options.weights.is_empty() || options.weights.len() == classes, "class loss: a weight a class");
    assert!(options.gamma == 0.0 || options.smoothing == 0.0, "the focal loss has no smoothed labels");
    let count = targets.iter().filter(|target| **target != MISSING).count();
    let weight = options.total_weight(targets);
    if count == 0 {
        dlogits.fill(0.0);
        return Loss { sum: 0.0, count, weight };
    }
    let scale = match normalizer {
        Normalizer::Present => 1.0 / weight,
        Normalizer::Given(value) => 1.0 / f64::from(value),
    };
    let row = |logits: &[f32], target: &[u32], gradient: &mut [f32]| match target[0] {
        MISSING => {
            gradient.fill(0.0);
            0.0
        }
        target if options.gamma > 0.0 => focal_row(logits, target as usize, options, scale, gradient),
        target => smooth_row(logits, target as usize, options, scale, gradient),
    };
    Loss { sum: sum_rows((logits, classes), (targets, 1), dlogits, row), count, weight }
}

/// Replaces the gradient's row by probabilities; returns `max + log Σ exp(x - max)`.
fn probabilities(logits: &[f32], row: &mut [f32]) -> f64 {
    row.copy_from_slice(logits);
    let (maximum, total) = exponentials(row);
    let factor = 1.0 / total as f32;
    row.iter_mut().for_each(|value| *value *= factor);
    f64::from(maximum) + total.ln()
}

/// With the share `a_c` of each class in the loss: `Σ a_c (-log p_c)` and `p_k Σ a_c - a_k`.
fn smooth_row(logits: &[f32], target: usize, options: &ClassLoss, scale: f64, gradient: &mut [f32]) -> f64 {
    let log_total = probabilities(logits, gradient);
    let smoothing = f64::from(options.smoothing);
    let spread = smoothing / logits.len() as f64;
    let share = |class: usize| {
        let own = if class == target { 1.0 - smoothing } else { 0.0 };
        (own + spread) * options.weight(class)
    };
    let all: f64 = (0..logits.len()).map(share).sum();
    let mut loss = 0.0;
    for (class, (gradient, logit)) in gradient.iter_mut().zip(logits).enumerate() {
        let share = share(class);
        loss += share * (log_total - f64::from(*logit));
        *gradient = (scale * (f64::from(*gradient) * all - share)) as f32;
    }
    loss
}

/// `dl/dx_k = w ([k = y] - p_k) (γ q^(γ-1) p log p - q^γ)` with `p = p_y` and `q = 1 - p`.
fn focal_row(logits: &[f32], target: usize, options: &ClassLoss, scale: f64, gradient: &mut [f32]) -> f64 {
    let log_total = probabilities(logits, gradient);
    let (weight, gamma) = (options.weight(target), f64::from(options.gamma));
    let log_p = f64::from(logits[target]) - log_total;
    let p = log_p.exp();
    // The others' probabilities are summed, not subtracted from 1, to keep their digits.
    let q: f64 = gradient.iter().enumerate().filter(|(class, _)| *class != target).map(|(_, p)| f64::from(*p)).sum();
    if q == 0.0 {
        gradient.fill(0.0);
        return 0.0;
    }
    let power = q.powf(gamma);
    // Times q, so that no power below 0 is taken.
    let slope = weight * (gamma * power * p * log_p - power * q);
    for (class, gradient) in gradient.iter_mut().enumerate() {
        let share = if class == target { 1.0 } else { -f64::from(*gradient) / q };
        *gradient = (scale * slope * share) as f32;
    }
    -weight * power * log_p
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Lcg, assert_close, assert_gradient, same_on_all_pools};

    const LOGITS: [f32; 12] = [0.5, -1.0, 2.0, 1.5, 0.0, -0.5, -2.0, 0.25, 0.75, 0.0, 3.0, 1.0];
    const TARGETS: [u32; 4] = [2, 0, MISSING, 1];
    const WEIGHTS: [f32; 3] = [0.5, 2.0, 1.25];

    fn options(weights: &[f32], smoothing: f32, gamma: f32) -> ClassLoss {
        ClassLoss { weights: weights.to_vec(), smoothing, gamma }
    }

    fn run(logits: &[f32], classes: usize, targets: &[u32], options: &ClassLoss) -> (Loss, Vec<f32>) {
        let mut gradient = vec![f32::NAN; logits.len()];
        let loss = class_loss((logits, classes), targets, options, Normalizer::Present, &mut gradient);
        (loss, gradient)
    }

    /// `F.cross_entropy(x, y, weight, label_smoothing)` of PyTorch 2 in float64, `y = [2, 0, -100, 1]`; the focal loss as
    /// `(-w[y] * (1 - p) ** gamma * log_p).mean()`. The value and the gradient with respect to `x`.
    #[test]
    fn agrees_with_pytorch() {
        let table: [(ClassLoss, f64, [f64; 12]); 6] = [
            (
                options(&WEIGHTS, 0.0, 0.0),
                0.211_869_070_946_290_82,
                [
                    0.058_430_131,
                    0.013_037_524,
                    -0.071_467_655,
                    -0.035_183_37,
                    0.021_900_217,
                    0.013_283_153,
                    0.0,
                    0.0,
                    0.0,
                    0.022_405_369,
                    -0.083_309_475,
                    0.060_904_106,
                ],
            ),
            (
                options(&[], 0.2, 0.0),
                0.528_059_898_369_752,
                [
                    0.036_207_908,
                    -0.009_184_698,
                    -0.027_023_211,
                    -0.043_513_981,
                    0.032_528_32,
                    0.010_985_66,
                    0.0,
                    0.0,
                    0.0,
                    -0.008_218_867,
                    -0.007_623_977,
                    0.015_842_844,
                ],
            ),
            (
                options(&WEIGHTS, 0.2, 0.0),
                0.506_218_347_542_094_2,
                [
                    0.049_541_242,
                    -0.022_518_031,
                    -0.027_023_211,
                    0.012_039_397,
                    -0.007_085_273,
                    -0.004_954_123,
                    0.0,
                    0.0,
                    0.0,
                    0.011_836_077,
                    -0.045_950_153,
                    0.034_114_076,
                ],
            ),
            (
                options(&[], 0.0, 2.0),
                0.012_189_535_001_206_83,
                [
                    0.007_435_751,
                    0.001_659_14,
                    -0.009_094_891,
                    -0.016_593_037,
                    0.010_328_491,
                    0.006_264_546,
                    0.0,
                    0.0,
                    0.0,
                    0.000_968_658,
                    -0.003_601_742,
                    0.002_633_085,
                ],
            ),
            (
                options(&WEIGHTS, 0.0, 2.0),
                0.010_940_083_678_431_939,
                [
                    0.009_294_689,
                    0.002_073_925,
                    -0.011_368_614,
                    -0.008_296_518,
                    0.005_164_245,
                    0.003_132_273,
                    0.0,
                    0.0,
                    0.0,
                    0.001_937_315,
                    -0.007_203_484,
                    0.005_266_169,
                ],
            ),
            (
                options(&[], 0.0, 0.5),
                0.112_078_377_168_787_62,
                [
                    0.039_016_334,
                    0.008_705_721,
                    -0.047_722_055,
                    -0.064_490_655,
                    0.040_142_81,
                    0.024_347_845,
                    0.0,
                    0.0,
                    0.0,
                    0.008_073_425,
                    -0.030_019_269,
                    0.021_945_844,
                ],
            ),
        ];
        for (options, value, expected) in table {
            let (loss, gradient) = run(&LOGITS, 3, &TARGETS, &options);
            assert!((loss.mean() - value).abs() < 1e-7, "{options:?}: {}", loss.mean());
            assert_close(&gradient, &expected, 1e-7);
        }
    }

    /// The mean in 64 bits, by the definition.
    fn naive(logits: &[f64], classes: usize, targets: &[u32], options: &ClassLoss) -> f64 {
        let (mut sum, mut weight) = (0.0, 0.0);
        for (row, &target) in logits.chunks(classes).zip(targets).filter(|(_, target)| **target != MISSING) {
            let total = row.iter().map(|x| x.exp()).sum::<f64>().ln();
            let target = target as usize;
            let log_p = |class: usize| row[class] - total;
            if options.gamma > 0.0 {
                sum -=
                    options.weight(target) * (1.0 - log_p(target).exp()).powf(f64::from(options.gamma)) * log_p(target);
                weight += 1.0;
                continue;
            }
            let smoothing = f64::from(options.smoothing);
            let all: f64 = (0..classes).map(|class| options.weight(class) * log_p(class)).sum();
            sum -= (1.0 - smoothing) * options.weight(target) * log_p(target) + smoothing / classes as f64 * all;
            weight += options.weight(target);
        }
        sum / weight
    }

    #[test]
    fn gradients_are_those_of_the_definition() {
        for (rows, classes) in [(1, 2), (7, 5), (40, 11)] {
            let mut rng = Lcg::new(rows as u64);
            let logits = rng.uniform(rows * classes, -3.0, 3.0);
            let targets: Vec<u32> =
                (0..rows).map(|row| if row % 4 == 3 { MISSING } else { rng.below(classes) as u32 }).collect();
            let weights = rng.uniform(classes, 0.2, 3.0);
            let all = [
                options(&weights, 0.0, 0.0),
                options(&[], 0.1, 0.0),
                options(&weights, 0.3, 0.0),
                options(&[], 0.0, 2.0),
                options(&weights, 0.0, 0.5),
                options(&weights, 0.0, 3.5),
            ];
            for options in all {
                let (loss, gradient) = run(&logits, classes, &targets, &options);
                let wide: Vec<f64> = logits.iter().copied().map(f64::from).collect();
                let want = naive(&wide, classes, &targets, &options);
                assert!((loss.mean() - want).abs() < 1e-6 * want.max(1.0), "{options:?}: {} and {want}", loss.mean());
                assert_gradient(&gradient, &logits, |at| naive(at, classes, &targets, &options));
            }
        }
    }

    #[test]
    fn with_nothing_added_it_is_the_cross_entropy() {
        let (loss, gradient) = run(&LOGITS, 3, &TARGETS, &options(&[], 0.0, 0.0));
        let mut want = [0.0; 12];
        let plain = crate::loss::cross_entropy(&LOGITS, 3, &TARGETS, Normalizer::Present, &mut want);
        assert!((loss.sum - plain.sum).abs() < 1e-9 && (loss.count, loss.weight) == (plain.count, plain.weight));
        assert_close(&gradient, &want.map(f64::from), 1e-7);
        assert!(options(&[], 0.0, 0.0).is_plain() && !options(&WEIGHTS, 0.0, 0.0).is_plain());
    }

    #[test]
    fn sure_predictions_and_missing_targets_stay_finite() {
        for options in [options(&WEIGHTS, 0.2, 0.0), options(&WEIGHTS, 0.0, 0.5), options(&WEIGHTS, 0.0, 5.0)] {
            for target in [0, 1] {
                let (loss, gradient) = run(&[1e4, -1e4, 0.0], 3, &[target], &options);
                assert!(
                    loss.sum.is_finite() && gradient.iter().all(|value| value.is_finite()),
                    "{options:?}: {loss:?}"
                );
            }
            let (loss, gradient) = run(&[1.0, 2.0, 3.0], 3, &[MISSING], &options);
            assert_eq!((loss.mean(), loss.count, gradient.as_slice()), (0.0, 0, &[0.0; 3][..]));
        }
        assert_eq!(run(&[], 3, &[], &options(&[], 0.1, 0.0)).0.count, 0);
    }

    #[test]
    fn threads_never_change_a_bit() {
        let mut rng = Lcg::new(3);
        let logits = rng.uniform(30_000, -4.0, 4.0);
        let targets: Vec<u32> = (0..10_000).map(|_| rng.below(3) as u32).collect();
        for options in [options(&WEIGHTS, 0.1, 0.0), options(&WEIGHTS, 0.0, 2.0)] {
            same_on_all_pools(|| {
                let (loss, mut gradient) = run(&logits, 3, &targets, &options);
                gradient.extend([loss.sum as f32, loss.weight as f32]);
                gradient
            });
        }
    }
}
