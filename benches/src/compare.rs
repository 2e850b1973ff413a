//! How do the sides compare when they run by turns?

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde_json::Value;

use crate::flops::{self, Backward};
use crate::inference;
use crate::sizes::Sizes;

/// What `all` stands for: a workload, and after a colon sizes of its own.
///
/// PyTorch reads an epoch and texts in two ways: as its documentation says (packed batches, the characters of every token),
/// and as one who has profiled it would (oneDNN's LSTM on flipped texts, the characters of every distinct word). Of an epoch,
/// which takes it many minutes, only the second is here.
const ALL: &[&str] = &[
    "gemm",
    "w1",
    "w1:rows=lazy",
    "w2",
    "w2:rows=lazy",
    "w2-crf",
    "w2-crf:rows=lazy",
    "w5",
    "tasks",
    "tasks:rows=lazy",
    "tasks:embedding=frozen",
    "tasks:balance=mgda",
    "tasks:balance=pcgrad",
    "tasks:balance=cagrad",
    "tasks:balance=upgrad",
    "tasks:balance=nash-mtl",
    "tasks:balance=aligned-mtl",
    "epoch:rows=lazy,lstm=flipped,chars=distinct",
    "tag-conll",
    "tag-conll:lstm=flipped,chars=distinct",
    "classify-imdb",
    "classify-imdb:lstm=flipped,chars=distinct",
    "start",
];

/// A line of the comparison.
struct Row<'a> {
    label: &'a str,
    workload: &'a str,
    /// The sizes of every row, then its own.
    words: Vec<String>,
    sizes: Sizes,
}

/// What a side is judged by.
struct Judged {
    key: &'static str,
    unit: &'static str,
    more_is_better: bool,
}

