#![no_main]
//! A checkpoint of a run, which is read into the plan and the state that it belongs to.

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use polytask_fuzz::files::Scratch;
use polytask_fuzz::{begin, networks, seeds};
use polytask_train::{Plan, State, checkpoint};

struct Run {
    scratch: Scratch,
    plan: Plan,
    state: State,
}

impl Run {
    /// A run before its first step.
    fn new() -> Run {
        let scratch = Scratch::new("checkpoint");
        let plan = networks::plan(seeds::CHECKPOINT_CONFIG, &scratch);
        let state = State::new(&plan);
        Run { scratch, plan, state }
    }
}

thread_local! {
    static RUN: RefCell<Run> = RefCell::new(Run::new());
}

fn prepare() {
    let seed = RUN.with_borrow(|run| {
        let path = run.scratch.folder().join("seed.safetensors");
        checkpoint::save(&path, &run.plan, &run.state).expect("a checkpoint can be written");
        std::fs::read(path).expect("it can be read")
    });
    begin("checkpoint", &seeds::checkpoint(&seed));
}

fuzz_target!(init: prepare(), |bytes: &[u8]| {
    RUN.with_borrow_mut(|Run { scratch, plan, state }| {
        let path = scratch.write("last.safetensors", bytes);
        let mut restored = state.clone();
        if let Err(error) = checkpoint::load(&path, plan, &mut restored) {
            assert!(error.to_string().contains("last.safetensors"), "the file is not named: {error}");
        }
    });
});
