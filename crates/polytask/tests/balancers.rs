//! Does every balancer train a network, and go on after a kill as if nothing had happened?

mod common;

use std::path::Path;
use std::time::{Duration, Instant};

use common::{assert_same_files, command, lasting_files, parse, read, run, small_project, status, wait};

/// The arguments of a short run with a method, as it is used by default.
fn arguments(folder: &Path, out: &Path, entry: &polytask_balance::Entry, tasks: &[String]) -> Vec<String> {
    let path = |path: &Path| path.display().to_string();
    let mut arguments = vec!["train".to_owned(), path(&folder.join("small.toml")), "--out".into(), path(out)];
    // An inline table of TOML is JSON with another sign between key and value.
    let toml = |value: serde_json::Value| value.to_string().replace("\":", "\"=");
    let options = (entry.example)(tasks).into_iter().map(|(key, value)| format!("balance.{key}={}", toml(value)));
    let method = format!("balance.method={}", entry.key);
    let rest = ["train.sampling=joint", "train.epochs=1", "balance.watch=2", "train.checkpoint_seconds=0"];
    for change in rest.into_iter().map(String::from).chain([method]).chain(options) {
        arguments.extend(["--set".into(), change]);
    }
    arguments
}

#[test]
fn every_balancer_trains_and_goes_on_after_a_kill() {
    let folder = small_project("balancers");
    let tasks = ["movies", "products", "stars", "names"].map(String::from);
    for entry in polytask_balance::all() {
        let (whole, broken) = (folder.join(entry.key), folder.join(format!("{}-broken", entry.key)));
        let ran = run(arguments(&folder, &whole, entry, &tasks));
        assert_eq!(ran.code, Some(0), "{}: {}", entry.key, ran.err);
        assert_eq!(status(&whole), "complete");
        let events: Vec<_> = read(&whole.join("events.jsonl")).lines().map(parse).collect();
        let epoch = events.iter().find(|event| event["event"] == "epoch").expect("an epoch took place");
        let looks: Vec<_> = events.iter().filter(|event| event["event"] == "balance").collect();
        assert!(looks.len() >= 2, "{}: {} looks", entry.key, looks.len());
        for task in &tasks {
            let weight = epoch["tasks"][task]["weight"].as_f64();
            assert!(weight.is_some_and(f64::is_finite), "{}: {task}: {weight:?}", entry.key);
            let norm = looks[0]["tasks"][task]["gradient_norm"].as_f64();
            assert!(norm.is_some_and(|norm| norm > 0.0), "{}: {task}: {norm:?}", entry.key);
        }
        assert_eq!(looks[0]["cosines"].as_array().map(Vec::len), Some(6), "{}", looks[0]);
        let rate = epoch["conflict_rate"].as_f64();
        assert!(rate.is_some_and(|rate| (0.0..=1.0).contains(&rate)), "{}: {rate:?}", entry.key);

        let arguments = arguments(&folder, &broken, entry, &tasks);
        let (mut child, began) = (command(arguments.clone()).spawn().expect("the program starts"), Instant::now());
        while !broken.join("checkpoints/last.safetensors").exists() {
            assert!(began.elapsed() < Duration::from_secs(120), "{}: no checkpoint comes", entry.key);
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().expect("a process can be ended");
        let ended = wait(child);
        assert!(ended.code.is_none() || status(&broken) == "complete", "{}: {}", entry.key, ended.err);
        run(arguments.into_iter().chain(["--resume".into()])).ok();
        assert_same_files(&lasting_files(&broken), &lasting_files(&whole), entry.key);
    }
}

#[test]
fn comparing_gradients_asks_for_a_batch_of_every_task() {
    let folder = small_project("balancers-joint");
    let config = folder.join("small.toml").display().to_string();
    let changes = ["--set", "balance.method=mgda", "--set", "train.sampling=proportional"].map(String::from);
    let ran = run(["check".to_owned(), config].into_iter().chain(changes));
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(ran.err.contains("batch of every one") && ran.err.contains("sampling = \"joint\""), "{}", ran.err);
}

#[test]
fn what_comparing_costs_is_told_before_it_is_done() {
    let folder = small_project("balancers-cost");
    let check = |method: &str| {
        let config = folder.join("small.toml").display().to_string();
        let changes =
            ["--set".to_owned(), format!("balance.method={method}"), "--set".into(), "train.sampling=joint".into()];
        let ran = run(["check".to_owned(), config].into_iter().chain(changes));
        ran.ok()
    };
    assert!(check("mgda").contains("`mgda` compares gradients: 4 forward and backward passes a step"));
    assert!(check("modo").contains("12 forward and backward passes a step, three thirds"));
    assert!(check("moco").contains("for what it keeps of them"));
    assert!(!check("uncertainty").contains("passes a step"));
}

#[test]
fn a_representation_in_common_needs_one_dataset() {
    let folder = small_project("balancers-representation");
    let config = folder.join("small.toml").display().to_string();
    let changes = ["balance.method=mgda", "balance.gradients=representation", "train.sampling=joint"];
    let changes = changes.into_iter().flat_map(|change| ["--set".to_owned(), change.to_owned()]);
    let ran = run(["check".to_owned(), config].into_iter().chain(changes));
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(ran.err.contains("no representation in common") && ran.err.contains("one dataset"), "{}", ran.err);
}
