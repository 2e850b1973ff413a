//! What did each example come to, and what would a metric be if examples occurred another number of times?
//!
//! Metrics that are sums over examples, or are made of such sums, follow from what each example adds. That is what a bootstrap
//! over examples needs. Metrics that rank examples, or read probabilities, do not: they have no value here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::catalogue::TaskKind;
use crate::{Confusion, Counts, Pearson, Rmse, Scores};

/// What the examples of a split came to, in their order; `None` for an example without a target, or of which something is no
/// finite number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "examples", rename_all = "kebab-case")]
pub enum Outcomes {
    /// The numbers of the gold and of the predicted class.
    Classify(Vec<Option<[u32; 2]>>),
    /// The gold and the predicted number.
    Regress(Vec<Option<[f64; 2]>>),
    /// Labels of an example: gold, predicted, both.
    Multilabel(Vec<Option<[u32; 3]>>),
    /// Tokens of an example: all, and those whose tag is right.
    Tag(Vec<Option<[u32; 2]>>),
    /// Spans of an example: gold, predicted, both.
    TagSpans(Vec<Option<[u32; 3]>>),
}

impl Outcomes {
    /// Outcomes of so many examples, none of which is known yet.
    pub fn unknown(kind: TaskKind, examples: usize) -> Outcomes {
        match kind {
            TaskKind::Classify => Outcomes::Classify(vec![None; examples]),
            TaskKind::Regress => Outcomes::Regress(vec![None; examples]),
            TaskKind::Multilabel => Outcomes::Multilabel(vec![None; examples]),
            TaskKind::Tag => Outcomes::Tag(vec![None; examples]),
            TaskKind::TagSpans => Outcomes::TagSpans(vec![None; examples]),
        }
    }

    /// Number of examples.
    pub fn len(&self) -> usize {
        match self {
            Outcomes::Classify(examples) | Outcomes::Tag(examples) => examples.len(),
            Outcomes::Regress(examples) => examples.len(),
            Outcomes::Multilabel(examples) | Outcomes::TagSpans(examples) => examples.len(),
        }
    }

    /// Whether there are no examples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same with examples that came to the same brought together, for scores of many samples.
    pub fn tally(&self) -> Tally {
        match self {
            Outcomes::Classify(examples) => Tally::new(examples, |&[gold, predicted]| Outcome::Class(gold, predicted)),
            Outcomes::Regress(examples) => {
                // Numbers are told apart by their bits: equal ones need not be found.
                let bits: Vec<_> = examples.iter().map(|pair| pair.map(|pair| pair.map(f64::to_bits))).collect();
                Tally::new(&bits, |&[gold, predicted]| Outcome::Number(f64::from_bits(gold), f64::from_bits(predicted)))
            }
            Outcomes::Multilabel(examples) => Tally::new(examples, |counts| Outcome::Labels(counts_of(counts))),
            Outcomes::Tag(examples) => Tally::new(examples, |&[tokens, right]| Outcome::Tokens(tokens, right)),
            Outcomes::TagSpans(examples) => Tally::new(examples, |counts| Outcome::Spans(counts_of(counts))),
        }
    }
}

fn counts_of(&[gold, predicted, correct]: &[u32; 3]) -> Counts {
    Counts { gold: gold.into(), predicted: predicted.into(), correct: correct.into() }
}

/// What one example came to.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Outcome {
    Class(u32, u32),
    Number(f64, f64),
    Labels(Counts),
    Tokens(u32, u32),
    Spans(Counts),
}

/// Outcomes that differ, and which of them each example has.
#[derive(Debug, Clone, PartialEq)]
pub struct Tally {
    outcomes: Vec<Outcome>,
    /// A position in `outcomes`, an example each.
    of_example: Vec<Option<u32>>,
}

impl Tally {
    fn new<T: Ord + Copy>(examples: &[Option<T>], outcome: impl Fn(&T) -> Outcome) -> Tally {
        let mut known: BTreeMap<T, u32> = BTreeMap::new();
        let mut outcomes = Vec::new();
        let place = |example: &Option<T>| {
            example.map(|value| {
                *known.entry(value).or_insert_with(|| {
                    outcomes.push(outcome(&value));
                    outcomes.len() as u32 - 1
                })
            })
        };
        let of_example = examples.iter().map(place).collect();
        Tally { outcomes, of_example }
    }

    /// Number of examples, those without an outcome included.
    pub fn len(&self) -> usize {
        self.of_example.len()
    }

    /// Whether there are no examples.
    pub fn is_empty(&self) -> bool {
        self.of_example.is_empty()
    }

