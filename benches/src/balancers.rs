//! How do balancers trade tasks off on real data, at equal budgets?
//!
//! Every method trains the same configuration with the same seeds, one run after the other; a run that is complete already is
//! read, one that was broken off goes on. The control arm is `fixed` with tuned weights: for exponents 0.5, 1 and 2 tasks are
//! weighed by the validation error of `equal` to that power, scaled to a mean of 1, and the exponent with the best mean
//! validation score on the first seed is trained with the other seeds.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use polytask::data::open::Roots;
use polytask::metrics::TaskScores;
use polytask::run::{Environment, Metrics, RunDirectory, Status};
use polytask::spec::{Override, parse_file};
use polytask::train::{Outcome, Plan, Quiet, extensions, resume, train};

use crate::epoch::timings;
use crate::process;
use crate::sizes::Sizes;

/// The configuration that is trained where none is named.
const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/fdu-mtl.toml");

/// What is trained where no methods are named; `tuned` is the control arm.
const METHODS: &str = "equal,tuned,uncertainty,scale-invariant,random,dwa,gradnorm,famo,stch,mgda,pcgrad,cagrad,upgrad,\
                       nash-mtl,aligned-mtl";

const EXPONENTS: [f64; 3] = [0.5, 1.0, 2.0];

/// Where runs are, and what they are made of.
struct Study {
    config: PathBuf,
    data: PathBuf,
    out: PathBuf,
    more: Vec<String>,
}

/// A run's scores and the seconds of its training steps.
struct Ran {
    metrics: Metrics,
    milliseconds_a_step: f64,
}

/// Trains `config` under every one of `methods` with every one of `seeds` into `out`, and returns a table.
///
/// # Errors
///
/// Where a run fails, or `out` or `data` is not named.
#[allow(clippy::print_stderr)]
pub fn run(sizes: &Sizes) -> Result<String, String> {
    process::set_threads(sizes)?;
    let study = Study {
        config: sizes.word("config", CONFIG).into(),
        data: sizes.required("data")?.into(),
        out: sizes.required("out")?.into(),
        more: sizes.get("set").into_iter().flat_map(|set| set.split(',')).map(str::to_owned).collect(),
    };
    let seeds: Vec<&str> = sizes.word("seeds", "1,2,3").split(',').collect();
    let mut table = String::from(
        "| method | test error % | unseen test error % | worst task % | ms a step |\n|---|---|---|---|---|\n",
    );
    for method in sizes.word("methods", METHODS).split(',') {
        let mut runs = Vec::new();
        for seed in &seeds {
            let ran = match method {
                "tuned" => study.tuned(&seeds, seed)?,
                _ => study.train(method, seed, &[format!("balance.method={method}")])?,
            };
            eprintln!("{method}, seed {seed}: {:.2} %", 100.0 * error(&ran.metrics, "test"));
            runs.push(ran);
        }
        row(&mut table, method, &runs);
    }
    Ok(table)
}

fn row(table: &mut String, method: &str, runs: &[Ran]) {
    let spread = |values: Vec<f64>| {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0).max(1.0);
        if values.len() < 2 { format!("{mean:.2}") } else { format!("{mean:.2} ± {:.2}", variance.sqrt()) }
    };
    let of = |value: fn(&Metrics) -> f64| spread(runs.iter().map(|ran| 100.0 * value(&ran.metrics)).collect());
    let worst = |metrics: &Metrics| errors(&metrics.splits["test"]).fold(0.0, f64::max);
    let (test, unseen) = (of(|metrics| error(metrics, "test")), of(|metrics| error(metrics, "test-unseen")));
    let steps = runs.iter().map(|ran| ran.milliseconds_a_step).sum::<f64>() / runs.len() as f64;
    let _ = writeln!(table, "| `{method}` | {test} | {unseen} | {} | {steps:.0} |", of(worst));
}

/// The share of wrong decisions of each task.
fn errors(scores: &indexmap::IndexMap<String, TaskScores>) -> impl Iterator<Item = f64> {
    scores.values().map(|task| 1.0 - task.metrics.get("accuracy").copied().unwrap_or(f64::NAN))
}

