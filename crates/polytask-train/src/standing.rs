//! Which tasks still improve, and which model is kept?
//!
//! Each task has a score on validation data, the higher the better: its deciding metric, or `1 - rmse / deviation` and
//! `1 - mae / deviation` for errors and `ln deviation - nll` for a likelihood, so that scores have no unit. A task that has
//! not improved for `patience` evaluations stops: its head is trained no more, the shared layers go on.
//!
//! `worst-regret` keeps the model whose worst task is closest to that task's own best so far: after every evaluation the
//! new model replaces the kept one if its largest regret `max_t (best_t - score_t)` is smaller, both measured against the
//! bests known by then; equal regrets are decided by the mean score. No task's gain can hide another's loss. `mean` keeps
//! the model with the highest mean score.

use polytask_spec::training::{Select, Train};
use serde::{Deserialize, Serialize};

/// What has been seen of every task so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    tasks: Vec<TaskStanding>,
    kept: Option<Candidate>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct TaskStanding {
    best: Option<f64>,
    best_epoch: usize,
    waited: usize,
    stopped: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Candidate {
    epoch: usize,
    scores: Vec<f64>,
}

/// How the kept model was chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Criterion {
    /// `worst-regret` or `mean`.
    pub name: &'static str,
    /// Its value for the kept model.
    pub value: f64,
}

/// What an evaluation changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the judged model is the kept one now.
    pub keep: bool,
    /// Tasks that stop.
    pub stopped: Vec<usize>,
}

impl Standing {
    /// Nothing seen yet.
    pub fn new(tasks: usize) -> Standing {
        let task = TaskStanding { best: None, best_epoch: 0, waited: 0, stopped: false };
        Standing { tasks: vec![task; tasks], kept: None }
    }

    /// Whether it stands for as many tasks as another one.
    pub fn fits(&self, other: &Standing) -> bool {
        let tasks = other.tasks.len();
        self.tasks.len() == tasks && self.kept.as_ref().is_none_or(|kept| kept.scores.len() == tasks)
    }

    /// Whether a task still trains.
    pub fn is_active(&self, task: usize) -> bool {
        !self.tasks[task].stopped
    }

    /// Whether every task stopped.
    pub fn all_stopped(&self) -> bool {
        self.tasks.iter().all(|task| task.stopped)
    }

    /// Epoch of a task's best score.
    pub fn best_epoch(&self, task: usize) -> usize {
        self.tasks[task].best_epoch
    }

    /// Epoch of the kept model; 0 before the first evaluation.
    pub fn kept_epoch(&self) -> usize {
        self.kept.as_ref().map_or(0, |kept| kept.epoch)
    }

    /// The kept model's criterion.
    pub fn criterion(&self, select: Select) -> Criterion {
        let scores = self.kept.as_ref().map(|kept| kept.scores.as_slice()).unwrap_or_default();
        match select {
            Select::WorstRegret => Criterion { name: "worst-regret", value: self.regret(scores) },
            Select::Mean => Criterion { name: "mean", value: mean(scores) },
        }
    }

    /// Takes in the scores of an epoch's model, one a task.
    pub fn judge(&mut self, epoch: usize, scores: &[f64], train: &Train) -> Verdict {
        let mut stopped = Vec::new();
        for (index, (task, &score)) in self.tasks.iter_mut().zip(scores).enumerate() {
            if task.best.is_none_or(|best| score > best) {
                (task.best, task.best_epoch, task.waited) = (Some(score), epoch, 0);
            } else {
                task.waited += 1;
            }
            if !task.stopped && train.patience > 0 && task.waited >= train.patience {
                task.stopped = true;
                stopped.push(index);
            }
        }
        let keep = match &self.kept {
            None => true,
            Some(kept) => match train.select {
                Select::Mean => mean(scores) > mean(&kept.scores),
                Select::WorstRegret => {
                    let (new, old) = (self.regret(scores), self.regret(&kept.scores));
                    new < old || (new == old && mean(scores) > mean(&kept.scores))
                }
            },
        };
        if keep {
            self.kept = Some(Candidate { epoch, scores: scores.to_vec() });
        }
        Verdict { keep, stopped }
    }

    /// The largest distance of a task's score from its best.
    fn regret(&self, scores: &[f64]) -> f64 {
        let regrets = self.tasks.iter().zip(scores).map(|(task, score)| task.best.map_or(0.0, |best| best - score));
        regrets.fold(0.0, f64::max)
    }
}

fn mean(scores: &[f64]) -> f64 {
    scores.iter().sum::<f64>() / scores.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn train(patience: usize, select: Select) -> Train {
        Train { patience, select, ..Train::default() }
    }

    #[test]
    fn one_tasks_gain_does_not_hide_anothers_loss() {
        let mut standing = Standing::new(2);
        let worst = train(0, Select::WorstRegret);
        assert!(standing.judge(1, &[0.80, 0.80], &worst).keep);
        // The first task's best is now 0.90: the old model lacks 0.10 of it, the new one 0.06 of the second task's.
        assert!(standing.judge(2, &[0.90, 0.74], &worst).keep);
        let mut standing = Standing::new(2);
        assert!(standing.judge(1, &[0.80, 0.80], &worst).keep);
        assert!(!standing.judge(2, &[0.84, 0.74], &worst).keep);
        assert_eq!(standing.kept_epoch(), 1);
        let by_mean = train(0, Select::Mean);
        let mut standing = Standing::new(2);
        assert!(standing.judge(1, &[0.80, 0.80], &by_mean).keep);
        assert!(standing.judge(2, &[0.88, 0.74], &by_mean).keep);
    }

    #[test]
    fn equal_models_keep_the_earlier_one() {
        let mut standing = Standing::new(1);
        let train = train(0, Select::WorstRegret);
        assert!(standing.judge(1, &[0.5], &train).keep);
        assert!(!standing.judge(2, &[0.5], &train).keep);
        assert!(standing.judge(3, &[0.6], &train).keep);
    }

    #[test]
    fn a_task_stops_after_its_patience_and_others_go_on() {
        let mut standing = Standing::new(2);
        let train = train(2, Select::WorstRegret);
        standing.judge(1, &[0.9, 0.1], &train);
        standing.judge(2, &[0.8, 0.2], &train);
        let verdict = standing.judge(3, &[0.9, 0.3], &train);
        assert_eq!(verdict.stopped, [0]);
        assert!(!standing.is_active(0) && standing.is_active(1) && !standing.all_stopped());
        assert_eq!(standing.best_epoch(0), 1);
    }

    #[test]
    fn survives_a_checkpoint_to_the_bit() {
        let mut standing = Standing::new(2);
        standing.judge(1, &[0.1 + 0.2, 1.0 / 3.0], &Train::default());
        let json = serde_json::to_string(&standing).unwrap();
        assert_eq!(serde_json::from_str::<Standing>(&json).unwrap(), standing);
    }
}
