//! AUPRC: how many of the examples that score high are of the class, at every share of the class that is found?
//!
//! ```text
//! AP = Σ_k (R_k - R_{k-1}) P_k
//! ```
//!
//! with precision `P_k` and recall `R_k` where all examples that score at least the k-th highest score are taken: average
//! precision, without interpolation, which would be too kind. Chance gives the share of positive examples, so values
//! compare only on the same examples. Of use where the class is rare.
//!
//! Cost: a sort of the examples.
//! References: Davis and Goadrich, "The relationship between precision-recall and ROC curves", ICML 2006; the sum as
//! scikit-learn's `average_precision_score`.

use crate::tie_groups::TieGroup;

/// The average precision of ranked examples, 0..1; `None` without a positive example (scikit-learn says 0 there).
///
/// Where all examples are positive it is 1. Examples that tie are taken together, so their order changes nothing.
pub(crate) fn average_precision(groups: &[TieGroup]) -> Option<f64> {
    let all: u64 = groups.iter().map(|group| group.positives).sum();
    let (mut positives, mut taken, mut sum) = (0, 0, 0.0);
    for group in groups {
        positives += group.positives;
        taken += group.positives + group.negatives;
        sum += group.positives as f64 * (positives as f64 / taken as f64);
    }
    (all > 0).then(|| sum / all as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tie_groups::tie_groups;

    fn precision(examples: &[(f32, bool)]) -> Option<f64> {
        average_precision(&tie_groups(examples.iter().copied()).unwrap())
    }

    #[test]
    fn hand_counted_numbers() {
        // scikit-learn's own example: 0.83...
        let found = precision(&[(0.1, false), (0.4, false), (0.35, true), (0.8, true)]);
        assert_eq!(found, Some((1.0 + 2.0 / 3.0) / 2.0));
        // All tie: the share of positive examples.
        assert_eq!(precision(&[(0.5, true), (0.5, false), (0.5, false), (0.5, false)]), Some(0.25));
        // The positive example is the last of five.
        let last: Vec<(f32, bool)> = (0..5).map(|i| (i as f32, i == 0)).collect();
        assert_eq!(precision(&last), Some(0.2));
    }

    #[test]
    fn one_class_alone() {
        assert_eq!(precision(&[]), None);
        assert_eq!(precision(&[(0.3, false), (0.7, false)]), None);
        assert_eq!(precision(&[(0.3, true), (0.7, true)]), Some(1.0));
    }
}
