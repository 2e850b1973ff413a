//! The catalogue of metrics: what can a task be judged by?

use serde::{Deserialize, Serialize};

/// A metric that a task can name.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Entry {
    /// Its name in configs, files and tables; permanent.
    pub key: &'static str,
    /// What it measures, in one line.
    pub summary: &'static str,
    /// The values it can take.
    pub range: Range,
    /// Whether more is better; if not, less is.
    pub higher_is_better: bool,
    /// The kinds of task it judges.
    pub kinds: &'static [TaskKind],
}

/// The values a metric can take, both ends included; `None` where there is no bound.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Range {
    /// The least value.
    pub low: Option<f64>,
    /// The greatest value.
    pub high: Option<f64>,
}

/// What a task predicts, as far as its metrics care.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskKind {
    /// One class an example.
    Classify,
    /// One number an example.
    Regress,
    /// Any number of labels an example.
    Multilabel,
    /// One class a token.
    Tag,
    /// Spans of tokens, written as one tag a token.
    TagSpans,
}

/// All metrics, sorted by key.
pub fn all() -> &'static [Entry] {
    ENTRIES
}

/// The metric of that name.
pub fn find(key: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.key == key)
}

/// The metrics that judge a kind of task, sorted by key.
pub fn of_kind(kind: TaskKind) -> impl Iterator<Item = &'static Entry> {
    ENTRIES.iter().filter(move |entry| entry.kinds.contains(&kind))
}

const SHARE: Range = Range { low: Some(0.0), high: Some(1.0) };
const ERROR: Range = Range { low: Some(0.0), high: None };
const UP_TO_ONE: Range = Range { low: None, high: Some(1.0) };
const CORRELATION: Range = Range { low: Some(-1.0), high: Some(1.0) };
const CLASSIFY: &[TaskKind] = &[TaskKind::Classify];
const CLASSES: &[TaskKind] = &[TaskKind::Classify, TaskKind::Tag];
const LABELS: &[TaskKind] = &[TaskKind::Classify, TaskKind::Multilabel, TaskKind::Tag];
const SETS: &[TaskKind] = &[TaskKind::Multilabel];
const ANY: Range = Range { low: None, high: None };
const NUMBERS: &[TaskKind] = &[TaskKind::Regress];
const SPANS: &[TaskKind] = &[TaskKind::TagSpans];

static ENTRIES: &[Entry] = &[
    more("accuracy", "share of examples whose class is right", SHARE, CLASSIFY),
    more("auprc", "average precision; of more than two classes, averaged over each against the rest", SHARE, CLASSIFY),
    more("auroc", "area under the ROC curve; of more than two classes, averaged likewise", SHARE, CLASSIFY),
    less("brier", "half the squared distance of the probabilities to the right class", SHARE, CLASSIFY),
    less("ece", "expected calibration error: how far confidence is from accuracy, in 15 bins", SHARE, CLASSIFY),
    more("f1-binary", "F1 of the second of two classes, as they are sorted", SHARE, CLASSIFY),
    more("f1-macro", "F1 averaged over classes, each class alike", SHARE, LABELS),
    more("f1-micro", "F1 over all examples alike (equals accuracy with one class an example)", SHARE, LABELS),
    more("f1-samples", "F1 of each example's labels, averaged over examples", SHARE, SETS),
    less(
        "gaussian-nll",
        "negative log-likelihood of the numbers under the normal distributions predicted",
        ANY,
        NUMBERS,
    ),
    less("hamming-loss", "share of decisions about a label that are wrong", SHARE, SETS),
    less("mae", "mean absolute error", ERROR, NUMBERS),
    more("mcc", "Matthews correlation coefficient of gold and predicted classes", CORRELATION, CLASSES),
    less("nll", "negative log-likelihood of the right class, in nats", ERROR, CLASSIFY),
    more("pearson", "correlation of gold and predicted numbers", CORRELATION, NUMBERS),
    more("precision-binary", "precision of the second of two classes, as they are sorted", SHARE, CLASSIFY),
    more("precision-macro", "precision averaged over classes, each class alike", SHARE, LABELS),
    more("precision-micro", "precision over all examples alike", SHARE, LABELS),
    more("precision-samples", "precision of each example's labels, averaged over examples", SHARE, SETS),
    more("r2", "share of the variance that is explained; below 0 is worse than the mean", UP_TO_ONE, NUMBERS),
    more("recall-binary", "recall of the second of two classes, as they are sorted", SHARE, CLASSIFY),
    more("recall-macro", "recall averaged over classes, each class alike", SHARE, LABELS),
    more("recall-micro", "recall over all examples alike", SHARE, LABELS),
    more("recall-samples", "recall of each example's labels, averaged over examples", SHARE, SETS),
    less("rmse", "root of the mean squared error", ERROR, NUMBERS),
    more("span-f1", "F1 over spans, as conlleval counts them", SHARE, SPANS),
    more("span-precision", "share of predicted spans that are right in both ends and type", SHARE, SPANS),
    more("span-recall", "share of gold spans found with both ends and type", SHARE, SPANS),
    more("spearman", "correlation of the ranks of gold and predicted numbers", CORRELATION, NUMBERS),
    more("subset-accuracy", "share of examples of which every label is right", SHARE, SETS),
    more("token-accuracy", "share of tokens whose tag is right", SHARE, &[TaskKind::Tag, TaskKind::TagSpans]),
];

