//! Does the program's first impression hold? The demo, and every command that it invites to.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use common::{files, parse, read, run, scratch, status};
use serde_json::{Value, json};

/// The demo, run once for all tests of this file.
struct Demo {
    folder: PathBuf,
    out: String,
}

static DEMO: LazyLock<Demo> = LazyLock::new(|| {
    let folder = scratch("demo").join("deep/demo");
    let out = run(["demo".as_ref(), "--out".as_ref(), folder.as_os_str()]).ok();
    Demo { folder, out }
});

impl Demo {
    fn run(&self) -> PathBuf {
        self.folder.join("run")
    }

    fn config(&self) -> String {
        self.folder.join("demo.toml").display().to_string()
    }

    fn metrics(&self) -> Value {
        parse(&read(&self.run().join("metrics.json")))
    }
}

fn eval(run_directory: &Path, more: &[&str]) -> Value {
    let run_directory = run_directory.display().to_string();
    run(["eval", &run_directory, "--json"].iter().chain(more)).json()
}

#[test]
fn the_demo_trains_a_good_model_and_says_how_to_go_on() {
    let demo = &*DEMO;
    for part in ["movies/train", "vectors.txt", "demo.toml", "kept the model", "test:", "span-f1", "polytask eval"] {
        assert!(demo.out.contains(part), "no `{part}` in {}", demo.out);
    }
    assert_eq!(status(&demo.run()), "complete");
    let metrics = demo.metrics();
    let score = |task: &str, metric: &str| {
        metrics["splits"]["test"][task][metric].as_f64().unwrap_or_else(|| panic!("no {metric} of {task}: {metrics}"))
    };
    assert!(score("movies", "accuracy") >= 0.80, "{}", score("movies", "accuracy"));
    assert!(score("products", "accuracy") >= 0.80, "{}", score("products", "accuracy"));
    assert!(score("names", "span-f1") >= 0.85, "{}", score("names", "span-f1"));
    let again = run(["demo".as_ref(), "--out".as_ref(), demo.folder.as_os_str()]);
    assert_eq!(again.code, Some(2));
    assert!(again.err.contains("is not empty") && again.err.contains("--out"), "{}", again.err);
}

#[test]
fn eval_gives_the_scores_that_training_ended_with() {
    let (demo, metrics) = (&*DEMO, DEMO.metrics());
    for split in ["valid", "test"] {
        let found = eval(&demo.run(), &["--split", split]);
        assert_eq!(found, json!({ "split": split, "tasks": metrics["splits"][split] }), "{split}");
    }
    let names = &eval(&demo.run(), &[])["tasks"]["names"];
    for key in ["loss", "examples", "span-f1", "classes"] {
        assert!(names.get(key).is_some(), "no {key} in {names}");
    }
    let table = run(["eval".as_ref(), demo.run().as_os_str()]).ok();
    assert!(table.contains("span-f1") && table.contains("LOC"), "{table}");
}

#[test]
fn a_model_works_where_its_run_is_not() {
    let demo = &*DEMO;
    let moved = scratch("demo-moved").join("model");
    fs::create_dir(&moved).expect("a directory can be made");
    for (name, bytes) in files(&demo.run().join("model")) {
        fs::write(moved.join(name), bytes).expect("a file can be copied");
    }
    let found = eval(&moved, &["--data", &demo.folder.display().to_string()]);
    assert_eq!(found["tasks"], demo.metrics()["splits"]["test"]);
    let without = run(["eval".as_ref(), moved.as_os_str()]);
    assert_eq!(without.code, Some(3), "{}", without.err);
    assert!(without.err.contains("movies"), "{}", without.err);
}

