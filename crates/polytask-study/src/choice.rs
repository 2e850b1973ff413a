//! Which variant of an arm stands for it? Validation data says so, and no other.

use indexmap::IndexMap;
use polytask_metrics::catalogue;
use polytask_run::Metrics;
use polytask_spec::study::Arm;
use serde::{Deserialize, Serialize};

use crate::job::Job;
use crate::runner::End;
use crate::statistics::{Measured, delta_m};
use crate::variant::Variant;

/// The complete runs of some tasks in one variant, by seed.
pub(crate) type BySeed<'a> = IndexMap<u64, &'a Metrics>;

/// A variant that was tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// What was varied.
    pub variant: Variant,
    /// Mean relative gain on validation data over the first variant, over the seeds that all variants have; absent where a
    /// run diverged, or there is nothing to compare.
    pub delta_m_valid: Option<f64>,
    /// Whether it was chosen.
    pub chosen: bool,
}

/// The variants of an arm for some tasks, and the runs of the chosen one.
pub(crate) struct Choice<'a> {
    pub tried: Vec<Tried>,
    pub runs: BySeed<'a>,
}

impl Choice<'_> {
    pub fn variant(&self) -> Option<&Variant> {
        self.tried.iter().find(|tried| tried.chosen).map(|tried| &tried.variant)
    }
}

/// The score of a task on a split by the metric that decides about it.
pub(crate) fn score(metrics: &Metrics, task: &str, split: &str) -> Option<f64> {
    let key = &metrics.best.get(task)?.metric;
    metrics.splits.get(split)?.get(task)?.metrics.get(key).copied()
}

/// Chooses among the variants of an arm: the one whose tasks gain most over the first variant on validation data, on the seeds
/// that all have. Variants of which a run diverged, or none is complete, are not chosen; equal ones are decided for the first.
pub(crate) fn choose<'a>(ends: &'a [(Job, End)], arm: Arm, tasks: &[String]) -> Choice<'a> {
    let mut runs: Vec<(Variant, BySeed<'a>, bool)> = Vec::new();
    for (job, end) in ends.iter().filter(|(job, _)| job.arm == arm && job.tasks == tasks) {
        if !runs.iter().any(|(variant, ..)| *variant == job.variant) {
            runs.push((job.variant.clone(), BySeed::new(), true));
        }
        let Some((_, by_seed, sound)) = runs.iter_mut().find(|(variant, ..)| *variant == job.variant) else { continue };
        match end {
            End::Complete(metrics) => {
                by_seed.insert(job.seed, metrics);
            }
            End::Diverged(_) => *sound = false,
            End::NotRun => {}
        }
    }
    let candidates: Vec<&BySeed> = runs
        .iter()
        .filter(|(_, by_seed, sound)| *sound && !by_seed.is_empty())
        .map(|(_, by_seed, _)| by_seed)
        .collect();
    let common: Vec<u64> = candidates.first().map_or_else(Vec::new, |first| {
        first.keys().copied().filter(|seed| candidates.iter().all(|by_seed| by_seed.contains_key(seed))).collect()
    });
    let baseline = candidates.first().copied();
    let gain = |by_seed: &BySeed| delta_m(&measured(baseline?, by_seed, &common, tasks)?);
    let gains: Vec<Option<f64>> = runs
        .iter()
        .map(|(_, by_seed, sound)| if *sound && !by_seed.is_empty() { gain(by_seed) } else { None })
        .collect();
    let mut chosen: Option<usize> = None;
    for (index, (_, by_seed, sound)) in runs.iter().enumerate() {
        let value = |index: usize| gains[index].unwrap_or(f64::NEG_INFINITY);
        if *sound && !by_seed.is_empty() && chosen.is_none_or(|best| value(index) > value(best)) {
            chosen = Some(index);
        }
    }
    let tried = runs.iter().enumerate().map(|(index, (variant, ..))| Tried {
        variant: variant.clone(),
        delta_m_valid: gains[index],
        chosen: chosen == Some(index),
    });
    let tried = tried.collect();
    let runs = chosen.map(|index| runs.swap_remove(index).1).unwrap_or_default();
    Choice { tried, runs }
}

/// Mean validation scores of the tasks over some seeds, beside those of a baseline.
fn measured(baseline: &BySeed, other: &BySeed, seeds: &[u64], tasks: &[String]) -> Option<Vec<Measured>> {
    let mean = |runs: &BySeed, task: &str| {
        let scores: Option<Vec<f64>> = seeds.iter().map(|seed| score(runs.get(seed)?, task, "valid")).collect();
        let scores = scores.filter(|scores| !scores.is_empty())?;
        Some(scores.iter().sum::<f64>() / scores.len() as f64)
    };
    let one = |task: &String| {
        let higher_is_better = higher_is_better(*baseline.values().next()?, task)?;
        Some(Measured { baseline: mean(baseline, task)?, score: mean(other, task)?, higher_is_better })
    };
    tasks.iter().map(one).collect()
}

/// Whether more is better of the metric that decides about a task.
pub(crate) fn higher_is_better(metrics: &Metrics, task: &str) -> Option<bool> {
    Some(catalogue::find(&metrics.best.get(task)?.metric)?.higher_is_better)
}
