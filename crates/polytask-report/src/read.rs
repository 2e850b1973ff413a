//! How does a run directory become a report?

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use indexmap::IndexMap;
use polytask_run::{Best, RunDirectory, RunError, Status};
use serde_json::Value;

use crate::cost::{Cost, parameters};
use crate::error::ReportError;
use crate::history::{History, history};
use crate::numbers::score;
use crate::report::{Change, Direction, FORMAT, Kept, Report, Task, Told, value};
use crate::scores::{Scores, SplitScores, split};
use crate::settings::Settings;

/// Deciding metrics where the configuration names none, in the order in which they are taken.
const DECIDING: [&str; 5] = ["span-f1", "f1-macro", "rmse", "f1-micro", "accuracy"];

/// Reads a run directory; a run that is not complete is read as far as it got.
///
/// # Errors
///
/// Where there is no run, or a file is damaged, of a later format, or cannot be read.
pub fn read(path: &Path) -> Result<Report, ReportError> {
    let run = RunDirectory::open(path)?;
    let status = run.status()?;
    let config = absent_is_none(run.config())?.unwrap_or_default();
    let settings = Settings::parse(&path.join("config.toml"), &config)?;
    let environment = absent_is_none(run.environment())?;
    let mut history = history(path)?;
    let metrics = metrics(path, status)?;
    let parts = parameters(&run.model().join("weights.safetensors"))?;
    let parameters = parts.as_ref().map(|parts| parts.values().sum());
    let cost = Cost { parameters, parts: parts.unwrap_or_default(), ..Cost::of(&history.times) };

    let kept = match &metrics {
        Some(metrics) => Some(metrics.kept.clone()),
        None => history.kept.map(|(epoch, value)| Kept {
            epoch,
            epochs: history.epochs.len(),
            criterion: settings.shown().swap_remove("train.select"),
            value,
        }),
    };
    let tasks = tasks(&settings, &mut history, metrics.as_ref(), kept.as_ref());
    let kept_scores = kept.as_ref().and_then(|kept| history.evaluations.get(&kept.epoch).cloned());
    let splits = match metrics {
        Some(metrics) => metrics.splits,
        None => kept_scores.map(|scores| ("valid".to_owned(), scores)).into_iter().collect(),
    };
    let told = |warning: polytask_run::Warning| Told { sentence: warning.to_string(), warning };
    let changes = history.changes.into_iter().map(|(step, keys)| Change { step, keys });
    Ok(Report {
        format: FORMAT,
        name: run.name().to_owned(),
        status,
        verdict: verdict(status, history.epochs.len(), history.epochs_planned, kept.as_ref()),
        kept,
        epochs_planned: history.epochs_planned,
        warnings: history.warnings.into_iter().map(told).collect(),
        tasks,
        splits,
        epochs: history.epochs,
        balance: history.looks.means(),
        changes: changes.collect(),
        cost,
        settings: settings.shown(),
        environment,
        config,
        looks: history.looks,
    })
}

