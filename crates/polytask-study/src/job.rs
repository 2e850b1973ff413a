//! Which runs does a study mean?
//!
//! Seed by seed, each task alone and all together; then, seed by seed, every two; then, likewise, each task after each other one;
//! groups, which follow from what pairs gained, are made when these are trained ([`group_jobs`]). A
//! budget of runs that is too small therefore costs seeds of all arms alike, and transfer and pairs first. Every run has the file's own splits, whatever its seed, so that
//! differences between seeds are those of initial values, order and dropout.

use polytask_spec::Spec;
use polytask_spec::study::{Arm, RelatednessMeasure};
use polytask_spec::training::Balance;

use crate::derive::{pin_splits, restrict};
use crate::error::StudyError;
use crate::variant::{Rule, Variant, joint_variants, plain_balance, rules};
use crate::widths::{Widths, narrowed};

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

/// The runs that a configuration's `[study]` means; those of `equal-size` at full width, see [`jobs_of`].
///
/// # Errors
///
/// Where there is no `[study]`, and where a balancer does not exist or does not fit the tasks and the sampling.
pub fn jobs(spec: &Spec) -> Result<Jobs, StudyError> {
    jobs_of(spec, &Widths::default())
}

/// The same with the widths of networks of equal total size.
///
/// # Errors
///
/// As [`jobs`].
pub fn jobs_of(spec: &Spec, widths: &Widths) -> Result<Jobs, StudyError> {
    let study = spec.study.as_ref().ok_or(StudyError::NoStudy)?;
    let mut base = spec.clone();
    pin_splits(&mut base);
    let tasks: Vec<String> = spec.task.keys().cloned().collect();
    let joint = joint_variants(&base, study)?;
    let rules = rules(&base, study);
    let has = |arm| study.arms.contains(&arm);
    let seeds = || spec.seed..spec.seed + study.seeds as u64;
    let mut all = Vec::new();
    for seed in seeds() {
        for task in tasks.iter().filter(|_| has(Arm::Separate)) {
            all.extend(rules.iter().map(|rule| separate(&base, task, rule, seed)));
        }
        for task in tasks.iter().filter(|_| has(Arm::EqualSize)) {
            all.extend(rules.iter().map(|rule| equal_size(&base, task, rule, (seed, widths.of(task)))));
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
    if let Some(rule) = rules.first().filter(|_| has(Arm::Transfer)) {
        for seed in seeds() {
            for source in &tasks {
                let targets = tasks.iter().filter(|target| *target != source && shares_input(spec, source, target));
                all.extend(targets.map(|target| transfer(&base, source, target, rule, seed)));
            }
        }
    }
    let count = study.budget.runs.unwrap_or(all.len()).min(all.len());
    let beyond = all.split_off(count);
    Ok(Jobs { planned: all, beyond })
}

/// The name of the run that trains a task alone by the rule of this one, on its seed.
pub(crate) fn alone_of(job: &Job, task: &str) -> String {
    separate_id(task, &job.variant.rule, job.seed)
}

fn separate_id(task: &str, rule: &Rule, seed: u64) -> String {
    format!("separate.{task}.{}.{seed}", rule.name())
}

fn separate(base: &Spec, task: &str, rule: &Rule, seed: u64) -> Job {
    let variant = Variant { balancer: "equal".into(), rule: rule.clone(), lower: None, parted: None };
    let balance = plain_balance(base, &variant.balancer);
    job(base, Arm::Separate, &[task.to_owned()], variant, balance, seed)
}

/// The run of a task alone in a network of a share of the width.
fn equal_size(base: &Spec, task: &str, rule: &Rule, (seed, width): (u64, f64)) -> Job {
    let mut job = separate(&narrowed(base, width), task, rule, seed);
    job.arm = Arm::EqualSize;
    job.id = format!("equal-size.{task}.{}.{seed}", rule.name());
    job.spec.name = job.id.clone();
    job
}

fn shares_input(spec: &Spec, one: &str, other: &str) -> bool {
    let input = |name: &str| spec.task.get(name).map(|task| spec.input_of(task));
    input(one) == input(other)
}

/// The run of `target` alone that begins with the network of `source` alone.
fn transfer(base: &Spec, source: &str, target: &str, rule: &Rule, seed: u64) -> Job {
    let before = separate(base, source, rule, seed).id;
    let mut job = separate(base, target, rule, seed);
    job.arm = Arm::Transfer;
    job.id = format!("transfer.{source}.{target}.{}.{seed}", rule.name());
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
    spec.optimizer.method = variant.rule.method(base);
    variant.attach(&mut spec);
    let looks = base.study.as_ref().is_some_and(|study| study.measures(RelatednessMeasure::Affinity));
    spec.balance.affinity |= arm == Arm::Joint && looks;
    let id = match arm {
        Arm::Separate | Arm::EqualSize | Arm::Transfer => separate_id(&tasks[0], &variant.rule, seed),
        Arm::Joint => format!("joint.{}.{seed}", variant.name()),
        Arm::Pairs => format!("pair.{}.{}.{seed}", tasks.join("."), variant.name()),
        Arm::Groups => format!("group.{}.{}.{seed}", tasks.join("."), variant.name()),
    };
    spec.name = id.clone();
    Job { id, arm, tasks: tasks.to_vec(), variant, after: None, seed, spec }
}

/// The runs of groups of tasks, seed by seed, that are neither one task nor two nor all, which other arms train.
///
/// # Errors
///
/// As [`jobs`].
pub(crate) fn group_jobs(spec: &Spec, groups: &[Vec<String>]) -> Result<Vec<Job>, StudyError> {
    let study = spec.study.as_ref().ok_or(StudyError::NoStudy)?;
    let mut base = spec.clone();
    pin_splits(&mut base);
    let Some((variant, balance)) = joint_variants(&base, study)?.into_iter().next() else { return Ok(Vec::new()) };
    let trained: Vec<&Vec<String>> =
        groups.iter().filter(|group| group.len() > 2 && group.len() < spec.task.len()).collect();
    let seeds = spec.seed..spec.seed + study.seeds as u64;
    let of_seed = |seed: u64| {
        let one = |group: &&Vec<String>| job(&base, Arm::Groups, group, variant.clone(), balance.clone(), seed);
        trained.iter().map(one).collect::<Vec<Job>>()
    };
    Ok(seeds.flat_map(of_seed).collect())
}

#[cfg(test)]
mod tests {
    use polytask_train::balancer;

    use super::*;
    use crate::derive::tests::{FOUR, spec};
    use crate::variant::joint_spec;

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
    fn every_rule_is_tried_at_every_learning_rate() {
        let text = format!(
            "{FOUR}[study]\nseeds = 1\nbudget.runs = 99\noptimizers = [\"adam\", \"sgd\"]\nlearning_rates = [1e-3, 2.5e-4]\n"
        );
        let found = jobs(&spec(&text)).unwrap().planned;
        assert_eq!(ids(&found)[..2], ["separate.polarity.adam-1e-3.3", "separate.polarity.adam-2.5e-4.3"]);
        assert_eq!(found.len(), 4 * 4 + 4);
        let last = found.last().unwrap();
        assert_eq!(last.id, "joint.fixed.sgd-2.5e-4.3");
        let mut method = last.spec.optimizer.method;
        assert_eq!((method.name(), *method.learning_rate_mut()), ("sgd", 2.5e-4));
        let mut joint = joint_spec(&spec(&text), &last.variant).optimizer.method;
        assert_eq!(*joint.learning_rate_mut(), 2.5e-4);
    }

    #[test]
    fn a_rule_may_bring_its_own_options() {
        let text = format!(
            "{FOUR}[study]\nseeds = 1\nbudget.runs = 99\narms = [\"joint\"]\nlearning_rates = [0.01]\noptimizers = [\"adam\", \
             {{ method = \"sgd\", learning_rate = 0.1, momentum = 0.0 }}, {{ method = \"sgd\", learning_rate = 0.05 }}, \
             {{ learning_rate = 0.01 }}]\n"
        );
        let spec = spec(&text);
        let found = jobs(&spec).unwrap().planned;
        // A table without a method is one of `adam`, and the last one is what the first name comes to at its rate.
        let expected = ["joint.fixed.adam-1e-2.3", "joint.fixed.sgd-1e-1-momentum-0.3", "joint.fixed.sgd-5e-2.3"];
        assert_eq!(ids(&found), expected);
        let of = |job: &Job| serde_json::to_value(job.spec.optimizer.method).unwrap();
        let sgd = |rate: f64, momentum: f64| serde_json::json!({ "method": "sgd", "learning_rate": rate, "momentum": momentum, "nesterov": false });
        assert_eq!((of(&found[1]), of(&found[2])), (sgd(0.1, 0.0), sgd(0.05, 0.9)));
        assert_eq!(polytask_spec::parse("", &spec.to_toml(), &[], &polytask_train::extensions()).unwrap().spec, spec);
        let told = serde_json::to_value(&found[1].variant).unwrap();
        assert_eq!(serde_json::from_value::<Variant>(told).unwrap(), found[1].variant);
    }

    #[test]
    fn each_task_is_tried_one_layer_lower() {
        let deeper = FOUR
            .replace("[{ kind = \"conv\" }]", "[{ kind = \"bilstm\" }, { kind = \"conv\" }]")
            .replace("task.films = {", "task.films = { attach = \"bilstm1\",");
        let text = format!("{deeper}[study]\nseeds = 1\nbudget.runs = 9\narms = [\"joint\"]\nattach_lower = true\n");
        let found = jobs(&spec(&text)).unwrap().planned;
        let expected =
            ["", ".polarity-at-bilstm1", ".stars-at-bilstm1"].map(|lower| format!("joint.fixed.adam{lower}.3"));
        assert_eq!(ids(&found), expected);
        let joint = joint_spec(&spec(&text), &found[1].variant);
        assert_eq!(
            (joint.attach_of(&joint.task["polarity"]), joint.attach_of(&joint.task["stars"])),
            (vec!["bilstm1".to_owned()], vec!["conv2".to_owned()])
        );
        assert_eq!(found[1].variant.words(), "fixed and adam, `polarity` attached at `bilstm1`");
    }

    #[test]
    fn groups_that_other_arms_train_are_no_runs_of_their_own() {
        let text =
            format!("{FOUR}[study]\nseeds = 2\nbudget.runs = 99\narms = [\"separate\", \"pairs\", \"groups\"]\n");
        let spec = spec(&text);
        let groups = |names: &[&[&str]]| -> Vec<Vec<String>> {
            names.iter().map(|group| group.iter().map(|name| (*name).to_owned()).collect()).collect()
        };
        let found = group_jobs(&spec, &groups(&[&["polarity", "stars", "films"], &["names"]])).unwrap();
        assert_eq!(ids(&found), ["group.polarity.stars.films.fixed.adam.3", "group.polarity.stars.films.fixed.adam.4"]);
        assert_eq!(found[0].spec.task.len(), 3);
        assert!(group_jobs(&spec, &groups(&[&["polarity", "films"], &["names", "stars"]])).unwrap().is_empty());
        let all: Vec<&str> = spec.task.keys().map(String::as_str).collect();
        assert!(group_jobs(&spec, &groups(&[&all])).unwrap().is_empty());
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
