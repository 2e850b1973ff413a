//! Which examples does a configuration bring together?

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;
use polytask_data::interner::Interner;
use polytask_data::load::{self, AsKind, Dataset, Request, Target, TextOptions};
use polytask_data::open::Roots;
use polytask_data::subwords::Subwords;
use polytask_data::table::Examples;
use polytask_model::{Feed, Prepared, TaskId};
use polytask_spec::Spec;
use polytask_spec::network::Input;
use polytask_spec::task::{Target as Columns, TaskKind};

use crate::error::{Faults, TrainError};

/// A part of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SplitName {
    /// Trained on.
    Train,
    /// Judged on while training; decides about stopping and the kept model.
    Valid,
    /// Judged on once, at the end.
    Test,
}

impl SplitName {
    /// The name in tables and files.
    pub fn name(self) -> &'static str {
        match self {
            SplitName::Train => "train",
            SplitName::Valid => "valid",
            SplitName::Test => "test",
        }
    }
}

/// A dataset that tasks read, and the tasks.
#[derive(Debug)]
pub struct Source {
    /// The dataset's name.
    pub name: String,
    /// The input that reads it.
    pub input: String,
    /// Its tasks, in the order of the configuration.
    pub tasks: Vec<TaskId>,
    /// Its examples.
    pub dataset: Dataset,
    /// What its contents are to the input; filled once the input is fitted.
    pub prepared: Option<Arc<Prepared>>,
}

/// All datasets that tasks read.
#[derive(Debug)]
pub struct Corpus {
    /// In the order in which tasks first name them.
    pub sources: Vec<Source>,
    /// The words that each input met, by its name.
    pub words: BTreeMap<String, Interner>,
    /// The tokenizers of the inputs that have one, by the input's name.
    pub tokenizers: BTreeMap<String, Subwords>,
}

impl Source {
    /// The examples of a split; `None` where the dataset has no such split.
    pub fn examples(&self, split: SplitName) -> Option<&Examples> {
        match split {
            SplitName::Train => Some(&self.dataset.train),
            SplitName::Valid => Some(&self.dataset.valid),
            SplitName::Test => self.dataset.test.as_ref(),
        }
    }

    /// Some examples of a split, as the network reads them.
    pub fn feed<'a>(&'a self, examples: &'a Examples, index: &'a [u32]) -> Feed<'a> {
        let prepared = self.prepared.as_deref().expect("a plan prepares its datasets before they are read");
        Feed { examples, prepared, index }
    }
}

impl Corpus {
    /// Tells whether two corpora hold the same examples and targets, cut by the same tokenizers.
    pub fn fingerprint(&self) -> u64 {
        let datasets = self.sources.iter().map(|source| source.dataset.fingerprint());
        let tokenizers = self.tokenizers.values().map(Subwords::fingerprint);
        datasets.chain(tokenizers).fold(0, |sum: u64, part| sum.rotate_left(7) ^ part)
    }

    /// Reads every dataset that a task names; `tokenizers` are those of the inputs that have one.
    ///
    /// # Errors
    ///
    /// Where a file is missing or wrong, or two tasks read one dataset through different inputs.
    pub fn load(spec: &Spec, roots: &Roots, tokenizers: BTreeMap<String, Subwords>) -> Result<Corpus, TrainError> {
        let mut faults = Faults::default();
        let mut wanted: IndexMap<&str, (&str, Vec<TaskId>)> = IndexMap::new();
        for (index, (name, task)) in spec.task.iter().enumerate() {
            let input = spec.input_of(task);
            let (seen, tasks) = wanted.entry(&task.data).or_insert_with(|| (input, Vec::new()));
            if *seen != input {
                let message = format!("dataset `{}` is read through input `{input}` and through `{seen}`", task.data);
                let help = "name the dataset twice under [data], once for each input";
                faults.take::<()>(Err(TrainError::config(&["task", name, "data"], message, help)));
            }
            tasks.push(TaskId(index));
        }
        let mut words: BTreeMap<String, Interner> = BTreeMap::new();
        let mut sources = Vec::new();
        for (name, (input, tasks)) in wanted {
            let request = Request {
                name,
                data: &spec.data[name],
                roots,
                seed: spec.seed,
                text: text_options(spec, input, &tasks),
                subwords: tokenizers.get(input),
                targets: &targets(spec, &tasks),
            };
            let loaded = load::load(&request, words.entry(input.to_owned()).or_default());
            if let Some(dataset) = faults.take(loaded.map_err(TrainError::from)) {
                sources.push(Source { name: name.to_owned(), input: input.to_owned(), tasks, dataset, prepared: None });
            }
        }
        faults.finish(Some(Corpus { sources, words, tokenizers }))
    }
}

/// How the text of a dataset is read. A sentence that is tagged is never cut: every token is to be judged.
fn text_options(spec: &Spec, input: &str, tasks: &[TaskId]) -> TextOptions {
    let tagged = tasks.iter().any(|task| matches!(spec.task[task.0].kind, TaskKind::Tag(_)));
    match &spec.input[input] {
        Input::Words(words) => TextOptions {
            tokenize: words.tokenize,
            max_tokens: if tagged { usize::MAX } else { words.max_tokens },
            truncate: words.truncate,
        },
    }
}

/// The columns that tasks predict, each once a kind.
fn targets(spec: &Spec, tasks: &[TaskId]) -> Vec<Target> {
    let mut targets: Vec<Target> = Vec::new();
    for task in tasks {
        let task = &spec.task[task.0];
        let kind = match task.kind {
            TaskKind::Classify(_) => AsKind::Label,
            TaskKind::Multilabel(ref kind) => match &task.target {
                Columns::One(_) => AsKind::Labels { separator: kind.separator() },
                Columns::Many(columns) => AsKind::Flags(columns.clone()),
            },
            TaskKind::Regress(_) => AsKind::Number,
            TaskKind::Tag(_) => AsKind::Tags,
        };
        let target = Target { column: task.target.name(), as_: kind };
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    targets
}
