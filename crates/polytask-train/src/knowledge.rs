//! What do tasks learn from the training data before training, and what are their targets?

use polytask_data::load::Dataset;
use polytask_data::table::{Examples, Ragged};
use polytask_model::{Knowledge, TagSet, TargetBatch, Targets, TaskId};
use polytask_spec::Spec;
use polytask_spec::task::{TagScheme, TagTask, TaskKind};

use crate::class_weights;
use crate::corpus::{Corpus, Source, SplitName};
use crate::error::{Faults, TrainError};

/// The targets of one task on every split of its dataset.
#[derive(Debug)]
pub struct TaskTargets {
    train: Targets,
    valid: Targets,
    test: Option<Targets>,
}

impl TaskTargets {
    /// The targets of a split; `None` where the dataset has no such split.
    pub fn of(&self, split: SplitName) -> Option<&Targets> {
        match split {
            SplitName::Train => Some(&self.train),
            SplitName::Valid => Some(&self.valid),
            SplitName::Test => self.test.as_ref(),
        }
    }

    /// The targets of some training examples.
    pub fn train_batch<'a>(&'a self, index: &'a [u32]) -> TargetBatch<'a> {
        TargetBatch { targets: &self.train, index }
    }
}

/// The dataset of each task, by task.
pub fn sources_of_tasks(corpus: &Corpus, tasks: usize) -> Vec<usize> {
    let find = |task| corpus.sources.iter().position(|source| source.tasks.contains(&TaskId(task)));
    (0..tasks).map(|task| find(task).expect("every task's dataset was read")).collect()
}

/// Gathers what each task's head must know: its classes, its scale, its tags.
///
/// # Errors
///
/// Where a target cannot be learned: one value only, or none at all.
pub fn knowledge(spec: &Spec, corpus: &Corpus) -> Result<Vec<Knowledge>, TrainError> {
    let sources = sources_of_tasks(corpus, spec.task.len());
    let mut faults = Faults::default();
    let found: Vec<Option<Knowledge>> = spec
        .task
        .iter()
        .zip(sources)
        .map(|((name, task), source)| {
            let dataset = &corpus.sources[source].dataset;
            let column = &task.target.name();
            match &task.kind {
                TaskKind::Classify(spec) => {
                    let labels = dataset.labels[column].clone();
                    let targets = dataset.train.labels(column).expect("the target was asked for as labels");
                    let weights = class_weights::of_classes(name, spec.class_weights.as_ref(), &labels, targets)?;
                    Ok(Knowledge::Classify { labels, weights })
                }
                TaskKind::Multilabel(spec) => {
                    let labels = dataset.labels[column].clone();
                    let sets = dataset.train.label_sets(column).expect("the target was asked for as sets");
                    let weights = class_weights::of_labels(name, spec.positive_weights.as_ref(), &labels, sets)?;
                    Ok(Knowledge::Multilabel { labels, weights })
                }
                TaskKind::Regress(_) => {
                    let numbers = dataset.train.numbers(column).expect("the target was asked for as numbers");
                    scale(name, numbers)
                }
                TaskKind::Tag(spec) => {
                    let tags = dataset.train.tags(column).expect("the target was asked for as tags");
                    tag_set(name, (column, spec), dataset, tags)
                }
            }
        })
        .map(|result| faults.take(result))
        .collect();
    if let Some(found) = found.iter().cloned().collect::<Option<Vec<Knowledge>>>() {
        faults.take(check_shared_heads(spec, &found));
    }
    faults.finish(found.into_iter().collect())
}

/// Makes sure that tasks that share a head have the same classes.
fn check_shared_heads(spec: &Spec, knowledge: &[Knowledge]) -> Result<(), TrainError> {
    let mut faults = Faults::default();
    for (index, (name, task)) in spec.task.iter().enumerate() {
        let Some(head) = &task.head else { continue };
        let Some((first, first_name, _)) = spec.tasks_of_head(head).next() else { continue };
        let (own, expected) = (knowledge[index].classes(), knowledge[first].classes());
        if own != expected {
            let shown = |names: Option<&[String]>| names.unwrap_or_default().join(", ");
            let message = format!(
                "`{name}` cannot share the head `{head}` with `{first_name}`: its classes are {}, not {}",
                shown(own),
                shown(expected)
            );
            let help = "give the data the same classes, or each task a head of its own";
            faults.take::<()>(Err(TrainError::config(&["task", name, "head"], message, help)));
        }
    }
    faults.finish(Some(()))
}

