//! What did a task reach alone? The curve of a run that trained nothing else.

use std::fs;
use std::path::Path;

use polytask_data::error::{Error, Malformed};
use polytask_data::open::Roots;
use polytask_metrics::catalogue;
use polytask_model::{Knowledge, Targets};
use polytask_run::{Event, FORMAT, RunDirectory, RunError, Status};
use polytask_spec::{Spec, suggest};
use serde_json::Value;

use crate::corpus::SplitName;
use crate::error::{Faults, TrainError};
use crate::knowledge::TaskTargets;

/// The validation scores of a run of one task.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// The metric that decides about the task.
    pub metric: &'static catalogue::Entry,
    /// One point an epoch, in order, where the metric was defined; at least one.
    pub points: Vec<Point>,
}

/// An epoch of a run of one task.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Epoch, counted from 1.
    pub epoch: usize,
    /// Steps of the task up to its end.
    pub steps: u64,
    /// Value of the metric on validation data.
    pub value: f64,
}

impl Curve {
    /// The best value of the epochs that end within so many steps of the task, and the last of those epochs; `None` where none
    /// does.
    pub fn best_within(&self, steps: u64) -> Option<(f64, usize)> {
        let within: Vec<&Point> = self.points.iter().take_while(|point| point.steps <= steps).collect();
        let values = within.iter().map(|point| point.value);
        let best =
            values.reduce(|best, value| if self.metric.higher_is_better { best.max(value) } else { best.min(value) });
        Some((best?, within.last()?.epoch))
    }
}

/// The curve of each task whose `alone` names a run, in the order of the configuration.
///
/// # Errors
///
/// Where a path names no complete run of the task alone that was judged by the same metric on as many validation examples, or
/// the run's events are damaged or of a later format.
pub(crate) fn curves(
    spec: &Spec,
    roots: &Roots,
    deciding: &[&'static catalogue::Entry],
    knowledge: &[Knowledge],
    targets: &[TaskTargets],
) -> Result<Vec<Option<Curve>>, TrainError> {
    let mut faults = Faults::default();
    let mut found = Vec::new();
    for (index, (task, described)) in spec.task.iter().enumerate() {
        let Some(run) = &described.alone else {
            found.push(None);
            continue;
        };
        let wanted =
            Wanted { task, run, metric: deciding[index], examples: judged(&targets[index], &knowledge[index]) };
        found.push(faults.take(wanted.read(roots)));
    }
    faults.finish(Some(found))
}

/// Validation examples that count, as [`TaskScores`](polytask_metrics::TaskScores) counts them.
fn judged(targets: &TaskTargets, knowledge: &Knowledge) -> usize {
    const MISSING: u32 = u32::MAX;
    match targets.of(SplitName::Valid) {
        Some(Targets::Labels(labels)) => labels.iter().filter(|label| **label != MISSING).count(),
        Some(Targets::Numbers(numbers)) => numbers.iter().filter(|number| !number.is_nan()).count(),
        Some(Targets::LabelSets(sets)) => (0..sets.len()).filter(|&at| !sets.get(at).contains(&MISSING)).count(),
        Some(Targets::Tags(tags)) => {
            let spans = matches!(knowledge, Knowledge::Tag(tags) if tags.scheme.is_some());
            let counts = |tags: &[u32]| match tags.iter().filter(|tag| **tag == MISSING).count() {
                0 => !tags.is_empty(),
                missing => !spans && missing < tags.len(),
            };
            (0..tags.len()).filter(|&at| counts(tags.get(at))).count()
        }
        None => 0,
    }
}

/// What a run has to hold.
struct Wanted<'a> {
    task: &'a str,
    run: &'a str,
    metric: &'static catalogue::Entry,
    examples: usize,
}

/// What was found so far.
#[derive(Default)]
struct Found {
    begun: bool,
    steps: u64,
    evaluations: usize,
    metrics: Vec<String>,
    points: Vec<Point>,
}

