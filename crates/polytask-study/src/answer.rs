//! What do the runs of a study say?
//!
//! Validation data chooses the variant that stands for an arm; test data is read once, here, from the kept models' scores in each
//! run's `metrics.json`. Each task is compared by the metric that decides about it, seed with seed.

use std::rc::Rc;

use indexmap::IndexMap;
use polytask_run::ExampleOutcomes;
use polytask_spec::Spec;
use polytask_spec::study::Arm;
use serde::{Deserialize, Serialize};

use crate::choice::{Choice, Tried, choose, higher_is_better, score};
use crate::job::Job;
use crate::recommend::{Evidence, Recommendation, recommend};
use crate::related::{Relatedness, relatedness};
use crate::runner::End;
use crate::statistics::{
    Comparison, Interval, Measured, Pair, Paired, compare, delta_m, example_bootstrap, relative_gain, t_interval,
};
use crate::variant::Variant;

/// Draws of examples.
const DRAWS: usize = 2_000;

/// Version of the format of `study.json`.
pub const FORMAT: u32 = 1;

/// `study.json`. Nothing in it depends on time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Version of the format.
    pub format: u32,
    /// Seeds of the runs that are complete in any arm.
    pub seeds: Vec<u64>,
    /// Complete runs of each arm.
    pub runs: IndexMap<String, usize>,
    /// The groups that pairs lead to expect most of, trained; absent where a network of theirs is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Trained>,
    /// Variants of the joint arm that were tried.
    pub joint: Vec<Tried>,
    /// Each task.
    pub tasks: IndexMap<String, TaskAnswer>,
    /// Mean relative gain of the joint arm over the separate one, over tasks, of mean scores.
    pub delta_m: Option<f64>,
    /// The same seed by seed, with its interval.
    pub delta_m_paired: Option<Paired>,
    /// The task with the least relative gain.
    pub worst_task: Option<String>,
    /// Values in the models of each arm: those of all tasks alone together, and those of the joint network.
    pub parameters: IndexMap<String, usize>,
    /// What tasks have in common.
    pub relatedness: Relatedness,
    /// What to do.
    pub recommendation: Recommendation,
    /// Runs that diverged, with what was said.
    pub diverged: IndexMap<String, String>,
    /// Runs that the budget left out.
    pub not_run: Vec<String>,
}

/// What trained groups reach.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trained {
    /// The tasks of each network.
    pub groups: Vec<Vec<String>>,
    /// Mean relative gain over tasks alone on validation data, of mean scores.
    pub delta_m_valid: f64,
    /// The same on the data that tasks are judged on.
    pub delta_m: f64,
}

/// What is known of a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskAnswer {
    /// The metric that decides about it.
    pub metric: Option<String>,
    /// Whether more of it is better.
    pub higher_is_better: bool,
    /// What it was judged on: `test`, or `valid` where its dataset has no test examples.
    pub split: String,
    /// Variants of the task alone that were tried.
    pub separate: Vec<Tried>,
    /// Its score in each arm.
    pub arms: IndexMap<String, ArmScore>,
    /// 95 % bootstrap interval of the mean gain over the examples of `split`, the networks as they are; absent where the metric
    /// ranks examples or reads probabilities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bootstrap_examples: Option<Interval>,
    /// Gains of the joint arm over networks of equal total size, seed by seed, where these were run; corrected over tasks like the
    /// others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equal_size: Option<Comparison>,
    /// Gain of mean scores relative to the task alone, 0.01 for one percent.
    pub relative_gain: Option<f64>,
    /// Gains of the joint arm over the task alone, seed by seed, and the verdict.
    pub comparison: Comparison,
}

/// A task's score in an arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArmScore {
    /// Mean over seeds.
    pub mean: f64,
    /// 95 % t interval of the mean; absent with one seed.
    pub interval: Option<Interval>,
    /// The score of each seed.
    pub by_seed: IndexMap<u64, f64>,
}

impl ArmScore {
    fn of(by_seed: IndexMap<u64, f64>) -> Option<ArmScore> {
        let values: Vec<f64> = by_seed.values().copied().collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let interval = t_interval(&values, 0.95).map(|paired| paired.interval);
        (!values.is_empty()).then_some(ArmScore { mean, interval, by_seed })
    }
}

/// What a run left besides its scores.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Left {
    /// Values in its model.
    pub parameters: Option<usize>,
    /// The cosines between its tasks' gradients.
    pub events: Vec<polytask_run::Event>,
    /// What the examples came to that it was judged on.
    pub outcomes: Option<Rc<ExampleOutcomes>>,
}