/// Runs the sides by turns, `rounds` times each (3; an epoch once), and prints medians and ratios.
///
/// # Errors
///
/// Where a side of some row cannot be run, or its line is not understood; told once the other rows are done.
#[allow(clippy::print_stdout)]
pub fn compare(python: &str, rest: &[&str]) -> Result<(), String> {
    let is_size = |word: &str| word.find(['=', ':']).is_some_and(|at| word.as_bytes()[at] == b'=');
    let (given, names): (Vec<&str>, Vec<&str>) = rest.iter().partition(|word| is_size(word));
    let names = if names.is_empty() { vec!["all"] } else { names };
    let names = names.iter().flat_map(|name| if *name == "all" { ALL.to_vec() } else { vec![*name] });
    let mut given: Vec<String> = given.into_iter().map(str::to_owned).collect();
    let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut machine = 0.0;
    println!(
        "{:<44} {:<8} {:>9} {:<4} {:>6} {:>6} {:>7} {:>5} {:>7}",
        "workload", "side", "median", "", "ratio", "MiB", "GFLOP/s", "GEMM", "agree"
    );
    let mut failed = Vec::new();
    for label in names {
        if let Err(error) = compare_row(label, python, directory.path(), &mut given, &mut machine) {
            // The others may have cost an hour.
            println!("{label:<44} failed");
            failed.push(format!("{label}: {error}"));
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
}

/// Measures and prints a row; `machine` becomes the rate of its products, where it is not known yet.
fn compare_row(
    label: &str,
    python: &str,
    directory: &Path,
    given: &mut Vec<String>,
    machine: &mut f64,
) -> Result<(), String> {
    let mut row = Row::new(label, given)?;
    if *machine == 0.0 && flops::gflop(row.workload, &row.sizes, Backward::EveryWindow)?.is_some() {
        // The share of the machine's rate needs that rate.
        *machine = measure(&Row::new("gemm", given)?, python, directory, *machine)?;
    }
    if row.is_inference() {
        train_if_missing(given, directory)?;
        row = Row::new(label, given)?;
        row.prepare(python, directory)?;
    }
    let rate = measure(&row, python, directory, *machine)?;
    if row.workload == "gemm" {
        *machine = rate;
    }
    Ok(())
}

impl<'a> Row<'a> {
    fn new(label: &'a str, given: &[String]) -> Result<Row<'a>, String> {
        let (workload, own) = label.split_once(':').unwrap_or((label, ""));
        let own = own.split(',').filter(|word| !word.is_empty()).map(str::to_owned);
        // Only the first sentence counts.
        let once = (workload == "start").then(|| "secs=0".to_owned());
        let words: Vec<String> = given.iter().cloned().chain(once).chain(own).collect();
        Ok(Row { label, workload, sizes: Sizes::parse(&words)?, words })
    }

    fn is_inference(&self) -> bool {
        matches!(self.workload, "tag-conll" | "classify-imdb" | "start")
    }

    fn judged(&self) -> Judged {
        let (key, unit, more_is_better) = match self.workload {
            "gemm" => ("gflops", "GF/s", true),
            "epoch" => ("seconds", "s", false),
            "start" => ("process_ms", "ms", false),
            _ if self.is_inference() => ("per_second", "/s", true),
            _ => ("median_ms", "ms", false),
        };
        Judged { key, unit, more_is_better }
    }

    /// Writes the texts that every side reads, and the network for ONNX Runtime.
    fn prepare(&mut self, python: &str, directory: &Path) -> Result<(), String> {
        let texts = directory.join(format!("{}.txt", self.workload));
        inference::write_texts(self.workload, &self.sizes, &texts)?;
        self.words.push(format!("texts={}", texts.display()));
        self.words.push(format!("onnx={}", directory.join(format!("{}.onnx", self.workload)).display()));
        run(Command::new(python).arg(script("export.py")).arg(self.workload).args(&self.words)).map(drop)
    }

    /// The sides and their commands.
    fn sides(&self, python: &str) -> Result<Vec<(&'static str, Command)>, String> {
        let mut own = Command::new(std::env::current_exe().map_err(|error| error.to_string())?);
        own.arg("run");
        let peer = |name: &str| {
            let mut command = Command::new(python);
            command.arg(script(name));
            command
        };
        let mut sides = vec![("polytask", own)];
        match self.workload {
            "epoch" => sides.push(("torch", peer("epoch.py"))),
            _ if self.is_inference() => {
                sides.push(("torch", peer("inference_torch.py")));
                sides.push(("onnx", peer("inference_onnx.py")));
            }
            _ => sides.push(("torch", peer("steps.py"))),
        }
        for (_, command) in &mut sides {
            command.arg(self.workload).args(&self.words);
        }
        Ok(sides)
    }
}

/// Measures a row, prints it a side a line, and returns the best median; `machine` is the rate of its products in GFLOP/s.
#[allow(clippy::print_stdout)]
fn measure(row: &Row<'_>, python: &str, directory: &Path, machine: f64) -> Result<f64, String> {
    let Judged { key, unit, more_is_better } = row.judged();
    let rounds = row.sizes.number("rounds", if row.workload == "epoch" { 1 } else { 3 })?.max(1);
    let mut found: BTreeMap<usize, [Vec<f64>; 2]> = BTreeMap::new();
    let out = |side: &str| directory.join(format!("{}.{side}.predictions", row.workload));
    for _ in 0..rounds {
        for (index, (side, mut command)) in row.sides(python)?.into_iter().enumerate() {
            if row.is_inference() {
                command.arg(format!("out={}", out(side).display()));
            }
            let line = run(&mut command)?;
            let value = line[key].as_f64().ok_or_else(|| format!("{command:?}: no `{key}` in {line}"))?;
            let [values, peaks] = found.entry(index).or_default();
            values.push(value);
            peaks.extend(line["peak_mib"].as_f64());
        }
    }
    let mut ours = f64::NAN;
    let mut best = f64::NAN;
    for ((side, _), [values, peaks]) in row.sides(python)?.into_iter().zip(found.into_values()) {
        let value = median(values);
        ours = if ours.is_nan() { value } else { ours };
        best = best.max(value);
        let ratio = if more_is_better { ours / value } else { value / ours };
        let backward = if side == "polytask" { Backward::WinningWindow } else { Backward::EveryWindow };
        let rate = flops::gflop(row.workload, &row.sizes, backward)?.map(|gflop| 1e3 * gflop / value);
        let of_machine = rate.map_or(String::new(), |rate| format!("{:.0}%", 100.0 * rate / machine));
        let rate = rate.map_or(String::new(), |rate| format!("{rate:.1}"));
        let agree = if row.is_inference() { agreement(&out("polytask"), &out(side))? } else { String::new() };
        println!(
            "{:<44} {side:<8} {value:>9.2} {unit:<4} {ratio:>6.2} {:>6.0} {rate:>7} {of_machine:>5} {agree:>7}",
            row.label,
            median(peaks)
        );
    }
    Ok(best)
}

/// Trains the example for one epoch where no trained run was named.
fn train_if_missing(given: &mut Vec<String>, directory: &Path) -> Result<(), String> {
    if Sizes::parse(given)?.get("run").is_some() {
        return Ok(());
    }
    let out = directory.join("run");
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    run(Command::new(own).args(["run", "epoch"]).args(&*given).arg(format!("out={}", out.display())))?;
    given.push(format!("run={}", out.display()));
    Ok(())
}

/// The share of words that are equal in two files of predictions.
fn agreement(left: &Path, right: &Path) -> Result<String, String> {
    let read = |path: &Path| std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()));
    let (left, right) = (read(left)?, read(right)?);
    let (left, right): (Vec<&str>, Vec<&str>) = (left.split_whitespace().collect(), right.split_whitespace().collect());
    let equal = left.iter().zip(&right).filter(|(left, right)| left == right).count();
    Ok(format!("{:.2}%", 100.0 * equal as f64 / left.len().max(right.len()).max(1) as f64))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(name)
}

/// Runs a side; the JSON line that it prints last, with the wall time of its whole process added.
fn run(command: &mut Command) -> Result<Value, String> {
    let start = Instant::now();
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let wall = start.elapsed();
    if !output.status.success() {
        return Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.lines().last().unwrap_or_default();
    let mut line: Value = serde_json::from_str(last).map_err(|error| format!("{command:?}: {error}: {last}"))?;
    line["process_ms"] = (wall.as_secs_f64() * 1e3).into();
    Ok(line)
}