fn absent_is_none<T>(read: Result<T, RunError>) -> Result<Option<T>, RunError> {
    match read {
        Err(RunError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

/// `metrics.json`, with scores that may hold more than numbers.
struct FinalScores {
    kept: Kept,
    best: IndexMap<String, Best>,
    splits: IndexMap<String, SplitScores>,
}

fn metrics(run: &Path, status: Status) -> Result<Option<FinalScores>, ReportError> {
    let path = run.join("metrics.json");
    let damaged = |what: String| ReportError::Run(RunError::Damaged { path: path.clone(), what });
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound && status == Status::Complete => {
            return Err(damaged("run.json says that it is complete, but there are no metrics".to_owned()));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.map_err(|source| RunError::Io { path: path.clone(), source })?,
    };
    let mut root: Value = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
    if let Some(found) =
        root.get("format").and_then(Value::as_u64).filter(|&found| found > u64::from(polytask_run::FORMAT))
    {
        return Err(RunError::Newer { path, found: found.try_into().unwrap_or(u32::MAX) }.into());
    }
    let mut take = |key: &str| root.get_mut(key).map(Value::take).ok_or_else(|| damaged(format!("`{key}` is missing")));
    let faulty = |key: &str, what: &dyn std::fmt::Display| damaged(format!("{key}: {what}"));
    let kept: polytask_run::Kept = serde_json::from_value(take("kept")?).map_err(|error| faulty("kept", &error))?;
    let best = serde_json::from_value(take("best")?).map_err(|error| faulty("best", &error))?;
    let Value::Object(by_split) = take("splits")? else { return Err(damaged("`splits` is no object".to_owned())) };
    let mut splits = IndexMap::new();
    for (name, scores) in by_split {
        let scores = split(scores).map_err(|what| faulty(&format!("splits.{name}"), &what))?;
        splits.insert(name, scores);
    }
    let polytask_run::Kept { epoch, epochs, criterion, value } = kept;
    Ok(Some(FinalScores { kept: Kept { epoch, epochs, criterion: Some(criterion), value }, best, splits }))
}

/// The tasks with their deciding scores, which are written into the epochs too.
fn tasks(
    settings: &Settings,
    history: &mut History,
    metrics: Option<&FinalScores>,
    kept: Option<&Kept>,
) -> IndexMap<String, Task> {
    let mut names: Vec<String> = history.tasks.clone();
    let scored = metrics.into_iter().flat_map(|metrics| metrics.splits.values()).flat_map(SplitScores::keys);
    let named: Vec<&str> = if names.is_empty() { settings.tasks().collect() } else { Vec::new() };
    for name in scored.map(String::as_str).chain(named) {
        if names.iter().all(|known| known != name) {
            names.push(name.to_owned());
        }
    }
    let task = |name: &String| {
        let scores = history.evaluations.values().rev().find_map(|scores| scores.get(name));
        let metric = metrics.and_then(|metrics| Some(metrics.best.get(name)?.metric.clone()));
        let metric = metric.or_else(|| settings.of_task(name, "metric")).or_else(|| first_metric(scores?));
        let mut task = Task {
            kind: settings.of_task(name, "kind"),
            stopped_epoch: history.stopped.get(name).copied(),
            ..Task::default()
        };
        let Some(metric) = metric else { return task };
        for epoch in &mut history.epochs {
            let scores = history.evaluations.get(&epoch.epoch).and_then(|scores| scores.get(name));
            let Some(found) = scores.and_then(|scores| value(scores, &metric)) else { continue };
            epoch.tasks.entry(name.clone()).or_default().score = Some(found);
            if task.best.is_none_or(|best| Direction::of(&metric).is_better(found, best)) {
                (task.best, task.best_epoch) = (Some(found), Some(epoch.epoch));
            }
            if kept.is_some_and(|kept| kept.epoch == epoch.epoch) {
                task.kept = Some(found);
            }
        }
        if let Some(best) = metrics.and_then(|metrics| metrics.best.get(name)) {
            (task.best, task.best_epoch, task.kept) = (Some(best.value), Some(best.epoch), Some(best.kept));
        }
        task.metric = Some(metric);
        task
    };
    let tasks: Vec<Task> = names.iter().map(task).collect();
    names.into_iter().zip(tasks).collect()
}

fn first_metric(scores: &Scores) -> Option<String> {
    let metrics = &scores.scores.metrics;
    let usual = DECIDING.into_iter().find(|key| metrics.contains_key(*key)).map(str::to_owned);
    usual.or_else(|| metrics.keys().next().cloned())
}

fn verdict(status: Status, epochs: usize, planned: Option<usize>, kept: Option<&Kept>) -> String {
    let of = planned.map_or_else(String::new, |planned| format!(" of {planned}"));
    let place = match epochs {
        0 => "before the end of its first epoch".to_owned(),
        _ => format!("after epoch {epochs}{of}"),
    };
    let how_far = match status {
        Status::Complete => String::new(),
        Status::Running => format!("Still training, or ended without a word, {place}."),
        Status::Interrupted => format!("Interrupted {place}; it can be resumed."),
        Status::Failed => format!("Failed {place}."),
    };
    let Some(kept) = kept else { return how_far };
    let criterion = kept.criterion.as_ref();
    let by = criterion.map_or_else(String::new, |name| format!(" by {name} = {}", score(kept.value)));
    let meaning = match criterion.map(String::as_str) {
        Some("worst-regret") if kept.value <= 0.0 => ": on validation data every task is at its own best",
        Some("worst-regret") => ": on validation data no task is further than that below its own best",
        Some("mean") => ": the highest mean of the tasks' scores on validation data",
        _ => "",
    };
    if status == Status::Complete {
        return format!("Kept the model of epoch {} of {}{by}{meaning}.", kept.epoch, kept.epochs);
    }
    format!("{how_far} Kept so far: the model of epoch {}{by}{meaning}.", kept.epoch)
}
