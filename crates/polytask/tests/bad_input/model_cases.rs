//! What is said about models, runs and checkpoints that are not as they were written?

use super::project::Project;
use super::{Case, case};

const EVAL: &str = "eval run";
const RESUME: &str = "train polytask.toml --out run --resume";
const LAST: &str = "run/checkpoints/last.safetensors";

/// The cases of prediction.
pub fn predict() -> Vec<Case> {
    let cases = vec![
        case(
            "No such task",
            "predict run --task review",
            2,
            as_it_is,
            &["no task `review`", "did you mean `reviews`?", "`names`"],
        ),
        case("No such file", "predict run --task reviews texts.txt", 3, as_it_is, &["texts.txt: no such file"]),
        case(
            "A folder to predict",
            "predict run --task reviews texts",
            3,
            |p| p.folder("texts"),
            &["texts", "it is a folder, a file is needed"],
        ),
        case(
            "A line that is no JSON",
            "predict run --task reviews texts.jsonl",
            3,
            |p| p.write("texts.jsonl", b"{\"text\": \"fine\"}\n{\"text\": \"dull\"\n"),
            &["texts.jsonl:2:15: expected a JSON object, found `{\"text\": \"dull\"`"],
        )
        .after_answers(1),
        case(
            "A JSON object without a text",
            "predict run --task reviews texts.jsonl",
            3,
            |p| p.write("texts.jsonl", b"{\"text\": \"fine\"}\n\n{\"txt\": \"dull\"}\n"),
            &["texts.jsonl:3: ", "`text` (a string) or `tokens` (a list of strings)", "found"],
        )
        .after_answers(1),
        case(
            "A text that is not UTF-8",
            "predict run --task names texts.txt",
            3,
            |p| p.write("texts.txt", b"Anna sings\nTroms\xf8\n"),
            &["texts.txt:2:6: expected UTF-8, found the byte 0xF8"],
        )
        .after_answers(1),
        case(
            "Standard input that is not UTF-8",
            "predict run --task names",
            3,
            as_it_is,
            &["standard input:1:6: expected UTF-8"],
        )
        .with_input(b"Troms\xf8\n"),
        case("No such format", "predict run --task names --format xml", 2, as_it_is, &["lines", "conll", "jsonl"]),
    ];
    cases.into_iter().map(Case::after_training).collect()
}

/// The cases of models and their evaluation.
pub fn models() -> Vec<Case> {
    let cases = vec![
        case("A directory that is not there", "eval runs/none", 2, as_it_is, &["runs/none: no such file or folder"]),
        case(
            "A directory without a model",
            "eval data",
            2,
            |p| p.folder("data"),
            &["data: no model here", "polytask train"],
        ),
        case("A file in the place of a run", "eval vectors.txt", 2, as_it_is, &["vectors.txt: no model here"]),
        case("A run that is not complete", EVAL, 2, incomplete, &["run: no model here", "--resume"]),
        case(
            "Weights that are cut off",
            EVAL,
            3,
            |p| p.cut("run/model/weights.safetensors", 0.5),
            &["run/model/weights.safetensors", "the model is damaged"],
        ),
        case(
            "Weights that are not there",
            EVAL,
            3,
            |p| p.remove("run/model/weights.safetensors"),
            &["run/model/weights.safetensors", "the model is damaged"],
        ),
        case(
            "Weights of which a bit has changed",
            EVAL,
            3,
            |p| flip(p, "run/model/weights.safetensors"),
            &["run/model/weights.safetensors: the model is damaged", "their checksum differs", "help:"],
        ),
        case(
            "A `model.json` of which a letter has changed",
            EVAL,
            3,
            |p| p.edit("run/model/model.json", "\"film\"", "\"filn\""),
            &["run/model/model.json: the model is damaged", "not the one that weights.safetensors was written with"],
        ),
        case(
            "A `model.json` that is not there",
            EVAL,
            3,
            |p| p.remove("run/model/model.json"),
            &["run/model/model.json: the model is damaged: the file is not there"],
        ),
        case(
            "A `model.json` that is cut off",
            EVAL,
            3,
            |p| p.cut("run/model/model.json", 0.5),
            &["run/model/model.json", "the model is damaged"],
        ),
        case(
            "A `model.toml` that is broken",
            EVAL,
            3,
            |p| p.edit("run/model/model.toml", "version = 1", "version = "),
            &["run/model/model.toml", "the model is damaged"],
        ),
        case(
            "Weights of another network",
            EVAL,
            3,
            |p| p.edit("run/model/model.toml", "filters = 4", "filters = 8"),
            &["run/model/weights.safetensors", "values, the configuration asks for"],
        ),
        case(
            "A vocabulary that was shortened",
            EVAL,
            3,
            |p| p.edit("run/model/model.json", "\"film\",", ""),
            &["run/model/"],
        ),
        case(
            "A model of a later version",
            EVAL,
            3,
            |p| p.edit("run/model/model.json", "\"format\":1", "\"format\":9"),
            &["run/model/model.json: model format 9", "reads up to 1", "use a newer polytask"],
        ),
        case(
            "The data are not there",
            EVAL,
            3,
            |p| p.remove("reviews-test.tsv"),
            &["reviews-test.tsv: no such file", "--data"],
        ),
        case(
            "Data with a class that the model does not know",
            EVAL,
            3,
            |p| p.write("reviews.tsv", b"good\tfine\nbad\tdull\nmixed\tso so\n"),
            &["task `reviews`", "`mixed`", "the model was not trained on"],
        ),
        case(
            "A split that no dataset has",
            "eval run --split test",
            3,
            |p| p.edit("run/model/model.toml", "test = \"reviews-test.tsv\"\n", ""),
            &["no dataset of this model has a test set", "--split"],
        ),
    ];
    cases.into_iter().map(Case::after_training).collect()
}

