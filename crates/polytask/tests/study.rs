//! Does a study tell what should be shared, and the same when it is interrupted?

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use common::{Ran, assert_same_files, command, files, lasting_files, parse, read, run, scratch, wait};
use serde_json::Value;

/// Texts of which one word tells `x` and another tells `y`, and a network so narrow that it can hold one of them.
const CONFIG: &str = r#"
version = 1
name = "narrow"
seed = 1
data.texts = { format = "tsv", columns = ["text", "x", "y"], train = "train.tsv", valid = "valid.tsv", test = "test.tsv" }
input.words = { kind = "words", dim = 8 }
encoder.trunk = { layers = [{ kind = "pool", pool = "mean" }, { kind = "dense", units = 1, activation = "tanh" }] }
task.x = { data = "texts", kind = "classify", target = "x" }
task.y = { data = "texts", kind = "classify", target = "y" }
optimizer = { learning_rate = 0.05 }
train = { epochs = 12, batch_size = 16, patience = 0, checkpoint_seconds = 0 }
balance = { method = "equal", watch = 2 }
"#;

fn project(name: &str, change: impl Fn(&str) -> String) -> PathBuf {
    let folder = scratch(name);
    for (part, examples, shift) in [("train", 160, 0), ("valid", 60, 5), ("test", 80, 11)] {
        let example = |at: usize| {
            let (x, y) = ((at * 7 + shift) % 2, (at / 2 + shift) % 2);
            let words = [["up", "down"][x], ["left", "right"][y], ["one", "two", "three", "four"][at / 4 % 4]];
            let rotated = [0, 1, 2].map(|place| words[(place + at) % 3]).join(" ");
            format!("{rotated}\t{}\t{}\n", ["no", "yes"][x], ["odd", "even"][y])
        };
        fs::write(folder.join(format!("{part}.tsv")), (0..examples).map(example).collect::<String>()).expect("written");
    }
    fs::write(folder.join("study.toml"), change(CONFIG)).expect("a config can be written");
    folder
}

fn arguments(folder: &Path, out: &str, more: &[&str]) -> Vec<String> {
    let path = |path: PathBuf| path.display().to_string();
    let mut arguments = vec!["study".into(), path(folder.join("study.toml")), "--out".into(), path(folder.join(out))];
    arguments.extend(more.iter().map(|&argument| argument.into()));
    arguments
}

fn study(folder: &Path, out: &str, more: &[&str]) -> Ran {
    run(arguments(folder, out, more))
}

fn answer(folder: &Path, out: &str) -> Value {
    parse(&read(&folder.join(out).join("study.json")))
}

/// What `check` says of the recommended configuration.
fn check_recommended(folder: &Path, out: &str) -> String {
    let config = folder.join(out).join("recommended.toml");
    run(["check", &config.display().to_string(), "--data", &folder.display().to_string()]).ok()
}

