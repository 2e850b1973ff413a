//! How does a run go from its plan to its end?

use std::fs::File;
use std::io::Write;
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use polytask_data::sampler::Step;
use polytask_kernels::threads;
use polytask_metrics::TaskScores;
use polytask_model::Knowledge;
use polytask_run::{
    Event, ExampleOutcomes, Kept, Metrics, RunDirectory, Status, Timing, commit_directory, peak_memory,
};

use crate::checkpoint;
use crate::corpus::SplitName;
use crate::error::{Diverged, TrainError};
use crate::evaluate::{Judged, evaluate_split, evaluate_unseen};
use crate::journal;
use crate::looked;
use crate::observer::{Observer, Progress};
use crate::plan::Plan;
use crate::schedule::Schedule;
use crate::state::{State, Tally};
use crate::step;
use crate::warnings::Warnings;

/// Version of the format of `events.jsonl` and `metrics.json`.
const FORMAT: u32 = 1;

/// How a call of [`train`] or [`resume`] ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The run is complete.
    Complete(Box<Metrics>),
    /// The observer asked to stop; the run can be resumed.
    Interrupted,
}

/// Trains a plan into a fresh run directory.
///
/// # Errors
///
/// Where a loss or gradient stops being finite, or a file cannot be written. What was checkpointed stays.
pub fn train(plan: Plan, run: &RunDirectory, observer: &mut dyn Observer) -> Result<Outcome, TrainError> {
    let _lock = run.lock()?;
    let state = State::new(&plan);
    let mut session = Session::open(plan, state, run, observer)?;
    session.announce()?;
    session.run_to_end()
}

/// Goes on from a run's last checkpoint; from the start where there is none yet.
///
/// `changed` are keys of the configuration that differ from those that the run began with; they are noted in the events.
///
/// # Errors
///
/// As [`train`], and where the checkpoint is damaged, or of another configuration or other data.
pub fn resume(
    plan: Plan,
    run: &RunDirectory,
    changed: &[String],
    observer: &mut dyn Observer,
) -> Result<Outcome, TrainError> {
    let _lock = run.lock()?;
    let (mut plan, mut state) = (plan, None);
    let path = run.checkpoints().join("last.safetensors");
    if path.exists() {
        let mut restored = State::new(&plan);
        checkpoint::load(&path, &mut plan, &mut restored)?;
        state = Some(restored);
    }
    run.set_status(Status::Running)?;
    let fresh = state.is_none();
    let state = state.unwrap_or_else(|| State::new(&plan));
    let mut session = Session::open(plan, state, run, observer)?;
    if fresh {
        session.announce()?;
    }
    if !changed.is_empty() {
        let step = session.state.step;
        session.emit(&Event::Changed { step, keys: changed.to_vec() })?;
        // More epochs may have been asked for.
        session.state.finished &= session.state.epoch >= session.plan.spec.train.epochs;
    }
    session.run_to_end()
}

/// One process's work on a run.
struct Session<'a> {
    plan: Plan,
    state: State,
    run: &'a RunDirectory,
    observer: &'a mut dyn Observer,
    events: File,
    schedule: Schedule,
    tasks: Vec<String>,
    warnings: Warnings,
    started: Instant,
    checkpointed: Instant,
}

