//! How does training show itself? One live line on a terminal, plain lines in a log.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use polytask::metrics::{TaskScores, catalogue};
use polytask::run::Event;
use polytask::train::{Observer, Progress};

use super::table::duration;

/// Seconds between plain lines within an epoch.
const LOG_EVERY: Duration = Duration::from_secs(30);

/// Shows progress on standard error and listens for Ctrl-C.
pub struct Display {
    bar: Option<ProgressBar>,
    stop: Arc<AtomicBool>,
    metrics: Vec<&'static str>,
    logged: Instant,
    /// Mean losses of the epoch that just ended, to stand beside its validation scores.
    losses: Vec<(String, f64)>,
    epochs: usize,
}

impl Display {
    /// A display for tasks that are decided by these metrics.
    pub fn new(metrics: Vec<&'static str>, stop: Arc<AtomicBool>) -> Display {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(10));
            let template = "{prefix} {bar:24} {pos}/{len}  {wide_msg}";
            bar.set_style(ProgressStyle::with_template(template).expect("the template is well formed"));
            bar
        });
        Display { bar, stop, metrics, logged: Instant::now(), losses: Vec::new(), epochs: 0 }
    }

    /// Says how many epochs a run has; a resumed run does not announce itself again.
    pub fn set_epochs(&mut self, epochs: usize) {
        self.epochs = epochs;
    }

    /// Clears the live line.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    #[allow(clippy::print_stderr)]
    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => eprintln!("{text}"),
        }
    }

    /// `epoch 3/20  ner span-f1 0.8714 loss 0.21  imdb f1-macro 0.8630 loss 0.34`
    fn evaluation(&self, epoch: usize, tasks: impl Iterator<Item = (String, TaskScores)>, seconds: f64) -> String {
        let mut text = format!("epoch {epoch:>width$}/{}", self.epochs, width = self.epochs.to_string().len());
        for (index, (task, scores)) in tasks.enumerate() {
            let metric = self.metrics.get(index).copied().unwrap_or_default();
            let value = scores.metrics.get(metric).map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"));
            let loss = self.losses.iter().find(|(name, _)| *name == task).map_or(f64::NAN, |(_, loss)| *loss);
            text.push_str(&format!("  {task} {metric} {value} (loss {loss:.3}/{:.3})", scores.loss));
        }
        text.push_str(&format!("  {}", duration(seconds)));
        text
    }
}

impl Observer for Display {
    fn step(&mut self, progress: &Progress<'_>) {
        let plain = self.bar.is_none() && self.logged.elapsed() >= LOG_EVERY;
        if self.bar.is_none() && !plain {
            return;
        }
        let losses: Vec<String> = progress
            .tasks
            .iter()
            .zip(progress.losses)
            .filter_map(|(task, loss)| loss.map(|loss| format!("{task} {loss:.3}")))
            .collect();
        let left = progress.seconds / progress.step.max(1) as f64 * (progress.steps - progress.step) as f64;
        let rate = progress.examples_per_second;
        let text = format!("{}  {rate:.0} examples/s  {} left", losses.join("  "), duration(left));
        if let Some(bar) = &self.bar {
            bar.set_prefix(format!("epoch {}/{}", progress.epoch, progress.epochs));
            bar.set_length(progress.steps as u64);
            bar.set_position(progress.step as u64);
            bar.set_message(text);
        } else if plain {
            self.logged = Instant::now();
            let (epoch, epochs) = (progress.epoch, progress.epochs);
            self.line(&format!("epoch {epoch}/{epochs}  step {}/{}  {text}", progress.step, progress.steps));
        }
    }

    fn event(&mut self, event: &Event, seconds: f64) {
        match event {
            Event::Start { epochs, .. } => self.epochs = *epochs,
            Event::Epoch { tasks, .. } => {
                self.losses = tasks.iter().map(|(name, scores)| (name.clone(), scores.loss)).collect();
            }
            Event::Evaluation { epoch, tasks, .. } => {
                let tasks = tasks.iter().map(|(name, scores)| (name.clone(), scores.clone()));
                let text = self.evaluation(*epoch, tasks, seconds);
                self.line(&text);
                self.logged = Instant::now();
            }
            Event::Keep { .. } => {}
            Event::Stop { epoch, task, best_epoch } => self.line(&format!(
                "epoch {epoch}: task `{task}` stops training its head; its best validation score was in epoch {best_epoch}"
            )),
            Event::End { .. } => {}
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

/// The keys of the metrics that decide about each task.
pub fn deciding(entries: &[&'static catalogue::Entry]) -> Vec<&'static str> {
    entries.iter().map(|entry| entry.key).collect()
}
