//! `polytask study`: from a config with `[study]` to an answer.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use polytask::run::Environment;
use polytask::spec::study::Arm;
use polytask::spec::{Parsed, Spec};
use polytask::study::{End, Job, Local, Place, StudyError, Watch, conclude, jobs, run_path, training_seconds};
use polytask::train::Progress;

use super::args::StudyArgs;
use super::failure::Failure;
use super::study_text::text;
use super::table::duration;
use super::train::stop_on_interrupt;
use super::{print, print_json, read_config, roots, set_threads};

/// Seconds between lines within a run.
const LOG_EVERY: Duration = Duration::from_secs(30);

/// Trains what is left to train, and prints the answer.
pub fn run(args: &StudyArgs) -> Result<(), Failure> {
    let parsed = read_config(&args.config)?;
    let spec = &parsed.spec;
    let out = args.out.clone().unwrap_or_else(|| default_path(spec));
    jobs(spec).map_err(|error| failure(error, &parsed))?;
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
    let executor = Local { workers: spec.study.as_ref().map_or(1, |study| study.workers) };
    let screen = Screen { stop: stop_on_interrupt(), logged: Mutex::new(Instant::now()) };
    let ran = polytask::study::run(spec, &roots, &out, &environment, &executor, &screen)
        .map_err(|error| failure(error, &parsed))?;
    if ran.interrupted {
        return Err(Failure::Interrupted(format!(
            "interrupted; go on with the same command and --resume (the study is in {})",
            out.display()
        )));
    }
    let answer = conclude(spec, &out, &ran).map_err(|error| failure(error, &parsed))?;
    if args.json {
        return print_json(&answer);
    }
    print(&text(&answer, &polytask::study::seconds(&out, &ran), &ran, &out))
}

/// Where the study of a config goes.
pub fn default_path(spec: &Spec) -> PathBuf {
    PathBuf::from("studies").join(&spec.name)
}

/// The runs that `[study]` means, one a line, with the minutes that those of their kind have taken in the default directory.
pub fn planned(parsed: &Parsed) -> Result<String, Failure> {
    let jobs = jobs(&parsed.spec).map_err(|error| failure(error, parsed))?;
    let path = default_path(&parsed.spec);
    let known = |arm: Arm| {
        let took = jobs.planned.iter().filter(|job| job.arm == arm);
        let took: Vec<f64> = took.filter_map(|job| training_seconds(&run_path(&path, job))).collect();
        (!took.is_empty()).then(|| took.iter().sum::<f64>() / took.len() as f64)
    };
    let mut text = format!("study: {} runs", jobs.planned.len());
    let means = [Arm::Separate, Arm::Joint, Arm::Pairs].map(|arm| (arm, known(arm)));
    let of = |job: &Job| means.iter().find(|(arm, _)| *arm == job.arm).and_then(|(_, seconds)| *seconds);
    let total: Option<f64> = jobs.planned.iter().map(of).sum();
    text.push_str(&total.map_or_else(String::new, |total| format!(", about {} in all", duration(total))));
    text.push('\n');
    for job in &jobs.planned {
        let seconds = of(job).map(|seconds| format!("  about {}", duration(seconds)));
        text.push_str(&format!("  {}{}\n", job.id, seconds.unwrap_or_default()));
    }
    text.extend(jobs.beyond.iter().map(|job| format!("  {}  not run: beyond study.budget.runs\n", job.id)));
    Ok(text)
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
}

impl Screen {
    #[allow(clippy::print_stderr)]
    fn line(&self, text: &str) {
        eprintln!("{text}");
    }
}

impl Watch for Screen {
    fn begins(&self, job: &Job, place: &Place) {
        self.line(&format!("run {}/{}: {}{}", place.ended + 1, place.runs, job.id, left(place)));
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

    fn ended(&self, job: &Job, end: &End) {
        if let End::Diverged(said) = end {
            self.line(&format!("{} diverged and is left out: {said}", job.id));
        }
    }

    fn stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

fn left(place: &Place) -> String {
    place.seconds_left.map_or_else(String::new, |seconds| format!(", {} left", duration(seconds)))
}

/// How the recommended configuration is checked.
pub fn next(out: &Path) -> String {
    format!(
        "polytask check {} --data DIR   (DIR: where the config's relative paths are looked for)",
        out.join("recommended.toml").display()
    )
}
