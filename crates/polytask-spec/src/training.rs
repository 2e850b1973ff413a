//! How is the network trained: balance, optimizer, epochs?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// The update rule.
    pub method: OptimizerMethod,
    /// Step size before scales and schedule.
    #[schemars(range(min = 0.0))]
    pub learning_rate: f64,
    /// Factors on the learning rate for parts of the network.
    pub scale: RateScale,
    /// Momentum of `sgd`.
    #[schemars(range(min = 0.0, max = 0.9999))]
    pub momentum: f64,
    /// Decay of the first moment of `adam` and `adamw`.
    #[schemars(range(min = 0.0, max = 0.9999))]
    pub beta1: f64,
    /// Decay of the second moment of `adam` and `adamw`.
    #[schemars(range(min = 0.0, max = 0.99999))]
    pub beta2: f64,
    /// Added to the root of the second moment of `adam` and `adamw`.
    #[schemars(range(min = 1e-12))]
    pub epsilon: f64,
    /// Weight decay of trunk and heads (never of word vectors): an L2 penalty in the gradient, with `adamw` taken from the
    /// weights themselves.
    #[schemars(range(min = 0.0))]
    pub weight_decay: f64,
    /// Largest global norm of the gradient over all parameters; `0` turns clipping off.
    #[schemars(range(min = 0.0))]
    pub clip_norm: f64,
    /// Share of all steps over which the rate rises from zero.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub warmup: f64,
    /// How the rate falls after the warm-up.
    pub decay: Decay,
    /// What happens to word vectors that a batch does not contain.
    pub rows: RowUpdate,
}

impl Default for Optimizer {
    fn default() -> Self {
        Optimizer {
            method: OptimizerMethod::Adam,
            learning_rate: 1e-3,
            scale: RateScale::default(),
            momentum: 0.9,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
            clip_norm: 5.0,
            warmup: 0.0,
            decay: Decay::None,
            rows: RowUpdate::Lazy,
        }
    }
}

/// Update rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OptimizerMethod {
    /// Adam (Kingma and Ba, ICLR 2015); weight decay is added to the gradient.
    Adam,
    /// Adam with weight decay beside the moments (Loshchilov and Hutter, ICLR 2019).
    Adamw,
    /// Stochastic gradient descent with momentum.
    Sgd,
}

/// Factors on the learning rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
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
}

impl Default for RateScale {
    fn default() -> Self {
        RateScale { vectors: 1.0, trunk: 1.0, heads: 1.0 }
    }
}

/// How the learning rate falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Decay {
    /// It stays.
    None,
    /// Linearly, to zero after the last step of the last epoch.
    Linear,
    /// Along a half cosine, to zero after the last step of the last epoch.
    Cosine,
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
    /// Which dataset each step draws from.
    pub sampling: Sampling,
    /// Evaluations without improvement after which a task stops; `0` never stops.
    pub patience: usize,
    /// How the kept model is chosen on validation data.
    pub select: Select,
    /// Seconds between checkpoints within an epoch, `0` for one after every step; one is written after every epoch as well.
    pub checkpoint_seconds: u64,
}

impl Default for Train {
    fn default() -> Self {
        Train {
            epochs: 20,
            batch_size: 32,
            sampling: Sampling::Proportional,
            patience: 5,
            select: Select::WorstRegret,
            checkpoint_seconds: 120,
        }
    }
}

/// Which dataset each step draws from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sampling {
    /// In proportion to size: every example once an epoch.
    Proportional,
    /// Every dataset equally often.
    Uniform,
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
