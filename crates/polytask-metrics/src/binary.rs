//! Precision, recall and F1 of one class that matters, the positive one, against all others.
//!
//! Numbers agree with scikit-learn's `precision_recall_fscore_support(average="binary", zero_division=0)`, except where
//! the positive class does not occur: scikit-learn says 0, here there is no value.

use serde::Serialize;

use crate::confusion::ConfusionResult;
use crate::counts::Scores;

/// How well the positive class was told from the others.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BinaryResult {
    /// The number of the positive class.
    pub positive: usize,
    /// Its scores; `None` where it is neither the gold answer nor the prediction of any example. Where it occurs on one
    /// side only, a ratio with nothing below the line is 0.
    pub scores: Option<Scores>,
}

impl ConfusionResult {
    /// Reports on one class as the positive one; the others are negative.
    pub fn binary(&self, positive: usize) -> BinaryResult {
        let found = self.classes.iter().find(|class| class.class == positive);
        BinaryResult { positive, scores: found.map(|class| class.scores) }
    }
}

impl BinaryResult {
    /// The value under a catalogue key (`f1-binary`, `precision-binary`, `recall-binary`), if it has one.
    pub fn value(&self, key: &str) -> Option<f64> {
        let scores = self.scores?;
        match key {
            "f1-binary" => Some(scores.f1),
            "precision-binary" => Some(scores.precision),
            "recall-binary" => Some(scores.recall),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Confusion;

    fn binary(examples: &[(usize, usize)], positive: usize) -> BinaryResult {
        let mut confusion = Confusion::new();
        examples.iter().for_each(|&(gold, predicted)| confusion.update(gold, predicted));
        confusion.result().binary(positive)
    }

    #[test]
    fn hand_counted_numbers() {
        let examples = [(1, 1), (1, 1), (1, 1), (1, 0), (0, 1), (0, 1), (0, 0)];
        let result = binary(&examples, 1);
        assert_eq!(result.scores, Some(Scores { precision: 0.6, recall: 0.75, f1: 6.0 / 9.0 }));
        assert_eq!(result.value("f1-binary"), Some(6.0 / 9.0));
        assert_eq!(result.value("f1-macro"), None);
        assert_eq!(binary(&examples, 0).value("precision-binary"), Some(0.5));
        assert_eq!(binary(&examples, 0).value("recall-binary"), Some(1.0 / 3.0));
    }

    #[test]
    fn a_positive_class_on_one_side_or_on_none() {
        assert_eq!(binary(&[(0, 1)], 1).scores, Some(Scores::default()));
        assert_eq!(binary(&[(1, 0)], 1).scores, Some(Scores::default()));
        assert_eq!(binary(&[(0, 0)], 1).scores, None);
        assert_eq!(binary(&[], 1).value("recall-binary"), None);
    }
}
