//! Gaussian negative log-likelihood: how well do predicted means and deviations tell where numbers are?
//!
//! ```text
//! -1/n Σ_i ln N(y_i; m_i, s_i²) = 1/n Σ_i [ ln s_i + (y_i - m_i)² / (2 s_i²) + ln(2π)/2 ]
//! ```
//!
//! It is a density's, in the units of the numbers: below 0 where predictions are sharp and right, and least, on average, for
//! the true distribution. With one deviation for all it is the squared error, scaled and shifted.
//!
//! Reference: Gneiting and Raftery, "Strictly proper scoring rules, prediction, and estimation", Journal of the American
//! Statistical Association, 2007.

use serde::Serialize;

/// Running sum over (gold number, predicted mean, predicted deviation).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GaussianNll {
    count: u64,
    sum: f64,
}

/// What [`GaussianNll`] found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GaussianNllResult {
    /// Number of examples.
    pub count: u64,
    /// Mean negative log-likelihood in nats; `None` where nothing was counted or it is no finite number.
    pub nll: Option<f64>,
}

impl GaussianNll {
    /// Makes a sum over nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one example; the deviation is above 0, or the result is `None`.
    pub fn update(&mut self, gold: f64, mean: f64, deviation: f64) {
        let distance = (gold - mean) / deviation;
        self.count += 1;
        self.sum += deviation.ln() + 0.5 * (distance * distance + std::f64::consts::TAU.ln());
    }

    /// Adds the examples that `other` has seen.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum += other.sum;
    }

    /// Reports on everything added so far.
    pub fn result(&self) -> GaussianNllResult {
        let nll = (self.count > 0).then(|| self.sum / self.count as f64).filter(|value| value.is_finite());
        GaussianNllResult { count: self.count, nll }
    }
}

impl GaussianNllResult {
    /// The value under the catalogue key `gaussian-nll`.
    pub fn value(&self, key: &str) -> Option<f64> {
        if key == "gaussian-nll" { self.nll } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(examples: &[(f64, f64, f64)]) -> GaussianNll {
        let mut sum = GaussianNll::new();
        examples.iter().for_each(|&(gold, mean, deviation)| sum.update(gold, mean, deviation));
        sum
    }

    /// `-scipy.stats.norm(m, s).logpdf(y)` at a standard deviation's distance is `ln s + 1/2 + ln(2 pi) / 2`.
    #[test]
    fn is_the_density_at_known_places() {
        let half_log_tau = 0.918_938_533_204_672_8;
        for (example, expected) in [
            ((0.0, 0.0, 1.0), half_log_tau),
            ((3.0, 1.0, 2.0), 2.0_f64.ln() + 0.5 + half_log_tau),
            ((1.0, 1.0, 0.1), 0.1_f64.ln() + half_log_tau),
        ] {
            let found = sum(&[example]).result().value("gaussian-nll").unwrap();
            assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
        }
        assert_eq!(sum(&[(0.0, 0.0, 1.0)]).result().value("nll"), None);
    }

    #[test]
    fn merged_parts_equal_one_stream() {
        let examples = [(1.0, 0.5, 0.25), (2.0, 4.0, 0.5), (0.0, 0.0, 2.0)];
        let mut parts = sum(&examples[..1]);
        parts.merge(&sum(&examples[1..]));
        let (parts, whole) = (parts.result(), sum(&examples).result());
        assert!(parts.count == whole.count && (parts.nll.unwrap() - whole.nll.unwrap()).abs() < 1e-12);
    }

    #[test]
    fn hostile_inputs_are_none_not_nan() {
        assert_eq!(GaussianNll::new().result().nll, None);
        for (gold, mean, deviation) in
            [(f64::NAN, 0.0, 1.0), (0.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, -1.0), (0.0, f64::INFINITY, 1.0)]
        {
            assert_eq!(sum(&[(gold, mean, deviation), (1.0, 1.0, 1.0)]).result().nll, None);
        }
    }
}
