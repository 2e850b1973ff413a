//! What is said about options that belong to another choice?

use super::{CHECK, Case, case};

/// The cases of inputs and of sampling.
pub fn inputs() -> Vec<Case> {
    vec![
        case(
            "A temperature without its sampling",
            CHECK,
            2,
            |p| p.config("epochs = 1", "epochs = 1\ntemperature = 3.0"),
            &["polytask.toml:45:15: `train.temperature` belongs to `sampling = \"temperature\"` alone"],
        ),
        case(
            "An option of the other character encoder",
            CHECK,
            2,
            |p| p.config("vectors = \"vectors.txt\"", "characters = { hidden = 9 }"),
            &["polytask.toml:20:25", "belongs to `encoder = \"lstm\"`", "takes `filters`, `width`"],
        ),
        case(
            "Vectors that are to be trained later, and never",
            CHECK,
            2,
            |p| p.config("vectors = \"vectors.txt\"", "vectors = \"vectors.txt\"\ntune = false\ntune_after = 2"),
            &["polytask.toml:22:14", "never trained"],
        ),
    ]
}
