//! How long does a whole epoch take, from files to a saved model?

use std::path::{Path, PathBuf};
use std::time::Instant;

use polytask::data::open::Roots;
use polytask::run::{Environment, RunDirectory, Timing};
use polytask::spec::{Override, parse_file};
use polytask::train::{Outcome, Plan, Quiet, extensions, train};
use serde_json::json;

use crate::process;
use crate::sizes::Sizes;

/// The configuration that is trained where none is named.
pub const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/three-tasks.toml");

/// Trains `config` as `polytask train` does; a line of JSON with seconds: reading, training, evaluating, saving.
///
/// The run stays in `out` where one is named.
///
/// # Errors
///
/// Where the run fails.
pub fn run(sizes: &Sizes) -> Result<String, String> {
    let threads = process::set_threads(sizes)?;
    let config = Path::new(sizes.word("config", CONFIG));
    let temporary = tempfile::tempdir().map_err(|error| error.to_string())?;
    let out = sizes.get("out").map_or_else(|| temporary.path().join("run"), PathBuf::from);
    let overrides = [
        format!("train.epochs={}", sizes.number("epochs", 1)?),
        format!("optimizer.rows={}", sizes.word("rows", "lazy")),
    ];
    let overrides: Vec<Override> = overrides.iter().map(|text| text.parse()).collect::<Result<_, String>>()?;

    let start = Instant::now();
    let spec = parse_file(config, &overrides, &extensions()).map_err(|errors| format!("{errors:?}"))?.spec;
    let beside = config.parent().map(Path::to_path_buf);
    let roots = Roots { dirs: beside.into_iter().chain([PathBuf::from(sizes.required("data")?)]).collect() };
    let environment = Environment::current(env!("CARGO_PKG_VERSION"), spec.seed, threads);
    let (name, config) = (spec.name.clone(), spec.to_toml());
    let plan = Plan::new(spec, &roots).map_err(|error| error.to_string())?;
    let read = start.elapsed();
    let steps = plan.steps_in_epoch();
    let run = RunDirectory::create(&out, &name, &config, &environment).map_err(|error| error.to_string())?;
    let outcome = train(plan, &run, &mut Quiet).map_err(|error| error.to_string())?;
    let seconds = start.elapsed();

    let Outcome::Complete(metrics) = outcome else { return Err("the run was interrupted".into()) };
    let timings = timings(&out)?;
    let sum = |of: fn(&Timing) -> f64| timings.iter().map(of).sum::<f64>();
    let test = metrics.splits.get("test").into_iter().flatten();
    let scores = test.map(|(task, scores)| (task.clone(), json!(scores.metrics))).collect::<serde_json::Map<_, _>>();
    Ok(json!({
        "side": "polytask", "workload": "epoch", "seconds": seconds.as_secs_f64(), "read_s": read.as_secs_f64(),
        "train_s": sum(|timing| timing.train_seconds), "evaluate_s": sum(|timing| timing.evaluation_seconds),
        "steps": steps, "test": scores, "peak_mib": process::peak_mib(),
    })
    .to_string())
}

/// The times that the run noted, one an epoch.
pub fn timings(run: &Path) -> Result<Vec<Timing>, String> {
    let text = std::fs::read_to_string(run.join("timing.jsonl")).map_err(|error| error.to_string())?;
    text.lines().map(|line| serde_json::from_str(line).map_err(|error| error.to_string())).collect()
}
