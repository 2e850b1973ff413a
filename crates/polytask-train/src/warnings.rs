//! What should a user be told while training goes on?
//!
//! Warnings are a function of the events written so far: [`Warnings`] takes in one after the other and says what is worth a
//! warning now. What was told is known from the warnings among the events, so that a run that goes on, which takes in again
//! what stands in `events.jsonl`, tells nothing twice and leaves nothing out. Gradients are looked at every `balance.watch`
//! steps, under every balancer; warnings use the looks that there are.

mod advice;
pub(crate) mod alone;
mod conflict;
mod domination;
mod transfer;

use std::collections::VecDeque;

use polytask_run::{Event, Measured, Warning};
use polytask_spec::Spec;

pub use alone::{Curve, Point};
use conflict::Conflicts;
use domination::Dominations;
use transfer::Transfers;

/// Looks that a warning rests on at most: a conflict that has passed is no reason for one.
const LOOKS_MAX: usize = 20;

/// Looks below which nothing is said: too few to tell a habit from chance.
const LOOKS_MIN: usize = 10;

/// Share of the looks that have to be alike. Tasks that contradict each other outright, once a network has settled between them,
/// are seen to do so in three of four looks at small batches.
const LOOKS_ALIKE: f64 = 0.7;

/// All that decides about warnings.
#[derive(Debug, Clone)]
pub struct Warnings {
    spec: Spec,
    conflicts: Conflicts,
    dominations: Dominations,
    transfers: Transfers,
    /// Kind and tasks of what was told.
    told: Vec<(&'static str, Vec<String>)>,
}

/// What a look or an evaluation leads to, and the tasks that it is about.
type Finding = (Vec<String>, Measured);

impl Warnings {
    /// Nothing seen yet; `alone` has the curve of each task, in the order of the configuration, where its run alone is known.
    pub fn new(spec: &Spec, alone: &[Option<Curve>]) -> Warnings {
        // A task alone cannot be worse for the company of others.
        let several = spec.task.len() > 1;
        let named = spec.task.keys().zip(alone).filter(|_| several);
        let curves = named.filter_map(|(task, curve)| Some((task.clone(), curve.clone()?)));
        Warnings {
            spec: spec.clone(),
            conflicts: Conflicts::default(),
            dominations: Dominations::default(),
            transfers: Transfers::new(curves),
            told: Vec::new(),
        }
    }

    /// Takes in an event that was written and returns what is to be told now, which is to be written and taken in likewise.
    pub fn see(&mut self, event: &Event) -> Vec<Warning> {
        let (at, found): ((usize, u64), Vec<Finding>) = match event {
            Event::Balance { epoch, step, tasks, cosines, .. } => {
                let mut found = self.conflicts.see(cosines);
                found.extend(self.dominations.see(tasks));
                ((*epoch, *step), found)
            }
            Event::Evaluation { epoch, step, split, tasks } if split == "valid" => {
                ((*epoch, *step), self.transfers.judge(tasks))
            }
            Event::Epoch { tasks, .. } => {
                self.transfers.count(tasks);
                return Vec::new();
            }
            Event::Warning(warning) => {
                self.told.push((warning.measured.kind(), warning.tasks.clone()));
                return Vec::new();
            }
            _ => return Vec::new(),
        };
        let is_new = |(tasks, measured): &Finding| {
            !self.told.iter().any(|(kind, told)| *kind == measured.kind() && told == tasks)
        };
        let (epoch, step) = at;
        let warn = |(tasks, measured): Finding| {
            let advice = advice::of(&self.spec, &measured, &tasks);
            Warning { epoch, step, tasks, measured, advice }
        };
        found.into_iter().filter(is_new).map(warn).collect()
    }
}

/// The last values of a series.
#[derive(Debug, Clone, Default, PartialEq)]
struct Recent(VecDeque<f64>);

impl Recent {
    fn push(&mut self, value: f64) {
        if self.0.len() == LOOKS_MAX {
            self.0.pop_front();
        }
        self.0.push_back(value);
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len().max(1) as f64
    }

    fn count(&self, is_alike: impl Fn(f64) -> bool) -> usize {
        self.0.iter().filter(|value| is_alike(**value)).count()
    }

    /// Whether there are enough values, and so many of them alike.
    fn mostly(&self, alike: usize) -> bool {
        self.len() >= LOOKS_MIN && alike as f64 >= LOOKS_ALIKE * self.len() as f64
    }
}

#[cfg(test)]
mod tests;