/// Reads the answer off the ends of a study's runs; `left` tells what a complete run left besides its scores.
pub fn answer(spec: &Spec, ends: &[(Job, End)], left: &dyn Fn(&Job) -> Left) -> Answer {
    let tasks: Vec<String> = spec.task.keys().cloned().collect();
    let joint = choose(ends, Arm::Joint, &tasks);
    let separate: Vec<Choice> =
        tasks.iter().map(|task| choose(ends, Arm::Separate, std::slice::from_ref(task))).collect();
    let margin = spec.study.as_ref().map_or(0.0, |study| study.margin);
    let mut answers: Vec<(TaskAnswer, Vec<f64>, f64)> =
        tasks.iter().zip(&separate).map(|(task, alone)| task_answer(task, alone, &joint, margin)).collect();
    add_example_intervals((ends, &tasks), (&separate, &joint), &mut answers, (spec.seed, left));
    add_equal_size(ends, &tasks, &mut answers, spec.seed);
    let gains: Vec<Vec<f64>> = answers.iter().map(|(_, gains, _)| gains.clone()).collect();
    let margins: Vec<f64> = answers.iter().map(|(.., margin)| *margin).collect();
    for ((answer, ..), comparison) in answers.iter_mut().zip(compare(&gains, &margins, spec.seed)) {
        answer.comparison = comparison;
    }
    let variant = joint.variant().cloned();
    let relatedness = relatedness(spec, ends, variant.as_ref(), left);
    let asked = spec.study.as_ref().is_some_and(|study| study.arms.contains(&Arm::Groups));
    // Groups of one task and of two are trained without being asked for, by other arms.
    let is_division = |groups: &Vec<Vec<String>>| groups.len() > 1 && groups.iter().any(|group| group.len() > 1);
    let division = relatedness.partition.as_ref().filter(|division| asked || is_division(&division.answers));
    let groups =
        division.and_then(|division| trained_groups((ends, &tasks), &division.answers, &separate, &mut answers));
    let answers: IndexMap<String, TaskAnswer> =
        tasks.iter().cloned().zip(answers.into_iter().map(|(answer, ..)| answer)).collect();
    let parameters = parameters(ends, &separate, variant.as_ref(), &tasks, left);
    let (mut seeds, mut runs): (Vec<u64>, IndexMap<String, usize>) = (Vec::new(), IndexMap::new());
    for (job, _) in ends.iter().filter(|(_, end)| matches!(end, End::Complete(_))) {
        *runs.entry(job.arm.name().to_owned()).or_default() += 1;
        if !seeds.contains(&job.seed) {
            seeds.push(job.seed);
        }
    }
    let worst = answers.iter().filter_map(|(name, answer)| Some((name, answer.relative_gain?)));
    let worst_task = worst.min_by(|left, right| left.1.total_cmp(&right.1)).map(|(name, _)| name.clone());
    let of_runs =
        Evidence { relatedness: &relatedness, groups: groups.as_ref(), joint: &joint.tried, parameters: &parameters };
    let recommendation = recommend(spec, &answers, of_runs);
    Answer {
        format: FORMAT,
        seeds,
        runs,
        delta_m: delta_of(&answers, |arm| Some(arm.mean)),
        delta_m_paired: delta_paired(&answers),
        groups,
        joint: joint.tried,
        worst_task,
        parameters,
        relatedness,
        recommendation,
        tasks: answers,
        diverged: ends
            .iter()
            .filter_map(|(job, end)| match end {
                End::Diverged(said) => Some((job.id.clone(), said.clone())),
                _ => None,
            })
            .collect(),
        not_run: ends.iter().filter(|(_, end)| *end == End::NotRun).map(|(job, _)| job.id.clone()).collect(),
    }
}

