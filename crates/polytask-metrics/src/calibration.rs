//! Calibration: is a prediction that claims 80 percent right 80 times in a hundred?
//!
//! ```text
//! ECE = Σ_b n_b / n |accuracy_b - confidence_b|
//! ```
//!
//! over bins `b` of equal width; `confidence` is the probability of the most probable class. Bin `b` of `B` holds
//! confidences in `(b/B, (b+1)/B]`, and the first one holds 0 as well. 0 is perfect, 1 the worst. The value depends on the
//! number of bins, so compare like with like, and is biased upwards where bins hold few examples.
//!
//! References: Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning", AAAI 2015;
//! of the top label and with 15 bins: Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", ICML
//! 2017.

use serde::Serialize;

/// Confidence and rightness of a stream of examples, summed by bins.
///
/// Only sums are kept: merging is exact but for the rounding of sums of confidences.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    bins: Vec<Bin>,
}

/// What [`Calibration`] found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CalibrationResult {
    /// Number of examples.
    pub count: u64,
    /// Expected calibration error, 0..1; `None` where nothing was counted or a probability was no finite number.
    pub ece: Option<f64>,
    /// The bins from low to high confidence: a reliability diagram.
    pub bins: Vec<BinResult>,
}

/// One bin of a reliability diagram.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BinResult {
    /// Number of examples in it.
    pub count: u64,
    /// Their mean confidence; `None` where there are none.
    pub confidence: Option<f64>,
    /// The share of them that is right; `None` where there are none.
    pub accuracy: Option<f64>,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Bin {
    count: u64,
    correct: u64,
    confidence: f64,
}

impl Default for Calibration {
    fn default() -> Self {
        Self::with_bins(15)
    }
}

impl Calibration {
    /// Makes 15 bins that have seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes so many bins, at least one.
    pub fn with_bins(bins: usize) -> Self {
        Calibration { bins: vec![Bin::default(); bins.max(1)] }
    }

    /// Counts one example by the number of its gold class and the probability of each class, `[class]`, each 0..1.
    ///
    /// The prediction is the first of the most probable classes. A NaN or infinite probability makes the result `None`.
    /// An example without a gold class is not one.
    pub fn update(&mut self, gold: usize, probabilities: &[f32]) {
        let (mut predicted, mut confidence) = (0, f32::NEG_INFINITY);
        for (class, &probability) in probabilities.iter().enumerate() {
            if probability > confidence || probability.is_nan() {
                (predicted, confidence) = (class, probability);
            }
        }
        let confidence = f64::from(confidence);
        let count = self.bins.len();
        let index = (1..count).take_while(|&edge| edge as f64 / (count as f64) < confidence).count();
        let bin = &mut self.bins[index];
        bin.count += 1;
        bin.correct += u64::from(predicted == gold);
        bin.confidence += confidence;
    }

    /// Adds the examples that `other` has seen.
    ///
    /// # Panics
    /// Where the two have different numbers of bins.
    pub fn merge(&mut self, other: &Self) {
        assert_eq!(self.bins.len(), other.bins.len(), "calibrations with the same bins");
        for (bin, other) in self.bins.iter_mut().zip(&other.bins) {
            bin.count += other.count;
            bin.correct += other.correct;
            bin.confidence += other.confidence;
        }
    }

    /// Reports on everything counted so far.
    pub fn result(&self) -> CalibrationResult {
        let count: u64 = self.bins.iter().map(|bin| bin.count).sum();
        // n_b |correct / n_b - confidence / n_b| without the two divisions.
        let apart: f64 = self.bins.iter().map(|bin| (bin.correct as f64 - bin.confidence).abs()).sum();
        CalibrationResult {
            count,
            ece: share(apart, count),
            bins: self
                .bins
                .iter()
                .map(|bin| BinResult {
                    count: bin.count,
                    confidence: share(bin.confidence, bin.count),
                    accuracy: share(bin.correct as f64, bin.count),
                })
                .collect(),
        }
    }
}

fn share(sum: f64, count: u64) -> Option<f64> {
    (count > 0).then(|| sum / count as f64).filter(|value| value.is_finite())
}

impl CalibrationResult {
    /// The value under a catalogue key (`ece`), if this result has one.
    pub fn value(&self, key: &str) -> Option<f64> {
        if key == "ece" { self.ece } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(bins: usize, examples: &[(usize, [f32; 2])]) -> Calibration {
        let mut calibration = Calibration::with_bins(bins);
        examples.iter().for_each(|(gold, probabilities)| calibration.update(*gold, probabilities));
        calibration
    }

    #[test]
    fn hand_counted_numbers() {
        let examples = [(0, [0.75, 0.25]), (1, [0.75, 0.25]), (1, [0.0, 1.0]), (0, [0.5, 0.5]), (1, [0.375, 0.625])];
        // Four bins: (0.25, 0.5] one, right; (0.5, 0.75] three, two right; (0.75, 1] one, right.
        let result = count(4, &examples).result();
        let ece = (0.5 + (2.0_f64 - 2.125).abs() + 0.0) / 5.0;
        assert_eq!(result.value("ece"), Some(ece));
        assert_eq!(result.bins.iter().map(|bin| bin.count).collect::<Vec<_>>(), [0, 1, 3, 1]);
        assert_eq!(result.bins[0], BinResult { count: 0, confidence: None, accuracy: None });
        assert_eq!(result.bins[3], BinResult { count: 1, confidence: Some(1.0), accuracy: Some(1.0) });
        assert_eq!(result.value("auroc"), None);
    }

    #[test]
    fn the_surest_and_always_wrong_is_the_worst() {
        assert_eq!(count(15, &[(1, [1.0, 0.0]); 3]).result().ece, Some(1.0));
        assert_eq!(count(15, &[(0, [1.0, 0.0]); 3]).result().ece, Some(0.0));
    }

    #[test]
    fn merged_parts_equal_one_stream() {
        let examples: Vec<(usize, [f32; 2])> =
            (0..64_u8).map(|i| (usize::from(i % 3 == 0), [f32::from(i) / 64.0, 1.0 - f32::from(i) / 64.0])).collect();
        let whole = count(15, &examples);
        let mut parts = count(15, &examples[20..]);
        parts.merge(&count(15, &examples[..20]));
        assert_eq!(parts, whole);
    }

    #[test]
    fn hostile_inputs_are_none_not_nan() {
        assert_eq!(Calibration::new().result().ece, None);
        assert_eq!(Calibration::new().result().bins.len(), 15);
        for bad in [[f32::NAN, 0.5], [0.5, f32::NAN], [f32::INFINITY, 0.0], [f32::NEG_INFINITY; 2]] {
            let result = count(3, &[(0, bad), (1, [0.5, 0.5])]).result();
            assert_eq!((result.count, result.ece), (2, None), "{bad:?}");
            assert!(!serde_json::to_string(&result).unwrap().contains("NaN"));
        }
        // No bins are one bin, and a probability beyond 1 is in the last.
        assert_eq!(count(0, &[(0, [1.5, 0.0])]).result().bins.len(), 1);
        let mut no_class = Calibration::new();
        no_class.update(0, &[]);
        assert_eq!(no_class.result().ece, None);
    }
}
