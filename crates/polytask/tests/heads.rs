//! Do sets of labels, pairs of texts, shared heads and further losses train, evaluate, predict and resume?

mod common;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::LazyLock;

use common::{Ran, assert_same_files, command, lasting_files, parse, read, scratch, wait};
use serde_json::{Value, json};

/// Two tasks on pairs, two on sets of labels, two that share a head, and numbers with a variance.
const CONFIG: &str = r#"
version = 1
name = "heads"
seed = 5

[data.films]
format = "csv"
train = "films.csv"
split = { valid = 0.25, test = 0.25 }

[data.pairs]
format = "jsonl"
train = "pairs.jsonl"
text = ["premise", "hypothesis"]
split = { valid = 0.25, test = 0.25 }

[data.books]
format = "tsv"
train = "books.tsv"
split = { valid = 0.25 }

[input.words]
kind = "words"
dim = 12

[encoder.trunk]
layers = [{ name = "phrases", kind = "conv", widths = [1, 2], filters = 12 }]

[task.genres]
data = "films"
kind = "multilabel"
target = "genres"
separator = "|"
positive_weights = "balanced"

[task.score]
data = "films"
kind = "regress"
target = "score"
loss = "gaussian-nll"
pool = "mean"
metric = "gaussian-nll"

[task.film]
data = "films"
kind = "classify"
target = "polarity"
head = "polarity"
class_weights = "balanced"

[task.book]
data = "books"
kind = "classify"
target = "polarity"
head = "polarity"
focal_gamma = 2.0

[task.same]
data = "pairs"
kind = "classify"
target = "same"
label_smoothing = 0.05

[task.overlap]
data = "pairs"
kind = "regress"
target = "overlap"
loss = "huber"
huber_delta = 0.5

[optimizer]
learning_rate = 0.02

[train]
epochs = 8
batch_size = 16
sampling = "joint"
"#;

const TOPICS: [(&str, &str); 3] = [("crime", "detective"), ("love", "wedding"), ("space", "rocket")];

/// Draws below a bound, the same numbers everywhere.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// A review whose words tell its genres, polarity and score, as `text,genres,polarity,score`.
fn film(draw: &mut Draw, number: usize) -> String {
    let topics: Vec<_> = TOPICS.iter().filter(|_| draw.below(2) == 0).collect();
    let good = draw.below(3) > 0;
    let words: Vec<&str> = topics.iter().map(|(_, word)| *word).collect();
    let praise = if good { "superb" } else { "dull" };
    // An empty set is the separator alone, an empty cell is not known.
    let genres = match topics.len() {
        0 => "|".to_owned(),
        _ if number % 10 == 9 => String::new(),
        _ => topics.iter().map(|(topic, _)| *topic).collect::<Vec<_>>().join("|"),
    };
    let score = if good { 7.0 } else { 3.0 } + draw.below(100) as f64 / 100.0;
    format!(
        "\"a {praise} film , number {number} , {}\",{genres},{},{score}\n",
        words.join(" "),
        if good { "pos" } else { "neg" }
    )
}

fn pair(draw: &mut Draw, number: usize) -> String {
    let (first, second) = (draw.below(3) as usize, draw.below(3) as usize);
    let text = |topic: usize, other: &str| format!("{other} {} {number}", TOPICS[topic].1);
    let same = first == second;
    let pair = json!({ "premise": text(first, "the"), "hypothesis": text(second, "some"),
        "same": if same { "yes" } else { "no" }, "overlap": if same { 1.0 } else { 0.0 } });
    format!("{pair}\n")
}

fn book(draw: &mut Draw, number: usize) -> String {
    let good = draw.below(2) == 0;
    let (label, praise) = if good { ("pos", "superb") } else { ("neg", "dull") };
    let age = if number.is_multiple_of(2) { "old" } else { "new" };
    format!("a {praise} book , volume {number}\t{label}\t{age}\n")
}

fn project(name: &str) -> PathBuf {
    let folder = scratch(name);
    let mut draw = Draw(11);
    let mut write = |file: &str, header: &str, line: fn(&mut Draw, usize) -> String| {
        let lines: String = (0..160).map(|number| line(&mut draw, number)).collect();
        fs::write(folder.join(file), [header, &lines].concat()).expect("a corpus can be written");
    };
    write("films.csv", "text,genres,polarity,score\n", film);
    write("pairs.jsonl", "", pair);
    write("books.tsv", "text\tpolarity\tage\n", book);
    fs::write(folder.join("heads.toml"), CONFIG).expect("a config can be written");
    folder
}

