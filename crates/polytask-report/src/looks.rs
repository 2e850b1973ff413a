//! What was seen of how tasks are traded off, over a run of any length in a bounded number of points?

use indexmap::IndexMap;
use polytask_run::{Balanced, Cosine};
use serde::Serialize;

/// Points that a line keeps at most; a run with more looks than this has neighbours averaged.
const POINTS_MAX: usize = 256;

/// How tasks were traded off over the whole run.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Balance {
    /// Looks at gradients and weights.
    pub looks: usize,
    /// Mean share of task pairs whose gradients pointed against each other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conflict_rate: Option<f64>,
    /// Means over the looks in which each task took part.
    pub tasks: IndexMap<String, BalancedTask>,
    /// Mean cosine of each pair of tasks that was looked at.
    pub cosines: Vec<MeanCosine>,
}

/// What a task was given, averaged over looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct BalancedTask {
    /// Looks in which the task took part.
    pub looks: usize,
    /// Mean weight.
    pub weight: f64,
    /// Mean length of the gradient in what tasks share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gradient_norm: Option<f64>,
    /// Mean share that the task's weighted gradient has in the lengths of all weighted gradients, 0..1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull: Option<f64>,
}

/// The mean angle between the gradients of two tasks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MeanCosine {
    /// The tasks.
    pub between: [String; 2],
    /// Mean cosine, -1..1.
    pub cosine: f64,
    /// Looks that saw both.
    pub looks: usize,
}

/// A sum and how many values are in it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Mean {
    sum: f64,
    count: usize,
}

impl Mean {
    fn add(&mut self, value: f64) {
        if value.is_finite() {
            self.sum += value;
            self.count += 1;
        }
    }

    fn join(&mut self, other: Mean) {
        self.sum += other.sum;
        self.count += other.count;
    }

    fn value(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }
}

/// One point of the lines over time: a look, or the mean of neighbouring looks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Look {
    step: Mean,
    weights: Vec<Mean>,
    conflict: Mean,
}

impl Look {
    /// Mean optimizer step of the looks.
    pub fn step(&self) -> f64 {
        self.step.value().unwrap_or_default()
    }

    /// Mean weight of the task at this position, where it took part.
    pub fn weight(&self, task: usize) -> Option<f64> {
        self.weights.get(task).and_then(|mean| mean.value())
    }

    /// Mean conflict rate, where gradients were compared.
    pub fn conflict_rate(&self) -> Option<f64> {
        self.conflict.value()
    }

    fn join(&mut self, other: &Look) {
        self.step.join(other.step);
        self.conflict.join(other.conflict);
        let tasks = self.weights.len().max(other.weights.len());
        self.weights.resize(tasks, Mean::default());
        for (mean, &more) in self.weights.iter_mut().zip(&other.weights) {
            mean.join(more);
        }
    }
}

/// All looks of a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Looks {
    /// Looks that one point stands for.
    stride: usize,
    points: Vec<Look>,
    looks: usize,
    conflict: Mean,
    tasks: IndexMap<String, [Mean; 3]>,
    cosines: IndexMap<[String; 2], Mean>,
}

impl Looks {
    /// Adds one look.
    pub fn add(
        &mut self,
        step: u64,
        tasks: &IndexMap<String, Balanced>,
        cosines: Vec<Cosine>,
        conflict_rate: Option<f64>,
    ) {
        let mut look = Look::default();
        look.step.add(step as f64);
        let pulls = tasks.values().map(|task| task.gradient_norm.map(|norm| (task.weight * norm).abs()));
        let total: Option<f64> = pulls.sum();
        for (name, task) in tasks {
            let entry = self.tasks.entry(name.clone());
            let index = entry.index();
            let [weight, norm, pull] = entry.or_default();
            weight.add(task.weight);
            if let Some(length) = task.gradient_norm {
                norm.add(length);
                pull.add((task.weight * length).abs() / total.unwrap_or(f64::NAN));
            }
            if look.weights.len() <= index {
                look.weights.resize(index + 1, Mean::default());
            }
            look.weights[index].add(task.weight);
        }
        for cosine in cosines {
            self.cosines.entry(cosine.between).or_default().add(cosine.cosine);
        }
        if let Some(rate) = conflict_rate {
            look.conflict.add(rate);
            self.conflict.add(rate);
        }
        self.looks += 1;
        self.push(look);
    }

