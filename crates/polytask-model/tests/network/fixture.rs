//! What are the networks tested on? A few sentences with all kinds of targets, and parameters in general position.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use burn::tensor::{Device, Tensor};
use polytask_data::characters::CharacterSet;
use polytask_data::interner::Interner;
use polytask_data::rng::Rng;
use polytask_data::table::{Examples, Ragged};
use polytask_data::vocabulary::Vocabulary;
use polytask_kernels::ops::{Path, set_path};
use polytask_model::{
    Batch, Description, FORMAT, Feed, Fitted, Gradients, InputKnowledge, Knowledge, Mode, Model, Pass, Prepared,
    Scores, TagSet, TargetBatch, Targets, TaskId, WordsKnowledge,
};
use polytask_spec::Spec;
use polytask_spec::task::TaskKind;

static PATH: RwLock<()> = RwLock::new(());

/// As long as this is held, no test changes how operations are computed: what is computed twice has the same bits.
pub fn on_one_path() -> RwLockReadGuard<'static, ()> {
    PATH.read().unwrap_or_else(PoisonError::into_inner)
}

/// What is computed on each path, without kernels first.
pub fn on_both_paths<T>(mut compute: impl FnMut() -> T) -> [T; 2] {
    let _held = PATH.write().unwrap_or_else(PoisonError::into_inner);
    [Path::Plain, Path::Kernels].map(|path| {
        set_path(path);
        compute()
    })
}

/// Missing label or tag.
pub const MISSING: u32 = u32::MAX;

/// Width of a word vector.
pub const DIM: usize = 5;

/// The datasets and the input that all networks share. The input drops out a share of its features.
const HEAD: &str = r#"
version = 1
seed = 3
data.news = { format = "conll", columns = ["token", "pos", "chunk", "ner"], train = "news", valid = "more-news" }
data.mail = { format = "lines", train = "mail.tsv", split = { valid = 0.1 } }
data.shop = { format = "amazon", path = "shop", split = { valid = 0.1 } }
data.films = { format = "csv", train = "films.csv", split = { valid = 0.1 } }
data.pairs = { format = "jsonl", train = "pairs.jsonl", text = ["one", "other"], split = { valid = 0.1 } }

[input.words]
kind = "words"
dim = 5
dropout = DROPOUT
OPTIONS
CHARACTERS
"#;

/// What the words input encodes besides word vectors: by convolution, or by everything else that there is.
pub const CNN: &str = "characters = { dim = 3, filters = 4, width = 3, dropout = DROPOUT }";
pub const LSTM_AND_SHAPE: &str =
    "characters = { encoder = \"lstm\", dim = 3, hidden = 2, dropout = DROPOUT }\nshape = { dim = 2 }";

/// Sentences of 4, 1, 9, 0, 2 and 6 words; `zebra` and `quux` stand in the third alone, which has no targets in places.
const SENTENCES: [&str; 6] =
    ["Ann lives in York", "Yes", "the zebra of quux ran to Ann and Bob", "", "no York", "Bob and Ann like the sea"];

/// The example whose targets are all missing.
pub const UNLABELLED: u32 = 2;

/// A network, its data, and a kind of target for every task.
pub struct Fixture {
    pub spec: Spec,
    pub model: Model,
    pub description: Description,
    pub examples: Examples,
    pub prepared: Prepared,
    pub targets: Vec<Targets>,
}

impl Fixture {
    /// The network of a configuration's encoders and tasks, in which `DROPOUT` is zero.
    pub fn new(network: &str) -> Fixture {
        Fixture::with_dropout(network, "0.0")
    }

    /// The same with a share for `DROPOUT`.
    pub fn with_dropout(network: &str, dropout: &str) -> Fixture {
        Fixture::build(network, dropout, CNN, "")
    }

    /// The same with other lines for what the input encodes.
    pub fn with_input(network: &str, dropout: &str, input: &str) -> Fixture {
        Fixture::build(network, dropout, input, "")
    }

    /// The same with more options of the input.
    pub fn with_options(network: &str, dropout: &str, options: &str) -> Fixture {
        Fixture::build(network, dropout, CNN, options)
    }

