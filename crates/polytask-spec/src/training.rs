//! How is the network trained: balance, optimizer, epochs?

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::optimizers::{
    AdadeltaOptions, AdagradOptions, AdamOptions, AdamaxOptions, AdanOptions, LambOptions, LionOptions, MuonOptions,
    MuonRate, NadamOptions, OptimizerMethod, RmspropOptions, SgdOptions,
};
pub use crate::schedules::{
    Decay, ExponentialSchedule, FallingSchedule, NoneSchedule, PlateauSchedule, Schedule, ScheduleName, StepSchedule,
};

/// How tasks are traded off: a method of the balancer catalogue and its options.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Balance {
    /// The method's name in `polytask list balancers`.
    pub method: String,
    /// Where methods that compare gradients compare them.
    #[serde(default)]
    pub gradients: GradientsAt,
    /// Steps from one look at weights, gradient lengths and angles to the next, written to `events.jsonl`; `0` never looks.
    /// Where the method does not compare gradients itself, a look takes a forward and a backward pass a task.
    #[serde(default = "watch_default")]
    pub watch: u64,
    /// Whether a look measures the affinity of every two tasks as well: by how much a step along one task's gradient alone
    /// lowers the other's loss. Takes one forward pass a task more than the step has, and changes nothing in training.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub affinity: bool,
    /// The method's own options.
    #[serde(flatten)]
    pub options: serde_json::Map<String, serde_json::Value>,
}

impl Default for Balance {
    fn default() -> Self {
        Balance {
            method: "equal".into(),
            gradients: GradientsAt::default(),
            watch: watch_default(),
            affinity: false,
            options: serde_json::Map::new(),
        }
    }
}

fn watch_default() -> u64 {
    100
}

/// Where methods that compare gradients compare them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GradientsAt {
    /// In the parameters that several tasks reach: exact, at a pass a task.
    #[default]
    Parameters,
    /// At the deepest layer that all tasks have in common, of tasks that read one dataset: the layers below it take one
    /// backward pass a step (Sener and Koltun, NeurIPS 2018, for MGDA).
    Representation,
}

/// The optimizer, its rates and its schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Optimizer {
    /// The update rule and its options; `adam` where absent.
    #[serde(flatten)]
    pub method: OptimizerMethod,
    /// Factors on the learning rate for parts of the network.
    pub scale: RateScale,
    /// Weight decay of encoder layers and heads (never of word vectors): an L2 penalty in the gradient; with `adamw`, `lamb`,
    /// `lion`, `adan` and `muon` it is taken from the weights themselves.
    #[schemars(range(min = 0.0))]
    pub weight_decay: f64,
    /// Which parameters of encoder layers and heads `weight_decay` holds for.
    pub weight_decay_of: DecayedParameters,
    /// Largest global norm of the gradient over all parameters; `0` turns clipping off.
    #[schemars(range(min = 0.0))]
    pub clip_norm: f64,
    /// Share of all steps over which the rate rises from zero.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub warmup: f64,
    /// How the rate falls after the warm-up: a name, or a table with the name as `kind` and the schedule's options.
    pub decay: Decay,
    /// What happens to word vectors that a batch does not contain.
    pub rows: RowUpdate,
    /// Decay of a running mean of the weights, by which models are judged and kept while training goes on with the weights
    /// themselves; `0` for none. The mean is free of the initial weights: after `t` steps it weighs those of step `i` by
    /// `ema^(t - i) (1 - ema) / (1 - ema^t)`.
    #[schemars(range(min = 0.0, max = 0.999999))]
    pub ema: f64,
}

impl Default for Optimizer {
    fn default() -> Self {
        Optimizer {
            method: OptimizerMethod::default(),
            scale: RateScale::default(),
            weight_decay: 0.0,
            weight_decay_of: DecayedParameters::All,
            clip_norm: 5.0,
            warmup: 0.0,
            decay: Decay::Named(ScheduleName::None),
            rows: RowUpdate::Lazy,
            ema: 0.0,
        }
    }
}

