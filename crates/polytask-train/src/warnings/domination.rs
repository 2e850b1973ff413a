//! Which task decides alone where what is shared goes?

use indexmap::IndexMap;
use polytask_run::{Balanced, Measured};

use super::{Finding, Recent};

/// Share in the sum of lengths from which a task dominates: its weighted gradient is nine times as long as those of all others
/// together, so that a step hardly differs from one for this task alone.
const SHARE_MIN: f64 = 0.9;

/// The last shares of each task.
#[derive(Debug, Clone, Default)]
pub(super) struct Dominations(IndexMap<String, Recent>);

impl Dominations {
    /// Takes in a look; returns the task that mostly has almost all of the length. A look without lengths says nothing.
    pub(super) fn see(&mut self, tasks: &IndexMap<String, Balanced>) -> Vec<Finding> {
        let pull = |task: &Balanced| task.gradient_norm.map(|norm| (task.weight * norm).abs());
        let Some(pulls) = tasks.values().map(pull).collect::<Option<Vec<f64>>>() else { return Vec::new() };
        let sum: f64 = pulls.iter().sum();
        if pulls.len() < 2 || !(sum > 0.0 && sum.is_finite()) {
            return Vec::new();
        }
        tasks.keys().zip(pulls).filter_map(|(task, pull)| self.task(task, pull / sum)).collect()
    }

    fn task(&mut self, task: &str, share: f64) -> Option<Finding> {
        let recent = self.0.entry(task.to_owned()).or_default();
        recent.push(share);
        let (share, looks) = (recent.mean(), recent.len());
        let dominates = recent.mostly(recent.count(|share| share >= SHARE_MIN)) && share >= SHARE_MIN;
        dominates.then(|| (vec![task.to_owned()], Measured::Domination { share, looks }))
    }
}
