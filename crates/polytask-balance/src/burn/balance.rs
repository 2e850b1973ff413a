//! What happens in a step? Gradients in, one gradient out.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use serde_json::{Map, Value};

use super::compare::{Cross, Read, Rewrite};
use super::memory::Memory;
use super::task::{TaskGradient, tracked, value_of};
use super::visit::{Check, Combine, Present, Weighted, walk};
use crate::{AnyBalancer, Error, Gramian, Needs, Result, Seen, State, all, find};

/// A balancer for the tasks of a burn model, with all that it remembers.
///
/// Tasks are numbered in the order of their names. Wherever one value a task is taken, `None` stands for a task that the
/// step does not have.
pub struct Balance {
    balancer: Box<dyn AnyBalancer>,
    memory: Memory,
    /// The last step, until its losses after the update are known.
    before: Option<Seen>,
    /// The present tasks and the products of their gradients on two batches, until the step that they are for.
    compared: Option<(Vec<usize>, Vec<Vec<f64>>)>,
}

/// What came of a step.
#[derive(Debug)]
pub struct Balanced {
    /// The gradient that the optimizer takes.
    pub gradients: GradientsParams,
    /// The weight of each task; 0 for a task that the step did not have.
    pub weights: Vec<f64>,
    /// The loss of each task.
    pub losses: Vec<Option<f64>>,
}

impl Balance {
    /// Takes a method by its name, with its default options, for tasks of these names.
    ///
    /// # Errors
    /// As [`Balance::with_options`].
    pub fn new<S: AsRef<str>>(method: &str, tasks: &[S]) -> Result<Self> {
        Self::with_options(method, &Map::new(), tasks)
    }

    /// Takes a method by its name, with options, for tasks of these names.
    ///
    /// # Errors
    /// Where there is no such method or no task, or an option is unknown, out of range, or does not fit the tasks.
    pub fn with_options<S: AsRef<str>>(method: &str, options: &Map<String, Value>, tasks: &[S]) -> Result<Self> {
        let known = || all().iter().map(|entry| entry.key).collect::<Vec<_>>().join(", ");
        let entry = find(method).ok_or_else(|| Error::Method { found: method.to_owned(), known: known() })?;
        let tasks: Vec<String> = tasks.iter().map(|task| task.as_ref().to_owned()).collect();
        let balancer = (entry.build)(options, &tasks)?;
        let memory = Memory::new(method, tasks.clone(), balancer.init(tasks.len()));
        Ok(Balance { balancer, memory, before: None, compared: None })
    }

    /// Gives methods that draw random numbers a seed, where their options hold none. Call it before the first step.
    pub fn seeded(mut self, seed: u64) -> Self {
        self.balancer.seed(seed);
        self
    }

    /// Goes on from what a balancer of the same method, options and tasks remembered between two steps.
    ///
    /// # Errors
    /// Where the memory is of another method or other tasks.
    pub fn resumed(self, memory: Memory) -> Result<Self> {
        memory.check(self.balancer.key(), &self.memory.tasks)?;
        Ok(Balance { memory, before: None, compared: None, ..self })
    }

    /// All that is remembered between steps.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// What the method wants to see of each step.
    pub fn needs(&self) -> Needs {
        self.balancer.needs()
    }

    /// Walks the tasks' losses back and makes one gradient of theirs; one loss a task, each one number.
    ///
    /// A method on losses takes one walk through their weighted sum, so losses may then share a graph; for all others
    /// each needs a graph of its own.
    ///
    /// # Errors
    /// Where there is not one loss a task, or a loss is not one finite number with a graph; and as
    /// [`Balance::step_on_gradients`].
    ///
    /// # Panics
    /// Where losses share a graph and the method compares gradients: burn's `backward` consumes the graph.
    pub fn step<M: Module, L: Into<Option<Tensor<1>>>>(
        &mut self,
        model: &M,
        losses: impl IntoIterator<Item = L>,
    ) -> Result<Balanced> {
        let losses: Vec<Option<Tensor<1>>> = losses.into_iter().map(Into::into).collect();
        match self.needs() {
            Needs::Losses | Needs::LossesAfter => self.step_on_sum(model, &losses),
            _ => {
                self.count("the list of losses", losses.len())?;
                let gradients = walk_back(model, losses)?;
                self.step_on_gradients(model, gradients)
            }
        }
    }

