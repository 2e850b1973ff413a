//! How do inputs, encoders and heads make one network?

use std::collections::BTreeMap;
use std::ops::Range;

use burn::tensor::{Device, Tensor};
use indexmap::IndexMap;
use polytask_spec::Spec;
use polytask_spec::network::Pool;
use polytask_spec::task::Task;

use crate::encoder::{Demand, Encoder, Pooler};
use crate::head::{self, Head, Knowledge, Scores};
use crate::input::{Feed, Fitted, Input, Side};
use crate::pair;
use crate::parameters::{Group, Init, Owner, Parameters, TaskId};
use crate::pass::Pass;
use crate::representation::{Form, Representation, Sequence};
use crate::targets::TargetBatch;

/// A multi-task network.
#[derive(Debug)]
pub struct Model {
    /// Everything that is learned.
    pub parameters: Parameters,
    pub(crate) inputs: IndexMap<String, Input>,
    pub(crate) encoders: IndexMap<String, Encoder>,
    pub(crate) tasks: Vec<TaskNet>,
}

/// Examples of one dataset, and the targets of the tasks that are trained on them.
#[derive(Debug)]
pub struct Batch<'a> {
    /// The examples.
    pub feed: Feed<'a>,
    /// The tasks and their targets on these examples.
    pub tasks: Vec<(TaskId, TargetBatch<'a>)>,
}

impl Batch<'_> {
    pub(crate) fn task_ids(&self) -> impl Iterator<Item = TaskId> {
        self.tasks.iter().map(|(task, _)| *task)
    }
}

/// The encoders that some tasks are attached to, ascending, and what is asked of the layers of each.
type Asked = Vec<(usize, Vec<Demand>)>;

/// What each encoder that ran hands on, layer by layer; `None` for what nobody asked for.
pub(crate) type Outputs = Vec<Option<Vec<Option<Representation>>>>;

/// The outputs for the first text of each example, and for the second where examples are pairs.
pub(crate) struct Sides {
    first: Outputs,
    second: Option<Outputs>,
}

