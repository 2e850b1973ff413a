//! What do the runs of a study say about what tasks have in common?

use polytask_spec::Spec;
use polytask_spec::study::Arm;
use serde::{Deserialize, Serialize};

use crate::answer::Left;
use crate::choice::{choose, higher_is_better, score};
use crate::job::{Job, Variant};
use crate::relatedness::{Grouping, PairCosine, group, mean_cosines, partition};
use crate::runner::End;
use crate::statistics::{Measured, kendall, relative_gain, spearman};

/// What tasks have in common.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Relatedness {
    /// How the gradients of every two tasks stood to each other in the joint runs.
    pub cosines: Vec<PairCosine>,
    /// Relative gain, on validation data, of each task by training with one other: of `task` with `partner`.
    pub pair_gains: Vec<PairGain>,
    /// The best division into 1, 2, ... networks by those gains; empty where a pair was not run.
    pub groupings: Vec<NamedGrouping>,
    /// The best division, into `study.networks` at most, in which each task is trained in one network only.
    pub partition: Option<NamedGrouping>,
    /// How far cosines put pairs in the same order as the gains of training them together; absent with fewer than three pairs.
    pub agreement: Option<Agreement>,
}

/// What a task gained by a partner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairGain {
    /// The task.
    pub task: String,
    /// The task it was trained with.
    pub partner: String,
    /// Relative gain over the task alone, the mean over seeds that have both.
    pub gain: f64,
}

/// A division of tasks over networks, by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NamedGrouping {
    /// Tasks that each network is trained on.
    pub trains: Vec<Vec<String>>,
    /// Tasks that each network answers for.
    pub answers: Vec<Vec<String>>,
    /// Mean relative gain over the tasks alone that pairs lead to expect; it was not trained.
    pub expected_delta_m: f64,
}

/// Rank correlations of cosines and pair gains.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// Number of pairs.
    pub pairs: usize,
    /// Spearman's.
    pub spearman: f64,
    /// Kendall's tau-b.
    pub kendall: f64,
}

/// Reads cosines off the joint runs of a variant, and gains off the pairs.
pub(crate) fn relatedness(
    spec: &Spec,
    ends: &[(Job, End)],
    joint: Option<&Variant>,
    left: &dyn Fn(&Job) -> Left,
) -> Relatedness {
    let tasks: Vec<String> = spec.task.keys().cloned().collect();
    let joint_runs = ends
        .iter()
        .filter(|(job, end)| job.arm == Arm::Joint && Some(&job.variant) == joint && matches!(end, End::Complete(_)));
    let events: Vec<_> = joint_runs.flat_map(|(job, _)| left(job).events).collect();
    let cosines = mean_cosines(&events);
    let gains = pair_gains(ends, &tasks);
    let mut found = Relatedness { cosines, ..Relatedness::default() };
    if let Some(matrix) = whole(&gains) {
        let networks = spec.study.as_ref().and_then(|study| study.networks).unwrap_or(tasks.len()).min(tasks.len());
        let name = |grouping: Grouping| named(&grouping, &tasks);
        found.groupings = (1..=networks).filter_map(|count| group(&matrix, count).map(name)).collect();
        found.partition = partition(&matrix, networks).map(name);
    }
    for (task, row) in tasks.iter().zip(&gains) {
        let partners = tasks.iter().zip(row).filter(|(partner, _)| *partner != task);
        found.pair_gains.extend(partners.filter_map(|(partner, gain)| {
            Some(PairGain { task: task.clone(), partner: partner.clone(), gain: (*gain)? })
        }));
    }
    found.agreement = agreement(&found);
    found
}

fn named(grouping: &Grouping, tasks: &[String]) -> NamedGrouping {
    let names = |members: &[usize]| members.iter().map(|&task| tasks[task].clone()).collect();
    NamedGrouping {
        trains: grouping.networks.iter().map(|network| names(&network.trains)).collect(),
        answers: grouping.networks.iter().map(|network| names(&network.answers)).collect(),
        expected_delta_m: grouping.expected / tasks.len() as f64,
    }
}

/// `[task][partner]`: mean relative gain on validation data over the task alone in the same variant's update rule.
fn pair_gains(ends: &[(Job, End)], tasks: &[String]) -> Vec<Vec<Option<f64>>> {
    let gain = |task: &String, partner: &String| {
        if task == partner {
            return Some(0.0);
        }
        let two: Vec<String> = tasks.iter().filter(|name| *name == task || *name == partner).cloned().collect();
        let (pair, alone) = (choose(ends, Arm::Pairs, &two), choose_first(ends, task));
        let by_seed = pair.runs.iter().filter_map(|(seed, metrics)| {
            let baseline = score(alone.iter().find(|(known, _)| known == seed)?.1, task, "valid")?;
            let higher_is_better = higher_is_better(metrics, task)?;
            relative_gain(&Measured { baseline, score: score(metrics, task, "valid")?, higher_is_better })
        });
        let gains: Vec<f64> = by_seed.collect();
        (!gains.is_empty()).then(|| gains.iter().sum::<f64>() / gains.len() as f64)
    };
    tasks.iter().map(|task| tasks.iter().map(|partner| gain(task, partner)).collect()).collect()
}

/// The runs of a task alone with the first update rule, which pairs have as well.
fn choose_first<'a>(ends: &'a [(Job, End)], task: &str) -> Vec<(u64, &'a polytask_run::Metrics)> {
    let mut alone = ends.iter().filter(|(job, _)| job.arm == Arm::Separate && job.tasks == [task]).peekable();
    let first = alone.peek().map(|(job, _)| job.variant.clone());
    let same = alone.filter(|(job, _)| Some(&job.variant) == first.as_ref());
    same.filter_map(|(job, end)| match end {
        End::Complete(metrics) => Some((job.seed, metrics.as_ref())),
        _ => None,
    })
    .collect()
}

/// The matrix, where every pair of different tasks is known and there is a pair.
fn whole(gains: &[Vec<Option<f64>>]) -> Option<Vec<Vec<f64>>> {
    if gains.len() < 2 {
        return None;
    }
    gains.iter().map(|row| row.iter().copied().collect()).collect()
}

fn agreement(found: &Relatedness) -> Option<Agreement> {
    let of = |task: &String, partner: &String| {
        let gain = found.pair_gains.iter().find(|gain| gain.task == *task && gain.partner == *partner);
        gain.map(|gain| gain.gain)
    };
    let both = found.cosines.iter().filter_map(|pair| {
        let [a, b] = &pair.between;
        Some((pair.cosine, of(a, b)? + of(b, a)?))
    });
    let (cosines, gains): (Vec<f64>, Vec<f64>) = both.unzip();
    if cosines.len() < 3 {
        return None;
    }
    let (spearman, kendall) = (spearman(&cosines, &gains)?, kendall(&cosines, &gains)?);
    Some(Agreement { pairs: cosines.len(), spearman, kendall })
}
