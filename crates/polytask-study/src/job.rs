//! Which runs does a study mean?
//!
//! Seed by seed, each task alone and all together; then, seed by seed, every two; then, likewise, each task after each other one. A
//! budget of runs that is too small therefore costs seeds of all arms alike, and transfer and pairs first. Every run has the file's own splits, whatever its seed, so that
//! differences between seeds are those of initial values, order and dropout.

use indexmap::IndexMap;
use polytask_spec::study::{Arm, RelatednessMeasure, Study};
use polytask_spec::training::{Balance, OptimizerMethod};
use polytask_spec::{Spec, parse, suggest};
use polytask_train::{TrainError, balancer, extensions};
use serde::{Deserialize, Serialize};

use crate::derive::{pin_splits, restrict};
use crate::error::StudyError;

/// How the tasks of a run are balanced and updated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// The balancer; `equal` for a task alone.
    pub balancer: String,
    /// The name of the update rule.
    pub optimizer: String,
}

impl Variant {
    /// `BALANCER.OPTIMIZER`, as in names of runs.
    pub fn name(&self) -> String {
        format!("{}.{}", self.balancer, self.optimizer)
    }
}

/// The update rule of a name: the file's own where it has this one, else with its defaults.
fn optimizer_method(spec: &Spec, name: &str) -> OptimizerMethod {
    let own = spec.optimizer.method;
    if own.name() == name { own } else { OptimizerMethod::named(name).unwrap_or(own) }
}

/// One run of a study.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its name, and that of its folder; names in it have no dot, so that no two jobs have one name.
    pub id: String,
    /// What it belongs to.
    pub arm: Arm,
    /// Its tasks, in the order of the configuration.
    pub tasks: Vec<String>,
    /// How its tasks are balanced and updated.
    pub variant: Variant,
    /// The run whose model it begins with, which stands before it, and the task of that run.
    pub after: Option<After>,
    /// Its seed.
    pub seed: u64,
    /// Its configuration.
    pub spec: Spec,
}

/// What a run goes on from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct After {
    /// The name of the run.
    pub id: String,
    /// Its task.
    pub task: String,
}

/// The runs of a study in the order in which they are taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Jobs {
    /// Those that the budget of runs allows.
    pub planned: Vec<Job>,
    /// Those beyond it.
    pub beyond: Vec<Job>,
}

/// The runs that a configuration's `[study]` means.
///
/// # Errors
///
/// Where there is no `[study]`, and where a balancer does not exist or does not fit the tasks and the sampling.
pub fn jobs(spec: &Spec) -> Result<Jobs, StudyError> {
    let study = spec.study.as_ref().ok_or(StudyError::NoStudy)?;
    let mut base = spec.clone();
    pin_splits(&mut base);
    let tasks: Vec<String> = spec.task.keys().cloned().collect();
    let joint = joint_variants(&base, study)?;
    let optimizers = optimizers(&base, study);
    let has = |arm| study.arms.contains(&arm);
    let seeds = || spec.seed..spec.seed + study.seeds as u64;
    let mut all = Vec::new();
    for seed in seeds() {
        for task in tasks.iter().filter(|_| has(Arm::Separate)) {
            all.extend(optimizers.iter().map(|name| separate(&base, task, name, seed)));
        }
        if has(Arm::Joint) {
            all.extend(
                joint
                    .iter()
                    .map(|(variant, balance)| job(&base, Arm::Joint, &tasks, variant.clone(), balance.clone(), seed)),
            );
        }
    }
    if let Some((variant, balance)) = joint.first().filter(|_| has(Arm::Pairs)) {
        for seed in seeds() {
            for (index, left) in tasks.iter().enumerate() {
                let others = tasks[index + 1..].iter().map(|right| [left.clone(), right.clone()]);
                all.extend(others.map(|two| job(&base, Arm::Pairs, &two, variant.clone(), balance.clone(), seed)));
            }
        }
    }
    if let Some(optimizer) = optimizers.first().filter(|_| has(Arm::Transfer)) {
        for seed in seeds() {
            for source in &tasks {
                let targets = tasks.iter().filter(|target| *target != source && shares_input(spec, source, target));
                all.extend(targets.map(|target| transfer(&base, source, target, optimizer, seed)));
            }
        }
    }
    let count = study.budget.runs.unwrap_or(all.len()).min(all.len());
    let beyond = all.split_off(count);
    Ok(Jobs { planned: all, beyond })
}

