//! How is training written down so that it can go on as if nothing had happened?
//!
//! One safetensors file holds trained parameters (`parameter/NAME`), what the optimizer remembers (`first/NAME`,
//! `second/NAME`, ...), the running mean of the weights (`average/NAME`, for rows with the step of each in `averaged/NAME`),
//! what a balancer keeps of the gradients (`kept/TASK/NAME`) and, as bytes of JSON under `state`, every counter. Tables that are not trained are read anew from their source. The batches of an
//! epoch and all dropout masks follow from seed and counters, so no generator's state is kept.

use std::collections::BTreeMap;
use std::path::Path;

use polytask_model::{Named, Parameters, Restore, restore, sealed, weights};
use polytask_run::write_atomically;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use crate::average::Average;
use crate::error::TrainError;
use crate::optimizer::Moments;
use crate::plan::Plan;
use crate::schedule::Plateau;
use crate::state::{State, Tally};

/// Version of the checkpoint that this program writes and reads.
const FORMAT: u32 = 1;

/// Everything but arrays.
#[derive(Debug, Serialize, Deserialize)]
struct Counters {
    format: u32,
    epoch: usize,
    step_in_epoch: usize,
    step: u64,
    draws: Option<u64>,
    taken: Vec<u64>,
    finished: bool,
    tally: Tally,
    balance: polytask_balance::State,
    standing: crate::standing::Standing,
    events_bytes: u64,
    /// Tells whether the data is still the same.
    data: u64,
    dense_steps: Vec<u64>,
    table_steps: Vec<u64>,
    #[serde(default)]
    plateau: Plateau,
    average_steps: Option<u64>,
}

impl Counters {
    /// Whether they count as many tasks and datasets as a state does.
    fn fit(&self, state: &State) -> bool {
        self.taken.len() == state.taken.len() && self.tally.fits(&state.tally) && self.standing.fits(&state.standing)
    }
}

/// The version of a checkpoint, which is told before anything else is looked at; none where it is damaged.
fn format(file: &[u8]) -> Option<u32> {
    #[derive(Deserialize)]
    struct Version {
        format: u32,
    }
    let json = SafeTensors::deserialize(file).ok()?.tensor("state").ok()?;
    serde_json::from_slice::<Version>(json.data()).ok().map(|version| version.format)
}

/// Writes a checkpoint.
///
/// # Errors
///
/// Where a parameter is no number, or the file system refuses; an older checkpoint of that name then stays.
pub fn save(path: &Path, plan: &Plan, state: &State) -> Result<(), TrainError> {
    if let Some(name) = plan.model.parameters.not_finite() {
        return Err(TrainError::NotFinite { name, step: state.step });
    }
    let counters = Counters {
        format: FORMAT,
        epoch: state.epoch,
        step_in_epoch: state.step_in_epoch,
        step: state.step,
        draws: Some(state.draws),
        taken: state.taken.clone(),
        finished: state.finished,
        tally: state.tally.clone(),
        balance: state.balance.clone(),
        standing: state.standing.clone(),
        events_bytes: state.events_bytes,
        data: plan.corpus.fingerprint(),
        dense_steps: state.optimizer.dense.iter().map(|moments| moments.steps).collect(),
        table_steps: state.optimizer.tables.iter().map(|moments| moments.steps).collect(),
        plateau: state.plateau,
        average_steps: state.average.as_ref().map(|average| average.steps),
    };
    let json = serde_json::to_vec(&counters).expect("counters are plain values");
    let mut arrays: Vec<Array> = Vec::new();
    for named in trained(plan) {
        arrays.push(Array::floats(format!("parameter/{}", named.name), named.shape, &named.values));
    }
    let parameters = &plan.model.parameters;
    let dense = parameters.dense().iter().map(|parameter| &parameter.name).zip(&state.optimizer.dense);
    let tables = parameters.tables().iter().map(|table| &table.name).zip(&state.optimizer.tables);
    for (name, moments) in dense.chain(tables) {
        for (kind, values) in moments.arrays.iter().filter(|(_, values)| !values.is_empty()) {
            arrays.push(Array::floats(format!("{kind}/{name}"), vec![values.len()], values));
        }
    }
    for (name, tasks) in &state.kept.tensors {
        let of_task = |(task, values): (usize, &Vec<f32>)| {
            Array::floats(format!("kept/{task}/{name}"), vec![values.len()], values)
        };
        arrays.extend(tasks.iter().enumerate().map(of_task));
    }
    arrays.extend(state.average.iter().flat_map(|average| averages(average, parameters)));
    let view = |dtype, shape, bytes| TensorView::new(dtype, shape, bytes).expect("as many bytes as the shape asks for");
    let views = arrays
        .iter()
        .map(|array| (array.name.as_str(), view(array.dtype, array.shape.clone(), &array.bytes)))
        .chain([("state", view(Dtype::U8, vec![json.len()], &json))]);
    let file = sealed::seal(views, &[]);
    write_atomically(path, &file).map_err(|source| TrainError::Io { path: path.into(), source })
}