    fn build(network: &str, dropout: &str, input: &str, options: &str) -> Fixture {
        let text = [HEAD, network].concat().replace("OPTIONS", options).replace("CHARACTERS", input);
        let text = text.replace("DROPOUT", dropout);
        let spec = polytask_spec::parse("test.toml", &text, &[], &[]).unwrap_or_else(|errors| panic!("{errors}")).spec;
        let mut words = Interner::new();
        let mut tokens = Ragged::new();
        for sentence in SENTENCES {
            tokens.push(&sentence.split_whitespace().map(|word| words.intern(word)).collect::<Vec<_>>());
        }
        // For tasks that compare two texts, each sentence stands beside one from the other end.
        let second = tokens.select(&[5, 4, 3, 2, 1, 0]);
        // `quux` and `sea` are unknown: they share the first row.
        let known: Vec<(&str, u64)> =
            words.words().filter(|word| !["quux", "sea"].contains(word)).map(|word| (word, 1)).collect();
        let vocabulary = Vocabulary::build(known.iter().copied(), &[], 1);
        let characters = Some(CharacterSet::from_words(known.iter().copied()));
        let table = vocabulary.initial_values(None, DIM, 1).expect("no vectors, so none is missing");
        let input = InputKnowledge::Words(WordsKnowledge { vocabulary, characters, dim: DIM });
        let prepared = input.prepare(&words);
        let fitted = Fitted { knowledge: input.clone(), initial: table };
        let (knowledge, targets): (Vec<Knowledge>, Vec<Targets>) =
            spec.task.values().map(|task| answers(&task.kind, task.target.name() == "ner")).unzip();
        let fitted = BTreeMap::from([("words".to_owned(), fitted)]);
        let mut model = Model::build(&spec, &knowledge, &fitted, Device::flex());
        // Zero biases and transitions are special points; tests start from none.
        let mut rng = Rng::new(5);
        for index in 0..model.parameters.dense().len() {
            model.parameters.update(index, |values| {
                values.iter_mut().for_each(|value| *value += 0.6 * (rng.uniform() as f32 - 0.5));
            });
        }
        let description = Description {
            format: FORMAT,
            inputs: [("words".to_owned(), input)].into_iter().collect(),
            tasks: spec.task.keys().cloned().zip(knowledge).collect(),
        };
        Fixture { spec, model, description, examples: Examples::of_pairs(tokens, "other", second), prepared, targets }
    }

    /// The task of a name.
    pub fn task(&self, name: &str) -> TaskId {
        TaskId(self.spec.task.get_index_of(name).expect("a task of this name"))
    }

    pub fn tasks(&self) -> Vec<TaskId> {
        (0..self.spec.task.len()).map(TaskId).collect()
    }

    pub fn feed<'a>(&'a self, index: &'a [u32]) -> Feed<'a> {
        Feed { examples: &self.examples, prepared: &self.prepared, index }
    }

    /// A pass that trains.
    pub fn pass(&self) -> Pass<'_> {
        Pass::new(&self.model.parameters, Mode::Train { seed: 3, step: 7 })
    }

    /// The mean loss of some tasks on some examples, on the tape of a pass.
    pub fn losses(&self, pass: &Pass<'_>, index: &[u32], tasks: &[TaskId]) -> Vec<Option<Tensor<1>>> {
        self.model.losses(pass, &[self.batch(index, tasks)]).remove(0)
    }

    /// Some examples with the targets of some tasks.
    pub fn batch<'a>(&'a self, index: &'a [u32], tasks: &[TaskId]) -> Batch<'a> {
        let target = |&task: &TaskId| (task, TargetBatch { targets: &self.targets[task.0], index });
        Batch { feed: self.feed(index), tasks: tasks.iter().map(target).collect() }
    }

    /// The losses as numbers.
    pub fn loss_values(&self, index: &[u32], tasks: &[TaskId]) -> Vec<Option<f64>> {
        let losses = self.losses(&self.pass(), index, tasks);
        losses.into_iter().map(|loss| Some(f64::from(loss?.into_scalar::<f32>()))).collect()
    }

    /// The gradients of the sum of the losses of some tasks, the first weighing 1, the next 1.5, and so on.
    pub fn gradients(&self, index: &[u32], tasks: &[TaskId]) -> Gradients {
        let pass = self.pass();
        let losses = self.losses(&pass, index, tasks);
        let weighted = losses.into_iter().enumerate().filter_map(|(at, loss)| Some(loss?.mul_scalar(weight(at))));
        let total = weighted.reduce(|sum, loss| sum + loss).expect("some task has a loss");
        pass.backward(total)
    }

    /// The sum that [`Fixture::gradients`] differentiates.
    pub fn total(&self, index: &[u32], tasks: &[TaskId]) -> f64 {
        let losses = self.loss_values(index, tasks);
        losses.into_iter().enumerate().filter_map(|(at, loss)| Some(weight(at) * loss?)).sum()
    }

    pub fn infer(&self, index: &[u32], tasks: &[TaskId]) -> Vec<Scores> {
        let pass = Pass::new(&self.model.parameters, Mode::Infer);
        self.model.infer(&pass, self.feed(index), tasks)
    }

    /// The position of a dense parameter.
    pub fn dense(&self, name: &str) -> usize {
        self.model
            .parameters
            .dense()
            .iter()
            .position(|parameter| parameter.name == name)
            .expect("a parameter of this name")
    }
}

