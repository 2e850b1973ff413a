//! What exactly will be trained? A configuration, its data and the network it asks for, all checked.

use std::collections::BTreeMap;

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
use crate::error::TrainError;
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
        let task_names: Vec<String> = spec.task.keys().cloned().collect();
        let balancer = polytask_balance::find(&spec.balance.method)
            .ok_or_else(|| TrainError::Config(format!("unknown balancer `{}`", spec.balance.method)))
            .and_then(|entry| {
                (entry.build)(&spec.balance.options, &task_names)
                    .map_err(|error| TrainError::Config(format!("[balance] method = \"{}\": {error}", entry.key)))
            })?;
        let mut corpus = Corpus::load(&spec, roots)?;
        let knowledge = knowledge::knowledge(&spec, &corpus)?;
        let deciding = deciding_metrics(&spec, &knowledge)?;
        let targets = knowledge::task_targets(&spec, &corpus, &knowledge);
        let mut resources = BTreeMap::new();
        for (name, input) in &spec.input {
            let Input::Words(words) = input;
            let interner = corpus.words.entry(name.clone()).or_default();
            resources.insert(name.clone(), words_resources(name, words, interner, roots, spec.seed)?);
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
    roots: &Roots,
    seed: u64,
) -> Result<WordsResources, TrainError> {
    let vectors = match &spec.vectors {
        None => None,
        Some(path) => {
            let path = roots.resolve(path)?;
            let needed = needed(words.words());
            Some(read_vectors(&path, &|word| needed.contains(word)).map_err(polytask_data::Error::from)?)
        }
    };
    let dim = match (&vectors, spec.dim) {
        (Some(vectors), Some(dim)) if vectors.dim != dim => {
            let file = spec.vectors.as_deref().unwrap_or_default();
            return Err(TrainError::Config(format!(
                "[input.{name}] dim = {dim}, but the vectors in {file} are {} wide\n  help: leave `dim` out",
                vectors.dim
            )));
        }
        (Some(vectors), _) => vectors.dim,
        (None, dim) => dim.unwrap_or(100),
    };
    let counts = || words.words().zip(words.counts().iter().copied());
    let found = vectors.as_ref().map_or(&[][..], |vectors| &vectors.words);
    let vocabulary = Vocabulary::build(counts(), found, spec.min_count);
    let table = vocabulary
        .initial_values(vectors.as_ref(), dim, seed)
        .map_err(|error| TrainError::Config(format!("[input.{name}]: {error}")))?;
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

/// The metric that decides about each task: the configured one, or the kind's own.
fn deciding_metrics(spec: &Spec, knowledge: &[Knowledge]) -> Result<Vec<&'static catalogue::Entry>, TrainError> {
    spec.task
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
            catalogue::of_kind(kind).find(|entry| entry.key == key).ok_or_else(|| {
                let accepted: Vec<&str> = catalogue::of_kind(kind).map(|entry| entry.key).collect();
                TrainError::Config(format!(
                    "[task.{name}] metric = \"{key}\" does not judge this task\n  help: accepted: {}",
                    accepted.join(", ")
                ))
            })
        })
        .collect()
}