/// A task's scores, its gains by seed, and the difference that counts as none.
fn task_answer(task: &str, alone: &Choice, joint: &Choice, margin: f64) -> (TaskAnswer, Vec<f64>, f64) {
    let any = joint.runs.values().chain(alone.runs.values()).next();
    let metric = any.and_then(|metrics| Some(metrics.best.get(task)?.metric.clone()));
    let higher_is_better = any.and_then(|metrics| higher_is_better(metrics, task)).unwrap_or(true);
    let tested = any.is_some_and(|metrics| metrics.splits.get("test").is_some_and(|test| test.contains_key(task)));
    let split = if tested { "test" } else { "valid" };
    let by_seed = |choice: &Choice| -> IndexMap<u64, f64> {
        let scores = choice.runs.iter();
        scores.filter_map(|(seed, metrics)| Some((*seed, score(metrics, task, split)?))).collect()
    };
    let (separate, together) = (by_seed(alone), by_seed(joint));
    let sign = if higher_is_better { 1.0 } else { -1.0 };
    let gains: Vec<f64> =
        together.iter().filter_map(|(seed, score)| Some(sign * (score - separate.get(seed)?))).collect();
    let arms: IndexMap<String, ArmScore> = [(Arm::Separate, separate), (Arm::Joint, together)]
        .into_iter()
        .filter_map(|(arm, by_seed)| Some((arm.name().to_owned(), ArmScore::of(by_seed)?)))
        .collect();
    let relative = measured(&arms, higher_is_better, |arm| Some(arm.mean)).and_then(|both| relative_gain(&both));
    let margin = margin * arms.get(Arm::Separate.name()).map_or(0.0, |arm| arm.mean.abs());
    let answer = TaskAnswer {
        metric,
        higher_is_better,
        split: split.to_owned(),
        separate: alone.tried.clone(),
        arms,
        bootstrap_examples: None,
        equal_size: None,
        relative_gain: relative,
        comparison: compare(&[vec![]], &[0.0], 0).remove(0),
    };
    (answer, gains, margin)
}

/// The scores of each task in the network of its group, where every group has complete runs; they are added to the tasks' arms. A
/// gain is of the seeds that both the task alone and its group have.
fn trained_groups(
    (ends, tasks): (&[(Job, End)], &[String]),
    groups: &[Vec<String>],
    separate: &[Choice],
    answers: &mut [(TaskAnswer, Vec<f64>, f64)],
) -> Option<Trained> {
    let network = |group: &Vec<String>| match group.len() {
        1 => choose(ends, Arm::Separate, group),
        2 => choose(ends, Arm::Pairs, group),
        count if count == tasks.len() => choose(ends, Arm::Joint, group),
        _ => choose(ends, Arm::Groups, group),
    };
    let networks: Vec<Choice> = groups.iter().map(network).collect();
    let (mut arms, mut on_valid, mut on_split) = (Vec::new(), Vec::new(), Vec::new());
    for ((task, alone), (answer, ..)) in tasks.iter().zip(separate).zip(answers.iter()) {
        let grouped = &networks[groups.iter().position(|group| group.contains(task))?];
        let both: Vec<u64> = grouped.runs.keys().copied().filter(|seed| alone.runs.contains_key(seed)).collect();
        let scores = |choice: &Choice, split: &str| {
            let of_seed = |seed: &u64| Some((*seed, score(choice.runs.get(seed)?, task, split)?));
            ArmScore::of(both.iter().filter_map(of_seed).collect())
        };
        let measured = |split: &str| {
            let (baseline, score) = (scores(alone, split)?.mean, scores(grouped, split)?.mean);
            Some(Measured { baseline, score, higher_is_better: answer.higher_is_better })
        };
        on_valid.push(measured("valid")?);
        on_split.push(measured(&answer.split)?);
        arms.push(scores(grouped, &answer.split)?);
    }
    for ((answer, ..), grouped) in answers.iter_mut().zip(arms) {
        answer.arms.insert(Arm::Groups.name().to_owned(), grouped);
    }
    Some(Trained { groups: groups.to_vec(), delta_m_valid: delta_m(&on_valid)?, delta_m: delta_m(&on_split)? })
}

/// Adds how far gains depend on the examples that they were measured on.
fn add_example_intervals(
    (ends, tasks): (&[(Job, End)], &[String]),
    (separate, joint): (&[Choice], &Choice),
    answers: &mut [(TaskAnswer, Vec<f64>, f64)],
    (seed, left): (u64, &dyn Fn(&Job) -> Left),
) {
    let run = |arm: Arm, tasks: &[String], variant: Option<&Variant>, seed: u64| {
        let fits =
            |job: &Job| job.arm == arm && job.tasks == tasks && Some(&job.variant) == variant && job.seed == seed;
        let (job, _) = ends.iter().find(|(job, end)| fits(job) && matches!(end, End::Complete(_)))?;
        left(job).outcomes
    };
    for ((task, alone), (answer, ..)) in tasks.iter().zip(separate).zip(answers) {
        let Some(metric) = &answer.metric else { continue };
        let tally = |outcomes: &ExampleOutcomes| Some(outcomes.of(task, &answer.split)?.tally());
        let pair = |&seed: &u64| {
            let before = run(Arm::Separate, std::slice::from_ref(task), alone.variant(), seed)?;
            let after = run(Arm::Joint, tasks, joint.variant(), seed)?;
            Some(Pair { before: tally(&before)?, after: tally(&after)? })
        };
        let pairs: Option<Vec<Pair>> =
            joint.runs.keys().filter(|seed| alone.runs.contains_key(*seed)).map(pair).collect();
        let Some(found) = pairs.and_then(|pairs| example_bootstrap(&pairs, metric, 0.95, DRAWS, seed)) else {
            continue;
        };
        answer.bootstrap_examples = Some(match answer.higher_is_better {
            true => found,
            false => Interval { low: -found.high, high: -found.low },
        });
    }
}