/// The mean over tasks.
fn error(metrics: &Metrics, split: &str) -> f64 {
    // Without a training text among the test texts, all test texts are unseen.
    let scores = metrics.splits.get(split).unwrap_or(&metrics.splits["test"]);
    errors(scores).sum::<f64>() / scores.len() as f64
}

impl Study {
    /// The control arm with one seed; the exponent is chosen on the first one.
    fn tuned(&self, seeds: &[&str], seed: &str) -> Result<Ran, String> {
        let equal = self.train("equal", seeds[0], &["balance.method=equal".into()])?;
        let valid = &equal.metrics.splits["valid"];
        let of_exponent = |exponent: f64, seed: &str| {
            let raw: Vec<f64> = errors(valid).map(|error| error.max(1e-3).powf(exponent)).collect();
            let mean = raw.iter().sum::<f64>() / raw.len() as f64;
            let weights = valid.keys().zip(&raw).map(|(task, weight)| format!("{task} = {}", weight / mean));
            let weights = format!("balance.weights={{ {} }}", weights.collect::<Vec<_>>().join(", "));
            self.train(&format!("tuned-{exponent}"), seed, &["balance.method=fixed".into(), weights])
        };
        let mut best: Option<(f64, f64)> = None;
        for exponent in EXPONENTS {
            let found = error(&of_exponent(exponent, seeds[0])?.metrics, "valid");
            if best.is_none_or(|(least, _)| found < least) {
                best = Some((found, exponent));
            }
        }
        of_exponent(best.map_or(1.0, |(_, exponent)| exponent), seed)
    }

    /// Trains, goes on with, or reads the run of an arm.
    fn train(&self, arm: &str, seed: &str, changes: &[String]) -> Result<Ran, String> {
        let path = self.out.join(format!("{arm}-{seed}"));
        let open = RunDirectory::open(&path).ok();
        let done = open.as_ref().is_some_and(|run| run.status().is_ok_and(|status| status == Status::Complete));
        if !done {
            let seed = format!("seed={seed}");
            let changes = self.more.iter().chain(changes).chain([&seed]);
            let changes: Vec<Override> = changes.map(|text| text.parse()).collect::<Result<_, String>>()?;
            let spec = parse_file(&self.config, &changes, &extensions()).map_err(|errors| format!("{errors}"))?.spec;
            let (name, config) = (spec.name.clone(), spec.to_toml());
            let environment = Environment::current(env!("CARGO_PKG_VERSION"), spec.seed, rayon::current_num_threads());
            let beside = self.config.parent().map(Path::to_path_buf);
            let roots = Roots { dirs: beside.into_iter().chain([self.data.clone()]).collect() };
            let plan = Plan::new(spec, &roots).map_err(|error| error.to_string())?;
            let outcome = match open {
                Some(run) => resume(plan, &run, &[], &mut Quiet),
                None => {
                    let run = RunDirectory::create(&path, &name, &config, &environment);
                    train(plan, &run.map_err(|error| error.to_string())?, &mut Quiet)
                }
            };
            if !matches!(outcome.map_err(|error| error.to_string())?, Outcome::Complete(_)) {
                return Err(format!("{}: the run was interrupted", path.display()));
            }
        }
        let run = RunDirectory::open(&path).map_err(|error| error.to_string())?;
        let metrics = run.metrics().map_err(|error| error.to_string())?;
        let seconds: f64 = timings(&path)?.iter().map(|timing| timing.train_seconds).sum();
        Ok(Ran { milliseconds_a_step: 1e3 * seconds / steps(&path)?, metrics })
    }
}

/// Optimizer steps that a run took.
fn steps(run: &Path) -> Result<f64, String> {
    let text = std::fs::read_to_string(run.join("events.jsonl")).map_err(|error| error.to_string())?;
    let last = text.lines().rev().find(|line| line.contains("\"event\":\"end\"")).ok_or("the run has no end")?;
    let event: serde_json::Value = serde_json::from_str(last).map_err(|error| error.to_string())?;
    event["step"].as_f64().ok_or_else(|| "the end has no step".to_owned())
}