    /// The value of the metric `key` where each example occurs so many `times`.
    ///
    /// `None` where it is undefined on these, and for metrics that do not follow from sums over examples: those that rank
    /// (`auroc`, `auprc`, `spearman`), that read probabilities (`ece`, `brier`, `nll`, `gaussian-nll`), and those of single labels
    /// or tags (`f1-macro` of `multilabel` and `tag`, `mcc` of `tag`, `hamming-loss`, `token-accuracy` of spans).
    ///
    /// # Panics
    ///
    /// Where `times` has not one entry an example.
    pub fn score(&self, key: &str, times: &[u32]) -> Option<f64> {
        assert_eq!(times.len(), self.of_example.len(), "a number of times an example");
        let mut counts = vec![0_u64; self.outcomes.len()];
        for (place, &times) in self.of_example.iter().zip(times) {
            if let Some(place) = place {
                counts[*place as usize] += u64::from(times);
            }
        }
        let seen =
            || self.outcomes.iter().zip(&counts).filter(|(_, count)| **count > 0).map(|(of, &count)| (of, count));
        match self.outcomes.first()? {
            Outcome::Class(..) => class_score(key, seen()),
            Outcome::Number(..) => number_score(key, seen()),
            Outcome::Labels(_) => label_score(key, seen()),
            Outcome::Tokens(..) => {
                let (tokens, right) = seen().fold((0, 0), |(tokens, right), (outcome, count)| match outcome {
                    Outcome::Tokens(all, correct) => {
                        (tokens + count * u64::from(*all), right + count * u64::from(*correct))
                    }
                    _ => (tokens, right),
                });
                let micro = matches!(key, "token-accuracy" | "f1-micro" | "precision-micro" | "recall-micro");
                (micro && tokens > 0).then(|| right as f64 / tokens as f64)
            }
            Outcome::Spans(_) => {
                let scores = micro(seen())?;
                match key {
                    "span-f1" => Some(scores.f1),
                    "span-precision" => Some(scores.precision),
                    "span-recall" => Some(scores.recall),
                    _ => None,
                }
            }
        }
    }
}

fn class_score<'a>(key: &str, seen: impl Iterator<Item = (&'a Outcome, u64)>) -> Option<f64> {
    let mut confusion = Confusion::new();
    for (outcome, count) in seen {
        if let Outcome::Class(gold, predicted) = outcome {
            confusion.add(*gold as usize, *predicted as usize, count);
        }
    }
    let result = confusion.result();
    // The keys of one positive class belong to tasks of two classes, of which the second is positive.
    result.value(key).or_else(|| result.binary(1).value(key))
}

fn number_score<'a>(key: &str, seen: impl Iterator<Item = (&'a Outcome, u64)>) -> Option<f64> {
    let (mut errors, mut line) = (Rmse::new(), Pearson::new());
    for (outcome, count) in seen {
        if let Outcome::Number(gold, predicted) = outcome {
            for _ in 0..count {
                errors.update(*gold, *predicted);
                line.update(*gold, *predicted);
            }
        }
    }
    errors.result().value(key).or_else(|| line.result().value(key))
}

fn label_score<'a>(key: &str, seen: impl Iterator<Item = (&'a Outcome, u64)> + Clone) -> Option<f64> {
    let mean = |value: &dyn Fn(&Counts) -> f64| {
        let (sum, total) = seen.clone().fold((0.0, 0), |(sum, total), (outcome, count)| match outcome {
            Outcome::Labels(counts) => (sum + count as f64 * value(counts), total + count),
            _ => (sum, total),
        });
        (total > 0).then(|| sum / total as f64)
    };
    match key {
        "f1-samples" => mean(&|counts| counts.scores().f1),
        "precision-samples" => mean(&|counts| counts.scores().precision),
        "recall-samples" => mean(&|counts| counts.scores().recall),
        "subset-accuracy" => {
            mean(&|counts| f64::from(u8::from(counts.gold == counts.correct && counts.predicted == counts.correct)))
        }
        "f1-micro" => Some(micro(seen)?.f1),
        "precision-micro" => Some(micro(seen)?.precision),
        "recall-micro" => Some(micro(seen)?.recall),
        _ => None,
    }
}

