//! How good are a task's predictions, example after example?

mod labels;
mod tagged;

use std::collections::BTreeMap;

use polytask_metrics::{
    Calibration, ClassScores, Confusion, ConfusionMatrix, GaussianNll, Outcomes, Pearson, Probability, Ranking, Rmse,
    Spearman, catalogue,
};

pub use self::labels::MultilabelJudge;
pub use self::tagged::TagJudge;

use crate::head::Prediction;
use crate::targets::TargetBatch;

/// Classes of a confusion matrix at most: what is larger is no table to look at, and would fill the files.
const CONFUSION_CLASSES_MAX: usize = 50;

/// Metrics of a task while examples stream by.
pub trait Judge {
    /// Takes in the predictions of a batch; missing targets are left out.
    fn update(&mut self, predictions: &[Prediction], targets: TargetBatch<'_>);

    /// Writes down what each example of a batch came to, at its place in the split.
    ///
    /// # Panics
    ///
    /// Where `outcomes` is not what [`Judge::kind`] asks for, or has too few places.
    fn note(&self, outcomes: &mut Outcomes, predictions: &[Prediction], targets: TargetBatch<'_>);

    /// What is judged.
    fn kind(&self) -> catalogue::TaskKind;

    /// Number of examples with a target.
    fn examples(&self) -> usize;

    /// Every metric that is defined on what was seen.
    fn metrics(&self) -> BTreeMap<String, f64>;

    /// Scores of each class or type of span.
    fn classes(&self) -> Vec<ClassScores>;

    /// Which class is taken for which, where examples or tokens have one class each of at most 50.
    fn confusion(&self) -> Option<ConfusionMatrix> {
        None
    }
}

/// Notes what examples came to, each at its place; those that have no outcome stay unknown.
fn place<T>(into: &mut [Option<T>], index: &[u32], outcomes: impl Iterator<Item = Option<T>>) {
    for (&at, outcome) in index.iter().zip(outcomes) {
        into[at as usize] = outcome;
    }
}

fn wrong_outcomes(wanted: &str) -> ! {
    panic!("outcomes are made of the judge's own kind, which is {wanted}")
}

/// The metrics of a kind of task that are defined, by key.
fn defined(kind: catalogue::TaskKind, value: impl Fn(&str) -> Option<f64>) -> BTreeMap<String, f64> {
    catalogue::of_kind(kind).filter_map(|entry| Some((entry.key.to_owned(), value(entry.key)?))).collect()
}

/// Metrics of `classify`; of two classes the second, as they are sorted, is the positive one.
///
/// It keeps the probabilities of all examples, `4 (classes + 1)` bytes each, since AUROC and AUPRC rank them.
pub struct LabelJudge {
    labels: Vec<String>,
    confusion: Confusion,
    ranking: Ranking,
    calibration: Calibration,
    probability: Probability,
    examples: usize,
}

impl LabelJudge {
    /// Nothing seen yet, of these classes.
    pub fn new(labels: &[String]) -> Self {
        LabelJudge {
            labels: labels.to_vec(),
            confusion: Confusion::new(),
            ranking: Ranking::new(labels.len()),
            calibration: Calibration::new(),
            probability: Probability::new(),
            examples: 0,
        }
    }
}

impl Judge for LabelJudge {
    fn update(&mut self, predictions: &[Prediction], targets: TargetBatch<'_>) {
        for (prediction, gold) in predictions.iter().zip(targets.labels()) {
            if let (Prediction::Label { label, probabilities }, true) = (prediction, gold != u32::MAX) {
                let gold = gold as usize;
                self.confusion.update(gold, *label as usize);
                self.ranking.update(gold, probabilities);
                self.calibration.update(gold, probabilities);
                self.probability.update(gold, probabilities);
                self.examples += 1;
            }
        }
    }

    fn note(&self, outcomes: &mut Outcomes, predictions: &[Prediction], targets: TargetBatch<'_>) {
        let Outcomes::Classify(into) = outcomes else { wrong_outcomes("classes") };
        let of = |(prediction, gold): (&Prediction, u32)| match prediction {
            Prediction::Label { label, .. } if gold != u32::MAX => Some([gold, *label]),
            _ => None,
        };
        place(into, targets.index, predictions.iter().zip(targets.labels()).map(of));
    }

    fn kind(&self) -> catalogue::TaskKind {
        catalogue::TaskKind::Classify
    }

    fn examples(&self) -> usize {
        self.examples
    }

    fn metrics(&self) -> BTreeMap<String, f64> {
        let confusion = self.confusion.result();
        let binary = (self.labels.len() == 2).then(|| confusion.binary(1));
        let (ranking, calibration) = (self.ranking.result(), self.calibration.result());
        let probability = self.probability.result();
        defined(catalogue::TaskKind::Classify, |key| {
            confusion
                .value(key)
                .or_else(|| binary.as_ref()?.value(key))
                .or_else(|| ranking.value(key))
                .or_else(|| calibration.value(key))
                .or_else(|| probability.value(key))
        })
    }

    fn classes(&self) -> Vec<ClassScores> {
        class_scores(&self.labels, &self.confusion)
    }

    fn confusion(&self) -> Option<ConfusionMatrix> {
        (self.labels.len() <= CONFUSION_CLASSES_MAX).then(|| self.confusion.matrix(&self.labels))
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

/// Metrics of `regress`. It keeps all numbers, 16 bytes an example, since Spearman's correlation ranks them.
#[derive(Default)]
pub struct NumberJudge {
    errors: Rmse,
    pearson: Pearson,
    spearman: Spearman,
    likelihood: GaussianNll,
    examples: usize,
}

impl Judge for NumberJudge {
    fn update(&mut self, predictions: &[Prediction], targets: TargetBatch<'_>) {
        for (prediction, gold) in predictions.iter().zip(targets.numbers()) {
            let gold = f64::from(gold);
            let number = match prediction {
                _ if gold.is_nan() => continue,
                Prediction::Number(number) => *number,
                Prediction::Normal { mean, deviation } => {
                    self.likelihood.update(gold, *mean, *deviation);
                    *mean
                }
                _ => continue,
            };
            self.errors.update(gold, number);
            self.pearson.update(gold, number);
            self.spearman.update(gold, number);
            self.examples += 1;
        }
    }

    fn note(&self, outcomes: &mut Outcomes, predictions: &[Prediction], targets: TargetBatch<'_>) {
        let Outcomes::Regress(into) = outcomes else { wrong_outcomes("numbers") };
        let of = |(prediction, gold): (&Prediction, f32)| match prediction {
            Prediction::Number(value) | Prediction::Normal { mean: value, .. } => {
                (gold.is_finite() && value.is_finite()).then_some([f64::from(gold), *value])
            }
            _ => None,
        };
        place(into, targets.index, predictions.iter().zip(targets.numbers()).map(of));
    }

    fn kind(&self) -> catalogue::TaskKind {
        catalogue::TaskKind::Regress
    }

    fn examples(&self) -> usize {
        self.examples
    }

    fn metrics(&self) -> BTreeMap<String, f64> {
        let (errors, pearson, spearman) = (self.errors.result(), self.pearson.result(), self.spearman.result());
        defined(catalogue::TaskKind::Regress, |key| {
            let correlation = pearson.value(key).or_else(|| spearman.value(key));
            errors.value(key).or(correlation).or_else(|| self.likelihood.result().value(key))
        })
    }

    fn classes(&self) -> Vec<ClassScores> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::Targets;

    fn judged<J: Judge>(mut judge: J, predictions: &[Prediction], targets: &Targets) -> J {
        let index: Vec<u32> = (0..predictions.len() as u32).collect();
        for (prediction, index) in predictions.chunks(2).zip(index.chunks(2)) {
            judge.update(prediction, TargetBatch { targets, index });
        }
        judge
    }

    fn label(label: u32, probabilities: &[f32]) -> Prediction {
        Prediction::Label { label, probabilities: probabilities.to_vec() }
    }

    fn labels(names: &[&str]) -> LabelJudge {
        LabelJudge::new(&names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>())
    }

    fn keys(kind: catalogue::TaskKind) -> Vec<String> {
        catalogue::of_kind(kind).map(|entry| entry.key.to_owned()).collect()
    }

    #[test]
    fn every_metric_of_two_classes_is_judged() {
        let predictions = [
            label(0, &[0.75, 0.25]),
            label(0, &[0.5, 0.5]),
            label(0, &[1.0, 0.0]),
            label(1, &[0.0, 1.0]),
            label(1, &[0.25, 0.75]),
        ];
        let judge = judged(labels(&["bad", "good"]), &predictions, &Targets::Labels(vec![0, 1, u32::MAX, 1, 0]));
        let metrics = judge.metrics();
        assert_eq!(metrics.keys().cloned().collect::<Vec<_>>(), keys(catalogue::TaskKind::Classify));
        assert_eq!(judge.examples(), 4);
        // Scores of the good ones: 0.5 and 1; of the bad ones: 0.25 and 0.75.
        assert_eq!(metrics["auroc"], 0.75);
        assert_eq!(metrics["f1-binary"], 0.5);
        assert_eq!(metrics["brier"], (0.0625 + 0.25 + 0.5625) / 4.0);
        assert_eq!(judge.confusion().unwrap().counts, [[1, 1], [1, 1]]);
    }

    #[test]
    fn of_three_classes_none_is_positive() {
        let predictions = [label(0, &[0.5, 0.25, 0.25]), label(1, &[0.25, 0.5, 0.25]), label(2, &[0.25, 0.25, 0.5])];
        let judge = judged(labels(&["a", "b", "c"]), &predictions, &Targets::Labels(vec![0, 1, 2]));
        let metrics = judge.metrics();
        assert!(["f1-binary", "precision-binary", "recall-binary"].iter().all(|key| !metrics.contains_key(*key)));
        assert_eq!((metrics["auroc"], metrics["auprc"], metrics["mcc"]), (1.0, 1.0, 1.0));
    }

    #[test]
    fn many_classes_have_no_confusion_matrix() {
        let names: Vec<String> = (0..51).map(|class| class.to_string()).collect();
        assert_eq!(LabelJudge::new(&names).confusion(), None);
        assert_eq!(LabelJudge::new(&names[..50]).confusion().map(|matrix| matrix.counts.len()), Some(50));
    }

    #[test]
    fn every_metric_of_numbers_is_judged() {
        let targets = Targets::Numbers(vec![1.0, 2.0, f32::NAN, 3.0]);
        let normal = [1.0, 3.0, 100.0, 2.0].map(|mean| Prediction::Normal { mean, deviation: 1.0 });
        let likely = judged(NumberJudge::default(), &normal, &targets).metrics();
        assert_eq!(likely.keys().cloned().collect::<Vec<_>>(), keys(catalogue::TaskKind::Regress));
        let predictions = [1.0, 3.0, 100.0, 2.0].map(Prediction::Number);
        let judge = judged(NumberJudge::default(), &predictions, &targets);
        let metrics = judge.metrics();
        let without: BTreeMap<_, _> = likely.into_iter().filter(|(key, _)| key != "gaussian-nll").collect();
        assert_eq!(metrics, without, "a number has no likelihood, and a distribution is judged by its mean");
        assert_eq!((judge.examples(), metrics["spearman"]), (3, 0.5));
        assert_eq!(judge.confusion(), None);
    }

    #[test]
    fn metrics_that_do_not_exist_are_absent() {
        let metrics = labels(&["bad", "good"]).metrics();
        assert!(metrics.is_empty(), "{metrics:?}");
        let diverged =
            judged(labels(&["bad", "good"]), &[label(0, &[f32::NAN; 2])], &Targets::Labels(vec![1])).metrics();
        assert!(["auroc", "auprc", "ece", "brier", "nll", "mcc"].iter().all(|key| !diverged.contains_key(*key)));
        assert!(NumberJudge::default().metrics().is_empty());
    }
}
