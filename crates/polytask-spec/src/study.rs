//! Which runs shall tell what should be shared?

use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::error::suggest;
use crate::node::Node;
use crate::optimizers::METHOD_DEFAULT;
use crate::references::{fault_at, names};
use crate::training::OptimizerMethod;
use crate::validate::Fault;

/// Runs that compare what is shared with what is not, for `polytask study`; `polytask train` passes it over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Study {
    /// How much may be run.
    pub budget: Budget,
    /// Seeds of every arm, counted from the file's `seed`; with fewer than five nothing is decided.
    #[serde(default = "seeds_default")]
    #[schemars(range(min = 1, max = 100))]
    pub seeds: usize,
    /// What is compared.
    #[serde(default = "arms_default")]
    #[schemars(length(min = 1))]
    pub arms: Vec<Arm>,
    /// Balancers that the joint arm tries, with their defaults unless `[balance]` has the method; validation data selects one.
    /// The method of `[balance]` where absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub balancers: Vec<String>,
    /// Update rules that each task alone and the joint arm try; validation data selects one for each. Pairs take the first, as they
    /// take the first balancer. The method of `[optimizer]` where absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub optimizers: Vec<StudyOptimizer>,
    /// Learning rates with which each update rule that is named alone is tried, in every arm; the one of `[optimizer]`, or the
    /// rule's default, where absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub learning_rates: Vec<f64>,
    /// Whether the joint arm also tries, with its first balancer and update rule, each task attached one layer lower than the file
    /// says, one task at a time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub attach_lower: bool,
    /// Whether the joint arm also tries, with its first balancer and update rule, to part tasks above each layer: what stands above
    /// it is then there once a task, or once for the tasks of a head, and the layer and what it builds on are shared.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub branch: bool,
    /// Measures of how related tasks are, besides those that the arms give at no cost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub measures: Vec<RelatednessMeasure>,
    /// Relative difference of a task's score up to which it counts as unchanged.
    #[serde(default = "margin_default")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub margin: f64,
    /// Networks at most among which pairs' gains divide the tasks; as many as tasks where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub networks: Option<usize>,
    /// Runs that are trained at the same time, each with its own data and network in memory.
    #[serde(default = "workers_default")]
    #[schemars(range(min = 1, max = 64))]
    pub workers: usize,
}

/// An update rule that a study tries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum StudyOptimizer {
    /// A method by its name: with its defaults, unless `[optimizer]` has the method.
    Named(String),
    /// A method with options and a learning rate of its own, as `[optimizer]` would have them.
    Table(#[serde(deserialize_with = "method_or_default")] OptimizerMethod),
}

/// How much a study may run; what is beyond is listed as not run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Budget {
    /// Runs at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub runs: Option<usize>,
    /// Minutes of training at most: no run begins after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub minutes: Option<f64>,
}

/// What a study compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Arm {
    /// Each task alone in the same network, with epochs of its own by patience.
    Separate,
    /// Each task alone in a narrower network: all of them together have layers as large as those of the joint network.
    EqualSize,
    /// All tasks in one network.
    Joint,
    /// Every two tasks in one network: what groups are made of.
    Pairs,
    /// The groups that the gains of pairs lead to expect most of, each in a network; chosen when the pairs are trained.
    Groups,
    /// Each task alone in a network that was trained on another one before, for every ordered pair that reads one input.
    Transfer,
}

impl Arm {
    /// The kebab-case name, as written in the file.
    pub fn name(self) -> &'static str {
        match self {
            Arm::Separate => "separate",
            Arm::EqualSize => "equal-size",
            Arm::Joint => "joint",
            Arm::Pairs => "pairs",
            Arm::Groups => "groups",
            Arm::Transfer => "transfer",
        }
    }
}

/// A measure of how related tasks are that has to be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RelatednessMeasure {
    /// By how much a step for one task alone lowers another one's loss, looked at in the joint runs every `balance.watch` steps
    /// (Fifty et al., NeurIPS 2021). It is seen while they train, so that it cannot be asked for afterwards.
    Affinity,
    /// How alike the networks of tasks alone represent the same texts (linear CKA; Kornblith et al., ICML 2019).
    Cka,
}

impl RelatednessMeasure {
    /// The kebab-case name, as written in the file.
    pub fn name(self) -> &'static str {
        match self {
            RelatednessMeasure::Affinity => "affinity",
            RelatednessMeasure::Cka => "cka",
        }
    }
}

impl Study {
    /// Whether a measure is asked for.
    pub fn measures(&self, measure: RelatednessMeasure) -> bool {
        self.measures.contains(&measure)
    }
}

