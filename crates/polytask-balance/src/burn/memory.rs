//! What does a balancer of a burn model remember between steps?

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Error, Keeps, Result, State};

/// All that a [`Balance`](super::Balance) remembers between steps: an ordinary value, to be stored with a checkpoint.
///
/// Written to JSON or any other format of serde and read back, it continues as if nothing had happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// The method's name.
    pub method: String,
    /// The tasks' names, in order.
    pub tasks: Vec<String>,
    /// The method's state.
    pub state: State,
    /// The tasks that have reached a parameter, by its path in the model.
    reached: BTreeMap<String, Vec<usize>>,
    /// What the method keeps of a shared parameter's gradients, by path: `[task][entry]`.
    kept: BTreeMap<String, Vec<Vec<f32>>>,
}

impl Memory {
    pub(super) fn new(method: &str, tasks: Vec<String>, state: State) -> Self {
        Memory { method: method.to_owned(), tasks, state, reached: BTreeMap::new(), kept: BTreeMap::new() }
    }

    /// Checks that this is what a balancer of the same method and tasks remembers.
    pub(super) fn check(&self, method: &str, tasks: &[String]) -> Result<()> {
        if self.method == method && self.tasks == tasks {
            return Ok(());
        }
        let of = |method: &str, tasks: &[String]| format!("`{method}` for the tasks `{}`", tasks.join("`, `"));
        Err(Error::Memory { found: of(&self.method, &self.tasks), expected: of(method, tasks) })
    }

    /// Notes that a task reaches a parameter.
    pub(super) fn reach(&mut self, parameter: &str, task: usize) {
        if !self.reached.contains_key(parameter) {
            self.reached.insert(parameter.to_owned(), Vec::new());
        }
        if let Some(tasks) = self.reached.get_mut(parameter)
            && let Err(place) = tasks.binary_search(&task)
        {
            tasks.insert(place, task);
        }
    }

    /// Whether at least two tasks have reached a parameter.
    pub(super) fn is_shared(&self, parameter: &str) -> bool {
        self.reached.get(parameter).is_some_and(|tasks| tasks.len() > 1)
    }

    /// What is kept of a parameter's gradients for the present tasks, in order; zeros before the first step.
    ///
    /// # Errors
    /// Where the parameter had another number of entries before.
    pub(super) fn kept(
        &mut self,
        parameter: &str,
        keeps: Keeps,
        present: &[usize],
        entries: usize,
    ) -> Result<Vec<&mut [f32]>> {
        if keeps == Keeps::Nothing {
            return Ok(Vec::new());
        }
        let tasks = self.tasks.len();
        let kept = self.kept.entry(parameter.to_owned()).or_insert_with(|| vec![vec![0.0; entries]; tasks]);
        if kept.len() != tasks || kept.iter().any(|kept| kept.len() != entries) {
            let found = kept.first().map_or(0, Vec::len);
            return Err(Error::Entries { parameter: parameter.to_owned(), expected: entries, found });
        }
        let of_present = kept.iter_mut().enumerate().filter(|(task, _)| present.contains(task));
        Ok(of_present.map(|(_, kept)| kept.as_mut_slice()).collect())
    }
}
