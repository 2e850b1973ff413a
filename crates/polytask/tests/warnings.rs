//! Is a user told while training what goes wrong with sharing, and only then?

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{Ran, assert_same_files, lasting_files, parse, read, run, scratch};
use polytask::data::open::Roots;
use polytask::demo::{RelatedTask, Sizes, write_related};
use polytask::run::{Event, RunDirectory};
use polytask::spec::parse_file;
use polytask::train::{Observer, Outcome, Plan, Progress, Quiet, extensions, resume};
use serde_json::Value;

/// Two generated tasks on one network, the second of this relatedness to the first, as `joint.toml`; and the first alone.
fn project(name: &str, relatedness: f64) -> PathBuf {
    let folder = scratch(name);
    let tasks = [RelatedTask { name: "first", relatedness: 1.0 }, RelatedTask { name: "second", relatedness }];
    write_related(&folder, &tasks, Sizes { train: 160, valid: 200, test: 40 }, 5).expect("texts can be written");
    for (config, tasks) in [("alone", &["first"][..]), ("joint", &["first", "second"])] {
        let mut text = format!("version = 1\nname = \"{config}\"\nseed = 1\n");
        for task in tasks {
            let files = ["train", "valid", "test"].map(|split| format!("{split} = \"{task}.{split}.tsv\""));
            text += &format!("data.{task} = {{ format = \"lines\", {} }}\n", files.join(", "));
            let head = if config == "joint" { ", head = \"opinion\"" } else { "" };
            let kind = "kind = \"classify\", target = \"label\", metric = \"accuracy\"";
            text += &format!("task.{task} = {{ data = \"{task}\", {kind}{head} }}\n");
        }
        text += "input.words = { kind = \"words\", dim = 8 }\n\
                 encoder.trunk = { layers = [{ kind = \"pool\", pool = \"mean\" }] }\n\
                 optimizer = { learning_rate = 0.03 }\n\
                 balance = { method = \"equal\", watch = 5 }\n\
                 train = { epochs = 8, batch_size = 16, sampling = \"joint\", patience = 0, checkpoint_seconds = 600 }\n";
        fs::write(folder.join(format!("{config}.toml")), text).expect("a config can be written");
    }
    folder
}

fn shown(path: PathBuf) -> String {
    path.display().to_string()
}

/// Trains a config of the folder into `out`.
fn train(folder: &Path, config: &str, out: &str, settings: &[&str]) -> Ran {
    let files = [folder.join(format!("{config}.toml")), folder.join(out)].map(shown);
    let settings = settings.iter().flat_map(|setting| ["--set", setting]);
    run(["train", &files[0], "--out", &files[1]].into_iter().chain(settings))
}

/// The warnings among a run's events.
fn warnings(run: &Path) -> Vec<Value> {
    let events = read(&run.join("events.jsonl"));
    events.lines().map(parse).filter(|event| event["event"] == "warning").collect()
}