fn method_or_default<'de, D: Deserializer<'de>>(table: D) -> Result<OptimizerMethod, D::Error> {
    let mut table = serde_json::Map::deserialize(table)?;
    table.entry("method").or_insert_with(|| METHOD_DEFAULT.into());
    serde_json::from_value(table.into()).map_err(D::Error::custom)
}

fn seeds_default() -> usize {
    5
}

fn arms_default() -> Vec<Arm> {
    vec![Arm::Separate, Arm::Joint]
}

fn margin_default() -> f64 {
    0.01
}

fn workers_default() -> usize {
    1
}

/// Faults of `[study]` that its shape alone does not have.
pub(crate) fn check(study: Option<&Study>, seed: u64, root: &Node) -> Vec<Fault> {
    let Some(study) = study else { return Vec::new() };
    let mut faults = Vec::new();
    let mut fault = |path: &[&str], message: String, help: &str| {
        faults.push(fault_at(root, path, message, Some(help.to_string())));
    };
    if study.budget.runs.is_none() && study.budget.minutes.is_none() {
        let message = "`study.budget` has neither `runs` nor `minutes`".to_string();
        fault(&["study", "budget"], message, "say how much may be run: `budget = { runs = 20 }`");
    }
    let compares = study.arms.iter().any(|arm| *arm != Arm::Separate);
    if compares && names(root, "task").len() == 1 {
        let message = "[study] compares tasks, and there is one task only".to_string();
        fault(&["study"], message, "add a task, or take `[study]` out");
    }
    if study.arms.contains(&Arm::Pairs) && names(root, "task").len() == 2 {
        let position = study.arms.iter().position(|arm| *arm == Arm::Pairs).unwrap_or_default().to_string();
        let message = "`study.arms` names `pairs`, and there is one pair only".to_string();
        fault(&["study", "arms", &position], message, "`joint` trains it");
    }
    if let Some(position) = study.arms.iter().position(|arm| *arm == Arm::Transfer)
        && !study.arms.contains(&Arm::Separate)
    {
        let message = "`study.arms` names `transfer`, which goes on from the networks of `separate`".to_string();
        fault(&["study", "arms", &position.to_string()], message, "name `separate` as well");
    }
    if let Some(position) = study.arms.iter().position(|arm| *arm == Arm::Groups)
        && !(study.arms.contains(&Arm::Pairs) && study.arms.contains(&Arm::Separate))
    {
        let message = "`study.arms` names `groups`, which follow from the gains of `pairs` over `separate`".to_string();
        fault(&["study", "arms", &position.to_string()], message, "name `separate` and `pairs` as well");
    }
    for (index, rate) in study.learning_rates.iter().enumerate() {
        let position = index.to_string();
        if !(rate.is_finite() && *rate > 0.0) {
            let message = format!("`study.learning_rates` must be above 0, found {rate}");
            fault(&["study", "learning_rates", &position], message, "write rates such as 1e-3");
        } else if study.learning_rates[..index].contains(rate) {
            let message = format!("`study.learning_rates` names {rate} twice");
            fault(&["study", "learning_rates", &position], message, "name each once");
        }
    }
    if seed.checked_add(study.seeds as u64).is_none() {
        let message = format!("`study.seeds`: {} seeds from `seed` {seed} on leave the range of seeds", study.seeds);
        fault(&["study", "seeds"], message, "lower `seed`");
    }
    let is_named = |optimizer: &StudyOptimizer| matches!(optimizer, StudyOptimizer::Named(_));
    if !(study.learning_rates.is_empty() || study.optimizers.is_empty() || study.optimizers.iter().any(is_named)) {
        let message =
            "`study.learning_rates` holds for no update rule: each in `study.optimizers` has its own".to_string();
        fault(
            &["study", "learning_rates"],
            message,
            "name update rules alone, as in `[\"adam\"]`, or take the rates out",
        );
    }
    for (index, optimizer) in study.optimizers.iter().enumerate() {
        if !is_named(optimizer) && study.optimizers[..index].contains(optimizer) {
            let position = index.to_string();
            fault(
                &["study", "optimizers", &position],
                "`study.optimizers` has this table twice".into(),
                "name each once",
            );
        }
    }
    let names_alone: Vec<(usize, &str)> = study
        .optimizers
        .iter()
        .enumerate()
        .filter_map(|(index, optimizer)| match optimizer {
            StudyOptimizer::Named(name) => Some((index, name.as_str())),
            StudyOptimizer::Table(_) => None,
        })
        .collect();
    let lists: [(&str, Vec<(usize, &str)>); 3] = [
        ("arms", study.arms.iter().map(|arm| arm.name()).enumerate().collect()),
        ("balancers", study.balancers.iter().map(String::as_str).enumerate().collect()),
        ("optimizers", names_alone.clone()),
    ];
    for (key, entries) in lists {
        let earlier = |at: usize, entry: &str| entries[..at].iter().any(|(_, known)| *known == entry);
        for (_, (index, entry)) in entries.iter().enumerate().filter(|(at, (_, entry))| earlier(*at, entry)) {
            let position = index.to_string();
            fault(&["study", key, &position], format!("`study.{key}` names `{entry}` twice"), "name each once");
        }
    }
    for (index, name) in names_alone.into_iter().filter(|(_, name)| OptimizerMethod::named(name).is_none()) {
        let position = index.to_string();
        let message = format!("`study.optimizers`: no optimizer is called `{name}`");
        fault(&["study", "optimizers", &position], message, &suggest(name, OptimizerMethod::NAMES));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{THREE_TASKS, messages, spec};

    fn with(study: &str) -> String {
        format!("{THREE_TASKS}\n[study]\n{study}\n")
    }

    #[test]
    fn defaults_are_filled_in_and_written_out() {
        let spec = spec(&with("budget = { runs = 20 }"));
        let study = spec.study.clone().unwrap();
        assert_eq!((study.seeds, study.arms.as_slice()), (5, [Arm::Separate, Arm::Joint].as_slice()));
        assert_eq!((study.budget.runs, study.budget.minutes, study.margin), (Some(20), None, 0.01));
        let text = spec.to_toml();
        assert!(text.contains("[study]\nbudget = { runs = 20 }\nseeds = 5\n"), "{text}");
        assert_eq!(crate::test_support::spec(&text), spec);
        assert!(!crate::test_support::spec(THREE_TASKS).to_toml().contains("study"));
    }

    #[test]
    fn faults_are_told_with_their_place() {
        for (study, message) in [
            ("seeds = 3", "[study] has no `budget`"),
            ("budget = {}", "`study.budget` has neither `runs` nor `minutes`"),
            ("budget = { runs = 0 }", "must be at least 1, found 0"),
            ("budget.runs = 2\nseeds = 0", "`study.seeds` must be between 1 and 100, found 0"),
            ("budget.runs = 2\narms = [\"joint\", \"joint\"]", "`study.arms` names `joint` twice"),
            ("budget.runs = 2\narms = [\"joined\"]", "did you mean `joint`?"),
            ("budget.runs = 2\narms = [\"transfer\"]", "goes on from the networks of `separate`"),
            ("budget.runs = 2\narms = [\"separate\", \"groups\"]", "follow from the gains of `pairs`"),
            ("budget.runs = 2\nlearning_rates = [0.01, 0.0]", "must be above 0, found 0"),
            ("budget.runs = 2\nlearning_rates = [0.01, 0.01]", "names 0.01 twice"),
            ("budget.runs = 2\narms = []", "must have at least 1"),
            ("budget.runs = 2\nbalancers = [\"mgda\", \"mgda\"]", "`study.balancers` names `mgda` twice"),
            ("budget.runs = 2\noptimizers = [\"sgd\", \"sgd\"]", "`study.optimizers` names `sgd` twice"),
            ("budget.runs = 2\noptimizers = [\"adma\"]", "no optimizer is called `adma`"),
            (
                "budget.runs = 2\noptimizers = [\"adam\", { method = \"sgd\" }, { method = \"sgd\" }]",
                "has this table twice",
            ),
            ("budget.runs = 2\noptimizers = [{ method = \"sgdd\" }]", "did you mean `sgd`"),
            ("budget.runs = 2\noptimizers = [{ method = \"sgd\", beta1 = 0.5 }]", "unknown key `beta1`"),
            ("budget.runs = 2\noptimizers = [{ method = \"sgd\", momentum = 2.0 }]", "must be between 0 and 0.9999"),
            ("budget.runs = 2\noptimizers = [3]", "study.optimizers[0]"),
            (
                "budget.runs = 2\noptimizers = [{ method = \"sgd\" }]\nlearning_rates = [0.1]",
                "`study.learning_rates` holds for no update rule",
            ),
            ("budget.runs = 2\nseed = 3", "unknown key `seed` in [study]"),
        ] {
            let found = messages(&with(study));
            assert!(found.len() == 1 && found[0].contains(message), "{study}: {found:#?}");
        }
        let last = with("budget.runs = 2").replace("seed = 7", "seed = 18446744073709551615");
        assert!(messages(&last)[0].contains("leave the range of seeds"));
    }
}
