//! How is a trained model judged again, from its directory and data files?

use polytask_data::open::Roots;
use polytask_metrics::spans;
use polytask_model::{Knowledge, Saved};

use crate::corpus::Corpus;
use crate::error::TrainError;
use crate::knowledge::{TaskTargets, task_targets};
use crate::plan::prepare;

/// The data of a saved model's configuration, as the model reads it.
#[derive(Debug)]
pub struct Reopened {
    /// The datasets.
    pub corpus: Corpus,
    /// The targets of each task.
    pub targets: Vec<TaskTargets>,
}

/// Reads the datasets that a saved model was trained on, with its own vocabulary and classes.
///
/// # Errors
///
/// Where files are missing or wrong, or their classes are not the model's.
pub fn reopen(saved: &Saved, roots: &Roots) -> Result<Reopened, TrainError> {
    let inputs = saved.description.inputs.iter();
    let tokenizers = inputs.filter_map(|(name, input)| Some((name.clone(), input.tokenizer()?.clone()))).collect();
    let mut corpus = Corpus::load(&saved.spec, roots, tokenizers)?;
    let knowledge: Vec<Knowledge> = saved.description.tasks.values().cloned().collect();
    for (name, task) in &saved.spec.task {
        let source = corpus.sources.iter().find(|source| source.name == task.data);
        let labels = source.and_then(|source| source.dataset.labels.get(&task.target.name()));
        let (Some(labels), known) = (labels, &saved.description.tasks[name]) else { continue };
        if let Some(stranger) = stranger(known, labels) {
            return Err(TrainError::Task(format!(
                "task `{name}`: the data of `{}` has `{stranger}`, which the model was not trained on\n  \
                 help: evaluate on the data that the model was trained with, or train it again",
                task.data
            )));
        }
    }
    prepare(&mut corpus, |input| &saved.description.inputs[input]);
    let targets = task_targets(&saved.spec, &corpus, &knowledge);
    Ok(Reopened { corpus, targets })
}

/// A label of the data that the model does not know, or that stands elsewhere in its list.
fn stranger(known: &Knowledge, labels: &[String]) -> Option<String> {
    let differs = |names: &[String]| {
        let wrong = labels.iter().enumerate().find(|(index, label)| names.get(*index) != Some(*label));
        wrong.map(|(_, label)| label.clone())
    };
    match known {
        Knowledge::Classify { labels, .. } | Knowledge::Multilabel { labels, .. } => differs(labels),
        Knowledge::Regress { .. } => None,
        Knowledge::Tag(tags) if tags.scheme.is_none() => differs(&tags.names),
        Knowledge::Tag(tags) => labels
            .iter()
            .flat_map(|tag| spans(&[tag]))
            .map(|span| span.kind)
            .find(|kind| !tags.names.iter().any(|name| name.strip_prefix("B-") == Some(kind))),
    }
}