const fn more(key: &'static str, summary: &'static str, range: Range, kinds: &'static [TaskKind]) -> Entry {
    Entry { key, summary, range, higher_is_better: true, kinds }
}

const fn less(key: &'static str, summary: &'static str, range: Range, kinds: &'static [TaskKind]) -> Entry {
    Entry { key, summary, range, higher_is_better: false, kinds }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Accuracy, Calibration, Confusion, GaussianNll, Multilabel, Pearson, Probability, Ranking, Rmse, SpanF1,
        Spearman,
    };

    #[test]
    fn keys_are_sorted_and_unique() {
        assert!(all().windows(2).all(|pair| pair[0].key < pair[1].key));
        assert!(all().iter().all(|entry| find(entry.key) == Some(entry) && !entry.kinds.is_empty()));
        assert_eq!(find("nothing"), None);
    }

    /// The value of a metric of classes or numbers on a few examples, which two metrics may have only if they agree.
    fn value(key: &str) -> Option<f64> {
        let (mut accuracy, mut confusion, mut rmse) = (Accuracy::new(), Confusion::new(), Rmse::new());
        let (mut ranking, mut calibration, mut probability) = (Ranking::new(2), Calibration::new(), Probability::new());
        let (mut pearson, mut spearman, mut likelihood) = (Pearson::new(), Spearman::new(), GaussianNll::new());
        for (gold, probabilities) in [(0, [0.9, 0.1]), (1, [0.6, 0.4]), (1, [0.2, 0.8])] {
            let predicted = usize::from(probabilities[1] > probabilities[0]);
            accuracy.update(gold, predicted);
            confusion.update(gold, predicted);
            ranking.update(gold, &probabilities);
            calibration.update(gold, &probabilities);
            probability.update(gold, &probabilities);
            rmse.update(gold as f64, predicted as f64);
            pearson.update(gold as f64, predicted as f64);
            spearman.update(gold as f64, predicted as f64);
            likelihood.update(gold as f64, predicted as f64, 1.0);
        }
        let found = [
            accuracy.result().value(key),
            confusion.result().value(key),
            confusion.result().binary(1).value(key),
            ranking.result().value(key),
            calibration.result().value(key),
            probability.result().value(key),
            rmse.result().value(key),
            pearson.result().value(key),
            spearman.result().value(key),
            likelihood.result().value(key),
        ];
        let values: Vec<f64> = found.into_iter().flatten().collect();
        assert!(values.windows(2).all(|pair| pair[0] == pair[1]), "{key}: {values:?}");
        values.first().copied()
    }

    #[test]
    fn every_metric_has_a_value_within_its_range() {
        let mut span_f1 = SpanF1::new();
        span_f1.update(&["B-A", "O"], &["B-A", "B-A"]).unwrap();
        let mut sets = Multilabel::new(2);
        sets.update(&[Some(true), Some(false)], &[true, true]);
        for kind in [TaskKind::Classify, TaskKind::Regress, TaskKind::Multilabel, TaskKind::Tag, TaskKind::TagSpans] {
            for entry in of_kind(kind) {
                let value = match kind {
                    TaskKind::Classify | TaskKind::Tag | TaskKind::Regress => value(entry.key),
                    TaskKind::Multilabel => sets.result().value(entry.key),
                    TaskKind::TagSpans => span_f1.result().value(entry.key),
                };
                let value = value.unwrap_or_else(|| panic!("{} has no value", entry.key));
                assert!(entry.range.low.is_none_or(|low| value >= low), "{}", entry.key);
                assert!(entry.range.high.is_none_or(|high| value <= high), "{}", entry.key);
            }
        }
    }
}
