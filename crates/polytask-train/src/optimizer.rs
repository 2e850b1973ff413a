//! How do gradients change parameters?
//!
//! A parameter that a step does not reach is left as it is, moments and all, and counts its own steps: the head of a
//! task that is absent from a batch is not dragged along by momentum. Rows of a table follow `optimizer.rows`.

use polytask_kernels::optim::{
    self, AdamStep, SgdStep, WeightDecay, adam, adam_dense_rows, adam_rows, sgd, sgd_dense_rows, sgd_rows,
};
use polytask_model::{Gradients, Group, Parameters};
use polytask_spec::training::{Optimizer as OptimizerSpec, OptimizerMethod, RowUpdate};

/// Moments and step counts of every trained parameter; all that a checkpoint needs besides the parameters.
#[derive(Debug, Clone)]
pub struct OptimizerState {
    /// For each dense parameter.
    pub dense: Vec<Moments>,
    /// For each table; empty where it is not trained.
    pub tables: Vec<Moments>,
}

/// Moments of one parameter.
#[derive(Debug, Clone, Default)]
pub struct Moments {
    /// Updates made.
    pub steps: u64,
    /// First moment of adam and adamw, velocity of sgd.
    pub first: Vec<f32>,
    /// Second moment of adam and adamw; empty for sgd.
    pub second: Vec<f32>,
}

/// The update rule.
#[derive(Debug, Clone)]
pub struct Optimizer {
    spec: OptimizerSpec,
}

/// What an update did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Update {
    /// Global norm of the gradient before clipping.
    pub gradient_norm: f64,
}

impl Moments {
    fn new(method: OptimizerMethod, len: usize) -> Moments {
        let second = if method == OptimizerMethod::Sgd { Vec::new() } else { vec![0.0; len] };
        Moments { steps: 0, first: vec![0.0; len], second }
    }
}

impl Optimizer {
    /// The configured rule.
    pub fn new(spec: &OptimizerSpec) -> Optimizer {
        Optimizer { spec: spec.clone() }
    }

    /// Zero moments for every trained parameter.
    pub fn init(&self, parameters: &Parameters) -> OptimizerState {
        let method = self.spec.method;
        OptimizerState {
            dense: parameters.dense().iter().map(|parameter| Moments::new(method, parameter.len())).collect(),
            tables: parameters
                .tables()
                .iter()
                .map(|table| Moments::new(method, if table.tuned { table.values.len() } else { 0 }))
                .collect(),
        }
    }

    /// The global norm of a gradient over all parameters, embedding rows included.
    pub fn norm(gradients: &Gradients) -> f64 {
        let dense: f64 = gradients.dense.iter().flatten().map(|gradient| optim::sum_of_squares(gradient)).sum();
        let rows: f64 = gradients.rows.iter().map(|rows| optim::sum_of_squares(&rows.values)).sum();
        (dense + rows).sqrt()
    }

    /// Updates every parameter that has a gradient, whose global norm is `norm`, at a learning rate.
    pub fn update(
        &self,
        parameters: &mut Parameters,
        state: &mut OptimizerState,
        gradients: &Gradients,
        norm: f64,
        learning_rate: f64,
    ) -> Update {
        let clip = self.spec.clip_norm;
        let scale = if clip > 0.0 && norm > clip { clip / norm } else { 1.0 };
        for (index, gradient) in gradients.dense.iter().enumerate() {
            let Some(gradient) = gradient else { continue };
            let group = parameters.dense()[index].group;
            let rule = self.rule(group, learning_rate, scale);
            let moments = &mut state.dense[index];
            moments.steps += 1;
            parameters.update(index, |values| rule.dense(values, moments, gradient));
        }
        for rows in &gradients.rows {
            let rule = self.rule(Group::Vectors, learning_rate, scale);
            let moments = &mut state.tables[rows.table];
            moments.steps += 1;
            let table = parameters.table_mut(rows.table);
            rule.rows(&mut table.values, moments, table.dim, &rows.rows, &rows.values);
        }
        Update { gradient_norm: norm }
    }

    fn rule(&self, group: Group, learning_rate: f64, scale: f64) -> Rule<'_> {
        let (factor, decay) = match group {
            Group::Vectors => (self.spec.scale.vectors, 0.0),
            Group::Trunk => (self.spec.scale.trunk, self.spec.weight_decay),
            Group::Heads => (self.spec.scale.heads, self.spec.weight_decay),
        };
        Rule {
            spec: &self.spec,
            learning_rate: (learning_rate * factor) as f32,
            decay: decay as f32,
            scale: scale as f32,
        }
    }
}

/// The rule for one parameter at one step.
struct Rule<'a> {
    spec: &'a OptimizerSpec,
    learning_rate: f32,
    decay: f32,
    scale: f32,
}