    fn push(&mut self, look: Look) {
        let stride = self.stride.max(1);
        match self.points.last_mut().filter(|last| last.step.count < stride) {
            Some(last) => last.join(&look),
            None => self.points.push(look),
        }
        if self.points.len() > POINTS_MAX {
            let joined = self.points.chunks(2).map(|pair| {
                let mut first = pair[0].clone();
                pair.iter().skip(1).for_each(|second| first.join(second));
                first
            });
            self.points = joined.collect();
            self.stride = stride * 2;
        }
    }

    /// The points of the lines over time, at most 256, in order.
    pub fn points(&self) -> &[Look] {
        &self.points
    }

    /// Looks that one point is the mean of; the last may stand for fewer.
    pub fn looks_per_point(&self) -> usize {
        self.stride.max(1)
    }

    /// Names of the tasks, at the positions that [`Look::weight`] takes.
    pub fn tasks(&self) -> impl Iterator<Item = &str> {
        self.tasks.keys().map(String::as_str)
    }

    /// The means over all looks; `None` where there was none.
    pub fn means(&self) -> Option<Balance> {
        let tasks = self.tasks.iter().map(|(name, [weight, norm, pull])| {
            let task = BalancedTask {
                looks: weight.count,
                weight: weight.value().unwrap_or_default(),
                gradient_norm: norm.value(),
                pull: pull.value(),
            };
            (name.clone(), task)
        });
        let cosines = self.cosines.iter().filter_map(|(between, mean)| {
            Some(MeanCosine { between: between.clone(), cosine: mean.value()?, looks: mean.count })
        });
        (self.looks > 0).then(|| Balance {
            looks: self.looks,
            conflict_rate: self.conflict.value(),
            tasks: tasks.collect(),
            cosines: cosines.collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(weights: [f64; 2], norms: [f64; 2]) -> IndexMap<String, Balanced> {
        let names = ["a", "b"].map(str::to_owned).into_iter();
        let tasks = weights.into_iter().zip(norms);
        names.zip(tasks.map(|(weight, norm)| Balanced { weight, gradient_norm: Some(norm) })).collect()
    }

    #[test]
    fn means_are_over_looks_and_pull_is_a_share() {
        let mut looks = Looks::default();
        assert_eq!(looks.means(), None);
        let cosine = |cosine| vec![Cosine { between: ["a".into(), "b".into()], cosine }];
        looks.add(10, &look([1.0, 3.0], [2.0, 2.0]), cosine(-0.5), Some(1.0));
        looks.add(20, &look([3.0, 1.0], [1.0, 9.0]), cosine(0.25), Some(0.0));
        let means = looks.means().unwrap();
        assert_eq!((means.looks, means.conflict_rate), (2, Some(0.5)));
        // Pulls of a: 2 / (2 + 6) and 3 / (3 + 9).
        let expected = BalancedTask { looks: 2, weight: 2.0, gradient_norm: Some(1.5), pull: Some(0.25) };
        assert_eq!(means.tasks["a"], expected);
        assert_eq!((means.cosines[0].cosine, means.cosines[0].looks), (-0.125, 2));
    }

    #[test]
    fn long_runs_are_thinned_and_keep_their_means() {
        let mut looks = Looks::default();
        for step in 1..=10_000_u64 {
            looks.add(step, &look([step as f64, 1.0], [1.0, 1.0]), Vec::new(), None);
        }
        let points = looks.points();
        assert!(points.len() <= POINTS_MAX && points.len() > POINTS_MAX / 2, "{}", points.len());
        assert!(points.windows(2).all(|pair| pair[0].step() < pair[1].step()));
        // A weight that is the step stays it under every average.
        assert!(points.iter().all(|point| point.weight(0) == Some(point.step())));
        let count: usize = points.iter().map(|point| point.step.count).sum();
        assert_eq!((count, looks.means().unwrap().tasks["a"].weight), (10_000, 5000.5));
    }

    #[test]
    fn a_task_that_joins_late_has_its_own_line() {
        let mut looks = Looks::default();
        let mut first = look([1.0, 2.0], [1.0, 1.0]);
        first.shift_remove("a");
        looks.add(1, &first, Vec::new(), None);
        looks.add(2, &look([1.0, 2.0], [1.0, 1.0]), Vec::new(), None);
        assert_eq!(looks.tasks().collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!((looks.points()[0].weight(1), looks.points()[1].weight(1)), (None, Some(1.0)));
    }
}
