#![no_main]
//! Product reviews as JSON lines.

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use polytask_data::readers::Reader;
use polytask_fuzz::files::Scratch;
use polytask_fuzz::{begin, formats, seeds};

static SCRATCH: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("amazon"));
static READERS: LazyLock<Vec<Box<dyn Reader>>> = LazyLock::new(|| formats::plain("amazon"));

fuzz_target!(init: begin("amazon", &seeds::amazon()), |bytes: &[u8]| {
    // The last byte chooses the options, so that seeds are files as they are.
    let choice = bytes.last().copied().unwrap_or_default();
    formats::read(&READERS, choice, &SCRATCH.write("file", bytes));
});
