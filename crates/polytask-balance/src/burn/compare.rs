//! How are gradients checked, compared and rewritten? One parameter's gradients of all tasks at a time, in main memory.

use burn::module::ParamId;
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};

use super::memory::Memory;
use super::task::TaskGradient;
use super::visit::{AtParameter, Present, finite, host};
use crate::{AnyBalancer, Result, Seen, State, TensorGradients};

/// Reads every gradient: checks it, notes who reaches what, and, for `products`, compares what is shared.
pub(super) struct Read<'a> {
    pub(super) present: &'a mut Present,
    pub(super) memory: &'a mut Memory,
    /// The products of the gradients, `[present task][present task]`, where they are asked for.
    pub(super) products: Option<Vec<Vec<f64>>>,
}

impl AtParameter for Read<'_> {
    fn at<const D: usize>(&mut self, name: &str, id: ParamId) -> Result<()> {
        let Present { tasks, gradients, largest } = &mut *self.present;
        let values = read::<D>(tasks.iter().copied().zip(gradients.iter()), name, id, self.memory)?;
        for (largest, values) in largest.iter_mut().zip(&values) {
            *largest = most(values.as_deref().unwrap_or_default()).max(*largest);
        }
        match &mut self.products {
            Some(products) if self.memory.is_shared(name) => add_products(products, &values),
            _ => {}
        }
        Ok(())
    }
}

/// Reads the gradients of two batches and compares those of one with those of the other in what is shared.
pub(super) struct Cross<'a> {
    first: &'a [Option<TaskGradient>],
    second: &'a [Option<TaskGradient>],
    memory: &'a mut Memory,
    /// The products, `[present task of the first batch][present task of the second]`.
    pub(super) products: Vec<Vec<f64>>,
}

impl<'a> Cross<'a> {
    pub(super) fn new(
        first: &'a [Option<TaskGradient>],
        second: &'a [Option<TaskGradient>],
        memory: &'a mut Memory,
    ) -> Self {
        let count = first.iter().flatten().count();
        Cross { first, second, memory, products: vec![vec![0.0; count]; count] }
    }
}

impl AtParameter for Cross<'_> {
    fn at<const D: usize>(&mut self, name: &str, id: ParamId) -> Result<()> {
        let present = |of: &'_ Option<TaskGradient>| of.is_some();
        debug_assert!(self.first.iter().map(present).eq(self.second.iter().map(present)));
        let first = read::<D>(gradients_of(self.first), name, id, self.memory)?;
        let second = read::<D>(gradients_of(self.second), name, id, self.memory)?;
        if self.memory.is_shared(name) {
            for (row, left) in self.products.iter_mut().zip(&first) {
                for (product, right) in row.iter_mut().zip(&second) {
                    *product += left.as_deref().zip(right.as_deref()).map_or(0.0, |(left, right)| dot(left, right));
                }
            }
        }
        Ok(())
    }
}

/// Shows a method what is shared, and puts what it makes of the gradients in their place.
pub(super) struct Rewrite<'a> {
    balancer: &'a dyn AnyBalancer,
    seen: &'a Seen,
    present: &'a mut Present,
    memory: &'a mut Memory,
    state: State,
    /// The products of the rewritten gradients, `[present task][present task]`.
    pub(super) products: Vec<Vec<f64>>,
    /// What the method measured, `[present task]`.
    pub(super) measures: Vec<f64>,
}

impl<'a> Rewrite<'a> {
    pub(super) fn new(
        balancer: &'a dyn AnyBalancer,
        seen: &'a Seen,
        present: &'a mut Present,
        memory: &'a mut Memory,
    ) -> Self {
        let (count, state) = (present.tasks.len(), memory.state.clone());
        let (products, measures) = (vec![vec![0.0; count]; count], vec![0.0; count]);
        Rewrite { balancer, seen, present, memory, state, products, measures }
    }
}