fn weight(at: usize) -> f64 {
    1.0 + 0.5 * at as f64
}

/// What a head knows, and targets for the sentences.
fn answers(kind: &TaskKind, is_span: bool) -> (Knowledge, Targets) {
    match kind {
        TaskKind::Classify(spec) => {
            let labels = ["bad", "fair", "good"].map(String::from).to_vec();
            let weights = if spec.class_weights.is_some() { vec![0.5, 1.0, 2.0] } else { Vec::new() };
            (Knowledge::Classify { labels, weights }, Targets::Labels(vec![2, 0, MISSING, 1, 1, 2]))
        }
        TaskKind::Multilabel(spec) => {
            let labels = ["crime", "drama"].map(String::from).to_vec();
            let weights = if spec.positive_weights.is_some() { vec![3.0, 0.5] } else { Vec::new() };
            let mut sets = Ragged::new();
            [&[1, 0][..], &[], &[MISSING], &[1], &[0], &[1]].into_iter().for_each(|set| sets.push(set));
            (Knowledge::Multilabel { labels, weights }, Targets::LabelSets(sets))
        }
        TaskKind::Regress(_) => {
            let numbers = vec![4.0, 1.0, f32::NAN, 3.0, 2.5, 5.0];
            (Knowledge::Regress { mean: 3.0, deviation: 1.5 }, Targets::Numbers(numbers))
        }
        TaskKind::Tag(spec) => {
            let (names, rows) = if is_span { spans() } else { parts_of_speech() };
            let mut tags = Ragged::new();
            rows.iter().for_each(|row| tags.push(row));
            let set = TagSet::from_training(spec, &names, &tags);
            assert_eq!(set.scheme.is_some(), is_span);
            let encoded = set.encode(&names, &tags);
            (Knowledge::Tag(set), Targets::Tags(encoded))
        }
    }
}

fn spans() -> (Vec<String>, Vec<Vec<u32>>) {
    let names = ["B-LOC", "B-PER", "I-PER", "O"].map(String::from).to_vec();
    let third = vec![3, 3, MISSING, 3, 3, 3, 1, 3, 1];
    (names, vec![vec![1, 3, 3, 0], vec![3], third, vec![], vec![3, 0], vec![1, 2, 2, 3, 3, 0]])
}

fn parts_of_speech() -> (Vec<String>, Vec<Vec<u32>>) {
    let names = ["NN", "VB", "IN"].map(String::from).to_vec();
    let rows =
        vec![vec![0, 1, 2, 0], vec![MISSING], vec![MISSING; 9], vec![], vec![2, 0], vec![0, 2, MISSING, 1, 2, 0]];
    (names, rows)
}

/// The number of tags that a tagger tells apart.
pub fn tag_count(fixture: &Fixture, task: &str) -> usize {
    match &fixture.description.tasks[task] {
        Knowledge::Tag(set) => set.names.len(),
        _ => panic!("`{task}` is no tagger"),
    }
}
