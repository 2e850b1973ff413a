//! Brier score and negative log-likelihood: how good are the probabilities themselves?
//!
//! ```text
//! Brier = 1/n Σ_i 1/2 Σ_k (p_ik - y_ik)²        NLL = -1/n Σ_i ln p_i,gold
//! ```
//!
//! Both are least, on average, for the true probabilities, so they judge order and calibration in one. The Brier score is
//! bounded; the log-likelihood punishes a sure mistake without bound, here up to 36.04 nats: probabilities are clipped
//! to at least 2^-52 and at most 1 - 2^-52. With two classes the Brier score is the squared error of the second one's
//! probability. Numbers agree with scikit-learn's `brier_score_loss(scale_by_half=True)` and `log_loss`.
//!
//! References: Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review, 1950; Gneiting
//! and Raftery, "Strictly proper scoring rules, prediction, and estimation", Journal of the American Statistical
//! Association, 2007.

use serde::Serialize;

/// Running sums of both scores.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Probability {
    count: u64,
    brier: f64,
    nll: f64,
}

/// What [`Probability`] found. A number is `None` where nothing was counted or a probability was no finite number.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProbabilityResult {
    /// Number of examples.
    pub count: u64,
    /// Half the mean squared distance to the gold class, 0..1.
    pub brier: Option<f64>,
    /// Mean negative log-likelihood of the gold class in nats, at least 0.
    pub nll: Option<f64>,
}

impl Probability {
    /// Makes sums over nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one example by the number of its gold class and the probability of each class, `[class]`, each 0..1 and 1 in
    /// sum. A NaN or infinite probability makes the results `None`. An example without a gold class is not one.
    ///
    /// # Panics
    /// Where the gold class has no probability.
    pub fn update(&mut self, gold: usize, probabilities: &[f32]) {
        let squares = probabilities.iter().enumerate().map(|(class, &probability)| {
            let error = f64::from(probability) - f64::from(u8::from(class == gold));
            error * error
        });
        let squared_error: f64 = squares.sum();
        self.count += 1;
        self.brier += squared_error / 2.0;
        self.nll -= f64::from(probabilities[gold]).clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln();
        // Clipping takes an infinity for a probability.
        if !squared_error.is_finite() {
            self.nll = f64::NAN;
        }
    }

    /// Adds the examples that `other` has seen.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.brier += other.brier;
        self.nll += other.nll;
    }

    /// Reports on everything added so far.
    pub fn result(&self) -> ProbabilityResult {
        let mean = |sum: f64| (self.count > 0).then(|| sum / self.count as f64).filter(|value| value.is_finite());
        ProbabilityResult { count: self.count, brier: mean(self.brier), nll: mean(self.nll) }
    }
}

impl ProbabilityResult {
    /// The value under a catalogue key (`brier`, `nll`), if this result has one.
    pub fn value(&self, key: &str) -> Option<f64> {
        match key {
            "brier" => self.brier,
            "nll" => self.nll,
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(examples: &[(usize, [f32; 2])]) -> Probability {
        let mut sums = Probability::new();
        examples.iter().for_each(|(gold, probabilities)| sums.update(*gold, probabilities));
        sums
    }

    #[test]
    fn hand_counted_numbers() {
        let result = sums(&[(0, [0.75, 0.25]), (1, [0.5, 0.5])]).result();
        assert_eq!(result.value("brier"), Some((0.0625 + 0.25) / 2.0));
        assert!((result.value("nll").unwrap() + (0.75_f64.ln() + 0.5_f64.ln()) / 2.0).abs() < 1e-15);
        assert_eq!(result.value("ece"), None);
    }

    #[test]
    fn sure_and_right_or_wrong() {
        let wrong = sums(&[(0, [0.0, 1.0])]).result();
        assert_eq!(wrong.brier, Some(1.0));
        assert!((wrong.nll.unwrap() - 36.043_653_389_117_15).abs() < 1e-12);
        let right = sums(&[(1, [0.0, 1.0])]).result();
        assert_eq!(right.brier, Some(0.0));
        assert!(right.nll.is_some_and(|nll| (0.0..1e-15).contains(&nll)));
    }

    #[test]
    fn merged_parts_equal_one_stream() {
        let examples: Vec<(usize, [f32; 2])> =
            (1..64_u8).map(|i| (usize::from(i % 3 == 0), [f32::from(i) / 64.0, 1.0 - f32::from(i) / 64.0])).collect();
        let whole = sums(&examples).result();
        let mut parts = sums(&examples[50..]);
        parts.merge(&sums(&examples[..50]));
        let parts = parts.result();
        assert_eq!((parts.count, parts.brier), (whole.count, whole.brier));
        assert!((parts.nll.unwrap() - whole.nll.unwrap()).abs() < 1e-14);
    }

    #[test]
    fn hostile_inputs_are_none_not_nan() {
        assert_eq!(Probability::new().result(), ProbabilityResult { count: 0, brier: None, nll: None });
        for bad in [[f32::NAN, 0.5], [0.5, f32::NAN], [f32::INFINITY, 0.0], [0.5, f32::NEG_INFINITY]] {
            let result = sums(&[(0, bad), (1, [0.5, 0.5])]).result();
            assert_eq!(result, ProbabilityResult { count: 2, brier: None, nll: None }, "{bad:?}");
        }
    }
}
