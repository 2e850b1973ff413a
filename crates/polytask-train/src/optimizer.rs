//! How do gradients change parameters?
//!
//! A parameter that a step does not reach is left as it is, moments and all, and counts its own steps: the head of a
//! task that is absent from a batch is not dragged along by momentum. Rows of a table follow `optimizer.rows`.

mod rule;

use polytask_kernels::optim::{self, Reach};
use polytask_model::{Gradients, Group, Parameter, Parameters};
use polytask_spec::training::{DecayedParameters, Optimizer as OptimizerSpec, RowUpdate};

use self::rule::{Form, Rule};

/// Moments and step counts of every trained parameter; all that a checkpoint needs besides the parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct OptimizerState {
    /// For each dense parameter.
    pub dense: Vec<Moments>,
    /// For each table; empty where it is not trained.
    pub tables: Vec<Moments>,
}

/// What a method remembers of one parameter.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Moments {
    /// Updates made.
    pub steps: u64,
    /// Arrays by name: `first` and `second` moments and what else the method has, each as long as the parameter or one
    /// number.
    pub arrays: Vec<(&'static str, Vec<f32>)>,
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
    fn new(spec: &OptimizerSpec, form: Form, len: usize) -> Moments {
        let len_of = |name: &str| if name == rule::MASS { len.min(1) } else { len };
        let arrays = rule::arrays(&spec.method, form).iter().map(|name| (*name, vec![0.0; len_of(name)]));
        Moments { steps: 0, arrays: arrays.collect() }
    }
}

impl Optimizer {
    /// The configured rule.
    pub fn new(spec: &OptimizerSpec) -> Optimizer {
        Optimizer { spec: spec.clone() }
    }

    /// Zero moments for every trained parameter.
    pub fn init(&self, parameters: &Parameters) -> OptimizerState {
        let dense = parameters.dense().iter();
        let tables = parameters.tables().iter().map(|table| if table.tuned { table.values.len() } else { 0 });
        OptimizerState {
            dense: dense.map(|parameter| Moments::new(&self.spec, form(parameter), parameter.len())).collect(),
            tables: tables.map(|len| Moments::new(&self.spec, Form::Other, len)).collect(),
        }
    }

    /// Arrays as long as a parameter that the method keeps for each at most.
    pub(crate) fn arrays_max(&self) -> usize {
        rule::arrays(&self.spec.method, Form::Other).iter().filter(|name| **name != rule::MASS).count()
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
            let parameter = &parameters.dense()[index];
            let rule = Rule {
                method: &self.spec.method,
                form: form(parameter),
                learning_rate: (learning_rate * self.factor(&parameter.name, parameter.group)) as f32,
                decay: self.weight_decay(parameter) as f32,
                scale: scale as f32,
            };
            let moments = &mut state.dense[index];
            moments.steps += 1;
            parameters.update(index, |values| rule.update(values, moments, gradient, Reach::All));
        }
        for rows in &gradients.rows {
            let table = parameters.table_mut(rows.table);
            let rule = Rule {
                method: &self.spec.method,
                form: Form::Other,
                learning_rate: (learning_rate * self.factor(&table.name, Group::Vectors)) as f32,
                decay: 0.0,
                scale: scale as f32,
            };
            let moments = &mut state.tables[rows.table];
            moments.steps += 1;
            let (d, touched) = (table.dim, rows.rows.as_slice());
            let reach = match self.spec.rows {
                RowUpdate::Lazy => Reach::Lazy { d, rows: touched },
                RowUpdate::Dense => Reach::Dense { d, rows: touched },
            };
            rule.update(&mut table.values, moments, &rows.values, reach);
        }
        Update { gradient_norm: norm }
    }

    fn weight_decay(&self, parameter: &Parameter) -> f64 {
        match (parameter.group, self.spec.weight_decay_of) {
            (Group::Vectors, _) => 0.0,
            (_, DecayedParameters::Matrices) if parameter.shape.len() < 2 => 0.0,
            _ => self.spec.weight_decay,
        }
    }

    /// The factor on the learning rate: that of the group, and those of the layers and the task that the name belongs to.
    fn factor(&self, name: &str, group: Group) -> f64 {
        let scale = &self.spec.scale;
        let of_group = match group {
            Group::Vectors => scale.vectors,
            Group::Trunk => scale.trunk,
            Group::Heads => scale.heads,
        };
        let within = |section: &str, part: &str| {
            let rest = name.strip_prefix(section).and_then(|rest| rest.strip_prefix(part));
            rest.is_some_and(|rest| rest.starts_with('.'))
        };
        let layers = scale.layers.iter().filter(|(part, _)| within("encoder.", part));
        let tasks = scale.tasks.iter().filter(|(part, _)| within("task.", part));
        layers.chain(tasks).fold(of_group, |product, (_, factor)| product * factor)
    }
}

/// Which form of a method a parameter gets: `muon` is for the matrices of encoder layers alone.
fn form(parameter: &Parameter) -> Form {
    match parameter.shape[..] {
        [inputs, outputs] if parameter.group == Group::Trunk && inputs.min(outputs) > 1 => {
            Form::Matrix([inputs, outputs])
        }
        _ => Form::Other,
    }
}

#[cfg(test)]
mod tests;