/// The cases of runs that go on.
pub fn resume() -> Vec<Case> {
    let cases = vec![
        case(
            "No run to go on with",
            "train polytask.toml --out other --resume",
            2,
            as_it_is,
            &["other is no run directory", "without --resume"],
        ),
        case(
            "Another configuration",
            "train polytask.toml --out run --resume --set train.batch_size=2",
            2,
            interrupted,
            &["run/config.toml", "`train.batch_size` 4, now it is 2"],
        ),
        case(
            "A run whose config is broken",
            RESUME,
            2,
            |p| {
                interrupted(p);
                p.edit("run/config.toml", "version = 1", "version = ");
            },
            &["run/config.toml:1:11: not valid TOML"],
        ),
        case(
            "A checkpoint that is cut off",
            RESUME,
            3,
            |p| {
                interrupted(p);
                p.cut(LAST, 0.5);
            },
            &[LAST, "damaged", "help:"],
        ),
        case(
            "A checkpoint that is damaged",
            RESUME,
            3,
            |p| {
                interrupted(p);
                let mut bytes = p.read(LAST);
                bytes[8..40].fill(b'?');
                p.write(LAST, &bytes);
            },
            &[LAST, "damaged", "help:"],
        ),
        case(
            "A checkpoint of which a bit has changed",
            RESUME,
            3,
            |p| {
                interrupted(p);
                flip(p, LAST);
            },
            &[LAST, "damaged", "their checksum differs", "help:"],
        ),
        case(
            "A checkpoint whose counters are damaged",
            RESUME,
            3,
            |p| {
                interrupted(p);
                let mut bytes = p.read(LAST);
                let at = bytes.windows(10).position(|window| window == b"\"format\":1").expect("the counters are JSON");
                bytes[at + 9] = b'x';
                p.write(LAST, &bytes);
            },
            &[LAST, "damaged", "help:"],
        ),
        case(
            "A checkpoint of a later version",
            RESUME,
            3,
            |p| {
                interrupted(p);
                let mut bytes = p.read(LAST);
                let at = bytes.windows(10).position(|window| window == b"\"format\":1").expect("the counters are JSON");
                bytes[at + 9] = b'9';
                p.write(LAST, &bytes);
            },
            &[LAST, "checkpoint format 9", "newer polytask"],
        ),
        case(
            "Events that are damaged",
            RESUME,
            3,
            |p| {
                incomplete(p);
                // As it is again after the attempt.
                p.edit("run/run.json", "running", "failed");
                p.edit("run/events.jsonl", "\"valid\",\"tasks\":{\"reviews\"", "\"valid\",\"tasks\":{\"reviewz\"");
            },
            &["run/events.jsonl: the file is damaged: line 3: no scores of task `reviews`", "help:"],
        ),
        case(
            "A `run.json` that is broken",
            RESUME,
            3,
            |p| p.write("run/run.json", b"{\n  \"format\": 1,\n"),
            &["run/run.json", "line 3", "help:"],
        ),
        case(
            "A run of a later version",
            RESUME,
            3,
            |p| p.edit("run/run.json", "\"format\": 1", "\"format\": 9"),
            &["run format 9", "newer polytask"],
        ),
    ];
    cases.into_iter().map(Case::after_training).collect()
}

fn as_it_is(_: &Project) {}

/// Changes a bit among the numbers of a file, the last one.
fn flip(project: &Project, name: &str) {
    let mut bytes = project.read(name);
    *bytes.last_mut().expect("the file holds numbers") ^= 1;
    project.write(name, &bytes);
}

/// Makes a trained run one that was interrupted after its last checkpoint.
fn interrupted(project: &Project) {
    incomplete(project);
    project.edit("run/run.json", "running", "interrupted");
}

fn incomplete(project: &Project) {
    project.edit("run/run.json", "complete", "running");
    project.remove_folder("run/model");
    project.remove("run/metrics.json");
}
