//! What will the runs of a study cost on this machine? A few steps on each dataset tell.
//!
//! ```text
//! seconds of a run = epochs * sum_d (n_train seconds_step f + n_valid seconds_judge) + sum_d (n_valid + n_test) seconds_judge
//! ```
//!
//! Seconds are those of one example of dataset `d` with all its tasks; `f` is what a step of the balancer costs over one of equal
//! weights. Runs end earlier by patience, and a run of some of a dataset's tasks takes less: the figure is a bound, not a mean.
//! Writing checkpoints is not in it, which counts with very small networks.

use std::collections::BTreeMap;
use std::time::Instant;

use indexmap::IndexMap;
use polytask_balance::{Needs, find};
use polytask_data::sampler::{BatchRef, Step};
use polytask_spec::study::Arm;
use polytask_spec::training::Balance;
use polytask_train::{Plan, Schedule, SplitName, State, balancer, evaluate, memory_bytes, take_step};

use crate::job::Job;

/// Seconds that the steps of each dataset, and of each balancer, are watched for; two steps are taken at least.
const SECONDS: f64 = 4.0;

/// Validation examples that are judged to see how long it takes.
const JUDGED_MAX: usize = 256;

/// What examples and steps cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Pace {
    datasets: IndexMap<String, DatasetPace>,
    /// What a step of a balancer costs over one of equal weights.
    factors: BTreeMap<String, f64>,
    /// Estimate of the memory that the largest run takes, bytes.
    pub memory_bytes: usize,
}

#[derive(Debug, Clone, PartialEq)]
struct DatasetPace {
    train: usize,
    valid: usize,
    test: usize,
    /// Seconds of a training example.
    step_seconds: f64,
    /// Seconds of an example that is judged.
    judge_seconds: f64,
}

/// Takes some steps of a plan of all tasks to see what they cost; weights do not change. `jobs` name the balancers.
///
/// `None` where a step fails, which a run of the study will tell.
pub fn pace(mut plan: Plan, jobs: &[Job]) -> Option<Pace> {
    *plan.spec.optimizer.method.learning_rate_mut() = 0.0;
    plan.spec.balance = Balance { watch: 0, ..Balance::default() };
    plan.balancer = balancer(&plan.spec).ok()?;
    let batches = batches(&plan);
    let count = batches.len().max(1) as f64;
    let mut datasets = IndexMap::new();
    for (index, batches) in batches.iter().enumerate() {
        let steps: Vec<Step> = batches.iter().map(|batch| Step { batches: vec![batch.clone()] }).collect();
        let step_seconds = timed(&mut plan, &steps, SECONDS / count)?;
        let source = &plan.corpus.sources[index];
        let dataset = DatasetPace {
            train: source.dataset.train.len(),
            valid: source.dataset.valid.len(),
            test: source.dataset.test.as_ref().map_or(0, |test| test.len()),
            step_seconds,
            judge_seconds: judged(&plan, index),
        };
        datasets.insert(source.name.clone(), dataset);
    }
    let mut found = Pace { memory_bytes: memory_bytes(&plan), datasets, factors: BTreeMap::new() };
    for job in jobs.iter().filter(|job| job.arm == Arm::Joint) {
        let method = &job.variant.balancer;
        let cheap = find(method).is_none_or(|entry| entry.needs == Needs::Losses);
        if cheap || found.factors.contains_key(method) {
            continue;
        }
        plan.spec.balance = Balance { watch: 0, ..job.spec.balance.clone() };
        plan.balancer = balancer(&plan.spec).ok()?;
        let rounds = batches.iter().map(Vec::len).max().unwrap_or(0);
        let all = |round: usize| batches.iter().map(move |of| of[round % of.len()].clone()).collect::<Vec<_>>();
        let steps: Vec<Step> = (0..rounds).map(|round| Step { batches: all(round) }).collect();
        let seconds = timed(&mut plan, &steps, SECONDS / 2.0)?;
        let plain = found.mean_step(&batches);
        found.factors.insert(method.clone(), (seconds / plain).max(1.0));
    }
    Some(found)
}

impl Pace {
    /// Seconds that a run takes if it trains all its epochs.
    pub fn seconds(&self, job: &Job) -> f64 {
        let factor = self.factors.get(&job.variant.balancer).copied().unwrap_or(1.0) + looks(job);
        let used = || self.datasets.iter().filter(|(name, _)| job.spec.data.contains_key(*name)).map(|(_, pace)| pace);
        let epoch: f64 =
            used().map(|d| d.train as f64 * d.step_seconds * factor + d.valid as f64 * d.judge_seconds).sum();
        let end: f64 = used().map(|d| (d.valid + d.test) as f64 * d.judge_seconds).sum();
        job.spec.train.epochs as f64 * epoch + end
    }

