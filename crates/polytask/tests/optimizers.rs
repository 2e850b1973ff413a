//! Does every optimizer, with every schedule and what goes with them, lower the losses of two tasks; and does a run that
//! was interrupted within an epoch go on to the same bytes?

mod common;

use std::fs;
use std::path::Path;

use common::{assert_same_files, lasting_files, parse, read, run, scratch};
use polytask::data::open::Roots;
use polytask::run::{Environment, Event, RunDirectory};
use polytask::spec::{Override, parse_file, schema};
use polytask::train::{Observer, Outcome, Plan, Progress, Quiet, extensions, resume, train};

const CONFIG: &str = r#"version = 1
seed = 7
data.reviews = { format = "lines", train = "reviews.tsv", valid = "reviews.tsv" }
data.names = { format = "conll", columns = ["token", "ner"], train = "names.conll", valid = "names.conll" }
input.words = { kind = "words", dim = 6, characters = { dim = 4, filters = 4 } }
encoder.trunk = { layers = [{ name = "low", kind = "bilstm", hidden = 4 }, { name = "high", kind = "conv", filters = 6 }] }
task.reviews = { data = "reviews", kind = "classify", target = "label" }
task.names = { data = "names", kind = "tag", target = "ner", attach = "low" }
train = { epochs = 6, batch_size = 2, sampling = "joint", patience = 0 }
"#;

const REVIEWS: &str = "good\ta fine film\nbad\ta dull film\ngood\tso very good\nbad\tso very bad\ngood\tfine and good\n\
                       bad\tdull and bad\n";
/// As many sentences as reviews, all of one length, so that the mean loss of an epoch does not depend on its batches.
const NAMES: &str = "Anna B-PER\nsings O\n\nOslo B-LOC\nsings O\n\nAnna B-PER\ndances O\n\nOslo B-LOC\ndances O\n\nAnna \
                     B-PER\nis O\n\nOslo B-LOC\nis O\n";

/// Stops training after so many steps.
struct StopAfter(usize);

impl Observer for StopAfter {
    fn step(&mut self, _: &Progress<'_>) {
        self.0 -= 1;
    }

    fn event(&mut self, _: &Event, _: f64) {}

    fn notice(&mut self, _: &str) {}

    fn stop(&self) -> bool {
        self.0 == 0
    }
}

fn plan(folder: &Path, changes: &[&str]) -> Plan {
    let changes: Vec<Override> = changes.iter().map(|change| change.parse().expect("a change")).collect();
    let spec =
        parse_file(&folder.join("two.toml"), &changes, &extensions()).unwrap_or_else(|errors| panic!("{errors}"));
    Plan::new(spec.spec, &Roots { dirs: vec![folder.into()] }).unwrap_or_else(|error| panic!("{error}"))
}

/// Trains the two tasks, once as a whole and once with an interruption after each of `stops` further steps.
fn trains_and_goes_on(folder: &Path, name: &str, changes: &[&str], stops: &[usize]) {
    let directory = |part: &str| {
        let plan = plan(folder, changes);
        let environment = Environment::current("0", 7, 1);
        let path = folder.join(format!("{name}-{part}"));
        (RunDirectory::create(&path, name, &plan.spec.to_toml(), &environment).expect("a run directory"), plan)
    };
    let (whole, plan_of_whole) = directory("whole");
    assert!(matches!(train(plan_of_whole, &whole, &mut Quiet), Ok(Outcome::Complete(_))), "{name}");
    let (broken, plan_of_broken) = directory("broken");
    let mut outcome = train(plan_of_broken, &broken, &mut StopAfter(stops[0]));
    for &steps in &stops[1..] {
        assert!(matches!(outcome, Ok(Outcome::Interrupted)), "{name}: {outcome:?}");
        outcome = resume(plan(folder, changes), &broken, &[], &mut StopAfter(steps));
    }
    assert!(matches!(outcome, Ok(Outcome::Interrupted)), "{name}: {outcome:?}");
    assert!(matches!(resume(plan(folder, changes), &broken, &[], &mut Quiet), Ok(Outcome::Complete(_))), "{name}");
    assert_same_files(&lasting_files(broken.path()), &lasting_files(whole.path()), name);

    let events = read(&whole.path().join("events.jsonl"));
    let epochs: Vec<_> = events.lines().map(parse).filter(|event| event["event"] == "epoch").collect();
    for task in ["reviews", "names"] {
        let loss = |epoch: &serde_json::Value| epoch["tasks"][task]["loss"].as_f64().expect("a loss");
        let (first, last) = (loss(&epochs[0]), loss(&epochs[epochs.len() - 1]));
        assert!(last < first, "{name}: the loss of {task} goes from {first} to {last}");
    }
}

