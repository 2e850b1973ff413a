//! What exactly will be trained? A configuration, its data and the network it asks for, all checked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use indexmap::IndexMap;
use polytask_balance::AnyBalancer;
use polytask_data::characters::CharacterSet;
use polytask_data::interner::Interner;
use polytask_data::open::Roots;
use polytask_data::sampler::{Sampler, Source as SamplerSource};
use polytask_data::vectors::read_vectors;
use polytask_data::vocabulary::{Vocabulary, needed};
use polytask_metrics::catalogue;
use polytask_model::{Description, InputDescription, Knowledge, Lexicon, Model, WordsResources};
use polytask_spec::network::{Input, WordsInput};
use polytask_spec::{Extension, Spec};

use crate::corpus::Corpus;
use crate::error::{Faults, TrainError};
use crate::knowledge::{self, TaskTargets};

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
        let vectors_found = faults.take(find_vectors(&spec, roots));
        let corpus = faults.take(Corpus::load(&spec, roots));
        let knowledge = corpus.as_ref().and_then(|corpus| faults.take(knowledge::knowledge(&spec, corpus)));
        let deciding = knowledge.as_ref().and_then(|knowledge| faults.take(deciding_metrics(&spec, knowledge)));
        let all = balancer.zip(vectors_found).zip(corpus).zip(knowledge).zip(deciding);
        let ((((balancer, vectors), mut corpus), knowledge), deciding) = faults.finish(all)?;
        let targets = knowledge::task_targets(&spec, &corpus, &knowledge);
        let mut resources = BTreeMap::new();
        for (name, input) in &spec.input {
            let Input::Words(words) = input;
            let interner = corpus.words.entry(name.clone()).or_default();
            let vectors = vectors.get(name).map(PathBuf::as_path);
            resources.insert(name.clone(), words_resources(name, words, interner, vectors, spec.seed)?);
        }
        attach_lexicons(&mut corpus, |input| {
            let resources: &WordsResources = &resources[input];
            (&resources.vocabulary, resources.characters.as_ref())
        });
        let model = Model::build(&spec, &knowledge, &resources, Device::flex().autodiff());
        let sampler = sampler(&spec, &corpus);
        let description = describe(&spec, knowledge, resources);
        Ok(Plan { spec, corpus, targets, description, model, balancer, sampler, deciding })
    }

    /// Names of the tasks in order.
    pub fn task_names(&self) -> Vec<String> {
        self.spec.task.keys().cloned().collect()
    }
}

/// Looks up every word of every dataset.
pub fn attach_lexicons<'a>(corpus: &mut Corpus, of: impl Fn(&str) -> (&'a Vocabulary, Option<&'a CharacterSet>)) {
    let lexicons: BTreeMap<String, Lexicon> = corpus
        .words
        .iter()
        .map(|(input, words)| {
            let (vocabulary, characters) = of(input);
            (input.clone(), Lexicon::new(words, vocabulary, characters))
        })
        .collect();
    for source in &mut corpus.sources {
        source.lexicon = lexicons[&source.input].clone();
    }
}

fn words_resources(
    name: &str,
    spec: &WordsInput,
    words: &Interner,
    vectors: Option<&Path>,
    seed: u64,
) -> Result<WordsResources, TrainError> {
    let vectors = match vectors {
        None => None,
        Some(path) => {
            let needed = needed(words.words());
            Some(read_vectors(path, &|word| needed.contains(word)).map_err(polytask_data::Error::from)?)
        }
    };
    let dim = match (&vectors, spec.dim) {
        (Some(vectors), Some(dim)) if vectors.dim != dim => {
            let file = spec.vectors.as_deref().unwrap_or_default();
            let message = format!("{dim}, but the vectors in {file} are {} wide", vectors.dim);
            return Err(TrainError::config(&["input", name, "dim"], message, "leave `dim` out"));
        }
        (Some(vectors), _) => vectors.dim,
        (None, dim) => dim.unwrap_or(100),
    };
    let counts = || words.words().zip(words.counts().iter().copied());
    let found = vectors.as_ref().map_or(&[][..], |vectors| &vectors.words);
    let vocabulary = Vocabulary::build(counts(), found, spec.min_count);
    let table = vocabulary
        .initial_values(vectors.as_ref(), dim, seed)
        .map_err(|error| TrainError::config(&["input", name], error.to_string(), "leave `dim` out"))?;
    let characters = spec.characters.as_ref().map(|_| CharacterSet::from_words(counts()));
    Ok(WordsResources { vocabulary, characters, dim, table })
}

fn sampler(spec: &Spec, corpus: &Corpus) -> Sampler {
    let sources = corpus.sources.iter().map(|source| SamplerSource {
        name: source.name.clone(),
        lengths: source.dataset.train.lengths(),
        batch_size: spec.batch_size(&source.name),
    });
    Sampler::new(spec.seed, sources.collect(), spec.train.sampling)
}

fn describe(spec: &Spec, knowledge: Vec<Knowledge>, resources: BTreeMap<String, WordsResources>) -> Description {
    let mut resources = resources;
    let inputs = spec.input.keys().map(|name| {
        let resources = resources.remove(name).expect("every input has its resources");
        let WordsResources { vocabulary, characters, dim, .. } = resources;
        (name.clone(), InputDescription { vocabulary, characters, dim })
    });
    Description {
        format: polytask_model::FORMAT,
        inputs: inputs.collect(),
        tasks: spec.task.keys().cloned().zip(knowledge).collect::<IndexMap<_, _>>(),
    }
}

/// The configured balancer, its options fitted to the tasks.
fn balancer(spec: &Spec) -> Result<Box<dyn AnyBalancer>, TrainError> {
    let tasks: Vec<String> = spec.task.keys().cloned().collect();
    let known = || polytask_balance::all().iter().map(|entry| entry.key).collect::<Vec<_>>().join(", ");
    let entry = polytask_balance::find(&spec.balance.method).ok_or_else(|| {
        let message = format!("no balancer is called `{}`", spec.balance.method);
        TrainError::config(&["balance", "method"], message, format!("accepted: {}", known()))
    })?;
    (entry.build)(&spec.balance.options, &tasks).map_err(|error| {
        TrainError::config(&["balance"], error.to_string(), format!("see `polytask list balancers`: {}", entry.summary))
    })
}

/// The vectors file of each input that names one.
fn find_vectors(spec: &Spec, roots: &Roots) -> Result<BTreeMap<String, PathBuf>, TrainError> {
    let mut faults = Faults::default();
    let mut found = BTreeMap::new();
    for (name, Input::Words(words)) in &spec.input {
        let Some(path) = &words.vectors else { continue };
        if let Some(path) = faults.take(roots.resolve(path).map_err(TrainError::from)) {
            found.insert(name.clone(), path);
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
                Knowledge::Tag(tags) if tags.scheme.is_some() => (catalogue::TaskKind::TagSpans, "span-f1"),
                Knowledge::Tag(_) => (catalogue::TaskKind::Tag, "token-accuracy"),
            };
            let key = task.metric.as_deref().unwrap_or(default);
            let entry = catalogue::of_kind(kind).find(|entry| entry.key == key);
            faults.take(entry.ok_or_else(|| {
                let accepted: Vec<&str> = catalogue::of_kind(kind).map(|entry| entry.key).collect();
                let message = format!("`{key}` does not judge this task");
                TrainError::config(&["task", name, "metric"], message, format!("accepted: {}", accepted.join(", ")))
            }))
        })
        .collect();
    faults.finish(found.into_iter().collect())
}