#[test]
fn an_interrupted_study_gives_the_same_answer() {
    let small = |config: &str| config.replace("epochs = 12", "epochs = 3") + "study = { budget.runs = 5, seeds = 2 }\n";
    let folder = project("study-interrupted", small);
    let text = study(&folder, "whole", &[]).ok();
    for said in
        ["joint against each task alone", "undecided", "joint.equal.adam.2  not run, beyond the budget", "delta-m"]
    {
        assert!(text.contains(said), "{said:?} is not in\n{text}");
    }
    let mut kills = 0;
    for appears in ["runs/separate.x.adam.1/checkpoints/kept.safetensors", "runs/joint.equal.adam.1/events.jsonl"] {
        let more: &[&str] = if folder.join("broken/config.toml").exists() { &["--resume"] } else { &[] };
        let mut child = command(arguments(&folder, "broken", more)).spawn().expect("the program starts");
        let began = Instant::now();
        while !folder.join("broken").join(appears).exists() && child.try_wait().expect("it can be asked").is_none() {
            assert!(began.elapsed() < Duration::from_secs(120), "{appears} does not come");
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().expect("a process can be ended");
        kills += usize::from(wait(child).code.is_none());
    }
    assert!(kills >= 1, "the study was never ended");
    assert_eq!(study(&folder, "broken", &["--resume", "--json"]).json(), answer(&folder, "whole"));
    for file in ["study.json", "recommended.toml", "config.toml"] {
        assert_eq!(read(&folder.join("broken").join(file)), read(&folder.join("whole").join(file)), "{file}");
    }
    let runs = |out: &str| folder.join(out).join("runs");
    for run in ["separate.x.adam.1", "separate.y.adam.1", "joint.equal.adam.1", "separate.x.adam.2"] {
        assert_same_files(&lasting_files(&runs("broken").join(run)), &lasting_files(&runs("whole").join(run)), run);
    }
    // Going on with what is complete trains nothing.
    let before = files(&folder.join("whole"));
    assert_eq!(study(&folder, "whole", &["--resume"]).ok(), text);
    assert_same_files(&files(&folder.join("whole")), &before, "a complete study");
    assert!(check_recommended(&folder, "whole").contains("nothing is wrong"));
    let two = small(CONFIG).replace("seeds = 2", "seeds = 2, workers = 2");
    fs::write(folder.join("study.toml"), two).expect("a config can be written");
    study(&folder, "parallel", &[]).ok();
    assert_eq!(answer(&folder, "parallel"), answer(&folder, "whole"));
}

#[test]
fn the_same_task_twice_is_shared() {
    let same = |config: &str| config.replace("target = \"y\"", "target = \"x\"") + "study = { budget.runs = 15 }\n";
    let folder = project("study-same", same);
    let text = study(&folder, "out", &[]).ok();
    let answer = answer(&folder, "out");
    for task in ["x", "y"] {
        let verdict = answer["tasks"][task]["comparison"]["verdict"].as_str();
        assert!(matches!(verdict, Some("helped" | "unchanged")), "{task}: {verdict:?}\n{text}");
    }
    assert_eq!(answer["recommendation"]["decision"], "share-all", "{text}");
    let cosine = answer["relatedness"]["cosines"][0]["cosine"].as_f64().expect("a cosine");
    assert!(cosine > 0.0, "{text}");
    assert!(check_recommended(&folder, "out").contains("nothing is wrong"));
}

#[test]
fn tasks_that_a_network_has_no_room_for_are_kept_apart() {
    let conflict = |config: &str| {
        let fixed = "method = \"fixed\", weights = { x = 20.0, y = 1.0 }";
        config.replace("method = \"equal\"", fixed) + "study = { budget.runs = 15 }\n"
    };
    let folder = project("study-conflict", conflict);
    let text = study(&folder, "out", &[]).ok();
    let answer = answer(&folder, "out");
    let y = &answer["tasks"]["y"]["comparison"];
    assert_eq!(y["verdict"], "hurt", "{text}");
    assert!(y["paired"]["interval"]["high"].as_f64().expect("an interval") < 0.0, "{text}");
    assert_eq!(answer["worst_task"], "y");
    assert_eq!(answer["recommendation"]["decision"], "keep-apart", "{text}");
    assert_eq!(answer["recommendation"]["groups"], parse(r#"[["x"], ["y"]]"#));
    let checked = check_recommended(&folder, "out");
    assert!(checked.contains("nothing is wrong") && checked.contains("texts-2"), "{checked}");
    assert!(read(&folder.join("out/recommended.toml")).contains("[encoder.trunk-2]"));
}

#[test]
fn check_prints_the_runs_and_train_passes_the_study_over() {
    let with = |config: &str| config.replace("epochs = 12", "epochs = 1") + "study = { budget.runs = 2, seeds = 1 }\n";
    let folder = project("study-check", with);
    let config = folder.join("study.toml").display().to_string();
    let text = run(["check", &config]).ok();
    assert!(text.contains("study: 2 runs, about ") && text.contains("joint     equal by adam at 0.05     0"), "{text}");
    let planned = &run(["check", &config, "--json"]).json()["study"];
    let ids =
        |key: &str| planned[key].as_array().map(|runs| runs.iter().map(|run| run["id"].clone()).collect::<Vec<_>>());
    assert_eq!(ids("runs"), Some(vec!["separate.x.adam.1".into(), "separate.y.adam.1".into()]));
    assert_eq!(ids("beyond"), Some(vec!["joint.equal.adam.1".into()]));
    assert!(planned["minutes_max"].as_f64().is_some_and(|minutes| minutes > 0.0), "{planned}");
    let out = folder.join("run").display().to_string();
    run(["train", &config, "--out", &out]).ok();
    assert!(!read(&folder.join("run/config.toml")).contains("study"));
    fs::write(folder.join("study.toml"), CONFIG.replace("epochs = 12", "epochs = 1")).expect("written");
    assert_eq!(run(["train", &config, "--out", &out, "--resume"]).code, Some(0));
    let failed = study(&folder, "none", &[]);
    assert!(failed.code == Some(2) && failed.err.contains("no [study]"), "{}", failed.err);
    assert!(!folder.join("none").exists());
}

#[test]
fn a_study_is_not_mixed_with_another() {
    let with = |config: &str| config.replace("epochs = 12", "epochs = 1") + "study = { budget.runs = 1, seeds = 1 }\n";
    let folder = project("study-mixed", with);
    let failed = study(&folder, "out", &["--resume"]);
    assert!(failed.code == Some(2) && failed.err.contains("no study here"), "{}", failed.err);
    study(&folder, "out", &[]).ok();
    let failed = study(&folder, "out", &[]);
    assert!(failed.code == Some(2) && failed.err.contains("exists already"), "{}", failed.err);
    let failed = study(&folder, "out", &["--resume", "--set", "optimizer.learning_rate=0.1"]);
    assert!(failed.code == Some(2) && failed.err.contains("another configuration"), "{}", failed.err);
    // A larger budget goes on with what was left out.
    let answer = study(&folder, "out", &["--resume", "--json", "--set", "study.budget.runs=3"]).json();
    assert_eq!(answer["not_run"], parse("[]"));
    let failed = study(&folder, "else", &["--set", "study.balancers=[\"equal\", \"equall\"]"]);
    assert!(failed.code == Some(2) && failed.err.contains("did you mean `equal`?"), "{}", failed.err);
}

#[test]
fn what_is_not_run_and_what_diverges_is_listed() {
    let with =
        |config: &str| config.replace("epochs = 12", "epochs = 1") + "study = { budget.minutes = 0, seeds = 1 }\n";
    let folder = project("study-left-out", with);
    let nothing = study(&folder, "nothing", &["--json"]).json();
    assert_eq!(nothing["not_run"], parse(r#"["separate.x.adam.1", "separate.y.adam.1", "joint.equal.adam.1"]"#));
    assert_eq!(nothing["recommendation"]["decision"], "undecided");
    let wild = ["optimizer.learning_rate=1e38", "optimizer.clip_norm=0", "study.budget.minutes=9"];
    let wild = wild.iter().flat_map(|change| ["--set", change]).collect::<Vec<_>>();
    let ran = study(&folder, "wild", &wild);
    assert!(ran.err.contains("joint.equal.adam.1 diverged and is left out"), "{}", ran.err);
    let text = ran.ok();
    assert!(text.contains("separate.y.adam.1   diverged: loss of task `y` is NaN"), "{text}");
    assert_eq!(answer(&folder, "wild")["diverged"].as_object().map(|runs| runs.len()), Some(3), "{text}");
}
