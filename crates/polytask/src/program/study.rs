//! `polytask study`: from a config with `[study]` to an answer.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use polytask::report::sheet_text;
use polytask::run::Environment;
use polytask::spec::study::Arm;
use polytask::spec::{Parsed, Spec};
use polytask::study::{End, Job, Jobs, Local, Means, Pace, Place, StudyError, Watch, Widths, conclude, jobs, pace};
use polytask::train::{Plan, Progress};
use serde::Serialize;

use super::args::StudyArgs;
use super::failure::Failure;
use super::study_sheet::sheet;
use super::table::{Table, duration};
use super::train::stop_on_interrupt;
use super::{print, print_json, read_config, roots, set_threads};

/// Seconds between lines within a run.
const LOG_EVERY: Duration = Duration::from_secs(30);

/// Trains what is left to train, and prints the answer.
pub fn run(args: &StudyArgs) -> Result<(), Failure> {
    let parsed = read_config(&args.config)?;
    let spec = &parsed.spec;
    let out = args.out.clone().unwrap_or_else(|| default_path(spec));
    let planned = jobs(spec).map_err(|error| failure(error, &parsed))?;
    let begun = out.join("config.toml").exists();
    let occupied = out.exists() && out.read_dir().map_or(true, |mut entries| entries.next().is_some());
    match (args.resume, begun) {
        (true, false) => {
            let help = "begin it without --resume, or name the study with --out";
            return Err(Failure::Config(format!("{}: no study here\n  help: {help}", out.display())));
        }
        (false, _) if occupied => {
            let help = "go on with --resume, or name another directory with --out";
            return Err(Failure::Config(format!("{} exists already\n  help: {help}", out.display())));
        }
        _ => {}
    }
    let threads = set_threads(spec.threads);
    let environment = Environment::current(env!("CARGO_PKG_VERSION"), spec.seed, threads);
    let roots = roots(&args.config.file, args.config.data.as_deref());
    let screen =
        Screen { stop: stop_on_interrupt(), logged: Mutex::new(Instant::now()), begun: AtomicBool::new(false) };
    // What is wrong with the data is told before anything runs.
    let whole = Spec { study: None, ..spec.clone() };
    let plan = Plan::new(whole, &roots).map_err(|error| Failure::of_plan(error, &parsed))?;
    let widths = Widths::equal(&plan.spec, &plan.description).unwrap_or_default();
    let pace = pace(plan, &planned.planned);
    let asked = spec.study.as_ref().map_or(1, |study| study.workers);
    let workers = workers(asked, threads, pace.as_ref().map_or(0, |pace| pace.memory_bytes));
    if workers < asked {
        screen.line(&format!(
            "note: {workers} runs at a time, not {asked}: there is no room for more in cores or memory"
        ));
    }
    let executor = Local { workers };
    let means = Means { executor: &executor, pace: pace.as_ref(), widths: &widths };
    let ran = polytask::study::run(spec, &roots, &out, &environment, means, &screen)
        .map_err(|error| failure(error, &parsed))?;
    if ran.interrupted {
        return Err(Failure::Interrupted(format!(
            "interrupted; go on with the same command and --resume (the study is in {})",
            out.display()
        )));
    }
    let answer = conclude(spec, &roots, &out, &ran).map_err(|error| failure(error, &parsed))?;
    if args.json {
        return print_json(&answer);
    }
    let found = sheet(&spec.name, &answer, &polytask::study::costs(&out, &ran));
    print(&format!("{}\nanswer and runs: {}\nrecommended: {}\n", sheet_text(&found), out.display(), next(&out, args)))
}

/// Where the study of a config goes.
pub fn default_path(spec: &Spec) -> PathBuf {
    PathBuf::from("studies").join(&spec.name)
}

/// Runs at a time that cores and free memory allow, at least one.
fn workers(asked: usize, threads: usize, run_bytes: usize) -> usize {
    let room = free_bytes().map_or(usize::MAX, |free| free / run_bytes.max(1));
    asked.min(threads).min(room).max(1)
}

/// Memory that can be had without swapping, where the system says.
fn free_bytes() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kilobytes: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(1024 * kilobytes)
}

