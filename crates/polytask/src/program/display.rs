//! How does training show itself? One live line on a terminal, plain lines in a log, and a row of scores an epoch.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use polytask::metrics::TaskScores;
use polytask::run::Event;
use polytask::train::{Observer, Progress};

use super::table::duration;

/// Seconds between plain lines within an epoch.
const LOG_EVERY: Duration = Duration::from_secs(30);

/// Shows progress on standard error and listens for Ctrl-C.
pub struct Display {
    bar: Option<ProgressBar>,
    stop: Arc<AtomicBool>,
    columns: Vec<Column>,
    epochs: usize,
    logged: Instant,
    /// The row of an evaluation, until it is known whether its model is kept.
    row: Option<String>,
    /// Warnings that wait until the row is shown.
    warnings: Vec<String>,
    /// Seconds of the last whole epoch with its evaluation, and when the current one began.
    epoch_seconds: Option<f64>,
    epoch_began: Instant,
    /// Weights and conflict rate of the last look at how tasks are traded off.
    weights: IndexMap<String, f64>,
    conflict_rate: Option<f64>,
}

/// What is shown of a task.
struct Column {
    task: String,
    metric: &'static str,
}

impl Column {
    /// Room for the task's name over `metric  loss`.
    fn width(&self) -> usize {
        (self.metric.len().max(6) + 8).max(self.task.chars().count())
    }
}

impl Display {
    /// A display for tasks that are decided by these metrics, over a run of `epochs` epochs.
    pub fn new(tasks: Vec<(String, &'static str)>, epochs: usize, stop: Arc<AtomicBool>) -> Display {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(10));
            let style = ProgressStyle::with_template("{prefix} {bar:20} {pos}/{len}  {wide_msg}");
            bar.set_style(style.expect("the template is well formed"));
            bar
        });
        let columns = tasks.into_iter().map(|(task, metric)| Column { task, metric }).collect();
        let now = Instant::now();
        Display {
            bar,
            stop,
            columns,
            epochs,
            logged: now,
            row: None,
            warnings: Vec::new(),
            epoch_seconds: None,
            epoch_began: now,
            weights: IndexMap::new(),
            conflict_rate: None,
        }
    }

    /// Clears the live line.
    pub fn finish(&mut self) {
        self.flush("");
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// The names of the columns, above the rows of scores.
    pub fn header(&mut self) {
        let mut names = format!("{:>9}  {:>7}", "epoch", "time");
        let mut metrics = " ".repeat(18);
        for column in &self.columns {
            names.push_str(&format!("  {:>width$}", column.task, width = column.width()));
            metrics.push_str(&format!("  {:>width$}", format!("{}    loss", column.metric), width = column.width()));
        }
        self.line(&format!("{names}\n{metrics}  on validation data"));
    }

    #[allow(clippy::print_stderr)]
    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => eprintln!("{text}"),
        }
    }

    fn flush(&mut self, mark: &str) {
        if let Some(row) = self.row.take() {
            self.line(&format!("{row}{mark}"));
        }
        for warning in std::mem::take(&mut self.warnings) {
            self.line(&format!("warning: {warning}"));
        }
    }

    fn evaluation(&self, epoch: usize, tasks: &IndexMap<String, TaskScores>, seconds: f64) -> String {
        let mut row = format!("{:>9}  {:>7}", format!("{epoch}/{}", self.epochs), duration(seconds));
        for column in &self.columns {
            let scores = tasks.get(&column.task);
            let value = scores.and_then(|scores| scores.metrics.get(column.metric));
            let value = value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"));
            let loss = scores.map_or_else(|| "-".to_owned(), |scores| format!("{:.4}", scores.loss));
            row.push_str(&format!("  {:>width$}", format!("{value}  {loss}"), width = column.width()));
        }
        row
    }

    /// The losses of tasks, with their weights where those differ, and how often gradients point against each other.
    fn losses(&self, progress: &Progress<'_>) -> String {
        let first = self.weights.values().next().copied().unwrap_or(1.0);
        let differ = self.weights.values().any(|weight| (weight - first).abs() > 0.005 * first.abs());
        let weight = |task: &str| match self.weights.get(task).filter(|_| differ) {
            Some(weight) => format!(" x {weight:.2}"),
            None => String::new(),
        };
        let losses = progress.tasks.iter().zip(progress.losses);
        let losses: Vec<String> =
            losses.filter_map(|(task, loss)| loss.map(|loss| format!("{task} {loss:.3}{}", weight(task)))).collect();
        let conflict = self.conflict_rate.map(|rate| format!("  conflict {:.0} %", 100.0 * rate));
        losses.join(", ") + &conflict.unwrap_or_default()
    }

    /// Seconds until the last epoch ends, if all epochs take as long as the last one.
    fn seconds_left(&self, progress: &Progress<'_>) -> f64 {
        let here = progress.seconds / progress.step.max(1) as f64 * (progress.steps - progress.step) as f64;
        let whole = self.epoch_seconds.unwrap_or(progress.seconds + here);
        here + whole * (progress.epochs - progress.epoch) as f64
    }
}

impl Observer for Display {
    fn step(&mut self, progress: &Progress<'_>) {
        self.flush("");
        if progress.step == 1 {
            self.epoch_began = Instant::now();
        }
        let due = self.bar.is_some() || self.logged.elapsed() >= LOG_EVERY;
        if !due {
            return;
        }
        let left = duration(self.seconds_left(progress));
        let (losses, speed) = (self.losses(progress), progress.examples_per_second);
        let text = format!("loss {losses}  {speed:.0} examples/s  {left} left");
        if let Some(bar) = &self.bar {
            bar.set_prefix(format!("epoch {}/{}", progress.epoch, progress.epochs));
            bar.set_length(progress.steps as u64);
            bar.set_position(progress.step as u64);
            bar.set_message(text);
        } else {
            self.logged = Instant::now();
            let (epoch, epochs) = (progress.epoch, progress.epochs);
            self.line(&format!("epoch {epoch}/{epochs}, step {}/{}: {text}", progress.step, progress.steps));
        }
    }

    fn event(&mut self, event: &Event, seconds: f64) {
        match event {
            Event::Evaluation { epoch, tasks, .. } => {
                self.row = Some(self.evaluation(*epoch, tasks, seconds));
                self.epoch_seconds = Some(self.epoch_began.elapsed().as_secs_f64());
                self.logged = Instant::now();
            }
            Event::Keep { .. } => self.flush("  kept"),
            Event::Stop { task, best_epoch, .. } => {
                self.flush("");
                self.line(&format!(
                    "{:18}  `{task}` stops training its head: its best score was in epoch {best_epoch}",
                    ""
                ));
            }
            Event::Balance { tasks, conflict_rate, .. } => {
                self.weights = tasks.iter().map(|(task, balanced)| (task.clone(), balanced.weight)).collect();
                self.conflict_rate = *conflict_rate;
            }
            Event::Warning(warning) => {
                self.warnings.push(warning.to_string());
                if self.row.is_none() {
                    self.flush("");
                }
            }
            Event::Start { .. } | Event::Changed { .. } | Event::Epoch { .. } | Event::End { .. } => self.flush(""),
        }
    }

    fn notice(&mut self, text: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(text.to_owned());
        }
    }

    fn stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
