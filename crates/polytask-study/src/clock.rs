//! How far is a study, and how long will it take?
//!
//! Each run weighs as much as it is expected to take. What is left is done at the speed of what this process has done so far, which
//! holds for several runs at a time as well, and takes into account that patience ends runs early.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::job::Job;

/// Expected seconds that count as done as expected, so that the first minute's speed is not taken too seriously.
const PRIOR_SECONDS: f64 = 10.0;

/// Where a study stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Runs ended.
    pub ended: usize,
    /// Runs in all.
    pub runs: usize,
    /// Seconds left, as far as is known.
    pub seconds_left: Option<f64>,
}

/// The expected seconds of runs, and how far they are.
#[derive(Debug)]
pub(crate) struct Clock {
    began: Instant,
    /// Expected seconds by run, and the share of it that is over.
    runs: BTreeMap<String, (f64, f64)>,
    ended: usize,
    /// Expected seconds that this process has done.
    done: f64,
    /// Whether the weights are seconds.
    measured: bool,
}

impl Clock {
    /// Before the first run; `expected` tells the seconds of a run where they are known.
    pub fn new(jobs: &[Job], expected: impl Fn(&Job) -> Option<f64>) -> Clock {
        let runs = jobs.iter().map(|job| (job.id.clone(), (expected(job).unwrap_or(1.0).max(1e-3), 0.0)));
        let measured = jobs.iter().all(|job| expected(job).is_some());
        Clock { began: Instant::now(), runs: runs.collect(), ended: 0, done: 0.0, measured }
    }

    /// More runs are to be taken.
    pub fn expect(&mut self, jobs: &[Job], expected: impl Fn(&Job) -> Option<f64>) {
        self.measured &= jobs.iter().all(|job| expected(job).is_some());
        let more = jobs.iter().map(|job| (job.id.clone(), (expected(job).unwrap_or(1.0).max(1e-3), 0.0)));
        self.runs.extend(more);
    }

    /// A share of a run is over, from 0 to 1; what it was when the run began in this process is not counted as done by it.
    pub fn at(&mut self, id: &str, share: f64) {
        let Some((expected, over)) = self.runs.get_mut(id) else { return };
        let share = share.clamp(*over, 1.0);
        self.done += *expected * (share - *over);
        *over = share;
    }

    /// A run was found complete, or as far as this.
    pub fn found(&mut self, id: &str, share: f64) {
        if let Some((_, over)) = self.runs.get_mut(id) {
            *over = share.clamp(*over, 1.0);
        }
    }

    /// A run ended.
    pub fn ended(&mut self) {
        self.ended += 1;
    }

    /// Where the study stands.
    pub fn place(&self) -> Place {
        let left: f64 = self.runs.values().map(|(expected, over)| expected * (1.0 - over)).sum();
        let elapsed = self.began.elapsed().as_secs_f64();
        let seconds_left = match (self.measured, self.done > 0.0) {
            (true, _) => Some(left * (elapsed + PRIOR_SECONDS) / (self.done + PRIOR_SECONDS)),
            (false, true) => Some(left * elapsed / self.done),
            (false, false) => None,
        };
        Place { ended: self.ended, runs: self.runs.len(), seconds_left }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::derive::tests::{FOUR, spec};
    use crate::job::jobs;

    #[test]
    fn what_is_left_follows_from_the_weights_of_runs() {
        let jobs = jobs(&spec(&format!("{FOUR}[study]\nseeds = 1\nbudget.runs = 9\n"))).unwrap().planned;
        let mut clock = Clock::new(&jobs, |job| Some(if job.tasks.len() > 1 { 60.0 } else { 10.0 }));
        let near = |clock: &Clock, seconds: f64| (clock.place().seconds_left.unwrap() - seconds).abs() < 0.5;
        assert!(near(&clock, 100.0), "{clock:?}");
        // A complete run takes no time, and says nothing about speed.
        clock.found(&jobs[0].id, 1.0);
        assert!(near(&clock, 90.0), "{clock:?}");
        // Half of the joint run at once: 60 seconds are left, done at (0 + 10) / (30 + 10) of the expected time.
        clock.at(&jobs[4].id, 0.5);
        clock.at(&jobs[4].id, 0.2);
        assert!(near(&clock, 15.0), "{clock:?}");
        clock.ended();
        assert_eq!((clock.place().ended, clock.place().runs), (1, 5));
        assert_eq!(Clock::new(&jobs, |_| None).place().seconds_left, None);
    }
}