/// What a study would run.
#[derive(Debug, Serialize)]
pub struct Planned {
    /// Runs within the budget of runs.
    runs: Vec<PlannedRun>,
    /// Runs beyond it.
    beyond: Vec<PlannedRun>,
    /// Minutes of all runs within the budget of runs, if each trains all its epochs; absent where that could not be seen.
    minutes_max: Option<f64>,
    /// Runs of groups at most that follow from what pairs gain, and that the budget of runs has room for.
    #[serde(skip_serializing_if = "Option::is_none")]
    groups_max: Option<usize>,
    /// The budget in minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    budget_minutes: Option<f64>,
}

#[derive(Debug, Serialize)]
struct PlannedRun {
    id: String,
    arm: Arm,
    /// What runs of other seeds have in common with it.
    kind: String,
    minutes_max: Option<f64>,
}

impl Planned {
    /// The runs of `[study]`, each with what it takes at most.
    pub fn new(jobs: &Jobs, spec: &Spec, pace: Option<&Pace>) -> Planned {
        let one = |job: &Job| PlannedRun {
            id: job.id.clone(),
            arm: job.arm,
            kind: match job.arm {
                Arm::Separate => format!("{} by {}", job.tasks.join(" "), update(job)),
                Arm::EqualSize => format!("{} by {}, narrower", job.tasks.join(" "), update(job)),
                Arm::Joint => format!("{} by {}{}", job.variant.balancer, update(job), lower(job)),
                Arm::Groups => "groups that follow from pairs".to_owned(),
                Arm::Pairs => format!("every two of {} tasks", spec.task.len()),
                Arm::Transfer => format!("one after another of {} tasks", spec.task.len()),
            },
            minutes_max: pace.map(|pace| pace.seconds(job) / 60.0),
        };
        let runs: Vec<PlannedRun> = jobs.planned.iter().map(one).collect();
        let minutes_max = runs.iter().map(|run| run.minutes_max).sum();
        let budget_minutes = spec.study.as_ref().and_then(|study| study.budget.minutes);
        let groups_max = groups_max(spec, runs.len());
        Planned { groups_max, runs, beyond: jobs.beyond.iter().map(one).collect(), minutes_max, budget_minutes }
    }

    /// The runs by kind, and what the budget leaves out.
    pub fn text(&self) -> String {
        let time =
            |minutes: Option<f64>| minutes.map_or_else(|| "-".to_owned(), |minutes| short_duration(60.0 * minutes));
        let mut kinds: Vec<(&Arm, &str)> = Vec::new();
        for run in self.runs.iter().chain(&self.beyond).map(|run| (&run.arm, run.kind.as_str())) {
            if !kinds.contains(&run) {
                kinds.push(run);
            }
        }
        let mut table = Table::new(["arm", "what", "runs", "beyond the budget", "a run takes", "all take"]);
        for (arm, kind) in kinds {
            let of = |runs: &'_ [PlannedRun]| -> (usize, Option<f64>) {
                let these = || runs.iter().filter(|run| run.arm == *arm && run.kind == kind);
                (these().count(), these().map(|run| run.minutes_max).sum())
            };
            let ((count, all), (beyond, left_out)) = (of(&self.runs), of(&self.beyond));
            let each = all.zip(left_out).map(|(all, left_out)| (all + left_out) / (count + beyond) as f64);
            table.row([
                arm.name().to_owned(),
                kind.to_owned(),
                count.to_string(),
                beyond.to_string(),
                time(each),
                time(all),
            ]);
        }
        let mut text = format!("study: {} runs", self.runs.len());
        if self.minutes_max.is_some() {
            text +=
                &format!(", about {} on this machine, less where patience ends a run early", time(self.minutes_max));
        }
        text += &format!("\n{table}");
        if let Some(most) = self.groups_max {
            text += &format!("groups follow from what pairs gain: {most} runs more at most\n");
        }
        if let Some(minutes) = self.budget_minutes {
            text += &format!("no run begins once {} of training are over\n", time(Some(minutes)));
        }
        text
    }
}

/// The update rule of a run, its learning rate, and options that the study gives it.
fn update(job: &Job) -> String {
    let method = &job.spec.optimizer.method;
    let options = job.variant.rule.options.iter().map(|(key, value)| format!(" with {key} {value}"));
    format!("{} at {}{}", method.name(), method.learning_rate(), options.collect::<String>())
}

