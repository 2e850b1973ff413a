//! Pearson's correlation: do predicted numbers lie on a straight line over the gold ones?
//!
//! ```text
//! r = Σ (x - x̄)(y - ȳ) / sqrt(Σ (x - x̄)² Σ (y - ȳ)²)
//! ```
//!
//! 1 is a rising line, 0 no linear relation, -1 a falling line. Neither scale nor offset of the predictions counts: a model
//! may correlate perfectly and still be far off, so read it beside RMSE or R². One outlier can decide it; Spearman's is
//! robust. The usual figure on semantic similarity.
//!
//! Reference: Pearson, "Note on regression and inheritance in the case of two parents", Proceedings of the Royal Society of
//! London, 1895.

use serde::Serialize;

/// Running co-moments of (gold, predicted) pairs of numbers.
///
/// Sums are of deviations from the running means (Welford, Technometrics 1962; merged as in Chan, Golub and LeVeque,
/// 1979), so a large common offset does not cancel them away.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pearson {
    count: u64,
    gold_mean: f64,
    predicted_mean: f64,
    gold_deviation: f64,
    predicted_deviation: f64,
    codeviation: f64,
}

/// What [`Pearson`] found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PearsonResult {
    /// Number of examples.
    pub count: u64,
    /// The correlation, -1..1. `None` below two examples, where all gold or all predicted values are equal, and where a
    /// value or a sum of squares is no finite number.
    pub pearson: Option<f64>,
}

impl Pearson {
    /// Makes sums over nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one example. A NaN or infinite value makes the result `None`. An example without a gold value is not one.
    pub fn update(&mut self, gold: f64, predicted: f64) {
        self.count += 1;
        let count = self.count as f64;
        let (gold_apart, predicted_apart) = (gold - self.gold_mean, predicted - self.predicted_mean);
        self.gold_mean += gold_apart / count;
        self.predicted_mean += predicted_apart / count;
        self.gold_deviation += gold_apart * (gold - self.gold_mean);
        self.predicted_deviation += predicted_apart * (predicted - self.predicted_mean);
        self.codeviation += gold_apart * (predicted - self.predicted_mean);
    }

    /// Adds the examples that `other` has seen.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = other.clone();
            return;
        }
        let count = self.count + other.count;
        let (left, right, both) = (self.count as f64, other.count as f64, count as f64);
        let gold_apart = other.gold_mean - self.gold_mean;
        let predicted_apart = other.predicted_mean - self.predicted_mean;
        let weight = left * right / both;
        self.gold_mean += gold_apart * (right / both);
        self.predicted_mean += predicted_apart * (right / both);
        self.gold_deviation += other.gold_deviation + gold_apart * gold_apart * weight;
        self.predicted_deviation += other.predicted_deviation + predicted_apart * predicted_apart * weight;
        self.codeviation += other.codeviation + gold_apart * predicted_apart * weight;
        self.count = count;
    }

    /// Reports on everything added so far.
    pub fn result(&self) -> PearsonResult {
        let varies = self.gold_deviation > 0.0 && self.predicted_deviation > 0.0;
        let correlation = self.codeviation / (self.gold_deviation.sqrt() * self.predicted_deviation.sqrt());
        let finite = self.gold_deviation.is_finite() && self.predicted_deviation.is_finite() && correlation.is_finite();
        PearsonResult { count: self.count, pearson: (varies && finite).then(|| correlation.clamp(-1.0, 1.0)) }
    }
}

impl PearsonResult {
    /// The value under a catalogue key (`pearson`), if this result has one.
    pub fn value(&self, key: &str) -> Option<f64> {
        if key == "pearson" { self.pearson } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(examples: &[(f64, f64)]) -> Pearson {
        let mut sums = Pearson::new();
        examples.iter().for_each(|&(gold, predicted)| sums.update(gold, predicted));
        sums
    }

    fn close(found: Option<f64>, expected: f64) {
        let found = found.unwrap();
        assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
    }

    #[test]
    fn lines_and_a_hand_counted_number() {
        close(sums(&[(1.0, -3.0), (2.0, -1.0), (4.0, 3.0)]).result().value("pearson"), 1.0);
        close(sums(&[(1.0, 1e6), (2.0, -1e6)]).result().pearson, -1.0);
        // Deviations -1.5 -0.5 0.5 1.5 and -0.5 -1.5 1.5 0.5: 3 over 5.
        close(sums(&[(1.0, 2.0), (2.0, 1.0), (3.0, 4.0), (4.0, 3.0)]).result().pearson, 0.6);
        assert_eq!(sums(&[(1.0, 2.0), (2.0, 1.0)]).result().value("spearman"), None);
    }

    #[test]
    fn a_large_offset_keeps_the_correlation() {
        let examples = [(1.0, 2.0), (2.0, 1.0), (3.0, 4.0), (4.0, 3.0)].map(|(x, y)| (x + 1e8, y - 1e8));
        close(sums(&examples).result().pearson, 0.6);
    }

    #[test]
    fn merge_and_order_change_nothing() {
        let examples: Vec<(f64, f64)> =
            (0..200).map(|i| (1e6 + f64::from(i * i % 37), -1e6 + f64::from((i * i + i) % 41))).collect();
        let whole = sums(&examples).result();
        for cut in [0, 1, 77, 200] {
            let mut parts = sums(&examples[cut..]);
            parts.merge(&sums(&examples[..cut]));
            assert_eq!(parts.result().count, 200);
            close(parts.result().pearson, whole.pearson.unwrap());
        }
    }

    #[test]
    fn hostile_inputs_are_none_not_nan() {
        assert_eq!(Pearson::new().result(), PearsonResult { count: 0, pearson: None });
        assert_eq!(sums(&[(1.0, 1.0)]).result().pearson, None);
        assert_eq!(sums(&[(0.1, 0.2), (0.1, 0.3), (0.1, 0.7)]).result().pearson, None);
        assert_eq!(sums(&[(0.2, 0.1), (0.3, 0.1), (0.7, 0.1)]).result().pearson, None);
        // A constant stays one when parts of it are joined.
        let mut constant = sums(&[(0.1, 0.2), (0.1, 0.3)]);
        constant.merge(&sums(&[(0.1, 0.5), (0.1, 0.7), (0.1, 0.1)]));
        assert_eq!(constant.result().pearson, None);
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300] {
            assert_eq!(sums(&[(bad, 0.0), (1.0, 1.0), (2.0, 5.0)]).result().pearson, None, "{bad}");
            assert_eq!(sums(&[(0.0, 1.0), (1.0, bad), (2.0, 5.0)]).result().pearson, None, "{bad}");
        }
    }
}
