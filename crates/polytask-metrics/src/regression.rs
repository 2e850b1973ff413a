//! Regression: root mean squared error, mean absolute error and the share of variance explained.

use serde::Serialize;

/// Running sums over (gold, predicted) pairs of numbers.
///
/// The variance of the gold values is kept as mean and summed squared deviations (Welford, Technometrics 1962;
/// merged as in Chan, Golub and LeVeque, 1979), so a large common offset does not cancel it away.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rmse {
    count: u64,
    squared_error: f64,
    absolute_error: f64,
    gold_mean: f64,
    gold_deviation: f64,
}

/// What [`Rmse`] found. A number is `None` where it does not exist or is too large for an `f64`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RmseResult {
    /// Number of examples.
    pub count: u64,
    /// Root of the mean squared error, at least 0.
    pub rmse: Option<f64>,
    /// Mean absolute error, at least 0.
    pub mae: Option<f64>,
    /// 1 - squared error / squared deviation of the gold values from their mean, at most 1; `None` below two examples.
    /// Where all gold values are equal it is 1 for a perfect prediction and 0 for any other, as in scikit-learn.
    pub r2: Option<f64>,
}

impl Rmse {
    /// Makes sums over nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one example. A NaN or infinite value makes the results `None`.
    pub fn update(&mut self, gold: f64, predicted: f64) {
        let error = predicted - gold;
        self.count += 1;
        self.squared_error += error * error;
        self.absolute_error += error.abs();
        let deviation = gold - self.gold_mean;
        self.gold_mean += deviation / self.count as f64;
        self.gold_deviation += deviation * (gold - self.gold_mean);
    }

    /// Adds the examples that `other` has seen.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        // Spreading nothing's mean would overflow where the values are large and their spread is not.
        if self.count == 0 {
            *self = other.clone();
            return;
        }
        let count = self.count + other.count;
        let (left, right, both) = (self.count as f64, other.count as f64, count as f64);
        let apart = other.gold_mean - self.gold_mean;
        self.gold_mean += apart * (right / both);
        self.gold_deviation += other.gold_deviation + apart * apart * (left * right / both);
        self.squared_error += other.squared_error;
        self.absolute_error += other.absolute_error;
        self.count = count;
    }

    /// Reports on everything added so far.
    pub fn result(&self) -> RmseResult {
        let count = self.count as f64;
        let mean = |sum: f64| Some(sum / count).filter(|value| value.is_finite());
        RmseResult {
            count: self.count,
            rmse: mean(self.squared_error).map(f64::sqrt),
            mae: mean(self.absolute_error),
            r2: (self.count >= 2).then(|| self.r2()).filter(|value| value.is_finite()),
        }
    }

    fn r2(&self) -> f64 {
        if self.gold_deviation != 0.0 {
            1.0 - self.squared_error / self.gold_deviation
        } else if self.squared_error == 0.0 {
            1.0
        } else {
            // A NaN among the errors stays one, and is left out of the result.
            0.0 * self.squared_error
        }
    }
}

impl RmseResult {
    /// The value under a catalogue key (`rmse`, `mae`, `r2`), if this result has one.
    pub fn value(&self, key: &str) -> Option<f64> {
        match key {
            "rmse" => self.rmse,
            "mae" => self.mae,
            "r2" => self.r2,
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(examples: &[(f64, f64)]) -> Rmse {
        let mut sums = Rmse::new();
        examples.iter().for_each(|&(gold, predicted)| sums.update(gold, predicted));
        sums
    }

    fn close(found: Option<f64>, expected: f64) {
        let found = found.unwrap();
        assert!((found - expected).abs() < 1e-9 * expected.abs().max(1.0), "{found} is not {expected}");
    }

    #[test]
    fn agrees_with_scikit_learn_documentation() {
        let result = sums(&[(3.0, 2.5), (-0.5, 0.0), (2.0, 2.0), (7.0, 8.0)]).result();
        close(result.value("rmse"), 0.375_f64.sqrt());
        close(result.value("mae"), 0.5);
        close(result.value("r2"), 1.0 - 1.5 / 29.1875);
    }

    #[test]
    fn a_large_offset_keeps_the_variance() {
        let offset = 1e9;
        let result = sums(&[(offset + 1.0, offset + 2.0), (offset + 2.0, offset + 2.0), (offset + 3.0, offset + 3.0)]);
        close(result.result().r2, 0.5);
    }

    #[test]
    fn merge_and_order_change_nothing() {
        let examples: Vec<(f64, f64)> =
            (0..200).map(|i| (1e6 + f64::from(i * i % 37), 1e6 + f64::from(i * 7 % 41))).collect();
        let whole = sums(&examples).result();
        for cut in [0, 1, 77, 200] {
            let mut parts = sums(&examples[cut..]);
            parts.merge(&sums(&examples[..cut]));
            let parts = parts.result();
            assert_eq!(parts.count, whole.count);
            close(parts.rmse, whole.rmse.unwrap());
            close(parts.mae, whole.mae.unwrap());
            close(parts.r2, whole.r2.unwrap());
        }
    }

    #[test]
    fn merging_into_nothing_or_nothing_in_is_exact() {
        let large = sums(&[(1e200, 1e200), (1e200, 1e200)]);
        let mut merged = Rmse::new();
        merged.merge(&large);
        merged.merge(&Rmse::new());
        assert_eq!(merged, large);
        assert_eq!(merged.result().r2, Some(1.0));
    }

    #[test]
    fn hostile_inputs_are_none_not_nan() {
        let nothing = RmseResult { count: 0, rmse: None, mae: None, r2: None };
        assert_eq!(Rmse::new().result(), nothing);
        assert_eq!(sums(&[(1.0, 1.0)]).result(), RmseResult { count: 1, rmse: Some(0.0), mae: Some(0.0), r2: None });
        assert_eq!(sums(&[(0.1, 0.1), (0.1, 0.1), (0.1, 0.1)]).result().r2, Some(1.0));
        assert_eq!(sums(&[(0.1, 0.2), (0.1, 0.1)]).result().r2, Some(0.0));
        for bad in [f64::NAN, f64::INFINITY, 1e300] {
            let result = sums(&[(bad, 0.0), (1.0, bad), (2.0, 2.0)]).result();
            assert_eq!((result.rmse, result.r2), (None, None), "{bad}");
        }
    }
}
