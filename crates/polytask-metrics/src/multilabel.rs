//! Many labels an example: which of them were found, counted over decisions, labels, or examples?
//!
//! Numbers agree with scikit-learn's `precision_recall_fscore_support(zero_division=0)` with the averages `micro`, `macro`
//! and `samples`, with `accuracy_score` and with `hamming_loss`, on indicator matrices without missing targets.

use serde::Serialize;

use crate::confusion::ClassResult;
use crate::counts::{Counts, Scores};

/// Counts of labels that were gold, predicted, and both, fed one example at a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Multilabel {
    labels: Vec<LabelCounts>,
    examples: u64,
    exact: u64,
    /// Sums over examples.
    samples: Scores,
}

/// What [`Multilabel`] found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MultilabelResult {
    /// Number of examples with a target.
    pub count: u64,
    /// Share of examples of which every label is right, 0..1; `None` where nothing was counted.
    pub subset_accuracy: Option<f64>,
    /// Share of decisions that are wrong, one decision for each known target, 0..1; `None` where nothing was counted.
    pub hamming_loss: Option<f64>,
    /// Scores over all decisions alike; `None` where neither the gold answers nor the predictions hold a label.
    pub micro_average: Option<Scores>,
    /// Scores averaged over the labels that have a target, each label alike; `None` where none has. A label that is never
    /// gold nor predicted scores 0.
    pub macro_average: Option<Scores>,
    /// Scores averaged over examples, each example alike; `None` where nothing was counted. An example whose gold answer
    /// and prediction hold no label scores 0.
    pub samples_average: Option<Scores>,
    /// Scores of each label that has a target, by label number.
    pub labels: Vec<ClassResult>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct LabelCounts {
    targets: u64,
    counts: Counts,
}

impl Multilabel {
    /// Makes counts of nothing, for so many labels.
    pub fn new(labels: usize) -> Self {
        let labels = vec![LabelCounts::default(); labels];
        Multilabel { labels, examples: 0, exact: 0, samples: Scores::default() }
    }

    /// Counts one example by whether each label is gold, `[label]`, and whether it is predicted, `[label]`. Where it is not
    /// known whether a label is gold it is `None` and its prediction does not count; an example of which nothing is known
    /// is not counted at all.
    ///
    /// # Panics
    /// Where there is not one target and one prediction a label.
    pub fn update(&mut self, gold: &[Option<bool>], predicted: &[bool]) {
        assert!(gold.len() == self.labels.len() && predicted.len() == gold.len(), "a target and a prediction a label");
        let mut example = LabelCounts::default();
        for ((label, gold), &predicted) in self.labels.iter_mut().zip(gold).zip(predicted) {
            let Some(gold) = *gold else { continue };
            let counts = Counts {
                gold: u64::from(gold),
                predicted: u64::from(predicted),
                correct: u64::from(gold && predicted),
            };
            for sums in [label, &mut example] {
                sums.targets += 1;
                sums.counts.add(&counts);
            }
        }
        if example.targets > 0 {
            let Counts { gold, predicted, correct } = example.counts;
            self.examples += 1;
            self.exact += u64::from(gold == correct && predicted == correct);
            self.add_samples(&example.counts.scores());
        }
    }

    /// Adds the examples that `other` has seen.
    ///
    /// # Panics
    /// Where the two have different numbers of labels.
    pub fn merge(&mut self, other: &Self) {
        assert_eq!(self.labels.len(), other.labels.len(), "counts of the same labels");
        for (label, other) in self.labels.iter_mut().zip(&other.labels) {
            label.targets += other.targets;
            label.counts.add(&other.counts);
        }
        self.examples += other.examples;
        self.exact += other.exact;
        self.add_samples(&other.samples);
    }

    /// Reports on everything counted so far.
    pub fn result(&self) -> MultilabelResult {
        let mut total = Counts::default();
        self.labels.iter().for_each(|label| total.add(&label.counts));
        let known = self.labels.iter().enumerate().filter(|(_, label)| label.targets > 0);
        let labels: Vec<ClassResult> = known
            .map(|(class, LabelCounts { counts, .. })| ClassResult {
                class,
                scores: counts.scores(),
                support: counts.gold,
                predicted: counts.predicted,
            })
            .collect();
        let mean = |sum: f64| sum / self.examples as f64;
        let decisions: u64 = self.labels.iter().map(|label| label.targets).sum();
        let wrong = total.gold + total.predicted - 2 * total.correct;
        let Scores { precision, recall, f1 } = self.samples;
        let samples = Scores { precision: mean(precision), recall: mean(recall), f1: mean(f1) };
        MultilabelResult {
            count: self.examples,
            subset_accuracy: (self.examples > 0).then(|| mean(self.exact as f64)),
            hamming_loss: (decisions > 0).then(|| wrong as f64 / decisions as f64),
            micro_average: (total.gold + total.predicted > 0).then(|| total.scores()),
            macro_average: Scores::mean(labels.iter().map(|label| label.scores)),
            samples_average: (self.examples > 0).then_some(samples),
            labels,
        }
    }