fn project(name: &str) -> std::path::PathBuf {
    let folder = scratch(name);
    for (file, text) in [("two.toml", CONFIG), ("reviews.tsv", REVIEWS), ("names.conll", NAMES)] {
        fs::write(folder.join(file), text).expect("a file can be written");
    }
    folder
}

/// The names of a choice in the config's schema.
fn names(pointer: &str, tag: &str) -> Vec<String> {
    let schema = schema(&extensions());
    let variants = schema.pointer(pointer).and_then(|node| node["oneOf"].as_array()).expect("a choice");
    variants.iter().map(|variant| variant["properties"][tag]["const"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn every_optimizer_trains_and_goes_on_to_the_same_bytes() {
    let folder = project("optimizers");
    let methods = names("/properties/optimizer", "method");
    assert_eq!(methods.len(), 13);
    for method in &methods {
        let method = format!("optimizer.method={method}");
        for rows in ["lazy", "dense"] {
            let rows = format!("optimizer.rows={rows}");
            trains_and_goes_on(&folder, &format!("{method}-{rows}"), &[&method, &rows], &[1, 4]);
        }
    }
    let forms: [(&str, &[&str]); 4] = [
        ("nesterov", &["optimizer.method=sgd", "optimizer.nesterov=true"]),
        ("rmsprop-momentum", &["optimizer.method=rmsprop", "optimizer.momentum=0.5", "optimizer.learning_rate=0.001"]),
        ("rmsprop-centered", &["optimizer.method=rmsprop", "optimizer.centered=true", "optimizer.learning_rate=0.001"]),
        ("muon-original", &["optimizer.method=muon", "optimizer.rate=original", "optimizer.nesterov=false"]),
    ];
    forms.iter().for_each(|(name, changes)| trains_and_goes_on(&folder, name, changes, &[2, 5]));
}

#[test]
fn every_schedule_trains_and_goes_on_to_the_same_bytes() {
    let folder = project("schedules");
    let kinds = names("/properties/optimizer/oneOf/0/properties/decay/anyOf/1", "kind");
    assert_eq!(kinds.len(), 7);
    for kind in &kinds {
        let decay = format!("optimizer.decay={kind}");
        trains_and_goes_on(&folder, kind, &[&decay, "optimizer.warmup=0.1"], &[2, 5]);
    }
    // A threshold that no score reaches: the rate falls with every epoch but the first.
    let plateau = "optimizer.decay={ kind = \"plateau\", patience = 0, threshold = 9.0, factor = 0.5 }";
    trains_and_goes_on(&folder, "falling", &[plateau], &[4, 5]);
    let events = read(&folder.join("falling-whole/events.jsonl"));
    let epochs = events.lines().map(parse).filter(|event| event["event"] == "epoch");
    let rates: Vec<f64> = epochs.map(|epoch| epoch["learning_rate"].as_f64().expect("a rate")).collect();
    assert_eq!(rates, [1e-3, 1e-3, 5e-4, 2.5e-4, 1.25e-4, 6.25e-5]);
}

#[test]
fn averages_and_accumulation_go_on_to_the_same_bytes() {
    let folder = project("averages");
    let cases: [(&str, &[&str]); 4] = [
        ("ema-lazy", &["optimizer.ema=0.9"]),
        ("ema-dense", &["optimizer.ema=0.5", "optimizer.rows=dense"]),
        ("accumulate", &["train.accumulate=2", "optimizer.method=adagrad"]),
        ("both", &["train.accumulate=3", "train.sampling=proportional", "optimizer.ema=0.8", "train.batch_size=1"]),
    ];
    cases.iter().for_each(|(name, changes)| trains_and_goes_on(&folder, name, changes, &[1, 2, 1]));
}

#[test]
fn a_mean_of_no_memory_keeps_the_weights_themselves() {
    let folder = project("memoryless");
    let weights = |name: &str, changes: &[&str]| {
        let plan = plan(&folder, changes);
        let environment = Environment::current("0", 7, 1);
        let made =
            RunDirectory::create(&folder.join(name), name, &plan.spec.to_toml(), &environment).expect("a directory");
        train(plan, &made, &mut Quiet).expect("training ends");
        fs::read(made.path().join("model/weights.safetensors")).expect("a model")
    };
    let plain = weights("plain", &[]);
    // The mean with next to no memory is the last weights, up to rounding: judged alike, so the same epoch is kept.
    let averaged = weights("averaged", &["optimizer.ema=1e-9"]);
    assert_eq!(plain.len(), averaged.len());
    let differing = plain.iter().zip(&averaged).filter(|(a, b)| a != b).count();
    assert!(differing * 10 < plain.len(), "{differing} of {} bytes differ", plain.len());
    assert_ne!(weights("remembering", &["optimizer.ema=0.9"]), plain);
}

#[test]
fn accumulated_draws_are_one_larger_batch() {
    // One dataset in one batch of six, or in three of two: the same update, up to rounding.
    let folder = project("accumulated");
    let only = |name: &str, text: &str| fs::write(folder.join(name), text).expect("a file can be written");
    let config: Vec<&str> = CONFIG.lines().filter(|line| !line.contains("names")).collect();
    only("two.toml", &config.join("\n"));
    only("reviews.tsv", "good\ta fine film\nbad\ta dull film\ngood\tso very good\nbad\tso very bad\n");
    let loss = |name: &str, changes: &[&str]| {
        let changes = [changes, &["optimizer.method=sgd", "optimizer.learning_rate=0.1", "train.epochs=2"]].concat();
        let plan = plan(&folder, &changes);
        let environment = Environment::current("0", 7, 1);
        let made =
            RunDirectory::create(&folder.join(name), name, &plan.spec.to_toml(), &environment).expect("a directory");
        train(plan, &made, &mut Quiet).expect("training ends");
        let events: Vec<_> = read(&made.path().join("events.jsonl")).lines().map(parse).collect();
        assert_eq!(events[0]["steps_per_epoch"], 1);
        let last = events.iter().rfind(|event| event["event"] == "epoch").expect("an epoch");
        (last["tasks"]["reviews"]["loss"].as_f64().expect("a loss"), last["step"].clone())
    };
    let (one, steps) = loss("one", &["train.batch_size=4"]);
    let (several, same_steps) = loss("several", &["train.batch_size=2", "train.accumulate=2"]);
    assert!((one - several).abs() < 1e-5, "{one} against {several}");
    assert_eq!(steps, same_steps);
}

#[test]
fn optimizers_and_schedules_are_listed() {
    let listed = run(["list", "optimizers"]).ok();
    for method in names("/properties/optimizer", "method") {
        assert!(listed.lines().any(|line| line.trim_start().starts_with(&method)), "{method}: {listed}");
    }
    assert!(listed.contains("momentum, nesterov") && !listed.contains("clip_norm"), "{listed}");
    let listed = run(["list", "schedules"]).ok();
    assert!(listed.contains("plateau") && listed.contains("every, factor"), "{listed}");
    let json = run(["list", "schedules", "--json"]).json();
    assert_eq!(json.as_array().map(Vec::len), Some(7));
}
