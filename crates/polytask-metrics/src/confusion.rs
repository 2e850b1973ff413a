//! Class counts: accuracy, MCC, and precision, recall and F1, averaged over examples (micro) or over classes (macro).
//!
//! Numbers agree with scikit-learn's `precision_recall_fscore_support(zero_division=0)` with its default labels:
//! the macro average runs over the classes that occur in the gold answers or in the predictions.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::counts::{Counts, Scores};
use crate::mcc::mcc;

/// The confusion matrix of a stream of examples.
///
/// Kept sparse, so no number of classes has to be known and no class number is out of range.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Confusion {
    /// (gold, predicted) -> how often.
    cells: BTreeMap<(usize, usize), u64>,
}

/// What [`Confusion`] found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConfusionResult {
    /// Number of examples.
    pub count: u64,
    /// Share of right answers, 0..1; `None` where nothing was counted.
    pub accuracy: Option<f64>,
    /// Matthews correlation coefficient, -1..1; `None` where the gold answers or the predictions hold fewer than two classes.
    pub mcc: Option<f64>,
    /// Scores over all examples alike. With one class an example, all three equal the accuracy.
    pub micro_average: Option<Scores>,
    /// Scores averaged over the classes seen, each class alike.
    pub macro_average: Option<Scores>,
    /// Scores of each class seen, by class number.
    pub classes: Vec<ClassResult>,
}

/// Scores of one class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassResult {
    /// The class's number.
    pub class: usize,
    /// Its precision, recall and F1.
    #[serde(flatten)]
    pub scores: Scores,
    /// How many examples have it as gold answer.
    pub support: u64,
    /// How many examples got it as prediction.
    pub predicted: u64,
}

impl Confusion {
    /// Makes a matrix that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts one example by the numbers of its gold and its predicted class.
    pub fn update(&mut self, gold: usize, predicted: usize) {
        self.add(gold, predicted, 1);
    }

    /// Counts an example that occurs so many times.
    pub fn add(&mut self, gold: usize, predicted: usize, times: u64) {
        if times > 0 {
            *self.cells.entry((gold, predicted)).or_default() += times;
        }
    }

    /// Adds the examples that `other` has seen.
    pub fn merge(&mut self, other: &Self) {
        for (&cell, &count) in &other.cells {
            *self.cells.entry(cell).or_default() += count;
        }
    }

    /// How many examples of class `gold` were taken for class `predicted`.
    pub fn cell(&self, gold: usize, predicted: usize) -> u64 {
        self.cells.get(&(gold, predicted)).copied().unwrap_or(0)
    }

    /// The cells that are not zero, as ((gold, predicted), count), in order.
    pub fn cells(&self) -> impl Iterator<Item = ((usize, usize), u64)> + '_ {
        self.cells.iter().map(|(&cell, &count)| (cell, count))
    }

    /// Reports on everything counted so far.
    pub fn result(&self) -> ConfusionResult {
        let mut by_class: BTreeMap<usize, Counts> = BTreeMap::new();
        let mut total = Counts::default();
        for ((gold, predicted), count) in self.cells() {
            let correct = if gold == predicted { count } else { 0 };
            by_class.entry(gold).or_default().add(&Counts { gold: count, predicted: 0, correct });
            by_class.entry(predicted).or_default().add(&Counts { gold: 0, predicted: count, correct: 0 });
            total.add(&Counts { gold: count, predicted: count, correct });
        }
        let some = (total.gold > 0).then(|| total.scores());
        let classes: Vec<ClassResult> = by_class
            .iter()
            .map(|(&class, counts)| ClassResult {
                class,
                scores: counts.scores(),
                support: counts.gold,
                predicted: counts.predicted,
            })
            .collect();
        ConfusionResult {
            count: total.gold,
            accuracy: some.map(|scores| scores.recall),
            mcc: mcc(&classes, total.correct),
            micro_average: some,
            macro_average: Scores::mean(classes.iter().map(|class| class.scores)),
            classes,
        }
    }
}

