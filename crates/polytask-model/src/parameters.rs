//! Where do the numbers that are learned live?
//!
//! Every parameter has a permanent name made of config names (`encoder.trunk.low.forward.weight_hh`), a group that
//! decides its learning rate, and an owner that says who shares it. Layers hold ids, not tensors, so that saving,
//! loading, updating and counting need to know nothing about layers.

use burn::tensor::{Device, Tensor, TensorData};
use polytask_data::rng::Rng;

/// Index of a task, in the order of the configuration file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(pub usize);

/// Index of a dense parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParameterId(usize);

impl ParameterId {
    /// Position in [`Parameters::dense`].
    pub fn index(self) -> usize {
        self.0
    }
}

/// Index of a table of rows (word vectors).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableId(usize);

impl TableId {
    /// Position in [`Parameters::tables`].
    pub fn index(self) -> usize {
        self.0
    }
}

/// Which learning-rate scale applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Word and character vectors.
    Vectors,
    /// Encoder layers.
    Trunk,
    /// Task heads.
    Heads,
}

/// Who reaches a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Several tasks.
    Shared,
    /// One task alone.
    Task(TaskId),
}

/// A dense parameter.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Permanent name.
    pub name: String,
    /// Extent of each dimension.
    pub shape: Vec<usize>,
    /// Which learning-rate scale applies.
    pub group: Group,
    /// Who reaches it.
    pub owner: Owner,
    value: Tensor<1>,
}

impl Parameter {
    /// Number of values.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether the parameter has no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values as a flat tensor, `[len]`.
    pub fn value(&self) -> &Tensor<1> {
        &self.value
    }

    /// A copy of the values.
    pub fn to_vec(&self) -> Vec<f32> {
        self.value.to_data().try_to_vec().expect("parameters are f32")
    }
}

/// A table of rows of which a step touches few: word vectors.
#[derive(Debug, Clone)]
pub struct Table {
    /// Permanent name.
    pub name: String,
    /// Width of a row.
    pub dim: usize,
    /// Whether rows are trained.
    pub tuned: bool,
    /// Epochs for which rows stay as they are before they are trained.
    pub held_epochs: usize,
    /// Whether the current epoch is one of them.
    pub held: bool,
    /// Who reaches it.
    pub owner: Owner,
    /// Row-major values, `[rows, dim]`.
    pub values: Vec<f32>,
}

impl Table {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.values.len() / self.dim.max(1)
    }
}

/// All parameters of a model.
#[derive(Debug, Clone)]
pub struct Parameters {
    device: Device,
    dense: Vec<Parameter>,
    tables: Vec<Table>,
}

impl Parameters {
    /// No parameters yet, on a device.
    pub fn new(device: Device) -> Self {
        Parameters { device, dense: Vec::new(), tables: Vec::new() }
    }

    /// The device that computes.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Adds a dense parameter; one that is there already, as in a head that tasks share, stays as it is.
    pub fn add(&mut self, name: String, shape: &[usize], group: Group, owner: Owner, values: Vec<f32>) -> ParameterId {
        if let Some(known) = self.dense.iter().position(|parameter| parameter.name == name) {
            assert_eq!(self.dense[known].shape, shape, "checked: what is shared has one shape: {name}");
            return ParameterId(known);
        }
        debug_assert_eq!(values.len(), shape.iter().product::<usize>(), "{name}");
        let value = Tensor::from_data(TensorData::new(values, [shape.iter().product::<usize>()]), &self.device);
        self.dense.push(Parameter { name, shape: shape.to_vec(), group, owner, value });
        ParameterId(self.dense.len() - 1)
    }

    /// Adds a table of rows.
    pub fn add_table(&mut self, name: String, dim: usize, tuned: bool, owner: Owner, values: Vec<f32>) -> TableId {
        self.tables.push(Table { name, dim, tuned, held_epochs: 0, held: false, owner, values });
        TableId(self.tables.len() - 1)
    }

    /// Keeps the rows of a table as they are for the first `epochs` epochs; see [`Self::begin_epoch`].
    pub fn hold(&mut self, id: TableId, epochs: usize) {
        self.tables[id.0].held_epochs = epochs;
    }

    /// Tells which epoch begins, counted from 0: in an epoch for which a table is held, its rows get no gradient.
    pub fn begin_epoch(&mut self, epoch: usize) {
        self.tables.iter_mut().for_each(|table| table.held = epoch < table.held_epochs);
    }

    /// The dense parameters in the order of their ids.
    pub fn dense(&self) -> &[Parameter] {
        &self.dense
    }

    /// The tables in the order of their ids.
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// One dense parameter.
    pub fn get(&self, id: ParameterId) -> &Parameter {
        &self.dense[id.0]
    }

    /// One table.
    pub fn table(&self, id: TableId) -> &Table {
        &self.tables[id.0]
    }

