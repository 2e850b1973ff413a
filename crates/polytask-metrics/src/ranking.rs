//! Ranking: do examples of a class score higher than others, wherever the threshold is put?
//!
//! AUROC and AUPRC of two classes are those of the second one, the positive class; of more, the mean over classes of each
//! class against the rest. Numbers agree with scikit-learn's `roc_auc_score(multi_class="ovr", average="macro")` and
//! `average_precision_score(average="macro")` where every class occurs. A class that does not occur in the gold answers
//! has no value, and the mean leaves it out; scikit-learn says NaN and 0 there.

use serde::Serialize;

use crate::auprc::average_precision;
use crate::auroc::auroc;
use crate::tie_groups::tie_groups;

/// The scores of all examples so far.
///
/// A rank depends on every other example, so all scores are kept: `4 (classes + 1)` bytes an example. A result sorts
/// them once a class.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    classes: usize,
    gold: Vec<u32>,
    /// `[example, class]`.
    scores: Vec<f32>,
}

/// What [`Ranking`] found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RankingResult {
    /// Number of examples.
    pub count: u64,
    /// Area under the ROC curve, 0..1; `None` where fewer than two classes occur in the gold answers, or a score is NaN.
    pub auroc: Option<f64>,
    /// Average precision, 0..1; `None` where no positive example occurs (of two classes), no example at all (of more), or
    /// a score is NaN.
    pub auprc: Option<f64>,
    /// Both of each class that was ranked: the second of two, or all.
    pub classes: Vec<RankedClass>,
}

/// How well one class is ranked above the others.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RankedClass {
    /// The class's number.
    pub class: usize,
    /// Area under its ROC curve; `None` where all examples or none are of it, or one of its scores is NaN.
    pub auroc: Option<f64>,
    /// Its average precision; `None` where no example is of it, or one of its scores is NaN.
    pub auprc: Option<f64>,
}

impl Ranking {
    /// Makes a ranking of nothing, for so many classes.
    pub fn new(classes: usize) -> Self {
        Ranking { classes, gold: Vec::new(), scores: Vec::new() }
    }

    /// Adds one example by the number of its gold class and the score of each class, `[class]`: any numbers that are
    /// higher where the class is likelier. A NaN makes the results `None`. An example without a gold class is not one.
    ///
    /// # Panics
    /// Where there is not one score a class, or the gold class is none of them.
    pub fn update(&mut self, gold: usize, scores: &[f32]) {
        assert!(scores.len() == self.classes && gold < self.classes, "one score for each class, and one of them gold");
        self.gold.push(gold as u32);
        self.scores.extend_from_slice(scores);
    }

    /// Adds the examples that `other` has seen.
    ///
    /// # Panics
    /// Where the two rank different numbers of classes.
    pub fn merge(&mut self, other: &Self) {
        assert_eq!(self.classes, other.classes, "rankings of the same classes");
        self.gold.extend_from_slice(&other.gold);
        self.scores.extend_from_slice(&other.scores);
    }

    /// Reports on everything added so far.
    pub fn result(&self) -> RankingResult {
        let ranked = if self.classes == 2 { 1..2 } else { 0..self.classes };
        let classes: Vec<RankedClass> = ranked.map(|class| self.class(class)).collect();
        let known = self.scores.iter().all(|score| !score.is_nan());
        let mean = |of: fn(&RankedClass) -> Option<f64>| {
            let values: Vec<f64> = classes.iter().filter_map(of).filter(|_| known).collect();
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        };
        let (auroc, auprc) = (mean(|class| class.auroc), mean(|class| class.auprc));
        RankingResult { count: self.gold.len() as u64, auroc, auprc, classes }
    }

    fn class(&self, class: usize) -> RankedClass {
        let scores = self.scores.iter().skip(class).step_by(self.classes);
        let examples = scores.zip(&self.gold).map(|(&score, &gold)| (score, gold as usize == class));
        let groups = tie_groups(examples).unwrap_or_default();
        RankedClass { class, auroc: auroc(&groups), auprc: average_precision(&groups) }
    }
}

impl RankingResult {
    /// The value under a catalogue key (`auroc`, `auprc`), if this result has one.
    pub fn value(&self, key: &str) -> Option<f64> {
        match key {
            "auroc" => self.auroc,
            "auprc" => self.auprc,
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rank(classes: usize, examples: &[(usize, Vec<f32>)]) -> Ranking {
        let mut ranking = Ranking::new(classes);
        examples.iter().for_each(|(gold, scores)| ranking.update(*gold, scores));
        ranking
    }

    fn binary(examples: &[(usize, f32)]) -> RankingResult {
        rank(2, &examples.iter().map(|&(gold, score)| (gold, vec![1.0 - score, score])).collect::<Vec<_>>()).result()
    }

    #[test]
    fn of_two_classes_the_second_is_positive() {
        // scikit-learn's own example.
        let result = binary(&[(0, 0.1), (0, 0.4), (1, 0.35), (1, 0.8)]);
        assert_eq!(result.value("auroc"), Some(0.75));
        assert_eq!(result.value("auprc"), Some((1.0 + 2.0 / 3.0) / 2.0));
        assert_eq!(result.value("mcc"), None);
        assert_eq!(result.classes.len(), 1);
    }

    #[test]
    fn a_class_that_does_not_occur_is_left_out() {
        let examples = [(0, vec![0.6, 0.4, 0.0]), (1, vec![0.7, 0.2, 0.1]), (0, vec![0.8, 0.1, 0.1])];
        let result = rank(3, &examples).result();
        assert_eq!(result.classes[2], RankedClass { class: 2, auroc: None, auprc: None });
        assert_eq!(result.auroc, Some(0.5));
        assert_eq!(result.auprc, Some((0.5 * (1.0 + 2.0 / 3.0) + 0.5) / 2.0));
    }

    #[test]
    fn merged_parts_equal_one_stream_in_any_order() {
        let examples: Vec<(usize, Vec<f32>)> =
            (0..90).map(|i| (i * i % 3, (0..3).map(|class| (i * (class + 2) % 11) as f32).collect())).collect();
        let whole = rank(3, &examples);
        let mut parts = rank(3, &examples[40..]);
        parts.merge(&rank(3, &examples[..40]));
        assert_eq!(parts.result(), whole.result());
        assert!(whole.result().auroc.is_some());
    }

    #[test]
    fn hostile_inputs_are_none_not_nan() {
        for classes in 0..4 {
            let result = Ranking::new(classes).result();
            assert_eq!((result.count, result.auroc, result.auprc), (0, None, None));
        }
        let one_class = binary(&[(1, 0.3), (1, 0.9)]);
        assert_eq!((one_class.auroc, one_class.auprc), (None, Some(1.0)));
        let other_class = binary(&[(0, 0.3), (0, 0.9)]);
        assert_eq!((other_class.auroc, other_class.auprc), (None, None));
        let nan = [(0, vec![f32::NAN, 0.5, 0.5]), (1, vec![0.2, 0.5, 0.3])];
        let nan = rank(3, &nan).result();
        assert_eq!((nan.auroc, nan.auprc, nan.classes[1].auroc), (None, None, Some(0.5)));
        assert!(!serde_json::to_string(&nan).unwrap().contains("NaN"));
    }

    #[test]
    #[should_panic(expected = "one score for each class")]
    fn a_gold_class_without_a_score_is_a_mistake_in_the_caller() {
        Ranking::new(2).update(2, &[0.5, 0.5]);
    }
}
