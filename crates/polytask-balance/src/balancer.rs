//! What every balancing method has in common.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{Keeps, Result, Seen, State, TensorGradients, Weights};

/// What a method wants to see of each step, from cheap to costly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Needs {
    /// The loss of each task.
    Losses,
    /// The losses, and those of the same batch again after the optimizer's step ([`Balancer::observe_after`]).
    LossesAfter,
    /// The products of the tasks' gradients in the shared parameters.
    Gramian,
    /// The products of the tasks' gradients on one batch with those on another.
    CrossGramian,
    /// The products of the tasks' gradients at the shared representation: one trunk pass a step, not one a task.
    RepresentationGradients,
    /// The tasks' gradients themselves, entry by entry ([`Balancer::rewrite`]), and then their Gramian.
    TaskGradients,
}

impl Needs {
    /// The name, as it is written in files.
    pub const fn key(self) -> &'static str {
        match self {
            Needs::Losses => "losses",
            Needs::LossesAfter => "losses-after",
            Needs::Gramian => "gramian",
            Needs::CrossGramian => "cross-gramian",
            Needs::RepresentationGradients => "representation-gradients",
            Needs::TaskGradients => "task-gradients",
        }
    }

    /// What it costs a step to provide, in passes through the shared parameters.
    pub const fn passes(self) -> &'static str {
        match self {
            Needs::Losses => "one backward pass",
            Needs::LossesAfter => "one backward pass and a second forward pass",
            Needs::Gramian | Needs::TaskGradients => "a backward pass a task",
            Needs::CrossGramian => "a backward pass a task, on two or three batches",
            Needs::RepresentationGradients => "a backward pass a task through the heads, one through the rest",
        }
    }
}

/// What a method promises. One table of tests holds all methods to their promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Laws {
    /// Reordering the tasks reorders the weights and changes nothing else.
    pub permutation: bool,
    /// Tasks that were alike from the first step on (equal losses; gradients at right angles and of equal length) get
    /// equal weights.
    pub symmetric: bool,
    /// No task's loss rises to first order along `-Σ w_t g_t`.
    pub non_conflicting: bool,
    /// Where no direction improves every task whose gradient is not zero, the direction is zero.
    pub stationary: bool,
    /// What becomes of the direction when all tasks' losses are scaled alike.
    pub scale: Scale,
}

/// What becomes of the direction `Σ w_t g_t` when all losses, and so all gradients, are multiplied by one factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// It stays the same: the weights are divided by the factor.
    Invariant,
    /// It is multiplied too: the weights stay the same.
    Linear,
    /// Nothing is promised.
    Neither,
}

impl Laws {
    /// Promises nothing but finite weights, one a task, and 0 for a task that the step does not have.
    pub const fn none() -> Self {
        Laws { permutation: false, symmetric: false, non_conflicting: false, stationary: false, scale: Scale::Neither }
    }
}