    /// One table, to be changed.
    pub fn table_mut(&mut self, index: usize) -> &mut Table {
        &mut self.tables[index]
    }

    /// Changes the values of dense parameter `index` in place.
    ///
    /// No copy is made as long as no tape holds the values.
    pub fn update(&mut self, index: usize, change: impl FnOnce(&mut [f32])) {
        let parameter = &mut self.dense[index];
        let empty = Tensor::empty([0], &self.device);
        let mut data = std::mem::replace(&mut parameter.value, empty).into_data();
        change(data.as_mut_slice::<f32>().expect("parameters are f32"));
        parameter.value = Tensor::from_data(data, &self.device);
    }

    /// The name of a trained parameter that holds a value that is not finite.
    pub fn not_finite(&self) -> Option<String> {
        // A sum of squares is finite as long as every value is one, and none is near the largest.
        let finite = |values: &[f32]| polytask_kernels::optim::sum_of_squares(values).is_finite();
        let table = self.tables.iter().find(|table| table.tuned && !finite(&table.values));
        let dense = self.dense.iter().find(|parameter| {
            let data = parameter.value.to_data();
            data.as_slice::<f32>().is_ok_and(|values| !finite(values))
        });
        table.map(|table| table.name.clone()).or_else(|| dense.map(|parameter| parameter.name.clone()))
    }

    /// Number of values that several tasks share, tuned tables included.
    pub fn shared_len(&self) -> usize {
        let dense: usize = self.dense.iter().filter(|p| p.owner == Owner::Shared).map(Parameter::len).sum();
        dense + self.trained_rows(Owner::Shared)
    }

    /// Number of values that belong to one task alone.
    pub fn own_len(&self, task: TaskId) -> usize {
        let owner = Owner::Task(task);
        let dense: usize = self.dense.iter().filter(|p| p.owner == owner).map(Parameter::len).sum();
        dense + self.trained_rows(owner)
    }

    fn trained_rows(&self, owner: Owner) -> usize {
        self.tables.iter().filter(|t| t.tuned && t.owner == owner).map(|t| t.values.len()).sum()
    }

    /// Number of values in tables that are not trained.
    pub fn frozen_len(&self) -> usize {
        self.tables.iter().filter(|t| !t.tuned).map(|t| t.values.len()).sum()
    }
}

/// Draws initial values; every parameter has a generator of its own, derived from the seed and its name.
#[derive(Debug, Clone, Copy)]
pub struct Init {
    seed: u64,
}

impl Init {
    /// Initial values that follow from `seed`.
    pub fn new(seed: u64) -> Self {
        Init { seed }
    }

    /// Uniform in `±bound`.
    pub fn uniform(&self, name: &str, len: usize, bound: f64) -> Vec<f32> {
        let mut rng = Rng::derive(self.seed, name, 0);
        (0..len).map(|_| ((rng.uniform() * 2.0 - 1.0) * bound) as f32).collect()
    }

    /// Glorot and Bengio's uniform bound `sqrt(6 / (fan_in + fan_out))` (AISTATS 2010).
    pub fn glorot(&self, name: &str, len: usize, fan_in: usize, fan_out: usize) -> Vec<f32> {
        self.uniform(name, len, (6.0 / (fan_in + fan_out).max(1) as f64).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn update_changes_values_in_place_and_keeps_the_shape() {
        let mut parameters = Parameters::new(Device::flex());
        let id = parameters.add("w".into(), &[2, 2], Group::Trunk, Owner::Shared, vec![1.0, 2.0, 3.0, 4.0]);
        parameters.update(id.index(), |values| values[3] = 9.0);
        assert_eq!(parameters.get(id).to_vec(), [1.0, 2.0, 3.0, 9.0]);
        assert_eq!(parameters.get(id).shape, [2, 2]);
    }

    #[test]
    fn counts_tell_shared_from_own_and_frozen() {
        let mut parameters = Parameters::new(Device::flex());
        parameters.add("a".into(), &[3], Group::Trunk, Owner::Shared, vec![0.0; 3]);
        parameters.add("b".into(), &[2], Group::Heads, Owner::Task(TaskId(1)), vec![0.0; 2]);
        parameters.add_table("t".into(), 2, false, Owner::Shared, vec![0.0; 8]);
        assert_eq!((parameters.shared_len(), parameters.own_len(TaskId(1)), parameters.frozen_len()), (3, 2, 8));
    }

    #[test]
    fn initial_values_depend_on_seed_and_name_only() {
        let init = Init::new(3);
        assert_eq!(init.uniform("a", 4, 0.1), init.uniform("a", 4, 0.1));
        assert_ne!(init.uniform("a", 4, 0.1), init.uniform("b", 4, 0.1));
        assert!(init.uniform("a", 1000, 0.1).iter().all(|v| v.abs() <= 0.1));
    }
}
