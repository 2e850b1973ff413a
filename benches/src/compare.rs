//! How do both sides compare when they run by turns?

use std::process::Command;

use serde_json::Value;

use crate::sizes::Sizes;

/// Measurements of one side.
#[derive(Debug, Default)]
struct Side {
    medians: Vec<f64>,
    peaks: Vec<f64>,
}

impl Side {
    fn add(&mut self, line: &Value) {
        self.medians.extend(line["median_ms"].as_f64());
        self.peaks.extend(line["peak_mib"].as_f64());
    }

    fn median(values: &[f64]) -> f64 {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

/// Runs polytask and PyTorch by turns, `rounds` times each, and prints medians and ratios.
///
/// # Errors
///
/// Where a side cannot be run.
#[allow(clippy::print_stdout)]
pub fn compare(python: &str, rest: &[&str]) -> Result<(), String> {
    let (sizes, workloads): (Vec<&str>, Vec<&str>) = rest.iter().partition(|word| word.contains('='));
    let rounds = Sizes::parse(&sizes)?.number("rounds", 3)?;
    let workloads = if workloads.is_empty() { vec!["w1", "w2", "w2-crf", "w5", "tasks"] } else { workloads };
    println!("workload  polytask ms  PyTorch ms  ratio  polytask MiB  PyTorch MiB");
    for workload in workloads {
        let (mut ours, mut theirs) = (Side::default(), Side::default());
        for _ in 0..rounds {
            let own = std::env::current_exe().map_err(|error| error.to_string())?;
            ours.add(&line(Command::new(own).arg("run").arg(workload).args(&sizes))?);
            let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peers.py");
            theirs.add(&line(Command::new(python).arg(script).arg(workload).args(&sizes))?);
        }
        let (a, b) = (Side::median(&ours.medians), Side::median(&theirs.medians));
        let (x, y) = (Side::median(&ours.peaks), Side::median(&theirs.peaks));
        println!("{workload:<8}  {a:>11.2}  {b:>10.2}  {:>5.2}  {x:>12.0}  {y:>11.0}", b / a);
    }
    Ok(())
}

/// The JSON line that a side prints last.
fn line(command: &mut Command) -> Result<Value, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.lines().last().unwrap_or_default();
    serde_json::from_str(last).map_err(|error| format!("{command:?}: {error}: {last}"))
}
