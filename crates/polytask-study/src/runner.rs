//! How does a study go from its configuration to its runs' ends?

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex};

use polytask_data::open::Roots;
use polytask_run::{
    Environment, Event, Metrics, RunDirectory, RunError, Status, Timing, forget_peak_memory, write_atomically,
};
use polytask_spec::Spec;
use polytask_spec::study::Arm;
use polytask_train::{Observer, Outcome, Plan, Progress, TrainError, resume, train};
use serde::{Deserialize, Serialize};

use crate::choice::score;
use crate::clock::{Clock, Place};
use crate::error::StudyError;
use crate::executor::Executor;
use crate::job::{Job, alone_of, group_jobs, jobs_of};
use crate::pace::Pace;
use crate::related::best_groups;
use crate::widths::Widths;

/// Is told how a study goes, by any thread, and may stop it.
pub trait Watch: Sync {
    /// A run begins, or goes on.
    fn begins(&self, job: &Job, place: &Place);

    /// A step of a run is done.
    fn step(&self, job: &Job, place: &Place, progress: &Progress<'_>);

    /// A run that this process trained ended; `seconds` of training and evaluation, earlier processes' included.
    fn ended(&self, job: &Job, end: &End, seconds: f64, place: &Place);

    /// Whether the study shall stop now, each run with a checkpoint.
    fn stop(&self) -> bool;
}

/// How a run of a study ended.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// It is complete.
    Complete(Box<Metrics>),
    /// A loss or a parameter stopped being a number; what was said.
    Diverged(String),
    /// The budget was used up before.
    NotRun,
}

/// What the runs of a study left.
#[derive(Debug, Clone, PartialEq)]
pub struct Ran {
    /// Every run, in the order of [`jobs_of`], with its end; those beyond the budget are not run.
    pub ends: Vec<(Job, End)>,
    /// Whether the study was stopped, and goes on when it is run again.
    pub interrupted: bool,
}

/// Where a study's runs stand.
pub fn run_path(study: &Path, job: &Job) -> PathBuf {
    study.join("runs").join(&job.id)
}

/// What a study is run with.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    /// Where runs are trained.
    pub executor: &'a dyn Executor,
    /// What they take, where it is known.
    pub pace: Option<&'a Pace>,
    /// The widths of networks of equal total size.
    pub widths: &'a Widths,
}

/// Trains the runs of a study under `path`, as far as its budget allows; complete runs are passed over, others go on. A pace lets the
/// watch know from the start how long it will take.
///
/// # Errors
///
/// Where `path` holds another study, the configuration or the data is wrong, or a file cannot be written. A run that diverges is
/// no error: it is noted and the others go on.
pub fn run(
    spec: &Spec,
    roots: &Roots,
    path: &Path,
    environment: &Environment,
    means: Means<'_>,
    watch: &dyn Watch,
) -> Result<Ran, StudyError> {
    let Means { executor, pace, widths } = means;
    let all = jobs_of(spec, widths)?;
    begin(spec, path)?;
    let minutes = spec.study.as_ref().and_then(|study| study.budget.minutes);
    // Runs that go on from others find these in the study's directory.
    let dirs = std::iter::once(path).chain(roots.dirs.iter().map(PathBuf::as_path)).map(Path::to_path_buf);
    let session = Session {
        roots: Roots { dirs: dirs.collect() },
        path,
        environment,
        watch,
        seconds_max: minutes.map(|minutes| 60.0 * minutes),
        state: Mutex::new(State {
            ends: BTreeMap::new(),
            seconds: 0.0,
            settled: BTreeSet::new(),
            clock: Clock::new(&all.planned, |job| Some(pace?.seconds(job))),
            error: None,
            interrupted: false,
        }),
        changed: Condvar::new(),
    };
    let work = |job: &Job| {
        let next = session.work(job);
        session.settled(job);
        next
    };
    executor.run(&all.planned, &work);
    let mut all = all;
    let more = session.groups(spec, &all.planned)?;
    session.state().clock.expect(&more, |job| Some(pace?.seconds(job)));
    let room =
        spec.study.as_ref().and_then(|study| study.budget.runs).map_or(more.len(), |runs| runs - all.planned.len());
    let (more, beyond) = more.split_at(room.min(more.len()));
    executor.run(more, &work);
    all.planned.extend_from_slice(more);
    all.beyond.extend_from_slice(beyond);
    let state = session.state.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(error) = state.error {
        return Err(error);
    }
    let mut ends = state.ends;
    let planned = all.planned.into_iter().map(|job| {
        let end = ends.remove(&job.id).unwrap_or(End::NotRun);
        (job, end)
    });
    let beyond = all.beyond.into_iter().map(|job| (job, End::NotRun));
    Ok(Ran { ends: planned.chain(beyond).collect(), interrupted: state.interrupted })
}

