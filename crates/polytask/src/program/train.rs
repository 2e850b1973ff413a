//! `polytask train`: from a config to a run.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use polytask::data::open::Roots;
use polytask::run::{Environment, Metrics, RunDirectory, RunError, Status};
use polytask::spec::{Parsed, Spec};
use polytask::train::{Outcome, Plan, resume, train};

use super::args::TrainArgs;
use super::display::Display;
use super::failure::Failure;
use super::scores::{best_table, split_table};
use super::table::{count, duration};
use super::{print, read_config, roots, set_threads, settings};

/// Trains or resumes, and prints the tables.
pub fn run(args: &TrainArgs) -> Result<(), Failure> {
    let parsed = read_config(&args.config)?;
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from("runs").join(&parsed.spec.name));
    let roots = roots(&args.config.file, args.config.data.as_deref());
    let metrics = train_into(&parsed, &roots, &out, args.resume)?;
    print(&tables(&metrics, &out))
}

/// Trains into `out`, with progress on standard error.
#[allow(clippy::print_stderr)]
pub fn train_into(parsed: &Parsed, roots: &Roots, out: &Path, resuming: bool) -> Result<Metrics, Failure> {
    // What a study would run is no part of a run.
    let (began, spec) = (Instant::now(), Spec { study: None, ..parsed.spec.clone() });
    let threads = set_threads(spec.threads);
    let config = spec.to_toml();
    let mut changed = Vec::new();
    let run = if resuming {
        let run = RunDirectory::open(out).map_err(|error| match error {
            RunError::NotARun { .. } => {
                let help = "begin it without --resume, or name the run with --out";
                Failure::Config(format!("{error}\n  help: {help}"))
            }
            other => other.into(),
        })?;
        if run.status()? == Status::Complete {
            eprintln!("{} is complete already", out.display());
            return Ok(run.metrics()?);
        }
        changed = settings::changed(&run, &spec)?;
        Some(run)
    } else {
        // Refuse before the data is read, which may take a while.
        if out.exists() && out.read_dir().map_or(true, |mut entries| entries.next().is_some()) {
            return Err(RunError::Exists { path: out.into() }.into());
        }
        None
    };
    let environment = Environment::current(env!("CARGO_PKG_VERSION"), spec.seed, threads);
    let name = spec.name.clone();
    let plan = Plan::new(spec, roots).map_err(|error| Failure::of_plan(error, parsed))?;
    eprintln!(
        "{}: {} tasks, {} training examples, {} shared parameters, {} steps an epoch, {} {}; data read in {}",
        out.display(),
        plan.spec.task.len(),
        count(plan.corpus.sources.iter().map(|source| source.dataset.train.len()).sum()),
        count(plan.model.parameters.shared_len()),
        count(plan.steps_in_epoch()),
        threads,
        if threads == 1 { "thread" } else { "threads" },
        duration(began.elapsed().as_secs_f64()),
    );
    for note in plan.corpus.sources.iter().flat_map(|source| &source.dataset.notes) {
        eprintln!("note: {note}");
    }
    let run = match run {
        Some(run) => {
            if !changed.is_empty() {
                eprintln!("note: going on with another {}", changed.join(", "));
                run.set_config(&config)?;
            }
            run
        }
        None => RunDirectory::create(out, &name, &config, &environment)?,
    };
    let deciding = plan.deciding.iter().map(|entry| entry.key);
    let columns = plan.task_names().into_iter().zip(deciding).collect();
    let mut display = Display::new(columns, plan.spec.train.epochs, stop_on_interrupt());
    display.header();
    let outcome = if resuming { resume(plan, &run, &changed, &mut display) } else { train(plan, &run, &mut display) };
    display.finish();
    match outcome? {
        Outcome::Complete(metrics) => {
            eprintln!("trained in {}", duration(began.elapsed().as_secs_f64()));
            Ok(*metrics)
        }
        Outcome::Interrupted => Err(Failure::Interrupted(format!(
            "interrupted; go on with the same command and --resume (the run is in {})",
            out.display()
        ))),
    }
}

/// The tables that end a run.
pub fn tables(metrics: &Metrics, out: &Path) -> String {
    let mut text = String::new();
    let kept = &metrics.kept;
    text.push_str(&format!(
        "kept the model of epoch {} of {} by {} = {:.4}; validation:\n{}",
        kept.epoch,
        kept.epochs,
        kept.criterion,
        kept.value,
        best_table(metrics)
    ));
    if let Some(test) = metrics.splits.get("test") {
        text.push_str(&format!("\ntest:\n{}", split_table(test)));
    }
    if let Some(unseen) = metrics.splits.get("test-unseen") {
        let title = "test, without the examples whose text stands in a training set";
        text.push_str(&format!("\n{title}:\n{}", split_table(unseen)));
    }
    text.push_str(&format!("\nmodel, metrics and events: {}\n", out.display()));
    text
}

/// Asks for a checkpoint and a stop at the first Ctrl-C, and ends the process at the second.
pub fn stop_on_interrupt() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let seen = stop.clone();
    // Without a handler Ctrl-C ends the process, and the run can still be resumed from its last checkpoint.
    let _ = ctrlc::set_handler(move || {
        if seen.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
    stop
}
