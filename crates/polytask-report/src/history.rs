//! What do a run's events say, epoch by epoch?

use std::path::Path;

use indexmap::IndexMap;
use polytask_run::{Event, FORMAT, Timing, Warning};
use serde::Serialize;
use serde_json::Value;

use crate::error::ReportError;
use crate::lines::{LineFault, each};
use crate::looks::Looks;
use crate::scores::{SplitScores, split};

/// One epoch of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Epoch {
    /// Epoch, counted from 1.
    pub epoch: usize,
    /// Optimizer steps so far.
    pub step: u64,
    /// Learning rate of the last step.
    pub learning_rate: f64,
    /// Mean global norm of the gradient before clipping.
    pub gradient_norm: f64,
    /// Mean share of task pairs whose gradients pointed against each other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conflict_rate: Option<f64>,
    /// Seconds of training steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_seconds: Option<f64>,
    /// Seconds of evaluation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluation_seconds: Option<f64>,
    /// Training examples a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub examples_per_second: Option<f64>,
    /// What each task saw.
    pub tasks: IndexMap<String, EpochTask>,
}

/// What a task saw in an epoch.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct EpochTask {
    /// Mean training loss, where the task trained in this epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub training_loss: Option<f64>,
    /// Mean weight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
    /// Loss on validation data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_loss: Option<f64>,
    /// The metric that decides, on validation data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
}

/// All that a run's events and times say.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Task names in order, from the event `start`.
    pub tasks: Vec<String>,
    /// Epochs that were asked for.
    pub epochs_planned: Option<usize>,
    /// Epochs in order, without the deciding scores.
    pub epochs: Vec<Epoch>,
    /// Validation scores by epoch.
    pub evaluations: IndexMap<usize, SplitScores>,
    /// Epoch and criterion of the model that was kept last.
    pub kept: Option<(usize, f64)>,
    /// Epoch in which a task stopped.
    pub stopped: IndexMap<String, usize>,
    /// Looks at how tasks were traded off.
    pub looks: Looks,
    /// What is likely to harm a task, in the order in which it was told.
    pub warnings: Vec<Warning>,
    /// Step and keys of each change of settings.
    pub changes: Vec<(u64, Vec<String>)>,
    /// Every line of the times, also of an epoch that was trained twice.
    pub times: Vec<Timing>,
}

/// Reads `events.jsonl` and `timing.jsonl` of a run directory; what is not there says nothing.
///
/// # Errors
///
/// Where a file cannot be read, or a line is damaged or of a later format.
pub fn history(run: &Path) -> Result<History, ReportError> {
    let mut history = History::default();
    each(&run.join("events.jsonl"), |value| history.add(event(value)?))?;
    each(&run.join("timing.jsonl"), |value| {
        history.times.push(serde_json::from_value(value)?);
        Ok(())
    })?;
    for time in &history.times {
        if let Some(epoch) = history.epochs.iter_mut().find(|epoch| epoch.epoch == time.epoch) {
            epoch.train_seconds = Some(time.train_seconds);
            epoch.evaluation_seconds = Some(time.evaluation_seconds);
            epoch.examples_per_second = Some(time.examples_per_second);
        }
    }
    Ok(history)
}

/// An event, its scores apart: those of later versions may hold more than numbers.
fn event(mut value: Value) -> Result<(Event, SplitScores), LineFault> {
    let mut scores = SplitScores::new();
    if value.get("event").and_then(Value::as_str) == Some("evaluation")
        && let Some(tasks) = value.get_mut("tasks")
    {
        scores = split(tasks.take()).map_err(|what| LineFault::Damaged(format!("evaluation: {what}")))?;
        *tasks = Value::Object(serde_json::Map::new());
    }
    Ok((serde_json::from_value(value)?, scores))
}

impl History {
    fn add(&mut self, (event, scores): (Event, SplitScores)) -> Result<(), LineFault> {
        match event {
            Event::Start { format, .. } if format > FORMAT => return Err(LineFault::Newer(format)),
            Event::Start { tasks, epochs, .. } => {
                self.tasks = tasks;
                self.epochs_planned = Some(epochs);
            }
            Event::Changed { step, keys } => self.changes.push((step, keys)),
            Event::Epoch { epoch, step, learning_rate, gradient_norm, tasks, conflict_rate } => {
                let tasks = tasks.into_iter().filter(|(_, task)| task.steps > 0).map(|(name, task)| {
                    let (training_loss, weight) = (Some(task.loss), Some(task.weight));
                    (name, EpochTask { training_loss, weight, ..EpochTask::default() })
                });
                let tasks = tasks.collect();
                let begun =
                    Epoch { epoch, step, learning_rate, gradient_norm, conflict_rate, tasks, ..Epoch::default() };
                self.epochs.push(begun);
            }
            Event::Balance { step, tasks, cosines, conflict_rate, .. } => {
                self.looks.add(step, &tasks, cosines, conflict_rate);
            }
            Event::Evaluation { epoch, .. } => {
                if let Some(known) = self.epochs.iter_mut().find(|known| known.epoch == epoch) {
                    for (task, scores) in &scores {
                        known.tasks.entry(task.clone()).or_default().validation_loss = Some(scores.scores.loss);
                    }
                }
                self.evaluations.insert(epoch, scores);
            }
            Event::Keep { epoch, criterion } => self.kept = Some((epoch, criterion)),
            Event::Stop { epoch, task, .. } => {
                self.stopped.insert(task, epoch);
            }
            Event::Warning(warning) => self.warnings.push(warning),
            Event::End { .. } => {}
        }
        Ok(())
    }
}
