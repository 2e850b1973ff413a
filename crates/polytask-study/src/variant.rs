//! Which balancers and update rules does a study try?

use indexmap::IndexMap;
use polytask_spec::study::{Study, StudyOptimizer};
use polytask_spec::task::Attach;
use polytask_spec::training::{Balance, OptimizerMethod};
use polytask_spec::{Spec, parse, suggest};
use polytask_train::{TrainError, balancer, extensions};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::branch::{Parted, part, partings};
use crate::error::StudyError;

/// How the tasks of a run are balanced and updated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    /// The balancer; `equal` for a task alone.
    pub balancer: String,
    /// The update rule.
    #[serde(flatten)]
    pub rule: Rule,
    /// What is attached lower than the configuration says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lower: Option<Lower>,
    /// Where tasks part that share more as the configuration says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parted: Option<Parted>,
}

/// A task that shares less: it is attached one layer lower.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lower {
    /// The task.
    pub task: String,
    /// The layer that it reads.
    pub layer: String,
}

/// An update rule that a study tries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// Its name.
    pub optimizer: String,
    /// Its learning rate where the study says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
    /// Options of a table in `study.optimizers` that are not what the rule's name alone stands for in this file.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub options: IndexMap<String, Value>,
}

impl Rule {
    /// `OPTIMIZER` or `OPTIMIZER-RATE`, and `-OPTION-VALUE` for options that the study gives, as in names of runs.
    pub fn name(&self) -> String {
        let rate = self.learning_rate.map_or(String::new(), |rate| format!("-{rate:e}"));
        let options =
            self.options.iter().map(|(key, value)| match value.as_f64().filter(|number| number.fract() != 0.0) {
                Some(number) => format!("-{key}-{number:e}"),
                None => format!("-{key}-{}", value.to_string().trim_matches('"').trim_end_matches(".0")),
            });
        format!("{}{rate}{}", self.optimizer, options.collect::<String>())
    }

    /// The rule of the file where it has this one, else with its defaults; at the rate and with the options that are tried.
    pub(crate) fn method(&self, spec: &Spec) -> OptimizerMethod {
        let mut method = named(spec, &self.optimizer);
        if !self.options.is_empty() {
            let mut table = options_of(&method);
            table.extend(self.options.clone());
            // The options come from a method's own table.
            method = serde_json::from_value(table.into()).unwrap_or(method);
        }
        if let Some(rate) = self.learning_rate {
            *method.learning_rate_mut() = rate;
        }
        method
    }

    /// What a table of `study.optimizers` says.
    fn of_table(spec: &Spec, mut method: OptimizerMethod) -> Rule {
        let learning_rate = Some(*method.learning_rate_mut());
        let known = options_of(&named(spec, method.name()));
        let differs = |(key, value): &(String, Value)| key != "learning_rate" && known.get(key) != Some(value);
        let options = options_of(&method).into_iter().filter(differs).collect();
        Rule { optimizer: method.name().to_owned(), learning_rate, options }
    }
}

/// What a name in `study.optimizers` stands for.
fn named(spec: &Spec, name: &str) -> OptimizerMethod {
    let own = spec.optimizer.method;
    if own.name() == name { own } else { OptimizerMethod::named(name).unwrap_or(own) }
}

/// A method as a table, its name included.
fn options_of(method: &OptimizerMethod) -> Map<String, Value> {
    match serde_json::to_value(method) {
        Ok(Value::Object(table)) => table,
        _ => Map::new(),
    }
}

impl Variant {
    /// `BALANCER.OPTIMIZER`, as in names of runs, `.TASK-at-LAYER` of a task that is attached lower, and
    /// `.parted-above-ENCODER-LAYER` where tasks part.
    pub fn name(&self) -> String {
        let lower = self.lower.as_ref().map(|lower| format!(".{}-at-{}", lower.task, lower.layer));
        let parted = self.parted.as_ref().map(|at| format!(".parted-above-{}-{}", at.encoder, at.layer));
        let (lower, parted) = (lower.unwrap_or_default(), parted.unwrap_or_default());
        format!("{}.{}{lower}{parted}", self.balancer, self.rule.name())
    }

    /// The same for people.
    pub fn words(&self) -> String {
        let shares_less = self.shares_less().map(|how| format!(", {how}")).unwrap_or_default();
        format!("{} and {}{shares_less}", self.balancer, self.rule.name())
    }

