//! How long does polytask's own step take?

use std::time::{Duration, Instant};

use polytask::data::open::Roots;
use polytask::kernels::ops::{Path, set_path};
use polytask::train::{Plan, Schedule, State, extensions, take_step};
use serde_json::json;

use crate::process;
use crate::sizes::Sizes;
use crate::workload;

/// Times steps of a workload; a line of JSON with milliseconds a step.
///
/// # Errors
///
/// Where the workload cannot be made or a step fails.
pub fn run(name: &str, sizes: &Sizes) -> Result<String, String> {
    set_path(if sizes.word("kernels", "on") == "off" { Path::Plain } else { Path::Kernels });
    process::set_threads(sizes)?;
    let seconds = Duration::from_secs(sizes.number("secs", 6)? as u64);
    let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
    let config = workload::write(name, sizes, directory.path())?;
    let spec = polytask::spec::parse(name, &config, &[], &extensions()).map_err(|error| error.to_string())?.spec;
    let roots = Roots { dirs: vec![directory.path().to_path_buf()] };
    let mut plan = Plan::new(spec, &roots).map_err(|error| error.to_string())?;
    let mut state = State::new(&plan);
    let schedule = Schedule::new(&plan.spec.optimizer, 1_000_000, 1);
    let sources = plan.corpus.sources.len();
    let mut times = Vec::new();
    let mut losses = (f64::NAN, f64::NAN);
    let mut began = Instant::now();
    'measuring: for epoch in 0.. {
        for step in plan.sampler.epoch(epoch, &vec![true; sources], &vec![0; sources]) {
            let start = Instant::now();
            let stepped = take_step(&mut plan, &mut state, &schedule, std::slice::from_ref(&step))
                .map_err(|error| error.to_string())?;
            times.push(start.elapsed().as_secs_f64() * 1e3);
            let loss: f64 = stepped.losses.iter().flatten().sum();
            losses = (if losses.0.is_nan() { loss } else { losses.0 }, loss);
            match times.len() {
                5 => began = Instant::now(),
                n if n >= 15 && began.elapsed() > seconds => break 'measuring,
                _ => {}
            }
        }
    }
    let mut times = times.split_off(5);
    times.sort_by(f64::total_cmp);
    let quantile = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
    Ok(json!({
        "side": "polytask", "workload": name, "median_ms": quantile(0.5), "p10_ms": quantile(0.1),
        "p90_ms": quantile(0.9), "steps": times.len(), "first_loss": losses.0, "last_loss": losses.1,
        "peak_mib": process::peak_mib(),
    })
    .to_string())
}
