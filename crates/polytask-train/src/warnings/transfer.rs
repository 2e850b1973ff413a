//! Which task is worse for the company of others?
//!
//! Compared are the best validation scores so far, which are calmer than those of single epochs, after as many steps of the
//! task: an epoch holds a different number of them in a run of several tasks, unless every dataset is passed over once.

use indexmap::IndexMap;
use polytask_metrics::TaskScores;
use polytask_run::{Measured, StepScores};

use super::Finding;
use super::alone::Curve;

/// Evaluations in a row that have to find a task behind: one may be luck, and the beginning of a run is the least regular part.
const EVALUATIONS_MIN: usize = 3;

/// Distance below which two scores count as alike, as a share of the metric's unit: two points of accuracy or F1.
const MARGIN_MIN: f64 = 0.02;

/// Every task that has a curve, and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Transfers(IndexMap<String, Transfer>);

#[derive(Debug, Clone)]
struct Transfer {
    curve: Curve,
    steps: u64,
    best: Option<f64>,
    behind: usize,
}

impl Transfers {
    pub(super) fn new(curves: impl IntoIterator<Item = (String, Curve)>) -> Transfers {
        let begin = |curve| Transfer { curve, steps: 0, best: None, behind: 0 };
        Transfers(curves.into_iter().map(|(task, curve)| (task, begin(curve))).collect())
    }

    /// Counts the steps of an epoch.
    pub(super) fn count(&mut self, tasks: &IndexMap<String, StepScores>) {
        for (task, transfer) in &mut self.0 {
            transfer.steps += tasks.get(task).map_or(0, |task| task.steps);
        }
    }

    /// Takes in the validation scores of an epoch; returns the tasks that have been behind for some evaluations.
    pub(super) fn judge(&mut self, tasks: &IndexMap<String, TaskScores>) -> Vec<Finding> {
        let found = self.0.iter_mut().filter_map(|(task, transfer)| {
            let measured = transfer.judge(tasks.get(task)?)?;
            Some((vec![task.clone()], measured))
        });
        found.collect()
    }
}

impl Transfer {
    fn judge(&mut self, scores: &TaskScores) -> Option<Measured> {
        let metric = self.curve.metric;
        if let Some(&value) = scores.metrics.get(metric.key) {
            let best = self.best.get_or_insert(value);
            *best = if metric.higher_is_better { best.max(value) } else { best.min(value) };
        }
        let (score, (alone, alone_epoch)) = (self.best?, self.curve.best_within(self.steps)?);
        let gap = if metric.higher_is_better { alone - score } else { score - alone };
        self.behind = if gap > self.margin(alone, scores.examples) { self.behind + 1 } else { 0 };
        (self.behind >= EVALUATIONS_MIN).then(|| Measured::NegativeTransfer {
            metric: metric.key.to_owned(),
            score,
            alone,
            alone_epoch,
            evaluations: self.behind,
        })
    }

    /// How far apart two scores may be by chance: about two standard errors of the difference of two accuracies on one set of
    /// examples, `1 / √n` where every fourth answer differs. Errors without an upper bound are compared by their ratio.
    fn margin(&self, alone: f64, examples: usize) -> f64 {
        let range = self.curve.metric.range;
        let unit = if range.low.is_some() && range.high.is_none() { alone.abs() } else { 1.0 };
        unit * MARGIN_MIN.max(1.0 / (examples.max(1) as f64).sqrt())
    }
}