fn separate(base: &Spec, task: &str, optimizer: &str, seed: u64) -> Job {
    let variant = Variant { balancer: "equal".into(), optimizer: optimizer.to_owned() };
    let balance = plain_balance(base, &variant.balancer);
    job(base, Arm::Separate, &[task.to_owned()], variant, balance, seed)
}

fn shares_input(spec: &Spec, one: &str, other: &str) -> bool {
    let input = |name: &str| spec.task.get(name).map(|task| spec.input_of(task));
    input(one) == input(other)
}

/// The run of `target` alone that begins with the network of `source` alone.
fn transfer(base: &Spec, source: &str, target: &str, optimizer: &str, seed: u64) -> Job {
    let before = separate(base, source, optimizer, seed).id;
    let mut job = separate(base, target, optimizer, seed);
    job.arm = Arm::Transfer;
    job.id = format!("transfer.{source}.{target}.{optimizer}.{seed}");
    job.spec.name = job.id.clone();
    // Looked for in the study's directory.
    job.spec.train.start = Some(format!("runs/{before}/model"));
    job.after = Some(After { id: before, task: source.to_owned() });
    job
}

fn job(base: &Spec, arm: Arm, tasks: &[String], variant: Variant, balance: Balance, seed: u64) -> Job {
    let with = Spec { balance, ..base.clone() };
    let mut spec = restrict(&with, tasks);
    spec.seed = seed;
    spec.optimizer.method = optimizer_method(base, &variant.optimizer);
    let looks = base.study.as_ref().is_some_and(|study| study.measures(RelatednessMeasure::Affinity));
    spec.balance.affinity |= arm == Arm::Joint && looks;
    let id = match arm {
        Arm::Separate | Arm::Transfer => format!("separate.{}.{}.{seed}", tasks[0], variant.optimizer),
        Arm::Joint => format!("joint.{}.{seed}", variant.name()),
        Arm::Pairs => format!("pair.{}.{}.{seed}", tasks.join("."), variant.name()),
    };
    spec.name = id.clone();
    Job { id, arm, tasks: tasks.to_vec(), variant, after: None, seed, spec }
}

fn optimizers(spec: &Spec, study: &Study) -> Vec<String> {
    if study.optimizers.is_empty() { vec![spec.optimizer.method.name().to_owned()] } else { study.optimizers.clone() }
}

/// Every balancer with every update rule, each checked against all tasks.
fn joint_variants(spec: &Spec, study: &Study) -> Result<Vec<(Variant, Balance)>, StudyError> {
    let mut balances: IndexMap<String, Balance> = IndexMap::new();
    for (index, method) in study.balancers.iter().enumerate() {
        let position = index.to_string();
        let key = ["study", "balancers", position.as_str()];
        if polytask_balance::find(method).is_none() {
            let known = polytask_balance::all().iter().map(|entry| entry.key);
            let message = format!("no balancer is called `{method}`");
            return Err(TrainError::config(&key, message, suggest(method, known)).into());
        }
        let balance = match *method == spec.balance.method {
            true => spec.balance.clone(),
            false => plain_balance(spec, method),
        };
        balancer(&Spec { balance: balance.clone(), ..spec.clone() }).map_err(|error| match error {
            TrainError::Config { message, help, .. } => TrainError::config(&key, message, help),
            other => other,
        })?;
        balances.insert(method.clone(), balance);
    }
    if balances.is_empty() {
        balances.insert(spec.balance.method.clone(), spec.balance.clone());
    }
    let with = |(method, balance): (&String, &Balance)| {
        let variant = |optimizer| (Variant { balancer: method.clone(), optimizer }, balance.clone());
        optimizers(spec, study).into_iter().map(variant).collect::<Vec<_>>()
    };
    Ok(balances.iter().flat_map(with).collect())
}

/// A balancer with its defaults written out, as a configuration that names it would have it.
fn plain_balance(spec: &Spec, method: &str) -> Balance {
    let balance = Balance {
        method: method.to_owned(),
        watch: spec.balance.watch,
        affinity: spec.balance.affinity,
        ..Balance::default()
    };
    let with = Spec { balance: balance.clone(), study: None, ..spec.clone() };
    // What is wrong with it is told where the balancer is made.
    parse("", &with.to_toml(), &[], &extensions()).map_or(balance, |parsed| parsed.spec.balance)
}

