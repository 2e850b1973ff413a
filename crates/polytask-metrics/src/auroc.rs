//! AUROC: how likely does an example of the class score higher than one of another class?
//!
//! ```text
//! AUROC = P(score+ > score-) + 1/2 P(score+ = score-)
//! ```
//!
//! over all pairs of a positive and a negative example; the same number as the area under the curve of the true-positive
//! rate over the false-positive rate. 1 is a perfect order, 0.5 what chance gives, 0 the order upside down. It does not
//! depend on how many examples are positive; where few are, average precision says more.
//!
//! Cost: a sort of the examples.
//! Reference: Hanley and McNeil, "The meaning and use of the area under a receiver operating characteristic (ROC) curve",
//! Radiology, 1982.

use crate::tie_groups::TieGroup;

/// The area under the ROC curve of ranked examples, 0..1; `None` without a positive or without a negative example.
///
/// Pairs are counted in whole numbers, so ties are exact and the order in which examples came changes nothing.
pub(crate) fn auroc(groups: &[TieGroup]) -> Option<f64> {
    let (mut positives, mut negatives, mut half_pairs) = (0_u128, 0_u128, 0_u128);
    for group in groups {
        let (positives_here, negatives_here) = (u128::from(group.positives), u128::from(group.negatives));
        half_pairs += negatives_here * (2 * positives + positives_here);
        positives += positives_here;
        negatives += negatives_here;
    }
    let pairs = positives * negatives;
    (pairs > 0).then(|| half_pairs as f64 / (2 * pairs) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tie_groups::tie_groups;

    fn area(examples: &[(f32, bool)]) -> Option<f64> {
        auroc(&tie_groups(examples.iter().copied()).unwrap())
    }

    #[test]
    fn equals_the_share_of_pairs_in_order() {
        // Few distinct scores, so that most pairs tie.
        for distinct in [1, 2, 5, 97] {
            let examples: Vec<(f32, bool)> =
                (0..60).map(|i| ((i * i * 7 % 101 % distinct) as f32, i % 7 < 3)).collect();
            let mut share = 0.0;
            let mut pairs = 0.0;
            for &(high, _) in examples.iter().filter(|(_, positive)| *positive) {
                for &(low, _) in examples.iter().filter(|(_, positive)| !positive) {
                    pairs += 1.0;
                    share += if high > low {
                        1.0
                    } else if high == low {
                        0.5
                    } else {
                        0.0
                    };
                }
            }
            assert_eq!(area(&examples), Some(share / pairs), "{distinct}");
        }
    }

    #[test]
    fn one_class_has_no_area() {
        assert_eq!(area(&[]), None);
        assert_eq!(area(&[(0.2, true), (0.4, true)]), None);
        assert_eq!(area(&[(0.2, false)]), None);
        assert_eq!(area(&[(0.2, false), (0.4, true)]), Some(1.0));
        assert_eq!(area(&[(0.2, true), (0.4, false)]), Some(0.0));
        assert_eq!(area(&[(0.2, true), (0.2, false)]), Some(0.5));
    }
}
