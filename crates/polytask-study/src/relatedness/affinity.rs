//! By how much did a step for one task alone lower the loss of another, over a run?
//!
//! Reference: Fifty, Amid, Zhao, Yu, Anil and Finn, "Efficiently identifying task groupings for multi-task learning", NeurIPS
//! 2021. Their affinity of a group onto a task is the mean of those of its other tasks, and the grouping with the largest sum is
//! sought, which is what [`group`](super::group) does with the matrix that [`affinity_matrix`] makes. In it a task gains nothing
//! alone, so that whom all others harm is left alone, where the authors' program forbids groups of one task.

use indexmap::IndexMap;
use polytask_run::Event;
use serde::{Deserialize, Serialize};

/// What the looks saw of what a step for one task does for another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairAffinity {
    /// The task whose gradient the steps followed.
    pub of: String,
    /// The task whose loss was looked at.
    pub on: String,
    /// Mean share of the loss that a step took away; negative where steps added to it.
    pub affinity: f64,
    /// Number of looks.
    pub looks: u64,
}

/// Means over all `balance` events, in the order in which pairs first appear.
pub fn mean_affinities<'a>(events: impl IntoIterator<Item = &'a Event>) -> Vec<PairAffinity> {
    let mut sums: IndexMap<(&str, &str), (f64, u64)> = IndexMap::new();
    for event in events {
        let Event::Balance { affinities, .. } = event else { continue };
        for seen in affinities {
            let sum = sums.entry((&seen.of, &seen.on)).or_default();
            *sum = (sum.0 + seen.affinity, sum.1 + 1);
        }
    }
    let mean = |((of, on), (sum, looks)): ((&str, &str), (f64, u64))| PairAffinity {
        of: of.to_owned(),
        on: on.to_owned(),
        affinity: sum / looks as f64,
        looks,
    };
    sums.into_iter().map(mean).collect()
}

/// `[task][partner]`: the affinity of the partner onto the task, 0 on the diagonal. `None` where one is not known.
pub fn affinity_matrix(tasks: &[String], affinities: &[PairAffinity]) -> Option<Vec<Vec<f64>>> {
    let value = |on: &String, of: &String| {
        let known = || affinities.iter().find(|pair| pair.of == *of && pair.on == *on);
        if on == of { Some(0.0) } else { known().map(|pair| pair.affinity) }
    };
    tasks.iter().map(|on| tasks.iter().map(|of| value(on, of)).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relatedness::{Network, partition};

    #[test]
    fn means_by_hand_and_the_tasks_that_help_each_other() {
        let event = |text: &str| serde_json::from_str::<Event>(text).unwrap();
        let events = [
            event(
                r#"{"event":"balance","epoch":1,"step":1,"tasks":{},"affinities":[{"of":"a","on":"b","affinity":0.5},{"of":"b","on":"a","affinity":-0.25}]}"#,
            ),
            event(r#"{"event":"end","epochs":1,"step":3,"kept_epoch":1}"#),
            event(
                r#"{"event":"balance","epoch":1,"step":2,"tasks":{},"affinities":[{"of":"a","on":"b","affinity":-0.1}]}"#,
            ),
        ];
        let found = mean_affinities(&events);
        let [ab, ba] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((ab.of.as_str(), ab.on.as_str(), ab.affinity, ab.looks), ("a", "b", 0.2, 2));
        assert_eq!((ba.of.as_str(), ba.on.as_str(), ba.affinity, ba.looks), ("b", "a", -0.25, 1));
        let tasks = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(affinity_matrix(&tasks(&["a", "b"]), &found), Some(vec![vec![0.0, -0.25], vec![0.2, 0.0]]));
        assert_eq!(affinity_matrix(&tasks(&["a", "b", "c"]), &found), None);
        // What b loses by a is more than what a gains by b: both are better off alone.
        let matrix = affinity_matrix(&tasks(&["a", "b"]), &found).unwrap();
        let alone = |task| Network { trains: vec![task], answers: vec![task] };
        assert_eq!(partition(&matrix, 2).unwrap().networks, [alone(0), alone(1)]);
    }
}