impl Wanted<'_> {
    fn read(&self, roots: &Roots) -> Result<Curve, TrainError> {
        let run = RunDirectory::open(&roots.resolve(self.run)?).map_err(|error| match error {
            RunError::NotARun { .. } => {
                let help = format!("name the directory of a run that trained `{}` alone", self.task);
                self.fault(format!("`{}` is no run directory: it has no run.json", self.run), help)
            }
            other => other.into(),
        })?;
        if run.status()? != Status::Complete {
            let help = "go on with it (polytask train --resume), or leave `alone` out";
            return Err(self.fault(format!("the run `{}` is not complete", self.run), help));
        }
        let path = run.path().join("events.jsonl");
        let bytes = fs::read(&path).map_err(|source| Error::io(path.display().to_string(), source))?;
        let mut found = Found::default();
        for (line, text) in (1..).zip(bytes.split(|&byte| byte == b'\n')).filter(|(_, text)| !text.is_empty()) {
            self.take(&mut found, event(&path, line, text)?, &path, line)?;
        }
        self.finish(found, &path)
    }

    fn take(&self, found: &mut Found, event: Option<Event>, path: &Path, line: u64) -> Result<(), TrainError> {
        let absent = |event: &str| {
            let what = format!("no task `{}` in it", self.task);
            malformed(path, line, &format!("an event `{event}` with the tasks of the event `start`"), what)
        };
        match event {
            Some(Event::Start { format, .. }) if format > FORMAT => {
                return Err(RunError::Newer { path: path.into(), found: format }.into());
            }
            Some(Event::Start { tasks, .. }) => {
                self.is_alone(&tasks)?;
                found.begun = true;
            }
            Some(Event::Epoch { tasks, .. }) => {
                found.steps += tasks.get(self.task).ok_or_else(|| absent("epoch"))?.steps;
            }
            Some(Event::Evaluation { epoch, split, tasks, .. }) if split == "valid" => {
                let scores = tasks.get(self.task).ok_or_else(|| absent("evaluation"))?;
                if scores.examples != self.examples {
                    let (there, here) = (scores.examples, self.examples);
                    let message =
                        format!("`{}` was judged on {there} validation examples, here there are {here}", self.run);
                    return Err(self.fault(message, "train the task alone on the same data and splits"));
                }
                found.evaluations += 1;
                found.metrics = scores.metrics.keys().cloned().collect();
                if let Some(&value) = scores.metrics.get(self.metric.key) {
                    found.points.push(Point { epoch, steps: found.steps, value });
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn is_alone(&self, tasks: &[String]) -> Result<(), TrainError> {
        let quoted = tasks.iter().map(|task| format!("`{task}`")).collect::<Vec<_>>().join(", ");
        if !tasks.iter().any(|task| task == self.task) {
            let help = suggest(self.task, tasks.iter().map(String::as_str));
            return Err(
                self.fault(format!("the run `{}` has no task `{}`, it has {quoted}", self.run, self.task), help)
            );
        }
        if tasks.len() > 1 {
            let help = format!("name a run that trained `{}` and nothing else", self.task);
            return Err(self.fault(format!("the run `{}` trained {quoted} together", self.run), help));
        }
        Ok(())
    }

    fn finish(&self, found: Found, path: &Path) -> Result<Curve, TrainError> {
        if !found.begun {
            return Err(malformed(path, 0, "an event `start`", "none".into()));
        }
        if found.evaluations == 0 {
            return Err(malformed(path, 0, "an event `evaluation` of the split `valid`", "none".into()));
        }
        if found.points.is_empty() {
            let key = self.metric.key;
            let message =
                format!("`{}` has no `{key}` on validation data, it has {}", self.run, found.metrics.join(", "));
            let help = format!("decide by a metric that both have: `task.{}.metric`", self.task);
            return Err(self.fault(message, help));
        }
        Ok(Curve { metric: self.metric, points: found.points })
    }

    fn fault(&self, message: String, help: impl Into<String>) -> TrainError {
        TrainError::config(&["task", self.task, "alone"], message, help)
    }
}

/// The event of a line; `None` for those that say nothing of a curve, among them kinds that later versions may add.
fn event(path: &Path, line: u64, text: &[u8]) -> Result<Option<Event>, TrainError> {
    let value: Value = serde_json::from_slice(text).map_err(|error| {
        let what = error.to_string();
        let what = what.split(" at line ").next().unwrap_or_default();
        malformed(path, line, "an event of a run, one JSON object", format!("{what} (column {})", error.column()))
    })?;
    let kind = value.get("event").and_then(Value::as_str).unwrap_or_default().to_owned();
    if !matches!(kind.as_str(), "start" | "epoch" | "evaluation") {
        return Ok(None);
    }
    let read = serde_json::from_value(value).map(Some);
    read.map_err(|error| malformed(path, line, &format!("the fields of an event `{kind}`"), error.to_string()))
}

fn malformed(path: &Path, line: u64, accepted: &str, found: String) -> TrainError {
    let help = "copy the run anew, or train it again into another directory".to_owned();
    let file = path.display().to_string();
    Error::from(Malformed { file, line, column: None, accepted: accepted.to_owned(), found, help }).into()
}