#[test]
fn check_says_what_a_run_would_do() {
    let demo = &*DEMO;
    let text = run(["check", &demo.config()]).ok();
    assert!(text.contains("nothing is wrong") && text.contains("own row"), "{text}");
    let survey = run(["check", &demo.config(), "--json"]).json();
    for key in ["duplicates", "shared_parameters", "frozen_parameters", "memory_bytes", "steps_per_epoch", "epochs"] {
        assert!(survey.get(key).is_some(), "no {key} in {survey}");
    }
    assert!(survey["shared_parameters"].as_u64() > Some(10_000), "{survey}");
    let datasets = survey["datasets"].as_array().expect("a list of datasets");
    let named: Vec<&str> = datasets.iter().filter_map(|dataset| dataset["name"].as_str()).collect();
    assert_eq!(named, ["movies", "products", "names"]);
    for split in datasets.iter().flat_map(|dataset| dataset["splits"].as_array().expect("a list of splits")) {
        let shares = split["coverage"].as_object().expect("shares").values().filter_map(serde_json::Value::as_f64);
        assert!((shares.sum::<f64>() - 1.0).abs() < 1e-9, "{split}");
    }
}

#[test]
fn check_finds_test_examples_that_were_trained_on() {
    let folder = common::small_project("demo-leak");
    for (index, review) in common::entries(&folder.join("movies/train/pos")).iter().enumerate() {
        let copy = folder.join(format!("movies/test/pos/{}_9.txt", 9000 + index));
        fs::copy(review, copy).expect("a review can be copied");
    }
    let survey = run(["check".as_ref(), folder.join("small.toml").as_os_str(), "--json".as_ref()]).json();
    let duplicates = survey["duplicates"].as_array().expect("a list of duplicates");
    let found = duplicates.iter().find(|found| found["train"] == "movies" && found["other"] == "movies test");
    let examples = found.and_then(|found| found["examples"].as_u64());
    // Of the 40 reviews, the validation set holds a fifth or so.
    assert!(matches!(examples, Some(28..40)), "{duplicates:?}");
}

#[test]
fn every_catalogue_can_be_listed() {
    for (catalogue, entry) in [
        ("balancers", "uncertainty"),
        ("encoders", "bilstm"),
        ("pools", "attention"),
        ("sharing", "hard"),
        ("tasks", "tag"),
        ("metrics", "span-f1"),
        ("readers", "conll"),
    ] {
        let entries = run(["list", catalogue, "--json"]).json();
        let entries = entries.as_array().expect("a list");
        assert!(entries.iter().any(|found| found["key"] == entry), "no {entry} in {entries:?}");
        assert!(
            entries.iter().all(|found| found["summary"].as_str().is_some_and(|text| text.len() > 5)),
            "{entries:?}"
        );
        let table = run(["list", catalogue]).ok();
        assert!(table.lines().count() == entries.len() + 1 && table.contains(entry), "{table}");
    }
    let balancers = run(["list", "balancers", "--json"]).json();
    let mgda = balancers.as_array().into_iter().flatten().find(|found| found["key"] == "mgda").expect("it is listed");
    assert_eq!((&mgda["needs"], &mgda["cost"]), (&"gramian".into(), &"O(T³)".into()));
    let table = run(["list", "balancers"]).ok();
    assert!(
        table.lines().next().is_some_and(|header| header.contains("needs  ") && header.contains("cost a step")),
        "{table}"
    );
}

#[test]
fn the_schema_knows_every_key_of_the_demo() {
    let schema = run(["schema"]).json();
    let known = schema["properties"].as_object().expect("properties");
    let config: toml::Table = polytask::demo::CONFIG.parse().expect("the demo's config is TOML");
    for (key, value) in &config {
        let property = known.get(key).unwrap_or_else(|| panic!("the schema has no `{key}`"));
        for inner in value.as_table().into_iter().flat_map(toml::Table::keys) {
            let variants = property["oneOf"].as_array().into_iter().flatten();
            let named = variants.chain([property]).any(|of| of["properties"].get(inner).is_some());
            assert!(named || property.get("additionalProperties").is_some(), "`{key}.{inner}`");
        }
    }
}
