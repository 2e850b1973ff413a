//! How do inputs, encoders and heads make one network?

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor};
use indexmap::IndexMap;
use polytask_spec::Spec;
use polytask_spec::network::Pool;
use polytask_spec::task::{Task, TaskKind};

use crate::encoder::{Demand, Encoder};
use crate::head::{self, Head, Knowledge, Scores};
use crate::input::{Feed, Fitted, Input};
use crate::parameters::{Init, Owner, Parameters, TaskId};
use crate::pass::Pass;
use crate::representation::{Form, Representation, Sequence};
use crate::targets::TargetBatch;

/// A multi-task network.
#[derive(Debug)]
pub struct Model {
    /// Everything that is learned.
    pub parameters: Parameters,
    inputs: IndexMap<String, Input>,
    encoders: IndexMap<String, Encoder>,
    tasks: Vec<TaskNet>,
}

/// Where a task attaches, and its head.
#[derive(Debug)]
struct TaskNet {
    encoder: usize,
    attach: Vec<usize>,
    pool: Option<Pool>,
    head: Box<dyn Head>,
}

impl Model {
    /// Builds the network that a checked configuration describes, with initial values that follow from its seed.
    ///
    /// `knowledge` has one entry a task, in the file's order; `fitted` one an input, by name.
    pub fn build(spec: &Spec, knowledge: &[Knowledge], fitted: &BTreeMap<String, Fitted>, device: Device) -> Model {
        let init = Init::new(spec.seed);
        let mut parameters = Parameters::new(device);
        let inputs: IndexMap<String, Input> = spec
            .input
            .iter()
            .map(|(name, input)| {
                let owner = owner(reaching(spec, |task| spec.input_of(task) == name)).unwrap_or(Owner::Shared);
                let built = Input::build((name, owner), input, &fitted[name], &mut parameters, init);
                (name.clone(), built)
            })
            .collect();
        let encoders: IndexMap<String, Encoder> = spec
            .encoder
            .keys()
            .map(|name| {
                let form = inputs[spec.encoder_input(name)].form();
                (name.clone(), Encoder::build(spec, name, form, &owners(spec, name), &mut parameters, init))
            })
            .collect();
        let tasks = spec
            .task
            .iter()
            .zip(knowledge)
            .enumerate()
            .map(|(index, ((name, task), knowledge))| {
                let encoder_index = encoders.get_index_of(spec.encoder_of(task)).expect("checked: the encoder exists");
                let encoder = &encoders[encoder_index];
                let attach: Vec<usize> = spec
                    .attach_of(task)
                    .iter()
                    .map(|layer| encoder.layer(layer).expect("checked: the layer exists"))
                    .collect();
                let dim = attach.iter().map(|&layer| encoder.form(layer).dim()).sum();
                let (pool, form) = match &task.kind {
                    TaskKind::Classify(spec) => (Some(spec.pool), Form::Vector(dim)),
                    TaskKind::Regress(spec) => (Some(spec.pool), Form::Vector(dim)),
                    TaskKind::Tag(_) => (None, Form::Sequence(dim)),
                };
                let head = head::build((TaskId(index), name), task, knowledge, form, &mut parameters, init);
                TaskNet { encoder: encoder_index, attach, pool, head }
            })
            .collect();
        Model { parameters, inputs, encoders, tasks }
    }

    /// The head of a task.
    pub fn head(&self, task: TaskId) -> &dyn Head {
        self.tasks[task.0].head.as_ref()
    }

    /// Values that a forward pass through an encoder keeps for each token until the way back, its input included.
    pub fn kept_per_token(&self, encoder: &str) -> usize {
        let encoder = &self.encoders[encoder];
        self.inputs[&encoder.input].form().dim() + encoder.kept_per_token()
    }

