//! Metrics of sets of labels.

use std::collections::BTreeMap;

use polytask_metrics::{ClassScores, Multilabel, Outcomes, catalogue};

use super::{Judge, defined, place, wrong_outcomes};
use crate::head::Prediction;
use crate::targets::TargetBatch;

/// Metrics of `multilabel`.
pub struct MultilabelJudge {
    labels: Vec<String>,
    counts: Multilabel,
}

impl MultilabelJudge {
    /// Nothing seen yet, of these labels.
    pub fn new(labels: &[String]) -> Self {
        MultilabelJudge { labels: labels.to_vec(), counts: Multilabel::new(labels.len()) }
    }
}

impl Judge for MultilabelJudge {
    fn update(&mut self, predictions: &[Prediction], targets: TargetBatch<'_>) {
        for (prediction, gold) in predictions.iter().zip(targets.label_sets()) {
            let Prediction::Labels { labels, .. } = prediction else { continue };
            if gold.contains(&u32::MAX) {
                continue;
            }
            let numbers = 0..self.labels.len() as u32;
            let known: Vec<Option<bool>> = numbers.clone().map(|label| Some(gold.contains(&label))).collect();
            let predicted: Vec<bool> = numbers.map(|label| labels.contains(&label)).collect();
            self.counts.update(&known, &predicted);
        }
    }

    fn note(&self, outcomes: &mut Outcomes, predictions: &[Prediction], targets: TargetBatch<'_>) {
        let Outcomes::Multilabel(into) = outcomes else { wrong_outcomes("sets of labels") };
        let of = |(prediction, gold): (&Prediction, &[u32])| match prediction {
            Prediction::Labels { labels, .. } if !gold.contains(&u32::MAX) => {
                let both = labels.iter().filter(|label| gold.contains(label)).count();
                Some([gold.len() as u32, labels.len() as u32, both as u32])
            }
            _ => None,
        };
        place(into, targets.index, predictions.iter().zip(targets.label_sets()).map(of));
    }

    fn kind(&self) -> catalogue::TaskKind {
        catalogue::TaskKind::Multilabel
    }

    fn examples(&self) -> usize {
        self.counts.result().count as usize
    }

    fn metrics(&self) -> BTreeMap<String, f64> {
        let result = self.counts.result();
        defined(catalogue::TaskKind::Multilabel, |key| result.value(key))
    }

    fn classes(&self) -> Vec<ClassScores> {
        let labels = self.counts.result().labels;
        labels
            .into_iter()
            .map(|label| ClassScores {
                name: self.labels[label.class].clone(),
                scores: label.scores,
                support: label.support,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use polytask_data::table::Ragged;

    use super::*;
    use crate::targets::Targets;

    #[test]
    fn every_metric_of_sets_is_judged() {
        let mut sets = Ragged::new();
        [&[0, 1][..], &[], &[u32::MAX], &[0]].into_iter().for_each(|set| sets.push(set));
        let targets = Targets::LabelSets(sets);
        let predicted = |labels: &[u32]| Prediction::Labels { labels: labels.to_vec(), probabilities: vec![0.5; 2] };
        let mut judge = MultilabelJudge::new(&["a".to_owned(), "b".to_owned()]);
        let predictions = [predicted(&[0]), predicted(&[]), predicted(&[0, 1]), predicted(&[0, 1])];
        judge.update(&predictions, TargetBatch { targets: &targets, index: &[0, 1, 2, 3] });
        let metrics = judge.metrics();
        let keys: Vec<&str> = catalogue::of_kind(catalogue::TaskKind::Multilabel).map(|entry| entry.key).collect();
        assert!(metrics.keys().eq(keys));
        // The example whose labels are missing does not count: b is missed once and wrong once, of six decisions.
        assert_eq!((judge.examples(), metrics["hamming-loss"], metrics["subset-accuracy"]), (3, 2.0 / 6.0, 1.0 / 3.0));
        assert_eq!((metrics["f1-macro"], judge.classes()[1].support), (0.5, 1));
        assert_eq!(judge.confusion(), None);
    }
}