fn path(path: &Path) -> String {
    path.display().to_string()
}

fn train(folder: &Path, out: &str, more: &[&str]) -> Ran {
    let start = ["train".to_owned(), path(&folder.join("heads.toml")), "--out".into(), path(&folder.join(out))];
    common::run(start.into_iter().chain(more.iter().map(|&argument| argument.to_owned())))
}

/// A model that was trained once for all tests of this file.
static RUN: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = project("heads");
    train(&folder, "run", &[]).ok();
    folder.join("run")
});

fn predict(task: &str, more: &[&str], input: &str) -> Ran {
    let start = ["predict".to_owned(), path(&RUN), "--task".into(), task.to_owned()];
    let arguments = start.into_iter().chain(more.iter().map(|&argument| argument.to_owned()));
    let mut child = command(arguments).stdin(Stdio::piped()).spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("its input is a pipe");
    // The program may refuse its arguments before it reads.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    wait(child)
}

fn test_scores() -> Value {
    parse(&read(&RUN.join("metrics.json")))["splits"]["test"].clone()
}

#[test]
fn what_words_tell_is_learned() {
    let scores = test_scores();
    for (task, metric, least) in [("genres", "f1-micro", 0.9), ("film", "accuracy", 0.9), ("same", "accuracy", 0.75)] {
        let found = scores[task][metric].as_f64().expect("a score");
        assert!(found >= least, "{task}: {metric} {found} in {scores:#}");
    }
    let genres = scores["genres"].as_object().expect("scores");
    for key in ["subset-accuracy", "hamming-loss", "f1-macro", "f1-samples", "precision-micro", "recall-macro"] {
        assert!(genres[key].is_f64(), "{key}");
    }
    assert!(genres["examples"].as_u64() < scores["film"]["examples"].as_u64(), "missing sets do not count");
    assert!(scores["score"]["rmse"].as_f64() < Some(1.0), "{scores:#}");
    assert!(scores["score"]["gaussian-nll"].as_f64() < Some(1.5), "{scores:#}");
    assert!(scores["overlap"].get("gaussian-nll").is_none());
}

#[test]
fn confusion_matrices_are_kept_and_printed() {
    let scores = test_scores();
    let ran = common::run(["eval", &path(&RUN), "--split", "test", "--json", "--data", &path(RUN.parent().unwrap())]);
    let tasks = ran.json()["tasks"].clone();
    for task in ["film", "same"] {
        let matrix = &scores[task]["confusion"];
        assert_eq!(matrix, &tasks[task]["confusion"], "{task}");
        let rows = matrix["counts"].as_array().expect("rows");
        let sum: u64 = rows.iter().flat_map(|row| row.as_array().unwrap()).filter_map(Value::as_u64).sum();
        assert_eq!(Some(sum), scores[task]["examples"].as_u64());
        let right: u64 = (0..2).filter_map(|class| rows[class][class].as_u64()).sum();
        assert_eq!(right as f64 / sum as f64, scores[task]["accuracy"].as_f64().unwrap());
        assert_eq!(matrix["labels"].as_array().map(Vec::len), Some(2));
    }
    assert!(["genres", "score", "overlap"].iter().all(|task| scores[task].get("confusion").is_none()));
    assert!(parse(&read(&RUN.join("metrics.json")))["splits"]["valid"]["book"]["confusion"].is_object());
    let events = read(&RUN.join("events.jsonl"));
    assert!(!events.contains("confusion"), "events tell what happened, not every matrix");
}

#[test]
fn sets_of_labels_are_predicted() {
    let text = "a superb film , number 3 , detective rocket\n";
    let object = predict("genres", &[], text).json_lines().remove(0);
    assert_eq!(object["labels"], json!(["crime", "space"]), "{object}");
    let probabilities = object["probabilities"].as_object().expect("probabilities");
    assert_eq!(probabilities.keys().collect::<Vec<_>>(), ["crime", "love", "space"]);
    for (label, probability) in probabilities {
        let is_there = object["labels"].as_array().unwrap().contains(&json!(label));
        assert_eq!(probability.as_f64() >= Some(0.5), is_there, "{object}");
    }
    let table = predict("genres", &["--to", "csv"], text).ok();
    let mut lines = table.lines();
    let header = "text,labels,truncated,probability:crime,probability:love,probability:space";
    let sorted = |line: &str| line.split(',').map(str::to_owned).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(lines.next().map(sorted), Some(sorted(header)));
    let row = lines.next().expect("a row");
    assert!(row.starts_with("\"a superb film , number 3 , detective rocket\",crime|space,"), "{row}");
    assert_eq!(lines.next(), None);
}