/// What a run shares less than the file says.
fn lower(job: &Job) -> String {
    let lower = job.variant.lower.as_ref().map(|lower| format!(", {} attached at {}", lower.task, lower.layer));
    let parted = job.variant.parted.as_ref().map(|at| format!(", parted above {} of {}", at.layer, at.encoder));
    lower.into_iter().chain(parted).collect()
}

/// Runs at most of groups of three tasks or more that are not all; smaller ones are trained in any case.
fn groups_max(spec: &Spec, planned: usize) -> Option<usize> {
    let study = spec.study.as_ref().filter(|study| study.arms.contains(&Arm::Groups))?;
    let groups = if spec.task.len() > 3 { spec.task.len() / 3 } else { 0 };
    let room = study.budget.runs.map_or(usize::MAX, |runs| runs.saturating_sub(planned));
    Some((groups * study.seeds).min(room))
}

/// A failure of a study, with faults of the configuration shown at their places.
pub fn failure(error: StudyError, parsed: &Parsed) -> Failure {
    match error {
        StudyError::Train(error) => Failure::of_plan(error, parsed),
        StudyError::Run(error) => error.into(),
        StudyError::NoStudy => {
            let help = "add `[study]` with a `budget`, such as `budget = { runs = 20 }`".to_owned();
            let message = "the configuration has no [study]";
            Failure::Spec(parsed.errors(vec![parsed.diagnostic(&["study"], message, Some(help))]))
        }
        StudyError::Changed { .. } => Failure::Config(error.to_string()),
        StudyError::Io { .. } => Failure::Failed(error.to_string()),
    }
}

/// Tells how the study goes, line by line on standard error.
struct Screen {
    stop: Arc<AtomicBool>,
    logged: Mutex<Instant>,
    /// Whether a run was begun.
    begun: AtomicBool,
}

impl Screen {
    #[allow(clippy::print_stderr)]
    fn line(&self, text: &str) {
        eprintln!("{text}");
    }
}

impl Watch for Screen {
    fn begins(&self, job: &Job, place: &Place) {
        if !self.begun.swap(true, Ordering::Relaxed) {
            let ended = if place.ended > 0 { format!(", {} of them complete", place.ended) } else { String::new() };
            self.line(&format!("{} runs{ended}{}; the first is {}", place.runs, left(place), job.id));
        }
    }

    fn step(&self, job: &Job, place: &Place, progress: &Progress<'_>) {
        let Ok(mut logged) = self.logged.lock() else { return };
        if logged.elapsed() < LOG_EVERY {
            return;
        }
        *logged = Instant::now();
        self.line(&format!(
            "  {}: epoch {}/{}, step {}/{}, {:.0} examples/s{}",
            job.id,
            progress.epoch,
            progress.epochs,
            progress.step,
            progress.steps,
            progress.examples_per_second,
            left(place)
        ));
    }

    fn ended(&self, job: &Job, end: &End, seconds: f64, place: &Place) {
        match end {
            End::Diverged(said) => self.line(&format!("{} diverged and is left out: {said}", job.id)),
            End::Complete(metrics) => {
                let best = metrics.best.iter();
                let scores: Vec<String> = best.map(|(task, best)| format!("{task} {:.4}", best.kept)).collect();
                let took = format!("{} in {}", job.id, short_duration(seconds));
                let place = format!("{}/{}", place.ended, place.runs)
                    + ": "
                    + &took
                    + "; validation: "
                    + &scores.join(", ")
                    + &left(place);
                self.line(&format!("run {place}"));
            }
            End::NotRun => {}
        }
    }

    fn stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// A duration, with a decimal where it is short.
pub fn short_duration(seconds: f64) -> String {
    // A sum of nothing may be -0.
    let seconds = seconds.abs();
    if seconds < 9.95 { format!("{seconds:.1}s") } else { duration(seconds) }
}

fn left(place: &Place) -> String {
    place.seconds_left.map_or_else(String::new, |seconds| format!("; about {} left", duration(seconds)))
}

/// How the recommended configuration is checked: its relative paths are looked for where the study's are.
fn next(out: &Path, args: &StudyArgs) -> String {
    let beside = args.config.file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = args.config.data.as_deref().or(beside).unwrap_or(Path::new("."));
    format!("polytask check {} --data {}", out.join("recommended.toml").display(), folder.display())
}