/// The configuration of a variant of all tasks, as [`jobs`] trains it but with the file's own seed and splits.
pub fn joint_spec(spec: &Spec, variant: &Variant) -> Spec {
    let mut joint = Spec { study: None, ..spec.clone() };
    if variant.balancer != spec.balance.method {
        joint.balance = plain_balance(spec, &variant.balancer);
    }
    joint.optimizer.method = optimizer_method(spec, &variant.optimizer);
    joint
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::derive::tests::{FOUR, spec};

    fn ids(jobs: &[Job]) -> Vec<&str> {
        jobs.iter().map(|job| job.id.as_str()).collect()
    }

    #[test]
    fn runs_are_taken_seed_by_seed_and_pairs_last() {
        let text = format!("{FOUR}[study]\nseeds = 2\nbudget.runs = 12\narms = [\"separate\", \"joint\", \"pairs\"]\n");
        let found = jobs(&spec(&text)).unwrap();
        let seed = |seed: u64| {
            let alone = ["polarity", "stars", "names", "films"].map(|task| format!("separate.{task}.adam.{seed}"));
            alone.into_iter().chain([format!("joint.fixed.adam.{seed}")])
        };
        let mut expected: Vec<String> = seed(3).chain(seed(4)).collect();
        expected.extend(["pair.polarity.stars.fixed.adam.3", "pair.polarity.names.fixed.adam.3"].map(String::from));
        assert_eq!(ids(&found.planned), expected);
        assert_eq!((found.beyond.len(), ids(&found.beyond)[9]), (10, "pair.names.films.fixed.adam.4"));
        for job in &found.planned {
            assert_eq!(spec(&job.spec.to_toml()), job.spec, "{}", job.id);
            assert!(balancer(&job.spec).is_ok() && job.spec.seed == job.seed);
            assert!(job.spec.data.values().all(|data| data.files().split.seed.is_some()));
        }
        assert_eq!(found.planned[0].spec.balance.method, "equal");
    }

    #[test]
    fn transfer_goes_on_from_runs_that_stand_before() {
        let text = format!("{FOUR}[study]\nseeds = 2\nbudget.runs = 99\narms = [\"separate\", \"transfer\"]\n");
        let found = jobs(&spec(&text)).unwrap().planned;
        // Four tasks that read one input: twelve ordered pairs a seed.
        let transfer: Vec<&Job> = found.iter().filter(|job| job.arm == Arm::Transfer).collect();
        assert_eq!((found.len(), transfer.len()), (8 + 24, 24));
        for (at, job) in found.iter().enumerate().filter(|(_, job)| job.arm == Arm::Transfer) {
            let after = job.after.as_ref().unwrap();
            let before = found[..at].iter().find(|known| known.id == after.id).unwrap();
            assert_eq!((before.seed, before.tasks.as_slice()), (job.seed, std::slice::from_ref(&after.task)));
            assert_eq!(job.spec.train.start.as_deref(), Some(format!("runs/{}/model", after.id).as_str()));
            assert_eq!(spec(&job.spec.to_toml()), job.spec);
        }
        assert_eq!(transfer[0].id, "transfer.polarity.stars.adam.3");
    }

    #[test]
    fn variants_are_every_balancer_with_every_optimizer() {
        let text = format!(
            "{FOUR}[study]\nseeds = 1\nbudget.minutes = 2\narms = [\"joint\"]\nbalancers = [\"uncertainty\", \"fixed\"]\noptimizers = [\"adamw\", \"sgd\"]\n"
        );
        let found = jobs(&spec(&text)).unwrap();
        let expected =
            ["joint.uncertainty.adamw.3", "joint.uncertainty.sgd.3", "joint.fixed.adamw.3", "joint.fixed.sgd.3"];
        assert_eq!(ids(&found.planned), expected);
        assert_eq!(found.planned[2].spec.balance.options.len(), spec(FOUR).balance.options.len());
        let joint = joint_spec(&spec(&text), &found.planned[1].variant);
        assert_eq!((joint.balance.method.as_str(), joint.optimizer.method.name()), ("uncertainty", "sgd"));
        assert_eq!(spec(&joint.to_toml()).task, joint.task);
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_key() {
        let with = |balancer: &str| {
            let text = format!("{FOUR}[study]\nbudget.runs = 2\nbalancers = [\"equal\", \"{balancer}\"]\n");
            jobs(&spec(&text)).unwrap_err().to_string()
        };
        let found = with("mgdo");
        assert!(
            found.contains("study.balancers.1: no balancer is called `mgdo`") && found.contains("`mgda`"),
            "{found}"
        );
        assert!(with("mgda").contains("study.balancers.1: `mgda` compares the gradients"), "{}", with("mgda"));
        assert!(matches!(jobs(&spec(FOUR)), Err(StudyError::NoStudy)));
    }
}