#[test]
fn pairs_are_predicted_from_objects_and_tables() {
    let pairs = [("the rocket 1", "some rocket 1"), ("the wedding 2", "some rocket 2")];
    let objects: String =
        pairs.iter().map(|(a, b)| format!("{}\n", json!({ "premise": a, "hypothesis": b }))).collect();
    let rows: String = pairs.iter().map(|(a, b)| format!("{b},x,{a}\n")).collect();
    for task in ["same", "overlap"] {
        let found = predict(task, &["--format", "jsonl"], &objects).json_lines();
        let table = predict(task, &["--format", "csv"], &format!("hypothesis,id,premise\n{rows}")).json_lines();
        assert_eq!(found.len(), 2);
        for ((object, row), (premise, hypothesis)) in found.iter().zip(&table).zip(pairs) {
            assert_eq!((&object["premise"], &object["hypothesis"]), (&json!(premise), &json!(hypothesis)));
            assert_eq!((&row["id"], row.get("text")), (&json!("x"), None));
            assert_eq!((&row["label"], &row["value"]), (&object["label"], &object["value"]));
        }
    }
    let same = predict("same", &["--format", "jsonl"], &objects).json_lines();
    assert_eq!((&same[0]["label"], &same[1]["label"]), (&json!("yes"), &json!("no")), "{same:?}");
    let csv = predict("same", &["--format", "jsonl", "--to", "csv"], &objects).ok();
    assert!(csv.starts_with("premise,hypothesis,label,probability,"), "{csv}");
    let ran = predict("same", &[], "one text\n");
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(ran.err.contains("compares two texts, `premise` and `hypothesis`"), "{}", ran.err);
    let ran = predict("same", &["--format", "jsonl"], "{\"premise\": \"a\"}\n");
    assert_eq!(ran.code, Some(3), "{}", ran.err);
    assert!(ran.err.contains("standard input:1: expected an object with `premise` and `hypothesis`"), "{}", ran.err);
}

#[test]
fn distributions_have_an_interval() {
    let object = predict("score", &[], "a superb film , number 5 , wedding\n").json_lines().remove(0);
    let [value, deviation] = ["value", "deviation"].map(|key| object[key].as_f64().expect("a number"));
    let [low, high] = [0, 1].map(|end| object["interval"][end].as_f64().expect("an end"));
    assert!((5.0..10.0).contains(&value) && deviation > 0.0, "{object}");
    assert!((high - low - 2.0 * 1.959_963_984_540_054 * deviation).abs() < 1e-9 && low < value && value < high);
    let csv = predict("score", &["--to", "csv"], "dull\n").ok();
    assert!(csv.starts_with("text,value,deviation,low,high,truncated\ndull,"), "{csv}");
}

#[test]
fn a_shared_head_serves_both_tasks() {
    let weights = fs::read(RUN.join("model/weights.safetensors")).expect("a model was saved");
    let header =
        String::from_utf8_lossy(&weights[8..8 + u64::from_le_bytes(weights[..8].try_into().unwrap()) as usize]);
    assert!(header.contains("\"head.polarity.weight\"") && !header.contains("task.film.head"), "{header}");
    let text = "a superb thing\na dull thing\n";
    let [film, book] = ["film", "book"].map(|task| predict(task, &[], text).json_lines());
    assert_eq!(film, book);
    assert_eq!((&film[0]["label"], &film[1]["label"]), (&json!("pos"), &json!("neg")));
}

