#![no_main]
//! Product reviews as the pseudo-XML of Blitzer and others.

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use polytask_data::readers::Reader;
use polytask_fuzz::files::Scratch;
use polytask_fuzz::{begin, formats, seeds};

static SCRATCH: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("blitzer"));
static READERS: LazyLock<Vec<Box<dyn Reader>>> = LazyLock::new(|| formats::plain("amazon"));

fuzz_target!(init: begin("blitzer", &seeds::blitzer()), |bytes: &[u8]| {
    // The first character decides between the two forms of the corpus.
    let file = [b"<review>\n", bytes].concat();
    formats::read(&READERS, 0, &SCRATCH.write("file", &file));
});
