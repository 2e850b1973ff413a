#![no_main]
//! What `init` and `data inspect` say about a file that may be anything.

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use polytask_data::recognise::recognise;
use polytask_fuzz::files::Scratch;
use polytask_fuzz::{begin, let_readers_catch, seeds};

static SCRATCH: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("recognise"));

fn prepare() {
    begin("recognise", &seeds::recognise());
    let_readers_catch();
}

fuzz_target!(init: prepare(), |bytes: &[u8]| {
    let path = SCRATCH.write("file", bytes);
    if let Err(error) = recognise(&path) {
        assert!(error.to_string().contains("file"), "the file is not named: {error}");
    }
});
