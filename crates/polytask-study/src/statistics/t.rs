//! How sure is a mean of paired differences?
//!
//! ```text
//! t = mean / (s / sqrt(n)),   n - 1 degrees of freedom
//! ```
//!
//! Exact where the differences are independent and normal: an interval of confidence 95 % misses the true mean in 5 % of
//! studies, and `p <= 0.05` comes up in 5 % of studies without a difference. Reference: Student, "The probable error of a
//! mean", Biometrika, 1908.

use serde::{Deserialize, Serialize};

use super::beta::incomplete_beta;

/// An interval that holds a quantity with some confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// Whether a value lies in the interval, ends included.
    pub fn holds(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// What paired differences say about their mean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Paired {
    /// Mean difference.
    pub mean: f64,
    /// The interval of the mean.
    pub interval: Interval,
    /// Probability of a mean this far from zero, on either side, if the true one is zero.
    pub p: f64,
}

/// Mean, interval and two-sided p value of paired differences; `confidence` lies between 0 and 1.
///
/// `None` with fewer than two differences, or one that is no finite number. Differences that are all the same have an
/// interval of no width.
pub fn t_interval(differences: &[f64], confidence: f64) -> Option<Paired> {
    let n = differences.len() as f64;
    if differences.len() < 2 || differences.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let mean = differences.iter().sum::<f64>() / n;
    let variance = differences.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let error = (variance / n).sqrt();
    let same = differences.windows(2).all(|pair| pair[0] == pair[1]);
    if same || error == 0.0 {
        let mean = differences[0];
        let p = if mean == 0.0 { 1.0 } else { 0.0 };
        return Some(Paired { mean, interval: Interval { low: mean, high: mean }, p });
    }
    let half = quantile(n - 1.0, confidence) * error;
    let interval = Interval { low: mean - half, high: mean + half };
    Some(Paired { mean, interval, p: two_sided(n - 1.0, mean / error) })
}

/// Probability that Student's t with so many degrees of freedom is at least `|t|` away from zero.
fn two_sided(freedom: f64, t: f64) -> f64 {
    incomplete_beta(freedom / 2.0, 0.5, freedom / (freedom + t * t))
}

/// How far from zero Student's t stays with this probability, found by bisection.
fn quantile(freedom: f64, confidence: f64) -> f64 {
    let outside = 1.0 - confidence;
    let (mut low, mut high) = (0.0, 1.0);
    while two_sided(freedom, high) > outside && high < 1e300 {
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if two_sided(freedom, middle) > outside {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_have_closed_forms() {
        for t in [0.01_f64, 0.5, 1.0, 3.0, 40.0] {
            let cauchy = 1.0 - 2.0 / std::f64::consts::PI * t.atan();
            assert!((two_sided(1.0, t) - cauchy).abs() < 1e-13, "{t}");
            let two = 1.0 - t / (2.0 + t * t).sqrt();
            assert!((two_sided(2.0, -t) - two).abs() < 1e-13, "{t}");
        }
    }

    #[test]
    fn quantiles_are_those_of_the_tables() {
        // The 97.5 % points of Student's t in any table of it.
        for (freedom, expected) in [(1.0, 12.706_204_736), (4.0, 2.776_445_105), (9.0, 2.262_157_163)] {
            assert!((quantile(freedom, 0.95) - expected).abs() < 5e-9, "{freedom}");
        }
        assert!((quantile(4.0, 0.99) - 4.604_094_871).abs() < 5e-9);
    }

    #[test]
    fn the_sleep_data_of_student() {
        // Hours of sleep gained: mean 1.58, t = 4.0621 with 9 degrees of freedom, p = 0.002833, interval 0.7001 to 2.4599.
        let gained = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4];
        let found = t_interval(&gained, 0.95).unwrap();
        assert!((found.mean - 1.58).abs() < 1e-12 && (found.p - 0.002833).abs() < 5e-7, "{found:?}");
        assert!((found.interval.low - 0.7001).abs() < 5e-5 && (found.interval.high - 2.4599).abs() < 5e-5, "{found:?}");
    }

    #[test]
    fn hostile_differences() {
        assert_eq!(t_interval(&[1.0], 0.95), None);
        assert_eq!(t_interval(&[1.0, f64::NAN], 0.95), None);
        let same = t_interval(&[0.1; 5], 0.95).unwrap();
        assert_eq!((same.mean, same.interval, same.p), (0.1, Interval { low: 0.1, high: 0.1 }, 0.0));
        assert_eq!(t_interval(&[0.0; 5], 0.95).unwrap().p, 1.0);
    }
}