    fn add_samples(&mut self, scores: &Scores) {
        self.samples.precision += scores.precision;
        self.samples.recall += scores.recall;
        self.samples.f1 += scores.f1;
    }
}

impl MultilabelResult {
    /// The value under a key: `subset-accuracy`, `hamming-loss`, or `f1`, `precision` or `recall` with `-macro`, `-micro` or `-samples`.
    pub fn value(&self, key: &str) -> Option<f64> {
        if key == "subset-accuracy" {
            return self.subset_accuracy;
        }
        if key == "hamming-loss" {
            return self.hamming_loss;
        }
        let (score, average) = key.split_once('-')?;
        let scores = match average {
            "macro" => self.macro_average?,
            "micro" => self.micro_average?,
            "samples" => self.samples_average?,
            _ => return None,
        };
        match score {
            "f1" => Some(scores.f1),
            "precision" => Some(scores.precision),
            "recall" => Some(scores.recall),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YES: Option<bool> = Some(true);
    const NO: Option<bool> = Some(false);
    const EXAMPLES: [([Option<bool>; 3], [bool; 3]); 4] = [
        ([YES, YES, NO], [true, false, false]),
        ([NO, NO, NO], [false, false, false]),
        ([YES, NO, NO], [true, true, false]),
        ([NO, YES, NO], [false, true, false]),
    ];

    fn count(examples: &[([Option<bool>; 3], [bool; 3])]) -> Multilabel {
        let mut counts = Multilabel::new(3);
        examples.iter().for_each(|(gold, predicted)| counts.update(gold, predicted));
        counts
    }

    #[test]
    fn hand_counted_numbers() {
        let result = count(&EXAMPLES).result();
        assert_eq!(result.value("subset-accuracy"), Some(0.5));
        // One label is not found and one is wrong, of twelve.
        assert_eq!(result.value("hamming-loss"), Some(2.0 / 12.0));
        assert_eq!(result.micro_average, Some(Scores { precision: 0.75, recall: 0.75, f1: 0.75 }));
        // Labels: 2 of 2, 1 of 2 on both sides, none on either.
        assert_eq!(result.value("f1-macro"), Some((1.0 + 0.5 + 0.0) / 3.0));
        // Examples: 1 of 2 gold, none of none, 1 of 2 predicted, 1 of 1.
        assert_eq!(result.value("precision-samples"), Some((1.0 + 0.0 + 0.5 + 1.0) / 4.0));
        assert_eq!(result.value("recall-samples"), Some((0.5 + 0.0 + 1.0 + 1.0) / 4.0));
        assert_eq!(result.value("f1-samples"), Some((2.0 / 3.0 + 0.0 + 2.0 / 3.0 + 1.0) / 4.0));
        for key in ["f1", "f1-weighted", "mcc-macro"] {
            assert_eq!(result.value(key), None);
        }
    }

    #[test]
    fn missing_targets_do_not_count() {
        let missing = [([None; 3], [true; 3]), ([YES, None, None], [true, true, true])];
        let result = count(&missing).result();
        assert_eq!((result.count, result.subset_accuracy), (1, Some(1.0)));
        assert_eq!(result.labels.iter().map(|label| label.class).collect::<Vec<_>>(), [0]);
        assert_eq!((result.value("f1-macro"), result.value("f1-samples")), (Some(1.0), Some(1.0)));
    }

    #[test]
    fn merged_parts_equal_one_stream() {
        let mut parts = count(&EXAMPLES[1..]);
        parts.merge(&count(&EXAMPLES[..1]));
        assert_eq!(parts, count(&EXAMPLES));
    }

    #[test]
    fn nothing_has_no_scores() {
        for result in [count(&[]).result(), count(&[([None; 3], [true; 3])]).result(), Multilabel::new(0).result()] {
            assert_eq!((result.count, result.subset_accuracy, result.micro_average), (0, None, None));
            assert_eq!((result.macro_average, result.samples_average), (None, None));
        }
        let empty = count(&[([NO; 3], [false; 3])]).result();
        assert_eq!(
            (empty.value("f1-micro"), empty.value("f1-macro"), empty.subset_accuracy),
            (None, Some(0.0), Some(1.0))
        );
    }
}
