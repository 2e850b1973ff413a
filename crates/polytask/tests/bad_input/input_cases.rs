//! What is said about tokenizers, and about options that belong to another choice?

use super::project::Project;
use super::{CHECK, Case, case};

/// The project without its tags, its reviews cut by a tokenizer.
fn tokenized(project: &Project, tokenizer: &[u8]) {
    let config = String::from_utf8(project.read("polytask.toml")).expect("the config is UTF-8");
    let tags = config.find("[task.names]").expect("a task that tags")..config.find("[balance]").expect("a balancer");
    let config = config.replacen(&config[tags], "", 1);
    let config = config.replace("vectors = \"vectors.txt\"", "tokenizer = \"tokenizer.json\"");
    project.write("polytask.toml", config.as_bytes());
    project.write("tokenizer.json", tokenizer);
}

/// The project with a tokenizer of this model.
fn model(project: &Project, model: &str) {
    tokenized(project, format!("{{ \"version\": \"1.0\", \"model\": {{ {model} }} }}").as_bytes());
}

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
        case(
            "A tokenizer for a task that tags words",
            CHECK,
            2,
            |p| p.config("vectors = \"vectors.txt\"", "tokenizer = \"tokenizer.json\""),
            &["polytask.toml:36:8", "`task.names` tags the words of its dataset", "without `tokenizer`"],
        ),
        case(
            "A tokenizer beside shapes of words",
            CHECK,
            2,
            |p| {
                tokenized(p, b"{}");
                p.edit("polytask.toml", "[encoder.trunk]", "shape = { dim = 3 }\n\n[encoder.trunk]");
            },
            &["`input.words.shape` does not go with `tokenizer`", "remove `shape` or `tokenizer`"],
        ),
        case(
            "A tokenizer that is not there",
            CHECK,
            3,
            |p| {
                tokenized(p, b"{}");
                p.remove("tokenizer.json");
            },
            &["tokenizer.json: no such file"],
        ),
        case(
            "A tokenizer that is cut off",
            CHECK,
            3,
            |p| tokenized(p, b"{ \"model\": { \"type\": \"BPE\", \"vocab\""),
            &["tokenizer.json: no valid JSON: EOF", "line 1 column"],
        ),
        case(
            "A tokenizer of a kind that is not known",
            CHECK,
            3,
            |p| tokenized(p, b"{ \"model\": { \"type\": \"Morse\" } }"),
            &["tokenizer.json: its `model.type` is \"Morse\"", "BPE, WordPiece, Unigram, WordLevel"],
        ),
        case(
            "A tokenizer of a later version",
            CHECK,
            3,
            |p| tokenized(p, b"{ \"version\": \"2.0\", \"model\": { \"type\": \"BPE\" } }"),
            &["tokenizer.json: its `version` is \"2.0\", but only \"1.0\" is known"],
        ),
        case(
            "A tokenizer without an unknown token",
            CHECK,
            3,
            |p| model(p, "\"type\": \"WordLevel\", \"vocab\": { \"film\": 0 }"),
            &["tokenizer.json: its `model` has no `unk_token`"],
        ),
        case(
            "A tokenizer whose numbers have a hole",
            CHECK,
            3,
            |p| {
                model(p, "\"type\": \"WordLevel\", \"unk_token\": \"?\", \"vocab\": { \"?\": 0, \"film\": 4000000000 }")
            },
            &["the token \"film\" the number 4000000000", "2 tokens have the numbers from 0 to 1, each once"],
        ),
        case(
            "A tokenizer whose merges make no token",
            CHECK,
            3,
            |p| model(p, "\"type\": \"BPE\", \"vocab\": { \"a\": 0, \"b\": 1 }, \"merges\": [\"a b\"]"),
            &["tokenizer.json: its `model.merges[0]` names \"ab\", which is not in its vocabulary"],
        ),
        case(
            "A tokenizer that leaves no token of any text",
            CHECK,
            3,
            |p| model(p, "\"type\": \"BPE\", \"vocab\": { \"Q\": 0 }, \"merges\": []"),
            &["data.reviews"],
        ),
    ]
}