/// Whether a run's configuration is that of a job, whatever curves alone it knew.
fn is_of(config: &str, job: &Job) -> bool {
    let without = |mut spec: Spec| {
        spec.task.values_mut().for_each(|task| task.alone = None);
        spec
    };
    let parsed = polytask_spec::parse("config.toml", config, &[], &polytask_train::extensions());
    parsed.is_ok_and(|parsed| without(parsed.spec) == without(job.spec.clone()))
}

/// Makes the directory of a study, or finds that it holds this one.
fn begin(spec: &Spec, path: &Path) -> Result<(), StudyError> {
    let config = path.join("config.toml");
    let io = |source| StudyError::Io { path: config.clone(), source };
    if config.exists() {
        let known = fs::read_to_string(&config).map_err(io)?;
        let parsed = polytask_spec::parse(&config.display().to_string(), &known, &[], &polytask_train::extensions());
        let known = parsed.map_err(|errors| RunError::Damaged { path: config.clone(), what: errors.to_string() })?.spec;
        let plain = |spec: &Spec| Spec { study: None, threads: None, ..spec.clone() };
        if plain(&known) != plain(spec) {
            return Err(StudyError::Changed { path: config });
        }
    }
    fs::create_dir_all(path.join("runs")).map_err(io)?;
    write_atomically(&config, spec.to_toml().as_bytes()).map_err(io)
}

/// One process's work on a study.
struct Session<'a> {
    roots: Roots,
    path: &'a Path,
    environment: &'a Environment,
    watch: &'a dyn Watch,
    seconds_max: Option<f64>,
    state: Mutex<State>,
    /// Woken whenever a run has settled.
    changed: Condvar,
}

struct State {
    ends: BTreeMap<String, End>,
    /// Runs that ended or will not be trained now.
    settled: BTreeSet<String>,
    /// Seconds of training and evaluation of all runs, earlier processes' included.
    seconds: f64,
    clock: Clock,
    error: Option<StudyError>,
    interrupted: bool,
}