/// Scores over all spans or labels alike; `None` where there is none on either side.
fn micro<'a>(seen: impl Iterator<Item = (&'a Outcome, u64)>) -> Option<Scores> {
    let mut total = Counts::default();
    for (outcome, count) in seen {
        if let Outcome::Spans(counts) | Outcome::Labels(counts) = outcome {
            total.gold += count * counts.gold;
            total.predicted += count * counts.predicted;
            total.correct += count * counts.correct;
        }
    }
    (total.gold + total.predicted > 0).then(|| total.scores())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Multilabel, SpanF1};

    fn score(outcomes: &Outcomes, key: &str, times: &[u32]) -> Option<f64> {
        outcomes.tally().score(key, times)
    }

    #[test]
    fn classes_score_as_the_confusion_matrix_of_the_repeated_examples() {
        let examples = vec![Some([0, 0]), Some([1, 0]), None, Some([1, 1]), Some([2, 1])];
        let times = [3, 1, 5, 2, 0];
        let mut confusion = Confusion::new();
        for (example, times) in examples.iter().zip(times) {
            (0..times).for_each(|_| {
                if let Some([gold, predicted]) = example {
                    confusion.update(*gold as usize, *predicted as usize);
                }
            });
        }
        let (outcomes, result) = (Outcomes::Classify(examples), confusion.result());
        for key in ["accuracy", "f1-macro", "f1-micro", "mcc", "precision-macro", "recall-macro"] {
            assert_eq!(score(&outcomes, key, &times), result.value(key), "{key}");
        }
        assert_eq!(score(&outcomes, "f1-binary", &times), result.binary(1).value("f1-binary"));
        assert_eq!(score(&outcomes, "accuracy", &times), Some(5.0 / 6.0));
        assert_eq!(score(&outcomes, "auroc", &times), None);
        assert_eq!(score(&outcomes, "accuracy", &[0, 0, 9, 0, 0]), None);
    }

    #[test]
    fn spans_and_labels_score_as_their_counts() {
        let (gold, good, bad) = (["B-A", "I-A", "O", "B-B"], ["B-A", "I-A", "B-C", "O"], ["O", "O", "O", "B-B"]);
        let mut spans = SpanF1::new();
        for predicted in [good, bad, bad] {
            spans.update(&gold, &predicted).unwrap();
        }
        let outcomes = Outcomes::TagSpans(vec![Some([2, 2, 1]), Some([2, 1, 1])]);
        for key in ["span-f1", "span-precision", "span-recall"] {
            assert_eq!(score(&outcomes, key, &[1, 2]), spans.result().value(key), "{key}");
        }
        let mut labels = Multilabel::new(3);
        let [yes, no] = [Some(true), Some(false)];
        labels.update(&[yes, yes, no], &[true, false, false]);
        (0..2).for_each(|_| labels.update(&[no, yes, no], &[false, true, false]));
        let outcomes = Outcomes::Multilabel(vec![Some([2, 1, 1]), Some([1, 1, 1])]);
        for key in ["f1-micro", "precision-micro", "f1-samples", "recall-samples", "subset-accuracy"] {
            let expected = labels.result().value(key).unwrap();
            assert!((score(&outcomes, key, &[1, 2]).unwrap() - expected).abs() < 1e-15, "{key}");
        }
        assert_eq!(score(&outcomes, "f1-macro", &[1, 2]), None);
    }

    #[test]
    fn tokens_and_numbers_score_as_their_sums() {
        let tokens = Outcomes::Tag(vec![Some([4, 3]), Some([2, 0]), None]);
        assert_eq!(score(&tokens, "token-accuracy", &[2, 1, 7]), Some(0.6));
        let numbers = Outcomes::Regress(vec![Some([1.0, 2.0]), Some([3.0, 3.0]), Some([0.0, -2.0])]);
        assert_eq!(score(&numbers, "mae", &[1, 1, 1]), Some(1.0));
        assert_eq!(score(&numbers, "rmse", &[0, 3, 1]), Some(1.0));
        let mut line = Pearson::new();
        for (gold, predicted) in [(1.0, 2.0), (3.0, 3.0), (3.0, 3.0), (0.0, -2.0)] {
            line.update(gold, predicted);
        }
        assert!((score(&numbers, "pearson", &[1, 2, 1]).unwrap() - line.result().pearson.unwrap()).abs() < 1e-12);
        assert_eq!(score(&numbers, "spearman", &[1, 1, 1]), None);
    }

    #[test]
    fn they_are_written_by_kind() {
        let outcomes = Outcomes::TagSpans(vec![Some([2, 1, 1]), None]);
        let text = serde_json::to_string(&outcomes).unwrap();
        assert_eq!(text, r#"{"kind":"tag-spans","examples":[[2,1,1],null]}"#);
        assert_eq!(serde_json::from_str::<Outcomes>(&text).unwrap(), outcomes);
        let empty = Outcomes::unknown(TaskKind::Regress, 2);
        assert_eq!((empty.len(), empty.is_empty(), score(&empty, "mae", &[1, 1])), (2, false, None));
    }
}