/// Restores plan and state from a checkpoint.
///
/// # Errors
///
/// Where it is missing, damaged, of a later format, or of another configuration.
pub fn load(path: &Path, plan: &mut Plan, state: &mut State) -> Result<(), TrainError> {
    let file = std::fs::read(path).map_err(|source| TrainError::Io { path: path.into(), source })?;
    let damaged = |what: String| TrainError::Checkpoint { path: path.into(), what };
    if let Some(found) = format(&file).filter(|found| *found > FORMAT) {
        return Err(TrainError::NewerCheckpoint { path: path.into(), found, known: FORMAT });
    }
    let tensors = sealed::open(&file).map_err(damaged)?;
    let json = tensors.tensor("state").map_err(|error| damaged(error.to_string()))?;
    let counters: Counters = serde_json::from_slice(json.data()).map_err(|error| damaged(error.to_string()))?;
    if !counters.fit(state) {
        return Err(damaged("its counters are of other tasks or datasets".into()));
    }
    if counters.data != plan.corpus.fingerprint() {
        return Err(TrainError::Data(polytask_data::Error::Unfit {
            dataset: plan.corpus.sources.iter().map(|source| source.name.as_str()).collect::<Vec<_>>().join(", "),
            message: format!("the data is no longer what {} was made from", path.display()),
            help: "restore the files, or train anew into another directory".into(),
        }));
    }
    let parts = |prefix: &str| -> BTreeMap<String, Vec<f32>> {
        let named = tensors.iter().filter_map(|(name, view)| Some((name.strip_prefix(prefix)?, view)));
        named.map(|(name, view)| (name.to_owned(), floats(view.data()))).collect()
    };
    restore(&mut plan.model.parameters, parts("parameter/"), Restore::Trained).map_err(damaged)?;
    let parameters = &plan.model.parameters;
    let dense = parameters.dense().iter().map(|parameter| parameter.name.as_str());
    let tables = parameters.tables().iter().map(|table| table.name.as_str());
    let array = |kind: &str, name: &str, len: usize| match tensors.tensor(&format!("{kind}/{name}")) {
        Ok(found) if found.data().len() == 4 * len => Ok(found.data()),
        Ok(found) => Err(damaged(format!("`{kind}/{name}` has {} values, not {len}", found.data().len() / 4))),
        Err(_) if len == 0 => Ok(&[][..]),
        Err(_) => Err(damaged(format!("`{kind}/{name}` is missing"))),
    };
    let refill = |name: &str, moments: &mut Moments, steps: Option<&u64>| -> Result<(), TrainError> {
        moments.steps = *steps.ok_or_else(|| damaged(format!("no step count for `{name}`")))?;
        for (kind, values) in &mut moments.arrays {
            *values = floats(array(kind, name, values.len())?);
        }
        Ok(())
    };
    for (index, (name, moments)) in dense.zip(&mut state.optimizer.dense).enumerate() {
        refill(name, moments, counters.dense_steps.get(index))?;
    }
    for (index, (name, moments)) in tables.zip(&mut state.optimizer.tables).enumerate() {
        refill(name, moments, counters.table_steps.get(index))?;
    }
    for (name, tasks) in &mut state.kept.tensors {
        for (task, values) in tasks.iter_mut().enumerate() {
            *values = floats(array("kept", &format!("{task}/{name}"), values.len())?);
        }
    }
    if let Some(average) = &mut state.average {
        average.steps = counters.average_steps.ok_or_else(|| damaged("no running mean of the weights".into()))?;
        for (parameter, values) in parameters.dense().iter().zip(&mut average.dense) {
            *values = floats(array("average", &parameter.name, values.len())?);
        }
        for (table, average) in parameters.tables().iter().zip(&mut average.tables) {
            average.values = floats(array("average", &table.name, average.values.len())?);
            let seen = array("averaged", &table.name, average.seen.len())?.chunks_exact(4);
            average.seen = seen.map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        }
    }
    state.epoch = counters.epoch;
    state.step_in_epoch = counters.step_in_epoch;
    state.step = counters.step;
    state.draws = counters.draws.unwrap_or(counters.step);
    state.plateau = counters.plateau;
    state.taken = counters.taken;
    state.finished = counters.finished;
    state.tally = counters.tally;
    state.balance = counters.balance;
    state.standing = counters.standing;
    state.events_bytes = counters.events_bytes;
    Ok(())
}

