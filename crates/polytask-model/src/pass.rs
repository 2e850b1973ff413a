//! What does one forward pass need to know?
//!
//! A [`Pass`] hands out parameters as tensors and remembers which it handed out, so that after the backward walk it can
//! collect exactly the gradients that exist. Rows of tables are handed out as a leaf of only the rows in the batch: no
//! gradient of a whole table is ever made.

use std::cell::{Cell, RefCell};

use burn::tensor::{Tensor, TensorData};
use polytask_kernels::gather::gather;
use polytask_kernels::ops;

use crate::parameters::{ParameterId, Parameters, TableId};

/// Whether a pass trains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// No tape, no dropout.
    Infer,
    /// With tape and dropout; masks follow from the seed and the step alone.
    Train {
        /// The run's seed.
        seed: u64,
        /// Optimizer steps taken before this one.
        step: u64,
    },
}

/// One forward pass over a batch.
pub struct Pass<'a> {
    parameters: &'a Parameters,
    mode: Mode,
    leaves: RefCell<Vec<Option<Tensor<1>>>>,
    rows: RefCell<Vec<RowLeaf>>,
    dropouts: Cell<u64>,
}

struct RowLeaf {
    table: TableId,
    rows: Vec<u32>,
    leaf: Tensor<2>,
}

/// Gradients of one backward walk.
#[derive(Debug, Default, Clone)]
pub struct Gradients {
    /// Flat gradient of each dense parameter, by its id; absent where the pass did not use it.
    pub dense: Vec<Option<Vec<f32>>>,
    /// Gradients of table rows.
    pub rows: Vec<RowGradient>,
}

/// Gradient of some rows of a table.
#[derive(Debug, Clone)]
pub struct RowGradient {
    /// Index of the table.
    pub table: usize,
    /// Distinct rows, ascending.
    pub rows: Vec<u32>,
    /// Row-major gradient, `[rows.len(), dim]`.
    pub values: Vec<f32>,
}

impl<'a> Pass<'a> {
    /// A pass over `parameters`.
    pub fn new(parameters: &'a Parameters, mode: Mode) -> Self {
        let leaves = RefCell::new(vec![None; parameters.dense().len()]);
        Pass { parameters, mode, leaves, rows: RefCell::default(), dropouts: Cell::new(0) }
    }

    /// Whether the pass trains.
    pub fn is_training(&self) -> bool {
        matches!(self.mode, Mode::Train { .. })
    }

    /// The parameters read by the pass.
    pub fn parameters(&self) -> &'a Parameters {
        self.parameters
    }

    /// A parameter in its own shape.
    pub fn get<const D: usize>(&self, id: ParameterId) -> Tensor<D> {
        let parameter = self.parameters.get(id);
        let shape: [usize; D] = parameter.shape.as_slice().try_into().expect("the layer knows its parameter's rank");
        if !self.is_training() {
            return parameter.value().clone().reshape(shape);
        }
        let mut leaves = self.leaves.borrow_mut();
        let leaf =
            leaves[id.index()].get_or_insert_with(|| Tensor::from_inner(parameter.value().clone()).require_grad());
        leaf.clone().reshape(shape)
    }

    /// Distinct rows of a table, `[rows.len(), dim]`.
    pub fn rows(&self, id: TableId, rows: &[u32]) -> Tensor<2> {
        let table = self.parameters.table(id);
        let mut values = vec![0.0; rows.len() * table.dim];
        gather(&table.values, table.dim, rows, &mut values);
        let tensor = Tensor::from_data(TensorData::new(values, [rows.len(), table.dim]), self.parameters.device());
        if !self.is_training() {
            return tensor;
        }
        let tensor = Tensor::from_inner(tensor);
        if !table.tuned {
            return tensor;
        }
        let leaf = tensor.require_grad();
        self.rows.borrow_mut().push(RowLeaf { table: id, rows: rows.to_vec(), leaf: leaf.clone() });
        leaf
    }

    /// Whether [`Self::dropout`] at this rate changes anything.
    pub fn drops(&self, rate: f64) -> bool {
        self.is_training() && rate > 0.0
    }

    /// Zeroes a share of the features in training and scales up the rest; the input itself otherwise.
    ///
    /// The order of calls within a pass is fixed by the network, so a call's number and the step make its mask.
    pub fn dropout<const D: usize>(&self, x: Tensor<D>, rate: f64) -> Tensor<D> {
        let Mode::Train { seed, step } = self.mode else { return x };
        if rate == 0.0 {
            return x;
        }
        let call = self.dropouts.get();
        self.dropouts.set(call + 1);
        ops::dropout(x, rate as f32, polytask_kernels::dropout::key(seed, &format!("dropout.{call}"), step))
    }

    /// Walks back from `loss`, `[1]`, and collects the gradients of all that the pass handed out.
    pub fn backward(self, loss: Tensor<1>) -> Gradients {
        let mut tape = loss.backward();
        let flat = |tensor: Tensor<1>| tensor.into_data().try_into_vec::<f32>().expect("gradients are f32");
        let dense = self
            .leaves
            .into_inner()
            .into_iter()
            .map(|leaf| leaf.and_then(|leaf| leaf.grad_remove(&mut tape)).map(flat))
            .collect();
        let mut rows: Vec<RowGradient> = Vec::new();
        for RowLeaf { table, rows: index, leaf } in self.rows.into_inner() {
            let Some(gradient) = leaf.grad_remove(&mut tape) else { continue };
            let values = gradient.into_data().try_into_vec::<f32>().expect("gradients are f32");
            merge_rows(&mut rows, RowGradient { table: table.index(), rows: index, values });
        }
        Gradients { dense, rows }
    }
}

