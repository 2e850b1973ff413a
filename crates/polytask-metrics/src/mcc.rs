//! Matthews correlation coefficient: how strongly gold and predicted classes go together, whatever their shares.
//!
//! ```text
//! R_K = (n c - Σ_k g_k p_k) / sqrt((n² - Σ_k g_k²) (n² - Σ_k p_k²))
//! ```
//!
//! over `n` examples, `c` of them right, `g_k` of gold class `k` and `p_k` predicted as class `k`. 1 is all right, 0 is
//! what chance gives; with two classes -1 is all wrong, with more the least value lies between -1 and 0. Unlike accuracy
//! it does not reward a model for the most frequent class.
//!
//! References: Matthews, "Comparison of the predicted and observed secondary structure of T4 phage lysozyme", Biochimica
//! et Biophysica Acta, 1975; for more than two classes: Gorodkin, "Comparing two K-category assignments by a K-category
//! correlation coefficient", Computational Biology and Chemistry, 2004.

use crate::confusion::ClassResult;

/// The coefficient of counts by class, `correct` examples being right.
///
/// `None` where the gold answers or the predictions hold fewer than two classes, since the correlation with a constant
/// does not exist (scikit-learn says 0 there). Counts are kept whole, so nothing cancels up to 10^18 examples.
pub(crate) fn mcc(classes: &[ClassResult], correct: u64) -> Option<f64> {
    let sum = |product: fn(&ClassResult) -> [u64; 2]| -> i128 {
        classes.iter().map(product).map(|[a, b]| i128::from(a) * i128::from(b)).sum()
    };
    let count = i128::from(classes.iter().map(|class| class.support).sum::<u64>());
    let covariance = count * i128::from(correct) - sum(|class| [class.support, class.predicted]);
    let gold = count * count - sum(|class| [class.support, class.support]);
    let predicted = count * count - sum(|class| [class.predicted, class.predicted]);
    (gold > 0 && predicted > 0).then(|| (covariance as f64 / (gold as f64 * predicted as f64).sqrt()).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use crate::Confusion;

    fn mcc(examples: &[(usize, usize)]) -> Option<f64> {
        let mut confusion = Confusion::new();
        examples.iter().for_each(|&(gold, predicted)| confusion.update(gold, predicted));
        confusion.result().mcc
    }

    /// `true_positives` and so on as Matthews has them.
    fn table([true_positives, false_positives, false_negatives, true_negatives]: [usize; 4]) -> Option<f64> {
        let cells = [((1, 1), true_positives), ((0, 1), false_positives), ((1, 0), false_negatives)];
        let cells = cells.into_iter().chain([((0, 0), true_negatives)]);
        mcc(&cells.flat_map(|(cell, count)| vec![cell; count]).collect::<Vec<_>>())
    }

    #[test]
    fn two_classes_follow_the_formula_of_matthews() {
        let expected = |[tp, fp, fneg, tn]: [f64; 4]| {
            (tp * tn - fp * fneg) / ((tp + fp) * (tp + fneg) * (tn + fp) * (tn + fneg)).sqrt()
        };
        for counts in [[6, 1, 2, 3], [1, 0, 0, 1], [0, 3, 4, 0], [90, 4, 1, 5], [1, 1, 1, 1]] {
            let (found, expected) = (table(counts).unwrap(), expected(counts.map(|count| count as f64)));
            assert!((found - expected).abs() < 1e-15, "{counts:?}: {found} is not {expected}");
        }
    }

    #[test]
    fn a_constant_correlates_with_nothing() {
        assert_eq!(mcc(&[]), None);
        assert_eq!(mcc(&[(3, 3)]), None);
        assert_eq!(mcc(&[(0, 1), (1, 1)]), None);
        assert_eq!(mcc(&[(1, 0), (1, 1)]), None);
        assert_eq!(mcc(&[(0, 0), (usize::MAX, usize::MAX)]), Some(1.0));
    }

    #[test]
    fn counts_of_a_large_stream_do_not_cancel() {
        let mut confusion = Confusion::new();
        for cell in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            confusion.update(cell.0, cell.1);
        }
        for _ in 0..58 {
            confusion.merge(&confusion.clone());
        }
        assert_eq!(confusion.result().mcc, Some(0.0));
    }
}
