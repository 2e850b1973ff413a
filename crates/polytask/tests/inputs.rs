//! Do the ways to read words and to draw datasets work from a config to predictions?

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{assert_same_files, lasting_files, parse, read, run, small_project};
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
