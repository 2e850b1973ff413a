//! What do the runs of a study say about what tasks have in common?

use polytask_spec::Spec;
use polytask_spec::study::Arm;
use serde::{Deserialize, Serialize};

use crate::answer::Left;
use crate::choice::{choose, higher_is_better, score};
use crate::job::Job;
use crate::relatedness::{
    Grouping, PairAffinity, PairCosine, affinity_matrix, fill, group, mean_affinities, mean_cosines, partition,
};
use crate::runner::End;
use crate::similarity::PairSimilarity;
use crate::statistics::{Measured, kendall, relative_gain, spearman};
use crate::variant::Variant;

/// What tasks have in common.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Relatedness {
    /// How the gradients of every two tasks stood to each other in the joint runs.
    pub cosines: Vec<PairCosine>,
    /// Relative gain, on validation data, of each task by training with one other: of `task` with `partner`.
    pub pair_gains: Vec<PairGain>,
    /// Relative gain, on validation data, of each task by beginning with the network of another one: of `task` after `partner`.
    pub transfer_gains: Vec<PairGain>,
    /// The best division into 1, 2, ... networks by the gains of pairs; empty where no pair was run.
    pub groupings: Vec<NamedGrouping>,
    /// The best division, into `study.networks` at most, in which each task is trained in one network only.
    pub partition: Option<NamedGrouping>,
    /// What a step for one task alone did for another one's loss in the joint runs; empty where looks did not measure it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub affinities: Vec<PairAffinity>,
    /// The best division into 1, 2, ... networks by affinities; empty where one of them is not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub affinity_groupings: Vec<AffinityGrouping>,
    /// The best one in which each task is trained in one network only, into `study.networks` at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub affinity_partition: Option<AffinityGrouping>,
    /// How alike the networks of tasks alone represent the same texts; empty where it was not asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub similarities: Vec<PairSimilarity>,
    /// What was measured of pairs besides their gains, at which cost, and how far it tells these.
    pub measures: Vec<Measure>,
}

/// A measure of how related two tasks are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// `gradient-cosine`, `conflict-rate`, `transfer-gain`, `affinity` or `cka`.
    pub name: String,
    /// Pairs that it knows.
    pub pairs: usize,
    /// Runs that it took besides those of the arms `separate` and `joint`.
    pub runs: usize,
    /// Forward passes of all tasks that it took besides in each step of the arm `joint`; absent where it took none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forward_passes_per_step: Option<f64>,
    /// How far it puts pairs in the same order as the gains of training them together; absent with fewer than three pairs that
    /// have both.
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
    /// Whether it is a guess from other pairs: the budget left the runs out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub predicted: bool,
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

/// A division of tasks over networks by what a step for one does for another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AffinityGrouping {
    /// Tasks that each network is trained on.
    pub trains: Vec<Vec<String>>,
    /// Tasks that each network answers for.
    pub answers: Vec<Vec<String>>,
    /// Mean over tasks of the affinity of their network's other tasks onto them, 0 for a task alone.
    pub affinity: f64,
}

/// Rank correlations of a measure and the gains of training two tasks together, summed over both.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// Number of pairs.
    pub pairs: usize,
    /// Spearman's.
    pub spearman: f64,
    /// Kendall's tau-b.
    pub kendall: f64,
}

/// Reads cosines off the joint runs of a variant, and gains off pairs and transfer.
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
    let gains = matrix(&tasks, |task, partner| pair_gain(ends, &tasks, task, partner));
    let transfer = matrix(&tasks, |task, partner| transfer_gain(ends, task, partner));
    let mut found = Relatedness { cosines, transfer_gains: listed(&tasks, &transfer, None), ..Relatedness::default() };
    let networks = networks(spec);
    let filled = fill(&gains);
    if let Some(matrix) = &filled {
        (found.groupings, found.partition) = divisions(matrix, networks, |grouping| named(&grouping, &tasks));
    }
    found.affinities = mean_affinities(&events);
    if let Some(matrix) = affinity_matrix(&tasks, &found.affinities) {
        let by_affinity = |grouping| {
            let NamedGrouping { trains, answers, expected_delta_m: affinity } = named(&grouping, &tasks);
            AffinityGrouping { trains, answers, affinity }
        };
        (found.affinity_groupings, found.affinity_partition) = divisions(&matrix, networks, by_affinity);
    }
    found.pair_gains = listed(&tasks, &gains, filled.as_deref());
    found.measures = measures(&found, ends, spec);
    found
}

