//! Do the ways to read words and to draw datasets work from a config to predictions?

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{assert_same_files, command, lasting_files, parse, read, run, scratch, small_project, wait};
use serde_json::Value;

/// Trains `small.toml` of a folder with changes into `out`, and returns the run.
fn train(folder: &Path, out: &str, changes: &[&str]) -> PathBuf {
    let (config, out) = (folder.join("small.toml"), folder.join(out));
    let mut arguments = vec!["train".into(), config.display().to_string(), "--out".into(), out.display().to_string()];
    arguments.extend(changes.iter().flat_map(|change| ["--set".to_string(), change.to_string()]));
    run(arguments).ok();
    out
}

/// What a run predicts for a line of text.
fn predict(run_directory: &Path, task: &str, file: &Path) -> Vec<Value> {
    let arguments = ["predict", &run_directory.display().to_string(), &file.display().to_string(), "--task", task];
    run(arguments).json_lines()
}

/// A deciding score of the kept model on validation data.
fn score(run_directory: &Path, task: &str, metric: &str) -> f64 {
    let metrics = parse(&read(&run_directory.join("metrics.json")));
    let scores = &metrics["splits"]["valid"][task];
    scores["metrics"][metric].as_f64().or(scores[metric].as_f64()).unwrap_or_else(|| panic!("no {metric} in {scores}"))
}

#[test]
fn characters_by_lstm_and_shapes_tag_names() {
    let folder = small_project("inputs-features");
    let characters = "input.words.characters={ encoder = \"lstm\", dim = 8, hidden = 6, dropout = 0.1 }";
    let longer = ["train.patience=0", "train.batch_size=4", "train.epochs=8"];
    let changes = [&[characters, "input.words.shape={ dim = 4 }"][..], &longer].concat();
    let run_directory = train(&folder, "run", &changes);
    let written = read(&run_directory.join("model/model.toml"));
    assert!(written.contains("encoder = \"lstm\"") && !written.contains("filters = 8\nwidth"), "{written}");
    assert!(score(&run_directory, "names", "span-f1") > 0.4);
    let sentence = folder.join("sentence.txt");
    fs::write(&sentence, "Officials in Ravhaven met Lucia Hartworth on Friday .\n").unwrap();
    let found = predict(&run_directory, "names", &sentence);
    assert_eq!(found[0]["tags"].as_array().map(Vec::len), Some(9), "{found:?}");
}

