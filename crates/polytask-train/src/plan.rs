//! What exactly will be trained? A configuration, its data and the network it asks for, all checked.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use burn::tensor::Device;
use indexmap::IndexMap;
use polytask_balance::{AnyBalancer, Needs};
use polytask_data::open::Roots;
use polytask_data::sampler::{Sampler, Source as SamplerSource};
use polytask_data::subwords::Subwords;
use polytask_metrics::catalogue;
use polytask_model::{
    Description, FitError, Fitted, InputKnowledge, Knowledge, Model, Prepared, fit, input_file, load, take_over,
    tokenizer_file,
};
use polytask_spec::task::{RegressLoss, Task, TaskKind};
use polytask_spec::training::{GradientsAt, Sampling};
use polytask_spec::{Extension, Spec, suggest};

use crate::corpus::Corpus;
use crate::error::{Faults, TrainError};
use crate::knowledge::{self, TaskTargets};
use crate::representation;
use crate::warnings::{Curve, alone};

/// Everything that training needs, ready to start.
pub struct Plan {
    /// The configuration.
    pub spec: Spec,
    /// The data.
    pub corpus: Corpus,
    /// The targets of each task.
    pub targets: Vec<TaskTargets>,
    /// What the model knows besides its weights.
    pub description: Description,
    /// The network with its initial weights.
    pub model: Model,
    /// How tasks are traded off.
    pub balancer: Box<dyn AnyBalancer>,
    /// Which examples each step trains on.
    pub sampler: Sampler,
    /// The metric that decides about each task.
    pub deciding: Vec<&'static catalogue::Entry>,
    /// What each task reached alone, where its `alone` names a run.
    pub alone: Vec<Option<Curve>>,
}

/// The parts of the configuration's schema that catalogues of other crates describe.
pub fn extensions() -> Vec<Extension> {
    vec![Extension { pointer: "balance", schema: polytask_balance::schema() }]
}

impl Plan {
    /// Reads the data and builds the network.
    ///
    /// # Errors
    ///
    /// Where files are missing or wrong, or the configuration asks for what its parts do not allow.
    pub fn new(spec: Spec, roots: &Roots) -> Result<Plan, TrainError> {
        let mut faults = Faults::default();
        let balancer = faults.take(balancer(&spec));
        let files = faults.take(find_files(&spec, roots));
        let tokenizers = faults.take(read_tokenizers(&spec, roots));
        let corpus = tokenizers.and_then(|tokenizers| faults.take(Corpus::load(&spec, roots, tokenizers)));
        let knowledge = corpus.as_ref().and_then(|corpus| faults.take(knowledge::knowledge(&spec, corpus)));
        let deciding = knowledge.as_ref().and_then(|knowledge| faults.take(deciding_metrics(&spec, knowledge)));
        let all = balancer.zip(files).zip(corpus).zip(knowledge).zip(deciding);
        let ((((balancer, files), mut corpus), knowledge), deciding) = faults.finish(all)?;
        let mut faults = Faults::default();
        let targets = knowledge::task_targets(&spec, &corpus, &knowledge);
        faults.take(knowledge::check_valid(&spec, &targets));
        let alone = faults.take(alone::curves(&spec, roots, &deciding, &knowledge, &targets));
        let mut fitted = BTreeMap::new();
        for (name, input) in &spec.input {
            let words = corpus.words.entry(name.clone()).or_default();
            let files = (files.get(name).map(PathBuf::as_path), corpus.tokenizers.get(name));
            let found = fit(input, words, files, spec.seed).map_err(|error| unfit(name, error));
            if let Some(found) = faults.take(found) {
                fitted.insert(name.clone(), found);
            }
        }
        let alone = faults.finish(alone)?;
        prepare(&mut corpus, |input| &fitted[input].knowledge);
        let mut model = Model::build(&spec, &knowledge, &fitted, Device::flex().autodiff());
        let sampler = sampler(&spec, &corpus);
        let description = describe(&spec, knowledge, fitted);
        if let Some(start) = &spec.train.start {
            begin_with(start, roots, &mut model, &description)?;
        }
        Ok(Plan { spec, corpus, targets, description, model, balancer, sampler, deciding, alone })
    }

    /// Steps of an epoch of all tasks, each of `train.accumulate` draws.
    pub fn steps_in_epoch(&self) -> usize {
        self.sampler.steps_in_epoch().div_ceil(self.spec.train.accumulate.max(1))
    }