/// Adds what networks of equal total size reach, and what the joint arm gains over them.
fn add_equal_size(ends: &[(Job, End)], tasks: &[String], answers: &mut [(TaskAnswer, Vec<f64>, f64)], seed: u64) {
    let mut gains = Vec::new();
    for (task, (answer, ..)) in tasks.iter().zip(answers.iter_mut()) {
        let small = choose(ends, Arm::EqualSize, std::slice::from_ref(task));
        let scores =
            small.runs.iter().filter_map(|(seed, metrics)| Some((*seed, score(metrics, task, &answer.split)?)));
        let Some(small) = ArmScore::of(scores.collect()) else { continue };
        let sign = if answer.higher_is_better { 1.0 } else { -1.0 };
        let joint = answer.arms.get(Arm::Joint.name()).map(|joint| joint.by_seed.clone()).unwrap_or_default();
        gains.push(joint.iter().filter_map(|(seed, joint)| Some(sign * (joint - small.by_seed.get(seed)?))).collect());
        answer.arms.insert(Arm::EqualSize.name().to_owned(), small);
    }
    if gains.len() == tasks.len() {
        let margins: Vec<f64> = answers.iter().map(|(.., margin)| *margin).collect();
        let found = compare(&gains, &margins, seed);
        answers.iter_mut().zip(found).for_each(|((answer, ..), found)| answer.equal_size = Some(found));
    }
}

fn measured(
    arms: &IndexMap<String, ArmScore>,
    higher_is_better: bool,
    of: impl Fn(&ArmScore) -> Option<f64>,
) -> Option<Measured> {
    let value = |arm: Arm| of(arms.get(arm.name())?);
    Some(Measured { baseline: value(Arm::Separate)?, score: value(Arm::Joint)?, higher_is_better })
}

/// Delta-m over all tasks of what `of` reads off an arm.
fn delta_of(tasks: &IndexMap<String, TaskAnswer>, of: impl Fn(&ArmScore) -> Option<f64>) -> Option<f64> {
    let both: Option<Vec<Measured>> =
        tasks.values().map(|task| measured(&task.arms, task.higher_is_better, &of)).collect();
    delta_m(&both?)
}

fn delta_paired(tasks: &IndexMap<String, TaskAnswer>) -> Option<Paired> {
    let first = tasks.values().next()?.arms.get(Arm::Joint.name())?;
    let by_seed = first.by_seed.keys().filter_map(|seed| delta_of(tasks, |arm| arm.by_seed.get(seed).copied()));
    t_interval(&by_seed.collect::<Vec<_>>(), 0.95)
}

/// Values in the models of the arms, from a complete run of each.
fn parameters(
    ends: &[(Job, End)],
    separate: &[Choice],
    joint: Option<&Variant>,
    tasks: &[String],
    left: &dyn Fn(&Job) -> Left,
) -> IndexMap<String, usize> {
    let count = |arm: Arm, tasks: &[String], variant: Option<&Variant>| {
        let fits = |job: &Job| job.arm == arm && job.tasks == tasks && Some(&job.variant) == variant;
        let found = ends.iter().find(|(job, end)| fits(job) && matches!(end, End::Complete(_)));
        found.and_then(|(job, _)| left(job).parameters)
    };
    let alone = tasks.iter().zip(separate);
    let alone: Option<usize> =
        alone.map(|(task, choice)| count(Arm::Separate, std::slice::from_ref(task), choice.variant())).sum();
    let both = [(Arm::Separate, alone), (Arm::Joint, count(Arm::Joint, tasks, joint))];
    both.into_iter().filter_map(|(arm, count)| Some((arm.name().to_owned(), count?))).collect()
}

#[cfg(test)]
mod tests;
