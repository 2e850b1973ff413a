//! The confusion matrix as a value to keep and to show: which class is taken for which?

use serde::{Deserialize, Serialize};

use crate::confusion::Confusion;

/// Counts of examples by gold and by predicted class.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfusionMatrix {
    /// Names of the classes, by class number.
    pub labels: Vec<String>,
    /// `[gold, predicted]`: row by row, how many examples of the gold class were taken for the predicted one.
    pub counts: Vec<Vec<u64>>,
}

impl Confusion {
    /// The matrix of these classes, a row and a column for each, whether it occurs or not.
    ///
    /// # Panics
    /// Where a class was counted whose number has no label.
    pub fn matrix(&self, labels: &[String]) -> ConfusionMatrix {
        let mut counts = vec![vec![0; labels.len()]; labels.len()];
        for ((gold, predicted), count) in self.cells() {
            counts[gold][predicted] = count;
        }
        ConfusionMatrix { labels: labels.to_vec(), counts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_gold_and_columns_are_predicted() {
        let mut confusion = Confusion::new();
        for (gold, predicted) in [(0, 0), (0, 2), (0, 2), (2, 0)] {
            confusion.update(gold, predicted);
        }
        let matrix = confusion.matrix(&["a".to_owned(), "b".to_owned(), "c".to_owned()]);
        assert_eq!(matrix.counts, [[1, 0, 2], [0, 0, 0], [1, 0, 0]]);
        let json = serde_json::to_string(&matrix).unwrap();
        assert_eq!(json, r#"{"labels":["a","b","c"],"counts":[[1,0,2],[0,0,0],[1,0,0]]}"#);
        assert_eq!(serde_json::from_str::<ConfusionMatrix>(&json).unwrap(), matrix);
        assert_eq!(Confusion::new().matrix(&[]), ConfusionMatrix::default());
    }
}
