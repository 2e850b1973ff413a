//! How large are the encoders of a network, without reading the data again?

use std::collections::BTreeMap;

use burn::tensor::Device;
use polytask_model::{Description, Fitted, Knowledge, Model};
use polytask_spec::Spec;

/// Values in the layers of the encoders of a network; `description` knows its tasks and inputs, and may know others.
///
/// `None` where a task or an input is unknown.
pub fn encoder_len(spec: &Spec, description: &Description) -> Option<usize> {
    let knowledge: Option<Vec<Knowledge>> = spec.task.keys().map(|task| description.tasks.get(task).cloned()).collect();
    let fitted = |name: &String| {
        let knowledge = description.inputs.get(name)?.clone();
        Some((name.clone(), Fitted { knowledge, initial: Vec::new() }))
    };
    let fitted: Option<BTreeMap<String, Fitted>> = spec.input.keys().map(fitted).collect();
    let model = Model::build(spec, &knowledge?, &fitted?, Device::flex());
    let layers = model.parameters.dense().iter().filter(|parameter| parameter.name.starts_with("encoder."));
    Some(layers.map(|parameter| parameter.len()).sum())
}
