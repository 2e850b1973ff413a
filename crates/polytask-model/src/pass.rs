//! What does one forward pass need to know?
//!
//! A [`Pass`] hands out parameters as tensors and remembers which it handed out, so that after the backward walk it can
//! collect exactly the gradients that exist. Rows of tables are handed out as a leaf of only the rows in the batch: no
//! gradient of a whole table is ever made.

use std::cell::{Cell, RefCell};

use burn::tensor::{Tensor, TensorData};
use polytask_kernels::activation::Activation;
use polytask_kernels::dropout::{dropout_forward, key};
use polytask_kernels::gather::gather;
use polytask_kernels::ops;

use crate::ahead::{Ahead, Sight};
use crate::parameters::{ParameterId, Parameters, TableId};
use crate::representation::{Representation, Words};

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
    sight: Sight,
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
        Pass::with(parameters, mode, Sight::None)
    }

    /// A pass that knows what was found ahead of it for its batch.
    pub fn knowing(parameters: &'a Parameters, mode: Mode, ahead: Option<Ahead>) -> Self {
        Pass::with(parameters, mode, ahead.map_or(Sight::None, Sight::Known))
    }

    /// A pass that draws as training does, and records no tape: what it computes has no way back.
    pub fn untaped(parameters: &'a Parameters, mode: Mode) -> Self {
        Pass::with(parameters, mode, Sight::Untaped)
    }

    /// A pass that looks ahead: it draws as training does, and records no tape.
    pub(crate) fn looking(parameters: &'a Parameters, mode: Mode) -> Self {
        Pass::with(parameters, mode, Sight::Looking(RefCell::default()))
    }

    fn with(parameters: &'a Parameters, mode: Mode, sight: Sight) -> Self {
        let leaves = RefCell::new(vec![None; parameters.dense().len()]);
        Pass { parameters, mode, leaves, rows: RefCell::default(), dropouts: Cell::new(0), sight }
    }

    pub(crate) fn into_sight(self) -> Sight {
        self.sight
    }

    /// Whether a way back follows.
    fn records(&self) -> bool {
        self.is_training() && !matches!(self.sight, Sight::Looking(_) | Sight::Untaped)
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
        if !self.records() {
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
        if !self.records() {
            return tensor;
        }
        let tensor = Tensor::from_inner(tensor);
        if !table.tuned || table.held {
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
        ops::dropout(x, rate as f32, self.next_key(seed, step))
    }

    /// One factor a thing that is kept or dropped as a whole, in training: 0, or `1 / (1 - rate)`; `None` where nothing drops.
    ///
    /// Drawn as the masks of [`Self::dropout`] are, by the number of the call.
    pub fn dropout_factors(&self, count: usize, rate: f64) -> Option<Vec<f32>> {
        let Mode::Train { seed, step } = self.mode else { return None };
        if rate == 0.0 {
            return None;
        }
        let mut factors = vec![0.0; count];
        dropout_forward(&vec![1.0; count], rate as f32, self.next_key(seed, step), &mut factors);
        Some(factors)
    }

    /// The key of the next mask.
    fn next_key(&self, seed: u64, step: u64) -> u64 {
        let call = self.dropouts.get();
        self.dropouts.set(call + 1);
        key(seed, &format!("dropout.{call}"), step)
    }

    /// The largest response of each filter over the words of each text, `[batch, widths * filters]`.
    ///
    /// `bias` and `weights` are those of [`ops::word_conv_max()`]; what a pass found ahead is not computed again.
    pub fn word_conv_max(
        &self,
        words: Words,
        weights: &[ParameterId],
        bias: ParameterId,
        activation: Activation,
    ) -> Tensor<2> {
        let Words { rows, index, lengths } = words;
        let of_filters = || weights.iter().map(|&id| self.get(id)).collect::<Vec<Tensor<2>>>();
        let known = match &self.sight {
            Sight::None | Sight::Untaped => None,
            Sight::Known(ahead) => ahead.find(bias),
            Sight::Looking(found) => {
                debug_assert_eq!(self.dropouts.get(), 0, "what is dropped is drawn anew for every part of the batch");
                let (rows, index, lengths) = (rows.clone(), index.clone(), lengths.clone());
                let strongest = ops::strongest_words(rows, index, lengths, of_filters(), self.get(bias), activation);
                found.borrow_mut().extend(strongest.clone().map(|strongest| (bias, strongest)));
                strongest
            }
        };
        let (weights, bias) = (of_filters(), self.get(bias));
        match known {
            Some(known) => ops::word_conv_max_known(rows, index, lengths, weights, bias, activation, known),
            None => ops::word_conv_max(rows, index, lengths, weights, bias, activation),
        }
    }

    /// Whether anything that is trained was handed out.
    pub fn handed_out(&self) -> bool {
        !self.rows.borrow().is_empty() || self.leaves.borrow().iter().any(Option::is_some)
    }

    /// A pass that draws what comes after this one.
    pub fn after(&self) -> Pass<'a> {
        let pass = Pass::new(self.parameters, self.mode);
        pass.dropouts.set(self.dropouts.get());
        pass
    }

    /// Walks back from `loss`, `[1]`, and collects the gradients of all that the pass handed out.
    pub fn backward(self, loss: Tensor<1>) -> Gradients {
        let mut tape = loss.backward();
        self.collect(&mut tape)
    }

    /// [`Self::backward`], and the gradient of a leaf ([`Representation::leaf`]) that the loss was made from; zeros where it
    /// was not.
    pub fn backward_to(self, loss: Tensor<1>, leaf: &Representation) -> (Gradients, Vec<f32>) {
        let mut tape = loss.backward();
        let (found, len) = match leaf {
            Representation::Vector(values) => (values.grad_remove(&mut tape).map(Tensor::into_data), values.shape()),
            Representation::Sequence(sequence) => {
                (sequence.values.grad_remove(&mut tape).map(Tensor::into_data), sequence.values.shape())
            }
            Representation::Words(words) => {
                (words.rows.grad_remove(&mut tape).map(Tensor::into_data), words.rows.shape())
            }
        };
        let at_leaf = match found {
            Some(data) => data.try_into_vec::<f32>().expect("gradients are f32"),
            None => vec![0.0; len.num_elements()],
        };
        (self.collect(&mut tape), at_leaf)
    }

    fn collect(self, tape: &mut burn::tensor::Gradients) -> Gradients {
        let flat = |tensor: Tensor<1>| tensor.into_data().try_into_vec::<f32>().expect("gradients are f32");
        let dense = self
            .leaves
            .into_inner()
            .into_iter()
            .map(|leaf| leaf.and_then(|leaf| leaf.grad_remove(tape)).map(flat))
            .collect();
        let mut rows: Vec<RowGradient> = Vec::new();
        for RowLeaf { table, rows: index, leaf } in self.rows.into_inner() {
            let Some(gradient) = leaf.grad_remove(tape) else { continue };
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
    fn held_rows_have_no_gradient() {
        let mut parameters = Parameters::new(Device::flex());
        let weight = parameters.add("weight".into(), &[2], Group::Trunk, Owner::Shared, vec![2.0, 3.0]);
        let table = parameters.add_table("t".into(), 2, true, Owner::Shared, vec![1.0; 4]);
        parameters.hold(table, 2);
        for (epoch, expected) in [(0, 0), (1, 0), (2, 1), (3, 1), (1, 0)] {
            parameters.begin_epoch(epoch);
            let pass = Pass::new(&parameters, Mode::Train { seed: 0, step: 0 });
            let loss = (pass.rows(table, &[1]).reshape([2]) * pass.get(weight)).sum();
            let gradients = pass.backward(loss);
            assert_eq!((gradients.rows.len(), gradients.dense[0].as_deref()), (expected, Some(&[1.0, 1.0][..])));
        }
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