    /// Steps of an epoch on average over all epochs, rounded up: some ways of sampling have longer epochs than others.
    pub fn mean_steps_in_epoch(&self) -> usize {
        let draws = self.sampler.steps_in_run().div_ceil(self.spec.train.epochs.max(1));
        draws.div_ceil(self.spec.train.accumulate.max(1))
    }

    /// Names of the tasks in order.
    pub fn task_names(&self) -> Vec<String> {
        self.spec.task.keys().cloned().collect()
    }
}

/// Takes over the weights of the run or model directory `start`.
fn begin_with(start: &str, roots: &Roots, model: &mut Model, description: &Description) -> Result<(), TrainError> {
    let path = roots.resolve(start)?;
    if !path.is_dir() {
        let message = format!("`{start}` is a file");
        return Err(TrainError::config(&["train", "start"], message, "name a run, or a model directory"));
    }
    let inner = path.join("model");
    let saved = load(if inner.is_dir() { &inner } else { &path }, Device::flex())?;
    match take_over(model, description, &saved) {
        0 => {
            let message = format!("`{start}` has no parameter of the same name and shape as one of this network");
            let help = "name encoders, layers and inputs as that model does, or leave `start` out";
            Err(TrainError::config(&["train", "start"], message, help))
        }
        _ => Ok(()),
    }
}

/// Prepares every dataset for its input.
pub fn prepare<'a>(corpus: &mut Corpus, of: impl Fn(&str) -> &'a InputKnowledge) {
    let prepared: BTreeMap<&String, Arc<Prepared>> =
        corpus.words.iter().map(|(input, words)| (input, Arc::new(of(input).prepare(words)))).collect();
    for source in &mut corpus.sources {
        source.prepared = prepared.get(&source.input).cloned();
    }
}

fn unfit(input: &str, error: FitError) -> TrainError {
    match error {
        FitError::Data(error) => error.into(),
        FitError::Option { option, message, help } => TrainError::config(&["input", input, option], message, help),
    }
}

fn sampler(spec: &Spec, corpus: &Corpus) -> Sampler {
    let sources = corpus.sources.iter().map(|source| SamplerSource {
        name: source.name.clone(),
        lengths: source.dataset.train.lengths(),
        batch_size: spec.batch_size(&source.name),
        passes: spec.data.get(&source.name).and_then(|data| data.files().passes).unwrap_or(1.0),
    });
    Sampler::new(spec.seed, sources.collect(), &spec.train)
}

fn describe(spec: &Spec, knowledge: Vec<Knowledge>, fitted: BTreeMap<String, Fitted>) -> Description {
    let mut fitted = fitted;
    let inputs = spec.input.keys().filter_map(|name| Some((name.clone(), fitted.remove(name)?.knowledge)));
    Description {
        format: polytask_model::FORMAT,
        inputs: inputs.collect(),
        tasks: spec.task.keys().cloned().zip(knowledge).collect::<IndexMap<_, _>>(),
    }
}

/// The configured balancer, its options fitted to the tasks.
///
/// # Errors
///
/// Where there is no such balancer, its options do not fit, or it needs what the sampling does not give it.
pub fn balancer(spec: &Spec) -> Result<Box<dyn AnyBalancer>, TrainError> {
    let tasks: Vec<String> = spec.task.keys().cloned().collect();
    let known = || polytask_balance::all().iter().map(|entry| entry.key).collect::<Vec<_>>().join(", ");
    let entry = polytask_balance::find(&spec.balance.method).ok_or_else(|| {
        let message = format!("no balancer is called `{}`", spec.balance.method);
        TrainError::config(&["balance", "method"], message, format!("accepted: {}", known()))
    })?;
    let compares = !matches!(entry.needs, Needs::Losses | Needs::LossesAfter);
    if compares && spec.train.sampling != Sampling::Joint && spec.data.len() > 1 {
        let message =
            format!("`{}` compares the gradients of all tasks, so each step needs a batch of every one", entry.key);
        let help = "set `sampling = \"joint\"` in [train]";
        return Err(TrainError::config(&["balance", "method"], message, help));
    }
    if spec.balance.gradients == GradientsAt::Representation {
        representation::check(spec, entry)?;
    }
    if entry.needs == Needs::LossesAfter && spec.train.accumulate > 1 {
        let message = format!("`{}` compares the losses of a batch before and after its own update", entry.key);
        let help = "leave out `accumulate` in [train], or choose another balancer";
        return Err(TrainError::config(&["balance", "method"], message, help));
    }
    let built = (entry.build)(&spec.balance.options, &tasks).map_err(|error| {
        let message = match &error {
            polytask_balance::Error::Options { message, .. } => message.clone(),
            other => other.to_string(),
        };
        // The message begins with the option that is wrong; the place to show is the option's.
        let option = message.split('`').nth(1).filter(|option| spec.balance.options.get(*option).is_some());
        let key = ["balance", option.unwrap_or("method")];
        let help = format!("`{}` is {}; see `polytask list balancers`", entry.key, entry.summary);
        TrainError::config(&key, message.as_str(), help)
    });
    let mut balancer = built?;
    balancer.seed(spec.seed);
    Ok(balancer)
}

