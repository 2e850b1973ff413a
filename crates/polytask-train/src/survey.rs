//! What would a run do? The figures that `check` prints, without a step of training.

use indexmap::IndexMap;
use polytask_balance::Needs;
use polytask_data::duplicates::{Overlap, duplicates};
use polytask_data::table::Examples;
use polytask_model::{Knowledge, Targets, TaskId};
use polytask_spec::training::{GradientsAt, Sampling};
use serde::Serialize;

use crate::corpus::{Source, SplitName};
use crate::kept::Kept;
use crate::optimizer::Optimizer;
use crate::plan::Plan;
use crate::task_gradients::shared;

/// Everything that `check` reports.
#[derive(Debug, Clone, Serialize)]
pub struct Survey {
    /// The datasets that tasks read.
    pub datasets: Vec<DatasetSurvey>,
    /// The tasks.
    pub tasks: Vec<TaskSurvey>,
    /// Exact duplicates between any training and any validation or test set.
    pub duplicates: Vec<Duplicate>,
    /// Trained values that several tasks share.
    pub shared_parameters: usize,
    /// Values of word vectors that are not trained.
    pub frozen_parameters: usize,
    /// Estimate of the memory that training takes: parameters, moments, data and the activations of the largest batch, bytes.
    pub memory_bytes: usize,
    /// Optimizer steps of a full epoch.
    pub steps_per_epoch: usize,
    /// Epochs at most.
    pub epochs: usize,
    /// How sampling, balancing and selection work together, in sentences.
    pub notes: Vec<String>,
}

/// A dataset.
#[derive(Debug, Clone, Serialize)]
pub struct DatasetSurvey {
    /// Its name.
    pub name: String,
    /// Its splits.
    pub splits: Vec<SplitSurvey>,
    /// What reading it brought to light.
    pub notes: Vec<String>,
}

/// A split of a dataset.
#[derive(Debug, Clone, Serialize)]
pub struct SplitSurvey {
    /// `train`, `valid` or `test`.
    pub split: &'static str,
    /// Examples.
    pub examples: usize,
    /// Tokens, as far as they are kept.
    pub tokens: usize,
    /// Length in tokens before cutting: median, 90th and 99th percentile, longest.
    pub lengths: [u32; 4],
    /// Examples that were cut to `max_tokens`.
    pub truncated: usize,
    /// How well the input knows the contents: shares by name.
    pub coverage: IndexMap<&'static str, f64>,
}

/// A task.
#[derive(Debug, Clone, Serialize)]
pub struct TaskSurvey {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: &'static str,
    /// Its dataset.
    pub data: String,
    /// The metric that decides about it.
    pub metric: &'static str,
    /// Training examples, or tokens, of each class; empty for `regress`.
    pub classes: Vec<(String, usize)>,
    /// Mean and standard deviation of the training targets of `regress`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<[f64; 2]>,
    /// Trained values of the task alone.
    pub own_parameters: usize,
}

/// Examples that stand in a training set and in another split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Duplicate {
    /// The training set's dataset.
    pub train: String,
    /// The other dataset and split, `imdb test`.
    pub other: String,
    /// Distinct examples of the other split that also stand in the training set.
    pub examples: usize,
}

/// Gathers the figures of a plan.
pub fn survey(plan: &Plan) -> Survey {
    let parameters = &plan.model.parameters;
    Survey {
        datasets: plan.corpus.sources.iter().map(dataset).collect(),
        tasks: tasks(plan),
        duplicates: overlaps(plan),
        shared_parameters: parameters.shared_len(),
        frozen_parameters: parameters.frozen_len(),
        memory_bytes: memory_bytes(plan),
        steps_per_epoch: plan.steps_in_epoch(),
        epochs: plan.spec.train.epochs,
        notes: notes(plan),
    }
}

fn dataset(source: &Source) -> DatasetSurvey {
    let splits = [SplitName::Train, SplitName::Valid, SplitName::Test];
    let splits = splits.into_iter().filter_map(|name| Some(split(source, name, source.examples(name)?)));
    DatasetSurvey { name: source.name.clone(), splits: splits.collect(), notes: source.dataset.notes.clone() }
}