#[test]
fn contradictory_tasks_are_told_to_be_so_in_every_place() {
    let folder = project("warn-conflict", -1.0);
    let ran = train(&folder, "joint", "run", &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let found = warnings(&folder.join("run"));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((&found[0]["kind"], &found[0]["tasks"]), (&"conflict".into(), &parse(r#"["first", "second"]"#)));
    assert!(found[0]["cosine"].as_f64().expect("a cosine") < -0.1 && found[0]["looks"] == 10, "{found:?}");
    let sentence = "`first` and `second` pull what they share in opposite directions";
    let lines: Vec<&str> = ran.err.lines().filter(|line| line.starts_with("warning: ")).collect();
    assert!(lines.len() == 1 && lines[0].contains(sentence), "{}", ran.err);
    assert!(lines[0].contains("try `balance.method = \"pcgrad\"`, or a head of its own for `second`"), "{}", lines[0]);
    let path = shown(folder.join("run"));
    let text = run(["report", &path, "--text"]).ok();
    assert!(text.contains("\nwarnings\nepoch 5: `first` and `second` pull"), "{text}");
    let report = run(["report", &path, "--json"]).json();
    assert!(report["warnings"][0]["sentence"].as_str().is_some_and(|found| found.starts_with(sentence)), "{report}");
    assert_eq!((&report["warnings"][0]["kind"], &report["warnings"][0]["epoch"]), (&"conflict".into(), &5.into()));
    let page = run(["report", &path]).ok();
    assert!(read(Path::new(page.trim())).contains("<h2>Warnings</h2>"), "{page}");
    // What is advised is accepted.
    let advised = train(&folder, "joint", "advised", &["balance.method=pcgrad"]);
    assert_eq!(advised.code, Some(0), "{}", advised.err);
}

#[test]
fn tasks_that_are_the_same_are_no_reason_to_warn() {
    let folder = project("warn-same", 1.0);
    train(&folder, "alone", "alone", &[]).ok();
    let ran = train(&folder, "joint", "run", &["task.first.alone=alone"]);
    assert!(ran.code == Some(0) && !ran.err.contains("warning: "), "{}", ran.err);
    assert_eq!(warnings(&folder.join("run")), [0; 0]);
    // The one event more is all that a warning adds: what is known of a task alone changes nothing else.
    train(&folder, "joint", "unaware", &[]).ok();
    let files = |run: &str| {
        let mut files = lasting_files(&folder.join(run));
        files.retain(|name, _| !matches!(name.as_str(), "config.toml" | "model/model.toml"));
        files
    };
    assert_same_files(&files("run"), &files("unaware"), "a curve that gives no warning");
}

#[test]
fn a_task_that_is_worse_than_alone_is_told() {
    let folder = project("warn-transfer", -1.0);
    train(&folder, "alone", "alone", &[]).ok();
    let ran = train(&folder, "joint", "run", &["task.first.alone=alone", "balance.watch=0"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let found = warnings(&folder.join("run"));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((&found[0]["kind"], &found[0]["tasks"]), (&"negative-transfer".into(), &parse(r#"["first"]"#)));
    let number = |key: &str| found[0][key].as_f64().expect("a number");
    assert!(number("alone") > number("score") + 0.07, "{found:?}");
    // The row of the epoch is shown before the warning about it.
    let line = ran.err.lines().position(|line| line.starts_with("warning: `first` stays behind")).expect("a warning");
    let row = ran.err.lines().nth(line - 1).expect("a row");
    assert!(row.trim_start().starts_with(&format!("{}/8", found[0]["epoch"])), "{}", ran.err);
    // The curve is of the run alone: its own best value up to the epoch that is named.
    let events = read(&folder.join("alone/events.jsonl"));
    let values = events.lines().map(parse).filter(|event| event["event"] == "evaluation");
    let values = values.take(number("alone_epoch") as usize).map(|event| event["tasks"]["first"]["accuracy"].as_f64());
    assert_eq!(values.map(|value| value.expect("an accuracy")).reduce(f64::max), Some(number("alone")));
}

/// Stops after so many steps.
struct StopAfter(usize);

impl Observer for StopAfter {
    fn step(&mut self, _progress: &Progress<'_>) {
        self.0 = self.0.saturating_sub(1);
    }

    fn event(&mut self, _event: &Event, _seconds: f64) {}

    fn notice(&mut self, _text: &str) {}

    fn stop(&self) -> bool {
        self.0 == 0
    }
}

#[test]
fn runs_that_go_on_warn_as_if_nothing_had_happened() {
    let folder = project("warn-resume", -1.0);
    train(&folder, "alone", "alone", &[]).ok();
    // Domination by weight alone: both tasks have gradients of like length.
    let settings =
        ["task.first.alone=alone", "balance={ method = \"fixed\", weights = [20.0, 1.0], watch = 2 }", "threads=1"];
    train(&folder, "joint", "whole", &settings).ok();
    let kinds: Vec<String> = warnings(&folder.join("whole")).iter().map(|found| found["kind"].to_string()).collect();
    assert!(kinds.contains(&"\"conflict\"".into()) && kinds.contains(&"\"domination\"".into()), "{kinds:?}");
    let whole = lasting_files(&folder.join("whole"));
    let whole_events = String::from_utf8(whole["events.jsonl"].clone()).expect("events are text");

    let overrides: Vec<_> = settings.iter().map(|setting| setting.parse().expect("a setting")).collect();
    let plan = || {
        let file = folder.join("joint.toml");
        let parsed = parse_file(&file, &overrides, &extensions()).unwrap_or_else(|errors| panic!("{errors}"));
        Plan::new(parsed.spec, &Roots { dirs: vec![folder.clone()] }).expect("a plan")
    };
    let copy = |name: &str| {
        let out = folder.join(name);
        for (file, bytes) in whole.iter().filter(|(file, _)| !file.starts_with("model/") && *file != "metrics.json") {
            let path = out.join(file);
            fs::create_dir_all(path.parent().expect("a folder")).expect("folders can be made");
            if !file.starts_with("checkpoints/") && file != "events.jsonl" {
                fs::write(path, bytes).expect("a file can be written");
            }
        }
        RunDirectory::open(&out).expect("a run")
    };
    // Interrupted again and again around the tenth look, which is after step 20; and killed after a step that is not in the
    // checkpoint: its events, a warning among them, stand in the file and come again.
    let run = copy("broken");
    let events = run.path().join("events.jsonl");
    for steps in [18, 1, 1, 1, 2, 30] {
        assert_eq!(resume(plan(), &run, &[], &mut StopAfter(steps)).expect("trained"), Outcome::Interrupted);
        let known = read(&events);
        assert!(whole_events.starts_with(&known), "{known}");
        let further: String = whole_events[known.len()..].lines().take(3).flat_map(|line| [line, "\n"]).collect();
        fs::write(&events, known + &further).expect("events can be written");
    }
    assert!(matches!(resume(plan(), &run, &[], &mut Quiet).expect("trained"), Outcome::Complete(_)));
    assert_same_files(&lasting_files(run.path()), &whole, "interrupted around warnings");
}