/// The best division of the tasks by the gains of pairs on validation data, each task in one network; none where no pair is known.
pub(crate) fn best_groups(spec: &Spec, ends: &[(Job, End)]) -> Option<Vec<Vec<String>>> {
    let tasks: Vec<String> = spec.task.keys().cloned().collect();
    let matrix = fill(&matrix(&tasks, |task, partner| pair_gain(ends, &tasks, task, partner)))?;
    partition(&matrix, networks(spec)).map(|grouping| named(&grouping, &tasks).answers)
}

/// Networks at most among which tasks are divided.
fn networks(spec: &Spec) -> usize {
    spec.study.as_ref().and_then(|study| study.networks).unwrap_or(spec.task.len()).min(spec.task.len())
}

impl Relatedness {
    /// Takes in how alike the networks of tasks alone are, and how far that tells the gains of pairs.
    pub(crate) fn compare_with(&mut self, similarities: Vec<PairSimilarity>) {
        let values = similarities.iter().map(|pair| (pair.between.clone(), pair.cka)).collect();
        self.measures.extend(measure("cka", (0, None), values, &self.pair_gains));
        self.similarities = similarities;
    }
}

/// The best divisions into 1, 2, ... networks with helpers, and the best one without.
fn divisions<T: PartialEq>(matrix: &[Vec<f64>], networks: usize, name: impl Fn(Grouping) -> T) -> (Vec<T>, Option<T>) {
    let mut all: Vec<T> = (1..=networks).filter_map(|count| group(matrix, count).map(&name)).collect();
    // Another network that nobody gains by is not used.
    all.dedup();
    (all, partition(matrix, networks).map(name))
}

/// `[task][partner]`; a task gains nothing by itself.
fn matrix(tasks: &[String], gain: impl Fn(&String, &String) -> Option<f64>) -> Vec<Vec<Option<f64>>> {
    let of = |task: &String, partner: &String| if task == partner { Some(0.0) } else { gain(task, partner) };
    tasks.iter().map(|task| tasks.iter().map(|partner| of(task, partner)).collect()).collect()
}

