//! How are the parameters of a model gone through, and the gradients of tasks combined?

use std::collections::HashSet;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::memory::Memory;
use super::task::TaskGradient;
use crate::{Error, Result};

/// What is done at a parameter.
pub(super) trait AtParameter {
    /// Does it. `name` is the parameter's path in the model.
    fn at<const D: usize>(&mut self, name: &str, id: ParamId) -> Result<()>;
}

/// Does something at every parameter of numbers, once also where two parts of the model have it in common.
pub(super) fn walk<M: Module, V: AtParameter>(model: &M, at: &mut V) -> Result<()> {
    let mut walk = Walk { at, path: Vec::new(), visited: HashSet::new(), result: Ok(()) };
    model.visit(&mut walk);
    walk.result
}

struct Walk<'a, V> {
    at: &'a mut V,
    path: Vec<String>,
    visited: HashSet<ParamId>,
    result: Result<()>,
}

impl<V: AtParameter> ModuleVisitor for Walk<'_, V> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.result.is_ok() && self.visited.insert(param.id) {
            self.result = self.at.at::<D>(&self.path.join("."), param.id);
        }
    }

    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }
}

/// The gradients of the tasks of a step.
pub(super) struct Present {
    pub(super) tasks: Vec<usize>,
    pub(super) gradients: Vec<GradientsParams>,
    /// The largest absolute value in each gradient.
    pub(super) largest: Vec<f64>,
}

impl Present {
    pub(super) fn new(gradients: Vec<Option<TaskGradient>>) -> Self {
        let present = gradients.into_iter().enumerate().filter_map(|(task, of)| Some((task, of?.gradients)));
        let (tasks, gradients): (Vec<usize>, Vec<GradientsParams>) = present.unzip();
        Present { largest: vec![0.0; tasks.len()], tasks, gradients }
    }

    /// Checks that the weighted sum of the gradients stays within what `f32` holds.
    pub(super) fn bounded(&self, weights: &[f64]) -> Result<()> {
        let parts = self.tasks.iter().zip(&self.largest).map(|(&task, largest)| (task, weights[task].abs() * largest));
        let sum: f64 = parts.clone().map(|(_, part)| part).sum();
        let (task, _) = parts.fold((0, -1.0), |most, part| if part.1 > most.1 { part } else { most });
        let wide = self.tasks.iter().copied().find(|&task| weights[task].abs() > f64::from(f32::MAX));
        match wide.or((sum > f64::from(f32::MAX)).then_some(task)) {
            Some(task) => Err(Error::Weight { task, value: weights[task] }),
            None => Ok(()),
        }
    }
}

/// Sums the gradients, weighted in what is shared, or everywhere.
pub(super) struct Combine<'a> {
    pub(super) present: &'a mut Present,
    pub(super) memory: &'a Memory,
    /// The weight of each task, present or not.
    pub(super) weights: &'a [f64],
    /// Where weights hold.
    pub(super) weighted: Weighted,
    /// The sum.
    pub(super) combined: GradientsParams,
}

/// Where weights hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weighted {
    /// In every parameter.
    Everywhere,
    /// In the parameters that several tasks have reached.
    Shared,
}

impl AtParameter for Combine<'_> {
    fn at<const D: usize>(&mut self, name: &str, id: ParamId) -> Result<()> {
        let weighted = self.weighted == Weighted::Everywhere || self.memory.is_shared(name);
        let Present { tasks, gradients, .. } = &mut *self.present;
        let parts = gradients.iter_mut().zip(tasks.iter()).filter_map(|(gradients, &task)| {
            let gradient = gradients.remove::<D>(id)?;
            Some(if weighted { gradient.mul_scalar(self.weights[task] as f32) } else { gradient })
        });
        if let Some(sum) = parts.reduce(|sum, part| sum + part) {
            self.combined.register(id, sum);
        }
        Ok(())
    }
}

/// Checks one gradient of several tasks together.
pub(super) struct Check<'a> {
    pub(super) gradients: &'a GradientsParams,
    pub(super) tasks: &'a str,
}

impl AtParameter for Check<'_> {
    fn at<const D: usize>(&mut self, name: &str, id: ParamId) -> Result<()> {
        let Some(gradient) = self.gradients.get::<D>(id) else { return Ok(()) };
        finite(&host(gradient)?, name, || self.tasks.to_owned())
    }
}

/// One parameter's gradient in main memory.
pub(super) fn host<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    tensor.try_into_vec_as::<f32>().map_err(|error| Error::Read { message: error.to_string() })
}

/// Checks that every entry is finite.
pub(super) fn finite(values: &[f32], parameter: &str, tasks: impl FnOnce() -> String) -> Result<()> {
    match values.iter().find(|value| !value.is_finite()) {
        Some(&value) => Err(Error::Gradient { tasks: tasks(), parameter: parameter.to_owned(), value }),
        None => Ok(()),
    }
}