    /// Makes one gradient of the tasks' own.
    ///
    /// # Errors
    /// Where there is not one gradient a task; a loss or a gradient is NaN or infinite, which names the task and the
    /// parameter; [`Balance::observe_after`] or [`Balance::compare`] is missing for a method that needs it; or there are
    /// no finite weights. The memory is then as before, but for what `moco`, `db-mtl` and `excess-mtl` keep of gradients
    /// where no weights were found.
    pub fn step_on_gradients<M: Module>(
        &mut self,
        model: &M,
        gradients: impl IntoIterator<Item = Option<TaskGradient>>,
    ) -> Result<Balanced> {
        let gradients: Vec<Option<TaskGradient>> = gradients.into_iter().collect();
        self.count("the list of gradients", gradients.len())?;
        self.ready()?;
        let seen = Seen::new(gradients.iter().map(|of| of.as_ref().map(|of| of.loss)).collect())?;
        let mut present = Present::new(gradients);
        if present.tasks.is_empty() {
            return Ok(nothing(&seen));
        }
        let seen = self.see(model, seen, &mut present)?;
        let mut state = self.memory.state.clone();
        let weights = self.balancer.weigh(&mut state, &seen)?.into_vec();
        present.bounded(&weights)?;
        let weighted = match self.needs() {
            Needs::Losses | Needs::LossesAfter => Weighted::Everywhere,
            _ => Weighted::Shared,
        };
        let (present, memory, combined) = (&mut present, &self.memory, GradientsParams::new());
        let mut combine = Combine { present, memory, weights: &weights, weighted, combined };
        walk(model, &mut combine)?;
        let gradients = combine.combined;
        Ok(self.ended(state, seen, weights, gradients))
    }

    /// Adds to the losses what the method needs to see of the gradients.
    fn see<M: Module>(&mut self, model: &M, seen: Seen, present: &mut Present) -> Result<Seen> {
        let count = present.tasks.len();
        let products = (self.needs() == Needs::Gramian).then(|| vec![vec![0.0; count]; count]);
        let mut read = Read { present, memory: &mut self.memory, products };
        walk(model, &mut read)?;
        let products = read.products;
        match self.needs() {
            Needs::Losses | Needs::LossesAfter => Ok(seen),
            Needs::Gramian => seen.with_gramian(Gramian::new(&products.unwrap_or_default())?),
            Needs::CrossGramian => {
                let (tasks, rows) = self.compared.take().ok_or(Error::NotProvided { need: COMPARED })?;
                if tasks != present.tasks {
                    return Err(Error::Tasks { what: COMPARED, expected: count, found: tasks.len() });
                }
                seen.with_cross_gramian(rows)
            }
            Needs::TaskGradients => {
                let mut rewrite = Rewrite::new(&*self.balancer, &seen, present, &mut self.memory);
                walk(model, &mut rewrite)?;
                let (products, measures) = (rewrite.products, rewrite.measures);
                seen.with_gramian(Gramian::new(&products)?)?.with_measures(measures)
            }
            Needs::RepresentationGradients => Err(Error::NotProvided { need: "gradients at a shared representation" }),
        }
    }

    /// Shows the method the same tasks on two batches beside the step's own, before [`Balance::step`]; only methods that
    /// need [`Needs::CrossGramian`] (`modo`, `sdmgrad`) ask for the losses.
    ///
    /// The batches should be drawn anew. Where there are only two, the second may be that of the step.
    ///
    /// # Errors
    /// As [`Balance::step`].
    ///
    /// # Panics
    /// As [`Balance::step`].
    pub fn compare<M: Module, L: Into<Option<Tensor<1>>>, I: IntoIterator<Item = L>>(
        &mut self,
        model: &M,
        first: impl FnOnce() -> I,
        second: impl FnOnce() -> I,
    ) -> Result<()> {
        if self.needs() != Needs::CrossGramian {
            return Ok(());
        }
        let first = walk_back(model, first().into_iter().map(Into::into))?;
        let second = walk_back(model, second().into_iter().map(Into::into))?;
        self.compare_gradients(model, &first, &second)
    }

    /// As [`Balance::compare`], with the gradients of two batches.
    ///
    /// # Errors
    /// Where there is not one gradient a task, the batches have different tasks, or a gradient is NaN or infinite.
    pub fn compare_gradients<M: Module>(
        &mut self,
        model: &M,
        first: &[Option<TaskGradient>],
        second: &[Option<TaskGradient>],
    ) -> Result<()> {
        self.count("the first batch", first.len())?;
        self.count("the second batch", second.len())?;
        let tasks = |of: &[Option<TaskGradient>]| {
            of.iter().enumerate().filter_map(|(task, of)| of.as_ref().map(|_| task)).collect::<Vec<_>>()
        };
        let (left, right) = (tasks(first), tasks(second));
        if left != right {
            return Err(Error::Tasks { what: "the second batch", expected: left.len(), found: right.len() });
        }
        let mut cross = Cross::new(first, second, &mut self.memory);
        walk(model, &mut cross)?;
        self.compared = Some((left, cross.products));
        Ok(())
    }

