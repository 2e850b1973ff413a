//! How good are a task's predictions, example after example?

use std::collections::BTreeMap;

use polytask_metrics::{ClassScores, Confusion, Rmse, SpanF1, catalogue};

use crate::head::Prediction;
use crate::tags::TagSet;
use crate::targets::TargetBatch;

/// Metrics of a task while examples stream by.
pub trait Judge {
    /// Takes in the predictions of a batch; missing targets are left out.
    fn update(&mut self, predictions: &[Prediction], targets: TargetBatch<'_>);

    /// Number of examples with a target.
    fn examples(&self) -> usize;

    /// Every metric that is defined on what was seen.
    fn metrics(&self) -> BTreeMap<String, f64>;

    /// Scores of each class or type of span.
    fn classes(&self) -> Vec<ClassScores>;
}

/// The metrics of a kind of task that are defined, by key.
fn defined(kind: catalogue::TaskKind, value: impl Fn(&str) -> Option<f64>) -> BTreeMap<String, f64> {
    catalogue::of_kind(kind).filter_map(|entry| Some((entry.key.to_owned(), value(entry.key)?))).collect()
}

/// Metrics of `classify`.
pub struct LabelJudge {
    labels: Vec<String>,
    confusion: Confusion,
    examples: usize,
}

impl LabelJudge {
    /// Nothing seen yet, of these classes.
    pub fn new(labels: &[String]) -> Self {
        LabelJudge { labels: labels.to_vec(), confusion: Confusion::new(), examples: 0 }
    }
}

impl Judge for LabelJudge {
    fn update(&mut self, predictions: &[Prediction], targets: TargetBatch<'_>) {
        for (prediction, gold) in predictions.iter().zip(targets.labels()) {
            if let (Prediction::Label { label, .. }, true) = (prediction, gold != u32::MAX) {
                self.confusion.update(gold as usize, *label as usize);
                self.examples += 1;
            }
        }
    }

    fn examples(&self) -> usize {
        self.examples
    }

    fn metrics(&self) -> BTreeMap<String, f64> {
        let result = self.confusion.result();
        defined(catalogue::TaskKind::Classify, |key| result.value(key))
    }

    fn classes(&self) -> Vec<ClassScores> {
        class_scores(&self.labels, &self.confusion)
    }
}

fn class_scores(names: &[String], confusion: &Confusion) -> Vec<ClassScores> {
    confusion
        .result()
        .classes
        .into_iter()
        .map(|class| ClassScores { name: names[class.class].clone(), scores: class.scores, support: class.support })
        .collect()
}

/// Metrics of `regress`.
#[derive(Default)]
pub struct NumberJudge {
    errors: Rmse,
    examples: usize,
}

impl Judge for NumberJudge {
    fn update(&mut self, predictions: &[Prediction], targets: TargetBatch<'_>) {
        for (prediction, gold) in predictions.iter().zip(targets.numbers()) {
            if let (Prediction::Number(number), false) = (prediction, gold.is_nan()) {
                self.errors.update(f64::from(gold), *number);
                self.examples += 1;
            }
        }
    }

    fn examples(&self) -> usize {
        self.examples
    }

    fn metrics(&self) -> BTreeMap<String, f64> {
        let result = self.errors.result();
        defined(catalogue::TaskKind::Regress, |key| result.value(key))
    }

    fn classes(&self) -> Vec<ClassScores> {
        Vec::new()
    }
}

/// Metrics of `tag`: spans where tags are spans, tokens otherwise.
pub struct TagJudge {
    tags: TagSet,
    spans: SpanF1,
    tokens: Confusion,
    examples: usize,
}

impl TagJudge {
    /// Nothing seen yet, of these tags.
    pub fn new(tags: &TagSet) -> Self {
        TagJudge { tags: tags.clone(), spans: SpanF1::new(), tokens: Confusion::new(), examples: 0 }
    }
}

impl Judge for TagJudge {
    fn update(&mut self, predictions: &[Prediction], targets: TargetBatch<'_>) {
        for (prediction, gold) in predictions.iter().zip(targets.tags()) {
            let Prediction::Tags { tags, .. } = prediction else { continue };
            let missing = gold.iter().filter(|&&tag| tag == u32::MAX).count();
            // Spans need every tag of a sentence; tags that are no spans stand for themselves.
            if missing == gold.len() || (missing > 0 && self.tags.scheme.is_some()) {
                continue;
            }
            self.examples += 1;
            if self.tags.scheme.is_some() {
                self.spans.update(&self.tags.text(gold), &self.tags.text(tags)).expect("a tagger says one tag a token");
            } else {
                for (&gold, &tag) in gold.iter().zip(tags).filter(|(gold, _)| **gold != u32::MAX) {
                    self.tokens.update(gold as usize, tag as usize);
                }
            }
        }
    }

    fn examples(&self) -> usize {
        self.examples
    }

    fn metrics(&self) -> BTreeMap<String, f64> {
        if self.tags.scheme.is_some() {
            let result = self.spans.result();
            defined(catalogue::TaskKind::TagSpans, |key| result.value(key))
        } else {
            let result = self.tokens.result();
            defined(catalogue::TaskKind::Tag, |key| result.value(key))
        }
    }

    fn classes(&self) -> Vec<ClassScores> {
        if self.tags.scheme.is_none() {
            return class_scores(&self.tags.names, &self.tokens);
        }
        let types = self.spans.result().types;
        types
            .into_iter()
            .map(|kind| ClassScores { name: kind.kind, scores: kind.scores, support: kind.support })
            .collect()
    }
}
