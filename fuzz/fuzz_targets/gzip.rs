#![no_main]
//! Compressed files, whole and line by line.

use std::io::BufReader;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use polytask_data::open::{Lines, open};
use polytask_fuzz::files::Scratch;
use polytask_fuzz::{begin, seeds};

static SCRATCH: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("gzip"));

fuzz_target!(init: begin("gzip", &seeds::gzip()), |bytes: &[u8]| {
    let path = SCRATCH.write("file.gz", bytes);
    let Ok(reader) = open(&path) else { return };
    let mut lines = Lines::new(BufReader::new(reader), "file.gz");
    let mut before = 0;
    while let Ok(Some((number, _))) = lines.next_line() {
        assert_eq!(number, before + 1, "lines are counted one by one");
        before = number;
    }
});
