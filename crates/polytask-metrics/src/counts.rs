//! Precision, recall and F1 from counts: shared by the class and the span metrics.

use serde::{Deserialize, Serialize};

/// How often one class or type was gold, was predicted, and was both at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Occurrences in the gold answers.
    pub gold: u64,
    /// Occurrences in the predictions.
    pub predicted: u64,
    /// Occurrences in both, at the same place.
    pub correct: u64,
}

/// Precision, recall and F1, each 0..1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Share of the predictions that are right.
    pub precision: f64,
    /// Share of the gold answers that were found.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
}

impl Counts {
    /// Adds other counts to these.
    pub fn add(&mut self, other: &Self) {
        self.gold += other.gold;
        self.predicted += other.predicted;
        self.correct += other.correct;
    }

    /// Computes the scores; a ratio with nothing below the line is 0, as scikit-learn, seqeval and conlleval have it.
    pub fn scores(&self) -> Scores {
        Scores {
            precision: ratio(self.correct, self.predicted),
            recall: ratio(self.correct, self.gold),
            f1: ratio(2 * self.correct, self.gold + self.predicted),
        }
    }
}

impl Scores {
    /// Averages scores with equal weight (the macro average); `None` of nothing.
    ///
    /// The F1 is the mean of the F1s, not the F1 of the mean precision and recall: the two differ.
    pub fn mean(all: impl ExactSizeIterator<Item = Scores>) -> Option<Scores> {
        let count = all.len() as f64;
        let sum = all.fold(None, |sum: Option<Scores>, each| {
            let sum = sum.unwrap_or_default();
            Some(Scores {
                precision: sum.precision + each.precision,
                recall: sum.recall + each.recall,
                f1: sum.f1 + each.f1,
            })
        })?;
        Some(Scores { precision: sum.precision / count, recall: sum.recall / count, f1: sum.f1 / count })
    }
}

fn ratio(above: u64, below: u64) -> f64 {
    if below == 0 { 0.0 } else { above as f64 / below as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_of_hand_counted_numbers() {
        let scores = Counts { gold: 4, predicted: 5, correct: 3 }.scores();
        assert_eq!(scores, Scores { precision: 0.6, recall: 0.75, f1: 6.0 / 9.0 });
    }

    #[test]
    fn nothing_below_the_line_is_zero() {
        assert_eq!(Counts::default().scores(), Scores::default());
        assert_eq!(Counts { gold: 2, predicted: 0, correct: 0 }.scores(), Scores::default());
    }

    #[test]
    fn mean_of_nothing_is_none() {
        assert_eq!(Scores::mean([].into_iter()), None);
        let one = Scores { precision: 0.5, recall: 1.0, f1: 2.0 / 3.0 };
        assert_eq!(Scores::mean([one].into_iter()), Some(one));
    }
}
