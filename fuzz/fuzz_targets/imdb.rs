#![no_main]
//! Archives of film reviews.

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use polytask_data::readers::Reader;
use polytask_fuzz::files::Scratch;
use polytask_fuzz::{begin, formats, seeds};

static SCRATCH: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("imdb"));
static READERS: LazyLock<Vec<Box<dyn Reader>>> = LazyLock::new(|| formats::plain("imdb"));

fuzz_target!(init: begin("imdb", &seeds::imdb()), |bytes: &[u8]| {
    // A changed header has another checksum, which would end most attempts at once: half of them get theirs right.
    let mut file = bytes.to_vec();
    if bytes.last().is_some_and(|last| last % 2 == 0) {
        seeds::right_checksums(&mut file);
    }
    formats::read(&READERS, 0, &SCRATCH.write("file", &file));
});
