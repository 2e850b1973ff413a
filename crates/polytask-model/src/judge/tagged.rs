//! Metrics of tags.

use std::collections::BTreeMap;

use polytask_metrics::{ClassScores, Confusion, ConfusionMatrix, Outcomes, SpanF1, catalogue};

use super::{CONFUSION_CLASSES_MAX, Judge, class_scores, defined, place, wrong_outcomes};
use crate::head::Prediction;
use crate::tags::TagSet;
use crate::targets::TargetBatch;

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

    /// Spans of a sentence: gold, predicted, both.
    fn span_counts(&self, gold: &[u32], tags: &[u32]) -> [u32; 3] {
        let mut spans = SpanF1::new();
        spans.update(&self.tags.text(gold), &self.tags.text(tags)).expect("a tagger says one tag a token");
        let counts = spans.result().spans;
        [counts.gold, counts.predicted, counts.correct].map(|count| count as u32)
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

    fn note(&self, outcomes: &mut Outcomes, predictions: &[Prediction], targets: TargetBatch<'_>) {
        let pairs = predictions.iter().zip(targets.tags()).map(|(prediction, gold)| match prediction {
            Prediction::Tags { tags, .. } => (tags.as_slice(), gold),
            _ => (&[] as &[u32], gold),
        });
        match outcomes {
            Outcomes::TagSpans(into) => {
                let spans = |(tags, gold): (&[u32], &[u32])| {
                    let known = !gold.is_empty() && gold.iter().all(|&tag| tag != u32::MAX) && tags.len() == gold.len();
                    known.then(|| self.span_counts(gold, tags))
                };
                place(into, targets.index, pairs.map(spans));
            }
            Outcomes::Tag(into) => {
                let tokens = |(tags, gold): (&[u32], &[u32])| {
                    let known = || gold.iter().zip(tags).filter(|(gold, _)| **gold != u32::MAX);
                    let right = known().filter(|(gold, tag)| gold == tag).count() as u32;
                    (known().count() > 0).then(|| [known().count() as u32, right])
                };
                place(into, targets.index, pairs.map(tokens));
            }
            _ => wrong_outcomes("tags"),
        }
    }

    fn kind(&self) -> catalogue::TaskKind {
        if self.tags.scheme.is_some() { catalogue::TaskKind::TagSpans } else { catalogue::TaskKind::Tag }
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

    fn confusion(&self) -> Option<ConfusionMatrix> {
        let small = self.tags.scheme.is_none() && self.tags.names.len() <= CONFUSION_CLASSES_MAX;
        small.then(|| self.tokens.matrix(&self.tags.names))
    }
}
