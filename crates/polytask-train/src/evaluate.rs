//! How good is a model on a split?

use std::collections::HashSet;

use indexmap::IndexMap;
use polytask_data::batches::inference_batches;
use polytask_data::table::Examples;
use polytask_kernels::threads;
use polytask_metrics::{Outcomes, TaskScores};
use polytask_model::{Judge, LossSum, Mode, Model, Pass, Prediction, TargetBatch, TaskId};

use crate::corpus::{Corpus, Source, SplitName};
use crate::knowledge::TaskTargets;

/// Scores of tasks on a split, and what its examples came to, by task.
pub type Judged = (IndexMap<String, TaskScores>, IndexMap<String, Outcomes>);

/// Scores every task whose dataset has the split, in the order of the configuration, and says what its examples came to.
pub fn evaluate_split(
    model: &Model,
    corpus: &Corpus,
    targets: &[TaskTargets],
    tasks: &[String],
    split: SplitName,
) -> Judged {
    let mut all: Vec<Option<(TaskScores, Outcomes)>> = vec![None; tasks.len()];
    for source in &corpus.sources {
        let Some(examples) = source.examples(split) else { continue };
        let unknown = |task: &TaskId| Outcomes::unknown(model.head(*task).judge().kind(), examples.len());
        let mut outcomes: Vec<Outcomes> = source.tasks.iter().map(unknown).collect();
        let mut note = |position: usize, judge: &dyn Judge, predictions: &[Prediction], batch: TargetBatch<'_>| {
            judge.note(&mut outcomes[position], predictions, batch);
        };
        let scores = threads::inside(|| judged(model, source, targets, (split, None), &mut note));
        let both = scores.into_iter().zip(outcomes);
        source.tasks.iter().zip(both).for_each(|(task, both)| all[task.0] = Some(both));
    }
    let named = tasks.iter().zip(all).filter_map(|(name, both)| Some((name, both?)));
    named.map(|(name, (scores, outcomes))| ((name.clone(), scores), (name.clone(), outcomes))).unzip()
}

/// Scores tasks on those test examples whose text stands in no training set of the corpus, in the order of the configuration;
/// empty where all test examples are of that kind, and without the tasks of datasets that have none.
pub fn evaluate_unseen(
    model: &Model,
    corpus: &Corpus,
    targets: &[TaskTargets],
    tasks: &[String],
) -> IndexMap<String, TaskScores> {
    let trained: HashSet<u64> =
        corpus.sources.iter().flat_map(|source| &source.dataset.train.hashes).copied().collect();
    let unseen = |source: &Source| -> Option<Vec<u32>> {
        let hashes = &source.examples(SplitName::Test)?.hashes;
        Some((0..).zip(hashes).filter(|(_, hash)| !trained.contains(hash)).map(|(example, _)| example).collect())
    };
    let chosen: Vec<Option<Vec<u32>>> = corpus.sources.iter().map(unseen).collect();
    let all = corpus.sources.iter().map(|source| source.examples(SplitName::Test).map(Examples::len));
    if chosen.iter().map(|chosen| chosen.as_ref().map(Vec::len)).eq(all) {
        return IndexMap::new();
    }
    let mut scores: Vec<Option<TaskScores>> = vec![None; tasks.len()];
    for (source, chosen) in corpus.sources.iter().zip(chosen) {
        let Some(chosen) = chosen.filter(|chosen| !chosen.is_empty()) else { continue };
        let found = threads::inside(|| evaluate(model, source, targets, SplitName::Test, Some(&chosen)));
        source.tasks.iter().zip(found).for_each(|(task, found)| scores[task.0] = Some(found));
    }
    tasks.iter().cloned().zip(scores).filter_map(|(name, scores)| Some((name, scores?))).collect()
}

/// Scores the tasks of one dataset on a split, or on the `chosen` examples of it, in the order of `source.tasks`; nothing where
/// it has no such split.
///
/// Texts are batched by length. Loss and metrics leave missing targets out.
pub fn evaluate(
    model: &Model,
    source: &Source,
    targets: &[TaskTargets],
    split: SplitName,
    chosen: Option<&[u32]>,
) -> Vec<TaskScores> {
    judged(model, source, targets, (split, chosen), &mut |_, _, _, _| {})
}

/// Is told the predictions of a batch: the position of the task in its dataset's, its judge, what it predicts, its targets.
type Told<'a> = dyn FnMut(usize, &dyn Judge, &[Prediction], TargetBatch<'_>) + Send + 'a;

fn judged(
    model: &Model,
    source: &Source,
    targets: &[TaskTargets],
    (split, chosen): (SplitName, Option<&[u32]>),
    told: &mut Told<'_>,
) -> Vec<TaskScores> {
    let Some(examples) = source.examples(split) else { return Vec::new() };
    let batches = match chosen {
        None => inference_batches(&examples.lengths()),
        Some(chosen) => {
            let lengths = examples.lengths();
            let mut batches = inference_batches(&chosen.iter().map(|&at| lengths[at as usize]).collect::<Vec<_>>());
            batches.iter_mut().flatten().for_each(|place| *place = chosen[*place as usize]);
            batches
        }
    };
    let of = |task: &TaskId| targets[task.0].of(split).expect("a dataset's tasks have the splits that it has");
    let mut judges: Vec<_> = source.tasks.iter().map(|&task| model.head(task).judge()).collect();
    let mut losses = vec![LossSum::default(); source.tasks.len()];
    for index in batches {
        let pass = Pass::new(&model.parameters, Mode::Infer);
        let all_scores = model.infer(&pass, source.feed(examples, &index), &source.tasks);
        for (position, (&task, scores)) in source.tasks.iter().zip(&all_scores).enumerate() {
            let batch = TargetBatch { targets: of(&task), index: &index };
            let head = model.head(task);
            let loss = head.loss_of(&pass, scores, batch);
            losses[position].add(loss);
            let predictions = head.decide(&pass, scores);
            judges[position].update(&predictions, batch);
            told(position, judges[position].as_ref(), &predictions, batch);
        }
    }
    judges
        .iter()
        .zip(losses)
        .map(|(judge, loss)| TaskScores {
            loss: loss.mean(),
            examples: judge.examples(),
            metrics: judge.metrics(),
            classes: judge.classes(),
            confusion: judge.confusion(),
        })
        .collect()
}