impl AtParameter for Rewrite<'_> {
    fn at<const D: usize>(&mut self, name: &str, id: ParamId) -> Result<()> {
        let Present { tasks, gradients, largest } = &mut *self.present;
        let Some(like) = gradients.iter().find_map(|gradients| gradients.get::<D>(id)) else { return Ok(()) };
        if !self.memory.is_shared(name) {
            return Ok(());
        }
        let (shape, device, dtype) = (like.shape(), like.device(), like.dtype());
        let entries = shape.num_elements();
        let values = read::<D>(tasks.iter().copied().zip(gradients.iter()), name, id, self.memory)?;
        // A task that does not reach the parameter now has the gradient zero there.
        let mut values: Vec<Vec<f32>> =
            values.into_iter().map(|values| values.unwrap_or_else(|| vec![0.0; entries])).collect();
        let mut tensor = TensorGradients {
            name,
            gradients: values.iter_mut().map(Vec::as_mut_slice).collect(),
            kept: self.memory.kept(name, self.balancer.keeps(), tasks, entries)?,
            measures: &mut self.measures,
        };
        self.balancer.rewrite(&self.state, self.seen, &mut tensor)?;
        for (&task, values) in tasks.iter().zip(&values) {
            finite(values, name, || self.memory.tasks[task].clone())?;
        }
        let values: Vec<Option<Vec<f32>>> = values.into_iter().map(Some).collect();
        add_products(&mut self.products, &values);
        for ((gradients, largest), values) in gradients.iter_mut().zip(largest).zip(values.into_iter().flatten()) {
            *largest = most(&values).max(*largest);
            let tensor = Tensor::<D>::from_data(TensorData::new(values, shape.clone()), (&device, dtype));
            gradients.register(id, tensor);
        }
        Ok(())
    }
}

fn gradients_of(tasks: &[Option<TaskGradient>]) -> impl Iterator<Item = (usize, &GradientsParams)> {
    tasks.iter().enumerate().filter_map(|(task, of)| Some((task, &of.as_ref()?.gradients)))
}

/// One parameter's gradients in main memory, checked, `[present task][entry]`; `None` where a task does not reach it.
fn read<'a, const D: usize>(
    present: impl Iterator<Item = (usize, &'a GradientsParams)>,
    name: &str,
    id: ParamId,
    memory: &mut Memory,
) -> Result<Vec<Option<Vec<f32>>>> {
    let mut all = Vec::new();
    for (task, gradients) in present {
        let values = gradients.get::<D>(id).map(host).transpose()?;
        if let Some(values) = &values {
            finite(values, name, || memory.tasks[task].clone())?;
            memory.reach(name, task);
        }
        all.push(values);
    }
    Ok(all)
}

fn most(values: &[f32]) -> f64 {
    f64::from(values.iter().fold(0.0_f32, |most, value| most.max(value.abs())))
}

/// Adds one parameter's part to the products of gradients.
fn add_products(products: &mut [Vec<f64>], values: &[Option<Vec<f32>>]) {
    for (a, left) in values.iter().enumerate() {
        for (b, right) in values.iter().enumerate().take(a + 1) {
            let Some((left, right)) = left.as_deref().zip(right.as_deref()) else { continue };
            let product = dot(left, right);
            products[a][b] += product;
            if a != b {
                products[b][a] += product;
            }
        }
    }
}

/// The product in 64 bits, in sixteen running sums.
fn dot(left: &[f32], right: &[f32]) -> f64 {
    let mut sums = [0.0_f64; 16];
    let ((left, left_rest), (right, right_rest)) = (left.as_chunks::<16>(), right.as_chunks::<16>());
    for (left, right) in left.iter().zip(right) {
        for (sum, (left, right)) in sums.iter_mut().zip(left.iter().zip(right)) {
            *sum += f64::from(*left) * f64::from(*right);
        }
    }
    let rest: f64 = left_rest.iter().zip(right_rest).map(|(left, right)| f64::from(*left) * f64::from(*right)).sum();
    sums.iter().sum::<f64>() + rest
}