#[test]
fn threads_and_interruptions_change_no_byte() {
    let folder = project("heads-again");
    let short = ["--set", "train.epochs=3", "--set", "train.checkpoint_seconds=0"];
    train(&folder, "whole", &short).ok();
    let whole = lasting_files(&folder.join("whole"));
    train(&folder, "threads", &[&short[..], &["--set", "threads=1"]].concat()).ok();
    let mut threads = lasting_files(&folder.join("threads"));
    // What was configured is written down.
    for name in ["config.toml", "environment.json", "model/model.toml"] {
        threads.insert(name.to_owned(), whole[name].clone());
    }
    assert_same_files(&threads, &whole, "one thread");
    // A run that ends after its first checkpoint goes on as if nothing had happened.
    let arguments = |more: &[&'static str]| {
        let start =
            ["train".to_owned(), path(&folder.join("heads.toml")), "--out".into(), path(&folder.join("killed"))];
        start.into_iter().chain(short.iter().chain(more).map(|&argument| argument.to_owned())).collect::<Vec<_>>()
    };
    let mut child = command(arguments(&[])).spawn().expect("the program starts");
    let checkpoint = folder.join("killed/checkpoints/last.safetensors");
    while !checkpoint.exists() && child.try_wait().expect("it can be asked").is_none() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.kill().expect("it can be ended");
    wait(child);
    common::run(arguments(&["--resume"])).ok();
    assert_same_files(&lasting_files(&folder.join("killed")), &whole, "after an interruption");
}

/// One task, whose labels stand in a cell.
const GENRES: &str = r#"
version = 1
data.films = { format = "csv", train = "films.csv", split = { valid = 0.25 } }
input.words = { kind = "words", dim = 8 }
encoder.trunk = { layers = [{ kind = "conv", widths = [1], filters = 8 }] }
task.genres = { data = "films", kind = "multilabel", target = "genres", separator = "|" }
train = { epochs = 2 }
"#;

#[test]
fn labels_in_columns_of_their_own_are_the_same_task() {
    let folder = project("heads-columns");
    let topics = TOPICS.map(|(topic, _)| topic);
    let mut rows = vec![format!("text,{}", topics.join(","))];
    for line in read(&folder.join("films.csv")).lines().skip(1) {
        let cells: Vec<&str> = line.rsplitn(4, ',').collect();
        let flag = |topic: &str| match cells[2] {
            "" => "",
            genres => ["0", "1"][usize::from(genres.split('|').any(|genre| genre == topic))],
        };
        rows.push(format!("{},{}", cells[3], topics.map(flag).join(",")));
    }
    fs::write(folder.join("columns.csv"), rows.join("\n")).expect("a corpus can be written");
    let columns = GENRES
        .replace("films.csv", "columns.csv")
        .replace("target = \"genres\", separator = \"|\"", &format!("target = {topics:?}"));
    let [cells, columns] = [("cells", GENRES), ("columns", &columns)].map(|(out, config)| {
        fs::write(folder.join("heads.toml"), config).expect("a config can be written");
        train(&folder, out, &[]).ok();
        let file = |name: &str| fs::read(folder.join(out).join(name)).expect("a run leaves it");
        [file("model/weights.safetensors"), file("model/model.json"), file("metrics.json")]
    });
    assert!(cells == columns, "a set of labels is one, however it is written");
}

/// The message of `check` after a change to the config.
fn refused(folder: &Path, from: &str, to: &str) -> (Option<i32>, String) {
    assert!(CONFIG.contains(from), "{from}");
    fs::write(folder.join("broken.toml"), CONFIG.replacen(from, to, 1)).expect("a config can be written");
    let ran = common::run(["check", &path(&folder.join("broken.toml"))]);
    (ran.code, ran.err)
}

#[test]
fn what_does_not_fit_the_data_is_told() {
    let folder = project("heads-refused");
    let table = [
        ("class_weights = \"balanced\"", "class_weights = { poss = 2 }", 2, "training has no class `poss`"),
        ("positive_weights = \"balanced\"", "positive_weights = { crimes = 2 }", 2, "did you mean `crime`?"),
        ("loss = \"gaussian-nll\"\npool", "pool", 2, "judges predicted variances"),
        (
            "target = \"polarity\"\nhead = \"polarity\"\nfocal",
            "target = \"age\"\nhead = \"polarity\"\nfocal",
            2,
            "its classes are new, old, not neg, pos",
        ),
        ("target = \"genres\"\nseparator = \"|\"", "target = \"genre\"", 3, "expected a column `genre`"),
    ];
    for (from, to, code, fragment) in table {
        let (found, message) = refused(&folder, from, to);
        assert!(found == Some(code) && message.contains(fragment), "{to}: {found:?} {message}");
    }
    let ran = common::run(["check", &path(&folder.join("heads.toml"))]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
}