/// Factors on the learning rate; those that hold for a parameter are multiplied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RateScale {
    /// Word and character vectors.
    #[schemars(range(min = 0.0))]
    pub vectors: f64,
    /// Encoder layers.
    #[schemars(range(min = 0.0))]
    pub trunk: f64,
    /// Task heads.
    #[schemars(range(min = 0.0))]
    pub heads: f64,
    /// Encoders, or single layers as `ENCODER.LAYER`.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(extend("additionalProperties" = { "type": "number", "minimum": 0.0 }))]
    pub layers: IndexMap<String, f64>,
    /// The heads of single tasks.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(extend("additionalProperties" = { "type": "number", "minimum": 0.0 }))]
    pub tasks: IndexMap<String, f64>,
}

impl Default for RateScale {
    fn default() -> Self {
        RateScale { vectors: 1.0, trunk: 1.0, heads: 1.0, layers: IndexMap::new(), tasks: IndexMap::new() }
    }
}

/// Which parameters weight decay holds for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DecayedParameters {
    /// All of them.
    All,
    /// Weight matrices: biases, the gains of norms and other parameters of one dimension have none.
    Matrices,
}

/// What happens to word vectors that a batch does not contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RowUpdate {
    /// Nothing: their moments wait for the next batch that contains them.
    Lazy,
    /// What a dense optimizer would do: moments decay and momentum moves them at every step.
    Dense,
}

/// The training loop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Train {
    /// Passes at most; an epoch is as many examples as all training sets hold together.
    #[schemars(range(min = 1))]
    pub epochs: usize,
    /// Examples in a batch of each dataset.
    #[schemars(range(min = 1))]
    pub batch_size: usize,
    /// Batches that a step draws one after the other, for one update by the mean of their gradients: batches as large that
    /// do not fit into memory at once.
    #[schemars(range(min = 1, max = 65536))]
    pub accumulate: usize,
    /// Which dataset each step draws from.
    pub sampling: Sampling,
    /// With `sampling = "temperature"`: `T` in `n^(1 / T)`; `1` draws by size, larger values more evenly. 2 where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.1, max = 1000.0))]
    pub temperature: Option<f64>,
    /// Evaluations without improvement after which a task stops; `0` never stops.
    pub patience: usize,
    /// How the kept model is chosen on validation data.
    pub select: Select,
    /// Seconds between checkpoints within an epoch, `0` for one after every step; one is written after every epoch as well.
    pub checkpoint_seconds: u64,
    /// The run, or model directory, whose weights the network begins with: every parameter of the same name and shape, word and
    /// character vectors by word and character. New heads, and what else has no counterpart, begin as ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
}

impl Default for Train {
    fn default() -> Self {
        Train {
            epochs: 20,
            batch_size: 32,
            accumulate: 1,
            sampling: Sampling::Proportional,
            temperature: None,
            patience: 5,
            select: Select::WorstRegret,
            checkpoint_seconds: 120,
            start: None,
        }
    }
}

impl Train {
    /// `T` of `sampling = "temperature"`: as given, or 2.
    pub fn temperature(&self) -> f64 {
        self.temperature.unwrap_or(2.0)
    }
}

/// Which dataset each step draws from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sampling {
    /// In proportion to size: every example once an epoch.
    Proportional,
    /// Every dataset equally often, in random order.
    Uniform,
    /// Every dataset in turn.
    RoundRobin,
    /// At random with probability `n^(1 / temperature)` over the sum, for `n` training examples: with 2 the square root.
    Temperature,
    /// At random by size at first, more and more evenly towards the last epoch (Stickland and Murray, ICML 2019).
    Annealed,
    /// A batch of every dataset in each step.
    Joint,
}

/// How the kept model is chosen on validation data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Select {
    /// The model whose worst task is closest to that task's own best score: no task's gain hides another's loss.
    WorstRegret,
    /// The model with the best mean score.
    Mean,
}