    /// Takes note of the same batch's losses after the optimizer's step; only methods that need
    /// [`Needs::LossesAfter`] (`famo`) ask for them.
    ///
    /// # Errors
    /// Where there was no step, the losses are not those of the step's tasks, or one is NaN or infinite.
    pub fn observe_after<L: Into<Option<Tensor<1>>>, I: IntoIterator<Item = L>>(
        &mut self,
        losses: impl FnOnce() -> I,
    ) -> Result<()> {
        if self.needs() != Needs::LossesAfter {
            return Ok(());
        }
        let before = self.before.as_ref().ok_or(Error::NotProvided { need: "a step before the losses after it" })?;
        let losses: Vec<Option<Tensor<1>>> = losses().into_iter().map(Into::into).collect();
        let after = Seen::new(values_of(&losses)?)?;
        let mut state = self.memory.state.clone();
        self.balancer.observe_after(&mut state, before, &after)?;
        self.memory.state = state;
        self.before = None;
        Ok(())
    }

    /// A walk back through the weighted sum of the losses.
    fn step_on_sum<M: Module>(&mut self, model: &M, losses: &[Option<Tensor<1>>]) -> Result<Balanced> {
        self.count("the list of losses", losses.len())?;
        self.ready()?;
        let seen = Seen::new(values_of(losses)?)?;
        let present = || losses.iter().enumerate().filter_map(|(task, loss)| Some((task, loss.as_ref()?)));
        present().try_for_each(|(task, loss)| tracked(task, loss))?;
        if present().next().is_none() {
            return Ok(nothing(&seen));
        }
        let mut state = self.memory.state.clone();
        let weights = self.balancer.weigh(&mut state, &seen)?.into_vec();
        let weighted = present().map(|(task, loss)| loss.clone().mul_scalar(weights[task] as f32));
        let Some(sum) = weighted.reduce(|sum, loss| sum + loss) else { return Ok(nothing(&seen)) };
        let gradients = GradientsParams::from_grads(sum.backward(), model);
        let names: Vec<&str> = present().map(|(task, _)| self.memory.tasks[task].as_str()).collect();
        walk(model, &mut Check { gradients: &gradients, tasks: &names.join("`, `") })?;
        Ok(self.ended(state, seen, weights, gradients))
    }

    fn ended(&mut self, state: State, seen: Seen, weights: Vec<f64>, gradients: GradientsParams) -> Balanced {
        self.memory.state = state;
        let losses = seen.losses().to_vec();
        self.before = (self.needs() == Needs::LossesAfter).then_some(seen);
        Balanced { gradients, weights, losses }
    }

    /// Checks that nothing of the last step is still to come.
    fn ready(&self) -> Result<()> {
        match self.before {
            Some(_) => Err(Error::NotProvided { need: "the losses after the last step (`observe_after`)" }),
            None => Ok(()),
        }
    }

    fn count(&self, what: &'static str, found: usize) -> Result<()> {
        let expected = self.memory.tasks.len();
        if found == expected { Ok(()) } else { Err(Error::Tasks { what, expected, found }) }
    }
}

const COMPARED: &str = "the products of the gradients on two batches (`compare`)";

/// What comes of a step without a task.
fn nothing(seen: &Seen) -> Balanced {
    let gradients = GradientsParams::new();
    Balanced { gradients, weights: vec![0.0; seen.tasks()], losses: seen.losses().to_vec() }
}

fn walk_back<M: Module>(
    model: &M,
    losses: impl IntoIterator<Item = Option<Tensor<1>>>,
) -> Result<Vec<Option<TaskGradient>>> {
    let losses = losses.into_iter().enumerate();
    losses.map(|(task, loss)| loss.map(|loss| TaskGradient::of_loss(model, task, &loss)).transpose()).collect()
}

fn values_of(losses: &[Option<Tensor<1>>]) -> Result<Vec<Option<f64>>> {
    let losses = losses.iter().enumerate();
    losses.map(|(task, loss)| loss.as_ref().map(|loss| value_of(task, loss)).transpose()).collect()
}
