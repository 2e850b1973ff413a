#![no_main]
//! Word vectors in word2vec's binary form.

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use polytask_data::vectors::read_vectors;
use polytask_fuzz::files::Scratch;
use polytask_fuzz::{begin, seeds};

static SCRATCH: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("word2vec"));

fuzz_target!(init: begin("word2vec", &seeds::word2vec()), |bytes: &[u8]| {
    let file = bytes.to_vec();
    let path = SCRATCH.write("file", &file);
    // Some words are wanted and some are not: of those only the width is looked at.
    if let Ok(vectors) = read_vectors(&path, &|word| word.len() % 4 != 3) {
        assert_eq!(vectors.values.len(), vectors.words.len() * vectors.dim, "a vector for each word");
        assert!(vectors.values.iter().all(|value| value.is_finite()), "finite numbers alone");
    }
});
