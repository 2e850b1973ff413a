#![no_main]
//! Parquet, whose decoder may panic as long as our reader makes an error of it.

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use polytask_data::readers::Reader;
use polytask_fuzz::files::Scratch;
use polytask_fuzz::{begin, formats, let_readers_catch, seeds};

static SCRATCH: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("parquet"));
static READERS: LazyLock<Vec<Box<dyn Reader>>> = LazyLock::new(formats::parquet);

fn prepare() {
    begin("parquet", &seeds::parquet());
    let_readers_catch();
}

fuzz_target!(init: prepare(), |bytes: &[u8]| {
    // The first byte chooses the columns; the last ones are the footer's.
    let Some((choice, file)) = bytes.split_first() else { return };
    let path = SCRATCH.write("file", file);
    formats::read(&READERS, *choice, &path);
});
