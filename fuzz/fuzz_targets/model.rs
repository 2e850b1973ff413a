#![no_main]
//! A saved model: what it knows, and its weights.

use std::sync::LazyLock;

use burn::tensor::Device;
use libfuzzer_sys::fuzz_target;
use polytask_fuzz::files::{Scratch, parts};
use polytask_fuzz::{begin, networks, seeds};
use polytask_model::{from_safetensors, load, save};

static SCRATCH: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("model"));

/// Saves a right model. Its configuration stays: the widths of a network stand there, and the schema bounds them.
fn prepare() {
    let plan = networks::plan(seeds::MODEL_CONFIG, &SCRATCH);
    let folder = SCRATCH.folder();
    save(folder, &plan.spec, &plan.description, &plan.model.parameters).expect("a model can be written");
    let read = |name: &str| std::fs::read(folder.join(name)).expect("it can be read");
    begin("model", &seeds::model(&read("model.json"), &read("weights.safetensors")));
}

fuzz_target!(init: prepare(), |bytes: &[u8]| {
    let [description, weights] = parts::<2>(bytes);
    let _ = from_safetensors(weights);
    SCRATCH.write("model.json", description);
    SCRATCH.write("weights.safetensors", weights);
    if let Err(error) = load(SCRATCH.folder(), Device::flex()) {
        assert!(error.to_string().contains("polytask-fuzz-model"), "the file is not named: {error}");
    }
});
