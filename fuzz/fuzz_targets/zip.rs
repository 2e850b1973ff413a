#![no_main]
//! Members of zip archives: the only one, one that is named, and their list.

use std::io::{copy, sink};
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use polytask_data::open::{Roots, open};
use polytask_data::recognise::recognise;
use polytask_fuzz::files::Scratch;
use polytask_fuzz::{begin, let_readers_catch, seeds};

static SCRATCH: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("zip"));

fn prepare() {
    begin("zip", &seeds::zip());
    let_readers_catch();
}

fuzz_target!(init: prepare(), |bytes: &[u8]| {
    let path = SCRATCH.write("file.zip", bytes);
    for path in [path.clone(), path.join("a.txt"), path.join("deep/b.txt")] {
        if let Ok(mut reader) = open(&path) {
            let _ = copy(&mut reader, &mut sink());
        }
    }
    let _ = Roots { dirs: vec![SCRATCH.folder().into()] }.resolve("file.zip/a.txt");
    let _ = recognise(&path);
});