/// Where a task attaches, and its head.
#[derive(Debug)]
pub(crate) struct TaskNet {
    pub(crate) encoder: usize,
    pub(crate) attach: Vec<usize>,
    pub(crate) pool: Option<Pool>,
    /// One a layer of `attach` where the task pools.
    poolers: Vec<Pooler>,
    /// Whether the task compares two texts.
    pair: bool,
    pub(crate) head: Box<dyn Head>,
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
                let (pool, pair) = (task.kind.pool(), spec.pair_of(task).is_some());
                let texts = if pair { pair::WIDTH } else { 1 };
                let dim = texts * attach.iter().map(|&layer| encoder.form(layer).dim()).sum::<usize>();
                let form = if pool.is_some() { Form::Vector(dim) } else { Form::Sequence(dim) };
                let (prefix, owner) = head_site(spec, TaskId(index), (name, task));
                let sharing = (Group::Heads, owner);
                let pooler = |(pool, &layer): (Pool, &usize)| {
                    let prefix = format!("{}.pool.{}", prefix.trim_end_matches(".head"), encoder.name(layer));
                    let read = (encoder.form(layer), encoder.ends(layer));
                    Pooler::build(&prefix, pool, read, sharing, &mut parameters, init)
                };
                let poolers =
                    pool.iter().flat_map(|&pool| attach.iter().map(move |at| (pool, at))).map(pooler).collect();
                let head = head::build((&prefix, owner), task, knowledge, form, &mut parameters, init);
                TaskNet { encoder: encoder_index, attach, pool, poolers, pair, head }
            })
            .collect();
        Model { parameters, inputs, encoders, tasks }
    }

    /// The head of a task.
    pub fn head(&self, task: TaskId) -> &dyn Head {
        self.tasks[task.0].head.as_ref()
    }

    /// Values that a forward pass through an encoder keeps for each token until the way back, its input included, where
    /// texts have `longest` tokens with their padding.
    pub fn kept_per_token(&self, encoder: &str, longest: usize) -> usize {
        let encoder = &self.encoders[encoder];
        self.inputs[&encoder.input].form().dim() + encoder.kept_per_token(longest)
    }

    /// The mean loss of each task of each batch, `[1]`; `None` where all its targets are missing.
    ///
    /// Batches that read the same input and ask the same of every layer, vectors of whole examples, run as one.
    pub fn losses(&self, pass: &Pass<'_>, batches: &[Batch<'_>]) -> Vec<Vec<Option<Tensor<1>>>> {
        let mut losses: Vec<Vec<Option<Tensor<1>>>> = vec![Vec::new(); batches.len()];
        for group in self.joined(batches) {
            let outputs = self.outputs_of(pass, batches, &group);
            let mut first = 0;
            for &index in &group {
                let rows = first..first + batches[index].feed.index.len();
                first = rows.end;
                let of_task = |(task, targets): &(TaskId, TargetBatch<'_>)| {
                    let net = &self.tasks[task.0];
                    let rows = (group.len() > 1).then(|| rows.clone());
                    net.head.loss(pass, net.read(pass, &outputs, rows), *targets)
                };
                losses[index] = batches[index].tasks.iter().map(of_task).collect();
            }
        }
        losses
    }

    /// What each task's head computes for a batch, without dropout.
    pub fn infer(&self, pass: &Pass<'_>, feed: Feed<'_>, tasks: &[TaskId]) -> Vec<Scores> {
        let outputs = self.sides(pass, &[feed], tasks);
        let of_task = |task: &TaskId| {
            let net = &self.tasks[task.0];
            net.head.infer(pass, net.read(pass, &outputs, None))
        };
        tasks.iter().map(of_task).collect()
    }

    /// What a task's head reads of each example, without dropout, as a vector, `[batch, d]`: the mean over tokens where it reads
    /// these. Of pairs of texts only the first ones are read.
    pub fn representation(&self, pass: &Pass<'_>, feed: Feed<'_>, task: TaskId) -> Tensor<2> {
        let outputs = self.outputs(pass, (&[feed], Side::First), &[task]);
        self.tasks[task.0].read_side(pass, &outputs, None).pooled(Pool::Mean)
    }

    /// Brings together batches, by their positions, that read the same prepared input and ask the same of every layer,
    /// where all that heads read are vectors of whole examples.
    ///
    /// What heads read token by token stays apart: cutting a batch's tokens out of joined ones costs more than it saves.
    pub(crate) fn joined(&self, batches: &[Batch<'_>]) -> Vec<Vec<usize>> {
        let mut groups: Vec<(Asked, Vec<usize>)> = Vec::new();
        for (index, batch) in batches.iter().enumerate() {
            let asked = self.asked(&batch.task_ids().collect::<Vec<_>>());
            let same = |(other, members): &&mut (Asked, Vec<usize>)| {
                let first = &batches[members[0]];
                std::ptr::eq(first.feed.prepared, batch.feed.prepared)
                    && *other == asked
                    && self.compares(first.task_ids()) == self.compares(batch.task_ids())
            };
            match groups.iter_mut().filter(|_| self.reads_vectors(&asked)).find(same) {
                Some((_, members)) => members.push(index),
                None => groups.push((asked, vec![index])),
            }
        }
        groups.into_iter().map(|(_, members)| members).collect()
    }

    /// The encoders that tasks are attached to, ascending, and what they ask of the layers of each.
    pub(crate) fn asked(&self, tasks: &[TaskId]) -> Asked {
        let mut encoders: Vec<usize> = tasks.iter().map(|task| self.tasks[task.0].encoder).collect();
        encoders.sort_unstable();
        encoders.dedup();
        encoders.into_iter().map(|encoder| (encoder, self.demands(encoder, tasks))).collect()
    }

    /// Whether all that is asked are vectors of whole examples.
    fn reads_vectors(&self, asked: &[(usize, Vec<Demand>)]) -> bool {
        asked.iter().all(|(encoder, demands)| {
            demands.iter().enumerate().all(|(layer, demand)| match demand {
                Demand::Nothing | Demand::Pooled(_) => true,
                Demand::Full => matches!(self.encoders[*encoder].form(layer), Form::Vector(_)),
            })
        })
    }

    /// Whether some tasks, all of one dataset, compare two texts.
    pub(crate) fn compares(&self, mut tasks: impl Iterator<Item = TaskId>) -> bool {
        tasks.any(|task| self.tasks[task.0].pair)
    }

    /// The outputs for a group of batches that run as one.
    pub(crate) fn outputs_of(&self, pass: &Pass<'_>, batches: &[Batch<'_>], group: &[usize]) -> Sides {
        let feeds: Vec<Feed<'_>> = group.iter().map(|&batch| batches[batch].feed).collect();
        let tasks: Vec<TaskId> = group.iter().flat_map(|&batch| batches[batch].task_ids()).collect();
        self.sides(pass, &feeds, &tasks)
    }

    /// The outputs for every text of the examples.
    fn sides(&self, pass: &Pass<'_>, feeds: &[Feed<'_>], tasks: &[TaskId]) -> Sides {
        let first = self.outputs(pass, (feeds, Side::First), tasks);
        let pair = self.compares(tasks.iter().copied());
        let second = pair.then(|| self.outputs(pass, (feeds, Side::Second), tasks));
        Sides { first, second }
    }

    /// The outputs of every encoder that tasks are attached to; encoders on one input share its forward pass.
    fn outputs(&self, pass: &Pass<'_>, (feeds, side): (&[Feed<'_>], Side), tasks: &[TaskId]) -> Outputs {
        let mut inputs: Vec<Option<Representation>> = vec![None; self.inputs.len()];
        let mut outputs: Outputs = vec![None; self.encoders.len()];
        for (index, demands) in self.asked(tasks) {
            let encoder = &self.encoders[index];
            let input = self.inputs.get_index_of(&encoder.input).expect("checked: the input exists");
            let x = inputs[input].get_or_insert_with(|| self.inputs[input].forward(pass, feeds, side)).clone();
            outputs[index] = Some(encoder.forward(pass, x, &demands));
        }
        outputs
    }

    /// What the tasks of a pass ask of each layer of an encoder.
    pub(crate) fn demands(&self, encoder: usize, tasks: &[TaskId]) -> Vec<Demand> {
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
    /// What the head reads: the layers that the task attaches to, for pairs the comparison of both texts.
    fn read(&self, pass: &Pass<'_>, outputs: &Sides, rows: Option<Range<usize>>) -> Representation {
        let first = self.read_side(pass, &outputs.first, rows.clone());
        match &outputs.second {
            Some(second) if self.pair => pair::compare(first, self.read_side(pass, second, rows)),
            _ => first,
        }
    }

    /// Joins the layers that the task attaches to, pooled first where the task pools; only `rows` of the batch where given.
    pub(crate) fn read_side(&self, pass: &Pass<'_>, outputs: &Outputs, rows: Option<Range<usize>>) -> Representation {
        let layers = outputs[self.encoder].as_ref().expect("the task's encoder ran");
        let part = |&layer: &usize| layers[layer].clone().expect("the task asked for the layer");
        let mut parts = self.attach.iter().map(part).map(|part| match &rows {
            Some(rows) => part.examples(rows.clone()),
            None => part,
        });
        match self.pool {
            Some(_) => {
                let vectors = parts.zip(&self.poolers).map(|(part, pooler)| pooler.pooled(pass, part)).collect();
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

/// What the names of a head's parameters begin with, and who reaches them.
fn head_site(spec: &Spec, id: TaskId, (name, task): (&str, &Task)) -> (String, Owner) {
    match &task.head {
        None => (format!("task.{name}.head"), Owner::Task(id)),
        Some(head) => {
            let sharing = spec.tasks_of_head(head).map(|(index, _, _)| TaskId(index)).collect();
            (format!("head.{head}"), owner(sharing).expect("the task itself names the head"))
        }
    }
}

/// Who reaches each layer of an encoder; `None` for those that no task reaches.
fn owners(spec: &Spec, encoder: &str) -> Vec<Option<Owner>> {
    let layers = &spec.encoder[encoder];
    let reaches = |task: &Task, index: usize| {
        let attach = spec.attach_of(task);
        let mut attached = (0..layers.layers.len()).filter(|&at| attach.contains(&layers.layers[at].name_at(at)));
        spec.encoder_of(task) == encoder && attached.any(|at| layers.chain(at).any(|layer| layer == index))
    };
    (0..layers.layers.len()).map(|index| owner(reaching(spec, |task| reaches(task, index)))).collect()
}

fn join<const D: usize>(mut parts: Vec<Tensor<D>>, dim: usize) -> Tensor<D> {
    if parts.len() == 1 { parts.remove(0) } else { Tensor::cat(parts, dim) }
}
