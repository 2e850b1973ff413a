#![no_main]
//! Cells between tabs.

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use polytask_data::readers::Reader;
use polytask_fuzz::files::Scratch;
use polytask_fuzz::{begin, formats, seeds};

static SCRATCH: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("tsv"));
static READERS: LazyLock<Vec<Box<dyn Reader>>> = LazyLock::new(|| formats::tsv());

fuzz_target!(init: begin("tsv", &seeds::tsv()), |bytes: &[u8]| {
    // The last byte chooses the options, so that seeds are files as they are.
    let choice = bytes.last().copied().unwrap_or_default();
    formats::read(&READERS, choice, &SCRATCH.write("file", bytes));
});