    /// How the tasks share less than in the file, for people: "`ner` attached at `low`".
    pub fn shares_less(&self) -> Option<String> {
        let lower = self.lower.as_ref().map(|lower| format!("`{}` attached at `{}`", lower.task, lower.layer));
        lower.or_else(|| self.parted.as_ref().map(|at| format!("parted above `{}` of `{}`", at.layer, at.encoder)))
    }

    /// Attaches what the variant attaches lower, and parts what it parts.
    pub(crate) fn attach(&self, spec: &mut Spec) {
        if let Some(parted) = &self.parted {
            part(spec, parted);
        }
        if let Some(lower) = &self.lower
            && let Some(task) = spec.task.get_mut(&lower.task)
        {
            task.attach = Some(Attach::One(lower.layer.clone()));
        }
    }
}

/// Every update rule that is tried, those that are named alone at every learning rate.
pub(crate) fn rules(spec: &Spec, study: &Study) -> Vec<Rule> {
    let own = vec![StudyOptimizer::Named(spec.optimizer.method.name().to_owned())];
    let optimizers = if study.optimizers.is_empty() { &own } else { &study.optimizers };
    let at = |optimizer: &StudyOptimizer| -> Vec<Rule> {
        let name = match optimizer {
            StudyOptimizer::Named(name) => name,
            StudyOptimizer::Table(method) => return vec![Rule::of_table(spec, *method)],
        };
        let rule = |learning_rate| Rule { optimizer: name.clone(), learning_rate, options: IndexMap::new() };
        match study.learning_rates.as_slice() {
            [] => vec![rule(None)],
            rates => rates.iter().map(|rate| rule(Some(*rate))).collect(),
        }
    };
    // A name at a rate and a table may come to the same.
    let by_name: IndexMap<String, Rule> = optimizers.iter().flat_map(at).map(|rule| (rule.name(), rule)).collect();
    by_name.into_values().collect()
}

/// Every balancer with every update rule, each checked against all tasks.
pub(crate) fn joint_variants(spec: &Spec, study: &Study) -> Result<Vec<(Variant, Balance)>, StudyError> {
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
        let variant = |rule| (Variant { balancer: method.clone(), rule, lower: None, parted: None }, balance.clone());
        rules(spec, study).into_iter().map(variant).collect::<Vec<_>>()
    };
    let mut all: Vec<(Variant, Balance)> = balances.iter().flat_map(with).collect();
    if let Some((first, balance)) = all.first().cloned() {
        let lower = spec.task.keys().filter(|_| study.attach_lower).filter_map(|task| lower_of(spec, task));
        all.extend(lower.map(|lower| (Variant { lower: Some(lower), ..first.clone() }, balance.clone())));
        let parted = partings(spec).into_iter().filter(|_| study.branch);
        all.extend(parted.map(|parted| (Variant { parted: Some(parted), ..first.clone() }, balance.clone())));
    }
    Ok(all)
}

/// The layer below the one that a task reads; none for tasks that read several, or the lowest, or share their head with others.
fn lower_of(spec: &Spec, name: &str) -> Option<Lower> {
    let task = spec.task.get(name)?;
    let shares = task.head.as_ref().is_some_and(|head| spec.tasks_of_head(head).count() > 1);
    let [attach] = spec.attach_of(task).try_into().ok().filter(|_: &[String; 1]| !shares)?;
    let encoder = spec.encoder.get(spec.encoder_of(task))?;
    let at = encoder.layers.iter().enumerate().position(|(index, layer)| layer.name_at(index) == attach)?;
    let below = encoder.below(at)?;
    Some(Lower { task: name.to_owned(), layer: encoder.layers[below].name_at(below) })
}

/// A balancer with its defaults written out, as a configuration that names it would have it.
pub(crate) fn plain_balance(spec: &Spec, method: &str) -> Balance {
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

/// The configuration of a variant of all tasks, as [`jobs`](crate::jobs) trains it but with the file's own seed and splits.
pub fn joint_spec(spec: &Spec, variant: &Variant) -> Spec {
    let mut joint = Spec { study: None, ..spec.clone() };
    if variant.balancer != spec.balance.method {
        joint.balance = plain_balance(spec, &variant.balancer);
    }
    joint.optimizer.method = variant.rule.method(spec);
    variant.attach(&mut joint);
    joint
}
