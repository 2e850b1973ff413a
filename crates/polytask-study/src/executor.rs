//! Where are runs trained?

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::job::Job;

/// Takes runs to where they are trained.
pub trait Executor {
    /// Hands every job to `work` once, and begins them in order; after a `Break` no further one is begun. Returns when all that
    /// were begun have ended. `work` may wait for a job that stands before its own, and needs that one's files.
    fn run(&self, jobs: &[Job], work: &(dyn Fn(&Job) -> ControlFlow<()> + Sync));
}

/// Trains on this machine, in this process, so many runs at a time.
#[derive(Debug, Clone, Copy)]
pub struct Local {
    /// Runs at a time, at least one; each holds its own data and network.
    pub workers: usize,
}

impl Executor for Local {
    fn run(&self, jobs: &[Job], work: &(dyn Fn(&Job) -> ControlFlow<()> + Sync)) {
        let (next, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
        let take = || {
            while !stopped.load(Ordering::Relaxed) {
                let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
                if work(job).is_break() {
                    stopped.store(true, Ordering::Relaxed);
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.workers.min(jobs.len()) {
                scope.spawn(take);
            }
            take();
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::derive::tests::{FOUR, spec};
    use crate::job::jobs;

    #[test]
    fn every_job_is_worked_on_once_until_a_break() {
        let text = format!("{FOUR}[study]\nseeds = 4\nbudget.runs = 20\n");
        let jobs = jobs(&spec(&text)).unwrap().planned;
        for workers in [1, 3, 50] {
            let seen = Mutex::new(Vec::new());
            let note = |job: &Job, last: &str| {
                seen.lock().unwrap().push(job.id.clone());
                if job.id == last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            Local { workers }.run(&jobs, &|job| note(job, ""));
            let mut found = std::mem::take(&mut *seen.lock().unwrap());
            let mut expected: Vec<String> = jobs.iter().map(|job| job.id.clone()).collect();
            if workers == 1 {
                assert_eq!(found, expected);
            }
            found.sort();
            expected.sort();
            assert_eq!(found, expected);
        }
        let seen = Mutex::new(0);
        Local { workers: 1 }.run(&jobs, &|job| {
            *seen.lock().unwrap() += 1;
            if job.id == jobs[2].id { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!(seen.into_inner().unwrap(), 3);
    }
}