    /// The mean loss of each task on a batch, `[1]`; `None` where all its targets are missing.
    pub fn losses(
        &self,
        pass: &Pass<'_>,
        feed: Feed<'_>,
        tasks: &[(TaskId, TargetBatch<'_>)],
    ) -> Vec<Option<Tensor<1>>> {
        let ids: Vec<TaskId> = tasks.iter().map(|(id, _)| *id).collect();
        let representations = self.representations(pass, feed, &ids);
        tasks
            .iter()
            .zip(representations)
            .map(|((id, targets), x)| self.tasks[id.0].head.loss(pass, x, *targets))
            .collect()
    }

    /// What each task's head computes for a batch, without dropout.
    pub fn infer(&self, pass: &Pass<'_>, feed: Feed<'_>, tasks: &[TaskId]) -> Vec<Scores> {
        let representations = self.representations(pass, feed, tasks);
        tasks.iter().zip(representations).map(|(id, x)| self.tasks[id.0].head.infer(pass, x)).collect()
    }

    /// What each task's head reads. Tasks on one encoder share its forward pass, encoders on one input share that.
    fn representations(&self, pass: &Pass<'_>, feed: Feed<'_>, tasks: &[TaskId]) -> Vec<Representation> {
        let mut inputs: Vec<Option<Representation>> = vec![None; self.inputs.len()];
        let mut outputs: Vec<Option<Vec<Option<Representation>>>> = vec![None; self.encoders.len()];
        for &task in tasks {
            let index = self.tasks[task.0].encoder;
            if outputs[index].is_some() {
                continue;
            }
            let encoder = &self.encoders[index];
            let input = self.inputs.get_index_of(&encoder.input).expect("checked: the input exists");
            let x = inputs[input].get_or_insert_with(|| self.inputs[input].forward(pass, feed)).clone();
            outputs[index] = Some(encoder.forward(pass, x, &self.demands(index, tasks)));
        }
        tasks.iter().map(|&task| self.tasks[task.0].read(&outputs)).collect()
    }

    /// What the tasks of a pass ask of each layer of an encoder.
    fn demands(&self, encoder: usize, tasks: &[TaskId]) -> Vec<Demand> {
        let mut demands = vec![Demand::Nothing; self.encoders[encoder].len()];
        for net in tasks.iter().map(|task| &self.tasks[task.0]).filter(|net| net.encoder == encoder) {
            for &layer in &net.attach {
                demands[layer] = demands[layer].and(net.pool.map_or(Demand::Full, Demand::Pooled));
            }
        }
        demands
    }
}

impl TaskNet {
    /// Joins the layers that the task attaches to, pooled first where the task pools.
    fn read(&self, outputs: &[Option<Vec<Option<Representation>>>]) -> Representation {
        let layers = outputs[self.encoder].as_ref().expect("the task's encoder ran");
        let mut parts = self.attach.iter().map(|&layer| layers[layer].clone().expect("the task asked for the layer"));
        match self.pool {
            Some(pool) => {
                let vectors: Vec<Tensor<2>> = parts.map(|part| part.pooled(pool)).collect();
                Representation::Vector(join(vectors, 1))
            }
            None => {
                let Sequence { values, lengths } = parts.next().expect("a task attaches somewhere").into_sequence();
                let rest = parts.map(|part| part.into_sequence().values);
                let values = join(std::iter::once(values).chain(rest).collect(), 2);
                Representation::Sequence(Sequence { values, lengths })
            }
        }
    }
}

/// The tasks that `reaches` says yes to.
fn reaching(spec: &Spec, reaches: impl Fn(&Task) -> bool) -> Vec<TaskId> {
    let tasks = spec.task.values().enumerate();
    tasks.filter(|(_, task)| reaches(task)).map(|(index, _)| TaskId(index)).collect()
}

/// Who owns what some tasks reach; `None` where no task does.
fn owner(tasks: Vec<TaskId>) -> Option<Owner> {
    match tasks.as_slice() {
        [] => None,
        [task] => Some(Owner::Task(*task)),
        _ => Some(Owner::Shared),
    }
}

/// Who reaches each layer of an encoder, from the first up to the last that any task reaches.
fn owners(spec: &Spec, encoder: &str) -> Vec<Owner> {
    let names: Vec<String> =
        spec.encoder[encoder].layers.iter().enumerate().map(|(index, layer)| layer.name_at(index)).collect();
    let reaches = |task: &Task, index: usize| {
        let attach = spec.attach_of(task);
        spec.encoder_of(task) == encoder && names[index..].iter().any(|name| attach.contains(name))
    };
    (0..names.len()).map_while(|index| owner(reaching(spec, |task| reaches(task, index)))).collect()
}

fn join<const D: usize>(mut parts: Vec<Tensor<D>>, dim: usize) -> Tensor<D> {
    if parts.len() == 1 { parts.remove(0) } else { Tensor::cat(parts, dim) }
}
