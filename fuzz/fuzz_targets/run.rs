#![no_main]
//! A run directory, as `report` and `--resume` read it.

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use polytask_fuzz::files::{Scratch, parts};
use polytask_fuzz::{begin, seeds};
use polytask_run::RunDirectory;

const FILES: [&str; 7] = [
    "run.json",
    "config.toml",
    "environment.json",
    "metrics.json",
    "events.jsonl",
    "timing.jsonl",
    "model/weights.safetensors",
];

static SCRATCH: LazyLock<Scratch> = LazyLock::new(|| {
    let scratch = Scratch::new("run");
    std::fs::create_dir_all(scratch.folder().join("model")).expect("folders can be made");
    scratch
});

fuzz_target!(init: begin("run", &seeds::run()), |bytes: &[u8]| {
    for (name, bytes) in FILES.iter().zip(parts::<{ FILES.len() }>(bytes)) {
        SCRATCH.write(name, bytes);
    }
    if let Ok(run) = RunDirectory::open(SCRATCH.folder()) {
        let _ = (run.status(), run.config(), run.environment(), run.metrics());
    }
    if let Ok(report) = polytask_report::read(SCRATCH.folder()) {
        let _ = polytask_report::text(&report);
        let _ = polytask_report::page(&report);
    }
});