impl ConfusionResult {
    /// The value under a catalogue key, if this result has one.
    ///
    /// `accuracy` and `token-accuracy` are the same number: the share of whatever was counted.
    pub fn value(&self, key: &str) -> Option<f64> {
        match key {
            "accuracy" | "token-accuracy" => self.accuracy,
            "f1-macro" => self.macro_average.map(|scores| scores.f1),
            "f1-micro" => self.micro_average.map(|scores| scores.f1),
            "mcc" => self.mcc,
            "precision-macro" => self.macro_average.map(|scores| scores.precision),
            "precision-micro" => self.micro_average.map(|scores| scores.precision),
            "recall-macro" => self.macro_average.map(|scores| scores.recall),
            "recall-micro" => self.micro_average.map(|scores| scores.recall),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scikit-learn's own example: y_true = 0 1 2 0 1 2, y_pred = 0 2 1 0 0 1.
    const EXAMPLES: [(usize, usize); 6] = [(0, 0), (1, 2), (2, 1), (0, 0), (1, 0), (2, 1)];

    fn count(examples: &[(usize, usize)]) -> Confusion {
        let mut confusion = Confusion::new();
        examples.iter().for_each(|&(gold, predicted)| confusion.update(gold, predicted));
        confusion
    }

    fn close(found: Option<f64>, expected: f64) {
        let found = found.unwrap();
        assert!((found - expected).abs() < 1e-15, "{found} is not {expected}");
    }

    #[test]
    fn agrees_with_scikit_learn_documentation() {
        let result = count(&EXAMPLES).result();
        close(result.value("precision-macro"), 2.0 / 9.0);
        close(result.value("recall-macro"), 1.0 / 3.0);
        close(result.value("f1-macro"), 0.8 / 3.0);
        close(result.value("precision-micro"), 1.0 / 3.0);
        close(result.value("recall-micro"), 1.0 / 3.0);
        close(result.value("f1-micro"), 1.0 / 3.0);
        close(result.value("accuracy"), 1.0 / 3.0);
        assert_eq!(result.value("rmse"), None);
        assert_eq!(result.classes.iter().map(|class| class.support).collect::<Vec<_>>(), [2, 2, 2]);
    }

    #[test]
    fn classes_seen_on_either_side_are_averaged() {
        // Class 1 is only predicted, class 7 only gold, classes 2..6 not at all: three classes, not eight.
        let result = count(&[(0, 0), (0, 1), (7, 0)]).result();
        assert_eq!(result.classes.iter().map(|class| class.class).collect::<Vec<_>>(), [0, 1, 7]);
        assert_eq!(result.macro_average, Some(Scores { precision: 0.5 / 3.0, recall: 0.5 / 3.0, f1: 0.5 / 3.0 }));
        assert_eq!(result.classes[1].support, 0);
        assert_eq!(result.classes[1].predicted, 1);
    }

    #[test]
    fn merge_and_order_change_nothing() {
        let whole = count(&EXAMPLES);
        let mut parts = count(&EXAMPLES[4..]);
        parts.merge(&count(&EXAMPLES[..4]));
        assert_eq!(parts, whole);
        let mut reversed = EXAMPLES;
        reversed.reverse();
        assert_eq!(count(&reversed).result(), whole.result());
        assert_eq!((whole.cell(2, 1), whole.cell(1, 1)), (2, 0));
    }

    #[test]
    fn empty_and_extreme_inputs() {
        let result = Confusion::new().result();
        assert_eq!((result.accuracy, result.micro_average, result.macro_average), (None, None, None));
        assert!(!serde_json::to_string(&result).unwrap().contains("NaN"));
        assert_eq!(count(&[(usize::MAX, usize::MAX)]).result().accuracy, Some(1.0));
    }
}
