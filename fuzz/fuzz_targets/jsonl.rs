#![no_main]
//! JSON lines, and lists of objects.

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use polytask_data::readers::Reader;
use polytask_fuzz::files::Scratch;
use polytask_fuzz::{begin, formats, seeds};

static SCRATCH: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("jsonl"));
static READERS: LazyLock<Vec<Box<dyn Reader>>> = LazyLock::new(|| formats::jsonl());

fuzz_target!(init: begin("jsonl", &seeds::jsonl()), |bytes: &[u8]| {
    // The last byte chooses the options, so that seeds are files as they are.
    let choice = bytes.last().copied().unwrap_or_default();
    formats::read(&READERS, choice, &SCRATCH.write("file", bytes));
});
