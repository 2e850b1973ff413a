//! Does every balancer that training provides for train a network, and are the others refused with the reason?

mod common;

use common::{parse, read, run, small_project, status};
use polytask::train::is_provided;

#[test]
fn every_balancer_trains_or_says_what_it_lacks() {
    let folder = small_project("balancers");
    let tasks = ["movies", "products", "stars", "names"].map(String::from);
    for entry in polytask_balance::all() {
        let out = folder.join(entry.key);
        let path = |path: &std::path::Path| path.display().to_string();
        let mut arguments = vec!["train".to_owned(), path(&folder.join("small.toml")), "--out".into(), path(&out)];
        // An inline table of TOML is JSON with another sign between key and value.
        let toml = |value: serde_json::Value| value.to_string().replace("\":", "\"=");
        let options = (entry.example)(&tasks).into_iter().map(|(key, value)| format!("balance.{key}={}", toml(value)));
        let method = format!("balance.method={}", entry.key);
        for change in ["train.sampling=joint".into(), "train.epochs=1".into(), method].into_iter().chain(options) {
            arguments.extend(["--set".into(), change]);
        }
        let ran = run(arguments);
        if !is_provided(entry.needs) {
            assert_eq!(ran.code, Some(2), "{}: {}", entry.key, ran.err);
            assert!(ran.err.contains("which training does not provide") && !out.exists(), "{}", ran.err);
            continue;
        }
        assert_eq!(ran.code, Some(0), "{}: {}", entry.key, ran.err);
        assert_eq!(status(&out), "complete");
        let events = read(&out.join("events.jsonl"));
        let epoch = events.lines().map(parse).find(|event| event["event"] == "epoch").expect("an epoch took place");
        for task in &tasks {
            let weight = epoch["tasks"][task]["weight"].as_f64();
            assert!(weight.is_some_and(f64::is_finite), "{}: {task}: {weight:?}", entry.key);
        }
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
