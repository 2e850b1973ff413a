//! Saved models and checkpoints.

use crate::files::join;

/// The files that both are over.
pub const NETWORK_DATA: [(&str, &str); 2] =
    [("r.tsv", "good\ta fine film\nbad\ta dull film\n"), ("n.conll", "Anna B-PER\nsings O\n\nOslo B-LOC\n")];

/// The configuration of the model.
pub const MODEL_CONFIG: &str = r#"version = 1
data.r = { format = "lines", train = "r.tsv", valid = "r.tsv" }
data.n = { format = "conll", train = "n.conll", valid = "n.conll", columns = ["token", "ner"] }
input.words = { kind = "words", dim = 2, characters = { dim = 1, filters = 1, width = 1 } }
encoder.trunk.layers = [{ name = "a", kind = "conv", widths = [1], filters = 2 }]
task.r = { data = "r", kind = "classify", target = "label" }
task.n = { data = "n", kind = "tag", target = "ner", decoder = "crf" }
"#;

/// The configuration of the checkpoints.
pub const CHECKPOINT_CONFIG: &str = r#"version = 1
data.r = { format = "lines", train = "r.tsv", valid = "r.tsv" }
data.n = { format = "conll", train = "n.conll", valid = "n.conll", columns = ["token", "ner"] }
input.words = { kind = "words", dim = 1 }
encoder.trunk.layers = [{ name = "a", kind = "conv", widths = [1], filters = 1 }]
task.r = { data = "r", kind = "classify", target = "label" }
task.n = { data = "n", kind = "tag", target = "ner" }
balance = { method = "uncertainty" }
"#;

/// For saved models: what is known and the weights, cut by [`PART`](crate::files::PART).
pub fn model(description: &[u8], weights: &[u8]) -> Vec<Vec<u8>> {
    let known = std::str::from_utf8(description).expect("it is JSON");
    let unsealed = unsealed(weights);
    let of = |from: &str, to: &str| {
        assert!(known.contains(from), "{known} has no {from}");
        join(&[known.replace(from, to).as_bytes(), &unsealed])
    };
    vec![
        join(&[description, weights]),
        join(&[description, &unsealed]),
        of("\"dim\":2", "\"dim\":9007199254740993"),
        of("\"format\":1", "\"format\":9"),
        of("[\"bad\",\"good\"]", "[]"),
        of("\"B-LOC\",", ""),
        join(&[b"{", weights]),
        join(&[description, &[0xff; 16]]),
    ]
}

/// For checkpoints: one that the run wrote, and what damage leaves of it.
pub fn checkpoint(whole: &[u8]) -> Vec<Vec<u8>> {
    vec![unsealed(whole), whole.to_vec(), whole[..whole.len() / 2].to_vec(), whole[..8].to_vec()]
}

/// Without its checksum a file is taken as it is, so that changes get further than that.
fn unsealed(file: &[u8]) -> Vec<u8> {
    let mut unsealed = file.to_vec();
    if let Some(at) = file.windows(7).position(|window| window == b"\"crc32\"") {
        unsealed[at + 1] = b'x';
    }
    unsealed
}