/// Writes the trained parameters alone: the weights of the kept model.
///
/// # Errors
///
/// Where the file system refuses.
pub fn save_weights(path: &Path, plan: &Plan) -> Result<(), TrainError> {
    let file = polytask_model::to_safetensors(&trained(plan));
    write_atomically(path, &file).map_err(|source| TrainError::Io { path: path.into(), source })
}

/// Puts the trained parameters back.
///
/// # Errors
///
/// Where the file is missing or damaged.
pub fn load_weights(path: &Path, plan: &mut Plan) -> Result<(), TrainError> {
    let file = std::fs::read(path).map_err(|source| TrainError::Io { path: path.into(), source })?;
    polytask_model::from_safetensors(&file)
        .and_then(|values| restore(&mut plan.model.parameters, values, Restore::Trained))
        .map_err(|what| TrainError::Checkpoint { path: path.into(), what })
}

/// The parameters that training changes.
fn trained(plan: &Plan) -> Vec<Named> {
    weights(&plan.model.parameters, Restore::Trained)
}

/// An array of a checkpoint.
struct Array {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Array {
    fn floats(name: String, shape: Vec<usize>, values: &[f32]) -> Array {
        Array { name, dtype: Dtype::F32, shape, bytes: values.iter().flat_map(|value| value.to_le_bytes()).collect() }
    }
}

/// The running mean of all parameters, and up to which step that of each row goes.
fn averages(average: &Average, parameters: &Parameters) -> Vec<Array> {
    let named = |name: &str, values: &[f32]| Array::floats(format!("average/{name}"), vec![values.len()], values);
    let dense = parameters.dense().iter().zip(&average.dense);
    let mut arrays: Vec<Array> = dense.map(|(parameter, values)| named(&parameter.name, values)).collect();
    for (table, average) in parameters.tables().iter().zip(&average.tables).filter(|(table, _)| table.tuned) {
        arrays.push(named(&table.name, &average.values));
        if !average.seen.is_empty() {
            let bytes = average.seen.iter().flat_map(|step| step.to_le_bytes()).collect();
            let (name, shape) = (format!("averaged/{}", table.name), vec![average.seen.len()]);
            arrays.push(Array { name, dtype: Dtype::U32, shape, bytes });
        }
    }
    arrays
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}