/// Adds `new` to the gradient of the same table, if there is one.
fn merge_rows(all: &mut Vec<RowGradient>, new: RowGradient) {
    let Some(old) = all.iter_mut().find(|old| old.table == new.table) else {
        all.push(new);
        return;
    };
    let dim = new.values.len() / new.rows.len().max(1);
    let mut rows = Vec::with_capacity(old.rows.len() + new.rows.len());
    let mut values = Vec::with_capacity(old.values.len() + new.values.len());
    let (mut i, mut j) = (0, 0);
    while i < old.rows.len() || j < new.rows.len() {
        let left = old.rows.get(i).copied().unwrap_or(u32::MAX);
        let right = new.rows.get(j).copied().unwrap_or(u32::MAX);
        let row = left.min(right);
        rows.push(row);
        let start = values.len();
        values.resize(start + dim, 0.0);
        for (hit, source, at) in [(left == row, &old.values, &mut i), (right == row, &new.values, &mut j)] {
            if hit {
                for (sum, value) in values[start..].iter_mut().zip(&source[*at * dim..]) {
                    *sum += value;
                }
                *at += 1;
            }
        }
    }
    old.rows = rows;
    old.values = values;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::{Group, Owner};
    use burn::tensor::Device;

    #[test]
    fn gradients_cover_what_was_used_and_nothing_else() {
        let mut parameters = Parameters::new(Device::flex());
        let used = parameters.add("used".into(), &[2], Group::Trunk, Owner::Shared, vec![2.0, 3.0]);
        parameters.add("unused".into(), &[2], Group::Trunk, Owner::Shared, vec![1.0, 1.0]);
        let table = parameters.add_table("t".into(), 2, true, Owner::Shared, (0..6).map(|v| v as f32).collect());
        let pass = Pass::new(&parameters, Mode::Train { seed: 0, step: 0 });
        let rows = pass.rows(table, &[2]);
        let w: Tensor<1> = pass.get(used);
        let loss = (rows.reshape([2]) * w).sum();
        let gradients = pass.backward(loss);
        assert_eq!(gradients.dense[0].as_deref(), Some(&[4.0, 5.0][..]));
        assert!(gradients.dense[1].is_none());
        assert_eq!(gradients.rows[0].rows, [2]);
        assert_eq!(gradients.rows[0].values, [2.0, 3.0]);
    }

    #[test]
    fn rows_of_two_batches_are_summed() {
        let mut all = Vec::new();
        merge_rows(&mut all, RowGradient { table: 0, rows: vec![1, 4], values: vec![1.0, 2.0] });
        merge_rows(&mut all, RowGradient { table: 0, rows: vec![0, 4, 7], values: vec![5.0, 6.0, 7.0] });
        assert_eq!(all[0].rows, [0, 1, 4, 7]);
        assert_eq!(all[0].values, [5.0, 1.0, 8.0, 7.0]);
    }
}