fn split(source: &Source, name: SplitName, examples: &Examples) -> SplitSurvey {
    let mut lengths = examples.full_lengths.clone();
    lengths.sort_unstable();
    let percentile = |share: f64| {
        let at = (share * lengths.len().saturating_sub(1) as f64).round() as usize;
        lengths.get(at).copied().unwrap_or(0)
    };
    let tokens = examples.texts().map(|tokens| tokens.values().len()).sum();
    SplitSurvey {
        split: name.name(),
        examples: examples.len(),
        tokens,
        lengths: [percentile(0.5), percentile(0.9), percentile(0.99), percentile(1.0)],
        truncated: examples.truncated,
        coverage: source.prepared.iter().flat_map(|prepared| prepared.coverage(examples)).collect(),
    }
}

fn tasks(plan: &Plan) -> Vec<TaskSurvey> {
    let knowledge = plan.description.tasks.values();
    plan.spec
        .task
        .iter()
        .zip(knowledge)
        .enumerate()
        .map(|(index, ((name, task), knowledge))| TaskSurvey {
            name: name.clone(),
            kind: task.kind.name(),
            data: task.data.clone(),
            metric: plan.deciding[index].key,
            classes: classes(plan, index, knowledge),
            scale: match knowledge {
                Knowledge::Regress { mean, deviation } => Some([*mean, *deviation]),
                _ => None,
            },
            own_parameters: plan.model.parameters.own_len(TaskId(index)),
        })
        .collect()
}

/// Training targets by class: examples of `classify` and `multilabel`, tokens of `tag`.
fn classes(plan: &Plan, task: usize, knowledge: &Knowledge) -> Vec<(String, usize)> {
    let Some(targets) = plan.targets[task].of(SplitName::Train) else { return Vec::new() };
    let (names, values): (&[String], &[u32]) = match (knowledge, targets) {
        (Knowledge::Classify { labels, .. }, Targets::Labels(values)) => (labels, values),
        (Knowledge::Multilabel { labels, .. }, Targets::LabelSets(values)) => (labels, values.values()),
        (Knowledge::Tag(tags), Targets::Tags(values)) => (&tags.names, values.values()),
        _ => return Vec::new(),
    };
    let mut counts = vec![0; names.len()];
    for &value in values.iter().filter(|&&value| value != u32::MAX) {
        counts[value as usize] += 1;
    }
    names.iter().cloned().zip(counts).collect()
}

fn overlaps(plan: &Plan) -> Vec<Duplicate> {
    let sources = &plan.corpus.sources;
    let train: Vec<(&str, &[u64])> =
        sources.iter().map(|source| (source.name.as_str(), source.dataset.train.hashes.as_slice())).collect();
    let others: Vec<(String, &[u64])> = sources
        .iter()
        .flat_map(|source| {
            [SplitName::Valid, SplitName::Test].into_iter().filter_map(|split| {
                let examples = source.examples(split).filter(|examples| !examples.is_empty())?;
                Some((format!("{} {}", source.name, split.name()), examples.hashes.as_slice()))
            })
        })
        .collect();
    let others: Vec<(&str, &[u64])> = others.iter().map(|(name, hashes)| (name.as_str(), *hashes)).collect();
    duplicates(&train, &others)
        .into_iter()
        .map(|Overlap { train, other, count }| Duplicate { train, other, examples: count })
        .collect()
}

/// Estimates the memory that training takes: parameters, moments, data and the activations of the largest batch, bytes.
pub fn memory_bytes(plan: &Plan) -> usize {
    let parameters = &plan.model.parameters;
    let own: usize = (0..plan.spec.task.len()).map(|task| parameters.own_len(TaskId(task))).sum();
    let trained = parameters.shared_len() + own;
    let optimizer = &plan.spec.optimizer;
    let moments = Optimizer::new(optimizer).arrays_max() + usize::from(optimizer.ema > 0.0);
    // Gradients that are summed up over draws are there beside those of the last draw.
    let sums = usize::from(plan.spec.train.accumulate > 1);
    let tokens: usize = plan
        .corpus
        .sources
        .iter()
        .flat_map(|source| [SplitName::Train, SplitName::Valid, SplitName::Test].map(|split| source.examples(split)))
        .flatten()
        .flat_map(|examples| examples.texts().map(|tokens| tokens.values().len()))
        .sum();
    let kept = |(tokens, longest): (usize, usize)| {
        let encoders = plan.spec.encoder.keys();
        tokens * encoders.map(|name| plan.model.kept_per_token(name, longest)).max().unwrap_or(0)
    };
    let activations = plan.corpus.sources.iter().map(|source| kept(largest_batch(plan, source))).max().unwrap_or(0);
    // Values and gradients are alive together on the way back; a checkpoint is written from copies, as bytes and as a file.
    let checkpoint = 2 * (trained * (1 + moments) + self::kept(plan));
    let balance = self::kept(plan) + compared(plan);
    4 * (trained * (2 + moments + sums) + balance + checkpoint + parameters.frozen_len() + tokens + 2 * activations)
}