    /// Seconds of an example of a step that has the first batch of every dataset, at equal weights.
    fn mean_step(&self, batches: &[Vec<BatchRef>]) -> f64 {
        let sizes = batches.iter().map(|of| of.first().map_or(0, |batch| batch.examples.len()) as f64);
        let seconds =
            sizes.clone().zip(self.datasets.values()).map(|(size, pace)| size * pace.step_seconds).sum::<f64>();
        seconds / sizes.sum::<f64>().max(1.0)
    }
}

/// What looks at affinities add to a step, in steps: a forward and a backward pass a task, and the forward passes, of which three
/// are taken for a step.
fn looks(job: &Job) -> f64 {
    let (balance, tasks) = (&job.spec.balance, job.tasks.len());
    match balance.affinity && balance.watch > 0 && tasks > 1 {
        true => (1.0 + (tasks + 1) as f64 / 3.0) / balance.watch as f64,
        false => 0.0,
    }
}

/// The batches of an epoch by source; a source that is drawn from by chance and was not has the first examples as a batch.
fn batches(plan: &Plan) -> Vec<Vec<BatchRef>> {
    let sources = &plan.corpus.sources;
    let steps = plan.sampler.epoch(0, &vec![true; sources.len()], &vec![0; sources.len()]);
    let mut found: Vec<Vec<BatchRef>> = vec![Vec::new(); sources.len()];
    steps.into_iter().flat_map(|step| step.batches).for_each(|batch| found[batch.source].push(batch));
    for (source, found) in found.iter_mut().enumerate().filter(|(_, found)| found.is_empty()) {
        let count = plan.spec.batch_size(&sources[source].name).min(sources[source].dataset.train.len());
        found.push(BatchRef { source, examples: (0..count as u32).collect() });
    }
    found
}

/// Seconds of an example over some of the steps, without the first, which finds no buffers to use again.
fn timed(plan: &mut Plan, steps: &[Step], seconds: f64) -> Option<f64> {
    let mut state = State::new(plan);
    let schedule = Schedule::new(&plan.spec.optimizer, 1, 1);
    let mut next = steps.iter().cycle();
    take_step(plan, &mut state, &schedule, std::slice::from_ref(next.next()?)).ok()?;
    let (began, mut examples, mut taken) = (Instant::now(), 0, 0);
    while taken < 2 || began.elapsed().as_secs_f64() < seconds {
        examples += take_step(plan, &mut state, &schedule, std::slice::from_ref(next.next()?)).ok()?.examples;
        taken += 1;
    }
    Some(began.elapsed().as_secs_f64() / examples.max(1) as f64)
}

fn judged(plan: &Plan, source: usize) -> f64 {
    let source = &plan.corpus.sources[source];
    let chosen: Vec<u32> = (0..source.dataset.valid.len().min(JUDGED_MAX) as u32).collect();
    if chosen.is_empty() {
        return 0.0;
    }
    let began = Instant::now();
    evaluate(&plan.model, source, &plan.targets, SplitName::Valid, Some(&chosen));
    began.elapsed().as_secs_f64() / chosen.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::derive::tests::{FOUR, spec};
    use crate::job::jobs;

    #[test]
    fn looks_at_affinities_take_passes() {
        let text = format!("{FOUR}[study]\nseeds = 1\nbudget.runs = 9\nmeasures = [\"affinity\"]\n");
        let planned = jobs(&spec(&text)).unwrap().planned;
        let joint = planned.iter().find(|job| job.arm == Arm::Joint).unwrap();
        let datasets = joint.spec.data.keys().map(|name| {
            let pace = DatasetPace { train: 1000, valid: 0, test: 0, step_seconds: 0.001, judge_seconds: 0.0 };
            (name.clone(), pace)
        });
        let pace = Pace { memory_bytes: 0, datasets: datasets.collect(), factors: BTreeMap::new() };
        let mut without = joint.clone();
        without.spec.balance.affinity = false;
        // Every hundredth step, four tasks each way and five forward passes more, a third of a step each.
        let expected = 1.0 + (1.0 + 5.0 / 3.0) / 100.0;
        assert!((pace.seconds(joint) / pace.seconds(&without) - expected).abs() < 1e-12);
        assert!(planned.iter().all(|job| job.arm == Arm::Joint || looks(job) == 0.0));
    }
}