/// A way to trade tasks off: options, and a function from what a step showed to one weight a task.
pub trait Balancer: DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// The method's name in configs; kebab-case, permanent.
    const KEY: &'static str;
    /// What the method does, in one line.
    const SUMMARY: &'static str;
    /// Where the method comes from: authors, title, venue, year.
    const REFERENCE: &'static str;
    /// What the method wants to see of each step.
    const NEEDS: Needs;
    /// What the method itself costs a step, once it has what it needs: a formula in the number of tasks T.
    const COST: &'static str;
    /// What the method keeps of the gradients between steps; for [`Needs::TaskGradients`] only.
    const KEEPS: Keeps = Keeps::Nothing;

    /// Checks the options, and fits those that name tasks to the tasks' names and order.
    ///
    /// # Errors
    /// Where an option is out of range or does not fit the tasks.
    fn bind(self, tasks: &[String]) -> Result<Self> {
        let _ = tasks;
        Ok(self)
    }

    /// Takes the seed of the run, for a method that draws random numbers and whose options give no seed of their own.
    fn seed(&mut self, run: u64) {
        let _ = run;
    }

    /// Gives options that are valid for these tasks: empty, unless the method has options without a default.
    fn example(tasks: &[String]) -> Map<String, Value> {
        let _ = tasks;
        Map::new()
    }

    /// What the method promises with these options.
    fn laws(&self) -> Laws;

    /// Makes the state before the first step; empty for a method without memory.
    fn init(&self, tasks: usize) -> State {
        let _ = tasks;
        State::default()
    }

    /// Reads one shared tensor's gradients and may change them; called for each tensor of a step before
    /// [`Balancer::weigh`], for [`Needs::TaskGradients`] only. `seen` need not hold more than the losses yet.
    ///
    /// # Errors
    /// Where the state does not fit.
    fn rewrite(&self, state: &State, seen: &Seen, tensor: &mut TensorGradients) -> Result<()> {
        let _ = (state, seen, tensor);
        Ok(())
    }

    /// Weighs the tasks of one step and updates the state. A task that the step does not have gets weight 0.
    ///
    /// # Errors
    /// Where the step lacks what the method needs, the state does not fit, or no finite weights exist. The state is
    /// unchanged then.
    fn weigh(&self, state: &mut State, seen: &Seen) -> Result<Weights>;

    /// Takes note of the same batch's losses after the optimizer's step; called for [`Needs::LossesAfter`] only.
    ///
    /// # Errors
    /// As [`Balancer::weigh`].
    fn observe_after(&self, state: &mut State, before: &Seen, after: &Seen) -> Result<()> {
        let _ = (state, before, after);
        Ok(())
    }
}

/// A balancer of any method, with its options bound to the tasks.
pub trait AnyBalancer: Send + Sync {
    /// The method's name.
    fn key(&self) -> &'static str;
    /// What the method wants to see of each step.
    fn needs(&self) -> Needs;
    /// What the method keeps of the gradients between steps.
    fn keeps(&self) -> Keeps;
    /// What the method promises.
    fn laws(&self) -> Laws;
    /// Takes the seed of the run, before the first step: where a method draws random numbers and its options have no
    /// `seed`, the draws start from this one instead of 0. Other methods pass it over.
    fn seed(&mut self, run: u64);
    /// Makes the state before the first step.
    fn init(&self, tasks: usize) -> State;
    /// Reads one shared tensor's gradients and may change them.
    ///
    /// # Errors
    /// See [`Balancer::rewrite`].
    fn rewrite(&self, state: &State, seen: &Seen, tensor: &mut TensorGradients) -> Result<()>;
    /// Weighs the tasks of one step and updates the state.
    ///
    /// # Errors
    /// See [`Balancer::weigh`].
    fn weigh(&self, state: &mut State, seen: &Seen) -> Result<Weights>;
    /// Takes note of the same batch's losses after the optimizer's step.
    ///
    /// # Errors
    /// See [`Balancer::observe_after`].
    fn observe_after(&self, state: &mut State, before: &Seen, after: &Seen) -> Result<()>;
}

/// Hides which method a balancer is. Its options must have been bound ([`Balancer::bind`]).
pub fn erase<B: Balancer>(balancer: B) -> Box<dyn AnyBalancer> {
    Box::new(Erased(balancer))
}

/// A struct of its own, so that the two traits' equal method names never meet on one type.
struct Erased<B>(B);

impl<B: Balancer> AnyBalancer for Erased<B> {
    fn key(&self) -> &'static str {
        B::KEY
    }

    fn needs(&self) -> Needs {
        B::NEEDS
    }

    fn keeps(&self) -> Keeps {
        B::KEEPS
    }

    fn laws(&self) -> Laws {
        self.0.laws()
    }

    fn seed(&mut self, run: u64) {
        self.0.seed(run);
    }

    fn init(&self, tasks: usize) -> State {
        self.0.init(tasks)
    }

    fn rewrite(&self, state: &State, seen: &Seen, tensor: &mut TensorGradients) -> Result<()> {
        self.0.rewrite(state, seen, tensor)
    }

    fn weigh(&self, state: &mut State, seen: &Seen) -> Result<Weights> {
        self.0.weigh(state, seen)
    }

    fn observe_after(&self, state: &mut State, before: &Seen, after: &Seen) -> Result<()> {
        self.0.observe_after(state, before, after)
    }
}