impl Session<'_> {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // The state is whole after every statement, also where another thread panicked.
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The runs of groups, where the study has them and the runs that they follow from have ended.
    fn groups(&self, spec: &Spec, planned: &[Job]) -> Result<Vec<Job>, StudyError> {
        let state = self.state();
        let asked = spec.study.as_ref().is_some_and(|study| study.arms.contains(&Arm::Groups));
        if !asked || state.interrupted || state.error.is_some() {
            return Ok(Vec::new());
        }
        let end = |job: &Job| (job.clone(), state.ends.get(&job.id).cloned().unwrap_or(End::NotRun));
        let ends: Vec<(Job, End)> = planned.iter().map(end).collect();
        drop(state);
        match best_groups(spec, &ends) {
            Some(groups) => group_jobs(spec, &groups),
            None => Ok(Vec::new()),
        }
    }

    fn settled(&self, job: &Job) {
        self.state().settled.insert(job.id.clone());
        self.changed.notify_all();
    }

    /// Waits for the run that a job goes on from, which was begun before it; whether its model is there.
    fn is_ready(&self, job: &Job) -> bool {
        let Some(after) = &job.after else { return true };
        let mut state = self.state();
        while !state.settled.contains(&after.id) {
            state = self.changed.wait(state).unwrap_or_else(|poisoned| poisoned.into_inner());
        }
        matches!(state.ends.get(&after.id), Some(End::Complete(_)))
    }

    fn work(&self, job: &Job) -> ControlFlow<()> {
        if !self.is_ready(job) {
            return ControlFlow::Continue(());
        }
        let over = self.seconds_max.is_some_and(|most| self.state().seconds >= most);
        // A run that is complete already costs nothing more.
        if over && self.status(job).ok().flatten() != Some(Status::Complete) {
            return ControlFlow::Continue(());
        }
        let complete = self.status(job).ok().flatten() == Some(Status::Complete);
        let result = self.end_of(job);
        let seconds = cost_of(&run_path(self.path, job)).unwrap_or_default().seconds;
        let mut state = self.state();
        state.seconds += seconds;
        match result {
            Ok(Some(end)) => {
                match complete {
                    true => state.clock.found(&job.id, 1.0),
                    false => state.clock.at(&job.id, 1.0),
                }
                state.clock.ended();
                state.ends.insert(job.id.clone(), end.clone());
                let place = state.clock.place();
                drop(state);
                if !complete {
                    self.watch.ended(job, &end, seconds, &place);
                }
                ControlFlow::Continue(())
            }
            Ok(None) => {
                state.interrupted = true;
                ControlFlow::Break(())
            }
            Err(error) => {
                state.error.get_or_insert(error);
                ControlFlow::Break(())
            }
        }
    }

    fn status(&self, job: &Job) -> Result<Option<Status>, RunError> {
        match RunDirectory::open(&run_path(self.path, job)) {
            Ok(run) => run.status().map(Some),
            Err(RunError::NotARun { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Trains a job to its end, or finds that it is there; none where the study is to stop.
    fn end_of(&self, job: &Job) -> Result<Option<End>, StudyError> {
        let path = run_path(self.path, job);
        let spec = self.spec_of(job);
        let config = spec.to_toml();
        let status = self.status(job)?;
        if status.is_some() {
            let run = RunDirectory::open(&path)?;
            if !is_of(&run.config()?, job) {
                return Err(StudyError::Changed { path: path.join("config.toml") });
            }
            if status == Some(Status::Complete) {
                return Ok(Some(End::Complete(Box::new(run.metrics()?))));
            }
        }
        if self.watch.stop() {
            return Ok(None);
        }
        self.watch.begins(job, &self.place());
        forget_peak_memory();
        let plan = Plan::new(spec, &self.roots)?;
        let mut observer = JobObserver { session: self, job, resumed: status.is_some() };
        let outcome = match status {
            Some(_) => resume(plan, &RunDirectory::open(&path)?, &[], &mut observer),
            None => {
                let environment = Environment { seed: job.seed, ..self.environment.clone() };
                train(plan, &RunDirectory::create(&path, &job.spec.name, &config, &environment)?, &mut observer)
            }
        };
        match outcome {
            Ok(Outcome::Complete(metrics)) => Ok(Some(End::Complete(metrics))),
            Ok(Outcome::Interrupted) => Ok(None),
            Err(error @ (TrainError::Diverged(_) | TrainError::NotFinite { .. })) => {
                Ok(Some(End::Diverged(error.to_string())))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A job's configuration; where all tasks are trained together, with the runs of each alone that are complete by now, so that
    /// a task that falls behind its own curve is warned of. Nothing else depends on them.
    fn spec_of(&self, job: &Job) -> Spec {
        let mut spec = job.spec.clone();
        let state = self.state();
        for (name, task) in spec.task.iter_mut().filter(|(_, task)| job.arm == Arm::Joint && task.alone.is_none()) {
            let alone = alone_of(job, name);
            if let Some(End::Complete(metrics)) = state.ends.get(&alone)
                && score(metrics, name, "valid").is_some()
            {
                task.alone = Some(format!("runs/{alone}"));
            }
        }
        spec
    }

    fn place(&self) -> Place {
        self.state().clock.place()
    }
}

/// Hands what a run tells on to the study's watch.
struct JobObserver<'a> {
    session: &'a Session<'a>,
    job: &'a Job,
    /// Whether the run goes on from a checkpoint, before its first step.
    resumed: bool,
}

impl Observer for JobObserver<'_> {
    fn step(&mut self, progress: &Progress<'_>) {
        let within = progress.step as f64 / progress.steps.max(1) as f64;
        let share = ((progress.epoch - 1) as f64 + within) / progress.epochs.max(1) as f64;
        let place = {
            let mut state = self.session.state();
            if std::mem::take(&mut self.resumed) {
                state.clock.found(&self.job.id, share);
            }
            state.clock.at(&self.job.id, share);
            state.clock.place()
        };
        self.session.watch.step(self.job, &place, progress);
    }

    fn event(&mut self, _event: &Event, _seconds: f64) {}

    fn notice(&mut self, _text: &str) {}

    fn stop(&self) -> bool {
        self.session.watch.stop()
    }
}

/// What a run has cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Seconds of training and evaluation.
    pub seconds: f64,
    /// The most memory that the process had resident while it trained, its data included; where `study.workers` is above 1, other
    /// runs as well. Absent where the system does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_memory_bytes: Option<u64>,
}

/// What a run has cost so far; none where there is no account of it.
pub fn cost_of(run: &Path) -> Option<Cost> {
    let text = fs::read_to_string(run.join("timing.jsonl")).ok()?;
    let timings = text.lines().filter_map(|line| serde_json::from_str::<Timing>(line).ok());
    Some(timings.fold(Cost::default(), |cost, timing| Cost {
        seconds: cost.seconds + timing.train_seconds + timing.evaluation_seconds,
        peak_memory_bytes: cost.peak_memory_bytes.max(timing.peak_memory_bytes),
    }))
}