/// The file of each input that names one.
fn find_files(spec: &Spec, roots: &Roots) -> Result<BTreeMap<String, PathBuf>, TrainError> {
    let mut faults = Faults::default();
    let mut found = BTreeMap::new();
    for (name, path) in spec.input.iter().filter_map(|(name, input)| Some((name, input_file(input)?))) {
        if let Some(path) = faults.take(roots.resolve(path).map_err(TrainError::from)) {
            found.insert(name.clone(), path);
        }
    }
    faults.finish(Some(found))
}

/// The tokenizer of each input that names one.
fn read_tokenizers(spec: &Spec, roots: &Roots) -> Result<BTreeMap<String, Subwords>, TrainError> {
    let mut faults = Faults::default();
    let mut found = BTreeMap::new();
    for (name, path) in spec.input.iter().filter_map(|(name, input)| Some((name, tokenizer_file(input)?))) {
        let read = roots.resolve(path).and_then(|path| Subwords::read(&path)).map_err(TrainError::from);
        if let Some(tokenizer) = faults.take(read) {
            found.insert(name.clone(), tokenizer);
        }
    }
    faults.finish(Some(found))
}

/// The metric that decides about each task: the configured one, or the kind's own.
fn deciding_metrics(spec: &Spec, knowledge: &[Knowledge]) -> Result<Vec<&'static catalogue::Entry>, TrainError> {
    let mut faults = Faults::default();
    let found: Vec<_> = spec
        .task
        .iter()
        .zip(knowledge)
        .map(|((name, task), knowledge)| {
            let (kind, default) = match knowledge {
                Knowledge::Classify { .. } => (catalogue::TaskKind::Classify, "f1-macro"),
                Knowledge::Regress { .. } => (catalogue::TaskKind::Regress, "rmse"),
                Knowledge::Multilabel { .. } => (catalogue::TaskKind::Multilabel, "f1-micro"),
                Knowledge::Tag(tags) if tags.scheme.is_some() => (catalogue::TaskKind::TagSpans, "span-f1"),
                Knowledge::Tag(_) => (catalogue::TaskKind::Tag, "token-accuracy"),
            };
            let key = task.metric.as_deref().unwrap_or(default);
            let entry = catalogue::of_kind(kind).find(|entry| entry.key == key);
            if let Some(fault) = needs_variance(name, task, key) {
                faults.take::<()>(Err(fault));
            }
            faults.take(entry.ok_or_else(|| {
                let accepted: Vec<&str> = catalogue::of_kind(kind).map(|entry| entry.key).collect();
                let message = format!("`{key}` does not judge this task");
                TrainError::config(&["task", name, "metric"], message, suggest(key, accepted))
            }))
        })
        .collect();
    faults.finish(found.into_iter().collect())
}

/// The fault of a task that is to be decided by a likelihood, but predicts numbers alone.
fn needs_variance(name: &str, task: &Task, key: &str) -> Option<TrainError> {
    match &task.kind {
        TaskKind::Regress(regress) if key == "gaussian-nll" && regress.loss != RegressLoss::GaussianNll => {
            let message = "`gaussian-nll` judges predicted variances, and this task predicts none";
            let help = "set `loss = \"gaussian-nll\"`, or decide by `rmse` or `mae`";
            Some(TrainError::config(&["task", name, "metric"], message, help))
        }
        _ => None,
    }
}