/// The gains of different tasks that are known, and those that are guessed.
fn listed(tasks: &[String], gains: &[Vec<Option<f64>>], filled: Option<&[Vec<f64>]>) -> Vec<PairGain> {
    let mut found = Vec::new();
    for (row, task) in tasks.iter().enumerate() {
        for (column, partner) in tasks.iter().enumerate().filter(|(column, _)| *column != row) {
            let known = gains[row][column];
            let Some(gain) = known.or_else(|| Some(filled?[row][column])) else { continue };
            found.push(PairGain { task: task.clone(), partner: partner.clone(), gain, predicted: known.is_none() });
        }
    }
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

/// Mean relative gain of a task on validation data by training with a partner, over the task alone in the same update rule.
fn pair_gain(ends: &[(Job, End)], tasks: &[String], task: &String, partner: &String) -> Option<f64> {
    let two: Vec<String> = tasks.iter().filter(|name| *name == task || *name == partner).cloned().collect();
    let pair = choose(ends, Arm::Pairs, &two);
    mean_gain(ends, task, pair.runs.iter().map(|(seed, metrics)| (*seed, *metrics)))
}

/// The same by beginning with the network of a source.
fn transfer_gain(ends: &[(Job, End)], task: &str, source: &str) -> Option<f64> {
    let after = |job: &Job| job.tasks == [task] && job.after.as_ref().is_some_and(|after| after.task == source);
    let runs = ends.iter().filter(|(job, _)| job.arm == Arm::Transfer && after(job));
    let complete = runs.filter_map(|(job, end)| match end {
        End::Complete(metrics) => Some((job.seed, metrics.as_ref())),
        _ => None,
    });
    mean_gain(ends, task, complete)
}

/// Mean relative gain on validation data of runs by seed over the task alone.
fn mean_gain<'a>(
    ends: &[(Job, End)],
    task: &str,
    runs: impl Iterator<Item = (u64, &'a polytask_run::Metrics)>,
) -> Option<f64> {
    let alone = choose_first(ends, task);
    let by_seed = runs.filter_map(|(seed, metrics)| {
        let baseline = score(alone.iter().find(|(known, _)| *known == seed)?.1, task, "valid")?;
        let higher_is_better = higher_is_better(metrics, task)?;
        relative_gain(&Measured { baseline, score: score(metrics, task, "valid")?, higher_is_better })
    });
    let gains: Vec<f64> = by_seed.collect();
    (!gains.is_empty()).then(|| gains.iter().sum::<f64>() / gains.len() as f64)
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

/// Every measure of pairs that the runs have, with its cost and its agreement with the gains of pairs that were run.
fn measures(found: &Relatedness, ends: &[(Job, End)], spec: &Spec) -> Vec<Measure> {
    let gains: Vec<([&str; 2], f64)> =
        found.transfer_gains.iter().map(|gain| ([gain.task.as_str(), gain.partner.as_str()], gain.gain)).collect();
    let affinities: Vec<([&str; 2], f64)> =
        found.affinities.iter().map(|pair| ([pair.on.as_str(), pair.of.as_str()], pair.affinity)).collect();
    let cosines = |value: fn(&PairCosine) -> f64| -> Vec<([String; 2], f64)> {
        found.cosines.iter().map(|pair| (pair.between.clone(), value(pair))).collect()
    };
    let trained = |arm: Arm| ends.iter().filter(|(job, end)| job.arm == arm && matches!(end, End::Complete(_))).count();
    let looks = spec.balance.watch.max(1) as f64;
    let passes = (spec.task.len() + 1) as f64 / looks;
    let all = [
        ("gradient-cosine", (0, None), cosines(|pair| pair.cosine)),
        ("conflict-rate", (0, None), cosines(|pair| -pair.conflict_rate)),
        ("transfer-gain", (trained(Arm::Transfer), None), both_ways(&gains)),
        ("affinity", (0, Some(passes)), both_ways(&affinities)),
    ];
    let measured = |(name, cost, values)| measure(name, cost, values, &found.pair_gains);
    all.into_iter().filter_map(measured).collect()
}

/// The sums of values of ordered pairs over both orders, where both are known.
fn both_ways(values: &[([&str; 2], f64)]) -> Vec<([String; 2], f64)> {
    let first = values.iter().filter(|([a, b], _)| a < b);
    let both = |([a, b], value): &([&str; 2], f64)| {
        let (_, other) = values.iter().find(|(pair, _)| pair == &[*b, *a])?;
        Some(([*a, *b].map(str::to_owned), value + other))
    };
    first.filter_map(both).collect()
}

/// A measure of pairs that took so many runs and forward passes a step; `None` where it knows no pair.
fn measure(
    name: &str,
    (runs, forward_passes_per_step): (usize, Option<f64>),
    values: Vec<([String; 2], f64)>,
    pair_gains: &[PairGain],
) -> Option<Measure> {
    let of = |task: &String, partner: &String| {
        let gain = pair_gains.iter().find(|gain| gain.task == *task && gain.partner == *partner && !gain.predicted);
        gain.map(|gain| gain.gain)
    };
    let known = values.iter().filter_map(|([a, b], value)| Some((*value, of(a, b)? + of(b, a)?)));
    let (values_known, gains): (Vec<f64>, Vec<f64>) = known.unzip();
    let agreement = agreement(&values_known, &gains);
    let pairs = values.len();
    (pairs > 0).then(|| Measure { name: name.to_owned(), pairs, runs, forward_passes_per_step, agreement })
}

fn agreement(values: &[f64], gains: &[f64]) -> Option<Agreement> {
    if values.len() < 3 {
        return None;
    }
    let (spearman, kendall) = (spearman(values, gains)?, kendall(values, gains)?);
    Some(Agreement { pairs: values.len(), spearman, kendall })
}