/// The tags of a task, where its training tags are what its scheme says.
fn tag_set(
    task: &str,
    (column, spec): (&str, &TagTask),
    dataset: &Dataset,
    tags: &Ragged<u32>,
) -> Result<Knowledge, TrainError> {
    let names = &dataset.labels[column];
    if let Some(odd) = TagSet::odd_tag(spec, names) {
        let place = dataset.train.place_of_tag(column, odd as u32);
        let place = place.map_or_else(String::new, |place| format!("{}:{}: ", place.file, place.line));
        let scheme = match spec.scheme {
            TagScheme::Auto => "the other tags are span tags (`O`, or a prefix such as `B-` and a type)".to_owned(),
            scheme => format!("scheme {scheme:?} has `O`, or a prefix such as `B-` and a type").to_lowercase(),
        };
        return Err(TrainError::Task(format!(
            "{place}task `{task}`: `{}` is no span tag, but {scheme}\n  help: correct the tag, or set \
             `scheme = \"none\"` under [task.{task}] if tags are no spans",
            names[odd]
        )));
    }
    Ok(Knowledge::Tag(TagSet::from_training(spec, names, tags)))
}

/// Mean and standard deviation of the present numbers.
fn scale(task: &str, numbers: &[f32]) -> Result<Knowledge, TrainError> {
    let present: Vec<f64> = numbers.iter().filter(|y| !y.is_nan()).map(|&y| f64::from(y)).collect();
    let count = present.len() as f64;
    let mean = present.iter().sum::<f64>() / count;
    let deviation = (present.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / count).sqrt();
    if present.is_empty() || deviation == 0.0 || !deviation.is_finite() {
        let found = if present.is_empty() { "none is present".to_owned() } else { format!("all are {mean}") };
        return Err(TrainError::Task(format!(
            "task `{task}`: its training targets must differ to be learned, but {found}"
        )));
    }
    Ok(Knowledge::Regress { mean, deviation })
}

/// The targets of every task on every split, as its head reads them.
pub fn task_targets(spec: &Spec, corpus: &Corpus, knowledge: &[Knowledge]) -> Vec<TaskTargets> {
    let sources = sources_of_tasks(corpus, spec.task.len());
    spec.task
        .values()
        .zip(knowledge)
        .zip(sources)
        .map(|((task, knowledge), source)| {
            let source = &corpus.sources[source];
            let column = task.target.name();
            let of = |examples: &Examples| split_targets(&column, source, examples, knowledge);
            TaskTargets {
                train: of(&source.dataset.train),
                valid: of(&source.dataset.valid),
                test: source.dataset.test.as_ref().map(of),
            }
        })
        .collect()
}

/// Makes sure that every task has something to be judged by.
///
/// # Errors
///
/// Where all validation targets of a task are missing.
pub fn check_valid(spec: &Spec, targets: &[TaskTargets]) -> Result<(), TrainError> {
    let mut faults = Faults::default();
    for ((name, task), targets) in spec.task.iter().zip(targets) {
        let present = match &targets.valid {
            Targets::Labels(labels) => labels.iter().any(|&label| label != u32::MAX),
            Targets::Numbers(numbers) => numbers.iter().any(|number| !number.is_nan()),
            Targets::Tags(tags) => tags.values().iter().any(|&tag| tag != u32::MAX),
            Targets::LabelSets(sets) => sets.iter().any(|set| !set.contains(&u32::MAX)),
        };
        if !present {
            let message = format!(
                "task `{name}`: no validation example of `{}` has a `{}`, so nothing could decide about the task",
                task.data, task.target
            );
            faults.take::<()>(Err(TrainError::Task(message)));
        }
    }
    faults.finish(Some(()))
}

fn split_targets(column: &str, source: &Source, examples: &Examples, knowledge: &Knowledge) -> Targets {
    let message = "the target was asked for when the dataset was read";
    match knowledge {
        Knowledge::Classify { .. } => Targets::Labels(examples.labels(column).expect(message).to_vec()),
        Knowledge::Multilabel { .. } => Targets::LabelSets(examples.label_sets(column).expect(message).clone()),
        Knowledge::Regress { .. } => Targets::Numbers(examples.numbers(column).expect(message).to_vec()),
        Knowledge::Tag(tags) => {
            Targets::Tags(tags.encode(&source.dataset.labels[column], examples.tags(column).expect(message)))
        }
    }
}