#[test]
fn vectors_that_stay_for_all_epochs_are_as_vectors_that_are_never_trained() {
    let folder = small_project("inputs-held");
    let epochs = "train.epochs=2";
    let [held, frozen, later] = [
        train(&folder, "held", &[epochs, "input.words.tune_after=2"]),
        train(&folder, "frozen", &[epochs, "input.words.tune=false"]),
        train(&folder, "later", &[epochs, "input.words.tune_after=1"]),
    ];
    let weights = |run: &Path| fs::read(run.join("model/weights.safetensors")).unwrap();
    assert!(weights(&held) == weights(&frozen), "the weights differ");
    assert!(weights(&held) != weights(&later), "the vectors were not trained in the second epoch");
    // The first epoch is the same whatever follows it.
    let first = |run: &Path| {
        let events = read(&run.join("events.jsonl"));
        events.lines().filter(|line| line.contains("\"epoch\":1")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(first(&held), first(&later));
}

#[test]
fn every_sampling_trains_and_is_listed() {
    let folder = small_project("inputs-sampling");
    let listed = run(["list", "sampling", "--json"]).json();
    let listed: Vec<&str> = listed.as_array().unwrap().iter().filter_map(|entry| entry["key"].as_str()).collect();
    assert_eq!(listed, ["proportional", "uniform", "round-robin", "temperature", "annealed", "joint"]);
    for sampling in ["round-robin", "temperature", "annealed"] {
        let change = format!("train.sampling={sampling}");
        let changes = [change.as_str(), "train.epochs=2"];
        let once = train(&folder, sampling, &changes);
        let again = train(&folder, &format!("{sampling}-again"), &changes);
        assert_same_files(&lasting_files(&once), &lasting_files(&again), sampling);
    }
    let hot = train(&folder, "hot", &["train.sampling=temperature", "train.temperature=10", "train.epochs=2"]);
    let [cold, hot] = [folder.join("temperature"), hot].map(|run| read(&run.join("events.jsonl")));
    assert_ne!(cold, hot);
}

/// A WordPiece tokenizer of letters and a few words.
fn tokenizer() -> String {
    let letters = ('a'..='z').flat_map(|letter| [letter.to_string(), format!("##{letter}")]);
    let words = ["[UNK]", "the", "film", "good", "bad", "##ing", "##ed", ".", ","].map(String::from);
    let vocabulary: serde_json::Map<String, Value> =
        words.into_iter().chain(letters).enumerate().map(|(id, token)| (token, id.into())).collect();
    serde_json::json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "post_processor": null,
        "decoder": null, "normalizer": { "type": "Lowercase" }, "pre_tokenizer": { "type": "BertPreTokenizer" },
        "model": { "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                   "max_input_chars_per_word": 100, "vocab": vocabulary },
    })
    .to_string()
}

const SUBWORDS: &str = r#"
version = 1
seed = 3

[data.movies]
format = "imdb"
path = "movies"
split = { valid = 0.2 }

[data.products]
format = "amazon"
path = "products.jsonl"
split = { valid = 0.2, test = 0.2 }

[input.pieces]
kind = "words"
tokenizer = "pieces.json"
dim = 16
max_tokens = 200

[encoder.trunk]
layers = [{ kind = "conv", widths = [3, 5], filters = 16 }]

[task.movies]
data = "movies"
kind = "classify"
target = "polarity"

[task.stars]
data = "products"
kind = "regress"
target = "stars"

[optimizer]
learning_rate = 0.01

[train]
epochs = 2
batch_size = 16
"#;

#[test]
fn texts_become_the_tokens_of_a_tokenizer_that_the_model_keeps() {
    let folder = small_project("inputs-tokenizer");
    fs::write(folder.join("pieces.json"), tokenizer()).unwrap();
    fs::write(folder.join("small.toml"), SUBWORDS).unwrap();
    let run_directory = train(&folder, "run", &[]);
    let description = parse(&read(&run_directory.join("model/model.json")));
    let input = &description["inputs"]["pieces"];
    assert_eq!((input["kind"].as_str(), input["tokenizer"].as_str()), (Some("subwords"), Some(tokenizer().as_str())));
    let texts = folder.join("texts.jsonl");
    let text = "The film, boring and bad.";
    let lines = [
        serde_json::json!({ "text": text }),
        serde_json::json!({ "tokens": ["The", "film", ",", "boring", "and", "bad", "."] }),
    ];
    fs::write(&texts, lines.map(|line| format!("{line}\n")).concat()).unwrap();
    let before = predict(&run_directory, "movies", &texts);
    // Words that come apart are cut as the text is.
    assert_eq!(before[0]["probabilities"], before[1]["probabilities"]);
    // The model alone is all that is needed, elsewhere too.
    fs::remove_file(folder.join("pieces.json")).unwrap();
    let elsewhere = scratch("inputs-tokenizer-moved").join("model");
    fs::rename(run_directory.join("model"), &elsewhere).unwrap();
    assert_eq!(predict(&elsewhere, "movies", &texts), before);
    assert!(predict(&elsewhere, "stars", &texts)[0]["value"].is_number());
}

#[test]
fn runs_with_a_tokenizer_and_vectors_go_on_where_they_were_ended() {
    let folder = small_project("inputs-tokenizer-vectors");
    let pieces = folder.join("pieces.json");
    fs::write(&pieces, tokenizer()).unwrap();
    fs::write(folder.join("small.toml"), SUBWORDS.replace("dim = 16", "vectors = \"vectors.txt\"")).unwrap();
    let every_step = "train.checkpoint_seconds=0";
    let whole = train(&folder, "whole", &[every_step]);
    let description = parse(&read(&whole.join("model/model.json")));
    let found = description["inputs"]["pieces"]["vectors"].as_array().expect("rows with vectors");
    assert!(!found.is_empty(), "no token has a vector");
    let [config, killed] = ["small.toml", "killed"].map(|name| folder.join(name).display().to_string());
    let arguments = ["train", &config, "--out", &killed, "--set", every_step];
    let mut child = command(arguments).spawn().expect("the program starts");
    let checkpoint = folder.join("killed/checkpoints/last.safetensors");
    while !checkpoint.exists() && child.try_wait().expect("it can be asked").is_none() {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    child.kill().expect("it can be ended");
    wait(child);
    // The rows of the table are the numbers of the file.
    fs::write(&pieces, tokenizer().replace("\"good\":3", "\"good\":4").replace("\"bad\":4", "\"bad\":3")).unwrap();
    let resume = || run(arguments.into_iter().chain(["--resume"]));
    let refused = resume();
    assert!(refused.code == Some(3) && refused.err.contains("the data is no longer what"), "{refused:?}");
    fs::write(&pieces, tokenizer()).unwrap();
    resume().ok();
    assert_same_files(&lasting_files(&folder.join("killed")), &lasting_files(&whole), "after an interruption");
}

#[test]
fn a_model_whose_tokenizer_is_damaged_is_refused() {
    let folder = small_project("inputs-tokenizer-damaged");
    fs::write(folder.join("pieces.json"), tokenizer()).unwrap();
    fs::write(folder.join("small.toml"), SUBWORDS).unwrap();
    let run_directory = train(&folder, "run", &["train.epochs=1"]);
    let evaluated = run(["eval", &run_directory.display().to_string(), "--json"]).json();
    assert!(evaluated["tasks"]["movies"]["accuracy"].is_number(), "{evaluated}");
    let model = run_directory.join("model/model.json");
    let description = read(&model);
    assert_eq!(description.matches("WordPiece").count(), 1);
    fs::write(&model, description.replace("WordPiece", "Morse")).unwrap();
    let refused = run(["eval", &run_directory.display().to_string()]);
    let fragment = "model.json: the model is damaged: it is not the one that weights.safetensors was written with";
    assert!(refused.code == Some(3) && refused.err.contains(fragment), "{refused:?}");
}

/// Pairs of texts that are alike where both praise, or neither does.
const PAIRS: &str = r#"
version = 1
seed = 3

[data.pairs]
format = "jsonl"
train = "pairs.jsonl"
text = ["premise", "hypothesis"]
split = { valid = 0.25 }

[input.pieces]
kind = "words"
tokenizer = "pieces.json"
dim = 8
max_tokens = 8

[encoder.trunk]
layers = [{ kind = "conv", widths = [1, 2], filters = 8 }]

[task.same]
data = "pairs"
kind = "classify"
target = "same"

[train]
epochs = 1
batch_size = 8
"#;

#[test]
fn both_texts_of_a_pair_are_cut_by_the_tokenizer() {
    let folder = scratch("inputs-tokenizer-pairs");
    let pair = |number: usize| {
        let [first, second] = [number % 2, number / 2 % 2].map(|praise| ["bad", "good"][praise]);
        let same = if first == second { "yes" } else { "no" };
        let line = serde_json::json!({ "premise": format!("the film {number} is {first}"),
            "hypothesis": format!("{second}, and number {number}"), "same": same });
        format!("{line}\n")
    };
    fs::write(folder.join("pairs.jsonl"), (0..40).map(pair).collect::<String>()).unwrap();
    fs::write(folder.join("pieces.json"), tokenizer()).unwrap();
    fs::write(folder.join("small.toml"), PAIRS).unwrap();
    let run_directory = train(&folder, "run", &[]);
    let texts = folder.join("texts.jsonl");
    let lines = [
        serde_json::json!({ "premise": "The film, good.", "hypothesis": "Boring, bad" }),
        // Letter case is the tokenizer's affair, and it lowers it in both texts.
        serde_json::json!({ "premise": "the FILM, good.", "hypothesis": "boring, BAD" }),
        serde_json::json!({ "premise": "The film, good.", "hypothesis": "Good, bad" }),
        // Two words, but twelve tokens: `b ##o ##r ##ing ##l ##y` twice.
        serde_json::json!({ "premise": "The film, good.", "hypothesis": "boringly boringly" }),
    ];
    fs::write(&texts, lines.map(|line| format!("{line}\n")).concat()).unwrap();
    let found = predict(&run_directory, "same", &texts);
    let probabilities = |row: usize| &found[row]["probabilities"];
    assert_eq!(probabilities(0), probabilities(1));
    assert_ne!(probabilities(0), probabilities(2));
    let truncated: Vec<bool> = found.iter().map(|object| object["truncated"] == true).collect();
    assert_eq!(truncated, [false, false, false, true]);
    let [run_directory, texts] = [run_directory, texts].map(|path| path.display().to_string());
    let table = run(["predict", &run_directory, &texts, "--task", "same", "--to", "csv"]).ok();
    let rows: Vec<&str> = table.lines().collect();
    let row = format!("\"The film, good.\",\"Boring, bad\",{},", found[0]["label"].as_str().unwrap());
    assert!(
        rows.len() == 5 && rows[0].starts_with("premise,hypothesis,label,") && rows[1].starts_with(&row),
        "{table}"
    );
}