/// Tokens of a batch of the longest texts, padding included, and of one text in it.
fn largest_batch(plan: &Plan, source: &Source) -> (usize, usize) {
    let longest = source.dataset.train.lengths().into_iter().max().unwrap_or(0) as usize;
    (plan.spec.batch_size(&source.name) * longest, longest)
}

/// Numbers that the balancer keeps of the gradients.
fn kept(plan: &Plan) -> usize {
    Kept::count(plan.balancer.keeps(), &plan.model.parameters, plan.spec.task.len())
}

/// Values of the gradients of single tasks that are in memory at once, those of a batch's word vectors aside.
fn compared(plan: &Plan) -> usize {
    let shared: usize = shared(&plan.model.parameters).map(|(_, parameter)| parameter.len()).sum();
    let tasks = plan.spec.task.len();
    match (plan.balancer.needs(), plan.spec.balance.gradients) {
        (Needs::Losses | Needs::LossesAfter, _) | (_, GradientsAt::Representation) => 0,
        (Needs::CrossGramian, _) => 3 * tasks * shared,
        _ => tasks * shared,
    }
}

/// What a balancer that compares gradients costs in a step.
fn cost_of_comparing(plan: &Plan) -> Option<String> {
    let (needs, key, tasks) = (plan.balancer.needs(), plan.balancer.key(), plan.spec.task.len());
    if matches!(needs, Needs::Losses | Needs::LossesAfter) {
        return None;
    }
    let mib = |values: usize| (4 * values).div_ceil(1 << 20);
    let own = match (needs, plan.spec.balance.gradients) {
        (_, GradientsAt::Representation) => {
            "compares gradients at the shared representation: one forward and one backward pass below it a step, one of each a \
             task above it"
                .to_owned()
        }
        (Needs::CrossGramian, _) => format!(
            "compares gradients of independent batches: {} forward and backward passes a step, three thirds of each task's \
             batch, the last of which gives the direction; {} MiB for the gradients",
            3 * tasks,
            mib(compared(plan))
        ),
        _ => format!(
            "compares gradients: {tasks} forward and backward passes a step, one a task, what convolutions over words have in \
             common once; {} MiB for the gradients",
            mib(compared(plan))
        ),
    };
    let kept = kept(plan);
    let kept = if kept > 0 { format!(", {} MiB for what it keeps of them", mib(kept)) } else { String::new() };
    Some(format!("`{key}` {own}{kept}"))
}

/// What looks at the affinities of tasks cost.
fn cost_of_affinities(plan: &Plan) -> Option<String> {
    let (tasks, watch) = (plan.spec.task.len(), plan.spec.balance.watch);
    (plan.spec.balance.affinity && watch > 0).then(|| {
        let looks = if watch == 1 { "every step".to_owned() } else { format!("every {watch} steps") };
        format!("affinities of tasks: {} forward passes of all tasks more {looks}", tasks + 1)
    })
}

fn notes(plan: &Plan) -> Vec<String> {
    let mut notes = Vec::new();
    let train = &plan.spec.train;
    notes.push(match train.sampling {
        Sampling::Proportional => "each step trains on a batch of one dataset, drawn in proportion to its size".into(),
        Sampling::Uniform => "each step trains on a batch of one dataset, all drawn equally often".into(),
        Sampling::RoundRobin => "each step trains on a batch of one dataset, all in turn".into(),
        Sampling::Temperature => {
            let power = format!("1 / {}", train.temperature());
            format!("each step trains on a batch of one dataset, drawn by its size to the power of {power}")
        }
        Sampling::Annealed => {
            "each step trains on a batch of one dataset, by size at first, more evenly from epoch to epoch".into()
        }
        Sampling::Joint => "each step trains on a batch of every dataset".to_owned(),
    });
    notes.extend(cost_of_comparing(plan));
    notes.extend(cost_of_affinities(plan));
    for source in &plan.corpus.sources {
        if source.dataset.test.is_none() {
            notes.push(format!("dataset `{}` has no test set: its tasks get no test scores", source.name));
        }
    }
    for name in plan.spec.data.keys() {
        if !plan.corpus.sources.iter().any(|source| source.name == *name) {
            notes.push(format!("dataset `{name}` is read by no task, and was not opened"));
        }
    }
    notes
}
