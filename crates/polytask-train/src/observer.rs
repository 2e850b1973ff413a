//! Who is told how training goes?

use polytask_run::Event;

/// Where training stands within an epoch.
#[derive(Debug, Clone)]
pub struct Progress<'a> {
    /// Epoch, counted from 1.
    pub epoch: usize,
    /// Epochs at most.
    pub epochs: usize,
    /// Steps of this epoch done.
    pub step: usize,
    /// Steps of this epoch.
    pub steps: usize,
    /// Names of the tasks.
    pub tasks: &'a [String],
    /// Running mean of each task's training loss in this epoch; `None` before its first step.
    pub losses: &'a [Option<f64>],
    /// Training examples a second since this process began the epoch.
    pub examples_per_second: f64,
    /// Seconds of this epoch so far, in this process.
    pub seconds: f64,
}

/// Is told how training goes, and may stop it.
pub trait Observer: Send {
    /// A step is done.
    fn step(&mut self, progress: &Progress<'_>);

    /// Something was written to the events; `seconds` since this process began training.
    fn event(&mut self, event: &Event, seconds: f64);

    /// A short notice, such as what is being evaluated.
    fn notice(&mut self, text: &str);

    /// Whether training shall stop now and leave a checkpoint.
    fn stop(&self) -> bool;
}

/// Listens to nothing and never stops training.
#[derive(Debug, Default, Clone, Copy)]
pub struct Quiet;

impl Observer for Quiet {
    fn step(&mut self, _progress: &Progress<'_>) {}

    fn event(&mut self, _event: &Event, _seconds: f64) {}

    fn notice(&mut self, _text: &str) {}

    fn stop(&self) -> bool {
        false
    }
}
