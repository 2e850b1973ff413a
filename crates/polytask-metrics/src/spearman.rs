//! Spearman's rank correlation: do predicted numbers stand in the order of the gold ones?
//!
//! Pearson's correlation of the ranks, where equal values share the mean of their ranks. 1 is the same order, -1 the
//! reverse. Any rising function of the predictions scores alike, and an outlier counts no more than its rank.
//!
//! Reference: Spearman, "The proof and measurement of association between two things", American Journal of Psychology,
//! 1904; with mean ranks as scipy's `spearmanr`.

use serde::Serialize;

/// The (gold, predicted) pairs so far.
///
/// A rank depends on every other example, so all numbers are kept: 16 bytes an example. A result sorts them twice.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Spearman {
    gold: Vec<f64>,
    predicted: Vec<f64>,
}

/// What [`Spearman`] found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SpearmanResult {
    /// Number of examples.
    pub count: u64,
    /// The rank correlation, -1..1. `None` below two examples, where all gold or all predicted values are equal, and where
    /// a value is NaN, which has no rank; an infinity has one.
    pub spearman: Option<f64>,
}

impl Spearman {
    /// Makes a ranking of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one example. A NaN makes the result `None`. An example without a gold value is not one.
    pub fn update(&mut self, gold: f64, predicted: f64) {
        self.gold.push(gold);
        self.predicted.push(predicted);
    }

    /// Adds the examples that `other` has seen.
    pub fn merge(&mut self, other: &Self) {
        self.gold.extend_from_slice(&other.gold);
        self.predicted.extend_from_slice(&other.predicted);
    }

    /// Reports on everything added so far.
    pub fn result(&self) -> SpearmanResult {
        let ranks = doubled_ranks(&self.gold).zip(doubled_ranks(&self.predicted));
        let spearman = ranks.and_then(|(gold, predicted)| correlation(&gold, &predicted));
        SpearmanResult { count: self.gold.len() as u64, spearman }
    }
}

/// Twice the rank of each value, counted from 1: whole also where values tie. `None` with a NaN.
fn doubled_ranks(values: &[f64]) -> Option<Vec<u64>> {
    if values.iter().any(|value| value.is_nan()) {
        return None;
    }
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&left, &right| values[left].total_cmp(&values[right]));
    let mut ranks = vec![0; values.len()];
    let mut before = 0;
    for tied in order.chunk_by(|&left, &right| values[left] == values[right]) {
        // The mean of ranks before + 1 ..= before + tied, twice.
        let rank = (2 * before + tied.len() + 1) as u64;
        tied.iter().for_each(|&index| ranks[index] = rank);
        before += tied.len();
    }
    Some(ranks)
}

/// Pearson's correlation of ranks, from sums in whole numbers: exact up to 10^9 examples, whatever their order.
fn correlation(gold: &[u64], predicted: &[u64]) -> Option<f64> {
    let count = gold.len() as i128;
    // Doubled ranks sum up to this, ties or not.
    let sum = count * (count + 1);
    let codeviation = |left: &[u64], right: &[u64]| {
        let products = left.iter().zip(right).map(|(&a, &b)| i128::from(a) * i128::from(b));
        count * products.sum::<i128>() - sum * sum
    };
    let (gold_deviation, predicted_deviation) = (codeviation(gold, gold), codeviation(predicted, predicted));
    let scale = (gold_deviation as f64 * predicted_deviation as f64).sqrt();
    (scale > 0.0).then(|| (codeviation(gold, predicted) as f64 / scale).clamp(-1.0, 1.0))
}

impl SpearmanResult {
    /// The value under a catalogue key (`spearman`), if this result has one.
    pub fn value(&self, key: &str) -> Option<f64> {
        if key == "spearman" { self.spearman } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rank(examples: &[(f64, f64)]) -> Spearman {
        let mut ranking = Spearman::new();
        examples.iter().for_each(|&(gold, predicted)| ranking.update(gold, predicted));
        ranking
    }

    #[test]
    fn equal_values_share_the_mean_rank() {
        assert_eq!(doubled_ranks(&[0.0, 5.0, -0.0, 7.0, 5.0, 5.0]).unwrap(), [3, 8, 3, 12, 8, 8]);
        assert_eq!(doubled_ranks(&[f64::INFINITY, 1.0, f64::NEG_INFINITY]).unwrap(), [6, 4, 2]);
    }

    #[test]
    fn without_ties_it_is_the_formula_of_squared_rank_differences() {
        let examples: Vec<(f64, f64)> = (0..100).map(|i| (f64::from(i), f64::from(i * 37 % 101).exp())).collect();
        let mut values: Vec<f64> = examples.iter().map(|(_, y)| *y).collect();
        values.sort_unstable_by(f64::total_cmp);
        let squares: f64 =
            examples.iter().map(|(x, y)| (x - values.partition_point(|value| value < y) as f64).powi(2)).sum();
        let found = rank(&examples).result().value("spearman").unwrap();
        let expected = 1.0 - 6.0 * squares / (100.0 * (100.0_f64.powi(2) - 1.0));
        assert!((found - expected).abs() < 1e-14, "{found} is not {expected}");
        assert_eq!(rank(&examples).result().value("pearson"), None);
    }

    #[test]
    fn merged_parts_equal_one_stream_in_any_order() {
        let examples: Vec<(f64, f64)> = (0..90).map(|i| (f64::from(i * i % 17), f64::from(i % 11))).collect();
        let mut parts = rank(&examples[60..]);
        parts.merge(&rank(&examples[..60]));
        assert_eq!(parts.result(), rank(&examples).result());
        assert!(parts.result().spearman.is_some());
    }

    #[test]
    fn hostile_inputs_are_none_not_nan() {
        assert_eq!(Spearman::new().result(), SpearmanResult { count: 0, spearman: None });
        assert_eq!(rank(&[(1.0, 1.0)]).result().spearman, None);
        assert_eq!(rank(&[(1.0, 0.1), (2.0, 0.1)]).result().spearman, None);
        assert_eq!(rank(&[(0.1, 1.0), (0.1, 2.0)]).result().spearman, None);
        assert_eq!(rank(&[(0.1, 1.0), (f64::NAN, 2.0), (0.3, 3.0)]).result().spearman, None);
        assert_eq!(rank(&[(0.1, f64::NAN), (0.2, 2.0)]).result().spearman, None);
        assert_eq!(
            rank(&[(1e300, -1e300), (f64::INFINITY, 2.0), (0.3, f64::NEG_INFINITY)]).result().spearman,
            Some(1.0)
        );
    }
}
