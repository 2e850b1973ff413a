//! Where does training stand?

use indexmap::IndexMap;
use polytask_run::StepScores;
use serde::{Deserialize, Serialize};

use crate::average::Average;
use crate::kept::Kept;
use crate::looked::Looked;
use crate::optimizer::{Optimizer, OptimizerState};
use crate::plan::Plan;
use crate::schedule::Plateau;
use crate::standing::Standing;
use crate::step::Stepped;

/// Where training stands; with the parameters, all that a checkpoint holds.
#[derive(Debug, Clone)]
pub struct State {
    /// Epochs completed.
    pub epoch: usize,
    /// Steps of the current epoch done.
    pub step_in_epoch: usize,
    /// Optimizer steps in all.
    pub step: u64,
    /// Draws of batches in all; as many as steps, unless a step accumulates several.
    pub draws: u64,
    /// Batches drawn from each source before the current epoch.
    pub taken: Vec<u64>,
    /// Whether no epoch follows.
    pub finished: bool,
    /// Sums over the current epoch.
    pub tally: Tally,
    /// Moments.
    pub optimizer: OptimizerState,
    /// The running mean of the weights, where one is kept.
    pub average: Option<Average>,
    /// What a `plateau` schedule has seen.
    pub plateau: Plateau,
    /// The balancer's memory.
    pub balance: polytask_balance::State,
    /// What the balancer keeps of the gradients, entry by entry.
    pub kept: Kept,
    /// Scores so far.
    pub standing: Standing,
    /// Length of `events.jsonl` that belongs to this state.
    pub events_bytes: u64,
}

/// Sums over the steps of an epoch.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    loss: Vec<f64>,
    weight: Vec<f64>,
    steps: Vec<u64>,
    gradient_norm: f64,
    all_steps: u64,
    /// Looks at gradients, and the sum of the conflict rates that they found.
    #[serde(default)]
    looks: u64,
    #[serde(default)]
    conflict_rate: f64,
}

impl State {
    /// Before the first step.
    pub fn new(plan: &Plan) -> State {
        let tasks = plan.spec.task.len();
        State {
            epoch: 0,
            step_in_epoch: 0,
            step: 0,
            draws: 0,
            taken: vec![0; plan.corpus.sources.len()],
            finished: false,
            tally: Tally::new(tasks),
            optimizer: Optimizer::new(&plan.spec.optimizer).init(&plan.model.parameters),
            average: Average::new(&plan.spec.optimizer, &plan.model.parameters),
            plateau: Plateau::default(),
            balance: plan.balancer.init(tasks),
            kept: Kept::new(plan.balancer.keeps(), &plan.model.parameters, tasks),
            standing: Standing::new(tasks),
            events_bytes: 0,
        }
    }
}

impl Tally {
    /// Nothing summed yet.
    pub fn new(tasks: usize) -> Tally {
        Tally {
            loss: vec![0.0; tasks],
            weight: vec![0.0; tasks],
            steps: vec![0; tasks],
            gradient_norm: 0.0,
            all_steps: 0,
            looks: 0,
            conflict_rate: 0.0,
        }
    }

    /// Whether it sums over as many tasks as another one.
    pub fn fits(&self, other: &Tally) -> bool {
        let lengths = |tally: &Tally| [tally.loss.len(), tally.weight.len(), tally.steps.len()];
        lengths(self) == lengths(other)
    }

    /// Takes in a step.
    pub fn add(&mut self, stepped: &Stepped) {
        for (task, loss) in stepped.losses.iter().enumerate() {
            if let Some(loss) = loss {
                self.loss[task] += loss;
                self.weight[task] += stepped.weights[task];
                self.steps[task] += 1;
            }
        }
        self.gradient_norm += stepped.gradient_norm;
        self.all_steps += 1;
        if let Some(rate) = stepped.looked.as_ref().and_then(Looked::conflict_rate) {
            self.looks += 1;
            self.conflict_rate += rate;
        }
    }

    /// Mean conflict rate of the looks; `None` where there was none.
    pub fn mean_conflict_rate(&self) -> Option<f64> {
        (self.looks > 0).then(|| self.conflict_rate / self.looks as f64)
    }

    /// Mean loss of each task; `None` where it took no step.
    pub fn mean_losses(&self) -> Vec<Option<f64>> {
        self.loss.iter().zip(&self.steps).map(|(sum, &steps)| (steps > 0).then(|| sum / steps as f64)).collect()
    }

    /// Mean global norm of the gradient before clipping.
    pub fn mean_gradient_norm(&self) -> f64 {
        self.gradient_norm / self.all_steps.max(1) as f64
    }

    /// Means by task name.
    pub fn scores(&self, tasks: &[String]) -> IndexMap<String, StepScores> {
        let score = |task: usize| {
            let steps = self.steps[task].max(1) as f64;
            StepScores { loss: self.loss[task] / steps, weight: self.weight[task] / steps, steps: self.steps[task] }
        };
        tasks.iter().enumerate().map(|(task, name)| (name.clone(), score(task))).collect()
    }
}