impl<'a> Session<'a> {
    fn open(
        plan: Plan,
        state: State,
        run: &'a RunDirectory,
        observer: &'a mut dyn Observer,
    ) -> Result<Session<'a>, TrainError> {
        let path = run.path().join("events.jsonl");
        let events = journal::events(&path, state.events_bytes)?;
        let mut warnings = Warnings::new(&plan.spec, &plan.alone);
        journal::each(&path, |_, event| {
            // What they tell stands in the file already.
            warnings.see(&event);
            Ok(())
        })?;
        let schedule = Schedule::new(&plan.spec.optimizer, plan.mean_steps_in_epoch(), plan.spec.train.epochs);
        let (tasks, now) = (plan.task_names(), Instant::now());
        Ok(Session { plan, state, run, observer, events, schedule, tasks, warnings, started: now, checkpointed: now })
    }

    fn announce(&mut self) -> Result<(), TrainError> {
        self.emit(&Event::Start {
            format: FORMAT,
            tasks: self.tasks.clone(),
            steps_per_epoch: self.plan.steps_in_epoch(),
            epochs: self.plan.spec.train.epochs,
        })
    }

    fn run_to_end(&mut self) -> Result<Outcome, TrainError> {
        let outcome = self.epochs().and_then(|ended| if ended { self.finish() } else { self.interrupt() });
        if outcome.is_err() {
            // The error to report is the first one, not a second failure to note it.
            let _ = self.run.set_status(Status::Failed);
        }
        outcome
    }

    fn interrupt(&mut self) -> Result<Outcome, TrainError> {
        self.checkpoint()?;
        self.run.set_status(Status::Interrupted)?;
        Ok(Outcome::Interrupted)
    }

    /// Trains epoch after epoch; false where the observer asked to stop.
    fn epochs(&mut self) -> Result<bool, TrainError> {
        while !self.state.finished {
            let active: Vec<bool> = self
                .plan
                .corpus
                .sources
                .iter()
                .map(|source| source.tasks.iter().any(|task| self.state.standing.is_active(task.0)))
                .collect();
            let steps = self.plan.sampler.epoch(self.state.epoch, &active, &self.state.taken);
            self.plan.model.parameters.begin_epoch(self.state.epoch);
            let began = Instant::now();
            let Some(examples) = threads::enter(|| self.train_epoch(&steps))? else { return Ok(false) };
            let trained = began.elapsed();
            self.end_epoch(&steps)?;
            self.note_time(trained, began.elapsed() - trained, examples)?;
        }
        Ok(true)
    }

    /// Takes the remaining steps of an epoch and returns how many examples they held.
    fn train_epoch(&mut self, steps: &[Step]) -> Result<Option<usize>, TrainError> {
        let (began, mut examples) = (Instant::now(), 0);
        let draws = self.plan.spec.train.accumulate.max(1);
        while let Some(next) = steps.chunks(draws).nth(self.state.step_in_epoch) {
            if self.observer.stop() {
                return Ok(None);
            }
            let stepped = step::take(&mut self.plan, &mut self.state, &self.schedule, next)?;
            self.state.tally.add(&stepped);
            if let Some(event) = looked::event(&self.plan, &self.state, &stepped, &self.tasks) {
                self.emit(&event)?;
            }
            self.state.step_in_epoch += 1;
            examples += stepped.examples;
            let seconds = began.elapsed().as_secs_f64();
            self.observer.step(&Progress {
                epoch: self.state.epoch + 1,
                epochs: self.plan.spec.train.epochs,
                step: self.state.step_in_epoch,
                steps: steps.len().div_ceil(draws),
                tasks: &self.tasks,
                losses: &self.state.tally.mean_losses(),
                examples_per_second: examples as f64 / seconds.max(1e-9),
                seconds,
            });
            if self.checkpointed.elapsed() >= Duration::from_secs(self.plan.spec.train.checkpoint_seconds) {
                self.checkpoint()?;
            }
        }
        Ok(Some(examples))
    }

    /// Evaluates, decides what is kept and who stops, and writes it down.
    fn end_epoch(&mut self, steps: &[Step]) -> Result<(), TrainError> {
        let epoch = self.state.epoch + 1;
        let tally = std::mem::replace(&mut self.state.tally, Tally::new(self.tasks.len()));
        self.emit(&Event::Epoch {
            epoch,
            step: self.state.step,
            learning_rate: self.schedule.rate(self.state.step.saturating_sub(1)) * self.state.plateau.factor(),
            gradient_norm: tally.mean_gradient_norm(),
            tasks: tally.scores(&self.tasks),
            conflict_rate: tally.mean_conflict_rate(),
        })?;
        self.observer.notice("evaluating on validation data");
        if let Some(average) = &mut self.state.average {
            average.lend(&mut self.plan.model.parameters);
        }
        let (scores, _) = self.scores(SplitName::Valid)?;
        let step = self.state.step;
        let mut tasks = scores.clone();
        // Which class is taken for which is told once, of the kept model.
        tasks.values_mut().for_each(|scores| scores.confusion = None);
        self.emit(&Event::Evaluation { epoch, step, split: "valid".into(), tasks })?;
        let values = self.deciding_scores(&scores);
        let verdict = self.state.standing.judge(epoch, &values, &self.plan.spec.train);
        if verdict.keep {
            checkpoint::save_weights(&self.run.checkpoints().join("kept.safetensors"), &self.plan)?;
            let criterion = self.state.standing.criterion(self.plan.spec.train.select);
            self.emit(&Event::Keep { epoch, criterion: criterion.value })?;
        }
        if let Some(average) = &mut self.state.average {
            average.take_back(&mut self.plan.model.parameters);
        }
        self.schedule.judge(&mut self.state.plateau, values.iter().sum::<f64>() / values.len().max(1) as f64);
        for task in verdict.stopped {
            let best_epoch = self.state.standing.best_epoch(task);
            self.emit(&Event::Stop { epoch, task: self.tasks[task].clone(), best_epoch })?;
        }
        for batch in steps.iter().flat_map(|step| &step.batches) {
            self.state.taken[batch.source] += 1;
        }
        self.state.epoch = epoch;
        self.state.step_in_epoch = 0;
        self.state.finished = epoch >= self.plan.spec.train.epochs || self.state.standing.all_stopped();
        if self.state.finished {
            let kept_epoch = self.state.standing.kept_epoch();
            self.emit(&Event::End { epochs: epoch, step: self.state.step, kept_epoch })?;
        }
        self.checkpoint()
    }

    fn scores(&self, split: SplitName) -> Result<Judged, TrainError> {
        let found = evaluate_split(&self.plan.model, &self.plan.corpus, &self.plan.targets, &self.tasks, split);
        for (name, task) in &found.0 {
            if !task.loss.is_finite() {
                return Err(self.diverged(split, name, task).into());
            }
        }
        Ok(found)
    }

    fn diverged(&self, split: SplitName, task: &str, scores: &TaskScores) -> Diverged {
        let source = self.plan.corpus.sources.iter().find(|source| source.name == self.plan.spec.task[task].data);
        let source = source.expect("every task has its dataset");
        let place = source.examples(split).expect("what was evaluated is there").place(0);
        Diverged {
            what: if split == SplitName::Test { "test loss" } else { "validation loss" },
            task: task.to_owned(),
            value: scores.loss,
            step: self.state.step,
            // At the end of the run the last epoch is counted already.
            epoch: (self.state.epoch + 1).min(self.plan.spec.train.epochs),
            dataset: source.name.clone(),
            examples: scores.examples,
            place: format!("{}:{}", place.file, place.line),
        }
    }

    /// The score of each task that decides, the higher the better and without a unit.
    fn deciding_scores(&self, scores: &IndexMap<String, TaskScores>) -> Vec<f64> {
        let knowledge = self.plan.description.tasks.values();
        let deciding = self.plan.deciding.iter().zip(knowledge).zip(&self.tasks);
        deciding
            .map(|((entry, knowledge), task)| {
                // A metric that is undefined on the validation data has nothing to say for the model: it is never its best.
                const NEVER_BEST: f64 = -1e9;
                let value = scores[task].metrics.get(entry.key).copied();
                match (value, knowledge) {
                    (None, Knowledge::Classify { .. } | Knowledge::Multilabel { .. }) if !entry.higher_is_better => {
                        NEVER_BEST
                    }
                    (None, _) => 0.0,
                    (Some(value), _) if entry.higher_is_better => value,
                    // In units of the deviation a density is larger by as much, and its logarithm by the logarithm.
                    (Some(value), Knowledge::Regress { deviation, .. }) if entry.key == "gaussian-nll" => {
                        deviation.ln() - value
                    }
                    (Some(value), Knowledge::Regress { deviation, .. }) => 1.0 - value / deviation,
                    (Some(value), _) => -value,
                }
            })
            .collect()
    }

    /// Judges the kept model once on every split and writes scores and model.
    fn finish(&mut self) -> Result<Outcome, TrainError> {
        checkpoint::load_weights(&self.run.checkpoints().join("kept.safetensors"), &mut self.plan)?;
        self.observer.notice("evaluating the kept model");
        let ((valid, of_valid), (test, of_test)) = (self.scores(SplitName::Valid)?, self.scores(SplitName::Test)?);
        let mut splits = IndexMap::from([("valid".to_owned(), valid)]);
        if !test.is_empty() {
            splits.insert("test".to_owned(), test);
        }
        let Plan { model, corpus, targets, .. } = &self.plan;
        let unseen = evaluate_unseen(model, corpus, targets, &self.tasks);
        if !unseen.is_empty() {
            splits.insert("test-unseen".to_owned(), unseen);
        }
        let best = journal::best(self.run.path(), &self.plan.deciding, &splits["valid"])?;
        let criterion = self.state.standing.criterion(self.plan.spec.train.select);
        let metrics = Metrics {
            format: FORMAT,
            kept: Kept {
                epoch: self.state.standing.kept_epoch(),
                epochs: self.state.epoch,
                criterion: criterion.name.to_owned(),
                value: criterion.value,
            },
            best,
            splits,
        };
        let plan = &self.plan;
        commit_directory(&self.run.model(), |directory| -> Result<(), TrainError> {
            Ok(polytask_model::save(directory, &plan.spec, &plan.description, &plan.model.parameters)?)
        })?;
        self.run.write_outcomes(&ExampleOutcomes::new(FORMAT, of_valid, of_test))?;
        self.run.write_metrics(&metrics)?;
        self.run.set_status(Status::Complete)?;
        Ok(Outcome::Complete(Box::new(metrics)))
    }

    fn checkpoint(&mut self) -> Result<(), TrainError> {
        self.events.sync_data().map_err(|source| self.events_error(source))?;
        checkpoint::save(&self.run.checkpoints().join("last.safetensors"), &self.plan, &self.state)?;
        self.checkpointed = Instant::now();
        Ok(())
    }

    fn emit(&mut self, event: &Event) -> Result<(), TrainError> {
        let mut line = serde_json::to_vec(event).expect("events are plain values");
        line.push(b'\n');
        self.events.write_all(&line).map_err(|source| self.events_error(source))?;
        self.state.events_bytes += line.len() as u64;
        self.observer.event(event, self.started.elapsed().as_secs_f64());
        self.warnings.see(event).into_iter().try_for_each(|warning| self.emit(&Event::Warning(warning)))
    }

    fn note_time(&self, train: Duration, evaluation: Duration, examples: usize) -> Result<(), TrainError> {
        let timing = Timing {
            epoch: self.state.epoch,
            train_seconds: train.as_secs_f64(),
            evaluation_seconds: evaluation.as_secs_f64(),
            examples_per_second: examples as f64 / train.as_secs_f64().max(1e-9),
            peak_memory_bytes: peak_memory(),
        };
        let mut line = serde_json::to_vec(&timing).expect("times are plain values");
        line.push(b'\n');
        let path = self.run.path().join("timing.jsonl");
        journal::append(&path, &line).map_err(|source| TrainError::Io { path, source })
    }

    fn events_error(&self, source: std::io::Error) -> TrainError {
        TrainError::Io { path: self.run.path().join("events.jsonl"), source }
    }
}
