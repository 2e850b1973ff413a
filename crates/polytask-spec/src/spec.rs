//! The whole configuration file.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::data::Data;
use crate::network::{Encoder, Input, Sharing};
use crate::study::Study;
use crate::task::Task;
use crate::training::{Balance, Optimizer, Train};

/// A parsed configuration file. Tables keep the order of the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Spec {
    /// Version of the file format; `1`.
    #[schemars(range(min = 1, max = 1))]
    pub version: u32,
    /// What the run is called.
    #[serde(default = "default_name")]
    pub name: String,
    /// Seed of every random choice.
    #[serde(default)]
    pub seed: u64,
    /// Threads that compute; all cores where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1024))]
    pub threads: Option<usize>,
    /// Datasets by name.
    pub data: IndexMap<String, Data>,
    /// Inputs by name.
    pub input: IndexMap<String, Input>,
    /// Encoders by name.
    pub encoder: IndexMap<String, Encoder>,
    /// Which parameters belong to whom.
    #[serde(default)]
    pub sharing: Sharing,
    /// Tasks by name.
    pub task: IndexMap<String, Task>,
    /// How tasks are traded off.
    #[serde(default)]
    pub balance: Balance,
    /// The optimizer. L-BFGS is not among its methods: a line search needs one function to evaluate again and again, and a
    /// step draws another batch each time.
    #[serde(default)]
    pub optimizer: Optimizer,
    /// The training loop.
    #[serde(default)]
    pub train: Train,
    /// The runs of `polytask study`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub study: Option<Study>,
}

impl Spec {
    /// The name of a layer, given its index from 0; none where the encoder or the layer does not exist.
    pub fn layer_name(&self, encoder: &str, index: usize) -> Option<String> {
        self.encoder.get(encoder)?.layers.get(index).map(|layer| layer.name_at(index))
    }

    /// The encoder that a task attaches to.
    pub fn encoder_of<'a>(&'a self, task: &'a Task) -> &'a str {
        task.encoder.as_deref().unwrap_or_else(|| first(&self.encoder))
    }

    /// The input that a task reads: that of its encoder.
    pub fn input_of<'a>(&'a self, task: &'a Task) -> &'a str {
        self.encoder_input(self.encoder_of(task))
    }

    /// The input that an encoder reads: as given, or the only one.
    pub fn encoder_input(&self, encoder: &str) -> &str {
        let named = self.encoder.get(encoder).and_then(|encoder| encoder.input.as_deref());
        named.unwrap_or_else(|| first(&self.input))
    }

    /// The layers that a task's head reads: as given, or the encoder's last.
    pub fn attach_of(&self, task: &Task) -> Vec<String> {
        if let Some(attach) = &task.attach {
            return attach.as_slice().to_vec();
        }
        let name = self.encoder_of(task);
        let last = self.encoder.get(name).map_or(0, |encoder| encoder.layers.len()).checked_sub(1);
        last.and_then(|last| self.layer_name(name, last)).into_iter().collect()
    }

    /// The two texts that a task compares, by their columns; none where it reads one.
    pub fn pair_of(&self, task: &Task) -> Option<[&str; 2]> {
        match self.data.get(&task.data)?.named()?.texts() {
            [first, second] => Some([first, second]),
            _ => None,
        }
    }

    /// The tasks that name a head, in the order of the file.
    pub fn tasks_of_head<'a>(&'a self, head: &'a str) -> impl Iterator<Item = (usize, &'a String, &'a Task)> {
        let tasks = self.task.iter().enumerate().map(|(index, (name, task))| (index, name, task));
        tasks.filter(move |(_, _, task)| task.head.as_deref() == Some(head))
    }

    /// Examples in a batch of a dataset: its own number, or `train.batch_size`.
    pub fn batch_size(&self, data: &str) -> usize {
        self.data.get(data).and_then(|data| data.files().batch_size).unwrap_or(self.train.batch_size)
    }
}

fn first<T>(map: &IndexMap<String, T>) -> &str {
    map.first().map_or("", |(name, _)| name)
}

fn default_name() -> String {
    "run".into()
}