impl Rule<'_> {
    fn adam(&self, step: u64) -> AdamStep {
        AdamStep {
            learning_rate: self.learning_rate,
            beta1: self.spec.beta1 as f32,
            beta2: self.spec.beta2 as f32,
            epsilon: self.spec.epsilon as f32,
            weight_decay: self.decay,
            decay: if self.spec.method == OptimizerMethod::Adamw {
                WeightDecay::Weights
            } else {
                WeightDecay::Gradient
            },
            gradient_scale: self.scale,
            step,
        }
    }

    fn sgd(&self) -> SgdStep {
        SgdStep {
            learning_rate: self.learning_rate,
            momentum: self.spec.momentum as f32,
            weight_decay: self.decay,
            gradient_scale: self.scale,
        }
    }

    fn dense(&self, values: &mut [f32], moments: &mut Moments, gradient: &[f32]) {
        match self.spec.method {
            OptimizerMethod::Adam | OptimizerMethod::Adamw => {
                adam(values, &mut moments.first, &mut moments.second, gradient, &self.adam(moments.steps));
            }
            OptimizerMethod::Sgd => sgd(values, &mut moments.first, gradient, &self.sgd()),
        }
    }

    fn rows(&self, values: &mut [f32], moments: &mut Moments, dim: usize, rows: &[u32], gradient: &[f32]) {
        match (self.spec.method, self.spec.rows) {
            (OptimizerMethod::Adam | OptimizerMethod::Adamw, how) => {
                let step = self.adam(moments.steps);
                let tables = [values, &mut moments.first[..], &mut moments.second[..]];
                match how {
                    RowUpdate::Lazy => adam_rows(tables, dim, rows, gradient, &step),
                    RowUpdate::Dense => adam_dense_rows(tables, dim, rows, gradient, &step),
                }
            }
            (OptimizerMethod::Sgd, how) => {
                let tables = [values, &mut moments.first[..]];
                match how {
                    RowUpdate::Lazy => sgd_rows(tables, dim, rows, gradient, &self.sgd()),
                    RowUpdate::Dense => sgd_dense_rows(tables, dim, rows, gradient, &self.sgd()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;
    use polytask_model::{Owner, RowGradient};

    fn parameters() -> Parameters {
        let mut parameters = Parameters::new(Device::flex());
        parameters.add("trunk".into(), &[2], Group::Trunk, Owner::Shared, vec![1.0, 1.0]);
        parameters.add("head".into(), &[1], Group::Heads, Owner::Shared, vec![1.0]);
        parameters.add_table("vectors".into(), 1, true, Owner::Shared, vec![1.0, 1.0, 1.0]);
        parameters
    }

    fn gradients() -> Gradients {
        let rows = RowGradient { table: 0, rows: vec![1], values: vec![4.0] };
        Gradients { dense: vec![Some(vec![3.0, 0.0]), None], rows: vec![rows] }
    }

    #[test]
    fn the_norm_covers_rows_and_clipping_keeps_the_direction() {
        assert_eq!(Optimizer::norm(&gradients()), 5.0);
        let spec = OptimizerSpec {
            method: OptimizerMethod::Sgd,
            momentum: 0.0,
            learning_rate: 1.0,
            clip_norm: 1.0,
            ..OptimizerSpec::default()
        };
        let (optimizer, mut parameters) = (Optimizer::new(&spec), parameters());
        let mut state = optimizer.init(&parameters);
        optimizer.update(&mut parameters, &mut state, &gradients(), 5.0, 1.0);
        let trunk = parameters.dense()[0].to_vec();
        assert!((trunk[0] - 0.4).abs() < 1e-6 && trunk[1] == 1.0);
        assert!((parameters.tables()[0].values[1] - 0.2).abs() < 1e-6);
        assert_eq!(parameters.tables()[0].values[0], 1.0);
    }

    #[test]
    fn a_parameter_without_gradient_stays_and_counts_no_step() {
        let (optimizer, mut parameters) = (Optimizer::new(&OptimizerSpec::default()), parameters());
        let mut state = optimizer.init(&parameters);
        optimizer.update(&mut parameters, &mut state, &gradients(), 5.0, 0.1);
        assert_eq!(parameters.dense()[1].to_vec(), [1.0]);
        assert_eq!((state.dense[0].steps, state.dense[1].steps), (1, 0));
        // The first bias-corrected step of adam is the learning rate against the gradient's sign.
        assert!((parameters.dense()[0].to_vec()[0] - 0.9).abs() < 1e-5);
    }

    #[test]
    fn scales_slow_down_groups() {
        let mut spec = OptimizerSpec::default();
        spec.scale.vectors = 0.0;
        let (optimizer, mut parameters) = (Optimizer::new(&spec), parameters());
        let mut state = optimizer.init(&parameters);
        optimizer.update(&mut parameters, &mut state, &gradients(), 5.0, 0.1);
        assert_eq!(parameters.tables()[0].values, [1.0; 3]);
    }
}
